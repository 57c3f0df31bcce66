# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""API tokens: their names, and their secrets in priv/token.cfg."""

from __future__ import annotations

import re
import uuid

from practice_pve.rest.errors import ApiError

from . import files

SECRETS = "priv/token.cfg"
NAME = r"[A-Za-z][A-Za-z0-9.\-_]+"
TOKEN_ID = re.compile(rf"([^\s:/]+@{NAME})!({NAME})")


def split_token_id(token_id: str) -> tuple[str, str]:
    """Return user@realm and the token's name."""
    found = TOKEN_ID.fullmatch(token_id)
    if not found:
        raise ApiError(f"'{token_id}' is not a valid token ID - not able to split into user and token parts\n")
    return found[1], found[2]


def is_token_id(text: str) -> bool:
    """True for user@realm!name."""
    return TOKEN_ID.fullmatch(text) is not None


def read_secrets() -> dict[str, str]:
    """Return the secret of every token."""
    lines = (files.read_text(SECRETS) or "").splitlines()
    pairs = [line.split(" ") for line in lines if line.count(" ") == 1]
    return {token_id: secret for token_id, secret in pairs if is_token_id(token_id)}


def write_secrets(secrets: dict[str, str]) -> None:
    """Replace the file."""
    files.write_text(SECRETS, "".join(f"{token_id} {secrets[token_id]}\n" for token_id in sorted(secrets)))


def generate_secret(token_id: str) -> str:
    """Give a token a new secret and return it."""
    with files.locked(SECRETS):
        secrets = read_secrets()
        secrets[token_id] = str(uuid.uuid4())
        write_secrets(secrets)
        return secrets[token_id]


def delete_secret(token_id: str) -> None:
    """Forget a token's secret."""
    with files.locked(SECRETS):
        secrets = read_secrets()
        secrets.pop(token_id, None)
        write_secrets(secrets)
