"""Real migration tools of other languages than Python, installed once per set of versions.

One function per ecosystem. Each skips where its package index, or the language itself, is not there.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.fix_systems import CACHE, _locked

# Two versions of one tool cannot share a node_modules, so each project has its own.
NODE_REQUIREMENTS: Mapping[str, Mapping[str, str]] = {
    "drivers": {
        "pg": "8.16.3", "pg-cursor": "2.15.3", "postgres": "3.4.9", "@neondatabase/serverless": "1.0.2", "ws": "8.18.3",
    },
    "drizzle": {"drizzle-kit": "0.31.11", "drizzle-orm": "0.45.4", "pg": "8.16.3"},
    "drizzle-1": {"drizzle-kit": "1.0.0-rc.5", "drizzle-orm": "1.0.0-rc.5", "pg": "8.16.3"},
    # One project for six tools that do not mind each other.
    "javascript": {
        "pg": "8.16.3", "knex": "3.3.0", "node-pg-migrate": "9.0.0", "sequelize": "6.37.8",
        "sequelize-cli": "6.6.5", "typeorm": "1.1.1", "reflect-metadata": "0.2.2", "kysely": "0.28.18",
        "kysely-ctl": "0.20.0", "@mikro-orm/core": "6.6.0", "@mikro-orm/cli": "6.6.0",
        "@mikro-orm/migrations": "6.6.0", "@mikro-orm/postgresql": "6.6.0", "tsx": "4.20.6",
        "ts-node": "10.9.2", "typescript": "5.9.3",
    },
    "prisma": {"prisma": "7.10.1"},
    "prisma-6": {"prisma": "6.19.3"},
    "prisma-engine": {
        "@prisma/schema-engine-wasm": "8.1.0-2.59be4fda12412a79eeb9c2ae727b6aa723593323",
        "@prisma/adapter-pg": "7.10.1", "@prisma/driver-adapter-utils": "7.10.1", "pg": "8.16.3",
    },
    "supabase": {"supabase": "3.1.0"},
}  # fmt: skip
NPM = (
    *("npm", "install", "--ignore-scripts", "--no-audit", "--no-fund"),
    *("--no-update-notifier", "--loglevel", "error"),
)


def node_modules(name: str) -> Path:
    """The ``node_modules`` of one project of NODE_REQUIREMENTS."""
    if not shutil.which("npm"):
        pytest.skip("needs npm")
    requirements = NODE_REQUIREMENTS[name]
    key = hashlib.sha256(json.dumps(requirements, sort_keys=True).encode()).hexdigest()[:16]
    home = CACHE / f"node-{key}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with _locked(CACHE / f"{home.name}.lock"):
        if not home.exists():
            _install(home, requirements)
    return home / "node_modules"


def _install(home: Path, requirements: Mapping[str, str]) -> None:
    partial = home.with_name(f"{home.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir()
    manifest = {"name": "tools", "private": True, "dependencies": requirements}
    (partial / "package.json").write_text(json.dumps(manifest, indent=2))
    done = subprocess.run(NPM, cwd=partial, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"needs the npm registry: {done.stderr.strip()[-300:]}")
    partial.rename(home)
