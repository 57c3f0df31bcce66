# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option tables against the API's own schema, where the recordings are at hand."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from practice_pve.guests.tables.container_options import CALL_OPTIONS as CONTAINER_OPTIONS
from practice_pve.guests.tables.machine_options import CALL_OPTIONS as MACHINE_OPTIONS
from practice_pve.storage.tables import CREATE_ONLY, PROPERTIES

TRUTH = Path(os.environ.get("PROXMOX_TRUTH") or Path(__file__).parents[4].parent / "shared" / "truth")
SCHEMA = TRUTH / "apischema-flat.json"
WORDS = {"type": "type", "minimum": "minimum", "maximum": "maximum", "maxLength": "max_length"}
pytestmark = pytest.mark.skipif(not SCHEMA.is_file(), reason="no recordings here")


def properties(method: str) -> dict:
    return json.loads(SCHEMA.read_text())[method]["parameters"]["properties"]


def compare(theirs: dict, ours, path: str) -> list[str]:
    if "alias" in theirs:
        return [] if theirs["alias"] == ours.alias else [f"{path}: alias"]
    found = [
        f"{path}: {word} {theirs[word]} != {getattr(ours, name)}"
        for word, name in WORDS.items()
        if theirs.get(word) is not None and str(theirs[word]) != str(getattr(ours, name))
    ]
    if theirs.get("enum") and tuple(theirs["enum"]) != ours.enum:
        found.append(f"{path}: enum")
    if bool(theirs.get("optional")) != ours.optional:
        found.append(f"{path}: optional")
    if isinstance(theirs.get("format"), dict) and isinstance(ours.format, dict):
        for key, value in theirs["format"].items():
            if key in ours.format:
                found += compare(value, ours.format[key], f"{path}.{key}")
            else:
                found.append(f"{path}.{key}: missing")
        found += [f"{path}.{key}: unknown" for key in ours.format if key not in theirs["format"]]
    return found


@pytest.mark.parametrize(
    ("method", "options", "call_only"),
    [
        (
            "POST /nodes/{node}/qemu",
            MACHINE_OPTIONS,
            {"archive", "bwlimit", "force", "ha-managed", "import-working-storage", "live-restore", "node", "pool",
             "start", "storage", "unique", "vmid"},
        ),
        (
            "POST /nodes/{node}/lxc",
            CONTAINER_OPTIONS,
            {"bwlimit", "force", "ha-managed", "ignore-unpack-errors", "node", "ostemplate", "password", "pool",
             "restore", "ssh-public-keys", "start", "storage", "unique", "vmid"},
        ),
    ],
)  # fmt: skip
def test_guest_options_are_those_of_the_api(method, options, call_only):
    theirs = {re.sub(r"\[n\]$", "0", key): value for key, value in properties(method).items()}
    assert set(theirs) - set(options) == call_only
    found = [line for key in theirs.keys() - call_only for line in compare(theirs[key], options[key], key)]
    assert found == []


def test_storage_properties_are_those_of_the_api():
    theirs = properties("POST /storage")
    assert set(theirs) - {"storage", "type"} == set(PROPERTIES)
    changeable = set(properties("PUT /storage/{storage}")) - {"storage", "delete", "digest"}
    assert set(PROPERTIES) - changeable == set(CREATE_ONLY)
    assert [line for key in PROPERTIES for line in compare(theirs[key], PROPERTIES[key], key)] == []
