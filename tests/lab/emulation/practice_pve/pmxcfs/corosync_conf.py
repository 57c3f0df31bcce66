# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries the cluster's corosync.conf over to the file that corosync itself reads."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time

from practice_pve.pmxcfs.log import log
from practice_pve.pmxcfs.paths import HOST_COROSYNC_CONF
from practice_pve.pmxcfs.tree import Tree

_VERSION = re.compile(rb"config_version\s*:\s*(\d+)")


def config_version(content: bytes) -> int:
    """0 when there is none."""
    match = _VERSION.search(content)
    return int(match[1]) if match else 0


def _read_host_file() -> bytes | None:
    try:
        with open(HOST_COROSYNC_CONF, "rb") as stream:
            return stream.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        log.critical("main", f"unable to read cluster config file '{HOST_COROSYNC_CONF}' - {error.strerror}")
        return None


def _write_host_file(content: bytes) -> bool:
    try:
        descriptor, temporary = tempfile.mkstemp(
            prefix=f"{os.path.basename(HOST_COROSYNC_CONF)}.", dir=os.path.dirname(HOST_COROSYNC_CONF)
        )
    except OSError as error:
        log.critical("main", f"Failed to create file '{HOST_COROSYNC_CONF}.XXXXXX': {error.strerror}")
        return False
    with open(descriptor, "wb") as stream:
        os.fchmod(descriptor, 0o644)
        stream.write(content)
    os.rename(temporary, HOST_COROSYNC_CONF)
    return True


def synchronise_corosync_conf(tree: Tree, reload_corosync: bool) -> None:
    content = tree.read("corosync.conf")
    if not content:
        return
    new_version = config_version(content)
    if not new_version:
        log.critical("dcdb", "unable to parse cluster config_version")
        return
    old_content = _read_host_file()
    old_version = config_version(old_content or b"")
    if content == old_content:
        return
    if new_version < old_version:
        log.critical("dcdb", "local corosync.conf is newer")
        return
    if not _write_host_file(content):
        return
    log.notice("dcdb", f"wrote new corosync config '{HOST_COROSYNC_CONF}' (version = {new_version})")
    if reload_corosync and old_version:
        # The other members write their file meanwhile; corosync reloads on all of them at once.
        time.sleep(1)
        result = subprocess.run(
            ["corosync-cfgtool", "-R"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False
        )
        if result.returncode != 0:
            log.critical("dcdb", f"corosync-cfgtool -R failed with exit code {result.returncode}\n")
