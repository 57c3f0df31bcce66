# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real guests: QEMU processes with the real agent in them, its ways of being silent, and nothing left of them afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from busy_machine import allow
from practice_lab import Completed, Lab

IMAGE = "/usr/share/practice-node/guests/tiny.raw"
CREATE = (
    "qm create {id} --name g{id} --memory 128 --net0 virtio,bridge=vmbr0 --scsihw virtio-scsi-pci"
    f" --scsi0 local:0,import-from={IMAGE} --ide2 local:cloudinit --ipconfig0 ip=10.99.0.{{id}}/24 {{more}} && qm start {{id}}"
)
ANSWERING, HUNG, SILENT, WITHOUT_PORT = 100, 101, 102, 103
MACHINES = {
    ANSWERING: "--agent 1",
    HUNG: "--agent 1 --smbios1 serial=agenthung",
    SILENT: "--agent 1 --smbios1 serial=agentoff",
    WITHOUT_PORT: "--agent 0",
}
NOT_RUNNING = "QEMU guest agent is not running\n"
HOLD_THE_SOCKET = """
import socket, sys
with socket.socket(socket.AF_UNIX) as client:
    client.connect("/var/run/qemu-server/100.qga")
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(scope="module")
def lab(make_lab: Callable[[], Lab]) -> Lab:
    lab = make_lab().up(["pve1"], settings={"guests": "tiny", "guests_have_agent": True})
    for guest_id, more in MACHINES.items():
        sh(lab, CREATE.format(id=guest_id, more=more)).check()
    wait_for_agent(lab, ANSWERING)
    return lab


def sh(lab: Lab, script: str) -> Completed:
    return lab.node("pve1").run(["sh", "-c", script], timeout=allow(90))


def answer(lab: Lab, script: str) -> object:
    return json.loads(sh(lab, script).check().stdout)


def wait_for_agent(lab: Lab, guest_id: int) -> None:
    deadline = time.monotonic() + allow(60)
    while sh(lab, f"qm agent {guest_id} ping").rc:
        assert time.monotonic() < deadline, f"the agent of {guest_id} does not answer"


def wait_for_port(lab: Lab, guest_id: int, state: str) -> None:
    """Until QEMU says whether somebody in the guest holds the agent's port."""
    deadline = time.monotonic() + allow(60)
    while f"port 1, guest {state}," not in sh(lab, monitor(guest_id, "info qtree")).stdout:
        assert time.monotonic() < deadline, f"the port of {guest_id} is not {state}"


def monitor(guest_id: int, command: str) -> str:
    return f"pvesh create /nodes/pve1/qemu/{guest_id}/monitor --command '{command}'"


def processes(guest_id: int) -> list[int]:
    """The machine's QEMU as the host sees it, in whichever lab."""
    found = []
    for entry in os.listdir("/proc"):
        try:
            command = Path(f"/proc/{entry}/cmdline").read_bytes() if entry.isdigit() else b""
        except (FileNotFoundError, ProcessLookupError):
            continue
        if command.startswith(f"/usr/bin/kvm -id {guest_id}\0".encode()):
            found.append(int(entry))
    return found


def same_network(lab: Lab, pids: list[int]) -> list[int]:
    leader = lab.node("pve1").leader()
    return [pid for pid in pids if os.readlink(f"/proc/{pid}/ns/net") == os.readlink(f"/proc/{leader}/ns/net")]


def test_the_guest_has_its_name_and_its_address(lab: Lab):
    interfaces = answer(lab, f"qm guest cmd {ANSWERING} network-get-interfaces")
    assert [interface["name"] for interface in interfaces] == ["lo", "eth0"]
    assert "10.99.0.100" in [address["ip-address"] for address in interfaces[1]["ip-addresses"]]
    assert answer(lab, f"qm guest cmd {ANSWERING} get-host-name") == {"host-name": "g100"}
    assert lab.exec(["ping", "-c1", "-W3", "10.99.0.100"]).rc == 0


def test_programs_end_as_they_end(lab: Lab):
    done = answer(lab, f"qm guest exec {ANSWERING} -- sh -c 'echo out; echo err >&2; exit 3'")
    assert (done["exitcode"], done["out-data"], done["err-data"]) == (3, "out\n", "err\n")
    assert answer(lab, f"qm guest exec {ANSWERING} -- sh -c 'kill -9 $$'") == {"exited": 1, "signal": 9}
    given = answer(lab, f"echo hello | qm guest exec {ANSWERING} --pass-stdin 1 -- cat")
    assert given["out-data"] == "hello\n"
    missing = sh(lab, f"qm guest exec {ANSWERING} -- /nosuch")
    assert missing.rc == 29
    assert "Failed to execute child process “/nosuch”" in missing.stderr


def test_files_come_back_as_they_were_written(lab: Lab):
    agent = f"/nodes/pve1/qemu/{ANSWERING}/agent"
    sh(lab, f"pvesh create {agent}/file-write --file /tmp/x --content 'one two'").check()
    assert answer(lab, f"pvesh get {agent}/file-read --file /tmp/x --output-format json") == {
        "bytes-read": 7,
        "content": "one two",
    }
    assert sh(lab, f"pvesh get {agent}/file-read --file /nosuch").rc == 29


def test_an_agent_that_hangs_and_none_at_all_look_the_same_but_for_the_port(lab: Lab):
    wait_for_port(lab, HUNG, "on")
    wait_for_port(lab, SILENT, "off")
    for guest_id in (HUNG, SILENT):
        begin = time.monotonic()
        done = sh(lab, f"qm agent {guest_id} ping")
        assert (done.rc, done.stderr) == (255, NOT_RUNNING)
        assert time.monotonic() - begin >= 3


def test_the_port_comes_with_the_next_start(lab: Lab):
    assert sh(lab, f"qm agent {WITHOUT_PORT} ping").stderr == NOT_RUNNING
    sh(lab, f"qm set {WITHOUT_PORT} --agent 1").check()
    assert "org.qemu.guest_agent.0" not in sh(lab, monitor(WITHOUT_PORT, "info qtree")).check().stdout
    assert sh(lab, f"test -e /var/run/qemu-server/{WITHOUT_PORT}.qga").rc == 1
    sh(lab, f"qm stop {WITHOUT_PORT} && qm start {WITHOUT_PORT}").check()
    wait_for_agent(lab, WITHOUT_PORT)


def test_the_socket_serves_one_client(lab: Lab):
    command = lab.node("pve1").command(["python3", "-c", HOLD_THE_SOCKET])
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout.readline() == "held\n"
        assert sh(lab, f"qm agent {ANSWERING} ping").stderr == NOT_RUNNING
    wait_for_agent(lab, ANSWERING)


def test_a_paused_guest_is_silent_until_it_goes_on(lab: Lab):
    sh(lab, f"qm suspend {ANSWERING}").check()
    assert "paused" in sh(lab, monitor(ANSWERING, "info status")).stdout
    assert sh(lab, f"qm agent {ANSWERING} ping").stderr == NOT_RUNNING
    sh(lab, f"qm resume {ANSWERING}").check()
    wait_for_agent(lab, ANSWERING)


def test_a_frozen_guest_refuses_most_commands(lab: Lab):
    sh(lab, f"qm guest exec {ANSWERING} -- mount /dev/sda2 /data").check()
    assert sh(lab, f"qm guest cmd {ANSWERING} fsfreeze-freeze").check().stdout == "1\n"
    assert sh(lab, f"qm guest cmd {ANSWERING} fsfreeze-status").stdout == "frozen\n"
    refused = answer(lab, f"qm guest cmd {ANSWERING} get-osinfo")
    assert refused["error"]["class"] == "CommandNotFound"
    assert sh(lab, f"qm guest cmd {ANSWERING} fsfreeze-thaw").check().stdout == "1\n"
    assert sh(lab, f"qm guest cmd {ANSWERING} fsfreeze-status").stdout == "thawed\n"


def test_machines_without_a_disk_have_a_stand_in(lab: Lab):
    card = "--agent 1 --net0 virtio=BC:24:11:00:00:01,bridge=vmbr0 --ipconfig0 ip=10.99.0.110/24"
    sh(lab, f"qm create 110 --name many {card} && qm start 110").check()
    sh(lab, f"qm create 111 {card} --smbios1 serial=agenthung && qm start 111").check()
    _loopback, interface = answer(lab, "qm guest cmd 110 network-get-interfaces")
    assert interface["ip-addresses"][0]["ip-address"] == "10.99.0.110"
    assert sh(lab, "qm agent 111 ping").stderr == NOT_RUNNING
    assert "port 1, guest on," in sh(lab, monitor(111, "info qtree")).stdout


def test_a_shutdown_by_the_agent_leaves_nothing(lab: Lab):
    assert len(same_network(lab, processes(ANSWERING))) == 1
    sh(lab, f"qm shutdown {ANSWERING} --timeout {int(allow(60))}").check()
    assert same_network(lab, processes(ANSWERING)) == []
    assert sh(lab, f"ip link show tap{ANSWERING}i0").rc == 1
    assert sh(lab, f"ls /var/run/qemu-server | grep ^{ANSWERING}").stdout == ""


def test_the_power_button_works_without_an_agent(lab: Lab):
    done = sh(lab, f"qm shutdown {SILENT} --timeout {int(allow(60))}").check()
    assert done.stdout.startswith(
        "QEMU Guest Agent is not running - VM 102 qga command 'guest-ping' failed - got timeout"
    )
    assert sh(lab, f"qm status {SILENT}").stdout == "status: stopped\n"


def test_a_process_that_was_killed_is_a_stopped_machine(lab: Lab):
    sh(lab, f"kill -9 $(cat /var/run/qemu-server/{WITHOUT_PORT}.pid)").check()
    deadline = time.monotonic() + allow(10)
    while sh(lab, f"qm status {WITHOUT_PORT}").stdout != "status: stopped\n":
        assert time.monotonic() < deadline
    sh(lab, f"qm start {WITHOUT_PORT} && qm stop {WITHOUT_PORT}").check()


def test_nothing_is_left_when_the_node_loses_its_power(lab: Lab):
    pids = same_network(lab, processes(HUNG))
    assert len(pids) == 1
    lab.node("pve1").kill()
    assert not set(pids) & set(processes(HUNG))
