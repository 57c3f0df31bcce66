# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Between Ansible and the work on guests: the only place that ends a module.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from .._desired.errors import InvalidValue
from .._session.errors import SessionError
from .._session.options import open_session
from .arguments import guest_options
from .batch import Outcome, parse_wishes, settle_all
from .errors import GuestError, SourceMissing
from .guest_types import QEMU, GuestType


def run_module(module: AnsibleModule, guest_type: GuestType = QEMU) -> None:
    params: Mapping[str, Any] = module.params
    names = guest_options(guest_type)
    is_batch = params["vms"] is not None
    entries = [_given(entry, names) for entry in params["vms"]] if is_batch else [_given(params, names)]
    try:
        if is_batch and _given(params, names):
            raise InvalidValue(f"with vms it belongs into defaults: {', '.join(sorted(_given(params, names)))}", "vms")
        wishes = parse_wishes(entries, _given(params["defaults"] or {}, names), guest_type)
        with open_session(params) as session:
            outcome = settle_all(session, wishes, module.check_mode, params["max_parallel"])
            warnings = [*outcome.warnings, *getattr(session, "warnings", ())]
    except InvalidValue as error:
        module.fail_json(msg=str(error), key=error.key or None)
    except SourceMissing as error:
        module.fail_json(msg=str(error), remedy=error.remedy, source_missing=True)
    except (GuestError, SessionError) as error:
        module.fail_json(msg=str(error), remedy=error.remedy)
    else:
        _finish(module, outcome, is_batch, warnings)


def _given(params: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in params.items() if name in names and value is not None}


def _finish(module: AnsibleModule, outcome: Outcome, is_batch: bool, warnings: list[str]) -> None:
    shown = {result.wish.label: result.as_dict(module.check_mode) for result in outcome.results}
    for warning in dict.fromkeys(warnings):
        module.warn(warning)
    for label, one in shown.items():
        for warning in one["warnings"]:
            module.warn(f"{label}: {warning}")
    failed = [label for label, one in shown.items() if one.get("failed")]
    changed = bool(outcome.fetched) or any(one["changed"] for one in shown.values())
    if not is_batch:
        (single,) = shown.values()
        single = {**single, "changed": changed, "actions": [*outcome.fetched, *single["actions"]]}
        single.pop("warnings")
        if failed:
            module.fail_json(**single)
        module.exit_json(**single)
    diffs = {label: one.pop("diff") for label, one in shown.items()}
    diff = {
        side: {label: each[side] for label, each in diffs.items() if each["before"] != each["after"]}
        for side in ("before", "after")
    }
    result: dict[str, Any] = {
        "changed": changed,
        "results": shown,
        "diff": diff,
        "actions": outcome.fetched,
        "failed_vms": failed,
    }
    if failed:
        reasons = "; ".join(f"{label}: {shown[label]['msg']}" for label in failed)
        module.fail_json(msg=f"{len(failed)} of {len(shown)} could not be settled. {reasons}", **result)
    module.exit_json(**result)
