# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Links as inventories give them."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.baremetal.proxmox.plugins.filter.cluster_links import cluster_links


def test_no_links_are_proxmox_ves_own_choice():
    assert cluster_links({"ansible_host": "192.0.2.1"}) == []


def test_ini_variables():
    assert cluster_links({"link1": "192.0.2.1", "link0": "address=198.51.100.1,priority=20"}) == [
        {"number": 0, "address": "198.51.100.1", "priority": 20},
        {"number": 1, "address": "192.0.2.1"},
    ]


def test_a_list():
    assert cluster_links(
        {"cluster_links": [{"address": "192.0.2.1"}, {"number": 3, "address": "192.0.2.2", "priority": "5"}]}
    ) == [
        {"number": 0, "address": "192.0.2.1"},
        {"number": 3, "address": "192.0.2.2", "priority": 5},
    ]


@pytest.mark.parametrize(
    "variables", [{"link0": "192.0.2.1,prio=3"}, {"link0": "192.0.2.1,priority=high"}, {"cluster_links": ["192.0.2.1"]}]
)
def test_what_is_no_link_is_said(variables):
    with pytest.raises(AnsibleFilterError, match="link"):
        cluster_links(variables)
