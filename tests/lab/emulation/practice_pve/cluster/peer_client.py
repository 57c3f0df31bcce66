# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTPS client with which a node asks a cluster member to be added: fingerprint first, password after."""

from __future__ import annotations

import http.client
import json
import re
import ssl
import sys
import urllib.parse
from collections.abc import Mapping
from typing import Any

from practice_pve.cluster.certificates import fingerprint_of
from practice_pve.rest.errors import ApiError, NotEmulated

TIMEOUT = 60
PORT = 8006


class PeerError(ApiError):
    """An answer other than success, with the details that addnode sends along."""


class PeerClient:
    """A logged-in root@pam session with one member."""

    def __init__(self, host: str, fingerprint: str | None) -> None:
        """Without a fingerprint the user is asked (only the command line gets here without one)."""
        self.host = host
        self.accepted = fingerprint.upper() if fingerprint else None
        self.ticket = ""
        self.csrf_token = ""
        self._connection: http.client.HTTPSConnection | None = None

    def login(self, password: str) -> None:
        answer = self._request("POST", "/access/ticket", {"username": "root@pam", "password": password})
        if answer.get("NeedTFA"):
            raise NotEmulated("join with a second factor on root@pam")
        self.ticket = answer["ticket"]
        self.csrf_token = answer["CSRFPreventionToken"]

    def get(self, path: str) -> Any:
        return self._request("GET", path, None)

    def post(self, path: str, parameters: Mapping[str, Any]) -> Any:
        return self._request("POST", path, parameters)

    def _connect(self) -> http.client.HTTPSConnection:
        if self._connection is not None:
            return self._connection
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection(self.host, PORT, timeout=TIMEOUT, context=context)
        try:
            connection.connect()
        except (OSError, http.client.HTTPException) as error:
            raise PeerError(
                f"Can't connect to {self.host}:{PORT} ({describe_connect_error(error)})\n", show_status=True
            ) from error
        self._check_fingerprint(connection)
        self._connection = connection
        return connection

    def _check_fingerprint(self, connection: http.client.HTTPSConnection) -> None:
        certificate = connection.sock.getpeercert(binary_form=True) or b""
        shown = fingerprint_of(certificate)
        if shown == self.accepted:
            return
        try:
            if self.accepted is not None:
                raise ApiError(f"fingerprint '{shown}' not verified, abort!\n")
            self._ask_about(shown)
        except ApiError:
            connection.close()
            raise
        self.accepted = shown

    def _ask_about(self, fingerprint: str) -> None:
        print(
            f"The authenticity of host '{self.host}' can't be established.\n"
            f"X509 SHA256 key fingerprint is {fingerprint}.\n"
            "Are you sure you want to continue connecting (yes/no)? ",
            end="",
            flush=True,
        )
        answer = sys.stdin.readline()
        if not answer:
            print(
                "Use of uninitialized value $answer in pattern match (m//)"
                " at /usr/share/perl5/PVE/APIClient/LWP.pm line 256, <STDIN> line 1.",
                file=sys.stderr,
                flush=True,
            )
        if not re.match(r"\s*yes\s*$", answer, re.IGNORECASE):
            raise ApiError("Fingerprint not verified, abort!\n")

    def _request(self, method: str, path: str, parameters: Mapping[str, Any] | None) -> Any:
        connection = self._connect()
        headers = {"Accept": "application/json"}
        if self.ticket:
            headers["Cookie"] = f"PVEAuthCookie={urllib.parse.quote(self.ticket, safe='')}"
            headers["CSRFPreventionToken"] = self.csrf_token
        body = None
        if parameters is not None:
            body = urllib.parse.urlencode(parameters)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            connection.request(method, f"/api2/json{path}", body=body, headers=headers)
            answer = connection.getresponse()
            content = answer.read()
        except TimeoutError as error:
            self._drop_connection()
            raise PeerError("read timeout\n", show_status=True) from error
        except (OSError, http.client.HTTPException) as error:
            self._drop_connection()
            raise PeerError("Server closed connection without sending any data back\n", show_status=True) from error
        if answer.will_close:
            self._drop_connection()
        return decode_answer(answer.status, answer.reason, content)

    def _drop_connection(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def decode_answer(status: int, reason: str, content: bytes) -> Any:
    """The data of a successful answer; PeerError with the status line's text for every other one."""
    try:
        decoded = json.loads(content) if content else {}
    except ValueError:
        decoded = {}
    if not isinstance(decoded, dict):
        decoded = {}
    if status == 200:
        return decoded.get("data")
    errors = decoded.get("errors") or {}
    raise PeerError(
        f"{reason}\n",
        status=status,
        errors={str(key): str(value) for key, value in errors.items()},
        show_status=True,
    )


def describe_connect_error(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "Connection timed out"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error)
