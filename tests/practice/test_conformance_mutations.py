# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Break one behaviour of the emulation and see the conformance figure drop."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mutate import MUTATIONS, Mutation, missed

CHECKOUT = Path(__file__).resolve().parents[2]
TRUTH = Path(os.environ.get("PROXMOX_TRUTH") or CHECKOUT.parent / "shared" / "truth")


@pytest.mark.skipif(not TRUTH.is_dir(), reason="no recordings of real nodes here")
@pytest.mark.parametrize("mutation", MUTATIONS, ids=[mutation.name for mutation in MUTATIONS])
def test_the_suite_goes_red(mutation: Mutation) -> None:
    assert missed(mutation, TRUTH, f"test{os.getpid()}") == []
