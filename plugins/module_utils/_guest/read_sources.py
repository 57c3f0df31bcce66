# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that say from what a guest is made, and what belongs to it beside its configuration.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .._desired.errors import InvalidValue
from .._desired.kinds import show
from .._ha.tables import RESOURCE
from .guest_types import GuestType
from .ha_resource import OWN_KEYS
from .scalars import read_flag, read_text, read_vmid, read_whole, refuse_unknown
from .wish import CloneSource, HighAvailability, ImageSource, Snippet

_EMPTY: tuple[Any, ...] = (None, "", {}, [])
_CHECKSUM = r"(md5|sha1|sha224|sha256|sha384|sha512):[0-9a-fA-F]+"
_CLONE_PARTS = {"source": "source", "name": "source", "vmid": "source", "full": "full", "storage": "storage",
                "format": "image_format", "snapname": "snapname"}  # fmt: skip


def read_image(option: str, value: Any) -> ImageSource | None:
    if value in _EMPTY:
        return None
    if isinstance(value, Mapping):
        refuse_unknown(option, value, ("volume", "path", "url", "checksum", "storage", "filename"))
        parts = {name: read_text(f"{option}.{name}", part) for name, part in value.items() if part is not None}
        image = ImageSource(**parts)
    else:
        text = read_text(option, value)
        kind = "url" if re.match(r"https?://", text) else "path" if text.startswith("/") else "volume"
        image = ImageSource(**{kind: text})
    if sum(bool(part) for part in (image.volume, image.path, image.url)) != 1:
        raise InvalidValue("exactly one of volume, path and url says where it is", option)
    if image.volume and not re.fullmatch(r"[^\s:/]+:\S+", image.volume):
        raise InvalidValue(f"'{show(image.volume)}' is no volume like local:import/debian-13.qcow2", option)
    if image.path and not image.path.startswith("/"):
        raise InvalidValue(f"'{show(image.path)}' does not begin with /", f"{option}.path")
    if image.url and not re.match(r"https?://[^/]+/", image.url):
        raise InvalidValue(
            f"'{show(image.url)}' is no address like https://example.org/debian-13.qcow2", f"{option}.url"
        )
    if image.url and not re.fullmatch(_CHECKSUM, image.checksum):
        raise InvalidValue("what comes from a URL needs a checksum like sha512:0123...", f"{option}.checksum")
    if image.url and not image.storage:
        raise InvalidValue("what comes from a URL needs the storage that keeps it", f"{option}.storage")
    return image


def read_clone(value: Any) -> CloneSource | None:
    if value in _EMPTY:
        return None
    if not isinstance(value, Mapping):
        return CloneSource(source=read_text("clone", value))
    refuse_unknown("clone", value, tuple(_CLONE_PARTS))
    parts: dict[str, Any] = {}
    for name, part in value.items():
        if part is None:
            continue
        read = read_flag if name == "full" else read_text
        parts[_CLONE_PARTS[name]] = read(f"clone.{name}", part)
    if not parts.get("source"):
        raise InvalidValue("the name or vmid of the guest to clone is missing", "clone.source")
    return CloneSource(**parts)


def read_range(value: Any) -> tuple[int, int] | None:
    if value in _EMPTY:
        return None
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        raise InvalidValue(f"two numbers are needed, the first and the last vmid, not {show(value)}", "vmid_range")
    first, last = (read_vmid("vmid_range", number) for number in value)
    if first > last:
        raise InvalidValue(f"{first} is more than {last}", "vmid_range")
    return first, last


def read_wait(guest_type: GuestType, value: Any) -> dict[str, Any]:
    if value in _EMPTY:
        return {}
    if isinstance(value, str):
        value = {name: True for name in re.split(r"[,\s]+", value) if name}
    if isinstance(value, (list, tuple)):
        value = {str(name): True for name in value}
    if not isinstance(value, Mapping):
        raise InvalidValue(f"a dictionary is needed, not {show(value)}", "wait_for")
    # A container has no agent; its addresses are seen from outside.
    names = ("agent", "ip", "ipv4", "ipv6", "cloud_init") if guest_type.kind == "qemu" else ("ip", "ipv4", "ipv6")
    wanted: dict[str, Any] = {}
    for name, part in value.items():
        if name == "timeout":
            wanted[name] = read_whole("wait_for.timeout", part, 1)
        elif name in names:
            wanted[name] = read_flag(f"wait_for.{name}", part)
        else:
            raise InvalidValue(f"one can wait for {', '.join(names)}, with a timeout", f"wait_for.{name}")
    return wanted


def read_snippet(value: Any) -> Snippet:
    if not isinstance(value, Mapping):
        raise InvalidValue(f"a dictionary with name, storage and content is needed, not {show(value)}", "snippets")
    refuse_unknown("snippets", value, ("name", "storage", "content"))
    for part in ("name", "storage", "content"):
        if value.get(part) in (None, ""):
            raise InvalidValue("every snippet needs name, storage and content", f"snippets.{part}")
    name = read_text("snippets.name", value["name"])
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*", name):
        raise InvalidValue(f"'{show(name)}' is not a plain file name", "snippets.name")
    return Snippet(name, read_text("snippets.storage", value["storage"]), str(value["content"]))


def read_high_availability(value: Any) -> HighAvailability | None:
    """C(true) or settings: managed; C(false): not."""
    if value is None:
        return None
    if isinstance(value, Mapping):
        refuse_unknown("ha", value, OWN_KEYS)
        settings = {str(name): part for name, part in value.items() if part is not None}
        try:
            return HighAvailability(settings=RESOURCE.parse_all(settings))
        except InvalidValue as error:
            raise error.below("ha") from error
    return HighAvailability(wanted=read_flag("ha", value))
