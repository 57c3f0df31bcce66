# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of names: the own name leading to loopback, two nodes of one name."""

from __future__ import annotations

import re
from typing import Any

from .base import Case, Fault, Parameter, read_file, write_file


class LoopbackName(Fault):
    name = "loopback-name"
    help = "let a node's own name resolve to 127.0.1.1, as Debian's installer leaves it"

    def apply(self, case: Case) -> dict[str, Any]:
        _replace_own_address(case, case.node.ip, "127.0.1.1")
        return {}

    def heal(self, case: Case) -> None:
        _replace_own_address(case, "127.0.1.1", case.node.ip)


class DuplicateName(Fault):
    name = "duplicate-name"
    help = "rename a node to another node's name and boot it, as if two machines were installed with one name"
    parameters = (Parameter("other", "the name to take", required=True),)

    def apply(self, case: Case) -> dict[str, Any]:
        self._rename(case, case.node.name, case.options["other"])
        return {}

    def heal(self, case: Case) -> None:
        self._rename(case, case.options["other"], case.node.name)

    @staticmethod
    def _rename(case: Case, old: str, new: str) -> None:
        root = case.node.root
        running = case.node.leader() is not None
        if running:
            case.node.poweroff()
        write_file(root, "etc/hostname", f"{new}\n")
        hosts = read_file(root, "etc/hosts") or ""
        write_file(root, "etc/hosts", re.sub(rf"(?<![\w.-]){re.escape(old)}(?=[\s.]|$)", new, hosts))
        if running:
            case.node.boot()
            case.node.wait_ready()


def _replace_own_address(case: Case, old: str, new: str) -> None:
    """Change the address on the line of the node's own name, and leave what others wrote into the file."""
    root = case.node.root
    pattern = rf"^{re.escape(old)}(?=\s.*(?<![\w.-]){re.escape(case.node.name)}(?![\w.-]))"
    write_file(root, "etc/hosts", re.sub(pattern, new, read_file(root, "etc/hosts") or "", flags=re.M))


FAULTS: list[Fault] = [LoopbackName(), DuplicateName()]
