"""Plain migra, as its own documentation shows it: run by the interpreter of its own environment.

One line of JSON in (``main`` and ``wanted``, SQLAlchemy URLs), one out: ``sql``, or ``error``. Nothing of
neon-hooks is imported here, and nothing of this is imported there.
"""

import json
import sys
import warnings

warnings.simplefilter("ignore")

import sqlalchemy as sa  # noqa: E402
from migra import Migration  # noqa: E402


def difference(main: str, wanted: str) -> str:
    engines = [sa.create_engine(url, poolclass=sa.pool.NullPool) for url in (main, wanted)]
    with engines[0].connect() as old, engines[1].connect() as new:
        migration = Migration(old, new)
        migration.set_safety(False)
        migration.add_all_changes(privileges=True)
        return str(migration.sql)


for line in sys.stdin:
    asked = json.loads(line)
    try:
        answer = {"sql": difference(asked["main"], asked["wanted"])}
    except Exception as error:  # whatever it is, it is a crash of migra's
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
