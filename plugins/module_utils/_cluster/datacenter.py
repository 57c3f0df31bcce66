# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the whole cluster in datacenter.cfg, as far as they belong to its networks. Pure functions.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import Refused
from ansible_collections.baremetal.proxmox.plugins.module_utils._plan import Plan, Step

_MIGRATION = re.compile(r"^migration:[ \t]*(.*?)[ \t]*$", re.MULTILINE)


def read_migration(text: str) -> dict[str, str]:
    """A property string, whose first word may stand without its name: C(secure,network=10.0.0.0/24)."""
    found = _MIGRATION.search(text)
    values = {}
    for part in found[1].split(",") if found and found[1] else []:
        name, equals, value = part.partition("=")
        values[name if equals else "type"] = value if equals else name
    return values


def plan_options(text: str, migration: Mapping[str, str | None]) -> Plan:
    """Only what is declared is changed; the other half of the option stays."""
    now = read_migration(text)
    declared = {name: value for name, value in migration.items() if value is not None}
    if "network" in declared:
        try:
            declared["network"] = str(ipaddress.ip_network(declared["network"]))
        except ValueError as error:
            raise Refused(f"migration: {error}", "Give a network like 10.0.0.0/24.") from error
    after = {**now, **declared}
    if after == now:
        return Plan((), _words(now), _words(now))
    # PVE has no network without a type.
    after.setdefault("type", "secure")
    value = ",".join(f"{name}={after[name]}" for name in sorted(after, reverse=True))
    step = Step("set_options", f"Set the cluster's migration option to {value}.", {"options": {"migration": value}})
    return Plan((step,), _words(now), _words(after))


def _words(values: Mapping[str, str]) -> str:
    return "".join(f"migration {name}: {value}\n" for name, value in sorted(values.items()))
