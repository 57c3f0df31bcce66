# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replay one recording on the live nodes and judge the answer."""

from __future__ import annotations

import json
import re
import threading
import time
from typing import Any

from replay.access import ROOT_PASSWORD
from replay.actions import Stage
from replay.artefacts import is_empty_reply
from replay.compare import Verdict, compare, recorded_answer, render_difference
from replay.normal_form import Answer, command_form, text_form
from replay.operations import compare_operations, run_operations
from replay.recordings import Recording
from replay.substitute import KnownValues, join_target

# A recorded command that hung until the recorder gave up is given less time here: hanging is what is compared.
HANG_SECONDS = 15.0
# "At the same time" by hand: the recorded nodes' database dumps are seconds apart, and the first one named came first.
STAGGER_SECONDS = 0.05
LEAST_TIMEOUT = 45.0
# Measured durations vary with the machine and the phase of corosync's timers.
DURATION_FACTOR, DURATION_SLACK = 2.5, 2.0


class Player:
    """Replays recordings on one stage and remembers what the live nodes answered."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.known = KnownValues(stage.disk_fingerprint)

    def play(self, recording: Recording, paced: bool = False) -> Verdict:
        """The verdict on one recording; `paced` keeps the recorded time until the next."""
        started = time.monotonic()
        handler = getattr(self, f"_play_{recording.kind.replace('-', '_')}", None)
        if handler is None:
            verdict = self._verdict(recording, [f"no replay for a recording of kind {recording.kind!r}"])
        else:
            verdict = handler(recording)
        self.stage.ended[recording.label] = time.monotonic()
        if paced:
            time.sleep(max(0.0, recording.seconds - (time.monotonic() - started)))
        return verdict

    def _play_command(self, recording: Recording) -> Verdict:
        host = join_target(recording.argv)
        argv = [self.known.translate(word, host) for word in recording.argv]
        if ".task." in recording.name:
            self._wait_for_task(recording.node, argv)
        hung = str(recording.raw["rc"]).startswith("timeout")
        timeout = HANG_SECONDS if hung else max(LEAST_TIMEOUT, recording.seconds * 2)
        stdin = None if recording.stdin is None else self.known.translate(recording.stdin)
        live = self.stage.access.run(recording.node, argv, stdin, timeout)
        self.known.learn(recorded_answer(recording).text, live.text)
        return compare(recording, live, "\n".join(recording.argv), "\n".join(argv))

    def _play_request(self, recording: Recording) -> Verdict:
        raw = recording.raw
        if is_empty_reply(raw.get("curl_exit"), raw.get("status_line")):
            return Verdict(recording.label, recording.group, "artefact", ("the recorded answer is empty",))
        params = dict(raw.get("params") or {})
        host = str(params.get("hostname") or "") or None
        live_params = {
            key: self.known.translate(value, host) if isinstance(value, str) else value for key, value in params.items()
        }
        path = self.known.translate(str(raw["path"]))
        auth = self.known.translate_login(str(raw.get("auth") or "none"))
        timeout = max(LEAST_TIMEOUT, recording.seconds * 2)
        access = self.stage.access
        live = access.request(
            recording.node, raw["method"], path, live_params, auth, bool(raw.get("json_body")), timeout
        )
        # The recorder logged in again whenever a join or a restart had made its ticket worthless.
        if auth.startswith("root") and " 401 " in live.status_line and int(raw.get("http_status") or 0) != 401:
            access.login(recording.node)
            live = access.request(
                recording.node, raw["method"], path, live_params, auth, bool(raw.get("json_body")), timeout
            )
        self.known.learn(recorded_answer(recording).text, live.text)
        return compare(recording, live, f"{raw['path']}\n{json.dumps(params)}", f"{path}\n{json.dumps(live_params)}")

    def _play_raw_request(self, recording: Recording) -> Verdict:
        raw = recording.raw
        access = self.stage.access
        ticket = access.tickets.get(recording.node) or access.login(recording.node) or ("", "")
        headers = [
            f"Cookie: PVEAuthCookie={ticket[0]}",
            f"CSRFPreventionToken: {ticket[1]}",
            "Content-Type: application/json",
        ]
        live = access.send(recording.node, raw["method"], f"/api2/json{raw['path']}", headers, raw["raw_body"])
        recorded = "\n".join(sorted(text_form(str(raw.get("raw_response") or "").replace("\r", "")).split("\n")))
        got = "\n".join(sorted(text_form("\n".join([live.status_line, *live.headers, "", live.body])).split("\n")))
        return self._verdict(
            recording, [] if recorded == got else [f"response:\n{render_difference(recorded, got)}"], live.seconds
        )

    def _play_duration(self, recording: Recording) -> Verdict:
        live = self.stage.durations.get(recording.label)
        if live is None:
            return self._verdict(recording, ["never measured: the state it waits for did not come about"])
        recorded = recording.seconds
        if recorded / DURATION_FACTOR - DURATION_SLACK <= live <= recorded * DURATION_FACTOR + DURATION_SLACK:
            return self._verdict(recording, [], live)
        return self._verdict(recording, [f"seconds: recorded {recorded:.2f}, here {live:.2f}"], live)

    def _play_simultaneous(self, recording: Recording) -> Verdict:
        """Joins of several nodes at the same moment; each node's answer is compared."""
        results: dict[str, dict[str, Any]] = recording.raw["results"]
        seed = self._seed(results)
        host = self.stage.access.address(seed)
        argv = ["pvecm", "add", host, "--fingerprint", self.stage.disk_fingerprint(host) or ""]
        live: dict[str, Answer] = {}

        def run(node: str, timeout: float) -> None:
            live[node] = self.stage.access.run(node, argv, f"{ROOT_PASSWORD}\n", timeout)

        threads = [
            threading.Thread(target=run, args=(node, self._patience(result))) for node, result in results.items()
        ]
        for thread in threads:
            thread.start()
            time.sleep(STAGGER_SECONDS)
        for thread in threads:
            thread.join()
        differences = []
        for node, result in results.items():
            expected = command_form(Answer(rc=result["rc"], stdout=result["stdout"], stderr=result["stderr"]))
            got = command_form(live[node])
            for name, text in expected.items():
                if text != got[name]:
                    differences.append(f"{node} {name}:\n{render_difference(text, got[name])}")
        return self._verdict(recording, differences)

    def _play_polling(self, recording: Recording) -> Verdict:
        """A task polled with a ticket that dies under way: which statuses come in which order."""
        seen: list[dict[str, Any]] = recording.raw["seen"]
        match = re.search(r"UPID:([^:]+):[^\"/]+?:(?=\")", json.dumps(seen).replace("\\", ""))
        if match is None:
            return self._verdict(recording, ["no task in it"])
        node, upid = match[1], self.known.translate(match[0])
        statuses, first, started = [], "", time.monotonic()
        while time.monotonic() - started < HANG_SECONDS:
            answer = self.stage.access.request(
                node, "GET", f"/nodes/{node}/tasks/{upid}/status", None, "root", timeout=20
            )
            words = answer.status_line.split()
            statuses.append(words[1] if len(words) > 1 and words[0].startswith("HTTP") else "none")
            first = first or answer.body
            if statuses[-1] == "401":
                break
            time.sleep(0.4)
        self.stage.access.tickets.pop(node, None)
        expected = _without_repeats([str(item.get("http_code exitcode", "")).split()[0] for item in seen])
        differences = (
            [] if (got := _without_repeats(statuses)) == expected else [f"statuses: recorded {expected}, here {got}"]
        )
        recorded_first, live_first = text_form(str(seen[0].get("body"))), text_form(first)
        if recorded_first != live_first:
            differences.append(f"first answer:\n{render_difference(recorded_first, live_first)}")
        return self._verdict(recording, differences)

    def _play_operations(self, recording: Recording) -> Verdict:
        live = run_operations(self.stage, recording)
        return self._verdict(recording, compare_operations(recording, live))

    def _wait_for_task(self, node: str, argv: list[str]) -> None:
        """The recorder waited for the task's end before it asked for its log or status."""
        path = next((word for word in argv if "/tasks/UPID:" in word), None)
        if path is None:
            return
        status = [re.sub(r"/(log|status)$", "/status", word) if word == path else word for word in argv]
        deadline = time.monotonic() + LEAST_TIMEOUT
        while time.monotonic() < deadline:
            if '"status":"running"' not in self.stage.access.run(node, status, timeout=30).stdout:
                return
            time.sleep(0.5)

    def _seed(self, results: dict[str, dict[str, Any]]) -> str:
        match = re.search(r"with host '([^']+)'", json.dumps(results))
        node = self.stage.access.node_of_host(match[1]) if match else None
        return node or "pve1"

    @staticmethod
    def _patience(result: dict[str, Any]) -> float:
        # The others must have time to finish before the one that hangs is given up.
        return 40.0 if str(result["rc"]).startswith("timeout") else 60.0

    @staticmethod
    def _verdict(recording: Recording, differences: list[str], seconds: float = 0.0) -> Verdict:
        return Verdict(
            recording.label, recording.group, "differs" if differences else "matched", tuple(differences), seconds
        )


def _without_repeats(words: list[str]) -> list[str]:
    return [word for index, word in enumerate(words) if index == 0 or words[index - 1] != word]
