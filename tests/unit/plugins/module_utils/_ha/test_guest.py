# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One declaration of HA on version 8 and on version 9: other objects, the same place; and the second run changes nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ansible_collections.baremetal.proxmox.plugins.module_utils._desired.errors import InvalidValue
from ansible_collections.baremetal.proxmox.plugins.module_utils._ha.errors import HaError
from ansible_collections.baremetal.proxmox.plugins.module_utils._ha.module_run import Settled, settle
from ansible_collections.baremetal.proxmox.plugins.module_utils._ha.wish import parse_wish
from fake_session import FakeSession

BOTH = pytest.mark.parametrize("version", ["8.4.1", "9.2.11"])
PREFER = {"guest": "100", "state": "started", "prefer": {"pve1": 100, "pve2": 50}}


class Cluster(FakeSession):
    """Three nodes, one virtual machine, one container; HA's objects in dictionaries, as Proxmox VE answers."""

    def __init__(self, version: str = "9.2.11") -> None:
        super().__init__(handler=self._handle, version=version)
        self.branches: dict[str, dict[str, dict[str, Any]]] = {"resources": {}, "rules": {}, "groups": {}}
        self.offline: set[str] = set()
        self.service_node = "pve1"

    def _handle(self, method: str, path: str, params: dict[str, Any]) -> Any:
        parts = path.strip("/").split("/")
        if parts[:2] == ["cluster", "ha"] and parts[2] in self.branches:
            return self._ha(method, parts[2], parts[3].replace("%3A", ":") if len(parts) > 3 else None, params)
        if path == "/cluster/status":
            return [
                {"type": "node", "name": name, "online": int(name not in self.offline)}
                for name in ("pve1", "pve2", "pve3")
            ]
        if path == "/cluster/resources":
            return [{"type": "qemu", "vmid": 100, "node": "pve1"}, {"type": "lxc", "vmid": 200, "node": "pve2"}]
        if path.endswith("/config"):
            return {"scsi0": "local:100/a.raw"} if "qemu" in path else {"rootfs": "nas:200/b.raw"}
        if path == "/storage":
            return [{"storage": "local", "type": "dir"}, {"storage": "nas", "type": "nfs"}]
        if path == "/cluster/ha/status/manager_status":
            return {"manager_status": {}}
        assert path == "/cluster/ha/status/current", path
        return [
            {"type": "service", "sid": sid, "state": values.get("state", "started"), "node": self.service_node}
            for sid, values in self.branches["resources"].items()
        ]

    def _ha(self, method: str, branch: str, name: str | None, params: dict[str, Any]) -> Any:
        objects = self.branches[branch]
        key = {"resources": "sid", "rules": "rule", "groups": "group"}[branch]
        if method == "GET":
            return [{key: name, **values} for name, values in objects.items()]
        if method == "POST":
            assert params[key] not in objects
            objects[params[key]] = {word: value for word, value in params.items() if word != key}
        elif method == "PUT":
            assert name is not None
            given = dict(params)
            for word in str(given.pop("delete", "")).split(","):
                objects[name].pop(word, None)
            objects[name].update(given)
        else:
            assert name is not None
            del objects[name]
        return None


def run(session: FakeSession, *, check: bool = False, **declared: Any) -> Settled:
    return settle(session, parse_wish(declared), check)


def test_version_9_gets_a_rule() -> None:
    session = Cluster()
    settled = run(session, **PREFER, max_relocate=3)
    assert session.branches["resources"] == {"vm:100": {"state": "started", "max_relocate": "3"}}
    assert session.branches["rules"] == {
        "prefer-vm-100": {"type": "node-affinity", "nodes": "pve1:100,pve2:50", "resources": "vm:100"}
    }
    assert settled.expected == "pve1"


def test_version_8_gets_a_group_first() -> None:
    session = Cluster("8.4.1")
    run(session, **PREFER, strict=True, failback=False)
    assert session.branches["groups"] == {
        "prefer-vm-100": {"nodes": "pve1:100,pve2:50", "restricted": "1", "nofailback": "1"}
    }
    assert session.branches["resources"] == {"vm:100": {"state": "started", "group": "prefer-vm-100"}}
    assert [call.path for call in session.writes] == ["/cluster/ha/groups", "/cluster/ha/resources"]


@BOTH
def test_the_second_run_changes_nothing_and_check_mode_writes_nothing(version: str) -> None:
    session = Cluster(version)
    declared = {**PREFER, "strict": True, "failback": False, "max_restart": 2, "comment": "web"}
    planned = run(session, check=True, **declared)
    assert planned.plan.changed and not session.writes
    done = run(session, **declared)
    assert done.plan.summaries == planned.plan.summaries and done.plan.diff == planned.plan.diff
    writes = len(session.writes)
    again = run(session, **declared)
    assert not again.plan.changed and len(session.writes) == writes
    assert again.plan.before == done.plan.after


@BOTH
def test_the_diff_is_the_same_on_both_versions(version: str) -> None:
    after = run(Cluster(version), **PREFER, check=True).plan.after
    assert after == {
        "state": "started", "failback": True, "prefer": {"pve1": 100, "pve2": 50}, "strict": False,
    }  # fmt: skip


@BOTH
def test_a_preference_changes_in_place_and_ends(version: str) -> None:
    session = Cluster(version)
    run(session, **PREFER)
    changed = run(session, guest="vm:100", prefer={"pve3": 10})
    assert len(changed.plan.steps) == 1 and "pve3:10" in changed.plan.summaries[0]
    run(session, guest="vm:100", prefer={})
    assert not session.branches["rules"] and not session.branches["groups"]
    assert session.branches["resources"] == {"vm:100": {"state": "started"}}


@BOTH
def test_absent_leaves_nothing_behind(version: str) -> None:
    session = Cluster(version)
    run(session, **PREFER)
    run(session, guest="100", state="absent")
    assert not any(session.branches.values())
    assert not run(session, guest="100", state="absent").plan.changed


@BOTH
def test_what_is_not_declared_stays(version: str) -> None:
    session = Cluster(version)
    run(session, **PREFER, max_restart=5)
    session.branches["resources"]["vm:100"]["state"] = "stopped"
    settled = run(session, guest="100", comment="x")
    assert settled.plan.summaries == ["Set comment of vm:100."]
    assert session.branches["resources"]["vm:100"]["state"] == "stopped"


def test_a_rule_that_came_from_a_group_is_used_on() -> None:
    session = Cluster()
    session.branches["resources"]["vm:100"] = {"state": "started"}
    session.branches["rules"]["ha-group-prefer-vm-100"] = {
        "type": "node-affinity", "resources": "vm:100", "nodes": "pve1:100,pve2:50", "strict": 0,
    }  # fmt: skip
    assert not run(session, **PREFER).plan.changed


def test_a_guest_leaves_the_rules_that_contradict() -> None:
    session = Cluster()
    session.branches["resources"] = {"vm:100": {"state": "started"}, "ct:200": {"state": "started"}}
    session.branches["rules"]["both"] = {"type": "node-affinity", "resources": "ct:200,vm:100", "nodes": "pve3"}
    settled = run(session, **PREFER)
    assert settled.plan.summaries[0] == "Take vm:100 out of the rule both."
    assert session.branches["rules"]["both"]["resources"] == "ct:200"


def test_a_disabled_rule_is_enabled() -> None:
    session = Cluster()
    run(session, **PREFER)
    session.branches["rules"]["prefer-vm-100"]["disable"] = 1
    assert "prefer" not in run(session, **PREFER, check=True).plan.before
    run(session, **PREFER)
    assert session.branches["rules"]["prefer-vm-100"]["disable"] == "0"


def test_the_best_node_that_is_online_is_expected() -> None:
    session = Cluster()
    session.offline = {"pve1"}
    assert run(session, **PREFER).expected == "pve2"
    assert run(session, guest="100", prefer=["pve1", "pve2", "pve3"]).expected is None


def test_volumes_that_stay_behind_are_told() -> None:
    assert "scsi0 on local" in run(Cluster(), **PREFER).warnings[0]
    assert run(Cluster(), guest="ct:200").warnings == ()


@pytest.mark.parametrize(
    ("declared", "error", "words"),
    [
        ({"guest": "300"}, HaError, "no guest 300"),
        ({"guest": "ct:100"}, HaError, "100 is vm:100"),
        ({"guest": "100", "prefer": {"pve9": 1}}, HaError, "no node pve9; there are pve1, pve2, pve3"),
        ({"guest": "web"}, InvalidValue, "is not a guest"),
        ({"guest": "100", "strict": True}, InvalidValue, "strict: it says something about prefer"),
        ({"guest": "100", "prefer": {"pve1": 5000}}, InvalidValue, "prefer.pve1: 5000 is more than 1000"),
    ],
)
def test_nonsense_is_refused(declared: dict[str, Any], error: type[Exception], words: str) -> None:
    session = Cluster()
    with pytest.raises(error, match=re.escape(words)):
        run(session, **declared)
    assert not session.writes


def test_failback_alone_is_refused_before_version_9() -> None:
    with pytest.raises(HaError, match="only together with its nodes"):
        run(Cluster("8.4.1"), guest="100", failback=False)
    assert run(Cluster(), guest="100", failback=False).plan.after["failback"] is False


def test_waiting_ends_in_words() -> None:
    session = Cluster()
    session.service_node = "pve3"
    with pytest.raises(HaError, match="vm:100 is on pve3, not on pve1"):
        settle(session, parse_wish(PREFER), False, patience=0.01)
