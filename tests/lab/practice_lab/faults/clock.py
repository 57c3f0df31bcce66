# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A wrong clock. Containers share the host's, so every program of the node is told another time by libfaketime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..node import FAKE_CLOCK_ENVIRONMENT
from .base import Case, Fault, FaultRefused, Parameter, read_file, restart_running, write_file

# Programs find the library by a link into /run, which is empty at boot: systemd itself, as process 1, cannot live with it.
PRELOAD = "etc/ld.so.preload"
PRELOAD_TARGET = "/run/practice-clock.preload"
UNIT = "practice-clock.service"
UNIT_TEXT = """\
[Unit]
Description=Practice node: a wrong clock
DefaultDependencies=no
Before=sysinit.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'echo {library} >{target}'
ExecStop=/bin/rm -f {target}
"""
MANAGER = "etc/systemd/system.conf.d/practice-clock.conf"
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
            raise FaultRefused("libfaketime is not in the node's root")
        if (root / PRELOAD).is_symlink():
            raise FaultRefused(f"{case.node.name}: the clock is wrong already")
        write_file(root, "etc/faketimerc", f"{case.options['seconds']:+g}\n")
        variables = [f"{key}={value}" for key, value in FAKE_CLOCK_ENVIRONMENT.items()]
        write_file(
            root,
            "etc/environment",
            (read_file(root, "etc/environment") or "") + "".join(f"{line}\n" for line in variables),
        )
        write_file(root, MANAGER, f"[Manager]\nDefaultEnvironment={' '.join(variables)}\n")
        unit = UNIT_TEXT.format(library=f"/{library.relative_to(root)}", target=PRELOAD_TARGET)
        write_file(root, f"etc/systemd/system/{UNIT}", unit)
        self._link(root / f"etc/systemd/system/sysinit.target.wants/{UNIT}", f"/etc/systemd/system/{UNIT}")
        self._link(root / PRELOAD, PRELOAD_TARGET)
        self._restart_services(case, ["start", UNIT])
        return {}

    def heal(self, case: Case) -> None:
        root = case.node.root
        if case.node.leader() is not None:
            case.node.run(["systemctl", "stop", UNIT])
        units = "etc/systemd/system"
        for name in (PRELOAD, "etc/faketimerc", MANAGER, f"{units}/{UNIT}", f"{units}/sysinit.target.wants/{UNIT}"):
            write_file(root, name, None)
        lines = (read_file(root, "etc/environment") or "").splitlines(keepends=True)
        kept = [line for line in lines if line.partition("=")[0] not in FAKE_CLOCK_ENVIRONMENT]
        write_file(root, "etc/environment", "".join(kept))
        self._restart_services(case, [])

    @staticmethod
    def _link(path: Path, target: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.symlink_to(target)

    @staticmethod
    def _restart_services(case: Case, first: list[str]) -> None:
        if case.node.leader() is None:
            return
        case.must("systemctl", "daemon-reload")
        if first:
            case.must("systemctl", *first)
        restart_running(case, SERVICES)


FAULTS: list[Fault] = [Clock()]
