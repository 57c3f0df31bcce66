# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Another node's part of pvesh: the same command over SSH, with PVE's options and pinned host keys."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from typing import Any

from practice_pve.rest.errors import ApiError
from practice_pve.rest.verification import perl_text


def run_on_node(node: str, address: str, command: str, path: str, params: dict[str, Any]) -> Any:
    """Return what pvesh on the node prints, decoded."""
    arguments = []
    for name, value in params.items():
        for single in value if isinstance(value, list) else perl_text(value).split("\0"):
            arguments += [f"--{name}", str(single)]
    remote = ["pvesh", "--noproxy", command, path, "--output-format", "json"]
    if arguments:
        remote.append(shlex.join(arguments))
    done = subprocess.run(
        [
            "/usr/bin/ssh", "-e", "none", "-o", "BatchMode=yes", "-o", f"HostKeyAlias={node}",
            "-o", f"UserKnownHostsFile=/etc/pve/nodes/{node}/ssh_known_hosts", "-o", "GlobalKnownHostsFile=none",
            f"root@{address}", "--", *remote,
        ],
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip
    if done.returncode:
        *before, last = done.stderr.replace("\r", "").splitlines() or [f"exit code {done.returncode}"]
        sys.stderr.write("".join(f"{line}\n" for line in before))
        raise ApiError(f"proxy handler failed: {last}\n")
    # what the other side says beside its result
    sys.stderr.write(done.stderr)
    text = done.stdout.replace("\n", "")
    try:
        return json.loads(text)
    except ValueError:
        return text or None
