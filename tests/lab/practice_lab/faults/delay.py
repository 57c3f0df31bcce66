# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Delay on a node's links."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from ..completed import must_run, run_program
from ..errors import LabError
from ..network import bridge, port
from ..processes import arguments, in_network, kill_all, named_network
from .base import Case, Fault, FaultRefused, Parameter
from .traffic import LINK, links_of

RELAY = Path(__file__).with_name("relay.py")


class Delay(Fault):
    name = "delay"
    help = "hold back every packet of a node's links, in both directions"
    parameters = (
        Parameter("milliseconds", "how long, per direction", float, 50.0),
        Parameter("jitter", "up to so many milliseconds more, at random", float, 0.0),
        LINK,
    )
    outlives_reinstall = True

    def apply(self, case: Case) -> dict[str, Any]:
        links = links_of(case)
        for link in links:
            if self._relays(case, link):
                raise FaultRefused(f"link {link} of {case.node.name} is delayed already")
        for link in links:
            self._insert(case, link)
        return {"links": links}

    def heal(self, case: Case) -> None:
        for link in case.undo.get("links", []):
            kill_all(set(self._relays(case, link)))
            plug = port(case.node.spec, link)
            run_program(["ip", "-n", case.lab.namespace, "link", "del", f"{plug}d"])
            must_run(["ip", "-n", case.lab.namespace, "link", "set", plug, "arp", "on", "master", bridge(link)])

    def _insert(self, case: Case, link: int) -> None:
        """node - PLUG - relay - PLUGr - PLUGd - bridge"""
        plug = port(case.node.spec, link)
        commands = [
            f"link add {plug}d type veth peer name {plug}r",
            # Without address resolution the controller does not answer on a port that is no bridge's any more.
            f"link set {plug} nomaster arp off",
            f"link set {plug}r arp off up",
            f"link set {plug}d master {bridge(link)} up",
        ]
        must_run(["ip", "-n", case.lab.namespace, "-batch", "-"], stdin="\n".join(commands) + "\n")
        argv = [
            "ip",
            "netns",
            "exec",
            case.lab.namespace,
            sys.executable,
            str(RELAY),
            self._label(case, link),
            plug,
            f"{plug}r",
        ]
        argv += [str(case.options["milliseconds"]), str(case.options["jitter"])]
        null = subprocess.DEVNULL
        relay = subprocess.Popen(argv, stdin=null, stdout=subprocess.PIPE, stderr=null, start_new_session=True)
        assert relay.stdout is not None
        with relay.stdout:
            if relay.stdout.readline() != b"ready\n":
                raise LabError("the delay relay does not start")

    @staticmethod
    def _label(case: Case, link: int) -> str:
        return f"delay:{case.node.identifier}:{link}"

    def _relays(self, case: Case, link: int) -> list[int]:
        network = named_network(case.lab.namespace)
        label = self._label(case, link)
        return [pid for pid in in_network({network}) if label in arguments(pid)] if network else []


FAULTS: list[Fault] = [Delay()]
