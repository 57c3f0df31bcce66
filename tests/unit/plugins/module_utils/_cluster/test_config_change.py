# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of corosync.conf: only what is wished changes, the version grows, and what cannot work is refused."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.config_change import (
    ConfigWish,
    LinkWish,
    change_config,
    drop_device,
    new_addresses,
    raise_version,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.corosync_config import (
    CorosyncConfig,
    read_corosync_config,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.datacenter import plan_options
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import Refused
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.plan_config import plan_config

NODES = ("pve1", "pve2", "pve3")
SECOND = {name: f"10.99.1.{number}" for number, name in enumerate(NODES, 11)}
DEVICE = "  device {\n    model: net\n    net {\n      host: 10.99.0.9\n      tls: on\n    }\n    votes: 1\n  }\n"


def config_text(device: str = "") -> str:
    nodes = "".join(
        f"  node {{\n    name: {name}\n    nodeid: {number}\n    quorum_votes: 1\n    ring0_addr: 10.99.0.1{number}\n  }}\n"
        for number, name in enumerate(NODES, 1)
    )
    return (
        "logging {\n  debug: off\n  to_syslog: yes\n}\n\n"
        f"nodelist {{\n{nodes}}}\n\n"
        f"quorum {{\n{device}  provider: corosync_votequorum\n}}\n\n"
        "totem {\n  cluster_name: lab\n  config_version: 7\n  interface {\n    linknumber: 0\n  }\n  ip_version: ipv4-6\n"
        "  link_mode: passive\n  secauth: on\n  version: 2\n}\n\n"
    )


def without_version(config: CorosyncConfig) -> CorosyncConfig:
    return dataclasses.replace(config, config_version=0, digest="")


def test_a_new_link_gets_its_addresses_its_section_and_the_next_version() -> None:
    after = change_config(config_text(), ConfigWish({1: LinkWish(SECOND, 20)}))
    config = read_corosync_config(after)
    assert config.config_version == 8
    assert config.links == (0, 1) and config.priorities == {1: 20}
    assert "    ring0_addr: 10.99.0.12\n    ring1_addr: 10.99.1.12\n" in after
    assert "  interface {\n    knet_link_priority: 20\n    linknumber: 1\n  }\n  ip_version" in after


def test_a_changed_address_is_new_only_on_its_node() -> None:
    text = config_text()
    after = change_config(text, ConfigWish({0: LinkWish({"PVE2": "10.99.0.99"})}))
    assert new_addresses(read_corosync_config(text), read_corosync_config(after)) == {"pve2": {0: "10.99.0.99"}}


def test_a_removed_link_leaves_nothing() -> None:
    text = change_config(config_text(), ConfigWish({1: LinkWish(SECOND, 20)}))
    after = change_config(text, ConfigWish(removed_links=frozenset({1})))
    assert without_version(read_corosync_config(after)) == without_version(read_corosync_config(config_text()))
    assert "linknumber: 1" not in after


def test_the_way_back_has_the_old_content_and_a_version_above_the_new_one() -> None:
    plan = plan_config(config_text(), ConfigWish(votes={"pve1": 2}), 60)
    way_back = read_corosync_config(plan.steps[-1].arguments["way_back"])
    assert way_back.config_version == 9
    assert without_version(way_back) == without_version(read_corosync_config(config_text()))


def test_a_link_gets_another_address_by_going_and_coming_back() -> None:
    """What corosync says to a new address of a link that it has: it must be deleted and recreated."""
    text = change_config(config_text(), ConfigWish({1: LinkWish(SECOND, 20)}))
    plan = plan_config(text, ConfigWish({1: LinkWish({"pve3": "10.99.1.99"})}), 60)
    written = [read_corosync_config(step.arguments["text"]) for step in plan.steps if step.action == "write_config"]
    assert [config.config_version for config in written] == [9, 10]
    assert [config.links for config in written] == [(0,), (0, 1)]
    assert written[1].node("pve3").addresses[1] == "10.99.1.99" and written[1].priorities == {1: 20}
    back = [read_corosync_config(way) for way in plan.steps[0].arguments["way_back"]]
    assert [config.config_version for config in back] == [11, 12] and back[0].links == (0,)
    assert without_version(back[1]) == without_version(read_corosync_config(text))


def test_the_only_link_keeps_its_address() -> None:
    with pytest.raises(Refused, match="another address while it runs"):
        plan_config(config_text(), ConfigWish({0: LinkWish({"pve3": "10.99.0.99"})}), 60)


def test_only_the_device_goes() -> None:
    after = drop_device(config_text(DEVICE))
    assert read_corosync_config(config_text(DEVICE)).qdevice_host == "10.99.0.9"
    assert after == raise_version(config_text(), 7)


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (ConfigWish({8: LinkWish(SECOND)}), "numbers 0 to 7"),
        (ConfigWish({1: LinkWish({"pve1": "10.99.1.11"})}), "has no address for pve2, pve3"),
        (ConfigWish({1: LinkWish({**SECOND, "pve9": "10.99.1.9"})}), "pve9 is no member"),
        (ConfigWish({1: LinkWish({**SECOND, "pve3": "10.99.0.11"})}), "10.99.0.11 would be used 2 times"),
        (ConfigWish({1: LinkWish({**SECOND, "pve3": "fd00::3"})}), "mix IPv4 and IPv6"),
        (ConfigWish({0: LinkWish({"pve1": "pve1.lab"})}), "no IP address"),
        (ConfigWish({0: LinkWish(priority=256)}), "not between 0 and 255"),
        (ConfigWish(removed_links=frozenset({0})), "at least one link"),
        (ConfigWish({0: LinkWish()}, frozenset({0})), "cannot be set and removed"),
        (ConfigWish(votes={"pve4": 1}), "pve4 is no member"),
        (ConfigWish(votes=dict.fromkeys(NODES, 0)), "nobody would have a vote"),
    ],
)
def test_what_cannot_work_is_refused(wish: ConfigWish, words: str) -> None:
    with pytest.raises(Refused, match=words):
        change_config(config_text(), wish)


links = st.dictionaries(
    st.integers(0, 7),
    st.integers(0, 255).flatmap(
        lambda priority: st.builds(
            lambda third: LinkWish({name: f"10.{third}.0.{n}" for n, name in enumerate(NODES, 1)}, priority),
            st.integers(1, 250),
        )
    ),
    max_size=4,
).filter(lambda found: len({link.addresses["pve1"] for link in found.values()}) == len(found))


@given(links, st.dictionaries(st.sampled_from(NODES), st.integers(1, 5)), st.none() | st.integers(0, 1000))
def test_the_wish_is_met_once_and_nothing_else_is_touched(
    wanted: dict[int, LinkWish], votes: dict[str, int], coefficient: int | None
) -> None:
    wish = ConfigWish(wanted, votes=votes, token_coefficient=coefficient)
    after = change_config(config_text(), wish)
    config = read_corosync_config(after)
    for number, link in wanted.items():
        assert {node.name: node.addresses[number] for node in config.nodes} == dict(link.addresses)
        assert config.priorities[number] == link.priority
    assert set(config.links) == {0, *wanted}
    assert {node.name: node.votes for node in config.nodes} == {**dict.fromkeys(NODES, 1), **votes}
    assert config.token_coefficient == coefficient
    assert config.config_version == (7 if after == config_text() else 8)
    assert change_config(after, wish) == after


@pytest.mark.parametrize(
    ("text", "wanted", "value"),
    [
        ("", {"network": "10.9.0.0/24", "type": None}, "type=secure,network=10.9.0.0/24"),
        ("migration: insecure\n", {"network": "10.9.0.0/24"}, "type=insecure,network=10.9.0.0/24"),
        ("migration: type=secure,network=10.9.0.0/24\n", {"type": "insecure"}, "type=insecure,network=10.9.0.0/24"),
        ("migration: secure,network=10.9.0.0/24\n", {"network": "10.9.0.0/24"}, None),
        ("keyboard: de\n", {}, None),
    ],
)
def test_the_undeclared_half_of_the_migration_option_stays(
    text: str, wanted: dict[str, str | None], value: str | None
) -> None:
    plan = plan_options(text, wanted)
    assert [step.arguments["options"]["migration"] for step in plan.steps] == ([value] if value else [])
