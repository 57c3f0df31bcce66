# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the report says, what it says of changes, and as metrics."""

from __future__ import annotations

import copy
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from ansible_collections.baremetal.proxmox.plugins.module_utils._report.changes import compare_documents
from ansible_collections.baremetal.proxmox.plugins.module_utils._report.document import Document, build_document
from ansible_collections.baremetal.proxmox.plugins.module_utils._report.metrics import render_metrics


def samples(document: Document) -> dict[str, dict[tuple[str, ...], float]]:
    """Metric to labels to value, read by Prometheus' own parser. The cluster's label is left out."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(render_metrics(document, 1.7e9)):
        for sample in family.samples:
            labels = tuple(value for name, value in sorted(sample.labels.items()) if name != "cluster")
            found.setdefault(sample.name.removeprefix("proxmox_cluster_"), {})[labels] = sample.value
    return found


def test_each_guest_stands_where_the_cluster_has_it(document: Document):
    guests = {guest["vmid"]: guest for guest in document["guests"]}
    assert list(guests) == [100, 101, 102, 200, 9000]
    assert guests[100]["managed"] and guests[100]["tags"] == ["prod", "web"]
    assert guests[100]["addresses"] == ["192.0.2.50", "2001:db8::50"]
    assert guests[100]["os"] == "Debian GNU/Linux 13 (trixie)"
    assert guests[101]["agent"]["reason"] == "not_listening"
    # What the overview does not know yet, the agents' module does.
    assert guests[102]["name"] == "new" and guests[102]["status"] == "unknown"
    assert guests[200]["kind"] == "container" and guests[200]["agent"] is None
    assert guests[9000]["template"]


def test_findings_are_told_once_and_errors_first(document: Document):
    assert [(item["severity"], item["code"], item["source"]) for item in document["findings"]] == [
        ("error", "member_offline", "health"),
        ("warning", "old_version", "preflight"),
    ]


def test_what_could_not_be_read_is_a_finding(told: dict[str, Any]):
    document = build_document(**told, unknown=["The guests could not be asked."])
    assert document["findings"][0]["code"] == "not_read"


def test_a_host_whose_inventory_name_is_another(told: dict[str, Any]):
    nodes = told["cluster_report"]["nodes"]
    nodes["first.example.com"] = nodes.pop("pve1")
    assert [node["name"] for node in build_document(**told)["nodes"]] == ["pve1", "pve2", "pve3", "pve4"]


def test_nodes_without_a_cluster(told: dict[str, Any]):
    told["cluster_report"]["cluster"] = {"name": None, "members": []}
    document = build_document(**told)
    assert [(node["name"], node["member"], node["votes"]) for node in document["nodes"]] == [
        ("pve1", False, None),
        ("pve2", False, None),
        ("pve3", False, None),
    ]
    assert "votes" not in samples(document) and samples(document)["healthy"] == {(): 0.0}


def test_nothing_has_changed_between_two_equal_reports(document: Document):
    assert compare_documents(document, {**document, "made": "later"}) == []


def test_the_first_report_and_one_of_another_format_have_nothing_to_compare_with(document: Document):
    assert compare_documents(None, document) is None
    assert compare_documents({"format": 0}, document) is None


def test_changes_are_sentences(document: Document):
    after = copy.deepcopy(document)
    after["cluster"].update(total_votes=4, quorate=False)
    after["nodes"][3]["online"] = True
    after["nodes"][0]["links"][3]["connected"] = True
    after["nodes"][1]["links"][0]["connected"] = False
    by_number = {guest["vmid"]: guest for guest in after["guests"]}
    by_number[100].update(node="pve2", addresses=["192.0.2.51"])
    by_number[101]["agent"]["reason"] = "ok"
    by_number[200]["status"] = "stopped"
    after["guests"] = [guest for guest in after["guests"] if guest["vmid"] != 9000]
    after["guests"].append({**by_number[200], "vmid": 201, "name": ""})
    after["findings"] = [{**after["findings"][0], "text": "pve5 is offline."}, after["findings"][1]]
    assert compare_documents(document, after) == [
        "Quorate: yes, now no.",
        "Votes: 3, now 4.",
        "Node pve1 has link 1 to pve3 again.",
        "Node pve2 lost link 0 to pve1.",
        "Node pve4 went online.",
        "container (201) is new, on pve3.",
        "debian (9000) is gone.",
        "web1 (100) moved from pve1 to pve2.",
        "web1 (100) addresses: 192.0.2.50 2001:db8::50, now 192.0.2.51.",
        f"{by_number[101]['name']} (101) agent: not_listening, now ok.",
        "dns (200): running, now stopped.",
        "New finding [member_offline]: pve5 is offline.",
        "Solved [member_offline]: pve4 is offline.",
    ]


def test_a_node_that_is_silent_in_other_words_is_no_news(document: Document):
    silence = {**document["findings"][0], "code": "no_answer", "where": "pve4", "text": "timed out"}
    before = {**document, "findings": [silence]}
    assert compare_documents(before, {**document, "findings": [{**silence, "text": "no route to host"}]}) == []


def test_metrics_are_what_prometheus_reads(document: Document):
    found = samples(document)
    assert found["quorate"] == {(): 1.0} and found["votes"] == {(): 3.0} and found["votes_needed"] == {(): 3.0}
    assert found["node_online"] == {("pve1",): 1.0, ("pve2",): 1.0, ("pve3",): 1.0, ("pve4",): 0.0}
    assert found["link_connected"][("1", "pve1", "pve3")] == 0.0
    assert sum(found["link_connected"].values()) == 10.0
    assert found["findings"] == {("error",): 1.0, ("warning",): 1.0}
    # Also with names that need escaping; and a state that is not known is no zero.
    names = {labels[1]: value for labels, value in found["guest_agent_available"].items()}
    assert names == {"web1": 1.0, "<script>alert('x')</script>\"&": 0.0, "new": 0.0}
    assert len(found["guest_running"]) == 4
    assert found["report_timestamp_seconds"] == {(): 1.7e9}


def test_every_metric_says_what_it_is(document: Document):
    families = list(text_string_to_metric_families(render_metrics(document, 0.0)))
    assert all(family.documentation and family.type == "gauge" for family in families)
    assert render_metrics(document, 0.0).endswith("\n")
