# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes the shared root this node: its name, addresses, keys and password."""

from __future__ import annotations

import json
import secrets
import shutil
from pathlib import Path

from .completed import must_run
from .keys import fill_pool
from .network import interfaces_file
from .places import EMULATION
from .spec import LabSpec, NodeSpec


def write_identity(root: Path, lab: str, spec: LabSpec, node: NodeSpec, installation: int) -> None:
    """Fill a node's mounted root before its first boot. Installations are counted per lab."""
    _copy_emulation(root)
    _write(root / "etc/hostname", f"{node.name}\n")
    _write(root / "etc/hosts", hosts_file(node))
    _write(root / "etc/mailname", f"{node.fqdn}\n")
    # As after an installation: the search domain gives the node's certificate its full name.
    search = f"search {node.domain}\n" if node.domain else ""
    _write(root / "etc/resolv.conf", f"{search}# practice node: no name server\n")
    _write(root / "etc/machine-id", f"{secrets.token_hex(16)}\n", 0o444)
    _write(root / "etc/network/interfaces", interfaces_file(spec, node))
    (root / "etc/network/interfaces.d").mkdir(exist_ok=True)
    _write(root / "etc/practice-node.json", settings_file(lab, spec, node))
    set_password(root, node.password)
    make_host_keys(root)
    fill_pool(root, installation)


def hosts_file(node: NodeSpec) -> str:
    """As PVE's installer writes it: the node's own name leads to its management address."""
    names = f"{node.fqdn} {node.name}" if node.domain else node.name
    return (
        f"127.0.0.1 localhost.localdomain localhost\n{node.ip} {names}\n\n"
        "# The following lines are desirable for IPv6 capable hosts\n\n"
        "::1     ip6-localhost ip6-loopback\nfe00::0 ip6-localnet\nff00::0 ip6-mcastprefix\n"
        "ff02::1 ip6-allnodes\nff02::2 ip6-allrouters\nff02::3 ip6-allhosts\n"
    )


def settings_file(lab: str, spec: LabSpec, node: NodeSpec) -> str:
    settings = {"lab": lab, "node": node.name, **spec.settings, **node.settings}
    return json.dumps(settings, indent=1) + "\n"


def set_password(root: Path, password: str) -> None:
    must_run(["chroot", str(root), "/usr/sbin/chpasswd"], stdin=f"root:{password}\n")


def make_host_keys(root: Path) -> None:
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()
    must_run(["chroot", str(root), "/usr/bin/ssh-keygen", "-A"])


def _copy_emulation(root: Path) -> None:
    """Lay the emulation's own files (wrappers, units, Perl modules) over the root, with root as their owner."""
    source = EMULATION / "files"
    if not source.is_dir():
        return
    for path in sorted(source.rglob("*")):
        if "__pycache__" in path.parts:
            continue
        target = root / path.relative_to(source)
        if path.is_symlink():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            target.symlink_to(path.readlink())
        elif path.is_dir():
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            shutil.copyfile(path, target)
            target.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)


def _write(path: Path, text: str, mode: int = 0o644) -> None:
    """Replace a file (never write through a link of the root)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_text(text)
    path.chmod(mode)
