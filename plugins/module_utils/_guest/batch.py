# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many guests: look at all of them first, then settle them with a bounded number of workers.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from .._desired.errors import InvalidValue
from .._session.errors import SessionError
from .._session.interface import Session
from .errors import GuestError, SourceMissing
from .fleet import Fleet
from .guest_types import QEMU, GuestType
from .look import Looker
from .read_wish import merge_defaults, parse_wish
from .settle import GuestResult, describe, settle_guest
from .wish import GuestWish


@dataclass
class Outcome:
    """Results in the order of the wishes, and what belongs to no single guest."""

    results: list[GuestResult]
    warnings: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)


def parse_wishes(
    entries: Sequence[Mapping[str, Any]], defaults: Mapping[str, Any], guest_type: GuestType = QEMU
) -> list[GuestWish]:
    """All entries; every mistake in any of them ends the run before Proxmox VE is asked anything."""
    wishes, mistakes = [], []
    for number, entry in enumerate(entries):
        label = str(entry.get("name") or entry.get("vmid") or f"entry {number + 1}")
        try:
            wishes.append(parse_wish(merge_defaults(defaults, entry), guest_type))
        except InvalidValue as error:
            mistakes.append(f"{label}: {error}")
    for value in ("name", "vmid"):
        seen: dict[Any, int] = {}
        for wish in wishes:
            declared = getattr(wish, value)
            if declared:
                seen[declared] = seen.get(declared, 0) + 1
        mistakes += [f"{value}: {declared} is declared {count} times" for declared, count in seen.items() if count > 1]
    if mistakes:
        raise InvalidValue("; ".join(mistakes))
    return wishes


def settle_all(session: Session, wishes: Sequence[GuestWish], check_mode: bool, max_parallel: int) -> Outcome:
    """Look at every guest, then settle those that can be settled."""
    guest_type = wishes[0].type if wishes else QEMU
    fleet = Fleet.read(session, guest_type.kind)
    fleet.claim(wish.vmid for wish in wishes if wish.vmid)
    looker = Looker(session, fleet, guest_type)
    looker.wait_for_others(list(wishes))
    results = [GuestResult(wish) for wish in wishes]
    with ThreadPoolExecutor(max_workers=max(1, min(max_parallel, len(wishes) or 1))) as workers:
        # Ids are given in the order of the declaration, so that two runs at once mean the same guests by them.
        for missing in workers.map(lambda one: _look(looker, one), _in_order(results, fleet)):
            if missing is not None:
                raise missing
        if not check_mode:
            _fetch_images(looker)
            list(workers.map(lambda one: settle_guest(looker, one), [result for result in results if not result.error]))
    return Outcome(results, fleet.warnings, _fetch_summaries(looker))


def _in_order(results: list[GuestResult], fleet: Fleet) -> list[tuple[GuestResult, int | None]]:
    ordered = []
    for result in results:
        wish, vmid = result.wish, None
        try:
            if wish.vmid is None and wish.state != "absent" and fleet.find(wish.name, None) is None:
                vmid = fleet.reserve(wish.vmid_range)
        except (GuestError, SessionError) as error:
            result.error = describe(error)
        ordered.append((result, vmid))
    return ordered


def _look(looker: Looker, entry: tuple[GuestResult, int | None]) -> SourceMissing | None:
    result, vmid = entry
    if result.error:
        return None
    try:
        result.found, result.plan = looker.plan(result.wish, vmid)
        result.state = result.found.current
        result.warnings += result.plan.warnings
    except SourceMissing as error:
        return SourceMissing(f"{result.wish.label}: {error} Nothing has been changed.")
    except (GuestError, SessionError) as error:
        result.error = describe(error)
        result.state = next((one for one in looker.fleet.guests.values() if one.vmid == result.wish.vmid), None)
    return None


def _fetch_images(looker: Looker) -> None:
    for image in looker.images.values():
        if image.fetch:
            image.fetch()


def _fetch_summaries(looker: Looker) -> list[str]:
    return [image.summary for image in looker.images.values() if image.fetch]
