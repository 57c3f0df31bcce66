# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every fault is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ..errors import LabError

if TYPE_CHECKING:
    from ..lab import Lab
    from ..node import Node


class FaultRefused(LabError):
    """The fault does not fit here; nothing has been touched."""


@dataclass(frozen=True)
class Parameter:
    """One option of a fault, on the command line --NAME."""

    name: str
    help: str
    kind: type = str  # str, int, float or bool
    default: Any = None
    choices: tuple[str, ...] = ()
    required: bool = False

    def convert(self, value: Any) -> Any:
        if self.kind is bool:
            return bool(value)
        try:
            converted = self.kind(value)
        except (TypeError, ValueError) as error:
            raise LabError(f"{self.name}: {value!r} is not a {self.kind.__name__}") from error
        if self.choices and converted not in self.choices:
            raise LabError(f"{self.name}: one of {', '.join(self.choices)}, not {converted!r}")
        return converted


@dataclass(frozen=True)
class Case:
    """One fault on one node: where it is, and its number, by which its traces can be named."""

    lab: Lab
    node: Node
    number: int
    options: Mapping[str, Any]
    undo: Mapping[str, Any] = field(default_factory=dict)  # what apply() returned; empty when it was interrupted

    def must(self, *argv: str, stdin: str | None = None) -> str:
        """Run a command in the node; a failure is an error of the fault."""
        return self.node.run(argv, stdin=stdin, timeout=120).check().stdout


def restart_running(case: Case, services: Sequence[str]) -> None:
    """Restart those of the given services that run; a node may lack some of them."""
    if case.node.leader() is None:
        return
    listed = case.must("systemctl", "list-units", "--type=service", "--state=active", "--plain", "--no-legend")
    running = {line.split()[0].removesuffix(".service") for line in listed.splitlines() if line}
    chosen = [service for service in services if service in running]
    if chosen:
        case.must("systemctl", "restart", *chosen)


class Fault:
    """Base of all faults. Objects carry no state."""

    name: ClassVar[str]
    help: ClassVar[str]
    parameters: ClassVar[tuple[Parameter, ...]] = ()
    lasting: ClassVar[bool] = True  # False: an event (sessions dropped) with nothing to heal
    outlives_reinstall: ClassVar[bool] = False  # True: outside the node's file system

    def checked(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Complete and verify options given by a caller."""
        known = {parameter.name: parameter for parameter in self.parameters}
        unknown = set(options) - set(known)
        if unknown:
            raise LabError(f"fault {self.name} has no option {', '.join(sorted(unknown))}")
        result = {}
        for name, parameter in known.items():
            value = options.get(name)
            if value is None and parameter.required:
                raise LabError(f"fault {self.name} needs --{name.replace('_', '-')}")
            result[name] = parameter.default if value is None else parameter.convert(value)
        return result

    def apply(self, case: Case) -> dict[str, Any]:
        """Put the fault on the node, return what heal() needs (must be JSON)."""
        raise NotImplementedError

    def heal(self, case: Case) -> None:
        """Take the fault away. The node may be off or may have been booted in between."""


def write_file(root: Path, name: str, text: str | None, mode: int = 0o644) -> None:
    """Write (None: delete) a file of a node from outside; works for running nodes and for those that are off."""
    path = root / name.lstrip("/")
    path.unlink(missing_ok=True)
    if text is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=mode)
        path.write_text(text)
        path.chmod(mode)


def read_file(root: Path, name: str) -> str | None:
    try:
        return (root / name.lstrip("/")).read_text()
    except FileNotFoundError:
        return None
