# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as metrics for the textfile collector of Prometheus' node exporter. Pure.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Sample = tuple[dict[str, object], float]


def render_metrics(document: Mapping[str, Any], made: float) -> str:
    """C(made): seconds since the epoch. What could not be read has no sample, which an alert can ask for with absent()."""
    cluster = str(document["cluster"].get("name") or "")
    families: list[tuple[str, str, list[Sample]]] = [
        ("report_timestamp_seconds", "When the report was made.", [({}, made)]),
        ("healthy", "Whether no check found an error.", [({}, float(document["healthy"]))]),
        *_cluster_families(document["cluster"]),
        (
            "node_online",
            "Whether the cluster sees the node.",
            [(_node(node), float(node["online"])) for node in document["nodes"]],
        ),
        (
            "node_votes",
            "The votes of the node.",
            [(_node(node), float(node["votes"])) for node in document["nodes"] if node["votes"] is not None],
        ),
        (
            "link_connected",
            "Whether the node is connected to its peer over the link.",
            [
                ({**_node(node), "peer": link["to"], "link": link["number"]}, float(link["connected"]))
                for node in document["nodes"]
                for link in node["links"]
            ],
        ),
        (
            "guest_running",
            "Whether the virtual machine or container runs.",
            [
                (_guest(guest), float(guest["status"] == "running"))
                for guest in document["guests"]
                if guest["status"] != "unknown"
            ],
        ),
        (
            "guest_agent_available",
            "Whether the guest agent answers.",
            [(_guest(guest), float(guest["agent"]["available"])) for guest in document["guests"] if guest["agent"]],
        ),
        (
            "findings",
            "How many findings there are.",
            [
                ({"severity": severity}, float(sum(item["severity"] == severity for item in document["findings"])))
                for severity in ("error", "warning")
            ],
        ),
    ]
    return "".join(_family(name, text, samples, cluster) for name, text, samples in families)


def _cluster_families(cluster: Mapping[str, Any]) -> list[tuple[str, str, list[Sample]]]:
    keys = (
        ("quorate", "quorate", "Whether the cluster is quorate."),
        ("writable", "writable", "Whether its configuration can be written."),
        ("total_votes", "votes", "The votes that are there."),
        ("expected_votes", "votes_expected", "The votes of all members together."),
        ("quorum_votes", "votes_needed", "The votes that quorum takes."),
    )
    return [(name, text, [] if cluster.get(key) is None else [({}, float(cluster[key]))]) for key, name, text in keys]


def _node(node: Mapping[str, Any]) -> dict[str, object]:
    return {"node": node["name"]}


def _guest(guest: Mapping[str, Any]) -> dict[str, object]:
    return {"vmid": guest["vmid"], "name": guest["name"], "node": guest["node"] or "", "kind": guest["kind"]}


def _family(name: str, text: str, samples: Sequence[Sample], cluster: str) -> str:
    full = f"proxmox_cluster_{name}"
    lines = [f"# HELP {full} {text}", f"# TYPE {full} gauge"]
    for labels, value in samples:
        written = ",".join(
            f'{label}="{_escape(str(content))}"' for label, content in {"cluster": cluster, **labels}.items()
        )
        lines.append(f"{full}{{{written}}} {value:.15g}")
    return "".join(f"{line}\n" for line in lines)


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
