# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""make rehearse: build look-alikes, run the playbook against them, tell what happens, say how to look around."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path

from .controller import enter_command
from .errors import LabError
from .lab import Lab
from .lookalikes import Lookalikes, lookalikes
from .spec import LabSpec
from .views import inventory as inventory_of_lab

CHECKOUT = Path(__file__).resolve().parents[3]
PLACE = CHECKOUT / "build" / "rehearsal"
DEFAULT_NODES = ("pve1", "pve2", "pve3")
DEFAULT_PLAYBOOK = "playbooks/create-proxmox-cluster.yml"


class Rehearsal:
    """One rehearsal. All that it makes lies in the lab's namespaces and in build/rehearsal."""

    def __init__(self, name: str, binaries: Path, arguments: list[str]) -> None:
        self.lab = Lab(name)
        self.binaries = binaries
        self.arguments = arguments
        self.key = PLACE / "key"
        self.known_hosts = PLACE / "known_hosts"

    def prepare(self) -> None:
        """A key and a known_hosts file of its own: the user's stay as they are."""
        PLACE.mkdir(parents=True, exist_ok=True)
        self.known_hosts.unlink(missing_ok=True)
        if not self.key.exists():
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "rehearsal", "-f", str(self.key)], check=True
            )

    def build_default(self) -> Path:
        self.lab.up(list(DEFAULT_NODES), LabSpec(cluster_name="rehearsal"))
        target = PLACE / "inventory.ini"
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


def tell(text: str) -> None:
    print(text, flush=True)


def unchanged(log: Path) -> bool:
    """Whether the play recap of a run says that nothing was changed on any host."""
    recap = [line for line in log.read_text(encoding="utf-8").splitlines() if " ok=" in line and " changed=" in line]
    return bool(recap) and all("changed=0 " in line for line in recap)


def rehearse(options: argparse.Namespace) -> int:
    rehearsal = Rehearsal(options.name, options.bin, shlex.split(options.args))
    started = time.monotonic()
    tell("1. Practice nodes: containers that behave like Proxmox VE nodes, in a network of their own on this machine")
    rehearsal.lab.down()
    rehearsal.prepare()
    if options.inventory:
        found = rehearsal.build_lookalikes(options.inventory)
        inventory = options.inventory
        tell(
            "".join(f"   note: {note}\n" for note in found.notes).rstrip()
            or "   like the nodes of your inventory in all that it says"
        )
    else:
        inventory = rehearsal.build_default()
    for node in rehearsal.lab.nodes():
        tell(f"   {node.name:12} {node.ip}")
    tell(f"   up after {time.monotonic() - started:.0f} s\n\n2. The real playbook, {options.playbook}, against them")
    if rehearsal.play(options.playbook, inventory) != 0:
        tell(f"\nThe playbook failed (see above). The practice nodes are still there: {look_around(rehearsal.lab)}")
        return 1
    tell("\n3. The same once more: nothing may change")
    log = PLACE / "second-run.log"
    if rehearsal.play(options.playbook, inventory, log=log) != 0 or not unchanged(log):
        tell(f"   The second run failed or changed something: {log}")
        return 1
    tell(
        f"   nothing has changed ({log.relative_to(CHECKOUT)})\n\nDone after {time.monotonic() - started:.0f} s. {look_around(rehearsal.lab)}"
    )
    return 0


def look_around(lab: Lab) -> str:
    node = lab.nodes()[0]
    command = f"tests/lab/lab --name {lab.name}"
    return (
        "Look around:\n"
        f"   {command} sh {node.name}     a shell on a node: try pvecm status, ls -la /etc/pve\n"
        f"   {command} fault list         what can be broken on demand, and healed again\n"
        f"   {command} exec -- curl -k https://{node.ip}:8006/api2/json/version\n"
        "                                 a program of this machine in the nodes' network\n"
        "and when you have seen enough: make rehearse-down"
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description="Rehearse on practice nodes what the playbook will do to the real ones."
    )
    parser.add_argument("--name", default="rehearsal", help="name of the lab (default: %(default)s)")
    parser.add_argument("--inventory", type=Path, help="build look-alikes of this inventory's nodes")
    parser.add_argument("--playbook", default=DEFAULT_PLAYBOOK, help="what to run (default: %(default)s)")
    parser.add_argument("--args", default="", help="further arguments for ansible-playbook")
    parser.add_argument(
        "--bin", type=Path, default=CHECKOUT / ".venv" / "newest" / "bin", help="where ansible-playbook is"
    )
    parser.add_argument("--down", action="store_true", help="only remove the practice nodes")
    options = parser.parse_args()
    if os.geteuid() != 0:
        print("The practice nodes are containers: run this as root.", file=sys.stderr)
        return 2
    try:
        if options.down:
            Lab(options.name).down()
            return 0
        return rehearse(options)
    except LabError as error:
        print(f"rehearse: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            "\nInterrupted. Nothing outside the practice nodes was touched; remove them with: make rehearse-down",
            file=sys.stderr,
        )
        return 130
