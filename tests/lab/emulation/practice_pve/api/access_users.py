# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/access/users and their API tokens."""

from __future__ import annotations

from typing import Any

from practice_pve.access import domains, files, passwords, permissions, tokens
from practice_pve.access.user_config import (
    Group,
    Token,
    User,
    UserConfig,
    check_user_exists,
    load,
    save,
    verify_username,
)
from practice_pve.rest import AnyUser, ApiError, Call, Check, NotEmulated, ParameterErrors, api_method
from practice_pve.rest.formats import split_list
from practice_pve.rest.parameters import Array, Boolean, Integer, Null, Object, Text

USER_ID = Text(format="pve-userid", max_length=64)
TOKEN_ID = Text(pattern=r"[A-Za-z][A-Za-z0-9.\-_]+")
OPTIONS = {
    "enable": Boolean(optional=True, default=1),
    "expire": Integer(optional=True, minimum=0),
    "firstname": Text(optional=True, max_length=1024),
    "lastname": Text(optional=True, max_length=1024),
    "email": Text(optional=True, format="email-opt", max_length=254),
    "comment": Text(optional=True, max_length=2048),
    "keys": Text(optional=True, pattern="[0-9a-zA-Z!=]{0,4096}"),
    "groups": Text(optional=True, format="pve-groupid-list"),
}
OWN_OR_MODIFY = Check("or", ["userid-param", "self"], ["userid-group", ["User.Modify"]])
FAILED_DUPLICATE = 2
NO_SECOND_FACTORS = '{"users":{}}'


def require_group(config: UserConfig, name: str) -> Group:
    """Return an existing group."""
    if name not in config.groups:
        raise ApiError(f"no such group '{name}'\n")
    return config.groups[name]


def describe(config: UserConfig, name: str) -> dict[str, Any]:
    """Return a user as the API shows it; an empty mail address only shows when something stands behind it."""
    user = config.users[name]
    entry: dict[str, Any] = {"enable": user.enable, "expire": user.expire}
    for key in ("firstname", "lastname", "email", "comment", "keys"):
        if getattr(user, key):
            entry[key] = getattr(user, key)
    if not user.email and (user.comment or user.keys):
        entry["email"] = ""
    return entry


@api_method(
    "GET",
    "/access/users",
    permissions=AnyUser(),
    protected=True,
    child_link="userid",
    parameters={"enabled": Boolean(optional=True), "full": Boolean(optional=True, default=0)},
    returns=Array(
        items=Object(
            properties={
                "userid": USER_ID,
                "enable": Boolean(optional=True),
                "expire": Integer(optional=True),
                "firstname": Text(optional=True),
                "lastname": Text(optional=True),
                "email": Text(optional=True),
                "comment": Text(optional=True),
                "keys": Text(optional=True),
                "groups": Text(optional=True),
                "tokens": Array(optional=True),
                "realm-type": Text(optional=True),
                "tfa-locked-until": Integer(optional=True),
                "totp-locked": Boolean(optional=True),
            }
        )
    ),
)
def list_users(call: Call) -> list[dict[str, Any]]:
    """List the users that the caller may see."""
    config, user = load(), str(call.user)
    everything = permissions.has(user, "/access/groups", ["User.Modify", "Sys.Audit"], any_of=True)
    result = []
    for name in config.users:
        if not everything and name != user.split("!")[0]:
            continue
        entry = {"userid": name, **describe(config, name)}
        if "enabled" in call.params and bool(entry["enable"]) != call.params["enabled"]:
            continue
        kind = domains.realm_type(verify_username(name)[2])
        if kind:
            entry["realm-type"] = kind
        if call.params.get("full"):
            entry["groups"] = ",".join(sorted(group for group, data in config.groups.items() if name in data.users))
            entry["tokens"] = [
                {"tokenid": token, **describe_token(data)} for token, data in sorted(config.users[name].tokens.items())
            ]
        result.append(entry)
    return result


@api_method(
    "POST",
    "/access/users",
    permissions=Check("and", ["userid-param", "Realm.AllocateUser"],
                      ["userid-group", ["User.Modify"], "groups_param", "create"]),
    protected=True,
    parameters={"userid": USER_ID, "password": Text(optional=True, min_length=8, max_length=64), **OPTIONS},
    returns=Null(),
)  # fmt: skip
def create_user(call: Call) -> None:
    """Create a user; nobody checks that the realm exists unless a password is given."""
    name = call.params["userid"]
    with files.locked("user.cfg", "create user failed"):
        config = load()
        if name in config.users:
            raise ApiError(f"user '{name}' already exists\n", exit_code=FAILED_DUPLICATE)
        if "password" in call.params:
            passwords.store(name, call.params["password"])
        config.users[name] = User()
        apply_options(config, name, call.params)
        save(config)


def apply_options(config: UserConfig, name: str, given: dict[str, Any]) -> None:
    """Put the given options into the user."""
    user = config.users[name]
    for key in ("firstname", "lastname", "email", "comment", "keys", "expire"):
        if key in given:
            setattr(user, key, given[key])
    if "enable" in given:
        user.enable = int(given["enable"])
    for group in split_list(given.get("groups", "")):
        require_group(config, group).users.add(name)


@api_method(
    "GET",
    "/access/users/{userid}",
    permissions=Check("userid-group", ["User.Modify", "Sys.Audit"]),
    parameters={"userid": USER_ID},
    returns=Object(),
)
def get_user(call: Call) -> dict[str, Any]:
    """Return one user."""
    name = call.params["userid"]
    config = load()
    user = check_user_exists(config, name)
    entry = describe(config, name)
    entry["groups"] = sorted(group for group, data in config.groups.items() if name in data.users)
    entry["tokens"] = {token: describe_token(data) for token, data in user.tokens.items()} or None
    return entry


@api_method(
    "PUT",
    "/access/users/{userid}",
    permissions=Check("userid-group", ["User.Modify"], "groups_param", "update"),
    protected=True,
    parameters={"userid": USER_ID, **OPTIONS, "append": Boolean(optional=True, requires="groups")},
    returns=Null(),
)
def update_user(call: Call) -> None:
    """Change a user."""
    name = call.params["userid"]
    with files.locked("user.cfg", "update user failed"):
        config = load()
        check_user_exists(config, name)
        if "groups" in call.params and not call.params.get("append"):
            for group in config.groups.values():
                group.users.discard(name)
        apply_options(config, name, call.params)
        save(config)


@api_method(
    "DELETE",
    "/access/users/{userid}",
    permissions=Check("and", ["userid-param", "Realm.AllocateUser"], ["userid-group", ["User.Modify"]]),
    protected=True,
    parameters={"userid": USER_ID},
    returns=Null(),
)
def delete_user(call: Call) -> None:
    """Delete a user with everything that names it; a missing one is no error."""
    name = call.params["userid"]
    if name == "root@pam":
        raise NotEmulated("deleting root@pam")
    if (files.read_text("priv/tfa.cfg") or NO_SECOND_FACTORS).strip() != NO_SECOND_FACTORS:
        raise NotEmulated("second factors in /etc/pve/priv/tfa.cfg")
    with files.locked("user.cfg", "delete user failed"):
        passwords.delete(name)
        # the real one writes the second factors without this user, also when there are none
        files.write_text("priv/tfa.cfg", NO_SECOND_FACTORS)
        config = load()
        user = config.users.pop(name, None)
        for group in config.groups.values():
            group.users.discard(name)
        for entry in config.acl.values():
            entry["users"].pop(name, None)
            for token in user.tokens if user else ():
                entry["tokens"].pop(f"{name}!{token}", None)
        save(config)
        for token in user.tokens if user else ():
            tokens.delete_secret(f"{name}!{token}")


def describe_token(token: Token) -> dict[str, Any]:
    """Return a token as the API shows it."""
    entry: dict[str, Any] = {"privsep": token.privsep, "expire": token.expire}
    if token.comment:
        entry["comment"] = token.comment
    return entry


TOKEN_COLUMNS = {
    "tokenid": Text(),
    "comment": Text(optional=True),
    "expire": Integer(optional=True),
    "privsep": Boolean(optional=True),
}


@api_method(
    "GET",
    "/access/users/{userid}/token",
    permissions=OWN_OR_MODIFY,
    child_link="tokenid",
    parameters={"userid": USER_ID},
    returns=Array(items=Object(properties=TOKEN_COLUMNS)),
)
def list_tokens(call: Call) -> list[dict[str, Any]]:
    """List a user's tokens."""
    user = check_user_exists(load(), call.params["userid"])
    return [{"tokenid": name, **describe_token(token)} for name, token in sorted(user.tokens.items())]


def require_token(config: UserConfig, userid: str, name: str) -> Token:
    """Return an existing token."""
    user = check_user_exists(config, userid)
    if name not in user.tokens:
        raise ApiError(f"no such token '{name}' for user '{userid}'\n")
    return user.tokens[name]


@api_method(
    "GET",
    "/access/users/{userid}/token/{tokenid}",
    permissions=OWN_OR_MODIFY,
    parameters={"userid": USER_ID, "tokenid": TOKEN_ID},
    returns=Object(properties={name: TOKEN_COLUMNS[name] for name in ("comment", "expire", "privsep")}),
)
def get_token(call: Call) -> dict[str, Any]:
    """Return one token, not its secret."""
    return describe_token(require_token(load(), call.params["userid"], call.params["tokenid"]))


@api_method(
    "POST",
    "/access/users/{userid}/token/{tokenid}",
    permissions=OWN_OR_MODIFY,
    protected=True,
    parameters={
        "userid": USER_ID,
        "tokenid": TOKEN_ID,
        "expire": Integer(optional=True, minimum=0, default="same as user"),
        "privsep": Boolean(optional=True, default=1),
        "comment": Text(optional=True),
    },
    returns=Object(properties={"full-tokenid": Text(), "info": Object(), "value": Text()}),
)
def create_token(call: Call) -> dict[str, Any]:
    """Make a token; its secret is shown this once."""
    userid, name = call.params["userid"], call.params["tokenid"]
    if name in check_user_exists(load(), userid).tokens:
        raise ParameterErrors({"tokenid": "Token already exists."})
    with files.locked("user.cfg", "generating token failed"):
        config = load()
        user = check_user_exists(config, userid)
        token = Token(
            expire=call.params.get("expire", user.expire),
            privsep=int(call.params.get("privsep", True)),
            comment=call.params.get("comment", ""),
        )
        user.tokens[name] = token
        secret = tokens.generate_secret(f"{userid}!{name}")
        save(config)
    # a given value comes back as the string it came as
    info: dict[str, Any] = {"privsep": str(token.privsep) if "privsep" in call.params else token.privsep}
    if call.params.get("expire") or user.expire:
        info["expire"] = token.expire
    if token.comment:
        info["comment"] = token.comment
    return {"full-tokenid": f"{userid}!{name}", "info": info, "value": secret}


@api_method(
    "PUT",
    "/access/users/{userid}/token/{tokenid}",
    permissions=OWN_OR_MODIFY,
    protected=True,
    parameters={
        "userid": USER_ID,
        "tokenid": TOKEN_ID,
        "expire": Integer(optional=True, minimum=0, default="same as user"),
        "privsep": Boolean(optional=True, default=1),
        "comment": Text(optional=True),
        "regenerate": Boolean(optional=True, default=0),
        "delete": Text(optional=True, format="pve-configid-list"),
    },
    returns=Object(),
)
def update_token(call: Call) -> dict[str, Any]:
    """Change a token, or give it a new secret."""
    userid, name = call.params["userid"], call.params["tokenid"]
    with files.locked("user.cfg", "updating token info failed"):
        config = load()
        token = require_token(config, userid, name)
        for key in split_list(call.params.get("delete", "")):
            if key != "comment":
                raise ParameterErrors({"delete": f"unknown option '{key}'"})
            token.comment = ""
        token.expire = call.params.get("expire", token.expire)
        token.privsep = int(call.params.get("privsep", token.privsep))
        token.comment = call.params.get("comment", token.comment)
        save(config)
        result = describe_token(token)
        if call.params.get("regenerate"):
            result["value"] = tokens.generate_secret(f"{userid}!{name}")
    return result


@api_method(
    "DELETE",
    "/access/users/{userid}/token/{tokenid}",
    permissions=OWN_OR_MODIFY,
    protected=True,
    parameters={"userid": USER_ID, "tokenid": TOKEN_ID},
    returns=Null(),
)
def delete_token(call: Call) -> None:
    """Delete a token and what it was allowed to."""
    userid, name = call.params["userid"], call.params["tokenid"]
    require_token(load(), userid, name)
    with files.locked("user.cfg", "deleting token failed"):
        config = load()
        tokens.delete_secret(f"{userid}!{name}")
        config.users[userid].tokens.pop(name, None)
        for entry in config.acl.values():
            entry["tokens"].pop(f"{userid}!{name}", None)
        save(config)
