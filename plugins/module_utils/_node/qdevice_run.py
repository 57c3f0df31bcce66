# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of C(proxmox_qdevice): read all members, plan, run C(pvecm qdevice) detached, and believe only the votes.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.classify import classify
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.command_words import last_words
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.config_change import drop_device
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import (
    ClusterError,
    Refused,
    StateUnknown,
    StepFailed,
    Unreachable,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.plan_config import refuse_unfit_node
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.plan_qdevice import (
    DeviceWish,
    plan_qdevice,
    unmet_absent,
    unmet_present,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.snapshot import Snapshot
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.view import ClusterView, view_of
from ansible_collections.baremetal.proxmox.plugins.module_utils._node import transient
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.config_actions import CONFIG, ConfigActions
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.lease import held_while
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.places import Here, Member, Place, read_here
from ansible_collections.baremetal.proxmox.plugins.module_utils._plan import apply_plan

_OPERATION = "qdevice"
_STORE = Path("/etc/corosync/qdevice/net/nssdb")
_POLL_SECONDS = 0.5
_GRACE_SECONDS = 30
_LEASE_FACTOR = 4
# Both tools are in the package; the second is what pvecm itself calls there.
_PROBE = "command -v corosync-qnetd-certutil >/dev/null || exit 3; systemctl is-active --quiet corosync-qnetd || exit 4"


def set_qdevice(params: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    wish = DeviceWish(
        present=params["state"] == "present",
        address=params["address"] or "",
        allow_odd=params["odd_members"] == "allow",
        accounted_for=tuple(params["accounted_for"] or ()),
        timeout=params["timeout"],
    )
    if check_mode:
        return _run(wish, params, check_mode=True)
    with held_while(params.get("lock_owner"), wish.timeout * _LEASE_FACTOR):
        return _run(wish, params, check_mode=False)


def _run(wish: DeviceWish, params: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    resumed = not check_mode and transient.state(_OPERATION).busy
    if resumed:
        transient.await_end(_OPERATION, wish.timeout + _GRACE_SECONDS)
    snapshot = read_here()
    now = classify(snapshot, params["cluster_name"])
    if not wish.present and _has_none(snapshot):
        return {**_result(False, {"before": {}, "after": {}}, [], None, snapshot), "resumed": resumed}
    refuse_unfit_node(now)
    seen = view_of(snapshot, "")
    if seen.value is None:
        raise StateUnknown(f"The cluster could not be read: {seen.reason}")
    view = seen.value
    online = {name: view.address_of(name) for name in view.config.names if name in view.online}
    work = _Work(snapshot, view, online)
    plan = plan_qdevice(wish, view, work.config.read_members(), _STORE.exists())
    if any(step.action == "run_pvecm" and "setup" in step.arguments["argv"] for step in plan.steps):
        _refuse_unfit_host(wish.address)
    if params["must_return"] and plan.changed and not wish.present and view.config.qdevice_host:
        _refuse_unfit_host(view.config.qdevice_host)
    if plan.changed and not check_mode:
        try:
            apply_plan(plan, work.table())
        except ClusterError as error:
            error.details.setdefault("log", last_words(transient.read_log(_OPERATION)))
            raise
    result = _result(plan.changed, plan.diff, plan.summaries, view.config.qdevice_host, work.snapshot)
    return {**result, "warnings": list(plan.warnings), "resumed": resumed}


def _has_none(snapshot: Snapshot) -> bool:
    """In no cluster; or without quorum in one that has no device, which can be left as it is."""
    config = snapshot.config.value
    return snapshot.config.absent or (snapshot.quorate is False and config is not None and config.qdevice_host is None)


class _Work:
    """The actions behind the plan's steps."""

    def __init__(self, snapshot: Snapshot, view: ClusterView, addresses: Mapping[str, str]) -> None:
        self.snapshot = snapshot
        self.config = ConfigActions(snapshot, addresses)
        self._view = view

    def table(self) -> dict[str, Callable[..., Any]]:
        names = (
            "run_pvecm",
            "await_present",
            "await_absent",
            "stop_device",
            "start_device",
            "drop_device",
            "expect_votes",
        )
        return {name: getattr(self, name) for name in names}

    def run_pvecm(self, argv: Sequence[str], timeout: int) -> None:
        """Not judged by its exit code: the votes decide, in the step that follows."""
        transient.start(_OPERATION, argv, timeout)
        transient.await_end(_OPERATION, timeout + _GRACE_SECONDS)

    def await_present(self, address: str, timeout: int) -> None:
        self._await(lambda snapshot: unmet_present(snapshot, address), timeout)

    def await_absent(self, votes: int | None, timeout: int) -> None:
        self._await(lambda snapshot: unmet_absent(snapshot, votes), timeout)

    def expect_votes(self, votes: int) -> None:
        self._must(self.snapshot.node_name, ["pvecm", "expected", str(votes)])
        self._give_lock_back()

    def _give_lock_back(self) -> None:
        """Taking the device off has cost the quorum, and the lock around that change could not be taken away then."""
        deadline = time.monotonic() + _GRACE_SECONDS
        while not self.config.lock.give_back() and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)

    def start_device(self, names: Sequence[str]) -> None:
        for name in names:
            self._must(name, ["systemctl", "enable", "--now", "corosync-qdevice"])
        self._must(self.snapshot.node_name, ["corosync-cfgtool", "-R"])

    def stop_device(self, names: Sequence[str]) -> None:
        for name in names:
            self._place(name).run(["systemctl", "disable", "--now", "corosync-qdevice"], 60)
            self._must(name, ["rm", "-rf", "/etc/corosync/qdevice"])

    def drop_device(self) -> None:
        text = CONFIG.read_text(encoding="utf-8")
        self.config.write_config(text, drop_device(text))

    def _await(self, unmet: Callable[[Snapshot], list[str]], timeout: int) -> None:
        deadline = time.monotonic() + timeout
        # A command that failed at once has changed nothing; waiting for its effect would only take time.
        impatient = time.monotonic() + min(timeout, 45)
        while True:
            missing = []
            for name, reading in self.config.read_members().items():
                if reading.value is None:
                    missing.append(f"{name}: {reading.reason}")
                else:
                    missing += unmet(reading.value)
                    if name == self.snapshot.node_name:
                        self.snapshot = reading.value
            if not missing:
                return
            untouched = all("corosync.conf" in text for text in missing)
            if time.monotonic() > (impatient if untouched else deadline):
                raise self._failed(missing)
            time.sleep(_POLL_SECONDS)

    def _failed(self, missing: list[str]) -> StepFailed:
        words = last_words(transient.read_log(_OPERATION))
        said = f" The command said: {' | '.join(words)}" if words else ""
        return StepFailed(f"{'; '.join(missing)}.{said}", "Look at corosync-qdevice here and at corosync-qnetd there.")

    def _place(self, name: str) -> Place:
        return Here() if name == self.snapshot.node_name else self.config.members[name]

    def _must(self, name: str, argv: Sequence[str]) -> None:
        done = self._place(name).run(argv, 60)
        if done.rc != 0:
            raise StepFailed(f"{' '.join(argv)} failed on {name}: {done.words}")


def _refuse_unfit_host(address: str) -> None:
    """C(pvecm) would trust nothing blindly either, but it fails half way, with certificates on some members."""
    done = Member(address).run(["sh", "-c", _PROBE], 30)
    if done.rc == 0:
        return
    if done.rc in (3, 4):
        lack = "has no corosync-qnetd" if done.rc == 3 else "does not run corosync-qnetd"
        raise Refused(
            f"{address} {lack}.", "On that host: apt install corosync-qnetd; systemctl enable --now corosync-qnetd"
        )
    raise Unreachable(
        f"This node's root cannot log in to {address}: {done.words}",
        f"Put /root/.ssh/id_rsa.pub of this node into root's authorized_keys on {address}, and its real host key into"
        " /root/.ssh/known_hosts here (the role proxmox_qdevice does both).",
    )


def _result(
    changed: bool, diff: dict[str, Any], summaries: list[str], before: str | None, snapshot: Snapshot
) -> dict[str, Any]:
    quorum, config = snapshot.quorum.value, snapshot.config.value
    return {
        "changed": changed,
        "diff": diff,
        "plan": summaries,
        "address_before": before or "",
        "members": len(config.nodes) if config else 0,
        "expected_votes": quorum.expected_votes if quorum else 0,
        "total_votes": quorum.total_votes if quorum else 0,
    }
