# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When work is fed to a node as a program, and how the output of it is read."""

from __future__ import annotations

import pytest

from ansible_collections.baremetal.proxmox.plugins.action.proxmox_cluster_info import ActionModule
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


class Connection:
    def __init__(self, become: object = None, pipelining: bool = True, feedable: bool = True) -> None:
        self.become, self._pipelining, self.has_pipelining = become, pipelining, feedable

    def is_pipelining_enabled(self, wrap_async: bool = False) -> bool:
        return self._pipelining and not wrap_async


class Task:
    def __init__(self, **special: object) -> None:
        self.async_val, self.delegate_to, self.environment = 0, None, [{}]
        self.__dict__.update(special)


def can_stream(task: Task, connection: Connection) -> bool:
    action = object.__new__(ActionModule)
    action._task, action._connection = task, connection
    return action._can_stream()


@pytest.mark.parametrize(
    ("task", "connection", "streams"),
    [
        (Task(), Connection(), True),
        (Task(), Connection(pipelining=False), True),
        (Task(), Connection(become="su"), True),
        (Task(), Connection(become="su", pipelining=False), False),
        (Task(), Connection(feedable=False), False),
        (Task(async_val=60), Connection(), False),
        (Task(delegate_to="pve2"), Connection(), False),
        (Task(environment=[{"LANG": "C"}]), Connection(), False),
    ],
)
def test_what_only_a_modules_way_can_do_goes_that_way(task, connection, streams):
    assert can_stream(task, connection) is streams
