# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every state has a name, and what cannot be read is never taken for a state."""

from __future__ import annotations

import json

import pytest

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.classify import classify, leftovers
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.states import WAYS, NodeState
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.view import view_of

NOT_MOUNTED = {"mounted": {"value": False}, "pmxcfs": {"reason": "/etc/pve is not mounted."}}


def state_of(snapshot, name=None, view=None):
    return classify(snapshot, name, view).state


def test_every_state_has_a_way_forward_and_a_way_back():
    assert set(WAYS) == set(NodeState)
    assert all(way.meaning and way.forward and way.back for way in WAYS.values())


def test_member_and_standalone(member, standalone, snapshot_of):
    assert state_of(snapshot_of(member()), "lab") is NodeState.MEMBER
    assert state_of(snapshot_of(standalone())) is NodeState.STANDALONE


def test_another_cluster(member, snapshot_of):
    assert state_of(snapshot_of(member()), "other") is NodeState.OTHER_CLUSTER


@pytest.mark.parametrize("entry", ["mounted", "units"])
def test_what_was_not_read_is_unknown(entry, member, snapshot_of):
    snapshot = snapshot_of(member(**{entry: {"reason": "no idea"}}))
    if entry == "mounted":
        assert state_of(snapshot) is NodeState.UNKNOWN
    else:
        assert snapshot.units.value is None


@pytest.mark.parametrize("entry", ["members", "corosync_conf", "write_bit", "disk_certificate"])
def test_what_was_not_read_of_pmxcfs_is_unknown(entry, member, snapshot_of):
    assert state_of(snapshot_of(member(pmxcfs={entry: {"reason": "Input/output error"}}))) is NodeState.UNKNOWN


def test_a_hung_pmxcfs_is_unknown(member, snapshot_of):
    found = classify(snapshot_of(member(pmxcfs=None) | {"pmxcfs": {"reason": "did not answer within 5 seconds."}}))
    assert found.state is NodeState.UNKNOWN
    assert "5 seconds" in found.reason


def test_an_empty_directory_in_place_of_pmxcfs_is_not_standalone(member, snapshot_of):
    assert (
        state_of(snapshot_of(member() | NOT_MOUNTED | {"database_holds_cluster": {"value": True}})) is NodeState.UNKNOWN
    )


def test_no_quorum(member, recorded, output, snapshot_of):
    members = recorded("noquorum-members")
    lost = member(
        pmxcfs={"members": {"value": members}, "write_bit": {"value": False}},
        quorum=output(recorded("noquorum-quorumtool-s"), rc=2),
    )
    assert state_of(snapshot_of(lost)) is NodeState.MEMBER_NOT_QUORATE


def test_created_but_not_yet_quorate(member, recorded, output, snapshot_of):
    config = recorded("single-corosync-conf")
    young = member(
        pmxcfs={
            "members": {"value": recorded("single-members")},
            "corosync_conf": {"value": config},
            "write_bit": {"value": False},
        },
        local_corosync_conf={"value": config},
        quorum=output("", rc=1, stderr="Cannot initialize CMAP service\n"),
    )
    assert state_of(snapshot_of(young)) is NodeState.CREATED_NOT_QUORATE


def test_quorate_but_read_only(member, snapshot_of):
    assert state_of(snapshot_of(member(pmxcfs={"write_bit": {"value": False}}))) is NodeState.MEMBER_NOT_WRITABLE


@pytest.mark.parametrize("disk", [None, {"file": "pve-ssl.pem", "fingerprint": "AA", "key": False}])
def test_lost_certificate(disk, member, snapshot_of):
    found = snapshot_of(member(pmxcfs={"disk_certificate": {"value": disk}}))
    assert state_of(found) is NodeState.MEMBER_WITHOUT_CERTIFICATE


def test_two_joins_at_once_seen_on_the_member_that_stayed_behind(member, snapshot_of):
    members = json.dumps(
        {
            "nodename": "pve1",
            "version": 4,
            "cluster": {"name": "lab", "version": 2, "nodes": 2, "quorate": 1},
            "nodelist": {
                "pve1": {"id": 1, "online": 1, "ip": "10.99.0.11"},
                "pve2": {"id": 2, "online": 1, "ip": "10.99.0.12"},
            },
        }
    )
    assert state_of(snapshot_of(member(pmxcfs={"members": {"value": members}}))) is NodeState.MEMBER_STALE_COROSYNC


def test_join_stopped_after_the_files(standalone, recorded, units, snapshot_of):
    config = recorded("healthy-corosync-conf")
    written = {"authkey": {"value": 256}, "local_corosync_conf": {"value": config}}
    assert state_of(snapshot_of(standalone("pve3", **written))) is NodeState.JOIN_INTERRUPTED_FILES_WRITTEN
    stopped = standalone("pve3", **written) | NOT_MOUNTED | {"database_holds_cluster": {"value": False}}
    assert state_of(snapshot_of(stopped)) is NodeState.JOIN_INTERRUPTED_FILES_WRITTEN
    deleted = stopped | {"database": {"value": None}, "database_holds_cluster": {"value": None}}
    assert state_of(snapshot_of(deleted)) is NodeState.JOIN_INTERRUPTED_DATABASE_DELETED


def test_join_stopped_while_waiting_for_quorum(member, recorded, output, snapshot_of):
    members = json.dumps(
        {
            "nodename": "pve1",
            "version": 3,
            "cluster": {"name": "lab", "version": 3, "nodes": 3, "quorate": 0},
            "nodelist": {"pve1": {"id": 1, "online": 1, "ip": "10.99.0.11"}, "pve2": {"id": 2, "online": 0}},
        }
    )
    waiting = member(
        pmxcfs={
            "members": {"value": members},
            "write_bit": {"value": False},
            "node_directories": {"value": None},
            "disk_certificate": {"value": None},
        },
        quorum=output(recorded("noquorum-quorumtool-s"), rc=2),
    )
    assert state_of(snapshot_of(waiting)) is NodeState.JOIN_INTERRUPTED_WAITING_QUORUM


def test_running_units_come_first(member, standalone, units, snapshot_of):
    running = {"join": NodeState.JOINING, "leave": NodeState.LEAVING, "create": NodeState.CREATING}
    for operation, state in running.items():
        unit = f"baremetal-proxmox-{operation}"
        assert state_of(snapshot_of(standalone(units=units(running=unit)))) is state
    foreign = standalone(foreign_commands={"value": ["/usr/bin/perl /usr/bin/pvecm add 10.99.0.11"]})
    assert state_of(snapshot_of(foreign)) is NodeState.JOINING


def test_left_overs(standalone, recorded, units, snapshot_of):
    only_key = snapshot_of(standalone(authkey={"value": 256}))
    assert state_of(only_key) is NodeState.STANDALONE_LEFTOVERS
    assert leftovers(only_key) == ["/etc/corosync/authkey"]
    assert state_of(snapshot_of(standalone(units=units(corosync="active")))) is NodeState.STANDALONE_LEFTOVERS
    unreadable = snapshot_of(standalone(authkey={"reason": "PermissionError"}))
    assert state_of(unreadable) is NodeState.UNKNOWN
    stale = {"pve4": {"guests": [], "certificate": True}, "pve1": {"guests": ["100"], "certificate": True}}
    separated = snapshot_of(standalone(pmxcfs={"node_directories": {"value": stale}}))
    assert state_of(separated) is NodeState.SEPARATED_STALE_NODES


def test_interrupted_separation(member, standalone, snapshot_of):
    for node in (member(), standalone(), member() | NOT_MOUNTED):
        assert state_of(snapshot_of(node | {"leave_marker": {"value": "2026"}})) is NodeState.SEPARATION_INTERRUPTED


def test_what_only_another_member_can_tell(member, standalone, snapshot_of):
    view = view_of(snapshot_of(member()), "10.99.0.11").value
    assert view is not None
    assert state_of(snapshot_of(standalone("pve3")), "lab", view) is NodeState.ADDED_NOT_JOINED
    assert state_of(snapshot_of(standalone("pve4")), "lab", view) is NodeState.STANDALONE
    stranger = member(node_name="pve9")
    config = stranger["pmxcfs"]["corosync_conf"]["value"].replace("pve2", "pve9")
    stranger["pmxcfs"]["corosync_conf"]["value"] = config
    assert state_of(snapshot_of(stranger), "lab", view) is NodeState.REMOVED_NOT_SEPARATED


def test_corosync_that_says_nothing_is_unknown_on_a_writable_member(member, output, snapshot_of):
    silent = member(quorum=output("", rc=1, stderr="Cannot initialize CMAP service\n"))
    assert state_of(snapshot_of(silent)) is NodeState.UNKNOWN
