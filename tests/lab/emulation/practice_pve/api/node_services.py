# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/nodes/{node}/services: systemd's units as PVE shows and controls them."""

from __future__ import annotations

import subprocess
from typing import Any

from practice_pve.rest import ApiError, Call, Check, api_method, run_worker
from practice_pve.rest.parameters import NODE, Array, Object, Text

SERVICES = (
    "chrony", "corosync", "cron", "ksmtuned", "lxcfs", "postfix", "proxmox-firewall", "pve-cluster", "pve-firewall",
    "pve-ha-crm", "pve-ha-lrm", "pve-lxc-syscalld", "pvedaemon", "pvefw-logger", "pveproxy", "pvescheduler",
    "pvestatd", "qmeventd", "spiceproxy", "sshd", "syslog", "systemd-journald", "systemd-timesyncd",
)  # fmt: skip
# the name PVE uses -> the unit, where they differ
UNITS = {"sshd": "ssh"}
# stopping these would cut the branch one sits on
ESSENTIAL = ("pveproxy", "pvedaemon", "pve-cluster")
PARAMETERS = {"node": NODE, "service": Text(enum=SERVICES)}
AUDIT = Check("perm", "/nodes/{node}", ["Sys.Audit"])
MODIFY = Check("perm", "/nodes/{node}", ["Sys.Modify"])
COLUMNS = {name: Text() for name in ("active-state", "desc", "name", "service", "state", "unit-state")}
PROPERTIES = "Id,LoadState,ActiveState,SubState,Description,UnitFileState"


def unit_name(service: str) -> str:
    """Return the unit of a service."""
    return f"{UNITS.get(service, service)}.service"


def read_states(services: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """Return service -> what systemd says."""
    done = subprocess.run(
        ["systemctl", "show", "--property", PROPERTIES, *map(unit_name, services)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    blocks = [dict(line.split("=", 1) for line in block.splitlines()) for block in done.stdout.strip().split("\n\n")]
    return dict(zip(services, blocks, strict=False))


def describe(service: str, state: dict[str, str]) -> dict[str, str]:
    """Return a service as the API shows it."""
    missing = state.get("LoadState") == "not-found"
    return {
        "service": service,
        "name": service,
        "desc": state.get("Description", ""),
        "state": state.get("SubState", "unknown"),
        "active-state": state.get("ActiveState", "unknown"),
        "unit-state": "not-found" if missing else state.get("UnitFileState") or "unknown",
    }


@api_method(
    "GET",
    "/nodes/{node}/services",
    permissions=AUDIT,
    protected=True,
    proxyto="node",
    child_link="service",
    returns=Array(items=Object(properties={})),
)
def list_services(_call: Call) -> list[dict[str, str]]:
    """List the services that belong to PVE."""
    return [describe(service, state) for service, state in read_states(SERVICES).items()]


@api_method(
    "GET",
    "/nodes/{node}/services/{service}",
    permissions=AUDIT,
    protected=True,
    proxyto="node",
    parameters=PARAMETERS,
    child_link="subdir",
    returns=Array(items=Object(properties={"subdir": Text()})),
)
def service_index(_call: Call) -> list[dict[str, str]]:
    """List what can be done with a service."""
    return [{"subdir": name} for name in ("state", "start", "stop", "restart", "reload")]


@api_method(
    "GET",
    "/nodes/{node}/services/{service}/state",
    permissions=AUDIT,
    protected=True,
    proxyto="node",
    parameters=PARAMETERS,
    returns=Object(properties=COLUMNS),
)
def service_state(call: Call) -> dict[str, str]:
    """Return the state of one service."""
    service = call.params["service"]
    return describe(service, read_states((service,))[service])


def control(call: Call, action: str) -> str:
    """Do something with a service, as a task."""
    service = call.params["service"]

    def work(_upid: str) -> None:
        verb = action
        # a restart of what answers this very call is a reload, so that the call survives it
        if action == "restart" and service in ("pvedaemon", "pveproxy"):
            verb = "reload-or-restart"
        if action == "stop" and service in ESSENTIAL:
            raise ApiError(f"invalid service cmd '{service} stop': refusing to stop essential service\n")
        print(f"starting {action} for service {service}")
        done = subprocess.run(["systemctl", verb, unit_name(service)], stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            words = done.stderr.strip().splitlines()
            raise ApiError(
                f"command 'systemctl {verb} {service}' failed: exit code {done.returncode}"
                + (f" {words[-1]}" if words else "")
            )

    return run_worker(call, f"srv{action}", service, work)


@api_method("POST", "/nodes/{node}/services/{service}/start", permissions=MODIFY, protected=True, proxyto="node",
            parameters=PARAMETERS)  # fmt: skip
def start(call: Call) -> Any:
    """Start a service."""
    return control(call, "start")


@api_method("POST", "/nodes/{node}/services/{service}/stop", permissions=MODIFY, protected=True, proxyto="node",
            parameters=PARAMETERS)  # fmt: skip
def stop(call: Call) -> Any:
    """Stop a service."""
    return control(call, "stop")


@api_method("POST", "/nodes/{node}/services/{service}/restart", permissions=MODIFY, protected=True, proxyto="node",
            parameters=PARAMETERS)  # fmt: skip
def restart(call: Call) -> Any:
    """Restart a service."""
    return control(call, "restart")


@api_method("POST", "/nodes/{node}/services/{service}/reload", permissions=MODIFY, protected=True, proxyto="node",
            parameters=PARAMETERS)  # fmt: skip
def reload(call: Call) -> Any:
    """Reload a service."""
    return control(call, "reload")
