# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shell script of a separation. It runs detached, and each of its steps may be repeated after a stop.

This file is private to the collection and may change without notice.

The order is that of Proxmox's own manual ("Separate a Node Without Reinstalling"). The marker is what tells a later run
that a separation has begun; it is taken away last.
"""

from __future__ import annotations

import shlex

MARKER = "/var/lib/baremetal-proxmox/leaving"
_DATABASE = "/var/lib/pve-cluster/config.db"
# Kept on tmpfs while the database is replaced: without it nobody could log in by key any more.
KEPT_KEYS = "/run/baremetal-proxmox/authorized_keys"

_PREPARE = """set -eu
umask 077
export LC_ALL=C
say() { printf '%s\\n' "$*"; }
mounted() { grep -q ' /etc/pve fuse' /proc/mounts; }
mkdir -p /var/lib/baremetal-proxmox /run/baremetal-proxmox
"""

_START = f"""{_PREPARE}date -u +%Y-%m-%dT%H:%M:%SZ > {MARKER}
"""

_STOP = """say 'stop pve-cluster and corosync'
systemctl stop pve-cluster corosync
systemctl stop corosync-qdevice 2>/dev/null || true
"""

# What would write below the old name, or put the old keys back, while the name changes.
_SERVICES = "pveproxy pvedaemon pvestatd pve-ha-lrm pve-ha-crm"

_REMOVE_FILES = """rm -f /etc/corosync/authkey /etc/corosync/corosync.conf
rm -rf /etc/corosync/qdevice
rm -f /var/lib/corosync/*
"""

_LOCAL_MODE = f"""say 'remove the configuration of the cluster in local mode'
if [ -e {_DATABASE} ]; then
  pmxcfs -l
  n=0; until mounted; do n=$((n + 1)); [ "$n" -lt 100 ]; sleep 0.1; done
  rm -f /etc/pve/corosync.conf /etc/pve/corosync.conf.new
  {_REMOVE_FILES.strip().replace(chr(10), chr(10) + "  ")}
  kill "$(cat /run/pve-cluster.pid 2>/dev/null)" 2>/dev/null || killall pmxcfs
  n=0; while mounted; do n=$((n + 1)); [ "$n" -lt 150 ]; sleep 0.1; done
  n=0; while pidof pmxcfs > /dev/null; do n=$((n + 1)); [ "$n" -lt 150 ]; sleep 0.1; done
else
  {_REMOVE_FILES.strip().replace(chr(10), chr(10) + "  ")}
fi
"""

_KEEP_KEYS = f"""if [ -s /etc/pve/priv/authorized_keys ]; then cp /etc/pve/priv/authorized_keys {KEPT_KEYS}; fi
"""

_REPLACE_DATABASE = f"""say 'put the database aside'
if [ -e {_DATABASE} ]; then mv {_DATABASE} "{_DATABASE}.$(date +%s).bak"; fi
rm -f {_DATABASE}-wal {_DATABASE}-shm
"""

_BEGIN = """say 'start pve-cluster'
systemctl reset-failed corosync corosync-qdevice pve-cluster 2>/dev/null || true
systemctl start pve-cluster
n=0; until mounted && [ -L /etc/pve/local ]; do n=$((n + 1)); [ "$n" -lt 150 ]; sleep 0.1; done
"""

_RETURN_KEYS = f"""if [ -s {KEPT_KEYS} ]; then
  mkdir -p /etc/pve/priv
  cat {KEPT_KEYS} > /etc/pve/priv/authorized_keys
  rm -f {KEPT_KEYS}
fi
"""

_CERTIFY = """say 'renew certificates and keys'
pvecm updatecerts --force
systemctl reload-or-restart pvedaemon pveproxy
"""

_END = f"""rm -f {MARKER}
say 'separation complete'
"""


def leave_script(variant: str, dump: str | None, forget_guests: bool) -> str:
    """C(separate) keeps the database, C(restore) takes the one from before a join, C(fresh) begins an empty one."""
    if variant == "separate":
        return _START + _STOP + _LOCAL_MODE + _BEGIN + _remove_directories(forget_guests) + _END
    script = _START + (_KEEP_KEYS if variant == "fresh" else "") + _STOP + _REMOVE_FILES + _REPLACE_DATABASE
    if variant == "restore" and dump:
        script += _restore(dump)
    script += _BEGIN
    if variant == "fresh":
        script += _RETURN_KEYS
    return script + _CERTIFY + _END


def rename_script(change: str) -> str:
    """A new identity for a node that is alone and empty: C(change) is run while nothing of Proxmox VE is at work."""
    return (
        _PREPARE
        + _KEEP_KEYS
        + f"say 'stop the services'\nsystemctl stop {_SERVICES}\n"
        + _STOP
        + _REMOVE_FILES
        + _REPLACE_DATABASE
        + change
        + _BEGIN
        + _RETURN_KEYS
        + _CERTIFY
        + f"systemctl start {_SERVICES}\n"
    )


def _restore(dump: str) -> str:
    source = shlex.quote(dump)
    return f"""say 'restore the database from before the join'
rm -f {_DATABASE}.new
gzip -dc {source} | sqlite3 {_DATABASE}.new
chmod 0600 {_DATABASE}.new
mv {_DATABASE}.new {_DATABASE}
"""


def _remove_directories(forget_guests: bool) -> str:
    """All but this node's own; one with guests only if that was asked for, decided at the moment of the removal."""
    kept = "" if forget_guests else _KEEP_GUESTS
    return f"""say 'remove the directories of the other nodes'
own=$(uname -n); own=${{own%%.*}}
[ -n "$own" ]
for directory in /etc/pve/nodes/*; do
  if [ "$directory" = "/etc/pve/nodes/$own" ]; then continue; fi
{kept}  rm -rf "$directory"
done
"""


_KEEP_GUESTS = """  guests=no
  for guest in "$directory"/qemu-server/*.conf "$directory"/lxc/*.conf; do
    if [ -e "$guest" ]; then guests=yes; fi
  done
  if [ "$guests" = yes ]; then
    say "$directory has guests and stays"
    continue
  fi
"""
