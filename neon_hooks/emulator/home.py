"""The directory of one emulator: everything that it leaves on disk, and who removes it.

Nothing here knows Postgres beyond the name of its pid file. A process that is killed cannot clean up, so
a shell waits at the end of a pipe: when we are gone, however that happened, it stops our servers and
removes what is temporary. Directories that even the shell could not remove are swept by the next start.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from neon_hooks.emulator.binaries import Account
from neon_hooks.errors import UsageError

PREFIX = "neon-hooks-emulator-"
LOCK = "owner.lock"
MEMORY = Path("/dev/shm")  # Linux' tmpfs; in a container it is small, and then not used
ROOMY = 8 * 2**30  # bytes
YOUNG = 30.0  # seconds in which a directory without a lock may still be getting one
BUSY = 5.0  # seconds to wait for the lock of an emulator that is just being cleared away

# $1 the directory, $2 "temporary" or "kept". It reads a word when we end in good order, and looks once
# all the same. Otherwise it looks twice, as a server that was just starting writes its pid file a little
# later; without that file it stops by itself within a minute. Where there is /proc, it tells whether the
# number has gone to another program meanwhile. Removing is repeated, as a copy may still be under way.
WATCHDOG = """
read -r word
for round in 1 2; do
  for file in "$1"/clusters/*/postmaster.pid; do
    [ -f "$file" ] && read -r pid <"$file" || continue
    comm=postgres
    [ ! -d /proc/self ] || read -r comm <"/proc/$pid/comm" || continue
    [ "$comm" != postgres ] || kill -QUIT "$pid"
  done
  [ -z "$word" ] || exit 0
  sleep 0.3
done
[ "$2" = temporary ] || exit 0
for round in 1 2 3 4 5; do
  rm -rf "$1" && break
  sleep 1
done
"""


class Home:
    """A temporary directory, or ``data``, which is kept. Raises UsageError when ``data`` is in use."""

    def __init__(self, data: Path | None, account: Account) -> None:
        self.temporary = data is None
        try:
            self._prepare(data, account)
        except OSError as error:
            reason = f"cannot keep the emulator's data: {error}"
            raise UsageError(reason, fix="choose another directory") from None
        self._watchdog = self._watch()

    def _prepare(self, data: Path | None, account: Account) -> None:
        if data is None:
            parents = parent_directories()
            sweep(parents)
            self.path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parents[0])).resolve()
        else:
            self.path = data.resolve()
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.clusters = self.path / "clusters"
        self._lock = _lock(self.path, BUSY)
        if self._lock is None:
            raise UsageError(f"another emulator uses {self.path}", fix="stop it, or choose another directory")
        self.clusters.mkdir(exist_ok=True, mode=0o700)
        account.own(self.clusters)
        self.fds: tuple[int, ...] = ()
        self._seen_as = str(self.clusters)
        self._let_in(account)

    def _let_in(self, account: Account) -> None:
        """Make ``clusters`` reachable for an account that may not enter the directories above it.

        On Linux an open directory is reachable under /proc/self/fd whatever is above (proc(5)); a
        directory of somebody else is never opened up for that.
        """
        if account.uid is None:
            return
        if sys.platform == "linux":
            handle = os.open(self.clusters, os.O_RDONLY | os.O_DIRECTORY)
            self.fds = (handle,)
            self._seen_as = f"/proc/self/fd/{handle}"
        else:
            self.path.chmod(0o711)

    def seen_by_postgres(self, name: str) -> str:
        """The path of ``clusters/name`` for a process that was given ``fds``."""
        return f"{self._seen_as}/{name}"

    def _watch(self) -> subprocess.Popen[bytes]:
        assert self._lock is not None
        fate = "temporary" if self.temporary else "kept"
        return subprocess.Popen(
            ["/bin/sh", "-c", WATCHDOG, "neon-hooks-watchdog", self.path, fate],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # The lock lives until the watchdog is done, too: nobody starts here before that.
            pass_fds=(self._lock,),
            start_new_session=True,  # a Ctrl-C in the terminal is not for it
            cwd="/",
        )

    def close(self) -> None:
        """When no server runs any more; one that was forgotten is stopped at once."""
        self._watchdog.communicate(b"done\n")
        if self.temporary:
            shutil.rmtree(self.path, ignore_errors=True)
        for handle in self.fds:
            os.close(handle)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _lock(directory: Path, patience: float) -> int | None:
    """The locked file of ``directory``; None when somebody else holds it for ``patience`` seconds."""
    handle = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return handle
        except OSError:
            if time.monotonic() >= until:
                os.close(handle)
                return None
            time.sleep(0.05)


def parent_directories() -> Sequence[Path]:
    """Where temporary directories may be, the best one first.

    A cluster is 1300 small files, so where memory abounds it is kept there; TMPDIR, if set, decides.
    """
    usual = Path(tempfile.gettempdir())
    try:
        roomy = shutil.disk_usage(MEMORY).free >= ROOMY and os.access(MEMORY, os.W_OK)
    except OSError:
        roomy = False
    return (MEMORY, usual) if roomy and not os.environ.get("TMPDIR") else (usual,)


def sweep(parents: Sequence[Path]) -> None:
    """Remove the temporary directories of emulators of ours that are no more."""
    for directory in (found for parent in parents for found in parent.glob(PREFIX + "*")):
        try:
            found = directory.lstat()
            if found.st_uid != os.geteuid() or time.time() - found.st_mtime < YOUNG or directory.is_symlink():
                continue
            handle = _lock(directory, 0)
        except OSError:
            continue
        if handle is not None:
            shutil.rmtree(directory, ignore_errors=True)
            os.close(handle)
