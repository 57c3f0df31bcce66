# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults inside a node are really there, and healing removes them."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from busy_machine import allow
from practice_lab import Lab, LabError


@pytest.fixture(scope="module")
def lab(make_lab: Callable[[], Lab]) -> Lab:
    return make_lab().up(["pve1", "pve2"])


@pytest.fixture(autouse=True)
def whole_again(lab: Lab):
    yield
    lab.heal()
    assert lab.faults() == []


def run(lab: Lab, *argv: str) -> str:
    return lab.node("pve1").run(argv).stdout


def banner_comes(lab: Lab, seconds: float = 1.0) -> bool:
    """Does anybody answer at the SSH port, apart from the kernel that accepts the connection?"""
    program = (
        f"import socket; s = socket.create_connection(('10.99.0.11', 22), 1); s.settimeout({seconds}); print(s.recv(4))"
    )
    return lab.node("pve2").run(["python3", "-c", program]).stdout == "b'SSH-'\n"


def test_a_hung_daemon_holds_its_port_and_says_nothing(lab: Lab):
    with lab.fault("hang", "pve1", unit="ssh"):
        assert run(lab, "systemctl", "is-active", "ssh") == "active\n"
        program = "import socket; socket.create_connection(('10.99.0.11', 22), 1); print('accepted')"
        assert lab.node("pve2").run(["python3", "-c", program]).stdout == "accepted\n"
        assert not banner_comes(lab)
    assert banner_comes(lab, 5)


def test_a_killed_daemon_stays_dead_until_healed(lab: Lab):
    with lab.fault("kill-daemon", "pve1", unit="cron"):
        time.sleep(0.5)
        assert run(lab, "pgrep", "-x", "cron") == ""
        assert lab.node("pve1").run(["systemctl", "start", "cron"]).rc != 0
        assert run(lab, "pgrep", "-x", "cron") == ""
    # A started process bears its unit's name until it has become the program.
    deadline = time.monotonic() + allow(10)
    while run(lab, "pgrep", "-x", "cron") == "":
        assert time.monotonic() < deadline, "cron does not come back"
        time.sleep(0.1)


def test_a_daemon_can_die_once_and_be_restarted_by_systemd(lab: Lab):
    before = run(lab, "systemctl", "show", "-P", "MainPID", "cron")
    lab.fault("kill-daemon", "pve1", unit="cron", restart=True)
    deadline = time.monotonic() + allow(10)
    while (after := run(lab, "systemctl", "show", "-P", "MainPID", "cron")) in (
        before,
        "0\n",
    ) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert after not in (before, "0\n")


def test_dropped_ssh_sessions_break_and_new_ones_work(lab: Lab):
    from practice_lab.controller import enter_command

    lab.ssh("pve1", "true").check()
    script = 'exec ssh -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR root@10.99.0.11 "echo in; sleep 60"'
    environment = {
        "PATH": "/usr/bin:/bin",
        "PRACTICE_PASSWORD": "pvelab",
        "SSH_ASKPASS": str(lab.directory / "askpass"),
        "SSH_ASKPASS_REQUIRE": "force",
    }
    session = subprocess.Popen(
        enter_command(lab, ["sh", "-c", script]),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    )
    assert session.stdout and session.stdout.readline() == b"in\n"
    lab.fault("drop-ssh", "pve1")
    _, errors = session.communicate(timeout=allow(10))
    assert session.returncode == 255, errors
    assert lab.ssh("pve1", "echo again").stdout == "again\n"
    assert lab.faults() == []


def test_a_changed_host_key_is_noticed_by_those_who_know_the_old_one(lab: Lab, tmp_path: Path):
    known = ["-o", f"UserKnownHostsFile={tmp_path / 'known'}", "-o", "StrictHostKeyChecking=yes"]
    scan = lab.exec(["ssh-keyscan", "-t", "ed25519", "10.99.0.11"]).check().stdout
    (tmp_path / "known").write_text(scan)

    # The first of two equal options counts, so these stand before the lab's own.
    def connect():
        return lab.exec(["ssh", *known, "-o", "BatchMode=yes", "root@10.99.0.11", "true"]).stderr

    assert "Permission denied" in connect()
    with lab.fault("host-key", "pve1"):
        assert "REMOTE HOST IDENTIFICATION HAS CHANGED" in connect()
    assert "Permission denied" in connect()


def test_a_changed_password_locks_out(lab: Lab):
    with lab.fault("password", "pve1"):
        assert "Permission denied" in lab.ssh("pve1", "true").stderr
        assert lab.ssh("pve2", "true").rc == 0
    assert lab.ssh("pve1", "true").rc == 0


def test_the_own_name_can_lead_to_loopback(lab: Lab):
    lab.node("pve1").run(["sh", "-c", "echo 10.99.0.12 pve2 >>/etc/hosts"]).check()
    with lab.fault("loopback-name", "pve1"):
        assert run(lab, "getent", "ahostsv4", "pve1").split()[0] == "127.0.1.1"
        assert run(lab, "getent", "hosts", "pve2").split()[0] == "10.99.0.12"
    assert run(lab, "getent", "ahostsv4", "pve1").split()[0] == "10.99.0.11"


def test_two_nodes_can_have_one_name(lab: Lab):
    node = lab.node("pve2")
    with lab.fault("duplicate-name", "pve2", other="pve1"):
        assert (
            node.run(["hostname", "-f"]).stdout == "pve1.lab.local\n" == lab.node("pve1").run(["hostname", "-f"]).stdout
        )
        assert node.run(["getent", "ahostsv4", "pve1"]).stdout.split()[0] == "10.99.0.12"
        assert lab.ssh("pve2", "hostname").stdout == "pve1\n"
    assert node.run(["hostname", "-f"]).stdout == "pve2.lab.local\n"


@pytest.mark.parametrize("offset", [3600, -86400])
def test_a_wrong_clock_is_seen_by_every_program_and_only_there(lab: Lab, offset: int):
    program = "import time; a = time.monotonic(); time.sleep(0.2); print(time.time(), 0.15 < time.monotonic() - a < 5)"
    host = time.monotonic()
    with lab.fault("clock", "pve1", seconds=offset):
        for seconds in (
            run(lab, "date", "+%s"),
            run(lab, "perl", "-e", "print time"),
            lab.ssh("pve1", "date +%s").stdout,
        ):
            assert abs(float(seconds) - time.time() - offset) < 30
        now, monotonic_works = run(lab, "python3", "-c", program).split()
        assert abs(float(now) - time.time() - offset) < 30 and monotonic_works == "True"
        assert abs(float(lab.node("pve2").run(["date", "+%s"]).stdout) - time.time()) < 30
        # Services that ran before have been started again with it.
        leader = run(lab, "systemctl", "show", "-P", "MainPID", "cron").strip()
        assert "libfaketime" in run(lab, "cat", f"/proc/{leader}/maps")
    assert time.monotonic() - host < 300
    assert abs(float(run(lab, "date", "+%s")) - time.time()) < 30
    assert abs(float(lab.ssh("pve1", "date +%s").stdout) - time.time()) < 30


def test_leftover_authkey(lab: Lab):
    with lab.fault("leftover-authkey", "pve1"):
        assert run(lab, "stat", "-c", "%a %s", "/etc/corosync/authkey") == "400 256\n"
    assert lab.node("pve1").run(["test", "-e", "/etc/corosync/authkey"]).rc == 1


def test_a_full_disk_takes_no_byte(lab: Lab):
    node = lab.node("pve1")
    with lab.fault("full-disk", "pve1"):
        for place in ("/root/new", "/var/log/new", "/etc/corosync/new"):
            done = node.run(["dd", "if=/dev/zero", f"of={place}", "bs=4096", "count=1"])
            assert done.rc != 0 and "No space left on device" in done.stderr
        assert " 100% " in run(lab, "df", "/")
        assert "No space left on device" in lab.ssh("pve1", "cp /etc/services /root/copy").stderr
    node.run(["cp", "/etc/services", "/root/copy"]).check()
    with lab.fault("full-disk", "pve1", free=1 << 20):
        node.run(["dd", "if=/dev/zero", "of=/root/small", "bs=100k", "count=1"]).check()
        assert node.run(["dd", "if=/dev/zero", "of=/root/large", "bs=100k", "count=40"]).rc != 0


def test_power_can_be_cut_with_a_full_disk(lab: Lab):
    lab.fault("full-disk", "pve1")
    lab.node("pve1").kill()
    lab.heal()
    lab.up()
    lab.node("pve1").run(["cp", "/etc/services", "/root/copy2"]).check()


def test_faults_of_a_node_that_is_reinstalled_are_gone_those_on_the_wire_stay(lab: Lab):
    lab.fault("password", "pve2")
    lab.fault("cut", "pve2", protocol="udp", port=5405)
    lab.reinstall("pve2")
    assert lab.ssh("pve2", "true").rc == 0
    assert [fault.record.fault for fault in lab.faults()] == ["cut"]


def test_unknown_faults_and_options_are_refused(lab: Lab):
    for name, options in (("fire", {}), ("hang", {}), ("clock", {"seconds": "soon"}), ("password", {"colour": "red"})):
        with pytest.raises(LabError):
            lab.fault(name, "pve1", **options)
    with pytest.raises(LabError):
        lab.fault("hang", "pve9", unit="ssh")
    assert lab.faults() == []
