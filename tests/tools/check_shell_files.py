# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run shellcheck over the shell files that git knows, whatever they are called."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SHEBANG = re.compile(rb"#! ?/(usr/)?bin/(env )?(ba|da)?sh\b")


def is_shell(path: Path) -> bool:
    if path.is_symlink() or not path.is_file():
        return False
    with open(path, "rb") as file:
        return SHEBANG.match(file.readline(100)) is not None


def shell_files() -> list[Path]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"]
    listing = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return [ROOT / name for name in listing.stdout.split("\0") if name and is_shell(ROOT / name)]


def main() -> int:
    files = shell_files()
    if not files:
        print("no shell files, which cannot be right")
        return 1
    shellcheck = Path(sys.executable).parent / "shellcheck"
    return subprocess.run([shellcheck, "--external-sources", *files], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
