# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.baremetal.proxmox.plugins.module_utils._agent.answers import CommandRefused, unwrap
from ansible_collections.baremetal.proxmox.plugins.module_utils._agent.parse import (
    READERS,
    Interface,
    InterfaceAddress,
    UnexpectedAnswer,
    describe_interfaces,
    read_info,
    read_interfaces,
    read_osinfo,
    read_time,
    read_vcpus,
)


@pytest.mark.parametrize("answer", [{"result": {"host-name": "web1"}}, {"host-name": "web1"}])
def test_both_envelopes_are_opened(answer):
    assert READERS["hostname"][1](unwrap(answer)) == "web1"


@pytest.mark.parametrize(
    ("error", "disabled", "unknown", "frozen"),
    [
        (
            {
                "class": "CommandNotFound",
                "desc": "Command guest-get-users has been disabled: the command is not allowed",
            },
            True,
            False,
            False,
        ),
        (
            {"class": "GenericError", "desc": "The command guest-get-users has been disabled for this instance"},
            True,
            False,
            False,
        ),
        ({"class": "CommandNotFound", "desc": "The command guest-get-users has not been found"}, False, True, False),
        ({"class": "GenericError", "desc": "Unsupported"}, False, True, False),
        (
            {
                "class": "CommandNotFound",
                "desc": "Command guest-get-fsinfo has been disabled: the agent is in frozen state",
            },
            False,
            False,
            True,
        ),
        ({"class": "GenericError", "desc": "failed to open /proc/mounts"}, False, False, False),
    ],
)
def test_a_refusal_that_proxmox_calls_a_success_is_an_error(error, disabled, unknown, frozen):
    with pytest.raises(CommandRefused) as refused:
        unwrap({"result": {"error": error}})
    assert str(refused.value) == error["desc"]
    assert (refused.value.disabled, refused.value.frozen) == (disabled, frozen)
    assert refused.value.unknown is unknown


def test_a_field_named_result_beside_others_is_not_an_envelope():
    assert unwrap({"result": 1, "more": 2}) == {"result": 1, "more": 2}


def test_an_interface_may_lack_addresses_and_a_mac():
    found = read_interfaces(
        [
            {"name": "eth0", "hardware-address": "BC:24:11:00:00:01"},
            {"name": "wg0", "ip-addresses": [{"ip-address": "10.8.0.2", "ip-address-type": "ipv4", "prefix": 24}]},
            {"name": "odd", "ip-addresses": [{}, {"ip-address": "2001:db8::1"}]},
        ]
    )
    assert found == [
        Interface("eth0", "bc:24:11:00:00:01", ()),
        Interface("wg0", "", (InterfaceAddress("10.8.0.2", "ipv4", 24),)),
        Interface("odd", "", (InterfaceAddress("2001:db8::1", "ipv6", None),)),
    ]
    assert describe_interfaces(found)[1]["addresses"] == [{"address": "10.8.0.2", "family": "ipv4", "prefix": 24}]


@pytest.mark.parametrize(
    ("told", "family", "expected"),
    [
        (
            {"id": "mswindows", "name": "Microsoft Windows", "version": "Microsoft Windows 11", "variant": "client"},
            "windows",
            {"variant": "client"},
        ),
        ({"id": "alpine", "name": "Alpine Linux", "version-id": "3.20.3"}, "linux", {"version_id": "3.20.3"}),
        ({"id": "freebsd", "kernel-release": "14.1-RELEASE"}, "bsd", {"kernel_release": "14.1-RELEASE"}),
        ({"kernel-release": "6.1.0"}, "linux", {"kernel_release": "6.1.0"}),
    ],
)
def test_osinfo(told, family, expected):
    found = read_osinfo(told)
    assert found["family"] == family
    assert expected.items() <= found.items()


def test_users_filesystems_timezone():
    users = READERS["users"][1](
        [{"user": "Administrator", "domain": "LAB", "login-time": 1795206420.5}, {"user": "root"}]
    )
    assert users == [{"user": "Administrator", "domain": "LAB", "login_time": 1795206420.5}, {"user": "root"}]
    filesystems = READERS["filesystems"][1](
        [
            {
                "name": "sda1",
                "mountpoint": "/",
                "type": "ext4",
                "used-bytes": 5,
                "total-bytes": "9",
                "disk": [{"dev": "/dev/sda1", "bus-type": "scsi", "pci-controller": {}}],
            },
            {"name": "D:", "mountpoint": "D:\\", "type": "CDFS", "disk": []},
        ]
    )
    assert filesystems[0]["total_bytes"] == 9
    assert filesystems[0]["disks"] == [{"dev": "/dev/sda1", "bus-type": "scsi"}]
    assert "total_bytes" not in filesystems[1]
    assert READERS["timezone"][1]({"offset": "-3600"}) == {"offset": -3600, "zone": None}
    assert READERS["timezone"][1]({"offset": 3600, "zone": "CET"}) == {"offset": 3600, "zone": "CET"}


def test_time_is_in_nanoseconds():
    assert read_time("1795206420377620000") == {
        "nanoseconds": 1795206420377620000,
        "seconds": 1795206420,
        "iso8601": "2026-11-20T20:27:00Z",
    }
    for nonsense in (None, "soon", 10**40):
        with pytest.raises(UnexpectedAnswer):
            read_time(nonsense)


def test_vcpus_count_those_online():
    found = read_vcpus([{"logical-id": 0, "online": True}, {"logical-id": 1, "online": False, "can-offline": True}])
    assert (found["total"], found["online"]) == (2, 1)
    assert found["cpus"][0]["can_offline"] is False


def test_info_parts_commands():
    info = read_info(
        {
            "version": "10.0.2",
            "supported_commands": [
                {"name": "guest-ping", "enabled": True},
                {"name": "guest-exec", "enabled": False},
                {"name": "guest-info"},
            ],
        }
    )
    assert (info.version, info.enabled, info.disabled) == ("10.0.2", ("info", "ping"), ("exec",))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(max_size=8)
            | st.sampled_from(["name", "ip-addresses", "ip-address", "zone", "offset", "login-time"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@settings(settings.get_profile("busy"))
@given(JSON, st.sampled_from([*(reader for _command, reader in READERS.values()), read_interfaces, read_info]))
def test_no_answer_whatever_makes_a_reader_crash(answer, reader):
    try:
        reader(answer)
    except UnexpectedAnswer:
        pass


@settings(settings.get_profile("busy"))
@given(st.floats(min_value=0, max_value=4e9, allow_nan=False))
def test_a_time_stays_the_same_moment(seconds):
    nanoseconds = math.floor(seconds * 1e9)
    assert read_time(nanoseconds)["seconds"] == nanoseconds // 10**9


def test_recorded_answers_are_read(agent_recordings):
    """Every successful read in the recordings of a real node, over HTTP, by pvesh and by qm guest cmd."""
    read = set()
    for recording in agent_recordings:
        text = recording["body"] if "body" in recording else recording["stdout"]
        words = recording["argv"] if "argv" in recording else recording["path"].split("?")[0].split("/")
        if (
            recording.get("rc", 0)
            or recording.get("http_status", "200") != "200"
            or not text.strip().startswith(("{", "[", "1"))
        ):
            continue
        answer = json.loads(text)
        answer = answer["data"] if "body" in recording else answer
        for command, reader in [*READERS.values(), ("network-get-interfaces", read_interfaces), ("info", read_info)]:
            if any(word.rpartition("/")[2] == command for word in words):
                assert reader(unwrap(answer)) is not None
                read.add(command)
    assert {
        "network-get-interfaces",
        "info",
        "get-osinfo",
        "get-host-name",
        "get-time",
        "get-users",
        "get-vcpus",
    } <= read
