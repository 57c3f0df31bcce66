# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From inventory variables and the nodes' answers to the subjects of the judgement. Pure.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.link_variables import links_of_variables
from ansible_collections.baremetal.proxmox.plugins.module_utils._preflight.subject import Subject, Wish, subject_of


def wish_of_host(host: str, variables: Mapping[str, Any], is_primary: bool) -> Wish:
    """What the inventory says of a host: its address, its links (link0 to link7, or a list in cluster_links), its name."""
    links = {link["number"]: link["address"] for link in links_of_variables(variables)}
    return Wish(
        host, str(variables.get("ansible_host") or host), is_primary, links, str(variables.get("hostname") or "")
    )


def sort_answers(
    hosts: Sequence[str], answers: Mapping[str, Any], wishes: Mapping[str, Wish], cluster_name: str
) -> tuple[list[Subject], dict[str, str]]:
    """The nodes that answered, and why the others did not."""
    subjects, silent = [], {}
    for host in hosts:
        answer = answers.get(host)
        if isinstance(answer, Mapping) and "collected" in answer:
            subjects.append(subject_of(wishes[host], answer, cluster_name))
        else:
            silent[host] = str((answer or {}).get("msg") or "it was not asked, or an earlier step failed").strip()
    return subjects, silent


def peers_of(subject: Subject, subjects: Sequence[Subject]) -> list[dict[str, Any]]:
    """Whom a node has to probe: everybody else, at the address where the controller reaches it and on each of its links."""
    return [
        {
            "name": other.host,
            "address": other.link_addresses.get(0, other.wish.address),
            "links": {str(number): address for number, address in other.link_addresses.items()},
        }
        for other in subjects
        if other.host != subject.host
    ]
