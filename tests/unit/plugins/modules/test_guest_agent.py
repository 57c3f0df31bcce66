# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.baremetal.proxmox.plugins.module_utils._agent import action_run, freezing, power
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.errors import AnswerLost, Failed
from ansible_collections.baremetal.proxmox.plugins.modules import guest_agent
from fake_agent_guest import FakeAgentGuest


class Timers:
    """Systemd's part: what was started and stopped."""

    def __init__(self):
        self.calls = []

    def __call__(self, *command):
        self.calls.append(command[0])
        return subprocess.CompletedProcess(command, 0, "", "")


@pytest.fixture
def timers(monkeypatch):
    timers = Timers()
    monkeypatch.setattr(freezing, "_systemd", timers)
    return timers


@pytest.fixture
def guest():
    return FakeAgentGuest()


@pytest.fixture
def run(monkeypatch, capfd, tmp_path, timers, guest):
    monkeypatch.setattr(guest_agent, "open_session", lambda params: guest.session)
    monkeypatch.setattr(guest_agent, "raise_on_signals", lambda: None)
    monkeypatch.setattr(action_run, "marker_directory", lambda: tmp_path / "frozen")

    def play(action, **options):
        with patch_module_args({"vmid": 100, "action": action, **options}), pytest.raises(SystemExit) as ended:
            guest_agent.main()
        text = capfd.readouterr().out
        result = json.loads(text)
        assert (ended.value.code != 0) is bool(result.get("failed"))
        return {**result, "text": text}

    return play


def test_ping_tells_why_an_agent_is_silent(run, guest):
    assert run("ping")["available"]
    guest.listening = False
    result = run("ping")
    assert not result.get("failed")
    assert (result["available"], result["reason"]) == (False, "not_listening")
    assert "qemu-guest-agent" in result["remedy"]


def test_every_other_action_fails_with_reason_and_remedy(run, guest):
    guest.listening = False
    for action, options in (("exec", {"command": ["true"]}), ("trim", {}), ("freeze", {})):
        assert "not_listening" in run(action, **options)["msg"]


# -- exec


def test_exec_is_honest(run):
    done = run("exec", command=["sh", "-c", "echo out; echo err >&2; exit 3"])
    assert done["failed"]
    assert (done["rc"], done["signal"], done["stdout"], done["stderr"]) == (3, None, "out\n", "err\n")
    killed = run("exec", command=["sh", "-c", "kill -9 $$"])
    assert killed["failed"]
    assert (killed["rc"], killed["signal"]) == (137, 9)
    assert "signal 9" in killed["msg"]
    assert run("exec", command=["echo", "grüß 你"])["stdout"] == "grüß 你\n"
    well = run("exec", command=["cat"], stdin="grüß\n")
    assert (well["rc"], well["stdout"], well["changed"]) == (0, "grüß\n", True)


def test_a_program_that_does_not_end_goes_on_and_that_is_told(run, guest):
    done = run("exec", command=["sleep", "30"], timeout=0)
    assert done["failed"]
    assert (done["rc"], done["timed_out"]) == (None, True)
    assert f"process {done['pid']}" in done["msg"]
    guest.processes[done["pid"]].kill()


def test_a_missing_program_is_an_error_with_text_although_the_api_gives_none(run):
    done = run("exec", command=["no-such-program"])
    assert done["failed"]
    assert "no such program" in done["msg"]
    assert "no-such-program" in done["msg"]


def test_a_lost_answer_about_a_program_that_is_there_is_no_missing_program(run, guest, monkeypatch):
    real = guest.session.handler

    def lose(method, path, params):
        answer = real(method, path, params)
        if params.get("command") == ["true"]:
            raise AnswerLost("the connection broke")
        return answer

    guest.session.handler = lose
    done = run("exec", command=["true"])
    assert "the connection broke" in done["msg"]
    assert "no such program" not in done["msg"]


def test_cut_off_output_is_told(run, guest):
    cut = {"exited": 1, "exitcode": 0, "out-data": "x", "out-truncated": 1}
    guest.refusals = {"exec": {"pid": 7}, "exec-status": cut}
    assert run("exec", command=["yes"])["stdout_truncated"]


def test_check_mode_runs_nothing(run, guest):
    assert run("exec", command=["true"], _ansible_check_mode=True)["skipped"]
    assert not guest.processes


def test_what_the_guest_blocks_is_said(run, guest):
    guest.refusals["exec"] = Failed("Agent error: Command guest-exec has been disabled", status=500)
    assert "guest-exec has been disabled" in run("exec", command=["true"])["msg"]


# -- files


@pytest.mark.parametrize("size", [0, 3, 45 * 1024, 200_000])
def test_files_of_any_size_there_and_back(run, tmp_path, size):
    source, target = tmp_path / "source", tmp_path / "target with späce"
    source.write_bytes(os.urandom(size))
    assert run("write", path=str(target), src=str(source))["changed"]
    assert target.read_bytes() == source.read_bytes()
    assert not run("write", path=str(target), src=str(source))["changed"]
    told = run("read", path=str(target))
    assert base64.b64decode(told["content"]) == source.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source", "target with späce"]


def test_a_large_file_keeps_the_mode_of_the_old_one(run, tmp_path):
    target = tmp_path / "t"
    target.write_text("old", encoding="utf-8")
    target.chmod(0o640)
    run("write", path=str(target), content="x" * 100_000)
    assert target.stat().st_mode & 0o777 == 0o640
    run("write", path=str(target), content="short", mode="0600")
    assert target.stat().st_mode & 0o777 == 0o600


def test_reading_beyond_the_limit_of_one_call(run, guest, tmp_path):
    target = tmp_path / "t"
    target.write_bytes(bytes(range(256)) * 4)
    guest.read_limit = 100
    assert run("read", path=str(target))["size"] == 1024
    guest.knows_offset = False
    assert "more than 100 bytes" in run("read", path=str(target))["msg"]


def test_a_missing_file_and_a_diff(run, tmp_path):
    target = tmp_path / "t"
    assert "there is no" in run("read", path=str(target))["msg"]
    planned = run("write", path=str(target), content="new\n", _ansible_check_mode=True, _ansible_diff=True)
    assert planned["changed"]
    assert (planned["diff"]["before"], planned["diff"]["after"]) == ("", "new\n")
    assert not target.exists()


# -- passwords


def test_a_password_reaches_the_guest_and_nothing_else(run, guest):
    result = run("set_password", user="root", password="sesame-open-77", crypted=False)
    assert guest.passwords[0]["password"] == "sesame-open-77"
    assert "sesame-open-77" not in result["text"]
    assert "ASCII" in run("set_password", user="root", password="käse")["msg"]


# -- freezing


def test_freeze_and_thaw(run, guest, timers):
    assert run("freeze")["filesystems"] == 2
    assert guest.frozen
    assert "systemd-run" in timers.calls
    assert "frozen" in run("trim")["msg"]
    assert run("thaw")["changed"]
    assert not guest.frozen
    assert not run("thaw")["changed"]


def test_a_command_between_freeze_and_thaw(run, guest, tmp_path):
    done = run("frozen_command", command=["sh", "-c", "echo there; exit 5"])
    assert (done["failed"], done["rc"], done["stdout"]) == (True, 5, "there\n")
    assert not guest.frozen
    assert "cannot be run" in run("frozen_command", command=["/no/such"])["msg"]
    assert not guest.frozen
    assert "did not end" in run("frozen_command", command=["sleep", "9"], thaw_after=1)["msg"]
    assert not guest.frozen
    assert not list((tmp_path / "frozen").iterdir())


def test_a_freeze_whose_answer_is_lost_is_thawed(run, guest):
    real = guest.session.handler

    def lose(method, path, params):
        answer = real(method, path, params)
        if path.endswith("fsfreeze-freeze"):
            raise AnswerLost("the connection broke")
        return answer

    guest.session.handler = lose
    assert run("freeze")["failed"]
    assert not guest.frozen


def test_no_timer_no_freeze(run, guest, monkeypatch):
    monkeypatch.setattr(freezing, "_systemd", lambda *command: subprocess.CompletedProcess(command, 1, "", "no bus"))
    assert "nothing was frozen" in run("freeze")["msg"]
    assert not guest.frozen


def leave_marker(tmp_path, process, started, until):
    marker = tmp_path / "frozen" / "100.json"
    marker.parent.mkdir(exist_ok=True)
    marker.write_text(json.dumps({"process": process, "started": started, "until": until}), encoding="utf-8")


def test_what_a_killed_run_left_frozen_is_thawed_by_the_next(run, guest, tmp_path):
    guest.frozen = True
    with subprocess.Popen([sys.executable, "-c", "pass"]) as gone:
        gone.wait()
    leave_marker(tmp_path, gone.pid, "1", time.time() + 600)
    result = run("ping")
    assert result["thawed_leftover"]
    assert result["changed"]
    assert (result["reason"], guest.frozen) == ("ok", False)
    assert not run("ping")["thawed_leftover"]


def test_what_a_living_run_holds_stays_frozen(run, guest, tmp_path):
    guest.frozen = True
    leave_marker(tmp_path, os.getpid(), freezing._start_of(os.getpid()), time.time())
    assert run("ping")["reason"] == "frozen"
    assert guest.frozen


def test_a_block_that_freezes_again_thaws_first(run, guest, tmp_path):
    run("freeze")
    assert run("ping")["reason"] == "frozen"  # within its time nobody else thaws it
    again = run("freeze")
    assert again["thawed_leftover"]
    assert guest.frozen
    leave_marker(tmp_path, 0, "", time.time() - 1)
    assert run("ping")["thawed_leftover"]


def test_somebody_elses_freeze_is_respected(run, guest):
    guest.frozen = True
    guest.status["lock"] = "backup"
    assert "backup" in run("thaw")["msg"]
    assert guest.frozen
    assert run("thaw", force_thaw=True)["changed"]
    assert not guest.frozen


# -- trim and power


def test_trim_adds_up(run, guest):
    assert run("trim")["trimmed"] == 4097
    guest.refusals["fstrim"] = {"result": {"paths": [{"path": "/", "error": "not supported"}]}}
    assert "not supported" in run("trim")["msg"]


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(power, "SLACK", 0)


@pytest.mark.usefixtures("impatient")
def test_the_rungs_of_the_ladder(run, guest):
    assert run("shutdown")["way"] == "agent"
    assert run("shutdown") | {"text": ""} == run("shutdown") | {"text": ""}
    assert not run("shutdown")["changed"]
    guest.status = {"status": "running"}
    guest.answers_ping = False
    assert run("shutdown")["way"] == "acpi"
    guest.answers_ping = True
    guest.status = {"status": "running"}
    guest.power_results = {"shutdown": "VM quit/powerdown failed - got timeout", "button": "OK"}
    assert run("shutdown", timeout=0)["way"] == "acpi_after_agent"
    guest.status = {"status": "running"}
    guest.power_results["button"] = "nobody"
    assert "force_stop" in run("shutdown", timeout=1)["msg"]
    assert guest.status["status"] == "running"
    assert run("shutdown", timeout=1, force_stop=True)["way"] == "stop"
    assert guest.status["status"] == "stopped"


@pytest.mark.usefixtures("impatient")
def test_a_guest_under_ha_is_left_to_its_manager(run, guest):
    guest.status["ha"] = {"managed": 1}
    assert run("shutdown")["way"] == "ha"
    assert "button" not in guest.powered


@pytest.mark.usefixtures("impatient")
def test_reboot(run, guest):
    assert run("reboot")["way"] == "reboot"
    guest.power_results["reboot"] = "VM quit/powerdown failed - got timeout"
    assert run("reboot", timeout=0, force_stop=True)["way"] == "stop"
    assert guest.status["status"] == "running"
    guest.status = {"status": "stopped"}
    assert "is off" in run("reboot")["msg"]


# -- the host's side


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("option", "written", "powered"),
    [
        ({}, "enabled=1", ["shutdown", "start"]),
        ({"value": "0"}, "enabled=1", ["shutdown", "start"]),
        ({"value": "enabled=0,fstrim_cloned_disks=1"}, "enabled=1,fstrim_cloned_disks=1", ["shutdown", "start"]),
        ({"value": "0", "pending": "1"}, "1", ["shutdown", "start"]),
        ({"value": "1"}, "1", []),
    ],
)
def test_enable_gives_the_guest_its_port_once(run, guest, option, written, powered):
    guest.option = {"key": "agent", **option}
    planned = run("enable", _ansible_check_mode=True)
    assert guest.powered == []
    done = run("enable")
    assert (done["actions"], done["changed"]) == (planned["actions"], bool(powered))
    assert guest.option["value"] == written
    assert guest.powered == powered
    assert not run("enable")["changed"]


@pytest.mark.usefixtures("impatient")
def test_enable_leaves_a_stopped_guest_stopped_and_forces_nothing(run, guest):
    guest.status = {"status": "stopped"}
    guest.option = {"key": "agent"}
    assert run("enable")["changed"]
    assert guest.powered == []
    guest.status = {"status": "running"}
    guest.option = {"key": "agent", "value": "0", "pending": "1"}
    guest.power_results["shutdown"] = "VM quit/powerdown failed - got timeout"
    assert "force_stop" in run("enable", timeout=0)["msg"]
    assert guest.status["status"] == "running"
