# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""corosync.conf: what is read is written the same, and what cannot be read is an error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.corosync_config import read_corosync_config
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.corosync_text import (
    Section,
    format_corosync_text,
    parse_corosync_text,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import UnreadableText

names = st.text("abcdefghijklmnopqrstuvwxyz_0123456789", min_size=1, max_size=12)
values = st.text("abcXYZ0123456789.:/-+ ", max_size=20).map(str.strip)
sections = st.recursive(
    st.lists(st.tuples(names, values), max_size=4).map(Section),
    lambda inner: st.lists(st.tuples(names, st.one_of(values, inner)), max_size=4).map(Section),
    max_leaves=12,
)


@given(sections)
def test_written_and_read_again_is_the_same(root):
    assert parse_corosync_text(format_corosync_text(root)) == root


def test_a_recorded_file_is_written_byte_by_byte(recorded):
    for name in ("healthy-corosync-conf", "single-corosync-conf"):
        assert format_corosync_text(parse_corosync_text(recorded(name))) == recorded(name)


def test_the_recorded_cluster(recorded):
    config = read_corosync_config(recorded("healthy-corosync-conf"))
    assert (config.cluster_name, config.config_version, config.names) == ("lab", 3, ("pve1", "pve2", "pve3"))
    assert (config.links, config.expected_votes, config.token_coefficient) == ((0,), 3, 125)
    assert config.node("PVE2") is config.nodes[1]
    assert config.users_of_address("10.99.0.13") == ["pve3"]


def test_links_priorities_and_quorum_device():
    config = read_corosync_config(
        "nodelist {\n node {\n name: a\n nodeid: 1\n quorum_votes: 1\n ring0_addr: 10.0.0.1\n ring7_addr: fd00::1\n }\n}\n"
        "quorum {\n provider: corosync_votequorum\n device {\n model: net\n votes: 1\n net {\n host: 10.0.0.9\n }\n }\n}\n"
        "totem {\n cluster_name: two words\n config_version: 7\n interface {\n linknumber: 0\n knet_link_priority: 5\n }\n"
        " interface {\n linknumber: 7\n }\n}\n"
    )
    assert config.links == (0, 7)
    assert config.priorities == {0: 5}
    assert (config.qdevice_host, config.qdevice_votes, config.expected_votes) == ("10.0.0.9", 1, 2)
    assert config.cluster_name == "two words"


@pytest.mark.parametrize("text", ["", "totem {\n", "totem {\n}\n}\n", "what is this\n", "logging {\n}\n"])
def test_a_broken_file_is_refused(text):
    with pytest.raises(UnreadableText):
        read_corosync_config(text)


@given(st.integers(0, 400))
def test_a_file_that_is_cut_off_is_refused_or_whole(length):
    text = "nodelist {\n  node {\n    name: a\n    nodeid: 1\n    ring0_addr: 10.0.0.1\n  }\n}\n\ntotem {\n  config_version: 1\n}\n\n"
    try:
        config = read_corosync_config(text[:length])
    except UnreadableText:
        return
    assert config == read_corosync_config(text) or length >= text.index("}\n\n", text.index("totem"))


def test_a_value_is_set_where_it_stands():
    root = parse_corosync_text("totem {\n  config_version: 1\n  version: 2\n}\n\n")
    totem = root.section("totem")
    assert totem is not None
    totem.set_value("config_version", "2")
    totem.set_value("secauth", "on")
    assert format_corosync_text(root) == "totem {\n  config_version: 2\n  secauth: on\n  version: 2\n}\n\n"
