# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys in authorized_keys and known_hosts: nothing of others is lost, nothing of ours is there twice."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.baremetal.proxmox.plugins.module_utils._ssh.keys import (
    HostKeys,
    PublicKey,
    authorize,
    find_key,
    find_keys,
    pin_hosts,
    require_key,
)


def blob(seed: int, kind: str = "ssh-ed25519") -> str:
    body = len(kind).to_bytes(4, "big") + kind.encode() + b"\0\0\0\x20" + bytes([seed % 256]) * 32
    return base64.b64encode(body).decode()


def line(seed: int, comment: str = "") -> str:
    return f"ssh-ed25519 {blob(seed)} {comment}".strip()


ADA, BOB = line(1, "ada@desk"), line(2, "bob@desk")


def test_finds_the_key_behind_options():
    assert find_key(f'from="192.0.2.1",command="echo ssh-rsa no" {ADA}') == PublicKey("ssh-ed25519", blob(1))


@pytest.mark.parametrize("text", ["", "# " + ADA, "ssh-ed25519", "ssh-ed25519 BBBB", "hello world"])
def test_finds_no_key_where_none_is(text):
    assert find_key(text) is None


def test_fingerprint_is_the_one_of_ssh_keygen():
    key = PublicKey("ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5AAAAIHBms4ZJP3fK0BQZxxASJS6JP1i71Y573FUAeqNO02MK")
    assert key.fingerprint == "SHA256:QE9eDGRrYaj6k0SbTkCH1jTT/FcO0ODulAORwuWo+io"


def test_a_private_key_is_refused_by_name():
    with pytest.raises(ValueError, match="private key"):
        require_key("-----BEGIN OPENSSH PRIVATE KEY-----")


def test_the_empty_first_line_of_proxmox_stays():
    assert authorize(f"\n{ADA}\n", [BOB]) == f"\n{ADA}\n{BOB}\n"


def test_another_comment_is_the_same_key():
    assert authorize(f"{ADA}\n", [line(1, "other")]) == f"{ADA}\n"


def test_a_file_without_final_newline_is_left_alone_if_nothing_is_missing():
    assert authorize(ADA, [ADA]) == ADA


def test_revoking_takes_the_key_out_with_all_its_options():
    assert authorize(f'from="192.0.2.1" {ADA}\n{BOB}\n# note\n', [], revoked=[line(1)]) == f"{BOB}\n# note\n"


LINES = st.lists(
    st.one_of(
        st.integers(0, 9).map(line),
        st.integers(0, 9).map(lambda n: f"no-pty {line(n, 'c')}"),
        st.sampled_from(["", "# note", "not a key"]),
    )
)


@given(LINES, st.lists(st.integers(0, 9)), st.lists(st.integers(0, 9)))
def test_authorize_is_a_fixed_point_and_loses_nothing(lines, wanted, revoked):
    text = "".join(f"{item}\n" for item in lines)
    gone = [line(n) for n in revoked if n not in wanted]
    once = authorize(text, map(line, wanted), gone)
    assert authorize(once, map(line, wanted), gone) == once
    keys = find_keys(once)
    assert {find_key(line(n)) for n in wanted} <= set(keys)
    assert not {find_key(item) for item in gone} & set(keys)
    others = [item for item in lines if find_key(item) is None]
    assert [item for item in once.splitlines() if find_key(item) is None] == others or not once.strip()


NODE = HostKeys(("192.0.2.11", "pve1"), (PublicKey("ssh-ed25519", blob(1)), PublicKey("ssh-ed25519", blob(3))))


def test_pins_all_keys_under_all_names():
    assert pin_hosts("", [NODE]) == f"192.0.2.11,pve1 ssh-ed25519 {blob(1)}\n192.0.2.11,pve1 ssh-ed25519 {blob(3)}\n"


def test_a_stale_key_goes_and_other_hosts_stay():
    text = (
        f"# mine\n192.0.2.11 ssh-ed25519 {blob(9)}\nother,pve1 ssh-ed25519 {blob(8)}\n|1|abc= ssh-ed25519 {blob(7)}\n"
    )
    pinned = pin_hosts(text, [NODE])
    assert blob(9) not in pinned
    assert f"other ssh-ed25519 {blob(8)}\n" in pinned
    assert pinned.startswith("# mine\n") and f"|1|abc= ssh-ed25519 {blob(7)}\n" in pinned


@given(st.lists(st.tuples(st.sampled_from(["192.0.2.11", "pve1", "x,pve1", "y"]), st.integers(0, 5))))
def test_pinning_is_a_fixed_point(entries):
    text = "".join(f"{names} ssh-ed25519 {blob(n)}\n" for names, n in entries)
    once = pin_hosts(text, [NODE])
    assert pin_hosts(once, [NODE]) == once
    for name in NODE.names:
        keys = {find_key(item) for item in once.splitlines() if name in item.split()[0].split(",")}
        assert keys == set(NODE.keys)
