# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/nodes and what concerns one node as a machine."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any

from practice_pve import settings
from practice_pve.rest import AnyUser, ApiError, Call, Check, ParameterErrors, api_method, run_worker
from practice_pve.rest.parameters import (
    CONFIG_DIGEST,
    NODE,
    Array,
    Integer,
    Null,
    Number,
    Object,
    Text,
)

from .cluster_state import certificate_fingerprint, node_entry, node_list, node_names, published_figures

AUDIT = Check("perm", "/nodes/{node}", ["Sys.Audit"])
MODIFY = Check("perm", "/nodes/{node}", ["Sys.Modify"])
SUBDIRECTORIES = (
    "aplinfo", "apt", "capabilities", "ceph", "certificates", "config", "disks", "dns", "firewall", "hardware",
    "hosts", "journal", "lxc", "migrateall", "netstat", "network", "qemu", "query-oci-repo-tags",
    "query-url-metadata", "replication", "report", "rrd", "rrddata", "scan", "sdn", "services", "spiceshell",
    "startall", "status", "stopall", "storage", "subscription", "suspendall", "syslog", "tasks", "termproxy", "time",
    "version", "vncshell", "vzdump", "wakeonlan",
)  # fmt: skip


@api_method(
    "GET",
    "/nodes",
    permissions=AnyUser(),
    child_link="node",
    returns=Array(
        items=Object(
            properties={
                "node": Text(),
                "status": Text(),
                "cpu": Number(optional=True, renderer="fraction_as_percentage"),
                "level": Text(optional=True),
                "maxcpu": Integer(optional=True),
                "maxmem": Integer(optional=True, renderer="bytes"),
                "mem": Integer(optional=True, renderer="bytes"),
                "ssl_fingerprint": Text(optional=True),
                "uptime": Integer(optional=True, renderer="duration"),
            }
        )
    ),
)
def nodes(_call: Call) -> list[dict[str, Any]]:
    """List the members with their published figures."""
    members, figures = node_list(), published_figures()
    result = []
    for name in node_names():
        entry = node_entry(name, members, figures)
        fingerprint = certificate_fingerprint(name)
        if fingerprint:
            entry["ssl_fingerprint"] = fingerprint
        result.append(entry)
    return result


@api_method(
    "GET",
    "/nodes/{node}",
    permissions=AnyUser(),
    proxyto="node",
    child_link="name",
    returns=Array(items=Object(properties={})),
)
def index(_call: Call) -> list[dict[str, str]]:
    """List the parts of a node."""
    return [{"name": name} for name in SUBDIRECTORIES]


@api_method("GET", "/nodes/{node}/version", permissions=AnyUser(), proxyto="node", returns=Object(properties={
    "release": Text(), "repoid": Text(), "version": Text(),
}))  # fmt: skip
def version(_call: Call) -> dict[str, str]:
    """Return the version of the node's pve-manager."""
    return {"release": settings.pve_release(), "repoid": settings.REPOSITORY_ID, "version": settings.pve_version()}


@api_method("GET", "/nodes/{node}/status", permissions=AUDIT, proxyto="node", returns=Object())
def status(_call: Call) -> dict[str, Any]:
    """Return the machine's figures as they are now."""
    from practice_pve.daemons import node_state

    kernel, ram = os.uname(), node_state.memory()
    return {
        "uptime": node_state.uptime(),
        "loadavg": node_state.load_average(),
        "cpu": node_state.cpu_usage(),
        "wait": 0,
        "idle": 0,
        "cpuinfo": processor(),
        "memory": {key: ram[key] for key in ("total", "free", "available", "used")},
        "swap": {
            "total": ram["swap_total"], "free": ram["swap_free"], "used": ram["swap_total"] - ram["swap_free"]
        },
        "rootfs": node_state.root_space(),
        "ksm": {"shared": 0},
        "boot-info": {"mode": "legacy-bios"},
        "kversion": f"{kernel.sysname} {kernel.release} {kernel.version}",
        "current-kernel": {
            "sysname": kernel.sysname, "release": kernel.release, "version": kernel.version, "machine": kernel.machine,
        },
        "pveversion": f"pve-manager/{settings.pve_version()}/{settings.REPOSITORY_ID}",
    }  # fmt: skip


def processor() -> dict[str, Any]:
    """Return what /proc/cpuinfo says."""
    values: dict[str, str] = {}
    sockets, count = set(), 0
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        values.setdefault(name.strip(), value.strip())
        count += name.strip() == "processor"
        if name.strip() == "physical id":
            sockets.add(value)
    flags = values.get("flags", "")
    return {
        "model": values.get("model name", ""),
        "vendor": values.get("vendor_id", ""),
        "family": values.get("cpu family", ""),
        "mhz": values.get("cpu MHz", ""),
        "flags": flags,
        "hvm": "1" if re.search(r"\b(vmx|svm)\b", flags) else "",
        "cpus": count,
        "cores": int(values.get("cpu cores") or count),
        "sockets": len(sockets) or 1,
        "user_hz": 100,
    }


@api_method(
    "POST",
    "/nodes/{node}/status",
    permissions=Check("perm", "/nodes/{node}", ["Sys.PowerMgmt"]),
    protected=True,
    proxyto="node",
    parameters={"node": NODE, "command": Text(enum=("reboot", "shutdown"))},
    returns=Null(),
)
def power(call: Call) -> None:
    """Reboot or shut the node down."""
    action = "reboot" if call.params["command"] == "reboot" else "poweroff"
    subprocess.Popen(["/bin/sh", "-c", f"sleep 1; systemctl --no-block {action}"], start_new_session=True)


@api_method("GET", "/nodes/{node}/time", permissions=AUDIT, proxyto="node", returns=Object())
def get_time(_call: Call) -> dict[str, Any]:
    """Return the clock and the time zone."""
    now = int(time.time())
    offset = time.localtime(now).tm_gmtoff
    return {"time": now, "localtime": now + offset, "timezone": time_zone()}


def time_zone() -> str:
    """Return the name of the time zone."""
    try:
        return Path("/etc/timezone").read_text(encoding="ascii").strip()
    except FileNotFoundError:
        target = os.path.realpath("/etc/localtime")
        return target.partition("zoneinfo/")[2] or "UTC"


@api_method(
    "PUT",
    "/nodes/{node}/time",
    permissions=MODIFY,
    protected=True,
    proxyto="node",
    parameters={"node": NODE, "timezone": Text()},
    returns=Null(),
)
def set_time(call: Call) -> None:
    """Set the time zone."""
    zone = call.params["timezone"]
    source = Path("/usr/share/zoneinfo") / zone
    if not source.is_file():
        raise ApiError(f"invalid time zone '{zone}'\n")
    temporary = Path("/etc/localtime.tmp")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(source)
    temporary.replace("/etc/localtime")
    Path("/etc/timezone").write_text(f"{zone}\n", encoding="ascii")


@api_method("GET", "/nodes/{node}/dns", permissions=AUDIT, proxyto="node", returns=Object())
def get_dns(_call: Call) -> dict[str, str]:
    """Return what resolv.conf says."""
    result: dict[str, str] = {}
    count = 0
    for line in Path("/etc/resolv.conf").read_text(encoding="utf-8").splitlines():
        words = line.split()
        if len(words) > 1 and words[0] in ("search", "domain"):
            result["search"] = words[1]
        elif len(words) > 1 and words[0] == "nameserver" and count < 3:
            count += 1
            result[f"dns{count}"] = words[1]
    return result


@api_method("GET", "/nodes/{node}/hosts", permissions=AUDIT, protected=True, proxyto="node", returns=Object(properties={
    "digest": CONFIG_DIGEST, "data": Text(),
}))  # fmt: skip
def get_hosts(_call: Call) -> dict[str, str]:
    """Return /etc/hosts."""
    text = Path("/etc/hosts").read_text(encoding="utf-8")
    return {"data": text, "digest": hashlib.sha1(text.encode()).hexdigest()}


@api_method(
    "POST",
    "/nodes/{node}/hosts",
    permissions=MODIFY,
    protected=True,
    proxyto="node",
    parameters={"node": NODE, "data": Text(), "digest": CONFIG_DIGEST},
    returns=Null(),
)
def set_hosts(call: Call) -> None:
    """Replace /etc/hosts."""
    path = Path("/etc/hosts")
    digest = hashlib.sha1(path.read_bytes()).hexdigest()
    if call.params.get("digest") not in (None, digest):
        raise ApiError("detected modified configuration - file changed by other user? Try again.\n")
    path.write_text(call.params["data"], encoding="utf-8")


@api_method("GET", "/nodes/{node}/subscription", permissions=AnyUser(), proxyto="node", returns=Object())
def subscription(_call: Call) -> dict[str, str]:
    """Return that there is none."""
    machine = Path("/etc/machine-id").read_bytes()
    return {
        "status": "notfound",
        "message": "There is no subscription key",
        "serverid": hashlib.md5(machine, usedforsecurity=False).hexdigest().upper(),
        "url": "https://www.proxmox.com/en/proxmox-virtual-environment/pricing",
    }


@api_method("GET", "/nodes/{node}/config", permissions=Check("perm", "/", ["Sys.Audit"]), proxyto="node", parameters={
    "node": NODE, "property": Text(optional=True),
}, returns=Object())  # fmt: skip
def node_config(call: Call) -> dict[str, Any]:
    """Return the node's own options in /etc/pve."""
    try:
        text = Path(f"/etc/pve/nodes/{call.params['node']}/config").read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    pairs = (line.partition(":") for line in text.splitlines() if ":" in line and not line.startswith("#"))
    config: dict[str, Any] = {name.strip(): value.strip() for name, _, value in pairs}
    return {**config, "digest": hashlib.sha1(text.encode()).hexdigest()} if text else config


@api_method(
    "GET",
    "/nodes/{node}/apt/update",
    permissions=MODIFY,
    protected=True,
    proxyto="node",
    returns=Array(items=Object(properties={})),
)
def pending_updates(_call: Call) -> list[dict[str, Any]]:
    """Return the pending package upgrades that the settings plant."""
    return list(settings.get("pending_updates", []))


@api_method("POST", "/nodes/{node}/apt/update", permissions=MODIFY, protected=True, proxyto="node", parameters={
    "node": NODE, "notify": Integer(optional=True), "quiet": Integer(optional=True),
})  # fmt: skip
def refresh_packages(call: Call) -> str:
    """Pretend to read the package lists."""
    return run_worker(call, "aptupdate", "", lambda _upid: print("starting apt-get update"))


@api_method(
    "GET",
    "/nodes/{node}/network",
    permissions=AnyUser(),
    proxyto="node",
    parameters={"node": NODE, "type": Text(optional=True)},
    child_link="iface",
    returns=Array(items=Object(properties={})),
)
def network(call: Call) -> list[dict[str, Any]]:
    """List the interfaces of /etc/network/interfaces."""
    from .node_network import interfaces

    wanted = call.params.get("type")
    found = [{"iface": name, **config} for name, config in interfaces().items()]
    if not wanted:
        return found
    kinds = {"any_bridge": ("bridge", "OVSBridge"), "any_local_bridge": ("bridge", "OVSBridge")}.get(wanted, (wanted,))
    return [entry for entry in found if entry["type"] in kinds]


@api_method(
    "GET",
    "/nodes/{node}/network/{iface}",
    permissions=AUDIT,
    proxyto="node",
    parameters={"node": NODE, "iface": Text(format="pve-iface", min_length=2, max_length=20)},
    returns=Object(),
)
def network_interface(call: Call) -> dict[str, Any]:
    """Return one interface."""
    from .node_network import interfaces

    config = interfaces().get(call.params["iface"])
    if config is None:
        raise ParameterErrors({"iface": "interface does not exist"})
    return config
