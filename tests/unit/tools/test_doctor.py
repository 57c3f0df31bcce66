# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of make doctor, each on a controller that lacks something."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from doctor import Controller, examine

HOSTS = {"pve1": {"ansible_host": "198.51.100.1", "cluster_name": "lab"}}


@pytest.fixture
def make(tmp_path: Path):
    """A controller on which all is well, but for what is given."""
    ssh = tmp_path / ".ssh"
    ssh.mkdir()
    for name in ("id_ed25519", "id_ed25519.pub", "known_hosts"):
        (ssh / name).touch(mode=0o600)
    inventory = tmp_path / "cluster.ini"
    inventory.touch(mode=0o600)

    def build(answers: dict[str, tuple[int, str]] | None = None, **values: Any) -> Controller:
        told = {"ssh": (0, "OpenSSH_9.2p1"), "ssh-add": (1, ""), "timedatectl": (0, "yes\n"), **(answers or {})}

        def run(command: list[str]) -> subprocess.CompletedProcess[str]:
            rc, text = told[command[0]]
            return subprocess.CompletedProcess(command, rc, text, text)

        defaults = {
            "home": tmp_path,
            "environment": {"LANG": "C.UTF-8"},
            "run": run,
            "core_version": "2.19.14",
            "hosts": HOSTS,
            "inventory": inventory,
        }
        return Controller(**{**defaults, **values})

    return build


def codes(controller: Controller) -> set[str]:
    # A test's directory may be longer than a home is.
    return {finding.code for finding in examine(controller)} - {"long_home"}


def test_all_is_well(make):
    assert codes(make()) == set()


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"core_version": "2.18.6"}, "old_ansible"),
        ({"answers": {"ssh": (0, "OpenSSH_7.9p1")}}, "old_ssh"),
        ({"answers": {"timedatectl": (0, "no\n")}}, "clock"),
        ({"environment": {"LC_ALL": "C", "LANG": "C.UTF-8"}}, "locale"),
        ({"environment": {}}, "locale"),
        ({"hosts": None}, "no_inventory"),
        ({"hosts": {}}, "no_hosts"),
        ({"hosts": {"pve1": {"ansible_host": "192.0.2.11", "cluster_name": "lab"}}}, "example_addresses"),
        ({"hosts": {"pve1": {"ansible_host": "198.51.100.1"}}}, "no_cluster_name"),
        ({"home": Path("/" + "long/" * 20)}, "no_key"),
    ],
)
def test_what_is_missing_is_named(make, values, code):
    assert code in codes(make(**values))


def test_keys_and_their_modes(make, tmp_path):
    (tmp_path / ".ssh/id_ed25519").chmod(0o644)
    (tmp_path / ".ssh/id_ed25519.pub").unlink()
    assert codes(make()) == {"open_key", "no_public_key"}
    (tmp_path / ".ssh/id_ed25519").unlink()
    assert codes(make()) == {"no_key"}
    # An agent holds one, or the inventory names another.
    assert codes(make(answers={"ssh-add": (0, "ssh-ed25519 AAAA")})) == set()
    (tmp_path / "other").touch(mode=0o600)
    (tmp_path / "other.pub").touch()
    named = {"pve1": {**HOSTS["pve1"], "ansible_ssh_private_key_file": str(tmp_path / "other")}}
    assert codes(make(hosts=named)) == set()


def test_passwords_that_everybody_can_read(make, tmp_path):
    with_password = {"pve1": {**HOSTS["pve1"], "ansible_password": "x"}}
    assert codes(make(hosts=with_password)) == set()
    (tmp_path / "cluster.ini").chmod(0o644)
    assert codes(make(hosts=with_password)) == {"open_inventory"}


def test_every_finding_says_what_to_do(make):
    broken = make(hosts=None, environment={}, core_version="2.9", answers={"timedatectl": (0, "no")})
    assert all(finding.remedy for finding in examine(broken))
