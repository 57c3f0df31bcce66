# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This doc fragment is private to the collection: it can change at any time.

from __future__ import annotations


class ModuleDocFragment:
    # The options of module_options() in module_utils/_storage/arguments.py.
    DOCUMENTATION = r"""
---
options:
  name:
    description: The storage's name, as it stands before the colon of a volume.
    type: str
    required: true
    aliases:
      - storage
  state:
    description: V(present) defines the storage or changes its definition, V(absent) removes the definition. What the storage holds is never touched.
    type: str
    choices:
      - present
      - absent
    default: present
  type:
    description: What it is. Only needed for a storage that is not defined yet.
    type: str
    choices:
      - btrfs
      - cephfs
      - cifs
      - dir
      - esxi
      - iscsi
      - iscsidirect
      - lvm
      - lvmthin
      - nfs
      - pbs
      - rbd
      - zfs
      - zfspool
  absent_keys:
    description: Keys to take out of the definition, under the names that they have here.
    type: list
    elements: str
    default: []
  update_password:
    description: Secrets cannot be read back, so they cannot be compared. With V(on_create) they are only written when the storage is
      defined, with V(always) every time, which is always a change.
    type: str
    choices:
      - on_create
      - always
    default: on_create
  in_use:
    description:
      - What happens with O(state=absent) when guests, backup jobs or other storages need the storage.
      - V(refuse) fails and names them. V(ignore) removes the definition all the same.
    type: str
    choices:
      - refuse
      - ignore
    default: refuse
  check_reachable:
    description:
      - Before anything is written, ask every node that shall use the storage whether it reaches the server, and whether what is declared is
        there (C(pvesm scan)). Proxmox VE itself only tries the node that makes the definition.
      - A server that only speaks NFS 4 (O(options) with C(vers=4)) is asked by a TCP connection from every node.
    type: bool
    default: true
  content:
    description:
      - 'What may be stored: V(backup), V(images) (disks), V(import), V(iso), V(none), V(rootdir) (containers), V(snippets), V(vztmpl)
        (templates of containers).'
    type: list
    elements: str
  nodes:
    description: The nodes that may use it. An empty list means all nodes.
    type: list
    elements: str
  disable:
    description: Keep the definition and do not use the storage.
    type: bool
  shared:
    description: Say of a directory or a volume group that it is the same on all nodes. Proxmox VE does not make it so.
    type: bool
  path:
    description: Directory, for O(type=dir) and O(type=btrfs); mount point of the network types, which have one of their own.
    type: str
  server:
    description: Name or address of the server.
    type: str
  port:
    description: Port of the server, where it is not the usual one.
    type: int
  export:
    description: Path that the NFS server exports.
    type: str
  share:
    description: Name of the SMB share.
    type: str
  subdir:
    description: Directory below the share or the file system.
    type: str
  options:
    description: Mount options, separated by commas, for example V(vers=4.2).
    type: str
  smbversion:
    description:
      - 'Version of the SMB protocol: V(default), V(2.0), V(2.1), V(3), V(3.0) or V(3.11).'
    type: str
  domain:
    description: Domain (workgroup) of the user.
    type: str
  portal:
    description: Address of the iSCSI portal.
    type: str
  target:
    description: iSCSI target.
    type: str
  vgname:
    description: LVM volume group.
    type: str
  thinpool:
    description: Name of the thin pool.
    type: str
  base:
    description: Volume that the volume group stands on.
    type: str
  pool:
    description: ZFS pool or dataset, or Ceph pool.
    type: str
  mountpoint:
    description: Where the ZFS dataset is mounted.
    type: str
  datastore:
    description: Datastore of the Proxmox Backup Server.
    type: str
  namespace:
    description: Namespace of the datastore or the Ceph pool.
    type: str
  fingerprint:
    description: SHA-256 fingerprint of the server's certificate.
    type: str
  monhost:
    description: Addresses of the monitors of a Ceph cluster outside.
    type: str
  data_pool:
    description: Ceph pool for the data of erasure-coded pools.
    type: str
  fs_name:
    description: Name of the Ceph file system.
    type: str
  authsupported:
    description: How Ceph authenticates.
    type: str
  iscsiprovider:
    description:
      - 'Kind of the server of O(type=zfs): V(comstar), V(istgt), V(iet) or V(LIO).'
    type: str
  comstar_hg:
    description: Host group of COMSTAR views.
    type: str
  comstar_tg:
    description: Target group of COMSTAR views.
    type: str
  lio_tpg:
    description: Target portal group of LIO.
    type: str
  zfs_base_path:
    description: Where the server has its ZFS block devices.
    type: str
  username:
    description: User at the server.
    type: str
  password:
    description: Password at the server.
    type: str
  encryption_key:
    description: Key for encrypting backups, or V(autogen).
    type: str
  master_pubkey:
    description: Public RSA key that encrypts a copy of O(encryption_key), PEM in base64.
    type: str
  keyring:
    description: Ceph client keyring.
    type: str
  skip_cert_verification:
    description: Accept any certificate of the server.
    type: bool
  is_mountpoint:
    description:
      - 'V(yes), or the path of a mount point: while nothing is mounted there the storage counts as offline.'
    type: str
  create_base_path:
    description: Create the directory if it is missing.
    type: bool
  create_subdirs:
    description: Create the directories of the contents.
    type: bool
  content_dirs:
    description: Other directories for contents, for example V(iso=/iso,backup=/dump).
    type: str
  format:
    description:
      - 'Format that new disks have unless told otherwise: V(raw), V(qcow2), V(subvol) or V(vmdk).'
    type: str
  preallocation:
    description:
      - 'How much room a new image takes at once: V(off), V(metadata), V(falloc) or V(full).'
    type: str
  snapshot_as_volume_chain:
    description: Make snapshots as chains of volumes.
    type: bool
  max_protected_backups:
    description: How many protected backups a guest may have. V(-1) means any number.
    type: int
  prune_backups:
    description: Which backups are kept, as a dictionary or as in C(keep-last=3,keep-weekly=2).
    type: raw
  bwlimit:
    description: Limits in KiB/s, as a dictionary or as in C(clone=10240,restore=20480).
    type: raw
  blocksize:
    description: Block size of ZFS volumes.
    type: str
  sparse:
    description: Make ZFS volumes without a reservation.
    type: bool
  nowritecache:
    description: Switch the server's write cache off.
    type: bool
  nocow:
    description: Switch copy-on-write off for files, and checksums with it.
    type: bool
  tagged_only:
    description: Only show logical volumes with a guest's tag.
    type: bool
  saferemove:
    description: Overwrite volumes before they are removed.
    type: bool
  saferemove_throughput:
    description: How fast they are overwritten, in bytes per second.
    type: str
  saferemove_stepsize:
    description: How many MiB are overwritten at a time.
    type: int
  krbd:
    description: Use the kernel's Ceph client.
    type: bool
  fuse:
    description: Mount the Ceph file system through FUSE.
    type: bool
"""
