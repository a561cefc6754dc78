"""The emulator as processes and files: starting, stopping, being killed, living on, leaving nothing."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from neon_hooks.emulator import Emulator, binaries, home, template
from neon_hooks.emulator.binaries import Account, find
from neon_hooks.emulator.faults import Fault
from neon_hooks.errors import NeonHooksError, Unavailable, UsageError
from tests.fix_emulator import TOP, Api, opened, query

SERVE = """
import json, sys
from pathlib import Path
from neon_hooks.emulator.serve import serve
settings = json.loads(sys.argv[1])
sys.exit(serve(data=Path(settings["data"]) if "data" in settings else None))
"""
LATER = 10.0  # seconds in which what was killed has to be cleared away


class Served:
    """``serve`` in a process of its own, with its temporary files in ``directory``."""

    def __init__(self, directory: Path, **settings: Any) -> None:
        self.directory = directory
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVE, json.dumps(settings)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=TOP,
            env={**os.environ, "TMPDIR": str(directory)},
        )  # fmt: skip
        assert self.process.stdout is not None
        self.line = self.process.stdout.readline()
        self.ready = json.loads(self.line)

    def servers(self) -> list[int]:
        """Process ids of the Postgres servers."""
        return [
            int(file.read_text().split()[0]) for file in self.directory.glob("**/clusters/*/postmaster.pid")
        ]

    def end(self, signum: int) -> tuple[int, str, str]:
        self.process.send_signal(signum)
        out, error = self.process.communicate(timeout=30)
        return self.process.returncode, out, error


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _in_time(condition: Callable[[], bool]) -> bool:
    until = time.monotonic() + LATER
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_serve_says_one_line_and_ends_quietly_with_everything(tmp_path: Path, signum: int) -> None:
    served = Served(tmp_path)
    assert set(served.ready) == {"api_host", "api_key", "project_id", "connection_uri"}
    assert query(served.ready["connection_uri"], "SELECT 1") == [(1,)]
    servers = served.servers()
    assert len(servers) == 1
    assert served.end(signum) == (0, "", "")
    assert not any(_alive(pid) for pid in servers)
    assert list(tmp_path.iterdir()) == []


def test_killed_it_leaves_no_server_and_no_file(tmp_path: Path) -> None:
    served = Served(tmp_path)
    servers = served.servers()
    served.end(signal.SIGKILL)
    assert _in_time(lambda: not any(_alive(pid) for pid in servers))
    assert _in_time(lambda: list(tmp_path.iterdir()) == [])


FORGETFUL = """
import sys, time
from neon_hooks.emulator import Emulator
import httpx
print("begin", flush=True)
emulator = Emulator()
client = httpx.Client(headers={"Authorization": f"Bearer {emulator.api_key}"}, trust_env=False)
branches = f"{emulator.api_host}/projects/{emulator.project_id}/branches"
made = client.post(branches, json={"endpoints": [{"type": "read_write"}]}).json()
while client.get(f"{branches}/{made['branch']['id']}").json()["branch"]["current_state"] == "init":
    time.sleep(0.01)
time.sleep(float(sys.argv[1]))
client.close()
"""


def _servers_below(directory: Path) -> list[str]:
    """Processes whose working directory is, or was, below ``directory``."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            where = os.readlink(process / "cwd")
        except OSError:
            continue
        if where.startswith(f"{directory}/"):
            found.append(f"{process.name} {where}")
    return found


def test_a_program_that_forgets_to_close_it_leaves_nothing(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", FORGETFUL, "0"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=TOP, env=environment, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == [] and _servers_below(tmp_path) == []


@pytest.mark.parametrize("delay", [0.15, 0.3, 0.45, 0.6, 0.9])
@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_killed_at_any_moment_it_leaves_nothing(tmp_path: Path, signum: int, delay: float) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", FORGETFUL, "60"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=TOP,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(delay)
    process.send_signal(signum)
    process.communicate(timeout=30)
    # In the few milliseconds before the watchdog lives, an empty directory is left to the next start.
    assert _in_time(lambda: list(tmp_path.glob("*/clusters/*")) == [])
    assert _in_time(lambda: _servers_below(tmp_path) == [])


def test_killed_with_data_it_starts_again_at_once_with_all_that_was_there(tmp_path: Path) -> None:
    data, temporary = tmp_path / "data", tmp_path / "tmp"
    temporary.mkdir()
    served = Served(temporary, data=str(data))
    query(served.ready["connection_uri"], "CREATE TABLE kept AS SELECT 7 AS a")
    served.end(signal.SIGKILL)
    with Emulator(data=data) as emulator:
        assert emulator.api_key == served.ready["api_key"]
        assert emulator.project_id == served.ready["project_id"]
        assert query(emulator.main, "SELECT a FROM kept") == [(7,)]


def test_a_project_lives_on_in_its_directory(tmp_path: Path) -> None:
    data = tmp_path / "deep" / "data"
    with Emulator(data=data) as emulator:
        api = Api(emulator)
        made = api.create("kept", top={"annotation_value": {"a": "b"}}, protected=True)
        idle = api.create("idle")
        api.post(f"~/endpoints/{idle['endpoints'][0]['id']}/suspend")
        api.settle()
        query(made, "CREATE TABLE t AS SELECT 1 AS a")
        before = [api.get(path) for path in ("~/branches", "~/operations", "~/endpoints")]
        api.close()
    assert (data / "state.json").stat().st_mode & 0o077 == 0
    with Emulator(data=data) as emulator:
        api = Api(emulator)
        assert api.get("~/branches") == before[0]
        assert api.get("~/operations") == before[1]
        states = {item["id"]: item["current_state"] for item in api.get("~/endpoints")["endpoints"]}
        assert states == {item["id"]: item["current_state"] for item in before[2]["endpoints"]}
        uri = api.get(
            "~/connection_uri",
            branch_id=made["branch"]["id"],
            database_name="neondb",
            role_name="neondb_owner",
        )["uri"]
        assert query(uri, "SELECT a FROM t") == [(1,)]
        api.create("more", compute=False)
        api.close()


def test_what_was_half_made_is_gone_after_a_start(tmp_path: Path) -> None:
    with Emulator(data=tmp_path) as emulator:
        api = Api(emulator)
        emulator.faults.add(Fault("operation-error", "POST"))
        api.create("broken")
        (tmp_path / "clusters" / "left-over").mkdir()
        api.close()
    with Emulator(data=tmp_path) as emulator:
        assert [item["name"] for item in emulator.neon_branches()] == ["main"]
        clusters = {path.name for path in (tmp_path / "clusters").iterdir()} - {"extensions"}
        assert len(clusters) == 1


def test_one_directory_serves_one_emulator(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home, "BUSY", 0.1)
    with Emulator(data=tmp_path):
        with pytest.raises(UsageError, match="another emulator uses"):
            Emulator(data=tmp_path)
    Emulator(data=tmp_path).close()


def test_two_emulators_know_nothing_of_each_other() -> None:
    with Emulator() as one, Emulator() as two:
        first, second = Api(one), Api(two)
        assert one.project_id != two.project_id and one.api_key != two.api_key
        query(one.main, "CREATE TABLE mine (a int)")
        first.create("first")
        assert [item["name"] for item in two.neon_branches()] == ["main"]
        assert query(two.main, "SELECT to_regclass('mine')::text") == [(None,)]
        second.http.headers["Authorization"] = f"Bearer {one.api_key}"
        assert second.refused("GET", "~/branches")[0] == 401
        first.close()
        second.close()


def test_closing_twice_is_closing_once() -> None:
    emulator = Emulator()
    emulator.close()
    emulator.close()


def test_closing_in_the_middle_of_work_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    emulator = Emulator(operation_seconds=5)
    api = Api(emulator)
    api.post("~/branches", {"endpoints": [{"type": "read_write"}]})
    connection = opened(emulator.main)
    emulator.close()
    connection.close()
    api.close()
    assert list(tmp_path.iterdir()) == []


def test_a_port_in_use_is_a_mistake_of_the_user_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        with pytest.raises(UsageError, match="cannot listen"):
            Emulator(port=taken.getsockname()[1])
    assert list(tmp_path.iterdir()) == []


def test_the_api_can_have_a_port_of_ones_choice() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
    with Emulator(port=port) as emulator:
        assert emulator.api_host == f"http://127.0.0.1:{port}/api/v2"


def test_data_that_is_no_directory_is_a_mistake_of_the_user(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(UsageError, match="cannot keep"):
        Emulator(data=file)


@pytest.mark.parametrize("content", ["{", '{"postgres": 9, "id": "x"}'])
def test_a_state_that_cannot_be_read_is_a_mistake_of_the_user(tmp_path: Path, content: str) -> None:
    (tmp_path / "state.json").write_text(content)
    with pytest.raises(UsageError):
        Emulator(data=tmp_path)


def test_without_a_cache_it_only_takes_longer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with Emulator() as emulator:
        assert query(emulator.main, "SELECT 1") == [(1,)]


def test_a_damaged_cache_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    Emulator().close()
    (control,) = tmp_path.glob("neon-hooks/*/template/global/pg_control")
    control.write_bytes(b"no")
    with Emulator() as emulator:
        assert query(emulator.main, "SELECT 1") == [(1,)]
    assert control.stat().st_size > 100


def test_the_cache_is_nobody_elses_business(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    Emulator().close()
    assert (tmp_path / "neon-hooks").stat().st_mode & 0o077 == 0
    (password,) = tmp_path.glob("neon-hooks/*/password")
    assert password.stat().st_mode & 0o077 == 0


def test_the_users_own_settings_for_libpq_do_not_reach_the_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in {"PGHOST": "production", "PGPORT": "1", "PGDATA": "/none", "PGUSER": "x"}.items():
        monkeypatch.setenv(variable, value)
    with Emulator() as emulator:
        api = Api(emulator)
        made = api.create("child")
        assert "CREATE" not in api.get(f"~/branches/{made['branch']['id']}/schema", db_name="neondb")["sql"]
        api.close()


def test_only_abandoned_directories_are_swept(tmp_path: Path) -> None:
    old, young, owned = (tmp_path / (home.PREFIX + name) for name in ("old", "young", "owned"))
    for directory in (old, young, owned):
        directory.mkdir()
    handle = home._lock(owned, 0)
    for directory in (old, owned):
        os.utime(directory, (1, 1))
    home.sweep([tmp_path])
    assert [path.exists() for path in (old, young, owned)] == [False, True, True]
    assert handle is not None
    os.close(handle)


def _other_versions() -> list[int]:
    found = [int(path.name) for path in binaries.SYSTEM.glob("*") if path.name.isdigit()]
    return [version for version in found if version >= binaries.OLDEST]


@pytest.mark.parametrize("version", _other_versions())
def test_another_version_of_postgres_will_do(version: int) -> None:
    with Emulator(postgres=find(version=version)) as emulator:
        api = Api(emulator)
        assert api.get("~")["project"]["pg_version"] == version
        query(emulator.main, "CREATE TABLE t AS SELECT 1 AS a")
        made = api.create("child")
        assert query(made, "SELECT a FROM t") == [(1,)]
        query(made, "CREATE TABLE u (a int)")
        assert (
            "+CREATE TABLE public.u"
            in api.get(f"~/branches/{made['branch']['id']}/compare_schema", db_name="neondb")["diff"]
        )
        api.close()


def test_a_directory_may_name_the_installation_or_its_programs() -> None:
    found = find()
    assert find(str(found.directory)) == find(str(found.directory.parent)) == found


def test_the_archive_of_a_wheel_is_unpacked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    archive = tmp_path / "postgresql-1.2.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(__file__, "postgresql-1.2/bin/initdb")
    unpacked = binaries._unpacked(archive)
    archive.unlink()
    assert (unpacked / "bin" / "initdb").is_file() and tmp_path in unpacked.parents
    assert binaries._unpacked(archive) == unpacked
    assert [path.name for path in unpacked.parent.iterdir()] == ["postgresql-1.2"]


def test_a_postgres_that_is_not_there_is_a_mistake_of_the_user(tmp_path: Path) -> None:
    for wrong in ({"directory": str(tmp_path)}, {"version": 9}):
        with pytest.raises(UsageError) as caught:
            find(**wrong)
        assert caught.value.fix


def test_a_postgres_that_does_not_start_is_reported_with_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(template, "CONFIGURATION", "no_such_setting = 1\n")
    with pytest.raises(Unavailable, match="Postgres did not start") as caught:
        Emulator()
    assert isinstance(caught.value, NeonHooksError) and "no_such_setting" in caught.value.message


if os.geteuid() == 0:

    @pytest.fixture
    def public_directory() -> Iterator[Path]:
        """A directory that ``nobody`` can enter, which those of pytest are not."""
        path = Path(tempfile.mkdtemp(dir="/var/tmp"))
        path.chmod(0o755)
        yield path
        shutil.rmtree(path)

    def test_root_copies_programs_that_nobody_may_not_read(
        tmp_path: Path, public_directory: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(binaries, "COPIES", public_directory)
        monkeypatch.syspath_prepend(tmp_path)
        source = find().directory
        package = next(path for path in source.parents if (path.parent / f"{path.name}.libs").is_dir())
        for part in (package, package.with_name(package.name + ".libs")):
            shutil.copytree(part, tmp_path / part.name, symlinks=True)
        tmp_path.chmod(0o700)
        found = find(str(tmp_path / source.relative_to(package.parent)))
        assert public_directory in found.directory.parents
        assert find(str(tmp_path / source.relative_to(package.parent))) == found
        assert len(list(public_directory.iterdir())) == 1
        assert not [
            path for path in public_directory.rglob("*") if path.stat().st_mode & 0o022 or path.stat().st_uid
        ]
        with Emulator(postgres=found) as emulator:
            assert query(emulator.main, "SELECT 1") == [(1,)]

    def test_root_does_not_trust_a_directory_that_somebody_else_put_there(
        tmp_path: Path, public_directory: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(binaries, "COPIES", public_directory)
        planted = binaries._public_copy(find().directory)
        while planted.parent != public_directory:
            planted = planted.parent
        shutil.rmtree(planted)
        planted.mkdir()
        (planted / "something").touch()
        os.chown(planted, 65534, 65534)
        copied = binaries._public_copy(find().directory)
        assert planted not in copied.parents and (copied / "postgres").is_file()

    def test_root_runs_postgres_as_nobody_below_a_directory_that_nobody_may_enter(tmp_path: Path) -> None:
        tmp_path.chmod(0o700)
        with Emulator(data=tmp_path / "data"):
            (pid,) = (
                int(file.read_text().split()[0]) for file in tmp_path.glob("data/clusters/*/postmaster.pid")
            )
            uid = int(Path(f"/proc/{pid}/status").read_text().partition("Uid:")[2].split()[0])
            assert uid == Account.fitting().uid != 0

    def test_another_user_needs_nothing_of_roots(public_directory: Path) -> None:
        """The interpreter of a virtual environment may lie where only root can go; the system's will do."""
        nobody = Account.fitting()
        nobody.own(public_directory)
        site = Path(psycopg_file()).parent.parent
        script = "from neon_hooks.emulator import Emulator; e = Emulator(); print(e.main.port); e.close()"
        environment = {
            "PATH": os.defpath,
            "PYTHONPATH": f"{TOP}:{site}",
            "PYTHONDONTWRITEBYTECODE": "1",
            "HOME": str(public_directory),
            "TMPDIR": str(public_directory),
        }
        for interpreter in (sys.executable, shutil.which("python3", path=os.defpath) or "python3"):
            done = subprocess.run(
                [interpreter, "-c", script], capture_output=True, text=True, check=False,
                env=environment, cwd="/", **nobody.options,
            ) if _runs(interpreter, environment, nobody) else None  # fmt: skip
            if done:
                assert done.returncode == 0, done.stderr
                assert [path.name for path in public_directory.iterdir()] == [".cache"]
                return
        pytest.skip("needs a Python that nobody may run")


def psycopg_file() -> str:
    import psycopg

    return str(psycopg.__file__)


def _runs(interpreter: str, environment: dict[str, str], account: Account) -> bool:
    try:
        done = subprocess.run(
            [interpreter, "-c", "import psycopg, sys; sys.exit(sys.version_info < (3, 11))"],
            capture_output=True, check=False, env=environment, cwd="/", **account.options,
        )  # fmt: skip
    except OSError:
        return False
    return done.returncode == 0
