# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Guests of two practice nodes through one of them: containers, guests elsewhere, templates that follow a downloaded image."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from module_runs import Playground
from practice_lab import Lab

VM, CT, TEMPLATE = "proxmox_qm_vm", "proxmox_pct_ct", "proxmox_template"
ARCHIVE = "local:vztmpl/debian-13-mini_13.1-1_amd64.tar.gz"
PASSWORD = "a-very-secret-word"
# An image is the same bytes on both sides, so that the test knows its checksum.
IMAGES = {name: name.encode() * 65536 for name in ("one", "two")}


@pytest.fixture(scope="module")
def nodes(make_lab: Callable[[], Lab], tmp_path_factory: pytest.TempPathFactory) -> Playground:
    ground = Playground(make_lab().up(["pve1", "pve2"]), tmp_path_factory.mktemp("guests"))
    ground.found("pve2")
    for name in ("pve1", "pve2"):
        ground.on(
            name,
            "mkdir -p /var/lib/vz/template/cache /tmp/root/etc /srv/images && touch /tmp/root/etc/debian_version"
            f" && tar czf /var/lib/vz/template/cache/{ARCHIVE.rpartition('/')[2]} -C /tmp/root .",
        )
    for name, content in IMAGES.items():
        ground.on(
            "pve1",
            f"python3 -c \"open('/srv/images/{name}.img.xz', 'wb').write(__import__('lzma').compress({name.encode()!r} * 65536))\"",
        )
        assert len(content) == 3 * 65536
    ground.on(
        "pve1", "systemd-run --quiet --unit=images python3 -m http.server 8099 --bind 127.0.0.1 --directory /srv/images"
    )
    ground.wait("pve1", "ss -Hltn | grep -q :8099")
    return ground


@pytest.fixture(autouse=True)
def empty(nodes: Playground) -> Iterator[None]:
    yield
    for name in ("pve1", "pve2"):
        nodes.on(
            name,
            "for id in $(qm list | awk 'NR>1{print $1}'); do qm set $id --protection 0; qm stop $id; qm destroy $id --purge; done;"
            " for id in $(pct list | awk 'NR>1{print $1}'); do pct stop $id; pct destroy $id --purge; done",
        )


def container(name: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "ostemplate": ARCHIVE,
        "rootfs": "local:0",
        "memory": 64,
        "net": {"net0": {"name": "eth0", "bridge": "vmbr0", "ip": "dhcp"}},
        "password": PASSWORD,
        **more,
    }


def test_a_container_is_made_and_kept(nodes: Playground) -> None:
    wanted = container("ct1", vmid=200, tags=["B", "a"], features={"nesting": True})
    planned = nodes.call("pve1", CT, "--check", **wanted)
    assert planned["ok"], planned["output"]
    done = nodes.call("pve1", CT, "-vvv", **wanted)
    assert done["ok"], done["output"]
    assert done["actions"] == planned["actions"] == ["Create ct1 as 200 on pve1."]
    assert "$6$" not in done["output"]
    config = nodes.on("pve1", "cat /etc/pve/lxc/200.conf")
    assert "hostname: ct1" in config
    assert "tags: a;b" in config
    assert "unprivileged: 1" in config
    again = nodes.change("pve1", CT, **wanted)
    assert not again["changed"]
    changed = nodes.change("pve1", CT, name="ct1", memory=128, net={"net0": {"tag": 5}})
    assert changed["actions"] == ["Set memory, net0."]
    address = config.partition("hwaddr=")[2][:17]
    now = nodes.on("pve1", "cat /etc/pve/lxc/200.conf")
    assert address in now
    assert "tag=5" in now
    assert "memory: 128" in now
    refused = nodes.call("pve1", CT, name="ct1", unprivileged=False)
    assert refused["msg"].startswith("unprivileged: it is 1 and cannot be changed")
    missing = nodes.call("pve1", CT, **container("ct2", ostemplate="local:vztmpl/none.tar.gz"))
    assert f"local has {ARCHIVE}" in missing["msg"]
    assert nodes.change("pve1", CT, name="ct1", state="absent")["changed"]
    assert not nodes.change("pve1", CT, name="ct1", state="absent")["changed"]


def test_a_container_grows_runs_and_is_cloned(nodes: Playground) -> None:
    wanted = container("ct1", vmid=200, rootfs="local:1", mp={"mp0": "local:1,mp=/srv"}, state="started")
    done = nodes.change("pve1", CT, **wanted)
    assert done["status"] == "running"
    told = nodes.change("pve1", CT, name="ct1", mp={"mp0": {"size": "2G"}}, features={"nesting": True})
    assert told["actions"] == ["Set features.", "Let mp0 have 2G."]
    assert nodes.change("pve1", CT, name="ct1", state="restarted", force=True)["status"] == "running"
    config = nodes.on("pve1", "cat /etc/pve/lxc/200.conf")
    assert "features: nesting=1" in config
    assert "size=2G" in config
    assert "the container ct1 runs" in nodes.call("pve1", CT, name="ct2", clone="ct1")["msg"]
    nodes.change("pve1", CT, name="ct1", state="stopped", force=True)
    clones = [{"name": "ct2"}, {"name": "ct3", "memory": 96}]
    nodes.change("pve1", CT, vms=clones, defaults={"clone": "ct1", "vmid_range": [210, 219]})
    assert "memory: 96" in nodes.on("pve1", "cat /etc/pve/lxc/211.conf")
    assert not nodes.change("pve1", CT, vms=clones, defaults={"clone": "ct1"})["changed"]


def test_guests_of_other_nodes_are_seen_and_settled(nodes: Playground) -> None:
    here, there = (
        {"name": "web1", "vmid": 301, "memory": 64},
        {"name": "web2", "vmid": 302, "memory": 64, "node": "pve2"},
    )
    done = nodes.change("pve1", VM, vms=[here, there], defaults={"state": "started"})
    assert [one["node"] for one in done["results"].values()] == ["pve1", "pve2"]
    assert "running" in nodes.on("pve2", "qm status 302")
    # Through either node, whichever it is on, and without naming it.
    again = nodes.change(
        "pve2", VM, vms=[{"name": "web1"}, {"name": "web2"}], defaults={"state": "started", "memory": 64}
    )
    assert not again["changed"]
    assert "taken by web2 on pve2" in nodes.call("pve1", VM, name="other", vmid=302)["msg"]
    assert "of another kind" in nodes.call("pve1", CT, **container("ct1", vmid=302))["msg"]
    assert "There is no node pve9 online" in nodes.call("pve1", VM, name="new", node="pve9")["msg"]
    assert "is running" in nodes.call("pve1", VM, name="web2", state="absent")["msg"]
    assert nodes.change("pve1", VM, name="web2", state="absent", force=True)["changed"]


def test_pool_and_high_availability(nodes: Playground) -> None:
    nodes.on("pve1", "pvesh create /pools --poolid lab")
    wanted = {"name": "web1", "vmid": 310, "memory": 64, "pool": "lab", "ha": {"max_restart": 2, "comment": "shop"}}
    nodes.change("pve1", VM, **wanted)
    resources = nodes.on("pve1", "cat /etc/pve/ha/resources.cfg")
    assert "vm: 310" in resources
    assert "max_restart 2" in resources
    assert "state stopped" in resources
    assert not nodes.change("pve1", VM, **wanted)["changed"]
    assert nodes.change("pve1", VM, name="web1", ha=False)["actions"] == ["Take vm:310 out of high availability."]
    assert nodes.change("pve1", VM, name="web1", state="absent")["changed"]
    nodes.on("pve1", "pvesh delete /pools/lab")


def test_snippets_are_written_on_the_node_and_nowhere_else(nodes: Playground) -> None:
    snippet = {"name": "web1.yaml", "storage": "local", "content": "#cloud-config\npackages: [nginx]\n"}
    wanted = {"name": "web1", "memory": 64, "snippets": [snippet], "cicustom": "user=local:snippets/web1.yaml"}
    nodes.on("pve1", "pvesm set local --content iso,vztmpl,backup,import,images,rootdir")
    refused = nodes.call("pve1", VM, **wanted)
    assert "the storage local does not take snippets" in refused["msg"]
    assert "pvesm set local --content" in refused["msg"]
    nodes.on("pve1", "pvesm set local --content iso,vztmpl,backup,import,images,rootdir,snippets")
    done = nodes.change("pve1", VM, **wanted)
    assert done["actions"][0] == "Write the snippet local:snippets/web1.yaml."
    assert nodes.on("pve1", "cat /var/lib/vz/snippets/web1.yaml") == snippet["content"]
    assert not nodes.change("pve1", VM, **wanted)["changed"]
    elsewhere = nodes.call("pve1", VM, **{**wanted, "name": "web2", "node": "pve2"})
    assert "is another directory" in elsewhere["msg"]


def test_a_template_follows_its_image(nodes: Playground) -> None:
    def settle(name: str, **more: Any) -> dict[str, Any]:
        packed = nodes.on("pve1", f"sha256sum /srv/images/{name}.img.xz").split()[0]
        image = {
            "url": f"http://127.0.0.1:8099/{name}.img.xz",
            "checksum": f"sha256:{packed}",
            "storage": "local",
            "filename": f"{name}.raw",
        }
        return nodes.change(
            "pve1", TEMPLATE, name="tiny", image=image, storage="local", vmid=9000, machine={"memory": 64}, **more
        )

    first = settle("one")
    assert first["vmid"] == 9000
    assert first["actions"][0].startswith("Fetch http://127.0.0.1:8099/one.img.xz as local:import/one-")
    content = nodes.on("pve1", "sha256sum /var/lib/vz/images/9000/base-9000-disk-0.raw").split()[0]
    assert content == hashlib.sha256(IMAGES["one"]).hexdigest()
    assert nodes.on("pve1", "ls -A /var/lib/vz/import | grep -c '^\\.' || true").strip() == "0"
    assert not settle("one")["changed"]
    nodes.change("pve1", VM, name="web1", clone={"source": "tiny", "full": True})
    second = settle("two", keep=0)
    assert second["vmid"] != 9000
    assert second["old_versions"] == []
    assert nodes.on("pve1", "qm list | awk 'NR>1{print $2}' | sort").split() == ["tiny", "web1"]
    wrong = nodes.call(
        "pve1", TEMPLATE, name="bad", storage="local",
        image={"url": "http://127.0.0.1:8099/one.img.xz", "checksum": "sha256:" + "0" * 64, "storage": "local", "filename": "one.raw"},
    )  # fmt: skip
    assert "has the sha256 checksum" in wrong["msg"]
