# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/cluster/ha/groups: at work on version 8, refused from version 9 on."""

from __future__ import annotations

from practice_pve.api.cluster_ha import AUDIT, CONSOLE
from practice_pve.ha import groups
from practice_pve.rest import Call, api_method
from practice_pve.rest.formats import split_list
from practice_pve.rest.parameters import CONFIG_DIGEST, Boolean, Parameter, Text
from practice_pve.rest.verification import perl_text

_GROUP = Text(format="pve-configid")
_VALUES: dict[str, Parameter] = {
    "nodes": Text(optional=True),
    "comment": Text(optional=True, max_length=4096),
    "nofailback": Boolean(optional=True),
    "restricted": Boolean(optional=True),
}


def _values(call: Call) -> dict[str, str]:
    return {key: perl_text(call.params[key]) for key in _VALUES if key in call.params}


@api_method("GET", "/cluster/ha/groups", permissions=AUDIT, child_link="group")
def list_groups(_call: Call) -> list[dict]:
    """All groups."""
    groups.demand("index groups")
    return groups.show_all()


@api_method(
    "POST", "/cluster/ha/groups", permissions=CONSOLE, protected=True,
    parameters={"group": _GROUP, **_VALUES, "nodes": Text(), "type": Text(optional=True)},
)  # fmt: skip
def add_group(call: Call) -> None:
    """Make a group."""
    groups.demand("create group")
    groups.add(call.params["group"], _values(call))


@api_method("GET", "/cluster/ha/groups/{group}", permissions=AUDIT, parameters={"group": _GROUP})
def read_group(call: Call) -> dict:
    """One group."""
    groups.demand("read group")
    return groups.show(call.params["group"])


@api_method(
    "PUT", "/cluster/ha/groups/{group}", permissions=CONSOLE, protected=True,
    parameters={
        "group": _GROUP,
        **_VALUES,
        "delete": Text(optional=True, format="pve-configid-list", max_length=4096),
        "digest": CONFIG_DIGEST,
    },
)  # fmt: skip
def update_group(call: Call) -> None:
    """Change a group."""
    groups.demand("update group")
    groups.update(
        call.params["group"], _values(call), split_list(call.params.get("delete", "")), call.params.get("digest")
    )


@api_method("DELETE", "/cluster/ha/groups/{group}", permissions=CONSOLE, protected=True, parameters={"group": _GROUP})
def remove_group(call: Call) -> None:
    """Delete a group."""
    groups.demand("delete group")
    groups.remove(call.params["group"])
