# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/cluster/ha: resources and status."""

from __future__ import annotations

from practice_pve.ha import resources, rules
from practice_pve.ha.status import current_status, read_local_status, read_manager_status
from practice_pve.pmxcfs import client
from practice_pve.rest import ApiError, Call, Check, api_method
from practice_pve.rest.formats import by_pattern, split_list
from practice_pve.rest.parameters import CONFIG_DIGEST, NODE, Array, Boolean, Integer, Object, Parameter, Text, optional

by_pattern("pve-ha-resource-or-vm-id", r"(?:\d+|[^:\s]+:[^:\s]+)", "invalid resource ID '{value}'")
by_pattern("pve-ha-resource-id", r"[^:\s]+:[^:\s]+", "invalid resource ID '{value}'")

SID = Text(format="pve-ha-resource-or-vm-id")
CONSOLE = Check("perm", "/", ["Sys.Console"])
AUDIT = Check("perm", "/", ["Sys.Audit"])
_TYPE = Text(optional=True, enum=("ct", "vm"))
_SETTINGS: dict[str, Parameter] = {
    "sid": SID,
    "state": Text(optional=True, enum=("started", "stopped", "enabled", "disabled", "ignored"), default="started"),
    "group": Text(optional=True, format="pve-configid"),
    "failback": Boolean(optional=True, default=1),
    "max_restart": Integer(optional=True, minimum=0, default=1),
    "max_relocate": Integer(optional=True, minimum=0, default=1),
    "comment": Text(optional=True, max_length=4096),
}


@api_method("GET", "/cluster/ha", permissions=AUDIT, child_link="id")
def list_parts(_call: Call) -> list[dict]:
    """The sub-directories."""
    return [{"id": name} for name in ("status", "resources", "groups", "rules")]


@api_method(
    "GET", "/cluster/ha/resources", permissions=AUDIT, parameters={"type": _TYPE}, child_link="sid",
    returns=Array(items=Object(properties={"sid": Text()})),
)  # fmt: skip
def list_resources(call: Call) -> list[dict]:
    """Guests under HA."""
    return resources.show_all(call.params.get("type"))


@api_method(
    "POST", "/cluster/ha/resources", permissions=CONSOLE, protected=True, parameters={**_SETTINGS, "type": _TYPE}
)
def add_resource(call: Call) -> None:
    """Put a guest under HA."""
    values = _values(call)
    kind = values.pop("type", None)
    sid = call.params["sid"]
    if kind and not sid.isdigit() and not sid.startswith(f"{kind}:"):
        raise ApiError("types does not match")
    resources.add(sid, values)


def _values(call: Call) -> dict[str, object]:
    values = {key: value for key, value in call.params.items() if key not in ("sid", "delete", "digest", "purge")}
    return {key: int(value) if isinstance(value, bool) else value for key, value in values.items()}


@api_method("GET", "/cluster/ha/resources/{sid}", permissions=AUDIT, parameters={"sid": SID}, returns=Object())
def read_resource(call: Call) -> dict:
    """One guest's settings."""
    return resources.show(call.params["sid"])


@api_method(
    "PUT", "/cluster/ha/resources/{sid}", permissions=CONSOLE, protected=True,
    parameters={
        **_SETTINGS,
        "delete": Text(optional=True, format="pve-configid-list", max_length=4096),
        "digest": CONFIG_DIGEST,
    },
)  # fmt: skip
def update_resource(call: Call) -> None:
    """Change a guest's settings."""
    delete = split_list(call.params.get("delete", ""))
    resources.update(call.params["sid"], _values(call), delete, call.params.get("digest"))


@api_method(
    "DELETE", "/cluster/ha/resources/{sid}", permissions=CONSOLE, protected=True,
    parameters={"sid": SID, "purge": Boolean(optional=True, default=1)},
)  # fmt: skip
def remove_resource(call: Call) -> None:
    """Take a guest out of HA."""
    resources.remove(call.params["sid"])
    if call.params.get("purge", True):
        rules.forget_resource(resources.parse_sid(call.params["sid"])[0])


def _request_move(call: Call, word: str) -> dict:
    sid, _kind, _name = resources.parse_sid(call.params["sid"])
    resources.assert_managed(sid)
    resources.refuse_error_state(sid)
    resources.queue_command(f"{word} {sid} {call.params['node']}")
    return {"sid": sid, "requested-node": call.params["node"]}


@api_method(
    "POST", "/cluster/ha/resources/{sid}/migrate", permissions=CONSOLE, protected=True, returns=Object(),
    parameters={"sid": SID, "node": NODE},
)  # fmt: skip
def migrate_resource(call: Call) -> dict:
    """Ask the manager to move a guest while it runs."""
    return _request_move(call, "migrate")


@api_method(
    "POST", "/cluster/ha/resources/{sid}/relocate", permissions=CONSOLE, protected=True, returns=Object(),
    parameters={"sid": SID, "node": NODE},
)  # fmt: skip
def relocate_resource(call: Call) -> dict:
    """Ask the manager to stop a guest and start it elsewhere."""
    return _request_move(call, "relocate")


@api_method("GET", "/cluster/ha/status", permissions=AUDIT, child_link="name")
def list_status_parts(_call: Call) -> list[dict]:
    """The sub-directories."""
    return [{"name": name} for name in ("current", "manager_status", "disarm-ha", "arm-ha")]


@api_method(
    "GET", "/cluster/ha/status/current", permissions=AUDIT,
    returns=Array(items=Object(properties={
        "id": Text(), "node": Text(), "status": Text(), "type": Text(), "quorate": optional(Boolean()),
        "timestamp": Integer(optional=True), "crm_state": Text(optional=True), "request_state": Text(optional=True),
        "sid": Text(optional=True), "state": Text(optional=True), "armed-state": Text(optional=True),
    })),
)  # fmt: skip
def read_current(_call: Call) -> list[dict]:
    """Quorum, master, local managers, services."""
    return current_status()


@api_method("GET", "/cluster/ha/status/manager_status", permissions=AUDIT, returns=Object())
def read_manager(call: Call) -> dict:
    """The manager's and the local managers' own words."""
    status = read_manager_status()
    # Perl makes the key when it looks for the nodes, also where there never was a manager.
    status.setdefault("node_status", {})
    result: dict = {
        "manager_status": status,
        # Perl's true is the text 1, its false an empty text
        "quorum": {"node": call.node, "quorate": "1" if client.is_quorate() else ""},
    }
    nodes = sorted(status.get("node_status", {}))
    if nodes:
        result["lrm_status"] = {node: read_local_status(node) for node in nodes}
    return result


@api_method(
    "POST", "/cluster/ha/status/disarm-ha", permissions=CONSOLE, protected=True,
    parameters={"resource-mode": Text(enum=("freeze", "ignore"))},
)  # fmt: skip
def disarm(call: Call) -> None:
    """Ask the manager to let go of all watchdogs."""
    resources.queue_command(f"disarm-ha {call.params['resource-mode']}")


@api_method("POST", "/cluster/ha/status/arm-ha", permissions=CONSOLE, protected=True)
def arm(_call: Call) -> None:
    """Ask the manager to take up its work again."""
    resources.queue_command("arm-ha")
