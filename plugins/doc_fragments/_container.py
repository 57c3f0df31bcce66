# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This doc fragment is private to the collection: it can change at any time.

from __future__ import annotations


class ModuleDocFragment:
    # The options of module_options(LXC) in module_utils/_guest/arguments.py.
    DOCUMENTATION = r"""
---
options:
  vms:
    description:
      - Many containers at once. Each entry has the options of a single one, of which none may be given beside it.
      - One that fails does not stop the others; the task then fails at its end and names it.
    type: list
    elements: dict
    suboptions: &container
        name:
          description:
            - >-
              The host name. Together with O(vmid) it must mean one container; alone it must be unique in the
              cluster.
          type: str
          aliases: [hostname]
        vmid:
          description:
            - >-
              The id. If it is not given, the container is found by its name, and a new one gets the first free id.
          type: int
        node:
          description:
            - >-
              The node on which a new container is made. The default is the node that answers. A container that
              exists is settled where it is.
          type: str
        state:
          description:
            - >-
              What the container shall be.
            - >-
              V(present), the default, leaves it running or not as it is. V(template) makes a template of it, which
              has no way back. V(absent) removes it.
          choices: [present, started, stopped, restarted, template, absent]
          type: str
        ostemplate:
          description:
            - >-
              The template from which a new container is made: a volume as in
              C(local:vztmpl/debian-13-standard_13.1-1_amd64.tar.zst), a file on the node, or a dictionary with
              C(volume), C(path), or C(url), C(checksum) (as in C(sha512:...)), C(storage) and optionally
              C(filename).
            - >-
              What is fetched from a URL is kept with the checksum in its name, so it is fetched once.
          type: raw
        clone:
          description:
            - >-
              The name or vmid of the container of which a new one is a clone, or a dictionary with C(source),
              C(full), C(storage) and C(snapname).
            - >-
              By default clones of templates are linked, all others full. Everything declared is applied to the
              clone in the same task.
          type: raw
        storage:
          description:
            - >-
              The storage for volumes that name none, for the root file system if O(rootfs) is not declared (4 GiB),
              and for a full clone.
          type: str
        pool:
          description:
            - >-
              The resource pool.
          type: str
        ha:
          description:
            - >-
              Whether the container is under high availability: V(true), V(false), or a dictionary with C(state),
              C(max_restart), C(max_relocate), C(failback) and C(comment). A new entry takes over whether the
              container runs, unless C(state) is declared.
          type: raw
        vmid_range:
          description:
            - >-
              The first and the last id that a new container without O(vmid) may get.
          type: list
          elements: int
        absent_keys:
          description:
            - >-
              Keys that shall not be set, such as V(net1), V(description), or one property as in V(net0.tag).
            - >-
              A mount point that is taken away keeps its volume, as an unused one.
          type: list
          elements: str
        restart_policy:
          description:
            - >-
              Whether a running container is stopped and started for changes that a running one cannot take.
            - >-
              V(if_required) does it only if something waits for it, V(always) after every change. The default is
              V(never).
          choices: [never, if_required, always]
          type: str
        tags_mode:
          description:
            - >-
              Whether O(tags) are all tags (V(exact), the default), or are added to those that are there.
          choices: [exact, add]
          type: str
        force:
          description:
            - >-
              Allow to remove a container that runs or is protected, to make a template of one that runs, to stop
              hard one that does not shut down, and to replace an empty reservation that an interrupted creation of
              somebody else has left.
          type: bool
        purge:
          description:
            - >-
              Remove a removed container from backup jobs, replication and high availability, too. The default is
              V(true).
          type: bool
        destroy_unreferenced_disks:
          description:
            - >-
              With O(state=absent), also remove volumes with the container's id that its configuration does not
              name.
          type: bool
        timeout:
          description:
            - >-
              Seconds for starting and for shutting down. The default is 120.
          type: int
        wait_for:
          description:
            - >-
              What to wait for at the end: a dictionary with C(ip), C(ipv4), C(ipv6) (all true or false) and
              C(timeout) (120 seconds).
          type: raw
        config:
          description:
            - >-
              Further keys as Proxmox VE calls them, for example C(net0).
          type: dict
        password:
          description:
            - >-
              The password of root inside, in plain text or as a crypt hash. It is hashed before it is sent. Only a
              new container takes it; it is never compared and never changed.
          type: str
        ssh_public_keys:
          description:
            - >-
              Public keys for root inside, as list or as text. Only a new container takes them.
          type: raw
        net:
          description:
            - >-
              Network cards, as in C({net0: {name: eth0, bridge: vmbr0, ip: dhcp}}) or C({net0:
              'name=eth0,bridge=vmbr0,ip=dhcp'}). A hardware address that is not declared stays as it
              is. A new card is called V(eth0), V(eth1) and so on unless its name is declared.
          type: raw
        mp:
          description:
            - >-
              Mount points, as in C({mp0: {storage: local-lvm, size: 8G, mp: /srv}}) or C({mp0:
              'local-lvm:8,mp=/srv'}). A larger size grows the volume, another storage moves it; it is never made
              smaller or replaced.
            - >-
              A directory of the node is mounted by C({mp1: {volume: /mnt/data, mp: /data}}), which only root@pam
              may do.
          type: raw
        dev:
          description:
            - >-
              Devices of the node, as in C({dev0: /dev/ttyUSB0}). Only root@pam may set them.
          type: raw
        description:
          description:
            - >-
              Text shown with the container.
          type: raw
        onboot:
          description:
            - >-
              Start it with the node.
          type: bool
        protection:
          description:
            - >-
              Refuse to remove the container and its volumes.
          type: bool
        startup:
          description:
            - >-
              Order and delays of starting, as in C(order=1,up=30).
          type: raw
        tags:
          description:
            - >-
              Tags. Proxmox VE writes them in lower case.
          type: list
          elements: str
        hookscript:
          description:
            - >-
              A snippet that is run at starts and stops. Only root@pam may set it.
          type: raw
        cores:
          description:
            - >-
              Cores. Without it a container uses all.
          type: int
        cpulimit:
          description:
            - >-
              Limit of processor time.
          type: raw
        cpuunits:
          description:
            - >-
              Weight of processor time.
          type: int
        memory:
          description:
            - >-
              Memory in MiB.
          type: int
        swap:
          description:
            - >-
              Swap in MiB.
          type: int
        arch:
          description:
            - >-
              The architecture, which Proxmox VE finds out by itself.
          type: raw
        ostype:
          description:
            - >-
              The kind of operating system, which Proxmox VE finds out by itself.
          type: raw
        unprivileged:
          description:
            - >-
              Whether root inside is an ordinary user of the node, which is Proxmox VE's default for a new
              container. It cannot be changed later.
          type: bool
        console:
          description:
            - >-
              Whether there is a console.
          type: bool
        tty:
          description:
            - >-
              The number of terminals.
          type: int
        cmode:
          description:
            - >-
              How the console is attached.
          type: raw
        nameserver:
          description:
            - >-
              Name servers. Without them the node's are used.
          type: raw
          aliases: [nameservers]
        searchdomain:
          description:
            - >-
              Search domains. Without them the node's are used.
          type: raw
          aliases: [searchdomains]
        timezone:
          description:
            - >-
              The time zone, V(host) for the node's.
          type: raw
        features:
          description:
            - >-
              What the container may do beside the usual, as in C({nesting: true}). Everything but C(nesting) only
              root@pam may set.
          type: raw
        debug:
          description:
            - >-
              Key C(debug) of Proxmox VE's configuration.
          type: bool
        entrypoint:
          description:
            - >-
              The program that is started as the first one.
          type: raw
        env:
          description:
            - >-
              Environment of the first program.
          type: raw
        rootfs:
          description:
            - >-
              The root file system, as in C({storage: local-lvm, size: 8G}) or C(local-lvm:8).
          type: raw
  defaults:
    description: Options for all of O(vms). An entry of it wins; dictionaries are merged.
    type: dict
    suboptions: *container
  max_parallel:
    description: How many containers are settled at the same time.
    type: int
    default: 8
  <<: *container
"""
