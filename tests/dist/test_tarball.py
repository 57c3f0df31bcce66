# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tarball, as somebody uses it who has nothing else: built, installed somewhere, and run from there."""

from __future__ import annotations

import json
import os
import sys
import tarfile
from pathlib import Path

from as_a_user import run

NEEDED = ("plugins/modules/proxmox_node_info.py", "playbooks/node_info.yml", "meta/runtime.yml", "README.md", "LICENSE")
UNWANTED = ("tests/", ".ci/", "build/", "extensions/", ".venv/", "Makefile", "ansible.cfg", ".git", ".mypy", ".ruff")


def test_the_tarball_holds_what_users_need_and_no_more(tarball: Path):
    with tarfile.open(tarball) as archive:
        names = archive.getnames()
    assert [name for name in NEEDED if name not in names] == []
    assert [name for name in names if name.startswith(UNWANTED) or "__pycache__" in name] == []


def test_a_module_runs_from_the_installed_tarball(installed: Path):
    ended = run(
        ["ansible", "localhost", "-m", "baremetal.proxmox.proxmox_node_info"],
        installed,
        ANSIBLE_COLLECTIONS_PATH=str(installed),
        ANSIBLE_CALLBACK_RESULT_FORMAT="json",
        ANSIBLE_LOCALHOST_WARNING="false",
    )
    result = json.loads(ended.stdout.partition("=>")[2])
    assert result["changed"] is False
    assert result["node"]["name"] == os.uname().nodename.partition(".")[0]


def test_a_playbook_runs_from_the_installed_tarball(installed: Path):
    ended = run(
        ["ansible-playbook", "-i", "here,", "-c", "local", "baremetal.proxmox.node_info"],
        installed,
        # Not the discovered one: the Pythons found on a developer's PATH may be shims that do not run.
        ANSIBLE_PYTHON_INTERPRETER=sys.executable,
        ANSIBLE_COLLECTIONS_PATH=str(installed),
    )
    assert "MEMBERSHIP" in ended.stdout
    assert "failed=0" in ended.stdout
    assert "unreachable=0" in ended.stdout


def test_every_playbook_is_found_by_its_full_name(installed: Path):
    """From a directory that has nothing to do with the checkout: roles, task files and modules are all found."""
    playbooks = installed / "ansible_collections/baremetal/proxmox/playbooks"
    # A dashed name is for paths; awx_setup needs the collection of AWX.
    names = [path.stem for path in playbooks.glob("*.yml") if "-" not in path.stem and path.stem != "awx_setup"]
    assert "create_proxmox_cluster" in names
    run(
        ["ansible-playbook", "-i", "pve1,", "--syntax-check", *(f"baremetal.proxmox.{name}" for name in names)],
        installed,
        ANSIBLE_COLLECTIONS_PATH=str(installed),
    )


def test_the_checkouts_own_command_runs_from_the_installed_tarball(installed: Path):
    """baremetal.proxmox.create_proxmox_cluster on nobody: it is loaded, planned and ended."""
    ended = run(
        ["ansible-playbook", "-i", "elsewhere,", "baremetal.proxmox.create_proxmox_cluster"],
        installed,
        ANSIBLE_COLLECTIONS_PATH=str(installed),
        ANSIBLE_STDOUT_CALLBACK="baremetal.proxmox.phases",
    )
    assert "No host was worked on" in ended.stdout


def test_the_documentation_is_there(installed: Path):
    command: list[str | Path] = ["ansible-doc", "--json", "--type", "module", "baremetal.proxmox.proxmox_node_info"]
    ended = run(command, installed, ANSIBLE_COLLECTIONS_PATH=str(installed))
    assert json.loads(ended.stdout)["baremetal.proxmox.proxmox_node_info"]["doc"]["collection"] == "baremetal.proxmox"
