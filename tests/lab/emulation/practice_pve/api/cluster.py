# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/cluster: state, options, log and tasks."""

from __future__ import annotations

import re
from typing import Any

from practice_pve.access import files, permissions
from practice_pve.access.tokens import is_token_id, split_token_id
from practice_pve.pmxcfs import client
from practice_pve.rest import AnyUser, Call, Check, api_method
from practice_pve.rest.parameters import Array, Boolean, Integer, Null, Object, Text
from practice_pve.rest.routing import node_address

from .cluster_options import OPTIONS, parse_options, render_options
from .cluster_state import cluster_info, cluster_tasks, published_figures

SUBDIRECTORIES = (
    "acme", "backup", "backup-info", "bulk-action", "ceph", "config", "firewall", "ha", "jobs", "log", "mapping",
    "metrics", "nextid", "notifications", "options", "replication", "resources", "sdn", "status", "tasks",
)  # fmt: skip


@api_method(
    "GET",
    "/cluster",
    permissions=AnyUser(),
    child_link="name",
    returns=Array(items=Object(properties={})),
)
def index(_call: Call) -> list[dict[str, str]]:
    """List the parts."""
    return [{"name": name} for name in SUBDIRECTORIES]


@api_method(
    "GET",
    "/cluster/status",
    permissions=Check("perm", "/", ["Sys.Audit"]),
    protected=True,
    returns=Array(
        items=Object(
            properties={
                "type": Text(),
                "id": Text(),
                "name": Text(),
                "nodes": Integer(optional=True),
                "version": Integer(optional=True),
                "quorate": Boolean(optional=True),
                "nodeid": Integer(optional=True),
                "ip": Text(optional=True),
                "local": Boolean(optional=True),
                "online": Boolean(optional=True),
                "level": Text(optional=True),
            }
        )
    ),
)
def status(call: Call) -> list[dict[str, Any]]:
    """Return the cluster and its members as pmxcfs sees them."""
    info = cluster_info(call.environment)
    members = info.get("nodelist")
    if not members:
        return [
            {
                "type": "node", "id": f"node/{call.node}", "name": call.node, "ip": node_address(call.node),
                "local": 1, "nodeid": 0, "online": 1, "level": "",
            }
        ]  # fmt: skip
    result: list[dict[str, Any]] = []
    if cluster := info.get("cluster"):
        result.append({"type": "cluster", "id": "cluster", **{
            key: cluster[key] for key in ("nodes", "version", "name", "quorate")
        }})  # fmt: skip
    figures = published_figures()
    for name, member in members.items():
        values = figures.get(f"pve-node-9.0/{name}", ["", ""])
        entry = {
            "type": "node", "id": f"node/{name}", "name": name, "nodeid": member["id"],
            "local": 1 if name == call.node else 0, "online": member["online"], "level": values[1],
        }  # fmt: skip
        if member.get("ip"):
            entry["ip"] = member["ip"]
        result.append(entry)
    return result


@api_method(
    "GET",
    "/cluster/log",
    permissions=AnyUser(),
    parameters={"max": Integer(minimum=1, optional=True)},
    returns=Array(items=Object(properties={})),
)
def log(call: Call) -> list[dict[str, Any]]:
    """Return the cluster log, all of it or one's own entries."""
    user = str(call.user)
    only = "" if permissions.has(user, "/", ["Sys.Syslog"]) else user
    entries = client.cluster_log(only, call.params.get("max", 0) or 50)
    return [{**entry, "uid": str(entry["uid"]), "id": f"{entry['uid']}:{entry['node']}"} for entry in entries]


@api_method(
    "GET",
    "/cluster/tasks",
    permissions=AnyUser(),
    returns=Array(items=Object(properties={"upid": Text()})),
)
def tasks(call: Call) -> list[dict[str, Any]]:
    """Return the recent tasks of all nodes."""
    user = str(call.user)
    everything = permissions.has(user, "/", ["Sys.Audit"])
    result = []
    for task in cluster_tasks():
        if is_token_id(task["user"]):
            task["user"], task["tokenid"] = split_token_id(task["user"])
        if everything or task["user"] == user:
            result.append(task)
    return result


@api_method("GET", "/cluster/options", permissions=AnyUser(), returns=Object())
def get_options(call: Call) -> dict[str, Any]:
    """Return datacenter.cfg and what follows from it."""
    options = parse_options(files.read_text("datacenter.cfg") or "")
    if not permissions.has(str(call.user), "/", ["Sys.Audit"]):
        options = {key: value for key, value in options.items() if key in ("console", "tag-style", "description")}
    options["allowed-tags"] = used_tags()
    return options


def used_tags() -> list[str]:
    """Return the tags of all guests."""
    tags: set[str] = set()
    for values in client.guest_properties(["tags"]).values():
        tags |= {tag for tag in re.split(r"[;,\s]+", values.get("tags", "")) if tag}
    return sorted(tags)


@api_method(
    "PUT",
    "/cluster/options",
    permissions=Check("perm", "/", ["Sys.Modify"]),
    protected=True,
    parameters={**OPTIONS, "delete": Text(format="pve-configid-list", optional=True)},
    returns=Null(),
)
def set_options(call: Call) -> None:
    """Change datacenter.cfg."""
    with files.locked("datacenter.cfg"):
        options = parse_options(files.read_text("datacenter.cfg") or "")
        for name in re.split(r"[,;\s]+", call.params.get("delete", "")):
            options.pop(name, None)
        options.update({key: value for key, value in call.params.items() if key != "delete"})
        files.write_text("datacenter.cfg", render_options(options))
