"""Two schemas, and what is drafted between them: complete, gentle, proven."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import cast

import pytest

from neon_hooks.database.attempts import rolled_back
from neon_hooks.database.connect import Connection, connect
from neon_hooks.database.definitions import Definition, definitions
from neon_hooks.database.scratch import scratch_database
from neon_hooks.deadline import Deadline
from neon_hooks.dsn import Dsn
from neon_hooks.errors import Blocked, NotInstalled, Unavailable
from neon_hooks.generate import draft as draft_module
from neon_hooks.generate.draft import Draft, Order, compare, draft
from neon_hooks.generate.repair import carry_out, different
from neon_hooks.generate.ways import SPECIAL, Attempt

pytest.importorskip("migra")
EVERYTHING = (Path(__file__).parent / "everything.sql").read_text()
Drafted = Callable[..., Draft]


def run(dsn: Dsn, sql: str) -> None:
    with closing(connect(dsn)) as connection:
        if connection.info.server_version < 150000:
            sql = sql.replace("customers (id, code) WHERE (id > 5)", "customers")
        connection.execute(sql.encode())


def drafted(current: Dsn, before: str, after: str, *renames: str) -> Draft:
    """The draft, which has then been run at ``current``: compared once more, and drafted once more to nothing."""
    run(current, before)
    order = Order("schema.sql", (), "migrations", (), "", renames, wrapped=False)
    deadline = Deadline.after(120)
    with scratch_database(current) as desired:
        run(desired, after)
        made = draft(current, desired, order, deadline, lambda words: None)
        if not made.problem:
            assert compare(current, desired, deadline) == []
            assert draft(current, desired, order, deadline, lambda words: None) == Draft()
    return made


def sql_of(made: Draft) -> str:
    return "\n".join(file.text for file in made.files)


def test_everything_can_be_made_from_nothing_and_taken_away_again(each_database: Dsn) -> None:
    """By the definitions alone, without an engine."""
    with scratch_database(each_database) as full:
        run(full, EVERYTHING)
        with closing(connect(each_database)) as empty, closing(connect(full)) as there:
            for one, other in ((empty, there), (there, empty)):
                target = definitions(other)
                with rolled_back(one):
                    made = carry_out(one, [], target)
                    assert (made.left, made.refused) == ([], {})
                assert different(definitions(one), target)  # and nothing was left behind


def test_everything_through_the_whole_story(each_database: Dsn) -> None:
    made = drafted(each_database, "", EVERYTHING)
    (file,) = made.files
    assert file.path == "migrations/0001_initial.sql"


# What migra does not see, or gets wrong, each with what must be in the migration.
T = "CREATE TABLE t (id int PRIMARY KEY, a text, n int);"
UNSEEN = {
    "a comment": ("COMMENT ON COLUMN t.a IS 'it''s';", "COMMENT ON COLUMN public.t.a IS 'it''s'"),
    "a domain in use": ("CREATE DOMAIN d AS text CHECK (VALUE <> ''); ALTER TABLE t ADD COLUMN d d;", "CREATE DOMAIN public.d"),
    "a column's grant": ("GRANT SELECT (a) ON t TO PUBLIC;", "GRANT SELECT (a) ON TABLE public.t TO PUBLIC"),
    "a function's revoke": (
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; REVOKE EXECUTE ON FUNCTION f() FROM PUBLIC;",
        "REVOKE EXECUTE ON ROUTINE public.f() FROM PUBLIC",
    ),
    "a sequence's grant": ("CREATE SEQUENCE s; GRANT USAGE ON SEQUENCE s TO PUBLIC;", "GRANT USAGE ON SEQUENCE public.s"),
    "a schema's grant": ("CREATE SCHEMA x; GRANT USAGE ON SCHEMA x TO PUBLIC;", "GRANT USAGE ON SCHEMA x TO PUBLIC"),
    "default privileges": ("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC;", "GRANT SELECT ON TABLES TO PUBLIC"),
    "forced row security": ("ALTER TABLE t FORCE ROW LEVEL SECURITY;", "FORCE ROW LEVEL SECURITY"),
    "a view's option": ("CREATE VIEW v WITH (security_barrier) AS SELECT a FROM t;", "security_barrier"),
    "a sequence's options": ("CREATE SEQUENCE s AS smallint INCREMENT 3 CACHE 7 CYCLE;", "CACHE 7"),
    "an aggregate": ("CREATE AGGREGATE g(int) (SFUNC = int4pl, STYPE = int);", "CREATE AGGREGATE"),
    "a publication": ("CREATE PUBLICATION p FOR TABLE t;", "ADD TABLE public.t"),
    "a rule": ("CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING;", "CREATE RULE r"),
    "statistics": ("CREATE STATISTICS st (ndistinct) ON a, n FROM t;", "CREATE STATISTICS public.st"),
    "an operator": ("CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = int4eq);", "CREATE OPERATOR public.==="),
    "a storage": ("ALTER TABLE t ALTER COLUMN a SET STORAGE EXTERNAL;", "SET STORAGE EXTERNAL"),
    "an option": ("ALTER TABLE t SET (fillfactor = 50);", "fillfactor"),
    "a parameter of the TOAST table": ("ALTER TABLE t SET (toast.autovacuum_enabled = off);", "toast.autovacuum_enabled"),
    "a parameter of a key": ("ALTER INDEX t_pkey SET (fillfactor = 50);", "ALTER INDEX public.t_pkey SET (fillfactor"),
    "statistics of an index": ("CREATE INDEX i ON t ((n + 1)); ALTER INDEX i ALTER COLUMN 1 SET STATISTICS 7;", "ALTER COLUMN 1 SET STATISTICS 7"),
    "a typed table": ("CREATE TYPE pair AS (a int, b text); CREATE TABLE typed OF pair;", "ALTER TABLE public.typed OF public.pair"),
    "a collation": ("CREATE COLLATION c (PROVIDER = libc, LOCALE = 'C'); CREATE TABLE w (a text COLLATE c);", "COLLATE public.c"),
    "a default of a view": ("CREATE VIEW v AS SELECT a FROM t; ALTER VIEW v ALTER COLUMN a SET DEFAULT 'x';", "SET DEFAULT 'x'"),
    "statistics of a materialized view": (
        "CREATE MATERIALIZED VIEW m AS SELECT a FROM t; ALTER MATERIALIZED VIEW m ALTER COLUMN a SET STATISTICS 9;",
        "SET STATISTICS 9",
    ),
    "a domain that is not null": ("CREATE DOMAIN d AS int CONSTRAINT known NOT NULL; CREATE TABLE w (a d);", "NOT NULL"),
    "a replica identity": ("ALTER TABLE t REPLICA IDENTITY FULL;", "REPLICA IDENTITY FULL"),
    "a range type": ("CREATE TYPE r AS RANGE (SUBTYPE = int);", "CREATE TYPE public.r AS RANGE"),
    "a partitioned table": (
        "CREATE TABLE p (a int PRIMARY KEY, b int REFERENCES t) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);"
        " CREATE INDEX pb ON p (b);",
        "PARTITION",
    ),
    "a default by a new function": (
        "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS 'SELECT ''x''::text'; CREATE TABLE d (a text DEFAULT f());",
        "f()",
    ),
    "a default of a view's column": ("CREATE VIEW v AS SELECT a FROM t; ALTER VIEW v ALTER a SET DEFAULT 'x';", "ALTER VIEW public.v ALTER COLUMN a SET"),
    "statistics of a materialized view": (
        "CREATE MATERIALIZED VIEW m AS SELECT a FROM t; ALTER MATERIALIZED VIEW m ALTER a SET STATISTICS 9;",
        "ALTER COLUMN a SET STATISTICS 9",
    ),
    "an option of the TOAST table": ("ALTER TABLE t SET (toast.autovacuum_enabled = false);", "toast.autovacuum_enabled"),
    "an option of a key's index": ("ALTER INDEX t_pkey SET (fillfactor = 60);", "ALTER INDEX public.t_pkey SET (fillfactor"),
    "a type's revoke": ("CREATE TYPE e AS ENUM ('a'); REVOKE USAGE ON TYPE e FROM PUBLIC;", "REVOKE USAGE ON TYPE public.e FROM PUBLIC"),
    "default privileges that are revoked": (
        "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;",
        "REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
    ),
    "what an extension takes with it": (
        "CREATE EXTENSION citext; CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; ALTER FUNCTION f() DEPENDS ON EXTENSION citext;",
        "DEPENDS ON EXTENSION citext",
    ),
    "an index below a partitioned one": (
        "CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);"
        " CREATE INDEX pa ON p (a); ALTER INDEX p1_a_idx RENAME TO other;",
        "RENAME TO other",
    ),
    "partitions of partitions": (
        "CREATE TABLE p (a int NOT NULL, b int NOT NULL CHECK (b > 0)) PARTITION BY LIST (a);"
        " CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1) PARTITION BY LIST (b); CREATE TABLE p12 PARTITION OF p1 FOR VALUES IN (2);",
        "PARTITION BY LIST (b)",
    ),
    "a trigger on a partitioned table": (
        "CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
        " CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);"
        " CREATE TRIGGER tg BEFORE INSERT ON p FOR EACH ROW EXECUTE FUNCTION tf();",
        "CREATE TRIGGER tg",
    ),
}


@pytest.mark.parametrize("what", UNSEEN)
def test_what_migra_does_not_see_is_completed_and_taken_away_again(database: Dsn, what: str) -> None:
    more, expected = UNSEEN[what]
    assert expected in sql_of(drafted(database, T, T + more))
    with scratch_database(database) as other:
        drafted(other, T + more, T)


@pytest.mark.parametrize(("before", "after"), [("", "n > 0"), ("n > 0", "n > 1")])
def test_a_constraint_that_is_to_stay_not_valid_stays_so(database: Dsn, before: str, after: str) -> None:
    """Rows that do not satisfy it are no obstacle."""
    there = f"INSERT INTO t VALUES (1, 'a', -1); ALTER TABLE t ADD CONSTRAINT c CHECK ({before}) NOT VALID;" if before else ""
    made = drafted(database, T + there, T + f"ALTER TABLE t ADD CONSTRAINT c CHECK ({after}) NOT VALID;")
    assert "NOT VALID" in sql_of(made) and "VALIDATE" not in sql_of(made)


# A sequence goes on where it was, or behind what is there already: before, rows, after, the next number.
NUMBERS = {
    "a serial that becomes an identity": ("id serial PRIMARY KEY", "DEFAULT VALUES", "id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY", 2),
    "an identity that becomes a serial": ("id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "DEFAULT VALUES", "id serial PRIMARY KEY", 2),
    "an identity above what is there": ("id int PRIMARY KEY", "VALUES (41)", "id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY", 42),
    "a serial above what is there": ("id int NOT NULL", "VALUES (41)", "id serial", 42),
    "a start that is higher": ("id int PRIMARY KEY", "VALUES (41)", "id int GENERATED ALWAYS AS IDENTITY (START 100) PRIMARY KEY", 100),
    "another name": (
        "id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY", "DEFAULT VALUES",
        "id int GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME n) PRIMARY KEY", 2,
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", NUMBERS)
def test_numbers_go_on(database: Dsn, what: str) -> None:
    before, rows, after, expected = NUMBERS[what]
    run(database, f"CREATE TABLE s ({before}); INSERT INTO s {rows};")
    drafted(database, "", f"CREATE TABLE s ({after});")
    with closing(connect(database)) as connection:
        connection.execute("INSERT INTO s DEFAULT VALUES")
        assert connection.execute("SELECT max(id) FROM s").fetchone() == (expected,)


def test_the_number_of_a_renamed_table_goes_on(database: Dsn) -> None:
    run(database, "CREATE TABLE old (id serial PRIMARY KEY, a text); INSERT INTO old (a) VALUES ('x');")
    drafted(database, "", "CREATE TABLE new (id serial PRIMARY KEY, a text);", "old=new")
    with closing(connect(database)) as connection:
        assert connection.execute("INSERT INTO new DEFAULT VALUES RETURNING id").fetchone() == (2,)


def test_where_the_engine_stumbles_the_definitions_do_it(database: Dsn, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(*_: object) -> list[str]:
        raise Unavailable("migra failed")

    monkeypatch.setattr(draft_module, "proposed", stumble)
    assert "ADD COLUMN e" in sql_of(drafted(database, T, T + "ALTER TABLE t ADD COLUMN e int;"))

    def lack(*_: object) -> list[str]:
        raise NotInstalled("migra cannot be imported")

    monkeypatch.setattr(draft_module, "proposed", lack)
    with pytest.raises(NotInstalled):
        drafted(database, "", T + "ALTER TABLE t ADD COLUMN e int, ADD COLUMN f int;")


def test_an_order_that_fails_is_given_up(database: Dsn) -> None:
    """The view needs the key, whose index would be built in a file of its own after it."""
    before = "CREATE TABLE k (id int NOT NULL, a int); INSERT INTO k VALUES (1, 1);"
    after = "CREATE TABLE k (id int PRIMARY KEY, a int); CREATE VIEW v AS SELECT id, a, count(*) AS n FROM k GROUP BY id;"
    assert "CREATE OR REPLACE VIEW" in sql_of(drafted(database, before, after)).upper()


CHANGES = {
    "an enum's new label in the middle": ("CREATE TYPE e AS ENUM ('a', 'c'); CREATE TABLE u (e e DEFAULT 'a');", "'a', 'c'", "'a', 'b', 'c'"),
    "an enum's label that goes": ("CREATE TYPE e AS ENUM ('a', 'b'); CREATE TABLE u (e e DEFAULT 'a');", "'a', 'b'", "'a'"),
    "an enum's label that goes from arrays": (
        "CREATE TYPE e AS ENUM ('it''s', E'b\\\\', 'c'); CREATE TABLE u (e e[] DEFAULT '{c}'); CREATE VIEW v AS SELECT e FROM u;",
        ", E'b\\\\'",
        "",
    ),
    "an enum's labels with quotes": ("CREATE TYPE e AS ENUM ('a'); CREATE TABLE u (e e);", "'a'", "'a', 'it''s', E'\\\\ \"'"),
    "a domain's base type": (
        "CREATE DOMAIN d AS varchar(9) DEFAULT 'x' NOT NULL CONSTRAINT k CHECK (VALUE <> ''); CREATE TABLE u (d d, ds d[]);"
        " INSERT INTO u VALUES ('a', '{b}'); CREATE VIEW v AS SELECT d FROM u;",
        "varchar(9)",
        "text",
    ),
    "a composite type's new attribute": ("CREATE TYPE p AS (a int); CREATE TABLE u (p p); INSERT INTO u (p.a) VALUES (1);", "a int", "a int, b text"),
    "a collation in use": ("CREATE COLLATION c (PROVIDER = libc, LOCALE = 'C'); CREATE TABLE u (a text COLLATE c);", "LOCALE = 'C'", "LOCALE = 'POSIX'"),
    "a foreign key that waits": (
        "CREATE TABLE u (i int); ALTER TABLE u ADD CONSTRAINT f FOREIGN KEY (i) REFERENCES t;", "REFERENCES t", "REFERENCES t DEFERRABLE"
    ),
    "a primary key's columns": (
        "CREATE TABLE u (a int, b int, CONSTRAINT k PRIMARY KEY (a)); INSERT INTO u VALUES (1, 1);", "(a))", "(a, b))"
    ),
    "an index and its comment": ("CREATE INDEX i ON t (a); COMMENT ON INDEX i IS 'i';", "(a)", "(a DESC)"),
    "a function's return type": ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';", "RETURNS int", "RETURNS bigint"),
    "a function's cost": ("CREATE FUNCTION f() RETURNS int LANGUAGE sql COST 5 AS 'SELECT 1';", "COST 5", "COST 9"),
    "a materialized view with an index": (
        "CREATE MATERIALIZED VIEW m AS SELECT id, a FROM t; CREATE INDEX mi ON m (id);",
        "SELECT id, a FROM t",
        "SELECT id, a, n FROM t",
    ),
    "a column's type below a view": ("CREATE TABLE w (x int); CREATE VIEW wv AS SELECT x FROM w;", "x int", "x bigint"),
    "a generated column": ("CREATE TABLE w (x int, y int GENERATED ALWAYS AS (x * 2) STORED);", "x * 2", "x * 3"),
    "an identity": ("CREATE TABLE w (x int GENERATED ALWAYS AS IDENTITY);", "ALWAYS", "BY DEFAULT"),
    "a unique constraint": ("CREATE TABLE w (x int, CONSTRAINT k UNIQUE (x));", "UNIQUE (x)", "UNIQUE (x) DEFERRABLE"),
    "a check": ("CREATE TABLE w (x int, CONSTRAINT k CHECK (x > 0));", "x > 0", "x > 1"),
    "a domain's check": ("CREATE DOMAIN d AS int CONSTRAINT k CHECK (VALUE > 0);", "> 0", "> 5"),
    "an index": ("CREATE INDEX i ON t (a);", "(a)", "(a, n)"),
    "a policy": ("CREATE POLICY p ON t USING (n > 0);", "n > 0", "n > 1"),
    "a view's option": ("CREATE VIEW v WITH (security_barrier) AS SELECT a FROM t;", " WITH (security_barrier)", ""),
    "a table that is logged now": ("CREATE UNLOGGED TABLE w (x int);", "UNLOGGED ", ""),
    "a trigger": (
        "CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';"
        " CREATE TRIGGER tg BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION tf();",
        "BEFORE INSERT",
        "AFTER INSERT OR UPDATE",
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_made_in_place(database: Dsn, what: str) -> None:
    before, old, new = CHANGES[what]
    assert old in before
    made = drafted(database, T + before, T + before.replace(old, new))
    assert made.files and not made.lost


@pytest.mark.parametrize(
    ("old", "new", "value", "said"),
    [
        ("varchar(9)", "varchar(3)", "'abcdef'", "value too long.*column public.w.x"),
        ("numeric(9, 3)", "numeric(9, 1)", "1.25", "1 of public.w.x would be others as numeric\\(9,1\\)"),
        ("timestamp", "date", "'2026-01-01 12:00'", "1 of public.w.x would be others as date"),
        ("double precision", "integer", "1.5", "1 of public.w.x would be others as integer"),
    ],
)
def test_a_new_type_does_not_change_values_without_a_word(database: Dsn, old: str, new: str, value: str, said: str) -> None:
    with pytest.raises(Blocked, match=said):
        drafted(database, f"CREATE TABLE w (x {old}); INSERT INTO w VALUES ({value});", f"CREATE TABLE w (x {new});")


@pytest.mark.parametrize(
    ("old", "new", "value"),
    [("varchar(9)", "varchar(3)", "'abc'"), ("numeric(9, 3)", "numeric(9, 1)", "1.5"), ("text", "integer", "'42'"), ("timestamp", "date", "'2026-01-01'")],
)
def test_a_new_type_that_every_value_fits_is_made(database: Dsn, old: str, new: str, value: str) -> None:
    assert drafted(database, f"CREATE TABLE w (x {old}); INSERT INTO w VALUES ({value});", f"CREATE TABLE w (x {new});").files


def test_values_of_an_attribute_are_not_dropped_without_a_word(database: Dsn) -> None:
    before = "CREATE TYPE p AS (a int, b int); CREATE TABLE w (p p); INSERT INTO w VALUES (row(1, 2));"
    with pytest.raises(Blocked, match="composite type public.p"):
        drafted(database, before, before.replace(", b int", "").replace("(1, 2)", "(1)"))


def test_names_that_are_keywords_or_have_dots_are_told_apart(database: Dsn) -> None:
    before = 'CREATE TABLE "user" (id int PRIMARY KEY, "a.b" text, "order" int); INSERT INTO "user" VALUES (1, \'x\', 2);'
    after = 'CREATE TABLE "user" (id int PRIMARY KEY, "c.d" text); CREATE INDEX "select" ON "user" ("c.d");'
    with pytest.raises(Blocked, match=r'--rename "user"."a.b"="c.d" keeps them'):
        drafted(database, before, after)
    made = drafted(database, "", after, '"user"."a.b"="c.d"', "user.order=")
    assert 'RENAME COLUMN "a.b" TO "c.d"' in sql_of(made)
    assert [str(loss) for loss in made.lost] == ['1 value of public."user"."order"']
    assert '-- This takes away 1 value of public."user"."order".' in sql_of(made)


def test_a_function_that_speaks_of_drops_needs_no_acknowledgement(database: Dsn) -> None:
    before = "CREATE TABLE w (x int, y int); INSERT INTO w VALUES (1, 2);"
    after = "CREATE TABLE w (x int); CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS 'BEGIN ALTER TABLE w DROP COLUMN y; END';"
    assert sql_of(drafted(database, before, after)).count("(here)") == 1


def test_what_cannot_be_expressed_is_named_and_nothing_is_drafted(database: Dsn) -> None:
    conversion = "CREATE CONVERSION odd FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;"
    with pytest.raises(Blocked, match="conversion public.odd"):
        drafted(database, T, T + conversion)


def test_rows_of_untouched_columns_stay_as_they_are(database: Dsn) -> None:
    rows = "INSERT INTO t SELECT i, 'a' || i, i FROM generate_series(1, 500) i;"
    more = "ALTER TABLE t ADD COLUMN e text DEFAULT 'x'; ALTER TABLE t ALTER COLUMN n TYPE bigint; CREATE INDEX i ON t (a); DROP TABLE gone;"
    gone = "CREATE TABLE gone (x int);"
    checksum = "select md5(string_agg(id || a || n, ',' order by id)) from t"
    run(database, T + gone + rows)
    with closing(connect(database)) as connection:
        before = connection.execute(checksum).fetchone()
        made = drafted(database, "", T + gone + more)
        assert connection.execute(checksum).fetchone() == before
    assert made.lost == ()


def test_before_postgres_18_a_not_null_has_no_name_that_could_change() -> None:
    """Neither alone nor when a partition with it moves to another parent."""
    not_null = Definition("not null", "public.part.c", "", "set", "drop", "")
    old, new = (Definition("partition", "public.part", text, f"attach {text}", "detach", "") for text in ("a", "b"))
    made = Attempt(cast(Connection, None), {("not null", "public.part.c"): not_null})
    made.current = made.desired
    assert list(SPECIAL["not null"](made, not_null, not_null)) == []
    assert list(SPECIAL["partition"](made, old, new)) == [["detach", "attach b"]]
