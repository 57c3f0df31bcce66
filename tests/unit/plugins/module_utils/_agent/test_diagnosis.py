# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.baremetal.proxmox.plugins.module_utils._agent.device import AgentDevice
from ansible_collections.baremetal.proxmox.plugins.module_utils._agent.diagnosis import Observation, Reason, diagnose
from ansible_collections.baremetal.proxmox.plugins.module_utils._agent.guest_config import (
    parse_agent_option,
    read_macs,
    read_pending,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._agent.trouble import Trouble, classify_failure

ENABLED = read_pending([{"key": "agent", "value": "enabled=1"}])
SILENT = classify_failure("QEMU guest agent is not running\n", 500)
WELL = Observation(
    100, "pve1", ENABLED, "running", "running", uptime=5000, ping=True, fsfreeze="thawed", user="ops@pve!facts"
)
MUTE = replace(WELL, ping=False, failure=SILENT, fsfreeze=None)
UNSET = read_pending([])

# What was seen, the reason, whether waiting is in vain, and a piece of the command to type.
TABLE = [
    (WELL, Reason.OK, True, ""),
    (replace(MUTE, config=UNSET, failure=classify_failure("No QEMU guest agent configured", 500)), Reason.AGENT_DISABLED, True, "qm set 100 --agent enabled=1"),
    (replace(MUTE, config=read_pending([{"key": "agent", "value": "0"}])), Reason.AGENT_DISABLED, True, "qm set 100 --agent enabled=1"),
    (Observation(100, failure=classify_failure("No QEMU guest agent configured", 500)), Reason.AGENT_DISABLED, True, "qm set 100 --agent"),
    (replace(MUTE, config=read_pending([{"key": "agent", "pending": "1"}])), Reason.RESTART_REQUIRED, True, "qm shutdown 100 && qm start 100"),
    (replace(MUTE, config=read_pending([{"key": "agent", "value": "0", "pending": "enabled=1"}])), Reason.RESTART_REQUIRED, True, "qm start 100"),
    (replace(WELL, status="stopped", ping=None), Reason.VM_STOPPED, True, "qm start 100"),
    (Observation(100, failure=classify_failure("VM 100 is not running", 500)), Reason.VM_STOPPED, True, "qm start 100"),
    (replace(WELL, qmpstatus="paused", ping=None), Reason.VM_PAUSED, True, "qm resume 100"),
    (replace(WELL, qmpstatus="io-error", ping=None), Reason.VM_PAUSED, True, "qm resume 100"),
    (replace(MUTE, device=AgentDevice(False)), Reason.DEVICE_MISSING, True, "qm shutdown 100 && qm start 100"),
    (replace(MUTE, device=AgentDevice(True, False), uptime=20), Reason.BOOTING, False, "wait"),
    (replace(MUTE, device=AgentDevice(True, False)), Reason.NOT_LISTENING, True, "apt-get install qemu-guest-agent"),
    (replace(MUTE, device=AgentDevice(True, None)), Reason.NOT_LISTENING, False, "apk add qemu-guest-agent"),
    (MUTE, Reason.NOT_LISTENING, False, "apt-get install"),
    (replace(MUTE, device=AgentDevice(True, True)), Reason.HUNG_OR_BUSY, False, "qm agent 100 ping"),
    (replace(MUTE, device=AgentDevice(True, True), uptime=3), Reason.HUNG_OR_BUSY, False, "qm agent 100 ping"),
    (replace(WELL, failure=classify_failure("VM 100 qga command 'guest-info' failed - got timeout", 500)), Reason.HUNG_OR_BUSY, False, "qm agent 100 ping"),
    (replace(WELL, fsfreeze="frozen", lock="backup"), Reason.FROZEN, False, "qm guest cmd 100 fsfreeze-thaw"),
    (replace(WELL, disabled_commands=("get-users",)), Reason.COMMAND_DISABLED, True, "guest-get-users"),
    (Observation(100, "pve1", user="ops@pve!facts", failure=classify_failure("Permission check failed (/vms/100, VM.GuestAgent.Audit)", 403)),
     Reason.PERMISSION_DENIED, True, "pveum acl modify /vms/100 --roles GuestFacts --tokens ops@pve!facts"),
    (Observation(100, "pve1", user="ops@pve", major_version=8, failure=classify_failure("Permission check failed", 403)),
     Reason.PERMISSION_DENIED, True, 'VM.Audit VM.Monitor'),
    (Observation(999, failure=classify_failure("Configuration file 'nodes/pve1/qemu-server/999.conf' does not exist", 500)),
     Reason.VM_NOT_FOUND, True, "pvesh get /cluster/resources"),
    (Observation(100, "pve2", failure=classify_failure("Connection refused", 595)), Reason.NODE_OFFLINE, False, "pvecm status"),
]  # fmt: skip


@pytest.mark.parametrize(("seen", "reason", "definite", "remedy"), TABLE)
def test_a_reason_and_the_command_to_type(seen, reason, definite, remedy):
    found = diagnose(seen)
    assert found.reason is reason
    assert found.definite is definite
    assert remedy in found.remedy
    assert bool(found.remedy) is (reason is not Reason.OK)
    assert bool(found.detail) is (reason is not Reason.OK)
    assert "{" not in found.remedy


def test_every_reason_is_in_the_table():
    assert {reason for _seen, reason, _definite, _remedy in TABLE} == set(Reason)


def test_a_stopped_guest_whose_agent_was_just_enabled_only_needs_a_start():
    seen = Observation(100, config=read_pending([{"key": "agent", "pending": "1"}]), status="stopped")
    assert diagnose(seen).reason is Reason.VM_STOPPED


def test_enabling_the_agent_of_a_stopped_guest_needs_no_shutdown():
    seen = Observation(100, config=UNSET, status="stopped")
    assert "qm shutdown" not in diagnose(seen).remedy


def test_nothing_is_said_before_the_ping():
    assert diagnose(replace(WELL, ping=None, fsfreeze=None)) is None


def test_boot_time_is_the_users_choice():
    seen = replace(MUTE, device=AgentDevice(True, False), uptime=400)
    assert diagnose(seen, boot_time=600).reason is Reason.BOOTING
    assert diagnose(seen, boot_time=300).reason is Reason.NOT_LISTENING


@settings(settings.get_profile("busy"))
@given(
    st.builds(
        Observation,
        st.integers(100, 999),
        st.sampled_from([None, "pve1"]),
        st.sampled_from([None, ENABLED, UNSET]),
        st.sampled_from([None, "running", "stopped"]),
        st.sampled_from([None, "running", "paused"]),
        st.none() | st.integers(0, 10000),
        st.sampled_from([None, "backup"]),
        st.sampled_from([True, False]),
        st.none() | st.builds(classify_failure, st.text(max_size=20), st.sampled_from([None, 403, 500, 595])),
        st.none() | st.builds(AgentDevice, st.booleans(), st.sampled_from([None, True, False])),
        st.sampled_from([None, "frozen", "thawed"]),
    )
)
def test_a_silent_agent_always_gets_a_reason_and_a_remedy(seen):
    found = diagnose(seen)
    assert found is not None
    assert (found.reason is Reason.OK) is (found.remedy == "")
    if seen.ping is False:
        assert found.reason is not Reason.OK


@pytest.mark.parametrize(
    ("text", "enabled", "kind"),
    [
        ("1", True, "virtio"),
        ("0", False, "virtio"),
        ("enabled=1,fstrim_cloned_disks=1", True, "virtio"),
        ("fstrim_cloned_disks=1,enabled=1,type=isa", True, "isa"),
        ("enabled=0,type=virtio", False, "virtio"),
        ("type=virtio", False, "virtio"),
        (1, True, "virtio"),
        (None, False, "virtio"),
    ],
)
def test_the_agent_option(text, enabled, kind):
    found = parse_agent_option(text)
    assert (found.enabled, found.type, found.present) == (enabled, kind, text is not None)


def test_an_agent_line_that_waits_to_be_deleted_still_runs():
    config = read_pending([{"key": "agent", "value": "1", "delete": 1}])
    assert config.running.enabled
    assert not config.planned.enabled


def test_macs_come_in_the_order_of_the_cards():
    config = {
        "net10": "virtio=BC:24:11:00:00:0A,bridge=vmbr0",
        "net2": "model=e1000,macaddr=BC:24:11:00:00:02,bridge=vmbr1",
        "net0": "virtio=BC:24:11:00:00:00",
        "name": "web1",
        "netfoo": "virtio=BC:24:11:00:00:FF",
        "net1": "virtio,bridge=vmbr0",
    }
    assert read_macs(config) == ("bc:24:11:00:00:00", "bc:24:11:00:00:02", "bc:24:11:00:00:0a")


def test_recorded_errors_are_recognised(agent_recordings):
    kinds = {
        "agent-unset": Trouble.NOT_CONFIGURED,
        "agent-disabled": Trouble.NO_ANSWER,
        "agent-not-running": Trouble.NO_ANSWER,
        "ping-vm-off": Trouble.NOT_RUNNING,
    }
    seen = set()
    for recording in agent_recordings:
        failed = recording.get("rc", 0) != 0 or recording.get("http_status", "200") != "200"
        text = recording.get("stderr") or recording.get("status_line", "").partition(" ")[2].partition(" ")[2]
        for text_of_cause, kind in kinds.items():
            if failed and text.strip() == _TEXTS[kind]:
                assert classify_failure(text, 500).kind is kind
                seen.add(text_of_cause)
        if recording.get("status_line", "").endswith("does not exist") and "onfiguration" in text:
            assert classify_failure(text, 500).kind is Trouble.NO_GUEST
            seen.add("missing")
    assert seen == {*kinds, "missing"}


_TEXTS = {
    Trouble.NOT_CONFIGURED: "No QEMU guest agent configured",
    Trouble.NO_ANSWER: "QEMU guest agent is not running",
    Trouble.NOT_RUNNING: "VM 100 is not running",
}
