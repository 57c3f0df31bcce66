# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Storages: storage.cfg, volume names, images without qemu-img."""

from __future__ import annotations

import os

import pytest

from practice_pve.rest.errors import ApiError
from practice_pve.storage import images, qcow2
from practice_pve.storage.definitions import parse_storages, render_storages
from practice_pve.storage.names import parse_volume_name

CONFIG = """\
dir: local
\tpath /var/lib/vz
\tcontent images,iso

dir: d1
\tdisable
\tpath /srv/d1
\tcontent images
\tnodes pve1,pve2

nfs: n1
\texport /x
\tpath /mnt/pve/n1
\tserver 192.0.2.1
\tcontent images

"""


def test_storage_cfg_survives_reading_and_writing():
    assert render_storages(parse_storages(CONFIG)) == CONFIG


def test_local_is_always_there():
    local = parse_storages("dir: d1\n\tpath /srv\n").storages["local"]
    assert (local.type, local.path) == ("dir", "/var/lib/vz")
    assert "images" in local.content


def test_what_a_storage_says_of_itself():
    storages = parse_storages(CONFIG)
    assert storages.storages["n1"].is_shared
    assert not storages.storages["d1"].is_shared
    assert storages.storages["d1"].is_disabled
    assert storages.storages["d1"].is_on_node("pve2")
    assert not storages.storages["d1"].is_on_node("pve3")
    with pytest.raises(ApiError, match="storage 'nosuch' does not exist"):
        storages.find("nosuch")
    with pytest.raises(ApiError, match="storage 'd1' is disabled"):
        storages.find_enabled("d1", "pve1")
    with pytest.raises(ApiError, match="unknown vtype 'none'"):
        storages.storages["local"].directory("none")


@pytest.mark.parametrize(
    ("text", "content", "image_format", "owner"),
    [
        ("100/vm-100-disk-0.raw", "images", "raw", 100),
        ("100/base-100-disk-1.qcow2/122/vm-122-disk-0.qcow2", "images", "qcow2", 122),
        ("iso/x.iso", "iso", "raw", None),
        ("vztmpl/debian-13.tar.zst", "vztmpl", "raw", None),
        ("backup/vzdump-qemu-122-2026_11_20-20_32_46.vma.zst", "backup", "raw", 122),
        ("snippets/u.yaml", "snippets", "raw", None),
        ("import/cloud.qcow2", "import", "qcow2", None),
    ],
)
def test_volume_names(text, content, image_format, owner):
    name = parse_volume_name(text)
    assert (name.content, name.format, name.owner) == (content, image_format, owner)


@pytest.mark.parametrize("text", ["x", "import/cloud.img", "backup/x.zip", "iso/a/b.iso"])
def test_other_names_are_refused(text):
    with pytest.raises(ApiError, match=f"unable to parse directory volume name '{text}'"):
        parse_volume_name(text)


def test_qcow2_holds_what_was_copied_into_it(tmp_path, capsys):
    source, packed, back = (str(tmp_path / name) for name in ("a.raw", "b.qcow2", "c.raw"))
    size = 100 * 1024 * 1024
    with open(source, "wb") as stream:
        stream.truncate(size)
        for offset in (0, 5_000_077, 99_000_000):
            stream.seek(offset)
            stream.write(os.urandom(150_000))
    images.create_image(packed, "qcow2", size)
    images.copy_image(source, "raw", packed, "qcow2", size)
    assert images.detect_format(packed) == "qcow2"
    assert images.read_info(packed).size == size
    assert os.path.getsize(packed) < 2_000_000
    images.create_image(back, "raw", size)
    images.copy_image(packed, "qcow2", back, "raw", size)
    with open(source, "rb") as one, open(back, "rb") as other:
        assert one.read() == other.read()
    assert os.stat(back).st_blocks * 512 < 2_000_000
    assert "transferred 100.0 MiB of 100.0 MiB (100.00%)" in capsys.readouterr().out


def test_an_overlay_shows_its_base(tmp_path):
    base, overlay = tmp_path / "base.qcow2", tmp_path / "overlay.qcow2"
    qcow2.create(str(base), 1 << 20)
    qcow2.write(str(base), 1 << 20, lambda put: put(70_000, b"hello"))
    qcow2.create(str(overlay), 1 << 20, "base.qcow2")
    assert images.read_info(str(overlay)).parent == "base.qcow2"
    found = {}
    qcow2.read_blocks(str(overlay), lambda offset, block: found.update({offset: block}))
    assert found[65536][70_000 - 65536 :].startswith(b"hello")


def test_growing(tmp_path, capsys):
    for image_format in ("raw", "qcow2"):
        path = str(tmp_path / f"x.{image_format}")
        images.create_image(path, image_format, 1 << 20)
        images.resize_image(path, image_format, 3 << 30)
        assert images.read_info(path, image_format).size == 3 << 30
    out = capsys.readouterr().out
    assert out.startswith(f"Formatting '{tmp_path}/x.raw', fmt=raw size=1048576 preallocation=off\n")


def test_any_file_counts_as_raw_in_sectors(tmp_path):
    (tmp_path / "hostname").write_text("pve1\n")
    assert images.read_info(str(tmp_path / "hostname")).size == 512
