# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pmxcfs's command line: -d, -f, -l and their long forms, nothing else."""

from __future__ import annotations

from dataclasses import dataclass

USAGE = """Usage:
  pmxcfs [OPTION…]

Help Options:
  -h, --help           Show help options

Application Options:
  -d, --debug          Turn on debug messages
  -f, --foreground     Do not daemonize server
  -l, --local          Force local mode (ignore corosync.conf, force quorum)
"""

_NAMES = {"d": "debug", "f": "foreground", "l": "local"}


class UsageError(Exception):
    """The text is what the real one logs after "option parsing failed: "."""


class HelpWanted(Exception):
    pass


@dataclass(frozen=True, slots=True)
class Options:
    debug: bool = False
    foreground: bool = False
    local: bool = False


def parse(arguments: list[str]) -> Options:
    chosen: dict[str, bool] = {}
    for argument in arguments:
        if argument in ("-h", "--help"):
            raise HelpWanted
        if argument.startswith("--") and argument[2:] in _NAMES.values():
            chosen[argument[2:]] = True
        elif argument.startswith("-") and not argument.startswith("--") and set(argument[1:]) <= set(_NAMES):
            chosen.update((_NAMES[letter], True) for letter in argument[1:])
        elif argument.startswith("-"):
            raise UsageError(f"option parsing failed: Unknown option {argument}")
        else:
            raise UsageError("too many arguments")
    return Options(**chosen)
