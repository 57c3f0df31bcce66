# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The helper over an ssh that is a script: it runs the remote command here, or fails as ssh does."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.baremetal.proxmox.plugins.plugin_utils._node_helper.access import NodeAccess
from ansible_collections.baremetal.proxmox.plugins.plugin_utils._node_helper.channel import (
    HelperError,
    HelperOnNode,
    NotReached,
    open_first,
)

SSH = """#!/bin/sh
for word; do host=$last; last=$word; done
case $host in
*refused*) echo "ssh: connect to host $host port 22: Connection refused" >&2; exit 255 ;;
*nopython*) echo "sh: python3: not found" >&2; exit 127 ;;
esac
exec sh -c "$last"
"""


@pytest.fixture
def access(tmp_path):
    ssh = tmp_path / "ssh"
    ssh.write_text(SSH, encoding="utf-8")
    ssh.chmod(0o755)

    def make(host, **more):
        return NodeAccess(host=host, executable=str(ssh), **more)

    return make


def test_the_collection_s_own_code_answers_on_the_other_side(access, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # nothing of this checkout is in the way of what was sent
    helper = open_first([access("node")])
    assert helper.ask("greet") == os.uname().nodename.partition(".")[0]
    with pytest.raises(HelperError, match="no guest has been named"):
        helper.ask("run", argv=["true"], stdin=None, timeout=1)
    helper.close()


def test_the_next_node_is_asked(access):
    helper = open_first([access("refused1"), access("node")])
    helper.close()
    with pytest.raises(NotReached, match=r"refused1.*Connection refused.*refused2"):
        open_first([access("refused1"), access("refused2")])


def test_trouble_on_the_node_is_told_and_no_other_node_asked(access):
    with pytest.raises(HelperError, match="python3: not found") as caught:
        open_first([access("nopython"), access("node")])
    assert not isinstance(caught.value, NotReached)


def test_without_ssh_there_is_no_way():
    with pytest.raises(NotReached, match="cannot be run"):
        HelperOnNode(NodeAccess("node", executable="/no/such/ssh"))


def test_host_keys_are_checked_and_may_be_pinned(access):
    plain = access("node").command("x")
    assert "StrictHostKeyChecking=yes" in plain
    assert "StrictHostKeyChecking=no" in access("node", check_host_key=False).command("x")
    pinned = access("node", host_keys=["ssh-ed25519 AAAA"], check_host_key=False)
    command = pinned.command("x")
    file = next(word for word in command if word.startswith("UserKnownHostsFile=")).partition("=")[2]
    assert Path(file).read_text(encoding="utf-8") == "pinned ssh-ed25519 AAAA\n"
    assert {"StrictHostKeyChecking=yes", "HostKeyAlias=pinned", "GlobalKnownHostsFile=/dev/null"} <= set(command)


def test_the_rest_of_the_command(access):
    command = access("192.0.2.1", user="ops", port=2222, private_key_file="~/k", arguments="-4 -o A=b", become=True).command("x y")  # fmt: skip
    assert command[1:4] == ["-4", "-o", "A=b"]
    assert {"User=ops", "Port=2222", "BatchMode=yes", os.path.expanduser("~/k")} <= set(command)
    assert command[-2:] == ["192.0.2.1", "sudo -n python3 -c 'x y'"]
