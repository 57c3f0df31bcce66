# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the tests on practice nodes; files that failed get a second try on fresh nodes when the others are through.

Races between nodes are real, and a machine with more nodes than processors meets more of them than real nodes do. A second try
keeps one of them from hiding what the rest of a long run says, and is always told: what needs it now and then is still to be mended.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

TESTS_FAILED = 1  # pytest's exit code; others mean that it could not do its work
MOST_FILES = 3  # more than these is no accident


def run_pytest(results: Path, workers: int, arguments: Sequence[str]) -> int:
    # Each file has a lab of its own and stays with one worker; the conftest.py beside the tests says which files start first.
    # Verbose: a long run tells each result when it is there.
    command = [sys.executable, "-m", "pytest", "--verbose", f"--junitxml={results}", f"--numprocesses={workers}"]
    return subprocess.run([*command, "--dist=loadfile", "--no-loadscope-reorder", *arguments], check=False).returncode


def file_of(case: ElementTree.Element) -> str:
    return case.get("classname", "").replace(".", "/") + ".py"


def has_failed(case: ElementTree.Element) -> bool:
    return case.find("failure") is not None or case.find("error") is not None


def failed_cases(results: Path) -> list[ElementTree.Element]:
    return [case for case in ElementTree.parse(results).iter("testcase") if has_failed(case)]


def replace_cases(results: Path, second: Path, files: Sequence[str]) -> None:
    """Let the cases of the second try stand for those of the same files."""
    tree = ElementTree.parse(results)
    suite = next(tree.iter("testsuite"))
    for case in [case for case in suite.iter("testcase") if file_of(case) in files]:
        suite.remove(case)
    suite.extend(ElementTree.parse(second).iter("testcase"))
    tree.write(results, encoding="utf-8", xml_declaration=True)


def run_twice_where_needed(results: Path, workers: int, arguments: Sequence[str]) -> int:
    code = run_pytest(results, workers, arguments)
    if code != TESTS_FAILED:
        return code
    failed = failed_cases(results)
    files = sorted({file_of(case) for case in failed})
    if not files or len(files) > MOST_FILES or not all(Path(file).is_file() for file in files):
        return code
    for case in failed:
        print(f"second try: {file_of(case)}::{case.get('name')}", flush=True)
    second = results.with_suffix(".second.xml")
    code = run_pytest(second, workers, files)
    if second.is_file():
        replace_cases(results, second, files)
    return code


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True, help="where the JUnit file goes")
    parser.add_argument("--workers", type=int, required=True, help="how many files run at a time")
    options, arguments = parser.parse_known_args()
    return run_twice_where_needed(options.results, options.workers, arguments)


if __name__ == "__main__":
    sys.exit(main())
