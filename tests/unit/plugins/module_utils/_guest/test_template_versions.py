# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A template that follows its image: made once, made anew beside the old one, clones left alone."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.baremetal.proxmox.plugins.module_utils._desired.errors import InvalidValue
from ansible_collections.baremetal.proxmox.plugins.module_utils._guest.errors import GuestError, Refused
from ansible_collections.baremetal.proxmox.plugins.module_utils._guest.template_run import TemplateRun
from ansible_collections.baremetal.proxmox.plugins.module_utils._guest.template_versions import read_template_wish
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.errors import Failed, SessionError
from fake_guests import IMAGE, FakeGuests

OLD, NEW, NEWER = (f"sha256:{digit * 64}" for digit in "123")


def settle(fake: FakeGuests, checksum: str = OLD, check: bool = False, **more: Any) -> TemplateRun:
    options = {
        "name": "debian", "image": {"volume": IMAGE, "checksum": checksum}, "storage": "local", "vmid": 9000,
        "machine": {"memory": 512, "description": "Debian"}, **more,
    }  # fmt: skip
    run = TemplateRun(fake.session, read_template_wish(options), check)
    run.settle()
    return run


def names(fake: FakeGuests) -> dict[int, str]:
    assert all(config.get("template") == "1" for config in fake.configs.values())
    return {vmid: config["name"] for vmid, config in fake.configs.items()}


def test_it_is_made_once() -> None:
    fake = FakeGuests()
    planned = settle(fake, check=True)
    assert fake.configs == {}
    assert settle(fake).actions == planned.actions
    assert names(fake) == {9000: "debian"}
    assert fake.configs[9000]["description"] == f"Debian\n\nmade from {OLD}"
    fake.forget_calls()
    assert settle(fake).actions == []
    assert fake.writes() == []


def test_a_new_checksum_makes_a_new_version_beside_the_old_one() -> None:
    fake = FakeGuests()
    settle(fake)
    before = dict(fake.configs[9000])
    planned = settle(fake, NEW, check=True)
    run = settle(fake, NEW)
    assert run.actions == planned.actions
    assert run.actions[-2:] == ["Call the old version 9000 debian-111111111111.", "Call the new version debian."]
    assert names(fake) == {9000: "debian-111111111111", 100: "debian"}
    assert {**before, "name": "debian-111111111111"} == fake.configs[9000]
    assert (run.vmid, run.kept) == (100, [9000])
    assert settle(fake, NEW).actions == []


@pytest.mark.parametrize(("keep", "left"), [(0, {101}), (1, {100, 101}), (5, {100, 101, 9000})])
def test_old_versions_are_kept_or_replaced(keep: int, left: set[int]) -> None:
    fake = FakeGuests()
    for checksum in (OLD, NEW, NEWER):
        settle(fake, checksum, keep=keep if checksum == NEWER else 9)
        for config in fake.configs.values():
            config["meta"] = f"ctime={len(fake.configs)}" if config["name"] == "debian" else config["meta"]
    assert set(fake.configs) == left
    assert fake.configs[101]["name"] == "debian"


def test_a_version_with_linked_clones_stays() -> None:
    fake = FakeGuests()
    settle(fake)
    fake.with_linked_clones = {9000}
    run = settle(fake, NEW, keep=0)
    assert names(fake) == {9000: "debian-111111111111", 100: "debian"}
    assert run.warnings == [
        "Remove the old version debian-111111111111 (9000): not done, because linked clones depend on it."
    ]


def test_going_back_takes_the_old_version_again() -> None:
    fake = FakeGuests()
    settle(fake)
    settle(fake, NEW)
    fake.forget_calls()
    settle(fake, OLD)
    assert names(fake) == {9000: "debian", 100: "debian-222222222222"}
    assert fake.writes() == ["PUT /nodes/pve1/qemu/100/config", "PUT /nodes/pve1/qemu/9000/config"]


def count_calls() -> int:
    fake = FakeGuests()
    settle(fake)
    fake.forget_calls()
    settle(fake, NEW)
    return len(fake.session.calls)


@pytest.mark.parametrize("number", range(count_calls()))
def test_after_a_failure_at_any_call_the_next_run_finishes(number: int) -> None:
    fake = FakeGuests()
    settle(fake)
    fake.forget_calls()
    fake.session.fail_at, fake.session.failure = number, Failed("broken on purpose")
    with pytest.raises((GuestError, SessionError)):
        settle(fake, NEW)
    fake.session.fail_at = None
    settle(fake, NEW)
    assert names(fake) == {9000: "debian-111111111111", 100: "debian"}


def test_what_is_not_ours_is_left_alone() -> None:
    fake = FakeGuests()
    settle(fake)
    fake.configs[9000]["description"] = "somebody's"
    with pytest.raises(Refused, match="does not say which image it was made from"):
        settle(fake)
    del fake.configs[9000]["template"]
    with pytest.raises(Refused, match="is no template"):
        settle(fake)


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"machine": {"state": "started"}}, "machine.state"),
        ({"machine": {"cipassword": "x"}}, "machine.cipassword"),
        ({"machine": {"memroy": 1}}, "memroy"),
        ({"image": ""}, "image"),
        ({"keep": -1}, "keep"),
        ({"vmid": 5}, "vmid"),
    ],
)
def test_a_mistake_names_its_key(options: dict[str, Any], key: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        settle(FakeGuests(), **options)
    assert caught.value.key == key
