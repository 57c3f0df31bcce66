# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of services: hung or killed daemons."""

from __future__ import annotations

from typing import Any

from .base import Case, Fault, Parameter

UNIT = Parameter("unit", "the service, such as corosync or pveproxy", required=True)


class Hang(Fault):
    name = "hang"
    help = "stop all processes of a service where they are (SIGSTOP): sockets stay open, nobody answers"
    parameters = (UNIT,)

    def apply(self, case: Case) -> dict[str, Any]:
        case.must("systemctl", "kill", "--signal=STOP", case.options["unit"])
        return {}

    def heal(self, case: Case) -> None:
        if case.node.leader() is not None:
            # After a restart in between there is nothing to continue; that is no error.
            case.node.run(["systemctl", "kill", "--signal=CONT", case.options["unit"]])


class KillDaemon(Fault):
    name = "kill-daemon"
    help = "kill all processes of a service (SIGKILL) and keep systemd from starting it again"
    parameters = (
        UNIT,
        Parameter("restart", "let systemd restart it as its unit says: only the moment of death", bool, False),
    )

    def apply(self, case: Case) -> dict[str, Any]:
        unit = case.options["unit"]
        if not case.options["restart"]:
            # A start that fails at once is what a crashing daemon looks like, also to "systemctl start".
            directory = f"/run/systemd/system/{self._service(unit)}.d"
            text = "[Service]\nRestart=no\nExecStartPre=/bin/false\n"
            case.must("sh", "-c", f"mkdir -p {directory} && cat >{directory}/practice-fault.conf", stdin=text)
            case.must("systemctl", "daemon-reload")
        case.must("systemctl", "kill", "--signal=KILL", unit)
        return {}

    def heal(self, case: Case) -> None:
        unit = case.options["unit"]
        if case.options["restart"] or case.node.leader() is None:
            return
        case.must("rm", "-rf", f"/run/systemd/system/{self._service(unit)}.d/practice-fault.conf")
        case.must("systemctl", "daemon-reload")
        case.node.run(["systemctl", "reset-failed", unit])
        case.must("systemctl", "start", unit)

    @staticmethod
    def _service(unit: str) -> str:
        return unit if "." in unit else f"{unit}.service"


FAULTS: list[Fault] = [Hang(), KillDaemon()]
