# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/nodes/{node}/lxc/{vmid}/status: state and power of containers."""

from __future__ import annotations

from collections.abc import Callable

from practice_pve.api.lxc import AUDIT, FLAG, GUEST
from practice_pve.guests import container_process
from practice_pve.guests.permissions import ROOT
from practice_pve.guests.status import container_status
from practice_pve.guests.store import LXC
from practice_pve.ha import resources as ha_resources
from practice_pve.pmxcfs import client
from practice_pve.rest import AnyUser, ApiError, Call, Check, ParameterErrors, api_method, run_worker
from practice_pve.rest.parameters import Array, Boolean, Integer, Object, Text

POWER = Check("perm", "/vms/{vmid}", ["VM.PowerMgmt"])
TIMEOUT = Integer(optional=True, minimum=0, default=60)


@api_method(
    "GET", "/nodes/{node}/lxc/{vmid}/status", parameters=GUEST, permissions=AnyUser(), proxyto="node",
    child_link="subdir",
)  # fmt: skip
def list_commands(_call: Call) -> list[dict]:
    """The sub-directories."""
    return [{"subdir": name} for name in ("current", "start", "stop", "shutdown", "reboot")]


@api_method(
    "GET", "/nodes/{node}/lxc/{vmid}/status/current", parameters=GUEST, permissions=AUDIT, protected=True,
    proxyto="node", returns=Object(),
)  # fmt: skip
def read_status(call: Call) -> dict:
    """The container's state."""
    guest_id = call.params["vmid"]
    status = container_status(guest_id)
    managed = ha_resources.load_with_defaults().get(f"ct:{guest_id}")
    status["ha"] = {"managed": 0} if managed is None else {"managed": 1, "state": managed["state"]}
    return status


@api_method(
    "GET", "/nodes/{node}/lxc/{vmid}/interfaces", parameters=GUEST, permissions=AUDIT, protected=True, proxyto="node",
    returns=Array(items=Object(properties={})),
)  # fmt: skip
def read_interfaces(call: Call) -> list[dict] | None:
    """Addresses inside a running container."""
    guest_id = call.params["vmid"]
    LXC.load(guest_id)
    return container_process.interfaces(guest_id) if container_process.pid_of(guest_id) is not None else None


def _skips_lock(call: Call) -> bool:
    if call.params.get("skiplock") and call.user != ROOT:
        raise ParameterErrors({"skiplock": "Only root may use this option."})
    return bool(call.params.get("skiplock"))


def _by_ha(call: Call) -> bool:
    return ha_resources.is_managed(call.params["vmid"]) and call.environment != "ha"


def _worker(call: Call, name: str, action: Callable[[], object]) -> str:
    return run_worker(call, name, call.params["vmid"], lambda _upid: action())


def _request_stop(guest_id: int, timeout: int) -> None:
    print(f"Requesting HA stop for CT {guest_id}")
    ha_resources.assert_managed(f"ct:{guest_id}")
    ha_resources.queue_command(f"stop ct:{guest_id} {timeout}")


@api_method(
    "POST", "/nodes/{node}/lxc/{vmid}/status/start", permissions=POWER, protected=True, proxyto="node", returns=Text(),
    parameters={**GUEST, "skiplock": FLAG, "debug": Boolean(optional=True, default=0)},
)  # fmt: skip
def start_guest(call: Call) -> str:
    """Start, or ask HA to."""
    guest_id, skip_lock = call.params["vmid"], _skips_lock(call)
    if container_process.pid_of(guest_id) is not None:
        raise ApiError(f"CT {guest_id} already running")
    client.assert_quorum()
    if _by_ha(call):

        def request() -> None:
            print(f"Requesting HA start for CT {guest_id}")
            ha_resources.update(f"ct:{guest_id}", {"state": "started"}, [], None)

        return _worker(call, "hastart", request)
    return _worker(call, "vzstart", lambda: container_process.start(guest_id, skip_lock=skip_lock))


@api_method(
    "POST", "/nodes/{node}/lxc/{vmid}/status/stop", permissions=POWER, protected=True, proxyto="node", returns=Text(),
    parameters={**GUEST, "skiplock": FLAG, "overrule-shutdown": FLAG},
)  # fmt: skip
def stop_guest(call: Call) -> str:
    """Kill it, or ask HA to."""
    guest_id, skip_lock = call.params["vmid"], _skips_lock(call)
    LXC.load(guest_id)
    container_process.assert_running(guest_id)
    if _by_ha(call):
        if call.params.get("overrule-shutdown"):
            raise ParameterErrors({"overrule-shutdown": "Not applicable for HA resources."})
        return _worker(call, "hastop", lambda: _request_stop(guest_id, 0))
    return _worker(call, "vzstop", lambda: container_process.stop(guest_id, skip_lock=skip_lock))


@api_method(
    "POST", "/nodes/{node}/lxc/{vmid}/status/shutdown", permissions=POWER, protected=True, proxyto="node",
    returns=Text(), parameters={**GUEST, "timeout": TIMEOUT, "forceStop": Boolean(optional=True, default=0)},
)  # fmt: skip
def shutdown_guest(call: Call) -> str:
    """Ask its init to go down."""
    guest_id = call.params["vmid"]
    LXC.load(guest_id)
    container_process.assert_running(guest_id)
    if _by_ha(call):
        return _worker(call, "hastop", lambda: _request_stop(guest_id, call.params.get("timeout", 60)))
    return _worker(call, "vzshutdown", lambda: container_process.stop(guest_id))


@api_method(
    "POST", "/nodes/{node}/lxc/{vmid}/status/reboot", permissions=POWER, protected=True, proxyto="node", returns=Text(),
    parameters={**GUEST, "timeout": Integer(optional=True, minimum=0)},
)  # fmt: skip
def reboot_guest(call: Call) -> str:
    """Shut down and start again."""
    guest_id = call.params["vmid"]
    container_process.assert_running(guest_id, "VM")
    return _worker(call, "vzreboot", lambda: container_process.restart(guest_id))
