# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of configuration keys: how the text of a file becomes a value, and how PVE spells new ones."""

from __future__ import annotations

import hashlib
import os
import re
import time
import uuid
from collections.abc import Mapping

from practice_pve.guests.tables.machine_parts import NETWORK
from practice_pve.pmxcfs import client
from practice_pve.rest.errors import ApiError
from practice_pve.rest.parameters import Parameter
from practice_pve.rest.verification import parse_boolean, parse_property_string, print_property_string

QEMU_VERSION = "10.2.2"
DEFAULT_MAC_PREFIX = "BC:24:11"
HIDDEN = "**********"


def memory_of(values: dict[str, object]) -> int:
    """MiB of `memory: 2048` or `memory: current=2048`."""
    match = re.search(r"\d+", str(values.get("memory", "512")))
    return int(match[0]) if match else 512


def check_value(options: Mapping[str, Parameter], key: str, text: str) -> object:
    """The value of a line of a configuration file: numbers and booleans become ints, the rest stays text."""
    option = options.get(key)
    if option is None:
        raise ValueError(f"unknown setting '{key}'")
    if option.type == "boolean":
        word = parse_boolean(text)
        if word is None:
            raise ValueError(f"type check ('boolean') failed - got '{text}'")
        return int(word)
    if option.type == "integer":
        if not re.fullmatch(r"\d+", text):
            raise ValueError(f"type check ('integer') failed - got '{text}'")
        return int(text)
    if option.type == "number" and not re.fullmatch(r"\d+(\.\d+)?", text):
        raise ValueError(f"type check ('number') failed - got '{text}'")
    return text


def random_mac() -> str:
    """A new address with the cluster's prefix."""
    match = re.search(r"^mac_prefix:\s*(\S+)", client.read("datacenter.cfg") or "", re.MULTILINE)
    prefix = match[1] if match else DEFAULT_MAC_PREFIX
    tail = os.urandom(5 - prefix.count(":"))
    return ":".join([prefix, *(f"{byte:02X}" for byte in tail)]).upper()


def complete_network_card(text: str) -> str:
    """A card's property string as PVE stores it: model=address first, a missing address invented."""
    values = parse_property_string(NETWORK, text)
    values.setdefault("macaddr", random_mac())
    return print_property_string(NETWORK, values)


def new_uuid() -> str:
    """A random UUID."""
    return str(uuid.uuid4())


def new_meta() -> str:
    """Who made the machine and when."""
    return f"creation-qemu={QEMU_VERSION},ctime={int(time.time())}"


def unique_tags(text: str) -> str:
    """Tags as PVE stores them: lower case, each once, sorted, joined by semicolons; datacenter.cfg may change that."""
    style = _tag_style()
    words = re.split(r"[,;\s]+", text)
    if style.get("case-sensitive") != "1":
        words = [word.lower() for word in words]
    unique = dict.fromkeys(word for word in words if word)
    ordered = list(unique) if style.get("ordering") == "config" else sorted(unique)
    return ";".join(ordered)


def _tag_style() -> dict[str, str]:
    match = re.search(r"^tag-style:\s*(.*)$", client.read("datacenter.cfg") or "", re.MULTILINE)
    return dict(part.split("=", 1) for part in match[1].split(",") if "=" in part) if match else {}


def hash_password(password: str) -> str:
    """A crypt hash; what already is one stays as it is."""
    if re.match(r"\$(?:[156]|2[ay])(?:\$.+){2}", password):
        return password
    import subprocess

    # PVE uses crypt(3) with $5$; the password goes through stdin, never argv
    result = subprocess.run(
        ["openssl", "passwd", "-5", "-stdin"], input=password.encode(), capture_output=True, check=False
    )
    if result.returncode:
        raise ApiError(f"can't hash the password: {result.stderr.decode().strip()}")
    return result.stdout.decode().strip()


def digest_of(text: str) -> str:
    """SHA-1 of a configuration's text."""
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
