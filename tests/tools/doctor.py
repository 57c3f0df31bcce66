# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""make doctor: is this machine fit to be the controller, and what to do where it is not. Changes nothing."""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from ansible_collections.baremetal.proxmox.plugins.module_utils._preflight.findings import (
    Finding,
    error,
    errors_of,
    render_table,
    warning,
)

OLDEST_CORE = (2, 19)
OLDEST_SSH = (8, 4)
# A control socket's path has to fit into 108 bytes, and ssh adds 17 while it makes one.
LONGEST_HOME = 60
HERE = "controller"


@dataclass(frozen=True)
class Controller:
    """What the checks look at; tests put their own in its place."""

    home: Path
    environment: Mapping[str, str]
    run: Callable[[list[str]], subprocess.CompletedProcess[str]]
    core_version: str
    # Variables by host, as ansible-inventory tells them; None where there is no inventory.
    hosts: Mapping[str, Mapping[str, Any]] | None
    inventory: Path


def check_versions(controller: Controller) -> Iterator[Finding]:
    if numbers(controller.core_version) < OLDEST_CORE:
        text = f"ansible-core {controller.core_version} is older than {version(OLDEST_CORE)}."
        yield error("old_ansible", HERE, text, "pip install --upgrade ansible-core, or run make setup here.")


def check_ssh(controller: Controller) -> Iterator[Finding]:
    if shutil.which("ssh") is None:
        yield error("no_ssh", HERE, "There is no ssh.", "apt install openssh-client")
        return
    told = controller.run(["ssh", "-V"]).stderr
    found = re.search(r"OpenSSH_(\d+\.\d+)", told)
    if found and numbers(found[1]) < OLDEST_SSH:
        text = f"OpenSSH {found[1]} cannot be asked for a password by Ansible."
        yield warning("old_ssh", HERE, text, f"Install {version(OLDEST_SSH)} or newer, or let keys in by hand.")
    if len(str(controller.home)) > LONGEST_HOME:
        text = f"{controller.home} is too long for the sockets by which connections are shared."
        yield warning("long_home", HERE, text, "export ANSIBLE_SSH_CONTROL_PATH_DIR=/tmp/cp")


def check_keys(controller: Controller) -> Iterator[Finding]:
    named = {
        str(values["ansible_ssh_private_key_file"])
        for values in (controller.hosts or {}).values()
        if values.get("ansible_ssh_private_key_file")
    }
    in_agent = controller.run(["ssh-add", "-L"]).returncode == 0
    for name in sorted(named or {"~/.ssh/id_ed25519"}):
        path = controller.home / name.removeprefix("~/") if name.startswith("~/") else Path(name)
        if not path.exists():
            if not in_agent:
                remedy = f"ssh-keygen -t ed25519 -f {path}, or put the path of yours into the inventory (ansible_ssh_private_key_file)."
                yield error("no_key", HERE, f"There is no key {path}, and no SSH agent holds one.", remedy)
            continue
        if not path.with_name(path.name + ".pub").exists():
            yield warning(
                "no_public_key", HERE, f"{path} has no public half beside it.", f"ssh-keygen -y -f {path} > {path}.pub"
            )
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            yield error("open_key", HERE, f"Others can read {path}; ssh refuses it.", f"chmod 600 {path}")


def check_known_hosts(controller: Controller) -> Iterator[Finding]:
    directory = controller.home / ".ssh"
    if directory.exists() and not os.access(directory, os.W_OK):
        yield error("known_hosts", HERE, f"{directory} cannot be written.", f"chown -R $USER {directory}")
    file = directory / "known_hosts"
    if file.exists() and not os.access(file, os.W_OK):
        text = f"{file} cannot be written, so no host key can be remembered."
        yield error("known_hosts", HERE, text, f"chown $USER {file}")


def check_locale(controller: Controller) -> Iterator[Finding]:
    variables = ("LC_ALL", "LC_CTYPE", "LANG")
    chosen = next((controller.environment[name] for name in variables if controller.environment.get(name)), "")
    if not re.search(r"utf-?8", chosen, re.IGNORECASE):
        yield error(
            "locale", HERE, f"The locale is '{chosen or 'C'}'; Ansible needs one with UTF-8.", "export LC_ALL=C.UTF-8"
        )


def check_clock(controller: Controller) -> Iterator[Finding]:
    told = controller.run(["timedatectl", "show", "--property=NTPSynchronized", "--value"])
    if told.returncode == 0 and told.stdout.strip() == "no":
        text = "The clock is not synchronised; certificates of nodes may look as if they were not valid yet."
        yield warning("clock", HERE, text, "timedatectl set-ntp true")


def check_inventory(controller: Controller) -> Iterator[Finding]:
    if controller.hosts is None:
        remedy = "cp inventory/proxmox-cluster.ini.example inventory/proxmox-cluster.ini, then put in your nodes."
        yield warning("no_inventory", HERE, f"{controller.inventory} is not there or cannot be read.", remedy)
        return
    if not controller.hosts:
        yield error(
            "no_hosts", HERE, f"{controller.inventory} has no hosts in the group proxmox_cluster.", "See the example."
        )
    examples = [
        host for host, values in controller.hosts.items() if str(values.get("ansible_host", "")).startswith("192.0.2.")
    ]
    if examples:
        text = f"{', '.join(examples)} still have addresses of the example."
        yield error("example_addresses", HERE, text, f"Put your addresses into {controller.inventory}.")
    if not any(values.get("cluster_name") for values in controller.hosts.values()):
        yield error(
            "no_cluster_name", HERE, "The inventory names no cluster.", "cluster_name=... in [proxmox_cluster:vars]"
        )
    has_passwords = any("ansible_password" in values for values in controller.hosts.values())
    if has_passwords and controller.inventory.is_file() and controller.inventory.stat().st_mode & stat.S_IROTH:
        text = f"{controller.inventory} holds passwords, and everybody here can read it."
        yield warning("open_inventory", HERE, text, f"chmod 600 {controller.inventory}, or use a vault.")


CHECKS = (check_versions, check_ssh, check_keys, check_known_hosts, check_locale, check_clock, check_inventory)


def examine(controller: Controller) -> list[Finding]:
    return [finding for check in CHECKS for finding in check(controller)]


def numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", text)[:2])


def version(wanted: tuple[int, ...]) -> str:
    return ".".join(map(str, wanted))


def run(command: list[str]) -> subprocess.CompletedProcess[str]:
    """A program that is not there has told nothing."""
    try:
        return subprocess.run(
            command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        return subprocess.CompletedProcess(command, 127, "", str(problem))


def read_inventory(inventory: Path) -> Mapping[str, Mapping[str, Any]] | None:
    if not inventory.exists():
        return None
    program = Path(sys.executable).parent / "ansible-inventory"
    listed = run([str(program), "-i", str(inventory), "--list"])
    try:
        told = json.loads(listed.stdout)
    except json.JSONDecodeError:
        return None
    members = _hosts_of(told, "proxmox_cluster")
    return {host: told["_meta"]["hostvars"].get(host, {}) for host in members}


def _hosts_of(told: Mapping[str, Any], group: str) -> list[str]:
    entry = told.get(group, {})
    return [*entry.get("hosts", []), *(host for child in entry.get("children", []) for host in _hosts_of(told, child))]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--inventory", type=Path, required=True)
    inventory = parser.parse_args().inventory
    controller = Controller(
        Path.home(), os.environ, run, metadata.version("ansible-core"), read_inventory(inventory), inventory
    )
    findings = examine(controller)
    print(render_table(findings, [HERE]))
    return 1 if errors_of(findings) else 0


if __name__ == "__main__":
    sys.exit(main())
