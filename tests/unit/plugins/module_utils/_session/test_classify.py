# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every error text that was recorded, held against the class that a caller needs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.baremetal.proxmox.plugins.module_utils._session import errors
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.classify import (
    classify,
    classify_command,
    classify_text,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.privileges import name_missing_privilege

TRUTH = Path(os.environ.get("PROXMOX_TRUTH") or Path(__file__).resolve().parents[6] / "shared" / "truth")

MISSING = "Configuration file 'nodes/pve1/qemu-server/999.conf' does not exist"
DENIED = "Permission check failed (/vms/100, VM.GuestAgent.Unrestricted)"
HTTP = [
    # status, reason, class
    (500, MISSING, errors.NotFound),
    (500, "unable to find configuration file for VM 999 on node 'pve1'", errors.NotFound),
    (500, "no such resource 'vm:999'", errors.NotFound),
    (500, "cannot delete service 'vm:999', not HA managed!", errors.NotFound),
    (500, "no such user ('nosuch@pve')", errors.NotFound),
    (500, "role 'nosuch' does not exist", errors.NotFound),
    (
        500,
        "hostname lookup 'pve9' failed - failed to get address info for: pve9: Temporary failure in name resolution",
        errors.NotFound,
    ),
    (500, "Node/IP: pve9 is not a known host of the cluster.", errors.NotFound),
    (500, "unable to create VM 150 - VM 150 already exists on node 'pve1'", errors.Exists),
    (500, "unable to create VM 122: config file already exists", errors.Exists),
    (500, "snapshot name 's1' already used", errors.Exists),
    (500, "create storage failed: storage ID 'd1' already defined", errors.Exists),
    (500, "can't lock file '/var/lock/qemu-server/lock-100.conf' - got timeout", errors.Busy),
    (500, "cfs-lock 'file-user_cfg' error: got lock request timeout", errors.Busy),
    (500, "VM is locked (backup)", errors.Busy),
    (500, "CT is locked (snapshot)", errors.Busy),
    (500, "got no worker upid - start worker failed", errors.Busy),
    (500, "checksum mismatch (file change by other user?)", errors.Conflict),
    (500, "detected modified configuration - file changed by other user? Try again.", errors.Conflict),
    (500, "checksum mismatch: got 'aa' != expect 'bb'", errors.Failed),
    (500, "cluster not ready - no quorum?", errors.NoQuorum),
    (500, "cfs-lock 'file-datacenter_cfg' error: no quorum!", errors.NoQuorum),
    (
        500,
        "unable to open file '/etc/pve/nodes/pve1/qemu-server/100.conf.tmp.206' - Permission denied",
        errors.NoQuorum,
    ),
    (500, "only root can set 'args' config", errors.RootOnly),
    (500, "Only root can pass arbitrary filesystem paths.", errors.RootOnly),
    (403, "Permission check failed (user != root@pam)", errors.RootOnly),
    (403, DENIED, errors.Denied),
    (403, "Permission check failed", errors.Denied),
    (403, "Permission check failed (pool 'nopool' does not exist)", errors.NotFound),
    (401, "No ticket", errors.NotAuthenticated),
    (401, "Permission denied - invalid csrf token", errors.NotAuthenticated),
    (501, "Method 'GET /nosuch' not implemented", errors.Unsupported),
    (500, "cannot index groups: ha groups have been migrated to rules", errors.Unsupported),
    (595, "Connection refused", errors.Unreachable),
    (595, "No route to host", errors.Unreachable),
    (500, "VM 100 already running", errors.Failed),
    (500, "VM 150 is running - destroy failed", errors.Failed),
    (500, "binary not installed: /usr/bin/ceph-mon", errors.Failed),
    (500, "could not activate storage 'z1', zfs error: exec of zpool failed: No such file or directory", errors.Failed),
    (500, "QEMU guest agent is not running", errors.Failed),
    (424, "node is not in a cluster, no join info available!", errors.Failed),
]


def exactly(error: errors.SessionError, kind: type[errors.SessionError]) -> bool:
    return type(error) is kind  # pylint: disable=unidiomatic-typecheck


@pytest.mark.parametrize(("status", "reason", "kind"), HTTP)
def test_reason_phrase_and_body_say_the_same(status: int, reason: str, kind: type[errors.SessionError]) -> None:
    from_reason = classify(status, reason, b"")
    from_body = classify(status, "Internal Server Error", json.dumps({"data": None, "message": reason + "\n"}))
    assert exactly(from_reason, kind) and exactly(from_body, kind)
    assert from_reason.message == from_body.message == reason
    assert from_reason.status == status


@pytest.mark.parametrize(("status", "reason", "kind"), [row for row in HTTP if row[0] == 500])
def test_stderr_of_a_command_says_the_same(status: int, reason: str, kind: type[errors.SessionError]) -> None:
    noise = "  /dev/mapper/control: open failed: No such device\ntrying to acquire cfs lock 'file-user_cfg' ...\n"
    error = classify_command(f"{noise}{reason}\n")
    assert exactly(error, kind)
    assert error.message == reason


def test_body_wins_over_the_first_line_in_the_reason() -> None:
    error = classify(
        500, "unable to create VM 1", json.dumps({"message": "unable to create VM 1\nVM 1 already exists\n"})
    )
    assert exactly(error, errors.Exists)


def test_refused_parameters_are_named() -> None:
    raw = {"cores": "value must have a minimum value of 1", "name": "invalid format - no DNS name\n"}
    error = classify(
        400,
        "Parameter verification failed.",
        json.dumps({"errors": raw, "message": "Parameter verification failed.\n"}),
    )
    assert exactly(error, errors.Invalid)
    assert error.errors == {"cores": "value must have a minimum value of 1", "name": "invalid format - no DNS name"}
    assert "cores: value must have a minimum value of 1" in str(error)


@pytest.mark.parametrize(
    ("key", "text", "kind"),
    [
        ("vmid", "VM 100 already exists", errors.Exists),
        ("tokenid", "Token already exists.", errors.Exists),
        ("upid", "no such task", errors.NotFound),
        ("storage", "No such storage.", errors.NotFound),
        ("iface", "interface does not exist", errors.NotFound),
        (
            "foo",
            "property is not defined in schema and the schema does not allow additional properties",
            errors.Invalid,
        ),
    ],
)
def test_one_refused_parameter_may_mean_more(key: str, text: str, kind: type[errors.SessionError]) -> None:
    assert exactly(classify(400, "Parameter verification failed.", json.dumps({"errors": {key: text}})), kind)
    stderr = f"400 Parameter verification failed.\n{key}: {text}\npvesh create <api_path> --vmid <integer> [OPTIONS] [FORMAT_OPTIONS]\n"
    error = classify_command(stderr)
    assert exactly(error, kind) and error.errors == {key: text}


def test_command_errors_of_nested_keys_belong_to_their_key() -> None:
    error = classify_command(
        "400 Parameter verification failed.\ncores: value must have a minimum value of 1\nmemory: invalid format - format error\n"
        "memory.current: type check ('integer') failed - got 'x'\n\npvesh create <api_path> --vmid <integer> [OPTIONS] [FORMAT_OPTIONS]\n"
    )
    assert dict(error.errors) == {
        "cores": "value must have a minimum value of 1",
        "memory": "invalid format - format error\nmemory.current: type check ('integer') failed - got 'x'",
    }


def test_unknown_option_of_a_command_is_an_unknown_parameter() -> None:
    error = classify_command(
        "Unknown option: foo\n400 unable to parse option\npvesh create <api_path> [OPTIONS] [FORMAT_OPTIONS]\n"
    )
    assert exactly(error, errors.Invalid) and list(error.errors) == ["foo"]


@pytest.mark.parametrize(
    ("stderr", "kind", "message", "status"),
    [
        (
            "403 Permission check failed (user != root@pam)\n",
            errors.RootOnly,
            "Permission check failed (user != root@pam)",
            403,
        ),
        (
            "424 no join info available! at /usr/share/perl5/PVE/API2/X.pm line 588\n",
            errors.Failed,
            "no join info available!",
            424,
        ),
        (
            "unknown schema type (not an object?)\nCompilation failed in require at /usr/bin/pvesh line 6.\n"
            "BEGIN failed--compilation aborted at /usr/bin/pvesh line 6.\n",
            errors.Unsupported,
            "unknown schema type (not an object?)",
            None,
        ),
        ("", errors.Failed, "", None),
    ],
)
def test_a_command_s_decorations_are_taken_off(
    stderr: str, kind: type[errors.SessionError], message: str, status: int | None
) -> None:
    error = classify_command(stderr)
    assert exactly(error, kind)
    assert (error.message, error.status) == (message, status)


@pytest.mark.parametrize(
    "stderr",
    [
        "ipcc_send_rec[1] failed: Connection refused\nUnable to load access control list: Connection refused\n",
        "proxy handler failed: ssh: connect to host 10.99.0.13 port 22: Connection refused\n",
    ],
)
def test_a_command_that_reaches_nobody(stderr: str) -> None:
    assert exactly(classify_command(stderr), errors.Unreachable)


def test_privilege_and_path_are_read_from_the_message() -> None:
    error = classify(403, "Permission check failed (/storage/local, Datastore.Audit|Datastore.AllocateSpace)", "")
    assert isinstance(error, errors.Denied)
    assert error.object_path == "/storage/local"
    assert error.privileges == ("Datastore.Audit", "Datastore.AllocateSpace")
    assert "Datastore.Audit or Datastore.AllocateSpace on /storage/local" in error.remedy


@pytest.mark.parametrize(
    ("method", "path", "major", "privileges", "object_path"),
    [
        ("POST", "/nodes/pve1/qemu", 9, ("VM.Allocate",), "/vms/160 or the guest's pool"),
        ("POST", "/nodes/pve1/qemu/100/agent/exec", 9, ("VM.GuestAgent.Unrestricted",), "/vms/100"),
        ("POST", "/nodes/pve1/qemu/100/agent/exec", 8, ("VM.Monitor",), "/vms/100"),
        ("GET", "/nodes/pve1/qemu/100/agent/network-get-interfaces", 9, ("VM.GuestAgent.Audit",), "/vms/100"),
        ("GET", "/nodes/pve1/qemu/100/agent/network-get-interfaces", 8, ("VM.Monitor",), "/vms/100"),
        ("POST", "/nodes/pve1/qemu/100/monitor", 8, ("VM.Monitor",), "/vms/100"),
        ("POST", "/nodes/pve1/qemu/100/monitor", 9, ("Sys.Audit",), "/vms/100"),
        ("GET", "/something/else", 9, (), ""),
    ],
)
def test_a_bare_403_is_completed(
    method: str, path: str, major: int, privileges: tuple[str, ...], object_path: str
) -> None:
    error = errors.Denied("Permission check failed", method=method, path=path)
    name_missing_privilege(error, major, {"vmid": 160})
    assert error.privileges == privileges
    assert error.object_path == object_path


@pytest.mark.parametrize("status", [596, 599, 502])
def test_a_broken_forwarding_is_a_lost_answer_for_writes_only(status: int) -> None:
    assert exactly(classify(status, "Broken pipe", "", write=True), errors.AnswerLost)
    assert exactly(classify(status, "Broken pipe", "", write=False), errors.Unreachable)


def test_a_certificate_not_yet_known_means_that_nothing_was_sent() -> None:
    error = classify(596, "error:0A000086:SSL routines::certificate verify failed", "", write=True)
    assert exactly(error, errors.Unreachable)


def test_a_plain_text_body_is_no_error_of_its_own() -> None:
    assert classify(500, "'\"' expected", b"malformed JSON string").message == "'\"' expected"


def test_locks_are_told_apart() -> None:
    backup, short = classify_text("VM is locked (backup)"), classify_text("can't lock file '/x' - got timeout")
    assert isinstance(backup, errors.Busy) and backup.lock == "backup"
    assert isinstance(short, errors.Busy) and short.lock is None


def recordings() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(TRUTH.glob("*/*/*.json")):
        recording = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(recording, dict):
            yield str(path.relative_to(TRUTH)), recording


needs_truth = pytest.mark.skipif(not TRUTH.is_dir(), reason="the recordings are not here")
# What is rightly nothing but "it failed, with these words".
PLAIN = (
    r"(already|is|not) running|agent (configured|is not)|Agent error|not installed|Cannot delete myself|protection mode|"
    r"not in a cluster|ceph|templates?\b|losetup|reserved name|feature is not|still in use|already attached|^'\"' expected"
)


@needs_truth
def test_recorded_http_errors_have_their_class() -> None:
    import re

    checked = 0
    for name, recording in recordings():
        status = recording.get("http_status")
        if not str(status or "").isdigit() or int(status) < 400:
            continue
        checked += 1
        reason = recording["status_line"].split(" ", 2)[2] if recording["status_line"].count(" ") > 1 else ""
        error = classify(int(status), reason, recording["body"], write=recording["method"] != "GET")
        assert not exactly(error, errors.Failed) or re.search(PLAIN, error.message), f"{name}: {error!r}"
        assert error.message, name
        words = json.loads(recording["body"] or "{}") if recording["body"].startswith("{") else {}
        assert set(error.errors) == set(words.get("errors") or {}), name
    assert checked > 40


@needs_truth
def test_recorded_command_errors_name_every_refused_parameter() -> None:
    checked = 0
    for name, recording in recordings():
        argv = recording.get("argv") or [""]
        if argv[0] not in ("pvesh", "qm", "pct", "pvesm") or len(argv) < 2 or not recording.get("rc"):
            continue
        stderr = recording["stderr"]
        error = classify_command(stderr)
        checked += 1
        assert error.message and "[OPTIONS]" not in error.message, f"{name}: {error!r}"
        if "400 Parameter verification failed.\n" in stderr:
            assert error.errors, f"{name}: {error!r}"
        if "does not exist" in stderr.splitlines()[-1]:
            assert isinstance(error, (errors.NotFound, errors.Invalid)), f"{name}: {error!r}"
    assert checked > 60
