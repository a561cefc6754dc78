"""Drafts of changes to partitioned tables: their rows, their columns, their indexes."""

from __future__ import annotations

import re
from contextlib import closing

import pytest

from neon_hooks.database.connect import connect
from neon_hooks.dsn import Dsn
from neon_hooks.errors import Blocked
from tests.generate.draft_test import drafted, run, sql_of

pytest.importorskip("migra")
ROWS_OF_TWO_YEARS = "CREATE TABLE r (day date NOT NULL, a int); INSERT INTO r VALUES ('2026-05-05', 1), ('2027-05-05', 2);"
PARTITIONED = "CREATE TABLE r (day date NOT NULL, a int) PARTITION BY RANGE (day);"
FIRST_YEAR = " CREATE TABLE r_1 PARTITION OF r FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');"


def test_a_table_becomes_a_partition_of_itself_or_nothing_is_drafted(database: Dsn) -> None:
    """Never dropped, made anew and empty, under the same name."""
    run(database, ROWS_OF_TWO_YEARS)
    with pytest.raises(Blocked, match="table public.r"):
        drafted(database, "", PARTITIONED + FIRST_YEAR + " CREATE TABLE r_2 PARTITION OF r FOR VALUES FROM ('2027-01-01') TO ('2028-01-01');")
    made = drafted(database, "", PARTITIONED + " CREATE TABLE r_all PARTITION OF r FOR VALUES FROM ('2020-01-01') TO (MAXVALUE);")
    assert not made.lost and "RENAME TO r_all" in sql_of(made)
    with closing(connect(database)) as connection:
        assert connection.execute("SELECT sum(a), count(*) FROM r").fetchone() == (3, 2)


MEASURES = """
CREATE TABLE m (day date NOT NULL, region text NOT NULL, a int, b int) PARTITION BY RANGE (day);
CREATE TABLE m_1 PARTITION OF m FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE m_2 PARTITION OF m FOR VALUES FROM ('2027-01-01') TO ('2028-01-01') PARTITION BY LIST (region);
CREATE TABLE m_2_eu PARTITION OF m_2 FOR VALUES IN ('eu');
CREATE TABLE "M 2 us" PARTITION OF m_2 FOR VALUES IN ('us');
"""
INDEXED = """
CREATE UNIQUE INDEX ma ON m (day, region, a) INCLUDE (b) WHERE a > 5;
CREATE INDEX mr ON m (lower(region)); ALTER INDEX m_1_lower_idx RENAME TO other; ALTER INDEX m_2_lower_idx RENAME TO another;
COMMENT ON INDEX ma IS 'x'; COMMENT ON INDEX other IS 'o';
CREATE TABLE m_3 PARTITION OF m FOR VALUES FROM ('2028-01-01') TO ('2029-01-01');
"""


def test_the_index_of_a_partitioned_table_is_attached_and_not_built_there(each_database: Dsn) -> None:
    """What would be built once more would have another name, and be the difference that is left."""
    made = drafted(each_database, MEASURES, MEASURES + INDEXED)
    new, indexes, attached = (file.text for file in made.files)
    assert "INDEX" not in new and "ATTACH PARTITION public.m_3" in new
    assert re.findall(r"^CREATE (?:UNIQUE )?INDEX CONCURRENTLY (.+) ON (\S+|public.\".*\") USING", indexes, re.MULTILINE) == [
        ("m_1_day_region_a_b_idx", "public.m_1"), ("m_2_eu_day_region_a_b_idx", "public.m_2_eu"),
        ('"M 2 us_day_region_a_b_idx"', 'public."M 2 us"'),
        ("other", "public.m_1"), ("m_2_eu_lower_idx", "public.m_2_eu"), ('"M 2 us_lower_idx"', 'public."M 2 us"'),
    ]  # fmt: skip
    assert "BEGIN" in attached and "ALTER INDEX public.m_2_lower_idx RENAME TO another;" in attached and "TO other" not in attached


def test_an_index_that_one_partition_has_already_is_attached(database: Dsn) -> None:
    made = drafted(database, MEASURES + "CREATE INDEX m_1_a_idx ON m_1 (a);", MEASURES + "CREATE INDEX ma ON m (a);")
    assert "ON public.m_1 " not in sql_of(made) and "CREATE INDEX CONCURRENTLY m_2_eu_a_idx" in sql_of(made)


def test_years_that_come_and_go_are_no_rename(database: Dsn) -> None:
    run(database, PARTITIONED + FIRST_YEAR + " INSERT INTO r VALUES ('2026-05-05', 1);")
    made = drafted(database, "", PARTITIONED + FIRST_YEAR.replace("2027-", "2028-").replace("2026-", "2027-").replace("r_1", "r_2"))
    assert [str(loss) for loss in made.lost] == ["1 value of public.r_1"]


def test_a_column_of_all_partitions_may_have_been_renamed(database: Dsn) -> None:
    run(database, PARTITIONED + FIRST_YEAR + " INSERT INTO r VALUES ('2026-05-05', 1);")
    with pytest.raises(Blocked, match=r"r\.a has 1 values that are not null: --rename r\.a=b"):
        drafted(database, "", (PARTITIONED + FIRST_YEAR).replace("a int", "b int"))
