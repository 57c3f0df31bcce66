# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of C(proxmox_cluster_info): read, judge, and if asked wait until the judgement is good.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.classify import (
    Classified,
    classify,
    leftovers,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.expectation import Expectation
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.facts import cluster_facts
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.health import (
    Problem,
    find_problems,
    find_refused_logins,
    healthy,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.snapshot import Snapshot
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.lease import parse_lease
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.places import read_here
from ansible_collections.baremetal.proxmox.plugins.module_utils._ssh.mesh import log_in_everywhere

_POLL_SECONDS = 0.2


def read_cluster(params: Mapping[str, Any], _check_mode: bool) -> dict[str, Any]:
    members = params.get("expected_members")
    expected = Expectation(params.get("cluster_name"), frozenset(members) if members else None)
    deadline = time.monotonic() + params["wait"]
    while True:
        snapshot = read_here()
        now = classify(snapshot, params.get("cluster_name"))
        problems = find_problems(snapshot, now, expected)
        if healthy(problems) or time.monotonic() >= deadline:
            break
        time.sleep(_POLL_SECONDS)
    logins = None
    if params.get("try_logins") and snapshot.membership.value is not None:
        logins = log_in_everywhere(snapshot.membership.value)
        problems += find_refused_logins(snapshot.node_name, logins["refused"])
    return _result(snapshot, now, problems) | {"logins": logins}


def _result(snapshot: Snapshot, now: Classified, problems: list[Problem]) -> dict[str, Any]:
    lease = parse_lease(snapshot.lease.value)
    return {
        "changed": False,
        "health": healthy(problems),
        "node": snapshot.node_name,
        "node_state": now.state.value,
        "node_state_reason": now.reason,
        "way_forward": now.way.forward,
        "way_back": now.way.back,
        "cluster": cluster_facts(snapshot),
        "problems": [asdict(problem) for problem in problems],
        "leftovers": leftovers(snapshot) if snapshot.config.absent else [],
        "node_directories": {
            name: {"guests": list(directory.guests)}
            for name, directory in (snapshot.node_directories.value or {}).items()
        },
        "boot_id": snapshot.boot_id,
        "locked_by": lease.words if lease is not None and lease.valid else "",
    }
