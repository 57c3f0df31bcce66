# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Galaxy's importer asks of a collection, by its documented rules."""

from __future__ import annotations

import json
import os
import re
import tarfile
from pathlib import Path
from typing import Any

import pytest
import yaml

NAME = re.compile(r"^[a-z][a-z0-9_]+$")
MAX_BYTES = 20 * 1024 * 1024


@pytest.fixture(scope="module")
def contents(tarball: Path) -> dict[str, bytes]:
    with tarfile.open(tarball) as archive:
        members = [member for member in archive.getmembers() if member.isfile()]
        return {member.name: archive.extractfile(member).read() for member in members}  # type: ignore[union-attr]


@pytest.fixture(scope="module")
def manifest(contents: dict[str, bytes]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(contents["MANIFEST.json"])["collection_info"]
    return found


def test_the_manifest_says_what_it_has_to(manifest: dict[str, Any]):
    for key in ("namespace", "name", "version", "authors", "readme", "description", "repository", "license", "tags"):
        assert manifest[key], key
    assert NAME.match(manifest["namespace"]) and NAME.match(manifest["name"])
    assert re.fullmatch(r"\d+\.\d+\.\d+", manifest["version"])
    assert manifest["dependencies"] == {}
    assert len(manifest["tags"]) <= 20 and all(NAME.match(tag) for tag in manifest["tags"])
    assert manifest["license"] == ["GPL-3.0-or-later"] or manifest["license_file"]
    for key in ("repository", "documentation", "homepage", "issues"):
        assert manifest[key].startswith("https://") and len(manifest[key]) <= 2000
    assert len(manifest["description"]) <= 4096


def test_it_says_which_ansible_it_needs(contents: dict[str, bytes]):
    runtime = yaml.safe_load(contents["meta/runtime.yml"])
    assert runtime["requires_ansible"] == ">=2.19.0"
    grouped = runtime["action_groups"]["proxmox"]
    assert [name for name in grouped if f"plugins/modules/{name}.py" not in contents] == []


def test_there_is_a_changelog_and_a_readme(contents: dict[str, bytes]):
    assert contents["README.md"].strip() and contents["LICENSE"].strip()
    assert "changelogs/changelog.yaml" in contents or "CHANGELOG.md" in contents


def test_what_plugins_are_called_and_where_they_are(contents: dict[str, bytes]):
    kinds = (
        "action",
        "callback",
        "connection",
        "doc_fragments",
        "filter",
        "inventory",
        "lookup",
        "module_utils",
        "modules",
        "plugin_utils",
    )
    for name in contents:
        if name.startswith("plugins/") and name.endswith(".py"):
            _plugins, kind, *_path, file = name.split("/")
            assert kind in kinds, name
            assert NAME.match(file.removesuffix(".py").lstrip("_")), name


def test_roles_and_playbooks_are_called_as_can_be_called(contents: dict[str, bytes]):
    roles = {name.split("/")[1] for name in contents if name.startswith("roles/")}
    assert roles and all(NAME.match(role) for role in roles)
    # A playbook with a dash can be run by its path alone, so each has a twin that can be run by its name.
    playbooks = {Path(name).stem for name in contents if re.fullmatch(r"playbooks/[^/]+\.yml", name)}
    assert {name.replace("-", "_") for name in playbooks} <= playbooks


def test_every_role_has_its_interface(contents: dict[str, bytes]):
    roles = {name.split("/")[1] for name in contents if name.startswith("roles/")}
    assert {role for role in roles if f"roles/{role}/meta/argument_specs.yml" not in contents} == set()


def test_it_is_small_and_holds_nothing_that_was_built(contents: dict[str, bytes], tarball: Path):
    assert tarball.stat().st_size < MAX_BYTES
    assert [name for name in contents if name.endswith((".pyc", ".tar.gz", ".retry", "~", ".orig"))] == []
    # What is needed to see the pictures of the guides, and no other large file.
    large = {
        name: len(content) for name, content in contents.items() if len(content) > 100_000 and name != "FILES.json"
    }
    assert large == {}


def test_no_secret_looks_like_one(contents: dict[str, bytes]):
    assert [name for name, content in contents.items() if b"PRIVATE KEY-----\nMII" in content] == []


def test_pictures_of_the_documentation_are_there(contents: dict[str, bytes]):
    for name, content in contents.items():
        if name.startswith("docs/") and name.endswith(".md"):
            pictures = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", content.decode())
            found = [os.path.normpath(Path(name).parent / picture) for picture in pictures]
            assert [path for path in found if path not in contents] == []
