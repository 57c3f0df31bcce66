# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the documentation as pages: all plugins and roles by antsibull-docs, and the guides beside them, without a warning.

Works in a copy of the checkout, and needs the network only for the first making of its virtual environment.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from copy_tree import copy

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = ROOT / ".venv" / "docs"
REQUIREMENTS = ROOT / "tests" / "requirements" / "docs.txt"


def make_environment() -> Path:
    """The directory of its programs. Made once, and anew when the requirements change."""
    stamp = ENVIRONMENT / ".stamp"
    wanted = REQUIREMENTS.read_text(encoding="utf-8")
    binaries = ENVIRONMENT / "bin"
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != wanted:
        venv.create(ENVIRONMENT, with_pip=True, clear=True)
        run([str(binaries / "pip"), "install", "--quiet", "--requirement", str(REQUIREMENTS)], {})
        stamp.write_text(wanted, encoding="utf-8")
    return binaries


def run(command: list[str], environment: dict[str, str]) -> None:
    subprocess.run(command, check=True, env={**os.environ, **environment}, stdin=subprocess.DEVNULL)


def build(place: Path, binaries: Path) -> Path:
    """C(place) is made anew. Returns the first page."""
    shutil.rmtree(place, ignore_errors=True)
    source = place / "source"
    source.mkdir(parents=True)
    # antsibull-docs writes nowhere that others could write as well.
    source.chmod(0o755)
    copy(place / "collections/ansible_collections/baremetal/proxmox")
    environment = {
        "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
        "ANSIBLE_COLLECTIONS_PATH": str(place / "collections"),
    }
    options = ["--use-current", "--squash-hierarchy", "--no-indexes", "--fail-on-error", "--dest-dir", str(source)]
    run(["antsibull-docs", "collection", *options, "baremetal.proxmox"], environment)
    # Its index of a single collection gives way to ours.
    (source / "index.rst").unlink(missing_ok=True)
    for name in ("guides", "fr", "images"):
        shutil.copytree(ROOT / "docs" / name, source / name)
    for file in (ROOT / "docs/docsite").iterdir():
        shutil.copy(file, source / file.name)
    pages = place / "html"
    run(["sphinx-build", "-q", "-W", "--keep-going", "-b", "html", str(source), str(pages)], environment)
    return pages / "index.html"


if __name__ == "__main__":
    print(f"The documentation: {build(Path(sys.argv[1]), make_environment())}")
