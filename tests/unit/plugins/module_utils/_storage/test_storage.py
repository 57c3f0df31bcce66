# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Storages: what is declared, what is there, what is written; and nothing is written when a node does not reach them."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.baremetal.proxmox.plugins.module_utils._desired.errors import InvalidValue
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.errors import Failed, NotFound
from ansible_collections.baremetal.proxmox.plugins.module_utils._storage.arguments import module_options
from ansible_collections.baremetal.proxmox.plugins.module_utils._storage.errors import StorageError
from ansible_collections.baremetal.proxmox.plugins.module_utils._storage.module_run import Settled, settle
from ansible_collections.baremetal.proxmox.plugins.module_utils._storage.tables import FIXED, STORAGE, TYPES
from ansible_collections.baremetal.proxmox.plugins.module_utils._storage.wish import parse_wish
from fake_session import FakeSession

NFS = {"name": "shared", "type": "nfs", "server": "10.0.0.9", "export": "/srv/x", "content": ["images", "rootdir"]}
THERE = {
    "storage": "shared", "type": "nfs", "server": "10.0.0.9", "export": "/srv/x", "content": "rootdir,images",
    "path": "/mnt/pve/shared", "digest": "d1",
}  # fmt: skip
EXPORTS = [{"path": "/srv/x", "options": "*"}]
NODES = [{"type": "node", "name": "pve1", "online": 1}, {"type": "node", "name": "pve2", "online": 1}]


class Datacenter(FakeSession):
    """One storage or none, two nodes, and what their scans say."""

    def __init__(self, there: dict[str, Any] | None = None, **scans: Any) -> None:
        super().__init__(handler=self._handle)
        self.there = there
        self.scans: dict[str, Any] = {"pve1": EXPORTS, "pve2": EXPORTS, **scans}
        self.nodes = NODES
        self.guests: list[dict[str, Any]] = []
        self.configs: dict[str, Any] = {}

    def _handle(self, method: str, path: str, params: dict[str, Any]) -> Any:
        if method != "GET":
            if method == "POST":
                self.there = {**params, "digest": "d2"}
            elif method == "DELETE":
                self.there = None
            return {}
        if path == "/storage/shared":
            return self.there or NotFound("storage 'shared' does not exist")
        if path == "/cluster/status":
            return self.nodes
        if "/scan/" in path:
            return self.scans[path.split("/")[2]]
        if path == "/cluster/resources":
            return self.guests
        if path.endswith("/config"):
            return self.configs[path]
        assert path in ("/storage", "/cluster/backup"), path
        return []


def no_connection(node: str, server: str, port: int) -> str | None:
    return f"port {port} of {server}: Connection refused"


def run(session: FakeSession, *, check: bool = False, connect: Any = no_connection, **declared: Any) -> Settled:
    return settle(session, parse_wish({**declared}), connect, check)


def test_every_key_belongs_to_a_type_and_every_type_has_only_keys_of_the_table() -> None:
    used = {key for kind in TYPES.values() for key in kind.keys}
    assert used == set(STORAGE.rows)
    assert set(FIXED) <= used
    assert {key.replace("-", "_") for key in used} <= set(module_options())


def test_it_is_defined_after_all_nodes_were_asked() -> None:
    session = Datacenter()
    settled = run(session, **NFS)
    assert settled.checked_nodes == ("pve1", "pve2")
    (write,) = session.writes
    assert (write.method, write.path) == ("POST", "/storage")
    assert write.params == {
        "storage": "shared", "type": "nfs", "server": "10.0.0.9", "export": "/srv/x", "content": "images,rootdir",
    }  # fmt: skip


def test_check_mode_asks_and_writes_nothing() -> None:
    session = Datacenter()
    settled = run(session, check=True, **NFS)
    assert settled.plan.summaries == ["Define storage shared (nfs)."]
    assert settled.checked_nodes and not session.writes


def test_what_is_there_is_left_alone_whatever_the_order() -> None:
    session = Datacenter(dict(THERE))
    settled = run(session, **NFS, nodes=[])
    assert not settled.plan.changed and not settled.checked_nodes and not session.writes


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            Failed("command '/sbin/showmount' failed: exit code 1"),
            "pve2: command '/sbin/showmount' failed: exit code 1",
        ),
        ([], "pve2: /srv/x is not among what is there (nothing)"),
        ([{"path": "/srv/y", "options": "*"}], "(/srv/y)"),
    ],
)
def test_a_node_that_does_not_reach_the_export_is_named_and_nothing_written(answer: Any, words: str) -> None:
    session = Datacenter(pve2=answer)
    with pytest.raises(StorageError) as caught:
        run(session, **NFS)
    assert words in str(caught.value) and list(caught.value.nodes) == ["pve2"]
    assert not session.writes


def test_only_nodes_that_may_use_it_are_asked() -> None:
    session = Datacenter(pve2=Failed("down"))
    assert run(session, **NFS, nodes=["pve1"]).checked_nodes == ("pve1",)


def test_a_node_added_later_is_asked() -> None:
    session = Datacenter({**THERE, "nodes": "pve1"}, pve2=Failed("down"))
    with pytest.raises(StorageError, match="pve2: down"):
        run(session, name="shared", nodes=["pve1", "pve2"])
    session = Datacenter({**THERE, "nodes": "pve1"}, pve1=Failed("down"))
    assert run(session, name="shared", nodes=[]).checked_nodes == ("pve2",)
    assert session.writes[0].params == {"delete": "nodes", "digest": "d1"}


def test_an_unknown_node_is_refused_and_an_offline_one_reported() -> None:
    session = Datacenter()
    with pytest.raises(StorageError, match="no node pve9"):
        run(session, **NFS, nodes=["pve9"])
    session.nodes = [NODES[0], {"type": "node", "name": "pve2", "online": 0}]
    settled = run(session, **NFS, nodes=["pve1", "pve2"])
    assert settled.warnings == ("pve2 is offline: whether it reaches the storage is not known.",)


def test_nfs_4_is_asked_by_connections() -> None:
    asked = []

    def connect(node: str, server: str, port: int) -> str | None:
        asked.append((node, server, port))
        return None

    run(Datacenter(pve1=Failed("x"), pve2=Failed("x")), connect=connect, **NFS, options="vers=4.2,port=2050")
    assert asked == [("pve1", "10.0.0.9", 2050), ("pve2", "10.0.0.9", 2050)]
    with pytest.raises(StorageError, match=r"needs options: vers=4\.2"):
        run(Datacenter(pve1=Failed("x")), connect=connect, **NFS)


def test_a_change_sends_only_what_changes_with_the_digest() -> None:
    session = Datacenter({**THERE, "options": "vers=3", "disable": 1})
    settled = run(session, name="shared", content=["images"], disable=False, absent_keys=["options"])
    (write,) = session.writes
    assert (write.method, write.path) == ("PUT", "/storage/shared")
    assert write.params == {"content": "images", "disable": "0", "delete": "options", "digest": "d1"}
    assert settled.plan.diff["before"]["content"] == "rootdir,images"
    assert settled.plan.diff["after"]["content"] == "images" and "options" not in settled.plan.diff["after"]


def test_what_cannot_be_changed_is_refused() -> None:
    with pytest.raises(StorageError, match="export of storage shared is /srv/x and cannot become /srv/y"):
        run(Datacenter(dict(THERE)), **{**NFS, "export": "/srv/y"})
    with pytest.raises(StorageError, match="of type nfs, not dir"):
        run(Datacenter(dict(THERE)), name="shared", type="dir", path="/x")


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        ({"name": "s"}, "not a storage's name"),
        ({"name": "shared", "type": "dir", "export": "/x"}, "a storage of type dir has no such key"),
        ({"name": "shared", "type": "nfs", "content": ["disks"]}, "'disks' is none of"),
        ({"name": "shared", "type": "dir", "content": ["none", "iso"]}, "goes with no other"),
        ({"name": "shared", "server": "a", "absent_keys": ["server"]}, "to be absent as well"),
    ],
)
def test_nonsense_is_refused_before_anything_is_read(declared: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidValue, match=words):
        parse_wish(declared)


def test_a_missing_key_is_named() -> None:
    with pytest.raises(StorageError, match="type nfs needs export, server"):
        run(Datacenter(), name="shared", type="nfs")
    with pytest.raises(StorageError, match="Say its type"):
        run(Datacenter(), name="shared")


def test_a_secret_is_written_once_and_never_shown() -> None:
    cifs = {"name": "shared", "type": "cifs", "server": "10.0.0.9", "share": "x", "username": "u", "password": "secret"}
    shares = [{"share": "x"}]
    session = Datacenter(pve1=shares, pve2=shares)
    settled = run(session, **cifs)
    assert session.writes[0].params["password"] == "secret"
    assert "secret" not in repr(settled.plan.diff)
    there = {"storage": "shared", "type": "cifs", "server": "10.0.0.9", "share": "x", "username": "u", "digest": "d"}
    assert not run(Datacenter(there), **cifs).plan.changed
    again = run(Datacenter(there), **cifs, update_password="always")
    assert again.plan.summaries == ["Set password of storage shared."] and "secret" not in repr(again.plan.diff)


def used_datacenter() -> Datacenter:
    session = Datacenter(dict(THERE))
    session.guests = [{"type": "lxc", "vmid": 200, "node": "pve2"}, {"type": "qemu", "vmid": 100, "node": "pve1"}]
    session.configs = {
        "/nodes/pve2/lxc/200/config": {"rootfs": "shared:200/vm-200-disk-0.raw,size=1G", "description": "x"},
        "/nodes/pve1/qemu/100/config": {"scsi0": "local:100/a.raw", "description": "shared:nothing"},
    }
    return session


def test_absent_is_refused_while_in_use_unless_told() -> None:
    session = used_datacenter()
    with pytest.raises(StorageError, match=r"container 200 on pve2 \(rootfs\)\. Move") as caught:
        run(session, name="shared", state="absent")
    assert "100" not in str(caught.value) and not session.writes
    settled = run(session, name="shared", state="absent", in_use="ignore")
    assert session.writes[0].method == "DELETE" and "container 200" in settled.warnings[0]


def test_absent_twice_is_no_change() -> None:
    assert not run(Datacenter(), name="shared", state="absent").plan.changed
