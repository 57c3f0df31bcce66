# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/nodes/{node}/syslog and journal."""

from __future__ import annotations

import subprocess
from typing import Any

from practice_pve.rest import Call, Check, NotEmulated, api_method
from practice_pve.rest.parameters import NODE, Array, Boolean, Integer, Object, Text

PERMISSIONS = Check("perm", "/nodes/{node}", ["Sys.Syslog"])
DATE = r"^\d{4}-\d{2}-\d{2}( \d{2}:\d{2}(:\d{2})?)?$"


@api_method(
    "GET",
    "/nodes/{node}/syslog",
    permissions=PERMISSIONS,
    protected=True,
    proxyto="node",
    parameters={
        "node": NODE,
        "start": Integer(minimum=0, optional=True),
        "limit": Integer(minimum=0, optional=True),
        "since": Text(pattern=DATE, optional=True),
        "until": Text(pattern=DATE, optional=True),
        "service": Text(max_length=128, optional=True),
    },
    returns=Array(items=Object(properties={"n": Integer(), "t": Text()})),
)
def syslog(call: Call) -> list[dict[str, Any]]:
    """Return lines of the journal."""
    given = call.params
    command = ["journalctl", "--no-pager"]
    for option, name in (("-u", "service"), ("--since", "since"), ("--until", "until")):
        if name in given:
            command += [option, given[name]]
    lines = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False).stdout.splitlines()
    start, limit = given.get("start", 0), given.get("limit", 50) or 50
    call.result_attributes["total"] = len(lines)
    return [{"n": number, "t": text} for number, text in list(enumerate(lines, 1))[start : start + limit]]


@api_method(
    "GET",
    "/nodes/{node}/journal",
    permissions=PERMISSIONS,
    protected=True,
    proxyto="node",
    parameters={
        "node": NODE,
        "since": Integer(minimum=0, optional=True),
        "until": Integer(minimum=0, optional=True),
        "lastentries": Integer(minimum=0, optional=True),
        "startcursor": Text(optional=True),
        "endcursor": Text(optional=True),
        "structured": Boolean(optional=True),
    },
    returns=Array(items=Text()),
)
def journal(call: Call) -> list[str]:
    """Return entries between two cursors. pvesh of this version cannot show them."""
    if call.environment == "cli":
        raise NotEmulated("pvesh get /nodes/{node}/journal")
    if set(call.params) - {"node", "lastentries"}:
        raise NotEmulated("parameters of the journal")
    command = ["journalctl", "--no-pager", "--show-cursor", "-n", str(call.params.get("lastentries", 500))]
    lines = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False).stdout.splitlines()
    cursor = lines.pop().removeprefix("-- cursor: ") if lines else ""
    return [cursor, *lines, cursor]
