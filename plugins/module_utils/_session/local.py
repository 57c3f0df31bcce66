# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Transport C(local): the module runs on the node as root, over Ansible's own connection.

Which port? pvedaemon's 127.0.0.1:85 for everything that this node answers itself: only root can listen on a port below 1024,
so the ticket cannot go to somebody else's program; no TLS; no time limit of 30 s, which pveproxy has for calls that it hands on
to pvedaemon; and it works while pveproxy restarts (82 s without quorum). It does not forward, so calls for other nodes of the
cluster go to 127.0.0.1:8006, whose certificate must be the one in the node's own files: every local user may listen there.

Where neither answers, or where root's ticket is refused, pvesh does the same call.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from .classify import is_certificate_lag
from .commands import call_pvesh
from .errors import NotAuthenticated, Unreachable
from .http_client import Answer, HttpClient
from .http_session import PATIENCE, HttpSession
from .retry import Retry
from .root_ticket import mint_root_headers
from .tls import Trust, connector, fingerprint_of_file, plain_connector

CERTIFICATES = ("/etc/pve/local/pveproxy-ssl.pem", "/etc/pve/local/pve-ssl.pem")
READ_TIMEOUT = 60.0
# A synchronous change of a configuration may wait for a lock and then copy a disk.
WRITE_TIMEOUT = 600.0
_NODE = re.compile(r"/api2/json/nodes/([^/?]+)")
_DEAD = re.compile(r"timed out|No route to host", re.IGNORECASE)


def _is_the_other_nodes_matter(error: Unreachable) -> bool:
    """True when pvesh would not do better: the other node is off, or its certificate will be known here in some seconds."""
    if error.status == 595:
        return bool(_DEAD.search(error.message))
    return error.status is not None and is_certificate_lag(error.status, error.message)


class LocalSession(HttpSession):
    """Root on this node."""

    user = "root@pam"

    def __init__(
        self,
        *,
        mint: Callable[[], Mapping[str, str]] = mint_root_headers,
        pvesh: Callable[[str, str, dict[str, Any]], Any] = call_pvesh,
        own_port: int = 85,
        proxy_port: int = 8006,
        patience: Retry = PATIENCE,
    ) -> None:
        super().__init__(patience)
        self.node = os.uname().nodename.partition(".")[0]
        self._mint = mint
        self._pvesh = pvesh
        self._headers: Mapping[str, str] | None = None
        self._ticket_refused = False
        self._own = HttpClient(plain_connector("127.0.0.1", own_port), READ_TIMEOUT, WRITE_TIMEOUT)
        self._proxy = HttpClient(self._connect_to_proxy, READ_TIMEOUT, WRITE_TIMEOUT)
        self._proxy_port = proxy_port

    def _connect_to_proxy(self) -> Any:
        # Read each time: a join gives the node a new certificate.
        fingerprints = frozenset(filter(None, map(fingerprint_of_file, CERTIFICATES)))
        if not fingerprints:
            raise Unreachable(f"no certificate in {CERTIFICATES[-1]}", "pvecm updatecerts makes one")
        return connector("127.0.0.1", self._proxy_port, Trust(fingerprints))()

    def _attempt(self, method: str, path: str, params: dict[str, Any]) -> Any:
        if self._ticket_refused:
            return self._pvesh(method, path, params)
        try:
            return self.call_http(method, path, params)
        except NotAuthenticated as error:
            self._ticket_refused = True
            self.note(f"root's ticket was refused ({error.message}); pvesh is used instead")
        except Unreachable as error:
            if _is_the_other_nodes_matter(error):
                raise
            self.note(f"the API of this node does not answer ({error.message}); pvesh is used instead")
        return self._pvesh(method, path, params)

    def _exchange(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        match = _NODE.match(url)
        client = self._own if not match or match[1] in (self.node, "localhost") else self._proxy
        answer = self._send(client, method, url, body, headers)
        # A few calls belong to another node by a parameter.
        if client is self._own and answer.status == 500 and "proxy not allowed" in answer.reason:
            answer = self._send(self._proxy, method, url, body, headers)
        return answer

    def _send(
        self, client: HttpClient, method: str, url: str, body: bytes | None, headers: Mapping[str, str]
    ) -> Answer:
        credentials = self._credentials(None)
        answer = client.exchange(method, url, body, {**headers, **credentials})
        if answer.status == 401:  # older than two hours, or the node has joined a cluster and has its keys now
            answer = client.exchange(method, url, body, {**headers, **self._credentials(credentials)})
        return answer

    def _credentials(self, refused: Mapping[str, str] | None) -> Mapping[str, str]:
        with self._lock:
            if self._headers is None or self._headers is refused:
                self._headers = self._mint()
            return self._headers

    def server_time(self) -> float:
        return time.time()  # tasks of other nodes carry their clock, which a cluster keeps in step

    def close(self) -> None:
        self._own.close()
        self._proxy.close()
        self._headers = None
