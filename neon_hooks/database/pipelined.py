"""Many small statements at the price of few round trips: sent one after the other, answers read afterwards.

Uses libpq's pipeline mode itself (manual, 32.5), because psycopg's asks for an answer wherever the pipeline has to go
on after an error, which here is everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import psycopg
from psycopg.pq import ConnStatus, DiagnosticField, ExecStatus
from psycopg.pq.abc import PGconn, PGresult

from neon_hooks.database.connect import Connection
from neon_hooks.facts import DatabaseError

AT_ONCE = 200  # rounds: their answers fit into the socket's buffers, so that neither side waits for the other
FAILED = (ExecStatus.FATAL_ERROR, ExecStatus.BAD_RESPONSE)

Step = Callable[[PGconn], None]


class Disconnected(Exception):
    """The server has ended the session."""


@dataclass(frozen=True)
class Shape:
    """What a prepared statement takes and returns: the OIDs of types, and names as the client sees them."""

    parameters: tuple[int, ...] = ()
    columns: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Answer:
    """``rows`` and ``shape`` of the last step. ``column`` is what the ``error`` is about, where the server names one."""

    error: DatabaseError | None = None
    rows: int = 0
    column: str = ""
    shape: Shape = Shape()


def prepare(sql: str) -> Sequence[Step]:
    """Parse it, look up all names in it, and say what it takes and returns. Leaves nothing behind: the next one takes
    its place.
    """
    return (lambda pgconn: pgconn.send_prepare(b"", _sent(sql)), lambda pgconn: pgconn.send_describe_prepared(b""))


def execute(sql: str) -> Step:
    return lambda pgconn: pgconn.send_query_params(_sent(sql), None)


def answers(connection: Connection, rounds: Sequence[Sequence[Step]]) -> list[Answer]:
    """One for each round. What follows a step that fails is skipped up to the end of its round.

    ``connection`` is idle and in autocommit mode. Raises Disconnected.
    """
    pgconn, waiting = connection.pgconn, iter(rounds)
    found: list[Answer] = []
    try:
        pgconn.enter_pipeline_mode()
        while some := list(islice(waiting, AT_ONCE)):
            for steps in some:
                for step in steps:
                    step(pgconn)
                pgconn.pipeline_sync()
            found += [_answer(pgconn, len(steps)) for steps in some]
        pgconn.exit_pipeline_mode()
    except psycopg.Error:
        connection.close()
        raise Disconnected from None
    return found


def type_names(connection: Connection, oids: Collection[int]) -> Mapping[int, str]:
    """As format_type() prints them, without sizes."""
    if not oids:
        return {}
    query = "select oid::bigint, format_type(oid, null) from pg_catalog.pg_type where oid = any(%s)"
    return dict(connection.execute(query, (sorted(oids),)).fetchall())


def _sent(sql: str) -> bytes:
    return sql.replace("\0", "").encode()


def _answer(pgconn: PGconn, steps: int) -> Answer:
    answer = Answer()
    for result in _results(pgconn, steps):
        if result.status in FAILED and answer.error is None:
            answer = Answer(_error(result), column=_field(result, DiagnosticField.COLUMN_NAME))
        elif answer.error is None:
            answer = Answer(rows=result.command_tuples or 0, shape=_shape(result))
    return answer


def _shape(result: PGresult) -> Shape:
    names = [(result.fname(n) or b"").decode("utf-8", "replace") for n in range(result.nfields)]
    return Shape(
        tuple(result.param_type(n) for n in range(result.nparams)),
        tuple((name, result.ftype(n)) for n, name in enumerate(names)),
    )


def _results(pgconn: PGconn, steps: int) -> Iterator[PGresult]:
    """One for each step, each followed by nothing; at the end that of the synchronisation."""
    for _ in range(steps):
        yield _result(pgconn)
        while pgconn.get_result() is not None:
            pass
    _result(pgconn)


def _result(pgconn: PGconn) -> PGresult:
    result = pgconn.get_result()
    if result is None or pgconn.status != ConnStatus.OK:
        raise psycopg.OperationalError("the connection was lost")
    return result


def _error(result: PGresult) -> DatabaseError:
    """Without its detail, which can show a row."""
    return DatabaseError(
        sqlstate=_field(result, DiagnosticField.SQLSTATE),
        message=_field(result, DiagnosticField.MESSAGE_PRIMARY),
        hint=_field(result, DiagnosticField.MESSAGE_HINT),
        position=int(_field(result, DiagnosticField.STATEMENT_POSITION) or 0),
    )


def _field(result: PGresult, field: DiagnosticField) -> str:
    return (result.error_field(field) or b"").decode("utf-8", "replace")
