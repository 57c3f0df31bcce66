# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Examples for guests, in the guide, in the modules' documentation and in vm_config.example.yml, say what the modules take."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.baremetal.proxmox.plugins.module_utils._guest.arguments import guest_options
from ansible_collections.baremetal.proxmox.plugins.module_utils._guest.batch import parse_wishes
from ansible_collections.baremetal.proxmox.plugins.module_utils._guest.guest_types import LXC, QEMU, GuestType
from ansible_collections.baremetal.proxmox.plugins.module_utils._guest.template_versions import read_template_wish

ROOT = Path(__file__).parents[2]
TYPES = {"baremetal.proxmox.proxmox_qm_vm": QEMU, "baremetal.proxmox.proxmox_pct_ct": LXC}
TEMPLATE = "baremetal.proxmox.proxmox_template"


def blocks() -> Iterator[str]:
    guide = (ROOT / "docs" / "guides" / "vms.md").read_text(encoding="utf-8")
    yield from re.findall(r"^```yaml\n(.*?)^```", guide, re.MULTILINE | re.DOTALL)
    for name in (*TYPES, TEMPLATE):
        module = (ROOT / "plugins" / "modules" / f"{name.rpartition('.')[2]}.py").read_text(encoding="utf-8")
        yield module.partition('EXAMPLES = r"""')[2].partition('"""')[0]


def tasks() -> Iterator[dict[str, Any]]:
    for block in blocks():
        for entry in yaml.safe_load(block):
            yield from entry.get("tasks", [entry])


def without_templates(value: Any) -> Any:
    """What a lookup or a variable would give is some text; here one that fits everywhere."""
    if isinstance(value, str) and "{{" in value:
        return (
            "ssh-ed25519 AAAA of-somebody" if "lookup" in value else re.sub(r"\{\{.*?\}\}", "0123456789abcdef", value)
        )
    if isinstance(value, Mapping):
        return {key: without_templates(part) for key, part in value.items()}
    return [without_templates(part) for part in value] if isinstance(value, list) else value


def known_options(guest_type: GuestType) -> set[str]:
    options = guest_options(guest_type)
    return {*options, *(alias for spec in options.values() for alias in spec.get("aliases", ()))}


def check_guests(guest_type: GuestType, entries: list[dict[str, Any]], defaults: dict[str, Any]) -> None:
    for entry in (*entries, defaults):
        assert set(entry) <= known_options(guest_type)
    assert parse_wishes(entries, defaults, guest_type)


EXAMPLES = list(tasks())


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 20


@pytest.mark.parametrize("task", EXAMPLES, ids=lambda task: task["name"].replace(" ", "-"))
def test_an_example_is_what_the_module_takes(task: dict[str, Any]) -> None:
    module = next(name for name in task if name != "name")
    arguments = without_templates(task[module])
    if module == TEMPLATE:
        assert read_template_wish(arguments)
    elif "vms" in arguments:
        check_guests(TYPES[module], arguments["vms"], arguments.get("defaults", {}))
    else:
        check_guests(TYPES[module], [arguments], {})


def test_the_example_configuration_is_what_the_modules_take() -> None:
    declared = without_templates(yaml.safe_load((ROOT / "vm_config.example.yml").read_text(encoding="utf-8")))
    check_guests(QEMU, declared["proxmox_vms"], declared["proxmox_vm_defaults"])
    check_guests(LXC, declared["proxmox_containers"], declared["proxmox_container_defaults"])
    own = ("name", "image", "vmid", "vmid_range", "node", "storage", "keep", "timeout")
    for template in declared["proxmox_templates"]:
        machine = {key: value for key, value in template.items() if key not in own}
        assert read_template_wish({**{key: template[key] for key in own if key in template}, "machine": machine})
