# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Callback that shows failures and nothing else."""

from __future__ import annotations

DOCUMENTATION = r"""
---
name: quiet
type: stdout
short_description: Show failures, and what tasks have to say
version_added: 0.1.0
description:
  - For runs whose result is a text or JSON that a task prints, for example with M(baremetal.proxmox.proxmox_cluster_report). The message of
    M(ansible.builtin.debug) is printed as it is, a list line by line.
  - Failures and unreachable hosts go to the standard error stream, so that the standard output holds the result alone.
author:
  - baremetal.proxmox authors (@baremetal-proxmox)
options: {}
"""

from typing import Any

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    """Says who failed and why, one line each, and passes messages on."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "baremetal.proxmox.quiet"

    def v2_runner_on_ok(self, result: Any) -> None:
        if result.task.resolved_action == "ansible.builtin.debug" and "msg" in result.result:
            message = result.result["msg"]
            self._display.display("\n".join(map(str, message)) if isinstance(message, list) else str(message))

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        if not ignore_errors:
            self._say(result, "failed")

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._say(result, "unreachable")

    def _say(self, result: Any, what: str) -> None:
        message = str(result.result.get("msg", "")).strip()
        self._display.display(f"{what}: {result.host.get_name()}: {message}", stderr=True)
