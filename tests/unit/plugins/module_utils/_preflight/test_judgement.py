# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every finding of the preflight, planted one at a time in nodes that are fine otherwise."""

from __future__ import annotations

import copy
import json

import pytest

from ansible_collections.baremetal.proxmox.plugins.module_utils._preflight.findings import (
    ERROR,
    errors_of,
    ignore,
    render_table,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._preflight.inventory import (
    peers_of,
    sort_answers,
    wish_of_host,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._preflight.judge_cluster import decide, judge_cluster
from ansible_collections.baremetal.proxmox.plugins.module_utils._preflight.judge_node import judge_node
from ansible_collections.baremetal.proxmox.plugins.module_utils._preflight.waiting_members import name_waiting_members

ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHBms4ZJP3fK0BQZxxASJS6JP1i71Y573FUAeqNO02MK"
OTHER_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB1111111111111111111111111111111111111111mK"

FINE = {
    "user_id": 0,
    "host_keys": {"value": [ED25519]},
    "hosts_file": {"value": ""},
    "hosts_managed_by_cloud_init": {"value": False},
    "ssh_daemon": {"value": {"permit_root_login": "yes", "root_may_use_keys": True}},
    "free_bytes": {"/etc": {"value": 10**10}},
    "pending_packages": {"value": None},
    "storages": {"value": ["local", "local-lvm"]},
    "users": {"value": ["root@pam"]},
    "tokens": {"value": []},
    "jobs": {"value": None},
    "two_factor_users": {"value": None},
    "firewall": {"value": None},
    "pinned_host_keys": {"value": {}},
    "root_public_key": {"value": "ssh-rsa AAAA root@pve"},
    "version": {"value": "pve-manager/9.2.11/0123456789abcdef (running kernel: 6.14.8-2-pve)\n"},
    "addresses": {"value": "[]"},
    "clock_synchronized": {"value": "yes\n"},
    "clock": 1.0,
}


@pytest.fixture
def nodes(standalone):
    """Three bare nodes, pve1 to pve3: inventory variables and answers."""

    class Nodes:
        variables = {f"pve{n}": {"ansible_host": f"10.99.0.1{n}", "hostname": f"pve{n}.lab.local"} for n in (1, 2, 3)}
        answers = {f"pve{n}": {"collected": standalone(f"pve{n}"), "facts": copy.deepcopy(FINE)} for n in (1, 2, 3)}
        cluster_name = "lab"

        def judge(self):
            hosts = list(self.answers)
            wishes = {host: wish_of_host(host, self.variables[host], host == "pve1") for host in hosts}
            answered, silent = sort_answers(hosts, self.answers, wishes, self.cluster_name)
            subjects = name_waiting_members(answered)
            decision = decide(subjects)
            findings = judge_cluster(subjects, silent, self.cluster_name, decision)
            for subject in subjects:
                findings += judge_node(subject, is_founder=subject.host == decision.founder)
            return findings, decision

        def facts(self, host):
            return self.answers[host]["facts"]

        def codes(self, severity=None):
            return {(f.code, f.node) for f in self.judge()[0] if severity in (None, f.severity)}

    return Nodes()


@pytest.fixture
def clustered(nodes, member):
    """pve1 and pve2 are members (of a cluster of three), pve3 is bare."""
    for name in ("pve1", "pve2"):
        members = json.loads(member()["pmxcfs"]["members"]["value"]) | {"nodename": name}
        address = nodes.variables[name]["ansible_host"]
        nodes.answers[name]["collected"] = member(
            pmxcfs={"members": {"value": json.dumps(members)}},
            node_name=name,
            local_addresses={"value": ["127.0.0.1", address]},
            own_addresses={"value": [address]},
        )
    return nodes


def test_bare_nodes_are_fine_and_the_primary_founds(nodes):
    findings, decision = nodes.judge()
    assert findings == []
    assert (decision.founder, decision.seeds, decision.joiners) == ("pve1", (), ("pve2", "pve3"))


def test_members_serve_as_seeds_whoever_is_primary(clustered):
    findings, decision = clustered.judge()
    assert (decision.founder, decision.seeds, decision.joiners) == (None, ("pve1", "pve2"), ("pve3",))
    assert not errors_of(findings)


def test_a_reinstalled_primary_joins_its_old_cluster(clustered, standalone):
    clustered.answers["pve1"]["collected"] = standalone("pve1")
    _findings, decision = clustered.judge()
    assert (decision.founder, decision.seeds, decision.joiners) == (None, ("pve2",), ("pve1", "pve3"))


def test_quorum_lost_to_joiners_that_were_read_outside_is_given_back(nodes, member, recorded, output):
    """One that was not read may be the other half of the cluster."""
    nodes.answers["pve1"]["collected"] = member(
        pmxcfs={"members": {"value": recorded("noquorum-members")}, "write_bit": {"value": False}},
        quorum=output(recorded("noquorum-quorumtool-s"), rc=2),
    )
    findings, decision = nodes.judge()
    assert (decision.founder, decision.seeds, decision.joiners) == (None, ("pve1",), ("pve2", "pve3"))
    assert not errors_of(findings) and ("unfinished", "pve1") in nodes.codes("warning")
    nodes.answers["pve3"] = {"unreachable": True}
    assert ("no_quorum", "pve1") in nodes.codes("error")


def plant(path, value):
    def do(nodes):
        target = nodes.answers["pve2"]
        *parents, last = path.split("/")
        for name in parents:
            target = target[name]
        target[last] = value

    return do


GUESTS = {"pve2": {"guests": ["100", "101"], "certificate": True, "lrm_status": {"value": None}}}
STALE = {
    name: {"guests": ["100"] * (name == "old"), "certificate": True, "lrm_status": {"value": None}}
    for name in ("pve2", "old")
}

PLANTED = [
    ("not_root", "error", plant("facts/user_id", 1000)),
    ("no_proxmox", "error", plant("facts/version", {"value": None})),
    ("no_proxmox", "error", plant("facts/version", {"reason": "Permission denied"})),
    ("version", "error", plant("facts/version", {"value": "pve-manager/7.4-3/0123 (running kernel: 5)"})),
    ("own_name", "error", plant("collected/own_addresses", {"value": ["127.0.1.1"]})),
    ("own_name", "error", plant("collected/own_addresses", {"value": ["192.0.2.99"]})),
    ("own_name", "error", plant("collected/own_addresses", {"reason": "Temporary failure in name resolution"})),
    ("cloud_init_hosts", "warning", plant("facts/hosts_managed_by_cloud_init", {"value": True})),
    (
        "root_login",
        "error",
        plant("facts/ssh_daemon", {"value": {"permit_root_login": "no", "root_may_use_keys": False}}),
    ),
    ("clock_unsynchronized", "warning", plant("facts/clock_synchronized", {"value": "no\n"})),
    ("disk_space", "error", plant("facts/free_bytes", {"/etc": {"value": 10**6}})),
    ("disk_space", "error", plant("facts/free_bytes", {"/etc": {"reason": "Input/output error"}})),
    ("pending_upgrade", "warning", plant("facts/pending_packages", {"value": ["pve-cluster"]})),
    ("erased_by_join", "warning", plant("facts/storages", {"value": ["local", "tank"]})),
    ("erased_by_join", "warning", plant("facts/tokens", {"value": ["root@pam!ci"]})),
    ("guests", "error", plant("collected/pmxcfs/node_directories", {"value": GUESTS})),
    ("stale_guests", "error", plant("collected/pmxcfs/node_directories", {"value": STALE})),
    ("leftovers", "warning", plant("collected/authkey", {"value": 256})),
    ("no_root_key", "error", plant("facts/root_public_key", {"value": None})),
    ("unknown_state", "error", plant("collected/pmxcfs", {"reason": "/etc/pve did not answer within 5 seconds."})),
]


@pytest.mark.parametrize(("code", "severity", "do"), PLANTED)
def test_each_finding_is_named_where_it_is(code, severity, do, nodes):
    do(nodes)
    assert (code, "pve2") in nodes.codes(severity)


def test_every_finding_has_a_remedy(nodes):
    for _code, _severity, do in PLANTED:
        do(nodes)
        assert all(finding.remedy and finding.text for finding in nodes.judge()[0])


def test_the_founder_may_have_guests_and_storages(nodes):
    guests = {"pve1": {"guests": ["100"], "certificate": True, "lrm_status": {"value": None}}}
    nodes.answers["pve1"]["collected"]["pmxcfs"]["node_directories"] = {"value": guests}
    nodes.facts("pve1")["storages"] = {"value": ["tank"]}
    assert nodes.codes() == set()


def test_mixed_majors_are_an_error_and_mixed_minors_a_warning(nodes):
    nodes.facts("pve2")["version"] = {"value": "pve-manager/9.1.4/abc (running kernel)"}
    assert nodes.codes() == {("mixed_minors", "")}
    nodes.facts("pve3")["version"] = {"value": "pve-manager/8.4.1/abc (running kernel)"}
    assert ("mixed_majors", "") in nodes.codes(ERROR)


def test_a_silent_node_is_an_error_and_never_a_non_member(nodes):
    nodes.answers["pve3"] = {"unreachable": True, "msg": "No route to host"}
    findings, decision = nodes.judge()
    assert ("unreachable", "pve3") in {(finding.code, finding.node) for finding in findings}
    assert "pve3" not in decision.joiners


def test_names_are_the_same_in_any_case(nodes):
    nodes.answers["pve3"]["collected"]["node_name"] = "PVE2"
    assert ("duplicate_name", "pve3") in nodes.codes(ERROR)


def test_a_joiner_must_not_take_a_members_name_with_another_address(clustered, standalone):
    clustered.answers["pve3"]["collected"] = standalone(
        "pve3", local_addresses={"value": ["10.99.0.77"]}, own_addresses={"value": ["10.99.0.77"]}
    )
    assert ("duplicate_name", "pve3") in clustered.codes(ERROR)


def test_a_joiner_must_not_take_a_members_address(clustered):
    clustered.variables["pve3"]["link0"] = "10.99.0.11"
    assert ("duplicate_address", "pve3") in clustered.codes(ERROR)


def test_links_have_to_match_the_clusters(clustered):
    clustered.variables["pve3"] |= {"link0": "10.99.0.13", "link1": "10.99.1.13"}
    codes = clustered.codes(ERROR)
    assert ("links", "pve3") in codes
    assert ("link_address", "pve3") in codes


def test_another_cluster_is_refused(clustered):
    clustered.cluster_name = "other"
    assert {("other_cluster", "pve1"), ("other_cluster", "pve2")} <= clustered.codes(ERROR)


@pytest.mark.parametrize("name", ["bad_name", "-x", "", "abcdefghijklmnop"])
def test_bad_cluster_names(name, nodes):
    nodes.cluster_name = name
    assert ("cluster_name", "") in nodes.codes(ERROR)


def test_a_member_with_other_host_keys_is_told(clustered):
    clustered.facts("pve1")["pinned_host_keys"] = {"value": {"pve2": f"pve2 {OTHER_KEY}\n"}}
    assert ("host_key_changed", "pve2") in clustered.codes(ERROR)


def test_a_firewall_that_may_shut_us_out(clustered):
    clustered.facts("pve1")["firewall"] = {"value": {"enabled": True, "has_management_set": False}}
    assert ("firewall", "") in clustered.codes()


def test_two_nodes_are_advised(nodes):
    del nodes.answers["pve3"]
    assert nodes.codes() == {("two_nodes", "")}


def test_ignored_errors_stay_visible_as_warnings(nodes):
    plant("facts/ssh_daemon", {"value": {"permit_root_login": "no", "root_may_use_keys": False}})(nodes)
    findings = ignore(nodes.judge()[0], ["root_login"])
    assert not errors_of(findings)
    assert "(ignored)" in findings[0].text


def test_the_table_shows_errors_first_and_who_is_fine(nodes):
    plant("facts/pending_packages", {"value": ["pve-cluster"]})(nodes)
    plant("facts/user_id", 1000)(nodes)
    nodes.facts("pve3")["pending_packages"] = {"value": ["corosync"]}
    lines = render_table(nodes.judge()[0], list(nodes.answers)).splitlines()
    assert lines[1].startswith("ERROR     pve2")
    assert lines[-1] == "ok        pve1"


def test_peers_are_all_others_on_all_their_links(nodes):
    wishes = {host: wish_of_host(host, nodes.variables[host], False) for host in nodes.answers}
    subjects, _silent = sort_answers(list(nodes.answers), nodes.answers, wishes, "lab")
    assert peers_of(subjects[0], subjects) == [
        {"name": "pve2", "address": "10.99.0.12", "links": {"0": "10.99.0.12"}},
        {"name": "pve3", "address": "10.99.0.13", "links": {"0": "10.99.0.13"}},
    ]
