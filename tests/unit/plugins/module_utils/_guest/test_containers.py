# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Containers on the engine of virtual machines: made, kept, grown, moved, cloned, removed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.baremetal.proxmox.plugins.module_utils._guest import apply
from ansible_collections.baremetal.proxmox.plugins.module_utils._guest.errors import SourceMissing
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.errors import AnswerLost, Failed, Unreachable
from fake_containers import TEMPLATE, FakeContainers
from guest_runs import settle, succeeded

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGFGqk0AJC1bPH6p0bOCRJ0Yw6WKYwtJxJmZ0xPq4xkD lab"
SIZES = st.sampled_from([4, "4096M", "6G", "8G"])
VOLUME = st.fixed_dictionaries(
    {"storage": st.sampled_from(["local", "fast"]), "size": SIZES},
    optional={"backup": st.booleans(), "acl": st.booleans()},
)
CARD = st.fixed_dictionaries(
    {"name": st.just("eth0"), "bridge": st.sampled_from(["vmbr0", "vmbr1"])},
    optional={"ip": st.sampled_from(["dhcp", "192.0.2.5/24"]), "tag": st.integers(1, 4094), "firewall": st.booleans()},
)
CONFIG = st.fixed_dictionaries(
    {"rootfs": VOLUME},
    optional={
        "memory": st.sampled_from([128, "256"]),
        "swap": st.sampled_from([0, 512]),
        "cores": st.integers(1, 8),
        "onboot": st.sampled_from(["yes", False]),
        "features": st.sampled_from(["nesting=1", {"nesting": True, "keyctl": True}, {"nesting": False}]),
        "tags": st.lists(st.sampled_from(["a", "B"]), max_size=2),
        "nameserver": st.sampled_from([["192.0.2.1"], "192.0.2.1 192.0.2.2"]),
        "description": st.sampled_from(["one", "two\nlines\n"]),
        "console": st.booleans(),
        "net": st.dictionaries(st.just("net0"), CARD, max_size=1),
        "mp": st.fixed_dictionaries({"mp0": VOLUME.map(lambda volume: {**volume, "mp": "/srv"})}),
        "state": st.sampled_from(["present", "started", "stopped"]),
        "pool": st.just("lab"),
        "ha": st.sampled_from([True, {"max_restart": 2}, False]),
    },
)  # fmt: skip


def container(**more: Any) -> dict[str, Any]:
    return {"name": "ct1", "ostemplate": TEMPLATE, "rootfs": {"storage": "local", "size": 4}, **more}


def sizes_of(config: dict[str, Any]) -> dict[str, int]:
    gigabytes = {4: 4, "4096M": 4, "6G": 6, "8G": 8}
    volumes = {"rootfs": config["rootfs"], **config.get("mp", {})}
    return {slot: gigabytes[volume["size"]] for slot, volume in volumes.items()}


def moves(before: dict[str, Any], after: dict[str, Any]) -> bool:
    first, second = ({"rootfs": config["rootfs"], **config.get("mp", {})} for config in (before, after))
    return any(first[slot]["storage"] != second[slot]["storage"] for slot in set(first) & set(second))


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(first=CONFIG, second=CONFIG)
def test_what_was_applied_is_no_change(first: dict[str, Any], second: dict[str, Any]) -> None:
    fake = FakeContainers()
    created = {"name": "ct1", "ostemplate": TEMPLATE, **first}
    for wanted in (created, {"name": "ct1", **second}):
        before, after = sizes_of(first), sizes_of(wanted)
        if any(after[slot] < before[slot] for slot in set(before) & set(after)):
            return
        if fake.running and moves(first, wanted):
            return
        planned = succeeded(settle(fake, wanted, check=True))
        assert fake.writes() == []
        applied = succeeded(settle(fake, wanted))
        assert planned.results[0].plan.diff == applied.results[0].plan.diff
        fake.forget_calls()
        assert succeeded(settle(fake, wanted)).results[0].plan.summaries == []
        assert fake.writes() == []


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(template=CONFIG, wanted=CONFIG)
def test_a_clone_is_as_declared(template: dict[str, Any], wanted: dict[str, Any]) -> None:
    before, after = sizes_of(template), sizes_of(wanted)
    if any(after[slot] < before[slot] for slot in set(before) & set(after)):
        return
    fake = FakeContainers()
    template = {key: value for key, value in template.items() if key != "ha"}
    succeeded(settle(fake, {"name": "base", "ostemplate": TEMPLATE, **template, "state": "template"}))
    clone = {"name": "ct1", "clone": "base", **wanted}
    succeeded(settle(fake, clone))
    fake.forget_calls()
    assert succeeded(settle(fake, clone)).results[0].plan.summaries == []
    assert fake.writes() == []


def test_one_call_creates_and_one_starts() -> None:
    fake = FakeContainers()
    succeeded(settle(fake, container(state="started", password="geheim-1", ssh_public_keys=[KEY], unprivileged=True)))
    assert fake.writes() == ["POST /nodes/pve1/lxc", "POST /nodes/pve1/lxc/100/status/start"]
    assert fake.only_once[100]["password"].startswith("$6$")
    assert fake.only_once[100]["ssh-public-keys"] == KEY + "\n"
    assert fake.configs[100]["unprivileged"] == "1"


def test_the_password_is_never_shown() -> None:
    fake = FakeContainers()
    result = settle(fake, container(password="geheim-1"), check=True).results[0]
    shown = str(result.as_dict(check_mode=True))
    assert "geheim-1" not in shown
    assert "$6$" not in shown
    assert result.plan.diff["after"]["password"] == "********"


def test_addresses_and_volumes_survive_every_change() -> None:
    fake = FakeContainers()
    wanted = container(net={"net0": "name=eth0,bridge=vmbr0"}, mp={"mp0": "local:4,mp=/srv"})
    succeeded(settle(fake, wanted))
    address = next(part for part in fake.configs[100]["net0"].split(",") if part.startswith("hwaddr"))
    root, data = (fake.configs[100][slot].split(",")[0] for slot in ("rootfs", "mp0"))
    succeeded(
        settle(fake, {"name": "ct1", "rootfs": "local:6,acl=1", "mp": {"mp0": {"size": 5, "backup": True}}, "net": {"net0": {"bridge": "vmbr1"}}})
    )  # fmt: skip
    assert fake.configs[100]["rootfs"] == f"{root},acl=1,size=6G"
    assert fake.configs[100]["mp0"] == f"{data},backup=1,mp=/srv,size=5G"
    assert address in fake.configs[100]["net0"]
    assert "bridge=vmbr1" in fake.configs[100]["net0"]
    succeeded(settle(fake, {"name": "ct1", "absent_keys": ["mp0"]}))
    assert data in fake.configs[100].values()
    assert "mp0" not in fake.configs[100]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rootfs": {"size": 2}}, "rootfs: it has 4G and shall have 2G; disks are never shrunk"),
        ({"unprivileged": False}, "unprivileged: it is 1 and cannot be changed once the container exists"),
        ({"mp": {"mp1": {"storage": "local", "size": 4}}}, "mp1.mp: a new mount point needs the path"),
        ({"mp": {"mp1": {"mp": "/x"}}}, "mp1: nothing is there, and no storage says where"),
        ({"rootfs": {"volume": "local:100/vm-100-disk-9.raw"}}, "rootfs: the volume local:100/vm-100-disk-9.raw is wanted"),
    ],
)  # fmt: skip
def test_what_would_lose_something_is_refused(change: dict[str, Any], message: str) -> None:
    fake = FakeContainers()
    succeeded(settle(fake, container()))
    fake.forget_calls()
    assert settle(fake, {"name": "ct1", **change}).results[0].error.startswith(message)
    assert fake.writes() == []


def test_a_volume_moves_only_while_the_container_is_stopped() -> None:
    fake = FakeContainers()
    succeeded(settle(fake, container(state="started")))
    elsewhere = {"name": "ct1", "rootfs": {"storage": "fast"}}
    assert settle(fake, elsewhere).results[0].error.startswith("rootfs: it cannot be moved to fast while")
    succeeded(settle(fake, {"name": "ct1", "state": "stopped"}))
    succeeded(settle(fake, elsewhere))
    assert fake.configs[100]["rootfs"].startswith("fast:100/vm-100-disk-")


def test_options_that_wait_for_a_restart_follow_a_growing_volume() -> None:
    fake = FakeContainers()
    succeeded(settle(fake, container(state="started")))
    succeeded(settle(fake, {"name": "ct1", "rootfs": {"acl": True}}))
    succeeded(settle(fake, {"name": "ct1", "rootfs": {"size": 8}}))
    assert "size=8G" in str(fake.pending[100]["rootfs"])
    succeeded(settle(fake, {"name": "ct1", "rootfs": {"size": 8, "acl": True}, "restart_policy": "if_required"}))
    assert fake.configs[100]["rootfs"].endswith(",acl=1,size=8G")


def test_a_directory_of_the_node_can_be_mounted_and_replaced() -> None:
    fake = FakeContainers()
    succeeded(settle(fake, container(mp={"mp0": {"volume": "/mnt/a", "mp": "/a"}})))
    assert fake.configs[100]["mp0"] == "/mnt/a,mp=/a"
    succeeded(settle(fake, container(mp={"mp0": "/mnt/b,mp=/a"})))
    assert fake.configs[100]["mp0"] == "/mnt/b,mp=/a"


@pytest.mark.parametrize(
    ("declared", "what"),
    [
        ({"mp": {"mp0": {"volume": "/mnt/a", "mp": "/a"}}}, "mp0"),
        ({"features": {"keyctl": True}}, "features.keyctl"),
        ({"dev": {"dev0": "/dev/ttyUSB0"}}, "dev0"),
        ({"hookscript": "local:snippets/x"}, "hookscript"),
    ],
)
def test_what_only_root_may_is_told_before_anything_is_sent(declared: dict[str, Any], what: str) -> None:
    fake = FakeContainers(user="ops@pve!token", node=None)
    error = settle(fake, container(**declared)).results[0].error
    assert error.startswith(f"{what}: only root@pam itself may do that")
    assert fake.writes() == []


def test_what_root_has_set_may_be_declared_by_others() -> None:
    fake = FakeContainers()
    declared = container(features={"keyctl": True}, hookscript="local:snippets/x")
    succeeded(settle(fake, declared))
    fake.session.user, fake.session.node = "ops@pve!token", None
    succeeded(settle(fake, declared))
    assert (
        settle(fake, {**declared, "hookscript": "local:snippets/y"})
        .results[0]
        .error.startswith("hookscript: only root")
    )


def test_without_a_template_or_a_place_nothing_is_made() -> None:
    fake = FakeContainers()
    assert settle(fake, {"name": "ct1", "storage": "local"}).results[0].error.startswith("ostemplate: nothing says")
    assert settle(fake, {"name": "ct1", "ostemplate": TEMPLATE}).results[0].error.startswith("rootfs: nothing says")
    with pytest.raises(SourceMissing, match=f"there is no local:vztmpl/no.tar.zst on pve1; local has {TEMPLATE}"):
        settle(fake, container(), {"name": "ct2", "ostemplate": "local:vztmpl/no.tar.zst", "storage": "local"})
    assert fake.writes() == []
    succeeded(settle(fake, {"name": "ct1", "ostemplate": TEMPLATE, "storage": "fast"}))
    assert "size=4G" in fake.configs[100]["rootfs"]


def test_a_running_container_is_no_source_of_clones() -> None:
    fake = FakeContainers()
    succeeded(settle(fake, container(state="started")))
    assert "the container ct1 runs" in settle(fake, {"name": "ct2", "clone": "ct1"}).results[0].error


def test_removal() -> None:
    fake = FakeContainers()
    succeeded(settle(fake, container(state="started", ha=True)))
    assert fake.managed == {"ct:100": {"state": "started"}}
    assert "is running" in settle(fake, {"name": "ct1", "state": "absent"}).results[0].error
    succeeded(settle(fake, {"name": "ct1", "state": "absent", "force": True}))
    assert fake.configs == {}
    fake.forget_calls()
    assert not succeeded(settle(fake, {"name": "ct1", "state": "absent"})).results[0].plan.changed


def test_what_an_interrupted_creation_left_is_unlocked_on_its_node(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = FakeContainers()
    unlocked: list[tuple[str, int]] = []

    def unlock(_session: object, node: str, vmid: int) -> None:
        unlocked.append((node, vmid))
        del fake.configs[vmid]["lock"]

    monkeypatch.setattr(apply, "unlock_container", unlock)
    fake.configs[100] = {"lock": "create"}
    assert "100 is locked (create)" in settle(fake, container(vmid=100)).results[0].error
    fake.failed_tasks = [{"type": "vzcreate", "id": "100", "user": "root@pam", "status": "unexpected status"}]
    succeeded(settle(fake, container(vmid=100)))
    assert unlocked == [("pve1", 100)]
    assert fake.configs[100]["hostname"] == "ct1"


def full() -> dict[str, Any]:
    return container(
        rootfs={"storage": "local", "size": 8}, cores=2, tags=["web"], pool="lab", state="started", ha=True
    )


def count_calls() -> int:
    fake = FakeContainers()
    succeeded(settle(fake, full()))
    return len(fake.session.calls)


@pytest.mark.parametrize("number", range(count_calls()))
@pytest.mark.parametrize("how", ["fail_at", "lose_at"])
def test_after_a_failure_at_any_call_the_next_run_finishes(number: int, how: str) -> None:
    fake = FakeContainers()
    setattr(fake.session, how, number)
    fake.session.failure = AnswerLost("connection closed") if how == "lose_at" else Failed("broken on purpose")
    try:
        settle(fake, full())
    except (Failed, Unreachable, AnswerLost, SourceMissing):
        pass
    setattr(fake.session, how, None)
    succeeded(settle(fake, full()))
    assert [config["hostname"] for config in fake.configs.values()] == ["ct1"]
    assert fake.running == {100}
    assert fake.managed == {"ct:100": {"state": "started"}}
    fake.forget_calls()
    assert succeeded(settle(fake, full())).results[0].plan.summaries == []
