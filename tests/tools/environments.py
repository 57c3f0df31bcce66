# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Choose the Pythons and the ansible-core versions that the gate runs on, and make a virtual environment for each.

Two environments bracket what the collection supports: `newest` (the newest ansible-core that the newest Python here can
run; all linters live there) and `oldest` (ansible-core 2.19 on the oldest Python that it and we support). A machine with
one Python that allows only one combination has only `newest`.

Runs on any Python 3.11 with the standard library alone, because it comes before every installation.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HOME = ROOT / ".venv"
REQUIREMENTS = ROOT / "tests" / "requirements"
SUPPORTED = ((3, 11), (3, 12), (3, 13), (3, 14))
OLDEST_CORE = "2.19"
# ansible-core 2.19 runs on these; 2.20 and later need at least 3.12.
OLDEST_CORE_PYTHONS = ((3, 11), (3, 12), (3, 13))
HOME_OF_VENV = re.compile(r"^home\s*=\s*(\S.*?)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Python:
    path: Path
    version: tuple[int, int]

    @property
    def text(self) -> str:
        return "{}.{}".format(*self.version)


@dataclass(frozen=True)
class Environment:
    name: str
    python: Python
    core: str  # a requirement for pip
    requirements: tuple[str, ...]

    @property
    def directory(self) -> Path:
        return HOME / self.name

    @property
    def bin(self) -> Path:
        return self.directory / "bin"


def candidate_directories() -> list[Path]:
    """Where Pythons may be: those that environments were made of, PATH, and what pyenv keeps away from PATH behind its shims.

    The first keep a run with another PATH or another home from wanting other environments.
    """
    used = [Path(match[1]) for file in sorted(HOME.glob("*/pyvenv.cfg")) if (match := HOME_OF_VENV.search(read(file)))]
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser()
    on_path = [Path(entry) for entry in os.environ.get("PATH", "").split(os.pathsep) if entry]
    return [*used, *on_path, *sorted(pyenv.glob("versions/3.*/bin"), reverse=True)]


def read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:  # another process replaces the environment right now
        return ""


def probe(path: Path) -> Python | None:
    """Ask a Python who it is; None when it does not run, cannot make virtual environments, or is one itself."""
    question = (
        "import ensurepip, sys, venv; print(*sys.version_info[:2], sys.prefix == sys.base_prefix, sys.executable)"
    )
    try:
        answer = subprocess.run(
            [path, "-c", question], capture_output=True, text=True, timeout=30, check=True, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.SubprocessError):
        return None  # A pyenv shim of a version that is not selected ends here, and Debian's without python3-venv.
    major, minor, is_base, executable = answer.stdout.strip().split(" ", 3)
    return Python(Path(executable), (int(major), int(minor))) if is_base == "True" else None


def find_pythons(directories: Iterable[Path]) -> dict[tuple[int, int], Python]:
    """The first Python of each supported version that really runs."""
    found: dict[tuple[int, int], Python] = {}
    tried: set[Path] = set()
    names = [*(f"python{major}.{minor}" for major, minor in SUPPORTED), "python3"]
    for directory in directories:
        for name in names:
            path = directory / name
            if path in tried or not os.access(path, os.X_OK):
                continue
            tried.add(path)
            if name != "python3" and tuple(map(int, name.removeprefix("python").split("."))) in found:
                continue
            python = probe(path)
            if python and python.version in SUPPORTED:
                found.setdefault(python.version, python)
    return found


def choose(pythons: dict[tuple[int, int], Python]) -> list[Environment]:
    if not pythons:
        wanted = ", ".join(f"{major}.{minor}" for major, minor in SUPPORTED)
        raise SystemExit(
            f"No usable Python here: one of {wanted} with venv and ensurepip is needed (try: make setup, as root)."
        )
    newest = pythons[max(pythons)]
    environments = [Environment("newest", newest, "ansible-core", ("test.txt", "lint.txt"))]
    oldest_versions = [version for version in pythons if version in OLDEST_CORE_PYTHONS]
    # The newest ansible-core that Python 3.11 can run is 2.19 itself: one environment is then both.
    if newest.version > (3, 11) and oldest_versions:
        oldest = pythons[min(oldest_versions)]
        environments.append(Environment("oldest", oldest, f"ansible-core~={OLDEST_CORE}.0", ("test.txt",)))
    return environments


def fingerprint(environment: Environment) -> str:
    """Changes when the environment has to be made anew."""
    content = [str(environment.directory), str(environment.python.path), environment.python.text, environment.core]
    content += [(REQUIREMENTS / name).read_text(encoding="utf-8") for name in environment.requirements]
    return hashlib.sha256("\n".join(content).encode()).hexdigest()


def is_ready(environment: Environment) -> bool:
    stamp = environment.directory / ".stamp"
    return (
        stamp.is_file()
        and stamp.read_text(encoding="utf-8").strip() == fingerprint(environment)
        and (environment.bin / "python").exists()
    )


def make(environment: Environment) -> None:
    """Make one virtual environment unless it is as it should be. Several processes may ask at once."""
    HOME.mkdir(exist_ok=True)
    with open(HOME / f"{environment.name}.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_ready(environment):
            return
        sys.stdout.write(f"making .venv/{environment.name}: {environment.core} on Python {environment.python.text}\n")
        sys.stdout.flush()
        # A virtual environment cannot be moved after it was made, so the old one steps aside and comes back after a failure.
        aside = HOME / f"{environment.name}.before"
        if aside.exists():  # a run was killed while it made the new one
            shutil.rmtree(environment.directory, ignore_errors=True)
        elif environment.directory.exists():
            environment.directory.rename(aside)
        try:
            install(environment, HOME / f"{environment.name}.log")
        except BaseException:
            shutil.rmtree(environment.directory, ignore_errors=True)
            if aside.exists():
                aside.rename(environment.directory)
            raise
        (environment.directory / ".stamp").write_text(fingerprint(environment) + "\n", encoding="utf-8")
        shutil.rmtree(aside, ignore_errors=True)


def install(environment: Environment, log: Path) -> None:
    pip: list[str | Path] = [
        environment.bin / "python",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]
    pip.append(environment.core)
    for name in environment.requirements:
        pip += ["--requirement", REQUIREMENTS / name]
    venv: list[str | Path] = [environment.python.path, "-m", "venv", environment.directory]
    with open(log, "w", encoding="utf-8") as output:
        for command in (venv, pip):
            ended = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, check=False
            )
            if ended.returncode:
                text = log.read_text(encoding="utf-8", errors="replace")
                raise SystemExit(f"{text[-4000:]}\nCannot make .venv/{environment.name}, see the lines above ({log}).")


def installed_core(environment: Environment) -> str:
    """The version of ansible-core in an environment, read from its metadata without starting it."""
    for metadata in environment.directory.glob("lib/python*/site-packages/ansible_core-*.dist-info"):
        match = re.fullmatch(r"ansible_core-(.+)\.dist-info", metadata.name)
        if match:
            return match[1]
    return "?"


def describe(environment: Environment) -> str:
    core = installed_core(environment)
    return f"{environment.name}: ansible-core {core} on Python {environment.python.text} ({environment.python.path})"


def environments() -> list[Environment]:
    return choose(find_pythons(candidate_directories()))


def make_all(wanted: list[Environment]) -> None:
    with ThreadPoolExecutor(max_workers=2) as pool:
        for _done in pool.map(make, wanted):
            pass


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quiet", action="store_true", help="say nothing when everything is there")
    arguments = parser.parse_args(argv)
    wanted = environments()
    make_all(wanted)
    if not arguments.quiet:
        for environment in wanted:
            print(describe(environment))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
