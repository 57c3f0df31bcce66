# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This doc fragment is private to the collection: it can change at any time.

from __future__ import annotations


class ModuleDocFragment:
    # The options of session_argument_spec() in module_utils/_session/options.py.
    DOCUMENTATION = r"""
---
options:
  transport:
    description:
      - How Proxmox VE is reached.
      - V(local) means that the module runs as root on a node and speaks to this node; in a cluster it reaches the guests of all
        nodes from there. Nothing has to be installed or configured.
      - V(api) means HTTPS from wherever the module runs, usually with C(delegate_to=localhost).
      - If the value is not given, the environment variable E(PROXMOX_TRANSPORT) is used.
    type: str
    choices:
      - local
      - api
    default: local
  api_host:
    description:
      - Address of a node, for O(transport=api). An address in the form of C(https://host:port) is accepted as well.
      - If the value is not given, the environment variable E(PROXMOX_HOST) is used.
    type: str
  api_port:
    description:
      - Port of the API.
      - If the value is not given, the environment variable E(PROXMOX_PORT) is used.
    type: int
    default: 8006
  api_user:
    description:
      - User with realm, for example V(root@pam). May be left out if O(api_token_id) has it.
      - If the value is not given, the environment variable E(PROXMOX_USER) is used.
    type: str
  api_password:
    description:
      - Password of O(api_user). Not for users with a second factor, they need a token.
      - If the value is not given, the environment variable E(PROXMOX_PASSWORD) is used.
    type: str
  api_token_id:
    description:
      - Name of an API token of O(api_user), or its full id as in V(automation@pve!ansible).
      - No token, not even one of C(root@pam), may do what only C(root@pam) itself may do.
      - If the value is not given, the environment variable E(PROXMOX_TOKEN_ID) is used.
    type: str
  api_token_secret:
    description:
      - Secret of the token.
      - If the value is not given, the environment variable E(PROXMOX_TOKEN_SECRET) is used.
    type: str
  validate_certs:
    description:
      - Refuse a certificate that is not trusted. Rather than setting this to V(false), give O(api_fingerprint) or O(api_ca_path).
      - If the value is not given, the environment variable E(PROXMOX_VALIDATE_CERTS) is used.
    type: bool
    default: true
  api_ca_path:
    description:
      - File with the certificates of the authorities to trust, for example a copy of C(/etc/pve/pve-root-ca.pem).
      - If the value is not given, the environment variable E(PROXMOX_CA_PATH) is used.
    type: path
    aliases:
      - ca_path
  api_fingerprint:
    description:
      - SHA-256 fingerprint of the certificate, as C(pvenode cert info) on the node shows it. A certificate with this fingerprint is
        accepted whoever has signed it, and no other is.
      - If the value is not given, the environment variable E(PROXMOX_FINGERPRINT) is used.
    type: str
  api_timeout:
    description:
      - Seconds to wait for the answer to one call. Waiting for a task to end is not one call.
      - If the value is not given, the environment variable E(PROXMOX_TIMEOUT) is used.
    type: int
    default: 60
"""
