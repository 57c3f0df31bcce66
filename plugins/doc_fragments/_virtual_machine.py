# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This doc fragment is private to the collection: it can change at any time.

from __future__ import annotations


class ModuleDocFragment:
    # The options of module_options() in module_utils/_guest/arguments.py.
    DOCUMENTATION = r"""
---
options:
  vms:
    description:
      - Many machines at once. Each entry has the options of a single one, of which none may be given beside it.
      - One that fails does not stop the others; the task then fails at its end and names it.
    type: list
    elements: dict
    suboptions: &machine
        name:
          description:
            - >-
              The name. Together with O(vmid) it must mean one machine; alone it must be unique in the cluster.
          type: str
        vmid:
          description:
            - >-
              The id. If it is not given, the machine is found by its name, and a new one gets the first free id.
          type: int
        node:
          description:
            - >-
              The node on which a new machine is made. The default is the node that answers. A machine that exists is
              settled where it is.
          type: str
        state:
          description:
            - >-
              What the machine shall be.
            - >-
              V(present), the default, leaves it running or not as it is. V(template) makes a template of it, which
              has no way back. V(absent) removes it.
          choices: [present, started, stopped, restarted, template, absent]
          type: str
        image:
          description:
            - >-
              A cloud image for the first disk of a new machine, which is the first of O(boot), the first declared, or
              C(scsi0) on O(storage).
            - >-
              A volume as in C(local:import/debian-13.qcow2), a file on the node, or a dictionary with C(volume),
              C(path), or C(url), C(checksum) (as in C(sha512:...)), C(storage) and optionally C(filename).
            - >-
              What is fetched from a URL is kept with the checksum in its name, so it is fetched once. On the node itself
              an interrupted download is resumed, and C(.xz), C(.gz), C(.bz2) and C(.zst) are unpacked;
              C(/var/log/baremetal-proxmox/download.log) tells how far it is. Elsewhere Proxmox VE fetches it.
          type: raw
        clone:
          description:
            - >-
              The name or vmid of the machine of which a new one is a clone, or a dictionary with C(source), C(full),
              C(storage), C(format) and C(snapname).
            - >-
              By default clones of templates are linked, all others full. Everything declared is applied to the clone
              in the same task.
          type: raw
        storage:
          description:
            - >-
              The storage for disks that name none, for a full clone, and for the cloud-init drive of a new machine.
          type: str
        ci_storage:
          description:
            - >-
              The storage for a cloud-init drive at C(ide2), if the machine has none.
          type: str
        pool:
          description:
            - >-
              The resource pool.
          type: str
        ha:
          description:
            - >-
              Whether the machine is under high availability: V(true), V(false), or a dictionary with C(state),
              C(max_restart), C(max_relocate), C(failback) and C(comment). A new entry takes over whether the machine
              runs, unless C(state) is declared.
          type: raw
        vmid_range:
          description:
            - >-
              The first and the last id that a new machine without O(vmid) may get.
          type: list
          elements: int
        absent_keys:
          description:
            - >-
              Keys that shall not be set, such as V(net1), V(description), or one property as in V(net0.tag).
            - >-
              A disk that is taken out of its slot keeps its volume, as an unused disk.
          type: list
          elements: str
        restart_policy:
          description:
            - >-
              Whether a running machine is stopped and started for changes that a running machine cannot take.
            - >-
              V(if_required) does it only if something waits for it, V(always) after every change. The default is
              V(never).
          choices: [never, if_required, always]
          type: str
        ci_changes:
          description:
            - >-
              What to do if a change would make cloud-init run the first boot again, with new SSH host keys.
            - >-
              V(warn), the default, applies it with a warning, V(apply) without one, V(ignore) leaves these keys as
              they are, V(refuse) fails.
          choices: [apply, warn, ignore, refuse]
          type: str
        update_password:
          description:
            - >-
              Whether O(cipassword) is set only when there is none, which is the default, or always.
            - >-
              The stored hash can be compared only by O(transport=local); otherwise V(always) always changes.
          choices: [on_create, always]
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
              Allow to remove a machine that runs or is protected, to make a template of one that runs, to stop hard one
              that does not shut down, and to replace an empty reservation that an interrupted creation of somebody else
              has left.
          type: bool
        purge:
          description:
            - >-
              Remove a removed machine from backup jobs, replication and high availability, too. The default is
              V(true).
          type: bool
        destroy_unreferenced_disks:
          description:
            - >-
              With O(state=absent), also remove volumes with the machine's id that its configuration does not name.
          type: bool
        timeout:
          description:
            - >-
              Seconds for starting and for shutting down. The default is 120.
          type: int
        wait_for:
          description:
            - >-
              What to wait for at the end: a dictionary with C(agent), C(ip), C(ipv4), C(ipv6), C(cloud_init) (all true or
              false) and C(timeout) (120 seconds). Where waiting would be in vain it ends at once and says what to do.
          type: raw
        snippets:
          description:
            - >-
              Files that are written into a storage for O(cicustom). Only by O(transport=local), because the API
              cannot do it.
          type: list
          elements: dict
          suboptions:
            name:
              description: The name of the file.
              type: str
              required: true
            storage:
              description: The storage, a directory that takes snippets.
              type: str
              required: true
            content:
              description: The text.
              type: str
              required: true
        config:
          description:
            - >-
              Further keys as Proxmox VE calls them, for example C(net0).
          type: dict
        net:
          description:
            - >-
              Network cards, as in C({net0: {model: virtio, bridge: vmbr0, tag: 10}}) or C({net0:
              'virtio,bridge=vmbr0'}). A hardware address that is not declared stays as it is. A new card is V(virtio)
              unless its model is declared.
          type: raw
        scsi:
          description:
            - >-
              Drives, as in C({scsi0: {storage: local-lvm, size: 20G, discard: 'on'}}) or C({scsi0: 'local-
              lvm:20,discard=on'}). A larger size grows the disk, another storage moves it; it is never made smaller
              or replaced.
          type: raw
        virtio:
          description:
            - >-
              Drives, as in C({virtio0: {storage: local-lvm, size: 20G, discard: 'on'}}) or C({virtio0: 'local-
              lvm:20,discard=on'}). A larger size grows the disk, another storage moves it; it is never made smaller
              or replaced.
          type: raw
        sata:
          description:
            - >-
              Drives, as in C({sata0: {storage: local-lvm, size: 20G, discard: 'on'}}) or C({sata0: 'local-
              lvm:20,discard=on'}). A larger size grows the disk, another storage moves it; it is never made smaller
              or replaced.
          type: raw
        ide:
          description:
            - >-
              Drives, as in C({ide0: {storage: local-lvm, size: 20G, discard: 'on'}}) or C({ide0: 'local-
              lvm:20,discard=on'}). A larger size grows the disk, another storage moves it; it is never made smaller
              or replaced.
          type: raw
        ipconfig:
          description:
            - >-
              Addresses for cloud-init, as in C({ipconfig0: {ip: 192.0.2.5/24, gw: 192.0.2.1}}). A card without one
              gets no configuration at all.
          type: raw
        serial:
          description:
            - >-
              Serial ports, as in C({serial0: socket}).
          type: raw
        usb:
          description:
            - >-
              USB devices.
          type: raw
        hostpci:
          description:
            - >-
              PCI devices.
          type: raw
        parallel:
          description:
            - >-
              Parallel ports.
          type: raw
        virtiofs:
          description:
            - >-
              Shared directories.
          type: raw
        numa_nodes:
          description:
            - >-
              Memory and processors of each NUMA node, as in C({numa0: 'cpus=0-1,memory=1024'}).
          type: raw
        description:
          description:
            - >-
              Text shown with the machine.
          type: raw
        onboot:
          description:
            - >-
              Start it with the node.
          type: bool
        protection:
          description:
            - >-
              Refuse to remove the machine and its disks.
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
              Cores of each socket.
          type: int
        sockets:
          description:
            - >-
              Processor sockets.
          type: int
        vcpus:
          description:
            - >-
              Processors plugged in at the start.
          type: int
        cpu:
          description:
            - >-
              The processor's type, as text or dictionary.
          type: raw
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
        affinity:
          description:
            - >-
              Host processors. Only root@pam may set it.
          type: raw
        memory:
          description:
            - >-
              Memory in MiB.
          type: raw
        balloon:
          description:
            - >-
              Least memory in MiB, 0 for no ballooning.
          type: int
        shares:
          description:
            - >-
              Weight of memory for ballooning.
          type: int
        allow_ksm:
          description:
            - >-
              Key C(allow-ksm) of Proxmox VE's configuration.
          type: bool
        numa:
          description:
            - >-
              Whether NUMA is on.
          type: bool
          aliases: [numa_enabled]
        hugepages:
          description:
            - >-
              Key C(hugepages) of Proxmox VE's configuration.
          type: raw
        keephugepages:
          description:
            - >-
              Key C(keephugepages) of Proxmox VE's configuration.
          type: bool
        amd_sev:
          description:
            - >-
              Key C(amd-sev) of Proxmox VE's configuration.
          type: raw
        intel_tdx:
          description:
            - >-
              Key C(intel-tdx) of Proxmox VE's configuration.
          type: raw
        machine:
          description:
            - >-
              The machine type. V(q35) is also what Proxmox VE pinned of it.
          type: raw
        bios:
          description:
            - >-
              The firmware.
          type: raw
        ostype:
          description:
            - >-
              The kind of operating system.
          type: raw
        arch:
          description:
            - >-
              Key C(arch) of Proxmox VE's configuration.
          type: raw
        scsihw:
          description:
            - >-
              The SCSI controller.
          type: raw
        boot:
          description:
            - >-
              The boot order, as in C(order=scsi0;net0) or a list.
          type: raw
        agent:
          description:
            - >-
              Whether the guest agent is expected, as boolean, text or dictionary.
          type: raw
        vga:
          description:
            - >-
              The display.
          type: raw
        keyboard:
          description:
            - >-
              Key C(keyboard) of Proxmox VE's configuration.
          type: raw
        hotplug:
          description:
            - >-
              Key C(hotplug) of Proxmox VE's configuration.
          type: raw
        smbios1:
          description:
            - >-
              Key C(smbios1) of Proxmox VE's configuration.
          type: raw
        vmgenid:
          description:
            - >-
              Key C(vmgenid) of Proxmox VE's configuration.
          type: raw
        args:
          description:
            - >-
              Arguments for QEMU. Only root@pam may set them.
          type: raw
        watchdog:
          description:
            - >-
              Key C(watchdog) of Proxmox VE's configuration.
          type: raw
        startdate:
          description:
            - >-
              Key C(startdate) of Proxmox VE's configuration.
          type: raw
        audio0:
          description:
            - >-
              Key C(audio0) of Proxmox VE's configuration.
          type: raw
        rng0:
          description:
            - >-
              Key C(rng0) of Proxmox VE's configuration.
          type: raw
        ivshmem:
          description:
            - >-
              Key C(ivshmem) of Proxmox VE's configuration.
          type: raw
        spice_enhancements:
          description:
            - >-
              Key C(spice_enhancements) of Proxmox VE's configuration.
          type: raw
        vmstatestorage:
          description:
            - >-
              Key C(vmstatestorage) of Proxmox VE's configuration.
          type: raw
        migrate_downtime:
          description:
            - >-
              Key C(migrate_downtime) of Proxmox VE's configuration.
          type: raw
        migrate_speed:
          description:
            - >-
              Key C(migrate_speed) of Proxmox VE's configuration.
          type: int
        autostart:
          description:
            - >-
              Key C(autostart) of Proxmox VE's configuration.
          type: bool
        acpi:
          description:
            - >-
              Key C(acpi) of Proxmox VE's configuration.
          type: bool
        kvm:
          description:
            - >-
              Key C(kvm) of Proxmox VE's configuration.
          type: bool
        reboot:
          description:
            - >-
              Key C(reboot) of Proxmox VE's configuration.
          type: bool
        tablet:
          description:
            - >-
              Key C(tablet) of Proxmox VE's configuration.
          type: bool
        freeze:
          description:
            - >-
              Key C(freeze) of Proxmox VE's configuration.
          type: bool
        localtime:
          description:
            - >-
              Key C(localtime) of Proxmox VE's configuration.
          type: bool
        tdf:
          description:
            - >-
              Key C(tdf) of Proxmox VE's configuration.
          type: bool
        efidisk0:
          description:
            - >-
              The disk of the UEFI variables.
          type: raw
        tpmstate0:
          description:
            - >-
              The disk of the TPM's state.
          type: raw
        ciuser:
          description:
            - >-
              The user that cloud-init makes.
          type: raw
        cipassword:
          description:
            - >-
              That user's password, in plain text or as a crypt hash. It is hashed before it is sent.
          type: str
        citype:
          description:
            - >-
              The kind of cloud-init's configuration drive.
          type: raw
        ciupgrade:
          description:
            - >-
              Upgrade all packages at the first boot. A new machine gets V(false) if this is not declared, because the
              upgrade holds the package manager's lock against the first tasks.
          type: bool
        cicustom:
          description:
            - >-
              Snippets to use instead of what Proxmox VE makes.
          type: raw
        nameserver:
          description:
            - >-
              Name servers for cloud-init.
          type: raw
          aliases: [nameservers]
        searchdomain:
          description:
            - >-
              Search domains for cloud-init.
          type: raw
          aliases: [searchdomains]
        sshkeys:
          description:
            - >-
              Public keys for cloud-init, as list or as text.
          type: raw
  defaults:
    description: Options for all of O(vms). An entry of it wins; dictionaries are merged.
    type: dict
    suboptions: *machine
  max_parallel:
    description: How many machines are settled at the same time.
    type: int
    default: 8
  <<: *machine
"""
