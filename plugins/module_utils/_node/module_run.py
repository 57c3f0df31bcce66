# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Between Ansible and the work of the cluster modules: the only place that ends a module.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import ClusterError


def run_module(module: AnsibleModule, work: Callable[[Mapping[str, Any], bool], dict[str, Any]]) -> None:
    try:
        result = work(module.params, module.check_mode)
    except ClusterError as error:
        details: dict[str, Any] = {name: value for name, value in error.details.items() if name != "msg"}
        module.fail_json(msg=str(error), remedy=error.remedy, error=type(error).__name__, **details)
    else:
        for warning in result.pop("warnings", []):
            module.warn(warning)
        module.exit_json(**result)
