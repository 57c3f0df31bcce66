# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two clones of one node, down to keys and database, become nodes of their own and join a cluster."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from module_runs import ADDRESS, Playground

CLONES = {"pve2": "vm1", "pve3": "vm2"}
#: All that may exist only once, as one line each.
UNIQUE = """cat /etc/machine-id; cut -d' ' -f2 /etc/ssh/ssh_host_ed25519_key.pub; cut -d' ' -f2 /root/.ssh/id_rsa.pub
openssl x509 -in /etc/pve/pve-root-ca.pem -noout -fingerprint -sha256; openssl pkey -in /etc/pve/priv/authkey.key -pubout -outform DER | sha256sum"""
IMAGE = "etc/machine-id etc/ssh root/.ssh/id_rsa root/.ssh/id_rsa.pub var/lib/pve-cluster/config.db"
PLAY = """---
- name: Clones become nodes of their own
  hosts: proxmox_cluster_nodes
  gather_facts: false
  tasks:
    - name: Know whom we speak to
      ansible.builtin.import_role:
        name: baremetal.proxmox.proxmox_ssh_setup

    - name: Become a node of its own
      ansible.builtin.import_role:
        name: baremetal.proxmox.proxmox_node_identity
"""


@pytest.fixture(scope="module")
def nodes(make_playground: Callable[..., Playground]) -> Playground:
    playground = make_playground("pve1", *CLONES)
    # pve3 is a copy of pve2, as two overlays on one image are. Its own directory in /etc/pve is the copied one's.
    packed = playground.lab.node("pve2").root / "root/image.tar"
    playground.on(
        "pve2", f"systemctl stop pve-cluster; tar -C / -cf /root/image.tar {IMAGE}; systemctl start pve-cluster"
    )
    (playground.lab.node("pve3").root / "root/image.tar").write_bytes(packed.read_bytes())
    playground.on(
        "pve3",
        "systemctl stop pveproxy pvedaemon pvestatd pve-ha-lrm pve-ha-crm pve-cluster; rm -f /var/lib/pve-cluster/config.db*; tar -C / -xf /root/image.tar;"
        " systemctl reset-failed; systemctl start pve-cluster; pvecm updatecerts; systemctl start pvedaemon pveproxy pvestatd pve-ha-lrm pve-ha-crm;"
        " systemctl restart ssh",
    )
    for kind in ("pve2-storage", "pve-node-9.0"):
        playground.on("pve2", f"mkdir -p /var/lib/rrdcached/db/{kind}/pve2")
    playground.on(
        "pve2",
        "echo pve2.lab.local > /etc/mailname; mkdir -p /etc/postfix; echo myhostname=pve2.lab.local > /etc/postfix/main.cf",
    )
    playground.controller.variables = {
        "*": {"proxmox_node_identity_domain": "lab.local", "proxmox_preflight_guests": "warn"},
        **{
            host: {"proxmox_node_identity_hostname": name, "hostname": f"{name}.lab.local"}
            for host, name in CLONES.items()
        },
    }
    playground.controller.write_inventory(playground.names)
    return playground


def unique(nodes: Playground, host: str) -> list[str]:
    return nodes.on(host, UNIQUE).splitlines()


@pytest.fixture(scope="module")
def play(nodes: Playground) -> str:
    path = nodes.controller.home / "identity.yml"
    path.write_text(PLAY)
    return str(path)


def test_a_clone_with_a_guest_is_refused(nodes: Playground, play: str) -> None:
    nodes.on("pve3", "qm create 100 --memory 16")
    before = unique(nodes, "pve3")
    refused = nodes.controller.play(play, "--limit", "pve3").refused()
    assert "has guests (100) and cannot become vm2" in refused.words
    assert unique(nodes, "pve3") == before
    nodes.on("pve3", "qm destroy 100")


def test_clones_become_different(nodes: Playground, play: str) -> None:
    assert unique(nodes, "pve2") == unique(nodes, "pve3")
    before = unique(nodes, "pve2")
    planned = nodes.controller.play(play, "--check").check()
    assert planned.changed["pve2"] > 0 and unique(nodes, "pve2") == before
    nodes.controller.play(play).check()
    first, second = unique(nodes, "pve2"), unique(nodes, "pve3")
    assert all(mine not in (other, old) for mine, other, old in zip(first, second, before, strict=True))
    for host, name in CLONES.items():
        assert nodes.on(host, "hostname; ls /etc/pve/nodes").split() == [name, name]
        assert f"{ADDRESS[host]} {name}.lab.local {name}" in nodes.on(host, "cat /etc/hosts")
        assert nodes.on(host, "grep -c . /etc/pve/priv/authorized_keys").strip() != "0"
    assert nodes.on("pve2", "cat /etc/mailname /etc/postfix/main.cf") == "vm1.lab.local\nmyhostname=vm1.lab.local\n"
    assert nodes.on("pve2", "ls -d /var/lib/rrdcached/db/*/vm1 | wc -l").strip() >= "2"


def test_the_second_run_changes_nothing(nodes: Playground, play: str) -> None:
    before = unique(nodes, "pve2")
    assert set(nodes.controller.play(play).check().changed.values()) == {0}
    assert unique(nodes, "pve2") == before


def test_they_join(nodes: Playground, play: str) -> None:
    nodes.controller.play("create-proxmox-cluster").check()
    members = nodes.info("pve1")["cluster"]["members"]
    assert sorted(member["name"] for member in members) == ["pve1", "vm1", "vm2"]
    # In a cluster a node that is itself is still left alone, and another name is refused.
    assert set(nodes.controller.play(play).check().changed.values()) == {0}
    refused = nodes.call("pve2", "proxmox_node_identity", hostname="other", address=ADDRESS["pve2"])
    assert not refused["ok"] and "member of the cluster labcluster" in refused["msg"]
