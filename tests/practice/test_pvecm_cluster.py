# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A three-node cluster by plain pvecm calls, taken apart and put together again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest

from busy_machine import allow
from practice_lab import Completed, Lab
from practice_lab.node import Node

PASSWORD = "pvelab"
JOIN_END = """\
stopping pve-cluster service
backup old database to '{backup}'
waiting for quorum...OK
(re)generate node files
generate new node certificate
merge authorized SSH keys
generated new node certificate, restart pveproxy and pvedaemon services
successfully added node '{node}' to cluster.
"""


def wait_until(condition: Callable[..., object], *arguments: object, patience: float = 60) -> None:
    deadline = time.monotonic() + allow(patience)
    while not condition(*arguments):
        assert time.monotonic() < deadline, f"waited {patience} s for {condition.__name__} {arguments}"
        time.sleep(0.2)


def is_writable(lab: Lab, name: str) -> bool:
    script = "touch /etc/pve/probe && rm /etc/pve/probe"
    return lab.node(name).run(["sh", "-c", script], timeout=allow(30)).rc == 0


def members(lab: Lab, name: str) -> set[str]:
    seen = json.loads(lab.node(name).run(["cat", "/etc/pve/.members"]).stdout or "{}")
    return {node for node, state in seen.get("nodelist", {}).items() if state["online"]}


def sees(lab: Lab, name: str, others: set[str]) -> bool:
    return members(lab, name) == others


def serves(lab: Lab, name: str, fingerprint: str) -> bool:
    return served_fingerprint(lab, name) == fingerprint


def runs(lab: Lab, name: str, unit: str) -> bool:
    return lab.node(name).run(["systemctl", "is-active", unit]).rc == 0


def has_failed(lab: Lab, name: str, unit: str) -> bool:
    return lab.node(name).run(["systemctl", "is-active", unit]).stdout == "failed\n"


def has_lost_quorum(lab: Lab, name: str) -> bool:
    return lab.node(name).run(["pvecm", "status"]).rc == 2 and not is_writable(lab, name)


def deletes(lab: Lab, name: str, victim: str) -> bool:
    return lab.node(name).run(["pvecm", "delnode", victim]).rc == 0


def wait_for_cluster(lab: Lab, *names: str) -> None:
    for name in names:
        wait_until(sees, lab, name, set(names))
        wait_until(is_writable, lab, name)


def is_complete(lab: Lab, joiner: str, seen_from: tuple[str, ...]) -> bool:
    """Whether all members have what the joiner's last steps wrote; what is missing is written once more.

    A join's last steps may be lost, as on real nodes, when the database of another member wins afterwards.
    """
    script = f"test -e /etc/pve/nodes/{joiner}/pve-ssl.pem && grep -q root@{joiner} /etc/pve/priv/authorized_keys"
    if all(lab.node(name).run(["sh", "-c", script], timeout=allow(30)).rc == 0 for name in seen_from):
        return True
    lab.node(joiner).run(["sh", "-c", "pvecm updatecerts && systemctl restart pveproxy pvedaemon"], timeout=allow(60))
    return False


def wait_for_join(lab: Lab, joiner: str, *members: str) -> None:
    wait_for_cluster(lab, *members, joiner)
    wait_until(is_complete, lab, joiner, (*members, joiner))


def served_fingerprint(lab: Lab, name: str) -> str:
    script = "echo | openssl s_client -connect 127.0.0.1:8006 2>&1 | openssl x509 -noout -fingerprint -sha256"
    return lab.node(name).run(["sh", "-c", script]).stdout.strip().partition("=")[2]


def join(lab: Lab, name: str, *options: str, stdin: str = f"{PASSWORD}\n") -> Completed:
    return lab.node(name).run(["pvecm", "add", "10.99.0.11", *options], stdin=stdin, timeout=allow(180))


def trust(lab: Lab, joiner: str, member: str) -> None:
    """What --use_ssh needs: the joiner's key at the member, the member's host key at the joiner."""
    key = lab.node(joiner).run(["cat", "/root/.ssh/id_rsa.pub"]).check().stdout
    lab.node(member).run(["sh", "-c", "cat >> /root/.ssh/authorized_keys"], stdin=key).check()
    host_key = " ".join(lab.node(member).run(["cat", "/etc/ssh/ssh_host_rsa_key.pub"]).check().stdout.split()[:2])
    entry = f"{lab.node(member).ip.split('/')[0]} {host_key}\n"
    lab.node(joiner).run(["sh", "-c", "cat >> /root/.ssh/known_hosts"], stdin=entry).check()


def expected_end(done: Completed, name: str) -> str:
    backup = done.stdout.partition("backup old database to '")[2].partition("'")[0]
    return JOIN_END.format(backup=backup, node=name)


@pytest.fixture(scope="module")
def lab(make_lab: Callable[[], Lab]) -> Lab:
    lab = make_lab()
    lab.up(["pve1", "pve2", "pve3"])
    for node in lab.nodes():
        wait_until(runs, lab, node.name, "pveproxy")
    return lab


# The tests of this module are one story: each begins where the one before has ended.


HOLD = """
[Service]
ExecStartPre=/bin/sh -c 'while test -e /run/hold-corosync; do sleep 0.2; done'
TimeoutStartSec=600
"""


def hold_corosync(node: Node) -> None:
    """Let corosync take as long to start as the test wants: else a busy machine decides what is seen before that."""
    directory = "/run/systemd/system/corosync.service.d"
    script = (
        f"mkdir -p {directory} && cat > {directory}/hold.conf && touch /run/hold-corosync && systemctl daemon-reload"
    )
    node.run(["sh", "-c", script], stdin=HOLD).check()


def test_create_leaves_an_unready_node(lab: Lab) -> None:
    hold_corosync(lab.node("pve1"))
    done = lab.node("pve1").run(["pvecm", "create", "lab"], timeout=allow(60))
    assert done.rc == 0
    assert done.stdout == (
        "Corosync Cluster Engine Authentication key generator.\n"
        "Gathering 2048 bits for key from /dev/urandom.\n"
        "Writing corosync key to /etc/corosync/authkey.\n"
        "Writing corosync config to /etc/pve/corosync.conf\n"
        "Restart corosync and cluster filesystem\n"
    )
    assert lab.node("pve1").run(["systemctl", "is-active", "corosync"]).stdout == "activating\n"
    assert not is_writable(lab, "pve1")
    refused = join(lab, "pve2", "--fingerprint", served_fingerprint(lab, "pve1"))
    assert refused.rc == 0
    assert refused.stdout.endswith("An error occurred on the cluster node: cluster not ready - no quorum?\n")
    assert refused.stderr == "Cluster join aborted!\n"
    lab.node("pve1").run(["rm", "/run/hold-corosync"]).check()
    wait_for_cluster(lab, "pve1")
    assert lab.node("pve1").run(["readlink", "/etc/ssh/ssh_known_hosts"]).stdout == "/etc/pve/priv/known_hosts\n"
    again = lab.node("pve1").run(["pvecm", "create", "lab2"])
    assert (again.rc, again.stderr) == (255, "cluster config '/etc/pve/corosync.conf' already exists\n")


def test_join_over_the_api_with_a_question(lab: Lab) -> None:
    key_before = lab.node("pve2").run(["cat", "/etc/pve/priv/authkey.key"]).stdout
    begin = time.monotonic()
    done = join(lab, "pve2", stdin=f"{PASSWORD}\nyes\n")
    assert done.rc == 0
    assert done.stderr == ""
    assert "Are you sure you want to continue connecting (yes/no)? Login succeeded.\n" in done.stdout
    assert done.stdout.endswith("Join request OK, finishing setup locally\n" + expected_end(done, "pve2"))
    assert 4 < time.monotonic() - begin < allow(60)
    wait_for_join(lab, "pve2", "pve1")
    assert lab.node("pve2").run(["cat", "/etc/pve/priv/authkey.key"]).stdout != key_before
    assert lab.node("pve2").run(["test", "-e", "/etc/ssh/ssh_known_hosts"]).rc == 1
    assert lab.node("pve2").run(["ls", "/var/lib/pve-cluster/backup"]).stdout.startswith("config-")


def test_join_over_ssh(lab: Lab) -> None:
    without_trust = join(lab, "pve3", "--use_ssh", stdin="")
    assert without_trust.rc == 0
    assert without_trust.stderr.startswith("unable to copy ssh ID")
    trust(lab, "pve3", "pve1")
    done = join(lab, "pve3", "--use_ssh", stdin="")
    assert (done.rc, done.stderr) == (0, "")
    assert done.stdout == (
        "No cluster network links passed explicitly, fallback to local node IP '10.99.0.13'\ncopy corosync auth key\n"
    ) + expected_end(done, "pve3")
    wait_for_join(lab, "pve3", "pve1", "pve2")


def test_three_quorate_nodes(lab: Lab) -> None:
    for name in ("pve1", "pve2", "pve3"):
        status = lab.node(name).run(["pvecm", "status"])
        assert status.rc == 0
        assert (
            "Name:             lab\nConfig Version:   3\nTransport:        knet\nSecure auth:      on\n"
            in status.stdout
        )
        assert "Quorate:          Yes\n" in status.stdout
    configs = {lab.node(name).run(["cat", "/etc/corosync/corosync.conf"]).stdout for name in ("pve1", "pve2", "pve3")}
    configs.add(lab.node("pve1").run(["cat", "/etc/pve/corosync.conf"]).stdout)
    assert len(configs) == 1
    assert len(configs.pop()) == 549
    assert lab.node("pve2").run(["cat", "/etc/pve/priv/authorized_keys"]).stdout.count("ssh-rsa ") == 3


def test_nodes_reach_each_other_as_proxmox_does(lab: Lab) -> None:
    for origin in ("pve1", "pve2", "pve3"):
        for target in ("pve1", "pve2", "pve3"):
            options = f"HostKeyAlias={target} UserKnownHostsFile=/etc/pve/nodes/{target}/ssh_known_hosts"
            flags = [part for option in options.split() for part in ("-o", option)]
            command = ["ssh", "-o", "BatchMode=yes", "-o", "GlobalKnownHostsFile=none", *flags]
            address = lab.node(target).ip.split("/")[0]
            done = lab.node(origin).run([*command, f"root@{address}", "hostname"], timeout=allow(20))
            assert done.stdout == f"{target}\n", done.stderr


def test_certificates_of_one_authority_are_served(lab: Lab) -> None:
    join_info = lab.node("pve2").run(["pvesh", "get", "/cluster/config/join", "--output-format", "json"]).check()
    for node in json.loads(join_info.stdout)["nodelist"]:
        path = f"/etc/pve/nodes/{node['name']}/pve-ssl.pem"
        verify = lab.node("pve1").run(["openssl", "verify", "-CAfile", "/etc/pve/pve-root-ca.pem", path])
        assert verify.rc == 0
        wait_until(serves, lab, node["name"], node["pve_fp"], patience=20)


def test_member_cannot_join_again(lab: Lab) -> None:
    done = join(lab, "pve2", "--fingerprint", served_fingerprint(lab, "pve1"))
    assert done.rc == 0
    assert done.stdout == (
        "detected the following error(s):\n* authentication key '/etc/corosync/authkey' already exists\n"
        "* cluster config '/etc/pve/corosync.conf' already exists\n"
        "* corosync is already running, is this node already in a cluster?!\n"
    )


def test_expected_votes(lab: Lab) -> None:
    done = lab.node("pve1").run(["pvecm", "expected", "1"])
    assert (done.rc, done.stderr) == (1, "Unable to set expected votes: CS_ERR_INVALID_PARAM\n")
    assert lab.node("pve1").run(["pvecm", "expected", "3"]).rc == 0


def test_refusals_of_a_healthy_cluster(lab: Lab) -> None:
    run = lab.node("pve1").run
    itself = run(["pvecm", "delnode", "pve1"])
    assert (itself.rc, itself.stderr) == (255, "Cannot delete myself from cluster!\n")
    unknown = run(["pvecm", "delnode", "pve9"])
    assert (unknown.rc, unknown.stderr) == (255, "Node/IP: pve9 is not a known host of the cluster.\n")
    existing = run(["pvecm", "addnode", "pve2", "--new_node_ip", "10.99.0.12", "--apiversion", "1"])
    assert (existing.rc, existing.stderr) == (255, "can't add existing node 'pve2'\n")
    odd = run(["pvecm", "qdevice", "setup", "10.99.0.250"])
    assert (odd.rc, odd.stderr) == (255, "Clusters with an odd node count are not officially supported!\n")
    none = run(["pvecm", "qdevice", "remove"])
    assert (none.rc, none.stderr) == (255, "No QDevice configured!\n")


def test_an_online_node_is_killed_by_delnode(lab: Lab) -> None:
    done = lab.node("pve1").run(["pvecm", "delnode", "pve3"], timeout=allow(60))
    assert (done.rc, done.stdout) == (0, "Killing node 3\n")
    wait_for_cluster(lab, "pve1", "pve2")
    removed = lab.node("pve3").run
    wait_until(has_failed, lab, "pve3", "corosync")
    assert removed(["touch", "/etc/pve/x"]).stderr == "touch: cannot touch '/etc/pve/x': Permission denied\n"
    assert removed(["ls", "/etc/corosync"]).stdout.split() == ["authkey", "corosync.conf", "uidgid.d"]
    assert lab.node("pve1").run(["ls", "/etc/pve/nodes"]).stdout.split() == ["pve1", "pve2", "pve3"]
    again = lab.node("pve1").run(["pvecm", "delnode", "pve3"])
    assert again.rc == 255
    rejoin = join(lab, "pve3", "--fingerprint", served_fingerprint(lab, "pve1"))
    assert rejoin.stderr == "Check if node may join a cluster failed!\n"


def test_separation_as_documented_and_join_again(lab: Lab) -> None:
    run = lab.node("pve3").run
    run(["systemctl", "stop", "pve-cluster", "corosync"]).check()
    run(["pmxcfs", "-l"]).check()
    run(["sh", "-c", "rm -f /etc/pve/corosync.conf; rm -rf /etc/corosync/*"]).check()
    run(["killall", "pmxcfs"]).check()
    run(["systemctl", "start", "pve-cluster"]).check()
    wait_until(is_writable, lab, "pve3")
    assert run(["pvecm", "status"]).rc == 2
    assert run(["ls", "/etc/pve/nodes"]).stdout.split() == ["pve1", "pve2", "pve3"]
    run(["rm", "-rf", "/etc/pve/nodes/pve1", "/etc/pve/nodes/pve2"]).check()
    run(["sh", "-c", "rm -f /var/lib/corosync/*"]).check()
    done = join(lab, "pve3", "--fingerprint", served_fingerprint(lab, "pve1"))
    assert done.stdout.endswith("successfully added node 'pve3' to cluster.\n"), done.stdout + done.stderr
    wait_for_cluster(lab, "pve1", "pve2", "pve3")


def test_an_offline_node_and_lost_quorum(lab: Lab) -> None:
    lab.node("pve3").kill()
    wait_for_cluster(lab, "pve1", "pve2")
    done = lab.node("pve1").run(["pvecm", "delnode", "pve3"], timeout=allow(60))
    assert (done.rc, done.stderr) == (0, "Could not kill node (error = CS_ERR_NOT_EXIST)\n")
    lab.node("pve2").kill()
    wait_until(has_lost_quorum, lab, "pve1")
    refused = lab.node("pve1").run(["pvecm", "delnode", "pve2"])
    assert (refused.rc, refused.stderr) == (255, "cluster not ready - no quorum?\n")
    assert lab.node("pve1").run(["pvecm", "expected", "1"]).rc == 0
    wait_until(is_writable, lab, "pve1")
    wait_until(deletes, lab, "pve1", "pve2", patience=20)
    lab.node("pve1").run(["pvecm", "expected", "1"])
    wait_for_cluster(lab, "pve1")
