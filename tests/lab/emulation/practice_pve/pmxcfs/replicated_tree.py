# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tree of a cluster's member: changes go through the process group, everybody applies them in the same order."""

from __future__ import annotations

import errno
from collections.abc import Iterable

from practice_pve.pmxcfs.changes import asks_for_unlock
from practice_pve.pmxcfs.corosync_conf import synchronise_corosync_conf
from practice_pve.pmxcfs.corosync_library import MemberId
from practice_pve.pmxcfs.entry import Entry, Index
from practice_pve.pmxcfs.leader import missing_inodes, select_leader
from practice_pve.pmxcfs.log import log
from practice_pve.pmxcfs.paths import is_lock_directory
from practice_pve.pmxcfs.process_group import LeaveGroup, Peer, ProcessGroup
from practice_pve.pmxcfs.status import Status
from practice_pve.pmxcfs.tree import Tree, TreeError
from practice_pve.pmxcfs.tree_messages import Change, TreeChange, decode_unlock, encode_unlock

GROUP_NAME = "pve_dcdb_v1"
DOMAIN = "dcdb"


class ReplicatedChanges:
    """What the file system calls: send, wait until the own message comes back, hand its result to the caller."""

    def __init__(self, tree: Tree, group: ProcessGroup, status: Status) -> None:
        self._tree = tree
        self._group = group
        self._status = status

    def _send(self, kind: Change, change: TreeChange) -> int:
        if not self._status.quorate:
            raise TreeError(errno.EACCES)
        result = self._group.send_and_wait(kind, change.encode())
        if result is None:
            raise TreeError(errno.EACCES)
        if result < 0:
            raise TreeError(-result)
        return result

    def create(self, path: str) -> None:
        self._send(Change.CREATE, TreeChange(path))

    def make_directory(self, path: str) -> None:
        self._send(Change.MKDIR, TreeChange(path))

    def write(self, path: str, data: bytes, offset: int) -> int:
        return self._send(Change.WRITE, TreeChange(path, data=data, offset=offset))

    def truncate(self, path: str, size: int) -> None:
        self._send(Change.WRITE, TreeChange(path, offset=size, truncate=True))

    def delete(self, path: str) -> None:
        self._send(Change.DELETE, TreeChange(path))

    def rename(self, source: str, target: str) -> None:
        self._send(Change.RENAME, TreeChange(source, target))

    def set_mtime(self, path: str, mtime: int) -> None:
        entry = self._tree.find(path)
        if entry is not None and asks_for_unlock(entry, path, mtime) and self._status.quorate:
            self._group.send(Change.UNLOCK_REQUEST, encode_unlock(path, entry.digest()))
        self._send(Change.MTIME, TreeChange(path, offset=mtime))


class ReplicatedTree:
    """The process group's application."""

    def __init__(self, tree: Tree, status: Status) -> None:
        self._tree = tree
        self._status = status
        self._leader: Index | None = None
        self._updates: list[Entry] = []

    # -- ordinary messages -----------------------------------------------------------------------------------------

    def deliver(self, group: ProcessGroup, sender: MemberId, subtype: int, sent: int, payload: bytes) -> int:
        if not self._status.quorate:
            log.critical(DOMAIN, "received write while not quorate - trigger resync")
            raise LeaveGroup
        try:
            if subtype in (Change.UNLOCK_REQUEST, Change.UNLOCK):
                result = self._unlock(group, sender, Change(subtype), sent, payload)
            else:
                result = self._apply(group, sender, Change(subtype), sent, TreeChange.decode(payload))
        except TreeError as error:
            result = -(error.errno or errno.EIO)
        except ValueError as error:
            log.critical(DOMAIN, str(error))
            raise LeaveGroup from error
        if self._tree.broken:
            group.fail()
        return result

    def _apply(self, group: ProcessGroup, sender: MemberId, kind: Change, sent: int, change: TreeChange) -> int:
        writer, path, result = sender.node_id, change.path, 0
        match kind:
            case Change.WRITE:
                result = self._tree.write(path, writer, sent, change.data, change.offset, change.truncate)
            case Change.CREATE:
                self._tree.create(path, writer, sent)
            case Change.MKDIR:
                self._tree.make_directory(path, writer, sent)
            case Change.DELETE:
                self._tree.delete(path, writer, sent)
            case Change.RENAME:
                self._tree.rename(path, change.target, writer, sent)
            case Change.MTIME:
                self._tree.set_mtime(path, writer, change.offset)
        touched = change.target if kind is Change.RENAME else path
        if touched == "corosync.conf" and kind in (Change.WRITE, Change.CREATE, Change.RENAME):
            synchronise_corosync_conf(self._tree, reload_corosync=sender == group.local)
        return result

    def _unlock(self, group: ProcessGroup, sender: MemberId, kind: Change, sent: int, payload: bytes) -> int:
        """Any member may ask, the one with the lowest id decides, all take the lock away."""
        path, digest = decode_unlock(payload)
        entry = self._tree.find(path)
        if entry is None or not entry.is_directory or not is_lock_directory(path) or entry.digest() != digest:
            return 0
        if kind is Change.UNLOCK:
            self._tree.delete(path, sender.node_id, sent)
        elif group.has_lowest_node_id() and self._tree.locks.expired(path, digest):
            group.send(Change.UNLOCK, encode_unlock(path, digest))
        return 0

    # -- synchronisation -------------------------------------------------------------------------------------------

    def state(self) -> bytes:
        return self._tree.index().encode()

    def compare(self, group: ProcessGroup, peers: list[Peer]) -> None:
        try:
            indexes = [Index.decode(peer.state or b"") for peer in peers]
        except (ValueError, IndexError) as error:
            log.critical(DOMAIN, "received mailformed memdb index")
            raise LeaveGroup from error
        chosen = select_leader(indexes)
        leader = indexes[chosen]
        log.notice(DOMAIN, f"leader is {peers[chosen].member}")
        for peer, index in zip(peers, indexes, strict=True):
            peer.synced = index == leader
        synced = [str(peer.member) for peer in peers if peer.synced and peer is not peers[chosen]]
        log.notice(DOMAIN, f"synced members: {', '.join([str(peers[chosen].member), *synced])}")
        self._leader = leader
        if peers[chosen].member == group.local:
            self._send_updates(group, leader, [index for i, index in enumerate(indexes) if i != chosen])

    def _send_updates(self, group: ProcessGroup, leader: Index, others: list[Index]) -> None:
        inodes = missing_inodes(leader, others)
        log.notice(DOMAIN, "start sending inode updates")
        for inode in inodes:
            if not group.send_update(self._tree.entry_of(inode).to_update()):
                log.critical(DOMAIN, f"sending update inode failed {inode:016X}")
        log.notice(DOMAIN, f"sent all ({len(inodes)}) updates")
        group.send_update_complete()

    def add_update(self, payload: bytes) -> None:
        self._updates.append(Entry.from_update(payload))

    def commit(self) -> None:
        log.notice(DOMAIN, f"update complete - trying to commit (got {len(self._updates)} inode updates)")
        if self._leader is None or not self._tree.take_over(self._leader, self._updates):
            raise LeaveGroup
        synchronise_corosync_conf(self._tree, reload_corosync=False)

    def forget_updates(self) -> None:
        self._updates = []
        self._leader = None

    def checksum(self) -> bytes:
        return self._tree.checksum()

    def synced(self) -> None:
        return

    def members_changed(self, _members: Iterable[MemberId]) -> None:
        return
