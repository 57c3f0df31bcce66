# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts about a lab: status, inventory, ssh configuration, hosts file."""

from __future__ import annotations

from .errors import LabError
from .lab import Lab


def summary(lab: Lab) -> str:
    """One line for "lab list"."""
    try:
        nodes = lab.nodes()
    except LabError:
        return f"{lab.name}: leftovers without a description (lab down --name {lab.name})"
    running = sum(node.leader() is not None for node in nodes)
    return f"{lab.name}: {len(nodes)} nodes, {running} running"


def status(lab: Lab, memory: bool = True) -> str:
    """A table of the nodes."""
    lines = [f"{'NODE':<16} {'ADDRESS':<19} {'STATE':<9} {'PID':>7}" + ("  MEMORY" if memory else "") + "  LINKS"]
    for node in lab.nodes():
        leader = node.leader()
        state = "off"
        if leader is not None:
            state = node.run(["systemctl", "is-system-running"]).stdout.strip() or "booting"
        line = f"{node.name:<16} {node.spec.address:<19} {state:<9} {leader or '-':>7}"
        if memory:
            line += f" {node.memory() / 2**20:>4.0f} MB"
        lines.append(f"{line}  {' '.join(node.spec.links) or '-'}")
    return "\n".join(lines)


def inventory(lab: Lab) -> str:
    """An INI inventory in the shape that a first-time user writes: first node primary, the others nodes."""
    spec = lab.spec()
    entries = [
        f"{node.name} ansible_host={node.ip} hostname={node.name} ansible_password={quoted(node.password)}"
        for node in spec.nodes
    ]
    return "\n".join(
        [
            "[proxmox_cluster_primary]", *entries[:1], "", "[proxmox_cluster_nodes]", *entries[1:], "",
            "[proxmox_cluster:children]", "proxmox_cluster_primary", "proxmox_cluster_nodes", "",
            "[proxmox_cluster:vars]", "ansible_user=root", f"cluster_name={spec.cluster_name}", "",
        ]
    )  # fmt: skip


def quoted(value: str) -> str:
    """A value as Ansible's INI format needs it on a host line."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'" if set(value) & set(" #'\"\\=;") else value


def ssh_config(lab: Lab) -> str:
    """Reach the nodes by name; host keys are not checked because every lab has new ones."""
    text = ""
    for node in lab.spec().nodes:
        text += (
            f"Host {node.name} {node.fqdn} {node.ip}\n    HostName {node.ip}\n    User root\n"
            "    StrictHostKeyChecking no\n    UserKnownHostsFile /dev/null\n    LogLevel ERROR\n"
        )
    return text
