"""Where the tools of a project are found, and what is handed to them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from neon_hooks.deadline import Deadline
from neon_hooks.dsn import Dsn
from neon_hooks.errors import NotInstalled, Unavailable, UsageError
from neon_hooks.facts import ToolRun
from neon_hooks.plan import Command
from neon_hooks.run import Prepared, execute, resolve

PASSWORD = "canary/p@ss:w%rd"
NEON = Dsn(
    "ep-test.example.net", "my shop", "app user", PASSWORD,
    params={"sslmode": "require", "channel_binding": "require"},
)  # fmt: skip
LOCAL = Dsn("127.0.0.1", "shop", "app", PASSWORD, 5433)
SAYS = "#!/bin/sh\necho {0}\n"


def write(path: Path, text: str, mode: int = 0o755) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.fixture
def top(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    (tmp_path / "checkout/apps/shop").mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    return tmp_path / "work"


def found(command: Command, top: Path, **environ: str) -> Prepared:
    return resolve(
        command, checkout=top.parent / "checkout", top=top, root="apps/shop",
        environ={"PATH": "/usr/bin:/bin", "HOME": str(top.parent), **environ},
    )  # fmt: skip


def ran(command: Command, top: Path, dsn: Dsn = NEON, **environ: str) -> ToolRun:
    return execute(found(command, top, **environ), dsn=dsn, deadline=Deadline.after(60), redact=lambda text: text)


# family, the tool's name, files in the order of precedence (in the pushed tree, or in the work tree)
PLACES = {
    "native": ("native", "goose", [
        "checkout/apps/shop/bin/goose", "work/apps/shop/bin/goose", "work/apps/shop/node_modules/.bin/goose",
        "work/apps/shop/.venv/bin/goose", "work/apps/bin/goose", "work/bin/goose", "work/node_modules/.bin/goose",
        "on_path/goose", "go/bin/goose", ".cargo/bin/goose",
    ]),
    "jvm, Maven": ("jvm", "mvn", ["checkout/apps/shop/mvnw", "checkout/mvnw", "work/mvnw", "on_path/mvn"]),
    "jvm, Gradle": ("jvm", "gradle", ["checkout/gradlew", "on_path/gradle"]),
    "jvm": ("jvm", "flyway", ["checkout/apps/shop/bin/flyway", "work/bin/flyway", "on_path/flyway"]),
    "node": ("node", "knex", [
        "work/apps/shop/node_modules/.bin/knex", "work/apps/node_modules/.bin/knex", "work/node_modules/.bin/knex",
    ]),
    "a path": ("native", "./tools/migrate", ["checkout/apps/shop/tools/migrate", "work/apps/shop/tools/migrate"]),
}  # fmt: skip


@pytest.mark.parametrize("case", PLACES)
def test_a_tool_is_taken_from_the_nearest_place_and_the_pushed_tree_comes_first(case: str, top: Path) -> None:
    family, name, places = PLACES[case]
    node = shutil.which("node")
    if family == "node" and not node:
        pytest.skip("needs node")
    for place in reversed(places):
        path = write(top.parent / place, SAYS.format(place))
        on_path = f"{top.parent}/on_path:/usr/bin:/bin:{Path(node or '/').parent}"
        assert ran(Command((name,), family), top, PATH=on_path).output == f"{place}\n"
        assert path.is_file()


@pytest.mark.parametrize("case", PLACES)
def test_a_tool_that_is_nowhere_is_named_with_what_was_tried_and_a_remedy(case: str, top: Path) -> None:
    family, name, _ = PLACES[case]
    with pytest.raises(NotInstalled) as caught:
        found(Command((name,), family), top, PATH=str(top.parent / "empty"))
    assert name in caught.value.message and "tried" in caught.value.message
    assert "[[systems]] command" in caught.value.fix


def test_a_script_that_lost_its_executable_bit_is_still_started(top: Path) -> None:
    write(top.parent / "checkout/mvnw", SAYS.format("hello"), 0o644)
    assert ran(Command(("mvn",), "jvm"), top).output == "hello\n"


def test_npm_packages_are_not_looked_for_on_path_where_they_have_another_version(top: Path) -> None:
    write(top.parent / "on_path/knex", SAYS.format("wrong"))
    with pytest.raises(NotInstalled):
        found(Command(("knex",), "node"), top, PATH=f"{top.parent}/on_path:/usr/bin:/bin")


def test_a_program_that_runs_in_bun_is_refused(top: Path) -> None:
    write(top / "node_modules/.bin/knex", "#!/usr/bin/env bun\n")
    with pytest.raises(Unavailable, match="runs in bun"):
        found(Command(("knex",), "node"), top)


def test_a_node_that_ignores_the_shim_is_refused(top: Path) -> None:
    write(top / "node_modules/.bin/knex", SAYS.format("x"))
    write(top.parent / "on_path/node", "#!/bin/sh\necho not loaded\n")
    with pytest.raises(Unavailable, match="does not load the driver shim"):
        found(Command(("knex",), "node"), top, PATH=f"{top.parent}/on_path:/usr/bin:/bin")


def test_ruby_takes_the_binstub_then_bundler_then_path(top: Path) -> None:
    ruby = shutil.which("ruby")
    if not ruby:
        pytest.skip("needs ruby")
    path = f"{top.parent}/on_path:/usr/bin:/bin:{Path(ruby).parent}"
    write(top.parent / "on_path/rake", SAYS.format("from PATH"))
    command = Command(("rake", "db:migrate"), "ruby")
    assert ran(command, top, PATH=path).output == "from PATH\n"
    write(top.parent / "on_path/bundle", "#!/bin/sh\necho bundle $*\n")
    write(top.parent / "checkout/Gemfile.lock", "")
    assert ran(command, top, PATH=path).output == "bundle exec rake db:migrate\n"
    write(top.parent / "checkout/apps/shop/bin/rake", "puts 'binstub ' + ARGV[0]", 0o644)
    assert ran(command, top, PATH=path).output == "binstub db:migrate\n"


def shows(top: Path, *argv: str, dsn: Dsn = NEON, **more: Any) -> tuple[list[str], dict[str, str]]:
    """The arguments and the environment that a program sees."""
    show = 'for word in "$@"; do echo "arg $word"; done; env | sed "s/^/env /"; cat {file}'
    write(top / "bin/show", "#!/bin/sh\n" + show.format(file='"$FILES"/* 2>/dev/null | sed "s/^/file /"'))
    output = ran(Command(("show", *argv), "native", **more), top, dsn).output
    lines = [line.partition(" ") for line in output.splitlines()]
    environment = dict(rest.split("=", 1) for kind, _, rest in lines if kind == "env" and "=" in rest)
    environment["file"] = "\n".join(rest for kind, _, rest in lines if kind == "file")
    return [rest for kind, _, rest in lines if kind == "arg"], environment


def test_words_in_braces_are_filled_in_and_no_password_is_an_argument(top: Path) -> None:
    words = "{url} {jdbc_url} {host} {port} {database} {user} {root} {checkout} {unknown} a{host}b".split()
    arguments, environment = shows(
        top, *words,
        environment={"FILES": "{files}", "A": "{url_with_password}", "B": "{jdbc_url_with_password}", "C": "{password}"},
        files={"config.json": '{{"url": "{url_with_password}", "host": "{host}"}}'},
    )  # fmt: skip
    login = "app%20user:canary%2Fp%40ss%3Aw%25rd"
    jdbc = "jdbc:postgresql://ep-test.example.net:5432/my%20shop"
    assert arguments == [
        "postgresql://app%20user@ep-test.example.net/my%20shop?sslmode=require",
        f"{jdbc}?sslmode=require",
        *("ep-test.example.net", "5432", "my shop", "app user"),
        str(top.parent / "checkout/apps/shop"), str(top.parent / "checkout"), "{unknown}", "aep-test.example.netb",
    ]  # fmt: skip
    assert not any("canary" in word for word in arguments)
    url = f"postgresql://{login}@ep-test.example.net/my%20shop?sslmode=require"
    assert environment["A"] == url
    assert environment["B"] == f"{jdbc}?user=app+user&password=canary%2Fp%40ss%3Aw%25rd&sslmode=require"
    assert (environment["C"], environment["PGPASSWORD"]) == (PASSWORD, PASSWORD)
    assert f'{{{{"url": "{url}", "host": "ep-test.example.net"}}}}' in environment["file"]
    assert not Path(environment["FILES"]).exists(), "the private directory is left behind"


@pytest.mark.parametrize("word", ["{password}", "--url={url_with_password}", "{jdbc_url_with_password}"])
def test_a_password_in_an_argument_is_refused(word: str, top: Path) -> None:
    with pytest.raises(UsageError, match="command line"):
        found(Command(("show", word), "native"), top)


@pytest.mark.parametrize(
    ("params", "host", "mode"),
    [
        ({}, "127.0.0.1", "disable"), ({"sslmode": "prefer"}, "::1", "disable"), ({}, "ep.example.net", "require"),
        ({"sslmode": "prefer"}, "ep.example.net", "require"), ({"sslmode": "verify-full"}, "ep.example.net", "verify-full"),
    ],
)  # fmt: skip
def test_the_url_says_how_to_encrypt_in_a_word_that_every_driver_knows(
    params: dict[str, str], host: str, mode: str, top: Path
) -> None:
    (url,), _ = shows(top, "{url}", dsn=Dsn(host, "shop", params=params))
    assert url.endswith(f"?sslmode={mode}")


def test_the_scheme_of_the_url_is_the_commands_own(top: Path) -> None:
    (url,), environment = shows(top, "{url}", dsn=LOCAL, url_schemes=("postgres",))
    assert url == "postgres://app@127.0.0.1:5433/shop?sslmode=disable"
    assert environment["PGSSLMODE"] == "disable"


def test_a_shell_script_hands_the_shims_on_to_what_it_starts(top: Path) -> None:
    write(top / "bin/script", "#!/bin/sh\npython3 -c \"import sys; print('neon_hooks_shim' in sys.modules)\"\n")
    run = ran(Command(("script",), "native"), top, PATH=os.environ["PATH"])
    assert run.output == "True\n"
    assert run.redirected
