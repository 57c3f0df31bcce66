# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of values that keys have: how a value is read, compared and written.

This file is private to the collection and may change without notice.

CONTRACT of a kind. C(parse) takes what a person declared or what Proxmox VE answered and returns the normal form; it is idempotent
and raises InvalidValue otherwise. C(format) writes a normal form as Proxmox VE takes it; C(parse(format(parse(x))) == parse(x)).
C(merge) says what has to be written so that the declared parts hold and all others stay. C(holds) says whether they hold already.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from .errors import InvalidValue
from .sizes import format_size, parse_size

_TRUE = {"1", "on", "yes", "true"}
_FALSE = {"0", "off", "no", "false"}


def show(value: object) -> str:
    """A value inside a message, never longer than a line."""
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def demand_scalar(value: object) -> str:
    if isinstance(value, (dict, list, tuple, set)) or value is None:
        raise InvalidValue(f"a single value is needed, not {show(value)}")
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value).strip()


@dataclass(frozen=True)
class Kind:
    """Any text, passed on as it is. The default is the normal form that an absent key stands for."""

    default: Any = None

    def parse(self, value: Any) -> Any:
        return demand_scalar(value)

    def format(self, value: Any) -> str:
        return str(value)

    def merge(self, wanted: Any, current: Any) -> Any:  # noqa: ARG002
        return wanted

    def holds(self, wanted: Any, current: Any) -> bool:
        return bool(wanted == (self.default if current is None else current))


@dataclass(frozen=True)
class Text(Kind):
    choices: tuple[str, ...] = ()
    pattern: str = ""
    meaning: str = ""
    case_blind: bool = False

    def parse(self, value: Any) -> str:
        text = demand_scalar(value)
        if "\n" in text:
            raise InvalidValue("a line break is not possible here")
        if self.choices and text not in self.choices:
            raise InvalidValue(f"'{show(text)}' is none of {', '.join(self.choices)}")
        if self.pattern and not re.fullmatch(self.pattern, text):
            raise InvalidValue(f"'{show(text)}' is not {self.meaning or 'of the right form'}")
        return text

    def holds(self, wanted: Any, current: Any) -> bool:
        current = self.default if current is None else current
        if self.case_blind and current is not None:
            return str(wanted).lower() == str(current).lower()
        return bool(wanted == current)


@dataclass(frozen=True)
class Boolean(Kind):
    def parse(self, value: Any) -> bool:
        text = demand_scalar(value).lower()
        if text not in _TRUE | _FALSE:
            raise InvalidValue(f"'{show(value)}' is neither true nor false")
        return text in _TRUE

    def format(self, value: Any) -> str:
        return "1" if value else "0"


@dataclass(frozen=True)
class Integer(Kind):
    minimum: int | None = None
    maximum: int | None = None

    def parse(self, value: Any) -> int:
        text = demand_scalar(value)
        if isinstance(value, bool) or not re.fullmatch(r"-?\d+", text):
            raise InvalidValue(f"'{show(value)}' is not a whole number")
        _demand_range(int(text), self.minimum, self.maximum)
        return int(text)


@dataclass(frozen=True)
class Number(Kind):
    minimum: float | None = None
    maximum: float | None = None

    def parse(self, value: Any) -> float:
        text = demand_scalar(value)
        if isinstance(value, bool) or not re.fullmatch(r"-?\d+(\.\d+)?", text):
            raise InvalidValue(f"'{show(value)}' is not a number")
        _demand_range(float(text), self.minimum, self.maximum)
        return float(text)

    def format(self, value: Any) -> str:
        return f"{value:.10f}".rstrip("0").rstrip(".")


@dataclass(frozen=True)
class Size(Kind):
    """Bytes: C(20G) and C(20480M) are the same."""

    def parse(self, value: Any) -> int:
        return parse_size(value)

    def format(self, value: Any) -> str:
        return format_size(value)


@dataclass(frozen=True)
class Clamped(Integer):
    """Proxmox VE pulls a value into its range without a word (cpuunits)."""

    lowest: int = 1
    highest: int = 10000

    def parse(self, value: Any) -> int:
        return min(max(super().parse(value), self.lowest), self.highest)


@dataclass(frozen=True)
class Words(Kind):
    """A list of words in their order, separated by space, comma or semicolon (nameserver, searchdomain)."""

    separator: str = " "

    def parse(self, value: Any) -> tuple[str, ...]:
        if isinstance(value, (list, tuple)):
            return tuple(demand_scalar(word) for word in value)
        return tuple(word for word in re.split(r"[\s,;]+", demand_scalar(value)) if word)

    def format(self, value: Any) -> str:
        return self.separator.join(value)


@dataclass(frozen=True)
class Names(Words):
    """A set of words whose order and repetition mean nothing (a storage's contents, the nodes of a rule)."""

    separator: str = ","
    choices: tuple[str, ...] = ()

    def parse(self, value: Any) -> tuple[str, ...]:
        words = super().parse(value)
        for word in words:
            if self.choices and word not in self.choices:
                raise InvalidValue(f"'{show(word)}' is none of {', '.join(self.choices)}")
        return tuple(sorted(set(words)))


@dataclass(frozen=True)
class Tags(Kind):
    """A set of words: Proxmox VE writes them in lower case, sorted and once."""

    def parse(self, value: Any) -> tuple[str, ...]:
        words = Words().parse(value)
        for word in words:
            if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_+.\-]*", word):
                raise InvalidValue(f"'{show(word)}' is not a tag (letters, digits, and _ - + . behind the first one)")
        return tuple(sorted({word.lower() for word in words}))

    def format(self, value: Any) -> str:
        return ";".join(value)


@dataclass(frozen=True)
class Description(Kind):
    """Lines of text; the API answers with a line end that nobody wrote."""

    def parse(self, value: Any) -> str:
        return demand_scalar(value).rstrip()

    def holds(self, wanted: Any, current: Any) -> bool:
        return bool(wanted == (current or ""))


@dataclass(frozen=True)
class PublicKeys(Kind):
    """SSH keys: a list or lines of text here, percent-encoded lines there. A set: the order has no meaning."""

    def parse(self, value: Any) -> tuple[str, ...]:
        lines = value if isinstance(value, (list, tuple)) else demand_scalar(value).splitlines()
        text = "\n".join(demand_scalar(line) for line in lines)
        if "%20" in text or "%0A" in text.upper():
            text = unquote(text)
        keys = dict.fromkeys(
            line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")
        )
        for key in keys:
            if len(key.split()) < 2:
                raise InvalidValue(f"'{show(key)}' is not a public key")
        return tuple(keys)

    def format(self, value: Any) -> str:
        return quote("\n".join(value) + "\n", safe="")

    def holds(self, wanted: Any, current: Any) -> bool:
        return set(wanted) == set(current or ())


@dataclass(frozen=True)
class BootOrder(Kind):
    """Devices in their order. C(order=a;b), the legacy letters C(cdn) and a plain list are understood."""

    def parse(self, value: Any) -> tuple[str, ...] | str:
        if isinstance(value, (list, tuple)):
            return tuple(demand_scalar(device) for device in value)
        text = demand_scalar(value).removeprefix("legacy=")
        if re.fullmatch(r"[acdn]{1,4}", text):
            return text
        text = text.removeprefix("order=")
        devices = tuple(device for device in re.split(r"[;,\s]+", text) if device)
        for device in devices:
            if not re.fullmatch(r"(ide|sata|scsi|virtio|net|usb|hostpci)\d+", device):
                raise InvalidValue(f"'{show(device)}' is not a device one can boot from")
        return devices

    def format(self, value: Any) -> str:
        return value if isinstance(value, str) else "order=" + ";".join(value)


@dataclass(frozen=True)
class Machine(Text):
    """C(q35) also is what Proxmox VE pinned for Windows, C(pc-q35-9.2+pve1)."""

    def holds(self, wanted: Any, current: Any) -> bool:
        if wanted == "q35":
            return bool(re.fullmatch(r"q35|pc-q35-.*", str(current)))
        if wanted == "pc":
            return current is None or bool(re.fullmatch(r"pc|pc-i440fx-.*", str(current)))
        return super().holds(wanted, current)


def _demand_range(number: float, minimum: float | None, maximum: float | None) -> None:
    if minimum is not None and number < minimum:
        raise InvalidValue(f"{number} is less than {minimum}")
    if maximum is not None and number > maximum:
        raise InvalidValue(f"{number} is more than {maximum}")


Properties = Mapping[str, Any]
