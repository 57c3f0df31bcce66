# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Links, votes and networks of a cluster that exists, changed while it works. The tests stand in the order of its life."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from node_looks import WRITABLE, shell, wait_until
from playbook_runs import BINARIES, Controller
from practice_lab import Lab
from practice_lab.spec import LabSpec

NODES = ["pve1", "pve2", "pve3"]
BOTH = {0: ["connected"] * 2, 1: ["connected"] * 2}
SECOND = {name: f"10.99.1.{number}" for number, name in enumerate(NODES, 11)}

# Once pve3 has that address: nothing on the wire leads to it.
BROKEN: dict[str, Any] = {"links": [{"number": 1, "addresses": {"pve3": "10.77.0.13"}}], "timeout": 60}


@pytest.fixture(scope="module")
def lab(make_lab: Callable[[], Lab]) -> Lab:
    return make_lab().up(NODES, LabSpec(networks=["10.99.0.0/24", "10.99.1.0/24"]))


@pytest.fixture(scope="module")
def controller(lab: Lab, make_controller: Callable[..., Controller]) -> Controller:
    controller = make_controller(lab)
    controller.write_inventory(NODES)
    controller.play("create-proxmox-cluster").check()
    return controller


def command(controller: Controller, arguments: Mapping[str, Any], *flags: str, host: str = "pve1") -> list[str]:
    argv = [str(BINARIES / "ansible"), host, "-i", str(controller.inventory)]
    return [*argv, "-m", "baremetal.proxmox.proxmox_cluster_links", "-a", json.dumps(arguments), *flags]


def change(controller: Controller, arguments: Mapping[str, Any], *flags: str, host: str = "pve1") -> dict[str, Any]:
    """The module's own answer, with C(ok) beside it."""
    environment = {"ANSIBLE_CALLBACK_RESULT_FORMAT": "json", "ANSIBLE_NOCOLOR": "1"}
    run = controller.run(command(controller, arguments, *flags, host=host), environment)
    start = re.search(rf"^{host} \| \S+ => ", run.stdout, re.MULTILINE)
    assert start, run.output
    answer: dict[str, Any] = json.JSONDecoder().raw_decode(run.stdout[start.end() :])[0]
    return {**answer, "ok": run.rc == 0, "output": run.output}


def good(answer: dict[str, Any]) -> dict[str, Any]:
    assert answer["ok"], answer["output"]
    return answer


def config(lab: Lab, node: str = "pve1") -> str:
    return shell(lab, node, "cat /etc/pve/corosync.conf")


def version(lab: Lab, node: str = "pve1") -> int:
    found = re.search(r"config_version: (\d+)", config(lab, node))
    assert found
    return int(found[1])


def has_version(lab: Lab, wanted: int) -> bool:
    """A reader may meet the moment in which the file is replaced: then it has the version of neither."""
    done = lab.node("pve1").run(["cat", "/etc/pve/corosync.conf"], timeout=60)
    return f"config_version: {wanted}\n" in done.stdout


def without_version(text: str) -> str:
    return re.sub(r"config_version: \d+", "", text)


def links(lab: Lab, node: str) -> dict[int, list[str]]:
    """Number of the link to the states of the other nodes."""
    found: dict[int, list[str]] = {}
    for line in shell(lab, node, "corosync-cfgtool -s").splitlines():
        if line.startswith("LINK ID"):
            number = int(line.split()[2])
            found[number] = []
        elif "nodeid:" in line and "localhost" not in line:
            found[number].append(line.split()[-1])
    return found


def test_check_mode_shows_the_difference_and_changes_nothing(lab: Lab, controller: Controller) -> None:
    before = config(lab)
    answer = good(change(controller, {"links": [{"number": 1, "addresses": SECOND}]}, "--check", "--diff"))
    assert answer["changed"]
    assert "+    ring1_addr: 10.99.1.12" in answer["output"]
    assert "+  config_version: " in answer["output"]
    assert config(lab) == before


def test_a_second_link_is_added(lab: Lab, controller: Controller) -> None:
    old = version(lab)
    wish = {"links": [{"number": 0, "priority": 10}, {"number": 1, "priority": 20, "addresses": SECOND}]}
    assert good(change(controller, wish))["changed"]
    assert version(lab) == old + 1
    for node in NODES:
        assert links(lab, node) == BOTH
        assert shell(lab, node, "cat /etc/corosync/corosync.conf") == config(lab)
    assert "knet_link_priority: 20" in config(lab)
    again = good(change(controller, wish, host="pve2"))
    assert not again["changed"] and version(lab) == old + 1


def test_with_one_link_pulled_the_cluster_stays_quorate(lab: Lab, controller: Controller) -> None:
    with lab.fault("cut", "pve2", link=1):
        wait_until(lambda: "disconnected" in links(lab, "pve1")[1])
        for node in NODES:
            assert json.loads(shell(lab, node, "cat /etc/pve/.members"))["cluster"]["quorate"] == 1
            shell(lab, node, f"echo x > /etc/pve/probe-{node}; rm /etc/pve/probe-{node}")


def test_a_link_gets_another_address(lab: Lab, controller: Controller) -> None:
    shell(lab, "pve3", "ip address add 10.99.1.73/24 dev eno2")
    old = version(lab)
    for address in ("10.99.1.73", SECOND["pve3"]):
        assert good(change(controller, {"links": [{"number": 1, "addresses": {"pve3": address}}]}))["changed"]
        assert f"addr	= {address}" in shell(lab, "pve3", "corosync-cfgtool -s")
    assert version(lab) == old + 4
    assert all(links(lab, node) == BOTH for node in NODES)


def test_votes_and_the_token_coefficient(lab: Lab, controller: Controller) -> None:
    assert good(change(controller, {"votes": {"pve1": 2}, "token_coefficient": 200}))["changed"]
    assert "Total votes:      4" in shell(lab, "pve3", "corosync-quorumtool -s")
    assert "200" in shell(lab, "pve3", "corosync-cmapctl -g totem.token_coefficient")


def test_an_address_that_is_not_on_its_node_is_refused(lab: Lab, controller: Controller) -> None:
    before = config(lab)
    answer = change(controller, {"links": [{"number": 1, "addresses": {"pve3": "10.99.1.77"}}]})
    assert not answer["ok"] and "10.99.1.77 of link 1 is not configured on pve3" in answer["msg"]
    assert config(lab) == before


def test_a_change_that_does_not_work_is_taken_back(lab: Lab, controller: Controller) -> None:
    shell(lab, "pve3", "ip address add 10.77.0.13/24 dev eno2")
    old, before = version(lab), config(lab)
    answer = change(controller, {**BROKEN, "timeout": 15})
    assert not answer["ok"] and answer["rolled_back"], answer["output"]
    assert "link 1" in answer["msg"]
    # The link goes and comes back with the new address; then it goes again and comes back with the old one.
    assert version(lab) == old + 4
    assert without_version(config(lab)) == without_version(before)
    assert all(links(lab, node) == BOTH for node in NODES)


@contextmanager
def a_change_that_nobody_has_seen_working(lab: Lab, controller: Controller) -> Iterator[None]:
    """It is written, and the module waits in vain; what is done inside decides how it ends."""
    old = version(lab)
    running = controller.start(command(controller, BROKEN))
    try:
        wait_until(lambda: has_version(lab, old + 2))
        yield
    finally:
        running.kill()
        print(*running.communicate())


def test_a_run_that_is_killed_before_it_saw_its_change_working_is_taken_back(lab: Lab, controller: Controller) -> None:
    old, before = version(lab), config(lab)
    with a_change_that_nobody_has_seen_working(lab, controller):
        shell(lab, "pve1", "kill -KILL $(sed 's/.*\"process\": \\([0-9]*\\).*/\\1/' /run/baremetal-proxmox/lease.json)")
    wait_until(lambda: has_version(lab, old + 4))
    assert without_version(config(lab)) == without_version(before)
    wait_until(lambda: all(links(lab, node) == BOTH for node in NODES))


def test_a_change_whose_node_was_switched_off_is_taken_back_by_the_next_run(lab: Lab, controller: Controller) -> None:
    old, before = version(lab), config(lab)
    with a_change_that_nobody_has_seen_working(lab, controller):
        lab.node("pve1").kill()
    assert version(lab, "pve2") == old + 2
    lab.up()
    shell(lab, "pve1", WRITABLE)
    settled = good(change(controller, {"timeout": 60}))
    assert settled["changed"] and "taken back first" in settled["output"]
    assert version(lab) == old + 4 and without_version(config(lab)) == without_version(before)
    wait_until(lambda: all(links(lab, node) == BOTH for node in NODES))
    assert not good(change(controller, {"timeout": 60}))["changed"]


def test_nothing_is_changed_while_a_member_is_away_or_ha_is_in_use(lab: Lab, controller: Controller) -> None:
    before = config(lab)
    shell(lab, "pve1", "mkdir -p /etc/pve/ha; printf 'vm: 100\\n\\n' > /etc/pve/ha/resources.cfg")
    answer = change(controller, {"remove_links": [1]})
    assert not answer["ok"] and "high availability" in answer["msg"]
    shell(lab, "pve1", "rm /etc/pve/ha/resources.cfg")
    shell(lab, "pve3", "systemctl stop corosync")
    answer = change(controller, {"remove_links": [1]})
    assert not answer["ok"] and "pve3" in answer["msg"]
    shell(lab, "pve3", "systemctl start corosync")
    shell(lab, "pve3", WRITABLE)
    assert config(lab) == before


def test_the_link_is_removed(lab: Lab, controller: Controller) -> None:
    wait_until(lambda: links(lab, "pve3") == BOTH)
    assert good(change(controller, {"remove_links": [1]}, host="pve3"))["changed"]
    for node in NODES:
        assert links(lab, node) == {0: ["connected"] * 2}


def test_only_the_declared_half_of_the_migration_option_is_changed(lab: Lab, controller: Controller) -> None:
    assert good(change(controller, {"migration": {"type": "insecure"}}))["changed"]
    assert good(change(controller, {"migration": {"network": "10.99.1.0/24"}}))["changed"]
    assert not good(change(controller, {"migration": {"network": "10.99.1.0/24", "type": "insecure"}}))["changed"]
    written = shell(lab, "pve2", "grep ^migration /etc/pve/datacenter.cfg")
    assert "insecure" in written and "10.99.1.0/24" in written
