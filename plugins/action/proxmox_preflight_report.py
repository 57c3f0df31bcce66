# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of M(baremetal.proxmox.proxmox_preflight_report)."""

from __future__ import annotations

from typing import Any

from ansible.plugins.action import ActionBase

from ansible_collections.baremetal.proxmox.plugins.module_utils._preflight.findings import (
    errors_of,
    ignore,
    render_table,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._preflight.inventory import (
    peers_of,
    sort_answers,
    wish_of_host,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._preflight.judge_cluster import (
    Decision,
    decide,
    judge_cluster,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._preflight.judge_network import judge_network
from ansible_collections.baremetal.proxmox.plugins.module_utils._preflight.judge_node import judge_node
from ansible_collections.baremetal.proxmox.plugins.module_utils._preflight.subject import Subject
from ansible_collections.baremetal.proxmox.plugins.module_utils._preflight.waiting_members import name_waiting_members


class ActionModule(ActionBase):
    """Collects what the hosts have registered and hands it to the judges."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(
            argument_spec={
                "cluster_name": {"type": "str", "required": True},
                "hosts": {"type": "list", "elements": "str", "required": True},
                "primaries": {"type": "list", "elements": "str", "default": []},
                "facts": {"type": "str", "default": "proxmox_preflight_facts"},
                "probes": {"type": "str"},
                "ignore": {"type": "list", "elements": "str", "default": []},
            }
        )
        hosts, cluster_name, all_variables = (
            arguments["hosts"],
            arguments["cluster_name"],
            (task_vars or {})["hostvars"],
        )
        wishes = {host: wish_of_host(host, all_variables[host], host in arguments["primaries"]) for host in hosts}
        answers = {host: all_variables[host].get(arguments["facts"]) for host in hosts}
        answered, silent = sort_answers(hosts, answers, wishes, cluster_name)
        subjects = name_waiting_members(answered)
        decision = decide(subjects)
        findings = judge_cluster(subjects, silent, cluster_name, decision)
        for subject in subjects:
            findings += judge_node(subject, is_founder=subject.host == decision.founder)
        if arguments["probes"]:
            probes = {subject.host: all_variables[subject.host].get(arguments["probes"]) or {} for subject in subjects}
            findings += judge_network({host: answer.get("probes", []) for host, answer in probes.items()})
        findings = ignore(findings, arguments["ignore"])
        return {
            "changed": False,
            "findings": [finding.as_dict() for finding in findings],
            "table": render_table(findings, hosts),
            "errors": len(errors_of(findings)),
            "decision": {"founder": decision.founder, "seeds": list(decision.seeds), "joiners": list(decision.joiners)},
            "peers": {subject.host: peers_of(subject, subjects) for subject in subjects},
            "links": {
                subject.host: {str(n): address for n, address in subject.link_addresses.items()} for subject in subjects
            },
            "addresses": {subject.host: subject.link_addresses.get(0, subject.wish.address) for subject in subjects},
            "names": {subject.host: subject.node_name for subject in subjects},
            "members": sorted({name for subject in subjects for name in _member_names(subject, decision)}),
            "states": {
                subject.host: {"name": subject.classified.state.value, "reason": subject.classified.reason}
                for subject in subjects
            },
        }


def _member_names(subject: Subject, decision: Decision) -> tuple[str, ...]:
    """The members that a seed lists, those outside the inventory too."""
    config = subject.snapshot.config.value
    return config.names if config is not None and subject.host in decision.seeds else ()
