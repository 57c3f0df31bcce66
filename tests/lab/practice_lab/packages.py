# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Debian packages with all that they need, unpacked beside a root that has the rest; no script of theirs is run."""

from __future__ import annotations

import platform
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from .completed import must_run
from .recipe import SUITE
from .root import KEYRING, host_mirror

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def unpack(root: Path, packages: Iterable[str], target: Path) -> None:
    """Unpack packages of the root's own Debian release, and what they depend on and the root lacks."""
    target.mkdir(mode=0o755, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="practice-packages-") as directory:
        for archive in download(root, packages, Path(directory)):
            must_run(["dpkg-deb", "--extract", str(archive), str(target)])


def download(root: Path, packages: Iterable[str], directory: Path) -> list[Path]:
    """The packages' files, complete with dependencies."""
    apt = _private_apt(root, directory)
    must_run([*apt, "update"], timeout=300)
    must_run([*apt, "install", "--yes", "--no-install-recommends", "--download-only", *packages], timeout=900)
    return sorted((directory / "archives").glob("*.deb"))


def _private_apt(root: Path, directory: Path) -> Sequence[str]:
    """apt-get that knows one source, takes the root's packages as installed and touches nothing outside the directory."""
    for name in ("etc", "lists/partial", "archives/partial", "state"):
        (directory / name).mkdir(parents=True)
    source = directory / "sources.list"
    source.write_text(f"deb [signed-by={KEYRING}] {host_mirror()} {SUITE} main\n")
    options = {
        "APT::Architecture": _ARCHITECTURES[platform.machine()],
        "APT::Sandbox::User": "root",
        "Debug::NoLocking": "1",
        "Dir::Cache": directory,
        "Dir::Cache::archives": directory / "archives",
        "Dir::Etc": directory / "etc",
        "Dir::Etc::SourceList": source,
        "Dir::Etc::SourceParts": "-",
        "Dir::State": directory / "state",
        "Dir::State::Lists": directory / "lists",
        "Dir::State::status": root / "var/lib/dpkg/status",
    }
    return ["apt-get", "--quiet=2", *(f"--option={key}={value}" for key, value in options.items())]
