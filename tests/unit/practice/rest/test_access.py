# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tickets, tokens, user.cfg and permissions."""

from __future__ import annotations

import base64
import subprocess
import time
from pathlib import Path

import pytest

from practice_pve.access import files, keys, passwords, permissions, tickets, tokens, user_config
from practice_pve.rest.errors import ApiError, PermissionDenied
from practice_pve.rest.methods import AnyUser, Check, RootOnly, World

CONFIG = """user:bob@pve:1:0:Bob:B\xc3\xb6b:bob@example.org:a%3Ab::
token:bob@pve!all:0:0::
token:bob@pve!sep:0:1::
user:eve@pve:0:0::::::
user:max@pve:1:1000000000::::::
user:root@pam:1:0:::root@localhost:::

group:ops:bob@pve::

pool:p1::100,200:local:

role:R1:VM.Audit,VM.PowerMgmt:

acl:0:/:@ops:PVEAuditor:
acl:1:/nodes:@ops:PVEAuditor:
acl:1:/pool/p1:bob@pve:PVEVMUser:
acl:1:/vms:bob@pve:R1:
acl:1:/vms/300:bob@pve:NoAccess:
acl:1:/vms:bob@pve!sep:PVEAuditor:
"""


@pytest.fixture(scope="module")
def key_pair() -> tuple[str, str]:
    private = subprocess.run(["openssl", "genrsa", "2048"], capture_output=True, text=True, check=True).stdout
    public = subprocess.run(
        ["openssl", "rsa", "-pubout"], input=private, capture_output=True, text=True, check=True
    ).stdout
    return private, public


@pytest.fixture(autouse=True)
def root(tmp_path: Path, key_pair: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(files, "ROOT", tmp_path)
    files.read_snapshot.cache_clear()
    (tmp_path / "priv").mkdir()
    (tmp_path / "priv" / "authkey.key").write_text(key_pair[0])
    (tmp_path / "authkey.pub").write_text(key_pair[1])
    (tmp_path / "pve-www.key").write_text("secret")
    (tmp_path / "user.cfg").write_text(CONFIG, encoding="latin-1")
    (tmp_path / "priv" / "token.cfg").write_text("bob@pve!sep 11111111-2222-3333-4444-555555555555\n")
    return tmp_path


def test_ticket_is_what_openssl_would_sign(root: Path, tmp_path: Path) -> None:
    ticket = tickets.assemble_ticket("root@pam")
    plain, signature = ticket.split("::")
    assert plain.startswith("PVE:root@pam:")
    (tmp_path / "plain").write_text(plain)
    (tmp_path / "signature").write_bytes(base64.b64decode(signature))
    command = ["openssl", "dgst", "-sha1", "-verify", "authkey.pub", "-signature", "signature", "plain"]
    assert subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout == "Verified OK\n"
    assert tickets.verify_ticket(ticket) == "root@pam"


@pytest.mark.parametrize("spoil", [lambda t: t.replace("root", "boot"), lambda t: t[:-8] + "AAAAAA==", lambda _t: "x"])
def test_forged_tickets(spoil: object) -> None:
    with pytest.raises(ApiError) as caught:
        tickets.verify_ticket(spoil(tickets.assemble_ticket("root@pam")))  # type: ignore[operator]
    assert (caught.value.status, caught.value.message) == (401, "permission denied - invalid PVE ticket\n")


def test_tickets_age(monkeypatch: pytest.MonkeyPatch) -> None:
    ticket = tickets.assemble_ticket("root@pam")
    now = time.time()
    monkeypatch.setattr(keys, "public_key", lambda *, old=False: None if old else (PUBLIC(), now - 10000))
    monkeypatch.setattr(tickets.time, "time", lambda: now + 7100)
    assert tickets.verify_ticket(ticket) == "root@pam"
    monkeypatch.setattr(tickets.time, "time", lambda: now + 7300)
    with pytest.raises(ApiError):
        tickets.verify_ticket(ticket)


def PUBLIC() -> object:
    """Return the key of the fixture's directory."""
    return keys.parse_public((files.ROOT / "authkey.pub").read_text())


def test_ticket_of_the_previous_key(root: Path, tmp_path: Path) -> None:
    ticket = tickets.assemble_ticket("root@pam")
    keys.rotate()  # young enough: nothing happens
    assert not (root / "authkey.pub.old").exists()
    (root / "authkey.pub").rename(root / "authkey.pub.old")
    keys.rotate()
    files.read_snapshot.cache_clear()
    assert tickets.verify_ticket(ticket) == "root@pam"
    assert tickets.verify_ticket(tickets.assemble_ticket("root@pam")) == "root@pam"


def test_csrf_tokens() -> None:
    token = tickets.assemble_csrf_token("root@pam")
    tickets.verify_csrf_token("root@pam", token)
    for wrong in (None, "", token[:-1] + "!", token.replace(token[:8], "00000001")):
        with pytest.raises(ApiError, match="invalid csrf token"):
            tickets.verify_csrf_token("root@pam", wrong)
    with pytest.raises(ApiError):
        tickets.verify_csrf_token("bob@pve", token)


def test_api_tokens() -> None:
    good = "bob@pve!sep=11111111-2222-3333-4444-555555555555"
    assert tickets.verify_api_token(good) == "bob@pve!sep"
    for wrong in ("foo", good[:-1] + "6", "bob@pve!none=x", "nosuch@pve!t=x"):
        with pytest.raises(ApiError):
            tickets.verify_api_token(wrong)


def test_user_config_round_trip() -> None:
    config = user_config.load()
    assert config.users["bob@pve"].comment == "a:b"
    text = user_config.render(config)
    assert user_config.render(user_config.parse(text)) == text
    assert "user:bob@pve:1:0:Bob:" in text
    assert text.endswith(
        "role:R1:VM.Audit,VM.PowerMgmt:\n\n"
        "acl:0:/:@ops:PVEAuditor:\nacl:1:/nodes:@ops:PVEAuditor:\nacl:1:/pool/p1:bob@pve:PVEVMUser:\n"
        "acl:1:/vms:bob@pve!sep:PVEAuditor:\nacl:1:/vms:bob@pve:R1:\nacl:1:/vms/300:bob@pve:NoAccess:\n"
    )


def test_root_always_exists() -> None:
    assert user_config.parse("").users["root@pam"].enable == 1


@pytest.mark.parametrize(
    ("user", "message"),
    [
        ("nosuch@pve", "no such user ('nosuch@pve')"),
        ("eve@pve", "user 'eve@pve' is disabled"),
        ("max@pve", "user 'max@pve' access expired"),
        ("bob", "value 'bob' does not look like a valid user name"),
        ("x", "user name 'x' is too short"),
    ],
)
def test_users_that_may_not_log_in(user: str, message: str) -> None:
    with pytest.raises(ApiError) as caught:
        user_config.check_user_enabled(user_config.load(), user)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("user", "path", "privilege", "granted"),
    [
        ("root@pam", "/anything", "Sys.Modify", True),
        ("bob@pve", "/vms/999", "VM.PowerMgmt", True),
        ("bob@pve", "/vms/999", "VM.Console", False),
        ("bob@pve", "/vms/100", "VM.Console", True),  # through the pool
        ("bob@pve", "/vms/300", "VM.Audit", False),  # NoAccess
        ("bob@pve", "/", "Sys.Audit", True),  # the group, here only
        ("bob@pve", "/storage", "Datastore.Audit", False),
        ("bob@pve", "/nodes/pve1", "Sys.Audit", True),
        ("bob@pve!all", "/vms/999", "VM.PowerMgmt", True),
        ("bob@pve!sep", "/vms/999", "VM.Audit", True),
        ("bob@pve!sep", "/vms/999", "VM.PowerMgmt", False),
        ("bob@pve!none", "/vms/999", "VM.Audit", False),
    ],
)
def test_permissions(user: str, path: str, privilege: str, granted: bool) -> None:
    assert permissions.has(user, path, [privilege]) is granted


def test_what_a_refusal_says() -> None:
    rule = Check("perm", "/vms/{vmid}", ["VM.Audit", "VM.Console"])
    with pytest.raises(PermissionDenied) as caught:
        permissions.check_method(rule, "bob@pve", {"vmid": "999"})
    assert (caught.value.status, str(caught.value)) == (403, "Permission check failed (/vms/999, VM.Console)")
    some = Check("perm", "/storage/{storage}", ["Datastore.Audit", "Datastore.AllocateSpace"], "any", 1)
    with pytest.raises(PermissionDenied, match=r"\(/storage/x, Datastore.Audit\|Datastore.AllocateSpace\)"):
        permissions.check_method(some, "bob@pve", {"storage": "x"})
    with pytest.raises(PermissionDenied, match=r"^Permission check failed$"):
        permissions.check_method(Check("or", list(rule.rule), list(some.rule)), "bob@pve", {})


def test_root_only_refuses_roots_own_tokens() -> None:
    permissions.check_method(RootOnly(), "root@pam", {})
    with pytest.raises(PermissionDenied, match=r"Permission check failed \(user != root@pam\)"):
        permissions.check_method(RootOnly(), "root@pam!x", {})
    permissions.check_method(AnyUser(), "bob@pve", {})
    permissions.check_method(World(), None, {})
    with pytest.raises(PermissionDenied, match=r"user != null"):
        permissions.check_method(AnyUser(), None, {})


def test_capabilities_name_what_the_interface_shows() -> None:
    shown = permissions.capabilities("bob@pve")
    assert shown["vms"]["VM.PowerMgmt"] == 1
    assert "Sys.Audit" in shown["dc"]
    assert permissions.capabilities("root@pam")["dc"]["Sys.Modify"] == 1


def test_passwords_of_both_realms(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shadow = tmp_path / "shadow"
    shadow.write_text(f"root:{passwords.crypt('pvelab', '$6$saltsalt$')}:20000:0:99999:7:::\ndaemon:*:1::::::\n")
    monkeypatch.setattr(passwords, "SYSTEM_SHADOW", shadow)
    passwords.authenticate("root@pam", "pvelab")
    with pytest.raises(ApiError):
        passwords.authenticate("root@pam", "wrong")
    with pytest.raises(ApiError, match="no password set"):
        passwords.authenticate("bob@pve", "secret123")
    passwords.store("bob@pve", "secret123")
    assert (root / "priv" / "shadow.cfg").read_text().startswith("bob:$5$")
    passwords.authenticate("bob@pve", "secret123")
    with pytest.raises(ApiError, match="auth domain 'nowhere' does not exist"):
        passwords.store("bob@nowhere", "secret123")


def test_token_secrets(root: Path) -> None:
    secret = tokens.generate_secret("bob@pve!new")
    assert f"bob@pve!new {secret}\n" in (root / "priv" / "token.cfg").read_text()
    tokens.delete_secret("bob@pve!new")
    assert "bob@pve!new" not in (root / "priv" / "token.cfg").read_text()
