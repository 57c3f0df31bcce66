# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may plug a card into which bridge."""

from __future__ import annotations

import pytest

from practice_pve.access import permissions as access
from practice_pve.guests import permissions


@pytest.mark.parametrize(
    ("card", "paths"),
    [
        ("virtio,bridge=vmbr0", ["vmbr0"]),
        ("virtio,bridge=vmbr0,tag=5", ["vmbr0/5"]),
        ("virtio,bridge=vmbr0,tag=5,trunks=7;20-21", ["vmbr0/5", "vmbr0/20", "vmbr0/21", "vmbr0/7"]),
        ("virtio=BC:24:11:00:00:01", []),
    ],
)
def test_every_vlan_of_a_card_is_asked_for(card: str, paths: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(access, "require", lambda _user, path, privileges: asked.append((path, privileges)))
    permissions.assert_may_use_bridges("eve@pve", {"net0": card, "memory": 5})
    assert asked == [(f"/sdn/zones/localnetwork/{path}", ["SDN.Use"]) for path in paths]
    asked.clear()
    permissions.assert_may_use_bridges("root@pam", {"net0": card})
    assert asked == []
