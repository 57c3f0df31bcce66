# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A clone becomes itself: its name in every file, everything else afresh, and never with a cluster or guests."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest

from ansible_collections.baremetal.proxmox.plugins.module_utils._hosts.identity import (
    HOSTS,
    MAILNAME,
    POSTFIX,
    Clone,
    IdentityError,
    Wish,
    plan_identity,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._hosts.name_files import rewrite_hosts, rewrite_postfix

WISH = Wish("vm1", "example.org", "192.168.122.11")
CLONE = Clone(
    "golden",
    "aaaa",
    {
        HOSTS: "127.0.0.1 localhost\n192.168.122.2 golden.example.org golden\n",
        MAILNAME: "golden.example.org\n",
        POSTFIX: "inet_interfaces = loopback-only\nmyhostname=golden.example.org\n",
    },
)
MARKER = {"hostname": "vm1", "machine_id": "aaaa"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1 localhost\n192.168.122.2 golden.x golden pvelocalhost\n", "127.0.0.1 localhost\n192.168.122.11 vm1.x vm1\n192.168.122.2 pvelocalhost\n"),
        ("127.0.0.1 localhost\n127.0.1.1 golden.x golden\n", "127.0.0.1 localhost\n192.168.122.11 vm1.x vm1\n"),
        ("127.0.0.1 localhost golden\n", "192.168.122.11 vm1.x vm1\n127.0.0.1 localhost\n"),
        ("# a remark\n127.0.0.1 localhost\n", "192.168.122.11 vm1.x vm1\n# a remark\n127.0.0.1 localhost\n"),
        ("192.168.122.11 old nas # mine\n::1 ip6-localhost\n", "192.168.122.11 vm1.x vm1 old nas # mine\n::1 ip6-localhost\n"),
        ("", "192.168.122.11 vm1.x vm1\n"),
        ("10.0.0.1 golden2.x golden2\n", "192.168.122.11 vm1.x vm1\n10.0.0.1 golden2.x golden2\n"),
    ],
)  # fmt: skip
def test_the_name_leads_to_the_own_address_and_nowhere_else(text: str, expected: str) -> None:
    rewritten = rewrite_hosts(text, "golden", "vm1.x", "192.168.122.11")
    assert rewritten == expected
    assert rewrite_hosts(rewritten, "vm1", "vm1.x", "192.168.122.11") == rewritten


def test_postfix_only_changes_its_name() -> None:
    assert rewrite_postfix("a = 1\nmyhostname=x\n", "vm1.x") == "a = 1\nmyhostname=vm1.x\n"
    assert rewrite_postfix("a = 1\n", "vm1.x") == "a = 1\n"


def test_the_hosts_file_is_written_before_the_name_changes() -> None:
    plan = plan_identity(WISH, CLONE)
    assert [step.summary for step in plan.steps][:3] == [
        "Write /etc/hosts.",
        "Write /etc/mailname.",
        "Write /etc/postfix/main.cf.",
    ]
    assert plan.steps[-1].action == "renew"
    assert plan.after["hostname"] == "vm1" and plan.after[MAILNAME] == "vm1.example.org\n"


def test_the_script_is_one_that_a_shell_takes() -> None:
    script = plan_identity(WISH, CLONE).steps[-1].arguments["script"]
    assert subprocess.run(["bash", "-n", "-c", script], check=False, capture_output=True).returncode == 0
    for words in (
        "pve2-node/golden",
        "pve-node-9.0/golden",
        "/etc/machine-id",
        "ssh-keygen -q -A",
        "rm -f /root/.ssh/id_rsa",
    ):
        assert words in script
    # Nothing of Proxmox VE is at work while the name changes.
    assert (
        script.index("systemctl stop pveproxy")
        < script.index("hostname vm1")
        < script.index("systemctl start pve-cluster")
    )


def test_a_node_that_is_itself_is_left_alone() -> None:
    done = replace(plan_done(), marker=MARKER)
    assert not plan_identity(WISH, done).changed
    assert not plan_identity(WISH, replace(done, cluster="lab", guests=("100",))).changed


def test_an_interrupted_renewal_is_begun_again() -> None:
    assert [step.action for step in plan_identity(WISH, plan_done()).steps] == ["renew"]


def test_a_clone_of_a_node_that_was_itself_is_a_clone() -> None:
    assert plan_identity(Wish("vm2", "example.org", "192.168.122.12"), replace(plan_done(), marker=MARKER)).changed


def plan_done() -> Clone:
    """The clone after all files were written, with its new name."""
    after = plan_identity(WISH, CLONE).after
    return Clone("vm1", "aaaa", {path: after[path] for path in (HOSTS, MAILNAME, POSTFIX)})


@pytest.mark.parametrize(
    ("clone", "words"),
    [
        ({"cluster": "lab"}, "golden is a member of the cluster lab"),
        ({"guests": ("100", "200")}, r"golden has guests \(100, 200\)"),
    ],
)
def test_what_would_be_lost_is_refused(clone: dict[str, object], words: str) -> None:
    with pytest.raises(IdentityError, match=words):
        plan_identity(WISH, replace(CLONE, **clone))  # type: ignore[arg-type]


def test_a_name_that_is_none_is_refused() -> None:
    with pytest.raises(IdentityError, match="is not a node's name"):
        plan_identity(Wish("vm1.example.org", "", "10.0.0.1"), CLONE)
