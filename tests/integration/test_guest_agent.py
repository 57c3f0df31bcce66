# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Agents that answer and agents that are silent, each for a real cause: QEMU runs the guests, and qemu-ga runs in them.

Not here: node_offline, which needs a second node, and has its unit tests.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from module_runs import PATIENCE, Playground
from playbook_runs import BINARIES
from practice_lab import Lab

IMAGE = "/usr/share/practice-node/guests/tiny.raw"
PASSWORD = "a-word-for-no-log-77"
DISK = f"--scsihw virtio-scsi-pci --scsi0 local:0,import-from={IMAGE}"
GUESTS = {
    100: f"--name well --agent 1 --tags web --ide2 local:cloudinit --ipconfig0 ip=10.99.0.100/24 {DISK}",
    101: f"--name hung --agent 1 --smbios1 serial=agenthung {DISK}",
    102: f"--name late --agent 1 --smbios1 serial=agentoff --ipconfig0 ip=10.99.0.102/24 {DISK}",
    103: "--name disabled",
    104: "--name stopped --agent 1",
    105: "--name restart",
    106: f"--name portless {DISK}",
}


@pytest.fixture(scope="module")
def node(make_lab: Callable[[], Lab], tmp_path_factory: pytest.TempPathFactory) -> Playground:
    ground = Playground(make_lab().up(["pve1"], settings={"guests": "tiny"}), tmp_path_factory.mktemp("agent"))

    def make(vmid: int) -> None:
        ground.on("pve1", f"qm create {vmid} --memory 128 --net0 virtio,bridge=vmbr0 {GUESTS[vmid]} >&2")

    for vmid in (100, 101):
        make(vmid)
        ground.on("pve1", f"qm start {vmid}")
    for vmid in (103, 104, 105):
        make(vmid)
    ground.on("pve1", "qm start 103; qm start 105; qm set 105 --agent 1")
    ground.wait("pve1", "qm agent 100 ping")
    # Its first bytes come when the daemon opens the port, just before it is stopped for good.
    ground.wait("pve1", "pvesh create /nodes/pve1/qemu/101/monitor --command 'info qtree' | grep -q 'guest on'")
    for vmid in (102, 106):
        make(vmid)
        ground.on("pve1", f"qm start {vmid}")
    # As if somebody had edited the file: the running machine knows nothing of it.
    ground.on("pve1", "sed -i '1i agent: 1' /etc/pve/qemu-server/106.conf")
    return ground


def facts(node: Playground, **arguments: Any) -> dict[int, dict[str, Any]]:
    result = node.change("pve1", "guest_agent_facts", **arguments)
    return {guest["vmid"]: guest for guest in result["guests"]}


def act(node: Playground, action: str, vmid: int = 100, **arguments: Any) -> dict[str, Any]:
    return node.call("pve1", "guest_agent", action=action, vmid=vmid, **arguments)


def test_each_silent_agent_has_its_reason(node: Playground) -> None:
    guests = facts(node, all=True)
    assert {vmid: guest["reason"] for vmid, guest in guests.items()} == {
        100: "ok",
        101: "hung_or_busy",
        102: "booting",
        103: "agent_disabled",
        104: "vm_stopped",
        105: "restart_required",
        106: "device_missing",
    }
    assert all(guest["remedy"] for vmid, guest in guests.items() if vmid != 100)
    assert (guests[100]["primary_ipv4"], guests[100]["os"]["id"]) == ("10.99.0.100", "labguest")
    assert guests[102]["configured_addresses"] == ["10.99.0.102"]


def test_reasons_that_depend_on_time_place_and_right(node: Playground) -> None:
    assert facts(node, vmids=[102, 999], boot_time=0)[102]["reason"] == "not_listening"
    assert facts(node, vmid=999)[999]["reason"] == "vm_not_found"
    secret = node.on(
        "pve1",
        "pveum user add looker@pve; pveum acl modify / --users looker@pve --roles PVEAuditor;"
        "pveum role add Blind --privs VM.Audit; pveum acl modify /vms/100 --users looker@pve --roles Blind;"
        "pveum user token add looker@pve t1 --privsep 0 --output-format json",
    )
    token = json.loads(secret.strip().splitlines()[-1])["value"]
    access = {"transport": "api", "api_host": "127.0.0.1", "validate_certs": False}
    seen = facts(node, vmid=100, **access, api_token_id="looker@pve!t1", api_token_secret=token)[100]
    assert seen["reason"] == "permission_denied"
    assert "VM.GuestAgent.Audit" in seen["remedy"]


def test_programs_end_as_they_ended(node: Playground) -> None:
    done = act(node, "exec", command=["sh", "-c", "echo grüß; echo err >&2; exit 3"])
    assert (done["rc"], done["stdout"], done["stderr"]) == (3, "grüß\n", "err\n")
    assert not done["ok"]
    assert "no such program" in act(node, "exec", command=["no-such-program"])["msg"]
    assert act(node, "exec", command=["sh", "-c", "kill -9 $$"])["signal"] == 9
    assert act(node, "exec", command=["sleep", "60"], timeout=1)["timed_out"]
    assert "hung_or_busy" in act(node, "exec", 101, command=["true"])["msg"]


def test_a_large_file_arrives_once(node: Playground) -> None:
    node.on("pve1", "head -c 200000 /dev/urandom > /root/large")
    assert act(node, "write", path="/tmp/large", src="/root/large")["changed"]
    assert not act(node, "write", path="/tmp/large", src="/root/large")["changed"]
    inside = json.loads(node.on("pve1", "qm guest exec 100 -- md5sum /tmp/large"))["out-data"].split()[0]
    assert inside in node.on("pve1", "md5sum /root/large")


def test_a_password_is_nowhere_but_in_the_guest(node: Playground) -> None:
    node.on("pve1", "qm guest exec 100 -- ln -s /lib/chpasswd /usr/sbin/chpasswd")
    before = node.on("pve1", "qm guest exec 100 -- cat /etc/shadow")
    done = node.call("pve1", "guest_agent", "-vvv", action="set_password", vmid=100, user="root", password=PASSWORD)
    assert done["ok"], done["output"]
    assert node.on("pve1", "qm guest exec 100 -- cat /etc/shadow") != before
    assert PASSWORD not in done["output"].replace(json.dumps(PASSWORD), "", 0)
    leaks = f"journalctl --no-pager | grep -c {PASSWORD}; grep -rlF {PASSWORD} /var/log /run /etc /root/.ansible /tmp"
    assert node.on("pve1", leaks).strip() == "0"


def test_freeze_kill_and_the_next_run_thaws(node: Playground) -> None:
    node.on("pve1", "qm guest exec 100 -- mount /dev/sda2 /data")
    arguments = {"action": "frozen_command", "vmid": 100, "command": ["sleep", "600"], "thaw_after": 900}
    controller = node.start("pve1", "guest_agent", arguments)
    marker = "/run/baremetal-proxmox/frozen/100.json"
    node.wait("pve1", "qm guest cmd 100 fsfreeze-status | grep -qx frozen && pgrep -x sleep")
    holder = re.search(r'"process": (\d+)', node.on("pve1", f"cat {marker}"))
    assert holder
    assert facts(node, vmid=100)[100]["reason"] == "frozen"
    # While it is held, nobody takes it away.
    assert act(node, "ping")["reason"] == "frozen"
    node.on("pve1", f"kill -9 {holder[1]}; pkill -x sleep")
    controller.wait(PATIENCE)
    assert "frozen" in node.on("pve1", "qm guest cmd 100 fsfreeze-status")
    again = act(node, "ping")
    assert (again["reason"], again["thawed_leftover"]) == ("ok", True)
    assert "thawed" in node.on("pve1", "qm guest cmd 100 fsfreeze-status")
    assert (
        node.on("pve1", f"ls {marker} 2>/dev/null; systemctl list-timers --no-legend 'baremetal-proxmox-thaw*'") == ""
    )


def test_the_timer_thaws_when_nobody_comes_back(node: Playground) -> None:
    assert act(node, "freeze", thaw_after=3)["filesystems"] == 1
    node.wait("pve1", "qm guest cmd 100 fsfreeze-status | grep -qx thawed")


def test_guests_are_hosts_and_their_agents_are_connections(node: Playground, tmp_path: Path) -> None:
    plugin = tmp_path / "lab.proxmox_guests.yml"
    plugin.write_text(
        "plugin: baremetal.proxmox.proxmox_guests\n"
        "compose: {ansible_connection: \"'baremetal.proxmox.proxmox_guest'\"}\n",
        encoding="utf-8",
    )
    sources = ["-i", str(node.controller.inventory), "-i", str(plugin)]
    told = node.controller.run([str(BINARIES / "ansible-inventory"), *sources, "--list"], node.environment()).check()
    # What comes from outside is marked as no template; the listing shows the mark.
    inventory = json.loads(told.stdout, object_hook=lambda value: value.get("__ansible_unsafe", value))
    assert inventory["agent_reason_ok"]["hosts"] == inventory["tag_web"]["hosts"] == ["well"]
    hosts = inventory["_meta"]["hostvars"]
    assert (hosts["well"]["ansible_host"], hosts["well"]["proxmox_address_source"]) == ("10.99.0.100", "agent")
    assert (hosts["late"]["ansible_host"], hosts["late"]["proxmox_address_source"]) == ("10.99.0.102", "ipconfig")
    script = tmp_path / "script.sh"
    script.write_text("#!/bin/sh\nhostname; id -u\n# " + "x" * 100_000 + "\n", encoding="utf-8")
    calls = [("well", "script", str(script)), ("hung", "raw", "true")]
    outputs = [
        node.controller.run(
            [str(BINARIES / "ansible"), host, *sources, "-m", module, "-a", argument], node.environment()
        )
        for host, module, argument in calls
    ]
    assert outputs[0].rc == 0, outputs[0].output
    assert "well" in outputs[0].stdout
    assert outputs[1].rc != 0
    assert "hung_or_busy" in outputs[1].words


def test_a_command_that_the_guest_blocks(node: Playground) -> None:
    restart = "sleep 1; killall qemu-ga; sleep 1; qemu-ga --daemonize --block-rpcs=guest-get-osinfo"
    node.on("pve1", f"qm guest exec 100 --synchronous 0 -- sh -c '{restart}'; sleep 3")
    node.wait("pve1", "qm agent 100 ping")
    seen = facts(node, vmid=100, wait=True)[100]
    assert (seen["reason"], seen["available"]) == ("command_disabled", True)
    assert "guest-get-osinfo" in seen["remedy"]


def test_a_paused_machine(node: Playground) -> None:
    node.on("pve1", "qm suspend 102")
    assert facts(node, vmid=102)[102]["reason"] == "vm_paused"


def test_the_host_gives_the_port_and_the_agent_answers(node: Playground) -> None:
    """The last rung, since this guest hears ACPI only when it has booted."""
    started = time.time()
    done = act(node, "enable", 106, timeout=60, force_stop=True)
    assert done["actions"] == ["Stop the virtual machine and start it again."], done["output"]
    seen = facts(node, vmid=106, wait=True, timeout=int(PATIENCE))[106]
    assert seen["reason"] == "ok", (seen, time.time() - started)
    assert not act(node, "enable", 106)["changed"]
    assert act(node, "shutdown", 106, timeout=60, force_stop=True)["changed"]
    assert facts(node, vmid=106)[106]["reason"] == "vm_stopped"
