# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of one cluster, from bare nodes to bare nodes. The tests of this file stand in the order of that life."""

from __future__ import annotations

import json
import stat
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from node_looks import WRITABLE, can_write, is_quorate, members, shell
from playbook_runs import Controller
from practice_lab import Lab

NODES = ["pve1", "pve2", "pve3"]
STORAGE = "dir: shared\n\tpath /srv\n\tcontent iso\n\tnodes pve1,pve4\n\n"
RULES = "node-affinity: prefer\n\tresources vm:100\n\tnodes pve1:2,pve4:1\n\n"


@pytest.fixture(scope="module")
def lab(make_lab: Callable[[], Lab]) -> Lab:
    return make_lab().up(NODES)


@pytest.fixture(scope="module")
def controller(lab: Lab, make_controller: Callable[..., Controller]) -> Controller:
    controller = make_controller(lab)
    controller.write_inventory(NODES)
    return controller


def is_standalone(lab: Lab, node: str) -> bool:
    """As if it had never been a member: nothing of corosync, no directory of another node, /etc/pve writable."""
    left = shell(
        lab, node, "ls -A /etc/corosync /var/lib/corosync; ls /etc/pve/corosync.conf 2>/dev/null; ls /etc/pve/nodes"
    )
    words = [word for word in left.split() if not word.endswith(":") and word != "uidgid.d"]
    return words == [node] and can_write(lab, node)


def test_the_first_run_creates_the_cluster_with_passwords_from_the_inventory(lab: Lab, controller: Controller) -> None:
    run = controller.play("create-proxmox-cluster").check()
    assert [f"PHASE {number}:" in run.stdout for number in range(1, 7)] == [True] * 6
    assert "✓ PROXMOX VE CLUSTER CREATED SUCCESSFULLY" in run.stdout
    for node in NODES:
        assert members(lab, node) == set(NODES)
        assert is_quorate(lab, node)
    assert all(count > 0 for count in run.changed.values()) and len(run.changed) == 3


def test_the_second_run_changes_nothing_and_needs_no_password(controller: Controller) -> None:
    controller.passwords = False
    controller.write_inventory(NODES)
    assert "password" not in controller.inventory.read_text()
    assert controller.play("create-proxmox-cluster").check().changed == dict.fromkeys(NODES, 0)


def test_the_lists_of_keys_stay_where_proxmox_keeps_them(lab: Lab, controller: Controller) -> None:
    for node in NODES:
        target = shell(lab, node, "readlink /root/.ssh/authorized_keys")
        assert target == "/etc/pve/priv/authorized_keys"
        assert controller.key.with_suffix(".pub").read_text().split()[1] in shell(lab, node, f"cat {target}")


def test_the_host_keys_of_all_nodes_are_known(lab: Lab, controller: Controller) -> None:
    known = controller.known_hosts.read_text()
    for node in NODES:
        served = shell(lab, node, "cat /etc/ssh/ssh_host_ed25519_key.pub").split()[1]
        assert any(line.split()[0] == lab.node(node).ip and served in line for line in known.splitlines())


def test_make_shows_the_cluster(controller: Controller) -> None:
    assert "quorate" in controller.make("cluster-status").check().stdout.lower()
    listed = controller.make("cluster-nodes").check().stdout
    assert all(node in listed for node in NODES)
    report = json.loads(controller.make("cluster-health", "OUTPUT=json").check().stdout)
    assert report["healthy"] is True


def test_a_member_without_corosync_is_named(lab: Lab, controller: Controller) -> None:
    shell(lab, "pve2", "systemctl stop corosync")
    try:
        run = controller.make("cluster-health", "OUTPUT=json").refused()
        assert json.loads(run.stdout)["healthy"] is False
        text = controller.make("cluster-health").refused()
        assert "pve2" in text.stdout and "->" in text.stdout
    finally:
        shell(lab, "pve2", "systemctl start corosync")
        shell(lab, "pve2", WRITABLE)


def test_a_new_host_in_the_inventory_is_joined_and_nothing_else_changes(lab: Lab, controller: Controller) -> None:
    lab.up(["pve4"])
    controller.passwords = True
    controller.write_inventory([*NODES, "pve4"])
    run = controller.make("add-node", "CONFIRM=yes").check()
    assert run.changed.pop("pve4") > 0
    assert members(lab, "pve1") == members(lab, "pve4") == {*NODES, "pve4"}


def test_a_reinstalled_member_is_refused_until_its_new_host_key_is_accepted(lab: Lab, controller: Controller) -> None:
    lab.reinstall("pve4")
    refused = controller.make("rejoin-node", "NODE=pve4", "CONFIRM=pve4").refused()
    remedy = f"ssh-keygen -R '{lab.node('pve4').ip}' -f {controller.known_hosts}"
    assert remedy in refused.words
    assert members(lab, "pve1") == {*NODES, "pve4"}  # nothing was done yet
    controller.run(["sh", "-c", remedy]).check()
    controller.make("rejoin-node", "NODE=pve4", "CONFIRM=pve4").check()
    assert members(lab, "pve4") == members(lab, "pve1") == {*NODES, "pve4"}
    controller.passwords = False
    controller.write_inventory([*NODES, "pve4"])
    assert set(controller.play("create-proxmox-cluster").check().changed.values()) == {0}


def test_a_member_is_removed_with_all_that_names_it(lab: Lab, controller: Controller) -> None:
    lab.node("pve1").run(["sh", "-c", "cat >> /etc/pve/storage.cfg"], STORAGE).check()
    lab.node("pve1").run(["sh", "-c", "mkdir -p /etc/pve/ha; cat > /etc/pve/ha/rules.cfg"], RULES).check()
    lab.node("pve1").run(["sh", "-c", "cat > /etc/pve/ha/resources.cfg"], "vm: 100\n\n").check()
    controller.make("remove-node", "NODE=pve4", "CONFIRM=pve4", "ARGS=-e remove_with_active_ha=true").check()
    assert members(lab, "pve1") == set(NODES)
    assert is_standalone(lab, "pve4")
    keys = "/etc/pve/priv/authorized_keys /etc/pve/priv/known_hosts /root/.ssh/known_hosts"
    files = f"/etc/pve/storage.cfg /etc/pve/ha/rules.cfg {keys}"
    named = shell(lab, "pve1", f"ls /etc/pve/nodes; cat {files} 2>/dev/null || true")
    assert "pve4" not in named and lab.node("pve4").ip not in named
    assert all("pve4" not in shell(lab, node, "cat /root/.ssh/known_hosts") for node in NODES)
    assert "nodes pve1\n" in named and "nodes pve1:2\n" in named
    shell(lab, "pve1", "rm /etc/pve/ha/rules.cfg /etc/pve/ha/resources.cfg; pvesm remove shared")


def test_destroy_wants_the_word(lab: Lab, controller: Controller) -> None:
    controller.write_inventory(NODES)
    assert "Nothing was done" in controller.make("destroy-cluster", "CONFIRM=yes").refused().output
    assert "Nothing was done" in controller.play("destroy-proxmox-cluster").refused().words
    assert members(lab, "pve1") == set(NODES)


def test_guests_are_not_cut_off_in_silence(lab: Lab, controller: Controller) -> None:
    with lab.fault("guest", "pve3", vmid=123):
        refused = controller.make("destroy-cluster", "CONFIRM=destroy").refused()
        assert "pve3 has guests (123)" in refused.words and "destroy_with_guests=true" in refused.words
        assert members(lab, "pve1") == set(NODES)


def test_destroying_leaves_standalone_nodes_and_a_backup(lab: Lab, controller: Controller) -> None:
    lab.fault("guest", "pve3", vmid=123)
    boots = {
        node: shell(lab, node, "cat /proc/sys/kernel/random/boot_id; cat /proc/1/stat | cut -d' ' -f22")
        for node in NODES
    }
    run = controller.make("destroy-cluster", "CONFIRM=destroy", "ARGS=-e destroy_with_guests=true").check()
    assert "✓ Cluster destroyed" in run.stdout
    for node in NODES:
        assert is_standalone(lab, node)
    for node, boot in boots.items():
        assert shell(lab, node, "cat /proc/sys/kernel/random/boot_id; cat /proc/1/stat | cut -d' ' -f22") == boot
    assert shell(lab, "pve3", "ls /etc/pve/nodes/pve3/qemu-server") == "123.conf"
    backup = controller.inventory.parent / "backup"
    assert stat.S_IMODE(backup.stat().st_mode) == 0o700
    saved = sorted(backup.rglob("*.tar.gz"))
    assert [path.name.split("-")[0] for path in saved] == NODES
    with tarfile.open(saved[0]) as archive:
        assert {Path(name).name for name in archive.getnames()} >= {
            "config.db",
            "corosync.conf",
            "storage.cfg",
            "authkey",
        }
    assert {oct(stat.S_IMODE(path.stat().st_mode)) for path in saved} == {"0o600"}


def test_it_can_be_created_again_with_the_member_that_was_removed(lab: Lab, controller: Controller) -> None:
    nodes = ["pve1", "pve4"]
    controller.write_inventory(nodes)
    controller.play("create-proxmox-cluster").check()
    assert all(members(lab, node) == set(nodes) for node in nodes)
