# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configuration files: read and written as PVE does, byte for byte."""

from __future__ import annotations

import hashlib

import pytest

from practice_pve.guests.config_file import CONTAINER, MACHINE, decode_text, encode_text, parse_config, render_config
from practice_pve.guests.pending import apply_to_view, pending_view, print_pending
from practice_pve.guests.tables.container_options import FILE_OPTIONS as CONTAINER_OPTIONS
from practice_pve.guests.tables.machine_options import FILE_OPTIONS as MACHINE_OPTIONS
from practice_pve.guests.values import check_value

FULL = """\
#first line
#second%3A with a colon
agent: 1
boot:{blank}
cores: 2
memory: 128
net0: virtio=BC:24:11:F0:6C:8B,bridge=vmbr0
onboot: 1
parent: s1

[PENDING]
delete: net0
memory: 256

[special:cloudinit]
added: ciuser
name: old

[s1]
#taken before
cores: 2
memory: 128
snaptime: 1795206681
""".replace("{blank}", "  ")


def parse(text, dialect=MACHINE, options=MACHINE_OPTIONS):
    return parse_config(text, dialect, 100, lambda key, value: check_value(options, key, value))


def test_a_file_survives_reading_and_writing():
    assert render_config(parse(FULL), MACHINE) == FULL


def test_values_have_their_types():
    config = parse(FULL)
    assert (config.values["cores"], config.values["onboot"]) == (2, 1)
    assert config.values["memory"] == "128"
    assert config.values["boot"] == " "
    assert config.values["description"] == "first line\nsecond: with a colon"
    assert config.snapshots["s1"]["description"] == "taken before"
    assert config.digest == hashlib.sha1(FULL.encode()).hexdigest()


def test_keys_are_sorted_and_description_comes_first():
    config = parse("name: b\nacpi: 0\n")
    config.values["description"] = "x"
    assert render_config(config, MACHINE) == "#x\nacpi: 0\nname: b\n"


@pytest.mark.parametrize(
    ("line", "warning"),
    [
        ("cores: x", "vm 100 - unable to parse value of 'cores' - type check ('integer') failed - got 'x'"),
        ("nosuch: 1", "vm 100 - unable to parse value of 'nosuch' - unknown setting 'nosuch'"),
        ("??", "vm 100 - unable to parse config: ??"),
    ],
)
def test_what_cannot_be_understood_is_left_out_with_a_warning(line, warning):
    config = parse(f"name: a\n{line}\n")
    assert config.values == {"name": "a"}
    assert config.warnings == [warning]


def test_container_files_keep_raw_lines_in_their_order():
    text = "arch: amd64\nhostname: c\nlxc.cap.drop: a\nlxc.apparmor.profile: b\n"
    config = parse(text, CONTAINER, CONTAINER_OPTIONS)
    assert config.raw == [("lxc.cap.drop", "a"), ("lxc.apparmor.profile", "b")]
    assert render_config(config, CONTAINER) == text


@pytest.mark.parametrize("text", ["plain", "a:b", "ümlaut ✓", "50% of it", "tab\there"])
def test_descriptions_are_escaped_and_back(text):
    encoded = encode_text(text)
    assert encoded.isascii()
    assert ":" not in encoded
    assert decode_text(encoded) == text


def test_pending_changes_show_in_the_view(capsys):
    config = parse(FULL)
    assert "net0" not in apply_to_view(config)
    assert apply_to_view(config)["memory"] == "256"
    entries = {entry["key"]: entry for entry in pending_view(config)}
    assert entries["memory"] == {"key": "memory", "value": "128", "pending": "256"}
    assert entries["net0"]["delete"] == 1
    print_pending(pending_view(config))
    lines = capsys.readouterr().out.splitlines()
    assert "cur memory: 128" in lines
    assert "new memory: 256" in lines
    assert "del net0: virtio=BC:24:11:F0:6C:8B,bridge=vmbr0" in lines
    assert not any("digest" in line for line in lines)


def test_forced_deletions_are_marked():
    config = parse("name: a\n")
    config.set_pending_deletions({"scsi0": True, "net0": False})
    assert config.pending["delete"] == "net0,!scsi0"
    assert config.pending_deletions() == {"scsi0": True, "net0": False}
    config.set_pending_deletions({})
    assert config.pending == {}
