# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of M(baremetal.proxmox.proxmox_say)."""

from __future__ import annotations

import os
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.baremetal.proxmox.plugins.module_utils._words.phases import TEXTS, choose_language, compose

display = Display()


class ActionModule(ActionBase):
    """Prints text as it is, without the frame that a task's result has."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(
            argument_spec={
                "message": {"type": "str", "choices": sorted(TEXTS)},
                "values": {"type": "dict", "default": {}},
                "text": {"type": "str"},
                "language": {"type": "str"},
            },
            mutually_exclusive=[("message", "text")],
            required_one_of=[("message", "text")],
        )
        text = arguments["text"]
        if arguments["message"]:
            language = choose_language(arguments["language"] or (task_vars or {}).get("proxmox_language"), os.environ)
            try:
                text = compose(arguments["message"], language, arguments["values"])
            except KeyError as missing:
                raise AnsibleActionFail(f"The message '{arguments['message']}' needs the value {missing}.") from missing
        display.display(text)
        # The callback of this collection makes its bars of the message and its values.
        return {"changed": False, "text": text, "message": arguments["message"], "filled_in": arguments["values"]}
