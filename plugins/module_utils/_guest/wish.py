# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person wants of one guest: the options of the module or one entry of C(vms), read and checked.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .._desired.errors import InvalidValue
from .._desired.kinds import Boolean, Integer, Tags, show
from .._desired.schema import Schema
from .drives import DriveWish, parse_drive_wish
from .key_tables import DRIVE_COUNTS, VIRTUAL_MACHINE, is_drive

STATES = ("present", "started", "stopped", "restarted", "template", "absent")
#: Options that are no keys of Proxmox VE's configuration.
CONTROL = (
    "vmid", "name", "node", "state", "image", "clone", "storage", "ci_storage", "pool", "vmid_range", "absent_keys",
    "restart_policy", "ci_changes", "update_password", "force", "purge", "destroy_unreferenced_disks", "timeout", "wait_for",
    "snippets", "tags_mode", "config",
)  # fmt: skip
FAMILIES = (
    "net",
    "scsi",
    "virtio",
    "sata",
    "ide",
    "ipconfig",
    "serial",
    "usb",
    "hostpci",
    "parallel",
    "virtiofs",
    "numa_nodes",
)
_CLOUD_INIT_KEYS = ("ciuser", "cipassword", "sshkeys", "cicustom", "nameserver", "searchdomain")


@dataclass(frozen=True)
class CloneSource:
    source: str
    full: bool | None = None
    storage: str = ""
    image_format: str = ""
    snapname: str = ""


@dataclass(frozen=True)
class ImageSource:
    """A cloud image: a volume, a file on the node, or an address with its checksum."""

    volume: str = ""
    path: str = ""
    url: str = ""
    checksum: str = ""
    storage: str = ""
    filename: str = ""


@dataclass(frozen=True)
class Snippet:
    name: str
    storage: str
    content: str


@dataclass(frozen=True)
class GuestWish:
    name: str = ""
    vmid: int | None = None
    node: str = ""
    state: str = "present"
    #: Keys in their normal form, without drives.
    config: Mapping[str, Any] = field(default_factory=dict)
    drives: Mapping[str, DriveWish] = field(default_factory=dict)
    absent_keys: tuple[str, ...] = ()
    image: ImageSource | None = None
    clone: CloneSource | None = None
    storage: str = ""
    ci_storage: str = ""
    pool: str = ""
    vmid_range: tuple[int, int] | None = None
    restart_policy: str = "never"
    ci_changes: str = "warn"
    update_password: str = "on_create"
    tags_mode: str = "exact"
    force: bool = False
    purge: bool = True
    destroy_unreferenced_disks: bool = False
    timeout: int = 120
    wait_for: Mapping[str, Any] = field(default_factory=dict)
    snippets: tuple[Snippet, ...] = ()

    @property
    def label(self) -> str:
        """How results and messages call it."""
        return self.name or str(self.vmid)

    @property
    def wants_cloud_init(self) -> bool:
        return any(key in _CLOUD_INIT_KEYS or key.startswith("ipconfig") for key in self.config)


def merge_defaults(defaults: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    """The entry over the defaults; dictionaries are merged, everything else is replaced, null takes a default away."""
    merged = dict(defaults)
    for name, value in entry.items():
        if isinstance(value, Mapping) and isinstance(merged.get(name), Mapping):
            merged[name] = merge_defaults(merged[name], value)
        else:
            merged[name] = value
    return merged


def parse_wish(options: Mapping[str, Any], schema: Schema = VIRTUAL_MACHINE) -> GuestWish:
    """Check everything that can be checked without asking Proxmox VE; the message of an InvalidValue names the key."""
    given = {str(name): value for name, value in options.items() if value is not None}
    keys: dict[str, Any] = {}
    for name, value in {**given.pop("config", {})}.items():
        keys[str(name)] = value
    for family in FAMILIES:
        for name, value in _members(family, given.pop(family, None)).items():
            _add(keys, name, value)
    for name in [name for name in given if name not in CONTROL]:
        _add(keys, name, given.pop(name))
    drives = {
        name: parse_drive_wish(name, value) for name, value in keys.items() if is_drive(name) and value is not None
    }
    config = schema.parse_all({name: value for name, value in keys.items() if name not in drives})
    if "name" in given:
        config["name"] = schema.parse("name", given["name"])
    elif "name" in config:
        given["name"] = config["name"]
    wish = GuestWish(
        name=str(given.get("name", "")),
        vmid=_vmid("vmid", given["vmid"]) if given.get("vmid") not in (None, "") else None,
        node=str(given.get("node", "")),
        state=_choice("state", given.get("state", "present"), STATES),
        config=config,
        drives=drives,
        absent_keys=tuple(
            _absent_key(schema, str(name)) for name in _list("absent_keys", given.get("absent_keys", ()))
        ),
        image=_parse_image(given.get("image")),
        clone=_parse_clone(given.get("clone")),
        storage=str(given.get("storage", "")),
        ci_storage=str(given.get("ci_storage", "")),
        pool=str(given.get("pool", "")),
        vmid_range=_parse_range(given.get("vmid_range")),
        restart_policy=_choice(
            "restart_policy", given.get("restart_policy", "never"), ("never", "if_required", "always")
        ),
        ci_changes=_choice("ci_changes", given.get("ci_changes", "warn"), ("apply", "warn", "ignore", "refuse")),
        update_password=_choice("update_password", given.get("update_password", "on_create"), ("on_create", "always")),
        tags_mode=_choice("tags_mode", given.get("tags_mode", "exact"), ("exact", "add")),
        force=_flag("force", given.get("force", False)),
        purge=_flag("purge", given.get("purge", True)),
        destroy_unreferenced_disks=_flag("destroy_unreferenced_disks", given.get("destroy_unreferenced_disks", False)),
        timeout=_whole("timeout", given.get("timeout", 120), 1),
        wait_for=_parse_wait(given.get("wait_for")),
        snippets=tuple(_parse_snippet(entry) for entry in _list("snippets", given.get("snippets", ()))),
    )
    _check_together(wish)
    return wish


def _check_together(wish: GuestWish) -> None:
    if not wish.name and wish.vmid is None:
        raise InvalidValue("a guest needs a name, a vmid, or both", "name")
    if wish.image and wish.clone:
        raise InvalidValue("either image or clone, not both", "image")
    both = sorted(set(wish.absent_keys) & ({*wish.config, *wish.drives}))
    if both:
        raise InvalidValue(f"{both[0]} is declared and in absent_keys", both[0])
    cloud_init = [slot for slot, drive in wish.drives.items() if drive.is_cloud_init]
    if len(cloud_init) > 1:
        raise InvalidValue(
            f"there can be only one cloud-init drive, not one at {' and at '.join(cloud_init)}", cloud_init[1]
        )
    for key, value in wish.config.items():
        if key.startswith("ipconfig"):
            for gateway, address in (("gw", "ip"), ("gw6", "ip6")):
                if value.get(gateway) and not value.get(address):
                    raise InvalidValue(f"a gateway needs {address} beside it", f"{key}.{gateway}")


def _members(family: str, value: Any) -> dict[str, Any]:
    """C(net: {net0: ...}) or C(net: {0: ...}); a list counts from 0."""
    if value is None:
        return {}
    prefix = "numa" if family == "numa_nodes" else family
    if isinstance(value, (list, tuple)):
        return {f"{prefix}{index}": entry for index, entry in enumerate(value)}
    if not isinstance(value, Mapping):
        raise InvalidValue(f"a dictionary like {{{prefix}0: ...}} is needed, not {show(value)}", family)
    return {f"{prefix}{name}" if re.fullmatch(r"\d+", str(name)) else str(name): entry for name, entry in value.items()}


def _add(keys: dict[str, Any], name: str, value: Any) -> None:
    if name in keys and keys[name] is not None and value is not None:
        raise InvalidValue("it is given twice", name)
    if value is not None or name not in keys:
        keys[name] = value


def _absent_key(schema: Schema, name: str) -> str:
    key, dot, part = name.partition(".")
    if re.fullmatch(r"unused\d+", key):
        raise InvalidValue("a volume without a slot is not deleted by this module", key)
    return schema.canonical(key) + dot + part


def _parse_image(value: Any) -> ImageSource | None:
    if value in (None, "", {}):
        return None
    if isinstance(value, Mapping):
        known = ("volume", "path", "url", "checksum", "storage", "filename")
        for name in value:
            if name not in known:
                raise InvalidValue(f"there is no such property; there are {', '.join(known)}", f"image.{name}")
        image = ImageSource(**{name: str(part) for name, part in value.items() if part is not None})
    else:
        text = str(value).strip()
        kind = "url" if re.match(r"https?://", text) else "path" if text.startswith("/") else "volume"
        image = ImageSource(**{kind: text})
    if sum(bool(part) for part in (image.volume, image.path, image.url)) != 1:
        raise InvalidValue("exactly one of volume, path and url says where the image is", "image")
    if image.volume and ":" not in image.volume:
        raise InvalidValue(f"'{show(image.volume)}' is no volume like local:import/debian-13.qcow2", "image")
    if image.url and not re.fullmatch(r"(md5|sha1|sha224|sha256|sha384|sha512):[0-9a-fA-F]+", image.checksum):
        raise InvalidValue("an image from a URL needs a checksum like sha512:0123...", "image.checksum")
    if image.url and not image.storage:
        raise InvalidValue("an image from a URL needs the storage that keeps it", "image.storage")
    return image


def _parse_clone(value: Any) -> CloneSource | None:
    if value in (None, "", {}):
        return None
    if not isinstance(value, Mapping):
        return CloneSource(source=str(value))
    known = {"source": "source", "name": "source", "vmid": "source", "full": "full", "storage": "storage",
             "format": "image_format", "snapname": "snapname"}  # fmt: skip
    parts: dict[str, Any] = {}
    for name, part in value.items():
        if name not in known:
            raise InvalidValue(f"there is no such property; there are {', '.join(known)}", f"clone.{name}")
        if part is not None:
            parts[known[name]] = _flag("clone.full", part) if name == "full" else str(part)
    if not parts.get("source"):
        raise InvalidValue("the name or vmid of the guest to clone is missing", "clone.source")
    return CloneSource(**parts)


def _parse_range(value: Any) -> tuple[int, int] | None:
    if value in (None, "", ()):
        return None
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        raise InvalidValue(f"two numbers are needed, the first and the last vmid, not {show(value)}", "vmid_range")
    first, last = (_vmid("vmid_range", number) for number in value)
    if first > last:
        raise InvalidValue(f"{first} is more than {last}", "vmid_range")
    return first, last


def _parse_wait(value: Any) -> dict[str, Any]:
    if value in (None, "", {}):
        return {}
    if isinstance(value, str):
        value = {name: True for name in re.split(r"[,\s]+", value) if name}
    if isinstance(value, (list, tuple)):
        value = {str(name): True for name in value}
    if not isinstance(value, Mapping):
        raise InvalidValue(f"a dictionary is needed, not {show(value)}", "wait_for")
    wanted: dict[str, Any] = {}
    for name, part in value.items():
        if name == "timeout":
            wanted[name] = _whole("wait_for.timeout", part, 1)
        elif name in ("agent", "ip", "ipv4", "ipv6", "cloud_init"):
            wanted[name] = _flag(f"wait_for.{name}", part)
        else:
            raise InvalidValue(
                "one can wait for agent, ip, ipv4, ipv6 and cloud_init, with a timeout", f"wait_for.{name}"
            )
    return wanted


def _parse_snippet(value: Any) -> Snippet:
    if not isinstance(value, Mapping) or not {"name", "storage", "content"} <= set(value):
        raise InvalidValue("every snippet needs name, storage and content", "snippets")
    name = str(value["name"])
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*", name):
        raise InvalidValue(f"'{show(name)}' is not a plain file name", "snippets.name")
    return Snippet(name, str(value["storage"]), str(value["content"]))


def _choice(name: str, value: Any, choices: tuple[str, ...]) -> str:
    if value not in choices:
        raise InvalidValue(f"'{show(value)}' is none of {', '.join(choices)}", name)
    return str(value)


def _flag(name: str, value: Any) -> bool:
    try:
        return Boolean().parse(value)
    except InvalidValue as error:
        raise error.below(name) from error


def _whole(name: str, value: Any, minimum: int, maximum: int | None = None) -> int:
    try:
        return Integer(minimum=minimum, maximum=maximum).parse(value)
    except InvalidValue as error:
        raise error.below(name) from error


def _vmid(name: str, value: Any) -> int:
    return _whole(name, value, 100, 999999999)


def _list(name: str, value: Any) -> list[Any]:
    if isinstance(value, str):
        return [value]
    if not isinstance(value, (list, tuple)):
        raise InvalidValue(f"a list is needed, not {show(value)}", name)
    return list(value)


def add_tags(wish: GuestWish, current: Any) -> tuple[str, ...]:
    """The declared tags beside those that are there, for C(tags_mode=add)."""
    return Tags().parse([*wish.config.get("tags", ()), *(current or ())])


def slot_for_image(wish: GuestWish) -> str:
    """The drive that gets the image: the first of the boot order that is declared, else the first declared disk, else scsi0."""
    disks = [slot for slot, drive in wish.drives.items() if drive.is_disk and not drive.volume]
    order = wish.config.get("boot")
    for slot in order if isinstance(order, tuple) else ():
        if slot in disks:
            return slot
    for bus in ("scsi", "virtio", "sata", "ide"):
        for number in range(DRIVE_COUNTS[bus]):
            if f"{bus}{number}" in disks:
                return f"{bus}{number}"
    return "scsi0"
