# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Proxmox VE is reached: one interface, two transports (on the node, over HTTPS), task truth and typed errors.

This package is private to the collection and may change without notice. It knows nothing of clusters or guests.
"""
