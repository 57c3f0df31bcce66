# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The surroundings of the HA managers on a node: /etc/pve, its locks, the watchdog, child processes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import syslog
import time
import traceback
from collections.abc import Callable

from practice_pve import settings
from practice_pve.api.cluster_state import published_figures
from practice_pve.guests.store import LXC, QEMU, guest_list
from practice_pve.ha import groups, resources, rules, status
from practice_pve.ha.cluster_locks import ClusterLocks
from practice_pve.ha.placement import Rule
from practice_pve.ha.surroundings import JsonObject
from practice_pve.ha.watchdog import Watchdog
from practice_pve.pmxcfs import client
from practice_pve.pmxcfs.paths import MOUNT_POINT
from practice_pve.rest.errors import ApiError
from practice_pve.rest.formats import split_list

_LEVELS = {"err": syslog.LOG_ERR, "warning": syslog.LOG_WARNING, "warn": syslog.LOG_WARNING, "info": syslog.LOG_INFO}
_BLOCKED = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
# what a reset of its node leaves behind in a configuration, and what may be removed then
_STALE_LOCKS = (
    "backup", "mounted", "migrate", "clone", "rollback", "snapshot", "snapshot-delete", "suspending", "suspended",
)  # fmt: skip
# position of the state in a guest's published figures
_STATE = 2


class Node:
    """See the protocol Surroundings for what each method is."""

    def __init__(self) -> None:
        self.nodename = settings.nodename()
        self._locks = ClusterLocks(self.log)
        self._watchdog = Watchdog(self.log)

    def now(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def log(self, level: str, text: str) -> None:
        syslog.syslog(_LEVELS.get(level, syslog.LOG_NOTICE), text)

    def is_quorate(self) -> bool:
        return client.is_quorate()

    def refresh(self) -> bool:
        try:
            client.versions()
        except ApiError as error:
            self.log("warn", f"cluster file system update failed - {error.message}")
            return False
        return True

    def members_online(self) -> dict[str, bool]:
        nodes = client.members().get("nodelist") or {}
        return {**{name: bool(entry["online"]) for name, entry in nodes.items()}, self.nodename: True}

    def read_manager_status(self) -> JsonObject:
        return status.read_manager_status()

    def write_manager_status(self, content: JsonObject) -> None:
        client.write(status.MANAGER_FILE, json.dumps(content, separators=(",", ":")))

    def read_local_status(self, node: str) -> JsonObject:
        return status.read_local_status(node)

    def write_local_status(self, content: JsonObject) -> None:
        client.write(f"nodes/{self.nodename}/lrm_status", json.dumps(content, separators=(",", ":")))

    def read_resources(self) -> dict[str, JsonObject]:
        found = resources.load_with_defaults()
        if groups.are_in_use():
            for values in found.values():
                values["failback"] = int(groups.has_failback(values.get("group")))
        return found

    def set_state(self, sid: str, state: str) -> None:
        resources.set_state(sid, state)

    def read_rules(self) -> list[Rule]:
        if groups.are_in_use():
            return groups.as_rules()
        found = []
        for name, section in rules.load().sections.items():
            values = section.values
            if values.get("disable", "0") not in ("", "0"):
                continue
            nodes = groups.read_priorities(values.get("nodes", ""))
            sids = frozenset(split_list(values.get("resources", "")))
            strict = values.get("strict", "0") not in ("", "0")
            found.append(Rule(name, sids, nodes, strict, values.get("affinity", "")))
        return found

    def guest_usage(self) -> dict[str, str]:
        figures = published_figures()
        usage = {}
        for guest_id, entry in guest_list().items():
            values = figures.get(f"pve-vm-9.0/{guest_id}", [])
            if len(values) > _STATE and values[_STATE] == "running":
                usage[f"{'vm' if entry['type'] == 'qemu' else 'ct'}:{guest_id}"] = entry["node"]
        return usage

    def take_commands(self) -> str:
        return resources.take_commands() if self.has_commands() else ""

    def has_commands(self) -> bool:
        return bool(client.read(resources.COMMANDS_FILE))

    def get_lock(self, name: str) -> bool:
        return self._locks.get(name)

    def release_lock(self, name: str) -> None:
        self._locks.release(name)

    def feed_watchdog(self) -> None:
        self._watchdog.feed()

    def close_watchdog(self) -> None:
        self._watchdog.close()

    def move_config(self, sid: str, source: str, target: str) -> None:
        kind, _, name = sid.partition(":")
        directory = "qemu-server" if kind == "vm" else "lxc"
        old, new = (f"{MOUNT_POINT}/nodes/{node}/{directory}/{name}.conf" for node in (source, target))
        os.rename(old, new)

    def remove_guest_lock(self, sid: str, node: str) -> None:
        kind, _, name = sid.partition(":")
        path = (QEMU if kind == "vm" else LXC).path(int(name), node)
        text = client.read(path) or ""
        # only the first section is the guest's own, snapshots follow
        head, bracket, rest = text.partition("\n[")
        cleaned = re.sub(rf"^lock: ({'|'.join(_STALE_LOCKS)})\n", "", f"{head}\n", flags=re.MULTILINE)[:-1]
        if cleaned != head:
            client.write(path, cleaned + bracket + rest)
            self.log("warning", f"removed leftover lock from recovered service '{sid}' to allow its start.")

    def shutdown_kind(self) -> str:
        done = subprocess.run(["systemctl", "--full", "list-jobs"], capture_output=True, text=True, check=False)
        if re.search(r"^\s*\d+\s+reboot\.target\s", done.stdout, re.MULTILINE):
            return "reboot"
        return "poweroff" if re.search(r"^\s*\d+\s+shutdown\.target\s", done.stdout, re.MULTILINE) else ""

    def shutdown_policy(self) -> str:
        match = re.search(r"^ha:.*\bshutdown_policy=(\w+)", client.read("datacenter.cfg") or "", re.MULTILINE)
        return match[1] if match else "conditional"

    def start_work(self, work: Callable[[], int]) -> Callable[[], int | None]:
        child = os.fork()
        if child == 0:
            self._run_in_child(work)

        def poll() -> int | None:
            pid, raw = os.waitpid(child, os.WNOHANG)
            return os.waitstatus_to_exitcode(raw) if pid else None

        return poll

    def _run_in_child(self, work: Callable[[], int]) -> None:
        # a guest started from here must not inherit that the daemon keeps its signals back
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _BLOCKED)
        code = 255
        try:
            code = work()
        except ApiError as error:
            self.log("err", error.message.strip())
        except BaseException:  # noqa: BLE001 - a forked child must end here whatever happens
            self.log("err", traceback.format_exc())
        finally:
            os._exit(code)
