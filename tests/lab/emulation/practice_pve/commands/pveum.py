# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pveum: users, tokens, groups, roles and permissions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from practice_pve.access import permissions
from practice_pve.access.user_config import load
from practice_pve.rest.call import Call
from practice_pve.rest.command_line import Alias, Command, print_formatted, run_command
from practice_pve.rest.errors import ApiError
from practice_pve.rest.methods import Method
from practice_pve.rest.output import STANDARD_OPTIONS, print_result
from practice_pve.rest.parameters import Array, Object, Text

from .password_prompt import ask, ask_twice

USER, GROUP, ROLE, ACL, DOMAIN, POOL = (
    f"PVE::API2::{name}" for name in ("User", "Group", "Role", "ACL", "Domains", "Pool")
)
PRINTED: dict[str, Any] = {"output": print_formatted, "formatter": STANDARD_OPTIONS}


def print_permissions(result: dict[str, dict[str, int]], _method: Method, options: dict[str, Any]) -> None:
    """Print path and privileges, a "(*)" behind those that propagate."""
    if (options.get("output-format") or "text") != "text":
        print_result(result, Object(), options)
        return
    rows = [
        {
            "path": path,
            "permissions": "\n".join(f"{name} (*)" if granted[name] else name for name in sorted(granted)),
        }
        for path, granted in sorted(result.items())
    ]
    columns = {"path": Text(title="ACL path"), "permissions": Text(title="Permissions")}
    print_result(rows, Array(items=Object(properties=columns)), options, ["path", "permissions"])
    print("Permissions marked with '(*)' have the 'propagate' flag set.")


def token_permissions(call: Call) -> dict[str, dict[str, int]]:
    """Return what a token may do."""
    user, token = call.params["userid"], call.params["tokenid"]
    config = load()
    if user not in config.users:
        raise ApiError(f"no such user ('{user}')\n")
    if token not in config.users[user].tokens:
        raise ApiError(f"no such token '{token}' for user '{user}'\n")
    return permissions.effective(f"{user}!{token}", config)


def print_ticket(result: dict[str, str], _method: Method, _options: dict[str, Any]) -> None:
    """Print the ticket alone."""
    print(result["ticket"])


TOKEN_PATH = "/access/users/{userid}/token/{tokenid}"
TOKEN = ("userid", "tokenid")
COMMANDS: dict[str, Any] = {
    "user": {
        "add": Command("POST", "/access/users", ("userid",), group=USER),
        "modify": Command("PUT", "/access/users/{userid}", ("userid",), group=USER),
        "delete": Command("DELETE", "/access/users/{userid}", ("userid",), group=USER),
        "list": Command("GET", "/access/users", group=USER, **PRINTED),
        "permissions": Command(
            "GET", "/access/permissions", ("userid",), output=print_permissions, formatter=STANDARD_OPTIONS,
            group="PVE::API2::AccessControl",
        ),
        "token": {
            "add": Command("POST", TOKEN_PATH, TOKEN, group=USER, **PRINTED),
            "modify": Command("PUT", TOKEN_PATH, TOKEN, group=USER, **PRINTED),
            "delete": Command("DELETE", TOKEN_PATH, TOKEN, group=USER, **PRINTED),
            "remove": Alias("delete"),
            "list": Command("GET", "/access/users/{userid}/token", ("userid",), group=USER, **PRINTED),
            "permissions": Command(
                function=token_permissions, arguments=TOKEN, output=print_permissions, formatter=STANDARD_OPTIONS,
                group="PVE::CLI::pveum",
                parameters={
                    "userid": Text(format="pve-userid", max_length=64),
                    "tokenid": Text(pattern=r"[A-Za-z][A-Za-z0-9.\-_]+"),
                    "path": Text(optional=True),
                },
            ),
        },
    },
    "group": {
        "add": Command("POST", "/access/groups", ("groupid",), group=GROUP),
        "modify": Command("PUT", "/access/groups/{groupid}", ("groupid",), group=GROUP),
        "delete": Command("DELETE", "/access/groups/{groupid}", ("groupid",), group=GROUP),
        "list": Command("GET", "/access/groups", group=GROUP, **PRINTED),
    },
    "role": {
        "add": Command("POST", "/access/roles", ("roleid",), group=ROLE),
        "modify": Command("PUT", "/access/roles/{roleid}", ("roleid",), group=ROLE),
        "delete": Command("DELETE", "/access/roles/{roleid}", ("roleid",), group=ROLE),
        "list": Command("GET", "/access/roles", group=ROLE, **PRINTED),
    },
    "acl": {
        "modify": Command("PUT", "/access/acl", ("path",), fixed={"delete": "0"}, group=ACL),
        "delete": Command("PUT", "/access/acl", ("path",), fixed={"delete": "1"}, group=ACL),
        "list": Command("GET", "/access/acl", group=ACL, **PRINTED),
    },
    "realm": {
        "list": Command("GET", "/access/domains", group=DOMAIN, **PRINTED),
    },
    "pool": {
        "add": Command("POST", "/pools", ("poolid",), group=POOL),
        "modify": Command("PUT", "/pools", ("poolid",), group=POOL),
        "delete": Command("DELETE", "/pools", ("poolid",), group=POOL),
        "list": Command("GET", "/pools", group=POOL, **PRINTED),
    },
    "ticket": Command(
        "POST", "/access/ticket", ("username",), output=print_ticket, interactive={"password": ask},
        group="PVE::API2::AccessControl",
    ),
    "passwd": Command(
        "PUT", "/access/password", ("userid",), interactive={"password": ask_twice}, group="PVE::API2::AccessControl"
    ),
    "useradd": Alias("user add"),
    "usermod": Alias("user modify"),
    "userdel": Alias("user delete"),
    "groupadd": Alias("group add"),
    "groupmod": Alias("group modify"),
    "groupdel": Alias("group delete"),
    "roleadd": Alias("role add"),
    "rolemod": Alias("role modify"),
    "roledel": Alias("role delete"),
    "aclmod": Alias("acl modify"),
    "acldel": Alias("acl delete"),
}  # fmt: skip


def main(argv: Sequence[str]) -> int:
    """Entry point."""
    return run_command("pveum", COMMANDS, argv)
