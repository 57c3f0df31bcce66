# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mutations fit the emulation as it is now, and each changes exactly what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from mutate import EMULATION, MUTATIONS, Mutation, mutated_copy


@pytest.mark.parametrize("mutation", MUTATIONS, ids=[mutation.name for mutation in MUTATIONS])
def test_a_mutation_changes_one_file(mutation: Mutation, tmp_path: Path) -> None:
    copy = mutated_copy(mutation, tmp_path)
    names = [path.relative_to(EMULATION) for path in EMULATION.rglob("*.py")]
    assert [str(name) for name in names if (copy / name).read_text() != (EMULATION / name).read_text()] == [
        mutation.file
    ]
    compile((copy / mutation.file).read_text(), mutation.file, "exec")


def test_a_mutation_that_outlived_its_code_is_an_error(tmp_path: Path) -> None:
    stale = Mutation("stale", "practice_pve/commands/pvecm.py", "no such text", "", ())
    with pytest.raises(ValueError, match="no longer has"):
        mutated_copy(stale, tmp_path)
