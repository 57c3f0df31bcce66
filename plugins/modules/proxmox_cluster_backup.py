#!/usr/bin/python

# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: proxmox_cluster_backup
short_description: Save the configuration of a Proxmox VE node and its cluster in one archive on the node
version_added: 0.1.0
description:
  - Makes an archive of the database behind C(/etc/pve) (a consistent copy, although the cluster goes on writing it), of C(/etc/corosync) and of the
    readable configuration. Guests' disks are not in it.
  - The archive holds private keys. Only root of the node can read it; whoever fetches it has to keep it as well.
author:
  - baremetal.proxmox authors (@baremetal-proxmox)
extends_documentation_fragment:
  - baremetal.proxmox._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
  idempotent:
    support: none
    details: Every run makes a new archive.
options:
  directory:
    description: The directory on the node, made with mode 0700 if it is missing.
    type: path
    default: /var/lib/baremetal-proxmox/backup
"""

EXAMPLES = r"""
---
- name: Save the configuration
  baremetal.proxmox.proxmox_cluster_backup:
  register: backup

- name: Fetch it
  ansible.builtin.fetch:
    src: "{{ backup.path }}"
    dest: backup/
    flat: true
"""

RETURN = r"""
---
path:
  description: The archive on the node. Empty in check mode.
  returned: success
  type: str
  sample: /var/lib/baremetal-proxmox/backup/pve1-cluster-20260102T030405Z.tar.gz
"""

import os
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import ClusterError
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.save import save_cluster


def main() -> None:
    module = AnsibleModule(
        argument_spec={"directory": {"type": "path", "default": "/var/lib/baremetal-proxmox/backup"}},
        supports_check_mode=True,
    )
    if module.check_mode:
        module.exit_json(changed=True, path="")
    try:
        saved = save_cluster(Path(module.params["directory"]), os.uname().nodename.partition(".")[0])
    except (ClusterError, OSError) as error:
        module.fail_json(msg=f"The configuration was not saved, and nothing was changed: {error}")
    module.exit_json(changed=True, path=str(saved))


if __name__ == "__main__":
    main()
