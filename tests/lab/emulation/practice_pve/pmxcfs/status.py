# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What this node knows of the cluster beside the tree: quorum, members, status values, counters, the cluster's log."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from practice_pve.pmxcfs.cluster_log import ClusterLog, LogEntry
from practice_pve.pmxcfs.guest_list import GuestList
from practice_pve.pmxcfs.log import log
from practice_pve.pmxcfs.status_texts import members_text, version_text

MAX_STATUS_SIZE = 32 * 1024
RRD_KEEP_SECONDS = 5 * 60

OBSERVED_FILES = (
    "corosync.conf corosync.conf.new storage.cfg user.cfg domains.cfg notifications.cfg priv/notifications.cfg"
    " priv/shadow.cfg priv/acme/plugins.cfg priv/tfa.cfg priv/token.cfg priv/wg-keys.cfg datacenter.cfg vzdump.cron"
    " vzdump.conf jobs.cfg ha/crm_commands ha/manager_status ha/resources.cfg ha/rules.cfg ha/groups.cfg ha/fence.cfg"
    " status.cfg replication.cfg ceph.conf sdn/vnets.cfg sdn/zones.cfg sdn/controllers.cfg sdn/subnets.cfg"
    " sdn/ipams.cfg sdn/mac-cache.json sdn/pve-ipam-state.json sdn/dns.cfg sdn/fabrics.cfg sdn/route-maps.cfg"
    " sdn/prefix-lists.cfg sdn/.running-config virtual-guest/cpu-models.conf virtual-guest/profiles.cfg"
    " firewall/cluster.fw mapping/directory.cfg mapping/pci.cfg mapping/usb.cfg"
).split()


@dataclass(slots=True)
class Value:
    data: bytes
    version: int = 0


Values = dict[str, Value]


@dataclass(slots=True)
class Member:
    name: str
    node_id: int
    online: bool = False
    values: Values | None = None


@dataclass(slots=True)
class ClusterInfo:
    name: str
    config_version: int
    members: dict[int, Member] = field(default_factory=dict)


def set_value(values: Values, key: str, data: bytes) -> None:
    """An empty value removes the key; a new key starts at version 0."""
    if not data:
        values.pop(key, None)
    elif key in values:
        values[key].data = data
        values[key].version += 1
    else:
        values[key] = Value(data)


class Status:
    def __init__(self, node_name: str, address: str) -> None:
        self.node_name = node_name
        self.address = address
        self.lock = threading.RLock()
        self.start_time = int(time.time())
        self.quorate = False
        self.cluster: ClusterInfo | None = None
        self.cluster_version = 0
        self.guests = GuestList()
        self.values: Values = {}
        self.addresses: dict[str, str] = {}
        self.file_versions = dict.fromkeys(OBSERVED_FILES, 0)
        self.cluster_log = ClusterLog(node_name)
        self.send: Callable[[str, bytes], None] | None = None  # to the other members, once there is a cluster
        self.send_log: Callable[[LogEntry], None] | None = None
        self._rrd: dict[str, tuple[bytes, float]] = {}
        self._rrd_text = (b"", 0.0)

    # -- quorum and members ----------------------------------------------------------------------------------------

    def set_quorate(self, quorate: bool, quiet: bool = False) -> None:
        with self.lock:
            before, self.quorate = self.quorate, quorate
        if before != quorate and not quiet:
            log.notice("status", "node has quorum" if quorate else "node lost quorum")

    def set_cluster(self, cluster: ClusterInfo) -> None:
        """A new node list; known nodes keep what is known of them."""
        with self.lock:
            self.cluster_version += 1
            log.notice(
                "status", f"update cluster info (cluster name  {cluster.name}, version = {cluster.config_version})"
            )
            for node_id, old in (self.cluster.members if self.cluster else {}).items():
                if node_id in cluster.members:
                    cluster.members[node_id].online = old.online
                    cluster.members[node_id].values = old.values
            self.cluster = cluster

    def set_online(self, node_ids: set[int]) -> None:
        with self.lock:
            if self.cluster is not None:
                for member in self.cluster.members.values():
                    member.online = member.node_id in node_ids
                self.cluster_version += 1

    # -- files -----------------------------------------------------------------------------------------------------

    def note_change(self, path: str) -> None:
        if path in self.file_versions:
            self.file_versions[path] += 1

    def note_reload(self) -> None:
        for path in self.file_versions:
            self.file_versions[path] += 1

    # -- status values ---------------------------------------------------------------------------------------------

    def _set_address(self, node_name: str, data: bytes) -> None:
        address = data.rstrip(b"\0").decode()
        if self.addresses.get(node_name) != address:
            self.cluster_version += 1
            self.addresses[node_name] = address

    def _set_rrd(self, key: str, data: bytes) -> None:
        self._rrd[key] = (data, time.time())

    def set_own(self, key: str, data: bytes) -> None:
        with self.lock:
            if key.startswith("rrd/"):
                self._set_rrd(key.removeprefix("rrd/"), data)
            elif key == "nodeip":
                self._set_address(self.node_name, data)
            else:
                set_value(self.values, key, data)
        if self.send is not None:
            self.send(key, data)

    def set_of_member(self, node_id: int, key: str, data: bytes) -> None:
        """A value that another member has sent; unknown members are ignored, as corosync may know them before we do."""
        with self.lock:
            member = self.cluster.members.get(node_id) if self.cluster else None
            if member is None:
                return
            if key.startswith("rrd/"):
                self._set_rrd(key.removeprefix("rrd/"), data)
            elif key == "nodeip":
                self._set_address(member.name, data)
            else:
                if member.values is None:
                    member.values = {}
                set_value(member.values, key, data)

    def get(self, node_name: str, key: str) -> bytes | None:
        with self.lock:
            values: Values | None = None
            if node_name in ("", self.node_name):
                values = self.values
            elif self.cluster is not None:
                values = next((m.values for m in self.cluster.members.values() if m.name == node_name), None)
            value = (values or {}).get(key)
            return value.data if value is not None else None

    def add_to_log(self, user: str, tag: str, message: str, priority: int, pid: int) -> None:
        entry = self.cluster_log.add(user, tag, message, priority, pid)
        if self.send_log is not None:
            self.send_log(entry)

    # -- the texts -------------------------------------------------------------------------------------------------

    def members_text(self) -> str:
        with self.lock:
            return members_text(self)

    def version_text(self) -> str:
        with self.lock:
            return version_text(self)

    def guests_text(self) -> str:
        with self.lock:
            return self.guests.to_text()

    def rrd_text(self) -> bytes:
        with self.lock:
            now = time.time()
            text, made = self._rrd_text
            if text and now - made < 2:
                return text
            self._rrd = {key: value for key, value in self._rrd.items() if now - value[1] <= RRD_KEEP_SECONDS}
            text = b"".join(key.encode() + b":" + data.rstrip(b"\0") + b"\n" for key, (data, _t) in self._rrd.items())
            self._rrd_text = (text, now)
            return text
