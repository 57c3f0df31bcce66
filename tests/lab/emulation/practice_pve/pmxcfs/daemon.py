# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pmxcfs daemon: start, detach, serve until told to stop, tidy up."""

from __future__ import annotations

import fcntl
import grp
import os
import signal
import sys
import time

from practice_pve.pmxcfs import mounting, paths
from practice_pve.pmxcfs.changes import Changes, LocalChanges
from practice_pve.pmxcfs.cluster_connection import ClusterConnection
from practice_pve.pmxcfs.corosync_conf import synchronise_corosync_conf
from practice_pve.pmxcfs.database import Database, DatabaseError
from practice_pve.pmxcfs.filesystem import Filesystem
from practice_pve.pmxcfs.fuse_requests import FuseRequests
from practice_pve.pmxcfs.fuse_session import FuseSession
from practice_pve.pmxcfs.ipc_server import IpcServer
from practice_pve.pmxcfs.log import log
from practice_pve.pmxcfs.node_address import node_name, resolve
from practice_pve.pmxcfs.options import Options
from practice_pve.pmxcfs.read_only_fault import ReadOnlyFault
from practice_pve.pmxcfs.status import Status
from practice_pve.pmxcfs.tree import Tree, TreeError
from practice_pve.pmxcfs.virtual_files import symbolic_links, virtual_files

LOCK_ATTEMPTS = 10
FIRST_TICK_SECONDS = 1.0


class StartError(Exception):
    """The daemon cannot start; the text is what the real one logs."""


def _take_lock() -> int:
    """One daemon per node: wait ten seconds for the previous one to end."""
    descriptor = os.open(paths.LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    for attempt in range(LOCK_ATTEMPTS + 1):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError as error:
            if attempt == LOCK_ATTEMPTS:
                raise StartError(f"unable to acquire pmxcfs lock: {error.strerror}") from error
            if attempt == 0:
                log.notice("main", "unable to acquire pmxcfs lock - trying again")
            time.sleep(1)
    raise AssertionError("unreachable")


def _open_tree(status: Status, force_local: bool) -> Tree:
    fresh = not os.path.exists(paths.DATABASE)
    try:
        tree = Tree(Database(paths.DATABASE), status.guests, status.note_change, status.note_reload)
    except DatabaseError as error:
        raise StartError(f"memdb_open failed - unable to open database '{paths.DATABASE}'") from error
    if fresh and not force_local:
        _import_corosync_conf(tree)
    return tree


def _import_corosync_conf(tree: Tree) -> None:
    """A node whose database was deleted (a join does that) learns from the host's file that it is in a cluster."""
    try:
        with open(paths.HOST_COROSYNC_CONF, "rb") as stream:
            content = stream.read()
    except OSError:
        return
    now = int(time.time())
    try:
        tree.create("corosync.conf", 0, now)
        tree.write("corosync.conf", 0, now, content, 0, truncate=True)
    except TreeError as error:
        raise StartError("memdb_write failed - unable to import corosync.conf") from error


class Daemon:
    def __init__(self, options: Options) -> None:
        self._options = options
        self._connection: ClusterConnection | None = None
        self._tree: Tree | None = None
        self._lock = -1  # held as long as the process lives

    def run(self) -> int:
        try:
            tree = self._prepare()
            session = self._mount(tree)
        except StartError as error:
            log.critical("main", str(error))
            return self._leave(-1)
        parent_pipe = None
        if not self._options.foreground:
            tree.close()
            parent_pipe = _detach()
            tree.reopen()
        _write_pid_file()
        log.to_stderr = self._options.foreground
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
        if self._connection is not None:
            self._connection.start()
        # The real daemon serves nobody before the first tick of its event loop.
        time.sleep(FIRST_TICK_SECONDS)
        session.start()
        self._ipc.start()
        _remove(paths.RESTART_FLAG)
        if parent_pipe is not None:
            os.write(parent_pipe, b"1")
            os.close(parent_pipe)
        signal.sigwait({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
        return self._tear_down()

    def _prepare(self) -> Tree:
        name = node_name()
        address = resolve(name)
        if address is None:
            raise StartError(
                f"Unable to resolve node name '{name}' to a non-loopback IP address - missing entry in"
                " '/etc/hosts' or DNS?"
            )
        log.notice("main", f"resolved node name '{name}' to '{address}' for default node IP address")
        try:
            self._gid = grp.getgrnam("www-data").gr_gid
        except KeyError as error:
            raise StartError("Unable to get www-data group ID") from error
        os.umask(0o022)  # what comes with the real package is open to all
        os.makedirs(paths.STATE_DIRECTORY, mode=0o755, exist_ok=True)
        os.umask(0o027)
        os.makedirs(paths.RUN_DIRECTORY, mode=0o750, exist_ok=True)
        os.chown(paths.RUN_DIRECTORY, 0, self._gid)
        self._lock = _take_lock()
        self._status = Status(name, address)
        tree = self._tree = _open_tree(self._status, self._options.local)
        self._changes = self._choose_mode(tree)
        self._ipc = IpcServer(self._status, tree, self._gid)
        return tree

    def _choose_mode(self, tree: Tree) -> Changes:
        if tree.read("corosync.conf") is None:
            log.debug("main", "using local mode (corosync.conf does not exist)")
        elif self._options.local:
            log.notice("main", "forcing local mode (although corosync.conf exists)")
        else:
            self._connection = ClusterConnection(self._status, tree)
            synchronise_corosync_conf(tree, reload_corosync=True)
            return self._connection.changes
        self._status.set_quorate(True, quiet=True)
        return LocalChanges(tree)

    def _mount(self, tree: Tree) -> FuseSession:
        fault = ReadOnlyFault()
        filesystem = Filesystem(
            tree,
            self._changes,
            virtual_files(self._status),
            symbolic_links(self._status.node_name),
            lambda: self._status.quorate and not fault.planted(),
            self._gid,
        )
        mounting.clear_stale_mount()
        if not os.path.isdir(paths.MOUNT_POINT):
            os.mkdir(paths.MOUNT_POINT)
            os.chmod(paths.MOUNT_POINT, 0o755)
        try:
            descriptor = mounting.mount()
        except OSError as error:
            raise StartError(f"fuse_mount error: {error.strerror}") from error
        return FuseSession(descriptor, FuseRequests(filesystem), self._unmounted_by_others)

    def _unmounted_by_others(self) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    def _tear_down(self) -> int:
        descriptor = os.open(paths.RESTART_FLAG, os.O_CREAT | os.O_NOCTTY | os.O_NONBLOCK, 0o440)
        os.close(descriptor)
        os.chown(paths.RESTART_FLAG, 0, self._gid)
        log.notice("main", "teardown filesystem")
        self._ipc.stop()
        if self._connection is not None:
            # First let go of those who wait for the cluster: a waiting writer would hold up nothing but itself.
            self._connection.stop()
        mounting.unmount()
        return self._leave(0)

    def _leave(self, code: int) -> int:
        if self._tree is not None:
            self._tree.close()
        if code == 0:
            _remove(paths.PID_FILE)
        log.notice("main", f"exit proxmox configuration filesystem ({code})")
        return code & 0xFF


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return


def _write_pid_file() -> None:
    temporary = f"{paths.PID_FILE}.new"
    with open(temporary, "w", encoding="ascii") as stream:
        stream.write(f"{os.getpid()}\n")
    os.chmod(temporary, 0o644)
    os.rename(temporary, paths.PID_FILE)


def _detach() -> int:
    """Go on in a child; the parent ends when the child reports that it serves. Returns the child's end of the pipe."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        served = os.read(reading, 1) == b"1"
        if not served:
            log.critical("main", "child failed to send '1'")
        sys.stderr.flush()
        os._exit(0 if served else 255)
    os.close(reading)
    os.setsid()
    os.chdir("/")
    null = os.open("/dev/null", os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    os.close(null)
    return writing
