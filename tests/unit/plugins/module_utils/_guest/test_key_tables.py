# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every key that Proxmox VE's own schema has can be declared, with the values that it takes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.baremetal.proxmox.plugins.module_utils._desired.property_string import PropertyString
from ansible_collections.baremetal.proxmox.plugins.module_utils._guest.key_tables import CONTAINER, VIRTUAL_MACHINE

ROOT = Path(__file__).parents[5]
SCHEMA = Path(os.environ.get("PROXMOX_TRUTH", ROOT.parent / "shared" / "truth")) / "apischema-flat.json"
#: Parameters of the call, other words for keys, and what the module does by options of its own.
NO_KEYS = {
    "node", "vmid", "digest", "delete", "revert", "force", "skiplock", "lock", "template", "unused[n]", "background_delay",
    "import-working-storage", "bootdisk", "cdrom", "smp",
}  # fmt: skip
TABLES = {
    "POST /nodes/{node}/qemu/{vmid}/config": VIRTUAL_MACHINE,
    "PUT /nodes/{node}/lxc/{vmid}/config": CONTAINER,
}
pytestmark = pytest.mark.skipif(not SCHEMA.exists(), reason="the recordings are not here")


def parameters(call: str) -> dict[str, dict[str, Any]]:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return {name: row for name, row in schema[call]["parameters"]["properties"].items() if name not in NO_KEYS}


@pytest.mark.parametrize("call", TABLES)
def test_every_key_is_in_the_table(call: str) -> None:
    names = [name.replace("[n]", "0") for name in parameters(call)]
    assert [name for name in names if TABLES[call].find(name) is None] == []


@pytest.mark.parametrize("call", TABLES)
def test_values_are_limited_as_proxmox_limits_them(call: str) -> None:
    for name, spec in parameters(call).items():
        row = TABLES[call].find(name.replace("[n]", "0"))
        assert row is not None
        for limit in ("minimum", "maximum"):
            ours = getattr(row.kind, limit, None)
            if ours is not None and limit in spec:
                assert float(ours) == float(spec[limit]), (name, limit)
        if getattr(row.kind, "choices", ()) and "enum" in spec:
            assert set(row.kind.choices) == set(spec["enum"]), name  # type: ignore[attr-defined]
        if isinstance(row.kind, PropertyString) and row.kind.closed and isinstance(spec.get("format"), dict):
            known = {*row.kind.properties, *row.kind.aliases, *row.kind.key_aliases}
            assert set(spec["format"]) <= known, name
