#!/usr/bin/python

# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: proxmox_ha_maintenance
short_description: Let HA move everything off a node, and back again
version_added: 0.1.0
description:
  - Puts a node into HA's maintenance mode or takes it out, and waits until the managers have done their part. Guests that are not under
    HA stay where they are.
  - Proxmox VE offers this as a command only, so the module runs on any node of the cluster, as root.
author:
  - baremetal.proxmox authors (@baremetal-proxmox)
extends_documentation_fragment:
  - baremetal.proxmox._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
options:
  node:
    description: The node. If it is left out, the one that the module runs on.
    type: str
  state:
    description: V(enabled) moves the services away and keeps new ones out, V(disabled) ends that.
    type: str
    choices:
      - enabled
      - disabled
    default: enabled
  timeout:
    description: Seconds to wait until the node is empty of services, or takes services again. V(0) does not wait.
    type: int
    default: 600
"""

EXAMPLES = r"""
---
- name: Nothing under HA runs here any more
  baremetal.proxmox.proxmox_ha_maintenance:
    state: enabled
"""

RETURN = r"""
---
node:
  description: The node.
  returned: success
  type: str
  sample: pve2
actions:
  description: What was done, or in check mode would be done.
  returned: success
  type: list
  elements: str
  sample: ["Put pve2 into maintenance: ct:200, vm:100 move away."]
services:
  description: The services that are on the node now.
  returned: success
  type: list
  elements: str
  sample: []
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.baremetal.proxmox.plugins.module_utils._ha.errors import HaError
from ansible_collections.baremetal.proxmox.plugins.module_utils._ha.maintenance import settle_maintenance
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.errors import SessionError
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.opening import open_session


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "node": {"type": "str"},
            "state": {"type": "str", "choices": ["enabled", "disabled"], "default": "enabled"},
            "timeout": {"type": "int", "default": 600},
        },
        supports_check_mode=True,
    )
    wanted = module.params["state"] == "enabled"
    try:
        with open_session({"transport": "local"}) as session:
            node = module.params["node"] or session.node or ""
            plan, status = settle_maintenance(session, node, wanted, module.check_mode, module.params["timeout"])
    except (HaError, SessionError) as error:
        module.fail_json(msg=str(error), remedy=error.remedy)
    else:
        module.exit_json(
            changed=plan.changed,
            diff=plan.diff,
            actions=plan.summaries,
            node=node,
            services=status.services_of(node),
        )


if __name__ == "__main__":
    main()
