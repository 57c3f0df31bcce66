# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes in the form in which the collector tells of them, built from recorded outputs."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.interpret import interpret

FIXTURES = Path(__file__).parent / "_cluster" / "fixtures"
UNITS = "corosync pve-cluster pvedaemon pveproxy pve-ha-crm pve-ha-lrm watchdog-mux".split()
OURS = [f"baremetal-proxmox-{operation}" for operation in ("create", "join", "leave", "remove")]


def units_text(corosync: str = "active", running: str = "", pmxcfs: str = "active") -> str:
    blocks = []
    for name in UNITS:
        active = {"corosync": corosync, "pve-cluster": pmxcfs}.get(name, "active")
        sub = {"active": "running", "failed": "failed"}.get(active, "dead")
        enabled = "UnitFileState=enabled"
        blocks.append(f"ActiveState={active}\nSubState={sub}\n{enabled}\nId={name}.service\nLoadState=loaded")
    for name in OURS:
        active, sub, load = ("active", "running", "loaded") if name == running else ("inactive", "dead", "not-found")
        blocks.append(f"Id={name}.service\nLoadState={load}\nActiveState={active}\nSubState={sub}\nResult=success")
    return "\n\n".join(blocks) + "\n"


def said(stdout: str, rc: int = 0, stderr: str = "") -> dict[str, Any]:
    return {"value": {"rc": rc, "stdout": stdout, "stderr": stderr}}


@pytest.fixture
def recorded() -> Callable[[str], str]:
    return lambda name: (FIXTURES / f"{name}.txt").read_text(encoding="utf-8")


@pytest.fixture
def member() -> Callable[..., dict[str, Any]]:
    """pve1 of three, all well; keyword arguments replace entries, C(pmxcfs=) those on /etc/pve."""

    def build(pmxcfs: dict[str, Any] | None = None, **changed: Any) -> dict[str, Any]:
        config = (FIXTURES / "healthy-corosync-conf.txt").read_text(encoding="utf-8")
        members = (
            (FIXTURES / "healthy-members.txt")
            .read_text(encoding="utf-8")
            .replace('"nodename": "pve2"', '"nodename": "pve1"')
        )
        lrm = {"value": '{"mode":"active","results":{},"state":"wait_for_agent_lock","timestamp":1795208954}'}
        on_pmxcfs = {
            "members": {"value": members},
            "corosync_conf": {"value": config},
            "write_bit": {"value": True},
            "node_directories": {
                "value": {
                    name: {"guests": [], "certificate": True, "lrm_status": lrm} for name in ("pve1", "pve2", "pve3")
                }
            },
            "disk_certificate": {"value": {"file": "pve-ssl.pem", "fingerprint": "AA:BB", "key": True}},
            "ha_manager_status": {"value": None},
            "ha_resources": {"value": None},
        }
        on_pmxcfs.update(pmxcfs or {})
        collected = {
            "node_name": "pve1",
            "boot_id": {"value": "f00\n"},
            "mounted": {"value": True},
            "pmxcfs": on_pmxcfs,
            "local_corosync_conf": {"value": config},
            "authkey": {"value": 256},
            "ring_files": {"value": ["ringid_1"]},
            "database": {"value": 36864},
            "database_holds_cluster": {"reason": "pmxcfs is running."},
            "database_dumps": {"value": None},
            "served_certificate": {"value": "AA:BB"},
            "units": said(units_text()),
            "quorum": said((FIXTURES / "healthy-quorumtool-s.txt").read_text(encoding="utf-8")),
            "links": said((FIXTURES / "healthy-cfgtool-s.txt").read_text(encoding="utf-8")),
            "foreign_commands": {"value": []},
            "local_addresses": {"value": ["127.0.0.1", "10.99.0.11"]},
            "own_addresses": {"value": ["10.99.0.11"]},
            "leave_marker": {"value": None},
            "lease": {"value": None},
        }
        return copy.deepcopy(collected | changed)

    return build


@pytest.fixture
def standalone(member: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """A node in no cluster, pve4 unless named otherwise."""

    def build(name: str = "pve4", pmxcfs: dict[str, Any] | None = None, **changed: Any) -> dict[str, Any]:
        not_running = {"reason": "corosync does not run."}
        on_pmxcfs = {
            "members": {"value": json.dumps({"nodename": name, "version": 0})},
            "corosync_conf": {"value": None},
            "node_directories": {"value": {name: {"guests": [], "certificate": True, "lrm_status": {"value": None}}}},
        }
        address = f"10.99.0.1{name[-1]}"
        settings = {
            "node_name": name,
            "local_corosync_conf": {"value": None},
            "authkey": {"value": None},
            "ring_files": {"value": []},
            "units": said(units_text(corosync="inactive")),
            "quorum": not_running,
            "links": not_running,
            "local_addresses": {"value": ["127.0.0.1", address]},
            "own_addresses": {"value": [address]},
        }
        return member(pmxcfs=on_pmxcfs | (pmxcfs or {}), **(settings | changed))

    return build


@pytest.fixture
def units() -> Callable[..., dict[str, Any]]:
    return lambda **changed: said(units_text(**changed))


@pytest.fixture
def output() -> Callable[..., dict[str, Any]]:
    return said


@pytest.fixture
def snapshot_of() -> Callable[[dict[str, Any]], Any]:
    return interpret
