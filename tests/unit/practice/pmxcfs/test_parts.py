# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Small decisions: paths, addresses, options, corosync.conf's version, sockets, properties."""

from __future__ import annotations

from pathlib import Path

import pytest

from practice_pve.pmxcfs.corosync_conf import config_version
from practice_pve.pmxcfs.first_look import listening
from practice_pve.pmxcfs.guest_properties import property_values
from practice_pve.pmxcfs.node_address import first_usable_address
from practice_pve.pmxcfs.options import HelpWanted, Options, UsageError, parse
from practice_pve.pmxcfs.paths import guest_config, is_lock_directory, is_private
from practice_pve.pmxcfs.read_only_fault import ReadOnlyFault
from practice_pve.pmxcfs.status_group import decode_value, encode_value
from practice_pve.pmxcfs.tree_messages import TreeChange, decode_unlock, encode_unlock


@pytest.mark.parametrize("path", ["priv", "priv/a", "priv/a/b", "nodes/pve1/priv", "nodes/pve1/priv/x"])
def test_private(path: str):
    assert is_private(path)


@pytest.mark.parametrize("path", ["", "privat", "nodes/priv", "nodes/pve1/private", "a/priv", "nodes/pve1/x/priv"])
def test_not_private(path: str):
    assert not is_private(path)


def test_lock_directories():
    assert (
        is_lock_directory("priv/lock/x") and not is_lock_directory("priv/lock/") and not is_lock_directory("priv/lock")
    )


@pytest.mark.parametrize(
    "path",
    [
        "nodes/pve1/qemu-server/0100.conf",
        "nodes/-x/lxc/100.conf",
        "nodes/pve1/lxc/100.conf.tmp",
        "100.conf",
        "nodes/pve1/100.conf",
    ],
)
def test_no_guest_config(path: str):
    assert guest_config(path) is None


def test_addresses():
    assert first_usable_address(["127.0.1.1", "10.0.0.1"]) == "10.0.0.1"
    assert first_usable_address(["::1", "fe80::1"]) == "fe80::1"
    assert first_usable_address(["127.0.0.1", "::1"]) is None


def test_options():
    assert parse([]) == Options()
    assert parse(["-l"]) == Options(local=True)
    assert parse(["-fd", "--local"]) == Options(debug=True, foreground=True, local=True)
    for wrong, text in ((["-x"], "option parsing failed: Unknown option -x"), (["word"], "too many arguments")):
        with pytest.raises(UsageError, match=text):
            parse(wrong)
    with pytest.raises(HelpWanted):
        parse(["--help"])


def test_config_version():
    assert config_version(b"totem {\n  config_version: 12\n}") == 12
    assert config_version(b"nothing") == 0


def test_corosync_sockets():
    line = "000: 00000002 00000000 00010000 0001 01 1 @{}@@@@\n"
    table = "".join(line.format(name) for name in ("quorum", "cmap", "cpg"))
    assert listening(table)
    assert not listening(table.replace("@cpg", "@xpg"))
    assert not listening("")


def test_properties_of_the_current_configuration_only():
    config = b"name: web\ncores: 2\nempty:\n\n[snap]\nname: old\nlock: backup\n"
    assert property_values(config, ["name", "lock", "empty"]) == {"name": "web"}


def test_tree_changes_travel():
    change = TreeChange("a\udcff", "b", b"data", 17, True)
    assert TreeChange.decode(change.encode()) == change
    with pytest.raises(ValueError, match="short"):
        TreeChange.decode(b"x")
    with pytest.raises(ValueError, match="mailformed"):
        TreeChange.decode(change.encode() + b"x")
    assert decode_unlock(encode_unlock("priv/lock/x", b"d" * 32)) == ("priv/lock/x", b"d" * 32)


def test_values_travel():
    assert decode_value(encode_value("kv/x", b"\0data")) == ("kv/x", b"\0data")


def test_the_planted_fault_can_be_switched(tmp_path: Path):
    settings = tmp_path / "practice-node.json"
    fault = ReadOnlyFault(str(settings))
    fault.CHECK_SECONDS = 0.0
    assert not fault.planted()
    settings.write_text('{"read_only": true}')
    assert fault.planted()
    settings.write_text('{"read_only": ')
    assert fault.planted()
    settings.unlink()
    assert not fault.planted()
