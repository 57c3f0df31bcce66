# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One call of a method, and how the parts of a node call each other in-process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from practice_pve import settings

from .errors import NotEmulated, NotImplementedMethod
from .methods import Method, find_method, is_known
from .verification import verify


@dataclass
class Call:
    """What a method's function gets."""

    method: Method
    path: str
    params: dict[str, Any]
    user: str | None = "root@pam"
    environment: str = "cli"
    node: str = field(default_factory=settings.nodename)
    client_address: str = "127.0.0.1"
    # "total" and "changes" stand beside "data" in an HTTP answer
    result_attributes: dict[str, Any] = field(default_factory=dict)
    # what the caller authenticated with: {"ticket": ..., "csrf_token": ..., "api_token": ...}
    credentials: dict[str, str | None] = field(default_factory=dict)

    @property
    def is_root(self) -> bool:
        """True for root@pam itself, not for its tokens."""
        return self.user == "root@pam"


def lookup(http_method: str, path: str) -> tuple[Method, dict[str, str]]:
    """Return the method of a path; 501 when Proxmox has none either, NotEmulated when only we lack it."""
    found = find_method(http_method, path)
    if found is None:
        if is_known(http_method, path):
            raise NotEmulated(f"{http_method} {path}")
        raise NotImplementedMethod(http_method, path)
    return found


def make_call(method: Method, path: str, params: Mapping[str, Any], **context: Any) -> Call:
    """Verify the parameters (path parameters among them) and return the call."""
    return Call(method, path, verify(method.parameters, params), **context)


def invoke(
    http_method: str, path: str, params: Mapping[str, Any], *, user: str = "root@pam", environment: str = "cli"
) -> Any:
    """Run a method in this process and return its result. Neither permissions nor other nodes are looked at."""
    method, path_params = lookup(http_method, path)
    call = make_call(method, path, {**params, **path_params}, user=user, environment=environment)
    return method.function(call)
