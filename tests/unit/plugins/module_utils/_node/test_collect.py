# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collector's own small readings."""

from __future__ import annotations

import pytest

from ansible_collections.baremetal.proxmox.plugins.module_utils._node.collect import attempt, write_bit


@pytest.mark.parametrize(("mode", "writable"), [(0o755, True), (0o555, False)])
def test_the_write_bit_is_that_of_the_path_itself(tmp_path, mode, writable):
    path = tmp_path / "local"
    path.mkdir()
    path.chmod(mode)
    assert write_bit(path) is writable


def test_what_is_missing_is_absent_and_not_unknown(tmp_path):
    assert attempt(lambda: write_bit(tmp_path / "local")) == {"value": None}
