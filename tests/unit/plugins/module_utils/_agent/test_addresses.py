# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.baremetal.proxmox.plugins.module_utils._agent.addresses import choose_primary, parse_networks
from ansible_collections.baremetal.proxmox.plugins.module_utils._agent.parse import Interface, InterfaceAddress

NET0 = "bc:24:11:00:00:01"
NET1 = "bc:24:11:00:00:02"


def interface(name, mac, *addresses):
    return Interface(
        name, mac, tuple(InterfaceAddress(text, "ipv6" if ":" in text else "ipv4", 24) for text in addresses)
    )


LOOPBACK = interface("lo", "00:00:00:00:00:00", "127.0.0.1", "::1")
DOCKER = interface("docker0", "02:42:ac:11:00:01", "172.17.0.1")
ETH0 = interface("eth0", NET0, "192.0.2.11", "fe80::1", "2001:db8::11")
ETH1 = interface("eth1", NET1, "198.51.100.11")


@pytest.mark.parametrize(
    ("interfaces", "macs", "networks", "excluded", "expected"),
    [
        ([LOOPBACK, DOCKER, ETH0], [NET0], [], [], ("192.0.2.11", "2001:db8::11")),
        ([ETH1, ETH0], [NET0, NET1], [], [], ("192.0.2.11", "2001:db8::11")),
        ([ETH0, ETH1], [NET0, NET1], ["198.51.100.0/24"], [], ("198.51.100.11", "2001:db8::11")),
        ([ETH0, ETH1], [NET0, NET1], ["10.0.0.0/8", "2001:db8:9::/48"], [], (None, None)),
        ([ETH0, ETH1], [NET0, NET1], ["198.51.100.0/24", "192.0.2.0/24"], [], ("198.51.100.11", "2001:db8::11")),
        ([ETH0, ETH1], [NET0, NET1], [], ["eth0"], ("198.51.100.11", None)),
        ([ETH0], [NET0.upper()], [], [], ("192.0.2.11", "2001:db8::11")),
        ([interface("eth0", NET0, "169.254.7.7", "fe80::1%eth0")], [NET0], [], [], (None, None)),
        ([interface("eth0", NET0, "169.254.7.7")], [NET0], ["169.254.0.0/16"], [], ("169.254.7.7", None)),
        ([interface("eth0", NET0, "fd00::5", "2001:db8::5")], [NET0], [], [], (None, "2001:db8::5")),
        ([interface("eth0", NET0, "fd00::5")], [NET0], [], [], (None, "fd00::5")),
        ([interface("eth0", NET0, "2001:db8::abcd", "2001:db8::be24:11ff:fe00:1")], [NET0], [], [], (None, "2001:db8::be24:11ff:fe00:1")),
        # A tunnel or a bridge of the guest's own is no way in, unless its network is wanted.
        ([interface("wg0", "", "10.8.0.2"), interface("mybr", "02:11:22:33:44:55", "10.9.0.1")], [NET0], [], [], (None, None)),
        ([interface("wg0", "", "10.8.0.2")], [NET0], ["10.8.0.0/24"], [], ("10.8.0.2", None)),
        ([interface("br-0f1e2d3c4b5a", "02:42:00:00:00:01", "172.18.0.1"), ETH0], [NET0], ["172.18.0.0/16"], [], (None, "2001:db8::11")),
        # A passed-through card.
        ([interface("enp1s0", "3c:ec:ef:00:00:01", "192.0.2.50")], [NET0], [], [], ("192.0.2.50", None)),
        ([interface("Ethernet", NET0, "192.0.2.60", "2001:0:1:2::3"), interface("vEthernet (WSL)", "00:15:5d:00:00:01", "172.20.0.1")],
         [NET0], [], [], ("192.0.2.60", "2001:0:1:2::3")),
        ([interface("eth0", NET0)], [NET0], [], [], (None, None)),
        ([interface("eth0", NET0, "not an address")], [NET0], [], [], (None, None)),
        ([ETH0], [], [], [], ("192.0.2.11", "2001:db8::11")),
    ],
)  # fmt: skip
def test_the_right_address(interfaces, macs, networks, excluded, expected):
    primary = choose_primary(interfaces, macs, parse_networks(networks), excluded)
    assert (primary.ipv4, primary.ipv6) == expected


ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str) | st.sampled_from(
    ["127.0.0.1", "::1", "fe80::1", "169.254.1.1", "192.0.2.1", "10.0.0.1", "224.0.0.1", "ff02::1", "0.0.0.0"]
)
INTERFACES = st.lists(
    st.builds(
        lambda name, mac, addresses: interface(name, mac, *addresses),
        st.sampled_from(["lo", "eth0", "eth1", "docker0", "veth12ab", "br-abc", "wg0"]),
        st.sampled_from(["", NET0, NET1, "02:42:ac:11:00:01", "00:00:00:00:00:00"]),
        st.lists(ADDRESSES, max_size=4),
    ),
    max_size=5,
)


@settings(settings.get_profile("busy"))
@given(INTERFACES, st.lists(st.sampled_from([NET0, NET1]), unique=True))
def test_never_an_address_that_nobody_outside_reaches(interfaces, macs):
    primary = choose_primary(interfaces, macs)
    for text in (primary.ipv4, primary.ipv6):
        if text is not None:
            address = ip_address(text)
            assert not (address.is_loopback or address.is_link_local or address.is_multicast or address.is_unspecified)
            owners = {one.name for one in interfaces for entry in one.addresses if ip_address(entry.address) == address}
            assert owners & {"eth0", "eth1", "wg0"}


@settings(settings.get_profile("busy"))
@given(INTERFACES)
def test_wanted_networks_hold(interfaces):
    networks = parse_networks(["10.0.0.0/8", "2000::/3"])
    primary = choose_primary(interfaces, [NET0], networks)
    for text in (primary.ipv4, primary.ipv6):
        assert text is None or any(ip_address(text) in network for network in networks)


def test_a_network_that_is_none_is_named():
    with pytest.raises(ValueError, match=r"10\.0\.0\.0/99"):
        parse_networks(["10.0.0.0/99"])
