# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The second process group: status values and the cluster's log, and who is online."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from practice_pve.pmxcfs.cluster_log import LogEntry
from practice_pve.pmxcfs.corosync_library import MemberId
from practice_pve.pmxcfs.log import log
from practice_pve.pmxcfs.process_group import Peer, ProcessGroup
from practice_pve.pmxcfs.status import Status

GROUP_NAME = "pve_kvstore_v1"
DOMAIN = "status"
_KEY_SIZE = 256


class StatusMessage(IntEnum):
    UPDATE = 1
    LOG = 3


def encode_value(key: str, data: bytes) -> bytes:
    return key.encode()[: _KEY_SIZE - 1].ljust(_KEY_SIZE, b"\0") + data


def decode_value(payload: bytes) -> tuple[str, bytes]:
    return payload[:_KEY_SIZE].rstrip(b"\0").decode(), payload[_KEY_SIZE:]


class StatusGroup:
    def __init__(self, status: Status) -> None:
        self._status = status
        self.group = ProcessGroup(self, DOMAIN)
        status.send = self._send_value
        status.send_log = self._send_log

    def _send_value(self, key: str, data: bytes) -> None:
        if self.group.initialized:
            self.group.send(StatusMessage.UPDATE, encode_value(key, data))

    def _send_log(self, entry: LogEntry) -> None:
        if self.group.initialized:
            self.group.send(StatusMessage.LOG, entry.encode())

    def deliver(self, group: ProcessGroup, sender: MemberId, subtype: int, _sent: int, payload: bytes) -> int:
        if sender == group.local:
            return 0
        if subtype == StatusMessage.UPDATE and len(payload) >= _KEY_SIZE:
            self._status.set_of_member(sender.node_id, *decode_value(payload))
        elif subtype == StatusMessage.LOG:
            log.notice(DOMAIN, "received log")
            self._status.cluster_log.insert(LogEntry.decode(payload))
        else:
            log.critical(DOMAIN, f"received unknown message type {subtype}\n")
        return 0

    def state(self) -> bytes:
        return self._status.cluster_log.state()

    def compare(self, group: ProcessGroup, peers: list[Peer]) -> None:
        """Logs are merged, nobody leads; every member tells its own values again, for those that are new."""
        for peer in peers:
            peer.synced = True
        self._status.cluster_log.merge([peer.state for peer in peers if peer.state and peer.member != group.local])
        for key, value in list(self._status.values.items()):
            self._send_value(key, value.data)

    def add_update(self, _payload: bytes) -> None:
        log.critical(DOMAIN, "dfsm_process_update: received unexpected update message")

    def commit(self) -> None:
        return

    def forget_updates(self) -> None:
        return

    def checksum(self) -> None:
        return None

    def synced(self) -> None:
        status = self._status
        address = status.addresses.get(status.node_name, status.address)
        status.set_own("nodeip", address.encode() + b"\0")

    def members_changed(self, members: Iterable[MemberId]) -> None:
        self._status.set_online({member.node_id for member in members})
