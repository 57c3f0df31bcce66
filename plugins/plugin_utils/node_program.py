# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One Python program made of files of this collection, to be fed to the Python of a node. Pure.

This file is private to the collection and may change without notice.

A module's way to a node brings a framework along whose import alone takes longer than most of what is done here. Such a
program needs nothing but the standard library, and nothing of it is ever written down on the node.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PACKAGE = "ansible_collections.baremetal.proxmox.plugins.module_utils"
_DIRECTORY = Path(__file__).resolve().parents[1] / "module_utils"
_IMPORT = re.compile(r"^[ \t]*from[ ]+(\.*[\w.]*)[ ]+import[ ]+(\([^)]*\)|[^\n#]+)", re.MULTILINE)

_PROGRAM = '''
import importlib, importlib.machinery, json, sys

SOURCES, FUNCTION, ARGUMENTS = json.loads({payload!r})


class Sources:
    """Finds the modules in the table above; a name that others begin with is a package."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        package = any(other.startswith(name + ".") for other in SOURCES)
        if package or name in SOURCES:
            spec = importlib.machinery.ModuleSpec(name, Sources, origin=name.replace(".", "/") + ".py", is_package=package)
            spec.has_location = True
            return spec
        return None

    @staticmethod
    def create_module(spec):
        return None

    @staticmethod
    def exec_module(module):
        exec(compile(Sources.get_source(module.__name__), module.__file__, "exec"), module.__dict__)

    @staticmethod
    def get_source(name):
        return SOURCES.get(name, "")


sys.meta_path.insert(0, Sources)
module, name = FUNCTION
json.dump(getattr(importlib.import_module(module), name)(*ARGUMENTS), sys.stdout)
'''


def make_program(module: str, function: str, arguments: list[Any], also: Sequence[str] = ()) -> str:
    """A program that calls the function and prints what it returns as JSON, in its last line.

    C(also) names modules that are needed beside those that the function's own module imports.
    """
    return _PROGRAM.format(payload=json.dumps([sources_of([module, *also]), [module, function], arguments]))


def sources_of(modules: Sequence[str]) -> Mapping[str, str]:
    """The texts of these modules and of all modules of this collection that they need."""
    found: dict[str, str] = {}
    wanted = list(modules)
    while wanted:
        name = wanted.pop()
        path = _path_of(name)
        if name in found or path is None:
            continue
        found[name] = path.read_text(encoding="utf-8")
        wanted += _imported_names(name, found[name])
    return found


def _path_of(name: str) -> Path | None:
    """The file of a module; None for a package, another's module, and a name inside a module."""
    if not name.startswith(f"{PACKAGE}."):
        return None
    path = _DIRECTORY.joinpath(*name.removeprefix(f"{PACKAGE}.").split(".")).with_suffix(".py")
    return path if path.exists() else None


def _imported_names(importer: str, text: str) -> list[str]:
    """What may be modules: C(from A import B) is A or A.B."""
    names = []
    for match in _IMPORT.finditer(text):
        origin = _absolute(match[1], importer)
        names += [origin, *(f"{origin}.{word}" for word in re.findall(r"\w+", match[2]))]
    return names


def _absolute(name: str, importer: str) -> str:
    relative = name.lstrip(".")
    levels = len(name) - len(relative)
    if not levels:
        return name
    base = importer.rsplit(".", levels)[0]
    return f"{base}.{relative}" if relative else base
