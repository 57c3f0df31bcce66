# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole way through a Proxmox VE in memory: what was applied is no change any more, whatever was declared."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.baremetal.proxmox.plugins.module_utils._guest.errors import SourceMissing
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.errors import AnswerLost, Failed, Unreachable
from fake_guests import IMAGE, FakeGuests
from guest_runs import settle, succeeded

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGFGqk0AJC1bPH6p0bOCRJ0Yw6WKYwtJxJmZ0xPq4xkD lab"
STORAGES = st.sampled_from(["local", "fast"])
SIZES = st.sampled_from(["4G", "4096M", 5, "6G", "8G"])
FLAGS = st.sampled_from([True, False, "yes", "off", 1, "0"])
CARD = st.fixed_dictionaries(
    {"model": st.sampled_from(["virtio", "e1000"]), "bridge": st.sampled_from(["vmbr0", "vmbr1"])},
    optional={"tag": st.integers(1, 4094), "firewall": FLAGS, "rate": st.sampled_from([1, 2.5])},
)
DISK = st.fixed_dictionaries(
    {"storage": STORAGES, "size": SIZES},
    optional={"discard": st.sampled_from(["on", "ignore"]), "ssd": FLAGS, "backup": FLAGS, "cache": st.just("none")},
)
CONFIG = st.fixed_dictionaries(
    {},
    optional={
        "cores": st.integers(1, 8),
        "sockets": st.sampled_from([1, "2"]),
        "memory": st.sampled_from([128, "512", "current=2048"]),
        "cpu": st.sampled_from(["host", "cputype=host,flags=+aes", {"cputype": "x86-64-v2-AES"}]),
        "onboot": FLAGS,
        "numa": FLAGS,
        "acpi": FLAGS,
        "agent": st.sampled_from([True, False, "1", "enabled=1,fstrim_cloned_disks=1", {"enabled": True, "freeze_fs": False}]),
        "tags": st.lists(st.sampled_from(["a", "B", "c-d", "A"]), max_size=4),
        "description": st.sampled_from(["", "one", "two\nlines\n"]),
        "machine": st.sampled_from(["q35", "pc"]),
        "vga": st.sampled_from(["serial0", {"type": "virtio", "memory": 64}]),
        "startup": st.sampled_from(["order=2,up=5", "3"]),
        "nameserver": st.sampled_from([["192.0.2.1"], "192.0.2.1, 192.0.2.2"]),
        "sshkeys": st.sampled_from([KEY, [KEY, "ssh-rsa BBBB b"]]),
        "ciuser": st.just("ops"),
        "serial": st.just({"serial0": "socket"}),
        "net": st.dictionaries(st.sampled_from(["net0", "net1"]), CARD, max_size=2),
        "scsi": st.dictionaries(st.sampled_from(["scsi0", "scsi3"]), DISK, max_size=2),
        "virtio": st.dictionaries(st.sampled_from(["virtio0"]), DISK, max_size=1),
        "ipconfig": st.just({"ipconfig0": {"ip": "192.0.2.5/24", "gw": "192.0.2.1"}}),
        "ci_storage": st.just("local"),
        "state": st.sampled_from(["present", "started", "stopped"]),
        "pool": st.just("lab"),
        "ha": st.sampled_from([True, False, {"max_restart": 2, "comment": "web"}, {"failback": False}]),
    },
)  # fmt: skip


def grown(before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Whether no disk of both would have to become smaller."""
    sizes = {"4G": 4, "4096M": 4, 5: 5, "6G": 6, "8G": 8}
    for bus in ("scsi", "virtio"):
        for slot, disk in after.get(bus, {}).items():
            if slot in before.get(bus, {}) and sizes[disk["size"]] < sizes[before[bus][slot]["size"]]:
                return False
    return True


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(first=CONFIG, second=CONFIG, image=st.booleans())
def test_what_was_applied_is_no_change(first: dict[str, Any], second: dict[str, Any], image: bool) -> None:
    fake = FakeGuests()
    declared = {"name": "web1", **first, **({"image": IMAGE, "storage": "local"} if image else {})}
    for wanted in (declared, {"name": "web1", **second}):
        if wanted is not declared and not grown(first, second):
            return
        planned = succeeded(settle(fake, wanted, check=True))
        assert fake.writes() == []
        applied = succeeded(settle(fake, wanted))
        assert planned.results[0].plan.diff == applied.results[0].plan.diff
        assert planned.results[0].plan.summaries == applied.results[0].plan.summaries
        fake.forget_calls()
        again = succeeded(settle(fake, wanted))
        assert again.results[0].plan.summaries == []
        assert fake.writes() == []
        fake.forget_calls()


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(template=CONFIG, wanted=CONFIG)
def test_a_clone_is_as_declared(template: dict[str, Any], wanted: dict[str, Any]) -> None:
    if not grown(template, wanted):
        return
    fake = FakeGuests()
    template = {key: value for key, value in template.items() if key != "ha"}
    succeeded(settle(fake, {"name": "template", **template, "state": "template"}))
    clone = {"name": "web1", "clone": "template", **wanted}
    planned = succeeded(settle(fake, clone, check=True))
    applied = succeeded(settle(fake, clone))
    assert planned.results[0].plan.diff == applied.results[0].plan.diff
    fake.forget_calls()
    assert succeeded(settle(fake, clone)).results[0].plan.summaries == []
    assert fake.writes() == []


def test_addresses_and_volumes_survive_every_change() -> None:
    fake = FakeGuests()
    vm = {"name": "web1", "net": {"net0": "virtio,bridge=vmbr0"}, "scsi": {"scsi0": {"storage": "local", "size": 5}}}
    succeeded(settle(fake, vm))
    address = fake.configs[100]["net0"].split(",")[0]
    volume = fake.configs[100]["scsi0"].split(",")[0]
    succeeded(
        settle(fake, {**vm, "net": {"net0": "virtio,bridge=vmbr1"}, "scsi": {"scsi0": "local:9,ssd=1"}, "memory": 64})
    )
    assert fake.configs[100]["net0"] == f"{address},bridge=vmbr1"
    assert fake.configs[100]["scsi0"] == f"{volume},size=9G,ssd=1"


def fleet(count: int, **more: Any) -> list[dict[str, Any]]:
    return [
        {"name": f"vm{number}", "image": IMAGE, "storage": "local", "state": "started", **more}
        for number in range(count)
    ]


def test_one_call_creates_and_one_starts() -> None:
    fake = FakeGuests()
    succeeded(settle(fake, *fleet(1, scsi={"scsi0": {"size": 10}})))
    assert fake.writes() == [
        "POST /nodes/pve1/qemu",
        "PUT /nodes/pve1/qemu/100/resize",
        "POST /nodes/pve1/qemu/100/status/start",
    ]


def test_an_unchanged_fleet_costs_one_call_for_each_guest() -> None:
    fake = FakeGuests()
    succeeded(settle(fake, *fleet(100)))
    fake.forget_calls()
    succeeded(settle(fake, *fleet(100)))
    assert fake.writes() == []
    assert len(fake.session.calls) <= 103


def test_one_bad_guest_does_not_stop_the_others() -> None:
    fake = FakeGuests()
    guests = fleet(20)
    guests[7] = {**guests[7], "scsi": {"scsi0": {"size": "1G"}}}  # smaller than the image
    outcome = settle(fake, *guests)
    assert [result.wish.name for result in outcome.results if result.error] == ["vm7"]
    assert "shrinking disks is not supported" in outcome.results[7].error
    assert len(fake.running) == 19
    fake.forget_calls()
    guests[7] = {**guests[7], "scsi": {"scsi0": {"size": "3G"}}}
    succeeded(settle(fake, *guests))
    assert fake.writes() == ["POST /nodes/pve1/qemu/107/status/start"]


def test_a_missing_source_stops_everything_before_anything_is_created() -> None:
    fake = FakeGuests()
    succeeded(settle(fake, {"name": "debian", "state": "template"}))
    fake.forget_calls()
    with pytest.raises(SourceMissing, match=r"vm2: clone: there is no guest nosuch. There are debian \(100 on pve1\)"):
        settle(fake, {"name": "vm1", "clone": "debian"}, {"name": "vm2", "clone": "nosuch"})
    with pytest.raises(SourceMissing, match=f"there is no local:import/x.qcow2 on pve1; local has {IMAGE}"):
        settle(
            fake,
            {"name": "vm1", "clone": "debian"},
            {"name": "vm2", "image": "local:import/x.qcow2", "storage": "local"},
        )
    assert fake.writes() == []


def full_guest() -> dict[str, Any]:
    return {
        "name": "web1", "clone": "debian", "memory": 2048, "cores": 2, "net": {"net0": {"tag": 5}}, "tags": ["web"],
        "scsi": {"scsi0": {"size": "8G", "ssd": True}}, "pool": "lab", "state": "started",
    }  # fmt: skip


def with_template() -> FakeGuests:
    fake = FakeGuests()
    template = {
        "name": "debian",
        "image": IMAGE,
        "storage": "local",
        "net": {"net0": "virtio,bridge=vmbr0"},
        "state": "template",
    }
    succeeded(settle(fake, template))
    fake.forget_calls()
    return fake


def count_calls(entry: dict[str, Any]) -> int:
    fake = with_template()
    succeeded(settle(fake, entry))
    return len(fake.session.calls)


SOURCES = {"clone": full_guest(), "image": {**full_guest(), "clone": None, "image": IMAGE, "storage": "local"}}


@pytest.mark.parametrize(
    ("source", "number"), [(name, number) for name in SOURCES for number in range(count_calls(SOURCES[name]))]
)
@pytest.mark.parametrize("how", ["fail_at", "lose_at"])
def test_after_a_failure_at_any_call_the_next_run_finishes(source: str, number: int, how: str) -> None:
    fake = with_template()
    setattr(fake.session, how, number)
    fake.session.failure = AnswerLost("connection closed") if how == "lose_at" else Failed("broken on purpose")
    try:
        settle(fake, SOURCES[source])
    except (Failed, Unreachable, AnswerLost, SourceMissing):
        pass
    setattr(fake.session, how, None)
    succeeded(settle(fake, SOURCES[source]))
    assert sorted(config["name"] for config in fake.configs.values()) == ["debian", "web1"]
    (vmid,) = (vmid for vmid, config in fake.configs.items() if config["name"] == "web1")
    assert vmid in fake.running
    assert "size=8G" in fake.configs[vmid]["scsi0"]
    assert "ssd=1" in fake.configs[vmid]["scsi0"]
    fake.forget_calls()
    assert succeeded(settle(fake, SOURCES[source])).results[0].plan.summaries == []


def before_the_update() -> FakeGuests:
    fake = with_template()
    succeeded(settle(fake, {**SOURCES["image"], "pool": None, "ide": {"ide0": "local:2"}}))
    fake.forget_calls()
    return fake


UPDATE = {
    "name": "web1", "memory": 4096, "tags": ["db"], "net": {"net0": {"bridge": "vmbr1"}}, "pool": "lab", "ha": {"max_restart": 2},
    "scsi": {"scsi0": {"size": "9G", "storage": "fast", "ssd": False}}, "ide": {"ide0": {"size": 3, "backup": False}},
    "state": "started", "restart_policy": "if_required",
}  # fmt: skip


def count_update_calls() -> int:
    fake = before_the_update()
    succeeded(settle(fake, UPDATE))
    return len(fake.session.calls)


@pytest.mark.parametrize("number", range(count_update_calls()))
@pytest.mark.parametrize("how", ["fail_at", "lose_at"])
def test_after_a_failure_at_any_call_of_an_update_the_next_run_finishes(number: int, how: str) -> None:
    fake = before_the_update()
    (vmid,) = (vmid for vmid, config in fake.configs.items() if config["name"] == "web1")
    address = fake.configs[vmid]["net0"].split(",")[0]
    setattr(fake.session, how, number)
    fake.session.failure = AnswerLost("connection closed") if how == "lose_at" else Failed("broken on purpose")
    try:
        settle(fake, UPDATE)
    except (Failed, Unreachable, AnswerLost):
        pass
    setattr(fake.session, how, None)
    succeeded(settle(fake, UPDATE))
    config = fake.configs[vmid]
    assert config["net0"] == f"{address},bridge=vmbr1,tag=5"
    assert config["memory"] == "4096"
    assert config["scsi0"].startswith(f"fast:{vmid}/") and "size=9G" in config["scsi0"]
    assert config["ide0"].endswith("backup=0,size=3G")
    assert fake.pending.get(vmid, {}) == {}
    assert fake.managed == {f"vm:{vmid}": {"state": "started", "max_restart": "2"}}
    fake.forget_calls()
    assert succeeded(settle(fake, UPDATE)).results[0].plan.summaries == []
    assert fake.writes() == []


def test_two_runs_at_once_make_every_guest_once() -> None:
    fake = FakeGuests()
    errors: list[str] = []

    def run() -> None:
        errors.extend(result.error for result in settle(fake, *fleet(20)).results if result.error)

    runs = [threading.Thread(target=run) for _turn in range(2)]
    for one in runs:
        one.start()
    for one in runs:
        one.join()
    assert errors == []
    assert sorted(config["name"] for config in fake.configs.values()) == sorted(f"vm{number}" for number in range(20))


def test_identity_is_never_guessed() -> None:
    fake = FakeGuests()
    succeeded(settle(fake, {"name": "a", "vmid": 100}, {"name": "b", "vmid": 101}))
    fake.configs[101]["name"] = "a"
    assert (
        settle(fake, {"name": "a"}).results[0].error.startswith("The name a is not unique: 100 on pve1, 101 on pve1.")
    )
    assert settle(fake, {"name": "c", "vmid": 100}).results[0].error.startswith("The vmid 100 is taken by a on pve1")
    assert (
        settle(fake, {"name": "c", "vmid": 100, "state": "absent", "force": True})
        .results[0]
        .error.startswith("The vmid 100 is taken")
    )
    fake.configs[101]["name"] = "b"
    assert settle(fake, {"name": "a", "vmid": 105}).results[0].error.startswith("a exists with the vmid 100")


def test_removing_refuses_what_runs_or_is_protected() -> None:
    fake = FakeGuests()
    succeeded(settle(fake, {"name": "a", "state": "started", "protection": True}))
    assert "is protected" in settle(fake, {"name": "a", "state": "absent"}).results[0].error
    fake.configs[100].pop("protection")
    assert "is running" in settle(fake, {"name": "a", "state": "absent"}).results[0].error
    fake.configs[100]["protection"] = "1"
    succeeded(settle(fake, {"name": "a", "state": "absent", "force": True}))
    assert fake.configs == {}
    fake.forget_calls()
    assert not succeeded(settle(fake, {"name": "a", "state": "absent"})).results[0].plan.changed
    assert fake.writes() == []


def test_what_an_interrupted_creation_left_is_replaced() -> None:
    fake = FakeGuests()
    fake.configs[100] = {"lock": "create"}
    fake.failed_tasks = [{"type": "qmcreate", "id": "100", "user": "root@pam", "status": "unexpected status"}]
    plan = settle(fake, {"name": "a", "vmid": 100}, check=True).results[0].plan
    assert [step.action for step in plan.steps] == ["remove_husk", "create"]
    succeeded(settle(fake, {"name": "a", "vmid": 100}))
    assert fake.configs[100]["name"] == "a"


@pytest.mark.parametrize(
    ("config", "task"),
    [
        ({"lock": "create"}, {}),
        ({"lock": "create"}, {"type": "qmcreate", "id": "101", "user": "root@pam"}),
        ({"lock": "create"}, {"type": "qmcreate", "id": "100", "user": "ops@pve"}),
        ({"lock": "create", "scsi0": "local:100/x.raw"}, {"type": "qmcreate", "id": "100", "user": "root@pam"}),
        ({"lock": "clone", "name": "a"}, {"type": "qmclone", "id": "9000", "user": "root@pam"}),
    ],
)
def test_what_may_be_of_others_is_never_removed(config: dict[str, str], task: dict[str, str]) -> None:
    fake = FakeGuests()
    fake.configs[100] = dict(config)
    fake.failed_tasks = [task] if task else []
    error = settle(fake, {"name": "a", "vmid": 100}).results[0].error
    assert f"100 is locked ({config['lock']})" in error
    assert "qm unlock 100" in error
    assert fake.configs[100] == config
    assert fake.writes() == []


def test_force_removes_an_empty_reservation_of_anybody() -> None:
    fake = FakeGuests()
    fake.configs[100] = {"lock": "create"}
    succeeded(settle(fake, {"name": "a", "vmid": 100, "force": True}))
    assert fake.configs[100]["name"] == "a"


def test_high_availability_takes_over_whether_the_guest_runs() -> None:
    fake = FakeGuests()
    succeeded(settle(fake, {"name": "a", "ha": {"max_restart": 2}}))
    assert fake.managed == {"vm:100": {"state": "stopped", "max_restart": "2"}}
    succeeded(settle(fake, {"name": "a", "ha": {"max_restart": 3, "comment": "x"}}))
    assert fake.managed == {"vm:100": {"state": "stopped", "max_restart": "3", "comment": "x"}}
    fake.forget_calls()
    succeeded(settle(fake, {"name": "a", "ha": False, "state": "started"}))
    assert fake.writes() == ["DELETE /cluster/ha/resources/vm:100", "POST /nodes/pve1/qemu/100/status/start"]
    assert fake.managed == {}
    succeeded(settle(fake, {"name": "b", "state": "started", "ha": True}))
    assert fake.writes()[-2:] == ["POST /nodes/pve1/qemu/101/status/start", "POST /cluster/ha/resources"]


def test_a_lock_of_others_is_reported() -> None:
    fake = FakeGuests()
    succeeded(settle(fake, {"name": "a"}))
    fake.configs[100]["lock"] = "backup"
    assert settle(fake, {"name": "a", "memory": 64}).results[0].error.startswith("It is locked (backup).")
