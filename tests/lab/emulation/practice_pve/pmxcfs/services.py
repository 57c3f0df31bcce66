# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connections to corosync as services: started one after the other, restarted when corosync comes back."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from practice_pve.pmxcfs.corosync_library import (
    DISPATCH_ALL,
    TRY_AGAIN,
    CorosyncError,
    MapConnection,
    QuorumConnection,
)
from practice_pve.pmxcfs.log import log
from practice_pve.pmxcfs.node_list import read_cluster_info
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


def patiently(call: Callable[[], None]) -> None:
    """corosync says "try again" while it forms a membership."""
    while True:
        try:
            call()
            return
        except CorosyncError as error:
            if error.code != TRY_AGAIN:
                raise
        time.sleep(RETRY_SECONDS)


Connection = TypeVar("Connection", QuorumConnection, MapConnection)


class _Follower(ABC, Generic[Connection]):
    """Follows something that corosync tells, over a connection that is opened anew whenever corosync was away."""

    domain: str
    restartable = True

    def __init__(self, status: Status) -> None:
        self._status = status
        self._connection: Connection | None = None

    @abstractmethod
    def _open(self) -> Connection: ...

    @abstractmethod
    def _follow(self, connection: Connection) -> None:
        """Ask corosync to tell."""

    @abstractmethod
    def _listen(self, connection: Connection) -> None:
        """Take what corosync has told."""

    @abstractmethod
    def _lost(self, error: CorosyncError) -> None:
        """The connection broke while it was listened to."""

    def start(self) -> int:
        connection = self._open()
        try:
            self._follow(connection)
            descriptor = connection.descriptor()
        except CorosyncError:
            self._close(connection)
            raise
        self._connection = connection
        return descriptor

    def dispatch(self) -> bool:
        if self._connection is None:
            return False
        try:
            self._listen(self._connection)
            return True
        except CorosyncError as error:
            self._lost(error)
            self._close(self._connection)
            return False

    def stop(self) -> None:
        if self._connection is not None:
            self._close(self._connection)

    def _close(self, connection: Connection) -> None:
        self._connection = None
        try:
            connection.close()
        except CorosyncError as error:
            log.debug(self.domain, str(error))


class QuorumService(_Follower[QuorumConnection]):
    domain = "quorum"
    first_call = "quorum_initialize"

    def _open(self) -> QuorumConnection:
        return QuorumConnection(self._status.set_quorate)

    def _follow(self, connection: QuorumConnection) -> None:
        try:
            connection.track()
        except CorosyncError:
            self._status.set_quorate(False)
            raise

    def _listen(self, connection: QuorumConnection) -> None:
        patiently(lambda: connection.dispatch(DISPATCH_ALL))

    def _lost(self, error: CorosyncError) -> None:
        log.critical(self.domain, str(error))
        self._status.set_quorate(False)

    def stop(self) -> None:
        self._status.set_quorate(False, quiet=True)
        super().stop()


class NodeListService(_Follower[MapConnection]):
    """Follows corosync's node list as it is in force."""

    domain = "confdb"
    first_call = "cmap_initialize"

    def __init__(self, status: Status) -> None:
        super().__init__(status)
        self._changed = False

    def _note_change(self) -> None:
        self._changed = True

    def _open(self) -> MapConnection:
        return MapConnection(self._note_change)

    def _follow(self, connection: MapConnection) -> None:
        connection.track("nodelist.node.", as_prefix=True)
        connection.track("totem.config_version", as_prefix=False)

    def start(self) -> int:
        descriptor = super().start()
        try:
            self._take_over()
        except CorosyncError as error:
            log.critical(self.domain, str(error))
        return descriptor

    def _take_over(self) -> None:
        if self._connection is not None:
            self._status.set_cluster(read_cluster_info(self._connection))

    def _listen(self, connection: MapConnection) -> None:
        self._changed = False
        patiently(lambda: connection.dispatch(DISPATCH_ALL))
        if self._changed:
            self._take_over()

    def _lost(self, error: CorosyncError) -> None:
        log.critical(self.domain, f"cmap_dispatch failed: {error.code}")
