# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read what a Linux host has; needs no privileges.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import fcntl
import os
import re
from pathlib import Path

from .capacity import Host

_KVM_GET_API_VERSION = 0xAE00
_KVM_API = 12


def look_at_host(directory: str, root: str = "/") -> Host:
    """C(directory) is where the disks will lie; it need not exist yet. C(root) is for tests."""
    has_kvm, reason = _try_kvm(os.path.join(root, "dev/kvm"))
    return Host(
        free_memory=_free_memory(Path(root, "proc/meminfo").read_text(encoding="ascii")),
        cores=len(os.sched_getaffinity(0)),
        free_disk=_free_disk(directory),
        has_kvm=has_kvm,
        kvm_reason=reason,
        bridges=frozenset(path.parent.name for path in Path(root, "sys/class/net").glob("*/bridge")),
        running=frozenset(path.stem for path in Path(root, "run/qemu-nodes").glob("*.qmp")),
        provided=frozenset(path.stem for path in Path(directory).glob("*.qcow2")),
    )


def _free_memory(text: str) -> int:
    # MemAvailable counts what the kernel would give back, which MemFree does not.
    found = re.search(r"^MemAvailable:\s+(\d+) kB", text, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def _free_disk(directory: str) -> int:
    place = Path(directory)
    while not place.is_dir():
        place = place.parent
    found = os.statvfs(place)
    return found.f_bavail * found.f_frsize


def _try_kvm(path: str) -> tuple[bool, str]:
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except PermissionError:
        # A user who may not open it says nothing about root, who will.
        return True, ""
    except OSError as error:
        return False, f"{path}: {error.strerror}"
    try:
        version = fcntl.ioctl(handle, _KVM_GET_API_VERSION, 0)
    except OSError as error:
        return False, f"{path} does not answer: {error.strerror}"
    finally:
        os.close(handle)
    return version == _KVM_API, f"{path} speaks version {version}"
