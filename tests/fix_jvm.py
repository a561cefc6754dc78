"""Java's migration tools from Maven Central, installed once per set of versions."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.fix_systems import CACHE, PROJECTS, TOP, _locked

REPOSITORY = TOP / ".cache/maven"
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
POM = """\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>tools</groupId><artifactId>tools</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>{}</dependencies>
</project>
"""
DEPENDENCY = (
    "<dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version>"
    "<exclusions>{}</exclusions></dependency>"
)
ALL = "<exclusion><groupId>*</groupId><artifactId>*</artifactId></exclusion>"
DRIVER = "org.postgresql:postgresql:42.7.4"
# The command line jar wants the drivers of twenty databases: "!" leaves out what it depends on. Without
# flyway-reports it exits with 0 whatever happened.
FLYWAY = (
    "!org.flywaydb:flyway-commandline:10.20.1",
    "org.flywaydb:flyway-database-postgresql:10.20.1", "org.flywaydb:flyway-reports:10.20.1", DRIVER,
    "com.fasterxml.jackson.dataformat:jackson-dataformat-xml:2.15.2",
    "com.google.code.gson:gson:2.10.1", "org.fusesource.jansi:jansi:2.4.0",
    "org.apache.commons:commons-text:1.10.0", "org.slf4j:slf4j-nop:1.7.36",
)  # fmt: skip
LIQUIBASE = (
    "org.liquibase:liquibase-core:4.29.2", "info.picocli:picocli:4.7.6", "org.yaml:snakeyaml:2.3", DRIVER,
)  # fmt: skip
# Program, main class, jars.
PROGRAMS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "flyway": ("org.flywaydb.commandline.Main", FLYWAY),
    "liquibase": ("liquibase.integration.commandline.LiquibaseCommandLine", LIQUIBASE),
}
LAUNCHER = '#!/bin/sh\nexec java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "{}/*" {} "$@"\n'


def maven_environ() -> Mapping[str, str]:
    """What keeps Maven's downloads in this repository's cache. Skips where there is no Maven."""
    if not shutil.which("mvn") or not shutil.which("java"):
        pytest.skip("needs Maven")
    return {"MAVEN_OPTS": f"-Dmaven.repo.local={REPOSITORY} -XX:TieredStopAtLevel=1"}


def jvm_program(name: str) -> Path:
    """The directory of a launcher called ``name``, as the tool's own download has it."""
    environ = maven_environ()
    main, jars = PROGRAMS[name]
    key = hashlib.sha256("\n".join((main, LAUNCHER, *jars)).encode()).hexdigest()[:16]
    home = CACHE / f"jvm-{key}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with _locked(CACHE / "maven.lock"):  # Maven's own repository is not made for two writers
        if not home.exists():
            _install(home, name, main, jars, environ)
    return home / "bin"


def _install(home: Path, name: str, main: str, jars: tuple[str, ...], environ: Mapping[str, str]) -> None:
    partial = home.with_name(f"{home.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    (partial / "bin").mkdir(parents=True)
    dependencies = "".join(
        DEPENDENCY.format(*jar.removeprefix("!").split(":"), ALL if jar.startswith("!") else "") for jar in jars
    )
    (partial / "pom.xml").write_text(POM.format(dependencies))
    _maven(partial, environ, "-q", COPY, f"-DoutputDirectory={partial / 'lib'}")
    launcher = partial / "bin" / name
    launcher.write_text(LAUNCHER.format(home / "lib", main))
    launcher.chmod(0o755)
    partial.rename(home)


def maven_plugin(project: str, goal: str, *properties: str) -> None:
    """Have a plugin of an example project downloaded, by a run that ends where nobody listens."""
    environ = maven_environ()
    pom = (PROJECTS / project / "pom.xml").read_bytes()
    stamp = CACHE / f"maven-{project}-{hashlib.sha256(pom + goal.encode()).hexdigest()[:16]}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with _locked(CACHE / "maven.lock"):
        if not stamp.exists():
            _maven(PROJECTS / project, environ, goal, *properties, expected="Connection to 127.0.0.1:1 refused")
            stamp.touch()


def maven_offline(project: str) -> None:
    """Have everything downloaded that an example project is compiled with."""
    environ = maven_environ()
    pom = (PROJECTS / project / "pom.xml").read_bytes()
    stamp = CACHE / f"maven-{project}-{hashlib.sha256(pom).hexdigest()[:16]}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with _locked(CACHE / "maven.lock"), TemporaryDirectory() as scratch:
        if not stamp.exists():
            copy = Path(shutil.copytree(PROJECTS / project, Path(scratch) / project))
            _maven(copy, environ, "compile", COPY.replace("copy-dependencies", "build-classpath"))
            stamp.touch()


def _maven(directory: Path, environ: Mapping[str, str], *argv: str, expected: str = "") -> None:
    done = subprocess.run(
        ("mvn", "-B", *argv), cwd=directory, env={"PATH": "/usr/bin:/bin", **environ},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode and not (expected and expected in done.stdout):
        pytest.skip(f"needs Maven Central: {done.stdout.strip()[-400:]}")
