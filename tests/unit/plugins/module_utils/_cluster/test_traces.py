# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is left of a member that is gone, in each of the files that name it."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.command_words import (
    certificate_was_lost,
    joined_according_to,
    last_words,
    remedy_of,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.scripts import MARKER, leave_script
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.traces import (
    authorized_keys_without,
    known_hosts_without,
    references_to,
    replication_jobs_to,
)

KEYS = (
    "\n# lab\nssh-rsa AAAA1 root@pve1\nssh-rsa AAAA3 root@pve3\nssh-ed25519 AAAA4 root@pve3\n"
    'command="x" ssh-rsa AAAA5 root@pve3\nssh-rsa AAAA6 me@laptop\n'
)


def test_only_keys_that_pve_made_for_the_gone_node_go():
    left = authorized_keys_without(KEYS, ["pve3"], "ssh-rsa AAAA1 root@pve1\n")
    assert left == KEYS.replace("ssh-rsa AAAA3 root@pve3\n", "")
    assert authorized_keys_without(KEYS, ["pve1"], "ssh-rsa AAAA1 root@pve1\n") == KEYS


@given(st.text("abc \n#@|", max_size=60))
def test_nothing_gone_changes_nothing(text):
    assert authorized_keys_without(text, [], "").splitlines() == text.splitlines()
    assert known_hosts_without(text, []).splitlines() == text.splitlines()


def test_known_hosts_keep_the_other_names_of_a_line():
    text = "pve3,10.99.0.13,pve3.lab.local,gate ssh-rsa AAAA\npve2 ssh-rsa BBBB\n|1|salt|hash ssh-rsa CCCC\n"
    left = known_hosts_without(text, ["PVE3", "10.99.0.13"])
    assert left == "gate ssh-rsa AAAA\npve2 ssh-rsa BBBB\n|1|salt|hash ssh-rsa CCCC\n"


def test_references():
    storage = (
        "dir: local\n\tpath /var/lib/vz\n\nnfs: a\n\tnodes pve1,pve3\n\nnfs: b\n\tnodes pve3\n\nnfs: c\n\tnodes pve1\n"
    )
    assert [(entry.name, entry.left) for entry in references_to(storage, ["pve3"])] == [("a", ("pve1",)), ("b", ())]
    rules = "node-affinity: r\n\tresources vm:100\n\tnodes pve1:2,pve3:1\n"
    assert [(entry.kind, entry.name, entry.left) for entry in references_to(rules, ["pve3"])] == [
        ("node-affinity", "r", ("pve1:2",))
    ]
    jobs = "local: 100-0\n\ttarget pve3\n\nlocal: 101-0\n\ttarget pve2\n"
    assert replication_jobs_to(jobs, ["pve3"]) == ["100-0"]


def test_the_script_ends_with_the_marker_gone():
    for variant in ("separate", "restore", "fresh"):
        script = leave_script(variant, "/var/lib/pve-cluster/backup/config-1.sql.gz", forget_guests=False)
        assert script.index(f"> {MARKER}") < script.index("systemctl stop") < script.index(f"rm -f {MARKER}")
        checked = subprocess.run(["sh", "-n"], input=script, text=True, capture_output=True, check=False)
        assert checked.returncode == 0, checked.stderr
    assert "authorized_keys" in leave_script("fresh", None, forget_guests=False)
    assert "sqlite3" not in leave_script("restore", None, forget_guests=False)


@pytest.mark.parametrize(("forget", "left"), [(False, ["guests", "own"]), (True, ["own"])])
def test_the_script_keeps_directories_with_guests(forget, left, tmp_path):
    for name in ("own", "empty", "guests"):
        (tmp_path / name / "lxc").mkdir(parents=True)
    (tmp_path / "guests" / "lxc" / "100.conf").touch()
    script = leave_script("separate", None, forget_guests=forget)
    part = script[script.index("own=$(uname") : script.index(f"rm -f {MARKER}")]
    part = part.replace("/etc/pve/nodes", str(tmp_path)).replace("$(uname -n)", "own.example")
    subprocess.run(["sh", "-euc", f"say() {{ :; }}\n{part}"], check=True)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == left


def test_words_of_the_command():
    failed = "detected the following error(s):\n* this host already contains virtual guests\n\nCheck if node may join a cluster failed!\n"
    assert last_words(failed)[-1] == "Check if node may join a cluster failed!"
    assert "guests" in remedy_of(failed)
    assert "UDP 5405" in remedy_of("stopping pve-cluster service\nwaiting for quorum...")
    assert not joined_according_to(failed, "pve2")
    assert joined_according_to("successfully added node 'pve2' to cluster.\n", "pve2")


def test_a_join_that_lost_only_its_certificate_is_recognised():
    assert certificate_was_lost(
        "generate new node certificate\nunable to generate pve certificate request: command 'openssl"
    )
    assert not certificate_was_lost("generated new node certificate, restart pveproxy and pvedaemon services")
