# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a preflight found: one line for the table, with the way to put it right. Pure.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

ERROR, WARNING = "error", "warning"


@dataclass(frozen=True)
class Finding:
    """C(code) is stable: it can be named in proxmox_preflight_ignore. C(node) is the inventory's name, or empty for all."""

    code: str
    node: str
    severity: str
    text: str
    remedy: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def error(code: str, node: str, text: str, remedy: str) -> Finding:
    return Finding(code, node, ERROR, text, remedy)


def warning(code: str, node: str, text: str, remedy: str) -> Finding:
    return Finding(code, node, WARNING, text, remedy)


def unknown(code: str, node: str, what: str, reason: str) -> Finding:
    """What could not be read is never taken for fine."""
    return error(
        code, node, f"{what} could not be read: {reason}", "Put right what prevents the reading, then run again."
    )


def ignore(findings: Iterable[Finding], codes: Sequence[str]) -> list[Finding]:
    """Turn the errors that the user has decided to live with into warnings; nothing is hidden."""
    return [
        Finding(finding.code, finding.node, WARNING, finding.text + " (ignored)", finding.remedy)
        if finding.code in codes and finding.severity == ERROR
        else finding
        for finding in findings
    ]


def errors_of(findings: Iterable[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.severity == ERROR]


def render_table(findings: Sequence[Finding], nodes: Sequence[str], width: int = 118) -> str:
    """All findings of all nodes in one table, errors first; nodes without any are listed as fine."""
    if not findings:
        return f"No findings: {', '.join(nodes)}"
    label = max([len("node"), *(len(finding.node or "all") for finding in findings)])
    room = max(40, width - label - 12)
    lines = [f"{'':9} {'node':{label}}  finding"]
    for finding in sorted(findings, key=lambda item: (item.severity != ERROR, item.node, item.code)):
        text = textwrap.wrap(f"[{finding.code}] {finding.text}", room) or [""]
        remedy = textwrap.wrap(finding.remedy, room - 3)
        lines.append(f"{finding.severity.upper():9} {finding.node or 'all':{label}}  {text[0]}")
        lines += [f"{'':9} {'':{label}}  {part}" for part in text[1:]]
        lines += [f"{'':9} {'':{label}}  {'-> ' if index == 0 else '   '}{part}" for index, part in enumerate(remedy)]
    clean = [name for name in nodes if not any(finding.node in (name, "") for finding in findings)]
    if clean:
        lines.append(f"{'ok':9} {', '.join(clean)}")
    return "\n".join(lines)
