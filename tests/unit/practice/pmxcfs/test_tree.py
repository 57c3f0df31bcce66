# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tree: versions, sizes, renames, guests' ids, locks, and what stays on disk."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from practice_pve.pmxcfs.database import Database, DatabaseError
from practice_pve.pmxcfs.status import Status
from practice_pve.pmxcfs.tree import Tree, TreeError


def refused(number: int, call: Callable[..., object], *arguments: object) -> None:
    with pytest.raises(TreeError) as caught:
        call(*arguments)
    assert errno.errorcode[caught.value.errno or 0] == errno.errorcode[number]


def put(tree: Tree, path: str, content: bytes = b"x") -> None:
    tree.create(path, 1, 2000)
    tree.write(path, 1, 2000, content, 0)


def test_every_change_raises_the_version_of_the_whole(tree: Tree):
    before = tree.version
    put(tree, "a")
    entry = tree.find("a")
    assert tree.version == before + 2
    assert (entry.inode, entry.version, entry.mtime, entry.writer) == (before + 1, before + 2, 2000, 1)


def test_a_write_keeps_what_it_does_not_touch(tree: Tree):
    put(tree, "a", b"abcdef")
    tree.write("a", 1, 1, b"XY", 2)
    assert tree.read("a") == b"abXYef"
    tree.write("a", 1, 1, b"", 3, truncate=True)
    assert tree.read("a") == b"abX"
    tree.write("a", 1, 1, b"z", 6)
    assert tree.read("a") == b"abX\0\0\0z"


def test_a_file_ends_at_one_mebibyte(tree: Tree):
    put(tree, "a", b"x" * 1048576)
    refused(errno.EFBIG, tree.write, "a", 1, 1, b"y", 1048576)
    assert len(tree.read("a")) == 1048576


@pytest.mark.parametrize(
    ("number", "call", "arguments"),
    [
        (errno.EEXIST, "create", ("a", 1, 1)),
        (errno.ENOTDIR, "create", ("priv", 1, 1)),
        (errno.ENOENT, "create", ("nowhere/a", 1, 1)),
        (errno.ENOTDIR, "create", ("a/b", 1, 1)),
        (errno.EACCES, "create", ("..", 1, 1)),
        (errno.EEXIST, "make_directory", ("priv", 1, 1)),
        (errno.ENOENT, "delete", ("b", 1, 1)),
        (errno.ENOTEMPTY, "delete", ("nodes", 1, 1)),
        (errno.EACCES, "delete", ("", 1, 1)),
        (errno.ENOTEMPTY, "rename", ("nodes", "n2", 1, 1)),
        (errno.ENOTEMPTY, "rename", ("priv/lock", "nodes", 1, 1)),
        (errno.ENOENT, "rename", ("a", "nowhere/a", 1, 1)),
        (errno.ENOENT, "write", ("b", 1, 1, b"x", 0)),
        (errno.ENOTDIR, "write", ("priv", 1, 1, b"x", 0)),
        (errno.EACCES, "set_mtime", ("", 1, 1)),
    ],
)
def test_refusals(tree: Tree, number: int, call: str, arguments: tuple[object, ...]):
    put(tree, "a")
    version = tree.version
    refused(number, getattr(tree, call), *arguments)
    assert tree.version == version


def test_a_rename_replaces_and_keeps_the_inode(tree: Tree):
    put(tree, "a", b"old")
    put(tree, "priv/new", b"new")
    inode = tree.find("priv/new").inode
    tree.rename("priv/new", "a", 1, 1)
    assert (tree.read("a"), tree.find("a").inode, tree.find("priv/new")) == (b"new", inode, None)


def test_a_guest_id_exists_once_in_the_cluster(tree: Tree, status: Status):
    put(tree, "nodes/pve1/qemu-server/100.conf")
    refused(errno.EEXIST, tree.create, "nodes/pve2/qemu-server/100.conf", 1, 1)
    refused(errno.EEXIST, tree.create, "nodes/pve1/lxc/100.conf", 1, 1)
    put(tree, "other")
    refused(errno.EEXIST, tree.rename, "other", "nodes/pve2/qemu-server/100.conf", 1, 1)
    tree.rename("nodes/pve1/qemu-server/100.conf", "nodes/pve2/qemu-server/100.conf", 1, 1)
    assert status.guests.guests[100].node == "pve2"
    tree.delete("nodes/pve2/qemu-server/100.conf", 1, 1)
    assert status.guests.guests == {}
    put(tree, "nodes/pve1/lxc/100.conf")


def test_names_that_are_no_guest(tree: Tree, status: Status):
    for name in ("foo.conf", "099.conf", "100.conf.tmp.1", "99999999999.conf"):
        put(tree, f"nodes/pve1/qemu-server/{name}")
    assert status.guests.guests == {}


def test_everything_is_there_after_a_restart(tree: Tree, open_tree: Callable[[], Tree]):
    put(tree, "a", b"\0\xff")
    put(tree, "nodes/pve1/lxc/101.conf")
    put(tree, "empty", b"")
    put(tree, "n\udcffame")  # no UTF-8
    tree.delete("empty", 1, 1)
    index, checksum = tree.index(), tree.checksum()
    tree.close()
    again = open_tree()
    assert (again.index(), again.checksum()) == (index, checksum)
    assert again.read("a") == b"\0\xff" and again.find("n\udcffame") is not None


def test_the_database_is_pve_s_table(tree: Tree, tmp_path: Path):
    put(tree, "storage.cfg", b"dir: local\n")
    rows = sqlite3.connect(tmp_path / "config.db").execute(
        "SELECT parent, type, name, data FROM tree WHERE name IN ('storage.cfg', '__version__', 'priv') ORDER BY name"
    )
    assert list(rows) == [(0, 8, "__version__", None), (0, 4, "priv", None), (0, 8, "storage.cfg", b"dir: local\n")]


def test_a_planted_file_is_seen(tree: Tree, open_tree: Callable[[], Tree], tmp_path: Path):
    tree.close()
    with sqlite3.connect(tmp_path / "config.db") as database:
        database.execute("INSERT INTO tree VALUES (500, 0, 500, 0, 1, 8, 'user.cfg', 'text')")
    assert open_tree().read("user.cfg") == b"text"


@pytest.mark.parametrize(
    "row",
    [
        "(500, 499, 500, 0, 1, 8, 'orphan', NULL)",
        "(500, 0, 500, 0, 1, 5, 'strange', NULL)",
        "(500, 0, 500, 0, 1, 8, 'priv', NULL)",
        "(500, 0, 500, 0, 1, 4, 'directory', 'data')",
    ],
)
def test_a_broken_database_is_refused(tree: Tree, open_tree: Callable[[], Tree], tmp_path: Path, row: str):
    tree.close()
    with sqlite3.connect(tmp_path / "config.db") as database:
        database.execute(f"INSERT INTO tree VALUES {row}")
    with pytest.raises(DatabaseError):
        open_tree()


def test_a_file_that_is_no_database(tmp_path: Path):
    (tmp_path / "no.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(DatabaseError):
        Database(str(tmp_path / "no.db"))


def test_a_failed_commit_stops_all_writing(tree: Tree, monkeypatch: pytest.MonkeyPatch):
    def fail(*_arguments: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(tree._database, "write", fail)
    refused(errno.EIO, tree.create, "a", 1, 1)
    monkeypatch.undo()
    refused(errno.EIO, tree.create, "b", 1, 1)


def test_only_the_owner_renews_a_lock(tree: Tree):
    tree.make_directory("priv/lock/x", 1, 2000)
    tree.set_mtime("priv/lock/x", 1, 2001)
    refused(errno.EACCES, tree.set_mtime, "priv/lock/x", 2, 2002)
    refused(errno.EACCES, tree.set_mtime, "priv/lock/x", 1, 0)
    refused(errno.EACCES, tree.rename, "priv/lock/x", "priv/lock/y", 1, 1)


def test_a_lock_expires_after_two_minutes(tree: Tree, monkeypatch: pytest.MonkeyPatch):
    now = 5000
    monkeypatch.setattr("time.time", lambda: now)
    tree.make_directory("priv/lock/x", 1, now)
    digest = tree.find("priv/lock/x").digest()
    now += 120
    assert not tree.locks.expired("priv/lock/x", digest)
    now += 1
    assert tree.locks.expired("priv/lock/x", digest)
    assert not tree.locks.expired("priv/lock/x", b"another" * 4)
