# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One file per branch of the API tree.

``BRANCHES`` says which module holds the methods below a path, so that a command imports only what it needs.
A module is loaded when a path below its prefix is looked up; several modules may share a prefix.
"""

from __future__ import annotations

BRANCHES: tuple[tuple[str, str], ...] = (
    ("/version", "practice_pve.api.version"),
    ("/access", "practice_pve.api.access"),
    ("/access/users", "practice_pve.api.access_users"),
    ("/access/groups", "practice_pve.api.access_objects"),
    ("/access/roles", "practice_pve.api.access_objects"),
    ("/access/acl", "practice_pve.api.access_objects"),
    ("/cluster", "practice_pve.api.cluster"),
    ("/cluster/config", "practice_pve.api.cluster_config"),
    ("/cluster/ha", "practice_pve.api.cluster_ha"),
    ("/cluster/ha/rules", "practice_pve.api.cluster_ha_rules"),
    ("/cluster/ha/groups", "practice_pve.api.cluster_ha_groups"),
    ("/cluster/nextid", "practice_pve.api.cluster_resources"),
    ("/cluster/resources", "practice_pve.api.cluster_resources"),
    ("/nodes", "practice_pve.api.nodes"),
    ("/nodes/{node}/tasks", "practice_pve.api.node_tasks"),
    ("/nodes/{node}/services", "practice_pve.api.node_services"),
    ("/nodes/{node}/certificates", "practice_pve.api.node_certificates"),
    ("/nodes/{node}/syslog", "practice_pve.api.node_logs"),
    ("/nodes/{node}/journal", "practice_pve.api.node_logs"),
    ("/nodes/{node}/qemu", "practice_pve.api.qemu"),
    ("/nodes/{node}/qemu/{vmid}/status", "practice_pve.api.qemu_power"),
    ("/nodes/{node}/qemu/{vmid}", "practice_pve.api.qemu_disks"),
    ("/nodes/{node}/qemu/{vmid}", "practice_pve.api.qemu_clone"),
    ("/nodes/{node}/qemu/{vmid}/snapshot", "practice_pve.api.qemu_snapshot"),
    ("/nodes/{node}/qemu/{vmid}/cloudinit", "practice_pve.api.qemu_cloudinit"),
    ("/nodes/{node}/qemu/{vmid}/agent", "practice_pve.api.qemu_agent"),
    ("/nodes/{node}/qemu/{vmid}/agent", "practice_pve.api.qemu_agent_work"),
    ("/nodes/{node}/qemu/{vmid}", "practice_pve.api.qemu_monitor"),
    ("/nodes/{node}/qemu/{vmid}/migrate", "practice_pve.api.qemu_migrate"),
    ("/nodes/{node}/lxc", "practice_pve.api.lxc"),
    ("/nodes/{node}/lxc/{vmid}/status", "practice_pve.api.lxc_power"),
    ("/nodes/{node}/lxc/{vmid}", "practice_pve.api.lxc_disks"),
    ("/nodes/{node}/lxc/{vmid}/interfaces", "practice_pve.api.lxc_power"),
    ("/nodes/{node}/storage", "practice_pve.api.node_storage"),
    ("/nodes/{node}/scan", "practice_pve.api.node_scan"),
    ("/nodes/{node}/vzdump", "practice_pve.api.vzdump"),
    ("/cluster", "practice_pve.api.defaults"),
    ("/nodes/{node}", "practice_pve.api.defaults"),
    ("/storage", "practice_pve.api.storage"),
    ("/pools", "practice_pve.api.pools"),
)
