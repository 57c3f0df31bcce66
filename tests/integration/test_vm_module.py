# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual machines by the module, over SSH, on a practice node: what really happens to configurations, tasks and disks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from module_runs import Playground, PlaygroundOverHttps
from playbook_runs import PlayRun
from practice_lab import Lab

MODULE = "proxmox_qm_vm"
IMAGE = "local:import/tiny.raw"
PASSWORD = "a-very-secret-word"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGFGqk0AJC1bPH6p0bOCRJ0Yw6WKYwtJxJmZ0xPq4xkD lab"


# What says nothing about the way to Proxmox VE is done on one of them.
on_one_transport = pytest.mark.parametrize("node", [Playground], indirect=True, scope="module")


@pytest.fixture(scope="module", params=[Playground, PlaygroundOverHttps])
def node(
    request: pytest.FixtureRequest, make_lab: Callable[[], Lab], tmp_path_factory: pytest.TempPathFactory
) -> Playground:
    """The same cases on both transports."""
    ground: Playground = request.param(make_lab().up(["pve1"]), tmp_path_factory.mktemp("vm"))
    ground.on("pve1", "mkdir -p /var/lib/vz/import && truncate -s 64M /var/lib/vz/import/tiny.raw")
    return ground


@pytest.fixture(autouse=True)
def empty(node: Playground) -> Iterator[None]:
    yield
    node.on(
        "pve1",
        "for id in $(qm list | awk 'NR>1{print $1}'); do qm set $id --protection 0; qm stop $id; qm destroy $id; done",
    )


def vm(name: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "image": IMAGE,
        "storage": "local",
        "memory": 64,
        "scsi": {"scsi0": {"size": "128M"}},
        "net": {"net0": {"model": "virtio", "bridge": "vmbr0"}},
        **more,
    }


def cloud(name: str, **more: Any) -> dict[str, Any]:
    return vm(name, ciuser="ops", cipassword=PASSWORD, sshkeys=[KEY], ipconfig={"ipconfig0": {"ip": "dhcp"}}, **more)


def traces(node: Playground) -> str:
    """Whatever a writing call would change: tasks, configurations, volumes."""
    return node.on(
        "pve1",
        "find /var/log/pve/tasks -name 'UPID*' | sort; head -999 /etc/pve/qemu-server/*.conf; ls -l --time-sort /var/lib/vz/images/*",
    )


def configs(node: Playground) -> dict[str, str]:
    text = node.on("pve1", 'for f in /etc/pve/qemu-server/*.conf; do echo "== $f"; cat $f; done')
    found = {}
    for part in text.split("== ")[1:]:
        name = re.search(r"^name: (\S+)$", part, re.MULTILINE)
        if name:
            found[name[1]] = part
    return found


def shown_diff(output: str) -> str:
    """The lines of the difference, which stands before the result, without the names of temporary files."""
    return "\n".join(
        line
        for line in output.partition("pve1 | ")[0].splitlines()
        if re.match(r"[+\- ] ", line) or line.startswith("@@")
    )


def test_from_nothing_to_running_and_again(node: Playground) -> None:
    wanted = cloud("web1", state="started", agent=True, tags=["B", "a"])
    planned = node.call("pve1", MODULE, "--check", "--diff", **wanted)
    assert planned["ok"], planned["output"]
    assert configs(node) == {}
    done = node.call("pve1", MODULE, "--diff", **wanted)
    assert done["ok"], done["output"]
    assert (
        done["actions"] == planned["actions"] == ["Create web1 as 100 on pve1.", "Let scsi0 have 128M.", "Start web1."]
    )
    assert shown_diff(done["output"]) == shown_diff(planned["output"]) != ""
    assert done["status"] == "running"
    config = configs(node)["web1"]
    assert "size=128M" in config
    assert "tags: a;b" in config
    assert "cipassword: $6$" in config
    assert "ciupgrade: 0" in config
    before = traces(node)
    again = node.change("pve1", MODULE, **wanted)
    assert not again["changed"]
    assert again["actions"] == []
    assert traces(node) == before


def test_one_key_changes_one_key(node: Playground) -> None:
    node.change("pve1", MODULE, **vm("web1"))
    before = configs(node)["web1"].splitlines()
    done = node.change("pve1", MODULE, **vm("web1", memory=128))
    assert done["actions"] == ["Set memory."]
    changed = set(before) ^ set(configs(node)["web1"].splitlines())
    assert changed == {"memory: 64", "memory: 128"}


def test_pending_is_told_and_a_restart_applies_it(node: Playground) -> None:
    wanted = vm("web1", state="started", force=True)
    node.change("pve1", MODULE, **wanted)
    told = node.change("pve1", MODULE, **{**wanted, "cores": 2})
    assert told["pending"] == ["cores"]
    assert told["restart_required"]
    done = node.change("pve1", MODULE, **{**wanted, "cores": 2, "restart_policy": "if_required", "timeout": 5})
    assert done["pending"] == []
    assert done["status"] == "running"


def test_disks_are_kept(node: Playground) -> None:
    node.change("pve1", MODULE, **vm("web1"))
    volume = re.search(r"^scsi0: ([^,]+)", configs(node)["web1"], re.MULTILINE)
    refused = node.call("pve1", MODULE, **vm("web1", scsi={"scsi0": {"size": "32M"}}))
    assert not refused["ok"]
    assert "disks are never shrunk" in refused["msg"]
    node.change("pve1", MODULE, **vm("web1", scsi={"scsi0": {"size": "256M", "ssd": True}}))
    config = configs(node)["web1"]
    assert volume is not None
    assert f"scsi0: {volume[1]},size=256M,ssd=1" in config
    node.change("pve1", MODULE, name="web1", absent_keys=["scsi0"])
    assert f"unused0: {volume[1]}" in configs(node)["web1"]


def test_a_template_and_its_clones(node: Playground) -> None:
    node.change("pve1", MODULE, **cloud("debian", vmid=9000, state="template"))
    clones = [{"name": f"app{number}"} for number in range(3)]
    defaults = {
        "clone": "debian",
        "memory": 96,
        "scsi": {"scsi0": {"size": "192M"}},
        "net": {"net0": {"tag": 5}},
        "state": "started",
    }
    missing = node.call("pve1", MODULE, defaults=defaults, vms=[*clones, {"name": "bad", "clone": "nosuch"}])
    assert not missing["ok"]
    assert "debian (9000 on pve1)" in missing["msg"]
    assert set(configs(node)) == {"debian"}
    done = node.change("pve1", MODULE, defaults=defaults, vms=clones)
    assert [one["status"] for one in done["results"].values()] == ["running"] * 3
    config = configs(node)["app1"]
    assert "size=192M" in config
    assert "tag=5" in config
    assert "memory: 96" in config
    addresses = [re.search(r"virtio=([0-9A-F:]+)", text)[1] for text in configs(node).values()]  # type: ignore[index]
    assert len(set(addresses)) == 4
    assert not node.change("pve1", MODULE, defaults=defaults, vms=clones)["changed"]


@on_one_transport
def test_one_bad_machine_of_twenty(node: Playground) -> None:
    vms = [{"name": f"vm{number}"} for number in range(20)]
    vms[7]["scsi"] = {"scsi0": {"size": "1M"}}  # type: ignore[assignment]
    defaults = {**vm("x", state="started")}
    del defaults["name"]
    done = node.call("pve1", MODULE, defaults=defaults, vms=vms)
    assert not done["ok"]
    assert done["failed_vms"] == ["vm7"]
    assert done["msg"].startswith("1 of 20 could not be settled. vm7: ")
    assert [one["status"] for name, one in done["results"].items() if name != "vm7"] == ["running"] * 19
    del vms[7]["scsi"]
    again = node.change("pve1", MODULE, defaults=defaults, vms=vms)
    assert [name for name, one in again["results"].items() if one["changed"]] == ["vm7"]
    before = traces(node)
    assert not node.change("pve1", MODULE, defaults=defaults, vms=vms)["changed"]
    assert traces(node) == before


@on_one_transport
def test_two_runs_at_once(node: Playground) -> None:
    defaults = {**vm("x"), "state": "started"}
    del defaults["name"]
    arguments = {"defaults": defaults, "vms": [{"name": f"vm{number}"} for number in range(8)]}
    other = node.start("pve1", MODULE, arguments)
    node.change("pve1", MODULE, **arguments)
    assert other.wait(timeout=300) == 0
    names = re.findall(r"^\s*\d+ (\S+)", node.on("pve1", "qm list"), re.MULTILINE)
    assert sorted(names) == sorted(f"vm{number}" for number in range(8))


def test_a_killed_creation_is_finished(node: Playground) -> None:
    node.on("pve1", "printf 'lock: create\\n' > /etc/pve/qemu-server/120.conf")
    refused = node.call("pve1", MODULE, **vm("web1", vmid=120))
    assert "120 is locked (create)" in refused["msg"]
    assert "qm unlock 120" in refused["msg"]
    # What proves that it was ours: an unsuccessful task of this id.
    node.on("pve1", "rm /etc/pve/qemu-server/120.conf; qm create 120 --scsi0 local:0,import-from=/nosuch.raw || true")
    node.on("pve1", "printf 'lock: create\\n' > /etc/pve/qemu-server/120.conf")
    done = node.change("pve1", MODULE, **vm("web1", vmid=120, state="started"))
    assert done["actions"][0].startswith("Remove the empty reservation of 120")
    assert done["status"] == "running"


def test_refusals(node: Playground) -> None:
    node.change("pve1", MODULE, **vm("web1", vmid=150, protection=True, state="started"))
    other = node.call("pve1", MODULE, **vm("other", vmid=150))
    assert "The vmid 150 is taken by web1 on pve1" in other["msg"]
    assert "is protected" in node.call("pve1", MODULE, name="web1", state="absent")["msg"]
    wrong = node.call("pve1", MODULE, **vm("web1", net={"net0": {"bridge": "vmbr0", "vlan": 3}}))
    assert wrong["msg"].startswith("web1: net0.vlan: there is no such property")
    gone = node.change("pve1", MODULE, name="web1", state="absent", force=True)
    assert gone["changed"]
    assert not node.change("pve1", MODULE, name="web1", state="absent")["changed"]


@on_one_transport
def test_secrets_stay_secret(node: Playground) -> None:
    arguments = {"defaults": {"cipassword": PASSWORD}, "vms": [cloud("web1"), cloud("web2")]}
    done = node.call("pve1", MODULE, "-vvvv", "--diff", **arguments)
    assert done["ok"], done["output"][-3000:]
    assert PASSWORD not in done["output"].replace(json.dumps(arguments), "")
    assert "$6$" not in done["output"]
    assert PASSWORD not in node.on(
        "pve1", "journalctl --no-pager; cat /var/log/pve/tasks/*/*; cat /etc/pve/qemu-server/*"
    )


@on_one_transport
def test_the_playbooks(node: Playground, tmp_path: Path) -> None:
    declared = {"proxmox_templates": [cloud("debian", vmid=9000)], "proxmox_vm_defaults": {"clone": "debian"},
                "proxmox_vms": [{"name": "web1", "vmid": 201}, {"name": "db1", "vmid": 202, "memory": 96}]}  # fmt: skip
    file = tmp_path / "vm_config.yml"
    file.write_text(json.dumps(declared))

    def play(playbook: str, *arguments: str) -> PlayRun:
        controller = node.controller
        return controller.run(controller.playbook_command(playbook, *arguments), node.environment())

    assert play("create-vms", "-e", f"@{file}").check().changed["pve1"] == 2
    assert play("create_vms", "-e", f"@{file}").check().changed["pve1"] == 0
    assert re.search(r"202\s+db1\s+pve1\s+running\s+-", play("vm-status", "-e", f"@{file}").check().output)
    missing = tmp_path / "missing.yml"
    missing.write_text(json.dumps({**declared, "proxmox_vms": [{"name": "new"}, {"name": "bad", "clone": "nosuch"}]}))
    stopped = play("create-vms", "-e", f"@{missing}").refused()
    assert "There are debian (9000 on pve1)" in stopped.output
    assert set(configs(node)) == {"debian", "web1", "db1"}
    play("destroy-vms", "-e", f"@{file}").refused()
    play("destroy-vms", "-e", f"@{file}", "-e", "confirm_destroy=destroy").check()
    assert set(configs(node)) == {"debian"}
