# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settle a template: make the version that is declared, let it take over the name, remove what is too old.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from .._session.errors import SessionError
from .._session.interface import Session
from .errors import GuestError
from .fleet import Fleet
from .images import FoundImage
from .look import Looker
from .settle import GuestResult, settle_guest
from .state import GuestState
from .template_versions import (
    TemplateWish,
    check_current,
    identity_of,
    is_old_version,
    name_of_old_version,
    too_old,
)

#: Proxmox VE's words about a template with linked clones.
_IN_USE = "still in use"


@dataclass
class TemplateRun:
    """What was done, or in check mode would be done, and what there is afterwards."""

    session: Session
    wish: TemplateWish
    check_mode: bool
    actions: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    vmid: int = 0
    node: str = ""
    kept: list[int] = field(default_factory=list)

    def settle(self) -> None:
        fleet = Fleet.read(self.session)
        looker = Looker(self.session, fleet)
        current = _load(fleet, fleet.find(self.wish.name, None))
        made = _load(fleet, fleet.find(self.wish.version_name, None))
        if current is not None:
            check_current(self.wish, current)
        if current is not None and identity_of(current) == self.wish.identity:
            self._keep_as_declared(looker, current.name)
        elif current is None and made is None:
            self._keep_as_declared(looker, self.wish.name)
        else:
            self._keep_as_declared(looker, self.wish.version_name)
            self._take_over(current)
            current = None if current is None else replace(current, name=name_of_old_version(self.wish, current))
        self._remove_old(fleet, current)

    def _keep_as_declared(self, looker: Looker, name: str) -> None:
        machine = replace(self.wish.machine, name=name, config={**self.wish.machine.config, "name": name})
        result = GuestResult(machine)
        result.found, result.plan = looker.plan(machine, self._first_vmid(looker.fleet))
        result.state = result.found.current
        image = _image_to_fetch(looker)
        if image:
            self.actions.append(image.summary)
        if not self.check_mode:
            if image and image.fetch:
                image.fetch()
            settle_guest(looker, result)
        shown = result.as_dict(self.check_mode)
        self.actions += shown["actions"]
        self.warnings += [*result.plan.warnings, *result.warnings]
        self.before.update({name: result.plan.diff["before"]} if result.plan.changed and result.state else {})
        self.after.update({name: result.plan.diff["after"]} if result.plan.changed else {})
        self.vmid, self.node = int(shown["vmid"] or 0), str(shown["node"] or "")
        if result.error:
            raise GuestError(result.error)

    def _first_vmid(self, fleet: Fleet) -> int | None:
        """The declared id is the first version's; later ones cannot have it while that is there."""
        return self.wish.vmid if self.wish.vmid and self.wish.vmid not in fleet.guests else None

    def _take_over(self, current: GuestState | None) -> None:
        if current is not None:
            old = name_of_old_version(self.wish, current)
            self._do(
                f"Call the old version {current.vmid} {old}.", lambda: self._rename(current.node, current.vmid, old)
            )
            self.before[str(current.vmid)], self.after[str(current.vmid)] = {"name": current.name}, {"name": old}
        self._do(f"Call the new version {self.wish.name}.", lambda: self._rename(self.node, self.vmid, self.wish.name))
        self.after["current version"] = self.wish.identity

    def _remove_old(self, fleet: Fleet, renamed: GuestState | None) -> None:
        guests = {guest.vmid: guest for guest in fleet.guests.values()}
        if renamed is not None:
            guests[renamed.vmid] = renamed
        old = [
            loaded
            for guest in guests.values()
            if is_old_version(self.wish.name, guest) and guest.vmid != self.vmid
            if (loaded := _load(fleet, guest)) is not None
        ]
        removed = too_old(self.wish, old)
        for version in removed:
            self._do(f"Remove the old version {version.name} ({version.vmid}).", partial(self._remove, version))
        self.kept = sorted(version.vmid for version in old if version not in removed)

    def _rename(self, node: str, vmid: int, name: str) -> None:
        self.session.set(f"/nodes/{node}/qemu/{vmid}/config", name=name)

    def _remove(self, version: GuestState) -> None:
        self.session.wait(self.session.delete(f"/nodes/{version.node}/qemu/{version.vmid}", purge=True))

    def _do(self, summary: str, work: Callable[[], None]) -> None:
        if not self.check_mode:
            try:
                work()
            except SessionError as error:
                if _IN_USE not in str(error):
                    raise
                self.warnings.append(f"{summary[:-1]}: not done, because linked clones depend on it.")
                return
        self.actions.append(summary)


def _load(fleet: Fleet, guest: GuestState | None) -> GuestState | None:
    return fleet.load(guest) if guest else None


def _image_to_fetch(looker: Looker) -> FoundImage | None:
    return next((image for image in looker.images.values() if image.fetch), None)
