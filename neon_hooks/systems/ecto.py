"""Ecto: Elixir's migrations, by a script of our own that ``mix run`` starts.

Facts: https://hexdocs.pm/ecto_sql (Ecto.Migrator, with_repo), https://hexdocs.pm/ecto (repositories: the
keys of the application's environment). ``mix ecto.migrate`` itself has no option for the address.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from neon_hooks.errors import UsageError
from neon_hooks.plan import Bookkeeping, Command, Migration, Unit
from neon_hooks.systems.base import History, System, id_as_number
from neon_hooks.systems.places import is_foreign
from neon_hooks.systems.waysback import elixir, within
from neon_hooks.tree import Tree, join, parent

FILE = re.compile(r"(\d+)_[^/]+\.exs")
APPLICATION = re.compile(r"\bapp:\s*:(\w+)")
REPOSITORY = re.compile(r"defmodule\s+([\w.]+)\s+do(?:(?!defmodule).)*?use\s+Ecto\.Repo", re.DOTALL)
OTHERS = re.compile(r"Ecto\.Adapters\.(?:MyXQL|SQLite3|Tds)")
CONFIGURED = re.compile(r"config\s+:\w+,\s*([\w.]+),(?:(?!\bconfig\b).)*?\bpriv:\s*\"([^\"]+)\"", re.DOTALL)
OWN_INIT = re.compile(r"\bdef\s+init\(")
CONFIG = "config/config.exs"
SCRIPT = "neon_hooks_ecto.exs"
MIGRATE = """\
app = :{app}
repo = {repo}
Application.load(app)
address = [
  hostname: System.fetch_env!("PGHOST"),
  port: String.to_integer(System.fetch_env!("PGPORT")),
  username: System.fetch_env!("PGUSER"),
  password: System.fetch_env!("PGPASSWORD"),
  database: System.fetch_env!("PGDATABASE"),
  ssl: System.get_env("PGSSLMODE") not in [nil, "disable"]
]
elsewhere = [:url, :socket, :socket_dir, :endpoints, :ssl_opts, :parameters, :pool]
config = app |> Application.get_env(repo, []) |> Keyword.drop(elsewhere) |> Keyword.merge(address)
Application.put_env(app, repo, config)
{{:ok, _, _}} = Ecto.Migrator.with_repo(repo, &Ecto.Migrator.run(&1, {path}, :up, all: true))
"""


def detect(tree: Tree) -> Iterable[Unit]:
    """Each directory priv/<repository>/migrations of a project whose mix.exs has ecto_sql."""
    for manifest in tree.named("mix.exs"):
        root = parent(manifest)
        text = tree.text(manifest)
        if is_foreign(manifest) or not re.search(r":ecto_sql\b|:phoenix_ecto\b", text):
            continue
        places = {
            parent(path) for path in tree.below(join(root, "priv")) if FILE.fullmatch(path.rpartition("/")[2])
        }
        for place in sorted(places):
            if place.endswith("/migrations"):
                unit = _unit(tree, root, place, (manifest,))
                if unit.options["repo"] and not unit.options["other"]:
                    yield unit


def at(tree: Tree, root: str, migrations_dir: str) -> Unit:
    return _unit(tree, root, migrations_dir, ("[[systems]] in the settings",))


def _unit(tree: Tree, root: str, directory: str, evidence: tuple[str, ...]) -> Unit:
    """priv/repo belongs to the module ...Repo, priv/replica_repo to ...ReplicaRepo; `priv:` says otherwise."""
    app = APPLICATION.search(tree.text(join(root, "mix.exs")))
    wanted = parent(directory).rpartition("/")[2].replace("_", "").lower()
    modules: dict[str, str] = {}
    for path in tree.below(join(root, "lib")):
        if path.endswith(".ex") and "repo" in path.lower():
            modules |= {name: tree.text(path) for name in REPOSITORY.findall(tree.text(path))}
    called_so = next((name for name in sorted(modules) if name.rpartition(".")[2].lower() == wanted), "")
    priv = parent(directory).removeprefix(f"{root}/")
    configured = (name for name, path in CONFIGURED.findall(tree.text(join(root, CONFIG))) if path == priv)
    found = next((name for name in configured if name in modules), called_so)
    source = modules.get(found, "")
    return Unit(
        "ecto", root, directory, (*evidence, found or directory),
        {
            "app": app[1] if app else "", "repo": found,
            "other": "true" if OTHERS.search(source) else "",
            "own_init": "true" if OWN_INIT.search(source) else "",
        },
    )  # fmt: skip


def history(unit: Unit, tree: Tree) -> History:
    found = []
    for path in tree.below(unit.migrations_dir):
        match = FILE.fullmatch(path.rpartition("/")[2])
        if match:
            found.append((int(match[1]), path))
    return tuple(Migration(str(number), path, tree.oids[path]) for number, path in sorted(found))


def apply(unit: Unit, pushed: History) -> Command:
    """Raises UsageError where the repository's own code has the last word about its address."""
    if unit.options.get("own_init") or not unit.options.get("repo") or not unit.options.get("app"):
        raise UsageError(
            f"{unit.migrations_dir}: the address of {unit.options.get('repo') or 'its repository'} cannot be replaced"
            " with certainty: its init/2 decides it",
            fix="give the address in config/ instead, or name a command of your own: [[systems]] command",
        )
    script = MIGRATE.format(
        app=unit.options["app"], repo=unit.options["repo"], path='System.fetch_env!("NEON_HOOKS_MIGRATIONS")'
    )
    return Command(
        ("mix", "run", "--no-start", "{files}/" + SCRIPT),
        "native",
        environment={"NEON_HOOKS_MIGRATIONS": "{checkout}/" + unit.migrations_dir},
        files={SCRIPT: script},
    )


def bookkeeping(unit: Unit) -> Bookkeeping:
    return Bookkeeping("schema_migrations", "version::text")


SYSTEM = System(
    name="ecto", detect=detect, history=history, apply=apply, at=at,
    default_dir="priv/repo/migrations", bookkeeping=bookkeeping, number=id_as_number,
    downs=within(elixir),
)  # fmt: skip
