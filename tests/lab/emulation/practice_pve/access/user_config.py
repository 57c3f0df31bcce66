# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""user.cfg: users, tokens, groups, pools, roles and the access control list, in PVE's format."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from practice_pve.rest.errors import ApiError
from practice_pve.rest.formats import FormatError, register_format, split_list

from . import files
from .roles import ALL_PRIVILEGES, SPECIAL_ROLES
from .tokens import is_token_id, split_token_id

NAME = "user.cfg"
USER_NAME = re.compile(r"([^\s:/]+)@([A-Za-z][A-Za-z0-9.\-_]+)")


@dataclass
class Token:
    """One API token of a user."""

    expire: int = 0
    privsep: int = 1
    comment: str = ""


@dataclass
class User:
    """One user."""

    enable: int = 1
    expire: int = 0
    firstname: str = ""
    lastname: str = ""
    email: str = ""
    comment: str = ""
    keys: str = ""
    tokens: dict[str, Token] = field(default_factory=dict)


@dataclass
class Group:
    """A group and its members."""

    users: set[str] = field(default_factory=set)
    comment: str = ""


@dataclass
class Pool:
    """A pool and its members."""

    comment: str = ""
    vms: set[int] = field(default_factory=set)
    storage: set[str] = field(default_factory=set)


@dataclass
class UserConfig:
    """The whole file. ``acl``: path -> (users, groups or tokens) -> name -> role -> propagate."""

    users: dict[str, User] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    pools: dict[str, Pool] = field(default_factory=dict)
    roles: dict[str, set[str]] = field(default_factory=dict)
    acl: dict[str, dict[str, dict[str, dict[str, int]]]] = field(default_factory=dict)

    def role_privileges(self, role: str) -> frozenset[str] | set[str] | None:
        """Return a role's privileges, None when there is no such role."""
        return SPECIAL_ROLES.get(role, self.roles.get(role))

    def pool_of(self, vmid: int) -> str | None:
        """Return the pool a guest belongs to."""
        return next((name for name, pool in self.pools.items() if vmid in pool.vms), None)

    def acl_entry(self, path: str) -> dict[str, dict[str, dict[str, int]]]:
        """Return the entry of a path, made when missing."""
        return self.acl.setdefault(path, {"users": {}, "groups": {}, "tokens": {}})


def verify_username(name: str) -> tuple[str, str, str]:
    """Return (user@realm, user, realm) or raise with PVE's text."""
    if len(name) < 3:
        raise ApiError(f"user name '{name}' is too short\n")
    if len(name) > 64:
        raise ApiError(f"user name '{name}' is too long ({len(name)} > 64)\n")
    found = USER_NAME.fullmatch(name)
    if not found:
        raise ApiError(f"value '{name}' does not look like a valid user name\n")
    return name, found[1], found[2]


def is_username(name: str) -> bool:
    """True for a well-formed user@realm."""
    return 3 <= len(name) <= 64 and USER_NAME.fullmatch(name) is not None


def check_format_userid(value: str) -> str:
    try:
        verify_username(value)
    except ApiError as error:
        raise FormatError(str(error)) from None
    return value


def check_format_privilege(value: str) -> str:
    if value not in ALL_PRIVILEGES:
        raise FormatError(f"invalid privilege '{value}'")
    return value


def check_format_pool(value: str) -> str:
    if value.count("/") > 2:
        raise FormatError(f"pool name '{value}' nested too deeply (max levels = 3)")
    if not re.fullmatch(r"[A-Za-z0-9.\-_]+(?:/[A-Za-z0-9.\-_]+){0,2}", value):
        raise FormatError(f"pool name '{value}' contains invalid characters")
    return value


register_format("pve-userid", check_format_userid)
register_format("pve-priv", check_format_privilege)
register_format("pve-poolid", check_format_pool)


def normalize_path(path: str | None) -> str | None:
    """Return an ACL path in its one form, None when it has forbidden characters."""
    if not path:
        return None
    cleaned = "/" + "/".join(part for part in path.split("/") if part)
    return cleaned if re.fullmatch(r"[A-Za-z0-9.\-_/]+", cleaned) else None


def parse(text: str | None) -> UserConfig:
    """Return the configuration; invalid lines are ignored as PVE does (it warns in the log)."""
    config = UserConfig()
    for line in (text or "").splitlines():
        kind, *data = [part.strip() for part in line.strip().split(":")]
        data += [""] * 8
        reader = READERS.get(kind)
        if reader:
            reader(config, data)
    # root is always there, and enabled when the file does not say otherwise
    config.users.setdefault("root@pam", User())
    return config


def read_user(config: UserConfig, data: list[str]) -> None:
    name, enable, expire, firstname, lastname, email, comment, keys = data[:8]
    if is_username(name) and (expire or "0").isdigit():
        config.users[name] = User(
            enable=1 if enable and enable != "0" else 0, expire=int(expire or 0), firstname=unquote(firstname),
            lastname=unquote(lastname), email=email, comment=unquote(comment), keys=keys,
        )  # fmt: skip


def read_token(config: UserConfig, data: list[str]) -> None:
    token_id, expire, privsep, comment = data[:4]
    if is_token_id(token_id) and (expire or "0").isdigit():
        user, name = split_token_id(token_id)
        if user in config.users:
            config.users[user].tokens[name] = Token(
                expire=int(expire or 0), privsep=1 if privsep and privsep != "0" else 0, comment=unquote(comment)
            )


def read_group(config: UserConfig, data: list[str]) -> None:
    name, members, comment = data[:3]
    if name:
        group = config.groups.setdefault(name, Group())
        group.comment = unquote(comment)
        group.users |= {member for member in split_list(members) if is_username(member)}


def read_role(config: UserConfig, data: list[str]) -> None:
    name, privileges = data[:2]
    if name and name not in SPECIAL_ROLES:
        config.roles.setdefault(name, set()).update(set(split_list(privileges)) & ALL_PRIVILEGES)


def read_pool(config: UserConfig, data: list[str]) -> None:
    name, comment, guests, storages = data[:4]
    if name:
        pool = config.pools.setdefault(name, Pool())
        pool.comment = unquote(comment)
        pool.vms |= {int(guest) for guest in split_list(guests) if guest.isdigit()}
        pool.storage |= set(split_list(storages))


def read_acl(config: UserConfig, data: list[str]) -> None:
    propagate, path_text, names, roles = data[:4]
    path = normalize_path(path_text)
    if path is None:
        return
    for role in split_list(roles):
        if config.role_privileges(role) is None:
            continue
        for name in split_list(names):
            kind, plain = kind_of(name)
            if kind:
                flag = 1 if propagate and propagate != "0" else 0
                config.acl_entry(path)[kind].setdefault(plain, {})[role] = flag


def kind_of(name: str) -> tuple[str | None, str]:
    """Return which part of an ACL entry a name belongs to, and the name without its mark."""
    if name.startswith("@"):
        return "groups", name[1:]
    if is_token_id(name):
        return "tokens", name
    return ("users" if is_username(name) else None), name


READERS = {
    "user": read_user, "token": read_token, "group": read_group, "role": read_role, "pool": read_pool, "acl": read_acl
}  # fmt: skip


def encode(text: str) -> str:
    """Return free text as PVE stores it: colons, percent signs and control characters escaped, UTF-8 bytes too."""
    return quote(text, safe=" %!\"#$&'()*+,-./;<=>?@[\\]^_`{|}~")


def render(config: UserConfig) -> str:
    """Return the file's text, in PVE's order."""
    lines = []
    for name in sorted(config.users):
        user = config.users[name]
        lines.append(
            f"user:{name}:{user.enable}:{user.expire}:{encode(user.firstname)}:{encode(user.lastname)}:{user.email}:"
            f"{encode(user.comment)}:{user.keys}:"
        )
        for token_name in sorted(user.tokens):
            token = user.tokens[token_name]
            lines.append(f"token:{name}!{token_name}:{token.expire}:{token.privsep}:{encode(token.comment)}:")
    lines.append("")
    for name in sorted(config.groups):
        group = config.groups[name]
        lines.append(f"group:{name}:{','.join(sorted(group.users))}:{encode(group.comment)}:")
    lines.append("")
    for name in sorted(config.pools):
        pool = config.pools[name]
        guests = ",".join(sorted(map(str, pool.vms)))
        lines.append(f"pool:{name}:{encode(pool.comment)}:{guests}:{','.join(sorted(pool.storage))}:")
    lines.append("")
    lines += [f"role:{name}:{','.join(sorted(config.roles[name]))}:" for name in sorted(config.roles)]
    lines.append("")
    lines += acl_lines(config)
    return "".join(f"{line}\n" for line in lines)


def acl_lines(config: UserConfig) -> Iterator[str]:
    """Yield the acl lines: per path, without and with propagation, members of the same roles together."""
    for path in sorted(config.acl, key=lambda path: path.strip("/").split("/") if path != "/" else []):
        together: dict[tuple[int, str], list[str]] = {}
        for kind, prefix in (("groups", "@"), ("users", ""), ("tokens", "")):
            for name, roles in config.acl[path][kind].items():
                if name == "root@pam":
                    continue
                for flag in (0, 1):
                    listed = ",".join(sorted(role for role, propagate in roles.items() if propagate == flag))
                    if listed:
                        together.setdefault((flag, listed), []).append(prefix + name)
        for (flag, listed), names in sorted(together.items()):
            yield f"acl:{flag}:{path}:{','.join(sorted(names))}:{listed}:"


def load() -> UserConfig:
    """Return the present configuration."""
    return parse(files.read_text(NAME))


def save(config: UserConfig) -> None:
    """Write the configuration (call it under the file's lock)."""
    files.write_text(NAME, render(config))


def check_user_exists(config: UserConfig, name: str) -> User:
    """Return the user or raise with PVE's text."""
    verify_username(name)
    if name not in config.users:
        raise ApiError(f"no such user ('{name}')\n")
    return config.users[name]


def check_user_enabled(config: UserConfig, name: str) -> None:
    """Raise unless the user exists, is enabled and not expired."""
    user = check_user_exists(config, name)
    if not user.enable:
        raise ApiError(f"user '{name}' is disabled\n")
    if user.expire and user.expire < time.time():
        raise ApiError(f"user '{name}' access expired\n")
