"""What is read from package.json files and from JavaScript, without running either."""

from __future__ import annotations

import json

import pytest

from neon_hooks.systems.jscode import code, expressions, literal, paths, same_js
from neon_hooks.systems.packagejson import calls, dependents, depends, manifest, option
from neon_hooks.tree import Tree


def scripts(**said: str) -> Tree:
    return Tree.of({"package.json": json.dumps({"scripts": said})})


@pytest.mark.parametrize(
    "script",
    [
        "knex --env production migrate:latest",
        "npx knex --env=production migrate:latest",
        "cross-env A=1 knex --env 'production' migrate:latest && node start.js",
        "node --import tsx ./node_modules/.bin/knex --env production",
        "tsx node_modules/knex/bin/cli.js --env production",
        "wait-on tcp:5432; (knex --env production)",
    ],
)
def test_the_option_of_a_call_is_found_in_whatever_shell_line_it_stands(script: str) -> None:
    assert option(calls(scripts(migrate=script), "", "knex"), "--env") == "production"


@pytest.mark.parametrize(
    "script", ["knexy --env x", "echo 'broken", "knex -e x", "a | b --env x", "knex --env"]
)
def test_other_commands_and_other_options_are_not_taken_for_it(script: str) -> None:
    assert option(calls(scripts(migrate=script), "", "knex"), "--env") == ""


def test_a_dependency_counts_for_its_own_package_and_for_those_below_it() -> None:
    tree = Tree.of({
        "package.json": '{"devDependencies": {"knex": "3"}}',
        "apps/api/package.json": '{"dependencies": {"pg": "8"}}',
        "apps/web/package.json": '{"description": "not \\"knex\\""}',
        "node_modules/x/package.json": '{"dependencies": {"knex": "3"}}',
    })  # fmt: skip
    assert dependents(tree, "knex") == [""]
    assert depends(tree, "apps/api", "knex") and not depends(tree, "apps/api", "prisma")


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"scripts": []}', '{"scripts": {"a": 1}, "dependencies": null}']
)
def test_a_broken_manifest_says_nothing(text: str) -> None:
    tree = Tree.of({"package.json": text})
    assert calls(tree, "", "knex") == [] and dependents(tree, "knex") == []
    assert isinstance(manifest(tree, ""), dict)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('"./db/migrations"', ["db/migrations"]),
        ("'../migrations'", ["migrations"]),
        ('path.join(__dirname, "db", "migrations")', ["src/db/migrations"]),
        ('__dirname + "/../migrations/*{.ts,.js}"', ["migrations/*{.ts,.js}"]),
        ("`${__dirname}/migrations`", ["src/migrations"]),
        ('new URL("./migrations", import.meta.url).pathname', ["src/migrations"]),
        ('["a", path.resolve(__dirname, "b")]', ["a", "src/b"]),
        ("process.env.DIRECTORY", []),
        ("`${folder}/x`", []),
        ('"/srv/migrations"', []),
        ("[CreateCustomers1, AddNickname2]", []),
    ],
)
def test_paths_are_read_as_a_configuration_writes_them(expression: str, expected: list[str]) -> None:
    assert paths(expression, here="src", root="") == expected


def test_values_end_where_their_brackets_do_and_comments_are_no_code() -> None:
    text = code("""
        // migrations: { directory: "wrong" },
        seeds: { directory: 'seeds' }, /* tableName: "wrong" */
        migrations: { directory: ["a", f("b,c")], tableName: "http://x" }, x: 1
    """)
    (block,) = expressions(text, "migrations")
    assert list(expressions(block, "directory")) == ['["a", f("b,c")]']
    assert literal(block, "tableName") == "http://x"
    assert literal("tableName: process.env.TABLE", "tableName") == ""


def test_an_edit_of_comments_and_layout_is_no_edit_and_one_of_a_text_is() -> None:
    before = b'exports.up = (knex) => knex.raw("select  1"); // one'
    assert same_js(before, b'// other\nexports.up = (knex) =>\n  knex.raw("select  1");')
    assert not same_js(before, b'exports.up = (knex) => knex.raw("select 1");')
