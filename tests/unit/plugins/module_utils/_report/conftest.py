# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A cluster with all that a report has to tell of: a node that is gone, a link that is down, guests of every kind."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.baremetal.proxmox.plugins.module_utils._report.document import Document, build_document

HOSTILE = "<script>alert('x')</script>\"&"


def member(number: int, online: bool = True) -> dict[str, Any]:
    addresses = {"0": f"192.0.2.{number}", "1": f"198.51.100.{number}"}
    return {"name": f"pve{number}", "node_id": number, "votes": 1, "online": online, "addresses": addresses}


def answer(number: int, others: list[int], down: tuple[int, int] | None = None) -> dict[str, Any]:
    links = [
        {"name": f"pve{other}", "node_id": other, "number": link, "connected": (other, link) != down}
        for other in others
        for link in (0, 1)
    ]
    return {"node": f"pve{number}", "state": "member", "reason": "3 of 4 votes, quorate.", "links": links}


@pytest.fixture
def told() -> dict[str, Any]:
    """What the modules return, as arguments of build_document."""
    problem = {
        "code": "member_offline",
        "severity": "error",
        "text": "pve4 is offline.",
        "remedy": "Look at its power.",
        "seen_by": ["pve1", "pve2"],
    }
    cluster_report = {
        "healthy": False,
        "cluster": {
            "name": "lab",
            "quorate": True,
            "writable": True,
            "config_version": 7,
            "priorities": {},
            "total_votes": 3,
            "expected_votes": 4,
            "quorum_votes": 3,
            "qdevice": None,
            "members": [member(1), member(2), member(3), member(4, online=False)],
        },
        "ha": {"master": "pve1", "resources": {"vm:100": "pve1"}},
        "nodes": {
            "pve1": answer(1, [2, 3], down=(3, 1)),
            "pve2": answer(2, [1, 3]),
            "pve3": answer(3, [1, 2], down=(1, 1)),
        },
        "problems": [problem],
    }
    resources = [
        {"type": "node", "node": "pve1", "status": "online"},
        {
            "type": "qemu",
            "vmid": 100,
            "name": "web1",
            "node": "pve1",
            "status": "running",
            "template": 0,
            "tags": "prod;web",
        },
        {"type": "qemu", "vmid": 101, "name": HOSTILE, "node": "pve2", "status": "running", "template": 0},
        {"type": "qemu", "vmid": 9000, "name": "debian", "node": "pve2", "status": "stopped", "template": 1},
        {"type": "lxc", "vmid": 200, "name": "dns", "node": "pve3", "status": "running"},
        # Seen seconds after its creation: the cluster's overview does not know more yet.
        {"type": "qemu", "vmid": 102, "node": "pve3", "status": "unknown"},
    ]
    guests = [
        {
            "vmid": 100,
            "name": "web1",
            "node": "pve1",
            "available": True,
            "reason": "ok",
            "detail": "",
            "remedy": "",
            "primary_ipv4": "192.0.2.50",
            "primary_ipv6": "2001:db8::50",
            "hostname": "web1",
            "os": {"pretty_name": "Debian GNU/Linux 13 (trixie)"},
        },
        {
            "vmid": 101,
            "name": HOSTILE,
            "node": "pve2",
            "available": False,
            "reason": "not_listening",
            "detail": HOSTILE,
            "remedy": "in the guest run 'apt-get install qemu-guest-agent'",
        },
        {
            "vmid": 102,
            "name": "new",
            "node": "pve3",
            "available": False,
            "reason": "vm_stopped",
            "remedy": "qm start 102",
        },
    ]
    preflight = [
        {"code": "member_offline", "severity": "error", "node": "pve1", "text": "pve4 is offline.", "remedy": ""},
        {"code": "old_version", "severity": "warning", "node": "pve2", "text": "It is older.", "remedy": "Upgrade it."},
    ]
    return {
        "made": "2026-11-21 07:00 UTC",
        "cluster_report": cluster_report,
        "guests": guests,
        "resources": resources,
        "preflight": preflight,
    }


@pytest.fixture
def document(told: dict[str, Any]) -> Document:
    return build_document(**told)
