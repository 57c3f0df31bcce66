# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Three nodes with the real corosync: one /etc/pve, and what becomes of it without quorum and after a split."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest

from busy_machine import allow
from practice_lab import Lab
from practice_lab.node import Node

NAMES = ["pve1", "pve2", "pve3"]
COROSYNC_CONF = """logging {{
  debug: off
  to_syslog: yes
}}

nodelist {{
{nodes}}}

quorum {{
  provider: corosync_votequorum
}}

totem {{
  cluster_name: lab
  config_version: {version}
  interface {{
    linknumber: 0
  }}
  ip_version: ipv4-6
  link_mode: passive
  secauth: on
  token_coefficient: 125
  version: 2
}}
"""


def corosync_conf(nodes: list[Node], version: int) -> str:
    parts = [
        f"  node {{\n    name: {node.name}\n    nodeid: {number}\n    quorum_votes: 1\n    ring0_addr: {node.ip}\n  }}\n"
        for number, node in enumerate(nodes, start=1)
    ]
    return COROSYNC_CONF.format(nodes="".join(parts), version=version)


def shell(node: Node, script: str, seconds: float = 60) -> str:
    answer = node.run(["sh", "-c", script], timeout=allow(seconds))
    return answer.stdout + answer.stderr


def wait_until(condition: Callable[[], bool], seconds: float) -> float:
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < allow(seconds), "it did not happen in time"
        time.sleep(0.2)
    return time.monotonic() - started


def members(node: Node) -> dict[str, object]:
    text = shell(node, "cat /etc/pve/.members")
    return json.loads(text) if text.startswith("{") else {}


def online(node: Node) -> set[str]:
    listed = members(node).get("nodelist") or {}
    return {name for name, state in listed.items() if state["online"]}  # type: ignore[attr-defined]


def writable(node: Node) -> bool:
    return node.run(["sh", "-c", "stat -c %A /etc/pve/local"]).stdout == "lrwxr-xr-x\n"


def database(node: Node) -> str:
    return shell(
        node,
        "sqlite3 /var/lib/pve-cluster/config.db 'SELECT inode, version, mtime, name FROM tree ORDER BY inode' | md5sum",
    )


def quiet(node: Node) -> None:
    """Only what the tests write shall change the tree."""
    shell(node, "systemctl stop pvestatd pveproxy pvedaemon pve-ha-lrm pve-ha-crm 2>/dev/null")


@pytest.fixture(scope="module")
def cluster(make_lab: Callable[[], Lab]) -> Lab:
    lab = make_lab().up(NAMES)
    nodes = [lab.node(name) for name in NAMES]
    key = nodes[0].run(["sh", "-c", "corosync-keygen -l > /dev/null && base64 /etc/corosync/authkey"]).stdout
    for node in nodes:
        quiet(node)
        node.run(["sh", "-c", "cat > /etc/corosync/corosync.conf"], stdin=corosync_conf(nodes, 1))
        node.run(["sh", "-c", "base64 -d > /etc/corosync/authkey; chmod 400 /etc/corosync/authkey"], stdin=key)
        shell(node, "systemctl stop pve-cluster; rm -f /var/lib/pve-cluster/config.db*")
    for node in nodes:
        shell(node, "systemctl start corosync pve-cluster")
    for node in nodes:
        wait_until(lambda node=node: online(node) == set(NAMES) and writable(node), 30)
    return lab


@pytest.fixture
def nodes(cluster: Lab) -> list[Node]:
    nodes = [cluster.node(name) for name in NAMES]
    for node in nodes:
        wait_until(lambda node=node: online(node) == set(NAMES) and writable(node), 30)
    return nodes


def test_what_one_writes_all_read(nodes: list[Node]):
    shell(nodes[0], "mkdir -p /etc/pve/nodes/pve1/qemu-server; echo one > /etc/pve/shared")
    assert shell(nodes[2], "cat /etc/pve/shared") == "one\n"
    shell(nodes[2], "echo two > /etc/pve/shared.tmp && mv /etc/pve/shared.tmp /etc/pve/shared")
    assert shell(nodes[1], "cat /etc/pve/shared; rm /etc/pve/shared") == "two\n"
    assert shell(nodes[0], "cat /etc/pve/shared") == "cat: /etc/pve/shared: No such file or directory\n"


def test_a_guest_id_is_refused_on_another_node(nodes: list[Node]):
    for node in nodes:
        shell(node, "mkdir -p /etc/pve/nodes/$(hostname)/qemu-server")
    shell(nodes[0], "echo a > /etc/pve/qemu-server/300.conf")
    assert "File exists" in shell(nodes[1], "echo b > /etc/pve/qemu-server/300.conf")
    assert shell(nodes[0], "mv /etc/pve/nodes/pve1/qemu-server/300.conf /etc/pve/nodes/pve2/qemu-server/") == ""
    assert '"300": { "node": "pve2", "type": "qemu", "version":' in shell(
        nodes[2], "stat /etc/pve/.vmlist > /dev/null; cat /etc/pve/.vmlist"
    )
    shell(nodes[2], "rm /etc/pve/nodes/pve2/qemu-server/300.conf")


def test_a_large_file_arrives_whole(nodes: list[Node]):
    checksum = shell(nodes[0], "head -c 1048576 /dev/urandom > /etc/pve/big; md5sum < /etc/pve/big")
    assert shell(nodes[2], "md5sum < /etc/pve/big") == checksum
    shell(nodes[1], "systemctl stop pve-cluster; rm /var/lib/pve-cluster/config.db*; systemctl start pve-cluster")
    wait_until(lambda: shell(nodes[1], "md5sum < /etc/pve/big") == checksum, 20)
    shell(nodes[0], "rm /etc/pve/big")


def test_databases_become_equal_under_load_from_all(nodes: list[Node]):
    script = "i=0; while [ $i -lt 40 ]; do echo $i > /etc/pve/load-$(hostname).tmp; mv /etc/pve/load-$(hostname).tmp /etc/pve/load; i=$((i+1)); done"
    running = [node.command(["sh", "-c", script]) for node in nodes]
    import subprocess

    processes = [subprocess.Popen(command) for command in running]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    wait_until(lambda: len({database(node) for node in nodes}) == 1, 5)
    shell(nodes[0], "rm /etc/pve/load")


def test_status_values_reach_the_others(nodes: list[Node]):
    client = "import sys; sys.path.insert(0, '/usr/lib/practice-node'); from practice_pve.pmxcfs import client; "
    nodes[0].run(
        [
            "python3",
            "-c",
            client + "client.broadcast('kv/test', 'value'); client.log('to all', 'err', 'root@pam', 'test')",
        ]
    )
    assert nodes[1].run(["python3", "-c", client + "print(client.status_of('pve1', 'kv/test'))"]).stdout == "value\n"
    assert '"msg": "to all"' in shell(nodes[2], "stat /etc/pve/.clusterlog > /dev/null; cat /etc/pve/.clusterlog")
    shell(nodes[1], "systemctl restart pve-cluster")
    wait_until(lambda: "pve1" in online(nodes[1]), 20)
    wait_until(
        lambda: (
            nodes[1].run(["python3", "-c", client + "print(client.status_of('pve1', 'kv/test'))"]).stdout == "value\n"
        ),
        5,
    )


def test_a_held_lock_is_not_given_to_another_node(nodes: list[Node]):
    shell(nodes[0], "mkdir -p /etc/pve/priv/lock/file-user_cfg")
    assert "File exists" in shell(nodes[1], "mkdir /etc/pve/priv/lock/file-user_cfg")
    assert "Permission denied" in shell(nodes[1], "touch -d @0 /etc/pve/priv/lock/file-user_cfg")
    shell(nodes[0], "rmdir /etc/pve/priv/lock/file-user_cfg")


def test_a_split_and_its_end(cluster: Lab, nodes: list[Node]):
    cluster.fault("cut", "pve3")
    lost = wait_until(lambda: online(nodes[0]) == {"pve1", "pve2"}, 15)
    assert lost > 1.5
    wait_until(lambda: not writable(nodes[2]), 15)
    assert "Permission denied" in shell(nodes[2], "echo x > /etc/pve/refused")
    assert "Permission denied" in shell(nodes[2], "mkdir /etc/pve/nodes/refused")
    assert shell(nodes[2], "stat -c '%A' /etc/pve/nodes /etc/pve/corosync.conf") == "dr-xr-xr-x\n-r--r-----\n"
    shell(nodes[0], "echo majority > /etc/pve/split")
    assert shell(nodes[1], "cat /etc/pve/split") == "majority\n"
    cluster.heal("pve3")
    wait_until(lambda: shell(nodes[2], "cat /etc/pve/split") == "majority\n", 30)
    for node in nodes:
        wait_until(lambda node=node: online(node) == set(NAMES), 30)
    wait_until(lambda: len({database(node) for node in nodes}) == 1, 5)


def test_the_newer_tree_wins_even_against_a_majority(cluster: Lab, nodes: list[Node]):
    cluster.fault("cut", "pve3")
    wait_until(lambda: not writable(nodes[2]), 15)
    shell(nodes[0], "echo majority > /etc/pve/loses")
    wait_until(
        lambda: "Quorate" in shell(nodes[2], "corosync-quorumtool -e 1; corosync-quorumtool -s") and writable(nodes[2]),
        15,
    )
    shell(nodes[2], "for i in 1 2 3 4 5 6 7 8 9; do echo $i > /etc/pve/wins; done")
    cluster.heal("pve3")
    wait_until(lambda: shell(nodes[0], "cat /etc/pve/wins") == "9\n", 30)
    assert "No such file" in shell(nodes[0], "cat /etc/pve/loses")
    shell(nodes[2], "corosync-quorumtool -e 3")
    for node in nodes:
        wait_until(lambda node=node: online(node) == set(NAMES), 30)
    wait_until(lambda: len({database(node) for node in nodes}) == 1, 5)


def test_it_survives_corosync_and_its_own_death(nodes: list[Node]):
    shell(nodes[1], "systemctl restart corosync")
    wait_until(lambda: not writable(nodes[1]), 5)
    wait_until(lambda: writable(nodes[1]) and online(nodes[1]) == set(NAMES), 30)
    shell(nodes[1], "kill -9 $(cat /run/pve-cluster.pid); systemctl restart pve-cluster")
    wait_until(lambda: writable(nodes[1]) and online(nodes[1]) == set(NAMES), 30)
    shell(nodes[1], "echo back > /etc/pve/back")
    assert shell(nodes[0], "cat /etc/pve/back; rm /etc/pve/back") == "back\n"


def test_members_right_after_a_restart_without_quorum(cluster: Lab, nodes: list[Node]):
    cluster.fault("cut", "pve1")
    wait_until(lambda: not writable(nodes[0]), 15)
    started = time.monotonic()
    text = shell(nodes[0], "systemctl restart pve-cluster; cat /etc/pve/.members")
    assert time.monotonic() - started < allow(4)
    assert text == (
        '{\n"nodename": "pve1",\n"version": 3,\n"cluster": { "name": "lab", "version": 1, "nodes": 3, "quorate": 0 },\n'
        '"nodelist": {\n  "pve1": { "id": 1, "online": 1, "ip": "10.99.0.11"},\n'
        '  "pve2": { "id": 2, "online": 0},\n  "pve3": { "id": 3, "online": 0}\n  }\n}\n'
    )
    cluster.heal("pve1")


def test_a_new_corosync_conf_reaches_every_node_and_corosync(nodes: list[Node]):
    for version in (2, 3):
        text = corosync_conf(nodes, version)
        nodes[0].run(
            ["sh", "-c", "cat > /etc/pve/corosync.conf.new; mv /etc/pve/corosync.conf.new /etc/pve/corosync.conf"],
            stdin=text,
        )
    for node in nodes:
        wait_until(lambda node=node: shell(node, "cat /etc/corosync/corosync.conf") == text, 5)
        wait_until(lambda node=node: members(node)["cluster"]["version"] == 3, 5)  # type: ignore[index]
    shell(
        nodes[1],
        "sed -i 's/config_version: 3/config_version: 9/' /etc/corosync/corosync.conf; systemctl restart pve-cluster",
    )
    assert "local corosync.conf is newer" in shell(nodes[1], "journalctl -u pve-cluster -n 40 --no-pager")
    nodes[1].run(["sh", "-c", "cat > /etc/corosync/corosync.conf"], stdin=text)
