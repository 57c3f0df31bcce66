# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The method table: lookup, what the real API has and we have not, path parameters."""

from __future__ import annotations

import pytest

from practice_pve.rest.call import Call, invoke, lookup
from practice_pve.rest.errors import ApiError, NotEmulated, NotImplementedMethod, ParameterErrors
from practice_pve.rest.methods import METHODS, api_method, is_known, known_below
from practice_pve.rest.parameters import Text


@pytest.fixture(autouse=True, scope="module")
def own_methods() -> object:
    before = dict(METHODS)

    @api_method("GET", "/test/{node}/{name}", parameters={"name": Text(max_length=5)})
    def by_name(call: Call) -> object:
        return {"name": call.params}

    @api_method("GET", "/test/{node}/index")
    def index(_call: Call) -> object:
        return "index"

    yield
    METHODS.clear()
    METHODS.update(before)


def test_version() -> None:
    answer = invoke("GET", "/version", {})
    assert set(answer) == {"release", "repoid", "version"}


def test_fixed_parts_win_over_parameters() -> None:
    assert invoke("GET", "/test/pve1/index", {}) == "index"
    assert invoke("GET", "//test/pve1/other/", {}) == {"name": {"node": "pve1", "name": "other"}}


def test_path_parameters_are_verified() -> None:
    with pytest.raises(ParameterErrors) as caught:
        invoke("GET", "/test/bad_node/toolong", {})
    assert caught.value.errors == {
        "node": "invalid format - value does not look like a valid node name\n",
        "name": "value may only be 5 characters long",
    }


def test_unknown_paths() -> None:
    with pytest.raises(NotImplementedMethod) as caught:
        lookup("GET", "/nosuch")
    assert (caught.value.status, caught.value.message) == (501, "Method 'GET /nosuch' not implemented")
    with pytest.raises(NotEmulated, match=r"practice node: not emulated: GET /cluster/metrics/server"):
        lookup("GET", "/cluster/metrics/server")


def test_known_methods() -> None:
    assert is_known("GET", "/nodes/pve1/qemu/100/config")
    assert not is_known("DELETE", "/version")
    assert not is_known("GET", "/nodes/pve1/nosuch")
    assert known_below("/nodes/pve1/qemu")
    assert not known_below("/nodes/pve1/dns")


def test_error_texts() -> None:
    assert ApiError("text").text() == "text\n"
    assert ApiError("not enough arguments\n", status=400).text() == "400 not enough arguments\n"
    assert ApiError("", exit_code=2).text() == ""
