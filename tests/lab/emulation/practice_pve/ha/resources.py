# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ha/resources.cfg: which guests HA looks after, and the requests to its manager."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from practice_pve import settings
from practice_pve.guests.store import guest_list
from practice_pve.pmxcfs import client
from practice_pve.pmxcfs.paths import MOUNT_POINT
from practice_pve.rest.errors import ApiError, ParameterErrors
from practice_pve.section_config import Section, SectionConfig, parse_sections, render_sections

RESOURCES_FILE = "ha/resources.cfg"
COMMANDS_FILE = "ha/crm_commands"
TYPES = {"vm": "qemu", "ct": "lxc"}
KEYS = ("state", "group", "failback", "max_restart", "max_relocate")
# mkdir of a directory that is there leaves EEXIST behind, and every later failure ends with it
EEXIST = 17


def parse_sid(text: str) -> tuple[str, str, str]:
    """(sid, type, name) of `vm:100` or plain `100`."""
    if text.isdigit():
        entry = guest_list().get(int(text))
        if entry is None:
            raise ApiError(f"unable to detect SID from VMID - VM/CT {text} does not exist")
        kind = next(name for name, guest_type in TYPES.items() if guest_type == entry["type"])
        return f"{kind}:{text}", kind, text
    kind, colon, name = text.partition(":")
    if not colon or not kind or not name:
        raise ApiError(f"unable to parse service id '{text}'")
    return text, kind, name


def load() -> tuple[dict[str, dict[str, str]], str]:
    """Resources by sid, as the file has them, and the file's digest."""
    config = parse_sections(client.read(RESOURCES_FILE) or "")
    found = {f"{section.type}:{name}": dict(section.values) for name, section in config.sections.items()}
    return found, config.digest


def load_with_defaults() -> dict[str, dict[str, object]]:
    """Resources as the manager sees them, with the node each guest is on."""
    guests = guest_list()
    result: dict[str, dict[str, object]] = {}
    for sid, values in load()[0].items():
        entry = guests.get(int(sid.partition(":")[2]))
        state = values.get("state", "started")
        result[sid] = {
            **values,
            "state": "started" if state == "enabled" else state,
            "failback": int(values.get("failback", 1)),
            "max_restart": int(values.get("max_restart", 1)),
            "max_relocate": int(values.get("max_relocate", 1)),
        }
        if entry:
            result[sid]["node"] = entry["node"]
    return result


def save(resources: Mapping[str, Mapping[str, str]]) -> None:
    """Write resources.cfg."""
    sections = {}
    for sid, values in resources.items():
        kind, _, name = sid.partition(":")
        sections[name] = Section(kind, name, dict(values))
    client.write(RESOURCES_FILE, render_sections(SectionConfig(sections), lambda _type: ((), KEYS)))


@contextmanager
def domain_lock(failure: str = "") -> Iterator[None]:
    """The lock around everything of HA; errors inside get the prefix."""
    try:
        with client.cfs_lock("domain-ha"):
            yield
    except ApiError as error:
        if not failure:
            raise
        raise ApiError(f"{failure}: {error.message}", exit_code=error.exit_code) from error


def make_directory() -> None:
    """/etc/pve/ha appears with the first resource or rule."""
    client.assert_quorum()
    os.makedirs(f"{MOUNT_POINT}/ha", exist_ok=True)


def add(sid_text: str, values: Mapping[str, object]) -> None:
    """Put a guest under HA."""
    make_directory()
    sid, kind, name = parse_sid(sid_text)
    _refuse_other_version(values)
    if kind not in TYPES:
        raise ApiError(f"unknown section type '{kind}'", exit_code=EEXIST)
    if not name.isdigit() or guest_list().get(int(name), {}).get("type") != TYPES[kind]:
        raise ApiError(f"resource '{sid}' does not exist in cluster", exit_code=EEXIST)
    with domain_lock("create resource failed"):
        resources, _digest = load()
        if sid in resources:
            raise ApiError(f"resource ID '{sid}' already defined")
        resources[sid] = {key: str(value) for key, value in values.items()}
        save(resources)


def update(sid_text: str, values: Mapping[str, object], delete: list[str], digest: str | None) -> None:
    """Change a resource."""
    sid, _kind, _name = parse_sid(sid_text)
    _refuse_other_version(values)
    refuse_error_state(sid, values.get("state"))
    with domain_lock("update resources config failed"):
        resources, current = load()
        if digest and digest != current:
            raise ApiError("detected modified configuration - file changed by other user? Try again.")
        if sid not in resources:
            raise ApiError(f"no such resource '{sid}'")
        for key in delete:
            if key not in (*KEYS, "comment"):
                raise ApiError(f"no such option '{key}'")
            resources[sid].pop(key, None)
        resources[sid].update({key: str(value) for key, value in values.items()})
        save(resources)


def _refuse_other_version(values: Mapping[str, object]) -> None:
    """Groups ended with version 9, where a guest itself says whether it goes back."""
    if "group" in values and settings.pve_major() >= 9:
        raise ApiError("invalid parameter 'group': ha groups have been migrated to rules", exit_code=2)
    if "failback" in values and settings.pve_major() < 9:
        raise ParameterErrors(
            {"failback": "property is not defined in schema and the schema does not allow additional properties"}
        )


def remove(sid_text: str) -> None:
    """Take a guest out of HA."""
    sid, _kind, _name = parse_sid(sid_text)
    if not is_configured(sid):
        raise ApiError(f"cannot delete service '{sid}', not HA managed!")
    with domain_lock("delete resource failed"):
        resources, _digest = load()
        if resources.pop(sid, None) is None:
            raise ApiError(f"'{sid}' not configured")
        save(resources)


def is_configured(sid: str) -> bool:
    """True when resources.cfg has the guest."""
    return sid in load()[0]


def is_managed(guest_id: int) -> bool:
    """True when power requests for the guest have to go through HA."""
    resources = load_with_defaults()
    if not any(resources.get(f"{kind}:{guest_id}", {"state": "ignored"})["state"] != "ignored" for kind in TYPES):
        return False
    return not _is_suspended()


def _is_suspended() -> bool:
    """True while HA is disarmed in the mode in which guests are managed by hand."""
    from practice_pve.ha.status import read_manager_status

    return read_manager_status().get("disarm", {}).get("mode") == "ignore"


def assert_managed(sid: str) -> None:
    """Refuse requests for guests that HA does not look after."""
    resources = load_with_defaults()
    if sid not in resources or resources[sid]["state"] == "ignored" or _is_suspended():
        raise ApiError(f"resource '{sid}' is not HA managed")


def refuse_error_state(sid: str, wanted: object = None) -> None:
    """A service in error state only takes `disabled`."""
    from practice_pve.ha.status import read_manager_status

    service = read_manager_status().get("service_status", {}).get(sid, {})
    if service.get("state") == "error" and wanted not in ("disabled",):
        raise ApiError(f"service '{sid}' in error state, must be disabled and fixed first")


def queue_command(text: str) -> None:
    """Add a line for the manager."""
    with domain_lock():
        _append(lambda old: f"{old}{text}\n")


def take_commands() -> str:
    """All lines for the manager; afterwards there are none."""
    with domain_lock():
        text = client.read(COMMANDS_FILE) or ""
        client.write(COMMANDS_FILE, "")
    return text


def set_state(sid: str, state: str) -> None:
    """What the manager itself wants from now on, after a stop request."""
    with domain_lock():
        resources, _digest = load()
        if sid in resources:
            resources[sid]["state"] = state
            save(resources)


def _append(change: Callable[[str], str]) -> None:
    client.write(COMMANDS_FILE, change(client.read(COMMANDS_FILE) or ""))


def copy_for_api(sid: str, values: Mapping[str, str], digest: str) -> dict[str, object]:
    """A resource as the API shows it."""
    entry: dict[str, object] = {
        key: int(value) if key in ("failback", "max_restart", "max_relocate") else value
        for key, value in values.items()
        if key != "group" or settings.pve_major() < 9
    }
    entry.setdefault("state", "started")
    return {"sid": sid, "type": sid.partition(":")[0], "digest": digest, **entry}


def show(sid_text: str) -> dict[str, object]:
    """One resource."""
    sid, _kind, _name = parse_sid(sid_text)
    resources, digest = load()
    if sid not in resources:
        raise ApiError(f"no such resource '{sid}'")
    return copy_for_api(sid, resources[sid], digest)


def show_all(kind: str | None = None) -> list[dict[str, object]]:
    """Every resource, of one type when asked."""
    resources, digest = load()
    return [
        copy_for_api(sid, values, digest)
        for sid, values in resources.items()
        if kind is None or sid.startswith(f"{kind}:")
    ]
