# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan that makes a clone a node of its own.

This file is private to the collection and may change without notice.

An empty clone gets a fresh database of /etc/pve instead of renamed directories: renaming would keep the authority, the keys and the
tokens that all other clones have as well.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .._cluster.scripts import KEPT_KEYS, rename_script
from .._plan import Plan, Step
from .name_files import rewrite_hosts, rewrite_postfix

#: Written when a clone has become itself; it names the machine-id that it got then.
MARKER = "/var/lib/baremetal-proxmox/identity.json"
HOSTS, MAILNAME, POSTFIX = "/etc/hosts", "/etc/mailname", "/etc/postfix/main.cf"
#: Proxmox VE 8 keeps its figures below pve2-*, version 9 below pve-*-9.0. Both have a directory or file by the node's name.
_FIGURES = ("pve2-node", "pve2-storage", "pve-node-9.0", "pve-storage-9.0")


class IdentityError(Exception):
    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(f"{message} {remedy}".strip())
        self.remedy = remedy


@dataclass(frozen=True)
class Wish:
    hostname: str
    domain: str
    address: str

    @property
    def fqdn(self) -> str:
        return f"{self.hostname}.{self.domain}" if self.domain else self.hostname


@dataclass(frozen=True)
class Clone:
    """What the node is now. C(files) are those of the texts with the name that exist; C(marker) is what an earlier run left."""

    hostname: str
    machine_id: str
    files: Mapping[str, str] = field(default_factory=dict)
    marker: Mapping[str, Any] = field(default_factory=dict)
    cluster: str | None = None
    guests: tuple[str, ...] = ()

    def is_itself(self, wish: Wish) -> bool:
        return (
            self.marker == {"hostname": wish.hostname, "machine_id": self.machine_id} and self.hostname == wish.hostname
        )


def plan_identity(wish: Wish, clone: Clone) -> Plan:
    if not re.fullmatch(r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?", wish.hostname):
        raise IdentityError(
            f"'{wish.hostname}' is not a node's name.",
            "Letters, digits and dashes, 63 at most; the domain goes into domain.",
        )
    is_itself = clone.is_itself(wish)
    if not is_itself:
        _refuse_occupied(wish, clone)
    steps = _file_steps(wish, clone)
    if not is_itself:
        summary = f"Make {clone.hostname} the node {wish.hostname}: machine-id, SSH host keys, root's key, authority and keys of /etc/pve are new."
        steps.append(Step("renew", summary, {"script": rename_script(renewal(wish, clone.hostname))}))
    before = {"hostname": clone.hostname, "machine_id": clone.machine_id, **clone.files}
    after = {**before, **_texts(wish, clone), "hostname": wish.hostname}
    if not is_itself:
        after["machine_id"] = "(new)"
    return Plan(tuple(steps), before, after)


def _refuse_occupied(wish: Wish, clone: Clone) -> None:
    if clone.cluster:
        raise IdentityError(
            f"{clone.hostname} is a member of the cluster {clone.cluster} and cannot become {wish.hostname}.",
            "Take it out of the cluster first (make remove-node).",
        )
    if clone.guests:
        raise IdentityError(
            f"{clone.hostname} has guests ({', '.join(clone.guests)}) and cannot become {wish.hostname}: a new identity empties /etc/pve.",
            "Remove or move them first.",
        )


def _texts(wish: Wish, clone: Clone) -> dict[str, str]:
    texts = {HOSTS: rewrite_hosts(clone.files.get(HOSTS, ""), clone.hostname, wish.fqdn, wish.address)}
    if MAILNAME in clone.files:
        texts[MAILNAME] = f"{wish.fqdn}\n"
    if POSTFIX in clone.files:
        texts[POSTFIX] = rewrite_postfix(clone.files[POSTFIX], wish.fqdn)
    return texts


def _file_steps(wish: Wish, clone: Clone) -> list[Step]:
    # The hosts file before the host name: Proxmox VE looks its name up the moment it has a new one.
    return [
        Step("write", f"Write {path}.", {"path": path, "text": text})
        for path, text in _texts(wish, clone).items()
        if text != clone.files.get(path)
    ]


def renewal(wish: Wish, old: str) -> str:
    """What is done to the node while nothing of Proxmox VE is at work; every line may be repeated after a stop."""
    new = shlex.quote(wish.hostname)
    figures = "\n".join(
        f"if [ -e {base}/{shlex.quote(old)} ]; then rm -rf {base}/{new}; mv {base}/{shlex.quote(old)} {base}/{new}; fi"
        for base in (f"/var/lib/rrdcached/db/{kind}" for kind in _FIGURES)
        if old != wish.hostname
    )
    return f"""say 'take the name {wish.hostname}'
# The key that all clones have may not log in anywhere again.
if [ -s {KEPT_KEYS} ] && [ -s /root/.ssh/id_rsa.pub ]; then
  grep -vF "$(cut -d' ' -f2 /root/.ssh/id_rsa.pub)" {KEPT_KEYS} > {KEPT_KEYS}.new || true
  mv {KEPT_KEYS}.new {KEPT_KEYS}
fi
printf '%s\\n' {new} > /etc/hostname
chmod 644 /etc/hostname
hostname {new}
{figures}
say 'new machine-id, SSH host keys and root key'
rm -f /etc/machine-id
tr -d - < /proc/sys/kernel/random/uuid > /etc/machine-id
chmod 444 /etc/machine-id
if [ -f /var/lib/dbus/machine-id ] && [ ! -L /var/lib/dbus/machine-id ]; then cp /etc/machine-id /var/lib/dbus/machine-id; fi
rm -f /etc/ssh/ssh_host_*_key /etc/ssh/ssh_host_*_key.pub
ssh-keygen -q -A
systemctl reload-or-restart ssh
rm -f /root/.ssh/id_rsa /root/.ssh/id_rsa.pub /root/.ssh/known_hosts
if [ -e /etc/iscsi/initiatorname.iscsi ]; then
  name=$(iscsi-iname 2>/dev/null) || name="iqn.1993-08.org.debian:01:$(cut -c1-12 /etc/machine-id)"
  printf 'InitiatorName=%s\\n' "$name" > /etc/iscsi/initiatorname.iscsi
fi
"""
