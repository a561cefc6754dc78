"""A cluster that is ready to be copied, so that an emulator starts without ``initdb``.

It is kept in the user's cache directory, keyed by version and recipe, and is written there by an atomic
rename: any number of processes may build it at once. A cache that cannot be written is done without.
"""

from __future__ import annotations

import hashlib
import secrets
import shutil
import tempfile
from pathlib import Path

from neon_hooks.database.connect import connect
from neon_hooks.dsn import Dsn
from neon_hooks.emulator import door, sql
from neon_hooks.emulator.binaries import Binaries, cache_directory
from neon_hooks.emulator.copying import copy_directory
from neon_hooks.emulator.home import Home
from neon_hooks.emulator.postgres import ADDRESS, ADMIN, Cluster, Port
from neon_hooks.errors import Unavailable

DATABASE = "neondb"
OWNER = "neondb_owner"
NAME = "template"
TEMPLATE = "template1"  # what CREATE DATABASE copies
CONFIGURATION = """
# Written by neon-hooks: data that may be lost, many small servers on one machine.
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
fsync = off
full_page_writes = off
shared_buffers = 32MB
max_connections = 60
max_wal_senders = 4
max_wal_size = 256MB
min_wal_size = 2MB
timezone = 'GMT'
log_timezone = 'GMT'
password_encryption = 'scram-sha-256'
# As at Neon (its manual, "Postgres compatibility").
idle_in_transaction_session_timeout = '5min'
"""
ACCESS = """
host all,replication all 127.0.0.1/32 scram-sha-256
"""
INITDB = ("-U", ADMIN, "-E", "UTF8", "-A", "scram-sha-256", "--no-sync", "--wal-segsize=1")
LOCALES = ("C.UTF-8", "C")  # the first one as at Neon; musl and old macOS only know the second


def admin_dsn(port: int, password: str, database: str = ADMIN) -> Dsn:
    return Dsn(ADDRESS, database, ADMIN, password, port, {"sslmode": "disable"})


def make_cluster(home: Home, binaries: Binaries, name: str) -> tuple[Cluster, str]:
    """A cluster with the database ``neondb`` and its owner, not running, and its superuser's password.

    Raises Unavailable.
    """
    cluster = Cluster(home, binaries, name)
    cached = _cache_directory(binaries)
    if cached is not None and (cached / "password").is_file():
        copy_directory(cached / NAME, cluster.path)
        return cluster, (cached / "password").read_text()
    password = secrets.token_urlsafe(24)
    _build(cluster, password)
    if cached is not None:
        _keep(cluster, password, cached)
    return cluster, password


def forget(binaries: Binaries) -> bool:
    """Remove the cached cluster, as it does not start. False when there is none."""
    cached = _cache_directory(binaries)
    if cached is None or not cached.is_dir():
        return False
    shutil.rmtree(cached, ignore_errors=True)
    return True


def _build(cluster: Cluster, password: str) -> None:
    cluster.make_directory()
    _initdb(cluster, password)
    with open(cluster.path / "postgresql.conf", "a", encoding="utf-8") as file:
        file.write(CONFIGURATION)
    (cluster.path / "pg_hba.conf").write_text(ACCESS.lstrip())
    port = Port()
    port.release()
    cluster.start(port.number)
    try:
        with connect(admin_dsn(port.number, password)) as connection:
            sql.make_neon_superuser(connection, cluster.binaries.major)
        with connect(admin_dsn(port.number, password, TEMPLATE)) as connection:
            door.build(connection)
        with connect(admin_dsn(port.number, password)) as connection:
            sql.create_role(connection, OWNER, secrets.token_urlsafe(24))
            sql.create_database(connection, DATABASE, OWNER)
        with connect(admin_dsn(port.number, password, DATABASE)) as connection:
            sql.open_public_schema(connection)
    finally:
        cluster.stop()


def _initdb(cluster: Cluster, password: str) -> None:
    """The password goes through a file: a command line is there for everybody to read."""
    secret = cluster.home.clusters / f".{cluster.name}.password"
    secret.touch(mode=0o600)
    secret.write_text(password)
    cluster.binaries.account.own(secret)
    seen = cluster.home.seen_by_postgres(secret.name)
    try:
        for locale in LOCALES:
            try:
                data = cluster.home.seen_by_postgres(cluster.name)
                cluster.run("initdb", *INITDB, f"--pwfile={seen}", f"--locale={locale}", "-D", data)
                return
            except Unavailable as error:
                if locale == LOCALES[-1] or "locale" not in error.message:
                    raise
    finally:
        secret.unlink()


def _cache_directory(binaries: Binaries) -> Path | None:
    parts = (CONFIGURATION, ACCESS, *INITDB, *LOCALES, DATABASE, OWNER, sql.OWNER_ATTRIBUTES, *sql.MEMBER_OF, door.SQL)
    recipe = "\n".join(parts)
    key = hashlib.sha256(f"{recipe}\n{binaries.build}\n{binaries.account}".encode()).hexdigest()[:12]
    directory = cache_directory()
    return directory / f"postgres-{binaries.version}-{key}" if directory else None


def _keep(cluster: Cluster, password: str, cached: Path) -> None:
    try:
        scratch = Path(tempfile.mkdtemp(prefix=f"{cached.name}-", dir=cached.parent))
    except OSError:
        return
    try:
        copy_directory(cluster.path, scratch / NAME)
        (scratch / "password").touch(mode=0o600)
        (scratch / "password").write_text(password)
        scratch.rename(cached)
    except OSError:  # another process was first, or the disk is full
        shutil.rmtree(scratch, ignore_errors=True)
