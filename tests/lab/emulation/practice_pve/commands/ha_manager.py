# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ha-manager: high availability."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from practice_pve.api.cluster_ha import SID, read_manager
from practice_pve.ha import resources
from practice_pve.ha.status import current_status
from practice_pve.pmxcfs import client
from practice_pve.rest import ApiError, Call
from practice_pve.rest.command_line import STANDARD_OPTIONS, Alias, Command, print_formatted, run_command
from practice_pve.rest.json_text import to_json_pretty
from practice_pve.rest.output import print_result
from practice_pve.rest.parameters import NODE, Boolean, Integer

RESOURCES = "PVE::API2::HA::Resources"
GROUPS = "PVE::API2::HA::Groups"
RULES = "PVE::API2::HA::Rules"
OWN = "PVE::CLI::ha_manager"


def show_status(call: Call) -> None:
    """`ha-manager status`."""
    for entry in current_status():
        print(f"{entry['type']} {entry['status']}")
    if call.params.get("verbose"):
        print("full cluster state:")
        sys.stdout.write(to_json_pretty(read_manager(call)))


def print_config(entries: list[dict], _method: Any, _options: dict) -> None:
    """`ha-manager config`: each resource as in the file, with its state."""
    for entry in sorted(entries, key=lambda entry: entry["sid"]):
        print(entry["sid"])
        for key in sorted(entry):
            if key not in ("digest", "sid", "type", "errors"):
                print(f"\t{key} {entry[key]}")
        print()


def print_rules(entries: list[dict], method: Any, options: dict) -> None:
    """`ha-manager rules config`."""
    for entry in entries:
        entry["enabled"] = int("disable" not in entry)
        entry["state"] = "ignored (conflicts)" if entry.get("errors") else "in use"
    columns = ("enabled", "state", "rule", "type", "resources", "comment")
    print_result(entries, method.returns, options, columns)


def print_groups(entries: list[dict], _method: Any, _options: dict) -> None:
    """`ha-manager groupconfig` of version 8; later the method always fails."""
    for entry in entries:
        print(f"group: {entry['group']}")
        for key in sorted(entry):
            if key not in ("digest", "group", "type"):
                print(f"\t{key} {entry[key]}")
        print()


def stop(call: Call) -> None:
    """`ha-manager crm-command stop`."""
    sid, _kind, _name = resources.parse_sid(call.params["sid"])
    resources.assert_managed(sid)
    resources.refuse_error_state(sid)
    resources.queue_command(f"stop {sid} {call.params['timeout']}")


def set_maintenance(call: Call) -> None:
    """`ha-manager crm-command node-maintenance`."""
    word = "disable" if call.params.get("disable") else "enable"
    node = call.params["node"]
    if node not in (client.members().get("nodelist") or {client.members().get("nodename")}):
        raise ApiError(f"Node '{node}' does not exist in cluster.")
    resources.queue_command(f"{word}-node-maintenance {node}")


_MAINTENANCE = {"node": NODE, "disable": Boolean()}
COMMANDS: dict[str, Any] = {
    "status": Command(function=show_status, parameters={"verbose": Boolean(optional=True, default=0)}, group=OWN),
    "config": Command("GET", "/cluster/ha/resources", output=print_config, group=RESOURCES),
    "groupconfig": Command("GET", "/cluster/ha/groups", output=print_groups, group=GROUPS),
    "groupadd": Command("POST", "/cluster/ha/groups", arguments=("group",), group=GROUPS),
    "groupset": Command("PUT", "/cluster/ha/groups/{group}", arguments=("group",), group=GROUPS),
    "groupremove": Command("DELETE", "/cluster/ha/groups/{group}", arguments=("group",), group=GROUPS),
    "rules": {
        "list": Command(
            "GET", "/cluster/ha/rules", output=print_formatted, formatter=STANDARD_OPTIONS, group=RULES
        ),
        "config": Command("GET", "/cluster/ha/rules", output=print_rules, formatter=STANDARD_OPTIONS, group=RULES),
        "add": Command("POST", "/cluster/ha/rules", arguments=("type", "rule"), group=RULES),
        "remove": Command("DELETE", "/cluster/ha/rules/{rule}", arguments=("rule",), group=RULES),
        "set": Command("PUT", "/cluster/ha/rules/{rule}", arguments=("type", "rule"), group=RULES),
    },
    "add": Command("POST", "/cluster/ha/resources", arguments=("sid",), group=RESOURCES),
    "remove": Command("DELETE", "/cluster/ha/resources/{sid}", arguments=("sid",), group=RESOURCES),
    "set": Command("PUT", "/cluster/ha/resources/{sid}", arguments=("sid",), group=RESOURCES),
    "migrate": Alias("crm-command migrate"),
    "relocate": Alias("crm-command relocate"),
    "crm-command": {
        "migrate": Command(
            "POST", "/cluster/ha/resources/{sid}/migrate", arguments=("sid", "node"), group=RESOURCES
        ),
        "relocate": Command(
            "POST", "/cluster/ha/resources/{sid}/relocate", arguments=("sid", "node"), group=RESOURCES
        ),
        "stop": Command(
            function=stop, arguments=("sid", "timeout"), group=OWN,
            parameters={"sid": SID, "timeout": Integer(minimum=0)},
        ),
        "disarm-ha": Command(
            "POST", "/cluster/ha/status/disarm-ha", arguments=("resource-mode",), group="PVE::API2::HA::Status"
        ),
        "arm-ha": Command("POST", "/cluster/ha/status/arm-ha", group="PVE::API2::HA::Status"),
        "node-maintenance": {
            "enable": Command(
                function=set_maintenance, arguments=("node",), fixed={"disable": 0}, parameters=_MAINTENANCE, group=OWN
            ),
            "disable": Command(
                function=set_maintenance, arguments=("node",), fixed={"disable": 1}, parameters=_MAINTENANCE, group=OWN
            ),
        },
    },
}  # fmt: skip


def main(argv: Sequence[str]) -> int:
    """Run one command."""
    return run_command("ha-manager", COMMANDS, argv)
