#!/usr/bin/python

# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: proxmox_template
short_description: Keep a template of Proxmox VE made from the declared cloud image
version_added: 0.1.0
description:
  - Makes a template from a cloud image once, and a new version of it when the image's checksum has changed.
  - A new version is made beside the current one and takes over the name only when it is complete. The former one is then called
    by the name and the first digits of its image's checksum.
  - Clones are never touched. An old version on which linked clones depend stays, with a warning.
  - The last line of the template's description says which image it was made from.
author:
  - baremetal.proxmox authors (@baremetal-proxmox)
extends_documentation_fragment:
  - baremetal.proxmox._attributes
  - baremetal.proxmox._session
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
options:
  name:
    description: The name, by which O(baremetal.proxmox.proxmox_qm_vm#module:clone) finds the current version.
    type: str
    required: true
  image:
    description:
      - The cloud image, as in O(baremetal.proxmox.proxmox_qm_vm#module:image). Its C(checksum) tells one version from the next;
        for a volume or a file without a checksum, its name does.
    type: raw
    required: true
  storage:
    description: The storage for disks that name none.
    type: str
  node:
    description: The node on which a version is made. The default is the node that answers.
    type: str
  vmid:
    description: The id of the first version. Later ones cannot have it and get a free one.
    type: int
  vmid_range:
    description: The first and the last id that a version may get.
    type: list
    elements: int
  keep:
    description: How many old versions are kept. With V(0) a new version replaces the former one.
    type: int
    default: 1
  machine:
    description:
      - Further options of M(baremetal.proxmox.proxmox_qm_vm) for it, for example C(memory), C(scsi), C(net), C(agent).
    type: dict
    default: {}
  timeout:
    description: Seconds for what has to wait. The default is 120.
    type: int
seealso:
  - module: baremetal.proxmox.proxmox_qm_vm
"""

EXAMPLES = r"""
---
- name: A template that follows its image
  baremetal.proxmox.proxmox_template:
    name: debian13
    vmid: 9013
    image:
      url: https://cloud.debian.org/images/cloud/trixie/latest/debian-13-genericcloud-amd64.qcow2
      checksum: "sha512:{{ debian_checksum }}"
      storage: local
    storage: local-lvm
    machine:
      memory: 1024
      scsi: {scsi0: {size: 10G, discard: 'on'}}
      ide: {ide2: {storage: local-lvm, cloudinit: true}}
      scsihw: virtio-scsi-single
      serial: {serial0: socket}
      agent: true
"""

RETURN = r"""
---
vmid:
  description: The id of the current version.
  returned: always
  type: int
  sample: 9013
node:
  description: Where it is.
  returned: always
  type: str
  sample: pve1
identity:
  description: The checksum of its image, or the image's place.
  returned: always
  type: str
actions:
  description: What was done, or in check mode would be done.
  returned: always
  type: list
  elements: str
  sample: ["Create debian13-0123456789ab as 9014 on pve1.", "Make debian13-0123456789ab a template.", "Call the old version 9013 debian13-ba9876543210."]
old_versions:
  description: The ids of the old versions that are there.
  returned: always
  type: list
  elements: int
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.baremetal.proxmox.plugins.module_utils._desired.errors import InvalidValue
from ansible_collections.baremetal.proxmox.plugins.module_utils._guest.errors import GuestError, SourceMissing
from ansible_collections.baremetal.proxmox.plugins.module_utils._guest.template_run import TemplateRun
from ansible_collections.baremetal.proxmox.plugins.module_utils._guest.template_versions import read_template_wish
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.errors import SessionError
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.options import (
    SESSION_CONSTRAINTS,
    open_session,
    session_argument_spec,
)

OPTIONS = {
    "name": {"type": "str", "required": True},
    "image": {"type": "raw", "required": True},
    "storage": {"type": "str"},
    "node": {"type": "str"},
    "vmid": {"type": "int"},
    "vmid_range": {"type": "list", "elements": "int"},
    "keep": {"type": "int", "default": 1},
    "machine": {"type": "dict", "default": {}},
    "timeout": {"type": "int"},
}


def main() -> None:
    module = AnsibleModule(
        argument_spec={**session_argument_spec(), **OPTIONS}, supports_check_mode=True, **SESSION_CONSTRAINTS
    )
    run = None
    try:
        wish = read_template_wish(module.params)
        with open_session(module.params) as session:
            run = TemplateRun(session, wish, module.check_mode)
            run.settle()
            run.warnings += session.warnings
    except InvalidValue as error:
        module.fail_json(msg=str(error), key=error.key or None)
    except SourceMissing as error:
        module.fail_json(msg=str(error), remedy=error.remedy, source_missing=True)
    except (GuestError, SessionError) as error:
        done = run.actions if run else []
        module.fail_json(
            msg=str(error), remedy=error.remedy, actions=done, changed=bool(done) and not module.check_mode
        )
    else:
        for warning in dict.fromkeys(run.warnings):
            module.warn(warning)
        module.exit_json(
            changed=bool(run.actions),
            vmid=run.vmid or None,
            node=run.node or None,
            identity=wish.identity,
            actions=run.actions,
            old_versions=run.kept,
            diff={"before": run.before, "after": run.after},
        )


if __name__ == "__main__":
    main()
