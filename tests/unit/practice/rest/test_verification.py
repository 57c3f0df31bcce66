# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameter verification: Proxmox's texts, one per kind of mistake."""

from __future__ import annotations

import pytest

from practice_pve.rest.errors import ParameterErrors
from practice_pve.rest.formats import FormatError
from practice_pve.rest.parameters import (
    FINGERPRINT_SHA256,
    VMID,
    Array,
    Boolean,
    Enum,
    Integer,
    Number,
    Parameter,
    PropertyString,
    Text,
    indexed,
    optional,
)
from practice_pve.rest.schema import from_schemas
from practice_pve.rest.verification import parse_property_string, print_property_string, verify

LINK = PropertyString(
    {
        "address": Text(format="address", default_key=True),
        "priority": Integer(minimum=0, maximum=255, optional=True),
    },
    optional=True,
)
MEMORY = {"current": Integer(minimum=16, default_key=True)}


def errors_of(parameters: dict[str, Parameter], given: dict[str, object]) -> dict[str, str]:
    with pytest.raises(ParameterErrors) as caught:
        verify(parameters, given)
    return caught.value.errors or {}


@pytest.mark.parametrize(
    ("parameter", "value", "message"),
    [
        (Text(format="pve-node"), "bad_name", "invalid format - value does not look like a valid node name\n"),
        (Text(format="pve-node"), "", "invalid format - value does not look like a valid node name\n"),
        (VMID, "5", "invalid format - value does not look like a valid VM ID\n"),
        (Integer(minimum=1), "0", "value must have a minimum value of 1"),
        (Integer(), "x", "type check ('integer') failed - got 'x'"),
        (Number(), "1,5", "type check ('number') failed - got '1,5'"),
        (Boolean(), "yes", "type check ('boolean') failed - got 'yes'"),
        (Text(max_length=15), "abcdefghijklmnop", "value may only be 15 characters long"),
        (Text(min_length=8), "abc", "value must be at least 8 characters long"),
        (FINGERPRINT_SHA256, "zz", "value does not match the regex pattern"),
        (Enum("a", "b"), "c", "value 'c' does not have a value in the enumeration 'a, b'"),
        (Text(format="pve-storage-id"), "x", "invalid format - storage ID 'x' cannot be shorter than 2 characters\n"),
        (Text(format="pve-configid"), "s", "invalid format - invalid configuration ID 's'\n"),
        (
            PropertyString(MEMORY),
            "x",
            "invalid format - format error\nvalue.current: type check ('integer') failed - got 'x'\n",
        ),
        (Text(), {"a": 1}, "type check ('string') failed - got HASH"),
        (Text(), True, "type check ('string') failed - got JSON::PP::Boolean"),
    ],
)
def test_one_mistake(parameter: Parameter, value: object, message: str) -> None:
    assert errors_of({"value": parameter}, {"value": value}) == {"value": message}


def test_missing_and_unknown() -> None:
    found = errors_of({"vmid": VMID}, {"foo": "1"})
    assert found == {
        "vmid": "property is missing and it is not optional",
        "foo": "property is not defined in schema and the schema does not allow additional properties",
    }


def test_conversion() -> None:
    parameters = {"vmid": VMID, "force": Boolean(optional=True), "ratio": Number(optional=True), "list": Array()}
    given = {"vmid": "100", "force": True, "ratio": "1.5", "list": "one"}
    assert verify(parameters, given) == {"vmid": 100, "force": True, "ratio": 1.5, "list": ["one"]}


def test_json_numbers_and_list_for_list_format() -> None:
    parameters = {"memory": Text(), "nodes": Text(format="pve-node-list")}
    assert verify(parameters, {"memory": 64, "nodes": ["a", "b"]}) == {"memory": "64", "nodes": "a,b"}


def test_requires_and_alias() -> None:
    parameters = {"a": Text(optional=True, requires="b"), "b": Text(optional=True), "old": Text(alias="b")}
    assert errors_of(parameters, {"a": "1"}) == {"b": "missing property required by 'a'"}
    assert verify(parameters, {"old": "2"}) == {"b": "2"}


def test_indexed_links() -> None:
    parameters = indexed("link", 0, 7, LINK)
    assert sorted(parameters) == [f"link{number}" for number in range(8)]
    assert errors_of(parameters, {"link0": "10.0.0.1,priority=256"}) == {
        "link0": "invalid format - format error\nlink0.priority: value must have a maximum value of 255\n"
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x=1", "invalid key in comma-separated list property: x"),
        ("10.0.0.1,10.0.0.2", "duplicate key in comma-separated list property: address"),
        ("address=10.0.0.1,address=10.0.0.2", "duplicate key in comma-separated list property: address"),
        ("=5", "missing key in comma-separated list property"),
    ],
)
def test_bad_property_strings(text: str, message: str) -> None:
    assert not isinstance(LINK.format, str | None)
    with pytest.raises(FormatError, match=message):
        parse_property_string(LINK.format, text)


def test_property_string_with_key_alias() -> None:
    properties = from_schemas(
        {
            "model": {"type": "string", "default_key": 1, "enum": ["virtio", "e1000"]},
            "macaddr": {"type": "string", "format": "mac-addr", "optional": 1},
            "virtio": {"alias": "macaddr", "keyAlias": "model"},
            "bridge": {"type": "string", "optional": 1},
        }
    )
    parsed = parse_property_string(properties, "virtio=BC:24:11:00:00:01,bridge=vmbr0")
    assert parsed == {"model": "virtio", "macaddr": "BC:24:11:00:00:01", "bridge": "vmbr0"}
    assert print_property_string(properties, parsed) == "virtio=BC:24:11:00:00:01,bridge=vmbr0"


def test_optional_copy() -> None:
    assert optional(VMID).optional
    assert not VMID.optional
