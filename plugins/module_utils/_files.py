# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading and replacing small text files on a node, /etc/pve with its manners included.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import os
import tempfile

CLUSTER_FILES = "/etc/pve"


def read_text(path: str) -> str | None:
    """The text of a file, or None if there is no such file. Any other trouble is an OSError: unknown is not absent."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None


def replace_text(path: str, text: str, mode: int = 0o600) -> None:
    """Put C(text) into the file at one stroke; a symbolic link stays one, its target is replaced.

    /etc/pve sets owner and mode of its files itself and refuses to have them changed, so there the mode is left alone.
    """
    target = os.path.realpath(path)
    directory = os.path.dirname(target)
    if target.startswith(CLUSTER_FILES + "/"):
        # As Proxmox's own programs do: a temporary file beside it, and a rename.
        temporary = f"{target}.tmp.{os.getpid()}"
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    else:
        handle, temporary = tempfile.mkstemp(dir=directory, prefix=f".{os.path.basename(target)}.")
        os.fchmod(handle, mode)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
            file.flush()
            if not target.startswith(CLUSTER_FILES + "/"):
                os.fsync(file.fileno())
        os.replace(temporary, target)
    except OSError:
        os.unlink(temporary)
        raise


def replace_link(path: str, target: str) -> None:
    """Make C(path) a symbolic link to C(target) at one stroke, whatever file stood there."""
    temporary = f"{path}.new.{os.getpid()}"
    os.symlink(target, temporary)
    try:
        os.replace(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise
