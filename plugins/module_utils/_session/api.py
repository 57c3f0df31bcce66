# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Transport C(api): HTTPS from wherever the module runs, with a token or a password.

On http.client like the other transport, and not on proxmoxer, whose errors do not tell a refused connection (nothing was done)
from a lost answer (the work may have been done): a write could not be repeated safely. So both transports are the same code from
the encoding of parameters to the retries, a fingerprint can be pinned, and there is nothing to install.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from . import encoding
from .classify import classify
from .errors import AnswerLost, Invalid, NotAuthenticated, Unreachable, Unsupported
from .http_client import Answer, HttpClient
from .http_session import PATIENCE, HttpSession, _read
from .retry import Retry
from .tls import CONNECT_TIMEOUT, Trust, connector


@dataclass(frozen=True)
class ApiAccess:
    """Where and as whom."""

    host: str
    user: str
    port: int = 8006
    password: str | None = field(default=None, repr=False)
    token_id: str | None = None
    token_secret: str | None = field(default=None, repr=False)
    trust: Trust = field(default_factory=Trust)
    timeout: float = 60.0

    @property
    def full_token_id(self) -> str | None:
        if not self.token_id:
            return None
        return self.token_id if "!" in self.token_id else f"{self.user}!{self.token_id}"


class ApiSession(HttpSession):
    """A user or a token over HTTPS."""

    def __init__(self, access: ApiAccess, *, patience: Retry = PATIENCE) -> None:
        super().__init__(patience)
        token = access.full_token_id
        if not access.password and not (token and access.token_secret):
            raise Invalid(
                "no way to log in",
                remedy="give api_password, or api_token_id with api_token_secret",
                errors={"api_password": "missing"},
            )
        self._access = access
        self.user = token if token and access.token_secret else access.user
        if "@" not in self.user:
            raise Invalid("the user needs its realm", errors={"api_user": f"write {self.user}@pam, or @pve, ..."})
        self._token = token if token and access.token_secret else None
        self._headers: Mapping[str, str] | None = None
        connect = connector(access.host, access.port, access.trust, min(access.timeout, CONNECT_TIMEOUT))
        self._client = HttpClient(connect, access.timeout, access.timeout)

    def _exchange(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        credentials = self._credentials(None)
        answer = self._client.exchange(method, url, body, {**headers, **credentials})
        if (
            answer.status == 401 and self._token is None
        ):  # a ticket lives for two hours, and dies when its node joins a cluster
            answer = self._client.exchange(method, url, body, {**headers, **self._credentials(credentials)})
        return answer

    def _credentials(self, refused: Mapping[str, str] | None) -> Mapping[str, str]:
        if self._token is not None:
            return {"Authorization": f"PVEAPIToken={self._token}={self._access.token_secret}"}
        with self._lock:
            if self._headers is None or self._headers is refused:
                self._headers = self._log_in()
            return self._headers

    def _log_in(self) -> Mapping[str, str]:
        body, kind = encoding.body({"username": self.user, "password": self._access.password})
        try:
            answer = self._client.exchange("POST", "/api2/json/access/ticket", body, {"Content-Type": kind})
        except AnswerLost as error:  # logging in changes nothing
            raise Unreachable(error.message, "try again", "POST", "/access/ticket") from error
        if answer.status >= 400:
            refusal = classify(answer.status, answer.reason, answer.body)
            refusal.method, refusal.path = "POST", "/access/ticket"
            raise refusal
        ticket = _read(answer, "GET")
        if ticket.get("NeedTFA") or str(ticket.get("ticket", "")).startswith("PVE:!tfa!"):
            raise Unsupported(f"{self.user} has a second factor", remedy="use an API token: it needs none")
        if not ticket.get("ticket"):
            raise NotAuthenticated("no ticket in the answer")
        return {
            "Cookie": f"PVEAuthCookie={ticket['ticket']}",
            "CSRFPreventionToken": str(ticket.get("CSRFPreventionToken", "")),
        }

    def server_time(self) -> float:
        return time.time() + self._client.clock_offset

    def close(self) -> None:
        self._client.close()
        self._headers = None
