# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Volume names of file storages: what a name says about content, owner, base and format."""

from __future__ import annotations

import re
from dataclasses import dataclass

from practice_pve.rest.errors import ApiError

_IMAGE = re.compile(r"(?!\.)(?!.*/)[^/\s]*\.(raw|qcow2|vmdk|subvol)")
_SAFE_CHARACTER = r"[ a-zA-Z0-9\-.+=_]"
_ISO = re.compile(r"iso/([^/]+\.(?:iso|img))", re.IGNORECASE)
_TEMPLATE = re.compile(r"vztmpl/([^/]+\.(?:tar\.gz|tar\.xz|tar\.zst|tar\.bz2|tgz|tar))")
_BACKUP = re.compile(r"backup/([^/]+\.(?:tgz|(?:tar|vma)(?:\.(?:gz|lzo|zst|bz2))?))")
_IMPORT = re.compile(rf"import/({_SAFE_CHARACTER}+\.(ova|ovf|qcow2|raw|vmdk))")
_PACKED_IMPORT = re.compile(rf"import/({_SAFE_CHARACTER}+\.ova/[^/]+\.(qcow2|raw|vmdk))")


@dataclass(frozen=True)
class VolumeName:
    """The parts of a volume name."""

    content: str
    name: str
    format: str
    owner: int | None = None
    base_owner: int | None = None
    base_name: str | None = None

    @property
    def is_base(self) -> bool:
        """True for the disk of a template."""
        return self.content == "images" and self.name.startswith("base-")


def parse_volume_name(text: str) -> VolumeName:
    """Read the part of a volume id behind the storage."""
    linked = re.fullmatch(r"(\d+)/(\S+)/(\d+)/(\S+)", text)
    if linked:
        _check_image_name(linked[2])
        return VolumeName("images", linked[4], _check_image_name(linked[4]), int(linked[3]), int(linked[1]), linked[2])
    owned = re.fullmatch(r"(\d+)/(\S+)", text)
    if owned:
        return VolumeName("images", owned[2], _check_image_name(owned[2]), int(owned[1]))
    for pattern, content in ((_ISO, "iso"), (_TEMPLATE, "vztmpl")):
        match = pattern.fullmatch(text)
        if match:
            return VolumeName(content, match[1], "raw")
    backup = _BACKUP.fullmatch(text)
    if backup:
        owner = re.match(r"vzdump-(?:openvz|lxc|qemu)-(\d+)-.+", backup[1])
        return VolumeName("backup", backup[1], "raw", int(owner[1]) if owner else None)
    snippet = re.fullmatch(r"snippets/([^/]+)", text)
    if snippet:
        return VolumeName("snippets", snippet[1], "raw")
    packed = _PACKED_IMPORT.fullmatch(text)
    if packed:
        return VolumeName("import", packed[1], f"ova+{packed[2]}")
    imported = _IMPORT.fullmatch(text)
    if imported:
        return VolumeName("import", imported[1], imported[2])
    raise ApiError(f"unable to parse directory volume name '{text}'")


def _check_image_name(name: str) -> str:
    match = _IMAGE.fullmatch(name)
    if not match:
        raise ApiError(f"unable to parse volume filename '{name}'")
    return match[1]
