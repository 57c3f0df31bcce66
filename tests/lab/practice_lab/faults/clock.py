# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A wrong clock. Containers share the host's, so every program of the node is told another time by libfaketime."""

from __future__ import annotations

from typing import Any

from ..errors import LabError
from ..node import FAKE_CLOCK_ENVIRONMENT
from .base import Case, Fault, Parameter, read_file, write_file

PRELOAD = "etc/ld.so.preload"
# Services whose processes must be started again to see the other time (the kernel and systemd itself keep the true one).
SERVICES = """ssh cron corosync pve-cluster pvedaemon pveproxy pvestatd pve-ha-crm pve-ha-lrm pvescheduler""".split()


class Clock(Fault):
    name = "clock"
    help = "set a node's clock wrong; running services are restarted, as only new processes see it"
    parameters = (Parameter("seconds", "offset, negative: into the past", float, required=True),)

    def apply(self, case: Case) -> dict[str, Any]:
        root = case.node.root
        library = next(root.glob("usr/lib/*/faketime/libfaketime.so.1"), None)
        if library is None:
            raise LabError("libfaketime is not in the node's root")
        if read_file(root, PRELOAD):
            raise LabError(f"{case.node.name}: the clock is wrong already")
        write_file(root, "etc/faketimerc", f"{case.options['seconds']:+g}\n")
        variables = "".join(f"{key}={value}\n" for key, value in FAKE_CLOCK_ENVIRONMENT.items())
        before = read_file(root, "etc/environment") or ""
        write_file(root, "etc/environment", before + variables)
        defaults = " ".join(f"{key}={value}" for key, value in FAKE_CLOCK_ENVIRONMENT.items())
        write_file(root, "etc/systemd/system.conf.d/practice-clock.conf", f"[Manager]\nDefaultEnvironment={defaults}\n")
        write_file(root, PRELOAD, f"/{library.relative_to(root)}\n")
        self._restart_services(case)
        return {"environment": before}

    def heal(self, case: Case) -> None:
        root = case.node.root
        for name in (PRELOAD, "etc/faketimerc", "etc/systemd/system.conf.d/practice-clock.conf"):
            write_file(root, name, None)
        write_file(root, "etc/environment", case.undo["environment"])
        self._restart_services(case)

    @staticmethod
    def _restart_services(case: Case) -> None:
        if case.node.leader() is None:
            return
        case.must("systemctl", "daemon-reload")
        case.must("systemctl", "try-restart", *SERVICES)


FAULTS: list[Fault] = [Clock()]
