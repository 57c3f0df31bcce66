# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start, find, enter and stop the container of one node."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

from .cgroups import in_own_cgroup, remove_cgroups
from .completed import run_program
from .errors import LabError
from .places import EMULATION, NETNS_DIRECTORY
from .processes import KEEPER_NAME, arguments, container_managers, find_leader, kill_all, named_network, start_time

HOST_RUNS_SYSTEMD = Path("/run/systemd/system").is_dir()
HOST_HAS_UNIFIED_CGROUPS = Path("/sys/fs/cgroup/cgroup.controllers").exists()
# SIGRTMIN+4 is systemd's "power off"; Python's SIGRTMIN is the C library's 34, as systemd's is.
POWER_OFF = signal.SIGRTMIN + 4


def command(identifier: str, host_name: str, root: Path) -> list[str]:
    """The systemd-nspawn command line of a node."""
    network = NETNS_DIRECTORY / identifier
    # Entered first as well: the /sys that systemd-nspawn mounts shows the cards of the namespace it was started in.
    argv = ["nsenter", f"--net={network}", "--", "systemd-nspawn", "-q", "-D", str(root), "-M", identifier]
    argv += [f"--hostname={host_name}", "--register=no", "--keep-unit", f"--network-namespace-path={network}"]
    argv += ["--resolv-conf=off", "--timezone=off", "--link-journal=no", "--notify-ready=no"]
    argv += ["--capability=CAP_NET_ADMIN,CAP_NET_RAW,CAP_IPC_LOCK,CAP_SYS_NICE"]
    for device in ("/dev/fuse", "/dev/net/tun"):  # /etc/pve, and the cards of real guests
        if Path(device).exists():
            argv += [f"--bind={device}", f"--property=DeviceAllow={device} rwm"]
    code = EMULATION / "practice_pve"
    if code.is_dir():
        argv.append(f"--bind-ro={code}:/usr/lib/practice-node/practice_pve")
    argv.append("-b")
    if not HOST_HAS_UNIFIED_CGROUPS:
        argv += ["systemd.unified_cgroup_hierarchy=0", "SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1"]
    return argv


# Keeps a node running as its own systemd unit would: cables are plugged while it is on, and a reboot (133) starts it again.
# Arguments: the node's identifier (for those who look at the process list), the command of the container.
KEEPER = """
shift
while :; do
    cables up
    "$@"
    code=$?
    cables down
    [ "$code" = 133 ] || exit "$code"
done
"""


def start(identifier: str, host_name: str, root: Path, console: Path, controller: str, ports: list[str]) -> None:
    """Start the container and return at once; it outlives this program.

    ports are the node's in the controller namespace: up while the node is on. A network namespace alone would go on
    answering pings for a node that is off.
    """
    argv = command(identifier, host_name, root)
    environment = {**os.environ, "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network"}
    if not HOST_HAS_UNIFIED_CGROUPS:
        environment["SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE"] = "1"
    if HOST_RUNS_SYSTEMD:
        # A unit of its own with a delegated cgroup: without it the node would share the caller's session.
        options = ["--quiet", "--collect", f"--unit={identifier}", f"--property=StandardOutput=append:{console}"]
        settings = [
            "Delegate=yes",
            "KillMode=mixed",
            "RestartForceExitStatus=133",
            "SuccessExitStatus=133",
            "TasksMax=4096",
        ]
        settings += [
            f"Environment=SYSTEMD_NSPAWN_API_VFS_WRITABLE={environment['SYSTEMD_NSPAWN_API_VFS_WRITABLE']}",
            "StandardError=inherit",
        ]
        for port in ports:
            settings += [
                f"{when}=-ip -n {controller} link set {port} {state}"
                for when, state in (("ExecStartPre", "up"), ("ExecStopPost", "down"))
            ]
        argv = ["systemd-run", *options, *(f"--property={setting}" for setting in settings), *argv]
    else:
        cables = "".join(f"ip -n {controller} link set {port} $1; " for port in ports)
        argv = [
            "/bin/sh",
            "-c",
            f"cables() {{ {cables} }}\n{KEEPER}",
            KEEPER_NAME,
            identifier,
            *in_own_cgroup(identifier, argv),
        ]
    with console.open("ab") as output:
        subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True, env=environment
        )


def leader(identifier: str) -> int | None:
    """Process 1 of a running node as the host numbers it, or None."""
    network = named_network(identifier)
    return None if network is None else find_leader(network)


def unplug(controller: str, ports: list[str]) -> None:
    for port in ports:
        run_program(["ip", "-n", controller, "link", "set", port, "down"])


def wait_for_leader(identifier: str, console: Path, patience: float = 60.0) -> int:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        pid = leader(identifier)
        # Before it becomes systemd, process 1 is a copy of systemd-nspawn that still prepares the file system.
        if pid is not None and os.path.basename(arguments(pid)[0]) != "systemd-nspawn":
            return pid
        time.sleep(0.05)
    last = "\n".join(console.read_text(errors="replace").splitlines()[-10:]) if console.exists() else ""
    raise LabError(f"{identifier} does not start:\n{last}")


def enter(pid: int) -> list[str]:
    """Command-line prefix that runs a program inside the container of the given process 1.

    Entering namespaces alone would keep all of the host's capabilities: a "date -s" in the node would set the
    host's clock. So the program gets exactly what the container's own processes may have.
    """
    prefix = ["nsenter", "-t", str(pid), "-m", "-u", "-i", "-n", "-p", "-C", "--"]
    return [*prefix, "/usr/bin/setpriv", f"--bounding-set={_forbidden_capabilities(pid)}", "--inh-caps=-all", "--"]


def _forbidden_capabilities(pid: int) -> str:
    """The capabilities outside the container's bounding set, as setpriv takes them."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError) as error:
        raise LabError(f"process {pid} of the node is gone") from error
    allowed = int(next(line.split()[1] for line in status.splitlines() if line.startswith("CapBnd:")), 16)
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
    return ",".join(f"-cap_{number}" for number in range(last + 1) if not allowed >> number & 1)


def power_off(identifier: str, patience: float = 120.0) -> None:
    """Shut the node down in order and wait for it."""
    pid = leader(identifier)
    if pid is None:
        return
    started = start_time(pid)
    os.kill(pid, POWER_OFF)
    if not _wait_gone(pid, started, patience):
        raise LabError(f"{identifier} did not power off within {patience:.0f} s")
    _wait_manager_gone(identifier)
    remove_cgroups(identifier)


def cut_power(identifier: str) -> None:
    """Kill the node at once, as a pulled plug would."""
    pid = leader(identifier)
    if pid is not None:
        # The kernel kills the whole pid namespace with its process 1.
        left = kill_all({pid})
        if left:
            raise LabError(f"{identifier}: process {pid} does not die")
    _wait_manager_gone(identifier, patience=2.0)
    managers = {manager for manager, name in container_managers() if name == identifier}
    if managers:
        kill_all(managers)
    remove_cgroups(identifier)


def _wait_gone(pid: int, started: int | None, patience: float) -> bool:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if start_time(pid) is None or start_time(pid) != started:
            return True
        time.sleep(0.05)
    return False


def _wait_manager_gone(identifier: str, patience: float = 15.0) -> None:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        if all(name != identifier for _, name in container_managers()):
            return
        time.sleep(0.05)
