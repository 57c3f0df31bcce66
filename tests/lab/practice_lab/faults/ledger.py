# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which faults are active in a lab: the file faults.json, and the way in and out of it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import LabError
from . import FAULTS
from .base import Case, Fault, FaultRefused

if TYPE_CHECKING:
    from ..lab import Lab
    from ..node import Node


@dataclass
class Record:
    """One active fault as it is stored."""

    number: int
    fault: str
    node: str
    options: dict[str, Any]
    undo: dict[str, Any] = field(default_factory=dict)


class ActiveFault:
    """A fault that is on; "with lab.fault(...):" heals it at the end."""

    def __init__(self, lab: Lab, record: Record) -> None:
        self.lab = lab
        self.record = record

    def heal(self) -> None:
        self.lab.heal(number=self.record.number)

    def __enter__(self) -> ActiveFault:
        return self

    def __exit__(self, *_: object) -> None:
        self.heal()

    def __str__(self) -> str:
        options = " ".join(
            f"{key}={value}" for key, value in self.record.options.items() if value is not None and value is not False
        )
        return f"{self.record.number}: {self.record.fault} on {self.record.node} {options}".rstrip()


class Ledger:
    """The faults of one lab. The caller holds the lab's lock."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.file = lab.directory / "faults.json"

    def active(self) -> list[ActiveFault]:
        return [ActiveFault(self.lab, record) for record in self._read()]

    def apply(self, name: str, node: Node, options: dict[str, Any]) -> ActiveFault:
        fault = FAULTS.get(name)
        if fault is None:
            raise LabError(f"no fault {name!r} (lab fault list shows them)")
        records = self._read()
        record = Record(
            1 + max((other.number for other in records), default=0), name, node.name, fault.checked(options)
        )
        case = Case(self.lab, node, record.number, record.options)
        if not fault.lasting:
            record.undo = fault.apply(case)
            return ActiveFault(self.lab, record)
        # Written before it is done: an interruption leaves a fault that can be healed, not one that nobody knows.
        self._write([*records, record])
        try:
            record.undo = fault.apply(case)
        except FaultRefused:
            self._write(records)
            raise
        except LabError:
            # Half a fault is none that anybody asked for. If it cannot be healed now, it stays on the list.
            fault.heal(case)
            self._write(records)
            raise
        self._write([*records, record])
        return ActiveFault(self.lab, record)

    def heal(self, node: str | None, name: str | None, number: int | None) -> list[ActiveFault]:
        records = self._read()
        healed = []
        for record in reversed(records):
            if (
                node not in (None, record.node)
                or name not in (None, record.fault)
                or number not in (None, record.number)
            ):
                continue
            fault: Fault = FAULTS[record.fault]
            fault.heal(Case(self.lab, self.lab.node(record.node), record.number, record.options, record.undo))
            self._write([other for other in self._read() if other.number != record.number])
            healed.append(ActiveFault(self.lab, record))
        return healed

    def forget_reinstalled(self, node: str) -> None:
        """A fresh installation has none of the faults that lay in the old one's files and processes."""
        self._write(
            [record for record in self._read() if record.node != node or FAULTS[record.fault].outlives_reinstall]
        )

    def _read(self) -> list[Record]:
        try:
            return [Record(**entry) for entry in json.loads(self.file.read_text())]
        except FileNotFoundError:
            return []

    def _write(self, records: list[Record]) -> None:
        temporary = self.file.with_suffix(".tmp")
        temporary.touch(mode=0o600)  # holds saved host keys
        temporary.write_text(json.dumps([asdict(record) for record in records], indent=1) + "\n")
        temporary.rename(self.file)
