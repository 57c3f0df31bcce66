# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user may do on a path, and PVE's permission rules of a method."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from practice_pve.rest.errors import ApiError, PermissionDenied
from practice_pve.rest.formats import split_list
from practice_pve.rest.methods import AnyUser, Check, Permissions, RootOnly, World

from . import files
from .roles import ALL_PRIVILEGES, SPECIAL_ROLES
from .tokens import is_token_id, split_token_id
from .user_config import NAME, UserConfig, check_user_exists, is_username, normalize_path, parse, verify_username


@lru_cache(maxsize=4)
def parse_cached(text: str) -> UserConfig:
    return parse(text)


loaded_text: str | None = None


def use_text(text: str | None) -> None:
    """Take this as user.cfg for the present request: a daemon reads it once per request."""
    global loaded_text
    loaded_text = text


def current_config() -> UserConfig:
    """Return user.cfg for reading only."""
    return parse_cached((files.read_text(NAME) if loaded_text is None else loaded_text) or "")


def roles(config: UserConfig, user: str, path: str) -> dict[str, int]:
    """Return role -> propagate of a user or token on a path: the nearest entry counts, a user's own before its groups'."""
    if is_token_id(user):
        owner, name = split_token_id(user)
        token = config.users[owner].tokens.get(name) if owner in config.users else None
        if token is None:
            return {}
        if not token.privsep:
            return roles(config, owner, path)
    result: dict[str, int] = {}
    parts = [part for part in path.split("/") if part]
    for depth in range(len(parts) + 1):
        entry = config.acl.get("/" + "/".join(parts[:depth]))
        if entry is None:
            continue
        final = depth == len(parts)
        own = entry["tokens"].get(user, {}) or entry["users"].get(user, {})
        granted = {role: flag for role, flag in own.items() if final or flag}
        if not granted:
            for group, group_roles in entry["groups"].items():
                if group in config.groups and user in config.groups[group].users:
                    granted |= {role: flag for role, flag in group_roles.items() if final or flag}
        if granted:
            result = granted
    return {"NoAccess": result["NoAccess"]} if "NoAccess" in result else result


def privileges(config: UserConfig, user: str, path: str) -> dict[str, int]:
    """Return privilege -> propagate on a path."""
    if user == "root@pam":
        return dict.fromkeys(SPECIAL_ROLES["Administrator"], 1)
    owner = None
    if is_token_id(user):
        owner, name = split_token_id(user)
        token = config.users[owner].tokens.get(name) if owner in config.users else None
        if token is None:
            return {}
        if not token.privsep:
            return privileges(config, owner, path)
    elif not is_username(user):
        return {}
    granted = with_pool_roles(config, user, path, roles(config, user, path))
    result: dict[str, int] = {}
    for role, flag in granted.items():
        for privilege in config.role_privileges(role) or ():
            result[privilege] = result.get(privilege, 0) or flag
    if owner and owner != "root@pam":
        of_owner = privileges(config, owner, path)
        result = {name: int(of_owner[name] and flag) for name, flag in result.items() if name in of_owner}
    return result


def with_pool_roles(config: UserConfig, user: str, path: str, granted: dict[str, int]) -> dict[str, int]:
    """Add what a pool's members get from the pool's own entries."""
    kind, _, name = path.strip("/").partition("/")
    if kind not in ("vms", "storage") or "NoAccess" in granted:
        return granted
    result = dict(granted)
    for pool_name, pool in config.pools.items():
        members = pool.storage if kind == "storage" else {str(vmid) for vmid in pool.vms}
        if name in members:
            for role in roles(config, user, f"/pool/{pool_name}"):
                if role == "NoAccess":
                    return {"NoAccess": 0}
                result.setdefault(role, 0)
    return result


def has(user: str, path: str, wanted: Sequence[str], *, any_of: bool = False) -> bool:
    """True when the user has all (or one) of the privileges on the path."""
    granted = privileges(current_config(), user, path)
    return any(name in granted for name in wanted) if any_of else all(name in granted for name in wanted)


def require(user: str, path: str, wanted: Sequence[str], *, any_of: bool = False) -> None:
    """Raise 403 with the missing privilege unless ``has``."""
    granted = privileges(current_config(), user, path)
    if any_of:
        if not any(name in granted for name in wanted):
            raise PermissionDenied(f"{path}, {'|'.join(wanted)}")
        return
    for name in wanted:
        if name not in granted:
            raise PermissionDenied(f"{path}, {name}")


def check_method(permissions: Permissions, user: str | None, params: Mapping[str, Any]) -> None:
    """Raise 403 unless the user may call a method with these (unverified) parameters."""
    if user is None:
        if isinstance(permissions, World):
            return
        raise PermissionDenied("user != null")
    if user == "root@pam" or isinstance(permissions, AnyUser):
        return
    if isinstance(permissions, RootOnly):
        raise PermissionDenied("user != root@pam")
    if isinstance(permissions, Check):
        run_check(list(permissions.rule), user, params)
        return
    raise PermissionDenied


def passes(rule: Sequence[Any], user: str, params: Mapping[str, Any]) -> bool:
    """True when a rule lets the user through."""
    try:
        run_check(rule, user, params)
    except ApiError:
        return False
    return True


def run_check(rule: Sequence[Any], user: str, params: Mapping[str, Any]) -> None:
    """Apply one rule: ("perm", path, [privileges], "any", 1, "require_param", name), ("and"|"or", rule...), ..."""
    kind, *rest = rule
    if kind == "and":
        for part in rest:
            run_check(part, user, params)
    elif kind == "or":
        if not any(passes(part, user, params) for part in rest):
            raise PermissionDenied
    elif kind == "perm":
        check_path_rule(rest, user, params)
    elif kind == "perm-modify":
        require_modify(user, normalize_path(fill_path(rest[0], params)))
    elif kind == "userid-param":
        check_userid_param(rest[0], user, params)
    elif kind == "userid-group":
        check_userid_group(rest, user, params)
    else:
        raise AssertionError(f"unknown permission test {kind}")


def fill_path(template: str, params: Mapping[str, Any]) -> str:
    """Put parameters into "/vms/{vmid}"."""
    return re.sub(r"\{([\w-]+)\}", lambda found: str(params.get(found[1], "")), template)


def check_path_rule(rest: list[Any], user: str, params: Mapping[str, Any]) -> None:
    """The "perm" rule."""
    template, wanted, *pairs = rest
    options = dict(zip(pairs[::2], pairs[1::2], strict=True))
    if options.get("require_param") and params.get(options["require_param"]) is None:
        raise PermissionDenied
    require(user, normalize_path(fill_path(template, params)) or "", wanted, any_of=bool(options.get("any")))


def require_modify(user: str, path: str | None) -> None:
    """Changing an ACL needs Permissions.Modify, or the privilege to allocate what the path names."""
    wanted = ["Permissions.Modify"]
    for prefix, privilege in (
        ("/storage/", "Datastore.Allocate"),
        ("/vms/", "VM.Allocate"),
        ("/pool/", "Pool.Allocate"),
    ):
        if path and path.startswith(prefix):
            wanted.append(privilege)
    require(user, path or "/access", wanted, any_of=True)


def check_userid_param(test: str, user: str, params: Mapping[str, Any]) -> None:
    """The "userid-param" rule: the user itself, or the right to make users in the realm."""
    name, _user, realm = verify_username(str(params.get("userid", "")))
    if test == "self":
        check_user_exists(current_config(), name)
        if user != name:
            raise PermissionDenied
    else:
        require(user, f"/access/realm/{realm}", ["Realm.AllocateUser"])


def check_userid_group(rest: list[Any], user: str, params: Mapping[str, Any]) -> None:
    """The "userid-group" rule: a privilege on all groups, or on one of the user's groups."""
    wanted, *pairs = rest
    options = dict(zip(pairs[::2], pairs[1::2], strict=True))
    config = current_config()
    existing = options.get("groups_param") != "create"
    userid = str(params.get("userid", ""))
    if existing:
        check_user_exists(config, userid)
    if has(user, "/access/groups", wanted, any_of=True):
        return
    allowed = {name for name in config.groups if has(user, f"/access/groups/{name}", wanted, any_of=True)}
    if options.get("groups_param"):
        groups = split_list(str(params.get("groups") or ""))
        if not groups:
            raise PermissionDenied(f"/access/groups, {'|'.join(wanted)}")
        for group in groups:
            if group not in allowed:
                raise PermissionDenied(f"/access/groups/{group}, {'|'.join(wanted)}")
    if existing and not any(userid in config.groups[name].users for name in allowed):
        raise PermissionDenied


def effective(user: str, config: UserConfig | None = None) -> dict[str, dict[str, int]]:
    """Return path -> privilege -> propagate for every path that says something about the user."""
    config = config or current_config()
    paths = {"/", "/access", "/access/groups", "/nodes", "/pool", "/sdn", "/storage", "/vms", *config.acl}
    for pool in config.pools.values():
        paths |= {f"/vms/{vmid}" for vmid in pool.vms} | {f"/storage/{name}" for name in pool.storage}
    result = {path: privileges(config, user, path) for path in paths}
    return {path: granted for path, granted in result.items() if granted}


CAPABILITIES = {
    "vms": r"VM\.|Permissions\.Modify",
    "access": r"(User|Group)\.|Permissions\.Modify",
    "storage": r"Datastore\.|Permissions\.Modify",
    "nodes": r"Sys\.|Permissions\.Modify",
    "sdn": r"SDN\.|Permissions\.Modify",
    "dc": r"Sys\.Audit|Sys\.Modify|SDN\.",
    "mapping": r"Mapping\.|Permissions.Modify",
}


def capabilities(user: str) -> dict[str, dict[str, int]]:
    """Return the "cap" of a ticket's answer: what the web interface shows."""
    config = current_config()
    result: dict[str, dict[str, int]] = {name: {} for name in CAPABILITIES}
    paths = dict.fromkeys(["/", "/nodes", "/access/groups", "/vms", "/storage", "/sdn", "/mapping", *config.acl])
    for path in paths:
        top = path.strip("/").split("/")[0] or "dc"
        for privilege in privileges(config, user, path):
            if top == "pool":
                targets = [
                    name for name, prefix in (("vms", "VM."), ("storage", "Datastore.")) if privilege.startswith(prefix)
                ] or (["vms", "storage"] if privilege == "Permissions.Modify" else [])
                for target in targets:
                    result[target][privilege] = 1
            elif top in CAPABILITIES and re.match(CAPABILITIES[top], privilege):
                result[top][privilege] = 1
    return result


__all__ = ["ALL_PRIVILEGES", "capabilities", "check_method", "effective", "has", "privileges", "require", "roles"]
