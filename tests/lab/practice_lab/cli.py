# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line of the lab."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from . import views
from .cli_faults import fault_commands, run_fault, run_heal
from .completed import must_run
from .controller import enter_command
from .errors import LabError
from .lab import Lab, in_parallel, known_labs
from .spec import LabSpec, read_spec

EPILOG = """\
A first round:
  lab up pve1 pve2 pve3            three nodes with 10.99.0.11 to .13, root password "pvelab"
  lab sh pve1 -- hostname          run a command in a node (exit code and both streams are the command's)
  lab exec -- ssh root@10.99.0.11  run a program of this machine where it reaches the nodes
  lab down                         remove everything again

Environment: PRACTICE_LAB (default name), PRACTICE_CACHE (roots, default /var/cache/practice-nodes),
PRACTICE_STATE (labs, default /var/lib/practice-nodes).
"""


def parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--name", default=argparse.SUPPRESS, help="which lab (default: $PRACTICE_LAB or 'default')")
    top = argparse.ArgumentParser(
        prog="lab",
        parents=[common],
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Practice nodes: containers that look like freshly installed Proxmox VE nodes. Needs root.",
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(name: str, text: str, nodes: str | None = None) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, parents=[common], help=text, description=text)
        if nodes:
            sub.add_argument("nodes", nargs=nodes, metavar="NODE")
        return sub

    up = command("up", "make the lab or extend it, boot what is off, wait until it is ready", "*")
    up.add_argument("--spec", type=Path, help="JSON description of a lab (see tests/lab/README.md)")
    up.add_argument("--links", type=int, default=0, help="further networks 10.99.1.0/24, ... as plain cards (new labs)")
    up.add_argument("--network", help="management network (new labs; default 10.99.0.0/24)")
    up.add_argument("--domain", help="domain of the new nodes (default lab.local)")
    up.add_argument("--address", help="address with prefix, for one new node")
    up.add_argument("--password-file", type=Path, help="file with the root password of the new nodes (default: pvelab)")
    up.add_argument("--pve-version", help="Proxmox VE version that the new nodes claim, such as 8.4.1")
    up.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="entry of the new nodes' practice-node.json"
    )
    up.add_argument("--no-wait", action="store_true", help="return as soon as the nodes have started to boot")
    down = command("down", "remove the lab: processes, mounts, namespaces, files")
    down.add_argument("--all", action="store_true", help="remove every lab on this machine")
    command("list", "all labs on this machine")
    command("status", "the lab's nodes: addresses, state, memory")
    command("sh", "run a command in a node as root, or a shell: lab sh NODE [-- ARGV...]", "?")
    command("exec", "run a program of this machine in the lab's network: lab exec -- ARGV...")
    command("ssh-config", "print an ssh configuration for use with: lab exec -- ssh -F FILE NODE")
    command("inventory", "print an Ansible inventory (INI)")
    command("boot", "power nodes on and wait until they are ready", "+")
    command("poweroff", "shut nodes down in order", "+")
    command("kill", "cut the nodes' power", "+")
    command("reboot", "shut nodes down in order and boot them again", "+")
    command("reinstall", "install nodes afresh: same name and address, new keys, nothing else left", "+")
    fault_commands(commands, common)
    logs = command("logs", "a node's console and journal", "+")
    logs.add_argument("--unit", help="only this unit")
    return top


def main(argv: list[str] | None = None) -> int:
    words = list(sys.argv[1:] if argv is None else argv)
    # Everything behind the first "--" is somebody else's command line.
    rest = words[words.index("--") + 1 :] if "--" in words else []
    options = parser().parse_args(words[: words.index("--")] if "--" in words else words)
    if os.geteuid() != 0:
        print("lab: needs root (containers, network namespaces)", file=sys.stderr)
        return 125
    lab_name = getattr(options, "name", None) or os.environ.get("PRACTICE_LAB", "default")
    try:
        return COMMANDS[options.command](Lab(lab_name), options, rest)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 125
    except KeyboardInterrupt:
        print("lab: interrupted; 'lab down' clears what is there", file=sys.stderr)
        return 130


def _up(lab: Lab, options: argparse.Namespace, _: list[str]) -> int:
    started = time.monotonic()
    spec = read_spec(options.spec) if options.spec else LabSpec()
    if options.network:
        spec.networks[0] = options.network
    spec.networks += [f"10.99.{number}.0/24" for number in range(len(spec.networks), options.links + 1)]
    if options.address and len(options.nodes) != 1:
        raise LabError("--address is for exactly one node")
    values: dict[str, object] = {"settings": _settings(options)}
    if options.address:
        values["address"] = options.address
    if options.domain is not None:
        values["domain"] = options.domain
    if options.password_file:
        values["password"] = options.password_file.read_text().rstrip("\n")
    lab.up(options.nodes, LabSpec(**vars(spec)), wait=not options.no_wait, **values)
    print(views.status(lab, memory=False))
    print(f"lab {lab.name} is up after {time.monotonic() - started:.1f} s")
    return 0


def _settings(options: argparse.Namespace) -> dict[str, str]:
    settings = {}
    for entry in options.set:
        key, separator, value = entry.partition("=")
        if not separator:
            raise LabError(f"--set {entry}: expected KEY=VALUE")
        settings[key] = {"true": True, "false": False}.get(value, value)
    if options.pve_version:
        settings["pve_version"] = options.pve_version
    return settings


def _down(lab: Lab, options: argparse.Namespace, _: list[str]) -> int:
    started = time.monotonic()
    names = known_labs() if options.all else [lab.name]
    for name in names:
        Lab(name).down()
    print(f"lab {', '.join(names) or '(none)'} is down after {time.monotonic() - started:.1f} s")
    return 0


def _list(_: Lab, __: argparse.Namespace, ___: list[str]) -> int:
    for name in known_labs():
        print(views.summary(Lab(name)))
    return 0


def _status(lab: Lab, _: argparse.Namespace, __: list[str]) -> int:
    print(views.status(lab))
    return 0


def _sh(lab: Lab, options: argparse.Namespace, rest: list[str]) -> int:
    if not options.nodes:
        raise LabError("which node? lab sh NODE [-- ARGV...]")
    command = lab.node(options.nodes).command(rest or ["/bin/bash", "-l"])
    sys.stdout.flush()
    os.execvp(command[0], command)


def _exec(lab: Lab, _: argparse.Namespace, rest: list[str]) -> int:
    if not rest:
        raise LabError("what? lab exec -- ARGV...")
    command = enter_command(lab, rest)
    os.execvp(command[0], command)


def _ssh_config(lab: Lab, _: argparse.Namespace, __: list[str]) -> int:
    print(views.ssh_config(lab), end="")
    return 0


def _inventory(lab: Lab, _: argparse.Namespace, __: list[str]) -> int:
    print(views.inventory(lab), end="")
    return 0


def _boot(lab: Lab, options: argparse.Namespace, _: list[str]) -> int:
    nodes = [lab.node(name) for name in options.nodes]
    in_parallel(lambda node: node.boot(), nodes)
    in_parallel(lambda node: node.wait_ready(), nodes)
    return 0


def _poweroff(lab: Lab, options: argparse.Namespace, _: list[str]) -> int:
    in_parallel(lambda node: node.poweroff(), [lab.node(name) for name in options.nodes])
    return 0


def _kill(lab: Lab, options: argparse.Namespace, _: list[str]) -> int:
    in_parallel(lambda node: node.kill(), [lab.node(name) for name in options.nodes])
    return 0


def _reboot(lab: Lab, options: argparse.Namespace, rest: list[str]) -> int:
    _poweroff(lab, options, rest)
    return _boot(lab, options, rest)


def _reinstall(lab: Lab, options: argparse.Namespace, _: list[str]) -> int:
    for name in options.nodes:
        lab.reinstall(name)
    return 0


def _logs(lab: Lab, options: argparse.Namespace, _: list[str]) -> int:
    for name in options.nodes:
        node = lab.node(name)
        if not options.unit and node.console.exists():
            print(f"--- console of {name}\n{node.console.read_text(errors='replace')}")
        if node.leader() is not None:
            unit = ["-u", options.unit] if options.unit else []
            print(f"--- journal of {name}\n" + must_run(node.command(["journalctl", "--no-pager", "-b", *unit])))
    return 0


COMMANDS = {
    "up": _up, "down": _down, "list": _list, "status": _status, "sh": _sh, "exec": _exec, "ssh-config": _ssh_config,
    "inventory": _inventory, "boot": _boot, "poweroff": _poweroff, "kill": _kill, "reboot": _reboot, "reinstall": _reinstall,
    "logs": _logs, "fault": run_fault, "cut": run_fault, "heal": run_heal,
}  # fmt: skip
