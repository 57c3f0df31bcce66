# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of Proxmox VE itself: another version, an /etc/pve that cannot be written."""

from __future__ import annotations

import json
from typing import Any

from .base import Case, Fault, Parameter, read_file, restart_running, write_file

SETTINGS = "etc/practice-node.json"
READERS = ["pvedaemon", "pveproxy", "pvestatd", "pve-ha-crm", "pve-ha-lrm", "pve-cluster"]


class Version(Fault):
    name = "version"
    help = "let a node claim another Proxmox VE version"
    parameters = (Parameter("version", "such as 8.4.1", required=True),)

    def apply(self, case: Case) -> dict[str, Any]:
        before = json.loads(read_file(case.node.root, SETTINGS) or "{}")
        self._write(case, {**before, "pve_version": case.options["version"]})
        return {"before": before.get("pve_version")}

    def heal(self, case: Case) -> None:
        settings = json.loads(read_file(case.node.root, SETTINGS) or "{}")
        settings.pop("pve_version", None)
        if case.undo.get("before") is not None:
            settings["pve_version"] = case.undo["before"]
        self._write(case, settings)

    @staticmethod
    def _write(case: Case, settings: dict[str, Any]) -> None:
        write_file(case.node.root, SETTINGS, json.dumps(settings, indent=1) + "\n")
        restart_running(case, READERS)


class ReadOnly(Fault):
    name = "read-only"
    help = "make /etc/pve read-only: a cluster member loses corosync and with it quorum, a single node has it remounted"

    def apply(self, case: Case) -> dict[str, Any]:
        if case.node.run(["systemctl", "is-active", "--quiet", "corosync"]).rc == 0:
            case.must("systemctl", "stop", "corosync")
            return {"means": "corosync"}
        case.must("mount", "-o", "remount,bind,ro", "/etc/pve")
        return {"means": "mount"}

    def heal(self, case: Case) -> None:
        if case.node.leader() is None:
            return
        if case.undo.get("means") == "corosync":
            case.must("systemctl", "start", "corosync")
        else:
            case.must("mount", "-o", "remount,bind,rw", "/etc/pve")


FAULTS: list[Fault] = [Version(), ReadOnly()]
