# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs on the node: a few lines that take the collection's own code from their standard input, and nothing on its disk."""

from __future__ import annotations

import json
from pathlib import Path

from ansible_collections.baremetal.proxmox.plugins.module_utils import _agent

_PREFIX = "ansible_collections.baremetal.proxmox.plugins.module_utils"

#: The first line of input holds all modules, the rest are requests.
BOOTSTRAP = f"""
import importlib.abc, importlib.util, json, sys
sources = json.loads(sys.stdin.buffer.readline())
class Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if name in sources:
            return importlib.util.spec_from_loader(name, self, is_package=sources[name][0])
    def exec_module(self, module):
        exec(compile(sources[module.__name__][1], module.__name__, "exec"), module.__dict__)
sys.meta_path.insert(0, Finder())
from {_PREFIX}._agent.serve import serve
serve()
"""


def pack_modules() -> bytes:
    """The packages that the node's part is made of, as one line: name, whether it is a package, source."""
    sources: dict[str, tuple[bool, str]] = {}
    parts = _PREFIX.split(".")
    for number in range(1, len(parts) + 1):
        sources[".".join(parts[:number])] = (True, "")
    root = Path(_agent.__file__).parent.parent
    for package in ("_agent", "_session"):
        for path in sorted((root / package).glob("*.py")):
            is_package = path.stem == "__init__"
            name = f"{_PREFIX}.{package}" if is_package else f"{_PREFIX}.{package}.{path.stem}"
            # options.py is for modules only, and needs Ansible.
            if name != f"{_PREFIX}._session.options":
                sources[name] = (is_package, path.read_text(encoding="utf-8"))
    return json.dumps(sources).encode() + b"\n"
