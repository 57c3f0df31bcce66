# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The texts in which a node's name stands: /etc/hosts, /etc/mailname, postfix.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import re


def rewrite_hosts(text: str, old: str, fqdn: str, address: str) -> str:
    """The node's new name on its own address, and neither its old nor its new one on any other line.

    Proxmox VE refuses to start when its name leads to a loopback address, as Debian's installer writes it (127.0.1.1).
    """
    short = fqdn.partition(".")[0]
    own = f"{address} {fqdn} {short}" if fqdn != short else f"{address} {short}"
    lines: list[str] = []
    is_written = False
    for line in text.splitlines():
        content, hash_sign, comment = line.partition("#")
        words = content.split()
        names = [word for word in words[1:] if word.partition(".")[0] not in (old, short)]
        is_own = bool(words) and (words[0] == address or len(names) < len(words) - 1)
        if not is_own:
            lines.append(line)
        elif not is_written:
            # Other names of the same address stay, behind the node's own.
            others = names if words[0] == address else []
            lines.append(" ".join([own, *others]) + (f" {hash_sign}{comment}" if hash_sign else ""))
            is_written = True
            if words[0] != address and names:
                lines.append(" ".join([words[0], *names]))
        elif names:
            lines.append(" ".join([words[0], *names]))
    if not is_written:
        lines.insert(1 if lines and lines[0].startswith("127.") else 0, own)
    return "\n".join(lines) + "\n"


def rewrite_postfix(text: str, fqdn: str) -> str:
    """C(myhostname) of main.cf; a file without it gets none, postfix then takes the node's own name."""
    return re.sub(r"(?m)^(myhostname\s*=\s*).*$", lambda found: found[1] + fqdn, text)
