# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Leftovers of an earlier life: cluster keys and configuration, guests."""

from __future__ import annotations

import base64
import os
from typing import Any

from .base import Case, Fault, FaultRefused, Parameter

OLD_CONFIGURATION = """\
logging {{
  debug: off
  to_syslog: yes
}}

nodelist {{
  node {{
    name: {name}
    nodeid: 1
    quorum_votes: 1
    ring0_addr: {address}
  }}
}}

quorum {{
  provider: corosync_votequorum
}}

totem {{
  cluster_name: oldcluster
  config_version: 1
  interface {{
    linknumber: 0
  }}
  ip_version: ipv4-6
  link_mode: passive
  secauth: on
  version: 2
}}
"""


class LeftoverAuthkey(Fault):
    name = "leftover-authkey"
    help = "leave /etc/corosync/authkey of an earlier cluster on a node"

    def apply(self, case: Case) -> dict[str, Any]:
        key = base64.b64encode(os.urandom(256)).decode()
        case.must(
            "sh",
            "-c",
            "umask 077; mkdir -p -m 755 /etc/corosync; base64 -d >/etc/corosync/authkey; chmod 400 /etc/corosync/authkey",
            stdin=key,
        )
        return {}

    def heal(self, case: Case) -> None:
        case.must("rm", "-f", "/etc/corosync/authkey")


class LeftoverConfiguration(Fault):
    name = "leftover-corosync-conf"
    help = "leave a corosync.conf of an earlier cluster on a node, in /etc/pve or in /etc/corosync"
    parameters = (Parameter("place", "where", choices=("/etc/pve", "/etc/corosync"), default="/etc/pve"),)

    def apply(self, case: Case) -> dict[str, Any]:
        path = f"{case.options['place']}/corosync.conf"
        text = OLD_CONFIGURATION.format(name=case.node.name, address=case.node.ip)
        if case.node.run(["test", "-e", path]).rc == 0:
            raise FaultRefused(f"{case.node.name} has {path} already")
        case.must("sh", "-c", f"cat >{path}", stdin=text)
        return {}

    def heal(self, case: Case) -> None:
        case.must("rm", "-f", f"{case.options['place']}/corosync.conf", "/etc/corosync/corosync.conf")


class Guest(Fault):
    name = "guest"
    help = "plant a guest's configuration, on the node itself or as a stale copy under another node's name"
    parameters = (
        Parameter("vmid", "number of the guest", int, 100),
        Parameter("type", "virtual machine or container", choices=("qemu", "lxc"), default="qemu"),
        Parameter("owner", "directory of this node below /etc/pve/nodes (default: the node itself)"),
    )

    def apply(self, case: Case) -> dict[str, Any]:
        path = self._path(case)
        kind = {
            "qemu": "name: planted\ncores: 1\nmemory: 512\nostype: l26\n",
            "lxc": "hostname: planted\narch: amd64\nmemory: 512\nostype: debian\n",
        }
        if case.node.run(["test", "-e", path]).rc == 0:
            raise FaultRefused(f"{case.node.name} has {path} already")
        created = case.must(
            "sh", "-c", 'd=$(dirname "$1"); n=$(dirname "$d"); [ -d "$n" ] || echo "$n"; mkdir -p "$d"', "sh", path
        ).strip()
        case.must("sh", "-c", f"cat >{path}", stdin=kind[case.options["type"]])
        return {"directory": created}

    def heal(self, case: Case) -> None:
        case.must("rm", "-f", self._path(case))
        if case.undo.get("directory"):
            case.must("rm", "-rf", case.undo["directory"])

    @staticmethod
    def _path(case: Case) -> str:
        owner = case.options["owner"] or case.node.name
        folder = {"qemu": "qemu-server", "lxc": "lxc"}[case.options["type"]]
        return f"/etc/pve/nodes/{owner}/{folder}/{case.options['vmid']}.conf"


FAULTS: list[Fault] = [LeftoverAuthkey(), LeftoverConfiguration(), Guest()]
