# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Labs for tests with machines on borrowed hosts, and with nodes that reboot one after the other."""

from lab_fixtures import make_lab

__all__ = ("make_lab",)
