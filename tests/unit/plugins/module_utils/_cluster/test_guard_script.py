# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard of a change of corosync.conf, run with its paths below a directory of the test."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.guard_script import (
    BETWEEN_SECONDS,
    DIRECTORY,
    MOUNTS,
    guard_script,
)

NOBODY = 2**22 + 1


@pytest.fixture
def guard(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Start it for a change that is written, made by a process that is gone unless told otherwise."""
    change, pve = tmp_path / "change", tmp_path / "pve"
    (pve / "priv" / "lock" / "file-corosync_conf").mkdir(parents=True)
    change.mkdir()
    (change / "new-1").write_text("first")
    (change / "new-2").write_text("new")
    (change / "old-1").write_text("almost old")
    (change / "old-2").write_text("old")
    (tmp_path / "mounts").write_text(f"/dev/fuse {pve} fuse rw 0 0\n")
    (pve / "corosync.conf").write_text("new")

    def start(
        process: int = NOBODY, start_time: str = "1", logins: Mapping[str, Sequence[str]] | None = None
    ) -> subprocess.Popen[str]:
        script = guard_script(process, start_time, logins or {})
        script = script.replace(DIRECTORY, str(change)).replace("/etc/pve", str(pve))
        script = script.replace("/etc/corosync", str(tmp_path)).replace("sleep 1;", "sleep 0.01;")
        script = script.replace("systemctl restart corosync", "true").replace(MOUNTS, str(tmp_path / "mounts"))
        script = script.replace(f"sleep {BETWEEN_SECONDS};", "")
        return subprocess.Popen(["/bin/sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    return start


def finish(running: subprocess.Popen[str]) -> str:
    output, _nothing = running.communicate(timeout=60)
    return output


def test_a_change_whose_maker_is_gone_is_taken_back(
    guard: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    assert "take the change of corosync.conf back" in finish(guard())
    assert (tmp_path / "pve" / "corosync.conf").read_text() == "old"
    assert not (tmp_path / "change").exists()


def test_nothing_is_written_where_pmxcfs_is_not(guard: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    """As when the whole node goes down: the directory below the mount must not take the file, and the next run is needed."""
    (tmp_path / "mounts").write_text("")
    assert "stays read-only" in finish(guard())
    assert (tmp_path / "pve" / "corosync.conf").read_text() == "new"
    assert (tmp_path / "change").exists()


def test_a_change_that_was_seen_working_stays(guard: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    stat = Path(f"/proc/{os.getpid()}/stat").read_text().rpartition(")")[2].split()
    running = guard(os.getpid(), stat[19])
    with pytest.raises(subprocess.TimeoutExpired):
        running.wait(0.7)
    (tmp_path / "change" / "old-1").unlink()
    assert finish(running) == ""
    assert (tmp_path / "pve" / "corosync.conf").read_text() == "new"


def test_somebody_elses_later_change_stays(guard: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    (tmp_path / "pve" / "corosync.conf").write_text("later")
    assert "nothing to take back" in finish(guard())
    assert (tmp_path / "pve" / "corosync.conf").read_text() == "later"
    assert not (tmp_path / "change").exists()


def test_only_the_makers_own_lock_is_taken_away(guard: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    lock = tmp_path / "pve" / "priv" / "lock" / "file-corosync_conf"
    (tmp_path / "change" / "locked").touch()
    finish(guard())
    assert not lock.exists()


def test_without_quorum_the_old_file_is_put_on_every_member(
    guard: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    # Written by no means; a directory stands where the new file would be made.
    (tmp_path / "pve" / "corosync.conf.new").mkdir()
    (tmp_path / "pve" / "corosync.conf.new" / "full").touch()
    output = finish(guard(logins={"pve2": ["sh", "-c", f"cat > {tmp_path}/sent; echo ok >&2; false", "--"]}))
    assert (tmp_path / "sent").read_text() == (tmp_path / "corosync.conf").read_text() == "old"
    assert "it failed on pve2" in output and "stays read-only" in output
    assert (tmp_path / "change").exists()
