"""Whether src/schema.rs is what the migrations make. The program's queries are compiled against it, and `diesel
migration run` writes it anew on a developer's machine: it must be committed with the migration.

Facts: https://diesel.rs/guides/configuring-diesel-cli (print_schema). `diesel print-schema` prints, and writes no
file; the project's own diesel.toml says what it prints (filters, types, patches).
"""

from __future__ import annotations

import tomllib
from typing import Any

from neon_hooks.plan import Command, Comparison, Unit
from neon_hooks.systems.places import up_from
from neon_hooks.tree import Tree, join, parent

SCRIPT = "neon_hooks_diesel.sh"
# A line is told with the table that it stands in; how deep it is indented, and its comma, say nothing.
SHELL = """\
set -e
PATH="$PWD/bin:$PATH"
diesel print-schema --config-file "$NEON_HOOKS_CONFIG" --database-url "$NEON_HOOKS_URL" > "{files}/made.rs"
awk '
    FNR == 1 { file++; heading = "" }
    {
        line = $0
        gsub(/^[ \\t]+|[ \\t,]+$/, "", line)
        if ($0 !~ /^[ \\t]/) heading = ""
    }
    line == "" || line ~ /^\\/\\// || line ~ /^[])}]+;?$/ || line ~ /table! *[{]$/ { next }
    line ~ /[{(]$/ { sub(/[ !]*[{(]$/, "", line); heading = line; key = line }
    line !~ /[{(]$/ && line != heading { key = heading == "" ? line : heading ": " line }
    { if (file == 1) given[key] = ++count; else made[key] = ++count; name[count] = key; from[count] = file }
    END {
        for (i = 1; i <= count; i++) {
            if (from[i] == 1 && !(name[i] in made)) print "neon-hooks: - " name[i]
            if (from[i] == 2 && !(name[i] in given)) print "neon-hooks: + " name[i]
        }
    }
' "$NEON_HOOKS_SCHEMA" "{files}/made.rs"
"""


def compare(unit: Unit, tree: Tree) -> Comparison | None:
    """None where no file is kept, or several are."""
    config = next((path for path in (join(place, "diesel.toml") for place in up_from(unit.root)) if path in tree), "")
    file = _settings(tree.text(config)).get("file") if config else None
    schema = join(parent(config), file) if isinstance(file, str) else ""
    if schema not in tree:
        return None
    command = Command(
        ("sh", "{files}/" + SCRIPT),
        "native",
        environment={
            "NEON_HOOKS_CONFIG": "{checkout}/" + config,
            "NEON_HOOKS_SCHEMA": "{checkout}/" + schema,
            "NEON_HOOKS_URL": "{url}",
        },
        files={SCRIPT: SHELL},
    )
    return Comparison(command, differs=r"^neon-hooks: [-+] ", difference=r"(?<=^neon-hooks: )[-+] .*", by_database=True)


def _settings(text: str) -> dict[str, Any]:
    try:
        found = tomllib.loads(text).get("print_schema", {})
    except tomllib.TOMLDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
