# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The agent in a guest: the real one behind its socket, or a stand-in in machines that only sleep."""

from __future__ import annotations

from practice_pve.guests import agent_socket, agent_stand_in, machine, qemu
from practice_pve.guests.store import QEMU
from practice_pve.rest.errors import ApiError


def ask(guest_id: int, command: str, arguments: dict | None = None, timeout: float | None = None) -> object:
    """The result of a command such as guest-ping, {"error": ...} when the agent refuses it; silence is an ApiError."""
    if not machine.is_running(guest_id):
        raise ApiError(f"VM {guest_id} not running", exit_code=2)
    if qemu.is_real(guest_id):
        return agent_socket.ask(guest_id, command, arguments, timeout)
    return agent_stand_in.ask(guest_id, command, timeout)


def why_silent(guest_id: int) -> str | None:
    """None when the agent answers a ping, else what PVE says of it."""
    try:
        ask(guest_id, "guest-ping", timeout=agent_socket.PING_SECONDS)
    except ApiError as error:
        return str(error)
    return None


def assert_available(guest_id: int) -> None:
    """PVE's three questions before every command: configured, running, answering."""
    if "agent" not in QEMU.load(guest_id).values:
        raise ApiError("No QEMU guest agent configured")
    if not machine.is_running(guest_id):
        raise ApiError(f"VM {guest_id} is not running", exit_code=2)
    if why_silent(guest_id) is not None:
        raise ApiError("QEMU guest agent is not running")


def demand(guest_id: int, command: str, arguments: dict | None = None) -> object:
    """Like ask, for commands whose refusal by the agent is an error."""
    assert_available(guest_id)
    return result_of(ask(guest_id, command, arguments))


def result_of(answer: object) -> object:
    """The answer itself; a refusal in it is an error."""
    if isinstance(answer, dict) and "error" in answer:
        # 29: an errno left over from reading the answer
        raise ApiError(f"Agent error: {answer['error']['desc']}\n", exit_code=29)
    return answer
