# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan: what has to be done, as data, and the one way to carry it out.

This file is private to the collection and may change without notice.

A pure function makes the plan from what is wanted and what is there. Check mode reports it, a normal run applies that
very object: nothing else in the collection guesses what "would" change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Step:
    """One action. C(action) names a function of the applier, C(arguments) are what it is called with."""

    action: str
    summary: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """The steps in their order, and the state before and after them in the words that a diff shows."""

    steps: tuple[Step, ...] = ()
    before: Any = ""
    after: Any = ""
    warnings: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        return bool(self.steps)

    @property
    def diff(self) -> dict[str, Any]:
        return {"before": self.before, "after": self.after if self.changed else self.before}

    @property
    def summaries(self) -> list[str]:
        return [step.summary for step in self.steps]


def apply_plan(plan: Plan, actions: Mapping[str, Callable[..., Any]]) -> list[Any]:
    """Carry out the steps in order and return what each action returned; the first exception ends it."""
    return [actions[step.action](**step.arguments) for step in plan.steps]
