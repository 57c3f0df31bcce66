# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each rule: what it makes equal, and what it must not."""

from __future__ import annotations

import pytest

from replay.normal_form import text_form
from replay.rules import TEXT_RULES

FIRST = ":".join(f"{number:02X}" for number in range(32))
SECOND = ":".join(f"{number:02X}" for number in range(100, 132))
WRONG = ":".join(["AA"] * 32)
PEM = "-----BEGIN {0}-----\nabc{1}\n-----END {0}-----"

# rule: (one text, another with the same meaning), (one text, another with another meaning)
CASES: dict[str, tuple[tuple[str, str], tuple[str, str]]] = {
    "pem": (
        (PEM.format("CERTIFICATE", 1), PEM.format("CERTIFICATE", 2)),
        (PEM.format("CERTIFICATE", 1), PEM.format("PRIVATE KEY", 1)),
    ),
    "fingerprint": ((f"{FIRST} {FIRST}", f"{SECOND} {SECOND}"), (f"{FIRST} {FIRST}", f"{FIRST} {SECOND}")),
    "upid": (
        (
            "UPID:pve1:000003C0:00048CAD:6B00A9F0:clusterjoin::root@pam:",
            "UPID:pve1:000004C0:00048CBD:6B00A9F1:clusterjoin::root@pam:",
        ),
        (
            "UPID:pve1:000003C0:00048CAD:6B00A9F0:clusterjoin::root@pam:",
            "UPID:pve1:000003C0:00048CAD:6B00A9F0:qmstart:100:root@pam:",
        ),
    ),
    "ticket": (
        ("PVE:root@pam:6B00AC1E::OMdz88qKCCUqI9aE", "PVE:root@pam:6B00AC2F::a+b/Cdef=="),
        ("PVE:root@pam:6B00AC1E::OMdz", "PVE:bob@pve:6B00AC1E::OMdz"),
    ),
    "csrf-token": (
        ('"CSRFPreventionToken":"6B00AC1E:abc"', '"CSRFPreventionToken":"6B00AC2E:def"'),
        ('"CSRFPreventionToken":"6B00AC1E:abc"', '"CSRFPreventionToken":""'),
    ),
    "ssh-key": (
        ("ssh-rsa AAAAB3NzaC1yc2E root@pve1", "ssh-rsa AAAAB3NzaC1yc2F root@pve1"),
        ("ssh-rsa AAAAB3NzaC1yc2E root@pve1", "ssh-rsa AAAAB3NzaC1yc2E root@pve2"),
    ),
    "uuid": (
        ("3bf7c9b9-d0a2-4cd3-b196-0aef62c97a34", "6524ad7d-61e8-4f10-bbbf-c98dcf619265"),
        ("3bf7c9b9-d0a2-4cd3-b196-0aef62c97a34", "3bf7c9b9-d0a2-4cd3-b196"),
    ),
    "mac": (
        ("virtio=BC:24:11:76:BA:FC", "virtio=BC:24:11:00:00:01"),
        ("virtio=BC:24:11:76:BA:FC", "virtio=AA:24:11:76:BA:FC"),
    ),
    "mac-of-cloud-init": (
        ("mac_address: 'bc:24:11:30:61:68'", "mac_address: 'bc:24:11:f1:b7:a3'"),
        ("mac_address: 'bc:24:11:30:61:68'", "mac_address: 'aa:24:11:30:61:68'"),
    ),
    "mac-in-guest": (
        ('"hardware-address": "bc:24:11:30:61:68"', '"hardware-address": "bc:24:11:f1:b7:a3"'),
        ('"hardware-address": "bc:24:11:30:61:68"', '"hardware-address": "00:00:00:00:00:00"'),
    ),
    "link-local": (("fe80::be24:11ff:fef0:6c8b", "fe80::be24:11ff:fe00:1"), ("fe80::be24:11ff:fef0:6c8b", "fd00::1")),
    "nanoseconds": (("1795206420377620000", "1795245511869770125"), ("1795206420377620000", "179520642037762")),
    "instance-id": (
        (f"instance-id: {'a' * 40}", f"instance-id: {'b' * 40}"),
        (f"instance-id: {'a' * 40}", "instance-id: "),
    ),
    "password-hash": (("bob:$5$RSyUP", "bob:$5$zEKLR"), ("bob:$5$RSyUP", "bob:$6$RSyUP")),
    "state-file": (
        ("vm-100-state-suspend-2026-11-20.raw", "vm-100-state-suspend-2026-11-21.raw"),
        ("vm-100-state-suspend-2026-11-20.raw", "vm-101-state-suspend-2026-11-20.raw"),
    ),
    "backup-file": (
        ("vzdump-qemu-122-2026_11_20-20_32_46.vma", "vzdump-qemu-122-2026_11_21-08_00_00.vma"),
        ("vzdump-qemu-122-2026_11_20-20_32_46.vma", "vzdump-qemu-123-2026_11_20-20_32_46.vma"),
    ),
    "tar-totals": (
        ("Total bytes read: 2048000 (2.0MiB, 114MiB/s)", "Total bytes read: 10240 (10KiB, 31MiB/s)"),
        ("Total bytes read: 2048000 (2.0MiB, 114MiB/s)", "Total bytes written: 2048000 (2.0MiB, 114MiB/s)"),
    ),
    "node-line": (
        (
            f"pve1 online 57.59%            2 23.54 GiB 6.53 GiB {WRONG} 1h 18m 43s",
            f"pve1 online 1.00%   4 8.00 GiB 748.40 MiB {WRONG} 22s",
        ),
        (
            f"pve1 online 57.59%            2 23.54 GiB 6.53 GiB {WRONG} 1h 18m 43s",
            f"pve1 offline 57.59%            2 23.54 GiB 6.53 GiB {WRONG} 1h 18m 43s",
        ),
    ),
    "ha-uid": (('"nzbEKxi49jpNhXfKIh5irw"', '"uDCNMxGiyAXartUHZxN3Ig"'), ('"nzbEKxi49jpNhXfKIh5irw"', '"short"')),
    "http-date": (
        ("Date: Fri, 20 Nov 2026 20:13:46 GMT", "Date: Sat, 21 Nov 2026 00:00:00 GMT"),
        ("Date: Fri, 20 Nov 2026 20:13:46 GMT", "Date: never"),
    ),
    "asctime": (
        ("Date: Fri Nov 20 20:19:22 2026", "Date: Mon Jan  5 01:02:03 2027"),
        ("Date: Fri Nov 20 20:19:22 2026", "Date: 20:19:22"),
    ),
    "iso-date": (
        ("2026-11-20 21:08:58 starting", "2027-01-01 00:00:00 starting"),
        ("2026-11-20 21:08:58 starting", "2026-11-20 21:08:58 ending"),
    ),
    "syslog-date": (
        ("Nov 20 20:34:00 pve1 x", "Dec  1 00:00:01 pve1 x"),
        ("Nov 20 20:34:00 pve1 x", "Nov 20 20:34:00 pve2 x"),
    ),
    "task-index-date": (("pam: 6B00AAD2 OK", "pam: 6B00AAF3 OK"), ("pam: 6B00AAD2 OK", "pam: 6B00AAD2 aborted")),
    "epoch": (("ctime=1795208906", "ctime=1795208907"), ("ctime=1795208906", "ctime=0")),
    "ring-id": (
        ("Ring ID:          1.5", "Ring ID:          1.1e"),
        ("Ring ID:          1.5", "Ring ID:          2.5"),
    ),
    "membership": (
        ("membership (1.15d) was", "membership (1.171) was"),
        ("membership (1.15d) was", "membership (3.15d) was"),
    ),
    "token-loss": (
        ("Token has not been received in 2344 ms", "Token has not been received in 5 ms"),
        ("Token has not been received in 2344 ms", "Token received"),
    ),
    "process-id": (("100.conf.tmp.652", "100.conf.tmp.9"), ("100.conf.tmp.652", "101.conf.tmp.652")),
    "process-list": (
        ("    360 ?        S      0:00 /usr/bin/perl", "   1360 ?        S      0:07 /usr/bin/perl"),
        ("    360 ?        S      0:00 /usr/bin/perl", "    360 ?        Z      0:00 /usr/bin/perl"),
    ),
    "interpreter": (
        ("/usr/bin/perl /usr/bin/pvecm add", "/usr/bin/python3 /usr/bin/pvecm add"),
        ("/usr/bin/perl /usr/bin/pvecm add", "/usr/bin/perl /usr/bin/qm add"),
    ),
    "guest-process": (
        ("       100 m1    running    128    0.06 627", "       100 m1    running    128    0.06 1"),
        ("       100 m1    running    128    0.06 627", "       100 m1    running    128    0.06 0"),
    ),
    "time-report": (("real\t0m2.461s", "real\t1m22.626s"), ("real\t0m2.461s", "user\t0m2.461s")),
    "dd-report": (("618+980 records in", "1+0 records in"), ("618+980 records in", "618+980 records out")),
    "dd-speed": (
        ("copied, 0.548686 s, 122 MB/s", "copied, 9 s, 1.5 GB/s"),
        ("1 bytes copied, 0.5 s, 1 MB/s", "2 bytes copied, 0.5 s, 1 MB/s"),
    ),
    "duration": (
        ("(duration 00:00:02)", "(duration 00:01:00)"),
        ("finished (duration 00:00:02)", "aborted (duration 00:00:02)"),
    ),
    "progress": (
        (
            "transferred 0.0 B of 64.0 MiB (0.00%)\ntransferred 64.0 MiB of 64.0 MiB (100.00%)\n",
            "transferred 1.0 MiB of 64.0 MiB (1.00%)\n",
        ),
        ("transferred 0.0 B of 64.0 MiB (0.00%)\ndone\n", "done\n"),
    ),
    "temporary-name": (
        ("/etc/pve/.lqrs.hCFGrl", "/etc/pve/.lqrs.f0bveW"),
        ("/etc/pve/.lqrs.hCFGrl", "/etc/pve/.other.hCFGrl"),
    ),
    "content-length": (("Content-Length: 147", "Content-Length: 1"), ("Content-Length: 147", "Content-Type: 147")),
    "repository-id": (
        ('"repoid":"lab0000000000000"', '"repoid":"3f1d5a4b"'),
        ('"repoid":"lab0000000000000"', '"release":"lab0000000000000"'),
    ),
    "members-version": (
        ('"nodename": "pve1",\n"version": 13', '"nodename": "pve1",\n"version": 4'),
        ('"nodename": "pve1",\n"version": 13', '"nodename": "pve1",\n"version": 0'),
    ),
    "vmlist-version": (('{\n"version": 1\n', '{\n"version": 7\n'), ('{\n"version": 1\n', '{\n"ids": 1\n')),
    "operation-age": (("mtime_age=0", "mtime_age=141"), ("mtime_age=0", "mtime_age=795206699")),
    "operation-age-far": (
        ("mtime_age=795206699", "mtime_age=795208249"),
        ("mtime_age=795206699", "mtime_age=-204793300"),
    ),
    "operation-speed": (
        ("100 creates 0.010s, 100 unlinks 0.006s", "100 creates 0.149s, 100 unlinks 0.066s"),
        ("100 creates 0.010s, 100 unlinks 0.006s", "100 creates 0.010s"),
    ),
    "free-blocks": (("f_bfree=32752, x", "f_bfree=1, x"), ("f_blocks=32768", "f_blocks=1")),
}


def test_every_rule_has_its_case() -> None:
    assert set(CASES) == {rule.name for rule in TEXT_RULES}


@pytest.mark.parametrize("name", CASES)
def test_rule_equates_what_differs_on_every_node(name: str) -> None:
    one, other = CASES[name][0]
    assert one != other
    assert text_form(one) == text_form(other)


@pytest.mark.parametrize("name", CASES)
def test_rule_keeps_what_has_a_meaning(name: str) -> None:
    one, other = CASES[name][1]
    assert text_form(one) != text_form(other)


def test_a_fingerprint_that_is_wrong_on_purpose_stays() -> None:
    assert text_form(WRONG) == WRONG
    assert text_form(WRONG) != text_form(FIRST)


def test_the_same_value_gets_the_same_number_on_both_streams() -> None:
    from replay.normal_form import Answer, command_form

    one = command_form(Answer(rc=0, stdout=FIRST, stderr=FIRST))
    other = command_form(Answer(rc=0, stdout=FIRST, stderr=SECOND))
    assert one["stdout"] == one["stderr"]
    assert one != other


def test_the_question_numbers_first() -> None:
    from replay.normal_form import Answer, command_form

    offered = command_form(Answer(rc=0, stderr=SECOND), question=FIRST)
    accepted = command_form(Answer(rc=0, stderr=FIRST), question=FIRST)
    assert offered["stderr"] == "<fingerprint:2>"
    assert accepted["stderr"] == "<fingerprint:1>"
