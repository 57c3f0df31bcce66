# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Passwords: root@pam against the node's /etc/shadow, the pve realm against priv/shadow.cfg."""

from __future__ import annotations

import ctypes
import ctypes.util
import hmac
import os
import secrets
import time
from pathlib import Path

from practice_pve.rest.errors import ApiError

from . import domains, files
from .user_config import check_user_enabled, load, verify_username

SYSTEM_SHADOW = Path(os.environ.get("PRACTICE_SHADOW_FILE", "/etc/shadow"))
REALM_SHADOW = "priv/shadow.cfg"
SALT_CHARACTERS = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def crypt(password: str, setting: str) -> str:
    """Return crypt(3) of a password."""
    library = ctypes.CDLL(ctypes.util.find_library("crypt") or "libcrypt.so.1")
    library.crypt.restype = ctypes.c_char_p
    result = library.crypt(password.encode(), setting.encode())
    return result.decode() if result else "*"


def matches(password: str, stored: str) -> bool:
    """True when the password has this hash; locked accounts have none."""
    return stored.startswith("$") and hmac.compare_digest(crypt(password, stored), stored)


def authenticate(userid: str, password: str) -> None:
    """Raise unless the password is right; why it is wrong is only for the log."""
    name, user, realm = verify_username(userid)
    check_user_enabled(load(), name)
    kind = domains.realm_type(realm)
    if kind is None:
        raise ApiError(f"auth domain '{realm}' does not exist\n")
    if kind == "pam":
        stored = read_shadow(SYSTEM_SHADOW.read_text(encoding="utf-8")).get(user)
        if stored is None or not matches(password, stored):
            raise ApiError("Authentication failure\n")
    elif kind == "pve":
        if not password:
            raise ApiError("no password\n")
        stored = read_shadow(files.read_text(REALM_SHADOW) or "").get(user)
        if stored is None:
            raise ApiError("no password set\n")
        if not matches(password, stored):
            raise ApiError("invalid credentials\n")
    else:
        raise ApiError(f"practice node: not emulated: realm type {kind}\n")


def read_shadow(text: str) -> dict[str, str]:
    """Return name -> hash of a colon separated file."""
    return {line.split(":")[0]: line.split(":")[1] for line in text.splitlines() if ":" in line}


def store(userid: str, password: str) -> None:
    """Set a password in the user's realm."""
    _name, user, realm = verify_username(userid)
    kind = domains.realm_type(realm)
    if kind is None:
        raise ApiError(f"auth domain '{realm}' does not exist\n")
    salt = "".join(secrets.choice(SALT_CHARACTERS) for _ in range(8))
    if kind == "pve":
        with files.locked(REALM_SHADOW):
            entries = read_shadow(files.read_text(REALM_SHADOW) or "")
            entries[user] = crypt(password, f"$5${salt}$")
            write_realm_shadow(entries)
    elif kind == "pam":
        replace_system_password(user, crypt(password, f"$6${salt}$"))
    else:
        raise ApiError("can't set password on auth type '" + kind + "'\n")


def delete(userid: str) -> None:
    """Forget a password of the pve realm."""
    _name, user, realm = verify_username(userid)
    if domains.realm_type(realm) == "pve":
        with files.locked(REALM_SHADOW):
            entries = read_shadow(files.read_text(REALM_SHADOW) or "")
            entries.pop(user, None)
            write_realm_shadow(entries)


def write_realm_shadow(entries: dict[str, str]) -> None:
    """Replace priv/shadow.cfg."""
    files.write_text(REALM_SHADOW, "".join(f"{name}:{stored}:\n" for name, stored in entries.items()))


def replace_system_password(user: str, stored: str) -> None:
    """Put a hash into /etc/shadow, as passwd would."""
    lines = SYSTEM_SHADOW.read_text(encoding="utf-8").splitlines()
    if not any(line.startswith(f"{user}:") for line in lines):
        raise ApiError("change password failed: user does not exist\n")
    changed = []
    for line in lines:
        fields = line.split(":")
        if fields[0] == user:
            fields[1], fields[2] = stored, str(int(time.time() // 86400))
        changed.append(":".join(fields) + "\n")
    temporary = SYSTEM_SHADOW.with_name("shadow.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o640)
    with open(descriptor, "w", encoding="utf-8") as stream:
        stream.writelines(changed)
    status = SYSTEM_SHADOW.stat()
    os.chown(temporary, status.st_uid, status.st_gid)
    temporary.replace(SYSTEM_SHADOW)
