"""Copies of data directories, of servers that run and of servers that do not.

What a base backup by hand has to do is in the manual, 25.3.4 ("Making a Base Backup Using the Low Level
API"). pg_basebackup does the same; it took three times as long here (38 MB on a busy machine), and it
cannot share blocks where the file system could.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from neon_hooks.database.connect import Connection
from neon_hooks.emulator.binaries import Account
from neon_hooks.errors import Unavailable

# Shares blocks where the file system can (APFS, xfs, btrfs).
COPY = {"darwin": ("cp", "-c", "-R", "-p")}.get(sys.platform, ("cp", "-a", "--reflink=auto"))
WAL = "pg_wal"
# Not part of a backup (manual, 25.3.4.2): of the running server alone.
LEFT_OUT = ("postmaster.pid", "postmaster.opts", "backup_label", "tablespace_map", WAL)
LEFT_EMPTY = (
    "pg_dynshmem",
    "pg_notify",
    "pg_replslot",
    "pg_serial",
    "pg_snapshots",
    "pg_stat_tmp",
    "pg_subtrans",
)
# Files come and go below a running server; what they held is in the WAL.
VANISHED = ("No such file or directory", "replaced while being copied")
FIRST_SEGMENT = re.compile(r"START WAL LOCATION: \S+ \(file ([0-9A-F]{24})\)")
SEGMENT = re.compile(r"[0-9A-F]{24}|[0-9A-F]{8}\.history")


def copy_directory(source: Path, target: Path) -> None:
    """The directory of a server that does not run; owners and modes stay. Raises Unavailable."""
    _new_directory(target, like=source)
    _copy(sorted(source.iterdir()), target)


def copy_running(source: Path, target: Path, connection: Connection, major: int) -> None:
    """The directory of the server behind ``connection`` as of now. Raises Unavailable."""
    start, stop = "pg_backup_start('neon-hooks', true)", "pg_backup_stop(false)"
    if major < 15:  # renamed in 15
        start, stop = "pg_start_backup('neon-hooks', true, false)", "pg_stop_backup(false, false)"
    # Keeps the WAL from here on, and goes with the session.
    slot = f"neon_hooks_{secrets.token_hex(8)}"
    connection.execute("SELECT pg_create_physical_replication_slot(%s, true, true)", (slot,))
    connection.execute(f"SELECT {start}".encode())
    _new_directory(target, like=source)
    _copy([entry for entry in source.iterdir() if entry.name not in (*LEFT_OUT, *LEFT_EMPTY)], target)
    for name in LEFT_EMPTY:
        if (source / name).is_dir():
            _new_directory(target / name, like=source)
    row = connection.execute(f"SELECT labelfile FROM {stop}".encode()).fetchone()
    label = str(row[0]) if row else ""
    _copy_wal(source / WAL, target / WAL, label)
    found = source.stat()
    (target / "backup_label").write_text(label)
    os.chown(target / "backup_label", found.st_uid, found.st_gid)


def _copy_wal(source: Path, target: Path, label: str) -> None:
    """The segments since the backup began, which the copy replays when it starts."""
    match = FIRST_SEGMENT.search(label)
    if not match:
        raise Unavailable("Postgres gave no backup label", fix="see the log of the server")
    _new_directory(target, like=source)
    segments = [entry for entry in source.iterdir() if SEGMENT.fullmatch(entry.name)]
    _copy([entry for entry in segments if entry.suffix or entry.name[8:] >= match[1][8:]], target)


def _new_directory(path: Path, *, like: Path) -> None:
    found = like.stat()
    path.mkdir(mode=0o700)
    Account(found.st_uid, found.st_gid).own(path)


def _copy(entries: Sequence[Path], target: Path) -> None:
    if not entries:
        return
    done = subprocess.run(
        [*COPY, *entries, target],
        capture_output=True, text=True, check=False, env={**os.environ, "LC_ALL": "C"},
    )  # fmt: skip
    complaints = done.stderr.splitlines()
    if done.returncode and not all(line.endswith(VANISHED) for line in complaints):
        for entry in entries:  # another cp (busybox), or a file system that cannot share
            _copy_slowly(entry, target / entry.name)


def _copy_slowly(source: Path, target: Path) -> None:
    try:
        if source.is_dir() and not source.is_symlink():
            shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True, copy_function=_copy_file)
        else:
            _copy_file(str(source), str(target))
        _copy_owner(source, target)
    except (OSError, shutil.Error) as error:
        raise Unavailable(f"cannot copy {source}: {error}", fix="is there room on the disk?") from None


def _copy_file(source: str, target: str) -> None:
    try:
        shutil.copy2(source, target, follow_symlinks=False)
    except FileNotFoundError:
        return


def _copy_owner(source: Path, target: Path) -> None:
    """Everything in a data directory belongs to one account."""
    found = source.lstat()
    for path in (target, *(target.rglob("*") if target.is_dir() else ())):
        os.chown(path, found.st_uid, found.st_gid, follow_symlinks=False)
