# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proxmox VE's manners with guests in memory, as a handler for FakeSession: what it adds, rewrites, keeps pending and refuses.

Written from the recordings, on purpose without a line of the collection's own codecs.
"""

from __future__ import annotations

import itertools
import re
import threading
from typing import Any
from urllib.parse import quote, unquote

from ansible_collections.baremetal.proxmox.plugins.module_utils._session.errors import (
    Conflict,
    Exists,
    Failed,
    Invalid,
    NotFound,
    SessionError,
)
from fake_session import FakeSession

_DRIVE = re.compile(r"(?:ide|sata|scsi|virtio)\d+|efidisk0|tpmstate0")
_UNNOTICED = re.compile(
    r"name|description|tags|onboot|protection|startup|hookscript|shares|ci\w+|sshkeys|nameserver|searchdomain|ipconfig\d+|cpuunits|cpulimit|net\d+|(scsi|virtio)\d+"
)
_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
IMAGE = "local:import/debian.qcow2"
IMAGE_SIZE = 3 * 1024**3


class FakeGuests:
    """The guests of one node. C(session) is what to hand to the collection."""

    kind = "qemu"
    prefix = "qm"
    name_key = "name"
    volume_keys = _DRIVE
    unnoticed = _UNNOTICED
    source, source_content = IMAGE, "import"

    def __init__(self, **session: Any) -> None:
        self.configs: dict[int, dict[str, str]] = {}
        self.pending: dict[int, dict[str, str | None]] = {}
        self.running: set[int] = set()
        self.volumes: dict[str, int] = {}
        self.pools: dict[int, str] = {}
        self.with_linked_clones: set[int] = set()
        self.managed: dict[str, dict[str, str]] = {}
        self.failed_tasks: list[dict[str, Any]] = []
        self.numbers = itertools.count(1)
        self.lock = threading.RLock()
        self.session = FakeSession(handler=self._handle, **session)

    # -- what a test looks at

    def writes(self) -> list[str]:
        return [f"{call.method} {call.path}" for call in self.session.writes]

    def forget_calls(self) -> None:
        self.session.calls.clear()

    # -- the API

    def _handle(self, method: str, path: str, params: dict[str, Any]) -> Any:
        with self.lock:
            params = {key: _plain(value) for key, value in params.items() if value is not None}
            parts = path.strip("/").split("/")
            if path == "/cluster/resources":
                return [{"type": "node", "node": "pve1", "status": "online"}, *map(self._row, self.configs)]
            if path == "/cluster/nextid":
                return str(next(number for number in itertools.count(100) if number not in self.configs))
            if path == "/pools":
                self.pools[int(params["vms"])] = params["poolid"]
                return None
            if path == "/nodes/pve1/tasks":
                return self.failed_tasks if params.get("errors") == "1" else []
            if path == f"/nodes/pve1/{self.kind}":
                return self._create(params) if method == "POST" else [self._row(vmid) for vmid in self.configs]
            if parts[2] == "storage" and parts[4:] == ["content"]:
                return [{"volid": self.source, "content": self.source_content}] if parts[3] == "local" else []
            if path.startswith("/cluster/ha/resources"):
                return self._manage(method, path.rpartition("/")[2], params)
            if parts[2] == self.kind:
                return self._guest(method, int(parts[3]), "/".join(parts[4:]), params)
        raise AssertionError(f"unexpected call: {method} {path}")

    def _row(self, vmid: int) -> dict[str, Any]:
        config = self.configs[vmid]
        row: dict[str, Any] = {"type": self.kind, "vmid": vmid, "node": "pve1"}
        row["name"] = config.get(self.name_key, f"VM {vmid}" if self.kind == "qemu" else f"CT{vmid}")
        row["status"] = "running" if vmid in self.running else "stopped"
        row["lock"] = config.get("lock", "")
        return {**row, "template": int(config.get("template", 0)), "pool": self.pools.get(vmid, "")}

    def _guest(self, method: str, vmid: int, what: str, params: dict[str, Any]) -> Any:
        if vmid not in self.configs:
            raise NotFound(f"Configuration file 'nodes/pve1/{self.kind}/{vmid}.conf' does not exist")
        config = self.configs[vmid]
        match method, what:
            case "GET", "pending":
                return self._pending_rows(vmid)
            case "GET", "config":
                waiting = {} if params.get("current") == "1" else self.pending.get(vmid, {})
                return {**self._shown(config), **waiting, "digest": self._digest(vmid)}
            case "GET", "status/current":
                return {"status": "running" if vmid in self.running else "stopped", "vmid": vmid}
            case (("PUT" | "POST"), "config"):
                if params.pop("digest", self._digest(vmid)) != self._digest(vmid):
                    raise Conflict("detected modified configuration - file changed by other user? Try again.")
                self._update(vmid, params)
                return self._task("config", vmid) if method == "POST" else None
            case "PUT", "resize":
                return self._resize(vmid, params)
            case "POST", "move_disk" | "move_volume":
                return self._move(vmid, params)
            case "POST", "clone":
                return self._clone(vmid, params)
            case "POST", "template":
                config["template"] = "1"
                for slot in filter(self.volume_keys.fullmatch, config):
                    config[slot] = config[slot].replace(f"vm-{vmid}-disk", f"base-{vmid}-disk")
                return self._task("template", vmid)
            case "POST", "status/start":
                self._apply_pending(vmid)
                self.running.add(vmid)
                return self._task("start", vmid)
            case "POST", "status/shutdown" | "status/stop":
                self.running.discard(vmid)
                self._apply_pending(vmid)
                return self._task("shutdown", vmid)
            case "DELETE", "":
                if vmid in self.with_linked_clones:
                    return self._task(
                        "destroy", vmid, f"base volume 'base-{vmid}-disk-0' is still in use by linked cloned"
                    )
                if vmid in self.running:
                    raise Failed(f"VM {vmid} is running - destroy failed")
                if config.get("protection") == "1":
                    raise Failed(f"can't remove VM {vmid} - protection mode enabled")
                del self.configs[vmid]
                if params.get("purge") == "1":
                    self.managed.pop(f"{'vm' if self.kind == 'qemu' else 'ct'}:{vmid}", None)
                return self._task("destroy", vmid)
        raise AssertionError(f"unexpected call: {method} {vmid} {what}")

    def _manage(self, method: str, sid: str, params: dict[str, Any]) -> Any:
        if method == "GET":
            return [{"sid": name, "type": name[:2], **self.managed[name]} for name in self.managed]
        if method == "POST":
            sid = params.pop("sid")
            if sid in self.managed:
                raise Exists(f"resource ID '{sid}' already defined")
        elif sid not in self.managed:
            raise NotFound(f"no such resource '{sid}'")
        if method == "DELETE":
            del self.managed[sid]
        else:
            self.managed[sid] = {"state": "started", **self.managed.get(sid, {}), **params}
        return None

    def _task(self, type_: str, vmid: int, failure: str = "OK") -> str:
        return self.session.task(f"{self.prefix}{type_}", vmid, exitstatus=failure)

    def _digest(self, vmid: int) -> str:
        return f"{hash(str(sorted(self.configs[vmid].items()))):x}"

    def _shown(self, config: dict[str, str]) -> dict[str, str]:
        shown = {**config, **({"cipassword": "**********"} if "cipassword" in config else {})}
        return {**shown, **({"description": config["description"] + "\n"} if "description" in config else {})}

    def _pending_rows(self, vmid: int) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = [{"key": "digest", "value": self._digest(vmid)}]
        shown, pending = self._shown(self.configs[vmid]), self.pending.get(vmid, {})
        for key in sorted({*shown, *pending}):
            row: dict[str, Any] = {"key": key}
            if key in shown:
                row["value"] = int(shown[key]) if key in ("cores", "onboot", "sockets") else shown[key]
            if key in pending:
                row.update({"delete": 1} if pending[key] is None else {"pending": pending[key]})
            rows.append(row)
        return rows

    def _create(self, params: dict[str, Any]) -> str:
        vmid = int(params.pop("vmid"))
        if vmid in self.configs:
            raise Exists(f"unable to create VM {vmid} - VM {vmid} already exists on node 'pve1'")
        if pool := params.pop("pool", None):
            self.pools[vmid] = pool
        self.configs[vmid] = {}
        try:
            self._update(vmid, params)
        except SessionError:
            del self.configs[vmid]
            raise
        config = self.configs[vmid]
        if "boot" not in config:
            devices = [
                *sorted(filter(_DRIVE.fullmatch, config)),
                *sorted(key for key in config if key.startswith("net")),
            ]
            config["boot"] = "order=" + ";".join(devices)
        config.update(
            {"meta": "creation-qemu=10.2.2,ctime=1795206222", "smbios1": f"uuid=u{vmid}", "vmgenid": f"g{vmid}"}
        )
        return self._task("create", vmid)

    def _update(self, vmid: int, params: dict[str, Any]) -> None:
        config = self.configs[vmid]
        written = {}
        for key, value in params.items():
            if key == "delete":
                continue
            written[key] = self._written(vmid, key, value)
        for key in filter(None, params.get("delete", "").split(",")):
            old = config.get(key, "")
            if vmid in self.running and not self.unnoticed.fullmatch(key):
                self.pending.setdefault(vmid, {})[key] = None
                continue
            config.pop(key, None)
            if self.volume_keys.fullmatch(key) and "-disk-" in old:
                config[f"unused{sum(name.startswith('unused') for name in config)}"] = old.split(",")[0]
        for key, value in written.items():
            if vmid in self.running and not self.unnoticed.fullmatch(key):
                self.pending.setdefault(vmid, {})[key] = value
            else:
                config[key] = value

    def _apply_pending(self, vmid: int) -> None:
        for key, value in self.pending.pop(vmid, {}).items():
            if value is None:
                self.configs[vmid].pop(key, None)
            else:
                self.configs[vmid][key] = value

    def _written(self, vmid: int, key: str, value: str) -> str:
        if re.fullmatch(r"net\d+", key):
            head, _, rest = value.partition(",")
            model, _, mac = head.partition("=")
            mac = (mac or f"BC:24:11:00:{vmid % 256:02X}:{next(self.numbers) % 256:02X}").upper()
            return f"{model}={mac}," + ",".join(sorted(filter(None, rest.split(","))))
        if _DRIVE.fullmatch(key):
            return self._drive(vmid, key, value)
        if key == "tags":
            return ";".join(sorted({tag.lower() for tag in re.split(r"[;, ]+", value) if tag}))
        if key == "sshkeys":
            if unquote(value) == value:
                raise Invalid("Parameter verification failed.", errors={"sshkeys": "invalid urlencoded string"})
            return quote(unquote(value), safe="~()*!.'")
        if key in ("onboot", "protection", "numa", "ciupgrade", "tablet", "acpi"):
            return {"on": "1", "yes": "1", "true": "1", "off": "0", "no": "0", "false": "0"}.get(value.lower(), value)
        return value

    def _drive(self, vmid: int, key: str, value: str) -> str:
        volume, *options = value.split(",")
        named = dict(option.split("=", 1) for option in options)
        storage, _, tail = volume.partition(":")
        if tail == "cloudinit":
            if any(
                "-cloudinit" in text
                for slot, text in self.configs[vmid].items()
                if _DRIVE.fullmatch(slot) and slot != key
            ):
                raise Failed(f"{key} - cloud-init drive is already attached")
            return f"{storage}:{vmid}/vm-{vmid}-cloudinit.qcow2,media=cdrom"
        if re.fullmatch(r"\d+(\.\d+)?", tail):
            image_format = named.pop("format", "raw")
            source = named.pop("import-from", None)
            if source and source != IMAGE:
                raise Failed(f"volume '{source}' does not exist")
            size = IMAGE_SIZE if source else int(float(tail) * 1024**3)
            volume = f"{storage}:{vmid}/vm-{vmid}-disk-{next(self.numbers)}.{image_format}"
            self.volumes[volume] = size
        if volume in self.volumes:
            named["size"] = as_size(self.volumes[volume])
        return ",".join([volume, *(f"{name}={named[name]}" for name in sorted(named))])

    def _resize(self, vmid: int, params: dict[str, Any]) -> str:
        slot, wanted = params["disk"], _bytes(params["size"])
        volume = self.configs[vmid][slot].split(",")[0]
        if wanted < self.volumes[volume]:
            return self._task("resize", vmid, "shrinking disks is not supported")
        self.volumes[volume] = wanted
        self.configs[vmid][slot] = re.sub(r"size=\w+", f"size={as_size(wanted)}", self.configs[vmid][slot])
        return self._task("resize", vmid)

    def _move(self, vmid: int, params: dict[str, Any]) -> str:
        slot = params.get("disk") or params["volume"]
        volume, _, options = self.configs[vmid][slot].partition(",")
        if volume.partition(":")[0] == params["storage"] and "format" not in params:
            raise Failed("you can't move to the same storage with same format")
        moved = f"{params['storage']}:{vmid}/vm-{vmid}-disk-{next(self.numbers)}.{params.get('format', 'raw')}"
        self.volumes[moved] = self.volumes.pop(volume)
        self.configs[vmid][slot] = f"{moved},{options}"
        return self._task("move", vmid)

    def _clone(self, source: int, params: dict[str, Any]) -> str:
        vmid = int(params["newid"])
        if vmid in self.configs:
            raise Exists(f"unable to create VM {vmid}: config file already exists")
        config = {key: value for key, value in self.configs[source].items() if key != "template"}
        if params.get("name"):
            config["name"] = params["name"]
        for key, value in list(config.items()):
            if key.startswith("net"):
                config[key] = self._written(vmid, key, re.sub(r"=[0-9A-F:]{17}", "", value))
            elif _DRIVE.fullmatch(key) and "-cloudinit" in value:
                config[key] = f"{value.partition(':')[0]}:{vmid}/vm-{vmid}-cloudinit.qcow2,media=cdrom"
            elif _DRIVE.fullmatch(key) and "media=cdrom" not in value:
                volume, _, options = value.partition(",")
                copy = f"{params.get('storage') or volume.partition(':')[0]}:{vmid}/vm-{vmid}-disk-{next(self.numbers)}.qcow2"
                self.volumes[copy] = self.volumes[volume.replace("base-", "vm-")]
                config[key] = f"{copy},{options}"
        self.configs[vmid] = config
        if params.get("pool"):
            self.pools[vmid] = params["pool"]
        return self._task("clone", source)


def _plain(value: Any) -> Any:
    return ("1" if value else "0") if isinstance(value, bool) else str(value)


def _bytes(text: str) -> int:
    matched = re.fullmatch(r"(\d+)([KMGT]?)", text)
    assert matched, text
    return int(matched[1]) * _UNITS[matched[2]]


def as_size(number: int) -> str:
    for unit in ("G", "M", "K"):
        if number % _UNITS[unit] == 0:
            return f"{number // _UNITS[unit]}{unit}"
    return str(number)
