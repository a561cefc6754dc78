"""Statements taken apart for a running application: which file each ends in. Pure; draft_test.py runs them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from neon_hooks.generate.gentle import Step, There, at_once, dotted, gentle, quoted

OLD = frozenset({("public", "t"), ("public", "Odd Name"), ("public", "u")})
THERE = There(
    tables=OLD,
    indexes=frozenset({("public", "i"), ("public", "Odd Index")}),
    keys=frozenset({("public", "k")}),
    relations=OLD | {("public", "i"), ("public", "Odd Index"), ("public", "k"), ("public", "taken_new")},
    nullable=frozenset({("public", "t", "a"), ("public", "t", "Odd")}),
)


def steps(*statements: str, version: int = 180000) -> list[Step]:
    return gentle(statements, there=THERE, version=version)


def texts(found: Sequence[Step]) -> list[str]:
    return [f"{step.what}: {statement}" for step in found for statement in step.statements]


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE new (id int)",
        "CREATE INDEX j ON public.new (a)",
        "CREATE INDEX j ON ONLY public.partitioned USING btree (a)",
        "ALTER TABLE public.new ADD CONSTRAINT c CHECK (a > 0)",
        "ALTER TABLE public.t ADD CONSTRAINT c CHECK (a > 0) NOT VALID",
        "ALTER TABLE public.t ADD CONSTRAINT c CHECK (a > 0) NOT ENFORCED",
        "ALTER TABLE public.t ADD CONSTRAINT c EXCLUDE USING gist (a WITH &&)",
        "ALTER TABLE public.t ADD CONSTRAINT c PRIMARY KEY (a, b WITHOUT OVERLAPS)",
        "ALTER TABLE public.t ADD COLUMN b int",
        "COMMENT ON TABLE public.t IS 'CREATE INDEX x ON t (a); ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)'",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$ALTER TABLE t ALTER COLUMN a SET NOT NULL$$",
        "DROP INDEX public.of_a_partitioned_table",
    ],
)
def test_what_locks_nobody_for_long_stays_as_it_is(statement: str) -> None:
    assert steps(statement) == [Step("", (statement,), True)]


def test_an_index_is_built_without_a_lock_and_what_speaks_of_it_follows() -> None:
    found = steps("CREATE UNIQUE INDEX j ON public.t USING btree (a)", "COMMENT ON INDEX public.j IS 'j'", "COMMENT ON TABLE public.t IS 'j'")
    assert texts(found) == [
        ": COMMENT ON TABLE public.t IS 'j'",
        "indexes: DROP INDEX CONCURRENTLY IF EXISTS public.j",
        "indexes: CREATE UNIQUE INDEX CONCURRENTLY j ON public.t USING btree (a)",
        "constraints: COMMENT ON INDEX public.j IS 'j'",
    ]
    assert [step.transaction for step in found] == [True, False, True]


@pytest.mark.parametrize(("old", "name", "built"), [("public.i", "i", "i_new"), ('"public"."Odd Index"', '"Odd Index"', '"Odd Index_new"')])
def test_an_index_with_another_definition_is_there_before_the_old_one_goes(old: str, name: str, built: str) -> None:
    found = steps(f"drop index if exists {old}", f'CREATE INDEX {name} ON public."Odd Name" USING btree (a, b)')
    assert texts(found) == [
        f"indexes: DROP INDEX CONCURRENTLY IF EXISTS public.{built}",
        f'indexes: CREATE INDEX CONCURRENTLY {built} ON public."Odd Name" USING btree (a, b)',
        f"indexes: DROP INDEX CONCURRENTLY IF EXISTS public.{name}",
        f"indexes: ALTER INDEX public.{built} RENAME TO {name}",
    ]


def test_a_name_that_something_has_is_not_taken_and_a_long_one_is_cut() -> None:
    there = There(OLD, frozenset({("public", "taken"), ("public", "x" * 63)}), relations=frozenset({("public", "taken"), ("public", "taken_new"), ("public", "x" * 63)}))
    for name, built in (("taken", "taken_new1"), ("x" * 63, "x" * 59 + "_new")):
        found = gentle([f"DROP INDEX public.{name}", f"CREATE INDEX {name} ON public.t (a)"], there=there, version=180000)
        assert f"indexes: CREATE INDEX CONCURRENTLY {built} ON public.t (a)" in texts(found)


@pytest.mark.parametrize(
    "statements",
    [
        ("ALTER TABLE public.t DROP CONSTRAINT k", "ALTER TABLE public.t ADD CONSTRAINT k UNIQUE NULLS NOT DISTINCT (a) INCLUDE (b) DEFERRABLE"),
        (
            'alter table "public"."t" drop constraint "k"', 'drop index if exists "public"."k"',
            "CREATE UNIQUE INDEX k ON public.t (a) INCLUDE (b) NULLS NOT DISTINCT",
            'alter table "public"."t" add constraint "k" unique using index "k" DEFERRABLE',
        ),
    ],
)  # fmt: skip
def test_a_key_guards_the_rows_until_the_new_one_takes_its_place(statements: tuple[str, ...]) -> None:
    assert texts(steps(*statements)) == [
        "indexes: DROP INDEX CONCURRENTLY IF EXISTS public.k_new",
        "indexes: CREATE UNIQUE INDEX CONCURRENTLY k_new ON public.t (a) INCLUDE (b) NULLS NOT DISTINCT",
        f"constraints: {statements[0]}",
        "constraints: ALTER TABLE public.t ADD CONSTRAINT k UNIQUE USING INDEX k_new DEFERRABLE",
    ]


def test_a_primary_key_finds_its_columns_proven() -> None:
    assert texts(steps('ALTER TABLE public.t ADD CONSTRAINT p PRIMARY KEY ("Odd")')) == [
        ': ALTER TABLE public.t ADD CONSTRAINT "t_Odd_not_null" NOT NULL "Odd" NOT VALID',
        "indexes: DROP INDEX CONCURRENTLY IF EXISTS public.p",
        'indexes: CREATE UNIQUE INDEX CONCURRENTLY p ON public.t ("Odd")',
        'validate: ALTER TABLE public.t VALIDATE CONSTRAINT "t_Odd_not_null"',
        "constraints: ALTER TABLE public.t ADD CONSTRAINT p PRIMARY KEY USING INDEX p",
    ]


def test_a_foreign_key_to_a_key_that_comes_later_comes_after_it() -> None:
    found = steps(
        "ALTER TABLE public.u ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES t(a)",
        "ALTER TABLE public.t ADD CONSTRAINT p UNIQUE (a)",
        "ALTER TABLE public.u ADD CONSTRAINT g FOREIGN KEY (b) REFERENCES t(a)",
    )
    assert [step.what for step in found] == ["", "indexes", "validate", "constraints", "validate"]
    assert found[-1].statements == ("ALTER TABLE public.u VALIDATE CONSTRAINT g",)


@pytest.mark.parametrize(
    "condition", ["a <> 'not valid'", "a <> ' references x'", "\"not valid\" > 0", "a <> $$ NOT VALID$$", "a <> E'it\\'s not valid'"]
)
def test_words_in_quotes_are_no_keywords(condition: str) -> None:
    found = steps(f'alter table only "public"."t" add constraint "not valid" CHECK ({condition})')
    assert texts(found) == [
        f': alter table only "public"."t" add constraint "not valid" CHECK ({condition}) NOT VALID',
        'validate: ALTER TABLE public.t VALIDATE CONSTRAINT "not valid"',
    ]


@pytest.mark.parametrize(
    ("then", "validated"),
    [
        ("ALTER TABLE public.t RENAME CONSTRAINT t_a_not_null TO known", ["known"]),
        ("ALTER TABLE public.t ALTER COLUMN a DROP NOT NULL", []),
        ("ALTER TABLE public.t DROP CONSTRAINT t_a_not_null", []),
        ("ALTER TABLE public.t ALTER COLUMN b DROP NOT NULL", ["t_a_not_null"]),
    ],
)
def test_what_becomes_of_a_constraint_before_it_is_validated(then: str, validated: list[str]) -> None:
    found = steps("ALTER TABLE public.t ALTER COLUMN a SET NOT NULL", then)
    validations = [statement for step in found if step.what == "validate" for statement in step.statements]
    assert validations == [f"ALTER TABLE public.t VALIDATE CONSTRAINT {name}" for name in validated]


def test_not_null_rests_on_a_check_before_postgres_18() -> None:
    assert texts(steps("ALTER TABLE public.t ALTER COLUMN a SET NOT NULL", version=170000)) == [
        ": ALTER TABLE public.t ADD CONSTRAINT a_is_not_null CHECK (a IS NOT NULL) NOT VALID",
        "validate: ALTER TABLE public.t VALIDATE CONSTRAINT a_is_not_null",
        "finish: ALTER TABLE public.t ALTER COLUMN a SET NOT NULL",
        "finish: ALTER TABLE public.t DROP CONSTRAINT a_is_not_null",
    ]


def test_all_of_it_can_be_tried_in_one_transaction() -> None:
    found = steps("DROP INDEX public.i", "CREATE UNIQUE INDEX i ON public.t (a)", "COMMENT ON TABLE public.t IS 'DROP INDEX CONCURRENTLY'")
    assert not [text for text in at_once(found) if "CONCURRENTLY" in text and not text.startswith("COMMENT")]
    assert "COMMENT ON TABLE public.t IS 'DROP INDEX CONCURRENTLY'" in list(at_once(found))


@pytest.mark.parametrize(("name", "written"), [("a", "a"), ("A", '"A"'), ("user", '"user"'), ("a b", '"a b"'), ('a"b', '"a""b"'), ("1a", '"1a"'), ("ä", '"ä"')])
def test_a_name_is_quoted_where_it_has_to_be(name: str, written: str) -> None:
    assert quoted(name) == written
    assert dotted(("x", name)) == f"x.{written}"
