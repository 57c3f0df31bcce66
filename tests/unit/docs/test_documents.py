# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documentation held against the checkout: its links, its commands, its examples, its lists."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
BIN = Path(sys.executable).parent
OURS = "baremetal.proxmox."
DOCUMENTS = sorted(
    path.relative_to(ROOT)
    for pattern in ("*.md", "docs/**/*.md", "tests/**/*.md", "roles/*/*.md")
    for path in ROOT.glob(pattern)
)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Where a newcomer is told what to type.
FIRST_READ = ("README.md", "docs/fr/demarrage-rapide.md")
# What proves each command of theirs: a file, and what it says. Whatever is not here has to be cheap enough to be run below.
PROVEN = {
    "make rehearse": ("tests/integration/test_rehearsal.py", '"rehearse"'),
    "make rehearse-down": ("tests/integration/test_rehearsal.py", "make rehearse-down"),
    "make doctor": ("tests/integration/test_newcomer.py", '"doctor"'),
    "make test-cluster": ("tests/integration/test_newcomer.py", '"test-cluster"'),
    "make preflight": ("tests/integration/test_newcomer.py", '"preflight"'),
    "make create-cluster": ("tests/integration/test_newcomer.py", '"create-cluster"'),
    "make cluster-health": ("tests/integration/test_newcomer.py", '"cluster-health"'),
    "make report": ("tests/integration/test_newcomer.py", '"report"'),
    "make create-vms": ("tests/integration/test_newcomer.py", '"create-vms"'),
    "make vm-status": ("tests/integration/test_newcomer.py", '"vm-status"'),
    "make dist": ("tests/dist/conftest.py", '"collection", "build"'),
    "ansible-galaxy": ("tests/dist/conftest.py", '"collection", "install"'),
    "ansible-playbook": ("tests/dist/test_tarball.py", "baremetal.proxmox.create_proxmox_cluster"),
}


def fences(document: Path | str, language: str) -> list[str]:
    return [text for kind, text in FENCE.findall((ROOT / document).read_text(encoding="utf-8")) if kind == language]


def commands() -> Iterator[str]:
    for document in FIRST_READ:
        for text in fences(document, "sh"):
            yield from (line.partition(" #")[0].strip() for line in text.splitlines() if line.strip())


@pytest.mark.parametrize("document", DOCUMENTS, ids=str)
def test_links_lead_somewhere(document: Path):
    targets = [link.partition("#")[0] for link in LINK.findall((ROOT / document).read_text(encoding="utf-8"))]
    files = [target for target in targets if target and "://" not in target]
    assert [target for target in files if not (ROOT / document.parent / target).exists()] == []


@pytest.mark.parametrize("command", sorted(set(commands())))
def test_every_command_of_the_first_pages_is_proven(command: str, tmp_path: Path):
    words = [word for word in shlex.split(command) if not re.match(r"[A-Z_]+=", word)]
    if words[0] == "cp":
        # The example has to be there, and git has to keep the copy to oneself.
        assert (ROOT / words[1]).is_file()
        assert subprocess.run(["git", "check-ignore", "-q", words[2]], cwd=ROOT, check=False).returncode == 0
        return
    file, text = PROVEN[" ".join(words[:2]) if words[0] == "make" else words[0]]
    assert text in (ROOT / file).read_text(encoding="utf-8")
    if words[0] == "make":
        dry = subprocess.run(["make", "-n", *words[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
        assert dry.returncode == 0, dry.stderr


def test_the_version_in_the_first_page_is_ours():
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))["version"]
    assert f"baremetal-proxmox-{version}.tar.gz" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_example_inventory_is_one(tmp_path: Path):
    example = ROOT / "inventory/proxmox-cluster.ini.example"
    (tmp_path / "cluster.ini").write_text(example.read_text(encoding="utf-8"), encoding="utf-8")
    listed = subprocess.run(
        [BIN / "ansible-inventory", "-i", tmp_path / "cluster.ini", "--list"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    told = json.loads(listed.stdout)
    assert set(told["_meta"]["hostvars"]) == {"pve1", "pve2", "pve3"}
    assert told["proxmox_cluster_primary"]["hosts"] == ["pve1"]


def test_the_first_page_names_every_module_and_playbook():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    modules = {path.stem for path in (ROOT / "plugins/modules").glob("*.py")}
    playbooks = {path.stem for path in (ROOT / "playbooks").glob("*.yml") if "-" not in path.stem}
    assert {name for name in modules | playbooks if f"`{name}`" not in text} == set()


def test_the_index_names_every_guide():
    text = (ROOT / "docs/guides/README.md").read_text(encoding="utf-8")
    guides = {path.name for path in (ROOT / "docs/guides").glob("*.md")} - {"README.md"}
    assert {name for name in guides if f"]({name})" not in text} == set()


@pytest.fixture(scope="module")
def options() -> dict[str, dict[str, Any]]:
    """The options of each module and role, aliases too."""
    names = [OURS + path.stem for path in (ROOT / "plugins/modules").glob("*.py")]
    told = subprocess.run(
        [BIN / "ansible-doc", "--json", "--type", "module", *names],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build/link")},
        cwd=ROOT,
    )
    return {name: entry["doc"].get("options", {}) for name, entry in json.loads(told.stdout).items()}


def tasks(found: Any) -> Iterator[dict[str, Any]]:
    """Every task in an example, also those in plays and blocks."""
    if isinstance(found, list):
        for entry in found:
            yield from tasks(entry)
    elif isinstance(found, dict):
        yield found
        for key in ("tasks", "pre_tasks", "post_tasks", "handlers", "block", "rescue", "always"):
            yield from tasks(found.get(key) or [])


def unknown_options(given: Any, known: dict[str, Any]) -> set[str]:
    """Names that a module does not know, in the options and in their suboptions."""
    names = {alias: name for name, option in known.items() for alias in [name, *option.get("aliases", [])]}
    if not isinstance(given, dict):
        return set()
    found = {str(name) for name in given if name not in names}
    for name, value in given.items():
        suboptions = known.get(names.get(name, ""), {}).get("suboptions")
        for entry in (value if isinstance(value, list) else [value]) if suboptions else []:
            found |= {f"{name}.{inner}" for inner in unknown_options(entry, suboptions)}
    return found


@pytest.mark.parametrize("document", [path for path in DOCUMENTS if fences(path, "yaml")], ids=str)
def test_examples_use_options_that_there_are(document: Path, options: dict[str, dict[str, Any]]):
    wrong = {}
    for text in fences(document, "yaml"):
        for task in tasks(yaml.safe_load(text)):
            for module in (name for name in task if str(name).startswith(OURS)):
                assert module in options, f"{document}: there is no {module}"
                unknown = unknown_options(task[module], options[module])
                if unknown:
                    wrong[task.get("name", module)] = unknown
    assert wrong == {}
