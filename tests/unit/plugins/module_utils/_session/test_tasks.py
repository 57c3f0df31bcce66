# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The truth about tasks, on a clock that costs no time."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.baremetal.proxmox.plugins.module_utils._session.errors import (
    AnswerLost,
    Busy,
    Denied,
    Failed,
    TaskFailed,
    TaskUnfinished,
    Unreachable,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.reconcile import find_lost_task
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.tasks import wait_for_task
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.upid import find_upid, parse_upid
from fake_session import FakeSession, InTurn

UPID = "UPID:pve2:0000135F:00070F8C:6B00B05E:qmcreate:150:root@pam:"
STATUS = "/nodes/pve2/tasks/UPID%3Apve2%3A0000135F%3A00070F8C%3A6B00B05E%3Aqmcreate%3A150%3Aroot%40pam%3A/status"
LOG = STATUS.removesuffix("status") + "log"
RUNNING = {"status": "running"}


class Clock:
    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


def stopped(exitstatus: str) -> dict[str, str]:
    return {"status": "stopped", "exitstatus": exitstatus}


def wait(session: FakeSession, clock: Clock, timeout: float = 100, **values: Any) -> Any:
    return wait_for_task(session, UPID, timeout, clock=clock.time, sleep=clock.sleep, **values)


def test_a_good_task_costs_one_call_and_its_log_is_not_read() -> None:
    session = FakeSession({("GET", STATUS): stopped("OK")})
    assert wait(session, Clock()).ok
    assert [call.path for call in session.calls] == [STATUS]


def test_pauses_grow_from_a_twentieth_to_one_second() -> None:
    clock = Clock()
    wait(FakeSession({("GET", STATUS): InTurn(*[RUNNING] * 15, stopped("OK"))}), clock)
    assert clock.pauses[0] == 0.05 and clock.pauses[-1] == 1.0
    assert clock.pauses == sorted(clock.pauses)


def test_warnings_are_success_and_are_shown() -> None:
    log = [{"n": 1, "t": "starting"}, {"n": 2, "t": "WARN: no such thing"}, {"n": 3, "t": "TASK WARNINGS: 1"}]
    result = wait(FakeSession({("GET", STATUS): stopped("WARNINGS: 1"), ("GET", LOG): log}), Clock())
    assert result.ok and result.warnings == ("WARN: no such thing",)


def test_a_failed_task_says_why_in_its_own_words() -> None:
    text = "can't lock file '/var/lock/qemu-server/lock-150.conf' - got timeout"
    log = [{"n": 1, "t": "first"}, {"n": 2, "t": f"TASK ERROR: {text}"}]
    session = FakeSession({("GET", STATUS): stopped(text), ("GET", LOG): log})
    with pytest.raises(TaskFailed) as caught:
        wait(session, Clock())
    assert caught.value.exitstatus == text and caught.value.log == ("first", f"TASK ERROR: {text}")
    assert isinstance(caught.value.cause, Busy)
    assert "qmcreate 150" in str(caught.value) and text in str(caught.value)
    assert wait(session, Clock(), check=False).exitstatus == text


def test_an_unreadable_log_does_not_hide_the_failure() -> None:
    session = FakeSession({("GET", STATUS): stopped("boom"), ("GET", LOG): Denied("Permission check failed")})
    with pytest.raises(TaskFailed, match="boom"):
        wait(session, Clock())


def test_time_runs_out_and_the_task_goes_on() -> None:
    clock = Clock()
    session = FakeSession({("GET", STATUS): RUNNING, ("GET", LOG): [{"n": 1, "t": "10 %"}]})
    with pytest.raises(TaskUnfinished) as caught:
        wait(session, clock, 5)
    assert caught.value.upid == UPID and caught.value.log == ("10 %",)
    assert clock.now == pytest.approx(5)
    assert not session.writes


def test_a_restart_of_the_daemons_is_waited_out() -> None:
    answers = InTurn(RUNNING, *[Unreachable("refused")] * 5, stopped("OK"))
    assert wait(FakeSession({("GET", STATUS): answers}), Clock()).ok


def test_but_not_for_ever() -> None:
    clock = Clock()
    with pytest.raises(Unreachable):
        wait(FakeSession({("GET", STATUS): Unreachable("refused")}), clock, 600)
    assert 30 < clock.now < 35


def test_what_is_no_task_is_refused() -> None:
    with pytest.raises(Failed, match="not a task"):
        wait_for_task(FakeSession(), "local:100/disk", 1)


def test_names_of_tasks() -> None:
    task = parse_upid("UPID:pve1:000017E4:0007431D:6B00B0E2:qmcreate:160:root@pam!lab:")
    assert task and (task.node, task.type, task.id, task.user) == ("pve1", "qmcreate", "160", "root@pam!lab")
    assert parse_upid(None) is None and parse_upid("x" + UPID) is None
    # What pvesh makes of a task on another node: log and name in one text without line ends.
    assert find_upid(f'generating cloud-init ISO"{UPID}"') == UPID


class TestLostAnswer:
    lost = AnswerLost("closed", method="POST", path="/nodes/pve2/qemu", sent_at=0x6B00B05E)

    def rows(self, *upids: str) -> list[dict[str, str]]:
        return [{"upid": upid} for upid in upids]

    def find(self, session: FakeSession, clock: Clock) -> str | None:
        return find_lost_task(session, self.lost, ["qmcreate"], 150, clock=clock.time, sleep=clock.sleep)

    def test_the_task_is_found_on_its_node_even_when_it_starts_late(self) -> None:
        session = FakeSession({("GET", "/nodes/pve2/tasks"): InTurn([], [], self.rows(UPID))})
        assert self.find(session, Clock()) == UPID
        assert session.calls[0].params["source"] == "all"

    @pytest.mark.parametrize(
        "other",
        [
            UPID.replace("root@pam", "bob@pve"),
            UPID.replace("root@pam", "root@pam!token"),
            UPID.replace(":150:", ":151:"),
            UPID.replace("qmcreate", "qmdestroy"),
            UPID.replace("6B00B05E", "6B00B000"),
        ],
        ids=["user", "token", "id", "type", "older"],
    )
    def test_somebody_elses_task_is_not_ours(self, other: str) -> None:
        clock = Clock()
        assert self.find(FakeSession({("GET", "/nodes/pve2/tasks"): self.rows(other)}), clock) is None
        assert clock.now < 5

    def test_a_task_that_was_answered_is_not_the_lost_one(self) -> None:
        session = FakeSession({("GET", "/nodes/pve2/tasks"): self.rows(UPID)})
        session.tasks[UPID] = ("OK", [])
        assert self.find(session, Clock()) is None

    def test_the_whole_cluster_is_searched_where_the_path_names_no_node(self) -> None:
        lost = AnswerLost("closed", method="POST", path="/cluster/ha/x", sent_at=0x6B00B05E)
        session = FakeSession({("GET", "/cluster/tasks"): self.rows(UPID)})
        assert find_lost_task(session, lost, ["qmcreate"], "150") == UPID
