# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/cluster/ha/rules."""

from __future__ import annotations

from practice_pve.api.cluster_ha import AUDIT, CONSOLE
from practice_pve.ha import groups, rules
from practice_pve.rest import ApiError, Call, api_method
from practice_pve.rest.formats import by_pattern, split_list
from practice_pve.rest.parameters import CONFIG_DIGEST, Array, Boolean, Integer, Object, Parameter, Text, optional
from practice_pve.rest.verification import perl_text

by_pattern(
    "pve-ha-node",
    r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?::\d+)?",
    "value does not look like a valid ha group node",
)

_RULE = Text(format="pve-configid")
_TYPE = Text(enum=("node-affinity", "resource-affinity"))
_VALUES: dict[str, Parameter] = {
    "resources": Text(optional=True, format="pve-ha-resource-id-list"),
    "nodes": Text(optional=True, format="pve-ha-node-list"),
    "strict": Boolean(optional=True, default=0),
    "affinity": Text(optional=True, enum=("positive", "negative")),
    "disable": Boolean(optional=True),
    "comment": Text(optional=True, max_length=4096),
}
_COLUMNS: dict[str, Parameter] = {
    "rule": Text(),
    "type": Text(),
    "resources": Text(optional=True),
    "comment": Text(optional=True),
    "nodes": Text(optional=True),
    "order": Integer(optional=True),
    "digest": Text(optional=True),
}


@api_method(
    "GET", "/cluster/ha/rules", permissions=AUDIT, child_link="rule",
    returns=Array(items=Object(properties=_COLUMNS)),
    parameters={"type": optional(_TYPE), "resource": Text(optional=True)},
)  # fmt: skip
def list_rules(call: Call) -> list[dict]:
    """All rules."""
    _demand_version(call)
    return rules.show_all(call.params.get("type"), call.params.get("resource"))


@api_method(
    "POST", "/cluster/ha/rules", permissions=CONSOLE, protected=True,
    parameters={
        "type": _TYPE, "rule": _RULE, **_VALUES, "resources": Text(format="pve-ha-resource-id-list"),
    },
)  # fmt: skip
def add_rule(call: Call) -> None:
    """Make a rule."""
    _demand_version(call)
    rules.add(call.params["type"], call.params["rule"], _values(call))


def _demand_version(call: Call) -> None:
    """Version 8 does not have the path."""
    if groups.are_in_use():
        raise ApiError(f"Method '{call.method.http_method} {call.path}' not implemented", status=501)


def _values(call: Call) -> dict[str, str]:
    values = {key: perl_text(call.params[key]) for key in _VALUES if key in call.params}
    if values.get("disable") == "0":
        del values["disable"]
    return values


@api_method("GET", "/cluster/ha/rules/{rule}", permissions=AUDIT, parameters={"rule": _RULE}, returns=Object())
def read_rule(call: Call) -> dict:
    """One rule."""
    _demand_version(call)
    return rules.show(call.params["rule"])


@api_method(
    "PUT", "/cluster/ha/rules/{rule}", permissions=CONSOLE, protected=True,
    parameters={
        "rule": _RULE,
        "type": _TYPE,
        **_VALUES,
        "delete": Text(optional=True, format="pve-configid-list", max_length=4096),
        "digest": CONFIG_DIGEST,
    },
)  # fmt: skip
def update_rule(call: Call) -> None:
    """Change a rule."""
    _demand_version(call)
    delete = split_list(call.params.get("delete", ""))
    rules.update(call.params["rule"], _values(call), delete, call.params.get("digest"))


@api_method("DELETE", "/cluster/ha/rules/{rule}", permissions=CONSOLE, protected=True, parameters={"rule": _RULE})
def remove_rule(call: Call) -> None:
    """Delete a rule."""
    _demand_version(call)
    rules.remove(call.params["rule"])
