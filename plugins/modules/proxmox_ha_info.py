#!/usr/bin/python

# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: proxmox_ha_info
short_description: What HA's managers say, and whether all of them are at rest
version_added: 0.1.0
description:
  - Reads the cluster resource manager, the local resource managers of all nodes, and the services.
  - With O(wait) it waits until nothing is going on any more, which is what has to be true before the next node may be touched.
author:
  - baremetal.proxmox authors (@baremetal-proxmox)
extends_documentation_fragment:
  - baremetal.proxmox._attributes
  - baremetal.proxmox._attributes.info_module
  - baremetal.proxmox._session
options:
  wait:
    description: Seconds to wait at most until all is at rest. The module does not fail when it is not; see RV(settled).
    type: int
    default: 0
"""

EXAMPLES = r"""
---
- name: Nothing is on its way
  baremetal.proxmox.proxmox_ha_info:
    wait: 600
  register: ha
  failed_when: not ha.settled
"""

RETURN = r"""
---
settled:
  description: Whether there is quorum, no node is lost or on its way into or out of maintenance, and every service is as requested.
  returned: success
  type: bool
unsettled:
  description: What is still going on.
  returned: success
  type: list
  elements: str
  sample: ["vm:100 is in state migrate on pve2."]
quorate:
  description: Whether the node that answered has quorum.
  returned: success
  type: bool
master:
  description: The node whose manager decides. Null if HA was never used.
  returned: success
  type: str
  sample: pve3
armed:
  description: Whether fencing is V(armed), on V(standby), or disarmed.
  returned: success
  type: str
  sample: armed
nodes:
  description: Every node with C(state) (as the manager sees it), C(lrm_mode), C(lrm_state) and C(maintenance_requested).
  returned: success
  type: dict
services:
  description: Every service with C(node), C(state) and C(request_state).
  returned: success
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.baremetal.proxmox.plugins.module_utils._ha.status import wait_until_settled
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.errors import SessionError
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.options import (
    SESSION_CONSTRAINTS,
    open_session,
    session_argument_spec,
)


def main() -> None:
    module = AnsibleModule(
        argument_spec={**session_argument_spec(), "wait": {"type": "int", "default": 0}},
        supports_check_mode=True,
        **SESSION_CONSTRAINTS,
    )
    try:
        with open_session(module.params) as session:
            status = wait_until_settled(session, module.params["wait"])
    except SessionError as error:
        module.fail_json(msg=str(error), remedy=error.remedy)
    else:
        module.exit_json(changed=False, **status.shown())


if __name__ == "__main__":
    main()
