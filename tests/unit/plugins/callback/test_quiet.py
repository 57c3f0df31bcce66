# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing but what tasks have to say, and who failed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
PLAYBOOK = """
- hosts: localhost
  gather_facts: false
  tasks:
    - {ansible.builtin.assert: {that: true}}
    - {ansible.builtin.debug: {msg: "{{ {'a': [1]} | to_nice_json }}"}}
    - {ansible.builtin.debug: {msg: [first, second]}, when: lines is defined}
    - {ansible.builtin.fail: {msg: there is nothing}, when: wrong is defined}
"""


def run(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    (place / "play.yml").write_text(PLAYBOOK, encoding="utf-8")
    variables = {
        "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build/link"),
        "ANSIBLE_STDOUT_CALLBACK": "baremetal.proxmox.quiet",
        "LC_ALL": "C.UTF-8",
    }
    command = [Path(sys.executable).parent / "ansible-playbook", "-i", "localhost,", *arguments, place / "play.yml"]
    return subprocess.run(
        command, env={**os.environ, **variables}, cwd=place, capture_output=True, text=True, check=False
    )


def test_the_output_is_the_message_alone(tmp_path: Path):
    assert json.loads(run(tmp_path).stdout) == {"a": [1]}


def test_lists_are_lines_and_failures_go_elsewhere(tmp_path: Path):
    ended = run(tmp_path, "-e", "lines=1", "-e", "wrong=1")
    assert ended.returncode == 2
    assert ended.stdout.endswith("}\nfirst\nsecond\n")
    assert "failed: localhost: there is nothing" in ended.stderr
