# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.baremetal.proxmox.plugins.filter.guests_with_macs import guests_with_macs

GUESTS = [
    {"vmid": 100, "macs": ["bc:24:11:00:00:01", "bc:24:11:00:00:02"]},
    {"vmid": 101, "macs": ["bc:24:11:00:00:03"]},
    {"vmid": 102, "macs": []},
    {"vmid": 103},
]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("00:00:00:00:00:00\r\nBC:24:11:00:00:02\r\n", [100]),
        ("BC-24-11-00-00-03", [101]),
        ("00:00:00:00:00:00", []),
        ("", []),
    ],
)
def test_by_any_of_the_addresses(text, found):
    assert guests_with_macs(GUESTS, text) == found
