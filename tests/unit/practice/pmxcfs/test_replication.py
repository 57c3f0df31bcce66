# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Members that meet agree on one tree, and apply all changes in the same order."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from practice_pve.pmxcfs.corosync_library import MemberId
from practice_pve.pmxcfs.entry import Index
from practice_pve.pmxcfs.group_messages import Kind
from practice_pve.pmxcfs.leader import missing_inodes, select_leader
from practice_pve.pmxcfs.process_group import Mode
from practice_pve.pmxcfs.tree_messages import Change, TreeChange

Bus = Any  # the fixture's class, see conftest.py


def send(bus: Bus, member: MemberId, kind: Change, change: TreeChange) -> None:
    bus.groups[member].send(kind, change.encode())


def put(bus: Bus, member: MemberId, path: str, content: bytes = b"x") -> None:
    send(bus, member, Change.CREATE, TreeChange(path))
    send(bus, member, Change.WRITE, TreeChange(path, data=content))


def equal(bus: Bus, *members: MemberId) -> bool:
    return len({bus.trees[member].checksum() for member in members}) == 1


@pytest.mark.parametrize(
    ("states", "leader"),
    [
        ([(5, 100), (7, 90), (6, 200)], 1),  # the version decides
        ([(7, 100), (7, 90), (7, 101)], 2),  # then the newer write
        ([(7, 100), (7, 100)], 0),  # then the lower node id
    ],
)
def test_leader(states: list[tuple[int, int]], leader: int):
    assert select_leader([Index(version, 0, mtime, ()) for version, mtime in states]) == leader


def test_missing_inodes():
    leader = Index(9, 0, 0, ((0, b"r"), (3, b"a"), (4, b"b"), (9, b"n")))
    same = Index(9, 0, 0, leader.entries)
    older = Index(8, 0, 0, ((0, b"q"), (3, b"a"), (4, b"c"), (5, b"gone")))
    assert missing_inodes(leader, [same]) == []
    assert missing_inodes(leader, [same, older]) == [0, 4, 9]


def test_a_single_member_works_at_once(bus: Bus):
    one = bus.add(1)
    bus.meet(one)
    assert bus.groups[one].mode is Mode.SYNCED
    put(bus, one, "a")
    bus.deliver(one)
    assert bus.trees[one].read("a") == b"x"


def test_a_fresh_member_loses_what_it_wrote_before_it_met_the_cluster(bus: Bus):
    one, two = bus.add(1), bus.add(2)
    bus.meet(one)
    for name in "abcd":
        put(bus, one, name, name.encode())
    bus.deliver(one)
    bus.meet(two)
    put(bus, two, "key")
    bus.deliver(two)
    assert bus.trees[two].read("key") == b"x"
    bus.meet(one, two)
    assert equal(bus, one, two)
    assert bus.trees[two].read("key") is None and bus.trees[two].read("d") == b"d"


def test_a_member_that_wrote_more_wins_whatever_the_majority_has(bus: Bus):
    members = [bus.add(node_id) for node_id in (1, 2, 3)]
    bus.meet(*members)
    put(bus, members[0], "common")
    bus.deliver(*members)
    bus.meet(*members[:2], joined=False)
    put(bus, members[0], "majority")
    bus.deliver(*members[:2])
    bus.meet(members[2], joined=False)
    for number in range(5):
        put(bus, members[2], f"alone{number}")
    bus.deliver(members[2])
    bus.meet(*members)
    assert equal(bus, *members)
    assert bus.trees[members[0]].read("majority") is None
    assert bus.trees[members[0]].read("alone4") == b"x"


def test_all_apply_changes_in_one_order(bus: Bus):
    members = [bus.add(node_id) for node_id in (1, 2, 3)]
    bus.meet(*members)
    put(bus, members[0], "a", b"one")
    send(bus, members[1], Change.RENAME, TreeChange("a", "b"))
    send(bus, members[2], Change.WRITE, TreeChange("b", data=b"ONE"))
    send(bus, members[0], Change.MKDIR, TreeChange("d"))
    send(bus, members[1], Change.MTIME, TreeChange("b", offset=77))
    bus.deliver(*members)
    assert equal(bus, *members)
    entry = bus.trees[members[2]].find("b")
    assert (entry.data, entry.mtime, entry.writer) == (b"ONE", 77, 2)


def test_a_write_during_the_exchange_waits_and_arrives(bus: Bus):
    one, two = bus.add(1), bus.add(2)
    bus.meet(one)
    put(bus, one, "a")
    bus.deliver(one)
    for member in (one, two):
        bus.groups[member].on_change([one, two], True)
    put(bus, two, "early", b"kept")
    bus.sent.rotate(2)  # the writes were sent before the exchange began
    bus.deliver(one, two)
    assert equal(bus, one, two)
    assert bus.trees[one].read("early") == b"kept"


def test_a_write_of_a_synced_member_between_the_updates_is_not_lost(bus: Bus):
    one, two, three = (bus.add(node_id) for node_id in (1, 2, 3))
    bus.meet(one, three)
    put(bus, one, "a")
    bus.deliver(one, three)
    for member in (one, two, three):
        bus.groups[member].on_change([one, two, three], True)
    interrupted = False
    while bus.sent:
        sender, message = bus.sent.popleft()
        for member in (one, two, three):
            bus.groups[member].on_message(sender, message)
        if message[0] == Kind.UPDATE and not interrupted:
            interrupted = True
            waiting = list(bus.sent)
            bus.sent.clear()
            put(bus, three, "between")
            bus.sent.extend(waiting)
    assert interrupted and equal(bus, one, two, three)
    assert bus.trees[two].read("between") == b"x"


def test_a_refused_change_is_refused_everywhere(bus: Bus):
    one, two = bus.add(1), bus.add(2)
    bus.meet(one, two)
    put(bus, one, "a")
    put(bus, two, "a", b"second")
    bus.deliver(one, two)
    assert equal(bus, one, two) and bus.trees[one].read("a") == b"second"


def test_a_write_that_arrives_without_quorum_makes_the_member_leave(bus: Bus):
    one, two = bus.add(1), bus.add(2)
    bus.meet(one, two)
    bus.statuses[two].set_quorate(False, quiet=True)
    put(bus, one, "a")
    bus.deliver(one, two)
    assert bus.groups[two].mode is Mode.LEAVE and bus.groups[one].mode is Mode.SYNCED


def test_members_with_equal_trees_need_no_update(bus: Bus):
    one, two = bus.add(1), bus.add(2)
    bus.meet(one, two)
    put(bus, one, "a")
    bus.deliver(one, two)
    for member in (one, two):
        bus.groups[member].on_change([one, two], True)
    kinds = []
    while bus.sent:
        sender, message = bus.sent.popleft()
        kinds.append(message[0])
        for member in (one, two):
            bus.groups[member].on_message(sender, message)
    assert Kind.UPDATE not in kinds
    assert {bus.groups[one].mode, bus.groups[two].mode} == {Mode.SYNCED}


def test_verification_finds_a_silent_difference(bus: Bus):
    one, two = bus.add(1), bus.add(2)
    bus.meet(one, two)
    bus.groups[one].request_verification()
    bus.deliver(one, two)
    assert bus.groups[two].mode is Mode.SYNCED
    bus.trees[two].create("secret", 9, 9)
    bus.groups[one].request_verification()
    bus.deliver(one, two)
    assert bus.groups[two].mode is Mode.LEAVE


def test_a_waiting_writer_is_let_go_when_corosync_dies(bus: Bus):
    one = bus.add(1)
    group = bus.groups[one]
    results: list[int | None] = []
    writer = threading.Thread(
        target=lambda: results.append(group.send_and_wait(Change.CREATE, TreeChange("a").encode()))
    )
    writer.start()
    while not bus.sent:
        threading.Event().wait(0.01)
    group.disconnected()
    writer.join(5)
    assert results == [None]
