# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Single system calls on /etc/pve, by the names the recordings give them; runs inside a practice node.

Reads a JSON list of operation names, prints a JSON list of outcomes: ok with a result, or an errno with its text.
An operation that is not known here answers "runner", which matches nothing.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import mmap
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

BASE = "/etc/pve"
FILE = f"{BASE}/lq"
PRIVATE = f"{BASE}/priv/lq"
BIG = f"{BASE}/lqbig"
LINKED_KEYS = "/root/.ssh/authorized_keys"


def show(path: str) -> str:
    seen = os.lstat(path)
    age = int(time.time() - seen.st_mtime)
    return f"{stat.filemode(seen.st_mode)} {seen.st_uid}:{seen.st_gid} size={seen.st_size} nlink={seen.st_nlink} mtime_age={age}"


def write(
    path: str, data: bytes = b"x\n", flags: int = os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode: int = 0o644
) -> int:
    descriptor = os.open(path, flags, mode)
    try:
        return os.write(descriptor, data)
    finally:
        os.close(descriptor)


def resolve(name: str) -> str:
    return name if name.startswith("/") else f"{BASE}/{name}"


def shell(script: str) -> str:
    """What the program says on both streams; its exit code was not recorded."""
    return subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=False).stderr


def chown(words: str) -> None:
    owner, path = words.split(" ", 1)
    uid, gid = (int(number) for number in owner.split(":"))
    os.chown(resolve(path.removeprefix("dir ")), uid, gid)


def chmod(words: str) -> None:
    mode, path = words.split(" ", 1)
    os.chmod(resolve(path.removeprefix("dir ")), int(mode, 8))


def write_slowly(size: int) -> str:
    """As a program writes: 64 KiB at a time."""
    descriptor = os.open(BIG, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    written = 0
    try:
        while written < size:
            written += os.write(descriptor, b"b" * min(65536, size - written))
    finally:
        os.close(descriptor)
    return f"{written} written, size now {os.path.getsize(BIG)}"


def file_system_type() -> str:
    line = subprocess.run(
        ["stat", "-f", "-c", "%T %t", BASE], capture_output=True, text=True, check=False
    ).stdout.strip()
    return re.sub(r"^fuse\S*", "fuse", line)


def locked(call: Callable[[int], object]) -> None:
    with open(FILE, "r+b") as stream:
        call(stream.fileno())


def synced(path: str, flags: int) -> list[None]:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return [None, None]


def allocate() -> list[None]:
    descriptor = os.open(FILE, os.O_RDWR)
    try:
        os.posix_fallocate(descriptor, 0, 10)
    finally:
        os.close(descriptor)
    return [None, None]


def map_shared() -> None:
    with open(FILE, "r+b") as stream, mmap.mmap(stream.fileno(), 1) as mapped:
        mapped[0:1] = b"m"


def bind_socket() -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{BASE}/lqs")


def rename_over() -> str:
    os.rename(f"{BASE}/lq2", FILE)
    with open(FILE, encoding="utf-8") as stream:
        return stream.read()


def prepare(path: str, data: str = "t\n", mode: int = 0o644) -> str:
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(data)
    os.chmod(path, mode)
    return path


def long_name(words: str) -> str:
    """The recorder wrote long names shortened, with their length behind."""
    match = re.fullmatch(r"'(.*)'(?: len (\d+))?", words, re.DOTALL)
    assert match is not None
    name = (
        match[1].encode().decode("unicode_escape").encode("latin-1", "replace").decode("utf-8", "replace")
        if "\\" in match[1]
        else match[1]
    )
    if set(name) == {"x"}:
        name = "x" * int(match[2]) if match[2] else long_names.pop(0)
        if match[2]:
            long_names.append(name)
    return f"{BASE}/{name}"


long_names: list[str] = []


def read_text(path: str) -> str:
    with open(path, encoding="utf-8") as stream:
        return stream.read()


def utime_then_show(seconds: float) -> str:
    os.utime(FILE, (seconds, seconds))
    return show(FILE)


def many_files() -> str:
    started = time.monotonic()
    for number in range(100):
        write(f"{BASE}/lqm{number}")
    middle = time.monotonic()
    for number in range(100):
        os.unlink(f"{BASE}/lqm{number}")
    return f"100 creates {middle - started:.3f}s, 100 unlinks {time.monotonic() - middle:.3f}s"


def as_user(user: str, script: str) -> str:
    finished = subprocess.run(
        ["setpriv", f"--reuid={user}", f"--regid={user_group(user)}", "--clear-groups", "sh", "-c", script],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    return finished.stdout


def user_group(user: str) -> str:
    return "nogroup" if user == "nobody" else user


def head_bigger() -> list[Any]:
    argv = ["/bin/sh", "-c", f"head -c 1100000 /dev/zero > {BIG}"]
    finished = subprocess.run(argv, capture_output=True, text=True, check=False)
    return [finished.returncode, finished.stderr]


def write_at() -> str:
    descriptor = os.open(FILE, os.O_WRONLY)
    try:
        os.pwrite(descriptor, b"p", 5000)
    finally:
        os.close(descriptor)
    return show(FILE)


def truncate(size: int) -> str:
    os.truncate(FILE, size)
    return show(FILE)


def append_through_link() -> int:
    return write(LINKED_KEYS, b"# lq\n\n"[:6], os.O_WRONLY | os.O_APPEND)


def make_second() -> int:
    """`create lq2` comes twice: once to be renamed over another file (4 bytes), once to be moved away (2 bytes)."""
    seconds.append(None)
    return write(f"{BASE}/lq2", b"new\n" if len(seconds) == 1 else b"x\n")


seconds: list[None] = []


def rename_to_local() -> None:
    if not seconds or len(seconds) < 2:
        with contextlib.suppress(OSError):
            make_second()
    os.rename(f"{BASE}/lq2", f"{BASE}/local/lq2")


def rename_private() -> str:
    os.rename(PRIVATE, f"{BASE}/lq3")
    return show(f"{BASE}/lq3")


def rename_over_existing() -> str:
    if not seconds:
        with contextlib.suppress(OSError):
            make_second()
    return rename_over()


EXACT: dict[str, Callable[[], Any]] = {
    "create 0600": lambda: write(FILE, mode=0o600),
    "create priv/lq": lambda: write(PRIVATE),
    "stat priv/lq": lambda: show(PRIVATE),
    "create lq2": make_second,
    "utime now": lambda: os.utime(FILE),
    "utime 2001": lambda: utime_then_show(1_000_000_000),
    "utime ns future": lambda: utime_then_show(2_000_000_000),
    "append": lambda: write(FILE, b"y\n", os.O_WRONLY | os.O_APPEND),
    "read": lambda: read_text(FILE),
    "O_EXCL on existing": lambda: write(FILE, flags=os.O_WRONLY | os.O_CREAT | os.O_EXCL),
    "truncate 1": lambda: truncate(1),
    "truncate grow 100": lambda: truncate(100),
    "pwrite at 5000": write_at,
    "flock": lambda: locked(lambda descriptor: fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)),
    "fcntl lock": lambda: locked(lambda descriptor: fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)),
    "fsync": lambda: synced(FILE, os.O_RDWR) and None,
    "fsync dir": lambda: synced(BASE, os.O_RDONLY),
    "posix_fallocate": allocate,
    "mmap shared write": map_shared,
    "setxattr user.x": lambda: os.setxattr(FILE, "user.x", b"1"),
    "getxattr": lambda: os.getxattr(FILE, "user.x").decode(),
    "listxattr": lambda: os.listxattr(FILE),
    "setfacl": lambda: shell(f"setfacl -m u:nobody:r {FILE}"),
    "lsattr": lambda: shell(f"lsattr {FILE}"),
    "chattr +i": lambda: shell(f"chattr +i {FILE}"),
    "symlink": lambda: os.symlink("lq", f"{BASE}/lqsym"),
    "hardlink": lambda: os.link(FILE, f"{BASE}/lqhard"),
    "mkfifo": lambda: os.mkfifo(f"{BASE}/lqfifo"),
    "mknod regular": lambda: os.mknod(f"{BASE}/lqnod", 0o600 | stat.S_IFREG),
    "unlink mknod": lambda: os.unlink(f"{BASE}/lqnod"),
    "unix socket": bind_socket,
    "rename over existing (same dir)": rename_over_existing,
    "rename to other dir in pmxcfs": rename_to_local,
    "rename priv->public": rename_private,
    "unlink local/lq2": lambda: os.unlink(f"{BASE}/local/lq2"),
    "unlink lq3": lambda: os.unlink(f"{BASE}/lq3"),
    "rename from /tmp (other fs)": lambda: os.rename(prepare("/tmp/lqt"), f"{BASE}/lqt"),
    "shutil.move from /tmp": lambda: shutil.move(prepare("/tmp/lqt"), f"{BASE}/lqt"),
    "shutil.copy2 in pmxcfs": lambda: shutil.copy2(FILE, f"{BASE}/lqy"),
    "shutil.copy (mode) from 0755 file": lambda: shutil.copy(prepare("/tmp/lqx", mode=0o755), f"{BASE}/lqx"),
    "cp -a": lambda: shell(f"cp -a {prepare('/tmp/lqca')} {BASE}/lqca"),
    "cp -p 0600 file": lambda: shell(f"cp -p {prepare('/tmp/lqcp', mode=0o600)} {BASE}/lqcp"),
    "mv 0644 file": lambda: shell(f"mv {prepare('/tmp/lqmv')} {BASE}/lqmv"),
    "install -m 600": lambda: shell(f"install -m 600 {prepare('/tmp/lqi')} {BASE}/lqi"),
    "sed -i": lambda: shell(f"sed -i s/x/y/ {FILE}"),
    "rsync -a": lambda: shell(f"rsync -a {prepare('/tmp/lqrs')} {BASE}/lqrs"),
    "tee": lambda: shell(f"echo x | tee {BASE}/lqt >/dev/null"),
    "unlink big": lambda: os.unlink(BIG),
    "write 1 MiB in one syscall": lambda: write(BIG, b"b" * 1048576),
    "echo >1MiB exit": head_bigger,
    "mkdir nested": lambda: os.makedirs(f"{BASE}/lqd/a/b"),
    "rename dir": lambda: os.rename(f"{BASE}/lqd", f"{BASE}/lqd2"),
    "rmdir non-empty": lambda: os.rmdir(f"{BASE}/lqd2"),
    "rmtree": lambda: shutil.rmtree(f"{BASE}/lqd2"),
    "unlink local symlink": lambda: os.unlink(f"{BASE}/local"),
    "rmdir nodes/pve1": lambda: os.rmdir(f"{BASE}/nodes/pve1"),
    "rename nodes/pve1": lambda: os.rename(f"{BASE}/nodes/pve1", f"{BASE}/nodes/pve1x"),
    "mkdir nodes/new": lambda: os.mkdir(f"{BASE}/nodes/new"),
    "rmdir nodes/new": lambda: os.rmdir(f"{BASE}/nodes/new"),
    "statvfs": lambda: re.sub(r", f_fsid=\d+", "", str(os.statvfs(BASE))),
    "f_type": file_system_type,
    "as nobody: ls /etc/pve": lambda: as_user("nobody", f"cat {BASE}/storage.cfg; ls {BASE}/priv; echo x > {BASE}/nob"),
    "as www-data": lambda: as_user(
        "www-data", f"head -1 {BASE}/storage.cfg; head -1 {BASE}/local/pve-ssl.key; ls {BASE}/priv; echo x > {BASE}/nob"
    ),
    "vm conf: create 800.conf": lambda: write(f"{BASE}/qemu-server/800.conf", b"memory: 16\n"),
    "vm conf: rename to other node dir (standalone: none)": lambda: os.rename(
        f"{BASE}/qemu-server/800.conf", f"{BASE}/nodes/nosuch/qemu-server/800.conf"
    ),
    "vm conf: 5.conf bad vmid": lambda: write(f"{BASE}/qemu-server/5.conf"),
    "vm conf: foo.conf": lambda: write(f"{BASE}/qemu-server/foo.conf"),
    "vm conf: same id in lxc": lambda: write(f"{BASE}/lxc/800.conf"),
    "vmlist": lambda: read_text(f"{BASE}/.vmlist"),
    "100 small files": many_files,
    "open /root/.ssh/authorized_keys for append through the symlink": append_through_link,
    "chmod 0600 /root/.ssh/authorized_keys": lambda: os.chmod(LINKED_KEYS, 0o600),
    "chown 0:0 /root/.ssh/authorized_keys": lambda: os.chown(LINKED_KEYS, 0, 0),
    "realpath": lambda: os.path.realpath(LINKED_KEYS),
    "cleanup lqd": lambda: os.unlink(f"{BASE}/lqd"),
}

PREFIXES: tuple[tuple[str, Callable[[str], Any]], ...] = (
    ("create+write ", lambda rest: write(resolve(rest))),
    ("create name ", lambda rest: write(long_name(rest))),
    ("unlink name ", lambda rest: os.unlink(long_name(rest))),
    ("stat after ", lambda _rest: show(FILE)),
    ("stat ", lambda rest: show(resolve(rest))),
    ("size after ", lambda _rest: show(BIG)),
    ("write file of ", lambda rest: write_slowly(int(rest.split()[0]))),
    ("write .", lambda rest: write(f"{BASE}/.{rest}", flags=os.O_WRONLY)),
    ("chmod .", lambda rest: os.chmod(f"{BASE}/.{rest}", 0o640)),
    ("chmod ", chmod),
    ("chown ", chown),
    ("unlink ", lambda rest: os.unlink(resolve(rest))),
    ("mkdir ", lambda rest: os.mkdir(resolve(rest))),
    ("rmdir ", lambda rest: os.rmdir(resolve(rest))),
)


def find(name: str) -> Callable[[], Any] | None:
    if name in EXACT:
        return EXACT[name]
    for prefix, function in PREFIXES:
        if name.startswith(prefix):
            rest = name[len(prefix) :]
            return lambda: function(rest)
    return None


def do(name: str) -> dict[str, Any]:
    call = find(name)
    if call is None:
        return {"op": name, "runner": "this operation is not known to the replay"}
    try:
        return {"op": name, "ok": True, "result": call()}
    except OSError as error:
        code = errno.errorcode.get(error.errno or 0, str(error.errno))
        # 95 has two names; the recordings use the other one.
        code = "ENOTSUP" if code == "EOPNOTSUPP" else code
        if name.startswith("cleanup "):
            return {"op": name, "errno": error.errno}
        return {"op": name, "ok": False, "errno": code, "msg": os.strerror(error.errno or 0)}


def clean() -> None:
    """What the operations leave besides /etc/pve/lqd, which the recorder left as well."""
    for name in os.listdir(BASE):
        if name.startswith("lq") and name != "lqd":
            with contextlib.suppress(OSError):
                os.unlink(f"{BASE}/{name}")


if __name__ == "__main__":
    outcomes = [do(name) for name in json.load(sys.stdin)]
    clean()
    print(json.dumps(outcomes))
