# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The results of the agent's reading commands, in the shape that users get.

Every function takes an unwrapped result and leaves out what the guest did not tell. Numbers may come as strings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


class UnexpectedAnswer(ValueError):
    """An answer of another shape than QEMU documents."""


@dataclass(frozen=True)
class InterfaceAddress:
    address: str
    family: str  # ipv4 or ipv6
    prefix: int | None


@dataclass(frozen=True)
class Interface:
    name: str
    mac: str  # lower case; empty for tunnels, and for guests that do not tell
    addresses: tuple[InterfaceAddress, ...]


def _list(value: Any) -> list[dict[str, Any]]:
    if value is None or value == {}:
        return []
    if not isinstance(value, list):
        raise UnexpectedAnswer(f"expected a list, not {value!r:.100}")
    return [item for item in value if isinstance(item, dict)]


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise UnexpectedAnswer(f"expected an object, not {value!r:.100}")
    return value


def _number(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _truth(value: Any) -> bool:
    return value is True or str(value).lower() in ("1", "true", "yes", "on")


def normalize_mac(text: Any) -> str:
    return str(text or "").strip().lower().replace("-", ":")


def read_interfaces(result: Any) -> list[Interface]:
    """An interface without an address has no C(ip-addresses) key at all; one without a MAC no C(hardware-address)."""
    return [
        Interface(
            name=str(entry.get("name", "")),
            mac=normalize_mac(entry.get("hardware-address")),
            addresses=tuple(
                InterfaceAddress(
                    str(address["ip-address"]),
                    str(address.get("ip-address-type") or ("ipv6" if ":" in str(address["ip-address"]) else "ipv4")),
                    _number(address.get("prefix")),
                )
                for address in _list(entry.get("ip-addresses"))
                if address.get("ip-address")
            ),
        )
        for entry in _list(result)
    ]


def describe_interfaces(interfaces: list[Interface]) -> list[dict[str, Any]]:
    return [
        {
            "name": interface.name,
            "mac": interface.mac,
            "addresses": [
                {"address": address.address, "family": address.family, "prefix": address.prefix}
                for address in interface.addresses
            ],
        }
        for interface in interfaces
    ]


def read_osinfo(result: Any) -> dict[str, Any]:
    """C(family) is windows, or else the first word that the kernel or the distribution says of itself."""
    told = {str(key).replace("-", "_"): value for key, value in _mapping(result).items()}
    identity = str(told.get("id", "")).lower()
    if identity == "mswindows":
        family = "windows"
    elif identity in ("freebsd", "netbsd", "openbsd", "dragonfly"):
        family = "bsd"
    else:
        family = "linux"
    return {**told, "family": family}


def read_hostname(result: Any) -> str:
    return str(_mapping(result).get("host-name", ""))


def read_users(result: Any) -> list[dict[str, Any]]:
    users = []
    for entry in _list(result):
        user: dict[str, Any] = {"user": str(entry.get("user", ""))}
        if entry.get("domain"):
            user["domain"] = str(entry["domain"])
        try:
            user["login_time"] = float(entry["login-time"])
        except (KeyError, TypeError, ValueError):
            pass
        users.append(user)
    return users


def read_filesystems(result: Any) -> list[dict[str, Any]]:
    """Sizes are missing where the guest cannot tell (older agents, network file systems, Windows volumes without media)."""
    filesystems = []
    for entry in _list(result):
        filesystem: dict[str, Any] = {
            "name": str(entry.get("name", "")),
            "mountpoint": str(entry.get("mountpoint", "")),
            "type": str(entry.get("type", "")),
            "disks": [
                {key: disk[key] for key in ("dev", "serial", "bus-type") if disk.get(key)}
                for disk in _list(entry.get("disk"))
            ],
        }
        for key in ("total-bytes", "used-bytes", "total-bytes-privileged"):
            number = _number(entry.get(key))
            if number is not None:
                filesystem[key.replace("-", "_")] = number
        filesystems.append(filesystem)
    return filesystems


def read_timezone(result: Any) -> dict[str, Any]:
    """The offset in seconds east of UTC is always told, a name not by every guest."""
    told = _mapping(result)
    return {"offset": _number(told.get("offset")) or 0, "zone": str(told["zone"]) if told.get("zone") else None}


def read_time(result: Any) -> dict[str, Any]:
    """The guest tells nanoseconds since 1970, UTC."""
    nanoseconds = _number(result)
    if nanoseconds is None:
        raise UnexpectedAnswer(f"expected a number, not {result!r:.100}")
    seconds = nanoseconds // 1_000_000_000
    try:
        text = datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, OSError, ValueError) as error:
        raise UnexpectedAnswer(f"{nanoseconds} is no time") from error
    return {"nanoseconds": nanoseconds, "seconds": seconds, "iso8601": text}


def read_vcpus(result: Any) -> dict[str, Any]:
    cpus = [
        {
            "id": _number(entry.get("logical-id")),
            "online": _truth(entry.get("online")),
            # Missing means that the guest cannot tell: then it cannot be taken offline either.
            "can_offline": _truth(entry.get("can-offline", False)),
        }
        for entry in _list(result)
    ]
    return {"total": len(cpus), "online": sum(bool(cpu["online"]) for cpu in cpus), "cpus": cpus}


@dataclass(frozen=True)
class AgentInfo:
    version: str
    enabled: tuple[str, ...]  # in the spelling of Proxmox VE: without guest-
    disabled: tuple[str, ...]


def read_info(result: Any) -> AgentInfo:
    told = _mapping(result)
    commands = {
        str(command.get("name", "")).removeprefix("guest-"): _truth(command.get("enabled", True))
        for command in _list(told.get("supported_commands"))
    }
    return AgentInfo(
        version=str(told.get("version", "")),
        enabled=tuple(sorted(name for name, enabled in commands.items() if enabled)),
        disabled=tuple(sorted(name for name, enabled in commands.items() if not enabled)),
    )


def read_fsfreeze_status(result: Any) -> str:
    return str(result).strip()


# What the option C(gather) names, the command behind it, and the reader of its result. The network is apart: its
# interfaces are needed as such to choose addresses.
READERS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "os": ("get-osinfo", read_osinfo),
    "hostname": ("get-host-name", read_hostname),
    "users": ("get-users", read_users),
    "filesystems": ("get-fsinfo", read_filesystems),
    "timezone": ("get-timezone", read_timezone),
    "time": ("get-time", read_time),
    "vcpus": ("get-vcpus", read_vcpus),
}
