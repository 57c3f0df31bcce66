# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API framework: one method table, three faces (commands, port 85, port 8006)."""

from __future__ import annotations

from .call import Call, invoke
from .errors import ApiError, NotEmulated, ParameterErrors, PermissionDenied
from .methods import AnyUser, Check, RootOnly, World, api_method
from .tasks import run_worker, warn

__all__ = [
    "AnyUser", "ApiError", "Call", "Check", "NotEmulated", "ParameterErrors", "PermissionDenied", "RootOnly", "World",
    "api_method", "invoke", "run_worker", "warn",
]  # fmt: skip
