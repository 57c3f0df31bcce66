# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# On a machine that is busy with other tests, time says nothing.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)

CHECKOUT = Path(__file__).parents[5]


@pytest.fixture(scope="session")
def agent_recordings():
    """What a real node answered about agents; skipped where the recordings are not at hand."""
    truth = Path(os.environ.get("PROXMOX_TRUTH", CHECKOUT.parent / "shared" / "truth")) / "vm" / "5-agent"
    if not truth.is_dir():
        pytest.skip("no recordings here")
    return [json.loads(path.read_text()) for path in sorted(truth.glob("*.json"))]
