# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON, YAML, tables and rendered values as Perl prints them."""

from __future__ import annotations

from typing import Any

import pytest

from practice_pve.rest.json_text import to_json, to_json_pretty
from practice_pve.rest.output import print_result
from practice_pve.rest.parameters import Array, Integer, Null, Number, Object, Text
from practice_pve.rest.renderers import byte_size, duration
from practice_pve.rest.yaml_text import to_yaml

NODES = Array(
    items=Object(
        properties={
            "node": Text(),
            "status": Text(),
            "cpu": Number(optional=True, renderer="fraction_as_percentage"),
            "level": Text(optional=True),
            "maxmem": Integer(optional=True, renderer="bytes"),
            "uptime": Integer(optional=True, renderer="duration"),
        }
    )
)
ROW = {"node": "pve1", "status": "online", "cpu": 0.57588, "level": "", "maxmem": 25276510208, "uptime": 4723}


@pytest.fixture(autouse=True)
def unicode_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")


def printed(capsys: pytest.CaptureFixture[str], data: Any, returns: Any, **options: Any) -> str:
    print_result(data, returns, {name.replace("_", "-"): value for name, value in options.items()})
    return capsys.readouterr().out


def test_json_is_sorted_and_pretty_like_perl() -> None:
    data = {"b": [1, 0.617872807017544], "a": None, "c": "grüße ✓\n"}
    assert to_json(data) == '{"a":null,"b":[1,0.617872807017544],"c":"grüße ✓\\n"}'
    assert to_json_pretty({"release": "9.2", "empty": [], "list": [1]}) == (
        '{\n   "empty" : [],\n   "list" : [\n      1\n   ],\n   "release" : "9.2"\n}'
    )


def test_yaml() -> None:
    assert to_yaml({"release": "9.2", "version": "9.2.11", "list": ["a", {"b": 1}]}) == (
        "---\nlist:\n- a\n- b: 1\nrelease: '9.2'\nversion: 9.2.11\n"
    )
    assert to_yaml([]) == "--- []\n"


def test_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, [ROW], NODES) == (
        "┌──────┬────────┬────────┬───────┬───────────┬────────────┐\n"
        "│ node │ status │    cpu │ level │    maxmem │     uptime │\n"
        "╞══════╪════════╪════════╪═══════╪═══════════╪════════════╡\n"
        "│ pve1 │ online │ 57.59% │       │ 23.54 GiB │ 1h 18m 43s │\n"
        "└──────┴────────┴────────┴───────┴───────────┴────────────┘\n"
    )
    assert (
        printed(capsys, [ROW], NODES, noborder=True, noheader=True) == "pve1 online 57.59%       23.54 GiB 1h 18m 43s\n"
    )


def test_object_and_scalars(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, {"a": "x", "b": None}, Object()) == (
        "┌─────┬───────┐\n│ key │ value │\n╞═════╪═══════╡\n│ a   │ x     │\n└─────┴───────┘\n"
    )
    assert printed(capsys, "UPID:x", None) == "UPID:x\n"
    assert printed(capsys, [], NODES) == ""
    assert printed(capsys, None, Null()) == ""
    assert printed(capsys, [], NODES, output_format="json") == "[]\n"


def test_ascii_borders_without_utf8(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    assert printed(capsys, {"a": "x"}, Object()).startswith("+-----+-------+\n| key | value |\n+=====+=======+\n")


@pytest.mark.parametrize(("value", "text"), [(0, "0s"), (59, "59s"), (90061, "1d 1h 1m 1s"), (604800, "1w")])
def test_durations(value: int, text: str) -> None:
    assert duration(value) == text


@pytest.mark.parametrize(("value", "text"), [(0, "0.00 B"), (1024, "1.00 KiB"), (25276510208, "23.54 GiB")])
def test_sizes(value: int, text: str) -> None:
    assert byte_size(value) == text
