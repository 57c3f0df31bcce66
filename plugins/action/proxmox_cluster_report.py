# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of M(baremetal.proxmox.proxmox_cluster_report)."""

from __future__ import annotations

import json
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.report import merge_infos, render

display = Display()


class ActionModule(ActionBase):
    """Collects what the hosts have registered, merges it, and prints it as it is."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(
            argument_spec={
                "hosts": {"type": "list", "elements": "str", "required": True},
                "infos": {"type": "str", "default": "proxmox_cluster_info_result"},
                "cluster_name": {"type": "str"},
                "view": {"type": "str", "choices": ["status", "nodes", "health", "none"], "default": "health"},
                "output": {"type": "str", "choices": ["text", "json"], "default": "text"},
            }
        )
        all_variables = (task_vars or {})["hostvars"]
        infos = {host: all_variables[host].get(arguments["infos"]) for host in arguments["hosts"]}
        silent = {
            host: str((info or {}).get("msg") or "it was not asked, or an earlier step failed").strip()
            for host, info in infos.items()
            if not info or "node_state" not in info
        }
        report = merge_infos(infos, silent, arguments["cluster_name"])
        text = (
            json.dumps(report, indent=2, sort_keys=True)
            if arguments["output"] == "json"
            else render(report, arguments["view"])
        )
        if arguments["view"] != "none":
            display.display(text)
        return {"changed": False, "report": report, "text": text}
