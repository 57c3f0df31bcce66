# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.baremetal.proxmox.plugins.modules import proxmox_node_info


@pytest.mark.parametrize("check_mode", [False, True])
def test_it_reads_and_never_changes(capfd: pytest.CaptureFixture[str], check_mode: bool):
    with patch_module_args({"_ansible_check_mode": check_mode}), pytest.raises(SystemExit) as ended:
        proxmox_node_info.main()
    result = json.loads(capfd.readouterr().out)
    assert ended.value.code == 0
    assert result["changed"] is False
    assert set(result["node"]) >= {"installed", "version", "name", "membership", "cluster", "services", "problems"}
