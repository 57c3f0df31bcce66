# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ssh's words about a host key mean; the words were taken from OpenSSH 9 and 10."""

from __future__ import annotations

import pytest

from ansible_collections.baremetal.proxmox.plugins.module_utils._ssh.first_contact import (
    Contact,
    check_fingerprint,
    judge_contact,
    parse_destination,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._ssh.keys import PublicKey

KEY = PublicKey("ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5AAAAIHBms4ZJP3fK0BQZxxASJS6JP1i71Y573FUAeqNO02MK")


@pytest.mark.parametrize(
    ("words", "contact"),
    [
        ("root@192.0.2.1: Permission denied (publickey,password).", Contact.KNOWN),
        (
            "No ED25519 host key is known for 192.0.2.1 and you have requested strict checking.\r\nHost key verification failed.",
            Contact.UNKNOWN,
        ),
        (
            "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\nHost key verification failed.",
            Contact.CHANGED,
        ),
        ("ssh: connect to host 192.0.2.1 port 22: Connection refused", Contact.UNREACHABLE),
        ("ssh: connect to host 192.0.2.1 port 22: Connection timed out", Contact.UNREACHABLE),
        ("ssh: Could not resolve hostname pve9: Name or service not known", Contact.UNREACHABLE),
        ("", Contact.UNREACHABLE),
    ],
)
def test_judges_by_the_words_of_ssh(words, contact):
    assert judge_contact(words) is contact


def test_reads_where_ssh_would_go():
    text = "host pve1\nuser root\nhostname 192.0.2.1\nport 2222\nuserknownhostsfile ~/.ssh/known_hosts ~/.ssh/known_hosts2\n"
    destination = parse_destination(text)
    assert (destination.name, destination.known_hosts_file) == ("[192.0.2.1]:2222", "~/.ssh/known_hosts")


def test_an_alias_is_the_name_that_counts():
    assert parse_destination("hostname 192.0.2.1\nport 2222\nhostkeyalias pve1\n").name == "pve1"


def test_the_right_fingerprint_is_accepted_and_another_refused():
    assert check_fingerprint([KEY], KEY.fingerprint) is None
    other = "SHA256:" + "A" * 43
    assert KEY.fingerprint in (check_fingerprint([KEY], other) or "")


def test_what_is_no_fingerprint_is_explained():
    assert "ssh-keygen" in (check_fingerprint([KEY], "MD5:aa:bb") or "")
