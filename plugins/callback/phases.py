# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Callback that tells the story of a run: phases, nodes, what they wait for, and how it ended."""

from __future__ import annotations

DOCUMENTATION = r"""
---
name: phases
type: stdout
short_description: Tell the phases of a run, one live line per node, and how each node ended
version_added: 0.1.0
description:
  - On a terminal, the foot of the screen shows where the run is and, for each node, what it waits for and since when.
    More nodes than there is room for become a bar and the ones that take longest.
  - Elsewhere (AWX, CI, a log file) there are plain lines alone, one for each task and way in which it ended.
  - Failures, unreachable hosts, warnings, deprecations, retries and differences are shown as P(ansible.builtin.default#callback) shows them.
  - With C(-v), all is shown as P(ansible.builtin.default#callback) does it, and the marks at the end are added.
author:
  - baremetal.proxmox authors (@baremetal-proxmox)
extends_documentation_fragment:
  - default_callback
  - result_format_callback
options:
  live:
    description:
      - Whether lines at the foot of the screen are redrawn all the time. V(auto) does so on a terminal.
      - What is shown beside them is the same in both cases.
    type: str
    choices: [auto, never]
    default: auto
    env:
      - name: PROXMOX_PROGRESS_LIVE
    ini:
      - section: callback_phases
        key: live
    version_added: 0.1.0
  language:
    description:
      - V(en) or V(fr). Taken from the variable C(proxmox_language), else from the locale, if not given.
    type: str
    env:
      - name: PROXMOX_LANGUAGE
    ini:
      - section: callback_phases
        key: language
    version_added: 0.1.0
"""

import atexit
import os
import shutil
import signal
import sys
import threading
import time
from typing import Any

from ansible import constants as C
from ansible.playbook.task_include import TaskInclude
from ansible.plugins.callback.default import CallbackModule as DefaultCallback
from ansible.utils.fqcn import add_internal_fqcns

from ansible_collections.baremetal.proxmox.plugins.module_utils._progress.foot import Foot, write_to
from ansible_collections.baremetal.proxmox.plugins.module_utils._progress.lines import (
    SIGNS,
    compose_foot,
    duration,
    result_line,
    summarize_task,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._progress.story import Mark, RunStory, judge_node
from ansible_collections.baremetal.proxmox.plugins.module_utils._words.phases import RULE, choose_language
from ansible_collections.baremetal.proxmox.plugins.module_utils._words.progress import MARKS, describe_activity, say

SAYS = "baremetal.proxmox.proxmox_say"
REDRAW_SECONDS = 0.5
# Strategies under which hosts do not work at the same task.
EACH_BY_ITSELF = add_internal_fqcns(("free", "host_pinned"))
COLOURS = {
    mark: C.config.get_config_value(setting)
    for mark, setting in (
        (Mark.OK, "COLOR_OK"),
        (Mark.CHANGED, "COLOR_CHANGED"),
        (Mark.SKIPPED, "COLOR_SKIP"),
        (Mark.IGNORED, "COLOR_WARN"),
        (Mark.FAILED, "COLOR_ERROR"),
        (Mark.UNREACHABLE, "COLOR_UNREACHABLE"),
        (Mark.STOPPED, "COLOR_SKIP"),
    )
}


class CallbackModule(DefaultCallback):
    """Ansible's default, with all that went well put into fewer lines."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "baremetal.proxmox.phases"

    def __init__(self) -> None:
        super().__init__()
        self._story = RunStory()
        self._language = "en"
        self._started = time.monotonic()
        self._untold_play = ""
        self._each_by_itself = False
        self._last_play_id = ""
        self._current_play_id = ""
        self._foot: Foot | None = None
        self._lock = threading.Lock()
        self._over = threading.Event()

    @property
    def _in_detail(self) -> bool:
        return bool(self._display.verbosity > 0)

    # The beginning.

    def set_options(self, task_keys: Any = None, var_options: Any = None, direct: Any = None) -> None:
        super().set_options(task_keys=task_keys, var_options=var_options, direct=direct)
        self._language = choose_language(self.get_option("language"), os.environ)

    def v2_playbook_on_start(self, playbook: Any) -> None:
        super().v2_playbook_on_start(playbook)
        plays = playbook.get_plays()
        self._last_play_id = plays[-1]._uuid if plays else ""
        if self._wants_live_lines():
            self._foot = Foot(write_to(sys.stdout.fileno()), shutil.get_terminal_size)
            self._close_foot_at_the_end()
            threading.Thread(target=self._redraw_until_over, name="phases", daemon=True).start()

    def _wants_live_lines(self) -> bool:
        terminal = sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
        return terminal and not self._in_detail and self.get_option("live") == "auto"

    def v2_playbook_on_play_start(self, play: Any) -> None:
        self._end_task()
        self._play = play
        self._each_by_itself = play.strategy in EACH_BY_ITSELF
        self._current_play_id = play._uuid
        if not self.get_option("language"):
            self._language = choose_language(_language_of_play(play), os.environ)
        if self._in_detail:
            super().v2_playbook_on_play_start(play)
        # A play that announces itself, or in which nothing happens, needs no title.
        self._untold_play = play.get_name().strip()
        with self._lock:
            self._story.begin_play(self._untold_play, [])

    # A task.

    def _task_start(self, task: Any, prefix: str | None = None) -> None:
        self._end_task()
        if self._in_detail:
            super()._task_start(task, prefix)
            return
        # As the default does it, except that nothing is printed before there is something to tell.
        if prefix is not None:
            self._task_type_cache[task._uuid] = prefix
        if self._each_by_itself:
            self._last_task_name = None
            return
        self._last_task_name = task.get_name().strip()
        with self._lock:
            self._story.begin_task(_name_of(task), time.monotonic())

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        super().v2_runner_on_start(host, task)
        activity = describe_activity(
            task.resolved_action or task.action, task.args.get("state", ""), _name_of(task), self._language
        )
        with self._lock:
            self._story.begin_on_host(host.get_name(), activity, time.monotonic())
        self._redraw()

    def _end_task(self) -> None:
        """Tell what became of a task once it is over on all hosts."""
        with self._lock:
            lines = summarize_task(self._story, time.monotonic(), self._language)
            self._story.task = None
        if lines and not self._in_detail:
            self._tell_play()
            for mark, line in lines:
                self._display.display(line, color=COLOURS[mark])

    def _tell_play(self) -> None:
        if self._untold_play and not self._in_detail:
            self._display.display(f"\n{self._untold_play}")
        self._untold_play = ""

    def _print_task_banner(self, task: Any) -> None:
        self._tell_play()
        super()._print_task_banner(task)

    # How it ended on a host.

    def v2_runner_on_ok(self, result: Any) -> None:
        mark = Mark.CHANGED if result.result.get("changed", False) else Mark.OK
        speaks = result.task.resolved_action == SAYS
        if speaks:
            self._untold_play = ""
            with self._lock:
                self._story.hear(str(result.result.get("message") or ""), result.result.get("filled_in") or {})
        # What brings others along, or spoke for itself, is no news.
        silent = speaks or isinstance(result.task, TaskInclude)
        if self._in_detail or self._speaks_at_length(result):
            super().v2_runner_on_ok(result)
            silent = True
        else:
            self._handle_warnings_and_exception(result)
        self._note(result, Mark.SKIPPED if silent else mark)

    def _speaks_at_length(self, result: Any) -> bool:
        """A task whose result is meant to be read, as that of debug."""
        return bool(self._run_is_verbose(result))

    def v2_runner_on_skipped(self, result: Any) -> None:
        if self._in_detail:
            super().v2_runner_on_skipped(result)
        else:
            self._handle_warnings_and_exception(result)
        self._note(result, Mark.SKIPPED)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        trouble = "" if ignore_errors else _first_line(result)
        super().v2_runner_on_failed(result, ignore_errors=ignore_errors)
        self._note(result, Mark.IGNORED if ignore_errors else Mark.FAILED, trouble)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        ignored = bool(result.task.ignore_unreachable)
        trouble = "" if ignored else _first_line(result)
        super().v2_runner_on_unreachable(result)
        self._note(result, Mark.IGNORED if ignored else Mark.UNREACHABLE, trouble)

    def _note(self, result: Any, mark: Mark, trouble: str = "") -> None:
        host, task_name = result.host.get_name(), _name_of(result.task)
        with self._lock:
            self._story.end_on_host(host, mark, f"{task_name}: {trouble}" if trouble else "")
            has_task = self._story.task is not None
        if not has_task and mark is not Mark.SKIPPED and not self._in_detail:
            self._tell_play()
            self._display.display(result_line(mark, task_name, host, self._language), color=COLOURS[mark])
        self._redraw()

    def v2_runner_item_on_ok(self, result: Any) -> None:
        if self._in_detail or self._speaks_at_length(result):
            super().v2_runner_item_on_ok(result)
        else:
            self._handle_warnings_and_exception(result)
        self._note_item(result)

    def v2_runner_item_on_skipped(self, result: Any) -> None:
        if self._in_detail:
            super().v2_runner_item_on_skipped(result)
        else:
            self._handle_warnings_and_exception(result)

    def v2_runner_item_on_failed(self, result: Any) -> None:
        super().v2_runner_item_on_failed(result)
        self._note_item(result)

    def _note_item(self, result: Any) -> None:
        with self._lock:
            self._story.end_item(result.host.get_name())

    def v2_playbook_on_include(self, included_file: Any) -> None:
        if self._in_detail:
            super().v2_playbook_on_include(included_file)

    def v2_playbook_on_no_hosts_matched(self) -> None:
        # Ansible warns of a pattern that matches nothing; a play that was meant for nobody is no news.
        if self._in_detail:
            super().v2_playbook_on_no_hosts_matched()

    # The end.

    def v2_playbook_on_stats(self, stats: Any) -> None:
        self._end_task()
        self._close_foot(os.getpid())
        if self._in_detail:
            super().v2_playbook_on_stats(stats)
        self._tell_end(stats)
        if not self._in_detail:
            self._tell_custom_stats(stats)

    def _tell_end(self, stats: Any) -> None:
        summaries = {host: stats.summarize(host) for host in sorted(stats.processed)}
        troubled = any(summary["failures"] or summary["unreachable"] for summary in summaries.values())
        stopped_early = troubled and self._current_play_id != self._last_play_id
        show = self._display.display
        show(f"\n{say('end', self._language)}\n{RULE}")
        if not summaries:
            show(say("nobody", self._language), color=COLOURS[Mark.IGNORED])
        width = max((len(host) for host in summaries), default=0)
        for host, summary in summaries.items():
            mark = judge_node(summary, stopped_early)
            counts = " ".join(f"{word}={summary[key]:<3}" for word, key in COUNTS)
            show(f"{host:<{width}} : {counts} {SIGNS[mark]} {MARKS[mark][self._language]}", color=COLOURS[mark])
        for node in self._story.nodes.values():
            summary = summaries.get(node.name)
            if node.trouble and summary and (summary["failures"] or summary["unreachable"]):
                show(f"{SIGNS[Mark.FAILED]} {node.name}: {node.trouble}", color=COLOURS[Mark.FAILED])
        show(say("took", self._language, time=duration(time.monotonic() - self._started)))

    def _tell_custom_stats(self, stats: Any) -> None:
        """What set_stats left, where Ansible's own setting asks for it."""
        if stats.custom and self.get_option("show_custom_stats"):
            for name in sorted(stats.custom):
                self._display.display(f"{name}: {self._dump_results(stats.custom[name]).strip()}")

    # The foot of the screen.

    def _redraw_until_over(self) -> None:
        while not self._over.wait(REDRAW_SECONDS):
            self._redraw()

    def _redraw(self) -> None:
        with self._lock:
            if self._foot is None or self._over.is_set() or not self._story.nodes:
                return
            columns, rows = self._foot.room()
            self._foot.show(compose_foot(self._story, time.monotonic(), self._language, columns, rows))

    def _close_foot_at_the_end(self) -> None:
        """Also where the run is interrupted or terminated, which leaves a program no other chance."""
        process = os.getpid()
        atexit.register(self._close_foot, process)
        ansible_handles = signal.getsignal(signal.SIGTERM)

        def handle(number: int, _frame: Any) -> None:
            self._close_foot(process)
            signal.signal(number, ansible_handles)
            os.kill(os.getpid(), number)

        signal.signal(signal.SIGTERM, handle)

    def _close_foot(self, process: int) -> None:
        """Never in a worker, which has inherited this object but not the screen."""
        if self._foot is None or os.getpid() != process:
            return
        self._over.set()
        # A signal may have come while the lock is held by what it interrupted, which will never let go of it.
        held = self._lock.acquire(timeout=1)
        self._foot.close()
        if held:
            self._lock.release()


COUNTS = (
    ("ok", "ok"),
    ("changed", "changed"),
    ("unreachable", "unreachable"),
    ("failed", "failures"),
    ("skipped", "skipped"),
    ("rescued", "rescued"),
    ("ignored", "ignored"),
)


def _name_of(task: Any) -> str:
    """The task's name without that of its role, which Ansible puts in front."""
    return str(task.name or task.get_name()).strip()


def _language_of_play(play: Any) -> str | None:
    """The variable proxmox_language where it holds for all hosts; a callback knows no host."""
    manager = play.get_variable_manager()
    wanted = (manager.get_vars(play=play) if manager else {}).get("proxmox_language")
    return str(wanted) if wanted else None


def _first_line(result: Any) -> str:
    """The beginning of a failure's message, before the default callback removes anything from the result."""
    lines = str(result.result.get("msg") or "").strip().splitlines()
    return lines[0] if lines else ""
