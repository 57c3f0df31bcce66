# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/access/groups, roles and acl."""

from __future__ import annotations

import re
from typing import Any

from practice_pve.access import files, permissions
from practice_pve.access.roles import SPECIAL_ROLES
from practice_pve.access.tokens import split_token_id
from practice_pve.access.user_config import Group, UserConfig, check_user_exists, load, normalize_path, save
from practice_pve.rest import AnyUser, ApiError, Call, Check, ParameterErrors, api_method
from practice_pve.rest.formats import split_list
from practice_pve.rest.parameters import Array, Boolean, Null, Object, Text

GROUP_ID = Text(format="pve-groupid")
ROLE_ID = Text(format="pve-roleid")
GROUP_ALLOCATE = Check("perm", "/access/groups", ["Group.Allocate"])
MODIFY = Check("perm", "/access", ["Sys.Modify"])
COMMENT = Text(optional=True)
NAME = r"[A-Za-z0-9.\-_]+"
ACL_PATH = re.compile(
    rf"/|/access(/groups(/{NAME})?|/realm(/{NAME})?)?|/nodes(/{NAME})?|/pool(/{NAME}){{0,3}}|/storage(/{NAME})?"
    rf"|/vms(/[1-9][0-9]{{2,}})?|/mapping(/{NAME}){{0,2}}"
    rf"|/sdn(/(controllers|dns|fabrics|ipams|prefix-lists|route-maps)(/{NAME})?|/zones(/{NAME}){{0,3}})?"
)


@api_method(
    "GET",
    "/access/groups",
    permissions=AnyUser(),
    child_link="groupid",
    returns=Array(items=Object(properties={"groupid": Text(), "comment": COMMENT, "users": Text(optional=True)})),
)
def list_groups(call: Call) -> list[dict[str, Any]]:
    """List the groups that the caller may see."""
    wanted = ["User.Modify", "Sys.Audit", "Group.Allocate"]
    return [
        {"groupid": name, **describe_group(group)}
        for name, group in load().groups.items()
        if permissions.has(str(call.user), f"/access/groups/{name}", wanted, any_of=True)
    ]


def describe_group(group: Group) -> dict[str, str]:
    """Return a group as the list shows it."""
    entry = {"users": ",".join(sorted(group.users))}
    return {**entry, "comment": group.comment} if group.comment else entry


def require_group(config: UserConfig, name: str) -> Group:
    """Return an existing group."""
    if name not in config.groups:
        raise ApiError(f"group '{name}' does not exist\n")
    return config.groups[name]


@api_method("POST", "/access/groups", permissions=GROUP_ALLOCATE, protected=True, parameters={
    "groupid": GROUP_ID, "comment": COMMENT,
}, returns=Null())  # fmt: skip
def create_group(call: Call) -> None:
    """Create a group."""
    name = call.params["groupid"]
    with files.locked("user.cfg", "create group failed"):
        config = load()
        if name in config.groups:
            raise ApiError(f"group '{name}' already exists\n")
        config.groups[name] = Group(comment=call.params.get("comment", ""))
        save(config)


@api_method(
    "GET",
    "/access/groups/{groupid}",
    permissions=Check("perm", "/access/groups", ["Sys.Audit", "Group.Allocate"], "any", 1),
    parameters={"groupid": GROUP_ID},
    returns=Object(properties={"comment": COMMENT, "members": Array(items=Text())}),
)
def get_group(call: Call) -> dict[str, Any]:
    """Return one group."""
    group = require_group(load(), call.params["groupid"])
    entry: dict[str, Any] = {"members": sorted(group.users)}
    return {**entry, "comment": group.comment} if group.comment else entry


@api_method("PUT", "/access/groups/{groupid}", permissions=GROUP_ALLOCATE, protected=True, parameters={
    "groupid": GROUP_ID, "comment": COMMENT,
}, returns=Null())  # fmt: skip
def update_group(call: Call) -> None:
    """Change a group's comment."""
    with files.locked("user.cfg", "update group failed"):
        config = load()
        group = require_group(config, call.params["groupid"])
        group.comment = call.params.get("comment", group.comment)
        save(config)


@api_method("DELETE", "/access/groups/{groupid}", permissions=GROUP_ALLOCATE, protected=True, parameters={
    "groupid": GROUP_ID,
}, returns=Null())  # fmt: skip
def delete_group(call: Call) -> None:
    """Delete a group and what it was allowed to."""
    name = call.params["groupid"]
    with files.locked("user.cfg", "delete group failed"):
        config = load()
        require_group(config, name)
        del config.groups[name]
        for entry in config.acl.values():
            entry["groups"].pop(name, None)
        save(config)


@api_method(
    "GET",
    "/access/roles",
    permissions=AnyUser(),
    child_link="roleid",
    returns=Array(
        items=Object(properties={"roleid": Text(), "privs": Text(optional=True), "special": Boolean(optional=True)})
    ),
)
def list_roles(_call: Call) -> list[dict[str, Any]]:
    """List the roles."""
    roles = {**SPECIAL_ROLES, **load().roles}
    return [
        {"roleid": name, "privs": ",".join(sorted(privileges)), "special": 1 if name in SPECIAL_ROLES else 0}
        for name, privileges in roles.items()
    ]


@api_method("POST", "/access/roles", permissions=MODIFY, protected=True, parameters={
    "roleid": ROLE_ID, "privs": Text(format="pve-priv-list", optional=True),
}, returns=Null())  # fmt: skip
def create_role(call: Call) -> None:
    """Create a role."""
    name = call.params["roleid"]
    if re.match("PVE", name, re.IGNORECASE):
        raise ParameterErrors({"roleid": "cannot use role ID starting with the (case-insensitive) 'PVE' namespace"})
    with files.locked("user.cfg", "create role failed"):
        config = load()
        if config.role_privileges(name) is not None:
            raise ApiError(f"role '{name}' already exists\n")
        config.roles[name] = set(split_list(call.params.get("privs", "")))
        save(config)


@api_method("GET", "/access/roles/{roleid}", permissions=AnyUser(), parameters={"roleid": ROLE_ID}, returns=Object())
def get_role(call: Call) -> dict[str, int]:
    """Return a role's privileges."""
    privileges = load().role_privileges(call.params["roleid"])
    if privileges is None:
        raise ApiError(f"role '{call.params['roleid']}' does not exist\n")
    return dict.fromkeys(sorted(privileges), 1)


@api_method("PUT", "/access/roles/{roleid}", permissions=MODIFY, protected=True, parameters={
    "roleid": ROLE_ID, "privs": Text(format="pve-priv-list", optional=True),
    "append": Boolean(optional=True, requires="privs"),
}, returns=Null())  # fmt: skip
def update_role(call: Call) -> None:
    """Change a role's privileges."""
    name = call.params["roleid"]
    if name in SPECIAL_ROLES:
        raise ApiError(f"auto-generated role '{name}' cannot be modified\n")
    with files.locked("user.cfg", "update role failed"):
        config = load()
        if name not in config.roles:
            raise ApiError(f"role '{name}' does not exist\n")
        added = set(split_list(call.params.get("privs", "")))
        config.roles[name] = config.roles[name] | added if call.params.get("append") else added
        save(config)


@api_method("DELETE", "/access/roles/{roleid}", permissions=MODIFY, protected=True, parameters={
    "roleid": ROLE_ID,
}, returns=Null())  # fmt: skip
def delete_role(call: Call) -> None:
    """Delete a role."""
    name = call.params["roleid"]
    if name in SPECIAL_ROLES:
        raise ApiError(f"auto-generated role '{name}' cannot be deleted\n")
    with files.locked("user.cfg", "delete role failed"):
        config = load()
        if config.roles.pop(name, None) is None:
            raise ApiError(f"role '{name}' does not exist\n")
        save(config)


@api_method(
    "GET",
    "/access/acl",
    permissions=AnyUser(),
    returns=Array(
        items=Object(
            properties={
                "path": Text(),
                "type": Text(),
                "ugid": Text(),
                "roleid": Text(),
                "propagate": Boolean(optional=True),
            }
        )
    ),
)
def list_acl(call: Call) -> list[dict[str, Any]]:
    """List the entries that the caller may see: those of paths it may change, or all for an auditor."""
    user = str(call.user)
    auditor = permissions.has(user, "/access", ["Sys.Audit"])
    result = []
    for path, entry in load().acl.items():
        if not auditor and not permissions.has(user, path, ["Permissions.Modify"]):
            continue
        for kind in ("users", "groups", "tokens"):
            for name, roles in entry[kind].items():
                result += [
                    {"path": path, "type": kind[:-1], "ugid": name, "roleid": role, "propagate": propagate}
                    for role, propagate in roles.items()
                ]
    return result


@api_method(
    "PUT",
    "/access/acl",
    permissions=Check("perm-modify", "{path}"),
    protected=True,
    parameters={
        "path": Text(),
        "users": Text(format="pve-userid-list", optional=True),
        "groups": Text(format="pve-groupid-list", optional=True),
        "tokens": Text(format="pve-tokenid-list", optional=True),
        "roles": Text(format="pve-roleid-list"),
        "propagate": Boolean(optional=True, default=1),
        "delete": Boolean(optional=True),
    },
    returns=Null(),
)
def update_acl(call: Call) -> None:
    """Add or remove entries; removing what is not there is no error."""
    given = call.params
    if not any(given.get(kind) for kind in ("users", "groups", "tokens")):
        text = "either 'users', 'groups' or 'tokens' is required."
        raise ParameterErrors(dict.fromkeys(("users", "groups", "tokens"), text))
    path = normalize_path(given["path"])
    if path is None or (not given.get("delete") and not ACL_PATH.fullmatch(path)):
        raise ParameterErrors({"path": f"invalid ACL path '{given['path']}'"})
    with files.locked("user.cfg", "ACL update failed"):
        config = load()
        for role in split_list(given["roles"]):
            if config.role_privileges(role) is None:
                raise ApiError(f"role '{role}' does not exist\n")
            check_may_hand_out(config, call, path, role)
            for kind in ("groups", "users", "tokens"):
                for name in split_list(given.get(kind, "")):
                    change_entry(config, path, kind, name, role, given)
        config.acl = {path: entry for path, entry in config.acl.items() if any(entry.values())}
        save(config)


def check_may_hand_out(config: UserConfig, call: Call, path: str, role: str) -> None:
    """Without Permissions.Modify one can only hand out what one has."""
    own = permissions.privileges(config, str(call.user), path)
    if "Permissions.Modify" in own:
        return
    verb = "remove" if call.params.get("delete") else "add"
    if role == "NoAccess":
        raise ParameterErrors({"role": f"Cannot {verb} role '{role}' - requires 'Permissions.Modify'"})
    if any(privilege not in own for privilege in config.role_privileges(role) or ()):
        raise ParameterErrors(
            {"role": f"Cannot {verb} role '{role}' - requires 'Permissions.Modify' or superset of privileges."}
        )


def change_entry(config: UserConfig, path: str, kind: str, name: str, role: str, given: dict[str, Any]) -> None:
    """Add or remove one role of one name."""
    if kind == "groups":
        require_group(config, name)
    elif kind == "users":
        if name not in config.users:
            raise ApiError(f"user '{name}' does not exist\n")
    else:
        user, token = split_token_id(name)
        if token not in check_user_exists(config, user).tokens:
            raise ApiError(f"no such token '{token}' for user '{user}'\n")
    entry = config.acl_entry(path)[kind]
    if given.get("delete"):
        roles = entry.get(name, {})
        roles.pop(role, None)
        if not roles:
            entry.pop(name, None)
    else:
        entry.setdefault(name, {})[role] = int(given.get("propagate", True))
