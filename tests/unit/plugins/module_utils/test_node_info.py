# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from ansible_collections.baremetal.proxmox.plugins.module_utils._node_info import (
    SERVICES,
    Answer,
    Host,
    node_info,
    parse_members,
    parse_pveversion,
)

DPKG = ("dpkg-query", "--show", "--showformat=${db:Status-Status} ${Version}", "pve-manager")
IS_ACTIVE = ("systemctl", "is-active", *SERVICES)
MEMBERS = ("cat", "/etc/pve/.members")
HAS_CONFIGURATION = ("test", "-e", "/etc/pve/corosync.conf")
STANDALONE = '{\n"nodename": "pve1",\n"version": 0\n}\n'
IN_CLUSTER = """{
"nodename": "pve2",
"version": 7,
"cluster": { "name": "lab", "version": 3, "nodes": 2, "quorate": %d },
"nodelist": {
  "pve2": { "id": 2, "online": 1, "ip": "192.0.2.12"},
  "pve1": { "id": 1, "online": 0, "ip": "192.0.2.11"}
  }
}
"""


class RecordedHost(Host):
    """A host whose answers are given; a command that is not among them fails the test."""

    def __init__(
        self,
        answers: dict[tuple[str, ...], Answer],
        addresses: list[str] | None = None,
        own: set[str] | None = None,
        mounted: bool = True,
    ) -> None:
        self.answers = answers
        self.addresses = ["192.0.2.11"] if addresses is None else addresses
        self.own = {"192.0.2.11"} if own is None else own
        self.mounted = mounted

    def run(self, *command: str) -> Answer:
        return self.answers[command]

    def name(self) -> str:
        return "pve1"

    def kernel(self) -> str:
        return "7.0.2-1-pve"

    def mounts(self) -> str:
        return "/dev/fuse /etc/pve fuse rw,nosuid 0 0\n" if self.mounted else "tmpfs /run tmpfs rw 0 0\n"

    def resolve(self, name: str) -> list[str]:
        assert name == "pve1"
        return self.addresses

    def has_address(self, address: str) -> bool:
        return address in self.own


def pve_node(members: Answer, has_configuration: bool = False, **named: object) -> RecordedHost:
    states = "inactive\n" + "active\n" * (len(SERVICES) - 1)
    answers = {
        DPKG: Answer(0, "installed 9.2.11"),
        IS_ACTIVE: Answer(3, states),
        MEMBERS: members,
        HAS_CONFIGURATION: Answer(0 if has_configuration else 1),
    }
    return RecordedHost(answers, **named)  # type: ignore[arg-type]


def test_a_standalone_node():
    info = node_info(pve_node(Answer(0, STANDALONE)))
    assert (info.installed, info.version, info.major, info.membership) == (True, "9.2.11", 9, "standalone")
    assert info.services["corosync"] == "inactive"
    assert info.services["pveproxy"] == "active"
    assert info.problems == []


def test_a_member_lists_the_cluster_by_node_id():
    info = node_info(pve_node(Answer(0, IN_CLUSTER % 1), has_configuration=True))
    assert info.membership == "member"
    result = info.as_result()
    assert result["cluster"]["name"] == "lab"
    assert [(node["name"], node["online"]) for node in result["cluster"]["nodes"]] == [("pve1", False), ("pve2", True)]
    json.dumps(result)  # what a module returns has to be plain


def test_a_member_without_quorum_is_a_problem():
    info = node_info(pve_node(Answer(0, IN_CLUSTER % 0), has_configuration=True))
    assert info.cluster is not None and not info.cluster.quorate
    assert any("no quorum" in problem for problem in info.problems)


def test_a_node_that_pmxcfs_does_not_count_in_yet_is_no_standalone_node():
    assert node_info(pve_node(Answer(0, STANDALONE), has_configuration=True)).membership == "member"


@pytest.mark.parametrize(
    "host, words",
    [
        (pve_node(Answer(None)), "did not answer"),
        (pve_node(Answer(0, "")), "not what pmxcfs writes"),
        (pve_node(Answer(0, "[]")), "not what pmxcfs writes"),
        (pve_node(Answer(0, '{"cluster": {}}')), "not what pmxcfs writes"),
        (pve_node(Answer(0, STANDALONE), mounted=False), "not mounted"),
    ],
)
def test_what_cannot_be_read_is_unknown_and_said(host: Host, words: str):
    info = node_info(host)
    assert info.membership == "unknown"
    assert any(words in problem for problem in info.problems)


@pytest.mark.parametrize(
    "addresses, words",
    [
        ([], "does not resolve"),
        (["127.0.1.1"], "127.0.1.1 only"),
        (["::1", "127.0.0.1"], "only"),
        (["192.0.2.11", "192.0.2.99"], "192.0.2.99, which no interface"),
    ],
)
def test_a_name_that_does_not_lead_to_the_node_is_a_problem(addresses: list[str], words: str):
    info = node_info(pve_node(Answer(0, STANDALONE), addresses=addresses))
    assert any(words in problem for problem in info.problems)


def test_without_proxmox_only_that_is_said():
    host = RecordedHost({DPKG: Answer(1), ("pveversion",): Answer(None)}, addresses=["127.0.1.1"])
    info = node_info(host)
    assert (info.installed, info.version, info.membership, info.problems) == (False, None, "none", [])


def test_a_removed_package_is_not_an_installed_one():
    host = RecordedHost({DPKG: Answer(0, "config-files 9.2.11"), ("pveversion",): Answer(None)})
    assert not node_info(host).installed


def test_pveversion_tells_what_dpkg_does_not_know():
    host = pve_node(Answer(0, STANDALONE))
    host.answers |= {DPKG: Answer(1), ("pveversion",): Answer(0, "pve-manager/8.4.1/0123 (running kernel: 6.8)")}
    assert node_info(host).version == "8.4.1"


@pytest.mark.parametrize("text", ["", "pveversion: command failed", "proxmox-ve: 9.0"])
def test_other_words_are_no_version(text: str):
    assert parse_pveversion(text) is None


def test_members_that_are_not_json_are_refused():
    with pytest.raises(ValueError):
        parse_members("cat: /etc/pve/.members: Transport endpoint is not connected")


def test_a_command_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(Host.run.__globals__, "DEADLINE", 0.1)
    assert Host().run("sleep", "30") == Answer(None)


def test_a_command_that_is_missing_has_no_status():
    assert Host().run("no-such-command-here") == Answer(None)


@pytest.mark.parametrize("address, own", [("127.0.0.1", True), ("192.0.2.77", False)])
def test_an_address_is_the_hosts_own_or_not(address: str, own: bool):
    assert Host().has_address(address) is own


def test_a_real_host_answers():
    questions: list[Callable[[], object]] = [Host().name, Host().kernel, Host().mounts]
    assert all(question() for question in questions)
    assert Host().resolve("no-such-name.invalid") == []
