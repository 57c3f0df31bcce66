#!/usr/bin/python

# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: golden_image
short_description: Bring a disk image to a host once, and make sure that nobody changes it
version_added: 0.1.0
description:
  - Fetches an image and puts it in place, read-only, when its SHA-256 is right. An interrupted download goes on where it stopped.
  - An image that is there is only checked. One with another hash is a failure and never replaced, because overlays stand on it.
author:
  - baremetal.proxmox authors (@baremetal-proxmox)
extends_documentation_fragment:
  - baremetal.proxmox._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
options:
  source:
    description: Where it comes from, C(http://) or C(https://), or a path on the host.
    type: str
    required: true
  path:
    description: Where it goes. The directory must exist.
    type: path
    required: true
  checksum:
    description: Its SHA-256, with or without C(sha256:) in front.
    type: str
    required: true
  timeout:
    description: Seconds without any data after which a download counts as interrupted.
    type: int
    default: 60
"""

EXAMPLES = r"""
---
- name: The image that all nodes stand on
  baremetal.proxmox.golden_image:
    source: https://images.example.org/proxmox-golden-1.qcow2
    path: /var/lib/qemu-nodes/proxmox-golden-1.qcow2
    checksum: sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
"""

RETURN = r"""
---
path:
  description: Where it is.
  returned: success
  type: str
  sample: /var/lib/qemu-nodes/proxmox-golden-1.qcow2
resumed_at:
  description: How many bytes an earlier, interrupted run had brought. V(0) if there was none.
  returned: when it was fetched
  type: int
  sample: 1048576
"""

import re
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.baremetal.proxmox.plugins.module_utils._hosts.golden_image import (
    ImageError,
    bring,
    demand_unmodified,
)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "source": {"type": "str", "required": True},
            "path": {"type": "path", "required": True},
            "checksum": {"type": "str", "required": True},
            "timeout": {"type": "int", "default": 60},
        },
        supports_check_mode=True,
    )
    path = Path(module.params["path"])
    checksum = module.params["checksum"].lower().removeprefix("sha256:")
    if not re.fullmatch(r"[0-9a-f]{64}", checksum):
        module.fail_json(msg=f"checksum: '{checksum}' is not a SHA-256 (64 hexadecimal digits).")
    try:
        if path.exists():
            demand_unmodified(path, checksum)
            module.exit_json(changed=False, path=str(path))
        kept = 0 if module.check_mode else bring(module.params["source"], path, checksum, module.params["timeout"])
    except ImageError as error:
        module.fail_json(msg=str(error), remedy=error.remedy)
    else:
        module.exit_json(changed=True, path=str(path), resumed_at=kept)


if __name__ == "__main__":
    main()
