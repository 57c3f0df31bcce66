# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything a node needs in /etc/pve: directories, keys, certificate, SSH files. What `pvecm updatecerts` makes."""

from __future__ import annotations

import os
import sys

from practice_pve import settings
from practice_pve.cluster import certificates, locations, ssh_setup
from practice_pve.cluster.addresses import node_address
from practice_pve.cluster.local_files import write_file
from practice_pve.pmxcfs import client
from practice_pve.rest.errors import ApiError

NODE_DIRECTORIES = ("", "/lxc", "/qemu-server", "/openvz", "/priv")
# Directories of the files that PVE watches, made by updatecerts in the order of the files' names.
WATCHED_DIRECTORIES = ("firewall", "ha", "mapping", "priv/acme", "sdn", "virtual-guest")
VZDUMP_CRON_TEXT = """\
# cluster wide vzdump cron schedule
# Atomatically generated file - do not edit

PATH="/usr/sbin:/usr/bin:/sbin:/bin"

"""


def require_mounted_pmxcfs() -> None:
    if not is_pmxcfs_mounted():
        raise ApiError("pve configuration filesystem (pmxcfs) not mounted\n")


def is_pmxcfs_mounted() -> bool:
    return os.path.islink(f"{locations.PMXCFS}/local")


def make_node_directories(node: str) -> None:
    require_mounted_pmxcfs()
    directories = [locations.PRIVATE, f"{locations.PMXCFS}/nodes"]
    directories += [locations.node_directory(node) + part for part in NODE_DIRECTORIES]
    for directory in directories:
        if os.path.isdir(directory):
            continue
        try:
            os.mkdir(directory)
        except FileExistsError:
            continue
        except OSError as error:
            raise ApiError(f"unable to create directory '{directory}' - {error.strerror}\n") from error


def make_node_files(node: str, address: str, new_certificate: bool = False) -> None:
    make_node_directories(node)
    _ensure_ticket_keys()
    certificates.ensure_csrf_key()
    certificates.ensure_node_key(node)
    force = certificates.ensure_authority() or new_certificate
    certificates.make_node_certificate(node, address, force)


def _ensure_ticket_keys() -> None:
    if os.path.isfile(locations.TICKET_PRIVATE_KEY):
        return
    require_mounted_pmxcfs()
    with client.cfs_lock("authkey", timeout=10):
        certificates.make_ticket_keys()


def make_local_files() -> None:
    """The part outside /etc/pve, possible without quorum."""
    ssh_setup.ensure_root_key()
    _link_vzdump_cron()


def update_certificates_and_ssh(new_certificate: bool, silent: bool = False, unmerge: bool = False) -> None:
    def announce(text: str) -> None:
        if not silent:
            print(text)

    if not client.is_quorate():
        if silent:
            return
        raise ApiError("no quorum - unable to update files\n")
    ssh_setup.share_authorized_keys()
    node = settings.nodename()
    address = node_address(node)
    announce("(re)generate node files")
    if new_certificate:
        announce("generate new node certificate")
    make_node_files(node, address, new_certificate)
    announce("merge authorized SSH keys")
    ssh_setup.merge_root_keys()
    if unmerge:
        announce("unmerge SSH known hosts")
        ssh_setup.unmerge_shared_known_hosts()
    ssh_setup.write_node_known_hosts(node)
    _make_vzdump_files()


def make_watched_directories() -> None:
    if not is_pmxcfs_mounted():
        print("pmxcfs isn't mounted (/etc/pve), chickening out..", file=sys.stderr, flush=True)
        return
    for name in WATCHED_DIRECTORIES:
        directory = f"{locations.PMXCFS}/{name}"
        if os.path.exists(directory):
            continue
        print(f"creating directory '{directory}' for observed files")
        try:
            os.makedirs(directory)
        except OSError as error:
            raise ApiError(f"mkdir {directory}: {error.strerror}\n") from error


def _make_vzdump_files() -> None:
    if not os.path.isfile(locations.VZDUMP_CRON):
        write_file(locations.VZDUMP_CRON, VZDUMP_CRON_TEXT)
    _link_vzdump_cron()


def _link_vzdump_cron() -> None:
    link = locations.VZDUMP_CRON_LINK
    if not os.path.isfile(locations.VZDUMP_CRON) or os.path.islink(link):
        return
    try:
        os.rename(link, "/root/etc_cron_vzdump.org")
    except OSError:
        pass  # usually there is none
    try:
        os.symlink(locations.VZDUMP_CRON, link)
    except OSError:
        return  # no /etc/cron.d: PVE does not look either
