# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The method table: which function answers which method and path. Filled by @api_method, read by all three faces."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .parameters import Parameter

if TYPE_CHECKING:
    from .call import Call

KNOWN_METHODS_FILE = Path(__file__).with_name("known_methods.txt")


@dataclass(frozen=True)
class RootOnly:
    """No permission entry: 403 "user != root@pam" for everybody else, API tokens included."""


@dataclass(frozen=True)
class AnyUser:
    """Every authenticated user (the method filters what it shows)."""


@dataclass(frozen=True)
class World:
    """Also without a ticket."""


@dataclass(frozen=True, init=False)
class Check:
    """PVE's check list: ("perm", "/nodes/{node}", ["Sys.Audit"]), ("and", [...], [...]), ("or", ...), ..."""

    rule: tuple[Any, ...]

    def __init__(self, *rule: Any) -> None:
        object.__setattr__(self, "rule", rule)


Permissions = RootOnly | AnyUser | World | Check


@dataclass(frozen=True)
class Method:
    """One entry of the table."""

    http_method: str
    path: str
    function: Callable[[Call], Any]
    parameters: Mapping[str, Parameter] = field(default_factory=dict)
    permissions: Permissions = RootOnly()
    protected: bool = False
    proxyto: str | Callable[[Call], str] | None = None
    allow_token: bool = True
    returns: Parameter | None = None
    child_link: str | None = None
    description: str = ""
    # pvesh refuses methods whose real schema has no "properties"
    has_properties: bool = True
    pattern: re.Pattern[str] = field(default=re.compile(""), compare=False)

    @property
    def path_parameters(self) -> tuple[str, ...]:
        """Names of the parameters that come from the path."""
        return tuple(self.pattern.groupindex)


METHODS: dict[tuple[str, str], Method] = {}


def compile_path(path: str) -> re.Pattern[str]:
    """Return the pattern of a path with {name} parts; {name:regex} limits a part, {name:+} takes the rest."""
    expression = ""
    for part in path.strip("/").split("/") if path.strip("/") else []:
        found = re.fullmatch(r"\{([\w-]+)(?::(.*))?\}", part)
        if found:
            inner = ".+" if found[2] == "+" else found[2] or "[^/]+"
            expression += f"/(?P<{found[1].replace('-', '_')}>{inner})"
        else:
            expression += "/" + re.escape(part)
    return re.compile(expression or "/")


def api_method(
    http_method: str,
    path: str,
    *,
    parameters: Mapping[str, Parameter] | None = None,
    permissions: Permissions = RootOnly(),
    protected: bool = False,
    proxyto: str | Callable[[Call], str] | None = None,
    allow_token: bool = True,
    returns: Parameter | None = None,
    child_link: str | None = None,
    description: str = "",
    has_properties: bool = True,
) -> Callable[[Callable[[Call], Any]], Callable[[Call], Any]]:
    """Register the decorated function. Path parameters that are not in ``parameters`` are added as plain text.

    ``proxyto``: name of the path parameter with the node that must answer ("node"), or a function.
    ``child_link``: for an index, the key of each entry that names the child (what pvesh ls shows).
    ``returns``: only needed for text output: Object(...), Array(items=Object(...)), Text(), Null().
    """

    def register(function: Callable[[Call], Any]) -> Callable[[Call], Any]:
        pattern = compile_path(path)
        complete = dict(parameters or {})
        for name in pattern.groupindex:
            if name not in complete:
                complete[name] = Parameter(format="pve-node" if name == "node" else None)
        METHODS[http_method, path] = Method(
            http_method, path, function, complete, permissions, protected, proxyto, allow_token, returns, child_link,
            description, has_properties, pattern,
        )  # fmt: skip
        return function

    return register


def clean_path(path: str) -> str:
    """Return a path with single slashes and without a last one."""
    return "/" + "/".join(part for part in path.split("/") if part)


@cache
def load_branches(path: str) -> None:
    """Import the modules that may hold ``path``."""
    from practice_pve.api import BRANCHES

    parts = path.strip("/").split("/")
    for prefix, module in BRANCHES:
        wanted = prefix.strip("/").split("/")
        if len(wanted) <= len(parts) and all(
            want.startswith("{") or want == part for want, part in zip(wanted, parts, strict=False)
        ):
            load_module(module)


def load_module(name: str) -> None:
    """Import one branch; a branch that nobody has written yet leaves its methods "not emulated"."""
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise


def find_method(http_method: str, path: str) -> tuple[Method, dict[str, str]] | None:
    """Return the method and its path parameters, or None when this emulation has none."""
    path = clean_path(path)
    load_branches(path)
    for method in METHODS.values():
        if method.http_method != http_method:
            continue
        found = method.pattern.fullmatch(path)
        if found and all(fixed_parts_match(method, path, other) for other in METHODS.values()):
            return method, found.groupdict()
    return None


def fixed_parts_match(method: Method, path: str, other: Method) -> bool:
    """False when ``other`` has a literal part where ``method`` has a parameter: the literal one is the right one."""
    if other is method or other.http_method != method.http_method or not other.pattern.fullmatch(path):
        return True
    return other.path.count("{") >= method.path.count("{")


@cache
def known_methods() -> frozenset[tuple[str, ...]]:
    """Return every method of the real API as (method, part, part ...), "{}" for a parameter."""
    lines = KNOWN_METHODS_FILE.read_text(encoding="ascii").splitlines()
    entries = (line.replace("/", " ").split() for line in lines if not line.startswith("#"))
    return frozenset(tuple("{}" if part.startswith("{") else part for part in entry) for entry in entries)


def is_known(http_method: str, path: str) -> bool:
    """True when the real API answers this method and path: tells "no such path" from "not emulated"."""
    parts = [part for part in path.split("/") if part]
    variants: list[tuple[str, ...]] = [(http_method,)]
    for part in parts:
        variants = [(*variant, option) for variant in variants for option in (part, "{}")]
        variants = [
            variant for variant in variants if any(known[: len(variant)] == variant for known in known_methods())
        ]
    return any(variant in known_methods() for variant in variants)


def known_below(path: str) -> bool:
    """True when the real API has something below a path."""
    parts = [part for part in path.split("/") if part]
    return any(
        len(known) > len(parts) + 1 and all(want in (part, "{}") for want, part in zip(known[1:], parts, strict=False))
        for known in known_methods()
    )
