#!/usr/bin/python

# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: proxmox_say
short_description: Tell the person before the screen where a run stands
version_added: 0.1.0
description:
  - Prints one of the collection's messages, or any text, as it is. Tables stay tables, whatever callback is in use.
author:
  - baremetal.proxmox authors (@baremetal-proxmox)
extends_documentation_fragment:
  - baremetal.proxmox._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
notes:
  - This is an action plugin. It runs on the controller.
options:
  message:
    description: The name of a message of this collection.
    type: str
  values:
    description: What is filled into the message.
    type: dict
    default: {}
  text:
    description: A text of one's own.
    type: str
  language:
    description: V(en) or V(fr). Taken from the variable C(proxmox_language), else from the locale, if not given.
    type: str
"""

EXAMPLES = r"""
---
- name: Show a table as a table
  baremetal.proxmox.proxmox_say:
    text: "{{ proxmox_preflight_result.table }}"
  run_once: true
"""

RETURN = r"""
---
text:
  description: What was printed.
  returned: success
  type: str
message:
  description: The name of the message, null for a text of one's own.
  returned: success
  type: str
  sample: phase_4
filled_in:
  description: What was filled into the message.
  returned: success
  type: dict
  sample: {node: pve2, position: "1", count: "2"}
"""
