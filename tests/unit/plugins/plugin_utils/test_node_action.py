# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the output of a program on a node is read."""

from __future__ import annotations

from ansible_collections.baremetal.proxmox.plugins.plugin_utils.node_action import read_answer


def output(stdout: str, stderr: str = "", rc: int = 0) -> dict[str, object]:
    return {"rc": rc, "stdout": stdout, "stderr": stderr}


def test_what_a_login_prints_before_is_no_part_of_the_answer():
    assert read_answer(output('Welcome to pve1\n{"changed": false}')) == {"changed": False}


def test_a_program_that_broke_is_a_failure_with_its_last_words():
    told = read_answer(output('{"changed": false}', "Traceback\nImportError: no _ctypes\n", 1))
    assert told["failed"] is True
    assert "ended with 1: ImportError: no _ctypes" in told["msg"]


def test_silence_is_a_failure():
    assert "no answer" in read_answer(output(""))["msg"]
    assert read_answer(output("[1, 2]"))["failed"] is True
