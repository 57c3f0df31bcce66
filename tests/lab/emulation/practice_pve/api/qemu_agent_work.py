# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""/nodes/{node}/qemu/{vmid}/agent: programs, files and passwords in the guest."""

from __future__ import annotations

import base64
import sys

from practice_pve.api.qemu import GUEST
from practice_pve.api.qemu_agent import allowed_to
from practice_pve.guests import agent, agent_programs, perl_bytes
from practice_pve.guests.store import QEMU
from practice_pve.rest import Call, api_method
from practice_pve.rest.parameters import Array, Boolean, Integer, Text

_PATH = "/nodes/{node}/qemu/{vmid}/agent"
_MOST_READ = 16 * 1024 * 1024
_READ_AT_ONCE = 1024 * 1024


@api_method(
    "POST", f"{_PATH}/exec", permissions=allowed_to(), protected=True, proxyto="node",
    parameters={**GUEST, "command": Array(items=Text()), "input-data": Text(optional=True, max_length=64 * 1024)},
)  # fmt: skip
def execute(call: Call) -> dict:
    """Start a program in the guest."""
    guest_id, given = call.params["vmid"], call.params.get("input-data")
    QEMU.load(guest_id)
    return agent_programs.execute(
        guest_id, list(call.params["command"]), None if given is None else perl_bytes.from_text(given)
    )


@api_method(
    "GET", f"{_PATH}/exec-status", permissions=allowed_to(), protected=True, proxyto="node",
    parameters={**GUEST, "pid": Integer()},
)  # fmt: skip
def read_exec_status(call: Call) -> dict:
    """How a program ended, and what it wrote."""
    QEMU.load(call.params["vmid"])
    return agent_programs.read_status(call.params["vmid"], call.params["pid"])


@api_method(
    "GET", f"{_PATH}/file-read", permissions=allowed_to("VM.GuestAgent.FileRead"), protected=True, proxyto="node",
    parameters={
        **GUEST,
        "file": Text(),
        "count": Integer(optional=True, minimum=1, maximum=_MOST_READ, default=_MOST_READ),
        "offset": Integer(optional=True, minimum=0, default=0),
        "decode": Boolean(optional=True, default=1),
    },
)  # fmt: skip
def read_file(call: Call) -> dict:
    """A file of the guest, or the beginning of a long one."""
    guest_id, most = call.params["vmid"], call.params.get("count", _MOST_READ)
    decode, offset = call.params.get("decode", 1), call.params.get("offset", 0)
    QEMU.load(guest_id)
    handle = agent.demand(guest_id, "guest-file-open", {"path": call.params["file"]})
    if offset:
        position = {"handle": handle, "offset": offset, "whence": "set"}
        agent.result_of(agent.ask(guest_id, "guest-file-seek", position))
    content, count, at_end = b"", 0, False
    while count < most and not at_end:
        wanted = {"handle": handle, "count": min(most - count, _READ_AT_ONCE)}
        block = agent.result_of(agent.ask(guest_id, "guest-file-read", wanted))
        assert isinstance(block, dict)
        content += base64.b64decode(block["buf-b64"]) if decode else block["buf-b64"].encode()
        count += block["count"]
        at_end = block.get("eof", False)
    agent.ask(guest_id, "guest-file-close", {"handle": handle})
    result: dict = {"content": perl_bytes.to_text(content), "bytes-read": count}
    if not at_end:
        if "count" not in call.params:
            print(
                f"agent file-read: reached maximum read size: {_MOST_READ} bytes. output might be truncated.",
                file=sys.stderr,
            )
        result["truncated"] = 1
    return result


@api_method(
    "POST", f"{_PATH}/file-write", permissions=allowed_to("VM.GuestAgent.FileWrite"), protected=True, proxyto="node",
    parameters={
        **GUEST,
        "file": Text(),
        "content": Text(max_length=60 * 1024),
        "encode": Boolean(optional=True, default=1),
    },
)  # fmt: skip
def write_file(call: Call) -> None:
    """Replace a file of the guest."""
    guest_id, content = call.params["vmid"], call.params["content"]
    QEMU.load(guest_id)
    if call.params.get("encode", 1):
        content = base64.encodebytes(perl_bytes.from_text(content)).decode()
    handle = agent.demand(guest_id, "guest-file-open", {"path": call.params["file"], "mode": "wb"})
    agent.demand(guest_id, "guest-file-write", {"handle": handle, "buf-b64": content})
    agent.demand(guest_id, "guest-file-close", {"handle": handle})


@api_method(
    "POST", f"{_PATH}/set-user-password", permissions=allowed_to(), protected=True, proxyto="node",
    parameters={
        **GUEST,
        "username": Text(),
        "password": Text(min_length=5, max_length=1024),
        "crypted": Boolean(optional=True, default=0),
    },
)  # fmt: skip
def set_password(call: Call) -> dict:
    """Give a user of the guest another password."""
    QEMU.load(call.params["vmid"])
    arguments = {
        "username": call.params["username"],
        "password": base64.encodebytes(perl_bytes.from_text(call.params["password"])).decode(),
        "crypted": bool(call.params.get("crypted")),
    }
    return {"result": agent.demand(call.params["vmid"], "guest-set-user-password", arguments)}
