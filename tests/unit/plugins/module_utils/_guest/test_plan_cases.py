# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One file for each plan: what is declared, what is there, and the steps between them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.baremetal.proxmox.plugins.module_utils._guest.errors import Refused
from ansible_collections.baremetal.proxmox.plugins.module_utils._guest.findings import Findings
from ansible_collections.baremetal.proxmox.plugins.module_utils._guest.plan_guest import plan_guest
from ansible_collections.baremetal.proxmox.plugins.module_utils._guest.read_wish import parse_wish
from ansible_collections.baremetal.proxmox.plugins.module_utils._guest.state import GuestState

CASES = sorted((Path(__file__).parent / "plan_cases").glob("*.json"))


def guest(values: dict[str, Any] | None) -> GuestState | None:
    if values is None:
        return None
    known = {"vmid": 100, "node": "pve1", "name": "web1", **values}
    return GuestState(**{**known, "pending": tuple(values.get("pending", ()))})


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_plan(path: Path) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    wish = parse_wish(case["wish"])
    source = wish.image.volume if wish.image else ""
    found = Findings(100, "pve1", guest(case["current"]), guest(case.get("template")), source)
    if "refused" in case:
        with pytest.raises(Refused) as caught:
            plan_guest(wish, found)
        assert str(caught.value).startswith(case["refused"])
        return
    plan = plan_guest(wish, found)
    assert [[step.action, dict(step.arguments)] for step in plan.steps] == case["steps"]
    assert len(plan.warnings) == len(case.get("warnings", ()))
    for warning, start in zip(plan.warnings, case.get("warnings", ()), strict=True):
        assert warning.startswith(start)


def test_a_plan_without_steps_has_no_difference() -> None:
    wish = parse_wish({"name": "web1", "memory": 512})
    plan = plan_guest(wish, Findings(100, "pve1", guest({"config": {"name": "web1"}})))
    assert not plan.changed
    assert plan.diff["before"] == plan.diff["after"]


def test_a_password_is_hashed_and_never_shown() -> None:
    plan = plan_guest(parse_wish({"name": "web1", "cipassword": "geheim"}), Findings(100, "pve1"))
    sent = plan.steps[0].arguments["parameters"]["cipassword"]
    assert sent.startswith("$6$")
    assert "geheim" not in str(plan)
    assert sent not in str(plan.diff)
