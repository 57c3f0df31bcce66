# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A replicated state: every member sees the same messages in the same order, and after each change of membership all
exchange their states and agree on one before they go on.

    START  --members change-->  START_SYNC  --all states here-->  SYNCED            (our state is the leader's)
                                                             -->  UPDATE --complete-->  SYNCED
    LEAVE: something did not fit; the group is left and joined again later. FAILED: never again until a restart.
"""

from __future__ import annotations

import bisect
import struct
import time
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from practice_pve.pmxcfs.corosync_library import MemberId
from practice_pve.pmxcfs.group_messages import (
    PROTOCOL_VERSION,
    Epoch,
    Kind,
    MalformedMessage,
    Message,
    decode,
    encode_state,
)
from practice_pve.pmxcfs.group_sender import GroupSender, Transport
from practice_pve.pmxcfs.log import log

_VERIFY_ID = struct.Struct("<Q")


class Mode(IntEnum):
    START = 0
    START_SYNC = 1
    SYNCED = 2
    UPDATE = 3
    LEAVE = 253
    FAILED = 255


_MODE_TEXTS = {
    Mode.START: (False, "start cluster connection"),
    Mode.START_SYNC: (False, "starting data syncronisation"),
    Mode.SYNCED: (False, "all data is up to date"),
    Mode.UPDATE: (False, "waiting for updates from leader"),
    Mode.LEAVE: (True, "leaving CPG group"),
    Mode.FAILED: (True, "serious internal error - stop cluster connection"),
}


class LeaveGroup(Exception):
    """This member cannot follow any more: leave, and start again from an exchange of states."""


@dataclass(slots=True)
class Peer:
    member: MemberId
    state: bytes | None = None
    synced: bool = False


@dataclass(slots=True)
class _Queued:
    sender: MemberId
    count: int
    raw: bytes


class Application(Protocol):
    """What a group is about. Methods may raise LeaveGroup."""

    def deliver(self, group: ProcessGroup, sender: MemberId, subtype: int, sent: int, payload: bytes, /) -> int: ...
    def state(self) -> bytes: ...
    def compare(self, group: ProcessGroup, peers: list[Peer]) -> None: ...
    def add_update(self, payload: bytes, /) -> None: ...
    def commit(self) -> None: ...
    def forget_updates(self) -> None: ...
    def checksum(self) -> bytes | None: ...
    def synced(self) -> None: ...
    def members_changed(self, members: Iterable[MemberId], /) -> None: ...


class ProcessGroup:
    def __init__(self, application: Application, domain: str) -> None:
        self._application = application
        self._domain = domain
        self.mode = Mode.START
        self.local = MemberId(0, 0)
        self.is_member = False
        self._peers: dict[MemberId, Peer] = {}
        self._lowest_node_id = 0
        self._epoch_counter = 0
        self._epoch = Epoch()
        self._queue: list[_Queued] = []  # until everyone is synced, by count
        self._sync_queue: list[_Queued] = []  # from synced members while we are updated
        self._sender = GroupSender(domain)
        self._checksum = b""
        self._checksum_epoch = Epoch()
        self._checksum_id = 0
        self._checksum_counter = 0

    # -- life ------------------------------------------------------------------------------------------------------

    def connected(self, transport: Transport, local: MemberId) -> None:
        """A fresh connection, not joined yet."""
        self._queue.clear()
        self._sender.let_go()
        self.is_member = False
        self._set_mode(Mode.START)
        self.local = local
        self._sender.transport = transport

    def disconnected(self) -> None:
        self._sender.transport = None
        self.is_member = False
        self._sender.let_go()

    @property
    def initialized(self) -> bool:
        return self._sender.transport is not None

    @property
    def failed(self) -> bool:
        return self.mode is Mode.FAILED

    @property
    def leaving(self) -> bool:
        return self.mode >= Mode.LEAVE

    def fail(self) -> None:
        self._set_mode(Mode.FAILED)

    def has_lowest_node_id(self) -> bool:
        return self._lowest_node_id != 0 and self._lowest_node_id == self.local.node_id

    def _set_mode(self, mode: Mode) -> None:
        if self.mode is mode or (mode >= Mode.LEAVE and self.mode > mode):
            return
        self.mode = mode
        critical, text = _MODE_TEXTS[mode]
        (log.critical if critical else log.notice)(self._domain, text)
        if mode is Mode.SYNCED:
            self._application.synced()

    # -- sending ---------------------------------------------------------------------------------------------------

    def _send_state(self, kind: Kind, payload: bytes = b"") -> None:
        if not self._sender.send_raw(encode_state(kind, self._epoch, payload)):
            raise LeaveGroup

    def send_update(self, payload: bytes) -> bool:
        return self._sender.send_raw(encode_state(Kind.UPDATE, self._epoch, payload))

    def send_update_complete(self) -> None:
        self._send_state(Kind.UPDATE_COMPLETE)

    def send(self, subtype: int, payload: bytes) -> bool:
        """Tell everybody, without waiting."""
        return self._sender.send(subtype, payload)

    def send_and_wait(self, subtype: int, payload: bytes) -> int | None:
        """What the delivery of this message on this very node came to; None when it never arrived."""
        return self._sender.send_and_wait(subtype, payload)

    # -- membership ------------------------------------------------------------------------------------------------

    def on_change(self, members: list[MemberId], somebody_joined: bool) -> None:
        try:
            self._change(members, somebody_joined)
        except LeaveGroup:
            self._set_mode(Mode.LEAVE)

    def _change(self, members: list[MemberId], somebody_joined: bool) -> None:
        self._epoch_counter += 1
        self._epoch = Epoch(self._epoch_counter, int(time.time()), *self.local)
        self._checksum_id = self._checksum_counter
        self._checksum_epoch = Epoch()
        self._sync_queue.clear()
        self.is_member = self.local in members
        if self.leaving:
            return
        if self.is_member or self.mode is not Mode.START:
            log.notice(self._domain, f"members: {', '.join(map(str, members))}")
        self._lowest_node_id = min((member.node_id for member in members), default=0)
        self._application.forget_updates()
        self._peers = {member: Peer(member) for member in sorted(members)}
        if not self.is_member:
            if self.mode is Mode.START:
                return
            log.notice(self._domain, f"we ({self.local}) left the process group")
            raise LeaveGroup
        if len(members) > 1:
            self._start_sync(somebody_joined)
        else:
            self._set_mode(Mode.SYNCED)
            self._peers[self.local].synced = True
            self._deliver_queue()
        self._application.members_changed(members)

    def _start_sync(self, somebody_joined: bool) -> None:
        if somebody_joined and self._queue:
            # All members need the same queue, and the new one has nothing in it.
            log.notice(self._domain, f"queue not emtpy - resening {len(self._queue)} messages")
            own = [queued.raw for queued in self._queue if queued.sender == self.local]
            self._queue.clear()
            if not all(self._sender.send_raw(raw) for raw in own):
                log.critical(self._domain, "dfsm_resend_queue failed")
                raise LeaveGroup
        self._set_mode(Mode.START_SYNC)
        if self._lowest_node_id == self.local.node_id:
            self._send_state(Kind.SYNC_START)

    # -- messages --------------------------------------------------------------------------------------------------

    def on_message(self, sender: MemberId, raw: bytes) -> None:
        if self.leaving:
            return
        try:
            self._receive(sender, raw)
        except LeaveGroup:
            self._set_mode(Mode.LEAVE)
            self._forget_states()

    def _receive(self, sender: MemberId, raw: bytes) -> None:
        try:
            message = decode(raw)
        except MalformedMessage as error:
            log.critical(self._domain, f"received short message ({error})")
            raise LeaveGroup from error
        if message.protocol != PROTOCOL_VERSION:
            log.notice(self._domain, f"ignore message with wrong protocol version {message.protocol}")
            return
        if message.kind is Kind.NORMAL:
            self._receive_normal(sender, message, raw)
            return
        if message.kind is not Kind.SYNC_START and message.epoch != self._epoch:
            log.debug(
                self._domain, f"ignore message (msg_type == {message.kind}) with wrong epoch (epoch {message.epoch})"
            )
            return
        if self.mode is Mode.SYNCED:
            self._receive_synced(sender, message)
        elif message.kind in (Kind.VERIFY_REQUEST, Kind.VERIFY):
            log.debug(self._domain, f"ignore verify message {message.kind} while not synced")
        elif self.mode is Mode.START_SYNC and message.kind is Kind.SYNC_START:
            self._receive_sync_start(sender, message)
        elif self.mode is Mode.START_SYNC and message.kind is Kind.STATE:
            self._receive_state(sender, message)
        elif self.mode is Mode.UPDATE and message.kind is Kind.UPDATE:
            self._application.add_update(message.payload)
        elif self.mode is Mode.UPDATE and message.kind is Kind.UPDATE_COMPLETE:
            self._receive_completion()
        else:
            log.critical(
                self._domain,
                f"received unknown state message type (type = {message.kind}, {len(message.payload)} bytes)",
            )
            raise LeaveGroup

    def _receive_normal(self, sender: MemberId, message: Message, raw: bytes) -> None:
        if self.mode is not Mode.SYNCED:
            peer = self._peers.get(sender)
            if peer is None:
                log.critical(self._domain, "dfsm_node_info_lookup failed")
                raise LeaveGroup
            queued = _Queued(sender, message.count, raw)
            if self.mode is Mode.UPDATE and peer.synced:
                self._sync_queue.append(queued)
            else:
                bisect.insort_right(self._queue, queued, key=lambda entry: entry.count)
            return
        try:
            result = self._application.deliver(self, sender, message.subtype, message.time, message.payload)
        except LeaveGroup:
            if sender == self.local:
                self._sender.record_result(message.count, -1)
            raise
        if sender == self.local:
            self._sender.record_result(message.count, result)

    def _receive_sync_start(self, sender: MemberId, message: Message) -> None:
        if sender.node_id != self._lowest_node_id:
            log.critical(self._domain, f"ignore sync request from wrong member {sender}")
        log.notice(self._domain, f"received sync request (epoch {message.epoch})")
        self._epoch = message.epoch
        self._forget_states()
        self._send_state(Kind.STATE, self._application.state())

    def _receive_state(self, sender: MemberId, message: Message) -> None:
        peer = self._peers.get(sender)
        if peer is None:
            log.critical(self._domain, f"received state for non-member {sender}")
            raise LeaveGroup
        if peer.state is not None:
            log.critical(self._domain, f"received duplicate state for member {sender}")
            raise LeaveGroup
        peer.state = message.payload
        if any(other.state is None for other in self._peers.values()):
            return
        log.notice(self._domain, "received all states")
        self._application.compare(self, list(self._peers.values()))
        if self._peers[self.local].synced:
            self._set_mode(Mode.SYNCED)
            self._forget_states()
        else:
            self._set_mode(Mode.UPDATE)
        self._deliver_queue()

    def _receive_completion(self) -> None:
        self._application.commit()
        for peer in self._peers.values():
            peer.synced = True
        self._set_mode(Mode.SYNCED)
        self._deliver_sync_queue()
        self._deliver_queue()
        self._forget_states()

    def _receive_synced(self, sender: MemberId, message: Message) -> None:
        if message.kind is Kind.UPDATE_COMPLETE:
            for peer in self._peers.values():
                peer.synced = True
            self._deliver_queue()
        elif message.kind is Kind.VERIFY_REQUEST:
            self._answer_verification(sender, message)
        elif message.kind is Kind.VERIFY:
            self._check_verification(message)

    def _forget_states(self) -> None:
        self._application.forget_updates()
        for peer in self._peers.values():
            peer.state = None

    def _deliver_sync_queue(self) -> None:
        waiting, self._sync_queue = self._sync_queue, []
        if waiting:
            log.notice(self._domain, f"dfsm_deliver_sync_queue: queue length {len(waiting)}")
        for queued in waiting:
            if self.mode is not Mode.SYNCED:
                raise LeaveGroup
            self._receive(queued.sender, queued.raw)

    def _deliver_queue(self) -> None:
        if not self._queue:
            return
        log.notice(self._domain, f"dfsm_deliver_queue: queue length {len(self._queue)}")
        waiting, self._queue = self._queue, []
        for position, queued in enumerate(waiting):
            peer = self._peers.get(queued.sender)
            if peer is None:
                log.notice(self._domain, f"remove message from non-member {queued.sender}")
            elif not peer.synced:
                self._queue.append(queued)
            elif self.mode is Mode.SYNCED:
                self._receive(queued.sender, queued.raw)
            elif self.mode is Mode.UPDATE:
                self._sync_queue.append(queued)
            else:
                self._queue += waiting[position:]
                raise LeaveGroup

    # -- verification ----------------------------------------------------------------------------------------------

    def request_verification(self) -> None:
        """Now and then the lowest member has all compare their checksums."""
        if not self.has_lowest_node_id() or self.mode is not Mode.SYNCED:
            return
        if self._checksum_counter != self._checksum_id:
            log.notice(self._domain, f"delay verify request {self._checksum_counter + 1:016X}")
            return
        self._checksum_counter += 1
        self._sender.send_raw(encode_state(Kind.VERIFY_REQUEST, self._epoch, _VERIFY_ID.pack(self._checksum_counter)))

    def _answer_verification(self, sender: MemberId, message: Message) -> None:
        checksum = self._application.checksum()
        if checksum is None:
            return
        self._checksum = checksum
        self._checksum_epoch = message.epoch
        (self._checksum_id,) = _VERIFY_ID.unpack_from(message.payload)
        if sender == self.local:
            self._send_state(Kind.VERIFY, _VERIFY_ID.pack(self._checksum_id) + checksum)

    def _check_verification(self, message: Message) -> None:
        (checksum_id,) = _VERIFY_ID.unpack_from(message.payload)
        checksum = message.payload[_VERIFY_ID.size :]
        if self._checksum_id != checksum_id or self._checksum_epoch != message.epoch:
            log.notice(self._domain, "skip verification - no checksum saved")
        elif checksum != self._checksum:
            log.critical(
                self._domain, f"wrong checksum {checksum[:8].hex()} != {self._checksum[:8].hex()} - restarting"
            )
            raise LeaveGroup
        else:
            log.notice(self._domain, "data verification successful")
