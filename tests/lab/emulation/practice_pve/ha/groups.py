# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ha/groups.cfg: how Proxmox VE 8 says which nodes a guest belongs to. Version 9 has rules instead and refuses groups."""

from __future__ import annotations

from collections.abc import Mapping

from practice_pve import settings
from practice_pve.ha import resources
from practice_pve.ha.placement import Rule
from practice_pve.pmxcfs import client
from practice_pve.rest.errors import ApiError
from practice_pve.rest.formats import split_list
from practice_pve.section_config import Section, SectionConfig, parse_sections, render_sections

GROUPS_FILE = "ha/groups.cfg"
OPTIONAL = ("comment", "nofailback", "restricted")
ENOENT = 2


def are_in_use() -> bool:
    """True on a node of version 8."""
    return settings.pve_major() < 9


def demand(action: str) -> None:
    """Refuse as version 9 does."""
    if not are_in_use():
        raise ApiError(f"cannot {action}: ha groups have been migrated to rules", exit_code=ENOENT)


def load() -> SectionConfig:
    """Read the groups; there are none from version 9 on."""
    return parse_sections(client.read(GROUPS_FILE) or "") if are_in_use() else SectionConfig()


def _save(config: SectionConfig) -> None:
    client.write(GROUPS_FILE, render_sections(config, lambda _kind: (("nodes",), OPTIONAL)))


def add(name: str, values: Mapping[str, str]) -> None:
    """Make a group; nobody looks whether its nodes exist."""
    resources.make_directory()
    with resources.domain_lock("create ha group failed"):
        config = load()
        if name in config.sections:
            raise ApiError(f"ha group ID '{name}' already defined")
        config.sections[name] = Section("group", name, _spelled(values))
        _save(config)


def update(name: str, values: Mapping[str, str], delete: list[str], digest: str | None) -> None:
    """Change a group."""
    with resources.domain_lock("update ha group failed"):
        config = load()
        if digest and digest != config.digest:
            raise ApiError("detected modified configuration - file changed by other user? Try again.")
        if name not in config.sections:
            raise ApiError(f"no such ha group '{name}'")
        section = config.sections[name]
        section.values.update(_spelled(values))
        for key in delete:
            if key == "nodes":
                raise ApiError(f"unable to delete required option '{key}'")
            if key not in OPTIONAL:
                raise ApiError(f"no such option '{key}'")
            section.values.pop(key, None)
        _save(config)


def remove(name: str) -> None:
    """Delete a group that no guest belongs to; one that is not there is no failure."""
    with resources.domain_lock("delete ha group failed"):
        for sid, values in resources.load()[0].items():
            if values.get("group") == name:
                raise ApiError(f"ha group is used by service '{sid}'")
        config = load()
        config.sections.pop(name, None)
        _save(config)


def show(name: str) -> dict:
    """One group as the API shows it."""
    config = load()
    if name not in config.sections:
        raise ApiError(f"no such ha group '{name}'")
    return _as_api(config, name)


def show_all() -> list[dict]:
    """All groups."""
    config = load()
    return [_as_api(config, name) for name in config.sections]


def has_failback(name: object) -> bool:
    """Whether a guest of this group, or of none, goes back to a better node."""
    section = load().sections.get(str(name))
    return section is None or section.values.get("nofailback", "0") in ("", "0")


def as_rules() -> list[Rule]:
    """The groups as the manager uses them: by guest."""
    config = load()
    members: dict[str, set[str]] = {}
    for sid, values in resources.load()[0].items():
        if values.get("group") in config.sections:
            members.setdefault(values["group"], set()).add(sid)
    return [
        Rule(name, frozenset(sids), read_priorities(values.get("nodes", "")), values.get("restricted", "0") not in ("", "0"))
        for name, sids in members.items()
        for values in (config.sections[name].values,)
    ]  # fmt: skip


def read_priorities(text: str) -> dict[str, int]:
    """`pve1:2,pve2`: nodes with their priorities."""
    found = {}
    for entry in split_list(text):
        node, _, priority = entry.partition(":")
        found[node] = int(priority or 0)
    return found


def _as_api(config: SectionConfig, name: str) -> dict:
    values: dict = dict(config.sections[name].values)
    for key in ("nofailback", "restricted"):
        if key in values:
            values[key] = int(values[key])
    return {"group": name, "type": "group", "digest": config.digest, **values}


def _spelled(values: Mapping[str, str]) -> dict[str, str]:
    return {key: ",".join(split_list(value)) if key == "nodes" else value for key, value in values.items()}
