# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every tracked file has to keep to: the licence header, and that the project speaks of itself alone."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEADER = "SPDX-License-Identifier: GPL-3.0-or-later"
SHEBANG = re.compile(r"#! ?/\S*\b(bash|sh|python3?|perl)\b")
SOURCE_SUFFIXES = {".py", ".pm", ".pl", ".sh", ".bash"}

# Hosts that a text of the project may point at. Everything else is somebody's machine, or a mirror.
KNOWN_HOSTS = re.compile(
    r"(?:[\w-]+\.)*(?:example\.(?:com|net|org)|example|invalid|test|localhost"
    r"|ansible\.com|debian\.org|gnu\.org|proxmox\.com|python\.org|spdx\.org|w3\.org|json-schema\.org"
    r"|freedesktop\.org|kernel\.org|keepachangelog\.com|semver\.org|fsf\.org)"
)
URL = re.compile(r"\b(?:https?|ftp|git|ssh)://(?:[^\s/@\"'`<>]*@)?([A-Za-z0-9][A-Za-z0-9.-]*[A-Za-z0-9])")
# Put together here so that this file does not match itself.
WORKPLACE = re.compile(
    "|".join(
        [
            r"(?<![\w.])/wo" + r"rk/",
            r"/var/tm" + r"p/(?:board|pve-src|lt/|RULES)",
            r"/opt/(?:py" + r"pi|whe" + r"els)",
            r"/roo" + r"t/\.pyenv",
            r"\bCo-Authored" + r"-By\b",
            r"\b(?:Cla" + r"ude|Chat" + r"GPT|Anth" + r"ropic|Open" + r"AI|Copi" + r"lot|L" + r"LM)\b",
            r"\bA" + r"I[- ](?:agent|assistant|generated)\b",
        ]
    ),
    re.IGNORECASE,
)


@cache
def tracked() -> tuple[str, ...]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    return tuple(name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file())


def text_of(name: str) -> str | None:
    """The text of a tracked file; None for what is no text."""
    try:
        return (ROOT / name).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def lines_that_match(pattern: re.Pattern[str], names: list[str]) -> list[str]:
    found = []
    for name in names:
        for number, line in enumerate((text_of(name) or "").splitlines(), 1):
            match = pattern.search(line)
            if match:
                found.append(f"{name}:{number}: {match[0]}")
    return found


def is_source(name: str, text: str) -> bool:
    return Path(name).suffix in SOURCE_SUFFIXES or SHEBANG.match(text) is not None


@pytest.fixture(autouse=True, scope="module")
def _in_a_repository() -> None:
    # An unpacked copy has no list of tracked files, and nothing to keep to.
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")


def test_every_source_file_carries_the_licence():
    missing = []
    for name in tracked():
        text = text_of(name)
        if text and is_source(name, text) and HEADER not in text[:600]:
            missing.append(name)
    assert missing == []


def test_no_file_speaks_of_the_place_it_was_written_at():
    assert lines_that_match(WORKPLACE, list(tracked())) == []


def test_urls_point_at_public_documentation_or_examples():
    found = []
    for name in tracked():
        if name == "LICENSE":
            continue
        for number, line in enumerate((text_of(name) or "").splitlines(), 1):
            found += [
                f"{name}:{number}: {host}"
                for host in URL.findall(line)
                if "." in host and not re.fullmatch(r"[\d.]+", host) and not KNOWN_HOSTS.fullmatch(host)
            ]
    assert found == []


def test_no_private_key_is_kept():
    pattern = re.compile("-----BEGIN (?:[A-Z]+ )?PRIV" + "ATE KEY-----\n[A-Za-z0-9+/=\n]{100}")
    assert [name for name in tracked() if pattern.search(text_of(name) or "")] == []


@pytest.mark.parametrize(
    "line",
    [
        "see /wo" + "rk/shared",
        "index-url = file:///opt/py" + "pi/simple",
        "cp /var/tm" + "p/board/x .",
        "written by Cla" + "ude",
    ],
)
def test_the_guard_can_fail(line: str):
    assert WORKPLACE.search(line)


@pytest.mark.parametrize("line", ["/workspace/", "the guest agent", "/usr/lib/network/", "/var/tmp/vzdumptmp"])
def test_the_guard_lets_ordinary_words_pass(line: str):
    assert not WORKPLACE.search(line)


def test_a_mirror_is_no_known_host():
    assert not KNOWN_HOSTS.fullmatch("mirror.internal.corp")
    assert not KNOWN_HOSTS.fullmatch("notexample.com.evil.io")
    assert KNOWN_HOSTS.fullmatch("docs.ansible.com")
