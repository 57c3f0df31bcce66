# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at a member over its HTTPS API, with the root password and a pinned certificate.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import ssl
from typing import Any
from urllib.parse import urlencode

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import Unreachable, UnreadableText
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.reading import Reading, unknown
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.view import ClusterView
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.view_api import view_of_api

_PORT = 8006
_SECONDS = 30


class _PinnedConnection(http.client.HTTPSConnection):
    """HTTPS that accepts exactly one certificate and sends nothing to any other."""

    def __init__(self, host: str, fingerprint: str) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        # The fingerprint replaces names and authorities: PVE signs with an authority of its own.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        super().__init__(host, _PORT, timeout=_SECONDS, context=context)
        self._fingerprint = fingerprint.replace(":", "").lower()

    def connect(self) -> None:
        super().connect()
        certificate = self.sock.getpeercert(binary_form=True) if isinstance(self.sock, ssl.SSLSocket) else None
        found = hashlib.sha256(certificate or b"").hexdigest()
        if found != self._fingerprint:
            self.close()
            raise Unreachable(
                f"{self.host} presents another certificate ({found}) than the fingerprint given.",
                "Read the fingerprint on the seed itself; somebody may answer in its place.",
            )


def read_view(address: str, password: str, fingerprint: str) -> Reading[ClusterView]:
    connection = _PinnedConnection(address, fingerprint)
    try:
        ticket = _login(connection, password)
        parts = [
            _get(connection, ticket, path)
            for path in ("/cluster/status", "/cluster/config/nodes", "/cluster/config/totem")
        ]
        return Reading(view_of_api(address, *parts))
    except (Unreachable, UnreadableText) as error:
        return unknown(str(error))
    except (OSError, http.client.HTTPException) as error:
        return unknown(f"{address}: {type(error).__name__}: {error}")
    finally:
        connection.close()


def _login(connection: http.client.HTTPSConnection, password: str) -> str:
    body = urlencode({"username": "root@pam", "password": password})
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    content = _call(connection, "POST", "/access/ticket", body, headers)
    if not isinstance(content, dict) or not content.get("ticket") or content.get("NeedTFA"):
        raise Unreachable(f"{connection.host} wants a second factor for root.", "Use method=ssh.")
    return str(content["ticket"])


def _get(connection: http.client.HTTPSConnection, ticket: str, path: str) -> Any:
    return _call(connection, "GET", path, None, {"Cookie": f"PVEAuthCookie={ticket}"})


def _call(
    connection: http.client.HTTPSConnection, method: str, path: str, body: str | None, headers: dict[str, str]
) -> Any:
    try:
        connection.request(method, f"/api2/json{path}", body, headers)
        response = connection.getresponse()
        text = response.read()
    except (TimeoutError, ConnectionError) as error:
        raise Unreachable(f"{connection.host} does not answer on port {_PORT}: {error}") from error
    if response.status == 401:
        raise Unreachable(f"{connection.host} does not accept the root password.", "Check seed_password.")
    if response.status != 200:
        # PVE puts the error's text into the reason phrase.
        raise Unreachable(f"{connection.host} answered {method} {path} with {response.status} {response.reason}.")
    try:
        return json.loads(text)["data"]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise UnreadableText(f"{connection.host} answered {method} {path} with something else than JSON.") from error
