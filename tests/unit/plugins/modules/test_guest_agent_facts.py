# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import threading
import time

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.baremetal.proxmox.plugins.module_utils._session.errors import (
    Denied,
    Failed,
    Invalid,
    NotFound,
    SessionError,
    Unreachable,
)
from ansible_collections.baremetal.proxmox.plugins.modules import guest_agent_facts
from fake_session import FakeSession, InTurn

MAC = "bc:24:11:00:00:01"
TREE = """dev: virtserialport, id ""
  chardev = "qga0"
  name = "org.qemu.guest_agent.0"
  port 1, guest {state}, host on, throttle off
"""
SILENT = Failed("QEMU guest agent is not running", status=500)
COMMANDS = {
    "version": "10.0.2",
    "supported_commands": [{"name": "guest-ping", "enabled": True}, {"name": "guest-exec", "enabled": False}],
}
INTERFACES = [
    {"name": "lo", "hardware-address": "00:00:00:00:00:00", "ip-addresses": [{"ip-address": "127.0.0.1", "ip-address-type": "ipv4", "prefix": 8}]},
    {"name": "eth0", "hardware-address": MAC, "ip-addresses": [{"ip-address": "192.0.2.11", "ip-address-type": "ipv4", "prefix": 24}]},
]  # fmt: skip


def path(vmid=100, *, node="pve1", rest=""):
    return f"/nodes/{node}/qemu/{vmid}{rest}"


def overview(*vmids, node="pve1"):
    guests = [{"type": "qemu", "vmid": vmid, "node": node, "name": f"web{vmid}", "status": "running"} for vmid in vmids]
    return [{"type": "node", "node": node, "status": "online"}, *guests]


def answers(vmid=100, node="pve1", **other):
    """A guest whose agent is well; others by name of the last part of the path."""
    base = path(vmid, node=node)
    well = {
        ("GET", "/cluster/resources"): overview(vmid, node=node),
        ("GET", base + "/pending"): [
            {"key": "agent", "value": "1"}, {"key": "name", "value": f"web{vmid}"},
            {"key": "net0", "value": f"virtio={MAC.upper()},bridge=vmbr0"}],
        ("GET", base + "/status/current"): {"status": "running", "qmpstatus": "running", "uptime": 5000, "vmid": vmid},
        ("POST", base + "/monitor"): TREE.format(state="on"),
        ("POST", base + "/agent/ping"): {"result": {}},
        ("POST", base + "/agent/fsfreeze-status"): {"result": "thawed"},
        ("GET", base + "/agent/info"): {"result": COMMANDS},
        ("GET", base + "/agent/network-get-interfaces"): {"result": INTERFACES},
        ("GET", base + "/agent/get-osinfo"): {"result": {"id": "debian", "version-id": "13"}},
        ("GET", base + "/agent/get-host-name"): {"result": {"host-name": f"web{vmid}"}},
    }  # fmt: skip
    for name, answer in other.items():
        wanted = name.replace("_", "-")
        key = next((key for key in well if key[1].endswith("/" + wanted)), None) or ("GET", f"{base}/agent/{wanted}")
        well[key] = answer
    return well


@pytest.fixture
def run(monkeypatch, capfd):
    def play(session, **options):
        monkeypatch.setattr(guest_agent_facts, "open_session", lambda params: session)
        with patch_module_args(options), pytest.raises(SystemExit) as ended:
            guest_agent_facts.main()
        result = json.loads(capfd.readouterr().out)
        assert (ended.value.code != 0) is bool(result.get("failed"))
        assert not result.get("changed")
        assert not result.get("warnings")
        return result

    return play


def calls(session):
    return [(call.method, call.path.rpartition("/")[2]) for call in session.calls]


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_guest_that_is_well(run, check_mode):
    session = FakeSession(answers())
    result = run(session, vmid=100, _ansible_check_mode=check_mode)
    assert calls(session) == [
        ("GET", "resources"),
        ("GET", "pending"),
        ("GET", "current"),
        ("POST", "monitor"),
        ("POST", "ping"),
        ("POST", "fsfreeze-status"),
        ("GET", "info"),
        ("GET", "network-get-interfaces"),
        ("GET", "get-osinfo"),
        ("GET", "get-host-name"),
    ]
    assert session.calls[3].params == {"command": "info qtree"}
    assert session.closed
    guest = result["guests"][0]
    assert (guest["available"], guest["reason"], guest["remedy"], guest["errors"]) == (True, "ok", "", {})
    assert (guest["primary_ipv4"], guest["primary_ipv6"]) == ("192.0.2.11", None)
    assert (guest["hostname"], guest["os"]["family"], guest["fsfreeze_status"]) == ("web100", "linux", "thawed")
    assert (guest["version"], guest["commands"]) == ("10.0.2", {"enabled": ["ping"], "disabled": ["exec"]})
    assert result["ansible_facts"]["guest_agent_facts"]["100"] == guest


def test_only_what_was_asked_for_is_asked(run):
    session = FakeSession(answers())
    guest = run(session, vmid=100, gather=["hostname"])["guests"][0]
    assert [name for _method, name in calls(session)[4:]] == ["ping", "fsfreeze-status", "get-host-name"]
    assert "interfaces" not in guest


@pytest.mark.parametrize(
    ("other", "reason", "last_call"),
    [
        ({"pending": [{"key": "name", "value": "web100"}]}, "agent_disabled", "current"),
        ({"pending": [{"key": "agent", "value": "0", "pending": "1"}]}, "restart_required", "current"),
        ({"current": {"status": "stopped", "uptime": 0}}, "vm_stopped", "current"),
        ({"current": {"status": "running", "qmpstatus": "paused", "uptime": 9}}, "vm_paused", "current"),
        ({"monitor": 'dev: nothing, id ""'}, "device_missing", "monitor"),
        ({"monitor": TREE.format(state="off")}, "not_listening", "monitor"),
        (
            {"monitor": TREE.format(state="off"), "current": {"status": "running", "qmpstatus": "running", "uptime": 9}},
            "booting",
            "monitor",
        ),
        ({"ping": SILENT}, "hung_or_busy", "ping"),
        ({"ping": SILENT, "monitor": Denied("Permission check failed", status=403)}, "not_listening", "ping"),
        ({"info": Failed("VM 100 qga command 'guest-info' failed - got timeout", status=500)}, "hung_or_busy", "info"),
        ({"info": SILENT}, "hung_or_busy", "info"),
        ({"fsfreeze-status": {"result": "frozen"}}, "frozen", "info"),
        ({"ping": Denied("Permission check failed (/vms/100, VM.GuestAgent.Audit)", status=403)}, "permission_denied", "version"),
        ({"pending": NotFound("Configuration file 'nodes/pve1/qemu-server/100.conf' does not exist", status=500)}, "vm_not_found", "pending"),
        ({"pending": Unreachable("Connection refused", status=595)}, "node_offline", "pending"),
        (
            {"get-host-name": {"result": {"error": {"class": "CommandNotFound", "desc": "Command guest-get-host-name has been disabled"}}}},
            "command_disabled",
            "get-host-name",
        ),
    ],
)  # fmt: skip
def test_each_reason(run, other, reason, last_call):
    session = FakeSession(answers(**other))
    guest = run(session, vmid=100)["guests"][0]
    assert guest["reason"] == reason
    assert guest["remedy"]
    assert guest["detail"]
    assert calls(session)[-1][1] == last_call


def test_a_missing_privilege_is_named_for_the_release(run):
    session = FakeSession(answers(ping=Denied("Permission check failed", status=403)), user="ops@pve", version="8.4.1")
    guest = run(session, vmid=100)["guests"][0]
    assert "VM.Monitor" in guest["remedy"]
    assert "--users ops@pve" in guest["remedy"]


def test_one_refused_command_does_not_hide_the_others(run):
    refusal = {
        "result": {"error": {"class": "CommandNotFound", "desc": "The command guest-get-osinfo has not been found"}}
    }
    guest = run(FakeSession(answers(get_osinfo=refusal)), vmid=100)["guests"][0]
    assert guest["reason"] == "ok"
    assert guest["errors"] == {"get-osinfo": "The command guest-get-osinfo has not been found"}
    assert guest["hostname"] == "web100"


def test_a_broken_answer_to_one_command_is_only_its_error(run):
    guest = run(FakeSession(answers(get_osinfo=Unreachable("Broken pipe", status=596))), vmid=100)["guests"][0]
    assert (guest["reason"], guest["errors"]) == ("ok", {"get-osinfo": "Broken pipe"})


def test_waiting_ends_when_the_address_is_there(run):
    early = [{"name": "eth0", "hardware-address": MAC}]
    session = FakeSession(answers(network_get_interfaces=InTurn({"result": early}, {"result": INTERFACES})))
    result = run(session, vmid=100, require="ipv4", wait=True, delay=0.01, timeout=30, on_unavailable="fail")
    assert result["guests"][0]["primary_ipv4"] == "192.0.2.11"
    assert calls(session).count(("GET", "network-get-interfaces")) == 2


def test_waiting_for_an_agent_that_nobody_switched_on_ends_at_once(run):
    session = FakeSession(answers(pending=[]))
    result = run(session, vmid=100, wait=True, timeout=900, on_unavailable="fail")
    assert result["failed"]
    assert "qm set 100 --agent enabled=1" in result["msg"]
    assert calls(session).count(("GET", "pending")) == 1


def test_waiting_for_a_booting_guest_goes_on(run):
    current = {"status": "running", "qmpstatus": "running", "uptime": 9}
    session = FakeSession(
        answers(
            current=current, monitor=InTurn(TREE.format(state="off"), TREE.format(state="off"), TREE.format(state="on"))
        )
    )
    assert run(session, vmid=100, wait=True, delay=0.01, timeout=30)["guests"][0]["available"]


def test_an_unmet_requirement_is_told_without_failing(run):
    guest = run(FakeSession(answers()), vmid=100, require="ipv6")["guests"][0]
    assert (guest["available"], guest["satisfied"]) == (True, False)


def test_all_guests_without_templates_and_containers(run):
    rows = [
        *overview(101, 100),
        {"type": "qemu", "vmid": 9000, "node": "pve1", "template": 1},
        {"type": "lxc", "vmid": 200, "node": "pve1", "name": "ct"},
        {"type": "node", "node": "pve2", "status": "offline"},
        {"type": "qemu", "vmid": 300, "node": "pve2", "name": "db1"},
    ]
    session = FakeSession({**answers(100), **answers(101), ("GET", "/cluster/resources"): rows})
    result = run(session, all=True)
    found = {guest["vmid"]: guest["reason"] for guest in result["guests"]}
    assert found == {100: "ok", 101: "ok", 300: "node_offline"}
    assert list(found) == sorted(found)
    assert not any("pve2" in call.path for call in session.calls)


def test_numbers_that_are_no_virtual_machines(run):
    rows = [*overview(100), {"type": "lxc", "vmid": 200, "node": "pve1", "name": "ct"}]
    session = FakeSession({**answers(), ("GET", "/cluster/resources"): rows})
    result = run(session, vmids=[999, 200, 100])
    assert [(guest["vmid"], guest["reason"]) for guest in result["guests"]] == [(100, "ok"), (200, "vm_not_found"), (999, "vm_not_found")]  # fmt: skip
    assert "container" in result["guests"][1]["detail"]


def test_a_guest_that_the_user_is_not_shown(run):
    taken = Invalid("Parameter verification failed.", errors={"vmid": "VM 100 already exists"})
    seen = {("GET", "/cluster/resources"): [], ("GET", "/cluster/nextid"): taken}
    guest = run(FakeSession(seen, user="ops@pve"), vmid=100)["guests"][0]
    assert guest["reason"] == "permission_denied"
    assert "VM.Audit" in guest["remedy"]
    nobody = run(FakeSession({**seen, ("GET", "/cluster/nextid"): "100"}, user="ops@pve"), vmid=100)["guests"][0]
    assert nobody["reason"] == "vm_not_found"


def test_a_guest_by_name_also_when_it_was_made_seconds_ago(run):
    rows = [{"type": "node", "node": "pve1", "status": "online"}, {"type": "qemu", "vmid": 100, "node": "pve1"}]
    session = FakeSession(
        {
            **answers(),
            ("GET", "/cluster/resources"): rows,
            ("GET", "/nodes/pve1/qemu"): [{"vmid": 100, "name": "web100"}],
        }
    )
    assert run(session, name="web100")["guests"][0]["vmid"] == 100
    result = run(FakeSession({**answers(), ("GET", "/nodes/pve1/qemu"): []}), name="nobody")
    assert "there is no virtual machine named nobody" in result["msg"]


def test_two_guests_of_one_name(run):
    rows = [*overview(100), {"type": "qemu", "vmid": 101, "node": "pve1", "name": "web100"}]
    assert "100, 101" in run(FakeSession({("GET", "/cluster/resources"): rows}), name="web100")["msg"]


def test_one_guest_with_an_odd_error_does_not_hide_the_others(run):
    session = FakeSession({**answers(101), **answers(100, pending=Failed("oops", status=500)), ("GET", "/cluster/resources"): overview(100, 101)})  # fmt: skip
    guests = run(session, vmids=[100, 101])["guests"]
    assert [(guest["reason"], guest["detail"]) for guest in guests] == [("unknown", "oops"), ("ok", "")]


def test_no_way_to_the_cluster_is_a_failure(run):
    result = run(FakeSession({("GET", "/cluster/resources"): Unreachable("Connection refused")}), all=True)
    assert "Connection refused" in result["msg"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "missing"),
        ({"vmid": 100, "name": "web"}, "mutually exclusive"),
        ({"vmid": 100, "all": True}, "exclude each other"),
        ({"vmid": 100, "networks": ["10.0.0.0/99"]}, "networks: "),
    ],
)
def test_options_that_make_no_sense(run, options, words):
    assert words in run(FakeSession(), **options)["msg"]


def test_hung_guests_cost_about_one_time_limit_together(run):
    """100 guests, 10 of which make Proxmox VE wait; never more at a time than allowed."""
    hang = 0.5
    at_work = 0
    most = 0
    lock = threading.Lock()

    def answer(method, place, params):
        nonlocal at_work, most
        vmid = int(place.split("/")[4])
        if not place.endswith("/ping"):
            return answers(vmid)[method, place]
        with lock:
            at_work += 1
            most = max(most, at_work)
        try:
            if vmid % 10:
                return {"result": {}}
            time.sleep(hang)
            raise Failed("QEMU guest agent is not running", status=500)
        finally:
            with lock:
                at_work -= 1

    session = FakeSession({("GET", "/cluster/resources"): overview(*range(100, 200))}, handler=answer)
    start = time.monotonic()
    guests = run(session, all=True, max_parallel=20)["guests"]
    took = time.monotonic() - start
    assert sum(guest["reason"] == "hung_or_busy" for guest in guests) == 10
    assert sum(guest["available"] for guest in guests) == 90
    assert most <= 20
    # Ten times one after the other would be 5 s.
    assert took < 10 * hang


def test_every_error_class_is_caught(run):
    assert run(FakeSession({("GET", "/cluster/resources"): SessionError("odd")}), all=True)["failed"]
