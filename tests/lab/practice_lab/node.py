# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One node of a lab: its life from creation to removal."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import bytecode, container, guest_layers, layers, network
from .completed import Completed, run_program
from .errors import LabError
from .identity import write_identity
from .places import lab_namespace, node_identifier
from .processes import all_pids, namespace_of, start_time
from .spec import LabSpec, NodeSpec

# What a root login over SSH on a Proxmox node has.
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "USER": "root",
    "LOGNAME": "root",
    "SHELL": "/bin/bash",
    "LANG": "C.UTF-8",
}
# Under a faked clock, programs shall still measure time spans by the true one.
FAKE_CLOCK_ENVIRONMENT = {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}
SSH_LISTENS = ":0016 00000000:0000 0A "  # port 22 in state LISTEN, as /proc/net/tcp writes it


class Node:
    """A node; all its state is in the kernel and in its directory, so two objects for one node never disagree."""

    def __init__(self, lab: str, lab_spec: LabSpec, spec: NodeSpec, directory: Path) -> None:
        self.lab = lab
        self.lab_spec = lab_spec
        self.spec = spec
        self.directory = directory
        self.identifier = node_identifier(lab, spec.name)
        self._leader: tuple[int, int] | None = None

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def ip(self) -> str:
        return self.spec.ip

    @property
    def root(self) -> Path:
        """The node's file system as the host sees it (mounted as long as the lab exists)."""
        return self.directory / "root"

    @property
    def console(self) -> Path:
        return self.directory / "console.log"

    @property
    def created(self) -> bool:
        return (self.directory / "created").exists()

    def create(self, root: Path) -> None:
        """Make file system (on top of the given root) and network. What an interrupted creation left is thrown away first."""
        network.ensure_node(self.lab, self.lab_spec, self.spec)
        if not self.created:
            layers.unmount_root(self.identifier)
            layers.forget(self.directory)
            self.directory.mkdir(parents=True, mode=0o700)
            lower = [*guest_layers.ensure_layers({**self.lab_spec.settings, **self.spec.settings}, root), root]
            (self.directory / "lower").write_text("".join(f"{path}\n" for path in lower))
            layers.mount_root(self.identifier, lower, self.directory)
            write_identity(self.root, self.lab, self.lab_spec, self.spec, self._count_installation())
            bytecode.lay_out(root, self.root)
            (self.directory / "created").touch()
        self.mount()

    def mount(self) -> None:
        """Mount the root. A node keeps the one it was made of, also when the recipe has changed since."""
        lower = [Path(line) for line in (self.directory / "lower").read_text().splitlines()]
        layers.mount_root(self.identifier, lower, self.directory)

    def _count_installation(self) -> int:
        """Number this installation within the lab: every one gets keys of its own."""
        with (self.directory.parent / "installations").open("a+") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            stream.write(f"{self.name}\n")
            stream.seek(0)
            return len(stream.readlines())

    def leader(self) -> int | None:
        """Process 1 of the running node, or None when it is off."""
        if self._leader and start_time(self._leader[0]) == self._leader[1]:
            return self._leader[0]
        pid = container.leader(self.identifier)
        started = start_time(pid) if pid is not None else None
        self._leader = (pid, started) if pid is not None and started is not None else None
        return pid

    def boot(self) -> None:
        """Power on; returns when process 1 runs. Use wait_ready() to wait for the services."""
        if self.leader() is not None:
            return
        self.kill()  # a manager without a container would hold the name
        container.start(self.identifier, self.name, self.root, self.console, lab_namespace(self.lab), self._ports())
        container.wait_for_leader(self.identifier, self.console)

    def wait_ready(self, patience: float = 180.0) -> None:
        """Wait until multi-user.target is reached and sshd listens."""
        deadline = time.monotonic() + patience
        state = "off"
        while time.monotonic() < deadline:
            leader = self.leader()
            if leader is None:
                state = "off"
            else:
                state = self.run(["systemctl", "is-system-running"]).stdout.strip()
                if state in ("running", "degraded") and self._ssh_listens(leader):
                    return
            time.sleep(0.2)
        raise LabError(
            f"{self.name} is not ready after {patience:.0f} s (systemd says: {state or 'nothing'}); see: lab logs {self.name}"
        )

    @staticmethod
    def _ssh_listens(leader: int) -> bool:
        try:
            return SSH_LISTENS in Path(f"/proc/{leader}/net/tcp").read_text()
        except (FileNotFoundError, ProcessLookupError, OSError):
            return False

    def poweroff(self) -> None:
        container.power_off(self.identifier)

    def kill(self) -> None:
        container.cut_power(self.identifier)
        container.unplug(lab_namespace(self.lab), self._ports())

    def _ports(self) -> list[str]:
        return [network.port(self.spec, link) for link in range(len(self.spec.interfaces()))]

    def reboot(self) -> None:
        self.poweroff()
        self.boot()

    def reinstall(self, root: Path) -> None:
        """Throw everything on the node away and install it again: same name and addresses, new keys."""
        self.kill()
        (self.directory / "created").unlink(missing_ok=True)
        self.create(root)
        self.boot()

    def remove(self) -> None:
        """Power off for good and delete all that belongs to the node."""
        self.kill()
        layers.unmount_root(self.identifier)
        network.delete_namespace(self.identifier)
        layers.forget(self.directory)

    def command(self, argv: Sequence[str], environment: Mapping[str, str] | None = None) -> list[str]:
        """The host's command line that runs argv in the node as root."""
        leader = self.leader()
        if leader is None:
            raise LabError(f"{self.name} is off (lab boot {self.name})")
        variables = {**ENVIRONMENT, **(environment or {})}
        if (self.root / "etc/ld.so.preload").is_symlink():
            variables |= FAKE_CLOCK_ENVIRONMENT
        if "TERM" in os.environ:
            variables.setdefault("TERM", os.environ["TERM"])
        return [
            *container.enter(leader),
            "/usr/bin/env",
            "-i",
            "-C",
            "/root",
            *(f"{key}={value}" for key, value in variables.items()),
            *argv,
        ]

    def run(
        self,
        argv: Sequence[str],
        stdin: str | bytes | None = None,
        timeout: float | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Completed:
        """Run a program in the node as root."""
        return run_program(self.command(argv, environment), stdin, timeout, shown_argv=argv)

    def memory(self) -> int:
        """Bytes that the node really occupies: its processes' proportional share and what its tmpfs hold."""
        leader = self.leader()
        if leader is None:
            return 0
        own = namespace_of(leader, "pid")
        total = 0
        for pid in all_pids():
            if namespace_of(pid, "pid") != own:
                continue
            try:
                rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            total += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) * 1024
        usage = self.run(["df", "-B1", "--output=used", "-t", "tmpfs"]).stdout.split()[1:]
        return total + sum(int(number) for number in usage if number.isdigit())

    def copy_in(self, source: Path, target: str) -> None:
        """Copy a file of the host into the node's file system (not below its mounts)."""
        destination = self.root / target.lstrip("/")
        destination.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, destination)
