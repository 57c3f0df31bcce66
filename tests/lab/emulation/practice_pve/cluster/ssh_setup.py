# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""root's SSH key, the shared list of keys and hosts, sshd's configuration: the steps of create, join and updatecerts."""

from __future__ import annotations

import os
import re
import subprocess
import sys

from practice_pve.cluster import locations
from practice_pve.cluster.key_pool import take_key
from practice_pve.cluster.local_files import read_text, write_file
from practice_pve.cluster.programs import run
from practice_pve.cluster.ssh_texts import merge_authorized_keys, merge_known_hosts, node_known_hosts
from practice_pve.rest.errors import ApiError

# Debian's list with AES first; PVE writes it once, when root has no client configuration.
CLIENT_CONFIG = (
    "Ciphers aes128-ctr,aes192-ctr,aes256-ctr,aes128-gcm@openssh.com,aes256-gcm@openssh.com,"
    "chacha20-poly1305@openssh.com\n"
)


def allow_root_login() -> None:
    """Force PermitRootLogin in the main sshd_config; drop-in files are not looked at."""
    text = read_text(locations.SSHD_CONFIG)
    changed = permit_root_login(text)
    if changed is not None:
        write_file(locations.SSHD_CONFIG, changed)
        run(["systemctl", "reload-or-restart", "sshd"])


def permit_root_login(text: str) -> str | None:
    """The changed configuration, or None when it already says so."""
    if re.search(r"^PermitRootLogin\s+yes\s*$", text, re.MULTILINE):
        return None
    changed, count = re.subn(r"^#?PermitRootLogin.*$", "PermitRootLogin yes", text, count=1, flags=re.MULTILINE)
    return changed if count else text.removesuffix("\n") + "\nPermitRootLogin yes\n"


def ensure_root_key() -> None:
    """root's RSA key (the one PVE uses between nodes) and client configuration, each only if missing."""
    if not os.path.isfile(locations.ROOT_PUBLIC_KEY):
        _make_directory(locations.ROOT_SSH)
        if not _adopt_prepared_key():
            sys.stdout.flush()
            subprocess.run(
                ["ssh-keygen", "-t", "rsa", "-N", "", "-b", "4096", "-f", locations.ROOT_KEY],
                input="\n",
                text=True,
                check=False,
            )
    if not os.path.isfile(locations.ROOT_SSH_CONFIG):
        _make_directory(locations.ROOT_SSH)
        _create(locations.ROOT_SSH_CONFIG, CLIENT_CONFIG, 0o640)


def _adopt_prepared_key() -> bool:
    """Use a key made in advance: convert it to OpenSSH's format with the comment that ssh-keygen would give."""
    if os.path.exists(locations.ROOT_KEY):
        return False
    prepared = take_key(4096)
    if prepared is None:
        return False
    _create(locations.ROOT_KEY, prepared, 0o600)
    comment = f"root@{os.uname().nodename.split('.')[0]}"
    for step in (["-p", "-P", "", "-N", ""], ["-c", "-C", comment]):
        subprocess.run(["ssh-keygen", "-q", *step, "-f", locations.ROOT_KEY], stdout=subprocess.DEVNULL, check=True)
    shown = subprocess.run(
        ["ssh-keygen", "-y", "-f", locations.ROOT_KEY], stdout=subprocess.PIPE, text=True, check=True
    )
    words = shown.stdout.split()[:2]
    write_file(locations.ROOT_PUBLIC_KEY, f"{' '.join(words)} {comment}\n")
    return True


def share_authorized_keys() -> None:
    """Make /root/.ssh/authorized_keys the symlink into /etc/pve, with whatever a plain file held kept aside."""
    _make_directory(locations.PRIVATE)
    shared, local = locations.CLUSTER_AUTHORIZED_KEYS, locations.ROOT_AUTHORIZED_KEYS
    imported = False
    if not os.path.isfile(shared):
        present = read_text(local) if os.path.isfile(local) else ""
        imported = _create(shared, present, 0o400)
    if not os.path.isfile(shared):
        _warn(f"can't create shared ssh key database '{shared}'")
    if os.path.isfile(local) and not os.path.islink(local):
        try:
            os.rename(local, locations.ROOT_AUTHORIZED_KEYS_BACKUP)
        except OSError as error:
            _warn(f"rename {local} failed - {error.strerror}")
    if not os.path.islink(local):
        _link(shared, local)
    if not os.path.islink(local):
        _warn(f"can't create symlink for ssh keys '{local}' -> '{shared}'")
    elif imported:
        _remove(locations.ROOT_AUTHORIZED_KEYS_BACKUP)


def merge_root_keys() -> None:
    backup = _read_if_file(locations.ROOT_AUTHORIZED_KEYS_BACKUP)
    merged = merge_authorized_keys(
        _read_if_file(locations.CLUSTER_AUTHORIZED_KEYS), backup, _read_if_file(locations.ROOT_PUBLIC_KEY)
    )
    write_file(locations.CLUSTER_AUTHORIZED_KEYS, merged, 0o600)
    if backup is not None and os.path.islink(locations.ROOT_AUTHORIZED_KEYS):
        _remove(locations.ROOT_AUTHORIZED_KEYS_BACKUP)


def write_node_known_hosts(node: str) -> None:
    text = node_known_hosts(node, read_text(locations.HOST_PUBLIC_KEY))
    write_file(f"{locations.node_directory(node)}/ssh_known_hosts", text)


def merge_shared_known_hosts(node: str, address: str) -> None:
    """Only `pvecm create` still does this: the shared list, and /etc/ssh/ssh_known_hosts as a symlink to it."""
    shared, system = locations.CLUSTER_KNOWN_HOSTS, locations.SYSTEM_KNOWN_HOSTS
    _make_directory(locations.PRIVATE)
    if not os.path.isfile(shared):
        _create(shared, "", 0o600)
    before = read_text(shared)
    present = read_text(system) if os.path.isfile(system) and not os.path.islink(system) else ""
    host_key = read_text(locations.HOST_PUBLIC_KEY)
    write_file(shared, merge_known_hosts(before, present, host_key, node, address))
    _remove(system)
    _link(shared, system)
    if not os.path.islink(system):
        _warn(f"can't create symlink for ssh known hosts '{system}' -> '{shared}'")


def unmerge_shared_known_hosts() -> None:
    """Turn the symlink back into a plain file with the same content."""
    if os.path.islink(locations.SYSTEM_KNOWN_HOSTS):
        write_file(locations.SYSTEM_KNOWN_HOSTS, _read_if_file(locations.CLUSTER_KNOWN_HOSTS) or "")


def _read_if_file(path: str) -> str | None:
    return read_text(path) if os.path.isfile(path) else None


def _create(path: str, text: str, mode: int) -> bool:
    """Create a new file, not caring when that is refused: PVE goes on as well."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except OSError:
        return False
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as stream:
        try:
            stream.write(text)
        except OSError as error:
            raise ApiError(f"unable to write '{path}' - {error.strerror}\n") from error
    return True


def _make_directory(path: str) -> None:
    try:
        os.mkdir(path, 0o700 if path == locations.ROOT_SSH else 0o777)
    except OSError:
        return  # it exists, or the next step complains in PVE's words


def _link(target: str, path: str) -> None:
    try:
        os.symlink(target, path)
    except OSError:
        return  # the caller looks whether the link is there


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return


def _warn(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
