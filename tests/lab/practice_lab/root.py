# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cached root file system: built once per recipe, shared read-only by all nodes of all labs."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from . import recipe
from .cached import build_once, forget_older
from .completed import run_program
from .errors import LabError
from .places import cache_directory

CACHE_KEY = re.compile(r"[0-9a-f]{16}")
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def cache_key() -> str:
    digest = hashlib.sha256(platform.machine().encode())
    digest.update(Path(recipe.__file__).read_bytes())
    return digest.hexdigest()[:16]


def root_path() -> Path:
    return cache_directory() / cache_key()


def ensure_root() -> Path:
    """Return the finished root, building it first when the cache has none for the present recipe."""
    finished = root_path()
    if finished.is_dir():
        return finished

    def build(target: Path) -> None:
        bootstrap(target, recipe.PACKAGES)
        recipe.customise(target)

    build_once(finished, "the practice nodes' root", build)
    forget_older(finished, CACHE_KEY)
    return finished


def bootstrap(target: Path, names: Sequence[str]) -> None:
    """Make a small Debian with these packages."""
    mirror = host_mirror()
    packages = ",".join(names)
    if shutil.which("mmdebstrap"):
        argv = ["mmdebstrap", "--quiet", "--mode=root", "--format=directory", "--variant=minbase"]
        argv += ["--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/doc/*"]
        argv += [
            "--dpkgopt=path-exclude=/usr/share/locale/*",
            f"--include={packages}",
            recipe.SUITE,
            str(target),
            mirror,
        ]
    elif shutil.which("debootstrap"):
        argv = ["debootstrap", "--variant=minbase", f"--include={packages}", recipe.SUITE, str(target), mirror]
    else:
        raise LabError("neither mmdebstrap nor debootstrap is installed: apt-get install mmdebstrap")
    if not KEYRING.exists():
        raise LabError(f"{KEYRING} is missing: apt-get install debian-archive-keyring")
    target.mkdir(mode=0o755)
    done = run_program(argv, timeout=1800)
    if done.rc != 0:
        shutil.rmtree(target, ignore_errors=True)
        last = "\n".join((done.stderr + done.stdout).strip().splitlines()[-15:])
        raise LabError(f"building the root failed ({argv[0]}, exit code {done.rc}):\n{last}")


def host_mirror() -> str:
    """The Debian mirror that this machine itself uses (a closed network often has only that one), or the one in PRACTICE_MIRROR."""
    sources = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    for source in sources:
        if source.suffix not in (".list", ".sources") or not source.is_file():
            continue
        for line in source.read_text(errors="replace").splitlines():
            if not re.match(r"(deb\s|URIs:)", line):
                continue
            found = re.search(r"(?:https?|file|copy):\S*/debian/?(?=\s|$)", line)
            if found:
                return found.group()
    mirror = os.environ.get("PRACTICE_MIRROR", "")
    if not mirror:
        raise LabError("no Debian mirror in /etc/apt/sources.list*: name one, PRACTICE_MIRROR=http://.../debian")
    return mirror
