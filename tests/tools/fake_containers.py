# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proxmox VE's manners with containers in memory: where they differ from virtual machines."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.baremetal.proxmox.plugins.module_utils._session.errors import Exists, Failed, Invalid
from fake_guests import FakeGuests, as_size

TEMPLATE = "local:vztmpl/debian-13-standard_13.1-1_amd64.tar.zst"
_NEW = re.compile(r"([a-z-]+):(\d+(?:\.\d+)?)")


class FakeContainers(FakeGuests):
    """The containers of one node. C(only_once) is what creations were given that nobody can read back."""

    kind = "lxc"
    prefix = "vz"
    name_key = "hostname"
    volume_keys = re.compile(r"rootfs|mp\d+")
    # What a running container takes at once; a mount point only where none was.
    unnoticed = re.compile(
        r"hostname|description|tags|onboot|protection|startup|hookscript|cores|memory|swap|cpulimit|cpuunits|net\d+"
    )
    source, source_content = TEMPLATE, "vztmpl"

    def __init__(self, **session: Any) -> None:
        super().__init__(**session)
        self.only_once: dict[int, dict[str, str]] = {}

    def _create(self, params: dict[str, Any]) -> str:
        vmid = int(params.pop("vmid"))
        if vmid in self.configs:
            raise Exists(f"CT {vmid} already exists on node 'pve1'")
        if params["ostemplate"] != TEMPLATE:
            raise Failed(f"volume '{params['ostemplate']}' does not exist")
        if pool := params.pop("pool", None):
            self.pools[vmid] = pool
        names = ("ostemplate", "password", "ssh-public-keys")
        self.only_once[vmid] = {key: params.pop(key) for key in names if key in params}
        config = {"arch": "amd64", "memory": "512", "swap": "512", "ostype": "debian"}
        if params.pop("unprivileged", "1") == "1":
            config["unprivileged"] = "1"
        self.configs[vmid] = config
        self._update(vmid, params)
        return self._task("create", vmid)

    def _written(self, vmid: int, key: str, value: str) -> str:
        if key == "unprivileged":
            raise Failed("unable to modify read-only option: 'unprivileged'")
        if re.fullmatch(r"net\d+", key):
            card = dict(part.split("=", 1) for part in value.split(","))
            if "name" not in card:
                raise Invalid("Parameter verification failed.", errors={f"{key}.name": "property is missing"})
            name = card.pop("name")
            card.setdefault("hwaddr", f"BC:24:11:00:{vmid % 256:02X}:{next(self.numbers) % 256:02X}")
            card["hwaddr"] = card["hwaddr"].upper()
            card["type"] = "veth"
            return ",".join([f"name={name}", *(f"{part}={card[part]}" for part in sorted(card))])
        if self.volume_keys.fullmatch(key):
            return self._mount(vmid, key, value)
        return super()._written(vmid, key, value)

    def _mount(self, vmid: int, key: str, value: str) -> str:
        volume, *options = value.removeprefix("volume=").split(",")
        named = dict(option.split("=", 1) for option in options)
        if key != "rootfs" and not named.get("mp"):
            raise Invalid("Parameter verification failed.", errors={f"{key}.mp": "property is missing"})
        matched = _NEW.fullmatch(volume)
        if matched:
            volume = f"{matched[1]}:{vmid}/vm-{vmid}-disk-{next(self.numbers)}.raw"
            self.volumes[volume] = int(float(matched[2]) * 1024**3)
        if volume in self.volumes:
            named["size"] = as_size(self.volumes[volume])
        return ",".join([volume, *(f"{name}={named[name]}" for name in sorted(named))])

    def _move(self, vmid: int, params: dict[str, Any]) -> str:
        if vmid in self.running:
            raise Failed("cannot move volumes of a running container")
        return super()._move(vmid, params)

    def _clone(self, source: int, params: dict[str, Any]) -> str:
        vmid = int(params["newid"])
        if vmid in self.configs:
            raise Exists(f"CT {vmid} already exists on node 'pve1'")
        if source in self.running and "snapname" not in params:
            raise Failed("Full clone of a running container is only possible from a snapshot")
        config = {key: value for key, value in self.configs[source].items() if key != "template"}
        if params.get("hostname"):
            config["hostname"] = params["hostname"]
        for key, value in list(config.items()):
            if key.startswith("net"):
                config[key] = self._written(vmid, key, re.sub(r",hwaddr=[0-9A-F:]{17}", "", value))
            elif self.volume_keys.fullmatch(key) and not value.startswith("/"):
                volume, _, options = value.partition(",")
                copy = f"{params.get('storage') or volume.partition(':')[0]}:{vmid}/vm-{vmid}-disk-{next(self.numbers)}.raw"
                self.volumes[copy] = self.volumes[volume.replace("base-", "vm-")]
                config[key] = f"{copy},{options}"
        self.configs[vmid] = config
        if params.get("pool"):
            self.pools[vmid] = params["pool"]
        return self._task("clone", source)
