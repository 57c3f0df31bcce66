# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/access: tickets, passwords, permissions, realms."""

from __future__ import annotations

import hashlib
import re
import sys
from typing import Any

from practice_pve.access import domains, files, passwords, permissions, tickets
from practice_pve.access.user_config import check_user_exists, load, verify_username
from practice_pve.rest import AnyUser, ApiError, Call, Check, NotEmulated, PermissionDenied, World, api_method
from practice_pve.rest.parameters import Array, Boolean, Null, Object, Text

USER = Text(format="pve-userid", max_length=64)
NO_SECOND_FACTORS = '{"users":{}}'
SUBDIRECTORIES = ("users", "groups", "roles", "acl", "domains", "openid", "tfa", "ticket", "password")


@api_method(
    "GET",
    "/access",
    permissions=AnyUser(),
    child_link="subdir",
    returns=Array(items=Object(properties={"subdir": Text()})),
)
def index(_call: Call) -> list[dict[str, str]]:
    """List the parts."""
    return [{"subdir": name} for name in SUBDIRECTORIES]


@api_method("GET", "/access/ticket", permissions=World(), returns=Null())
def get_ticket(_call: Call) -> None:
    """Do nothing, as the real one."""


@api_method(
    "POST",
    "/access/ticket",
    permissions=World(),
    protected=True,
    allow_token=False,
    parameters={
        "username": Text(max_length=64),
        "password": Text(),
        "realm": Text(format="pve-realm", optional=True, max_length=32),
        "otp": Text(optional=True),
        "path": Text(optional=True, requires="privs", max_length=64),
        "privs": Text(optional=True, requires="path", format="string-list", max_length=64),
        "tfa-challenge": Text(optional=True),
        "new-format": Boolean(optional=True, default=1),
    },
)
def create_ticket(call: Call) -> dict[str, Any]:
    """Check a password (or a still valid ticket in its place) and return a new ticket."""
    given = call.params
    user = given["username"]
    if given.get("realm"):
        user = f"{user}@{given['realm']}"
    if given.get("otp") or given.get("tfa-challenge"):
        raise NotEmulated("second factor")
    try:
        verify_username(user)
        if not is_own_ticket(user, given["password"]):
            passwords.authenticate(user, given["password"])
        if given.get("path"):
            check_path(user, given["path"], given["privs"])
            return {"username": user}
    except ApiError as error:
        address = call.client_address
        print(f"authentication failure; rhost={address} user={user} msg={error}", file=sys.stderr)
        raise ApiError("authentication failure\n", status=401) from None
    return {
        "ticket": tickets.assemble_ticket(user),
        "username": user,
        "CSRFPreventionToken": tickets.assemble_csrf_token(user),
        "cap": permissions.capabilities(user),
        **cluster_name(),
    }


def is_own_ticket(user: str, text: str) -> bool:
    """True when the "password" is a valid ticket of this user."""
    try:
        return tickets.verify_ticket(text) == user
    except ApiError:
        return False


def check_path(user: str, path: str, privileges: str) -> None:
    """Raise unless the user has the privileges."""
    permissions.require(user, path, re.split(r"[,;\s]+", privileges.strip()))


def cluster_name() -> dict[str, str]:
    """Return the cluster's name, where there is a cluster and the user may know it."""
    found = re.search(r"^\s*cluster_name:\s*(\S+)", files.read_text("corosync.conf") or "", re.MULTILINE)
    return {"clustername": found[1]} if found else {}


@api_method(
    "PUT",
    "/access/password",
    permissions=Check("or", ["userid-param", "self"], ["and", ["userid-param", "Realm.AllocateUser"], ["userid-group", ["User.Modify"]]]),
    protected=True,
    allow_token=False,
    parameters={
        "userid": USER,
        "password": Text(min_length=8, max_length=64),
        "confirmation-password": Text(min_length=5, max_length=64, optional=True),
    },
    returns=Null(),
)  # fmt: skip
def change_password(call: Call) -> None:
    """Set a user's password."""
    userid = call.params["userid"]
    verify_username(userid)
    check_user_exists(load(), userid)
    if userid == "root@pam" and not call.is_root:
        raise PermissionDenied
    if not call.is_root:
        if "confirmation-password" not in call.params:
            raise ApiError("Parameter verification failed.\n", status=400, errors={
                "confirmation-password": "password is required to modify user"
            })  # fmt: skip
        passwords.authenticate(str(call.user), call.params["confirmation-password"])
    passwords.store(userid, call.params["password"])


@api_method(
    "GET",
    "/access/permissions",
    permissions=AnyUser(),
    parameters={
        "userid": Text(optional=True, pattern=r"[^\s:/]+@[A-Za-z][A-Za-z0-9.\-_]+(?:![A-Za-z][A-Za-z0-9.\-_]+)?"),
        "path": Text(optional=True),
    },
    returns=Object(),
)
def get_permissions(call: Call) -> dict[str, Any]:
    """Return what a user may do where."""
    user = call.params.get("userid") or str(call.user)
    if user != call.user and not permissions.has(str(call.user), "/access", ["Sys.Audit"]):
        raise PermissionDenied("/access, Sys.Audit")
    path = call.params.get("path")
    if path:
        granted = permissions.privileges(permissions.current_config(), user, path)
        return {path: granted} if granted else {}
    return permissions.effective(user)


@api_method(
    "GET",
    "/access/domains",
    permissions=World(),
    child_link="realm",
    returns=Array(
        items=Object(
            properties={
                "realm": Text(),
                "type": Text(),
                "comment": Text(optional=True),
                "tfa": Text(optional=True),
            }
        )
    ),
)
def list_domains(_call: Call) -> list[dict[str, Any]]:
    """List the realms that one can log in to."""
    result = []
    for realm, config in domains.load().items():
        entry = {"realm": realm, "type": config["type"]}
        entry |= {key: config[key] for key in ("comment", "default", "tfa") if config.get(key)}
        result.append(entry)
    return result


@api_method(
    "GET",
    "/access/domains/{realm}",
    permissions=Check("perm", "/access/realm", ["Realm.Allocate", "Sys.Audit"], "any", 1),
    parameters={"realm": Text(format="pve-realm", max_length=32)},
    returns=Object(),
)
def get_domain(call: Call) -> dict[str, Any]:
    """Return one realm's settings."""
    realm = call.params["realm"]
    config = domains.load().get(realm)
    if config is None:
        raise ApiError(f"domain '{realm}' does not exist\n")
    digest = hashlib.sha1((files.read_text(domains.NAME) or "").encode()).hexdigest()
    built_in = {"plugin": f"PVE::Auth::{realm.upper()}"} if realm in domains.BUILT_IN else {}
    return {**config, **built_in, "digest": digest}


@api_method("GET", "/access/tfa", permissions=AnyUser(), protected=True, returns=Array(items=Object()))
def list_tfa(_call: Call) -> list[Any]:
    """List second factors: a practice node has none."""
    if (files.read_text("priv/tfa.cfg") or NO_SECOND_FACTORS).strip() != NO_SECOND_FACTORS:
        raise NotEmulated("second factors in /etc/pve/priv/tfa.cfg")
    return []
