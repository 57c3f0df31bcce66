# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection to a corosync process group (CPG) as a service."""

from __future__ import annotations

import os

from practice_pve.pmxcfs.corosync_library import (
    BAD_HANDLE,
    DISPATCH_ONE,
    LIBRARY,
    CorosyncError,
    CpgConnection,
    MemberId,
)
from practice_pve.pmxcfs.log import log
from practice_pve.pmxcfs.process_group import ProcessGroup
from practice_pve.pmxcfs.services import patiently


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
            patiently(connection.join)
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
            patiently(lambda: connection.dispatch(DISPATCH_ONE))
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
            patiently(connection.leave)
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
