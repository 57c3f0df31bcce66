# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file in which the controller's ssh keeps host keys.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import fcntl
import os
import tempfile

from ansible_collections.baremetal.proxmox.plugins.module_utils._files import read_text
from ansible_collections.baremetal.proxmox.plugins.module_utils._ssh.keys import HostKeys, pin_hosts


class NotAFile(Exception):
    """ssh was told to forget every host key."""


def pin_in_file(path: str, host: HostKeys) -> bool:
    """Know the host by these keys from now on; the result says whether the file had to be changed."""
    target = os.path.realpath(path)
    # People who were tired of ssh's questions have UserKnownHostsFile=/dev/null in their settings: root could replace the device.
    if path == "none" or (os.path.exists(target) and not os.path.isfile(target)):
        raise NotAFile(
            f"{path} cannot keep a host key, so that nobody notices another host under the same address. Take "
            f"UserKnownHostsFile={path} out of ansible_ssh_common_args, ANSIBLE_SSH_ARGS, ansible.cfg or ~/.ssh/config, or name "
            "a file there."
        )
    directory = os.path.dirname(target)
    os.makedirs(directory, mode=0o700, exist_ok=True)
    # Several hosts are looked at in parallel, each by a process of its own: the directory itself is the lock.
    lock = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = read_text(target) or ""
        after = pin_hosts(before, [host])
        if after != before:
            _replace(target, after)
        return after != before
    finally:
        os.close(lock)


def _replace(target: str, text: str) -> None:
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(target), prefix=".known_hosts.")
    with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
    os.replace(temporary, target)
