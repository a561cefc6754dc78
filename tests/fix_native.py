"""Compiled migration tools, installed once per version with their language's own package manager.

Each function returns the directory of the program, and skips where the language, or its registry, is
not there.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.fix_systems import CACHE, _locked


@dataclass(frozen=True)
class Tool:
    """``argv`` installs it; the word ``{home}`` stands for the directory that it is installed to."""

    program: str
    needs: str
    argv: Sequence[str]
    environ: Mapping[str, str] = field(default_factory=dict)


GOOSE = Tool(
    "goose", "go",
    (
        *("go", "install", "-tags"),
        "no_clickhouse no_libsql no_mssql no_mysql no_sqlite3 no_vertica no_ydb no_duckdb no_starrocks"
        " no_turso no_spanner",
        "github.com/pressly/goose/v3/cmd/goose@v3.27.3",
    ),
    {"GOBIN": "{home}/bin"},
)  # fmt: skip
GOLANG_MIGRATE = Tool(
    "migrate", "go",
    ("go", "install", "-tags", "postgres", "github.com/golang-migrate/migrate/v4/cmd/migrate@v4.19.1"),
    {"GOBIN": "{home}/bin"},
)  # fmt: skip
# A tool that runs a second in a test needs no optimizer; this makes the build several times as fast.
FAST_BUILD = {
    "CARGO_PROFILE_RELEASE_OPT_LEVEL": "0", "CARGO_PROFILE_RELEASE_LTO": "off",
    "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "256", "CARGO_PROFILE_RELEASE_DEBUG": "0",
}  # fmt: skip
SQLX = Tool(
    "sqlx", "cargo",
    (
        *("cargo", "install", "--locked", "--root", "{home}", "sqlx-cli@0.8.6"),
        *("--no-default-features", "--features", "postgres,rustls"),
    ),
    FAST_BUILD,
)  # fmt: skip
DIESEL = Tool(  # links with libpq
    "diesel", "cargo",
    (
        *("cargo", "install", "--locked", "--root", "{home}", "diesel_cli@2.3.14"),
        *("--no-default-features", "--features", "postgres"),
    ),
    FAST_BUILD,
)  # fmt: skip


def installed(tool: Tool) -> Path:
    """The directory of the tool's program. Workers of pytest-xdist wait for the one that installs it."""
    if not shutil.which(tool.needs):
        pytest.skip(f"needs {tool.needs}")
    key = hashlib.sha256("\n".join((*tool.argv, *tool.environ.values())).encode()).hexdigest()[:16]
    home = CACHE / f"{tool.needs}-{key}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with _locked(CACHE / f"{home.name}.lock"):
        if not home.exists():
            _install(tool, home)
    return home / "bin"


def _install(tool: Tool, home: Path) -> None:
    partial = home.with_name(f"{home.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    (partial / "bin").mkdir(parents=True)
    argv = [word.replace("{home}", str(partial)) for word in tool.argv]
    added = {name: value.replace("{home}", str(partial)) for name, value in tool.environ.items()}
    done = subprocess.run(argv, env={**os.environ, **added}, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"needs the registry of {tool.needs}: {done.stderr.strip()[-300:]}")
    partial.rename(home)


def from_debian(program: str, package: str) -> Path:
    """The directory of a program that only the system's package manager installs."""
    found = shutil.which(program)
    if not found:
        pytest.skip(f"needs {program} (the Debian package {package})")
    return Path(found).parent


# Of what a developer's build has, only what makes the test slower.
FAST_CRATE = {"CARGO_PROFILE_DEV_DEBUG": "0", "CARGO_INCREMENTAL": "0"}


def built_crate(crate: Path) -> Path:
    """The target directory of a crate whose dependencies are downloaded and compiled.

    Each worker of pytest-xdist has its own: in a shared one, two of them would run each other's builds.
    """
    if not shutil.which("cargo"):
        pytest.skip("needs cargo")
    key = hashlib.sha256((crate / "Cargo.lock").read_bytes()).hexdigest()[:16]
    target = CACHE / f"target-{key}"
    done = target.with_suffix(".built")
    CACHE.mkdir(parents=True, exist_ok=True)
    with _locked(CACHE / f"{target.name}.lock"):
        if not done.exists():
            argv = ("cargo", "build", "--locked", "--quiet", "--manifest-path", str(crate / "Cargo.toml"))
            environ = {**os.environ, **FAST_CRATE, "CARGO_TARGET_DIR": str(target)}
            run = subprocess.run(argv, env=environ, capture_output=True, text=True, check=False)
            if run.returncode:
                pytest.skip(f"needs the registry of cargo: {run.stderr.strip()[-300:]}")
            done.touch()
        own = target.with_name(f"{target.name}-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}")
        if not own.exists():
            shutil.copytree(target, own)  # with the times of the files, by which cargo knows what is built
    return own


def built_go(module: Path) -> Path:
    """The program of a Go module whose dependencies are downloaded and compiled."""
    if not shutil.which("go"):
        pytest.skip("needs go")
    sources = b"\n".join(file.read_bytes() for file in sorted(module.iterdir()))
    program = CACHE / f"go-program-{hashlib.sha256(sources).hexdigest()[:16]}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with _locked(CACHE / f"{program.name}.lock"):
        if not program.exists():
            run = subprocess.run(
                ("go", "build", "-o", str(program), "."), cwd=module, capture_output=True, text=True, check=False
            )
            if run.returncode:
                pytest.skip(f"needs the registry of go: {run.stderr.strip()[-300:]}")
    return program
