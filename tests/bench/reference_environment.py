# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The other collection, as users install it: the package `ansible` with community.proxmox in it, and proxmoxer.

It lives in an environment of its own outside the checkout, which is made at its first use (half a gigabyte).
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PACKAGES = ("ansible", "proxmoxer", "requests")


def reference_binaries() -> Path:
    """The environment's programs, installed when they are not there yet."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    environment = cache / "proxmox-bench" / "venv"
    binaries = environment / "bin"
    stamp = environment / ".complete"
    if not stamp.exists():
        print(f"installing {', '.join(PACKAGES)} into {environment}", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", environment], check=True)
        pip = [binaries / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, *PACKAGES], check=True)
        stamp.touch()
    return binaries
