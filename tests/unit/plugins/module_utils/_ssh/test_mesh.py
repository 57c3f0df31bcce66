# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logins between the members: whom a node tries, in which order, and what a refusal becomes."""

from __future__ import annotations

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.health import find_refused_logins, healthy
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.membership import Member, Membership
from ansible_collections.baremetal.proxmox.plugins.module_utils._ssh import mesh

MEMBERS = {
    name: Member(name, number, online=name != "pve4", address=f"192.0.2.{number}" if name != "pve5" else "")
    for number, name in enumerate(("pve1", "pve2", "pve3", "pve4", "pve5", "pve6"), start=1)
}


def seen_from(name: str) -> Membership:
    return Membership(name, "lab", 6, quorate=True, members=MEMBERS)


def test_each_node_begins_with_the_one_after_itself_and_leaves_out_who_is_away():
    assert [member.name for member in mesh.others_in_turn(seen_from("pve2"))] == ["pve3", "pve6", "pve1"]
    assert [member.name for member in mesh.others_in_turn(seen_from("pve6"))] == ["pve1", "pve2", "pve3"]


def test_a_dropped_connection_is_tried_again_and_a_refusal_is_not(monkeypatch):
    answers = {
        "pve1": ["kex_exchange_identification: read: Connection reset by peer", None],
        "pve3": ["Permission denied (publickey).", None],
        "pve6": [None],
    }
    monkeypatch.setattr(mesh, "_DROPPED_PAUSE", 0)
    monkeypatch.setattr(mesh, "run_on_member", lambda name, *_rest: answers[name].pop(0))
    logins = mesh.log_in_everywhere(seen_from("pve2"))
    assert logins["reached"] == ["pve6", "pve1"]
    assert [login["text"] for login in logins["refused"]] == ["pve3 (192.0.2.3): Permission denied (publickey)."]
    assert logins["offline"] == ["pve4"]


def test_a_refused_login_is_an_error_of_the_node_that_tried():
    problems = find_refused_logins("pve2", [{"name": "pve3", "text": "pve3 (192.0.2.3): Permission denied"}])
    assert [(problem.node, problem.code) for problem in problems] == [("pve2", "ssh_refused")]
    assert not healthy(problems)
