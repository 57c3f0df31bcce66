# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The single system calls on /etc/pve that were recorded in one go, made again by probe.py inside the node."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from replay.actions import Stage
from replay.normal_form import text_form
from replay.recordings import Recording

PROBE = Path(__file__).resolve().parent / "probe.py"


def run_operations(stage: Stage, recording: Recording) -> list[dict[str, Any]]:
    """The outcome of each recorded operation on the live node, in the recorded order."""
    names = [operation["op"] for operation in recording.raw["ops"]]
    program = PROBE.read_text(encoding="utf-8")
    answer = stage.access.run(recording.node, ["python3", "-c", program], stdin=json.dumps(names), timeout=60)
    try:
        outcomes = json.loads(answer.stdout)
    except ValueError:
        return [
            {"op": names[0] if names else "", "runner": f"the probe failed: {answer.rc} {answer.stderr.strip()[-500:]}"}
        ]
    return outcomes if isinstance(outcomes, list) else []


def compare_operations(recording: Recording, live: list[dict[str, Any]]) -> list[str]:
    """One line for each operation that went otherwise."""
    recorded = recording.raw["ops"]
    differences = []
    for number, operation in enumerate(recorded):
        outcome = live[number] if number < len(live) else {"runner": "no outcome"}
        expected, got = outcome_form(operation), outcome_form(outcome)
        if expected != got:
            differences.append(f"operation {operation['op']!r}: recorded {expected}, here {got}")
    return differences


def outcome_form(operation: dict[str, Any]) -> str:
    """What is compared of an operation: all but its own duration."""
    kept = {
        key: text_form(value) if isinstance(value, str) else value
        for key, value in operation.items()
        if key not in {"s", "op"}
    }
    return json.dumps(kept, sort_keys=True, ensure_ascii=False)
