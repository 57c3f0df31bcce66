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

from .._plan import Plan, Step
from .._session.interface import Session
from .errors import GuestError, Refused, SourceMissing
from .fleet import Fleet
from .images import FoundImage, find_image
from .key_tables import VIRTUAL_MACHINE
from .passwords import matches
from .plan_guest import Findings, plan_guest
from .plan_power import plan_absence
from .snippets import read_snippet
from .state import GuestState
from .wish import GuestWish, ImageSource

_PAUSE = 0.5


@dataclass
class Looker:
    session: Session
    fleet: Fleet
    images: dict[tuple[str, ImageSource], FoundImage] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _loaded: dict[int, GuestState] = field(default_factory=dict)

    def plan(self, wish: GuestWish, vmid: int | None = None) -> tuple[Findings, Plan]:
        """C(vmid) keeps an id that was chosen before."""
        guest = self.fleet.find(wish.name, wish.vmid)
        current = self.fleet.load(guest) if guest else None
        husk = False
        if current is not None and current.lock in ("create", "clone"):
            current = self._wait_for_other_work(wish, current)
            husk = current is not None and current.is_husk
        if wish.state == "absent" and not husk:
            self._check_name(wish, current)
            return self._findings(wish, current), plan_absence(wish, current)
        if husk:
            if current is None:
                raise AssertionError
            self._check_root("removing what an interrupted creation left")
            found = self._findings(wish, current)
            plan = (
                Plan()
                if wish.state == "absent"
                else plan_guest(wish, self._complete(wish, replace(found, current=None)))
            )
            text = f"Remove the empty reservation of {current.vmid} that an interrupted creation left."
            return replace(found, current=None), replace(plan, steps=(Step("remove_husk", text), *plan.steps))
        self._check_name(wish, current)
        found = self._findings(wish, current, vmid)
        self._check_root_keys(wish)
        plan = plan_guest(wish, self._complete(wish, found))
        if current is not None and current.lock and plan.changed:
            raise GuestError(
                f"It is locked ({current.lock}).",
                f"Wait until that has ended; if nothing does it any more: qm unlock {current.vmid}",
            )
        return found, plan

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
        stale = []
        for index, snippet in enumerate(wish.snippets):
            text = read_snippet(self.session, snippet.storage, snippet.name)
            if text != snippet.content:
                stale.append((index, text))
        return replace(found, stale_snippets=tuple(stale))

    def _find_image(self, image: ImageSource, node: str) -> FoundImage:
        with self._lock:
            if (node, image) not in self.images:
                self.images[node, image] = find_image(self.session, image, node)
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
        while state is not None and state.lock in ("create", "clone") and self._is_worked_on(state):
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
            while state is not None and state.lock in ("create", "clone") and self._is_worked_on(state):
                if time.monotonic() > end:
                    return
                time.sleep(_PAUSE)
                state = self.fleet.load(state)

    def wait_for_others(self, wishes: list[GuestWish]) -> None:
        """Before new ids are given: another run may just make the very guests that are declared."""
        nameless = [
            one
            for one in self.fleet.guests.values()
            if one.kind == "qemu" and one.lock in ("create", "clone") and not one.name
        ]
        searching = [wish for wish in wishes if wish.vmid is None and wish.name]
        if nameless and searching:
            self.wait_until_made(searching[0], nameless)
            self.fleet.refresh()

    def _is_worked_on(self, state: GuestState) -> bool:
        # A clone's task carries the id of its source, so any running creation or clone counts.
        rows = self.session.get(f"/nodes/{state.node}/tasks", source="active")
        running = [row for row in rows if not row.get("endtime") and not row.get("status")]
        return any(
            (row.get("type") in ("qmcreate", "vzcreate") and str(row.get("id")) == str(state.vmid))
            or row.get("type") in ("qmclone", "vzclone")
            for row in running
        )

    def _check_root(self, what: str) -> None:
        if self.session.user != "root@pam":
            raise Refused(
                f"{what}: only root@pam itself may do that, not {self.session.user}.",
                "Use transport: local, or log in as root@pam with its password.",
            )

    def _check_root_keys(self, wish: GuestWish) -> None:
        if self.session.user == "root@pam":
            return
        for key in (*wish.config, *wish.absent_keys):
            row = VIRTUAL_MACHINE.find(key.partition(".")[0])
            if row and row.root_only:
                self._check_root(key)
        if wish.image and wish.image.path:
            self._check_root("image.path")

    def _password_is_set(self, wish: GuestWish, current: GuestState) -> bool | None:
        """Only the file has the hash; the API shows asterisks."""
        if not self.session.node:
            return None
        try:
            text = Path(f"/etc/pve/nodes/{current.node}/qemu-server/{current.vmid}.conf").read_text(encoding="utf-8")
        except OSError:
            return None
        matched = re.search(r"^cipassword: (\S+)$", text.partition("\n[")[0], re.MULTILINE)
        return matches(str(wish.config["cipassword"]), matched[1]) if matched else None
