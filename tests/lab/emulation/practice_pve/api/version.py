# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GET /version."""

from __future__ import annotations

from practice_pve import settings
from practice_pve.rest import AnyUser, Call, api_method
from practice_pve.rest.parameters import Object, Text


@api_method(
    "GET",
    "/version",
    permissions=AnyUser(),
    returns=Object(properties={"release": Text(), "repoid": Text(), "version": Text(), "console": Text(optional=True)}),
)
def version(_call: Call) -> dict[str, str]:
    """Return the version of pve-manager."""
    return {
        "release": settings.pve_release(),
        "repoid": settings.REPOSITORY_ID,
        "version": settings.pve_version(),
    }
