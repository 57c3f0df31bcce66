# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts to and from a guest's agent as Perl handles them there: one character stands for one byte."""

from __future__ import annotations

from practice_pve.rest.errors import ApiError


def from_text(text: str) -> bytes:
    """The bytes of a text; a character beyond Latin 1 is nothing that Perl could send."""
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError as error:
        raise ApiError("Wide character in subroutine entry") from error


def to_text(content: bytes) -> str:
    """Bytes as the text that PVE answers: an umlaut in UTF-8 becomes two characters."""
    return content.decode("latin-1")
