# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The group C(proxmox): one place for the options of access of all modules that reach Proxmox VE."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
PLAY = """
- hosts: localhost
  gather_facts: false
  module_defaults:
    group/baremetal.proxmox.proxmox: {transport: api, api_host: 127.0.0.1, api_port: 1, api_user: root@pam, api_password: none}
  tasks:
    - baremetal.proxmox.%s: {%s}
      ignore_errors: true
"""


def group() -> list[str]:
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    return list(runtime["action_groups"]["proxmox"])


def test_the_group_has_all_modules_with_a_session() -> None:
    modules = (ROOT / "plugins" / "modules").glob("*.py")
    with_session = {path.stem for path in modules if "baremetal.proxmox._session" in path.read_text(encoding="utf-8")}
    assert set(group()) == with_session
    assert group() == sorted(group())


def test_defaults_of_the_group_reach_a_module(tmp_path: Path) -> None:
    book = tmp_path / "play.yml"
    book.write_text(PLAY % ("proxmox_qm_vm", "name: web1"), encoding="utf-8")
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "localhost,", "-c", "local", str(book)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "ANSIBLE_STDOUT_CALLBACK": "default"},
    )
    assert "127.0.0.1:1" in done.stdout, done.stdout + done.stderr
