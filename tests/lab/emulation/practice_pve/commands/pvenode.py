# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pvenode: what concerns this node alone; only what a look at a node needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from practice_pve import settings
from practice_pve.rest.command_line import Command, print_formatted, run_command
from practice_pve.rest.methods import Method
from practice_pve.rest.output import STANDARD_OPTIONS, print_result

CERTIFICATE_FIELDS = (
    "filename", "fingerprint", "subject", "issuer", "notbefore", "notafter", "public-key-type", "public-key-bits",
    "san",
)  # fmt: skip


def print_certificates(result: list[dict[str, Any]], method: Method, options: dict[str, Any]) -> None:
    """Print one table per certificate, without the PEM text."""
    if (options.get("output-format") or "text") != "text":
        print_result(result, method.returns, options)
        return
    for certificate in sorted(result, key=lambda entry: entry["filename"]):
        assert method.returns is not None
        print_result(
            certificate, method.returns.items, {**options, "noheader": True, "sort_key": None}, CERTIFICATE_FIELDS
        )


HERE: dict[str, Any] = {"fixed": {"node": settings.nodename}}
PRINTED: dict[str, Any] = {"output": print_formatted, "formatter": STANDARD_OPTIONS}
TASKS = "PVE::API2::Tasks"
COMMANDS: dict[str, Any] = {
    "cert": {
        "info": Command(
            "GET",
            "/nodes/{node}/certificates/info",
            group="PVE::API2::Certificates",
            output=print_certificates,
            formatter=STANDARD_OPTIONS,
            **HERE,
        ),
    },
    "config": {
        "get": Command("GET", "/nodes/{node}/config", group="PVE::API2::NodeConfig", **HERE, **PRINTED),
    },
    "task": {
        "list": Command("GET", "/nodes/{node}/tasks", group=TASKS, **HERE, **PRINTED),
        "status": Command("GET", "/nodes/{node}/tasks/{upid}/status", ("upid",), group=TASKS, **HERE, **PRINTED),
    },
}


def main(argv: Sequence[str]) -> int:
    """Entry point."""
    return run_command("pvenode", COMMANDS, argv)
