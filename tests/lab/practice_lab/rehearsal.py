# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The means of a rehearsal: nodes of its own or look-alikes, and playbooks run where they are."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from .controller import enter_command
from .errors import LabError
from .lab import Lab
from .lookalikes import Lookalikes, lookalikes
from .spec import LabSpec
from .views import inventory as inventory_of_lab

CHECKOUT = Path(__file__).resolve().parents[3]
DEFAULT_NODES = ("pve1", "pve2", "pve3")


class Rehearsal:
    """One rehearsal. All that it makes lies in the lab's namespaces and in build/NAME."""

    def __init__(self, name: str, binaries: Path, arguments: list[str]) -> None:
        self.lab = Lab(name)
        self.binaries = binaries
        self.arguments = arguments
        self.place = CHECKOUT / "build" / name
        self.key = self.place / "key"
        self.known_hosts = self.place / "known_hosts"

    def prepare(self) -> None:
        """A key and a known_hosts file of its own: the user's stay as they are."""
        self.place.mkdir(parents=True, exist_ok=True)
        self.known_hosts.unlink(missing_ok=True)
        if not self.key.exists():
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "rehearsal", "-f", str(self.key)], check=True
            )

    def build_default(self, *, with_machines: bool) -> Path:
        settings = {"guests": "tiny"} if with_machines else {}
        self.lab.up(list(DEFAULT_NODES), LabSpec(cluster_name="rehearsal", settings=settings))
        target = self.place / "inventory.ini"
        target.write_text(inventory_of_lab(self.lab))
        target.chmod(0o600)
        return target

    def build_lookalikes(self, inventory: Path) -> Lookalikes:
        listed = subprocess.run(
            [self.binaries / "ansible-inventory", "-i", inventory, "--list", *self._vault_arguments()],
            stdout=subprocess.PIPE,
            text=True,
            check=False,
            cwd=CHECKOUT,
            env=self._environment(),
        )
        if listed.returncode != 0:
            raise LabError(f"{inventory} cannot be read")
        found = lookalikes(json.loads(listed.stdout))
        self.lab.up([], found.spec)
        public_key = self.key.with_suffix(".pub").read_text()
        for host, node in found.hosts.items():
            if any(note.startswith(f"{host}: no password") for note in found.notes):
                self.lab.node(node.name).run(["sh", "-c", "cat >> /root/.ssh/authorized_keys"], stdin=public_key)
        return found

    def play(self, playbook: str, inventory: Path, *extra: str, log: Path | None = None) -> int:
        """Run a playbook where the look-alikes are, with the rehearsal's key and host keys instead of the user's."""
        command = [
            str(self.binaries / "ansible-playbook"),
            *("-i", str(inventory), str(CHECKOUT / playbook) if not Path(playbook).is_absolute() else playbook),
            *("-e", f"ansible_ssh_private_key_file={self.key}"),
            *("-e", json.dumps({"ansible_ssh_common_args": f"-o UserKnownHostsFile={self.known_hosts}"})),
            # A fingerprint in the inventory is the real node's.
            *("-e", "ssh_host_fingerprint="),
            *extra,
            *self.arguments,
        ]
        environment = self._environment()
        program = ["env", *[f"{name}={value}" for name, value in environment.items()], *command]
        with open(log, "w", encoding="utf-8") if log else open(os.devnull, "w", encoding="utf-8") as file:
            output = file if log else None
            return subprocess.run(enter_command(self.lab, program), check=False, stdout=output, cwd=CHECKOUT).returncode

    def _vault_arguments(self) -> list[str]:
        return [word for word in self.arguments if word.startswith(("--vault", "--ask-vault", "-J"))]

    def _environment(self) -> dict[str, str]:
        return {
            **{
                name: os.environ[name]
                for name in ("COLUMNS", "HOME", "LANG", "LC_ALL", "NO_COLOR", "TERM", "USER")
                if name in os.environ
            },
            "PATH": f"{self.binaries}:{os.environ.get('PATH', '')}",
            "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(CHECKOUT / "build" / "link"),
        }
