# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This doc fragment is private to the collection: it can change at any time.

from __future__ import annotations


class ModuleDocFragment:
    # What every module has that changes a cluster's membership or its corosync.conf.
    DOCUMENTATION = r"""
---
options:
  timeout:
    description: Seconds that one long step may take, and again that its result is waited for.
    type: int
    default: 180
  lock_owner:
    description:
      - The owner of the lease taken with M(baremetal.proxmox.proxmox_cluster_lock), which this run uses and renews.
      - Without it the run takes a lease of its own and gives it back at its end.
    type: str
"""

    # For modules that take something away.
    BACKUP = r"""
---
options:
  backup_directory:
    description: The directory on the node for copies of what is taken away. They hold private keys and can only be read by root.
    type: path
    default: /var/lib/baremetal-proxmox/backup
"""
