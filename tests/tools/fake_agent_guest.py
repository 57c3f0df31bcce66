# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A guest with an agent for FakeSession, behind Proxmox VE's API as it was recorded.

Programs and files are those of this machine, so that what is sent to a guest's shell really runs.
"""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path
from typing import Any

from ansible_collections.baremetal.proxmox.plugins.module_utils._session.errors import AnswerLost, Failed, Invalid
from fake_session import FakeSession

READ_LIMIT = 16 * 1024 * 1024
TREE = """dev: virtserialport, id ""
  chardev = "qga0"
  name = "org.qemu.guest_agent.0"
  port 1, guest {state}, host on, throttle off
"""


class FakeAgentGuest:
    """C(session) is the way to it. Its attributes may be changed while it runs."""

    def __init__(self, vmid: int = 100, node: str = "pve1") -> None:
        self.base = f"/nodes/{node}/qemu/{vmid}"
        self.status: dict[str, Any] = {"status": "running", "qmpstatus": "running", "uptime": 5000}
        self.frozen = False
        self.listening = True
        self.answers_ping = True
        self.read_limit = READ_LIMIT
        self.knows_offset = True
        self.processes: dict[int, subprocess.Popen[bytes]] = {}
        self.refusals: dict[str, Any] = {}  # agent command -> exception or answer
        self.passwords: list[dict[str, Any]] = []
        self.option: dict[str, Any] = {"key": "agent", "value": "1"}
        self.power_results: dict[str, str] = {}  # shutdown, stop, ... -> exit status of the task
        self.powered: list[str] = []
        overview = [
            {"type": "node", "node": node, "status": "online"},
            {"type": "qemu", "vmid": vmid, "node": node, "name": f"web{vmid}", "status": "running"},
        ]
        self.session = FakeSession({("GET", "/cluster/resources"): overview}, handler=self.answer)

    def answer(self, _method: str, path: str, params: dict[str, Any]) -> Any:
        assert path.startswith(self.base), path
        rest = path.removeprefix(self.base).strip("/").split("/")
        match rest:
            case ["pending"]:
                return [self.option, {"key": "name", "value": "web100"}]
            case ["status", "current"]:
                return self.status
            case ["status", power]:
                return self._power(power)
            case ["config"]:
                self.option = {**self.option, "pending": params["agent"]}
                return None
            case ["monitor"]:
                return self._monitor(params["command"])
            case ["agent", command]:
                return self._agent(command, params)
        raise AssertionError(path)

    def _monitor(self, command: str) -> str:
        if command == "system_powerdown":
            self.powered.append("button")
            if self.power_results.get("button") == "OK":
                self.status = {"status": "stopped"}
            return ""
        return TREE.format(state="on" if self.listening else "off")

    def _power(self, what: str) -> str:
        self.powered.append(what)
        exitstatus = self.power_results.get(what, "OK")
        if exitstatus == "OK":
            self.option = {"key": "agent", "value": self.option.get("pending", self.option.get("value"))}
            self.status = {**self.status, "status": "running" if what in ("start", "reboot") else "stopped"}
        return self.session.task(f"qm{what}", 100, exitstatus=exitstatus)

    def _agent(self, command: str, params: dict[str, Any]) -> Any:
        if self.status["status"] != "running":
            raise Failed("VM 100 is not running", status=500)
        if not self.answers_ping:
            raise Failed("QEMU guest agent is not running", status=500)
        if command in self.refusals:
            return self.refusals[command]
        match command:
            case "ping":
                return {"result": {}}
            case "fsfreeze-status":
                return {"result": "frozen" if self.frozen else "thawed"}
            case "fsfreeze-freeze" | "fsfreeze-thaw":
                self.frozen = command.endswith("freeze")
                return {"result": 2}
            case "fstrim":
                return {"result": {"paths": [{"path": "/", "trimmed": 4096}, {"path": "/data", "trimmed": 1}]}}
            case "exec":
                return self._exec(params["command"], params.get("input-data"))
            case "exec-status":
                return self._exec_status(params["pid"])
            case "file-read":
                return self._read(params)
            case "file-write":
                content = params["content"]
                data = base64.b64decode(content) if params.get("encode") is False else content.encode()
                _path(params).write_bytes(data)
                return None
            case "set-user-password":
                self.passwords.append(params)
                return {"result": {}}
        raise AssertionError(command)

    def _exec(self, command: list[str], stdin: str | None) -> dict[str, int]:
        try:
            process = subprocess.Popen(
                [part.encode("latin-1") for part in command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except FileNotFoundError:
            # The agent's words have glib's quotes, which no answer of Proxmox VE survives.
            raise AnswerLost("Broken pipe", status=596) from None
        assert process.stdin
        process.stdin.write((stdin or "").encode("latin-1"))
        process.stdin.close()
        process.stdin = None
        self.processes[process.pid] = process
        return {"pid": process.pid}

    def _exec_status(self, pid: int) -> dict[str, Any]:
        if pid not in self.processes:
            raise Failed("Agent error: PID ld does not exist", status=500)
        process = self.processes[pid]
        try:
            out, err = process.communicate(timeout=0.2)
        except subprocess.TimeoutExpired:
            return {"exited": 0}
        told: dict[str, Any] = {"exited": 1}
        told |= {"signal": -process.returncode} if process.returncode < 0 else {"exitcode": process.returncode}
        for name, data in (("out", out), ("err", err)):
            if data:
                told |= {f"{name}-data": data.decode("latin-1"), f"{name}-truncated": 0}
        return told

    def _read(self, params: dict[str, Any]) -> dict[str, Any]:
        if "offset" in params and not self.knows_offset:
            raise Invalid("Parameter verification failed.", errors={"offset": "property is not defined in schema"})
        try:
            content = _path(params).read_bytes()[int(params.get("offset", 0)) :]
        except FileNotFoundError:
            words = f"Agent error: failed to open file '{params['file']}' (mode: 'r'): No such file or directory"
            raise Failed(words, status=500) from None
        part = content[: self.read_limit]
        answer: dict[str, Any] = {"bytes-read": len(part), "content": part.decode("latin-1")}
        return answer | ({"truncated": 1} if len(part) < len(content) else {})


def _path(params: dict[str, Any]) -> Path:
    return Path(params["file"].encode("latin-1").decode())
