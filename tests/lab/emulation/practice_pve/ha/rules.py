# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ha/rules.cfg: which guests belong to which nodes, together or apart."""

from __future__ import annotations

import re
from collections.abc import Mapping

from practice_pve.api.cluster_state import node_names
from practice_pve.ha.resources import domain_lock, make_directory
from practice_pve.ha.resources import load as load_resources
from practice_pve.pmxcfs import client
from practice_pve.rest.errors import ApiError
from practice_pve.rest.formats import split_list
from practice_pve.section_config import Section, SectionConfig, parse_sections, render_sections

RULES_FILE = "ha/rules.cfg"
REQUIRED = {"node-affinity": ("nodes", "resources"), "resource-affinity": ("affinity", "resources")}
OPTIONAL = {"node-affinity": ("comment", "disable", "strict"), "resource-affinity": ("comment", "disable")}


def load() -> SectionConfig:
    """Read the rules."""
    return parse_sections(client.read(RULES_FILE) or "")


def _save(config: SectionConfig) -> None:
    client.write(RULES_FILE, render_sections(config, lambda kind: (REQUIRED[kind], OPTIONAL[kind])))


def add(kind: str, name: str, values: Mapping[str, str]) -> None:
    """Make a rule."""
    make_directory()
    for key in values:
        if key not in (*REQUIRED[kind], *OPTIONAL[kind]):
            raise ApiError(f"unexpected property '{key}'")
    for key in REQUIRED[kind]:
        if key not in values:
            raise ApiError(f"missing value for required option '{key}'")
    with domain_lock("create ha rule failed"):
        config = load()
        if name in config.sections:
            raise ApiError(f"HA rule '{name}' already defined")
        _assert_known(values)
        config.sections[name] = Section(kind, name, _spelled(values))
        _save(config)


def update(name: str, values: Mapping[str, str], delete: list[str], digest: str | None) -> None:
    """Change a rule."""
    with domain_lock("update HA rules failed"):
        config = load()
        if digest and digest != config.digest:
            raise ApiError("detected modified configuration - file changed by other user? Try again.")
        if name not in config.sections:
            raise ApiError(f"HA rule '{name}' does not exist")
        section = config.sections[name]
        allowed = (*REQUIRED[section.type], *OPTIONAL[section.type])
        for key in values:
            if key not in allowed:
                raise ApiError(f"unexpected property '{key}'")
        _assert_known(values)
        for key in delete:
            if key not in allowed:
                raise ApiError(f"no such option '{key}'")
            if key in REQUIRED[section.type]:
                raise ApiError(f"unable to delete required option '{key}'")
            section.values.pop(key, None)
        section.values.update(_spelled(values))
        _save(config)


def remove(name: str) -> None:
    """Delete a rule; one that is not there is no failure."""
    with domain_lock("delete ha rule failed"):
        config = load()
        config.sections.pop(name, None)
        _save(config)


def forget_resource(sid: str) -> None:
    """Take a guest that leaves HA out of all rules; rules without resources go. The file is written in any case."""
    with domain_lock("delete resource failed"):
        config = load()
        for name, section in list(config.sections.items()):
            left = [other for other in split_list(section.values.get("resources", "")) if other != sid]
            if left:
                section.values["resources"] = ",".join(left)
            else:
                del config.sections[name]
        _save(config)


def show(name: str) -> dict:
    """One rule as the API shows it."""
    config = load()
    if name not in config.sections:
        raise ApiError(f"no such ha rule '{name}'")
    return _as_api(config, name)


def show_all(kind: str | None, resource: str | None) -> list[dict]:
    """All rules, narrowed down."""
    config = load()
    return [
        _as_api(config, name)
        for name, section in config.sections.items()
        if (not kind or section.type == kind)
        and (not resource or resource in split_list(section.values.get("resources", "")))
    ]


def _as_api(config: SectionConfig, name: str) -> dict:
    section = config.sections[name]
    values: dict = dict(section.values)
    for key in ("disable", "strict"):
        if key in values:
            values[key] = int(values[key])
    order = list(config.sections).index(name) + 1
    return {"rule": name, "type": section.type, "order": order, "digest": config.digest, **values}


def _spelled(values: Mapping[str, str]) -> dict[str, str]:
    return {
        key: ",".join(sorted(split_list(value))) if key in ("nodes", "resources") else value
        for key, value in values.items()
    }


def _assert_known(values: Mapping[str, str]) -> None:
    resources, _digest = load_resources()
    for sid in split_list(values.get("resources", "")):
        if sid not in resources:
            raise ApiError(f"cannot use unmanaged resource(s) {sid}.")
    for entry in split_list(values.get("nodes", "")):
        node = re.sub(r":\d+$", "", entry)
        if node not in node_names():
            raise ApiError(f"cannot use non-existent node(s) {node}.")
