# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every declaration of malformed.yml is refused with a message that names the key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.baremetal.proxmox.plugins.module_utils._desired.errors import InvalidValue
from ansible_collections.baremetal.proxmox.plugins.module_utils._guest.batch import parse_wishes
from ansible_collections.baremetal.proxmox.plugins.module_utils._guest.guest_types import LXC, QEMU, GuestType
from ansible_collections.baremetal.proxmox.plugins.module_utils._guest.read_wish import parse_wish

CASES = yaml.safe_load(Path(__file__).with_name("malformed.yml").read_text(encoding="utf-8"))
PARAMETERS = [(QEMU, *case) for case in CASES["machines"]] + [(LXC, *case) for case in CASES["containers"]]


def test_there_are_enough_cases() -> None:
    assert len(PARAMETERS) >= 100


@pytest.mark.parametrize(
    ("guest_type", "key", "options"),
    PARAMETERS,
    ids=[f"{one[0].kind}-{one[1]}-{n}" for n, one in enumerate(PARAMETERS)],
)
def test_the_message_begins_with_the_key(guest_type: GuestType, key: str, options: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue) as caught:
        parse_wish(options, guest_type)
    assert caught.value.key == key
    assert str(caught.value).startswith(f"{key}: ")
    assert len(caught.value.reason) > 10


def test_all_mistakes_of_a_fleet_are_told_at_once() -> None:
    with pytest.raises(InvalidValue) as caught:
        parse_wishes([{"name": "a", "cores": 0}, {"name": "b"}, {"name": "c", "memroy": 1}, {"name": "b"}], {})
    assert str(caught.value).split("; ") == [
        "a: cores: 0 is less than 1",
        "c: memroy: there is no such key",
        "did you mean memory?",
        "name: b is declared 2 times",
    ]
