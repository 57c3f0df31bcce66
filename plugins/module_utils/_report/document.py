# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as data: what was read of the cluster, its guests and its health, in one document. Pure.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

# Rises when a reader of report.json would misunderstand an older or a newer one.
FORMAT = 1
Document = dict[str, Any]


def build_document(
    made: str,
    cluster_report: Mapping[str, Any],
    guests: Sequence[Mapping[str, Any]],
    resources: Sequence[Mapping[str, Any]],
    preflight: Iterable[Mapping[str, Any]],
    unknown: Sequence[str] = (),
) -> Document:
    """C(cluster_report): proxmox_cluster_report's; C(guests): guest_agent_facts'; C(resources): GET /cluster/resources;
    C(preflight): proxmox_preflight_report's findings; C(unknown): what could not be read, in words.
    """
    cluster = cluster_report["cluster"]
    findings = [_of_health(problem) for problem in cluster_report["problems"]]
    seen = {(finding["code"], finding["text"]) for finding in findings}
    findings += [finding for finding in map(_of_preflight, preflight) if (finding["code"], finding["text"]) not in seen]
    findings += [_of_ignorance(text) for text in unknown]
    resources_of_ha = cluster_report.get("ha", {}).get("resources", {})
    return {
        "format": FORMAT,
        "made": made,
        "healthy": bool(cluster_report["healthy"]),
        "cluster": {
            key: cluster.get(key)
            for key in (
                *("name", "quorate", "writable", "total_votes", "expected_votes", "quorum_votes", "qdevice"),
                *("config_version", "priorities"),
            )
        },
        "ha": {"master": cluster_report.get("ha", {}).get("master"), "resources": dict(resources_of_ha)},
        "nodes": _nodes(cluster_report),
        "guests": _guests(guests, resources, resources_of_ha),
        "findings": sorted(findings, key=lambda item: (item["severity"] != "error", item["where"], item["code"])),
    }


def _nodes(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The members, then hosts of the inventory that are none. A host may have another name than its node."""
    told = report["nodes"]
    members = report["cluster"].get("members") or []
    hosts = {str(answer.get("node") or host): answer for host, answer in told.items()}
    nodes = [
        _node(member["name"], bool(member.get("online")), member, hosts.pop(member["name"], {})) for member in members
    ]
    # Alone, a node is where it was asked.
    return nodes + [_node(name, True, {}, answer) for name, answer in sorted(hosts.items())]


def _node(name: str, online: bool, member: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, Any]:
    addresses = member.get("addresses") or {}
    return {
        "name": name,
        "online": online,
        "member": bool(member),
        "votes": member.get("votes"),
        "addresses": [str(addresses[number]) for number in sorted(addresses)],
        "state": answer.get("state"),
        "reason": answer.get("reason"),
        "links": [
            {"to": link["name"], "number": link["number"], "connected": bool(link["connected"])}
            for link in answer.get("links") or []
        ],
    }


def _guests(
    agents: Sequence[Mapping[str, Any]], resources: Sequence[Mapping[str, Any]], managed: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Every virtual machine and container that the cluster lists, and those that only the agents' module has seen."""
    by_number = {int(agent["vmid"]): agent for agent in agents}
    listed = {int(row["vmid"]): row for row in resources if row.get("type") in ("qemu", "lxc")}
    return [_guest(vmid, listed.get(vmid, {}), by_number.get(vmid), managed) for vmid in sorted({*by_number, *listed})]


def _guest(
    vmid: int, row: Mapping[str, Any], agent: Mapping[str, Any] | None, managed: Mapping[str, Any]
) -> dict[str, Any]:
    agent_says = agent or {}
    system = agent_says.get("os") or {}
    container = row.get("type") == "lxc"
    addresses = [agent_says.get("primary_ipv4"), agent_says.get("primary_ipv6")]
    return {
        "vmid": vmid,
        "name": row.get("name") or agent_says.get("name") or "",
        "node": row.get("node") or agent_says.get("node"),
        "kind": "container" if container else "machine",
        "status": row.get("status") or "unknown",
        "template": bool(int(row.get("template") or 0)),
        "tags": [tag for tag in str(row.get("tags") or "").split(";") if tag],
        "managed": f"{'ct' if container else 'vm'}:{vmid}" in managed,
        "addresses": [str(address) for address in addresses if address],
        "os": str(system.get("pretty_name") or system.get("name") or ""),
        "hostname": str(agent_says.get("hostname") or ""),
        "agent": None
        if agent is None
        else {key: agent.get(key) for key in ("available", "reason", "detail", "remedy")},
    }


def _of_health(problem: Mapping[str, Any]) -> dict[str, Any]:
    seen_by = [host for host in problem.get("seen_by", []) if host]
    return _finding("health", problem, ", ".join(seen_by))


def _of_preflight(finding: Mapping[str, Any]) -> dict[str, Any]:
    return _finding("preflight", finding, str(finding.get("node") or ""))


def _of_ignorance(text: str) -> dict[str, Any]:
    problem = {
        "code": "not_read",
        "severity": "error",
        "text": text,
        "remedy": "Put right what prevents the reading, then make the report again.",
    }
    return _finding("report", problem, "")


def _finding(source: str, finding: Mapping[str, Any], where: str) -> dict[str, Any]:
    keys = ("code", "severity", "text", "remedy")
    return {"source": source, "where": where, **{key: str(finding.get(key) or "") for key in keys}}
