# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest

import check_shell_files


@pytest.mark.parametrize(
    "first_line, expected",
    [
        ("#!/usr/bin/env bash", True),
        ("#!/bin/sh", True),
        ("#!/bin/dash -e", True),
        ("#!/usr/bin/env python3", False),
        ("#!/usr/bin/perl", False),
        ("plain text", False),
    ],
)
def test_a_shell_file_is_known_by_its_first_line(tmp_path: Path, first_line: str, expected: bool):
    file = tmp_path / "file"
    file.write_text(first_line + "\n", encoding="utf-8")
    assert check_shell_files.is_shell(file) is expected


def test_the_projects_own_shell_files_are_found():
    names = {file.name for file in check_shell_files.shell_files()}
    assert {"run", "install-debian-packages"} <= names
