# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The named formats that only storages use."""

from __future__ import annotations

import re

from practice_pve.rest.formats import DNS_LABEL, IPV4, FormatError, by_pattern, is_ipv6, register_format
from practice_pve.rest.parameters import Boolean, Integer
from practice_pve.rest.verification import parse_property_string
from practice_pve.storage.tables import CONTENT_TYPES

PRUNE_OPTIONS = {
    "keep-all": Boolean(optional=True),
    **{
        f"keep-{period}": Integer(optional=True, minimum=0)
        for period in ("last", "hourly", "daily", "weekly", "monthly", "yearly")
    },
}
_PLAIN_PATH = r"/[^\n]*"
_HOST = rf"(?:{IPV4}|(?:{DNS_LABEL}\.)*{DNS_LABEL})"


def check_content(value: str) -> str:
    if value not in CONTENT_TYPES:
        raise FormatError(f"invalid content type '{value}'")
    return value


def check_prune(value: str) -> str:
    kept = parse_property_string(PRUNE_OPTIONS, value, "prune-backups")
    if kept.pop("keep-all", False) and any(kept.values()):
        raise FormatError("keep-all cannot be set together with other options.")
    return value


def check_server(value: str) -> str:
    if not re.fullmatch(_HOST, value) and not is_ipv6(value):
        raise FormatError("value does not look like a valid server name or IP address")
    return value


register_format("pve-storage-content", check_content)
register_format("prune-backups", check_prune)
register_format("pve-storage-server", check_server)
by_pattern("pve-storage-path", _PLAIN_PATH, "value does not look like a valid absolute path")
by_pattern(
    "pve-storage-vgname", r"[a-zA-Z0-9][a-zA-Z0-9\-_.]*[a-zA-Z0-9]", "lvm name '{value}' contains illegal characters"
)
by_pattern("pve-storage-portal-dns", rf"{_HOST}(?::\d+)?", "value does not look like a valid portal address")
by_pattern("pve-storage-options", r"[^\s]+", "invalid options '{value}'")
by_pattern("pve-storage-zfs-blocksize", r"\d+[kKmM]?", "value does not look like a valid block size")
by_pattern(
    "pve-dir-override", r"(?:images|rootdir|vztmpl|iso|backup|snippets|import)=[^.].*", "invalid override '{value}'"
)
