# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The base of the actions whose module is one function: it runs in the node's own Python, or as the module where that cannot be.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from ansible import constants as C
from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.plugins.action import ActionBase

from ansible_collections.baremetal.proxmox.plugins.module_utils._node.answer import answer
from ansible_collections.baremetal.proxmox.plugins.plugin_utils.node_program import make_program

# What a shell says of a program that is not there.
_NO_SUCH_PROGRAM = 127


class NodeAction(ActionBase):
    """C(work) is what the module itself calls, with the same arguments and the same answer."""

    TRANSFERS_FILES = False
    _supports_async = True
    argument_spec: ClassVar[Mapping[str, Any]]
    required_if: ClassVar[Sequence[Any]] = ()
    work: ClassVar[Callable[[Mapping[str, Any], bool], dict[str, Any]]]

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        return {**result, **self.call_node(dict(self._task.args), task_vars or {})}

    def call_node(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        done = self._run_program(arguments, task_vars) if self._can_stream() else None
        if done is None or done["rc"] == _NO_SUCH_PROGRAM:
            executed: dict[str, Any] = self._execute_module(
                module_args=arguments, task_vars=task_vars, wrap_async=self._task.async_val
            )
            return executed
        result = read_answer(done)
        for warning in result.pop("warnings", []):
            self._display.warning(warning)
        return result

    def _can_stream(self) -> bool:
        """Whether a program can be fed to the node, and nothing is asked for that only a module's way can do."""
        special = self._task.async_val or self._task.delegate_to or any(self._task.environment or [])
        if special or C.config.get_config_value("DEFAULT_KEEP_REMOTE_FILES") or not self._connection.has_pipelining:
            return False
        # Some ways to become root need a terminal, which standard input is not; the administrator's setting tells.
        return self._connection.become is None or self._is_pipelining_enabled("new")

    def _run_program(self, arguments: dict[str, Any], task_vars: dict[str, Any]) -> Mapping[str, Any]:
        valid = ArgumentSpecValidator(self.argument_spec, required_if=self.required_if).validate(arguments)
        if valid.error_messages:
            raise AnsibleActionFail(f"{self._task.action}: {'; '.join(valid.error_messages)}")
        work = type(self).work
        call = [f"{work.__module__}:{work.__name__}", valid.validated_parameters, bool(self._task.check_mode)]
        program = make_program(answer.__module__, answer.__name__, call, [work.__module__])
        python = shlex.quote(self._python(task_vars))
        done: Mapping[str, Any] = self._low_level_execute_command(f"{python} -I -", in_data=program.encode())
        said = {name: remove_values(done[name], valid._no_log_values) for name in ("stdout", "stderr")}
        return {"rc": done["rc"], **said}

    def _python(self, task_vars: dict[str, Any]) -> str:
        configured = C.config.get_config_value("INTERPRETER_PYTHON", variables=task_vars)
        python = str(self._templar.template(configured) or "auto")
        # Where Ansible would search first: Debian has it in one place.
        return "/usr/bin/python3" if python.startswith("auto") else python


def read_answer(done: Mapping[str, Any]) -> dict[str, Any]:
    """A login may have printed something before; the answer is the last line."""
    last = (done["stdout"].strip().splitlines() or [""])[-1]
    try:
        found = json.loads(last)
    except json.JSONDecodeError:
        found = None
    if done["rc"] == 0 and isinstance(found, dict):
        return found
    words = done["stderr"].strip().splitlines()
    reason = words[-1] if words else last or "no answer"
    return {
        "failed": True,
        "msg": f"Python on the node ended with {done['rc']}: {reason}",
        "module_stderr": done["stderr"],
        "module_stdout": done["stdout"],
    }
