# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The actions behind the steps of the membership plans: small, and each judged by the state read afterwards.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.classify import classify
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.command_words import (
    certificate_was_lost,
    joined_according_to,
    last_words,
    lock_was_busy,
    remedy_of,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import StateUnknown, StepFailed
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.expectation import (
    Expectation,
    unmet_membership,
    unmet_separation,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.plan_member import OUTSIDE
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.reading import Reading
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.scripts import leave_script
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.snapshot import Snapshot
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.states import NodeState
from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.view import ClusterView, view_of
from ansible_collections.baremetal.proxmox.plugins.module_utils._node import transient
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.forget import (
    forget_cluster_keys,
    forget_known_hosts_of,
    forget_own_known_hosts,
    forget_references,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.places import Here, Member, Place
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.save import COROSYNC, save_cluster, save_files

# Between two readings; a reading itself takes about as long.
_POLL_SECONDS = 0.2
# pvecm updatecerts itself waits up to 80 seconds for quorum.
_CERTIFICATE_SECONDS = 100
# How long a member may lack its certificate before the lost last step of its join is done again.
_CERTIFICATE_PATIENCE = 6.0
_LOCK_EXPIRES = 150
# The unit may end a little after its own deadline.
_GRACE_SECONDS = 30


class Actions:
    """One object per module run; it keeps what the run wants to tell at its end."""

    def __init__(
        self,
        snapshot: Snapshot,
        backup_directory: Path,
        secret: str = "",
        look: Callable[[], Reading[ClusterView]] | None = None,
    ) -> None:
        self.here = Here()
        self._known_addresses: dict[str, list[str]] = {}
        self.snapshot = snapshot
        self._remember_addresses()
        self.backup_directory = backup_directory
        self.backup_files: list[str] = []
        self.operation: str | None = None
        self.resumed = False
        self._secret = secret
        # The seed seen another way than by SSH, for a join over the API.
        self._look = look

    def table(self) -> dict[str, Callable[..., Any]]:
        names = (
            "create", "join", "leave", "attach", "await_membership", "await_separation", "await_removal", "start_services",
            "restart_corosync", "make_certificate", "reload_proxy", "clean_leftovers", "remove_directories", "back_up",
            "forget_nodes", "forget_on_seed", "expect_votes_on_seed", "expect_votes", "delete_node", "stop_member",
        )  # fmt: skip
        return {name: getattr(self, name) for name in names}

    @property
    def log(self) -> list[str]:
        return last_words(transient.read_log(self.operation)) if self.operation else []

    def read(self) -> Snapshot:
        reading = self.here.read()
        if reading.value is None:
            raise StateUnknown(f"This node could not be read: {reading.reason}")
        self.snapshot = reading.value
        return reading.value

    # -- detached steps

    def create(self, argv: Sequence[str], timeout: int) -> None:
        self._detached("create", argv, timeout)
        if not self.read().config.present:
            raise self._failed("The cluster was not created.")

    def join(self, argv: Sequence[str], seed: str, timeout: int) -> None:
        self._detached_when_unlocked("join", argv, timeout, self._secret, self._is_outside)
        log = transient.read_log("join")
        if joined_according_to(log, self.snapshot.node_name):
            # Only words; await_membership, which follows, reads whether it is true.
            return
        state = classify(self.read())
        if state.state in (NodeState.MEMBER, NodeState.MEMBER_WITHOUT_CERTIFICATE, NodeState.MEMBER_NOT_WRITABLE):
            return
        raise self._failed(f"The join through {seed} failed; the node is '{state.state.value}'. {state.reason}")

    def leave(self, variant: str, dump: str | None, forget_guests: bool, timeout: int) -> None:
        script = leave_script(variant, dump, forget_guests)
        self._detached("leave", ["/bin/sh", "-c", script], timeout)

    def attach(self, operation: str, timeout: int) -> None:
        self.resumed = True
        self.operation = operation
        transient.await_end(operation, timeout + _GRACE_SECONDS)
        deadline = time.monotonic() + timeout
        # Another's command has no unit of ours; it shows as a running process.
        while classify(self.read()).state in (NodeState.CREATING, NodeState.JOINING, NodeState.LEAVING):
            if time.monotonic() > deadline:
                raise self._failed(f"The {operation} is still running.")
            time.sleep(_POLL_SECONDS)

    def delete_node(self, name: str, timeout: int) -> None:
        """Not judged by its exit code: C(await_removal) looks whether the node is gone."""

        def still_listed() -> bool:
            config = self.read().config.value
            return config is not None and config.node(name) is not None

        self._detached_when_unlocked("remove", ["pvecm", "delnode", name], timeout, "", still_listed)

    def stop_member(self, name: str, address: str, timeout: int) -> None:
        """Ends when both sides show it: no corosync there, and the node offline here."""
        place = Member(address, name)
        stopped = place.run(["systemctl", "stop", "corosync"], 60)
        reading = place.read()
        if reading.value is None or reading.value.active("corosync.service"):
            raise StepFailed(f"corosync on {name} does not stop: {stopped.words or reading.reason}")
        deadline = time.monotonic() + timeout
        while (seen := view_of(self.read(), "")).value is None or name in seen.value.online:
            if time.monotonic() > deadline:
                raise StepFailed(f"{name} is still seen online: {seen.reason or 'corosync has not noticed'}")
            time.sleep(_POLL_SECONDS)

    def _is_outside(self) -> bool:
        return classify(self.read()).state in OUTSIDE

    def _detached_when_unlocked(
        self, operation: str, argv: Sequence[str], timeout: int, secret: str, nothing_begun: Callable[[], bool]
    ) -> None:
        """Again while PVE's own lock was busy and, as read, nothing has begun.

        A change that lost its quorum half way (one member more, one vote) cannot give its lock back; it expires after
        two minutes.
        """
        deadline = time.monotonic() + max(timeout, _LOCK_EXPIRES)
        while True:
            self._detached(operation, argv, timeout, secret)
            busy = lock_was_busy(transient.read_log(operation))
            if not busy or not nothing_begun() or time.monotonic() > deadline:
                return

    def _detached(self, operation: str, argv: Sequence[str], timeout: int, secret: str = "") -> None:
        self.operation = operation
        transient.start(operation, argv, timeout, secret)
        transient.await_end(operation, timeout + _GRACE_SECONDS)

    # -- waiting for a state

    def await_membership(
        self, cluster_name: str | None, members: Sequence[str], online: Sequence[str], seed: str | None, timeout: int
    ) -> None:
        expected = Expectation(cluster_name, frozenset(members), frozenset(online))
        lost = self.operation == "join" and certificate_was_lost(transient.read_log("join"))
        certificate_deadline = time.monotonic() + (0.0 if lost else _CERTIFICATE_PATIENCE)
        repaired = False
        deadline = time.monotonic() + timeout
        while True:
            # Both sides at the same time; only when both agree is it true.
            asked = Member(seed).start_reading() if seed is not None and self._look is None else None
            missing = unmet_membership(self.read(), expected)
            if asked is not None and seed is not None:
                answer = asked.finish()
                missing = missing or self._unmet_by(seed, answer, expected)
            elif not missing and seed is not None:
                missing = self._unmet_on_seed(seed, expected)
            if not missing:
                return
            if not repaired and time.monotonic() > certificate_deadline and self._only_certificate(expected):
                # The join's last step was lost: "waiting for quorum...OK" comes before pmxcfs has synchronised.
                self.make_certificate()
                repaired = True
            if time.monotonic() > deadline:
                raise self._failed(f"After {timeout} seconds: {'; '.join(missing)}.")
            time.sleep(_POLL_SECONDS)

    def await_separation(self, timeout: int) -> None:
        deadline = time.monotonic() + timeout
        proxy_deadline = time.monotonic() + _CERTIFICATE_PATIENCE
        while missing := unmet_separation(self.read()):
            if time.monotonic() > deadline:
                raise self._failed(f"The node is not separated after {timeout} seconds: {'; '.join(missing)}.")
            if time.monotonic() > proxy_deadline and all("certificate" in text for text in missing):
                proxy_deadline = deadline
                self.make_certificate()
            time.sleep(_POLL_SECONDS)

    def await_removal(
        self, cluster_name: str, members: Sequence[str], online: Sequence[str], votes: int | None, timeout: int
    ) -> None:
        expected = Expectation(cluster_name, frozenset(members), frozenset(online), certificate=False)
        deadline = time.monotonic() + timeout
        told = False
        while missing := unmet_membership(self.read(), expected):
            config = self.snapshot.config.value
            deleted = config is not None and frozenset(config.names) == expected.members
            unit = self.snapshot.unit("baremetal-proxmox-remove.service")
            if not deleted and (unit is None or not unit.busy):
                raise self._failed("The node was not deleted.")
            if deleted and votes is not None and not told and self.snapshot.quorate is False:
                self.expect_votes(votes)
                told = True
            if time.monotonic() > deadline:
                raise self._failed(f"After {timeout} seconds: {'; '.join(missing)}.")
            time.sleep(_POLL_SECONDS)

    def _only_certificate(self, expected: Expectation) -> bool:
        without = Expectation(expected.cluster_name, expected.members, expected.online, certificate=False)
        return not unmet_membership(self.snapshot, without)

    def _unmet_on_seed(self, seed: str, expected: Expectation) -> list[str]:
        if self._look is not None:
            seen = self._look()
            if seen.value is None:
                return [f"the seed {seed}: {seen.reason}"]
            offline = sorted((expected.online or frozenset()) - seen.value.online)
            wrong = frozenset(seen.value.config.names) != expected.members
            return [f"{seed} does not see {', '.join(offline)} online"] if offline or wrong else []
        return self._unmet_by(seed, Member(seed).read(), expected)

    @staticmethod
    def _unmet_by(seed: str, reading: Reading[Snapshot], expected: Expectation) -> list[str]:
        if reading.value is None:
            return [f"the seed {seed}: {reading.reason}"]
        seen_there = Expectation(expected.cluster_name, expected.members, expected.online, certificate=False)
        return unmet_membership(reading.value, seen_there)

    # -- short steps

    def start_services(self) -> None:
        self._systemctl("start", "corosync", "pve-cluster")

    def restart_corosync(self) -> None:
        self._systemctl("restart", "corosync")

    def reload_proxy(self) -> None:
        self._systemctl("reload-or-restart", "pvedaemon", "pveproxy")

    def make_certificate(self) -> None:
        self._await_writable(self.here, 60)
        made = self.here.run(["pvecm", "updatecerts", "--force"], _CERTIFICATE_SECONDS)
        if made.rc != 0:
            raise StepFailed(f"pvecm updatecerts failed: {made.words}", "journalctl -u pve-cluster")
        self.reload_proxy()

    def clean_leftovers(self) -> None:
        files = [path for path in (COROSYNC / "authkey", COROSYNC / "corosync.conf") if path.exists()]
        if files:
            saved = save_files(self.backup_directory, self.snapshot.node_name, files, "leftovers")
            self.backup_files.append(str(saved))
        self._systemctl("stop", "corosync")
        for path in files:
            path.unlink()
        for path in Path("/var/lib/corosync").glob("ringid_*"):
            path.unlink()
        self.here.run(["systemctl", "reset-failed", "corosync"], 20)
        if not self.snapshot.active("pve-cluster.service"):
            self._systemctl("start", "pve-cluster")
        self._await_writable(self.here, 30)
        self.operation = None

    def remove_directories(self, names: Sequence[str]) -> None:
        for name in names:
            directory = Path("/etc/pve/nodes") / name
            guests = sorted(directory.glob("*/*.conf"))
            if guests:
                saved = save_files(self.backup_directory, self.snapshot.node_name, [directory], f"guests-of-{name}")
                self.backup_files.append(str(saved))
            if directory.exists():
                shutil.rmtree(directory)

    def back_up(self) -> None:
        self.backup_files.append(str(save_cluster(self.backup_directory, self.snapshot.node_name)))

    def forget_nodes(self, names: Sequence[str], references: bool = False) -> None:
        """With C(references) as a member that stays; without as a node that left and only drops the others' access."""
        addresses = self._addresses_of(names)
        forget_cluster_keys(names, addresses)
        if references:
            forget_own_known_hosts([*names, *addresses])
            for member in self._other_members():
                forget_known_hosts_of(member, [*names, *addresses])
            forget_references(self.here, names)

    def expect_votes(self, votes: int) -> None:
        self._expect(self.here, votes)

    def expect_votes_on_seed(self, seed: str, votes: int) -> None:
        self._expect(Member(seed), votes)

    def forget_on_seed(self, seed: str, name: str, votes: int | None, timeout: int) -> None:
        place = Member(seed)
        if votes is not None:
            self._expect(place, votes)
        lock_deadline = time.monotonic() + max(timeout, _LOCK_EXPIRES)
        deleted = place.run(["pvecm", "delnode", name], timeout)
        while lock_was_busy(deleted.words) and time.monotonic() < lock_deadline:
            deleted = place.run(["pvecm", "delnode", name], timeout)
        deadline = time.monotonic() + 30
        while True:
            reading = place.read()
            config = reading.value.config.value if reading.value is not None else None
            if config is not None and config.node(name) is None:
                break
            if time.monotonic() > deadline or reading.value is None:
                raise StepFailed(
                    f"{seed} still lists {name}. {deleted.words or reading.reason}", remedy_of(deleted.words)
                )
            time.sleep(_POLL_SECONDS)
        self._await_writable(place, 30)

    def _expect(self, place: Place, votes: int) -> None:
        expected = place.run(["pvecm", "expected", str(votes)], 30)
        # Its attribute cache lets the next command still say "no quorum" for a second.
        self._await_writable(place, 20, expected.words)

    def _await_writable(self, place: Place, seconds: float, words: str = "") -> None:
        deadline = time.monotonic() + seconds
        reason = "no answer"
        while time.monotonic() < deadline:
            reading = place.read()
            if reading.value is not None and reading.value.writable.value:
                return
            reason = reading.reason or (reading.value.writable.reason if reading.value else "") or "it is read-only"
            time.sleep(_POLL_SECONDS)
        raise StepFailed(f"/etc/pve did not become writable: {reason}. {words}".strip())

    def _systemctl(self, verb: str, *units: str) -> None:
        done = self.here.run(["systemctl", verb, *units], 120)
        if done.rc != 0:
            raise StepFailed(f"systemctl {verb} {' '.join(units)} failed: {done.words}", f"journalctl -u {units[0]}")

    def _remember_addresses(self) -> None:
        """The members' addresses, taken before the configuration that has them is changed."""
        membership, config = self.snapshot.membership.value, self.snapshot.config.value
        for node in config.nodes if config else ():
            self._known_addresses[node.name] = list(node.addresses.values())
        for member in (membership.members if membership else {}).values():
            if member.address:
                self._known_addresses.setdefault(member.name, []).append(member.address)

    def _other_members(self) -> list[Member]:
        """Those that are online now."""
        membership = self.read().membership.value
        members = membership.members.values() if membership else ()
        own = self.snapshot.node_name
        return [Member(each.address, each.name) for each in members if each.online and each.name != own]

    def _addresses_of(self, names: Sequence[str]) -> list[str]:
        return [address for name in names for address in self._known_addresses.get(name, [])]

    def _failed(self, message: str) -> StepFailed:
        log = transient.read_log(self.operation) if self.operation else ""
        words = last_words(log)
        said = f" The command said: {' | '.join(words)}" if words else ""
        return StepFailed(message + said, remedy_of(log), {"log": words})
