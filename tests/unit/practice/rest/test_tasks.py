# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Workers: logs, lists, the last word, and what happens when the caller goes away."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from practice_pve.rest import task_list, upid
from practice_pve.rest.upid import Upid, parse_upid, read_status

ROOT = Path(__file__).resolve().parents[4] / "tests" / "lab" / "emulation"
PROGRAM = """
import sys, time
from practice_pve.rest import ApiError, Call, NotEmulated, run_worker, warn
from practice_pve.rest.methods import Method

def work(upid):
    print("first line", flush=True)
    kind = sys.argv[1]
    if kind == "fail":
        raise ApiError("it\\nfailed\\n")
    if kind == "warn":
        warn("careful")
    if kind == "gap":
        raise NotEmulated("this")
    if kind == "slow":
        for number in range(100):
            time.sleep(0.1)
            print("line", number, flush=True)
    if kind == "quiet":
        time.sleep(30)

call = Call(Method("POST", "/x", lambda call: None), "/x", {}, environment=sys.argv[2], node="pve1")
try:
    print(run_worker(call, "test", "7", work))
except NotEmulated as error:
    print(error, file=sys.stderr)
    sys.exit(97)
"""


@pytest.fixture
def tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(upid, "TASK_DIRECTORY", tmp_path)
    monkeypatch.setattr(task_list, "TASK_DIRECTORY", tmp_path)
    return tmp_path


def start(directory: Path, kind: str, environment: str = "cli") -> subprocess.Popen[str]:
    variables = {**os.environ, "PRACTICE_TASK_DIRECTORY": str(directory), "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), kind, environment],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=variables,
    )  # fmt: skip


def run(directory: Path, kind: str, environment: str = "cli") -> tuple[int, str, str]:
    process = start(directory, kind, environment)
    out, err = process.communicate(timeout=20)
    # there is no pmxcfs here to tell about the task
    words = [line for line in err.splitlines(keepends=True) if not line.startswith("ipcc_send_rec[4]")]
    return process.returncode, out, "".join(words)


def wait_for_log(directory: Path, text: str) -> Path:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        for log in directory.glob("?/UPID*"):
            if text in log.read_text(encoding="utf-8"):
                return log
        time.sleep(0.05)
    raise AssertionError(f"no log with {text!r}")


def test_upid_round_trip() -> None:
    text = "UPID:pve1:000013DA:00071704:6B00B071:qmdestroy:150:root@pam:"
    parsed = parse_upid(text)
    assert parsed == Upid("pve1", 5082, 464644, 1795207281, "qmdestroy", "150", "root@pam")
    assert str(parsed) == text
    assert parsed.log_file.parent.name == "1"
    assert not parsed.running


def test_command_line_waits_and_shows_output(tasks: Path) -> None:
    exit_code, out, err = run(tasks, "good")
    lines = out.splitlines()
    assert (exit_code, lines[0], err) == (0, "first line", "")
    assert parse_upid(lines[1]).log_file.read_text() == "first line\nTASK OK\n"
    assert f"{lines[1]} " in (tasks / "index").read_text()


def test_failure_does_not_change_the_exit_code(tasks: Path) -> None:
    exit_code, out, err = run(tasks, "fail")
    assert (exit_code, err) == (0, "it failed\n")
    assert parse_upid(out.splitlines()[-1]).log_file.read_text() == "first line\n\nTASK ERROR: it failed\n"
    assert read_status(parse_upid(out.splitlines()[-1])) == "it failed"


def test_warnings(tasks: Path) -> None:
    _exit_code, out, err = run(tasks, "warn")
    assert err == "Task finished with 1 warning(s)!\n"
    assert read_status(parse_upid(out.splitlines()[-1])) == "WARNINGS: 1"


def test_gap_in_a_worker_is_loud(tasks: Path) -> None:
    exit_code, _out, err = run(tasks, "gap")
    assert exit_code == 97
    assert "practice node: not emulated: this" in err


def test_daemon_gets_the_upid_at_once(tasks: Path) -> None:
    before = time.monotonic()
    exit_code, out, _err = run(tasks, "slow", "priv")
    assert exit_code == 0
    assert time.monotonic() - before < 5
    task = parse_upid(out.strip())
    assert task.running
    assert [entry["upid"] for entry in task_list.active_workers()] == [str(task)]
    os.killpg(task.pid, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while task.running and time.monotonic() < deadline:
        time.sleep(0.02)
    assert read_status(task) == "unexpected status"
    finished = task_list.active_workers()
    assert finished[0]["status"] == "unexpected status"
    assert [entry["status"] for entry in task_list.read_index()] == ["unexpected status"]


def test_worker_dies_with_the_callers_stdout(tasks: Path) -> None:
    process = start(tasks, "slow")
    assert process.stdout is not None
    assert process.stdout.readline() == "first line\n"
    process.stdout.close()
    process.wait(timeout=20)
    log = wait_for_log(tasks, "TASK ERROR")
    assert log.read_text().endswith("TASK ERROR: broken pipe \n")
    assert not parse_upid(log.name).running


def test_silent_worker_outlives_a_closed_stdout(tasks: Path) -> None:
    process = start(tasks, "quiet")
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    time.sleep(0.5)
    log = wait_for_log(tasks, "first line")
    assert parse_upid(log.name).running
    process.send_signal(signal.SIGTERM)
    process.wait(timeout=20)
    assert "TASK ERROR: received interrupt" in log.read_text()


def test_old_index_entries_come_last(tasks: Path) -> None:
    (tasks / "index.1").write_text("UPID:pve1:00000001:00000001:6B000000:a:1:root@pam: 6B000001 OK\n")
    (tasks / "index").write_text("UPID:pve1:00000002:00000001:6B000002:b::root@pam: 6B000003 no luck\n")
    assert [(entry["type"], entry["status"]) for entry in task_list.read_index()] == [("b", "no luck"), ("a", "OK")]
