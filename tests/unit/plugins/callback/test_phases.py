# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is seen of a run: without a terminal, on one, in detail, in both languages, and when things go wrong."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pyte
import pytest

from busy_machine import allow

ROOT = Path(__file__).resolve().parents[4]
BIN = Path(sys.executable).parent
COLUMNS, LINES = 100, 30
SIGNS = ("✓", "✎", "✗", "!", "-")
PLAYBOOK = """
- name: A play for nobody
  hosts: all:!all
  gather_facts: false
  tasks: [{ansible.builtin.ping: }]
- name: Phase one
  hosts: all
  gather_facts: false
  tasks:
    - {baremetal.proxmox.proxmox_say: {message: phase_1}, run_once: true}
    - {name: Nothing to do, ansible.builtin.meta: noop}
    - {name: Skipped, ansible.builtin.assert: {that: true}, when: false}
    - {name: Bring others along, ansible.builtin.include_role: {name: brought}}
    - {name: Well, ansible.builtin.assert: {that: true, quiet: true}}
    - {name: Told, ansible.builtin.debug: {msg: the answer is 42}, run_once: true}
    - {name: Warned, ansible.builtin.debug: {msg: "{{ 'x' | baremetal.proxmox.nothing_like_this }}"}, ignore_errors: true}
- name: The second
  hosts: all
  gather_facts: false
  any_errors_fatal: true
  tasks:
    - name: Slow
      ansible.builtin.command: sh -c "sleep {{ seconds }}; touch {{ place }}/done-{{ inventory_hostname }}"
      args: {creates: "{{ place }}/done-{{ inventory_hostname }}"}
    - name: Goes wrong
      ansible.builtin.command: sh -c "echo printed; echo complained >&2; exit {{ 3 if inventory_hostname == 'pve2' else 0 }}"
      changed_when: false
      when: goes_wrong | bool
- name: The third
  hosts: all
  gather_facts: false
  tasks:
    - {name: Last, ansible.builtin.assert: {that: true, quiet: true}}
"""


class Runs:
    """Runs the playbook with this callback, as the configuration of the checkout chooses it."""

    def __init__(self, place: Path) -> None:
        self.place = place
        (place / "play.yml").write_text(PLAYBOOK, encoding="utf-8")
        (place / "roles/brought/tasks").mkdir(parents=True)
        (place / "roles/brought/tasks/main.yml").write_text(
            "- {name: Brought along, ansible.builtin.assert: {that: true, quiet: true}}"
        )

    def command(self, *arguments: str) -> list[str]:
        variables = [f"place={self.place}", "ansible_connection=local", f"ansible_python_interpreter={sys.executable}"]
        extra = [word for variable in variables for word in ("-e", variable)]
        inventory = str(self.place / "inventory")
        return [str(BIN / "ansible-playbook"), "-i", inventory, *extra, *arguments, str(self.place / "play.yml")]

    def environment(self, **variables: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "LC_"))}
        kept.pop("NO_COLOR", None)
        link = str(ROOT / "build" / "link")
        own = {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_COLLECTIONS_PATH": link, "LANG": "C.UTF-8"}
        return {**kept, **own, "COLUMNS": str(COLUMNS), "LINES": str(LINES), "TERM": "xterm-256color", **variables}

    def write_inventory(self, seconds: str) -> None:
        (self.place / "inventory").write_text(f"pve1 seconds=0\npve2 seconds={seconds}\n", encoding="utf-8")

    def run(self, *arguments: str, goes_wrong: bool = False, **variables: str) -> subprocess.CompletedProcess[str]:
        self.write_inventory("0")
        ended = subprocess.run(
            self.command("-e", f"goes_wrong={goes_wrong}", *arguments),
            env=self.environment(**variables),
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=allow(60),
            check=False,
        )
        # Ansible only warns of a callback that raises, and goes on.
        assert "Callback dispatch" not in ended.stderr, ended.stderr
        return ended

    def run_on_terminal(
        self, seconds: str, stop_by: int | None = None, **variables: str
    ) -> tuple[pyte.Screen, str, list[list[str]]]:
        """What stands on the screen at the end, all that was written, and the feet seen on the way.

        C(stop_by): the signal that ends the run once pve2 is slow.
        """
        self.write_inventory(seconds)
        screen = pyte.HistoryScreen(COLUMNS, LINES, history=500)
        stream = pyte.Stream(screen)
        ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (LINES, COLUMNS))
        environment = self.environment(**variables)
        process = subprocess.Popen(
            self.command("-e", "goes_wrong=false"),
            env=environment,
            cwd=ROOT,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        written, feet, stopped = "", [], False
        limit = time.monotonic() + allow(90)
        while time.monotonic() < limit:
            if not select.select([ours], [], [], 0.2)[0]:
                continue
            try:
                text = os.read(ours, 65536).decode("utf-8", "replace")
            except OSError:  # the other end is closed
                break
            written += text
            stream.feed(text)
            feet.append([line.rstrip() for line in screen.display[-4:]])
            if stop_by is not None and any("pve2  … Slow" in line for line in feet[-1]):
                process.send_signal(stop_by)
                stop_by, stopped = None, True
        assert (process.wait(timeout=allow(30)) != 0) == stopped, written
        os.close(ours)
        return screen, written, feet


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path)


def test_plain_lines_without_a_terminal(runs: Runs):
    ended = runs.run()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    lines = ended.stdout.splitlines()
    assert "\x1b" not in ended.stdout
    assert "PHASE 1: SSH PREPARATION" in lines
    assert [line.partition(" (")[0] for line in lines if line[2:3] in SIGNS and line.startswith("  ")] == [
        "  ✓ ok          Brought along: pve1, pve2",
        "  ✓ ok          Well: pve1, pve2",
        "  ! ignored     Warned: pve1, pve2",
        "  ✎ changed     Slow: pve1, pve2",
        "  ✓ ok          Last: pve1, pve2",
    ]
    assert "    msg: the answer is 42" in lines
    # A play that announces itself, and one for nobody, have no title; the others do.
    assert "Phase one" not in ended.stdout and "A play for nobody" not in ended.stdout
    assert "The second" in lines and "The third" in lines
    [recap] = [line for line in lines if line.startswith("pve1 ")]
    assert recap.startswith("pve1 : ok=") and "changed=1 " in recap and recap.endswith("! ignored")


def test_a_second_run_has_other_marks(runs: Runs):
    runs.run()
    ended = runs.run()
    assert "  ✓ ok          Slow: pve1, pve2" in ended.stdout
    assert ended.stdout.count("changed=0 ") == 2


def test_a_failure_tells_all_that_the_default_tells(runs: Runs):
    ended = runs.run(goes_wrong=True)
    for file in runs.place.glob("done-*"):
        file.unlink()
    default = runs.run(goes_wrong=True, ANSIBLE_STDOUT_CALLBACK="ansible.builtin.default")
    assert ended.returncode == default.returncode == 2
    for text in ("fatal: [pve2]: FAILED!", "stderr: complained", "stdout: printed", "rc: 3", "Goes wrong"):
        assert text in default.stdout and text in ended.stdout, ended.stdout
    marks = {line.split()[0]: line for line in ended.stdout.splitlines() if line.startswith("pve")}
    assert marks["pve2"].endswith("✗ failed")
    # pve1 did nothing wrong, but it is not through.
    assert marks["pve1"].endswith("- stopped: another node failed")
    assert "✗ pve2: Goes wrong: " in ended.stdout
    assert "The third" not in ended.stdout
    assert told(ended.stdout) == told(default.stdout)


def told(text: str) -> list[str]:
    """The lines by which the default tells of failures. Hosts may fail in any order; times differ."""
    kept = ("[ERROR]", "fatal:", "    msg:", "    stderr:", "    stdout:", "    rc:", "...ignoring", "Origin:")
    return sorted(line for line in text.splitlines() if line.startswith(kept))


def test_an_unreachable_host(runs: Runs):
    ended = runs.run("-e", "ansible_connection=ssh", "-e", "ansible_host=127.0.0.1", "-e", "ansible_port=9")
    assert "UNREACHABLE!" in ended.stdout and "port 9: Connection refused" in ended.stdout
    assert "✗ unreachable" in ended.stdout.partition("HOW IT ENDED")[2]


def test_warnings_of_a_module_are_shown(runs: Runs):
    (runs.place / "play.yml").write_text(
        "- hosts: all\n  gather_facts: false\n  tasks:\n"
        "    - {name: Warned of, ansible.builtin.file: {path: '{{ place }}', state: directory, mode: 755}}\n"
    )
    ended = runs.run()
    default = runs.run(ANSIBLE_STDOUT_CALLBACK="ansible.builtin.default")
    assert warnings(ended.stderr) == warnings(default.stderr)


def warnings(text: str) -> set[str]:
    return {line for line in text.splitlines() if "[WARNING]" in line or "[DEPRECATION" in line}


def test_full_detail_when_asked_for(runs: Runs):
    ended = runs.run("-v")
    for text in ("PLAY [The second]", "TASK [Slow]", "changed: [pve1] =>", "skipping: [pve1]", "PLAY RECAP"):
        assert text in ended.stdout
    assert ended.stdout.count("! ignored") == 2


def test_in_french(runs: Runs):
    ended = runs.run(PROXMOX_LANGUAGE="fr")
    assert "modifié     Slow: pve1, pve2" in ended.stdout and "BILAN" in ended.stdout, ended.stdout
    ended = runs.run("-e", "proxmox_language=fr")
    assert "PREPARATION SSH" in ended.stdout and "BILAN" in ended.stdout


def test_live_lines_on_a_terminal(runs: Runs):
    screen, written, feet = runs.run_on_terminal(seconds="3")
    busy = [foot for foot in feet if any("pve2  … Slow" in line for line in foot)]
    assert busy, written
    assert any("pve1  ✎ waits for pve2" in line for foot in busy for line in foot)
    assert any("[██████████··········] 1/2 nodes  Slow" in line for foot in busy for line in foot)
    assert len({line for foot in busy for line in foot if "pve2  … Slow" in line}) >= 2, "the seconds do not run"
    # At the end nothing of it is left, the screen scrolls as a whole, and there are colours.
    assert screen.margins is None
    shown = [line.rstrip() for line in screen.display]
    assert any(line.startswith("pve2 : ok=") and line.endswith("! ignored") for line in shown), shown
    assert not any("…" in line for line in shown), shown
    assert "\x1b[0;33m" in written


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_gives_the_screen_back(runs: Runs, number: int):
    screen, written, _feet = runs.run_on_terminal(seconds="20", stop_by=number)
    assert screen.margins is None, written
    assert not any("…" in line for line in screen.display)


def test_no_colours_where_none_are_wanted(runs: Runs):
    _screen, written, feet = runs.run_on_terminal(seconds="1", NO_COLOR="1")
    assert any("pve2  … Slow" in line for foot in feet for line in foot)
    assert "\x1b[0;3" not in written


def test_no_live_lines_where_none_are_wanted(runs: Runs):
    for variables in ({"PROXMOX_PROGRESS_LIVE": "never"}, {"TERM": "dumb"}):
        _screen, written, _feet = runs.run_on_terminal(seconds="0", **variables)
        assert "\x1b7" not in written


def test_nobody_was_there(runs: Runs):
    (runs.place / "play.yml").write_text("- {hosts: nobody, gather_facts: false}\n")
    ended = runs.run()
    assert "No host was worked on" in ended.stdout
    assert "Could not match supplied host pattern, ignoring: nobody" in ended.stderr


def test_hosts_that_do_not_wait_for_each_other(runs: Runs):
    ended = runs.run(ANSIBLE_STRATEGY="free")
    assert "  ✎ changed     Slow: pve1\n" in ended.stdout and "  ✎ changed     Slow: pve2\n" in ended.stdout
