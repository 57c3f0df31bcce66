#!/usr/bin/python

# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: proxmox_known_host
short_description: Make sure on the controller that a host is the one it claims to be, before any password is sent to it
version_added: 0.1.0
description:
  - Asks ssh on the controller, with all the connection settings of the host, whether the host's key is known. Nothing is sent
    to the host but the question.
  - A host that presents another key than the known one is refused, with the remedy. It is never accepted, whatever the options say.
  - An unknown host is accepted when it has the fingerprint given in O(fingerprint), or when O(policy=accept_new) allows it.
    Its key is then written down and checked from then on.
  - With O(host_keys) the complete list of keys that was read from the host after a login is written down.
author:
  - baremetal.proxmox authors (@baremetal-proxmox)
extends_documentation_fragment:
  - baremetal.proxmox._attributes
attributes:
  check_mode:
    support: partial
    details: A host key that is accepted is written down on the controller in check mode too, since no host can be looked at without it.
  diff_mode:
    support: none
notes:
  - This is an action plugin. It runs on the controller and does not log in to the host.
options:
  fingerprint:
    description: The host key's fingerprint as seen on the node's console, V(SHA256:...).
    type: str
  policy:
    description:
      - What to do with a host that is not known and for which no O(fingerprint) is given.
      - V(accept_new) trusts the first contact, as C(StrictHostKeyChecking=accept-new) of ssh does. V(strict) refuses.
    type: str
    choices: [accept_new, strict]
    default: accept_new
  host_keys:
    description: Public host keys read from the host through a login that was checked, to be known from now on.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
---
- name: Nobody is let in who does not belong
  baremetal.proxmox.proxmox_known_host:
    fingerprint: SHA256:b3xp0sx3g5hJ0xv3yO1mWkq1o0pZq7dKkq1Q0sXkZbE
    policy: strict
"""

RETURN = r"""
---
contact:
  description: What ssh said of the host before anything was done, V(known), V(unknown), V(changed) or V(unreachable).
  returned: always
  type: str
fingerprints:
  description: Fingerprints that were accepted in this run.
  returned: success
  type: list
  elements: str
known_hosts_file:
  description: The file on the controller in which the host is known.
  returned: success
  type: str
"""
