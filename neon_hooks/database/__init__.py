"""The only importer of psycopg: connections, scripts, bookkeeping and schema snapshots.

It is told where to work by a Dsn and does not know what Neon, git or a migration system is.
"""
