"""Running the SQL of migrations in the place of a tool that is not installed, record and all.

One session for all of them, as a tool has it: what a file sets, the next one finds.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing

from neon_hooks.database.connect import connect
from neon_hooks.database.execute import FileRun, Session
from neon_hooks.sqlscript import Part
from neon_hooks.dsn import Dsn
from neon_hooks.plan import Replayed


def replay(dsn: Dsn, steps: Sequence[Replayed]) -> list[FileRun]:
    """Run ``steps`` in order, up to the first error, which is the last run's last statement's.

    Raises psycopg.OperationalError only when no connection can be made.
    """
    began = time.monotonic()
    done: list[FileRun] = []
    prepared: set[str] = set()
    transaction = 0
    with closing(connect(dsn)) as connection:
        for step in steps:
            session = Session(connection, _no_includes, began, transaction, step.offset)
            if step.setup in prepared or _silently(session, step.setup):
                prepared.add(step.setup)
                _run(session, step)
            transaction = session.transaction
            done.append(FileRun(step.path, tuple(session.statements)))
            if done[-1].error:
                break
    return done


def _run(session: Session, step: Replayed) -> bool:
    last = step.sql.count("\n") + 1
    if step.transaction:
        return (
            session.sql(Part("sql", "BEGIN", 1))
            and session.file(step.sql, step.path)
            and _silently(session, step.record, last)
            and session.sql(Part("sql", "COMMIT", last))
        )
    ran = _as_one(session, step) if step.implicit else session.file(step.sql, step.path)
    return ran and session.expect_no_transaction(last) and _silently(session, step.record, last)


def _as_one(session: Session, step: Replayed) -> bool:
    return not step.sql.strip() or session.sql(Part("sql", step.sql, 1))


def _silently(session: Session, sql: str, line: int = 1) -> bool:
    """Run what belongs to the tool: it is no statement of the migration, unless it fails."""
    if not sql:
        return True
    if not session.sql(Part("sql", sql, line)):
        return False
    del session.statements[-1]
    return True


def _no_includes(name: str, including: str) -> str:
    raise FileNotFoundError(2, "migration tools do not run psql's commands")
