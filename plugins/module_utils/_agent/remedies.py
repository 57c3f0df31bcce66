# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do about each reason, with the commands to type."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .diagnosis import Observation

_RESTART = "qm shutdown {vmid} && qm start {vmid}"
_INSTALL = (
    "in the guest run 'apt-get install qemu-guest-agent && systemctl start qemu-guest-agent' (Debian, Ubuntu), "
    "'apk add qemu-guest-agent && rc-update add qemu-guest-agent default && rc-service qemu-guest-agent start' (Alpine) or "
    "'dnf install qemu-guest-agent && systemctl enable --now qemu-guest-agent' (Red Hat and relatives)"
)

# Filled in with vmid, node (or NODE), user and the like; "on the node" is where qm runs.
_REMEDIES = {
    "agent_disabled": "run 'qm set {vmid} --agent enabled=1' on {node}{restart_too}",
    "restart_required": f"run '{_RESTART}' on {{node}}; 'qm reboot {{vmid}}' does as well, a reboot from inside the guest does not",
    "vm_stopped": "run 'qm start {vmid}' on {node}",
    "vm_paused": "run 'qm resume {vmid}' on {node}; after an input/output error or a panic look at its storage and console first",
    "device_missing": f"run '{_RESTART}' on {{node}}: the port is made when the virtual machine starts",
    "booting": "wait; if it stays like this, " + _INSTALL,
    "not_listening": _INSTALL,
    "hung_or_busy": "run 'qm agent {vmid} ping' on {node} again in a minute (a backup may use the agent now); if it stays like this, "
    "run 'systemctl restart qemu-guest-agent' (Alpine: 'rc-service qemu-guest-agent restart') in the guest",
    "frozen": "if no backup or snapshot runs, run 'qm guest cmd {vmid} fsfreeze-thaw' on {node}",
    "command_disabled": "in the guest take {commands} out of block-rpcs in /etc/qemu/qemu-ga.conf (Red Hat and relatives: out of the "
    "filter in /etc/sysconfig/qemu-ga), then run 'systemctl restart qemu-guest-agent'",
    "vm_not_found": "run 'pvesh get /cluster/resources --type vm' to see which guests there are and on which node",
    "node_offline": "run 'pvecm status' on another node and start {node} or mend its network",
}


def remedy_of(reason: str, seen: Observation) -> str:
    if reason == "permission_denied":
        return _grant(seen)
    off = seen.status == "stopped"
    return _REMEDIES[reason].format(
        vmid=seen.vmid,
        node=seen.node or "its node",
        restart_too=f", then 'qm start {seen.vmid}'"
        if off
        else ", then " + "'" + _RESTART.format(vmid=seen.vmid) + "' (a reboot from inside the guest is not enough)",
        commands=", ".join(f"guest-{name}" for name in seen.disabled_commands),
    )


def _grant(seen: Observation) -> str:
    """Name a role made for it, since the built-in one that has the privilege has many others too."""
    agent = "VM.GuestAgent.Audit" if seen.major_version >= 9 else "VM.Monitor"
    missing = seen.failure.privileges if seen.failure else ()
    privileges = " ".join(dict.fromkeys(("VM.Audit", agent, *missing)))
    who = "--tokens" if "!" in seen.user else "--users"
    return (
        f"run 'pveum role add GuestFacts --privs \"{privileges}\"' and "
        f"'pveum acl modify /vms/{seen.vmid} --roles GuestFacts {who} {seen.user or 'USER@REALM'}' as root on a node"
    )
