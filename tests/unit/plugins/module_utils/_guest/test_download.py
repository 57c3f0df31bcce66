# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images from a server that breaks off, lies, or packs: complete and checked, or not there."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import http.server
import lzma
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.baremetal.proxmox.plugins.module_utils._guest import download, images
from ansible_collections.baremetal.proxmox.plugins.module_utils._guest.download import Download, fetch
from ansible_collections.baremetal.proxmox.plugins.module_utils._guest.errors import GuestError, Refused
from ansible_collections.baremetal.proxmox.plugins.module_utils._guest.guest_types import QEMU
from ansible_collections.baremetal.proxmox.plugins.module_utils._guest.images import local_name
from ansible_collections.baremetal.proxmox.plugins.module_utils._guest.wish import ImageSource
from fake_session import FakeSession

QCOW2 = b"QFI\xfb" + bytes(range(256)) * 4096
RAW = bytes(range(256)) * 4096
PACKERS = {"xz": lzma.compress, "gz": gzip.compress, "bz2": bz2.compress}


class Server(http.server.ThreadingHTTPServer):
    """Serves C(content). Breaks each of the first C(breaks) answers off in the middle; C(resumable) obeys Range."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = QCOW2
        self.breaks = 0
        self.resumable = True
        self.starts: list[int] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/debian.qcow2"


class Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        matched = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(matched[1]) if matched and self.server.resumable else 0
        self.server.starts.append(start)
        if matched and start >= len(self.server.content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(self.server.content) - start))
        self.end_headers()
        rest = self.server.content[start:]
        if self.server.breaks:
            self.server.breaks -= 1
            rest = rest[: len(rest) // 2]
        self.wfile.write(rest)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """A test's output is no place for it."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(download, "_PAUSE", 0.0)
    one = Server()
    thread = threading.Thread(target=one.serve_forever)
    thread.start()
    yield one
    one.shutdown()
    one.server_close()
    thread.join()


def wanted(server: Server, directory: Path, compression: str = "", name: str = "debian.qcow2") -> Download:
    checksum = hashlib.sha256(server.content).hexdigest()
    return Download(server.url, directory / name, "sha256", checksum.upper(), compression)


def files(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def silent(_line: str) -> None:
    """No progress is told."""


def test_a_download_goes_on_where_it_was_broken_off(server: Server, tmp_path: Path) -> None:
    server.breaks = 3
    lines: list[str] = []
    fetch(wanted(server, tmp_path / "import"), lines.append)
    assert (tmp_path / "import" / "debian.qcow2").read_bytes() == QCOW2
    assert files(tmp_path / "import") == ["debian.qcow2"]
    assert len(server.starts) == 4
    assert server.starts == sorted(set(server.starts))
    assert lines[-1] == "debian.qcow2: complete"


def test_the_next_run_goes_on_where_this_one_gave_up(server: Server, tmp_path: Path) -> None:
    server.breaks = 5
    with pytest.raises(GuestError, match="The next run goes on"):
        fetch(wanted(server, tmp_path), silent)
    assert files(tmp_path) == [".debian.qcow2.part"]
    fetch(wanted(server, tmp_path), silent)
    assert server.starts[-1] > len(QCOW2) // 2
    assert (tmp_path / "debian.qcow2").read_bytes() == QCOW2


def test_a_server_that_cannot_resume_starts_again(server: Server, tmp_path: Path) -> None:
    server.breaks, server.resumable = 1, False
    fetch(wanted(server, tmp_path), silent)
    assert (tmp_path / "debian.qcow2").read_bytes() == QCOW2


def test_what_is_complete_already_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    (tmp_path / ".debian.qcow2.part").write_bytes(QCOW2)
    fetch(wanted(server, tmp_path), silent)
    assert (tmp_path / "debian.qcow2").read_bytes() == QCOW2
    fetch(wanted(server, tmp_path), silent)
    assert len(server.starts) == 1


@pytest.mark.parametrize("compression", PACKERS)
def test_what_is_packed_is_unpacked(server: Server, tmp_path: Path, compression: str) -> None:
    server.content = PACKERS[compression](QCOW2)
    fetch(wanted(server, tmp_path, compression), silent)
    assert (tmp_path / "debian.qcow2").read_bytes() == QCOW2
    assert files(tmp_path) == ["debian.qcow2"]


def test_a_wrong_checksum_leaves_nothing(server: Server, tmp_path: Path) -> None:
    one = Download(server.url, tmp_path / "debian.qcow2", "sha256", "0" * 64)
    with pytest.raises(GuestError, match="has the sha256 checksum"):
        fetch(one, silent)
    assert files(tmp_path) == []


def test_a_broken_archive_leaves_no_image(server: Server, tmp_path: Path) -> None:
    server.content = lzma.compress(QCOW2)[:-100]
    with pytest.raises(GuestError, match="cannot be unpacked"):
        fetch(wanted(server, tmp_path, "xz"), silent)
    assert "debian.qcow2" not in files(tmp_path)


def test_a_name_that_does_not_tell_the_format_is_refused(server: Server, tmp_path: Path) -> None:
    server.content = RAW
    with pytest.raises(GuestError, match=r"is an image in the format raw, not qcow2. Declare its filename"):
        fetch(wanted(server, tmp_path), silent)
    fetch(wanted(server, tmp_path, name="debian.raw"), silent)


def test_who_waited_for_one_that_failed_starts_anew(server: Server, tmp_path: Path) -> None:
    wrong = Download(server.url, tmp_path / "debian.qcow2", "sha256", "0" * 64)
    errors: list[Exception] = []

    def run() -> None:
        try:
            fetch(wrong, silent)
        except GuestError as error:
            errors.append(error)

    runs = [threading.Thread(target=run) for _turn in range(3)]
    for one in runs:
        one.start()
    for one in runs:
        one.join()
    assert ["has the sha256 checksum" in str(error) for error in errors] == [True] * 3
    assert files(tmp_path) == []


def test_two_runs_at_once_fetch_once(server: Server, tmp_path: Path) -> None:
    runs = [threading.Thread(target=fetch, args=(wanted(server, tmp_path), silent)) for _turn in range(3)]
    for one in runs:
        one.start()
    for one in runs:
        one.join()
    assert (tmp_path / "debian.qcow2").read_bytes() == QCOW2
    assert len(server.starts) == 1


@pytest.mark.parametrize(
    ("url", "filename", "content", "name", "compression"),
    [
        ("https://example.org/noble.img", "", "import", "noble-0123456789ab.qcow2", ""),
        ("https://example.org/a%20b.qcow2", "", "import", "a_20b-0123456789ab.qcow2", ""),
        ("https://example.org/f.raw.xz", "", "import", "f-0123456789ab.raw", "xz"),
        ("https://example.org/f.qcow2.gz?x=1", "", "import", "f-0123456789ab.qcow2", "gz"),
        ("https://example.org/f.img.zst", "f.raw", "import", "f-0123456789ab.raw", "zst"),
        ("https://example.org/debian.tar.zst", "", "vztmpl", "debian-0123456789ab.tar.zst", ""),
    ],
)
def test_names_are_what_proxmox_takes(url: str, filename: str, content: str, name: str, compression: str) -> None:
    image = ImageSource(url=url, filename=filename, checksum="sha256:0123456789ABCDEF", storage="local")
    assert local_name(image, content) == (name, compression)


def test_a_container_template_needs_a_name_of_one() -> None:
    with pytest.raises(Refused, match=r"ostemplate: rootfs\.squashfs is no template's name"):
        local_name(ImageSource(url="https://example.org/rootfs.squashfs", checksum="sha256:00"), "vztmpl")


def storage_answers(content: str = "import,vztmpl") -> dict[tuple[str, str], object]:
    return {
        ("GET", "/nodes/pve1/storage/local/content"): [],
        ("GET", "/storage/local"): {"path": "/var/lib/vz", "content": content, "content-dirs": "import=cloud/images"},
        ("GET", "/cluster/options"): {"http_proxy": "http://proxy.example.org:3128"},
    }


FROM_URL = ImageSource(url="https://example.org/a.raw.xz", checksum="sha256:0123456789abcdef", storage="local")


def test_on_the_node_itself_it_goes_into_the_directory_of_the_storage(monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[Download] = []
    monkeypatch.setattr(images, "fetch", fetched.append)
    found = images.find_image(FakeSession(storage_answers()), FROM_URL, "pve1", QEMU)
    assert found.source == "local:import/a-0123456789ab.raw"
    assert found.fetch is not None
    found.fetch()
    (one,) = fetched
    assert one.target == Path("/var/lib/vz/cloud/images/a-0123456789ab.raw")
    assert (one.algorithm, one.checksum, one.compression) == ("sha256", "0123456789abcdef", "xz")
    assert one.proxy == "http://proxy.example.org:3128"


def test_a_storage_that_does_not_take_images_is_named_with_the_remedy() -> None:
    with pytest.raises(Refused, match="the storage local does not take import, only iso") as caught:
        images.find_image(FakeSession(storage_answers("iso")), FROM_URL, "pve1", QEMU)
    assert caught.value.remedy == "pvesm set local --content iso,import"


def test_elsewhere_proxmox_fetches_it_without_a_look_at_the_definition_of_the_storage() -> None:
    session = FakeSession({("GET", "/nodes/pve1/storage/local/content"): []}, node=None)
    session.answers["POST", "/nodes/pve1/storage/local/download-url"] = lambda _params: session.task("download")
    with pytest.raises(Refused, match=r"cannot unpack \.xz"):
        images.find_image(session, FROM_URL, "pve1", QEMU)
    packed = ImageSource(url="https://example.org/a.img.gz", checksum="sha256:0123456789abcdef", storage="local")
    found = images.find_image(session, packed, "pve1", QEMU)
    assert found.fetch is not None
    found.fetch()
    (call,) = session.writes
    assert dict(call.params) == {
        "content": "import", "filename": "a-0123456789ab.qcow2", "url": packed.url, "checksum": "0123456789abcdef",
        "checksum-algorithm": "sha256", "compression": "gz",
    }  # fmt: skip
