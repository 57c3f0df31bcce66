# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/nodes/{node}/certificates: the files in /etc/pve/nodes/NAME, which need not be what port 8006 shows."""

from __future__ import annotations

import calendar
import ipaddress
import re
import subprocess
import time
from pathlib import Path
from typing import Any

from practice_pve.rest import AnyUser, Call, api_method
from practice_pve.rest.parameters import Array, Integer, Object, Text

from .cluster_state import fingerprint_of

COLUMNS = {
    "filename": Text(optional=True),
    "fingerprint": Text(optional=True),
    "subject": Text(optional=True),
    "issuer": Text(optional=True),
    "notbefore": Integer(optional=True, renderer="timestamp"),
    "notafter": Integer(optional=True, renderer="timestamp"),
    "san": Array(items=Text(), optional=True, renderer="yaml"),
    "pem": Text(optional=True),
    "public-key-type": Text(optional=True),
    "public-key-bits": Integer(optional=True),
}


@api_method(
    "GET",
    "/nodes/{node}/certificates",
    permissions=AnyUser(),
    child_link="name",
    returns=Array(items=Object(properties={})),
)
def index(_call: Call) -> list[dict[str, str]]:
    """List the parts."""
    return [{"name": name} for name in ("acme", "custom", "info")]


@api_method(
    "GET",
    "/nodes/{node}/certificates/info",
    permissions=AnyUser(),
    proxyto="node",
    returns=Array(items=Object(properties=COLUMNS)),
)
def info(call: Call) -> list[dict[str, Any]]:
    """Describe the cluster's CA and the node's certificates."""
    node = Path("/etc/pve/nodes") / call.params["node"]
    files = (Path("/etc/pve/pve-root-ca.pem"), node / "pve-ssl.pem", node / "pveproxy-ssl.pem")
    return [describe(path) for path in files if path.is_file()]


def openssl(pem: str, *options: str) -> str:
    """Return what openssl x509 prints about a certificate."""
    command = ["openssl", "x509", "-noout", *options]
    return subprocess.run(command, input=pem, capture_output=True, text=True, check=True).stdout


def slashed(name: str) -> str:
    """Return "CN = a, O = b" as "/CN=a/O=b"."""
    return "".join(f"/{part}" for part in re.split(r",\s*(?=[A-Z]+=)", name.strip()))


def seconds(text: str) -> int:
    """Return openssl's date as seconds."""
    return calendar.timegm(time.strptime(text.strip(), "%b %d %H:%M:%S %Y %Z"))


def describe(path: Path) -> dict[str, Any]:
    """Return one certificate."""
    pem = path.read_text(encoding="ascii")
    text = openssl(pem, "-subject", "-issuer", "-dates", "-nameopt", "sep_comma_plus,utf8")
    fields = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    details = openssl(pem, "-text")
    algorithm = re.search(r"Public Key Algorithm: (\S+)", details)
    bits = re.search(r"Public-Key: \((\d+) bit\)", details)
    return {
        "filename": path.name,
        "fingerprint": fingerprint_of(pem),
        "subject": slashed(fields["subject"]),
        "issuer": slashed(fields["issuer"]),
        "notbefore": seconds(fields["notBefore"]),
        "notafter": seconds(fields["notAfter"]),
        "san": alternative_names(details),
        "pem": pem,
        "public-key-type": algorithm[1] if algorithm else "",
        "public-key-bits": int(bits[1]) if bits else 0,
    }


def alternative_names(details: str) -> list[str]:
    """Return the names and addresses a certificate is for; IPv6 ones in full length, as PVE prints them."""
    found = re.search(r"Subject Alternative Name:[^\n]*\n\s*([^\n]+)", details)
    names = []
    for part in found[1].split(", ") if found else []:
        kind, _, value = part.partition(":")
        if kind == "IP Address" and ":" in value:
            value = ipaddress.ip_address(value).exploded.upper()
        names.append(value)
    return names
