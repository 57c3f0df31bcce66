# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives, boot order, sizes, network cards."""

from __future__ import annotations

import pytest

from practice_pve.guests.disks import is_cloud_init_request, new_disk
from practice_pve.guests.drives import boot_disk_size, boot_order, default_boot_order, parse_drive, print_boot_order
from practice_pve.guests.sizes import format_human, format_size, gigabytes_to_kilobytes, parse_size
from practice_pve.guests.tables.machine_options import CALL_OPTIONS
from practice_pve.guests.tables.machine_parts import NETWORK
from practice_pve.rest.verification import parse_property_string, print_property_string


@pytest.mark.parametrize(
    ("name", "text", "printed"),
    [
        ("scsi0", "local:100/vm-100-disk-0.raw,size=102400K", "local:100/vm-100-disk-0.raw,size=100M"),
        ("scsi0", "iothread=on,file=local:0,discard=on", "local:0,discard=on,iothread=1"),
        ("ide2", "media=cdrom,volume=none", "none,media=cdrom"),
        ("virtio0", "local:1,bps=1048576", "local:1,mbps=1.000"),
        ("efidisk0", "local:1,efitype=4m,pre-enrolled-keys=0", "local:1,efitype=4m,pre-enrolled-keys=0"),
    ],
)
def test_a_drive_is_printed_as_pve_prints_it(name, text, printed):
    drive = parse_drive(name, text)
    assert drive is not None
    assert drive.text() == printed


@pytest.mark.parametrize(
    "text",
    [
        "local:1,nosuch=1",
        "local:1,mbps=5,mbps_rd=5",
        "local:1,mbps_max=5",
        "none,media=cdrom,snapshot=1",
        "local:1,size=big",
    ],
)
def test_impossible_drives_are_refused(text):
    assert parse_drive("scsi0", text) is None


def test_cloud_init_drives_are_known_by_their_name():
    drive = parse_drive("ide2", "local:113/vm-113-cloudinit.qcow2,media=cdrom")
    assert drive is not None
    assert drive.is_cloud_init
    assert drive.is_cdrom
    assert is_cloud_init_request("local:cloudinit")
    assert not is_cloud_init_request("local:113/vm-113-cloudinit.qcow2")


def test_requests_for_new_disks():
    assert new_disk("local:0.1") == ("local", "0.1")
    assert new_disk("20") == (None, "20")
    assert new_disk("local:100/vm-100-disk-0.raw") is None


def test_boot_order_is_first_disk_first_cd_first_card():
    values = {"net1": "virtio", "ide2": "none,media=cdrom", "virtio0": "local:1", "scsi3": "local:1"}
    assert print_boot_order(default_boot_order(values)) == "order=scsi3;ide2;net1"
    assert print_boot_order(default_boot_order({})) == ""
    assert boot_order({"boot": "order=scsi0;net0"}) == ["scsi0", "net0"]
    assert boot_order({"boot": "cdn"}) == []


def test_boot_disk_size_skips_cds():
    values = {
        "boot": "order=ide2;scsi0",
        "ide2": "local:113/vm-113-cloudinit.qcow2,media=cdrom,size=4M",
        "scsi0": "local:100/vm-100-disk-0.raw,size=1G",
    }
    assert boot_disk_size(values) == 1024**3


@pytest.mark.parametrize(
    ("size", "text"), [(512, "512"), (107374592, "104858K"), (67108864, "64M"), (1024**4, "1T"), (0, "0")]
)
def test_sizes_are_exact(size, text):
    assert format_size(size) == text
    assert parse_size(text) == size


def test_gigabytes_are_rounded_up_to_kilobytes():
    assert gigabytes_to_kilobytes("0.1") == 104858
    assert gigabytes_to_kilobytes("2") == 2 * 1024 * 1024


def test_human_sizes():
    assert [format_human(size) for size in (0, 512, 785203, 67108864)] == ["0.0 B", "512.0 B", "766.8 KiB", "64.0 MiB"]


def test_a_card_keeps_model_and_address_together():
    values = parse_property_string(NETWORK, "bridge=vmbr0,virtio=BC:24:11:00:00:01,tag=5")
    assert print_property_string(NETWORK, values) == "virtio=BC:24:11:00:00:01,bridge=vmbr0,tag=5"


def test_every_key_of_the_machine_schema_is_there():
    # 31 scsi, 16 virtio, 6 sata, 4 ide, 256 unused, 2 firmware disks and the other families
    assert len(CALL_OPTIONS) == 500
    assert {"scsi30", "net31", "ipconfig31", "virtiofs9", "intel-tdx", "amd-sev", "cicustom"} <= CALL_OPTIONS.keys()
