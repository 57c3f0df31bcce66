# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One API request inside a daemon: who asks, what is asked, may they, and who answers."""

from __future__ import annotations

import re
import sys
import time
import traceback
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from practice_pve import settings
from practice_pve.access import permissions, tickets
from practice_pve.access.user_config import check_user_enabled
from practice_pve.pmxcfs import client
from practice_pve.rest.call import Call, lookup, make_call
from practice_pve.rest.errors import NOT_EMULATED_STATUS, ApiError, NotEmulated, ParameterErrors, PermissionDenied
from practice_pve.rest.json_text import to_json
from practice_pve.rest.methods import Method
from practice_pve.rest.routing import resolve_node

from . import json_body
from .http_message import Request, Response, decode_form
from .relay import relay

BASE = "/api2"
FORMATS = ("json", "extjs")
UNAUTHENTICATED = {
    ("GET", "/access/domains"), ("GET", "/access/ticket"), ("POST", "/access/ticket"), ("POST", "/access/vncticket"),
    ("POST", "/access/openid/login"), ("POST", "/access/openid/auth-url"),
}  # fmt: skip
UNAUTHORIZED_DELAY = 3.0


@dataclass
class Credentials:
    """What a request authenticates with, and as whom."""

    user: str | None = None
    ticket: str | None = None
    csrf_token: str | None = None
    api_token: str | None = None


def answer(request: Request, *, trusted: bool) -> Response:
    """Return the answer to a request below /api2. ``trusted``: pvedaemon, which runs everything itself."""
    started = time.monotonic()
    found = re.fullmatch(r"/api2/([a-z0-9]+)(/.*)?", request.path)
    if not found:
        return plain(501, "no such uri")
    output_format, path = found[1], found[2] or "/"
    try:
        credentials = authenticate(request, path, trusted=trusted)
    except ApiError as error:
        # an exception with a code keeps its text, everything else is "Authentication failed!" or "No ticket"
        return Response(error.status, error.message, delay=UNAUTHORIZED_DELAY)
    if output_format not in FORMATS:
        return plain(NOT_EMULATED_STATUS, f"practice node: not emulated: format {output_format}")
    try:
        params = extract_params(request)
    except json_body.BadJson as error:
        return plain(500, str(error))
    params.pop("_dc", None)
    return run(request, path, params, credentials, output_format, trusted=trusted, started=started)


def plain(status: int, message: str) -> Response:
    """Return an error whose body is its text."""
    return Response(status, message, body=message.encode("utf-8"))


def authenticate(request: Request, path: str, *, trusted: bool) -> Credentials:
    """Return who asks; 401 otherwise."""
    try:
        permissions.use_text(client.read("user.cfg") or "")
    except ApiError as error:
        message = f"RPCEnvironment init request failed: Unable to load access control list: {error.message}"
        raise ApiError(message) from None
    authorization = request.header("authorization")
    ticket = extract_value(request.header("cookie"), "PVEAuthCookie") or extract_value(authorization, "PVEAuthCookie")
    api_token = None if ticket else extract_value(authorization, "PVEAPIToken")
    found = Credentials(None, ticket, request.header("csrfpreventiontoken"), api_token)
    if (request.method, path) in UNAUTHENTICATED:
        return found
    try:
        if api_token:
            found.user = tickets.verify_api_token(api_token)
        elif not ticket:
            raise ApiError("No ticket\n", status=401)
        else:
            found.user = tickets.verify_ticket(ticket)
            check_user_enabled(permissions.current_config(), found.user)
    except ApiError as error:
        print(f"authentication failure: {error}", file=sys.stderr)
        message = error.message if error.message == "No ticket\n" else "Authentication failed!\n"
        raise ApiError(message, status=401) from None
    # pvedaemon runs as root and leaves this to pveproxy
    if request.method != "GET" and not api_token and not trusted:
        tickets.verify_csrf_token(found.user, found.csrf_token)
    return found


def extract_value(header: str | None, name: str) -> str | None:
    """Return NAME=value (cookie) or "NAME=value" / "NAME value" (Authorization), decoded."""
    found = re.search(rf"(?:^|\s){name}(?:=| )([^;]*)", header or "")
    return unquote(found[1]) if found else None


def extract_params(request: Request) -> dict[str, Any]:
    """Return body and query parameters; the query wins."""
    params: dict[str, Any] = {}
    if request.method in ("PUT", "POST"):
        kind = (request.header("content-type") or "").split(";")[0].strip()
        if kind == "application/json":
            params.update(json_body.decode(request.body))
        else:
            params.update(decode_form(request.body.decode("latin-1")))
    params.update(decode_form(request.query))
    return params


def run(
    request: Request,
    path: str,
    params: dict[str, Any],
    credentials: Credentials,
    output_format: str,
    *,
    trusted: bool,
    started: float,
) -> Response:
    """Find the method, check the permission, then forward the request or execute it."""
    data: Any = None
    call: Call | None = None
    try:
        method, path_params = lookup(request.method, path)
        complete = merge(params, path_params)
        if credentials.api_token and not method.allow_token:
            raise PermissionDenied(f"URI '{path}' not available with API token, need proper ticket.\n")
        permissions.check_method(method.permissions, credentials.user, complete)
        target = forward_target(method, path, complete, trusted=trusted)
        if target:
            return forward(request, params, credentials, target, trusted=trusted)
        # PVE's methods take "localhost" for this node
        if complete.get("node") == "localhost":
            complete["node"] = settings.nodename()
        call = make_call(
            method, path, complete, user=credentials.user, environment="priv" if trusted else "pub",
            client_address=request.peer, credentials=vars(credentials),
        )  # fmt: skip
        data = method.function(call)
        status, message, errors = 200, "OK", None
    except ApiError as error:
        status, message, errors = error.status, error.message, error.errors
    except NotEmulated as error:
        status, message, errors = NOT_EMULATED_STATUS, str(error), None
    except Exception as error:  # noqa: BLE001 - a gap of the emulation must never look like Proxmox's answer
        traceback.print_exc()
        status, errors = NOT_EMULATED_STATUS, None
        message = f"practice node: not emulated: internal error: {type(error).__name__}: {error}"
    delay = max(0.0, UNAUTHORIZED_DELAY - (time.monotonic() - started)) if status == 401 else 0.0
    attributes = call.result_attributes if call else {}
    return format_result(output_format, status, message, data, errors, attributes, delay)


def merge(params: dict[str, Any], path_params: dict[str, str]) -> dict[str, Any]:
    """Put path and request parameters together."""
    for name in sorted(params):
        if name in path_params and path_params[name] != params[name]:
            raise ParameterErrors({name: "duplicate parameter (already defined in URI) with conflicting values!"})
    return {**path_params, **params}


@dataclass(frozen=True)
class Target:
    """Who else must answer: a node (None: this node's pvedaemon)."""

    node: str | None
    address: str


def forward_target(method: Method, path: str, params: dict[str, Any], *, trusted: bool) -> Target | None:
    """Return who else must answer, None for this process."""
    if method.proxyto:
        node, address = resolve_node(method, path, params)
        if node is not None:
            return Target(node, address)
    if method.protected and not trusted:
        return Target(None, "localhost")
    return None


def forward(
    request: Request, params: dict[str, Any], credentials: Credentials, target: Target, *, trusted: bool
) -> Response:
    """Hand the request on."""
    if trusted:
        return plain(500, "proxy not allowed")
    if target.node is not None and request.header("pvedisableproxy"):
        return plain(500, "proxy loop detected")
    headers = {"PVEDisableProxy": "true", "PVEClientIP": request.peer}
    if credentials.ticket:
        headers["cookie"] = f"PVEAuthCookie={quote_cookie(credentials.ticket)}"
    if credentials.api_token:
        headers["Authorization"] = f"PVEAPIToken={credentials.api_token}"
    if credentials.csrf_token:
        headers["CSRFPreventionToken"] = credentials.csrf_token
    for name in ("Host", "Accept-Encoding"):
        value = request.header(name)
        if value:
            headers[name] = value
    return relay(request, params, headers, node=target.node, address=target.address)


def quote_cookie(ticket: str) -> str:
    """Escape a ticket for the cookie, as PVE's create_auth_cookie does."""
    return ticket.replace("%", "%25").replace(":", "%3A").replace("=", "%3D").replace("/", "%2F").replace("+", "%2B")


def format_result(
    output_format: str,
    status: int,
    message: str,
    data: Any,
    errors: dict[str, str] | None,
    attributes: dict[str, Any],
    delay: float,
) -> Response:
    """Return the JSON answer; "extjs" always has status 200 and a success flag."""
    body: dict[str, Any] = {"data": data}
    if errors:
        body["errors"] = errors
    failed = status >= 400
    if failed:
        body["message"] = message
    if output_format == "extjs":
        if failed:
            body["status"] = status
            status, message = 200, ""
        body["success"] = 0 if failed or errors else 1
    if not errors:
        body.update({key: attributes[key] for key in ("total", "changes") if attributes.get(key)})
    raw = to_json(body, sort_keys=False).encode("utf-8", "surrogateescape")
    return Response(status, message, raw, [("Content-Type", "application/json;charset=UTF-8")], delay=delay)
