# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter for the links of a cluster."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.link_variables import links_of_variables

DOCUMENTATION = r"""
---
name: cluster_links
short_description: The cluster links of a host from its inventory variables
version_added: 0.1.0
description:
  - Reads C(link0) to C(link7), or the list C(cluster_links), of a host's variables.
author:
  - baremetal.proxmox authors (@baremetal-proxmox)
options:
  _input:
    description: The host's variables.
    type: dict
    required: true
"""

EXAMPLES = r"""
---
# With "pve1 link0=192.0.2.11 link1=198.51.100.11,priority=10" in the inventory
- name: Show the links
  ansible.builtin.debug:
    msg: "{{ hostvars.pve1 | baremetal.proxmox.cluster_links }}"
"""

RETURN = r"""
---
_value:
  description: The links as the module M(baremetal.proxmox.proxmox_cluster) takes them.
  type: list
  elements: dict
"""


def cluster_links(variables: Mapping[str, Any]) -> list[dict[str, Any]]:
    try:
        return links_of_variables(variables)
    except ValueError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """Names of the filters."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"cluster_links": cluster_links}
