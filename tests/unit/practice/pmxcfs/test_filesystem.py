# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixed modes and owner, and which system call is refused how."""

from __future__ import annotations

import errno
import stat
from collections.abc import Callable

import pytest

from practice_pve.pmxcfs.changes import LocalChanges
from practice_pve.pmxcfs.filesystem import UNCHANGED_ID, Filesystem
from practice_pve.pmxcfs.fuse_nodes import NodeTable
from practice_pve.pmxcfs.status import Status
from practice_pve.pmxcfs.tree import Tree, TreeError
from practice_pve.pmxcfs.virtual_files import symbolic_links, virtual_files


class Quorum:
    held = True


@pytest.fixture
def quorum() -> Quorum:
    return Quorum()


@pytest.fixture
def files(tree: Tree, status: Status, quorum: Quorum) -> Filesystem:
    links = symbolic_links(status.node_name)
    return Filesystem(tree, LocalChanges(tree), virtual_files(status), links, lambda: quorum.held, 33)


def refused(number: int, call: Callable[..., object], *arguments: object) -> None:
    with pytest.raises(TreeError) as caught:
        call(*arguments)
    assert errno.errorcode[caught.value.errno or 0] == errno.errorcode[number]


@pytest.mark.parametrize(
    ("path", "with_quorum", "without"),
    [
        ("", "drwxr-xr-x", "drwxr-xr-x"),
        ("nodes", "drwxr-xr-x", "dr-xr-xr-x"),
        ("priv", "drwx------", "dr-x------"),
        ("nodes/pve1/priv", "drwx------", "dr-x------"),
        ("a", "-rw-r-----", "-r--r-----"),
        ("priv/a", "-rw-------", "-r--------"),
        ("100.mount", "-rwxr-----", "-r-xr-----"),
        ("local", "lrwxr-xr-x", "lr-xr-xr-x"),
        (".members", "-r--r-----", "-r--r-----"),
        (".debug", "-rw-r-----", "-rw-r-----"),
    ],
)
def test_modes(files: Filesystem, quorum: Quorum, path: str, with_quorum: str, without: str):
    for name in ("a", "priv/a", "100.mount"):
        files.create(name)
    files.make_directory("nodes/pve1/priv")
    assert stat.filemode(files.attributes(path).mode) == with_quorum
    quorum.held = False
    assert stat.filemode(files.attributes(path).mode) == without


def test_sizes_blocks_links_and_times(files: Filesystem, tree: Tree):
    files.create("a")
    files.write("a", b"x" * 4097, 0)
    attributes = files.attributes("a")
    assert (attributes.size, attributes.blocks, attributes.links, attributes.gid) == (4097, 2, 1, 33)
    assert (files.attributes("nodes").links, files.attributes("nodes").size) == (2, 0)
    assert files.attributes("").mtime == 0 and files.attributes("a").mtime > 0
    assert files.attributes("local").size == len("nodes/pve1")


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o660, 0o000, 0o1640, 0o4640])
def test_chmod_of_a_file(files: Filesystem, mode: int):
    files.change_mode("a", stat.S_IFREG | 0o640)
    refused(errno.EPERM, files.change_mode, "a", mode)


def test_chmod_in_priv_and_of_directories(files: Filesystem):
    files.change_mode("priv/a", 0o600)
    refused(errno.EPERM, files.change_mode, "priv/a", 0o640)
    refused(errno.EPERM, files.change_mode, "nodes", 0o755)
    files.change_mode(".members", 0o640)


@pytest.mark.parametrize(("uid", "gid"), [(0, 33), (UNCHANGED_ID, 33), (0, UNCHANGED_ID), (UNCHANGED_ID, UNCHANGED_ID)])
def test_chown_to_what_it_is(files: Filesystem, uid: int, gid: int):
    files.change_owner(uid, gid)


@pytest.mark.parametrize(("uid", "gid"), [(0, 0), (33, 33), (1, 1), (UNCHANGED_ID, 0)])
def test_chown_to_anything_else(files: Filesystem, uid: int, gid: int):
    refused(errno.EPERM, files.change_owner, uid, gid)


def test_special_files(files: Filesystem):
    refused(errno.EIO, files.write, ".members", b"x", 0)
    refused(errno.EIO, files.truncate, ".members", 0)
    refused(errno.EACCES, files.delete, ".members")
    refused(errno.EACCES, files.delete, "local")
    refused(errno.EACCES, files.rename, ".members", "a")
    refused(errno.EACCES, files.set_mtime, ".members", 1)
    refused(errno.EIO, files.write, ".debug", b"x\n", 0)
    assert files.write(".debug", b"0\n", 0) == 2
    files.truncate(".debug", 0)


def test_a_special_file_shows_what_it_was_when_asked_for_its_attributes(files: Filesystem, status: Status):
    size = files.attributes(".members").size
    status.cluster_version = 12345
    assert len(files.read(".members", 4096, 0)) == size
    files.attributes(".members")
    assert b"12345" in files.read(".members", 4096, 0)


def test_nothing_is_written_without_quorum(files: Filesystem, quorum: Quorum):
    files.create("a")
    quorum.held = False
    for call, arguments in (
        (files.create, ("b",)), (files.write, ("a", b"x", 0)), (files.truncate, ("a", 0)), (files.delete, ("a",)),
        (files.make_directory, ("d",)), (files.rename, ("a", "b")), (files.set_mtime, ("a", 1)),
    ):  # fmt: skip
        refused(errno.EACCES, call, *arguments)
    assert files.read("a", 10, 0) == b""


def test_names(files: Filesystem):
    names = dict(files.names(""))
    assert {".", "..", ".members", "local", "lxc", "nodes", "priv"} <= set(names)
    assert names["nodes"] == 4
    assert [name for name, _kind in files.names("nodes/pve1")] == [".", "..", "qemu-server", "lxc"]


def test_usage(files: Filesystem):
    files.create("a")
    files.write("a", b"x" * 5000, 0)
    assert files.usage() == (32768, 32766, 262144, 262144 - 10, 4096)


def test_numbers_stand_for_names():
    table = NodeTable()
    directory = table.look_up(1, "d")
    file = table.look_up(directory, "f")
    assert table.path(file) == "d/f"
    table.renamed(directory, "f", 1, "g")
    assert table.path(file) == "g"
    table.removed(1, "g")
    refused(errno.ENOENT, table.path, file)
    table.forget(file, 1)
    table.forget(directory, 1)
    refused(errno.ENOENT, table.path, directory)


def test_an_open_file_is_hidden_until_it_is_closed():
    table = NodeTable()
    file = table.look_up(1, "f")
    table.open(file)
    assert table.is_open(1, "f")
    hidden = table.hidden_name(1, "f")
    assert hidden.startswith(".fuse_hidden")
    table.renamed(1, "f", 1, hidden, hide=True)
    assert table.path(file) == hidden
    assert table.close(file) == hidden
    assert table.close(99) is None
