# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tarball, as somebody uses it who has nothing else: built, installed somewhere, and run from there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from copy_tree import copy

BIN = Path(sys.executable).parent
NEEDED = ("plugins/modules/proxmox_node_info.py", "playbooks/node_info.yml", "meta/runtime.yml", "README.md", "LICENSE")
UNWANTED = ("tests/", ".ci/", "build/", "extensions/", ".venv/", "Makefile", "ansible.cfg", ".git", ".mypy", ".ruff")


def run(arguments: list[str | Path], cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run one of Ansible's programs as a user would who has never seen the checkout."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    environment |= {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", **variables}
    ended = subprocess.run(
        [BIN / arguments[0], *arguments[1:]],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, f"{arguments}\n{ended.stdout}\n{ended.stderr}"
    return ended


@pytest.fixture(scope="module")
def tarball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree = tmp_path_factory.mktemp("copy") / "ansible_collections" / "baremetal" / "proxmox"
    copy(tree)
    built = tmp_path_factory.mktemp("built")
    run(["ansible-galaxy", "collection", "build", "--output-path", built, tree], built)
    [file] = built.glob("baremetal-proxmox-*.tar.gz")
    return file


@pytest.fixture(scope="module")
def installed(tarball: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another collections path, with nothing but the installed tarball."""
    target = tmp_path_factory.mktemp("installed")
    command: list[str | Path] = ["ansible-galaxy", "collection", "install", "--offline", "-p", target, tarball]
    run(command, target, ANSIBLE_COLLECTIONS_PATH=str(target))
    return target


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


def test_the_documentation_is_there(installed: Path):
    command: list[str | Path] = ["ansible-doc", "--json", "--type", "module", "baremetal.proxmox.proxmox_node_info"]
    ended = run(command, installed, ANSIBLE_COLLECTIONS_PATH=str(installed))
    assert json.loads(ended.stdout)["baremetal.proxmox.proxmox_node_info"]["doc"]["collection"] == "baremetal.proxmox"
