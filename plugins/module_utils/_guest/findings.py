# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the first look has settled, so that the plan itself needs no questions.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .state import GuestState


@dataclass(frozen=True)
class Findings:
    vmid: int
    node: str
    current: GuestState | None = None
    #: The guest to clone.
    template: GuestState | None = None
    #: The image or the container's template.
    import_source: str = ""
    #: Snippets (by their index in the wish) that are not there as declared, with the text that is there now (None: no file).
    stale_snippets: tuple[tuple[int, str | None], ...] = ()
    #: Whether the declared password is the one that is set; None when nobody can tell.
    password_is_set: bool | None = None
    #: The guest's entry in high availability.
    high_availability: Mapping[str, Any] | None = None
