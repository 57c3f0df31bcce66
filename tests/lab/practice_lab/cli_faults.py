# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands that break and heal: fault, cut, heal."""

from __future__ import annotations

import argparse
from typing import Any

from .errors import LabError
from .faults import FAULTS, Fault
from .lab import Lab


def fault_commands(commands: Any, common: argparse.ArgumentParser) -> None:
    """Add the sub-commands; every fault's options become its own flags."""
    text = "break something on a node: lab fault NAME NODE [OPTIONS]; lab fault list; lab fault active"
    fault = commands.add_parser("fault", parents=[common], help=text, description=text)
    names = fault.add_subparsers(dest="fault", metavar="NAME", required=True)
    names.add_parser("list", parents=[common], help="show all faults, one line each")
    names.add_parser("active", parents=[common], help="show the faults that are on")
    for kind in FAULTS.values():
        _options(names.add_parser(kind.name, parents=[common], help=kind.help, description=kind.help), kind)
    cut = commands.add_parser("cut", parents=[common], help="short for: lab fault cut", description=FAULTS["cut"].help)
    _options(cut, FAULTS["cut"])
    cut.set_defaults(fault="cut")
    text = "take faults away: all of the lab, those of some nodes, of one kind (--fault), or one (--number)"
    heal = commands.add_parser("heal", parents=[common], help=text, description=text)
    heal.add_argument("nodes", nargs="*", metavar="NODE")
    heal.add_argument("--fault", help="only this kind")
    heal.add_argument("--number", type=int, help="only this one (see: lab fault active)")


def _options(parser: argparse.ArgumentParser, fault: Fault) -> None:
    parser.add_argument("nodes", nargs="+", metavar="NODE")
    for parameter in fault.parameters:
        flag = f"--{parameter.name.replace('_', '-')}"
        # No defaults here: they are filled in, and everything is verified, by the fault itself.
        if parameter.kind is bool:
            parser.add_argument(flag, dest=parameter.name, action="store_true", default=None, help=parameter.help)
            continue
        values = f" ({', '.join(parameter.choices)})" if parameter.choices else ""
        default = f" [{parameter.default}]" if parameter.default is not None else ""
        help_text = f"{parameter.help}{values}{default}".replace("%", "%%")
        parser.add_argument(
            flag, dest=parameter.name, type=parameter.kind, metavar=parameter.kind.__name__.upper(), help=help_text
        )


def run_fault(lab: Lab, options: argparse.Namespace, _: list[str]) -> int:
    if options.fault == "list":
        for fault in FAULTS.values():
            flags = " ".join(f"[--{parameter.name.replace('_', '-')}]" for parameter in fault.parameters)
            print(f"{fault.name:<22} {fault.help}" + (f"  {flags}" if flags else ""))
        return 0
    if options.fault == "active":
        for active in lab.faults():
            print(active)
        return 0
    names = [parameter.name for parameter in FAULTS[options.fault].parameters]
    values = {name: getattr(options, name) for name in names}
    for node in options.nodes:
        print(lab.fault(options.fault, node, **values))
    return 0


def run_heal(lab: Lab, options: argparse.Namespace, _: list[str]) -> int:
    healed = []
    for node in options.nodes or [None]:
        healed += lab.heal(node, options.fault, options.number)
    for fault in healed:
        print(f"healed {fault}")
    if not healed and (options.nodes or options.fault or options.number):
        raise LabError("no such fault is active")
    return 0
