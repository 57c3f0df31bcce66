# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole cluster in one process: time that is told, locks and files in dictionaries, guests that start or do not."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from practice_pve.ha.cluster_manager import ClusterManager
from practice_pve.ha.local_manager import LocalManager
from practice_pve.ha.placement import Rule

LOCK_LIFETIME = 120


@dataclass
class Cluster:
    """What all nodes share, as /etc/pve does."""

    time: float = 1000.0
    manager_status: dict = field(default_factory=dict)
    local_status: dict[str, dict] = field(default_factory=dict)
    resources: dict[str, dict] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)
    commands: str = ""
    locks: dict[str, tuple[str, float]] = field(default_factory=dict)
    dead: set[str] = field(default_factory=set)
    running: set[tuple[str, str]] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)
    watchdogs: set[str] = field(default_factory=set)
    starts: list[tuple[str, str]] = field(default_factory=list)
    nodes: dict[str, tuple[ClusterManager, LocalManager]] = field(default_factory=dict)
    due: dict[tuple[str, int], float | None] = field(default_factory=dict)

    def add(self, sid: str, node: str, **values: object) -> None:
        defaults = {"state": "started", "node": node, "failback": 1, "max_restart": 1, "max_relocate": 1}
        self.resources[sid] = {**defaults, **values}

    def run(self, seconds: int) -> None:
        for _turn in range(seconds):
            self.time += 1
            for name, managers in self.nodes.items():
                for index, do_round in enumerate([manager.round for manager in managers]):
                    due = self.due.setdefault((name, index), self.time + index)
                    if name not in self.dead and due is not None and self.time >= due:
                        pause = do_round()
                        self.due[name, index] = None if pause is None else self.time + pause

    def kill(self, node: str) -> None:
        self.dead.add(node)
        self.running = {(sid, place) for sid, place in self.running if place != node}

    def service(self, sid: str = "vm:100") -> dict:
        return self.manager_status["service_status"][sid]

    def where(self, sid: str = "vm:100") -> list[str]:
        return sorted(node for name, node in self.running if name == sid)


class World:
    """One node's view; see the protocol Surroundings."""

    def __init__(self, cluster: Cluster, nodename: str, role: str) -> None:
        self.cluster, self.nodename, self.role = cluster, nodename, role
        self.kind = ""

    def now(self) -> float:
        return self.cluster.time

    def sleep(self, seconds: float) -> None:
        pass

    def log(self, level: str, text: str) -> None:
        pass

    def is_quorate(self) -> bool:
        return len(self.cluster.dead) * 2 < len(self.cluster.nodes)

    def refresh(self) -> bool:
        return True

    def members_online(self) -> dict[str, bool]:
        return {name: name not in self.cluster.dead for name in self.cluster.nodes}

    def read_manager_status(self) -> dict:
        return copy.deepcopy(self.cluster.manager_status)

    def write_manager_status(self, status: dict) -> None:
        self.cluster.manager_status = copy.deepcopy(status)

    def read_local_status(self, node: str) -> dict:
        return copy.deepcopy(self.cluster.local_status.get(node, {}))

    def write_local_status(self, status: dict) -> None:
        self.cluster.local_status[self.nodename] = copy.deepcopy(status)

    def read_resources(self) -> dict[str, dict]:
        return copy.deepcopy(self.cluster.resources)

    def set_state(self, sid: str, state: str) -> None:
        self.cluster.resources[sid]["state"] = state

    def read_rules(self) -> list[Rule]:
        return self.cluster.rules

    def guest_usage(self) -> dict[str, str]:
        return dict(self.cluster.running)

    def take_commands(self) -> str:
        text, self.cluster.commands = self.cluster.commands, ""
        return text

    def has_commands(self) -> bool:
        return bool(self.cluster.commands)

    def get_lock(self, name: str) -> bool:
        holder, since = self.cluster.locks.get(name, (self.nodename, 0.0))
        if holder != self.nodename and self.cluster.time - since <= LOCK_LIFETIME:
            return False
        self.cluster.locks[name] = (self.nodename, self.cluster.time)
        return True

    def release_lock(self, name: str) -> None:
        self.cluster.locks.pop(name, None)

    def feed_watchdog(self) -> None:
        self.cluster.watchdogs.add(f"{self.role}:{self.nodename}")

    def close_watchdog(self) -> None:
        self.cluster.watchdogs.discard(f"{self.role}:{self.nodename}")

    def move_config(self, sid: str, source: str, target: str) -> None:
        assert self.cluster.resources[sid]["node"] == source
        self.cluster.resources[sid]["node"] = target

    def remove_guest_lock(self, sid: str, node: str) -> None:
        pass

    def shutdown_kind(self) -> str:
        return self.kind

    def shutdown_policy(self) -> str:
        return "conditional"

    def start_work(self, work: Callable[[], int]) -> Callable[[], int | None]:
        code = work()
        return lambda: code


class Guests:
    """The guests of one node."""

    def __init__(self, cluster: Cluster, node: str) -> None:
        self.cluster, self.node = cluster, node

    def is_running(self, sid: str) -> bool:
        return (sid, self.node) in self.cluster.running

    def start(self, sid: str) -> None:
        self.cluster.starts.append((sid, self.node))
        if self.node not in self.cluster.broken:
            self.cluster.running.add((sid, self.node))

    def shut_down(self, sid: str, timeout: int) -> None:
        self.cluster.running.discard((sid, self.node))

    def cut_power(self, sid: str) -> None:
        self.cluster.running.discard((sid, self.node))

    def migrate(self, sid: str, target: str, online: bool) -> bool:
        if self.is_running(sid):
            self.cluster.running = (self.cluster.running - {(sid, self.node)}) | {(sid, target)}
        self.cluster.resources[sid]["node"] = target
        return True


@pytest.fixture
def cluster() -> Cluster:
    made = Cluster()
    for name in ("n1", "n2", "n3"):
        local = LocalManager(World(made, name, "lrm"), Guests(made, name))
        made.nodes[name] = (ClusterManager(World(made, name, "crm")), local)
    made.run(15)
    return made
