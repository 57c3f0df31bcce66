# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From an answer to the text that is compared: layouts, JSON, artefacts, then the placeholders."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from replay.artefacts import remove_artefacts
from replay.json_form import canonical_json, canonical_text
from replay.layouts import canonical_layouts
from replay.rules import Numbering, apply_text_rules


@dataclass(frozen=True)
class Answer:
    """What a node answered to a command or a request, recorded or live."""

    rc: int | str | None = None
    stdout: str = ""
    stderr: str = ""
    status_line: str = ""
    headers: tuple[str, ...] = ()
    body: str = ""
    seconds: float = 0.0

    @property
    def text(self) -> str:
        return f"{self.stdout}\n{self.stderr}\n{self.status_line}\n{self.body}"


def command_form(answer: Answer, question: str = "") -> dict[str, str]:
    """The comparable form of a command's answer. The question comes first, so its values get the first numbers."""
    numbering = Numbering()
    apply_text_rules(question, numbering)
    return {
        "rc": _exit_form(answer.rc),
        "stdout": _form(answer.stdout, numbering),
        "stderr": _form(answer.stderr, numbering),
    }


def request_form(answer: Answer, question: str = "") -> dict[str, str]:
    """The comparable form of an HTTP answer."""
    numbering = Numbering()
    apply_text_rules(question, numbering)
    return {
        "status": _form(answer.status_line.rstrip(), numbering),
        "headers": "\n".join(sorted(_form(header, numbering) for header in answer.headers)),
        "body": _body_form(answer.body, numbering),
    }


def text_form(text: str) -> str:
    """The comparable form of a text on its own."""
    return _form(text, Numbering())


def _form(text: str, numbering: Numbering) -> str:
    return apply_text_rules(canonical_layouts(canonical_text(remove_artefacts(text))), numbering)


def _body_form(body: str, numbering: Numbering) -> str:
    try:
        parsed: Any = json.loads(body)
    except ValueError:
        return _form(body, numbering)
    return apply_text_rules(json.dumps(canonical_json(parsed), sort_keys=True, ensure_ascii=False), numbering)


def _exit_form(code: int | str | None) -> str:
    # "timeout after 120s": the recorder gave up; so does the replay, only sooner.
    return "timeout" if isinstance(code, str) and code.startswith("timeout") else str(code)
