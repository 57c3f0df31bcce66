# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pvecm on nodes without a cluster: first-boot state, refused joins that exit with 0, steps that stay behind."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest

from busy_machine import allow
from practice_lab import Completed, Lab

PASSWORD = "pvelab"
FALSE_FINGERPRINT = ":".join(["AA"] * 32)
GREETING = "Establishing API connection with host '10.99.0.12'\n"


@pytest.fixture(scope="module")
def lab(make_lab: Callable[[], Lab]) -> Lab:
    lab = make_lab()
    lab.up(["pve1", "pve2"])
    for node in lab.nodes():
        wait_for_service(lab, node.name, "pveproxy")
    return lab


def wait_for_service(lab: Lab, name: str, unit: str, patience: float = 60) -> None:
    deadline = time.monotonic() + allow(patience)
    while lab.node(name).run(["systemctl", "is-active", unit]).rc:
        assert time.monotonic() < deadline, f"{unit} on {name} does not start"
        time.sleep(0.3)


def fingerprint_of(lab: Lab, name: str) -> str:
    command = ["openssl", "x509", "-noout", "-fingerprint", "-sha256", "-in", "/etc/pve/local/pve-ssl.pem"]
    return lab.node(name).run(command).check().stdout.strip().split("=")[1]


def add(lab: Lab, *options: str, stdin: str = f"{PASSWORD}\n") -> Completed:
    return lab.node("pve1").run(["pvecm", "add", *options], stdin=stdin, timeout=allow(60))


def test_files_of_a_fresh_node(lab: Lab) -> None:
    listing = lab.node("pve1").run(["ls", "-1", "/etc/pve", "/etc/pve/local/", "/etc/pve/priv"]).check().stdout
    assert set(listing.split()) >= {
        *("authkey.pub", "datacenter.cfg", "firewall", "ha", "mapping", "nodes", "priv", "pve-root-ca.pem"),
        *("pve-www.key", "sdn", "storage.cfg", "user.cfg", "virtual-guest", "vzdump.cron", "lxc", "openvz"),
        *("pve-ssl.key", "pve-ssl.pem", "qemu-server", "ssh_known_hosts", "acme", "authkey.key", "authorized_keys"),
        *("pve-root-ca.key", "pve-root-ca.srl"),
    }
    assert lab.node("pve1").run(["readlink", "/root/.ssh/authorized_keys"]).stdout == "/etc/pve/priv/authorized_keys\n"
    assert lab.node("pve1").run(["test", "-e", "/etc/ssh/ssh_known_hosts"]).rc == 1
    assert lab.node("pve1").run(["stat", "-c", "%a %s", "/root/.ssh/config"]).stdout == "640 117\n"
    assert lab.node("pve1").run(["cat", "/root/.ssh/id_rsa.pub"]).stdout.endswith(" root@pve1\n")


def test_every_node_has_keys_of_its_own(lab: Lab) -> None:
    paths = ["/root/.ssh/id_rsa.pub", "/etc/pve/pve-root-ca.pem", "/etc/pve/authkey.pub", "/etc/pve/pve-www.key"]
    for path in paths:
        assert lab.node("pve1").run(["cat", path]).check().stdout != lab.node("pve2").run(["cat", path]).check().stdout


def test_certificate_is_signed_and_served(lab: Lab) -> None:
    verify = ["openssl", "verify", "-CAfile", "/etc/pve/pve-root-ca.pem", "/etc/pve/local/pve-ssl.pem"]
    assert lab.node("pve1").run(verify).rc == 0
    served = lab.node("pve1").run(
        ["sh", "-c", "echo | openssl s_client -connect 127.0.0.1:8006 2>&1 | openssl x509 -noout -fingerprint -sha256"]
    )
    assert served.stdout.strip().split("=")[1] == fingerprint_of(lab, "pve1")


def test_updatecerts_into_a_pipe_loses_its_last_lines(lab: Lab) -> None:
    assert lab.node("pve1").run(["pvecm", "updatecerts"]).check().stdout == ""
    before = fingerprint_of(lab, "pve1")
    forced = lab.node("pve1").run(["pvecm", "updatecerts", "--force"]).check()
    assert forced.stdout == "(re)generate node files\ngenerate new node certificate\n"
    assert fingerprint_of(lab, "pve1") != before
    lab.node("pve1").run(["systemctl", "reload", "pveproxy"]).check()


def test_updatecerts_restores_the_symlink(lab: Lab) -> None:
    node = lab.node("pve1")
    script = (
        "cd /root/.ssh; cat authorized_keys > /tmp/keys; rm authorized_keys; mv /tmp/keys authorized_keys;"
        "echo 'ssh-ed25519 AAAAextra extra' >> authorized_keys; pvecm updatecerts"
    )
    node.run(["sh", "-c", script]).check()
    assert node.run(["readlink", "/root/.ssh/authorized_keys"]).rc == 0
    assert "extra" in node.run(["cat", "/etc/pve/priv/authorized_keys"]).stdout
    assert node.run(["ls", "/root/.ssh"]).stdout.split() == ["authorized_keys", "config", "id_rsa", "id_rsa.pub"]


@pytest.mark.parametrize(
    ("options", "stdin", "stderr"),
    [
        (["--fingerprint", FALSE_FINGERPRINT], f"{PASSWORD}\n", "fingerprint '{peer}' not verified, abort!\n"),
        (["--fingerprint", "{peer}"], "wrong\n", "401 authentication failure\n"),
    ],
)
def test_refused_by_the_peer(lab: Lab, options: list[str], stdin: str, stderr: str) -> None:
    peer = fingerprint_of(lab, "pve2")
    begin = time.monotonic()
    done = add(lab, "10.99.0.12", *(option.format(peer=peer) for option in options), stdin=stdin)
    assert (done.rc, done.stdout, done.stderr) == (0, GREETING, stderr.format(peer=peer))
    if stdin == "wrong\n":
        assert time.monotonic() - begin > 3


def test_peer_without_a_cluster(lab: Lab) -> None:
    done = add(lab, "10.99.0.12", "--fingerprint", fingerprint_of(lab, "pve2"))
    assert done.rc == 0
    assert done.stderr == "Cluster join aborted!\n"
    assert done.stdout == (
        f"{GREETING}Login succeeded.\ncheck cluster join API version\n"
        "No cluster network links passed explicitly, fallback to local node IP '10.99.0.11'\n"
        "Request addition of this node\nAn error occurred on the cluster node: invalid corosync.conf\n! no nodes found\n"
    )
    assert lab.node("pve1").run(["ls", "/etc/corosync"]).stdout == "uidgid.d\n"


def test_peer_that_is_not_there(lab: Lab) -> None:
    done = add(lab, "10.99.0.77", "--fingerprint", FALSE_FINGERPRINT)
    assert done.rc == 0
    assert done.stderr == "500 Can't connect to 10.99.0.77:8006 (No route to host)\n"


def test_no_password(lab: Lab) -> None:
    done = add(lab, "10.99.0.12", "--fingerprint", FALSE_FINGERPRINT, stdin="")
    assert (done.rc, done.stdout, done.stderr) == (0, "", "EOF while reading password\n")


def test_question_without_an_answer(lab: Lab) -> None:
    done = add(lab, "10.99.0.12")
    assert done.rc == 0
    assert done.stderr == "Fingerprint not verified, abort!\n"
    assert f"X509 SHA256 key fingerprint is {fingerprint_of(lab, 'pve2')}.\n" in done.stdout
    assert done.stdout.endswith("pm line 256, <STDIN> line 1.\n")


def test_joining_oneself_waits_for_its_own_lock(lab: Lab) -> None:
    begin = time.monotonic()
    done = add(lab, "10.99.0.11", "--fingerprint", fingerprint_of(lab, "pve1"))
    assert done.rc == 0
    assert 10 < time.monotonic() - begin < 10 + allow(10)
    assert done.stdout.endswith(
        "An error occurred on the cluster node: can't lock file '/var/lock/pvecm.lock' - got timeout\n"
    )


def test_below_etc_pve(lab: Lab) -> None:
    done = lab.node("pve1").run(["sh", "-c", "cd /etc/pve/nodes; pvecm add 10.99.0.12"], stdin="x\n")
    assert done.rc != 0
    assert done.stderr == "Navigate out of /etc/pve before running 'pvecm add', for example by running 'cd'.\n"


def test_guests_are_in_the_way(lab: Lab) -> None:
    node = lab.node("pve1")
    node.run(["sh", "-c", "mkdir -p /etc/pve/nodes/gone/qemu-server; touch /etc/pve/nodes/gone/qemu-server/100.conf"])
    done = add(lab, "10.99.0.12", "--link0", "10.99.0.200")
    node.run(["rm", "-r", "/etc/pve/nodes/gone"]).check()
    assert done.rc == 0
    assert done.stderr == "Check if node may join a cluster failed!\n"
    assert done.stdout == (
        "detected the following error(s):\n* this host already contains virtual guests\n"
        "* link0: cannot use IP '10.99.0.200', not found on local node!\n\n"
    )


def test_task_of_a_failed_join(lab: Lab) -> None:
    last = lab.node("pve1").run(["tail", "-1", "/var/log/pve/tasks/index"]).stdout
    assert re.match(r"UPID:pve1:\S+:clusterjoin::root@pam: [0-9A-F]{8} Check if node may join a cluster failed!$", last)


def test_key_generation(lab: Lab) -> None:
    node = lab.node("pve1")
    node.run(["pvecm", "keygen", "/tmp/new/key"]).check()
    assert node.run(["stat", "-c", "%s %a", "/tmp/new/key"]).stdout == "256 400\n"
    again = node.run(["pvecm", "keygen", "/tmp/new/key"])
    assert (again.rc != 0, again.stderr) == (True, "key file '/tmp/new/key' already exists\n")


def test_create_accepts_a_link_that_leads_nowhere(lab: Lab) -> None:
    """Last in this module: the node has a cluster afterwards, and no corosync."""
    done = lab.node("pve2").run(["pvecm", "create", "lab", "--link0", "nosuchhost"], timeout=60)
    assert (done.rc, done.stderr) == (0, "")
    assert done.stdout.endswith("Restart corosync and cluster filesystem\n")
    deadline = time.monotonic() + allow(20)
    while lab.node("pve2").run(["systemctl", "is-active", "corosync"]).stdout != "failed\n":
        assert time.monotonic() < deadline
        time.sleep(0.3)
    assert lab.node("pve2").run(["touch", "/etc/pve/x"]).rc == 1
