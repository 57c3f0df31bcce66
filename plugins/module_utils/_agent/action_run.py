# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The run of the module guest_agent: look at the guest, thaw what an earlier run has left frozen, do the one thing asked for."""

from __future__ import annotations

import base64
import signal
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType
from typing import Any

from .._session.interface import Session
from .agent import Agent, AgentError, Finished
from .diagnosis import Reason
from .enabling import plan_enabling
from .facts_run import Guest
from .files import read_file, write_file
from .freezing import FreezeKeeper, ThawTimer, marker_directory
from .gather import Facts, Wish, look
from .power import Power

# These work, or make sense, with a silent agent as well.
_WITHOUT_AGENT = ("enable", "ping", "shutdown", "reboot")
_WHILE_FROZEN = ("thaw", *_WITHOUT_AGENT)


class ActionRun:
    """One action on one guest. Every action returns what the module returns."""

    def __init__(
        self,
        session: Session,
        guest: Guest,
        params: Mapping[str, Any],
        check_mode: bool,
        directory: Path | None = None,
    ) -> None:
        if guest.node is None:
            raise AgentError(guest.absence)
        self._session = session
        self._params = params
        self._check_mode = check_mode
        self._agent = Agent(session, guest.node, guest.vmid)
        directory = directory or marker_directory()
        # Only the guest's own node can set a timer that reaches it without this process.
        timer = ThawTimer(guest.vmid, directory) if session.node == guest.node else None
        self._keeper = FreezeKeeper(self._agent, directory, timer)
        self._facts = self._look()

    def _look(self) -> Facts:
        return look(self._session, self._agent.vmid, self._agent.node, Wish(gather=("fsfreeze",)))

    def carry_out(self) -> dict[str, Any]:
        action = str(self._params["action"])
        thawed = False
        if action != "thaw" and not self._check_mode:
            status = self._facts.observation.fsfreeze
            thawed = status is not None and self._keeper.recover(status, take_over=action == "freeze")
            if thawed:
                self._facts = self._look()
        self._refuse_if_silent(action)
        actions: dict[str, Callable[[], dict[str, Any]]] = {
            "enable": self._enable,
            "ping": self._ping,
            "freeze": self._freeze,
            "thaw": self._thaw,
            "frozen_command": self._frozen_command,
            "trim": self._trim,
            "exec": self._exec,
            "read": self._read,
            "write": self._write,
            "set_password": self._set_password,
            "shutdown": self._shutdown,
            "reboot": self._reboot,
        }
        result = actions[action]()
        if thawed:
            result = {**result, "changed": True}
        return {**result, "thawed_leftover": thawed}

    def _refuse_if_silent(self, action: str) -> None:
        diagnosis = self._facts.diagnosis
        if action in _WITHOUT_AGENT or diagnosis.available:
            return
        if diagnosis.reason is Reason.FROZEN and action in _WHILE_FROZEN:
            return
        raise AgentError(f"{diagnosis.reason.value}: {diagnosis.detail} ({diagnosis.remedy})")

    @property
    def diagnosis(self) -> dict[str, Any]:
        found = self._facts.diagnosis
        return {
            "available": found.available,
            "reason": found.reason.value,
            "detail": found.detail,
            "remedy": found.remedy,
        }

    def _ping(self) -> dict[str, Any]:
        return {"changed": False, **self.diagnosis}

    def _enable(self) -> dict[str, Any]:
        config = self._facts.observation.config
        if config is None:
            raise AgentError(f"{self._facts.diagnosis.detail} ({self._facts.diagnosis.remedy})")
        power = self._power()
        plan = plan_enabling(config, self._facts.diagnosis, runs=power.state().get("status") == "running")
        if not self._check_mode:
            if plan.option is not None:
                self._session.set(f"{self._agent.base}/config", agent=plan.option)
            if plan.restart:
                power.shut_down(agent_answers=False, force=self._params["force_stop"])
                power.start()
        return {"changed": plan.changed, "actions": list(plan.words)}

    def _freeze(self) -> dict[str, Any]:
        if self._check_mode:
            return {"changed": True}
        return {"changed": True, "filesystems": self._keeper.freeze(self._params["thaw_after"], here=False)}

    def _thaw(self) -> dict[str, Any]:
        if self._facts.observation.fsfreeze != "frozen":
            self._keeper.recover("thawed")
            return {"changed": False, "filesystems": 0}
        lock = self._facts.observation.lock
        if self._keeper.marker() is None and lock and not self._params["force_thaw"]:
            raise AgentError(
                f"frozen by somebody else: the guest is locked ({lock}). Wait for its end, or say force_thaw: true"
            )
        return {"changed": True, "filesystems": 0 if self._check_mode else self._keeper.thaw()}

    def _frozen_command(self) -> dict[str, Any]:
        if self._check_mode:
            return {"changed": True}
        with self._keeper.frozen(self._params["thaw_after"]) as count:
            try:
                done = subprocess.run(  # pylint: disable=ansible-bad-function
                    self._params["command"],
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    timeout=self._params["thaw_after"],
                    check=False,
                )
            except subprocess.TimeoutExpired as error:
                raise AgentError(f"the command did not end within {error.timeout:g} s; the guest is thawed") from error
            except OSError as error:
                raise AgentError(f"the command cannot be run: {error.strerror}; the guest is thawed") from error
        code = done.returncode
        words = {"stdout": _text(done.stdout), "stderr": _text(done.stderr), "rc": code, "filesystems": count}
        if code:
            return {
                "changed": True,
                "failed": True,
                "msg": f"the command ended with {code}; the guest is thawed",
                **words,
            }
        return {"changed": True, **words}

    def _trim(self) -> dict[str, Any]:
        if self._check_mode:
            return {"changed": True}
        answer = self._agent.command("fstrim") or {}
        paths = answer.get("paths") or []
        failed = [f"{path.get('path')}: {path['error']}" for path in paths if path.get("error")]
        result = {"changed": True, "trimmed": sum(int(path.get("trimmed") or 0) for path in paths), "paths": paths}
        return {**result, "failed": True, "msg": "; ".join(failed)} if failed else result

    def _exec(self) -> dict[str, Any]:
        if self._check_mode:
            return {"changed": True, "skipped": True, "msg": "not run in check mode"}
        if self._params["detach"]:
            return {"changed": True, "pid": self._agent.start(self._params["command"], self._stdin)}
        timeout = self._timeout(60)
        done = self._agent.run(self._params["command"], stdin=self._stdin, timeout=timeout)
        result = _describe(done)
        problem = _problem(done, timeout)
        return {**result, "failed": True, "msg": problem} if problem else result

    def _read(self) -> dict[str, Any]:
        content = read_file(self._agent, self._params["path"])
        if content is None:
            raise AgentError(f"there is no {self._params['path']} in the guest")
        return {
            "changed": False,
            "content": base64.b64encode(content).decode(),
            "encoding": "base64",
            "size": len(content),
        }

    def _write(self) -> dict[str, Any]:
        path = self._params["path"]
        wanted = _wanted_content(self._params)
        found = read_file(self._agent, path)
        changed = found != wanted
        if changed and not self._check_mode:
            write_file(self._agent, path, wanted, self._params["mode"] or "")
        diff = {"before_header": path, "after_header": path, "before": _text(found or b""), "after": _text(wanted)}
        return {"changed": changed, "size": len(wanted), "diff": diff}

    def _set_password(self) -> dict[str, Any]:
        password = self._params["password"]
        if not password.isascii():
            raise AgentError("Proxmox VE spoils passwords with letters beyond ASCII: give its hash, with crypted: true")
        if not self._check_mode:
            self._agent.command(
                "set-user-password",
                username=self._params["user"],
                password=password,
                crypted=self._params["crypted"],
            )
        return {"changed": True}

    def _shutdown(self) -> dict[str, Any]:
        power = self._power()
        if self._check_mode:
            return {"changed": power.state().get("status") != "stopped", "way": ""}
        done = power.shut_down(agent_answers=self._facts.diagnosis.available, force=self._params["force_stop"])
        return {"changed": done.changed, "way": done.way}

    def _reboot(self) -> dict[str, Any]:
        if self._check_mode:
            return {"changed": True, "way": ""}
        done = self._power().reboot(agent_answers=self._facts.diagnosis.available, force=self._params["force_stop"])
        return {"changed": done.changed, "way": done.way}

    @property
    def _stdin(self) -> bytes | None:
        given = self._params["stdin"]
        return None if given is None else str(given).encode()

    def _timeout(self, default: int) -> int:
        given = self._params["timeout"]
        return default if given is None else int(given)

    def _power(self) -> Power:
        return Power(self._session, self._agent.node, self._agent.vmid, self._timeout(180))


def raise_on_signals() -> None:
    """A killed play closes the connection: end by an exception then, so that what is frozen is thawed on the way out."""

    def leave(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, leave)


def _text(content: bytes) -> str:
    return content.decode("utf-8", "replace")


def _wanted_content(params: Mapping[str, Any]) -> bytes:
    if params["src"] is None:
        return str(params["content"]).encode()
    try:
        return Path(params["src"]).read_bytes()
    except OSError as error:
        raise AgentError(f"{params['src']} cannot be read: {error.strerror}") from error


def _describe(done: Finished) -> dict[str, Any]:
    return {
        "changed": True,
        "pid": done.pid,
        "rc": done.status,
        "signal": done.signal,
        "stdout": _text(done.stdout),
        "stderr": _text(done.stderr),
        "stdout_truncated": done.stdout_truncated,
        "stderr_truncated": done.stderr_truncated,
        "timed_out": done.timed_out,
    }


def _problem(done: Finished, timeout: float) -> str:
    if done.timed_out:
        return f"the command did not end within {timeout:g} s; it goes on in the guest as process {done.pid}"
    if done.signal is not None:
        return f"the command was killed by signal {done.signal}"
    if done.code:
        return f"the command ended with {done.code}"
    return ""
