# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster modules over real SSH on practice nodes: made, stopped half way in every way, finished, taken back, left.

The tests stand in the order of a cluster's life and share one lab.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from practice_lab import Lab

ROOT = Path(__file__).resolve().parents[2]
ANSIBLE = Path(sys.executable).parent / "ansible"
ADDRESS = {"pve1": "10.99.0.11", "pve2": "10.99.0.12", "pve3": "10.99.0.13"}
SEED = {"state": "joined", "cluster_name": "lab", "seeds": [ADDRESS["pve1"]]}


class Playground:
    """A lab, and Ansible run against it."""

    def __init__(self, lab: Lab, directory: Path) -> None:
        self.lab = lab
        self._directory = directory
        lines = [f"{name} ansible_host={address}" for name, address in ADDRESS.items()]
        key = directory / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
        public = key.with_suffix(".pub").read_text(encoding="utf-8")
        for name in ADDRESS:
            # Outside pmxcfs, so that the node can be reached while /etc/pve is away.
            lab.node(name).run(
                ["sh", "-c", "cat >> /root/.ssh/authorized_keys2; chmod 600 /root/.ssh/authorized_keys2"], public
            )
        (directory / "hosts").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (directory / "ansible.cfg").write_text(
            "[defaults]\nhost_key_checking = False\nremote_user = root\ninterpreter_python = /usr/bin/python3\n"
            f"collections_path = {ROOT / 'build' / 'link'}\nprivate_key_file = {key}\nlocal_tmp = {directory / 'tmp'}\n"
            "[ssh_connection]\npipelining = True\n"
            f"control_path_dir = {directory / 'cp'}\n"
            "ssh_args = -o UserKnownHostsFile=/dev/null -o ControlMaster=no -o LogLevel=ERROR\n",
            encoding="utf-8",
        )

    def command(self, host: str, module: str, arguments: dict[str, Any], *flags: str) -> list[str]:
        call = [str(ANSIBLE), host, "-i", str(self._directory / "hosts"), "-m", f"baremetal.proxmox.{module}"]
        words = ["-a", json.dumps(arguments)] if arguments else []
        environment = f"ANSIBLE_CONFIG={self._directory / 'ansible.cfg'}"
        return ["env", environment, "ANSIBLE_NOCOLOR=1", *call, *words, *flags]

    def call(self, host: str, module: str, *flags: str, **arguments: Any) -> dict[str, Any]:
        done = self.lab.exec(self.command(host, module, arguments, *flags), timeout=600)
        start = re.search(rf"^{host} \| \S+ => ", done.stdout, re.MULTILINE)
        assert start, done.stdout + done.stderr
        result = json.JSONDecoder().raw_decode(done.stdout[start.end() :])[0]
        return {**result, "ok": done.rc == 0, "output": done.stdout + done.stderr}

    def change(self, host: str, module: str, **arguments: Any) -> dict[str, Any]:
        result = self.call(host, module, **arguments)
        assert result["ok"], result["output"]
        return result

    def info(self, host: str, **arguments: Any) -> dict[str, Any]:
        return self.change(host, "proxmox_cluster_info", **arguments)

    def state(self, host: str) -> str:
        return str(self.info(host)["node_state"])

    def on(self, host: str, script: str) -> str:
        return self.lab.node(host).run(["sh", "-c", script], timeout=120).stdout

    def trust(self, joiner: str, seed: str) -> None:
        """What the SSH role prepares: the joiner's key on the seed, the seed's host key on the joiner."""
        key = self.on(joiner, "cat /root/.ssh/id_rsa.pub").strip()
        self.on(
            seed, f"grep -qF '{key}' /etc/pve/priv/authorized_keys || echo '{key}' >> /etc/pve/priv/authorized_keys"
        )
        host_key = " ".join(self.on(seed, "cat /etc/ssh/ssh_host_ed25519_key.pub").split()[:2])
        self.on(joiner, f"echo '{ADDRESS[seed]} {host_key}' >> /root/.ssh/known_hosts")

    def healthy(self, *members: str) -> None:
        for name in members:
            seen = self.info(name, cluster_name="lab", expected_members=list(members), wait=60)
            assert seen["health"], seen["problems"]

    def wait(self, host: str, script: str, patience: float = 90) -> None:
        deadline = time.monotonic() + patience
        while self.lab.node(host).run(["sh", "-c", script]).rc != 0:
            assert time.monotonic() < deadline, f"{host}: {script}"
            time.sleep(0.2)


@pytest.fixture(scope="module")
def nodes(make_lab: Callable[[], Lab], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Playground]:
    lab = make_lab()
    lab.up(list(ADDRESS))
    playground = Playground(lab, tmp_path_factory.mktemp("ansible"))
    for name in ADDRESS:
        playground.wait(
            name, "test -s /etc/pve/local/pve-ssl.pem && test -s /root/.ssh/id_rsa.pub && ss -Hltn | grep -q :8006"
        )
    yield playground


def traces(nodes: Playground, host: str) -> str:
    return nodes.on(host, "find /etc/pve /etc/corosync /root /var/lib/corosync /etc/ssh -newer /proc/1 -type f | sort")


def test_check_mode_tells_the_plan_and_leaves_no_trace(nodes):
    before = {name: traces(nodes, name) for name in ("pve1", "pve2")}
    founder = nodes.call("pve1", "proxmox_cluster", "--check", state="present", cluster_name="lab")
    joiner = nodes.call("pve2", "proxmox_cluster", "--check", founder_planned=True, **SEED)
    assert founder["changed"] and joiner["changed"]
    assert founder["plan"][0] == "Create the cluster lab."
    assert joiner["plan"][0] == "Join the cluster lab through 10.99.0.11."
    assert {name: traces(nodes, name) for name in before} == before
    assert nodes.state("pve1") == nodes.state("pve2") == "standalone"


def test_create_is_writable_when_it_returns_and_done_once(nodes):
    created = nodes.change("pve1", "proxmox_cluster", state="present", cluster_name="lab")
    assert (created["node_state_before"], created["node_state"]) == ("standalone", "member")
    assert nodes.lab.node("pve1").run(["sh", "-c", "touch /etc/pve/probe && rm /etc/pve/probe"]).rc == 0
    assert not nodes.change("pve1", "proxmox_cluster", state="present", cluster_name="lab")["changed"]


def test_join_without_trust_says_what_is_missing_and_touches_nothing(nodes):
    refused = nodes.call("pve2", "proxmox_cluster", **SEED)
    assert not refused["ok"]
    assert refused["error"] == "Unreachable"
    assert "id_rsa.pub" in refused["msg"] and "known_hosts" in refused["msg"]
    assert nodes.state("pve2") == "standalone"


def test_join_and_nothing_on_the_second_run(nodes):
    nodes.trust("pve2", "pve1")
    joined = nodes.change("pve2", "proxmox_cluster", **SEED)
    assert joined["members"] == ["pve1", "pve2"]
    assert joined["log"][-1] == "successfully added node 'pve2' to cluster."
    nodes.healthy("pve1", "pve2")
    assert not nodes.change("pve2", "proxmox_cluster", **SEED)["changed"]
    refused = nodes.call("pve2", "proxmox_cluster", **(SEED | {"cluster_name": "other"}))
    assert not refused["ok"] and refused["node_state"] == "other_cluster"


def start_join(nodes: Playground) -> subprocess.Popen[bytes]:
    """A join of pve3 in the background; returns once pvecm waits for quorum with the network cut."""
    nodes.trust("pve3", "pve1")
    nodes.lab.fault("cut", "pve3", protocol="udp")
    nodes.on("pve3", "rm -f /var/log/baremetal-proxmox/join.log")
    argv = nodes.command("pve3", "proxmox_cluster", SEED)
    controller = subprocess.Popen(
        [sys.executable, "-c", f"from practice_lab import Lab; Lab({nodes.lab.name!r}).exec({argv!r}, timeout=600)"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests" / "lab")},
        start_new_session=True,
    )
    nodes.wait("pve3", "grep -q 'waiting for quorum' /var/log/baremetal-proxmox/join.log")
    return controller


def test_controller_killed_in_mid_join_and_the_next_run_attaches(nodes):
    controller = start_join(nodes)
    try:
        os.killpg(controller.pid, 9)
        controller.wait()
        nodes.lab.fault("drop-ssh", "pve3")
        assert nodes.state("pve3") == "joining"
        # Two others stay quorate whatever happens to the third.
        assert nodes.info("pve1")["node_state"] == "member"
        nodes.lab.heal("pve3")
        # The module that was killed with its connection may still hold its lease for a moment.
        deadline = time.monotonic() + 60
        while not (finished := nodes.call("pve3", "proxmox_cluster", **SEED))["ok"]:
            assert finished.get("error") == "Locked" and time.monotonic() < deadline, finished["output"]
            time.sleep(1)
    finally:
        nodes.lab.heal("pve3")
    assert finished["node_state"] == "member"
    nodes.healthy("pve1", "pve2", "pve3")


def test_lost_certificate_is_made_again(nodes):
    nodes.on("pve3", "rm /etc/pve/nodes/pve3/pve-ssl.pem /etc/pve/nodes/pve3/pve-ssl.key")
    assert nodes.state("pve3") == "member_without_certificate"
    nodes.change("pve3", "proxmox_cluster", **SEED)
    nodes.healthy("pve1", "pve2", "pve3")


def test_online_node_is_removed_and_separated(nodes):
    assert not nodes.call("pve1", "proxmox_cluster_node", name="pve3")["ok"]
    removed = nodes.change("pve1", "proxmox_cluster_node", name="pve3", online="remove")
    assert removed["members"] == ["pve1", "pve2"]
    assert "pve3" not in nodes.on("pve1", "ls /etc/pve/nodes; cat /etc/pve/priv/authorized_keys")
    boot = nodes.info("pve3")["boot_id"]
    left = nodes.change("pve3", "proxmox_cluster", state="standalone", cluster_name="lab")
    assert left["node_state"] == "standalone"
    assert nodes.on("pve3", "ls /etc/pve/nodes").split() == ["pve3"]
    assert nodes.lab.node("pve3").run(["test", "-s", left["backup_files"][0]]).rc == 0
    assert nodes.info("pve3")["boot_id"] == boot
    nodes.healthy("pve1", "pve2")
    assert not nodes.change("pve1", "proxmox_cluster_node", name="pve3")["changed"]


def test_killed_while_waiting_and_taken_back_on_both_sides(nodes):
    nodes.on("pve3", "echo 'user:keepme@pve:1:0::::::' >> /etc/pve/user.cfg")
    controller = start_join(nodes)
    os.killpg(controller.pid, 9)
    controller.wait()
    nodes.on("pve3", "systemctl kill -s KILL baremetal-proxmox-join; sleep 1")
    assert nodes.state("pve3") == "join_interrupted_waiting_quorum"
    back = {"state": "standalone", "seeds": [ADDRESS["pve1"]]}
    deadline = time.monotonic() + 60
    while not (taken := nodes.call("pve3", "proxmox_cluster", **back))["ok"]:
        assert taken.get("error") == "Locked" and time.monotonic() < deadline, taken["output"]
        time.sleep(1)
    nodes.lab.heal("pve3")
    assert taken["node_state"] == "standalone"
    assert "keepme@pve" in nodes.on("pve3", "cat /etc/pve/user.cfg")
    nodes.healthy("pve1", "pve2")


def plant(nodes: Playground, point: str) -> None:
    """Bring pve3 to where a join that is killed leaves it."""
    added = "pvecm addnode pve3 --new_node_ip 10.99.0.13 --apiversion 1 > /dev/null"
    nodes.on("pve1", added)
    if point == "added":
        return
    for name in ("authkey", "corosync.conf"):
        content = nodes.lab.node("pve1").root / "etc" / "corosync" / name
        (nodes.lab.node("pve3").root / "etc" / "corosync" / name).write_bytes(content.read_bytes())
    if point == "database deleted":
        nodes.on("pve3", "systemctl stop pve-cluster; sqlite3 /var/lib/pve-cluster/config.db .dump > /dev/null")
        nodes.on("pve3", "rm -f /var/lib/pve-cluster/config.db*")


@pytest.mark.parametrize(
    ("point", "state"),
    [
        ("database deleted", "join_interrupted_database_deleted"),
        ("files written", "join_interrupted_files_written"),
        ("added", "standalone"),
    ],
)
def test_join_killed_at_a_named_point_is_finished(point, state, nodes):
    nodes.trust("pve3", "pve1")
    plant(nodes, point)
    assert nodes.state("pve3") == state
    finished = nodes.change("pve3", "proxmox_cluster", **SEED)
    assert finished["node_state"] == "member"
    nodes.healthy("pve1", "pve2", "pve3")
    nodes.change("pve1", "proxmox_cluster_node", name="pve3", online="remove")
    nodes.change("pve3", "proxmox_cluster", state="standalone")


def test_separation_killed_half_way_is_finished(nodes):
    nodes.on(
        "pve3",
        "mkdir -p /var/lib/baremetal-proxmox; date > /var/lib/baremetal-proxmox/leaving; systemctl stop pve-cluster",
    )
    assert nodes.state("pve3") == "separation_interrupted"
    assert nodes.change("pve3", "proxmox_cluster", state="standalone")["node_state"] == "standalone"


def test_guests_and_a_second_controller_are_refused(nodes):
    nodes.trust("pve3", "pve1")
    nodes.on("pve3", "touch /etc/pve/nodes/pve3/qemu-server/100.conf")
    refused = nodes.call("pve3", "proxmox_cluster", **SEED)
    assert refused["error"] == "Refused" and "100" in refused["msg"]
    nodes.on("pve3", "rm /etc/pve/nodes/pve3/qemu-server/100.conf")
    nodes.change("pve3", "proxmox_cluster_lock", owner="ann@desk")
    locked = nodes.call("pve3", "proxmox_cluster", **SEED, lock_owner="bob@sofa")
    assert locked["error"] == "Locked" and locked["held_by"] == "ann@desk"
    assert nodes.change("pve3", "proxmox_cluster_lock", owner="ann@desk", state="absent")["changed"]


def test_destroyed_to_the_last_node_and_created_again(nodes):
    nodes.change("pve1", "proxmox_cluster_node", name="pve2", online="remove")
    nodes.change("pve2", "proxmox_cluster", state="standalone", cluster_name="lab")
    nodes.healthy("pve1")
    last = nodes.change("pve1", "proxmox_cluster", state="standalone", cluster_name="lab")
    assert last["node_state"] == "standalone"
    for name in ("pve1", "pve2"):
        left = nodes.on(
            name, "ls /etc/corosync/authkey /etc/corosync/corosync.conf /etc/pve/corosync.conf /var/lib/corosync"
        )
        assert left.split() in ([], ["/var/lib/corosync:"]), left
        assert nodes.on(name, "ls /etc/pve/nodes").split() == [name]
    nodes.change("pve1", "proxmox_cluster", state="present", cluster_name="again")
    assert nodes.info("pve1", cluster_name="again")["health"]


def test_join_over_the_api_keeps_the_password_to_itself(nodes):
    certificate = nodes.info("pve1")["cluster"]["certificate"]["served"]
    way = {"state": "joined", "cluster_name": "again", "method": "api", "seeds": [ADDRESS["pve1"]]}
    wrong = nodes.call("pve2", "proxmox_cluster", **way, seed_password="not-the-one", seed_fingerprint=certificate)
    assert wrong["error"] == "Unreachable" and "does not accept the root password" in wrong["msg"]
    other = nodes.call("pve2", "proxmox_cluster", **way, seed_password="pvelab", seed_fingerprint="AA:" * 31 + "AA")
    assert other["error"] == "Unreachable" and "another certificate" in other["msg"]
    joined = nodes.change("pve2", "proxmox_cluster", **way, seed_password="pvelab", seed_fingerprint=certificate)
    assert joined["node_state"] == "member"
    assert "pvelab" not in joined["output"]
    left = "grep -rls pvelab /var/log/baremetal-proxmox /run/baremetal-proxmox /run/systemd/transient /var/log/pve; journalctl | grep -c pvelab"
    assert nodes.on("pve2", left).split() == ["0"]
