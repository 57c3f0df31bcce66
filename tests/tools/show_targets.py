# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show the documented targets of makefiles, grouped by topic: `name: prerequisites  ## Topic: What it does`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

TARGET = re.compile(r"^([a-z][a-z0-9-]*):[^#\n]*## (?:([A-Z][a-z -]*): )?(.+)$", re.MULTILINE)


def show(makefiles: list[str]) -> str:
    topics: dict[str, list[tuple[str, str]]] = {}
    for text in makefiles:
        for name, topic, purpose in TARGET.findall(text):
            topics.setdefault(topic or "Other", []).append((name, purpose))
    width = max((len(name) for targets in topics.values() for name, _purpose in targets), default=0)
    lines: list[str] = []
    for topic, targets in topics.items():
        lines.append(f"{topic}:")
        lines += [f"  {name:<{width}}  {purpose}" for name, purpose in targets]
    return "\n".join(lines)


if __name__ == "__main__":
    print(show([Path(name).read_text(encoding="utf-8") for name in sys.argv[1:]]))
