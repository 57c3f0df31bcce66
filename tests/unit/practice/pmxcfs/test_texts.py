# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`.members`, `.version`, `.vmlist`, `.clusterlog`: byte for byte."""

from __future__ import annotations

import json

from practice_pve.pmxcfs.cluster_log import ClusterLog, to_ascii
from practice_pve.pmxcfs.glib_order import hash_of_number, hash_of_text, in_table_order
from practice_pve.pmxcfs.node_list import read_cluster_info
from practice_pve.pmxcfs.paths import GuestConfig
from practice_pve.pmxcfs.status import ClusterInfo, Member, Status


def cluster(version: int = 3) -> ClusterInfo:
    return ClusterInfo("lab", version, {i: Member(f"pve{i}", i) for i in (1, 2, 3)})


def test_members_of_a_single_node(status: Status):
    assert status.members_text() == '{\n"nodename": "pve1",\n"version": 0\n}\n'


def test_members_of_a_cluster(status: Status):
    status.set_cluster(cluster())
    status.set_quorate(True, quiet=True)
    status.set_own("nodeip", b"10.99.0.11\0")
    status.set_online({1, 3})
    status.set_of_member(3, "nodeip", b"10.99.0.13\0")
    assert status.members_text() == (
        '{\n"nodename": "pve1",\n"version": 4,\n"cluster": { "name": "lab", "version": 3, "nodes": 3, "quorate": 1 },\n'
        '"nodelist": {\n'
        '  "pve1": { "id": 1, "online": 1, "ip": "10.99.0.11"},\n'
        '  "pve2": { "id": 2, "online": 0},\n'
        '  "pve3": { "id": 3, "online": 1, "ip": "10.99.0.13"}\n'
        "  }\n}\n"
    )


def test_a_repeated_address_is_no_news(status: Status):
    status.set_own("nodeip", b"10.99.0.11\0")
    before = status.cluster_version
    status.set_own("nodeip", b"10.99.0.11\0")
    assert status.cluster_version == before


def test_order_of_status_keys():
    keys = ["kv/static-info", "tasklist", "kv/cpuflags-tcg", "kv/cpuflags-kvm", "kv/version-info", "kv/network"]
    assert in_table_order(sorted(keys), hash_of_text) == keys
    assert in_table_order(["tasklist", "kv/network", "kv/version-info", "kv/static-info"], hash_of_text) == [
        "kv/static-info", "tasklist", "kv/network", "kv/version-info",
    ]  # fmt: skip


def test_order_of_node_ids_keeps_all_of_them():
    for count in range(1, 40):
        assert sorted(in_table_order(range(1, count + 1), hash_of_number)) == list(range(1, count + 1))


def test_version_counts_changes_and_values(status: Status):
    status.note_reload()
    status.note_change("storage.cfg")
    status.set_cluster(cluster())
    status.set_own("tasklist", b"[]")
    status.set_own("tasklist", b"[1]")
    status.set_of_member(2, "tasklist", b"[]")
    text = status.version_text()
    assert text.endswith('"kvstore": {\n"pve1": {\n"tasklist": 1}\n,\n"pve2": {\n"tasklist": 0}\n}\n}\n')
    parsed = json.loads(text)
    assert (parsed["storage.cfg"], parsed["user.cfg"], parsed["clinfo"], len(parsed)) == (2, 1, 1, 47)


def test_values_survive_a_new_node_list_and_go_with_their_node(status: Status):
    status.set_cluster(cluster(3))
    status.set_of_member(2, "kv/x", b"1")
    status.set_of_member(9, "kv/x", b"1")  # unknown: ignored
    newer = cluster(4)
    status.set_cluster(newer)
    assert status.get("pve2", "kv/x") == b"1"
    status.set_cluster(ClusterInfo("lab", 5, {1: Member("pve1", 1)}))
    assert status.get("pve2", "kv/x") is None


def test_an_empty_value_removes_the_key(status: Status):
    status.set_own("kv/x", b"1")
    status.set_own("kv/x", b"")
    assert status.get("", "kv/x") is None


def test_guest_list(status: Status):
    assert status.guests_text() == '{\n"version": 0\n\n}\n'
    status.guests.register(GuestConfig("pve2", "qemu", 300))
    assert status.guests_text() == (
        '{\n"version": 1,\n"ids": {\n"300": { "node": "pve2", "type": "qemu", "version": 1 }}\n\n}\n'
    )


def test_rrd_lines(status: Status):
    status.set_own("rrd/pve-node-9.0/pve1", b"1:2:3\0")
    assert status.rrd_text() == b"pve-node-9.0/pve1:1:2:3\n"
    assert status.values == {}


def test_cluster_log_is_merged_without_doubles():
    one, two = ClusterLog("pve1"), ClusterLog("pve2")
    entry = one.add("root@pam", "pvecm", 'say "hi"')
    two.insert(entry)
    two.insert(entry)
    two.merge([one.state()])
    data = json.loads(two.to_text())["data"]
    assert sorted((line["node"], line["msg"]) for line in data) == [
        ("pve1", 'say "hi"'), ("pve1", "starting cluster log"), ("pve2", "starting cluster log"),
    ]  # fmt: skip


def test_the_log_is_ascii():
    assert to_ascii('ä\n"\x7f\U0001f600') == '\\u00e4#010\\"#127'


class FakeMap(dict[str, object]):
    def keys(self, prefix: str = "") -> list[str]:  # type: ignore[override]
        return [key for key in self if key.startswith(prefix)]

    def number(self, key: str, bits: int = 32) -> int:
        return int(self[key])  # type: ignore[call-overload]

    def text(self, key: str) -> str:
        return str(self[key])


def test_node_list_of_corosync():
    configuration = FakeMap(
        {
            "totem.config_version": 4, "totem.cluster_name": "lab",
            "nodelist.node.0.name": "pve1", "nodelist.node.0.nodeid": 1, "nodelist.node.0.ring0_addr": "10.0.0.1",
            "nodelist.node.1.nodeid": 3, "nodelist.node.1.ring0_addr": "nameless", "nodelist.local_node_pos": 0,
        }
    )  # fmt: skip
    info = read_cluster_info(configuration)
    assert (info.name, info.config_version) == ("lab", 4)
    assert {node_id: member.name for node_id, member in info.members.items()} == {1: "pve1", 3: "nameless"}
