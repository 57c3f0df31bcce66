# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Proxmox's installer leaves in /etc/pve, written once in the life of an installation."""

from __future__ import annotations

import os

from practice_pve import settings
from practice_pve.cluster import locations
from practice_pve.cluster.local_files import write_file

DONE = "/var/lib/practice-node/installed"
INSTALLED_FILES = {
    "datacenter.cfg": "keyboard: {keyboard}\n",
    # Two colons at the end, not three: the installer writes it so, PVE itself does not.
    "user.cfg": "user:root@pam:1:0:::{mail}::\n",
    "storage.cfg": "dir: local\n\tpath /var/lib/vz\n\tcontent images,iso,vztmpl,snippets,backup,rootdir,import\n\n",
}


def main() -> int:
    values = {"keyboard": settings.get("keyboard", "en-us"), "mail": settings.get("mail", "root@localhost")}
    for name, text in INSTALLED_FILES.items():
        path = f"{locations.PMXCFS}/{name}"
        if not os.path.exists(path):
            write_file(path, text.format(**values), 0o640)
    os.makedirs(os.path.dirname(DONE), exist_ok=True)
    with open(DONE, "w", encoding="ascii"):
        return 0
