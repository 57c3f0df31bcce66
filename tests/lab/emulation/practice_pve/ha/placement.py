# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a service should run: rules, what nodes have to do already, and what it tried before."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Service = Mapping[str, Any]
# a node that a rule that is not strict does not name: allowed, but after all others
_LAST_RESORT = -1
_ON_NODE = ("started", "request_stop", "fence", "freeze", "error", "recovery", "migrate", "relocate")
_MOVING = ("migrate", "relocate", "request_start_balance")


@dataclass(frozen=True)
class Rule:
    """One enabled rule of rules.cfg; nodes with their priorities."""

    name: str
    resources: frozenset[str]
    nodes: Mapping[str, int] = field(default_factory=dict)
    strict: bool = False
    affinity: str = ""


@dataclass
class CompiledRules:
    """The rules by service."""

    nodes: dict[str, dict[str, int]] = field(default_factory=dict)
    together: dict[str, set[str]] = field(default_factory=dict)
    apart: dict[str, set[str]] = field(default_factory=dict)


def compile_rules(rules: Sequence[Rule], all_nodes: Iterable[str]) -> CompiledRules:
    """Leave out what contradicts itself, as the real manager does, and sort the rest by service."""
    compiled = CompiledRules()
    everywhere = list(all_nodes)
    named = [sid for rule in rules if rule.nodes for sid in rule.resources]
    for rule in rules:
        if rule.nodes and not any(named.count(sid) > 1 for sid in rule.resources):
            nodes = dict(rule.nodes)
            if not rule.strict:
                nodes = {**dict.fromkeys(everywhere, _LAST_RESORT), **nodes}
            for sid in rule.resources:
                compiled.nodes[sid] = nodes
        elif rule.affinity and len(rule.resources) > 1:
            target = compiled.together if rule.affinity == "positive" else compiled.apart
            for sid in rule.resources:
                target.setdefault(sid, set()).update(rule.resources - {sid})
    return compiled


def used_nodes(service: Service, online: Collection[str]) -> tuple[str | None, str | None]:
    """The node a service weighs on and the one it moves to."""
    state, node, target = service.get("state"), service.get("node"), service.get("target")
    current = node if state in _ON_NODE and node in online else None
    return current, target if state in _MOVING and target in online else None


def count_usage(services: Mapping[str, Service], guests: Mapping[str, str], online: Collection[str]) -> dict[str, int]:
    """How many guests each online node carries: HA's by their state, all others where they run."""
    usage: dict[str, set[str]] = {node: set() for node in online}
    for sid, service in services.items():
        for node in used_nodes(service, online):
            if node:
                usage[node].add(sid)
    for sid, node in guests.items():
        if sid not in services and node in usage:
            usage[node].add(sid)
    return {node: len(sids) for node, sids in usage.items()}


@dataclass(frozen=True)
class Situation:
    """What a choice is made from."""

    rules: CompiledRules
    services: Mapping[str, Service]
    guests: Mapping[str, str]
    online: Sequence[str]


def choose_node(situation: Situation, sid: str, failback: bool, preference: str) -> str | None:
    """The node for a service; preference `none` (stay if possible), `best-score` or `try-next` (avoid failed ones)."""
    service, online = situation.services[sid], situation.online
    current = service["node"]
    priorities = situation.rules.nodes.get(sid)
    if priorities is None:
        allowed, preferred = set(online), set(online)
    else:
        allowed = {node for node in priorities if node in online}
        highest = max((priorities[node] for node in allowed), default=0)
        preferred = {node for node in allowed if priorities[node] == highest}
    if not preferred:
        return None
    together, apart = _neighbours(situation, sid)
    if preference == "none" and not failback and current in allowed and (current in together or current not in apart):
        return current
    if preference == "try-next":
        preferred -= set(service.get("failed_nodes", ()))
    preferred -= apart
    together = {node: count for node, count in together.items() if node in preferred}
    if together:
        preferred &= {min(together, key=lambda node: (-together[node], node))}
    fallback = service.get("maintenance_node")
    if fallback in preferred:
        return str(fallback)
    if preference == "none" and current in preferred:
        return current
    return _least_used(situation, preferred, current, preference)


def _neighbours(situation: Situation, sid: str) -> tuple[dict[str, int], set[str]]:
    together: dict[str, int] = {}
    for other in situation.rules.together.get(sid, ()):
        current, target = used_nodes(situation.services.get(other, {}), situation.online)
        node = target or current
        if node:
            together[node] = together.get(node, 0) + 1
    apart: set[str] = set()
    for other in situation.rules.apart.get(sid, ()):
        apart |= {node for node in used_nodes(situation.services.get(other, {}), situation.online) if node}
    return together, apart


def _least_used(situation: Situation, nodes: set[str], current: str, preference: str) -> str | None:
    usage = count_usage(situation.services, situation.guests, situation.online)
    ranked = sorted(nodes, key=lambda node: (usage.get(node, 0), node))
    if not ranked:
        return None
    if preference == "try-next" and current in ranked[:-1]:
        return ranked[ranked.index(current) + 1]
    return ranked[0]
