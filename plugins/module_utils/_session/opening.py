# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the connection options to a session."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .api import ApiAccess, ApiSession
from .errors import Invalid
from .interface import Session
from .local import LocalSession
from .tls import Trust, normalise_fingerprint


def open_session(params: Mapping[str, Any]) -> Session:
    """The session that a module's parameters describe. Nothing is sent yet; errors of the network come with the first call."""
    if params["transport"] == "local":
        return LocalSession()
    return ApiSession(read_api_access(params))


def read_api_access(params: Mapping[str, Any]) -> ApiAccess:
    host, port = split_host(str(params["api_host"] or ""), int(params["api_port"]))
    token = params.get("api_token_id")
    user = params.get("api_user") or (token or "").partition("!")[0]
    if not host or not user or (token and "!" not in token and not params.get("api_user")):
        missing = "api_host" if not host else "api_user"
        raise Invalid("the connection is not described", errors={missing: "missing; transport api needs it"})
    fingerprint = params.get("api_fingerprint")
    pinned = frozenset({normalise_fingerprint(fingerprint)} if fingerprint else ())
    return ApiAccess(
        host=host,
        port=port,
        user=user,
        password=params.get("api_password"),
        token_id=token,
        token_secret=params.get("api_token_secret"),
        trust=Trust(pinned, params.get("api_ca_path"), bool(params["validate_certs"])),
        timeout=float(params["api_timeout"]),
    )


def split_host(text: str, port: int) -> tuple[str, int]:
    """Accept C(host), C(host:port), C([v6]:port), a bare IPv6 address and a pasted C(https://host:8006/)."""
    text = text.strip().removeprefix("https://").partition("/")[0]
    if text.startswith("["):
        host, _separator, rest = text[1:].partition("]")
        given = rest.removeprefix(":")
    elif text.count(":") == 1:
        host, _separator, given = text.partition(":")
    else:
        host, given = text, ""
    if not given:
        return host, port
    if not given.isdigit():
        raise Invalid("the address cannot be read", errors={"api_host": f"{text}: no port number behind the colon"})
    return host, int(given)
