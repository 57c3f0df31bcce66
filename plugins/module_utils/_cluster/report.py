# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One picture of the cluster from what each of its nodes has said, as data and as text. Pure.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Info = Mapping[str, Any]


def merge_infos(
    infos: Mapping[str, Info | None], silent: Mapping[str, str], cluster_name: str | None = None
) -> dict[str, Any]:
    """C(infos): what proxmox_cluster_info returned, by inventory name; C(silent): hosts that gave no answer, and why.

    The picture is that of the node which sees the most: a node cut off from the others sees a cluster, too.
    """
    answers = {host: info for host, info in infos.items() if info is not None and host not in silent}
    problems = [
        {**problem, "host": host} for host, info in sorted(answers.items()) for problem in info.get("problems", [])
    ]
    problems += [
        {
            "code": "no_answer",
            "severity": "error",
            "host": host,
            "node": host,
            "text": f"{host} did not answer: {reason}",
            "remedy": "Check power, network and SSH of the node.",
        }
        for host, reason in sorted(silent.items())
    ]
    best = max(answers.values(), key=_sight, default=None)
    cluster = dict(best.get("cluster") or {}) if best is not None else {}
    for own in ("links", "certificate", "unknown"):  # these are of the node that said them, not of the cluster
        cluster.pop(own, None)
    if cluster_name and cluster.get("name") not in (None, cluster_name):
        text = f"The cluster is called '{cluster['name']}', not '{cluster_name}'."
        problems.append(_problem("wrong_cluster", text, "Correct cluster_name in the inventory."))
    problems += _disagreements(answers)
    healthy = bool(answers) and not silent and not any(problem["severity"] == "error" for problem in problems)
    return {
        "healthy": healthy and all(info.get("health") for info in answers.values()),
        "cluster": cluster,
        "ha": dict(cluster.pop("ha", None) or {}),
        "nodes": {
            host: {
                "node": info.get("node"),
                "state": info.get("node_state"),
                "reason": info.get("node_state_reason"),
                "links": (info.get("cluster") or {}).get("links", []),
                "certificate": (info.get("cluster") or {}).get("certificate"),
                "boot_id": info.get("boot_id"),
                "healthy": bool(info.get("health")),
            }
            for host, info in sorted(answers.items())
        },
        "problems": _without_repetition(problems),
    }


def _problem(code: str, text: str, remedy: str) -> dict[str, str]:
    return {"code": code, "severity": "error", "host": "", "node": "", "text": text, "remedy": remedy}


def _sight(info: Info) -> tuple[bool, int, int]:
    cluster = info.get("cluster") or {}
    online = sum(1 for member in cluster.get("members", []) if member.get("online"))
    return (bool(cluster.get("quorate")), online, int(cluster.get("config_version") or 0))


def _disagreements(answers: Mapping[str, Info]) -> list[dict[str, str]]:
    """Members have to agree about who they are; a parted cluster looks healthy from inside one part."""
    sights: dict[tuple[str, ...], list[str]] = {}
    for host, info in sorted(answers.items()):
        cluster = info.get("cluster") or {}
        if cluster.get("members"):
            online = tuple(sorted(member["name"] for member in cluster["members"] if member.get("online")))
            sights.setdefault(online, []).append(host)
    if len(sights) < 2:
        return []
    told = "; ".join(f"{', '.join(hosts)}: {', '.join(online) or 'nobody'}" for online, hosts in sorted(sights.items()))
    remedy = "Look at the links (corosync-cfgtool -s) and at the network between the nodes; this may settle by itself in some seconds."
    return [_problem("disagreement", f"The nodes do not see the same members ({told}).", remedy)]


def _without_repetition(problems: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A problem that every node reports in the same words is told once."""
    seen: dict[tuple[str, str], dict[str, Any]] = {}
    for problem in problems:
        key = (str(problem.get("code")), str(problem.get("text")))
        if key in seen:
            seen[key]["seen_by"].append(problem["host"])
        else:
            seen[key] = {**problem, "seen_by": [problem["host"]]}
    return list(seen.values())


def render_status(report: Mapping[str, Any]) -> str:
    """What C(pvecm status) is about, for the whole cluster."""
    cluster = report["cluster"]
    if not cluster.get("name"):
        states = ", ".join(f"{host}: {node['state']}" for host, node in report["nodes"].items())
        return f"No cluster. {states}"
    rows = [
        ("Cluster", cluster["name"]),
        ("Config version", cluster.get("config_version")),
        ("Quorate", _yes(cluster.get("quorate"))),
        ("Writable", _yes(cluster.get("writable"))),
        (
            "Votes",
            f"{cluster.get('total_votes')} of {cluster.get('expected_votes')} expected, {cluster.get('quorum_votes')} needed",
        ),
        ("Nodes", f"{sum(1 for m in cluster['members'] if m.get('online'))} of {len(cluster['members'])} online"),
    ]
    if report["ha"].get("master"):
        rows.append(("HA master", report["ha"]["master"]))
    return "\n".join(f"{label + ':':16}{value}" for label, value in rows)


def _yes(value: object) -> str:
    return "unknown" if value is None else "yes" if value else "NO"


def render_nodes(report: Mapping[str, Any]) -> str:
    """The members with their addresses, and what each node says of itself."""
    members = report["cluster"].get("members") or []
    if not members:
        return _columns(["NODE", "STATE", "REASON"], [[h, n["state"], n["reason"]] for h, n in report["nodes"].items()])
    states = {host: node["state"] for host, node in report["nodes"].items()}
    rows = [
        [
            str(member.get("node_id", "")),
            member["name"],
            "online" if member.get("online") else "OFFLINE",
            str(member.get("votes", "")),
            " ".join(member["addresses"][number] for number in sorted(member.get("addresses") or {})),
            str(states.get(member["name"], "-")),
        ]
        for member in sorted(members, key=lambda item: int(item.get("node_id") or 0))
    ]
    return _columns(["ID", "NODE", "", "VOTES", "LINKS", "STATE"], rows)


def _columns(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    table = [[str(cell) for cell in row] for row in [heads, *rows]]
    widths = [max(len(row[column]) for row in table) for column in range(len(heads))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table
    )


def render_health(report: Mapping[str, Any]) -> str:
    """The verdict, then each problem with its remedy."""
    lines = [f"Health: {'good' if report['healthy'] else 'BAD'}"]
    for problem in sorted(report["problems"], key=lambda item: (item["severity"] != "error", item["code"])):
        where = f" ({', '.join(host for host in problem['seen_by'] if host)})" if any(problem["seen_by"]) else ""
        lines.append(f"{problem['severity'].upper():8} [{problem['code']}] {problem['text']}{where}")
        lines.append(f"{'':8} -> {problem['remedy']}")
    return "\n".join(lines)


def render(report: Mapping[str, Any], view: str) -> str:
    """C(view): status, nodes, or health, which shows all of it."""
    if view == "status":
        parts = [render_status(report)]
    elif view == "nodes":
        parts = [render_nodes(report)]
    else:
        parts = [render_status(report), render_nodes(report), render_health(report)]
    if view != "health" and not report["healthy"]:
        parts.append(render_health(report))
    return "\n\n".join(parts)
