# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A session in another process: on a node (transport local) or in a lab's network (transport api).

This file is both ends. Run as a program it reads calls from its standard input, one JSON text a line, and answers each with a line;
RemoteSession starts it there and is a Session here, so that a test of a session does not see the distance.
"""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Any

from ansible_collections.baremetal.proxmox.plugins.module_utils._session import errors
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.interface import Session
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.upid import parse_upid


class RemoteSession(Session):
    """C(command) runs this file where the session shall be; C(params) are the module options of the connection."""

    def __init__(self, command: Sequence[str], params: dict[str, Any]) -> None:
        super().__init__()
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._lock = threading.Lock()
        self._given: set[str] = set()
        opened = self._ask({"open": params})
        self.node, self.user = opened["node"], opened["user"]
        self.process_id = opened["process_id"]

    def call(self, method: str, path: str, params: dict[str, Any]) -> Any:
        result = self._ask({"call": [method, path, params]})
        if method != "GET" and parse_upid(result):
            self._given.add(result)
        return result

    def known_tasks(self) -> frozenset[str]:
        return frozenset(self._given)

    def fetch_warnings(self) -> list[str]:
        return list(self._ask({"warnings": True}))

    def measure(self, path: str, calls: int, threads: int = 1) -> float:
        """Seconds for so many GETs in all, made by so many threads of the session's process."""
        return float(self._ask({"measure": [path, calls, threads]}))

    def evaluate(self, expression: str) -> Any:
        """What a Python expression is worth there; C(session) is the session."""
        return self._ask({"evaluate": expression})

    def close(self) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def _ask(self, question: dict[str, Any]) -> Any:
        assert self._process.stdin and self._process.stdout
        with self._lock:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        assert line, "the session's process has ended"
        answer = json.loads(line)
        if "error" in answer:
            raise rebuild(answer["error"])
        return answer["result"]


def rebuild(words: dict[str, Any]) -> errors.SessionError:
    kind = getattr(errors, words.pop("class"))
    known = {field.name for field in dataclasses.fields(kind)}
    return kind(
        **{key: tuple(value) if isinstance(value, list) else value for key, value in words.items() if key in known}
    )


def describe(error: errors.SessionError) -> dict[str, Any]:
    return {"class": type(error).__name__, **dataclasses.asdict(error)}


def serve() -> None:
    from ansible_collections.baremetal.proxmox.plugins.module_utils._session.local import LocalSession
    from ansible_collections.baremetal.proxmox.plugins.module_utils._session.opening import open_session

    session: Any = None
    for line in sys.stdin:
        question = json.loads(line)
        try:
            if "open" in question:
                import os

                own_port = question["open"].pop("own_port", None)
                session = LocalSession(own_port=own_port) if own_port else open_session(question["open"])
                result: Any = {"node": session.node, "user": session.user, "process_id": os.getpid()}
            elif "call" in question:
                result = session.call(*question["call"])
            elif "measure" in question:
                result = measure(session, *question["measure"])
            elif "evaluate" in question:
                result = eval(question["evaluate"], {"session": session, "sys": sys})
            else:
                result = session.warnings
            print(json.dumps({"result": result}), flush=True)
        except errors.SessionError as error:
            print(json.dumps({"error": describe(error)}), flush=True)
    if session is not None:
        session.close()


def measure(session: Session, path: str, calls: int, threads: int) -> float:
    import time
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda _: session.get(path), range(threads)))  # connections are made, tickets are there
        started = time.monotonic()
        list(pool.map(lambda _: session.get(path), range(calls)))
        return time.monotonic() - started


if __name__ == "__main__":
    serve()
