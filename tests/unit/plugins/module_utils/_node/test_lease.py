# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One controller at a time: leases with an owner, an age and an end."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import Locked
from ansible_collections.baremetal.proxmox.plugins.module_utils._node import lease


def test_second_owner_is_told_who_and_since_when(tmp_path):
    assert lease.acquire("ann@desk", 60, directory=tmp_path) is True
    assert lease.acquire("ann@desk", 60, directory=tmp_path) is False
    with pytest.raises(Locked, match="ann@desk") as refused:
        lease.acquire("bob@sofa", 60, directory=tmp_path)
    assert refused.value.details["held_by"] == "ann@desk"
    with pytest.raises(Locked):
        lease.release("bob@sofa", directory=tmp_path)
    assert lease.acquire("bob@sofa", 60, steal=True, directory=tmp_path) is True
    assert lease.release("bob@sofa", directory=tmp_path) is True
    assert lease.release("bob@sofa", directory=tmp_path) is False


def test_a_lease_ends_by_itself(tmp_path):
    lease.acquire("ann@desk", -1, directory=tmp_path)
    assert lease.acquire("bob@sofa", 60, directory=tmp_path) is True


def test_a_run_under_the_lease_of_its_owner_renews_it_and_leaves_it(tmp_path):
    lease.acquire("ann@desk", 1, directory=tmp_path)
    with lease.held_while("ann@desk", 600, directory=tmp_path):
        pass
    held = lease.parse_lease((tmp_path / "lease.json").read_text())
    assert held is not None
    assert held.until > time.time() + 500
    with pytest.raises(Locked), lease.held_while("bob@sofa", 60, directory=tmp_path):
        pytest.fail("two owners at once")


def test_a_run_without_owner_gives_its_lease_back_even_after_an_error(tmp_path):
    with pytest.raises(KeyError), lease.held_while(None, 60, directory=tmp_path):
        with pytest.raises(Locked), lease.held_while("bob@sofa", 60, directory=tmp_path):
            pytest.fail("two owners at once")
        raise KeyError
    assert not (tmp_path / "lease.json").exists()


def test_the_lease_of_a_killed_run_is_void(tmp_path):
    code = (
        "import os, sys, time; from pathlib import Path\n"
        "from ansible.plugins.loader import init_plugin_loader; init_plugin_loader([sys.argv[2]])\n"
        "from ansible_collections.baremetal.proxmox.plugins.module_utils._node import lease\n"
        "with lease.held_while(None, 600, Path(sys.argv[1])):\n    print('held', flush=True); os.kill(os.getpid(), 9)\n"
    )
    link = os.path.abspath(__file__).partition("/tests/")[0] + "/build/link"
    killed = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), link], capture_output=True, text=True, check=False
    )
    assert killed.stdout == "held\n", killed.stderr
    assert (tmp_path / "lease.json").exists()
    with lease.held_while("bob@sofa", 60, directory=tmp_path):
        pass


def test_half_a_lease_file_locks_nobody_out(tmp_path):
    (tmp_path / "lease.json").write_text('{"owner": "ann')
    assert lease.acquire("bob@sofa", 60, directory=tmp_path) is True
