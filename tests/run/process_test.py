"""Children that misbehave: they end when they must, and take nobody with them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from neon_hooks.deadline import Deadline
from neon_hooks.run.process import HEAD, TAIL, Finished, readable, run

STUBBORN = """
import signal, time
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP): signal.signal(number, signal.SIG_IGN)
time.sleep(60)
"""


def start(tmp_path: Path, text: str, seconds: float = 30.0) -> Finished:
    return run(
        [sys.executable, "-c", text],
        directory=tmp_path,
        environment=dict(os.environ),
        deadline=Deadline.after(seconds),
    )


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def gone(pid: int) -> bool:
    until = time.monotonic() + 5
    while is_alive(pid) and time.monotonic() < until:
        time.sleep(0.02)
    return not is_alive(pid)


def test_output_and_errors_are_kept_in_order(tmp_path: Path) -> None:
    done = start(tmp_path, "import sys\nprint('one', flush=True)\nprint('two', file=sys.stderr)\nsys.exit(3)")
    assert (done.exit_code, done.output) == (3, "one\ntwo\n")


def test_standard_input_is_empty(tmp_path: Path) -> None:
    assert (
        start(tmp_path, "import sys; print(repr(sys.stdin.read()), sys.stdin.isatty())").output
        == "'' False\n"
    )


def test_of_huge_output_the_first_and_the_last_lines_are_kept(tmp_path: Path) -> None:
    done = start(tmp_path, "for n in range(400_000): print('line', n)")
    assert done.output.startswith("line 0\nline 1\n")
    assert done.output.endswith("line 399999\n")
    assert "bytes left out" in done.output
    assert len(done.output) < HEAD + TAIL + 1000
    assert all(line.split()[-1].isdigit() for line in done.output.splitlines() if line.startswith("line"))


def test_huge_output_in_one_line_is_bounded(tmp_path: Path) -> None:
    assert len(start(tmp_path, "print('x' * 5_000_000)").output) < HEAD + TAIL + 1000


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"caf\xe9\n", "caf\ufffd\n"),
        (b"\x1b[31mred\x1b[0m \x1b]8;;http://x\x07link\x1b]8;;\x07\n", "red link\n"),
        (b"10%\r50%\r100%\ndone\r\n", "100%\ndone\n"),
        (b"bell\x07 null\x00 csi\xc2\x9b31m\n", "bell null csi31m\n"),
    ],
)
def test_output_is_made_readable(data: bytes, text: str) -> None:
    assert readable(data) == text


def test_a_process_that_is_killed_has_a_negative_exit_code(tmp_path: Path) -> None:
    assert start(tmp_path, "import os; os.kill(os.getpid(), 9)").exit_code == -signal.SIGKILL


def test_a_grandchild_that_holds_the_pipe_does_not_keep_us(tmp_path: Path) -> None:
    text = "import subprocess, sys\np = subprocess.Popen(['sleep', '60'])\nprint(p.pid)"
    done = start(tmp_path, text)
    assert done.exit_code == 0
    assert done.seconds < 5
    assert gone(int(done.output)), "the grandchild was left behind"


def test_a_grandchild_in_a_session_of_its_own_does_not_keep_us_either(tmp_path: Path) -> None:
    text = "import subprocess\np = subprocess.Popen(['sleep', '60'], start_new_session=True)\nprint(p.pid)"
    done = start(tmp_path, text)
    os.kill(int(done.output), signal.SIGKILL)
    assert done.exit_code == 0
    assert done.seconds < 5


def test_a_process_that_closes_its_output_is_still_waited_for(tmp_path: Path) -> None:
    done = start(tmp_path, "import os, time\nos.close(1); os.close(2); time.sleep(0.5); os._exit(4)")
    assert done.exit_code == 4


def test_the_deadline_ends_the_whole_group(tmp_path: Path) -> None:
    text = (
        "import subprocess, sys, time\n"
        f"p = subprocess.Popen([sys.executable, '-c', {STUBBORN!r}])\n"
        "print(p.pid, flush=True)\ntime.sleep(60)"
    )
    done = start(tmp_path, text, seconds=1.0)
    assert done.exit_code is None
    assert 0.9 < done.seconds < 8
    assert gone(int(done.output.split()[0]))


def test_a_process_that_ignores_every_polite_signal_is_killed(tmp_path: Path) -> None:
    done = start(tmp_path, STUBBORN, seconds=0.8)
    assert done.exit_code is None
    assert done.seconds < 6


def test_a_program_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        run(["/nonexistent/python"], directory=tmp_path, environment={}, deadline=Deadline.after(5))


CHILD = """
import os, subprocess, sys, time
stubborn = subprocess.Popen([sys.executable, "stubborn.py"])
open("pids", "w").write(f"{os.getpid()} {stubborn.pid}")
time.sleep(60)
"""
US = """
import os, sys
from pathlib import Path
from neon_hooks.deadline import Deadline
from neon_hooks.errors import DeadlineExceeded, Interrupted
from neon_hooks.lifetime import interruptible
from neon_hooks.run.process import run

patient = Deadline.after(60)
try:
    with interruptible(Deadline.after(float(sys.argv[1]))):
        run([sys.executable, "child.py"], directory=Path.cwd(), environment=os.environ, deadline=patient)
except Interrupted as error:
    print("interrupted by", error.name)
except DeadlineExceeded:
    print("deadline")
"""


def ours(tmp_path: Path, seconds: float) -> tuple[subprocess.Popen[str], list[int]]:
    (tmp_path / "child.py").write_text(CHILD)
    (tmp_path / "stubborn.py").write_text(STUBBORN)
    process = subprocess.Popen(
        [sys.executable, "-c", US, str(seconds)],
        cwd=tmp_path, stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    until = time.monotonic() + 20
    while time.monotonic() < until:
        words = (tmp_path / "pids").read_text().split() if (tmp_path / "pids").exists() else []
        if len(words) == 2:
            return process, [int(word) for word in words]
        time.sleep(0.02)
    process.kill()
    process.communicate()
    raise AssertionError("the child did not start")


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interruption_ends_the_whole_group(signum: signal.Signals, tmp_path: Path) -> None:
    process, pids = ours(tmp_path, 60)
    process.send_signal(signum)
    time.sleep(0.3)
    process.send_signal(signum)  # a second Ctrl-C, in the middle of our cleaning up
    said, _ = process.communicate(timeout=20)
    assert said.split() == ["interrupted", "by", signum.name]
    assert all(gone(pid) for pid in pids)


def test_the_alarm_clock_ends_the_whole_group(tmp_path: Path) -> None:
    process, pids = ours(tmp_path, 4)
    said, _ = process.communicate(timeout=20)
    assert said.strip() == "deadline"
    assert all(gone(pid) for pid in pids)
