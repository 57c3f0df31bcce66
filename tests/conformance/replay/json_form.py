# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON answers in a comparable form: Perl's hashes have no order, and some numbers are the machine's.

Lists of objects come in the order of Perl's hashes on a real node (nodes, resources, storages); lists that are
ordered on purpose carry a line number ("n").
"""

from __future__ import annotations

import json
import re
from typing import Any

from replay.artefacts import remove_artefacts

# Numbers of the machine and the moment. 0 stays 0: "not running" is compared.
VOLATILE_NUMBERS = frozenset(
    "mem maxmem maxcpu disk maxdisk uptime memhost netin netout diskread diskwrite pid pstart starttime endtime timestamp"
    " ctime notbefore notafter total used avail free used_fraction freemem totalmem shares cpus sockets cores mhz idle wait available".split()
)
# These are 0 on an idle machine and mean nothing then.
ALWAYS_VOLATILE = re.compile(r"^(cpu|wait|loadavg|pressure\w*|ksm|serverload|[rt]x-(bytes|packets))$")
VOLATILE_TEXT = frozenset(
    {"digest", "kversion", "kernel-release", "kernel-version", "CSRFPreventionToken", "serverid", "pbs-library-version"}
)
# Objects that describe the processor and the kernel below the node: which values there are is compared, not they.
MACHINE_OBJECTS = frozenset({"cpuinfo", "current-kernel"})
PROGRESS = re.compile(r"(?:.*: )?transferred [\d.]+ \w+ of [\d.]+ \w+ \([\d.]+%\)$")
COMMA_SETS = frozenset({"content", "privs"})


def canonical_json(value: Any, key: str = "") -> Any:
    """The value with sorted lists and without the machine's own numbers."""
    if isinstance(value, dict) and value.get("content") == "vztmpl" and "size" in value:
        value = {**value, "size": "<size of the lab's template>"}
    if isinstance(value, dict) and key in MACHINE_OBJECTS:
        return {name: f"<{name}>" for name in value}
    if isinstance(value, dict):
        # Rows of key and value: the row's key says what kind of value it is.
        named = value["key"] if isinstance(value.get("key"), str) and "value" in value else None
        return {
            name: canonical_json(item, named if named and name == "value" else name) for name, item in value.items()
        }
    if isinstance(value, list) and _is_log(value):
        return _canonical_log(value)
    if isinstance(value, list):
        items = [canonical_json(item, key) for item in value]
        return items if _is_ordered(items) else sorted(items, key=_sort_key)
    if ALWAYS_VOLATILE.match(key) and isinstance(value, (int, float, str)) and not isinstance(value, bool):
        return "<n>"
    if key in VOLATILE_NUMBERS and _is_number(value) and float(value) != 0:
        return "<n>"
    if key in VOLATILE_TEXT and isinstance(value, str):
        return f"<{key}>"
    if key in COMMA_SETS and isinstance(value, str):
        return ",".join(sorted(value.split(",")))
    return value


def canonical_text(text: str) -> str:
    """The text with every JSON document in it (the whole, or a line) in its canonical form."""
    whole = _parse(text)
    if whole is not None:
        return _dump(whole) + "\n"
    return "".join(
        _dump(parsed) + "\n" if (parsed := _parse(line)) is not None else line
        for line in text.splitlines(keepends=True)
    )


def _parse(text: str) -> Any:
    stripped = text.strip()
    if not stripped or (stripped[0], stripped[-1]) not in {("{", "}"), ("[", "]")}:
        return None
    # .members and its like are files with a layout of their own, not an answer of the API.
    if stripped.startswith('{\n"'):
        return None
    try:
        return json.loads(stripped)
    except ValueError:
        return None


def _dump(value: Any) -> str:
    return json.dumps(canonical_json(value), sort_keys=True, ensure_ascii=False)


def _is_log(items: list[Any]) -> bool:
    return bool(items) and all(isinstance(item, dict) and item.keys() == {"n", "t"} for item in items)


def _canonical_log(lines: list[dict[str, Any]]) -> list[str]:
    """A task's log as its lines, without artefacts; how often a copy tells its progress depends on its speed."""
    kept = [line for line in (str(item["t"]) for item in lines) if remove_artefacts(f"{line}\n")]
    texts = ["<progress>" if PROGRESS.match(line) else line for line in kept]
    return [text for index, text in enumerate(texts) if text != "<progress>" or texts[index - 1 : index] != [text]]


def _is_ordered(items: list[Any]) -> bool:
    return any(isinstance(item, list) for item in items)


def _sort_key(item: Any) -> str:
    """Values that a text rule replaces later must not decide the order."""
    text = json.dumps(item, sort_keys=True, ensure_ascii=False)
    return re.sub(
        r"(?:[0-9A-F]{2}:){5,}[0-9A-F]{2}|UPID:[^:]+:[0-9A-F:]+:|1[789]\d{8}|[0-9a-f]{8}-[0-9a-f-]{27}", "<>", text
    )


def _is_number(value: Any) -> bool:
    if isinstance(value, bool):
        return False
    return isinstance(value, (int, float)) or (
        isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)?", value) is not None
    )
