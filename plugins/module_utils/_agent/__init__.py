# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a guest's agent answers, which of its addresses counts, and why it is silent.

This package is private to the collection and may change without notice. What reads and judges answers is pure (addresses, answers,
device, diagnosis, guest_config, parse, remedies, trouble): no input, no output, no clock.
"""
