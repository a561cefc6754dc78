"""What a push means for a unit: new migrations, and old ones that it changes."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from neon_hooks.plan import Edit, Migration, Work
from neon_hooks.settings import Settings
from neon_hooks.systems import by_name, detect, work_for
from neon_hooks.systems.base import ancestors, heads
from neon_hooks.tree import Tree
from tests.fix_systems import changes, tree

Files = Mapping[str, str]


def revision(id: str, down: str = "None", body: str = "pass", more: str = "") -> str:
    return (
        f'"""About {id}."""\nrevision = "{id}"\ndown_revision = {down}\n{more}\ndef upgrade():\n    {body}\n'
    )


def django(dependencies: str = "", operations: str = "", replaces: str = "") -> str:
    return (
        "from django.db import migrations\nclass Migration(migrations.Migration):\n"
        f"    replaces = [{replaces}]\n    dependencies = [{dependencies}]\n    operations = [{operations}]\n"
    )


ALEMBIC: Files = {
    "alembic.ini": "[alembic]\nscript_location = db\n",
    "db/env.py": "from alembic import context\n",
    "db/versions/x_first.py": revision("aaa"),
    "db/versions/a_second.py": revision("bbb", '"aaa"'),
}
DJANGO: Files = {
    "manage.py": 'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")\n',
    "shop/migrations/0001_initial.py": django(),
    "shop/migrations/0002_more.py": django('("shop", "0001_initial")'),
}
SQL: Files = {
    "migrations/9_nine.sql": "CREATE TABLE nine (id int);\n",
    "migrations/10_ten.sql": "CREATE TABLE ten (id int);\n",
}


def without(files: Files, *paths: str) -> dict[str, str]:
    return {path: text for path, text in files.items() if path not in paths}


def pushed(base: Files | None, target: Files) -> Work:
    before, after = tree(base) if base is not None else None, tree(target)
    (unit,) = detect(after, Settings())
    return work_for(unit, after, before, changes(before, after))


def ids(work: Work) -> list[str]:
    return [migration.id for migration in work.pushed]


@pytest.mark.parametrize(
    ("files", "order"),
    [
        (ALEMBIC, ["aaa", "bbb"]),
        (DJANGO, ["shop.0001_initial", "shop.0002_more"]),
        (SQL, ["9_nine.sql", "10_ten.sql"]),
    ],
)
def test_everything_is_new_where_the_main_line_has_nothing(files: Files, order: list[str]) -> None:
    work = pushed(None, files)
    assert ids(work) == order == [migration.id for migration in work.history]


@pytest.mark.parametrize(
    ("files", "path", "text", "id"),
    [
        (ALEMBIC, "db/versions/c.py", revision("ccc", '"bbb"'), "ccc"),
        (DJANGO, "shop/migrations/0003_x.py", django('("shop", "0002_more")'), "shop.0003_x"),
        (SQL, "migrations/11_x.sql", "SELECT 1;", "11_x.sql"),
    ],
)
def test_what_is_added_is_pushed(files: Files, path: str, text: str, id: str) -> None:
    work = pushed(files, {**files, path: text})
    assert (ids(work), work.edits) == ([id], ())


def test_other_changes_push_nothing() -> None:
    work = pushed(ALEMBIC, {**ALEMBIC, "README": "x", "db/env.py": "from alembic import context\n\n"})
    assert (ids(work), work.edits) == ([], ())


def test_the_base_is_not_read_when_no_migration_of_it_is_touched() -> None:
    target = {**ALEMBIC, "db/versions/c.py": revision("ccc", '"bbb"')}
    after = tree(target)
    (unit,) = detect(after, Settings())

    def refuse(path: str) -> bytes:
        raise AssertionError(f"{path} was read")

    before = Tree(tree(ALEMBIC).oids, refuse)
    assert ids(work_for(unit, after, before, changes(before, after))) == ["ccc"]


EDITS = {
    "a changed statement": (
        ALEMBIC,
        {"db/versions/x_first.py": revision("aaa", body="op.drop_table('x')")},
        ("aaa", "edited"),
    ),
    "a changed parent": (ALEMBIC, {"db/versions/a_second.py": revision("bbb", "None")}, ("bbb", "edited")),
    "a changed operation": (
        DJANGO,
        {"shop/migrations/0001_initial.py": django(operations="RunSQL()")},
        ("shop.0001_initial", "edited"),
    ),
    "a changed statement of SQL": (
        SQL,
        {"migrations/9_nine.sql": "CREATE TABLE nine (id bigint);"},
        ("9_nine.sql", "edited"),
    ),
}
HARMLESS = {
    "a docstring": (ALEMBIC, {"db/versions/x_first.py": revision("aaa").replace("About", "All about")}),
    "a comment": (
        ALEMBIC,
        {"db/versions/x_first.py": revision("aaa") + "# neon-hooks: accept x because y\n"},
    ),
    "annotations": (
        ALEMBIC,
        {"db/versions/x_first.py": revision("aaa").replace("revision = ", "revision: str = ", 1)},
    ),
    "a dependency, which only the graph reads": (
        DJANGO,
        {"shop/migrations/0001_initial.py": django('("auth", "0001_initial")')},
    ),
    "a comment of SQL": (
        SQL,
        {"migrations/9_nine.sql": "-- why\nCREATE   TABLE nine /* a /* b */ c */ (id int);"},
    ),
}


@pytest.mark.parametrize("case", EDITS)
def test_a_change_of_meaning_is_an_edit(case: str) -> None:
    files, changed, (id, what) = EDITS[case]
    work = pushed(files, {**files, **changed})
    assert ids(work) == []
    assert work.edits == (Edit(id, next(iter(changed)), what),)


@pytest.mark.parametrize("case", HARMLESS)
def test_a_change_without_a_meaning_is_none(case: str) -> None:
    files, changed = HARMLESS[case]
    assert pushed(files, {**files, **changed}).edits == ()


@pytest.mark.parametrize(
    ("files", "path", "id"),
    [
        (ALEMBIC, "db/versions/a_second.py", "bbb"),
        (DJANGO, "shop/migrations/0002_more.py", "shop.0002_more"),
        (SQL, "migrations/10_ten.sql", "10_ten.sql"),
    ],
)
def test_a_removed_migration_is_deleted(files: Files, path: str, id: str) -> None:
    assert pushed(files, without(files, path)).edits == (Edit(id, path, "deleted"),)


@pytest.mark.parametrize(
    ("files", "old", "new", "id", "new_id"),
    [
        (SQL, "migrations/10_ten.sql", "migrations/11_ten.sql", "10_ten.sql", "11_ten.sql"),
        (
            DJANGO,
            "shop/migrations/0002_more.py",
            "shop/migrations/0002_less.py",
            "shop.0002_more",
            "shop.0002_less",
        ),
    ],
)
def test_a_migration_with_another_name_is_renamed(
    files: Files, old: str, new: str, id: str, new_id: str
) -> None:
    work = pushed(files, {**without(files, old), new: files[old]})
    assert ids(work) == [new_id]
    assert work.edits == (Edit(id, old, "renamed", new),)


def test_alembic_does_not_care_for_file_names() -> None:
    old = "db/versions/a_second.py"
    work = pushed(ALEMBIC, {**without(ALEMBIC, old), "db/versions/b_second.py": ALEMBIC[old]})
    assert (ids(work), work.edits) == ([], ())


@pytest.mark.parametrize("files", [ALEMBIC, DJANGO, SQL], ids=["alembic", "django", "sql"])
def test_a_project_that_moves_keeps_its_migrations(files: Files) -> None:
    work = pushed(files, {f"backend/{path}": text for path, text in files.items()})
    assert (ids(work), work.edits) == ([], ())


def test_a_new_unit_beside_an_old_one_is_no_move() -> None:
    old = {f"old/{path}": text for path, text in SQL.items()}
    new = {**without(old, "old/migrations/9_nine.sql"), "new/migrations/001_a.sql": "SELECT 1;"}
    before, after = tree(old), tree(new)
    works = [work_for(unit, after, before, changes(before, after)) for unit in detect(after, Settings())]
    assert [(work.unit.root, ids(work), [edit.what for edit in work.edits]) for work in works] == [
        ("new", ["001_a.sql"], []), ("old", [], ["deleted"]),
    ]  # fmt: skip


def test_squashing_and_later_cleaning_up_deletes_nothing() -> None:
    replaces = '("shop", "0001_initial"), ("shop", "0002_more")'
    squashed = {**DJANGO, "shop/migrations/0001_squashed.py": django(replaces=replaces)}
    cleaned = without(squashed, "shop/migrations/0001_initial.py", "shop/migrations/0002_more.py")
    final = {**cleaned, "shop/migrations/0001_squashed.py": django()}
    assert pushed(DJANGO, squashed).edits == ()
    assert pushed(squashed, cleaned).edits == ()
    assert pushed(squashed, final).edits == ()


HISTORY = {
    "c": revision("ccc", '("aaa", "bbb")'),
    "b": revision("bbb"),
    "a": revision("aaa"),
    "e": revision("eee", more='depends_on = "later"'),
    "d": revision("ddd", '"ccc"', more='branch_labels = ("later",)'),
}


def test_alembics_order_follows_its_graph() -> None:
    files = {**without(ALEMBIC, "db/versions/x_first.py", "db/versions/a_second.py")}
    files |= {f"db/versions/{name}.py": text for name, text in HISTORY.items()}
    history = pushed(None, files).history
    assert [migration.id for migration in history] == ["aaa", "bbb", "ccc", "ddd", "eee"]
    assert heads(history) == {"eee"}  # what another one depends on is no row of its own
    assert ancestors(frozenset({"ccc", "unknown"}), history) == {"aaa", "bbb", "ccc"}


def test_a_circle_is_left_to_the_tool() -> None:
    files = {**ALEMBIC, "db/versions/x_first.py": revision("aaa", '"bbb"')}
    assert {migration.id for migration in pushed(None, files).history} == {"aaa", "bbb"}


def test_a_file_that_this_python_cannot_parse_is_a_migration_all_the_same() -> None:
    newer = revision("ccc", '"bbb"').replace("revision = ", "revision: str = ", 1) + "type X = = int\n"
    work = pushed(ALEMBIC, {**ALEMBIC, "db/versions/c.py": newer})
    assert ids(work) == ["ccc"]
    assert work.history[-1].parents == ("bbb",)


def test_two_heads_are_seen() -> None:
    history = pushed(None, {**ALEMBIC, "db/versions/c.py": revision("ccc", '"aaa"')}).history
    assert heads(history) == {"bbb", "ccc"}


@pytest.mark.parametrize(
    ("before", "after", "missing", "unexpected"),
    [
        ({"aaa"}, {"bbb"}, set(), set()),
        (set(), set(), {"aaa", "bbb"}, set()),
        ({"aaa"}, {"aaa"}, {"bbb"}, {"aaa"}),
        ({"zzz"}, {"zzz", "bbb"}, set(), set()),
        ({"aaa"}, {"bbb", "zzz"}, set(), {"zzz"}),
    ],
)
def test_alembics_table_must_hold_the_heads(
    before: set[str], after: set[str], missing: set[str], unexpected: set[str]
) -> None:
    history = pushed(None, ALEMBIC).history
    proof = by_name("alembic").prove(frozenset(before), frozenset(after), history, history)
    assert (proof.missing, proof.unexpected) == (missing, unexpected)


def test_where_alembic_keeps_its_table_is_read_from_env_py() -> None:
    env = 'SCHEMA = "app"\ncontext.configure(version_table="v", version_table_schema=SCHEMA)\n'
    (unit,) = detect(tree({**ALEMBIC, "db/env.py": env}), Settings())
    kept = by_name("alembic").bookkeeping
    assert kept
    assert (kept(unit).table, kept(unit).schema) == ("v", "app")


def test_version_locations_are_all_read() -> None:
    ini = "[alembic]\nscript_location = db\npath_separator = os\nversion_locations = %(here)s/one:two\n"
    files = {**ALEMBIC, "alembic.ini": ini, "one/a.py": revision("one"), "two/b.py": revision("two", '"one"')}
    assert [migration.id for migration in pushed(None, files).history] == ["one", "two"]


DJANGO_APPS = {
    "manage.py": DJANGO["manage.py"],
    "orders/migrations/0001_initial.py": django('("people", "__first__")'),
    "customers/apps.py": "class C(AppConfig):\n    name = 'customers'\n    label = 'people'\n",
    "customers/migrations/0001_initial-people.py": django(),
    "customers/migrations/0002_after.py": django(
        '("people", "0001_initial-people"), ("orders", "0001_initial")'
    ),
    "customers/migrations/helpers.py": "x = 1\n",
    "customers/tests/app/migrations/0001_initial.py": django(),
    "archive/migrations/0001_initial.py": django(
        'migrations.swappable_dependency(settings.AUTH_USER_MODEL), ("people", "__latest__")'
    ),
}


def test_djangos_labels_and_its_order() -> None:
    history = pushed(None, DJANGO_APPS).history
    assert [migration.id for migration in history] == [
        "people.0001_initial-people", "orders.0001_initial", "people.0002_after", "archive.0001_initial",
    ]  # fmt: skip


def test_migration_modules_are_followed() -> None:
    files = {
        **DJANGO, "shop/settings.py": 'MIGRATION_MODULES = {"blog": "shop.moved.blog"}\n',
        "shop/moved/blog/__init__.py": "", "shop/moved/blog/0001_initial.py": django(),
    }  # fmt: skip
    assert "blog.0001_initial" in [migration.id for migration in pushed(None, files).history]


def test_each_django_project_has_its_own_migrations() -> None:
    files = {f"{name}/{path}": text for name in ("a", "b") for path, text in DJANGO.items()}
    target = tree({**files, "library/plugin/migrations/0001_initial.py": django()})
    for unit in detect(target, Settings()):
        work = work_for(unit, target, None, changes(None, target))
        assert {migration.path.split("/")[0] for migration in work.history} == {unit.root}


def test_ways_back_are_no_migrations() -> None:
    names = (
        "11.down.sql",
        "11_down.sql",
        "11.rollback.sql",
        "U11__x.sql",
        "down_11.sql",
        "11_shutdown.sql",
        "11_up.sql",
    )
    work = pushed(None, {**SQL, **{f"migrations/{name}": "SELECT 1;" for name in names}})
    assert ids(work) == ["9_nine.sql", "10_ten.sql", "11_shutdown.sql", "11_up.sql"]


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("0012_a.sql", "12"), ("20240115093000_a.sql", "20240115093000"), ("2024-01-15-a.sql", ""),
        ("20240115_a.sql", ""), ("2024_a.sql", "2024"),
    ],
)  # fmt: skip
def test_a_date_is_no_number_of_a_sql_file_a_day_has_several(name: str, number: str) -> None:
    assert by_name("sql").number(Migration(name, f"migrations/{name}", "1")) == number
