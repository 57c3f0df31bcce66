# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connections to corosync as services: started one after the other, restarted when corosync comes back."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Protocol

from practice_pve.pmxcfs.corosync_library import (
    BAD_HANDLE,
    DISPATCH_ALL,
    DISPATCH_ONE,
    LIBRARY,
    TRY_AGAIN,
    CorosyncError,
    CpgConnection,
    MapConnection,
    MemberId,
    QuorumConnection,
)
from practice_pve.pmxcfs.log import log
from practice_pve.pmxcfs.node_list import read_cluster_info
from practice_pve.pmxcfs.process_group import ProcessGroup
from practice_pve.pmxcfs.status import Status

RETRY_SECONDS = 0.1


class Service(Protocol):
    """`start` gives the descriptor to watch (CorosyncError: not now); `dispatch` is False when the connection is gone."""

    domain: str
    first_call: str
    restartable: bool

    def start(self) -> int: ...
    def dispatch(self) -> bool: ...
    def stop(self) -> None: ...


def _patiently(call: Callable[[], None]) -> None:
    """corosync says "try again" while it forms a membership."""
    while True:
        try:
            call()
            return
        except CorosyncError as error:
            if error.code != TRY_AGAIN:
                raise
        time.sleep(RETRY_SECONDS)


class QuorumService:
    domain = "quorum"
    first_call = "quorum_initialize"
    restartable = True

    def __init__(self, status: Status) -> None:
        self._status = status
        self._connection: QuorumConnection | None = None

    def start(self) -> int:
        connection = QuorumConnection(self._status.set_quorate)
        try:
            connection.track()
            self._connection = connection
            return connection.descriptor()
        except CorosyncError:
            self._status.set_quorate(False)
            self._close(connection)
            raise

    def _close(self, connection: QuorumConnection) -> None:
        self._connection = None
        try:
            connection.close()
        except CorosyncError as error:
            log.debug(self.domain, str(error))

    def dispatch(self) -> bool:
        connection = self._connection
        if connection is None:
            return False
        try:
            _patiently(lambda: connection.dispatch(DISPATCH_ALL))
            return True
        except CorosyncError as error:
            log.critical(self.domain, str(error))
            self._status.set_quorate(False)
            self._close(connection)
            return False

    def stop(self) -> None:
        self._status.set_quorate(False, quiet=True)
        if self._connection is not None:
            self._close(self._connection)


class NodeListService:
    """Follows corosync's node list as it is in force."""

    domain = "confdb"
    first_call = "cmap_initialize"
    restartable = True

    def __init__(self, status: Status) -> None:
        self._status = status
        self._connection: MapConnection | None = None
        self._changed = False

    def _note_change(self) -> None:
        self._changed = True

    def start(self) -> int:
        connection = MapConnection(self._note_change)
        try:
            connection.track("nodelist.node.", as_prefix=True)
            connection.track("totem.config_version", as_prefix=False)
            descriptor = connection.descriptor()
        except CorosyncError:
            self._close(connection)
            raise
        self._connection = connection
        try:
            self._status.set_cluster(read_cluster_info(connection))
        except CorosyncError as error:
            log.critical(self.domain, str(error))
        return descriptor

    def _close(self, connection: MapConnection) -> None:
        self._connection = None
        try:
            connection.close()
        except CorosyncError as error:
            log.debug(self.domain, str(error))

    def dispatch(self) -> bool:
        connection = self._connection
        if connection is None:
            return False
        self._changed = False
        try:
            _patiently(lambda: connection.dispatch(DISPATCH_ALL))
            if self._changed:
                self._status.set_cluster(read_cluster_info(connection))
            return True
        except CorosyncError as error:
            log.critical(self.domain, f"cmap_dispatch failed: {error.code}")
            self._close(connection)
            return False

    def stop(self) -> None:
        if self._connection is not None:
            self._close(self._connection)


class GroupService:
    first_call = "cpg_initialize"

    def __init__(self, group: ProcessGroup, group_name: str, domain: str) -> None:
        self.domain = domain
        self.restartable = True
        self.group = group
        self._group_name = group_name
        self._connection: CpgConnection | None = None
        self._joined = False

    def start(self) -> int:
        connection = self._connection
        if connection is None:
            connection = CpgConnection(self._group_name, self.group.on_message, self.group.on_change)
        try:
            local = MemberId(connection.local_node_id(), os.getpid())
            self.group.connected(connection, local)
            self._connection = connection
            descriptor = connection.descriptor()
            _patiently(connection.join)
            self._joined = True
            return descriptor
        except CorosyncError:
            self._finalize()
            raise

    def dispatch(self) -> bool:
        connection = self._connection
        if connection is None:
            return False
        try:
            _patiently(lambda: connection.dispatch(DISPATCH_ONE))
        except CorosyncError as error:
            log.critical(self.domain, str(error))
            if error.code in (LIBRARY, BAD_HANDLE):
                self._finalize()
            self.restartable = not self.group.failed
            return False
        if not self.group.leaving:
            return True
        if not self._joined:
            return self.group.is_member
        try:
            _patiently(connection.leave)
            self._joined = False
            return True
        except CorosyncError as error:
            log.critical(self.domain, str(error))
            self._finalize()
            self.restartable = not self.group.failed
            return False

    def _finalize(self) -> None:
        self.group.disconnected()
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                if self._joined:
                    connection.leave()
                connection.close()
            except CorosyncError as error:
                log.debug(self.domain, str(error))
        self._joined = False

    def stop(self) -> None:
        self._finalize()
