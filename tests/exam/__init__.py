"""The examination of ``neon-hooks generate``: pairs of schemas, judged by nothing but pg_dump.

It shares no code with what it examines. The product is run as a user runs it; what it wrote is applied with
psql; and the result is compared with the desired schema loaded into an empty database.

    pairs/KIND/NAME.sql   the corpus: what main has, its rows, what the project wants
    pairs.py              reads it, and directories of other people's pairs
    postgres.py           a server with databases to use and throw away, psql and pg_dump
    dumps.py              pg_dump's text as entries that can be compared
    rows.py               checksums of what a migration has no business to change
    candidates.py         who is examined: neon-hooks generate, and plain migra
    judge.py              one pair, one candidate: the verdict
    __main__.py           all pairs on two cores; the table and the shares (`make exam-schema`)
"""
