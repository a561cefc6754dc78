"""What was not there when a migration failed: on the server, or where the project's tool was started. Pure.

Neither says that the migration is wrong: a machine that lacks a package of the project's says nothing about
it, and an extension that this server does not offer is no mistake in its SQL. Only words of Postgres, Node,
Python and Ruby are read that leave no doubt.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from neon_hooks.facts import ToolRun

EXTENSIONS = "https://neon.com/docs/extensions/pg-extensions"


@dataclass(frozen=True)
class Lack:
    """``what`` completes "... lacks"; ``on_server`` tells a thing of Postgres from a package of the project's."""

    what: str
    fix: str
    on_server: bool = True


NOT_OFFERED = (
    f"the migration itself may be right: choose an extension, a version of it or a major version of Postgres"
    f" that is offered ({EXTENSIONS})"
)
NO_ROLE = "create the role there before the migration is deployed, or correct its name"
# What Postgres says (its messages are not translated by Neon), and what is lacking then.
OF_SERVER = (
    (re.compile(r'extension "([^"]+)" is not available'), 'extension "{}"', NOT_OFFERED),
    (re.compile(r'could not open extension control file "[^"]*?([\w-]+)\.control"'), 'extension "{}"', NOT_OFFERED),
    (
        re.compile(r'extension "([^"]+)" has no (?:installation script nor )?update path'),
        'this version of extension "{}"',
        NOT_OFFERED,
    ),
    (
        re.compile(r"^(\w+) (?:must|can only) be loaded via [\"']?shared_preload_libraries"),
        "{} in shared_preload_libraries",
        NOT_OFFERED,
    ),
    (re.compile(r'could not access file "(?:\$libdir/)?([\w.-]+)"'), 'library "{}"', NOT_OFFERED),
    (re.compile(r'^role "([^"]+)" does not exist'), 'role "{}"', NO_ROLE),
)
# Functions of Postgres itself, and its first major version that has them (release notes, appendix E).
SINCE: Mapping[str, int] = {
    "gen_random_uuid": 13, "date_bin": 14, "trim_array": 14, "regexp_count": 15, "any_value": 16,
    "random_normal": 16, "uuid_extract_timestamp": 17, "to_bin": 17, "uuidv4": 18, "uuidv7": 18, "casefold": 18,
}  # fmt: skip
FUNCTION = re.compile(r"^function (?:\w+\.)?(\w+)\(.*\) does not exist")
# Lines that only say that a package could not be loaded. A path of the project's own begins with a dot or a slash.
OF_PROJECT = (
    re.compile(r"Cannot find (?:module|package) '([^'./][^']*)'"),
    re.compile(r"^(?:ModuleNotFoundError|ImportError): No module named '?([A-Za-z_]\w*)'?$", re.MULTILINE),
    re.compile(r"cannot load such file -- ([A-Za-z][\w/-]*)$", re.MULTILINE),
)
# Of embedded Postgres, which has neither production's roles nor most extensions.
STAND_IN_LACKS = (
    "try it on Neon (NEON_API_KEY), or name what is lacking in [local]: `roles`; `postgres` = the directory of an"
    " installed Postgres that has the extension"
)
INSTALL = "install the project's dependencies where you push; if it is the project's own, commit it"


def lack_of(run: ToolRun | None) -> Lack | None:
    """What a run that failed lacked, None when it failed for another reason, or not at all."""
    if run is None or not run.exit_code:
        return None
    statement = run.failed
    if statement and statement.error:
        return lack_in(statement.error.message)
    found = next((match for pattern in OF_PROJECT if (match := pattern.search(run.output))), None)
    return Lack(f"the package {found[1]}", INSTALL, on_server=False) if found else None


def lack_in(message: str) -> Lack | None:
    """What the server lacks, in Postgres' own words."""
    for pattern, what, fix in OF_SERVER:
        if found := pattern.search(message):
            return Lack(what.format(found[1]), fix)
    function = FUNCTION.match(message)
    since = SINCE.get(function[1]) if function else None
    if function and since:
        return Lack(f"{function[1]}(), which Postgres has since version {since}", NOT_OFFERED)
    return None
