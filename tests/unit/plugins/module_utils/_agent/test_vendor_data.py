# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import subprocess

import yaml

from ansible_collections.baremetal.proxmox.plugins.module_utils._agent.vendor_data import render_vendor_data


def test_it_is_a_cloud_config_that_installs_and_starts_the_agent():
    text = render_vendor_data()
    assert text.startswith("#cloud-config\n")
    told = yaml.safe_load(text)
    assert told["packages"] == ["qemu-guest-agent"]
    shell, flag, script = told["runcmd"][0]
    assert (shell, flag) == ("sh", "-c")
    assert "systemctl start qemu-guest-agent" in script
    subprocess.run([shell, "-n", flag, script], check=True)
