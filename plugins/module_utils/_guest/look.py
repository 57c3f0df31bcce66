# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first look at one guest: everything that its plan needs to know.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import re
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from .._plan import Plan, Step
from .._session.interface import Session
from .errors import GuestError, Refused, SourceMissing
from .findings import Findings
from .fleet import Fleet
from .guest_types import QEMU, GuestType
from .images import FoundImage, find_image
from .passwords import matches
from .plan_guest import plan_guest
from .plan_power import plan_absence
from .reservation import is_being_made, is_our_reservation, is_worked_on
from .root_only import check_root_keys, demand_root
from .snippets import read_snippet
from .state import GuestState
from .wish import GuestWish, ImageSource

_PAUSE = 0.5


@dataclass
class Looker:
    session: Session
    fleet: Fleet
    type: GuestType = QEMU
    images: dict[tuple[str, ImageSource], FoundImage] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _loaded: dict[int, GuestState] = field(default_factory=dict)
    _resources: dict[str, dict[str, Any]] | None = None

    def plan(self, wish: GuestWish, vmid: int | None = None) -> tuple[Findings, Plan]:
        """C(vmid) keeps an id that was chosen before."""
        guest = self.fleet.find(wish.name, wish.vmid)
        current = self.fleet.load(guest) if guest else None
        if current is not None and is_being_made(current):
            current = self._wait_for_other_work(wish, current)
            if current is not None and is_being_made(current):
                return self._plan_over_reservation(wish, current)
        self._check_name(wish, current)
        if wish.state == "absent":
            return self._findings(wish, current), plan_absence(wish, current)
        found = self._findings(wish, current, vmid)
        plan = plan_guest(wish, self._complete(wish, found))
        check_root_keys(self.session, wish, plan)
        if current is not None and current.lock and plan.changed:
            raise GuestError(
                f"It is locked ({current.lock}).",
                f"Wait until that has ended; if nothing does it any more: {wish.type.program} unlock {current.vmid}",
            )
        return found, plan

    def _plan_over_reservation(self, wish: GuestWish, current: GuestState) -> tuple[Findings, Plan]:
        """An interrupted creation: what it left is removed first, if it is ours and holds nothing."""
        program = wish.type.program
        if not current.is_husk or not (wish.force or is_our_reservation(self.session, wish.type, current)):
            raise GuestError(
                f"{current.vmid} is locked ({current.lock}), nothing works on it, and nothing proves that an interrupted run of "
                f"{self.session.user} left it empty.",
                f"Look at {program} config {current.vmid}; then {program} unlock {current.vmid} and {program} destroy "
                f"{current.vmid}, or force: true if it is empty.",
            )
        demand_root(self.session, "removing what an interrupted creation left")
        found = replace(self._findings(wish, current), current=None)
        if wish.state == "absent":
            plan = Plan()
        else:
            plan = plan_guest(wish, self._complete(wish, found))
            check_root_keys(self.session, wish, plan)
        text = f"Remove the empty reservation of {current.vmid} that an interrupted creation left."
        return found, replace(plan, steps=(Step("remove_husk", text), *plan.steps))

    def _check_name(self, wish: GuestWish, current: GuestState | None) -> None:
        if current is not None and wish.name and current.name != wish.name:
            raise Refused(
                f"The vmid {current.vmid} is taken by {current.name or 'a guest without a name'} on {current.node}, which is not {wish.name}.",
                "Declare another vmid, or the name that it has.",
            )

    def _findings(self, wish: GuestWish, current: GuestState | None, vmid: int | None = None) -> Findings:
        if current is not None:
            return Findings(current.vmid, current.node, current)
        if wish.state == "absent":
            return Findings(wish.vmid or 0, wish.node)
        node = self.fleet.node_for(wish.node)
        return Findings(wish.vmid or vmid or self.fleet.reserve(wish.vmid_range), node)

    def _complete(self, wish: GuestWish, found: Findings) -> Findings:
        """The sources and what lies outside the configuration."""
        if found.current is None:
            if wish.clone:
                found = replace(found, template=self._find_template(wish))
            elif wish.image:
                found = replace(found, import_source=self._find_image(wish.image, found.node).source)
        elif wish.update_password == "always" and "cipassword" in wish.config:
            found = replace(found, password_is_set=self._password_is_set(wish, found.current))
        if wish.ha is not None:
            found = replace(found, high_availability=self._managed().get(f"{self.type.ha_prefix}:{found.vmid}"))
        stale = []
        for index, snippet in enumerate(wish.snippets):
            text = read_snippet(self.session, snippet.storage, snippet.name, found.node)
            if text != snippet.content:
                stale.append((index, text))
        return replace(found, stale_snippets=tuple(stale))

    def refresh(self) -> None:
        """Forget what others may have changed since."""
        self.fleet.refresh()
        with self._lock:
            self._resources = None

    def _managed(self) -> dict[str, dict[str, Any]]:
        """The resources of high availability, asked for once and only if something is declared about them."""
        with self._lock:
            if self._resources is None:
                rows = self.session.get("/cluster/ha/resources")
                self._resources = {str(row["sid"]): row for row in rows}
            return self._resources

    def _find_image(self, image: ImageSource, node: str) -> FoundImage:
        with self._lock:
            if (node, image) not in self.images:
                self.images[node, image] = find_image(self.session, image, node, self.type)
            return self.images[node, image]

    def _find_template(self, wish: GuestWish) -> GuestState:
        if wish.clone is None:
            raise AssertionError
        source = wish.clone.source
        guest = self.fleet.find("", int(source)) if source.isdigit() else self.fleet.find(source, None)
        if guest is None:
            names = ", ".join(self.fleet.templates()) or "no templates at all"
            raise SourceMissing(
                f"clone: there is no guest {source}. There are {names}.",
                "Make one from an image with state: template.",
            )
        with self._lock:
            if guest.vmid not in self._loaded:
                loaded = self.fleet.load(guest)
                if loaded is None:
                    raise SourceMissing(f"clone: the guest {source} is gone.")
                self._loaded[guest.vmid] = loaded
            return self._loaded[guest.vmid]

    def _wait_for_other_work(self, wish: GuestWish, current: GuestState) -> GuestState | None:
        """Somebody creates this guest right now, perhaps this very play a second time: look again when that has ended."""
        end = time.monotonic() + wish.timeout
        state: GuestState | None = current
        while state is not None and is_being_made(state) and is_worked_on(self.session, self.type, state):
            if time.monotonic() > end:
                raise GuestError(f"Another task still creates {state.vmid} after {wish.timeout} s.")
            time.sleep(_PAUSE)
            state = self.fleet.load(state)
        if state is None:
            return None
        fresh = self.fleet.load(state)
        return fresh if fresh is None or not fresh.name else self.fleet.reload(fresh)

    def wait_until_made(self, wish: GuestWish, guests: list[GuestState]) -> None:
        """Guests have no name until their creation has ended: only then one can tell whether they are the ones that are meant."""
        end = time.monotonic() + wish.timeout
        for guest in guests:
            state = self.fleet.load(guest)
            while state is not None and is_being_made(state) and is_worked_on(self.session, self.type, state):
                if time.monotonic() > end:
                    return
                time.sleep(_PAUSE)
                state = self.fleet.load(state)

    def wait_for_others(self, wishes: list[GuestWish]) -> None:
        """Before new ids are given: another run may just make the very guests that are declared."""
        nameless = [
            one
            for one in self.fleet.guests.values()
            if one.kind == self.type.kind and is_being_made(one) and not one.name
        ]
        searching = [wish for wish in wishes if wish.vmid is None and wish.name]
        if nameless and searching:
            self.wait_until_made(searching[0], nameless)
            self.fleet.refresh()

    def _password_is_set(self, wish: GuestWish, current: GuestState) -> bool | None:
        """Only the file has the hash; the API shows asterisks."""
        if not self.session.node:
            return None
        try:
            text = Path(f"/etc/pve/nodes/{current.node}/{self.type.directory}/{current.vmid}.conf").read_text(
                encoding="utf-8"
            )
        except OSError:
            return None
        matched = re.search(r"^cipassword: (\S+)$", text.partition("\n[")[0], re.MULTILINE)
        return matches(str(wish.config["cipassword"]), matched[1]) if matched else None
