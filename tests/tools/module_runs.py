# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Single cluster modules run against a lab, and what tests bring about around them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any

from playbook_runs import BINARIES, Controller, PlayRun
from practice_lab import Lab

ADDRESS = {f"pve{number}": f"10.99.0.1{number}" for number in range(1, 6)}
SEED = {"state": "joined", "cluster_name": "lab", "seeds": [ADDRESS["pve1"]]}
READY = "test -s /etc/pve/local/pve-ssl.pem && test -s /root/.ssh/id_rsa.pub && ss -Hltn | grep -q :8006"
# Waits end when what they wait for is there; how long that may take depends on how busy the machine is.
PATIENCE = 300.0


class Playground:
    """A lab, and an Ansible controller that logs in by a key outside /etc/pve: also while that is away."""

    def __init__(self, lab: Lab, directory: Path) -> None:
        self.lab = lab
        self.controller = Controller(lab, directory / "home", passwords=False)
        self.names = [node.name for node in lab.nodes()]
        public = self.controller.key.with_suffix(".pub").read_text(encoding="utf-8")
        for name in self.names:
            lab.node(name).run(
                ["sh", "-c", "cat >> /root/.ssh/authorized_keys2; chmod 600 /root/.ssh/authorized_keys2"], public
            )
        self.controller.write_inventory(self.names)
        for name in self.names:
            self.wait(name, READY)

    # -- modules

    def argv(self, host: str, module: str, arguments: dict[str, Any], *flags: str) -> list[str]:
        call = [str(BINARIES / "ansible"), host, "-i", str(self.controller.inventory)]
        return [
            *call,
            "-m",
            f"baremetal.proxmox.{module}",
            *(["-a", json.dumps(arguments)] if arguments else []),
            *flags,
        ]

    @staticmethod
    def environment() -> dict[str, str]:
        # Nodes are cut off and SSH sessions dropped here: a connection that outlives its run would stand in the way.
        return {
            "ANSIBLE_HOST_KEY_CHECKING": "False",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
            "ANSIBLE_SSH_ARGS": "-o UserKnownHostsFile=/dev/null -o ControlMaster=no -o LogLevel=ERROR",
        }

    def call(self, host: str, module: str, *flags: str, **arguments: Any) -> dict[str, Any]:
        done = self.controller.run(self.argv(host, module, arguments, *flags), self.environment(), patience=600)
        start = re.search(rf"^{host} \| \S+ => ", done.stdout, re.MULTILINE)
        assert start, done.output
        result = json.JSONDecoder().raw_decode(done.stdout[start.end() :])[0]
        return {**result, "ok": done.rc == 0, "output": done.output}

    def change(self, host: str, module: str, **arguments: Any) -> dict[str, Any]:
        result = self.call(host, module, **arguments)
        assert result["ok"], result["output"]
        return result

    def change_when_free(self, host: str, module: str, **arguments: Any) -> dict[str, Any]:
        """A module that was killed with its connection may still hold its lease for a moment."""
        deadline = time.monotonic() + PATIENCE
        while not (result := self.call(host, module, **arguments))["ok"]:
            assert result.get("error") == "Locked" and time.monotonic() < deadline, result["output"]
            time.sleep(1)
        return result

    def start(self, host: str, module: str, arguments: dict[str, Any]) -> subprocess.Popen[str]:
        return self.controller.start(self.argv(host, module, arguments), self.environment(), output=subprocess.DEVNULL)

    def play(self, playbook: str, *arguments: str) -> PlayRun:
        """A playbook of the collection by its name, or any by its path."""
        return self.controller.run(self.controller.playbook_command(playbook, *arguments), self.environment(), PATIENCE)

    # -- nodes

    def info(self, host: str, **arguments: Any) -> dict[str, Any]:
        return self.change(host, "proxmox_cluster_info", **arguments)

    def state(self, host: str) -> str:
        return str(self.info(host)["node_state"])

    def on(self, host: str, script: str) -> str:
        return self.lab.node(host).run(["sh", "-c", script], timeout=PATIENCE).stdout

    def wait(self, host: str, script: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while self.lab.node(host).run(["sh", "-c", script]).rc != 0:
            assert time.monotonic() < deadline, f"{host}: {script}"
            time.sleep(0.2)

    def trust(self, joiner: str, seed: str) -> None:
        """What the SSH role prepares: the joiner's key on the seed, the seed's host key on the joiner."""
        key = self.on(joiner, "cat /root/.ssh/id_rsa.pub").strip()
        self.on(
            seed, f"grep -qF '{key}' /etc/pve/priv/authorized_keys || echo '{key}' >> /etc/pve/priv/authorized_keys"
        )
        host_key = " ".join(self.on(seed, "cat /etc/ssh/ssh_host_ed25519_key.pub").split()[:2])
        self.on(joiner, f"echo '{ADDRESS[seed]} {host_key}' >> /root/.ssh/known_hosts")

    # -- clusters

    def found(self, *joiners: str) -> None:
        """The cluster lab on pve1, with these members more."""
        self.change("pve1", "proxmox_cluster", state="present", cluster_name="lab")
        for name in joiners:
            self.trust(name, "pve1")
            self.change(name, "proxmox_cluster", **SEED)

    def healthy(self, *members: str) -> None:
        for name in members:
            seen = self.info(name, cluster_name="lab", expected_members=list(members), wait=120)
            assert seen["health"], seen["problems"]

    def kill_join(self, host: str) -> None:
        """Cut the node off, start its join, and kill the controller once pvecm waits for the quorum."""
        self.trust(host, "pve1")
        self.lab.fault("cut", host, protocol="udp")
        self.on(host, "rm -f /var/log/baremetal-proxmox/join.log")
        controller = self.start(host, "proxmox_cluster", SEED)
        try:
            self.wait(host, "grep -q 'waiting for quorum' /var/log/baremetal-proxmox/join.log")
        finally:
            os.killpg(controller.pid, 9)
            controller.wait()


class PlaygroundOverHttps(Playground):
    """Modules speak to their node's API over HTTPS, with a password and a pinned certificate."""

    def argv(self, host: str, module: str, arguments: dict[str, Any], *flags: str) -> list[str]:
        node = self.lab.node(host)
        fingerprint = self.on(host, "openssl x509 -noout -fingerprint -sha256 -in /etc/pve/local/pve-ssl.pem")
        access = {
            "transport": "api",
            "api_host": node.ip,
            "api_user": "root@pam",
            "api_password": node.spec.password,
            "api_fingerprint": fingerprint.strip().partition("=")[2],
        }
        return super().argv(host, module, {**access, **arguments}, *flags)
