# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameters that several calls of the cluster configuration share."""

from __future__ import annotations

from practice_pve.rest.parameters import Boolean, Integer, PropertyString, Text, indexed

NODE_ID = Integer(minimum=1, optional=True, description="Node id for this node.")
VOTES = Integer(minimum=0, optional=True, description="Number of votes for this node")
FORCE = Boolean(optional=True, description="Do not throw error if node already exists.")
LINKS = indexed(
    "link",
    0,
    7,
    PropertyString(
        {
            "address": Text(
                default_key=True,
                format="address",
                format_description="IP",
                description="Hostname (or IP) of this corosync link address.",
            ),
            "priority": Integer(
                optional=True,
                minimum=0,
                maximum=255,
                default=0,
                # The option's own text has it the wrong way round: the highest number wins.
                description="The priority for the link when knet is used in 'passive' mode (default). Lower value "
                "means higher priority. Only valid for cluster create, ignored on node add.",
            ),
        },
        optional=True,
        description="Address and priority information of a single corosync link. (up to 8 links supported; "
        "link0..link7)",
    ),
)
