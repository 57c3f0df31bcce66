# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The planners: which steps follow from which state, and what is refused."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.classify import Classified, classify
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import (
    ClusterError,
    Refused,
    StateUnknown,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.expectation import (
    Expectation,
    unmet_membership,
    unmet_separation,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.health import find_problems, healthy
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.plan_member import plan_joined, plan_present
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.plan_remove import Removal, plan_remove
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.plan_standalone import plan_standalone
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.states import NodeState
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.view import view_of
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.wish import Link, Wish, wish_of

JOIN = Wish("joined", "lab", seeds=("10.99.0.11",))
ALONE = Wish("standalone")


def actions(plan):
    return [step.action for step in plan.steps]


@pytest.fixture
def cluster(member, snapshot_of):
    """The healthy cluster of three as pve1 sees it."""
    view = view_of(snapshot_of(member()), "10.99.0.11").value
    assert view is not None
    return view


def joined(snapshot, view, wish=JOIN):
    return plan_joined(wish, snapshot, classify(snapshot, wish.cluster_name, view), view)


def present(snapshot, wish=None):
    wish = wish or Wish("present", "lab")
    return plan_present(wish, snapshot, classify(snapshot, wish.cluster_name))


def alone(snapshot, wish=ALONE, view=None):
    return plan_standalone(wish, snapshot, classify(snapshot, wish.cluster_name, view), view)


def removed(snapshot, removal):
    return plan_remove(removal, snapshot, classify(snapshot))


# -- create


def test_create_with_links_and_priorities(standalone, snapshot_of):
    node = standalone("pve1", local_addresses={"value": ["10.99.0.11", "10.98.0.11"]})
    links = (Link(0, "10.99.0.11", 10), Link(1, "10.98.0.11"))
    plan = present(snapshot_of(node), Wish("present", "lab", links=links, votes=2, token_coefficient=650))
    assert actions(plan) == ["create", "await_membership"]
    assert plan.steps[0].arguments["argv"] == [
        "pvecm", "create", "lab", "--link0", "10.99.0.11,priority=10", "--link1", "10.98.0.11",
        "--votes", "2", "--token-coefficient", "650",
    ]  # fmt: skip


def test_create_is_done_once(member, snapshot_of):
    plan = present(snapshot_of(member()))
    assert not plan.changed
    assert plan.diff["before"] == plan.diff["after"]


def test_create_refuses_addresses_that_pvecm_would_swallow(standalone, snapshot_of):
    with pytest.raises(Refused, match=r"10\.9\.9\.9"):
        present(snapshot_of(standalone()), Wish("present", "lab", links=(Link(0, "10.9.9.9"),)))
    with pytest.raises(Refused, match=r"127\.0\.1\.1"):
        present(snapshot_of(standalone(own_addresses={"value": ["127.0.1.1"]})))
    with pytest.raises(StateUnknown):
        present(snapshot_of(standalone(own_addresses={"reason": "Name or service not known"})))


def test_create_in_another_cluster_is_refused(member, snapshot_of):
    with pytest.raises(Refused, match="other_cluster"):
        present(snapshot_of(member()), Wish("present", "other"))


# -- join


def test_join(standalone, snapshot_of, cluster):
    plan = joined(snapshot_of(standalone()), cluster)
    assert actions(plan) == ["join", "await_membership"]
    assert plan.steps[0].arguments["argv"] == ["pvecm", "add", "10.99.0.11", "--use_ssh"]
    assert plan.steps[1].arguments["members"] == ["pve1", "pve2", "pve3", "pve4"]
    assert plan.steps[1].arguments["seed"] == "10.99.0.11"


def test_a_member_needs_no_other_to_know_that_nothing_is_to_do(member, snapshot_of):
    assert not joined(snapshot_of(member()), None).changed


def test_join_over_the_api_has_no_password_in_its_words(standalone, snapshot_of, cluster):
    wish = dataclasses.replace(JOIN, method="api", fingerprint="AA")
    assert joined(snapshot_of(standalone()), cluster, wish).steps[0].arguments["argv"] == [
        "pvecm", "add", "10.99.0.11", "--fingerprint", "AA",
    ]  # fmt: skip


@pytest.mark.parametrize("directory", ["pve4", "pve9"])
def test_join_with_guests_is_refused_wherever_they_lie(directory, standalone, snapshot_of, cluster):
    directories = {"pve4": {"guests": [], "certificate": True}} | {directory: {"guests": ["100"], "certificate": True}}
    with pytest.raises(Refused, match="100"):
        joined(snapshot_of(standalone(pmxcfs={"node_directories": {"value": directories}})), cluster)


def test_a_second_machine_of_the_same_name_is_refused(standalone, snapshot_of, cluster):
    with pytest.raises(Refused, match="another node of the name pve2"):
        joined(snapshot_of(standalone("pve2")), cluster)


def test_links_must_fit_the_cluster(standalone, snapshot_of, cluster):
    addresses = {"value": ["10.99.0.14", "10.99.0.12", "10.98.0.14"]}
    node = snapshot_of(standalone(local_addresses=addresses))
    with pytest.raises(Refused, match="every link"):
        joined(node, cluster, dataclasses.replace(JOIN, links=(Link(0, "10.99.0.14"), Link(1, "10.98.0.14"))))
    with pytest.raises(Refused, match="used by pve2"):
        joined(node, cluster, dataclasses.replace(JOIN, links=(Link(0, "10.99.0.12"),)))


def test_another_join_under_way_is_refused(standalone, snapshot_of, cluster):
    half = dataclasses.replace(cluster, online=frozenset({"pve1", "pve2"}), never_seen=frozenset({"pve3"}))
    with pytest.raises(Refused, match="pve3"):
        joined(snapshot_of(standalone()), half)
    accounted = dataclasses.replace(JOIN, accounted_for=("pve3",))
    assert joined(snapshot_of(standalone()), half, accounted).steps[-1].arguments["online"] == ["pve1", "pve2", "pve4"]
    busy = dataclasses.replace(cluster, busy=("pvecm addnode pve5",))
    with pytest.raises(Refused, match="at this moment"):
        joined(snapshot_of(standalone()), busy)


def test_ghost_on_a_primary_without_quorum_is_its_own_proof(standalone, snapshot_of, cluster):
    two = dataclasses.replace(cluster.config, nodes=cluster.config.nodes[:2])
    lost = dataclasses.replace(
        cluster, config=two, quorate=False, writable=False, online=frozenset({"pve1"}), never_seen=frozenset({"pve2"})
    )
    plan = joined(snapshot_of(standalone("pve2")), lost)
    assert actions(plan) == ["expect_votes_on_seed", "join", "await_membership"]
    assert plan.steps[0].arguments["votes"] == 1
    # Another node is missing too, and nothing proves that it does not run with a third one.
    lost_more = dataclasses.replace(lost, config=cluster.config)
    with pytest.raises(Refused, match="nothing proves that pve3"):
        joined(snapshot_of(standalone("pve2")), lost_more, dataclasses.replace(JOIN, accounted_for=()))


def half_joined(standalone, recorded, config=None):
    files = {"authkey": {"value": 256}, "local_corosync_conf": {"value": config or recorded("healthy-corosync-conf")}}
    gone = {"database": {"value": None}, "database_holds_cluster": {"value": None}}
    down = {"mounted": {"value": False}, "pmxcfs": {"reason": "not mounted"}}
    dumps = {"database_dumps": {"value": ["config-1795205867.sql.gz", "config-1795205999.sql.gz"]}}
    return standalone("pve3", **files) | gone | down | dumps


def test_half_a_join_is_finished_where_the_cluster_still_lists_it(standalone, recorded, snapshot_of, cluster):
    waiting = dataclasses.replace(cluster, online=frozenset({"pve1", "pve2"}), never_seen=frozenset({"pve3"}))
    plan = joined(snapshot_of(half_joined(standalone, recorded)), waiting)
    assert actions(plan) == ["start_services", "make_certificate", "await_membership"]


def test_half_a_join_is_taken_back_from_the_newest_dump(standalone, recorded, snapshot_of, cluster):
    waiting = dataclasses.replace(cluster, online=frozenset({"pve1", "pve2"}), never_seen=frozenset({"pve3"}))
    plan = alone(snapshot_of(half_joined(standalone, recorded)), ALONE, waiting)
    assert actions(plan) == ["back_up", "leave", "await_separation", "forget_on_seed"]
    assert plan.steps[1].arguments["variant"] == "restore"
    assert plan.steps[1].arguments["dump"] == "/var/lib/pve-cluster/backup/config-1795205999.sql.gz"
    assert plan.steps[3].arguments["votes"] is None


def test_left_over_files_are_removed_first(standalone, snapshot_of, cluster):
    plan = joined(snapshot_of(standalone(authkey={"value": 256})), cluster)
    assert actions(plan) == ["clean_leftovers", "join", "await_membership"]


def test_lost_certificate_is_made(member, snapshot_of):
    plan = joined(snapshot_of(member(pmxcfs={"disk_certificate": {"value": None}})), None)
    assert actions(plan) == ["make_certificate", "await_membership"]


def test_a_running_join_is_waited_for(standalone, units, snapshot_of, cluster):
    plan = joined(snapshot_of(standalone(units=units(running="baremetal-proxmox-join"))), cluster)
    assert actions(plan) == ["attach", "await_membership"]


def test_without_a_member_nothing_is_planned(standalone, snapshot_of):
    with pytest.raises(StateUnknown):
        joined(snapshot_of(standalone()), None)
    planned = dataclasses.replace(JOIN, founder_planned=True)
    assert actions(joined(snapshot_of(standalone()), None, planned)) == ["join", "await_membership"]


# -- leave


def test_leave_of_a_lonely_member(member, recorded, output, snapshot_of):
    config = recorded("single-corosync-conf")
    node = member(
        pmxcfs={"corosync_conf": {"value": config}},
        local_corosync_conf={"value": config},
        quorum=output(recorded("single-quorumtool-s")),
        links=output(recorded("single-cfgtool-s")),
    )
    plan = alone(snapshot_of(node))
    assert actions(plan) == ["back_up", "leave", "await_separation", "forget_nodes"]
    assert plan.steps[1].arguments["forget_guests"] is False
    assert plan.steps[3].arguments["names"] == ["pve2", "pve3"]


def test_a_member_that_others_still_see_does_not_just_leave(member, snapshot_of):
    with pytest.raises(Refused, match="pve2, pve3"):
        alone(snapshot_of(member()))
    assert alone(snapshot_of(member()), dataclasses.replace(ALONE, leave_members_behind=True)).changed


def test_an_active_watchdog_is_not_left_alone(member, snapshot_of):
    node = member()
    active = '{"mode":"active","results":{},"state":"active","timestamp":1}'
    node["pmxcfs"]["node_directories"]["value"]["pve1"]["lrm_status"] = {"value": active}
    wish = dataclasses.replace(ALONE, leave_members_behind=True)
    with pytest.raises(Refused, match="watchdog"):
        alone(snapshot_of(node), wish)
    node["pmxcfs"]["node_directories"]["value"]["pve1"]["lrm_status"] = {"reason": "EIO"}
    with pytest.raises(StateUnknown):
        alone(snapshot_of(node), wish)


def test_guests_of_others_are_not_thrown_away(member, snapshot_of):
    node = member()
    node["pmxcfs"]["node_directories"]["value"]["pve2"]["guests"] = ["100"]
    wish = dataclasses.replace(ALONE, leave_members_behind=True)
    with pytest.raises(Refused, match="pve2"):
        alone(snapshot_of(node), wish)
    assert alone(snapshot_of(node), dataclasses.replace(wish, forget_foreign_guests=True)).changed


def test_an_interrupted_separation_goes_on_without_pmxcfs(member, snapshot_of):
    down = {"mounted": {"value": False}, "pmxcfs": {"reason": "/etc/pve is not mounted."}}
    node = snapshot_of(member() | down | {"leave_marker": {"value": "2026"}, "quorum": {"reason": "not running"}})
    assert actions(alone(node))[:3] == ["back_up", "leave", "await_separation"]


def test_standalone_stays_standalone(standalone, snapshot_of, cluster):
    assert not alone(snapshot_of(standalone()), ALONE, cluster).changed
    ghost = dataclasses.replace(cluster, online=frozenset({"pve1", "pve2"}))
    assert actions(alone(snapshot_of(standalone("pve3")), ALONE, ghost)) == ["forget_on_seed"]


# -- remove


def without(output, recorded, *gone):
    """The votes of the cluster of three with some of them away."""
    text = recorded("healthy-quorumtool-s")
    lines = [line for line in text.splitlines() if not any(line.endswith(f" {name}") for name in gone)]
    return output("\n".join(lines) + "\n")


def test_remove_of_a_dead_node(member, recorded, output, snapshot_of):
    plan = removed(snapshot_of(member(quorum=without(output, recorded, "pve3"))), Removal("pve3"))
    assert actions(plan) == ["delete_node", "await_removal", "remove_directories", "forget_nodes"]
    assert plan.steps[1].arguments["members"] == ["pve1", "pve2"]
    assert plan.steps[1].arguments["online"] == ["pve1", "pve2"]


def test_an_online_node_is_only_removed_on_demand(member, snapshot_of):
    with pytest.raises(Refused, match="online"):
        removed(snapshot_of(member()), Removal("pve3"))
    plan = removed(snapshot_of(member()), Removal("pve3", remove_online=True))
    assert actions(plan)[0] == "delete_node"


def test_the_second_of_two_is_stopped_first(member, recorded, output, snapshot_of):
    config = recorded("healthy-corosync-conf")
    start = config.index("  node {\n    name: pve3")
    two = config[:start] + config[config.index("}\n\nquorum") :]
    quorum = without(output, recorded, "pve3")
    node = member(pmxcfs={"corosync_conf": {"value": two}}, local_corosync_conf={"value": two}, quorum=quorum)
    plan = removed(snapshot_of(node), Removal("pve2", remove_online=True))
    assert actions(plan)[:4] == ["stop_member", "expect_votes", "delete_node", "await_removal"]
    assert plan.steps[0].arguments["address"] == "10.99.0.12"
    assert plan.steps[1].arguments["votes"] == plan.steps[3].arguments["votes"] == 1


def test_a_removal_that_would_cost_the_quorum_is_refused(member, recorded, output, snapshot_of):
    node = snapshot_of(member(quorum=without(output, recorded, "pve3")))
    with pytest.raises(Refused, match="lose its quorum"):
        removed(node, Removal("pve2", remove_online=True))


def test_without_quorum_only_what_is_accounted_for_is_removed(member, recorded, output, snapshot_of):
    node = snapshot_of(
        member(
            pmxcfs={"members": {"value": recorded("noquorum-members")}, "write_bit": {"value": False}},
            quorum=output(recorded("noquorum-quorumtool-s"), rc=2),
        )
    )
    with pytest.raises(Refused, match="nothing proves that pve2"):
        removed(node, Removal("pve3", accounted_for=("pve3",)))
    plan = removed(node, Removal("pve3", accounted_for=("pve2", "pve3")))
    assert actions(plan)[:3] == ["expect_votes", "delete_node", "await_removal"]
    assert plan.steps[0].arguments["votes"] == plan.steps[2].arguments["votes"] == 1


def test_guests_and_self_and_strangers(member, snapshot_of):
    node = member()
    node["pmxcfs"]["node_directories"]["value"]["pve3"]["guests"] = ["100"]
    for guests, fine in (("refuse", False), ("keep", True), ("forget", True)):
        removal = Removal("pve3", remove_online=True, guests=guests)
        if fine:
            assert ("remove_directories" in actions(removed(snapshot_of(node), removal))) is (guests == "forget")
        else:
            with pytest.raises(Refused, match="100"):
                removed(snapshot_of(node), removal)
    with pytest.raises(Refused, match="itself"):
        removed(snapshot_of(node), Removal("pve1"))
    assert not removed(snapshot_of(node), Removal("pve9")).changed


# -- what holds for all


@given(state=st.sampled_from(sorted(NodeState)), wanted=st.sampled_from(["present", "joined", "standalone"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_state_breaks_a_planner(state, wanted, member, standalone, snapshot_of, cluster):
    """Whatever the state: steps, or an error of ours with its reason, and never a plan for an unknown state."""
    for node in (member(), standalone()):
        snapshot, now = snapshot_of(node), Classified(state, "because")
        wish = Wish(wanted, "lab", seeds=("10.99.0.11",))
        try:
            if wanted == "present":
                plan = plan_present(wish, snapshot, now)
            elif wanted == "joined":
                plan = plan_joined(wish, snapshot, now, cluster)
            else:
                plan = plan_standalone(wish, snapshot, now, cluster)
        except ClusterError as error:
            assert error.message
            continue
        assert state not in (NodeState.UNKNOWN, NodeState.OTHER_CLUSTER)
        json.dumps([dict(step.arguments) for step in plan.steps])


def test_wishes_are_checked_before_anything_is_read():
    base = {"state": "joined", "cluster_name": "lab", "method": "ssh", "timeout": 60}
    for wrong in (
        {"cluster_name": "sixteen-letters-"},
        {"cluster_name": "abcdefghijklmnop"},
        {"cluster_name": "under_score"},
        {"links": [{"address": "pve1.example"}]},
        {"links": [{"address": "10.0.0.1", "number": 8}]},
        {"links": [{"address": "10.0.0.1", "priority": 256}]},
        {"links": [{"address": "10.0.0.1"}, {"address": "10.0.0.1"}]},
        {"method": "api", "seeds": ["10.0.0.1"], "seed_password": "x", "seed_fingerprint": "AA:BB"},
    ):
        with pytest.raises(Refused):
            wish_of(base | wrong)
    assert wish_of(base | {"cluster_name": "fifteen-letters"}).cluster_name == "fifteen-letters"


def test_expectations(member, standalone, recorded, output, snapshot_of):
    everyone = Expectation("lab", frozenset({"pve1", "pve2", "pve3"}))
    assert unmet_membership(snapshot_of(member()), everyone) == []
    unhealthy = (
        {"links": output(recorded("degraded-cfgtool-s"))},
        {"links": {"reason": "corosync-cfgtool is not installed."}},
        {"quorum": {"reason": "corosync does not run."}},
        {"served_certificate": {"value": "CC:DD"}},
        {"served_certificate": {"reason": "ConnectionRefusedError"}},
        {"pmxcfs": {"write_bit": {"value": False}}},
        {"pmxcfs": {"disk_certificate": {"value": None}}},
    )
    for changed in unhealthy:
        assert unmet_membership(snapshot_of(member(**changed)), everyone), changed
        snapshot = snapshot_of(member(**changed))
        assert not healthy(find_problems(snapshot, classify(snapshot), everyone)), changed
    assert unmet_membership(snapshot_of(member()), Expectation("other"))
    assert unmet_membership(snapshot_of(member()), Expectation("lab", frozenset({"pve1"})))
    assert unmet_separation(snapshot_of(standalone())) == []
    assert unmet_separation(snapshot_of(member()))
    assert unmet_separation(snapshot_of(standalone(authkey={"reason": "EIO"})))


def test_health_names_service_and_former_member(member, units, snapshot_of):
    node = member(units=units(pmxcfs="failed"))
    node["pmxcfs"]["node_directories"]["value"]["pve8"] = {
        "guests": [],
        "certificate": True,
        "lrm_status": {"value": None},
    }
    snapshot = snapshot_of(node)
    found = {problem.code: problem.severity for problem in find_problems(snapshot, classify(snapshot), Expectation())}
    assert found["service_down"] == "error"
    assert found["former_member"] == "warning"
