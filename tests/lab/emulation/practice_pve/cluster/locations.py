# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a node keeps what makes it a member of a cluster."""

from __future__ import annotations

PMXCFS = "/etc/pve"
PRIVATE = f"{PMXCFS}/priv"
CLUSTER_CONFIG = f"{PMXCFS}/corosync.conf"
LOCAL_CLUSTER_DIRECTORY = "/etc/corosync"
LOCAL_CLUSTER_CONFIG = f"{LOCAL_CLUSTER_DIRECTORY}/corosync.conf"
CLUSTER_KEY = f"{LOCAL_CLUSTER_DIRECTORY}/authkey"
MEMBERSHIP_LOCK = "/var/lock/pvecm.lock"

DATABASE_DIRECTORY = "/var/lib/pve-cluster"
DATABASE = f"{DATABASE_DIRECTORY}/config.db"
DATABASE_BACKUPS = f"{DATABASE_DIRECTORY}/backup"

CA_KEY = f"{PRIVATE}/pve-root-ca.key"
CA_SERIAL = f"{PRIVATE}/pve-root-ca.srl"
CA_CERTIFICATE = f"{PMXCFS}/pve-root-ca.pem"
CSRF_KEY = f"{PMXCFS}/pve-www.key"
TICKET_PRIVATE_KEY = f"{PRIVATE}/authkey.key"
TICKET_PUBLIC_KEY = f"{PMXCFS}/authkey.pub"

CLUSTER_AUTHORIZED_KEYS = f"{PRIVATE}/authorized_keys"
CLUSTER_KNOWN_HOSTS = f"{PRIVATE}/known_hosts"
SSHD_CONFIG = "/etc/ssh/sshd_config"
SYSTEM_KNOWN_HOSTS = "/etc/ssh/ssh_known_hosts"
HOST_PUBLIC_KEY = "/etc/ssh/ssh_host_rsa_key.pub"
ROOT_SSH = "/root/.ssh"
ROOT_KEY = f"{ROOT_SSH}/id_rsa"
ROOT_PUBLIC_KEY = f"{ROOT_KEY}.pub"
ROOT_SSH_CONFIG = f"{ROOT_SSH}/config"
ROOT_AUTHORIZED_KEYS = f"{ROOT_SSH}/authorized_keys"
ROOT_AUTHORIZED_KEYS_BACKUP = f"{ROOT_AUTHORIZED_KEYS}.org"

VZDUMP_CRON = f"{PMXCFS}/vzdump.cron"
VZDUMP_CRON_LINK = "/etc/cron.d/vzdump"


def node_directory(node: str) -> str:
    return f"{PMXCFS}/nodes/{node}"
