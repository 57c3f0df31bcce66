# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Merging of keys and host keys, sshd's configuration, certificates' names and times, the words of failures."""

from __future__ import annotations

import base64
import hashlib
import hmac
from pathlib import Path

import pytest

from practice_pve.cluster.certificates import alternative_names, certificate_days
from practice_pve.cluster.database import surplus_backups
from practice_pve.cluster.key_pool import take_key
from practice_pve.cluster.local_files import lock_file, write_file
from practice_pve.cluster.peer_client import PeerError, decode_answer
from practice_pve.cluster.programs import quote_command, run
from practice_pve.cluster.qdevice import choose_algorithm, device_section
from practice_pve.cluster.ssh_setup import permit_root_login
from practice_pve.cluster.ssh_texts import merge_authorized_keys, merge_known_hosts, node_known_hosts
from practice_pve.rest.errors import ApiError

OWN = "ssh-rsa AAAAown root@pve1\n"
HOST = "ssh-rsa AAAAhost root@pve1\n"
DAY = 86400


def test_first_list_begins_with_an_empty_line() -> None:
    assert merge_authorized_keys("", None, OWN) == "\n" + OWN


def test_merging_again_changes_nothing() -> None:
    once = merge_authorized_keys("", None, OWN)
    assert merge_authorized_keys(once, None, OWN) == once


def test_backup_of_a_plain_file_comes_back() -> None:
    cluster = "\n" + OWN
    backup = "\n" + OWN + "ssh-ed25519 AAAAextra extra\n"
    assert merge_authorized_keys(cluster, backup, OWN) == f"\n{OWN}\nssh-ed25519 AAAAextra extra\n"


def test_only_rsa_duplicates_go() -> None:
    cluster = "ssh-ed25519 AAAA a\nssh-ed25519 AAAA a\nssh-rsa BBBB b\nssh-rsa BBBB c\n#ssh-rsa BBBB d\n"
    merged = merge_authorized_keys(cluster, None, None)
    assert merged == "ssh-ed25519 AAAA a\nssh-ed25519 AAAA a\nssh-rsa BBBB b\n#ssh-rsa BBBB d\n"


def test_key_without_comment_is_never_a_duplicate() -> None:
    assert merge_authorized_keys("ssh-rsa BBBB\nssh-rsa BBBB\n", None, None) == "ssh-rsa BBBB\nssh-rsa BBBB\n"


def test_known_hosts_of_a_node_have_no_line_end() -> None:
    assert node_known_hosts("pve1", "\n" + HOST) == "pve1 ssh-rsa AAAAhost"
    with pytest.raises(ApiError, match="can't parse"):
        node_known_hosts("pve1", "ecdsa x")


def test_shared_known_hosts() -> None:
    merged = merge_known_hosts("", "other ssh-rsa CCCC\nother ssh-ed25519 D\n", HOST, "PVE1", "10.0.0.1")
    assert merged == "other ssh-rsa CCCC\npve1 ssh-rsa AAAAhost\n10.0.0.1 ssh-rsa AAAAhost\n"
    assert merge_known_hosts(merged, "", HOST, "pve1", "10.0.0.1") == merged


def test_hashed_lines_about_ourselves_survive_only_with_our_key() -> None:
    salt = b"01234567890123456789"

    def hashed(name: str) -> str:
        digest = hmac.new(salt, name.encode(), hashlib.sha1).digest()
        return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"

    old = f"{hashed('pve1')} ssh-rsa OLD\n{hashed('10.0.0.1')} ssh-rsa AAAAhost\n"
    merged = merge_known_hosts(old, "", HOST, "pve1", "10.0.0.1")
    assert merged == f"{hashed('10.0.0.1')} ssh-rsa AAAAhost\npve1 ssh-rsa AAAAhost\n"


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("Port 22\nPermitRootLogin yes\n", None),
        ("#PermitRootLogin prohibit-password\nX y\n", "PermitRootLogin yes\nX y\n"),
        ("PermitRootLogin no\n", "PermitRootLogin yes\n"),
        ("Port 22\n", "Port 22\nPermitRootLogin yes\n"),
    ],
)
def test_root_login(text: str, changed: str | None) -> None:
    assert permit_root_login(text) == changed


def test_names_in_a_certificate() -> None:
    assert (
        alternative_names("pve3", "10.99.0.13", "lab.local")
        == "IP:127.0.0.1,IP:::1,DNS:localhost,IP:10.99.0.13,DNS:pve3,DNS:pve3.lab.local"
    )
    assert alternative_names("a", "1.2.3.4", None).endswith("DNS:a")


def test_a_certificate_ends_before_its_authority() -> None:
    assert certificate_days(3650 * DAY, 0) == 730
    assert certificate_days(100 * DAY, 0) == 98
    with pytest.raises(ApiError, match="CA expires in less than 2 weeks"):
        certificate_days(13.9 * DAY, 0)


def test_ten_dumps_are_kept() -> None:
    paths = [f"config-{number}.sql.gz" for number in range(1000, 1013)]
    assert surplus_backups(paths) == ["config-1002.sql.gz", "config-1001.sql.gz", "config-1000.sql.gz"]


def test_failed_command_names_itself_as_perl_quotes_it() -> None:
    with pytest.raises(ApiError) as caught:
        run(["sh", "-c", "exit 3"])
    assert str(caught.value) == "command 'sh -c 'exit 3'' failed: exit code 3"
    assert (
        quote_command(["a", "/OU=PVE Cluster Node", "CN=x.y", "it's"]) == "a '/OU=PVE Cluster Node' CN=x.y 'it'\\''s'"
    )


def test_error_message_takes_the_last_line(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ApiError) as caught:
        run(["sh", "-c", "echo one >&2; echo two >&2; exit 1"], error_message="unable")
    assert str(caught.value) == "unable: two"
    assert capfd.readouterr().err == "one\n"
    with pytest.raises(ApiError, match=r"^unable: exit code 1$"):
        run(["false"], error_message="unable", quiet=True)


def test_lock_times_out(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = str(tmp_path / "lock")
    with lock_file(path, 1), pytest.raises(ApiError, match=r"can't lock file '.*' - got timeout"), lock_file(path, 1):
        pass
    assert capfd.readouterr().err == "trying to acquire lock...\n"


def test_failed_write_names_the_temporary_file(tmp_path: Path) -> None:
    with pytest.raises(ApiError, match=r"unable to open file '.*/missing/x\.tmp\.\d+' - No such file or directory"):
        write_file(str(tmp_path / "missing" / "x"), "text")


def test_a_prepared_key_is_used_once(tmp_path: Path) -> None:
    (tmp_path / "rsa-2048-a.pem").write_text("KEY", encoding="ascii")
    assert take_key(4096, str(tmp_path)) is None
    assert take_key(2048, str(tmp_path)) == "KEY"
    assert take_key(2048, str(tmp_path)) is None
    assert list(tmp_path.iterdir()) == []
    assert take_key(2048, str(tmp_path / "missing")) is None


def test_answers_of_a_member() -> None:
    assert decode_answer(200, "OK", b'{"data":{"a":1}}') == {"a": 1}
    with pytest.raises(PeerError) as caught:
        decode_answer(500, "invalid corosync.conf", b'{"errors":{"error0":"no nodes found"},"data":null}')
    assert str(caught.value) == "invalid corosync.conf"
    assert caught.value.errors == {"error0": "no nodes found"}
    with pytest.raises(PeerError) as caught:
        decode_answer(401, "authentication failure", b"")
    assert caught.value.text() == "401 authentication failure\n"


def test_qdevice_algorithm() -> None:
    assert choose_algorithm(2, force=False) == "ffsplit"
    assert choose_algorithm(3, force=True) == "lms"
    with pytest.raises(ApiError, match="odd node count"):
        choose_algorithm(3, force=False)
    assert device_section("1.2.3.4", "ffsplit")["votes"] == "1"
    assert "votes" not in device_section("1.2.3.4", "lms")
