# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The order in which files of tests start, where several run side by side."""

from __future__ import annotations

from collections.abc import Sequence

import pytest


def start_first(items: list[pytest.Item], files: Sequence[str]) -> None:
    """Files that take minutes decide how long all take together. The order of the tests in a file is the story that it tells."""
    places = {name: place for place, name in enumerate(files)}
    items.sort(key=lambda item: places.get(item.path.name, len(places)))
