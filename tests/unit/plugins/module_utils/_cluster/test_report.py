# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One picture from many: who is right when nodes disagree, and what is never called healthy."""

from __future__ import annotations

import copy
import json

import pytest

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.report import merge_infos, render

MEMBERS = [
    {"name": f"pve{n}", "node_id": n, "votes": 1, "addresses": {"0": f"10.99.0.1{n}"}, "online": True, "local": False}
    for n in (1, 2, 3)
]
CLUSTER = {
    "name": "lab",
    "config_version": 3,
    "quorate": True,
    "writable": True,
    "total_votes": 3,
    "expected_votes": 3,
    "quorum_votes": 2,
    "members": MEMBERS,
    "links": [],
    "certificate": {},
    "ha": {"master": None},
    "unknown": {},
}
INFO = {"node_state": "member", "node_state_reason": "", "health": True, "problems": [], "cluster": CLUSTER}


@pytest.fixture
def infos():
    return {f"pve{n}": copy.deepcopy(INFO) for n in (1, 2, 3)}


def test_three_that_agree_are_healthy(infos):
    report = merge_infos(infos, {}, "lab")
    assert report["healthy"]
    assert "3 of 3 online" in render(report, "status")
    assert json.loads(json.dumps(report)) == report


def test_nobody_is_not_healthy():
    assert not merge_infos({}, {})["healthy"]


def test_a_silent_node_is_never_healthy(infos):
    infos["pve3"] = None
    report = merge_infos(infos, {"pve3": "No route to host"})
    assert not report["healthy"]
    assert "pve3 did not answer: No route to host" in render(report, "health")


def test_two_halves_that_each_look_well_are_told(infos):
    for member in infos["pve3"]["cluster"]["members"][:2]:
        member["online"] = False
    report = merge_infos(infos, {})
    assert [problem["code"] for problem in report["problems"]] == ["disagreement"]
    assert not report["healthy"]


def test_the_picture_is_that_of_the_node_which_sees_most(infos):
    for member in infos["pve1"]["cluster"]["members"][1:]:
        member["online"] = False
    infos["pve1"]["cluster"]["quorate"] = False
    assert merge_infos(infos, {})["cluster"]["quorate"] is True


def test_another_name_is_an_error(infos):
    assert "wrong_cluster" in {problem["code"] for problem in merge_infos(infos, {}, "other")["problems"]}


def test_the_same_problem_of_all_nodes_is_told_once(infos):
    problem = {
        "code": "single_link",
        "severity": "warning",
        "node": "x",
        "text": "Corosync has a single link.",
        "remedy": "Add one.",
    }
    for info in infos.values():
        info["problems"] = [problem]
    report = merge_infos(infos, {})
    assert len(report["problems"]) == 1
    assert report["problems"][0]["seen_by"] == ["pve1", "pve2", "pve3"]
    assert report["healthy"]


def test_an_unhealthy_cluster_says_why_in_every_view(infos):
    infos["pve2"]["health"] = False
    infos["pve2"]["problems"] = [
        {"code": "x", "severity": "error", "node": "pve2", "text": "Something is wrong.", "remedy": "Mend it."}
    ]
    report = merge_infos(infos, {})
    for view in ("status", "nodes", "health"):
        assert "Something is wrong." in render(report, view)
        assert "Mend it." in render(report, view)


def test_standalone_nodes_are_shown_with_their_state():
    alone = {
        "node_state": "standalone",
        "node_state_reason": "The node is in no cluster.",
        "health": False,
        "problems": [],
        "cluster": {"name": None},
    }
    text = render(merge_infos({"pve1": alone}, {}), "status")
    assert "No cluster" in text
    assert "standalone" in text
