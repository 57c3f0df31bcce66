# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/nodes/{node}/qemu/{vmid}/status: state and power."""

from __future__ import annotations

import sys
from collections.abc import Callable

from practice_pve.api.qemu import AUDIT, FLAG, GUEST
from practice_pve.guests import machine, start
from practice_pve.guests.permissions import ROOT
from practice_pve.guests.status import machine_status
from practice_pve.guests.store import QEMU
from practice_pve.guests.tables.machine_parts import AGENT
from practice_pve.ha import resources as ha_resources
from practice_pve.pmxcfs import client
from practice_pve.rest import AnyUser, ApiError, Call, Check, NotEmulated, ParameterErrors, api_method, run_worker
from practice_pve.rest.parameters import Boolean, Integer, Object, Text
from practice_pve.rest.verification import parse_property_string

POWER = Check("perm", "/vms/{vmid}", ["VM.PowerMgmt"])
TIMEOUT = Integer(optional=True, minimum=0)
_ONLY_ROOT = "Only root may use this option."
_MIGRATION_OPTIONS = ("stateuri", "migratedfrom", "migration_type", "migration_network", "targetstorage", "force-cpu")


@api_method(
    "GET",
    "/nodes/{node}/qemu/{vmid}/status",
    parameters=GUEST,
    permissions=AnyUser(),
    proxyto="node",
    child_link="subdir",
)
def list_commands(_call: Call) -> list[dict]:
    """The sub-directories."""
    return [{"subdir": name} for name in ("current", "start", "stop", "reset", "shutdown", "suspend", "reboot")]


@api_method(
    "GET", "/nodes/{node}/qemu/{vmid}/status/current", parameters=GUEST, permissions=AUDIT, protected=True,
    proxyto="node", returns=Object(),
)  # fmt: skip
def read_status(call: Call) -> dict:
    """What QEMU and HA say."""
    guest_id = call.params["vmid"]
    config = QEMU.load(guest_id)
    status = machine_status(guest_id, full=True)
    sid = f"vm:{guest_id}"
    managed = ha_resources.load_with_defaults().get(sid)
    status["ha"] = {"managed": 0} if managed is None else {"managed": 1, "state": managed["state"]}
    if parse_property_string(AGENT, str(config.values.get("agent", "0"))).get("enabled"):
        status["agent"] = 1
    return status


def _root_only(call: Call, *names: str) -> None:
    for name in names:
        if call.params.get(name) and call.user != ROOT:
            raise ParameterErrors({name: _ONLY_ROOT})


def _by_ha(call: Call) -> bool:
    return ha_resources.is_managed(call.params["vmid"]) and call.environment != "ha"


def _worker(call: Call, name: str, action: Callable[[], object]) -> str:
    return run_worker(call, name, call.params["vmid"], lambda _upid: action())


@api_method(
    "POST", "/nodes/{node}/qemu/{vmid}/status/start", permissions=POWER, protected=True, proxyto="node", returns=Text(),
    parameters={
        **GUEST,
        "skiplock": FLAG,
        "stateuri": Text(optional=True, max_length=128),
        "migratedfrom": Text(optional=True, format="pve-node"),
        "migration_type": Text(optional=True, enum=("secure", "insecure")),
        "migration_network": Text(optional=True, format="CIDR"),
        "machine": Text(optional=True),
        "force-cpu": Text(optional=True),
        "nets-host-mtu": Text(optional=True, pattern=r"net\d+=\d+(,net\d+=\d+)*"),
        "targetstorage": Text(optional=True),
        "timeout": TIMEOUT,
        "with-conntrack-state": FLAG,
    },
)  # fmt: skip
def start_guest(call: Call) -> str:
    """Start, or ask HA to."""
    guest_id = call.params["vmid"]
    _root_only(call, "skiplock", "stateuri", "migratedfrom")
    if any(name in call.params for name in _MIGRATION_OPTIONS):
        raise NotEmulated("qm start of an incoming migration")
    client.assert_quorum()
    if _by_ha(call):

        def request() -> None:
            print(f"Requesting HA start for VM {guest_id}")
            ha_resources.update(f"vm:{guest_id}", {"state": "started"}, [], None)

        return _worker(call, "hastart", request)
    skip_lock = bool(call.params.get("skiplock"))
    return _worker(call, "qmstart", lambda: start.start_machine(guest_id, skip_lock=skip_lock))


@api_method(
    "POST", "/nodes/{node}/qemu/{vmid}/status/stop", permissions=POWER, protected=True, proxyto="node", returns=Text(),
    parameters={
        **GUEST,
        "skiplock": FLAG,
        "migratedfrom": Text(optional=True, format="pve-node"),
        "timeout": TIMEOUT,
        "keepActive": FLAG,
        "overrule-shutdown": FLAG,
    },
)  # fmt: skip
def stop_guest(call: Call) -> str:
    """Cut the power, or ask HA to."""
    guest_id = call.params["vmid"]
    _root_only(call, "skiplock", "keepActive", "migratedfrom")
    if _by_ha(call):
        if call.params.get("overrule-shutdown"):
            raise ParameterErrors({"overrule-shutdown": "Not applicable for HA resources."})
        return _worker(call, "hastop", lambda: _request_stop(guest_id, 0))
    skip_lock = bool(call.params.get("skiplock"))
    return _worker(call, "qmstop", lambda: start.stop_machine(guest_id, skip_lock=skip_lock))


def _request_stop(guest_id: int, timeout: int) -> None:
    print(f"Requesting HA stop for VM {guest_id}")
    ha_resources.assert_managed(f"vm:{guest_id}")
    ha_resources.queue_command(f"stop vm:{guest_id} {timeout}")


@api_method(
    "POST", "/nodes/{node}/qemu/{vmid}/status/shutdown", permissions=POWER, protected=True, proxyto="node",
    returns=Text(),
    parameters={**GUEST, "skiplock": FLAG, "timeout": TIMEOUT, "forceStop": FLAG, "keepActive": FLAG},
)  # fmt: skip
def shutdown_guest(call: Call) -> str:
    """Ask the guest to go down."""
    guest_id, timeout = call.params["vmid"], call.params.get("timeout")
    force_stop = bool(call.params.get("forceStop"))
    _root_only(call, "skiplock", "keepActive")
    if not machine.is_running(guest_id):
        # the real program asks QEMU whether the machine is paused and only warns when nobody answers
        print(f"VM {guest_id} not running\n", file=sys.stderr)
    elif machine.qmp_status(guest_id) == "paused":
        if not force_stop:
            raise ApiError("VM is paused - cannot shutdown")
        print("VM is paused - sending stop instead of shutdown", file=sys.stderr)
        return _worker(call, "qmstop", lambda: start.stop_machine(guest_id))
    if _by_ha(call):
        return _worker(call, "hastop", lambda: _request_stop(guest_id, timeout if timeout is not None else 60))
    return _worker(
        call,
        "qmshutdown",
        lambda: start.shutdown_machine(
            guest_id, timeout, force_stop=force_stop, skip_lock=bool(call.params.get("skiplock"))
        ),
    )


@api_method(
    "POST", "/nodes/{node}/qemu/{vmid}/status/reboot", permissions=POWER, protected=True, proxyto="node",
    returns=Text(), parameters={**GUEST, "timeout": TIMEOUT},
)  # fmt: skip
def reboot_guest(call: Call) -> str:
    """Shut down and start again."""
    guest_id = call.params["vmid"]
    if not machine.is_running(guest_id):
        # once as a warning of the question whether it is paused, once as the error
        print(f"VM {guest_id} not running\n", file=sys.stderr)
    elif machine.qmp_status(guest_id) == "paused":
        raise ApiError("VM is paused - cannot shutdown")
    machine.assert_running(guest_id)
    return _worker(call, "qmreboot", lambda: start.reboot_machine(guest_id, call.params.get("timeout")))


@api_method(
    "POST", "/nodes/{node}/qemu/{vmid}/status/reset", permissions=POWER, protected=True, proxyto="node", returns=Text(),
    parameters={**GUEST, "skiplock": FLAG},
)  # fmt: skip
def reset_guest(call: Call) -> str:
    """Press the reset button."""
    guest_id = call.params["vmid"]
    _root_only(call, "skiplock")
    machine.assert_running(guest_id)
    skip_lock = bool(call.params.get("skiplock"))
    return _worker(call, "qmreset", lambda: start.reset_machine(guest_id, skip_lock=skip_lock))


@api_method(
    "POST", "/nodes/{node}/qemu/{vmid}/status/suspend", permissions=POWER, protected=True, proxyto="node",
    returns=Text(),
    parameters={
        **GUEST,
        "skiplock": FLAG,
        "todisk": Boolean(optional=True, default=0),
        "statestorage": Text(optional=True, format="pve-storage-id", requires="todisk"),
    },
)  # fmt: skip
def suspend_guest(call: Call) -> str:
    """Pause, or save the state to disk and end."""
    guest_id = call.params["vmid"]
    _root_only(call, "skiplock")
    machine.assert_running(guest_id)
    if call.params.get("todisk"):
        storage = call.params.get("statestorage")
        return _worker(call, "qmsuspend", lambda: start.suspend_to_disk(guest_id, storage))
    skip_lock = bool(call.params.get("skiplock"))
    return _worker(call, "qmpause", lambda: start.suspend_machine(guest_id, skip_lock=skip_lock))


@api_method(
    "POST", "/nodes/{node}/qemu/{vmid}/status/resume", permissions=POWER, protected=True, proxyto="node",
    returns=Text(), parameters={**GUEST, "skiplock": FLAG, "nocheck": FLAG},
)  # fmt: skip
def resume_guest(call: Call) -> str:
    """Continue a paused machine; one that sleeps on disk is started."""
    guest_id = call.params["vmid"]
    _root_only(call, "skiplock")
    skip_lock = bool(call.params.get("skiplock"))
    if QEMU.load(guest_id).values.get("lock") == "suspended":
        return _worker(call, "qmresume", lambda: start.start_machine(guest_id, skip_lock=skip_lock))
    machine.assert_running(guest_id)
    return _worker(call, "qmresume", lambda: start.resume_machine(guest_id, skip_lock=skip_lock))
