# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/nodes/{node}/qemu: list, create, configuration, destroy."""

from __future__ import annotations

import time
from urllib.parse import unquote

from practice_pve.guests import formats as guest_formats  # noqa: F401 - registers the formats
from practice_pve.guests import permissions
from practice_pve.guests.config_file import Values
from practice_pve.guests.create import (
    NewMachine,
    Removal,
    assert_removable,
    complete_parameters,
    create_machine,
    destroy_machine,
)
from practice_pve.guests.disks import check_drive_parameters, check_storage_access, new_disk
from practice_pve.guests.drives import drives_of
from practice_pve.guests.pending import apply_to_view, pending_view
from practice_pve.guests.status import list_machines
from practice_pve.guests.store import QEMU, assert_free
from practice_pve.guests.tables.machine_options import CALL_OPTIONS
from practice_pve.guests.update import Change, load_checked, update_machine
from practice_pve.guests.values import HIDDEN, complete_network_card
from practice_pve.pmxcfs import client
from practice_pve.rest import (
    AnyUser,
    ApiError,
    Call,
    Check,
    NotEmulated,
    ParameterErrors,
    api_method,
    run_worker,
)
from practice_pve.rest.formats import split_list
from practice_pve.rest.parameters import (
    NODE,
    SNAPSHOT_NAME,
    STORAGE_ID,
    VMID,
    Array,
    Boolean,
    Integer,
    Object,
    Parameter,
    Text,
    optional,
)
from practice_pve.rest.upid import Upid, is_error, parse_upid, read_status
from practice_pve.rest.verification import perl_text
from practice_pve.storage.definitions import load_storages

GUEST: dict[str, Parameter] = {"node": NODE, "vmid": VMID}
FLAG = Boolean(optional=True)
DIGEST = Text(optional=True, max_length=40)
AUDIT = Check("perm", "/vms/{vmid}", ["VM.Audit"])
_PRIVILEGES_TO_CHANGE = [
    "VM.Config.Disk", "VM.Config.CDROM", "VM.Config.CPU", "VM.Config.Memory", "VM.Config.Network", "VM.Config.HWType",
    "VM.Config.Options", "VM.Config.Cloudinit",
]  # fmt: skip
_UPDATE_PARAMETERS: dict[str, Parameter] = {
    **GUEST,
    **CALL_OPTIONS,
    "delete": Text(optional=True, format="pve-configid-list"),
    "revert": Text(optional=True, format="pve-configid-list"),
    "digest": DIGEST,
    "force": Boolean(optional=True, requires="delete"),
    "skiplock": FLAG,
}


@api_method(
    "GET", "/nodes/{node}/qemu", parameters={"node": NODE, "full": FLAG}, permissions=AnyUser(), protected=True,
    proxyto="node", child_link="vmid", returns=Array(items=Object(properties={"vmid": VMID})),
)  # fmt: skip
def list_guests(call: Call) -> list[dict]:
    """The node's virtual machines that the user may see."""
    entries = list_machines(full=bool(call.params.get("full")))
    return [entry for entry in entries if permissions.may_see(call.user, entry["vmid"])]


@api_method(
    "POST", "/nodes/{node}/qemu", permissions=AnyUser(), protected=True, proxyto="node", returns=Text(),
    parameters={
        **GUEST,
        **CALL_OPTIONS,
        "archive": Text(optional=True, max_length=255),
        "bwlimit": Integer(optional=True, minimum=0),
        "force": Boolean(optional=True, requires="archive"),
        "ha-managed": FLAG,
        "import-working-storage": optional(STORAGE_ID),
        "live-restore": FLAG,
        "pool": Text(optional=True, format="pve-poolid"),
        "start": FLAG,
        "storage": optional(STORAGE_ID),
        "unique": Boolean(optional=True, requires="archive"),
    },
)  # fmt: skip
def create_guest(call: Call) -> str:
    """Reserve the id, then let a worker make the disks and the configuration."""
    params = dict(call.params)
    guest_id = params.pop("vmid")
    if params.get("archive") or params.get("live-restore"):
        return _restore(call, guest_id, params)
    new = NewMachine(
        guest_id,
        {key: _stored(value) for key, value in params.items() if key in CALL_OPTIONS},
        params.get("storage"),
        params.get("pool"),
        bool(params.get("start")),
        bool(params.get("ha-managed")),
        call.user or "",
    )
    _check_ssh_keys(new.values)
    client.assert_quorum()
    permissions.assert_may_create(call.user, guest_id, new.pool)
    storages = load_storages()
    _move_cdrom(new.values)
    check_storage_access(new.values, storages, new.storage, new.user)
    permissions.assert_may_set(call.user, guest_id, new.values, new.pool)
    permissions.assert_may_use_storages(call.user, _storages_of_new_disks(new.values, new.storage))
    permissions.assert_may_use_bridges(call.user, new.values)
    check_drive_parameters(new.values, storages)
    complete_parameters(new.values)
    try:
        QEMU.create_locked(guest_id)
    except ApiError as error:
        raise ApiError(f"unable to create VM {guest_id} - {error.message}") from error
    return run_worker(call, "qmcreate", guest_id, lambda _upid: create_machine(new))


def _restore(call: Call, guest_id: int, params: dict) -> str:
    """Restoring is not emulated; what is refused before it begins is."""
    client.assert_quorum()
    archive = str(params.get("archive", ""))
    permissions.assert_may_create(call.user, guest_id, params.get("pool"))
    _assert_archive(archive)
    if not params.get("force"):
        try:
            assert_free(guest_id)
        except ApiError as error:
            raise ApiError(f"unable to restore VM {guest_id} - {error.message}") from error
    raise NotEmulated("restoring a virtual machine")


def _assert_archive(archive: str) -> None:
    import os

    if archive.startswith("/") and not os.path.exists(archive):
        raise ApiError(f"can't find file '{archive}'", exit_code=2)


def _stored(value: object) -> object:
    """A verified parameter as it stands in the file: booleans and numbers as numbers, the rest as text."""
    if isinstance(value, bool):
        return int(value)
    return value if isinstance(value, int) else perl_text(value)


def _check_ssh_keys(values: Values) -> None:
    keys = values.get("sshkeys")
    if keys is None:
        return
    for line in unquote(str(keys)).split("\n"):
        if line.strip() and not line.startswith("#") and not any(len(word) > 16 for word in line.split()):
            raise ApiError("SSH public key validation error")


def _move_cdrom(values: Values) -> None:
    """`cdrom` is an old name for `ide2`."""
    text = values.pop("cdrom", None)
    if text is not None:
        if "ide2" in values:
            raise ParameterErrors({"cdrom": "option 'cdrom' conflicts with 'ide2'"})
        values["ide2"] = str(text) if "media=cdrom" in str(text) else f"{text},media=cdrom"


def _storages_of_new_disks(values: Values, default: str | None) -> list[str]:
    names = []
    for drive in drives_of(values):
        request = new_disk(drive.file)
        if request and (request[0] or default):
            names.append(request[0] or str(default))
    return names


@api_method(
    "GET", "/nodes/{node}/qemu/{vmid}", parameters=GUEST, permissions=AnyUser(), proxyto="node", child_link="subdir"
)
def list_parts(_call: Call) -> list[dict]:
    """The sub-directories of a virtual machine."""
    names = (
        "config", "cloudinit", "pending", "status", "unlink", "vncproxy", "termproxy", "migrate", "resize", "move", "rrd",
        "rrddata", "monitor", "agent", "snapshot", "spiceproxy", "sendkey", "firewall", "mtunnel", "remote_migrate",
    )  # fmt: skip
    return [{"subdir": name} for name in names]


@api_method(
    "GET", "/nodes/{node}/qemu/{vmid}/config", permissions=AUDIT, proxyto="node", returns=Object(),
    parameters={**GUEST, "current": Boolean(optional=True, default=0), "snapshot": optional(SNAPSHOT_NAME)},
)  # fmt: skip
def read_config(call: Call) -> dict:
    """The configuration with pending changes, the running one (`current`) or a snapshot's."""
    current, snapshot = bool(call.params.get("current")), call.params.get("snapshot")
    if snapshot and current:
        raise ParameterErrors(
            {
                "snapshot": "cannot use 'snapshot' parameter with 'current'",
                "current": "cannot use 'snapshot' parameter with 'current'",
            }
        )
    config = QEMU.load(call.params["vmid"])
    values = dict(config.values)
    if snapshot:
        if snapshot not in config.snapshots:
            raise ApiError(f"snapshot '{snapshot}' does not exist")
        values = dict(config.snapshots[snapshot])
    elif not current:
        values = apply_to_view(config)
    if "cipassword" in values:
        values["cipassword"] = HIDDEN
    return {**values, "digest": config.digest}


@api_method("GET", "/nodes/{node}/qemu/{vmid}/pending", parameters=GUEST, permissions=AUDIT, proxyto="node")
def read_pending(call: Call) -> list[dict]:
    """Key by key the current and the pending value."""
    config = QEMU.load(call.params["vmid"])
    return pending_view(config)


def _change_of(call: Call) -> Change:
    """Everything about an update call that can be said before the configuration is locked."""
    params = dict(call.params)
    guest_id = params.pop("vmid")
    params.pop("node", None)
    params.pop("background_delay", None)
    params.pop("import-working-storage", None)
    digest = params.pop("digest", None)
    shown = {key: "<hidden>" if key == "cipassword" else perl_text(value) for key, value in params.items()}
    description = " ".join(f"-{key} {shown[key]}" for key in sorted(shown))
    skip_lock = bool(params.pop("skiplock", False))
    if skip_lock and call.user != permissions.ROOT:
        raise ParameterErrors({"skiplock": "Only root may use this option."})
    delete, revert = params.pop("delete", ""), params.pop("revert", "")
    force = bool(params.pop("force", False))
    values: Values = {key: _stored(value) for key, value in params.items()}
    _check_ssh_keys(values)
    if not delete and not revert and not values:
        raise ApiError("no options specified")
    _move_cdrom(values)
    change = Change(
        guest_id, values, skip_lock=skip_lock, digest=digest, force=force, user=call.user or "", description=description
    )
    change.revert = [_known("revert", key) for key in split_list(revert)]
    for key in change.revert:
        if key in values:
            raise ParameterErrors({"delete": f"you can't use '-{key}' and -revert {key}' at the same time"})
    for key in split_list(delete):
        name = "ide2" if key == "cdrom" else key
        if name in values:
            raise ParameterErrors({"delete": f"you can't use '-{name}' and -delete {name}' at the same time"})
        if name in change.revert:
            raise ParameterErrors({"revert": f"you can't use '-delete {name}' and -revert {name}' at the same time"})
        change.delete.append(_known("delete", name))
    return change


def _known(parameter: str, key: str) -> str:
    from practice_pve.guests.tables.machine_options import FILE_OPTIONS

    if key not in FILE_OPTIONS:
        raise ParameterErrors({parameter: f"unknown option '{key}'"})
    return key


def _prepare_change(call: Call) -> Change:
    change = _change_of(call)
    storages = load_storages()
    try:
        check_drive_parameters(change.set, storages)
        for key in change.set:
            if key.startswith("net") and key[3:].isdigit():
                change.set[key] = complete_network_card(str(change.set[key]))
        permissions.assert_may_set(call.user, change.guest_id, [*change.delete, *change.set])
        permissions.assert_may_use_storages(call.user, _storages_of_new_disks(change.set, None))
        permissions.assert_may_use_bridges(call.user, change.set)
        check_storage_access(change.set, storages, None, change.user)
    except ParameterErrors:
        raise
    except ApiError as error:
        # the real program has just looked for a replication.cfg that is not there: ENOENT
        raise ApiError(str(error), status=error.status, exit_code=2) from error
    # early checks before the lock is taken
    load_checked(_copy(change))
    return change


def _copy(change: Change) -> Change:
    return Change(**{**change.__dict__, "set": dict(change.set), "delete": list(change.delete)})


def _run_change(change: Change) -> None:
    with QEMU.lock(change.guest_id):
        try:
            update_machine(change, load_storages())
        except ParameterErrors:
            raise
        except ApiError as error:
            # without quorum the command ends with the errno of an earlier look-up, otherwise there is none left
            code = 2 if "Permission denied" in error.message else 255
            raise ApiError(error.message, status=error.status, exit_code=code) from error


@api_method(
    "PUT", "/nodes/{node}/qemu/{vmid}/config", parameters=_UPDATE_PARAMETERS, protected=True, proxyto="node",
    permissions=Check("perm", "/vms/{vmid}", _PRIVILEGES_TO_CHANGE, "any", 1),
)  # fmt: skip
def update_config(call: Call) -> None:
    """Change the configuration at once."""
    _run_change(_prepare_change(call))


@api_method(
    "POST", "/nodes/{node}/qemu/{vmid}/config", protected=True, proxyto="node", returns=Text(optional=True),
    permissions=Check("perm", "/vms/{vmid}", _PRIVILEGES_TO_CHANGE, "any", 1),
    parameters={
        **_UPDATE_PARAMETERS,
        "background_delay": Integer(optional=True, minimum=1, maximum=30),
        "import-working-storage": optional(STORAGE_ID),
    },
)  # fmt: skip
def update_config_in_background(call: Call) -> str | None:
    """Change the configuration in a worker; with background_delay wait a little for its end."""
    change = _prepare_change(call)
    upid = run_worker(call, "qmconfig", change.guest_id, lambda _upid: _run_change(change))
    delay = call.params.get("background_delay")
    return _wait_for(parse_upid(upid), change.guest_id, delay) if delay else upid


def _wait_for(upid: Upid, guest_id: int, seconds: int) -> str | None:
    end = time.monotonic() + seconds
    while upid.running and time.monotonic() < end:
        time.sleep(0.1)
    if upid.running:
        return str(upid)
    status = read_status(upid)
    if is_error(status):
        raise ApiError(f"failed to update VM {guest_id}: {status}")
    return None


@api_method(
    "PUT", "/nodes/{node}/qemu/{vmid}/unlink", protected=True, proxyto="node",
    permissions=Check("perm", "/vms/{vmid}", ["VM.Config.Disk"]),
    parameters={**GUEST, "idlist": Text(format="pve-configid-list"), "force": FLAG},
)  # fmt: skip
def unlink_disks(call: Call) -> None:
    """Detach disks; the same as deleting the keys."""
    params = dict(call.params)
    params["delete"] = params.pop("idlist")
    changed = Call(**{**call.__dict__, "params": params})
    _run_change(_prepare_change(changed))


@api_method(
    "DELETE", "/nodes/{node}/qemu/{vmid}", protected=True, proxyto="node", returns=Text(),
    permissions=Check("perm", "/vms/{vmid}", ["VM.Allocate"]),
    parameters={**GUEST, "skiplock": FLAG, "purge": FLAG, "destroy-unreferenced-disks": FLAG},
)  # fmt: skip
def destroy_guest(call: Call) -> str:
    """Remove the virtual machine with its disks."""
    params = call.params
    if params.get("skiplock") and call.user != permissions.ROOT:
        raise ParameterErrors({"skiplock": "Only root may use this option."})
    removal = Removal(
        params["vmid"],
        bool(params.get("purge")),
        bool(params.get("skiplock")),
        bool(params.get("destroy-unreferenced-disks")),
    )
    assert_removable(removal)
    return run_worker(call, "qmdestroy", removal.guest_id, lambda _upid: destroy_machine(removal))
