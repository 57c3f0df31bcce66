# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was done to the recorded nodes without being recorded: the `!` lines of the stories.

An action brings about a state and is content when the state is there already, so a story goes on after a replayed
command that failed.
"""

from __future__ import annotations

import json
import struct
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from practice_lab import network
from replay.access import ROOT_PASSWORD, LabAccess
from replay.normal_form import Answer

PATIENCE = 30.0


class ActionFailed(Exception):
    """A state could not be brought about; the story goes on and its recordings show what is wrong."""


@dataclass
class Stage:
    """What actions and replayed recordings of one story share."""

    access: LabAccess
    durations: dict[str, float] = field(default_factory=dict)
    ended: dict[str, float] = field(default_factory=dict)

    def sh(self, node: str, script: str, timeout: float = PATIENCE) -> Answer:
        return self.access.run(node, ["sh", "-c", script], timeout=timeout)

    def members(self, node: str) -> dict[str, object]:
        """The parsed .members of a node; empty when it cannot be read."""
        try:
            parsed = json.loads(self.sh(node, "cat /etc/pve/.members", timeout=10).stdout)
        except ValueError:
            return {}
        return parsed if isinstance(parsed, dict) else {}

    def disk_fingerprint(self, host: str) -> str | None:
        """The fingerprint of a node's certificate on its disk (which pveproxy need not serve yet)."""
        node = self.access.node_of_host(host)
        if node is None:
            return None
        answer = self.sh(node, "openssl x509 -noout -fingerprint -sha256 -in /etc/pve/local/pve-ssl.pem")
        return answer.stdout.strip().partition("=")[2] or None


def wait_until(condition: Callable[[], bool], what: str, patience: float = PATIENCE, pause: float = 0.1) -> float:
    """Seconds until the condition held."""
    started = time.monotonic()
    while time.monotonic() - started < patience:
        if condition():
            return time.monotonic() - started
        time.sleep(pause)
    raise ActionFailed(f"{what}: not within {patience:.0f} s")


def run_action(stage: Stage, words: tuple[str, ...]) -> None:
    """Do one `!` line."""
    name, *arguments = words
    if name not in ACTIONS:
        raise ActionFailed(f"unknown action {name!r}")
    ACTIONS[name](stage, *arguments)


def online(stage: Stage, node: str, other: str) -> object:
    nodes = stage.members(node).get("nodelist")
    entry = nodes.get(other) if isinstance(nodes, dict) else None
    return entry.get("online") if isinstance(entry, dict) else None


def _quorate(stage: Stage, node: str) -> bool:
    cluster = stage.members(node).get("cluster")
    return isinstance(cluster, dict) and cluster.get("quorate") == 1


def _writable(stage: Stage, node: str) -> bool:
    return stage.sh(node, "touch /etc/pve/.conformance && rm /etc/pve/.conformance", timeout=15).rc == 0


def sh(stage: Stage, node: str, script: str) -> None:
    answer = stage.sh(node, script)
    if answer.rc != 0:
        raise ActionFailed(f"{node}: {script}: rc {answer.rc} {answer.stderr.strip()}")


def wait_ready(stage: Stage, *nodes: str) -> None:
    """The node's own certificate is made and its API answers."""
    for node in nodes:
        wait_until(lambda: stage.access.login(node) is not None, f"{node}: API", patience=25, pause=0.3)  # noqa: B023


def wait_writable(stage: Stage, *nodes: str) -> None:
    for node in nodes:
        wait_until(lambda: _writable(stage, node), f"{node}: /etc/pve writable", pause=0.3)  # noqa: B023


def create(stage: Stage, node: str, name: str = "lab") -> None:
    if stage.sh(node, "test -e /etc/corosync/corosync.conf").rc != 0:
        sh(stage, node, f"pvecm create {name}")
    wait_writable(stage, node)


def join(stage: Stage, node: str, seed: str) -> None:
    join_as_it_is(stage, node, seed)
    # A join can lose the new node's certificate; the cure is the documented one.
    if stage.sh(node, "test -s /etc/pve/local/pve-ssl.pem").rc != 0:
        stage.sh(node, "pvecm updatecerts; systemctl restart pveproxy")
    wait_ready(stage, node)


def join_as_it_is(stage: Stage, node: str, seed: str) -> None:
    """Make the node a member, and leave it as the join left it: perhaps without a certificate."""
    host = stage.access.address(seed)
    if stage.sh(node, "test -e /etc/corosync/corosync.conf").rc != 0:
        argv = ["pvecm", "add", host, "--fingerprint", stage.disk_fingerprint(host) or ""]
        stage.access.run(node, argv, stdin=f"{ROOT_PASSWORD}\n", timeout=60)
    wait_until(lambda: online(stage, seed, node) == 1 and online(stage, node, seed) == 1, f"{node} joined {seed}")
    wait_writable(stage, node, seed)


def image(stage: Stage, *nodes: str) -> None:
    """The 64 MiB guest image that the recorded guests were made from: an empty qcow2 of that size."""
    for node in nodes:
        target = stage.access.node(node).root / "var/lib/vz/import-src/guest.qcow2"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(empty_qcow2(64 * 1024 * 1024))


def empty_qcow2(size: int) -> bytes:
    """A qcow2 image, version 2, clusters of 64 KiB, nothing allocated."""
    cluster = 65536
    header = struct.pack(">4sIQIIQIIQQIIQ", b"QFI\xfb", 2, 0, 0, 16, size, 0, 1, 3 * cluster, cluster, 1, 0, 0)
    table = struct.pack(">Q", 2 * cluster).ljust(cluster, b"\0")
    counts = (struct.pack(">H", 1) * 4).ljust(cluster, b"\0")
    return header.ljust(cluster, b"\0") + table + counts + bytes(cluster)


def power_off(stage: Stage, *nodes: str) -> None:
    for node in nodes:
        stage.access.node(node).kill()
        stage.access.tickets.pop(node, None)


def lose(stage: Stage, node: str, observer: str, label: str) -> None:
    """Cut a node's power and measure how long the observer takes to notice."""
    power_off(stage, node)
    stage.durations[label] = wait_until(lambda: online(stage, observer, node) == 0, f"{observer} sees {node} offline")


def boot(stage: Stage, *nodes: str) -> None:
    for node in nodes:
        stage.access.node(node).boot()
    for node in nodes:
        stage.access.node(node).wait_ready()
        wait_ready(stage, node)


def recover(stage: Stage, observer: str, label: str, *nodes: str) -> None:
    """Power nodes on and measure how long the observer takes to see them all online."""
    for node in nodes:
        stage.access.node(node).boot()
    stage.durations[label] = wait_until(lambda: all(online(stage, observer, node) == 1 for node in nodes), "all online")
    boot(stage, *nodes)


def expect(stage: Stage, node: str, label: str) -> None:
    """`pvecm expected 1`, unless it has been done, and the time until the node can write."""
    if not _writable(stage, node):
        sh(stage, node, "pvecm expected 1")
    stage.durations[label] = wait_until(lambda: _writable(stage, node), f"{node} writable after expected 1", pause=0.02)


def since(stage: Stage, step: str, node: str, label: str) -> None:
    """Measure from the end of a replayed step until .members says quorate."""
    wait_until(lambda: _quorate(stage, node), f"{node} quorate")
    stage.durations[label] = time.monotonic() - stage.ended.get(step, time.monotonic())


def until(stage: Stage, node: str, script: str, step: str, label: str) -> None:
    """Measure from the end of a replayed step until a script succeeds."""
    wait_until(lambda: stage.sh(node, script).rc == 0, f"{node}: {script}", pause=0.3)
    stage.durations[label] = time.monotonic() - stage.ended.get(step, time.monotonic())


def manager_rounds(stage: Stage, node: str, count: str) -> None:
    """Let the HA manager go round so many times: its rounds are ten seconds apart, and what is seen depends on them."""
    for _ in range(int(count)):
        before = _manager_time(stage, node)
        wait_until(lambda: _manager_time(stage, node) != before, f"{node}: a round of the HA manager", pause=0.3)  # noqa: B023


def _manager_time(stage: Stage, node: str) -> str:
    return stage.sh(node, "grep -o '\"timestamp\":[0-9]*' /etc/pve/ha/manager_status").stdout


def wait_quorate(stage: Stage, *nodes: str) -> None:
    for node in nodes:
        wait_until(lambda: _quorate(stage, node), f"{node} quorate")  # noqa: B023


def reset(stage: Stage, *nodes: str) -> None:
    """Install nodes again: same names and addresses, new keys, no cluster."""
    for node in nodes:
        stage.access.tickets.pop(node, None)
        stage.access.lab.reinstall(node)
    wait_ready(stage, *nodes)


def rename(stage: Stage, node: str, name: str) -> None:
    """Give a fresh node another host name, as if it had been installed with it."""
    old = stage.access.node(node).name
    sh(
        stage,
        node,
        "systemctl stop pvestatd pveproxy pvedaemon pve-ha-lrm pve-ha-crm pve-cluster; rm -f /var/lib/pve-cluster/config.db*",
    )
    sh(
        stage,
        node,
        f"hostname {name}; echo {name} > /etc/hostname; sed -i 's/\\b{old}\\b/{name}/g' /etc/hosts /etc/practice-node.json",
    )
    sh(stage, node, "rm -rf /root/.ssh; systemctl start pve-cluster pvedaemon pveproxy pvestatd pve-ha-crm pve-ha-lrm")
    wait_ready(stage, node)


def clean_writes(stage: Stage, node: str) -> None:
    """Take back what a *-writes group left, as the recorder did; local/lab-z stayed there."""
    stage.sh(node, "rm -rf /etc/pve/lab-test1 /etc/pve/lab-test2 /etc/pve/lab-dir /etc/pve/lab-x /etc/pve/lab-y")
    stage.sh(
        node, "pvesm remove labdir; pveum user delete lab@pve; printf 'keyboard: en-us\\n' > /etc/pve/datacenter.cfg"
    )
    stage.sh(node, "qm destroy 901; rm -f /etc/pve/qemu-server/901.conf")


def refuse(stage: Stage, *nodes: str) -> None:
    """The address of a node that is off goes on answering, with a refusal: the recording lab lost only the processes."""
    for node in nodes:
        _plug(stage, node, "up")
    time.sleep(1)


def silence(stage: Stage, node: str) -> None:
    """The address of a node that is off is still known, and nothing comes back from it."""
    rules = "add table inet conformance; add chain inet conformance input { type filter hook input priority 0; policy drop; }"
    _must_run(["ip", "netns", "exec", stage.access.node(node).identifier, "nft", rules])
    refuse(stage, node)


def unplug(stage: Stage, node: str) -> None:
    """Nobody answers for the node's address any more."""
    _plug(stage, node, "down")
    _must_run(["ip", "netns", "exec", stage.access.node(node).identifier, "nft", "delete table inet conformance"])


def _plug(stage: Stage, name: str, state: str) -> None:
    spec = stage.access.node(name).spec
    for link in range(len(spec.interfaces())):
        _must_run(["ip", "-n", stage.access.lab.namespace, "link", "set", network.port(spec, link), state])


def _must_run(command: list[str]) -> None:
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode != 0:
        raise ActionFailed(f"{' '.join(command)}: {finished.stderr.strip()}")


def ask(stage: Stage, node: str, path: str) -> None:
    """Let a node's API answer once: its daemons keep what they have read until it is known to have changed."""
    stage.access.request(node, "GET", path, None, "root")


def forget_neighbours(stage: Stage, node: str) -> None:
    stage.sh(node, "ip neigh flush all")


def agent(stage: Stage, node: str, guest_id: str, wanted: str) -> None:
    """A real guest boots in software: as long as that takes, until its agent "answers", or is "silent" after it was killed."""
    wait_until(
        lambda: (stage.sh(node, f"qm agent {guest_id} ping").rc == 0) is (wanted == "answers"),
        f"{node}: the agent of {guest_id} {wanted}",
        patience=240,
    )


def pause(_stage: Stage, seconds: str) -> None:
    time.sleep(float(seconds))


ACTIONS: dict[str, Callable[..., None]] = {
    function.__name__: function
    for function in (
        sh, wait_ready, wait_writable, wait_quorate, create, join, join_as_it_is, image, power_off, lose, boot, recover, expect, since, until, manager_rounds, reset, rename,
        clean_writes, refuse, silence, unplug, ask, forget_neighbours, agent, pause,
    )
}  # fmt: skip
