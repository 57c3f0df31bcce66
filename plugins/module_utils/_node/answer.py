# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module answers when its work is a function: the result, or the failure with its remedy.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import ClusterError

Work = Callable[[Mapping[str, Any], bool], dict[str, Any]]


def answer(work: Work | str, params: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    """C(work) may be given by its name, as "module:function"."""
    if isinstance(work, str):
        module, _colon, name = work.partition(":")
        return answer(getattr(importlib.import_module(module), name), params, check_mode)
    try:
        return work(params, check_mode)
    except ClusterError as error:
        return error.as_failure()
