# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of M(baremetal.proxmox.proxmox_report)."""

from __future__ import annotations

import json
import os
import tempfile
import time
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.baremetal.proxmox.plugins.module_utils._files import read_text
from ansible_collections.baremetal.proxmox.plugins.module_utils._report.changes import compare_documents
from ansible_collections.baremetal.proxmox.plugins.module_utils._report.document import Document, build_document
from ansible_collections.baremetal.proxmox.plugins.module_utils._report.metrics import render_metrics
from ansible_collections.baremetal.proxmox.plugins.module_utils._report.page import render_page


class ActionModule(ActionBase):
    """Makes one document of what was read, and writes it in three forms."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(
            argument_spec={
                "directory": {"type": "path", "required": True},
                "report": {"type": "dict", "required": True},
                "guests": {"type": "list", "elements": "dict", "default": []},
                "resources": {"type": "list", "elements": "dict", "default": []},
                "findings": {"type": "list", "elements": "dict", "default": []},
                "unknown": {"type": "list", "elements": "str", "default": []},
            }
        )
        directory, now = arguments["directory"], time.time()
        document = build_document(
            time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(now)),
            arguments["report"],
            arguments["guests"],
            arguments["resources"],
            arguments["findings"],
            arguments["unknown"],
        )
        before = _earlier(os.path.join(directory, "report.json"))
        changes = compare_documents(before, document)
        files = {
            "report.html": render_page(document, changes),
            "report.prom": render_metrics(document, now),
            # Last: if writing stops before it, the next report still tells what has changed since this one's predecessor.
            "report.json": json.dumps({**document, "changes": changes}, indent=2, sort_keys=True) + "\n",
        }
        if not self._task.check_mode:
            try:
                os.makedirs(directory, exist_ok=True)
                for name, content in files.items():
                    _replace(os.path.join(directory, name), content)
            except OSError as error:
                raise AnsibleActionFail(f"The report cannot be written: {error}") from error
        return {
            "changed": changes is None or bool(changes),
            "page": os.path.join(directory, "report.html"),
            "healthy": document["healthy"],
            "changes": changes or [],
        }


def _earlier(path: str) -> Document | None:
    """The last report; None if there is none, or if it cannot be read as one."""
    try:
        found = json.loads(read_text(path) or "null")
    except json.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _replace(path: str, content: str) -> None:
    """Readers see the old one or the new one; the collector of metrics runs at any time."""
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".report-")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(content)
    # As readable as the umask of the account allows for new files; mkstemp's are their owner's alone.
    umask = os.umask(0)
    os.umask(umask)
    os.chmod(temporary, 0o666 & ~umask)
    os.replace(temporary, path)
