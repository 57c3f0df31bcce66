# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copy the collection as users and ansible-test need it: a real tree, without what belongs to the checkout alone."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The practice nodes and the gate are no part of the collection; ruff and mypy look after them.
LEFT_BEHIND = (
    ".ci/",
    "tests/conformance/",
    "tests/dist/",
    "tests/integration/",
    "tests/lab/",
    "tests/practice/",
    "tests/requirements/",
    "tests/tools/",
    "tests/bench/",
)


def files() -> list[str]:
    """Tracked files and new ones, not what git ignores, not what has been deleted."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    names = [name for name in listing.stdout.split("\0") if name and not name.startswith(LEFT_BEHIND)]
    return [name for name in names if (ROOT / name).is_file()]


def copy(destination: Path) -> None:
    shutil.rmtree(destination, ignore_errors=True)
    for name in files():
        target = destination / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target, follow_symlinks=False)
    # Without a repository of its own, ansible-test asks ours, finds build/ ignored and skips everything.
    subprocess.run(["git", "init", "--quiet", destination], check=True)


if __name__ == "__main__":
    copy(Path(sys.argv[1]).resolve())
