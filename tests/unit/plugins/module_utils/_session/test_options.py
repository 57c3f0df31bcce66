# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection options, what travels, and what a command printed."""

from __future__ import annotations

import hashlib
import json
import ssl
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.baremetal.proxmox.plugins.doc_fragments import _session as fragment
from ansible_collections.baremetal.proxmox.plugins.module_utils._session import encoding
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.api import ApiSession
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.errors import Invalid, Unreachable
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.interface import join_path, parse_version
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.local import LocalSession
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.opening import read_api_access, split_host
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.options import (
    open_session,
    session_argument_spec,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.tls import (
    fingerprint_of_file,
    normalise_fingerprint,
)

UPID = "UPID:pve1:00001706:0007389E:6B00B0C7:qmcreate:151:root@pam:"
PARAMS: dict[str, Any] = {
    "transport": "api",
    "api_host": "pve1",
    "api_port": 8006,
    "api_user": "root@pam",
    "api_password": "geheim",
    "validate_certs": True,
    "api_timeout": 60,
}


def test_the_documentation_has_the_very_options() -> None:
    documented = yaml.safe_load(fragment.ModuleDocFragment.DOCUMENTATION)["options"]
    spec = session_argument_spec()
    assert set(documented) == set(spec)
    for name, option in spec.items():
        for key in ("type", "default", "choices", "aliases"):
            assert documented[name].get(key) == option.get(key), name
        variable = option["fallback"][1][0]
        assert f"E({variable})" in " ".join(documented[name]["description"])


def test_secrets_are_no_log_and_no_part_of_a_representation() -> None:
    assert {name for name, option in session_argument_spec().items() if option.get("no_log")} == {
        "api_password",
        "api_token_secret",
    }
    access = read_api_access({**PARAMS, "api_token_id": "x", "api_token_secret": "verborgen"})
    assert "geheim" not in repr(access) and "verborgen" not in repr(access)


def test_opening_sends_nothing() -> None:
    assert isinstance(open_session({"transport": "local"}), LocalSession)
    session = open_session(PARAMS)
    assert isinstance(session, ApiSession) and session.user == "root@pam" and session.node is None


@pytest.mark.parametrize(
    ("changes", "user"),
    [
        ({"api_token_id": "lab", "api_token_secret": "x"}, "root@pam!lab"),
        ({"api_token_id": "bob@pve!lab", "api_token_secret": "x", "api_user": None}, "bob@pve!lab"),
    ],
)
def test_tokens_by_name_and_by_full_id(changes: dict[str, Any], user: str) -> None:
    assert open_session({**PARAMS, "api_password": None, **changes}).user == user


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"api_host": ""}, "api_host"),
        ({"api_user": None}, "api_user"),
        ({"api_user": "root"}, "api_user"),
        ({"api_user": None, "api_token_id": "lab", "api_token_secret": "x"}, "api_user"),
        ({"api_password": None}, "api_password"),
        ({"api_host": "pve1:https"}, "api_host"),
        ({"api_fingerprint": "12:34"}, "api_fingerprint"),
        ({"api_ca_path": "/nosuch/ca.pem"}, "api_ca_path"),
    ],
)
def test_what_is_missing_is_named(changes: dict[str, Any], key: str) -> None:
    with pytest.raises(Invalid) as caught:
        open_session({**PARAMS, **changes})
    assert list(caught.value.errors) == [key]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pve1", ("pve1", 8006)),
        ("https://pve1.example.org:443/", ("pve1.example.org", 443)),
        ("10.0.0.1:8007", ("10.0.0.1", 8007)),
        ("[fd00::1]", ("fd00::1", 8006)),
        ("[fd00::1]:443", ("fd00::1", 443)),
        ("fd00::1", ("fd00::1", 8006)),
    ],
)
def test_addresses(text: str, expected: tuple[str, int]) -> None:
    assert split_host(text, 8006) == expected


def test_fingerprints_in_any_spelling(tmp_path: Path) -> None:
    plain = hashlib.sha256(b"certificate").hexdigest()
    colons = ":".join(plain[number : number + 2] for number in range(0, 64, 2)).upper()
    for text in (plain, colons, f"SHA256:{plain.upper()}", f" sha-256={colons.lower()} "):
        assert normalise_fingerprint(text) == colons
    pem = tmp_path / "x.pem"
    pem.write_text("words before\n" + ssl.DER_cert_to_PEM_cert(b"certificate") + ssl.DER_cert_to_PEM_cert(b"issuer"))
    assert fingerprint_of_file(str(pem)) == colons
    assert fingerprint_of_file(str(tmp_path / "none")) is None


def test_versions() -> None:
    assert [parse_version(text).key for text in ("9.2.11", "8.4-1", "9.0~11", "9.2")] == [
        (9, 2, 11),
        (8, 4, 1),
        (9, 0, 11),
        (9, 2, 0),
    ]


def test_paths_are_quoted() -> None:
    assert join_path("nodes", "pve1", "content", "local:100/vm 1.raw") == "/nodes/pve1/content/local%3A100%2Fvm%201.raw"


def test_what_cannot_travel_is_named() -> None:
    with pytest.raises(Invalid) as caught:
        encoding.body({"net0": {"bridge": "vmbr0"}})
    assert list(caught.value.errors) == ["net0"]


class TestCommands:
    def test_options(self) -> None:
        params = {"description": "-x\ny", "onboot": False, "none": None, "command": ["id", "-u"], "import-from": "a b"}
        assert list(encoding.options(params)) == [
            "--description=-x\ny",
            "--onboot=0",
            "--command=id",
            "--command=-u",
            "--import-from=a b",
        ]

    @pytest.mark.parametrize("key", ["password", "cipassword"])
    def test_secrets_never_enter_a_command_line(self, key: str) -> None:
        with pytest.raises(Unreachable) as caught:
            list(encoding.options({key: "geheim"}))
        assert "geheim" not in str(caught.value)

    @pytest.mark.parametrize(
        ("command", "stdout", "result"),
        [
            ("create", f'"{UPID}"\n', UPID),
            ("create", f'Formatting disk\ntransferred 0.0 B\n"{UPID}"\n', UPID),
            # a task on another node: log and name in one text without line ends
            ("create", json.dumps(f'generating cloud-init ISO"{UPID}"') + "\n", UPID),
            ("set", "update VM 151: -memory 80\n", None),
            ("set", "update VM 151: -description a\nb -memory 80\n", None),
            ("set", '"update VM 151: -memory 80"\n', None),
            ("set", "", None),
            ("delete", f'"{UPID}"\n', UPID),
            ("create", '"local:100/vm-100-disk-0.raw"\n', "local:100/vm-100-disk-0.raw"),
            ("get", '[{"vmid":100}]\n', [{"vmid": 100}]),
            ("get", '"100"\n', "100"),
            ("get", '{\n   "release" : "9.2"\n}\n', {"release": "9.2"}),
            ("get", f'"log of {UPID}"\n', f"log of {UPID}"),
        ],
    )
    def test_answers(self, command: str, stdout: str, result: Any) -> None:
        assert encoding.read_command_output(command, stdout) == result
