# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/etc/pve of a single practice node: every recorded system call, and what a daemon has to survive."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from busy_machine import allow
from practice_lab import Lab
from practice_lab.node import Node
from replay.operations import PROBE, compare_operations

TRUTH = Path(os.environ.get("PROXMOX_TRUTH", Path(__file__).resolve().parents[3] / "shared" / "truth"))
PID_FILE = "/run/pve-cluster.pid"
MOUNT_LINE = (
    "/dev/fuse /etc/pve fuse rw,nosuid,nodev,relatime,user_id=0,group_id=0,default_permissions,allow_other 0 0\n"
)


@pytest.fixture(scope="module")
def node(make_lab: Callable[[], Lab]) -> Node:
    node = make_lab().up(["pve1"]).node("pve1")
    wait_until(lambda: node.run(["test", "-L", "/etc/pve/local"]).rc == 0, 20)
    return node


@pytest.fixture(autouse=True)
def running(node: Node) -> Iterator[None]:
    # systemd allows five starts in ten seconds, which these tests need more of.
    shell(node, "systemctl reset-failed pve-cluster")
    yield
    shell(node, "test -L /etc/pve/local || systemctl restart pve-cluster")


def wait_until(condition: Callable[[], bool], seconds: float) -> float:
    started = time.monotonic()
    while not condition():
        assert time.monotonic() - started < allow(seconds), "it did not happen in time"
        time.sleep(0.1)
    return time.monotonic() - started


def shell(node: Node, script: str) -> str:
    """Both streams of a script in the node."""
    answer = node.run(["sh", "-c", script], timeout=60)
    return answer.stdout + answer.stderr


def test_the_mount_is_the_recorded_one(node: Node):
    assert shell(node, "grep ' /etc/pve ' /proc/mounts") == MOUNT_LINE


def test_every_recorded_system_call(node: Node):
    recording = TRUTH / "pmxcfs" / "quirks-standalone.json"
    if not recording.exists():
        pytest.skip("the recordings are not here")
    raw = json.loads(recording.read_text(encoding="utf-8"))
    wait_until(lambda: node.run(["test", "-s", "/etc/pve/nodes/pve1/pve-ssl.key"]).rc == 0, 30)
    names = [operation["op"] for operation in raw["ops"]]
    answer = node.run(["python3", "-c", PROBE.read_text(encoding="utf-8")], stdin=json.dumps(names), timeout=120)
    differences = compare_operations(SimpleNamespace(raw=raw), json.loads(answer.stdout))
    # A program that the node's root lacks says nothing about the file system.
    assert [line for line in differences if ": not found" not in line] == []


def test_a_killed_daemon_comes_back_with_everything_committed(node: Node):
    shell(node, "echo kept > /etc/pve/kept")
    shell(node, f"cd /etc/pve/nodes && kill -9 $(cat {PID_FILE}); systemctl restart pve-cluster")
    assert shell(node, "cat /etc/pve/kept; grep -c ' /etc/pve ' /proc/mounts; systemctl is-active pve-cluster") == (
        "kept\n1\nactive\n"
    )


def test_looking_into_the_database_does_no_harm(node: Node):
    look = "sqlite3 /var/lib/pve-cluster/config.db \"SELECT count(*) FROM tree WHERE name LIKE 'looked%'\""
    assert shell(node, f"echo a > /etc/pve/looked1; {look}; echo b > /etc/pve/looked2; {look}") == "1\n2\n"
    shell(node, f"kill -9 $(cat {PID_FILE}); systemctl restart pve-cluster")
    assert shell(node, "cat /etc/pve/looked1 /etc/pve/looked2; rm /etc/pve/looked?") == "a\nb\n"


def test_it_stops_soon_and_leaves_an_empty_directory(node: Node):
    started = time.monotonic()
    shell(node, "systemctl stop pve-cluster")
    assert time.monotonic() - started < allow(3)
    assert shell(node, "ls /etc/pve | wc -l; pidof -x pmxcfs") == "0\n"
    shell(node, "systemctl start pve-cluster")


def test_a_client_of_a_stopped_daemon_gets_the_recorded_words(node: Node):
    program = (
        "import sys; sys.path.insert(0, '/usr/lib/practice-node')\n"
        "from practice_pve.pmxcfs import client\n"
        "try: client.load_access_control()\n"
        "except client.ApiError as error: print(error); print(error.exit_code)\n"
    )
    shell(node, "systemctl stop pve-cluster; rm -f /run/pve-cluster/cfs-restart-flag")
    answer = node.run(["python3", "-c", program])
    shell(node, "systemctl start pve-cluster")
    assert answer.stdout == "Unable to load access control list: Connection refused\n111\n"
    assert answer.stderr == "".join(f"ipcc_send_rec[{n}] failed: Connection refused\n" for n in (1, 2, 3))


def test_a_deleted_database_means_an_empty_etc_pve(node: Node):
    shell(node, "echo x > /etc/pve/gone; systemctl stop pve-cluster; rm /var/lib/pve-cluster/config.db*")
    shell(node, "systemctl start pve-cluster")
    assert shell(node, "ls -A /etc/pve; cat /etc/pve/gone").split() == (
        ".clusterlog .debug .members .rrd .version .vmlist local lxc openvz qemu-server".split()
        + "cat: /etc/pve/gone: No such file or directory".split()
    )


def test_a_planted_database_row_is_a_file(node: Node):
    shell(node, "systemctl stop pve-cluster")
    shell(
        node,
        "sqlite3 /var/lib/pve-cluster/config.db \"INSERT INTO tree VALUES (900, 0, 900, 0, 5, 8, 'planted', 'text')\"",
    )
    shell(node, "systemctl start pve-cluster")
    assert shell(node, "cat /etc/pve/planted; stat -c %Y /etc/pve/planted; rm /etc/pve/planted") == "text5\n"


def test_local_mode_prints_what_the_real_one_prints(node: Node):
    shell(node, "printf 'totem {\\n config_version: 1\\n}\\n' > /etc/pve/corosync.conf; systemctl stop pve-cluster")
    answer = node.run(["pmxcfs", "-l"])
    assert (answer.rc, answer.stdout) == (0, "")
    assert answer.stderr == (
        "[main] notice: resolved node name 'pve1' to '10.99.0.11' for default node IP address\n"
        "[main] notice: forcing local mode (although corosync.conf exists)\n"
    )
    assert shell(node, "rm /etc/pve/corosync.conf && echo writable; kill $(cat /run/pve-cluster.pid)") == "writable\n"
    wait_until(lambda: node.run(["test", "-L", "/etc/pve/local"]).rc != 0, 5)
    shell(node, "systemctl start pve-cluster")


@pytest.mark.parametrize("line", ["127.0.1.1 pve1", "10.99.0.99 other"])
def test_a_name_without_a_usable_address_is_refused(node: Node, line: str):
    shell(
        node,
        f"systemctl stop pve-cluster; cp /etc/hosts /root/hosts; printf '127.0.0.1 localhost\\n{line}\\n' > /etc/hosts",
    )
    answer = node.run(["pmxcfs"])
    shell(node, "cp /root/hosts /etc/hosts; systemctl start pve-cluster")
    assert answer.rc == 255
    assert answer.stderr.splitlines()[0] == (
        "[main] crit: Unable to resolve node name 'pve1' to a non-loopback IP address - missing entry in '/etc/hosts' or DNS?"
    )


def test_the_planted_fault_read_only(node: Node):
    before = shell(node, "cat /etc/practice-node.json")
    settings = json.loads(before)
    settings["read_only"] = True
    node.run(["sh", "-c", "cat > /etc/practice-node.json"], stdin=json.dumps(settings))
    time.sleep(2)
    assert "Permission denied" in shell(node, "echo x > /etc/pve/refused")
    assert shell(node, "stat -c %A /etc/pve/local") == "lr-xr-xr-x\n"
    node.run(["sh", "-c", "cat > /etc/practice-node.json"], stdin=before)
    time.sleep(2)
    assert shell(node, "echo x > /etc/pve/accepted && rm /etc/pve/accepted") == ""


def test_a_lock_that_is_held_is_waited_for_and_given_up(node: Node):
    program = (
        "import sys; sys.path.insert(0, '/usr/lib/practice-node')\n"
        "from practice_pve.pmxcfs import client\n"
        "with client.cfs_lock('mine'): print('got it')\n"
        "try:\n"
        "    with client.cfs_lock('file-storage_cfg', timeout=3): print('never')\n"
        "except client.ApiError as error: print(error)\n"
    )
    shell(node, "mkdir -p /etc/pve/priv/lock/file-storage_cfg")
    answer = node.run(["python3", "-c", program])
    assert answer.stdout == "got it\ncfs-lock 'file-storage_cfg' error: got lock request timeout\n"
    # Once a second while there is time; a busy machine comes round less often.
    assert set(answer.stderr.splitlines()) == {"trying to acquire cfs lock 'file-storage_cfg' ..."}
    assert shell(node, "ls /etc/pve/priv/lock; rmdir /etc/pve/priv/lock/file-storage_cfg") == "file-storage_cfg\n"


def test_many_clients_at_once_and_little_memory(node: Node):
    program = """
import os, threading
def work(number):
    for turn in range(100):
        path = f"/etc/pve/stress/{number}"
        with open(path + ".tmp", "w") as stream: stream.write(f"{number} {turn}")
        os.rename(path + ".tmp", path)
        assert open(path).read() == f"{number} {turn}"
os.mkdir("/etc/pve/stress")
threads = [threading.Thread(target=work, args=(number,)) for number in range(10)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(sorted(name for name in os.listdir("/etc/pve/stress") if name[0] != "."))
"""
    answer = node.run(["python3", "-c", program], timeout=120)
    assert (answer.stdout, answer.stderr) == (f"{[str(number) for number in range(10)]}\n", "")
    assert int(shell(node, "awk '/VmRSS/ {print $2}' /proc/$(cat /run/pve-cluster.pid)/status")) < 40 * 1024
    shell(node, "rm -r /etc/pve/stress")


def test_nothing_is_left_of_a_file_that_was_open_when_it_was_replaced(node: Node):
    script = (
        "echo old > /etc/pve/f; exec 3< /etc/pve/f; echo new > /etc/pve/f.tmp; mv /etc/pve/f.tmp /etc/pve/f;"
        " cat <&3; ls -A /etc/pve | grep -c fuse_hidden; exec 3<&-; cat /etc/pve/f; rm /etc/pve/f"
    )
    assert shell(node, script) == "old\n1\nnew\n"
    # The kernel tells of the last close without waiting for an answer.
    wait_until(lambda: "fuse_hidden" not in shell(node, "ls -A /etc/pve"), 5)
