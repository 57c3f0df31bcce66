# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The thread that speaks with corosync: watches the services and starts again those that have lost it."""

from __future__ import annotations

import selectors
import threading
import time

from practice_pve.pmxcfs import replicated_tree, status_group
from practice_pve.pmxcfs.corosync_library import LIBRARY, CorosyncError
from practice_pve.pmxcfs.first_look import COROSYNC_WAS_THERE
from practice_pve.pmxcfs.group_service import GroupService
from practice_pve.pmxcfs.log import log
from practice_pve.pmxcfs.process_group import ProcessGroup
from practice_pve.pmxcfs.services import NodeListService, QuorumService, Service
from practice_pve.pmxcfs.status import Status
from practice_pve.pmxcfs.tree import Tree

TICK_SECONDS = 1.0
# A service that could not start tries again when more than five seconds (in whole ones, looked at once a second) have
# passed: the reason why a new cluster needs some seconds to become writable.
PAUSE_SECONDS = 5
VERIFY_SECONDS = 3600


class ClusterConnection:
    def __init__(self, status: Status, tree: Tree) -> None:
        self._tree_group = ProcessGroup(replicated_tree.ReplicatedTree(tree, status), replicated_tree.DOMAIN)
        self.changes = replicated_tree.ReplicatedChanges(tree, self._tree_group, status)
        self._services: list[Service] = [
            QuorumService(status),
            NodeListService(status),
            GroupService(self._tree_group, replicated_tree.GROUP_NAME, replicated_tree.DOMAIN),
            GroupService(status_group.StatusGroup(status).group, status_group.GROUP_NAME, status_group.DOMAIN),
        ]
        self._running: dict[Service, int] = {}
        self._last_start: dict[Service, float] = {}
        self._complained: set[Service] = set()
        self._selector = selectors.DefaultSelector()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="corosync", daemon=True)
        self._last_verification = time.monotonic()

    def start(self) -> None:
        self._thread.start()

    def stop(self, seconds: float = 2.0) -> None:
        """Leave the groups, so that the others need not wait for a timeout."""
        self._stopping.set()
        self._tree_group.disconnected()
        self._thread.join(seconds)

    def _run(self) -> None:
        next_tick = time.monotonic()
        while not self._stopping.is_set():
            now = time.monotonic()
            if now >= next_tick:
                self._start_services()
                self._verify(now)
                next_tick = now + TICK_SECONDS
            self._dispatch(max(0.0, min(next_tick - time.monotonic(), 0.25)))
        for service in self._services:
            self._forget(service)
            service.stop()

    def _verify(self, now: float) -> None:
        if now - self._last_verification >= VERIFY_SECONDS:
            self._last_verification = now
            self._tree_group.request_verification()

    def _start_services(self) -> None:
        now = time.monotonic()
        for service in self._services:
            last = self._last_start.get(service)
            if service in self._running or not service.restartable:
                continue
            if last is not None and int(now) - int(last) <= PAUSE_SECONDS:
                continue
            self._last_start[service] = now
            try:
                if last is None and not COROSYNC_WAS_THERE:
                    raise CorosyncError(service.first_call, LIBRARY)
                descriptor = service.start()
            except CorosyncError as error:
                log.critical(service.domain, str(error))
                if service not in self._complained:
                    log.critical(service.domain, "can't initialize service")
                    self._complained.add(service)
                continue
            self._complained.discard(service)
            self._running[service] = descriptor
            self._selector.register(descriptor, selectors.EVENT_READ, service)

    def _dispatch(self, seconds: float) -> None:
        ready = [key.data for key, _events in self._selector.select(seconds)]
        for service in sorted(ready, key=self._services.index):
            if service in self._running and not service.dispatch():
                self._forget(service)
                if not service.restartable:
                    service.stop()

    def _forget(self, service: Service) -> None:
        descriptor = self._running.pop(service, None)
        if descriptor is not None:
            self._selector.unregister(descriptor)
