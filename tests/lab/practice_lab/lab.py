# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab: nodes, their network and the directory that describes them."""

from __future__ import annotations

import fcntl
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from . import layers, network
from .cgroups import cgroup_names, remove_cgroups
from .completed import Completed, run_program
from .controller import enter_command
from .errors import LabError
from .faults.ledger import ActiveFault, Ledger
from .limits import require_room_for
from .node import Node
from .places import checked_lab_name, lab_namespace, lab_of_identifier, state_directory
from .processes import container_managers, in_network, kill_all, named_network
from .root import ensure_root
from .spec import LabSpec, NodeSpec


class Lab:
    """A named set of nodes. Creating the object touches nothing; up() does."""

    def __init__(self, name: str = "default") -> None:
        self.name = checked_lab_name(name)
        self.namespace = lab_namespace(name)
        self.directory = state_directory() / name
        self.description = self.directory / "lab.json"

    def __enter__(self) -> Lab:
        return self

    def __exit__(self, *_: object) -> None:
        self.down()

    # -- what there is

    def spec(self) -> LabSpec:
        try:
            return LabSpec.from_json(self.description.read_text())
        except FileNotFoundError as error:
            raise LabError(f"no lab {self.name!r} (make one: lab --name {self.name} up pve1 pve2 pve3)") from error

    @property
    def exists(self) -> bool:
        return self.description.exists()

    def node(self, name: str) -> Node:
        spec = self.spec()
        return Node(self.name, spec, spec.node(name), self.directory / "nodes" / name)

    def nodes(self) -> list[Node]:
        spec = self.spec()
        return [Node(self.name, spec, node, self.directory / "nodes" / node.name) for node in spec.nodes]

    # -- life

    def up(
        self,
        nodes: Sequence[str | NodeSpec] = (),
        spec: LabSpec | None = None,
        wait: bool = True,
        **node_values: Any,
    ) -> Lab:
        """Make the lab if it is missing, add the nodes it lacks, boot all that are off, wait until they are ready.

        Without nodes, an existing lab is brought up again as it is. node_values are fields of NodeSpec that all
        new nodes get (password=..., settings=...).
        """
        lower = ensure_root()
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._lock():
            known = self.spec() if self.exists else LabSpec(**{**vars(spec or LabSpec()), "nodes": []})
            for wish in [*(spec.nodes if spec else []), *nodes]:
                node = (
                    wish if isinstance(wish, NodeSpec) else NodeSpec(wish, **{**known.node_defaults(), **node_values})
                )
                if not known.has(node.name):
                    known.add(node)
            if not known.nodes:
                raise LabError("no nodes given and none there: lab up pve1 pve2 pve3")
            self._write_description(known)
            self.write_host_files()
            network.ensure_controller(self.name, known)
            members = self.nodes()
            require_room_for(sum(node.leader() is None for node in members))
            in_parallel(lambda node: self._create_and_boot(node, lower), members)
        if wait:
            in_parallel(lambda node: node.wait_ready(), members)
        return self

    @staticmethod
    def _create_and_boot(node: Node, lower: Path) -> None:
        node.create(lower)
        node.boot()

    def down(self) -> None:
        """Remove the lab and everything that ever belonged to it, found from the kernel's state."""
        clear_lab(self.name)
        if self.directory.exists():
            shutil.rmtree(self.directory)

    def reinstall(self, name: str, wait: bool = True) -> Node:
        node = self.node(name)
        node.reinstall(ensure_root())
        self._ledger().forget_reinstalled(name)
        if wait:
            node.wait_ready()
        return node

    # -- use

    def exec(self, argv: Sequence[str], stdin: str | bytes | None = None, timeout: float | None = None) -> Completed:
        """Run a program of the host where it reaches the nodes: in the lab's controller namespace."""
        return run_program(enter_command(self, argv), stdin, timeout, shown_argv=argv)

    def ssh(
        self,
        node: str,
        command: str,
        stdin: str | bytes | None = None,
        timeout: float | None = 60,
        password: str | None = None,
        options: Sequence[str] = (),
    ) -> Completed:
        """Log in as root with the password, as a person at the controller would, and run a command line."""
        target = self.node(node)
        askpass = self.directory / "askpass"
        if not askpass.exists():
            askpass.touch(mode=0o700)
            askpass.write_text('#!/bin/sh\nprintf "%s\\n" "$PRACTICE_PASSWORD"\n')
        environment = {
            "PRACTICE_PASSWORD": target.spec.password if password is None else password,
            "SSH_ASKPASS": str(askpass),
            "SSH_ASKPASS_REQUIRE": "force",
        }
        argv = ["ssh", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"]
        argv += ["-o", "PubkeyAuthentication=no", "-o", "NumberOfPasswordPrompts=1", "-o", "ConnectTimeout=5", *options]
        argv += [f"root@{target.ip}", command]
        return run_program(enter_command(self, argv), stdin, timeout, shown_argv=argv, environment=environment)

    def write_host_files(self) -> None:
        """The controller's /etc/hosts and resolv.conf: the nodes' names, and no name server."""
        lines = [f"{node.ip} {node.fqdn} {node.name}" for node in self.spec().nodes]
        (self.directory / "hosts").write_text("\n".join(["127.0.0.1 localhost", *lines]) + "\n")
        (self.directory / "resolv.conf").write_text("# lab: no name server\n")

    # -- faults

    def fault(self, name: str, node: str, **options: Any) -> ActiveFault:
        """Break something; the result can be healed by itself or used in a with statement."""
        with self._lock():
            return self._ledger().apply(name, self.node(node), options)

    def faults(self) -> list[ActiveFault]:
        return self._ledger().active()

    def heal(self, node: str | None = None, fault: str | None = None, number: int | None = None) -> list[ActiveFault]:
        """Take faults away, the latest first: all, those of one node, of one kind, or one by its number."""
        with self._lock():
            return self._ledger().heal(node, fault, number)

    def _ledger(self) -> Ledger:
        return Ledger(self)

    # -- inner

    def _write_description(self, spec: LabSpec) -> None:
        temporary = self.description.with_suffix(".tmp")
        temporary.touch(mode=0o600)
        temporary.write_text(spec.to_json())
        temporary.rename(self.description)

    @contextmanager
    def _lock(self, patience: float = 120.0) -> Iterator[None]:
        """One command changes a lab at a time."""
        deadline = time.monotonic() + patience
        with (self.directory / "lock").open("w") as stream:
            while True:
                try:
                    fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        raise LabError(f"another command works on lab {self.name!r}") from None
                    time.sleep(0.1)
            yield


def in_parallel(action: Callable[[Node], None], nodes: Iterable[Node]) -> None:
    """Do something to all nodes at once; when some fail, the others are finished first, then all errors are told."""
    members = list(nodes)
    with ThreadPoolExecutor(max_workers=max(1, len(members))) as pool:
        futures = [(node, pool.submit(action, node)) for node in members]
    errors = [f"{node.name}: {error}" for node, future in futures if isinstance(error := future.exception(), LabError)]
    for _, future in futures:
        if future.exception() is not None and not isinstance(future.exception(), LabError):
            future.result()
    if errors:
        raise LabError("\n".join(errors))


def known_labs() -> list[str]:
    """Every lab that has left a trace: a directory, a namespace, a mount or a process."""
    names: set[str] = set()
    if state_directory().is_dir():
        names |= {entry.name for entry in state_directory().iterdir() if entry.is_dir()}
    identifiers = [*network.namespaces(), *(source for source, _ in layers.all_mounts())]
    identifiers += [machine for _, machine in container_managers()] + cgroup_names()
    names |= {lab for identifier in identifiers if (lab := lab_of_identifier(identifier))}
    return sorted(names)


def clear_lab(name: str) -> None:
    """Kill, unmount and delete what the kernel holds of a lab. Works without the lab's directory."""
    for _ in range(3):  # an interrupted "up" may still be starting something while we look
        namespaces = [entry for entry in network.namespaces() if lab_of_identifier(entry) == name]
        inodes = {inode for entry in namespaces if (inode := named_network(entry)) is not None}
        victims = set(in_network(inodes)) if inodes else set()
        victims |= {pid for pid, machine in container_managers() if lab_of_identifier(machine) == name}
        mounts = {source for source, _ in layers.all_mounts() if lab_of_identifier(source) == name}
        cgroups = [entry for entry in cgroup_names() if lab_of_identifier(entry) == name]
        if not (namespaces or victims or mounts or cgroups):
            return
        left = kill_all(victims)
        if left:
            raise LabError(f"processes that do not die: {', '.join(map(str, sorted(left)))}")
        for source in mounts:
            layers.unmount_root(source)
        for entry in namespaces:
            network.delete_namespace(entry)
        for identifier in cgroups:
            remove_cgroups(identifier)
    raise LabError(f"lab {name!r} keeps coming back: is a 'lab up' still running?")
