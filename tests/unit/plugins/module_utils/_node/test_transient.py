# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is handed to systemd-run arrives as it is."""

from __future__ import annotations

import re

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.scripts import leave_script
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.transient import literally


def expanded_by_systemd(word: str) -> str:
    """systemd's rule for the words of a command: two dollars are one, an unknown variable in braces is nothing."""
    return re.sub(r"\$\$|\$\{[^}]*\}", lambda match: "$" if match[0] == "$$" else "", word)


def test_the_shell_gets_the_script_that_was_written() -> None:
    """Without it a node that leaves took its own directory for a stranger's, and removed it with its guests."""
    script = leave_script("separate", None, forget_guests=True)
    assert expanded_by_systemd(script) != script
    assert [expanded_by_systemd(word) for word in literally(["/bin/sh", "-c", script])] == ["/bin/sh", "-c", script]
