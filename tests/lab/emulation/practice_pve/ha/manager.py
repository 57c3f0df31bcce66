# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The manager's part of HA: one round over all services, as the elected master does it every ten seconds."""

from __future__ import annotations

import base64
import hashlib
import itertools
import os

from practice_pve.ha.commands import obey
from practice_pve.ha.disarming import hold_services
from practice_pve.ha.node_states import NodeStates
from practice_pve.ha.placement import CompiledRules, Situation, choose_node, compile_rules
from practice_pve.ha.surroundings import JsonObject, Surroundings
from practice_pve.ha.transitions import TRANSITIONS

_counter = itertools.count(1)


class Manager:
    """What the master keeps from round to round; the rest lies in manager_status."""

    def __init__(self, world: Surroundings) -> None:
        self.world = world
        old = world.read_manager_status()
        self.nodes = NodeStates(old.get("node_status", {}), world.now, world.log)
        self.services: dict[str, JsonObject] = old.get("service_status", {})
        self.status: JsonObject = {"master_node": world.nodename}
        for key in ("node_request", "disarm"):
            if key in old:
                self.status[key] = old[key]
        self.resources: dict[str, JsonObject] = {}
        self.rules = CompiledRules()
        self.results: dict[str, JsonObject] = {}
        self.modes: dict[str, str] = {}
        self.is_disarmed = False

    # -- what the transitions use --------------------------------------------------------------------------------------

    def renew(self, service: JsonObject) -> None:
        """Give a service a new uid: its local manager has to act on it again."""
        text = f"{service['state']}{os.getpid()}{self.world.now()}{next(_counter)}"
        digest = hashlib.md5(text.encode(), usedforsecurity=False).digest()
        service["uid"] = base64.b64encode(digest).decode().rstrip("=")

    def change(self, sid: str, state: str, **values: object) -> None:
        """Put a service into another state; little of the old one is kept."""
        service = self.services[sid]
        previous = service["state"]
        for key in set(service) - {"node", "failed_nodes", "maintenance_node"}:
            del service[key]
        service.update({"state": state, **values})
        self.renew(service)
        details = ", ".join(f"{key} = {values[key]}" for key in sorted(values))
        suffix = f"  ({details})" if details else ""
        self.world.log("info", f"service '{sid}': state changed from '{previous}' to '{state}'{suffix}")

    def choose(self, sid: str, preference: str) -> str | None:
        """The node where a service should be."""
        situation = Situation(self.rules, self.services, self.world.guest_usage(), self.nodes.online())
        failback = bool(self.resources.get(sid, {}).get("failback", 1))
        return choose_node(situation, sid, failback, preference)

    # -- the round -----------------------------------------------------------------------------------------------------

    def manage(self) -> None:
        """One round."""
        self._read_local_managers()
        self.nodes.update(self.world.members_online(), self.modes)
        if not self.nodes.is_operational(self.world.nodename):
            self.world.log("info", "master seems offline")
            return
        self.resources = self.world.read_resources()
        if "disarm" not in self.status:
            self._adopt_and_drop()
        self.rules = compile_rules(self.world.read_rules(), self.nodes.status)
        obey(self, self.world.take_commands())
        only: set[str] | None = None
        if "disarm" in self.status:
            only = hold_services(self)
            if not only:
                self.flush()
                return
        self.is_disarmed = False
        while self._advance(only) | self._fence():
            pass
        self.flush()

    def _read_local_managers(self) -> None:
        self.results, self.modes = {}, {}
        for node in sorted(self.nodes.status):
            local = self.world.read_local_status(node)
            self.modes[node] = local.get("mode") or "active"
            for uid, result in local.get("results", {}).items():
                self.results.setdefault(uid, result)

    def _adopt_and_drop(self) -> None:
        for sid in sorted(self.resources):
            wanted = self.resources[sid]
            # a guest whose configuration has vanished has no node: nobody can look after it
            if sid in self.services or wanted["state"] == "ignored" or "node" not in wanted:
                continue
            self.world.log("info", f"adding new service '{sid}' on node '{wanted['node']}'")
            state = "request_start" if wanted["state"] == "started" else "request_stop"
            self.services[sid] = {"state": state, "node": wanted["node"]}
            self.renew(self.services[sid])
        for sid in list(self.services):
            wanted_state = self.resources.get(sid, {}).get("state")
            if wanted_state in (None, "ignored"):
                reason = "no config" if wanted_state is None else "ignored state requested"
                self.world.log("info", f"removing stale service '{sid}' ({reason})")
                del self.services[sid]

    def _advance(self, only: set[str] | None) -> bool:
        """Every service one step; True when one changed."""
        changed = False
        for sid in sorted(self.services):
            if only is not None and sid not in only:
                continue
            service = self.services[sid]
            before = service["state"]
            wanted = self.resources.get(sid, {"state": "disabled"})
            TRANSITIONS[before](self, sid, wanted, service, self.results.get(service.get("uid", "")))
            if self.modes.get(service.get("node", "")) == "restart" and service["state"] in (
                "started", "stopped", "request_stop",
            ):  # fmt: skip
                self.change(sid, "freeze")
            changed = changed or service["state"] != before
        return changed

    def _fence(self) -> bool:
        """Fence the nodes of services that wait for it; True when that brought something forward."""
        fenced: dict[str, bool] = {}
        changed = False
        for sid in sorted(self.services):
            service = self.services[sid]
            if service["state"] != "fence":
                continue
            node = service["node"]
            if node not in fenced:
                fenced[node] = self._fence_node(node)
            if fenced[node]:
                self.change(sid, "recovery")
                changed = True
        for node in sorted(set(self.nodes.status) - set(fenced)):
            if self.nodes.state(node) == "fence":
                text = f"node '{node}' in fence state but no services to-fence! admin interference?!"
                self.world.log("notice", text)
                changed = self._fence_node(node) or changed
        return changed

    def _fence_node(self, node: str) -> bool:
        """A node is fenced when its own lock can be had: its watchdog has reset it, or it has given the lock up."""
        self.nodes.set(node, "fence")
        if not self.world.get_lock(f"ha_agent_{node}_lock"):
            return False
        self.world.log("info", f"fencing: acknowledged - got agent lock for node '{node}'")
        self.nodes.set(node, "unknown")
        return True

    def flush(self) -> None:
        """Write manager_status."""
        self.status["node_status"] = self.nodes.status
        self.status["service_status"] = self.services
        self.status["timestamp"] = int(self.world.now())
        self.world.write_manager_status(self.status)
