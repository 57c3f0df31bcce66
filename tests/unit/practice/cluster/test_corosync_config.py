# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""corosync.conf: PVE's layout, byte by byte."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from practice_pve.cluster.corosync_config import (
    CorosyncConfig,
    build_first_config,
    format_config,
    parse_config,
)
from practice_pve.rest.errors import ApiError

ONE_NODE = """\
logging {
  debug: off
  to_syslog: yes
}

nodelist {
  node {
    name: pve1
    nodeid: 1
    quorum_votes: 1
    ring0_addr: 10.99.0.11
  }
}

quorum {
  provider: corosync_votequorum
}

totem {
  cluster_name: lab
  config_version: 1
  interface {
    linknumber: 0
  }
  ip_version: ipv4-6
  link_mode: passive
  secauth: on
  token_coefficient: 125
  version: 2
}

"""


def test_first_config_is_what_pvecm_create_writes() -> None:
    first = build_first_config("pve1", "lab", {0: {"address": "10.99.0.11"}})
    assert format_config(first.with_next_version()) == ONE_NODE


def test_recorded_size() -> None:
    assert len(ONE_NODE) == 371


def test_digest_of_the_text() -> None:
    assert parse_config(ONE_NODE).digest == hashlib.sha1(ONE_NODE.encode()).hexdigest()


def test_parse_and_format_are_inverse() -> None:
    assert format_config(parse_config(ONE_NODE)) == ONE_NODE


def test_nodes_and_interfaces_by_name_and_number() -> None:
    config = parse_config(ONE_NODE)
    assert config.nodes == {
        "pve1": {"name": "pve1", "nodeid": "1", "quorum_votes": "1", "ring0_addr": "10.99.0.11"},
    }
    assert config.interfaces == {"0": {"linknumber": "0"}}


@pytest.mark.parametrize("text", ["", None])
def test_missing_file_is_no_cluster(text: str | None) -> None:
    config = parse_config(text)
    assert config.main is None
    assert config.nodes is None
    assert config.totem is None


def test_comments_and_odd_layout() -> None:
    config = parse_config("# made by hand\ntotem { version: 2 cluster_name: x # y\n interface { ringnumber: 0 } }\r\n")
    assert config.totem == {"version": "2", "cluster_name": "x", "interface": {"0": {"ringnumber": "0"}}}


def test_nodes_without_a_name_go_by_address() -> None:
    assert list(parse_config("nodelist { node { ring0_addr: a nodeid: 1 } }").nodes or {}) == ["a"]


def test_links_and_priorities() -> None:
    links = {0: {"address": "10.0.0.1", "priority": 20}, 1: {"address": "10.1.0.1", "priority": 0}}
    text = format_config(build_first_config("a", "lab", links, node_id=7, votes=2, token_coefficient=None))
    assert "    knet_link_priority: 20\n    linknumber: 0\n" in text
    assert text.count("knet_link_priority") == 1
    assert "    nodeid: 7\n    quorum_votes: 2\n    ring0_addr: 10.0.0.1\n    ring1_addr: 10.1.0.1\n" in text
    assert "token_coefficient" not in text


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("totem { a b }", "missing ':' after key 'a'"),
        ("totem { } totem { }", "section 'totem' already exists and not marked as array!"),
        ("}", "parse error - uncexpected '}'"),
        ("totem:", "parse error - no value for 'totem'"),
    ],
)
def test_broken_files(text: str, complaint: str) -> None:
    with pytest.raises(ApiError) as caught:
        parse_config(text)
    assert str(caught.value) == complaint


def test_version_is_needed_to_write() -> None:
    with pytest.raises(ApiError, match="unable to read config version"):
        CorosyncConfig({"totem": {}}).with_next_version()


WORD = st.text("abcdefghijklmnopqrstuvwxyz0123456789.-_", min_size=1, max_size=12)


@given(st.dictionaries(WORD, WORD, min_size=1, max_size=6), st.integers(1, 99))
def test_any_node_list_survives(addresses: dict[str, str], version: int) -> None:
    nodes = {
        name: {"name": name, "nodeid": str(number), "ring0_addr": address}
        for number, (name, address) in enumerate(sorted(addresses.items()), 1)
    }
    config = CorosyncConfig({"totem": {"config_version": str(version), "interface": {}}}).with_nodes(nodes)
    parsed = parse_config(format_config(config.with_next_version()))
    assert parsed.nodes == nodes
    assert parsed.totem == {"config_version": str(version + 1), "interface": {}}
