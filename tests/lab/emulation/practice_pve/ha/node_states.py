# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the manager thinks of the nodes: online, maintenance, unknown, fence, gone."""

from __future__ import annotations

from collections.abc import Callable, Mapping

FENCE_DELAY = 60
FORGET_DELAY = 3600


class NodeStates:
    """The manager's node_status and when each node was seen last."""

    def __init__(self, status: Mapping[str, str], now: Callable[[], float], log: Callable[[str, str], None]) -> None:
        self.status = dict(status)
        self._now = now
        self._log = log
        self._last_online: dict[str, float] = {}

    def state(self, node: str) -> str:
        """A node's state; one never heard of is unknown."""
        return self.status.get(node, "unknown")

    def is_online(self, node: str) -> bool:
        """True when the node may run services."""
        return self.state(node) == "online"

    def is_operational(self, node: str) -> bool:
        """True when the node is a member that answers, in maintenance or not."""
        return self.state(node) in ("online", "maintenance")

    def online(self) -> list[str]:
        """All nodes that may run services."""
        return sorted(node for node, state in self.status.items() if state == "online")

    def has_left(self, node: str, delay: float = FENCE_DELAY) -> bool:
        """True when a node has been away for so long that it must be fenced. The clock starts with the first question."""
        if self.is_online(node):
            return False
        if node not in self._last_online:
            self._last_online[node] = self._now()
            return False
        return self._now() - self._last_online[node] >= delay

    def set(self, node: str, state: str) -> None:
        """Change a node's state."""
        previous = self.state(node)
        if previous != state:
            self.status[node] = state
            self._log("info", f"node '{node}': state changed from '{previous}' => '{state}'")

    def update(self, members: Mapping[str, bool], modes: Mapping[str, str]) -> None:
        """Take over who is there and what the local managers say."""
        for node in sorted(node for node, is_there in members.items() if is_there):
            self._last_online[node] = self._now()
            state, wants_out = self.state(node), modes.get(node) == "maintenance"
            if state == "online" and wants_out:
                self.set(node, "maintenance")
            elif state in ("unknown", "gone") or (state == "maintenance" and not wants_out):
                self.set(node, "online")
        for node in sorted(node for node in self.status if not members.get(node)):
            state = self.state(node)
            if state == "online" or (state == "maintenance" and modes.get(node) != "maintenance"):
                self.set(node, "unknown")
            elif state == "unknown" and node not in members:
                self.set(node, "gone")
            elif state == "gone" and self.has_left(node, FORGET_DELAY):
                del self.status[node]
                self._last_online.pop(node, None)
                self._log("notice", f"deleting gone node '{node}', not a cluster member anymore.")
