# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Borrowed hosts: what is missing is told before anything is created; the golden image comes once and stays as it is."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.baremetal.proxmox.plugins.module_utils._hosts.capacity import Demands, Host, Wanted, judge
from ansible_collections.baremetal.proxmox.plugins.module_utils._hosts.golden_image import (
    PARTIAL,
    ImageError,
    bring,
    demand_unmodified,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._hosts.look import look_at_host

GIB = 1024**3
HOST = Host(free_memory=16 * GIB, cores=4, free_disk=20 * GIB, has_kvm=True, bridges=frozenset(("virbr0",)))
NODE = Wanted("vm1", 8192, 2, ("virbr0",), 4096)
CONTENT = bytes(range(256)) * 4096
CHECKSUM = hashlib.sha256(CONTENT).hexdigest()


@pytest.mark.parametrize(
    ("host", "demands", "words"),
    [
        ({}, {"nodes": [NODE, replace(NODE, name="vm2")]}, "16384 MiB of memory are wanted, 15360 MiB are free"),
        ({"free_disk": 3 * GIB}, {}, "4096 MiB of disk are wanted, 1024 MiB are free"),
        ({"cores": 1}, {}, "vm1 wants 2 cores, the host has 1"),
        ({"bridges": frozenset()}, {}, "There is no bridge virbr0; there are none"),
        ({"has_kvm": False, "kvm_reason": "no /dev/kvm"}, {"acceleration": "kvm"}, "KVM cannot be used: no /dev/kvm"),
        ({}, {"nodes": [NODE, NODE]}, "vm1 is declared twice"),
    ],
)
def test_what_is_missing_is_an_error(host: dict[str, Any], demands: dict[str, Any], words: str) -> None:
    verdict = judge(replace(HOST, **host), Demands(**{"nodes": [NODE], **demands}))
    assert any(words in error for error in verdict.errors), verdict


def test_room_enough() -> None:
    assert judge(HOST, Demands([NODE])).errors == ()
    assert judge(HOST, Demands([NODE])).acceleration == "kvm"


def test_a_node_that_runs_has_its_memory_and_disk_already() -> None:
    there = replace(HOST, free_memory=GIB, free_disk=GIB, running=frozenset(("vm1",)), provided=frozenset(("vm1",)))
    assert judge(there, Demands([NODE])).errors == ()


def test_emulation_is_a_warning_unless_wanted() -> None:
    host = replace(HOST, has_kvm=False, kvm_reason="/dev/kvm: No such file")
    verdict = judge(host, Demands([NODE]))
    assert verdict.acceleration == "tcg" and "emulated, which is slow" in verdict.warnings[0]
    assert judge(host, Demands([NODE], acceleration="tcg")).warnings == ()


def test_a_host_is_read_from_its_files(tmp_path: Path) -> None:
    for name in ("proc", "sys/class/net/virbr0/bridge", "sys/class/net/eth0", "run/qemu-nodes"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "proc/meminfo").write_text("MemTotal:  100 kB\nMemAvailable:   2048 kB\n")
    (tmp_path / "run/qemu-nodes/vm1.qmp").touch()
    host = look_at_host(str(tmp_path / "not" / "there"), str(tmp_path))
    assert host.free_memory == 2 * 1024**2 and host.bridges == {"virbr0"} and host.running == {"vm1"}
    assert not host.has_kvm and "dev/kvm" in host.kvm_reason and host.free_disk > 0


class Server(BaseHTTPRequestHandler):
    ranges: list[str | None]

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        type(self).ranges.append(wanted)
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        self.send_response(206 if wanted else 200)
        self.end_headers()
        self.wfile.write(CONTENT[start:])

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    Server.ranges = []
    server = HTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/golden.qcow2"
    server.shutdown()
    server.server_close()


def test_it_comes_once_and_is_read_only(address: str, tmp_path: Path) -> None:
    image = tmp_path / "golden.qcow2"
    assert bring(address, image, CHECKSUM) == 0
    assert image.read_bytes() == CONTENT and image.stat().st_mode & 0o777 == 0o444
    demand_unmodified(image, CHECKSUM)


def test_an_interrupted_download_goes_on(address: str, tmp_path: Path) -> None:
    image = tmp_path / "golden.qcow2"
    Path(str(image) + PARTIAL).write_bytes(CONTENT[:100000])
    assert bring(address, image, CHECKSUM) == 100000
    assert Server.ranges == ["bytes=100000-"] and image.read_bytes() == CONTENT


def test_a_wrong_hash_leaves_nothing(address: str, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="Correct the checksum"):
        bring(address, tmp_path / "golden.qcow2", "0" * 64)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_off_is_named(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"cannot be fetched: .*refused"):
        bring("http://127.0.0.1:9/golden.qcow2", tmp_path / "golden.qcow2", CHECKSUM)


def test_an_image_that_was_written_to_is_refused(tmp_path: Path) -> None:
    image = tmp_path / "golden.qcow2"
    image.write_bytes(CONTENT + b"x")
    with pytest.raises(ImageError, match="Somebody wrote to it"):
        demand_unmodified(image, CHECKSUM)
