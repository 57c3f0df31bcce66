# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the replay reaches the nodes of one lab: commands as root, requests as curl sends them, power."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from practice_lab import container, identity
from practice_lab.controller import enter_command
from practice_lab.lab import Lab
from practice_lab.node import Node
from practice_lab.spec import NodeSpec
from replay.normal_form import Answer

ROOT_PASSWORD = "pvelab"  # of the practice nodes, in every recording
API_PORT = 8006


def use_emulation(directory: Path) -> None:
    """Let nodes that boot from now on run another copy of the emulation than the checkout's."""
    container.EMULATION = directory
    identity.EMULATION = directory


class LabAccess:
    """A lab for one story. Nodes are spoken of by the names the recordings use."""

    def __init__(self, name: str) -> None:
        self.lab = Lab(name)
        self._requester: subprocess.Popen[str] | None = None
        self._nodes: dict[str, Node] = {}
        self.tickets: dict[str, tuple[str, str]] = {}

    def up(self, nodes: Sequence[str], settings: dict[str, Any] | None = None) -> None:
        """Bring up fresh nodes; what an earlier run left under this name goes away first."""
        self.lab.down()
        self.lab.up([NodeSpec(name, password=ROOT_PASSWORD, settings=settings or {}) for name in nodes])

    def down(self) -> None:
        if self._requester is not None:
            self._requester.kill()
            self._requester.wait()
            self._requester = None
        self.lab.down()

    def node(self, name: str) -> Node:
        return self._nodes.setdefault(name, self.lab.node(name))

    def address(self, name: str) -> str:
        return self.node(name).ip

    def node_of_host(self, host: str) -> str | None:
        return next((node.name for node in self.lab.nodes() if host in {node.ip, node.name}), None)

    def run(self, node: str, argv: Sequence[str], stdin: str | None = None, timeout: float = 60.0) -> Answer:
        """Run as root in a node; one that takes too long is killed and answers as the recorder's did."""
        started = time.monotonic()
        # Files, not pipes: a worker that outlives its command would keep a pipe open for ever.
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            process = subprocess.Popen(
                self.node(node).command(list(argv)),
                stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                start_new_session=True,
            )
            rc: int | str
            try:
                process.communicate(stdin.encode() if stdin is not None else None, timeout=timeout)
                rc = process.returncode
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                rc = f"timeout after {timeout:.0f}s"
            output.seek(0)
            errors.seek(0)
            return Answer(
                rc=rc,
                stdout=_as_text(output.read()),
                stderr=_as_text(errors.read()),
                seconds=time.monotonic() - started,
            )

    def request(
        self,
        node: str,
        method: str,
        path: str,
        params: dict[str, Any] | None,
        auth: str,
        as_json: bool = False,
        timeout: float = 60.0,
    ) -> Answer:
        """One API request to a node's own port 8006."""
        headers, body, url = self._credentials(node, auth, method), "", "/api2/json" + path
        if params and method in {"GET", "DELETE"}:
            url += ("&" if "?" in url else "?") + urlencode({key: _form_value(value) for key, value in params.items()})
        elif as_json:
            body = json.dumps(params or {})
            headers.append("Content-Type: application/json")
        elif params:
            body = urlencode({key: _form_value(value) for key, value in params.items()}, doseq=True)
            headers.append("Content-Type: application/x-www-form-urlencoded")
        return self.send(node, method, url, headers, body, timeout)

    def send(self, node: str, method: str, url: str, headers: list[str], body: str, timeout: float = 60.0) -> Answer:
        """One request as it stands."""
        question = {
            "host": self.address(node),
            "port": API_PORT,
            "method": method,
            "path": url,
            "headers": headers,
            "body": body,
        }
        answer = self._ask({**question, "timeout": timeout})
        return Answer(
            status_line=answer["status_line"] or f"no answer: {answer.get('error', 'closed')}",
            headers=tuple(answer["headers"]),
            body=answer["body"],
            seconds=answer["seconds"],
        )

    def login(self, node: str) -> tuple[str, str] | None:
        """A fresh root ticket of a node; None when it does not give one."""
        answer = self.request(
            node, "POST", "/access/ticket", {"username": "root@pam", "password": ROOT_PASSWORD}, "none"
        )
        try:
            data = json.loads(answer.body)["data"]
            self.tickets[node] = (data["ticket"], data["CSRFPreventionToken"])
        except (ValueError, KeyError, TypeError):
            self.tickets.pop(node, None)
        return self.tickets.get(node)

    def _credentials(self, node: str, auth: str, method: str) -> list[str]:
        if auth in {"root", "root-nocsrf"}:
            ticket = self.tickets.get(node) or self.login(node)
            if ticket is None:
                return []
            cookie = f"Cookie: PVEAuthCookie={ticket[0]}"
            return (
                [cookie] if auth == "root-nocsrf" or method == "GET" else [cookie, f"CSRFPreventionToken: {ticket[1]}"]
            )
        if auth.startswith("cookie:"):
            return [f"Cookie: PVEAuthCookie={auth.removeprefix('cookie:')}"]
        return [f"Authorization: {auth}"] if auth.startswith("PVEAPIToken") else []

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        if self._requester is None or self._requester.poll() is not None:
            program = [sys.executable, str(Path(__file__).resolve().parent / "requester.py")]
            self._requester = subprocess.Popen(
                enter_command(self.lab, program), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        assert self._requester.stdin is not None and self._requester.stdout is not None
        self._requester.stdin.write(json.dumps(question) + "\n")
        self._requester.stdin.flush()
        line = self._requester.stdout.readline()
        if not line:
            return {"status_line": "", "headers": [], "body": "", "error": "the requester died", "seconds": 0.0}
        answer: dict[str, Any] = json.loads(line)
        return answer


def _as_text(output: bytes) -> str:
    """With the line ends that the recorder wrote: it read all kinds as one (ssh ends its lines with CR LF)."""
    return output.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")


def _form_value(value: object) -> str | list[str]:
    if isinstance(value, list):  # an array is a key that comes more than once
        return [str(item) for item in value]
    return str(int(value)) if isinstance(value, bool) else str(value)
