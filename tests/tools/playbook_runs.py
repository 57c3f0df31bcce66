# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An Ansible controller for tests: a home of its own, a key of its own, and the playbooks of this checkout."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from practice_lab import Lab
from practice_lab.controller import enter_command

ROOT = Path(__file__).resolve().parents[2]
BINARIES = Path(sys.prefix) / "bin"
PATIENCE = 400.0
_RECAP = re.compile(r"^(\S+)\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.MULTILINE)
_FINDING = re.compile(r"^(ERROR|WARNING)\s+(\S+)\s+\[([a-z_]+)\] ", re.MULTILINE)


@dataclass(frozen=True)
class PlayRun:
    """What a run left: its exit code, what it printed, and its play recap."""

    rc: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        return self.stdout + self.stderr

    @property
    def words(self) -> str:
        """The output with every run of white space made one space: messages are wrapped where a line ends."""
        return " ".join(self.output.split())

    @property
    def changed(self) -> dict[str, int]:
        return {match[1]: int(match[3]) for match in _RECAP.finditer(self.stdout)}

    @property
    def findings(self) -> set[tuple[str, str, str]]:
        """The preflight's table: severity, node and code."""
        return {(match[1].lower(), match[2], match[3]) for match in _FINDING.finditer(self.stdout)}

    def check(self) -> PlayRun:
        assert self.rc == 0, f"exit code {self.rc}\n{self.output[-8000:]}"
        return self

    def refused(self) -> PlayRun:
        assert self.rc != 0, f"it should have failed\n{self.output[-8000:]}"
        return self


@dataclass
class Controller:
    """Runs in the lab's network. Its inventory is written from the lab: hosts, and whatever variables a test wants."""

    lab: Lab
    home: Path
    # Variables per host, beside ansible_host and hostname; "*" holds for all.
    variables: dict[str, dict[str, str]] = field(default_factory=dict)
    cluster_name: str = "labcluster"
    passwords: bool = True

    def __post_init__(self) -> None:
        self.key = self.home / "ssh" / "id_ed25519"
        self.known_hosts = self.home / "ssh" / "known_hosts"
        self.inventory = self.home / "inventory" / "cluster.ini"
        for directory in (self.key.parent, self.inventory.parent):
            directory.mkdir(mode=0o700, parents=True)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", str(self.key)], check=True)
        collection = self.home / "collections" / "ansible_collections" / "baremetal" / "proxmox"
        collection.parent.mkdir(parents=True)
        collection.symlink_to(ROOT)

    def write_inventory(self, hosts: Sequence[str] | None = None) -> Path:
        """The shape that a first-time user writes: the first node is the primary, the others are the nodes."""
        names = [node.name for node in self.lab.nodes()] if hosts is None else list(hosts)
        lines = [self._host_line(name) for name in names]
        common = {
            "ansible_user": "root",
            "cluster_name": self.cluster_name,
            "ansible_ssh_private_key_file": str(self.key),
            **self.variables.get("*", {}),
        }
        self.inventory.write_text(
            "\n".join(
                [
                    *("[proxmox_cluster_primary]", *lines[:1], "", "[proxmox_cluster_nodes]", *lines[1:], ""),
                    *("[proxmox_cluster:children]", "proxmox_cluster_primary", "proxmox_cluster_nodes", ""),
                    *("[proxmox_cluster:vars]", *(f"{name}={value}" for name, value in common.items()), ""),
                ]
            )
        )
        self.inventory.chmod(0o600)
        return self.inventory

    def _host_line(self, name: str) -> str:
        values = dict(self.variables.get(name, {}))
        known = {node.name: node for node in self.lab.nodes()}
        if name in known:
            values = {"ansible_host": known[name].ip, "hostname": known[name].spec.fqdn} | values
            if self.passwords:
                values = {"ansible_password": known[name].spec.password} | values
        return " ".join([name, *(f"{key}={value}" for key, value in values.items())])

    def environment(self) -> dict[str, str]:
        return {
            "HOME": str(self.home),
            "PATH": f"{BINARIES}:{os.environ['PATH']}",
            # So that the Makefile finds the same Pythons as outside, and not others because of this home.
            "PYENV_ROOT": os.environ.get("PYENV_ROOT", str(Path("~/.pyenv").expanduser())),
            "LANG": "C.UTF-8",
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(self.home / "collections"),
            # ssh takes the home of the account, not of the environment.
            "ANSIBLE_SSH_COMMON_ARGS": f"-o UserKnownHostsFile={self.known_hosts} -o ConnectTimeout=8 -F none",
            "ANSIBLE_SSH_ARGS": "-o ControlMaster=auto -o ControlPersist=20s",
        }

    def command(self, argv: Sequence[str], environment: Mapping[str, str] | None = None) -> list[str]:
        """A command line of the host that runs argv as this controller would."""
        values = {**self.environment(), **(environment or {})}
        return enter_command(self.lab, ["env", "-i", *(f"{key}={value}" for key, value in values.items()), *argv])

    def start(
        self, argv: Sequence[str], environment: Mapping[str, str] | None = None, output: int = subprocess.PIPE
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(argv, environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output if output != subprocess.PIPE else subprocess.PIPE,
            text=True,
            cwd=ROOT,
            start_new_session=True,
        )

    def run(
        self, argv: Sequence[str], environment: Mapping[str, str] | None = None, patience: float = PATIENCE
    ) -> PlayRun:
        process = self.start(argv, environment)
        try:
            stdout, stderr = process.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            process.kill()
            stdout, stderr = process.communicate()
            raise AssertionError(f"no end after {patience:.0f} s: {argv}\n{stdout[-4000:]}{stderr[-2000:]}") from None
        return PlayRun(process.returncode, stdout, stderr)

    def playbook_command(self, playbook: str, *arguments: str) -> list[str]:
        path = playbook if Path(playbook).is_absolute() else str(ROOT / "playbooks" / f"{playbook}.yml")
        return [str(BINARIES / "ansible-playbook"), "-i", str(self.inventory), path, *arguments]

    def play(self, playbook: str, *arguments: str, patience: float = PATIENCE) -> PlayRun:
        return self.run(self.playbook_command(playbook, *arguments), patience=patience)

    def make(self, target: str, *variables: str, patience: float = PATIENCE) -> PlayRun:
        """A target of the Makefile, as a user types it, with the environment of the running tests."""
        # The environments are taken as they are: nothing can be downloaded in the lab's network.
        command = [
            "make",
            "--no-print-directory",
            "-o",
            "environments",
            target,
            f"BIN={os.path.relpath(BINARIES, ROOT)}",
        ]
        return self.run([*command, f"INVENTORY={self.inventory}", *variables], patience=patience)
