# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said, in which language."""

from __future__ import annotations

import string

import pytest

from ansible_collections.baremetal.proxmox.plugins.module_utils._words.phases import (
    LANGUAGES,
    TEXTS,
    choose_language,
    compose,
)


@pytest.mark.parametrize("name", TEXTS)
def test_every_message_exists_in_all_languages_with_the_same_blanks(name):
    blanks = {language: {part[1] for part in string.Formatter().parse(text)} for language, text in TEXTS[name].items()}
    assert set(blanks) == set(LANGUAGES)
    assert blanks["en"] == blanks["fr"]


@pytest.mark.parametrize(
    ("wanted", "environment", "language"),
    [
        (None, {}, "en"),
        (None, {"LANG": "fr_FR.UTF-8"}, "fr"),
        (None, {"LC_ALL": "C", "LANG": "fr_FR.UTF-8"}, "en"),
        ("fr", {"LANG": "de_DE.UTF-8"}, "fr"),
        ("klingon", {}, "en"),
    ],
)
def test_the_language(wanted, environment, language):
    assert choose_language(wanted, environment) == language


def test_a_title_has_its_banner_and_the_lines_that_belong_to_it():
    assert compose("phase_3", "fr", {"node": "pve1", "cluster": "lab"}).splitlines() == [
        "",
        "=" * 44,
        "PHASE 3: CREATION DU CLUSTER",
        "=" * 44,
        "Nœud primaire: pve1",
        "Nom du cluster: lab",
    ]


def test_the_last_line_closes_the_frame():
    assert compose("phase_6_done", "fr", {}) == "✓ CLUSTER PROXMOX VE CREE AVEC SUCCES\n" + "=" * 44


def test_a_missing_value_is_an_error():
    with pytest.raises(KeyError):
        compose("phase_3", "en", {})
