# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real NFS server in user space, its storage on two nodes, and what happens when the export is killed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from module_runs import Playground
from practice_lab.debian_packages import install_packages

SERVER = "10.99.0.13"
EXPORT = "/srv/nfs/guests"
NFS = {"name": "shared", "type": "nfs", "server": SERVER, "export": EXPORT, "content": ["images", "rootdir"]}
VARIABLES = {
    # The packages are there already: a lab leads nowhere.
    "proxmox_nfs_server_implementation": "ganesha",
    "proxmox_nfs_server_exports": [{"path": EXPORT, "clients": ["10.99.0.0/24"]}],
    # A node's own file system has no handles, and a container may not ask the kernel for everything.
    "proxmox_nfs_server_ganesha_fsal": "MEM",
    "proxmox_nfs_server_ganesha_core": {"allow_set_io_flusher_fail": True},
    "proxmox_storages": [NFS],
}


@pytest.fixture(scope="module")
def nodes(make_playground: Callable[..., Playground]) -> Playground:
    playground = make_playground("pve1", "pve2", "nas")
    install_packages(playground.lab.node("nas"), ["nfs-ganesha", "nfs-ganesha-mem", "python3-apt"])
    playground.found("pve2")
    playground.controller.write_inventory(["pve1", "pve2"])
    with playground.controller.inventory.open("a") as stream:
        key = playground.controller.key
        stream.write(
            f"\n[proxmox_nfs_servers]\nnas ansible_host={SERVER} ansible_user=root ansible_ssh_private_key_file={key}\n"
        )
    return playground


def define(nodes: Playground, *flags: str, **more: Any) -> dict[str, Any]:
    return nodes.call("pve1", "proxmox_storage", *flags, **{**NFS, **more})


def test_without_a_server_nothing_is_defined(nodes: Playground) -> None:
    refused = define(nodes)
    assert not refused["ok"]
    assert sorted(refused["nodes"]) == ["pve1", "pve2"]
    assert "showmount" in refused["nodes"]["pve2"]
    assert "shared" not in nodes.on("pve1", "cat /etc/pve/storage.cfg")


def test_server_and_storage_in_one_run_and_the_second_changes_nothing(nodes: Playground, tmp_path: Path) -> None:
    variables = tmp_path / "nfs.json"
    variables.write_text(json.dumps(VARIABLES))
    first = nodes.play("setup_nfs_storage", "-e", f"@{variables}").check()
    assert first.changed["nas"] > 0 and first.changed["pve1"] == 1
    assert EXPORT in nodes.on("pve2", f"showmount --no-headers --exports {SERVER}")
    assert "active" in nodes.on("pve2", "pvesm status --storage shared")
    assert set(nodes.play("setup_nfs_storage", "-e", f"@{variables}").check().changed.values()) == {0}


def test_every_node_is_asked_also_in_check_mode(nodes: Playground) -> None:
    planned = define(nodes, "--check", name="more")
    assert planned["changed"] and planned["checked_nodes"] == ["pve1", "pve2"]
    assert "nfs: more" not in nodes.on("pve1", "cat /etc/pve/storage.cfg")
    assert not define(nodes)["changed"]


def test_a_killed_export_is_a_named_failure(nodes: Playground) -> None:
    nodes.on("nas", "systemctl kill --signal=KILL nfs-ganesha; systemctl stop nfs-ganesha")
    before = nodes.on("pve1", "cat /etc/pve/storage.cfg")
    refused = define(nodes, name="second")
    assert not refused["ok"] and f"{SERVER}:{EXPORT} cannot be used from pve1, pve2" in refused["msg"]
    by_version_4 = define(nodes, name="third", options="vers=4.2")
    assert sorted(by_version_4["nodes"]) == ["pve1", "pve2"]
    assert "Connection refused" in by_version_4["nodes"]["pve2"]
    assert nodes.on("pve1", "cat /etc/pve/storage.cfg") == before


def test_a_storage_in_use_stays(nodes: Playground) -> None:
    nodes.on("nas", "systemctl start nfs-ganesha")
    nodes.wait("pve1", f"showmount --no-headers --exports {SERVER}")
    nodes.on("pve1", "pvesm alloc shared 120 '' 64M && qm create 120 --memory 64 --scsi0 shared:120/vm-120-disk-0.raw")
    refused = nodes.call("pve2", "proxmox_storage", name="shared", state="absent")
    assert not refused["ok"] and "virtual machine 120 on pve1 (scsi0)" in refused["msg"]
    nodes.on("pve1", "qm destroy 120")
    assert nodes.change("pve2", "proxmox_storage", name="shared", state="absent")["changed"]
    assert not nodes.change("pve2", "proxmox_storage", name="shared", state="absent")["changed"]
