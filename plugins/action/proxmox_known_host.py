# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Controller side of M(baremetal.proxmox.proxmox_known_host)."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.plugins.action import ActionBase

from ansible_collections.baremetal.proxmox.plugins.module_utils._files import read_text
from ansible_collections.baremetal.proxmox.plugins.module_utils._ssh.first_contact import (
    PROBE_OPTIONS,
    Contact,
    Destination,
    check_fingerprint,
    judge_contact,
    parse_destination,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._ssh.keys import (
    HostKeys,
    PublicKey,
    find_keys,
    require_key,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._ssh.known_hosts_file import NotAFile, pin_in_file

UNKNOWN_REMEDY = (
    "Look at its fingerprint on the console (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub) and give it in the "
    "inventory as ssh_host_fingerprint=SHA256:..., or log in once by hand, or set proxmox_ssh_host_key_policy=accept_new."
)
CHANGED_REMEDY = (
    "Either the node was installed anew, or somebody stands in between. If you know that it was installed anew, forget the old "
    "key with: ssh-keygen -R '{name}' -f {file}"
)


class ActionModule(ActionBase):
    """Decides about the host's key with the very ssh options that the connection will use."""

    TRANSFERS_FILES = False
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(
            argument_spec={
                "fingerprint": {"type": "str"},
                "policy": {"type": "str", "choices": ["accept_new", "strict"], "default": "accept_new"},
                "host_keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
            }
        )
        if self._connection.transport != "ssh":
            return {"changed": False, "contact": Contact.KNOWN.value, "fingerprints": [], "known_hosts_file": ""}
        ssh = self._ssh_command()
        destination = parse_destination(self._run([*ssh, "-G", self._host()]).stdout)
        if arguments["host_keys"]:
            keys = [require_key(line) for line in arguments["host_keys"]]
            return self._pin(destination, keys, Contact.KNOWN)

        probe = self._run([*ssh, *PROBE_OPTIONS, "-o", "StrictHostKeyChecking=yes", self._host(), "true"])
        contact = judge_contact(probe.stderr)
        known_hosts_file = os.path.expanduser(destination.known_hosts_file)
        if contact is Contact.CHANGED:
            remedy = CHANGED_REMEDY.format(name=destination.name, file=known_hosts_file)
            raise AnsibleActionFail(f"{destination.name} does not present the host key it is known by. {remedy}")
        if contact is Contact.UNREACHABLE:
            words = probe.stderr.strip().splitlines()
            raise AnsibleConnectionFailure(
                f"{destination.name} does not answer on SSH (port {destination.port}): {words[-1] if words else 'no answer'}"
            )
        if contact is Contact.KNOWN:
            return {
                "changed": False,
                "contact": contact.value,
                "fingerprints": [],
                "known_hosts_file": known_hosts_file,
            }

        if not arguments["fingerprint"] and arguments["policy"] == "strict":
            raise AnsibleActionFail(f"The host key of {destination.name} is not known. {UNKNOWN_REMEDY}")
        served = self._served_keys(ssh)
        if arguments["fingerprint"]:
            wrong = check_fingerprint(served, arguments["fingerprint"])
            if wrong is not None:
                raise AnsibleActionFail(f"{destination.name} is not the expected host: {wrong}")
        return self._pin(destination, served, contact)

    def _host(self) -> str:
        return str(self._connection.get_option("host"))

    def _ssh_command(self) -> list[str]:
        """The ssh call of the connection plugin, without anything that logs in."""
        option = self._connection.get_option
        command = [option("ssh_executable")]
        for name in ("ssh_args", "ssh_common_args", "ssh_extra_args"):
            command += shlex.split(option(name) or "")
        if option("port"):
            command += ["-o", f"Port={option('port')}"]
        if option("remote_user"):
            command += ["-o", f"User={option('remote_user')}"]
        return command

    @staticmethod
    def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
        # LC_ALL: the answers are read by their words. No askpass: the question must never turn into a dialogue.
        environment = {**os.environ, "LC_ALL": "C", "SSH_ASKPASS_REQUIRE": "never"}
        try:
            return subprocess.run(
                command,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
                stdin=subprocess.DEVNULL,
                env=environment,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise AnsibleActionFail(f"ssh could not be asked about the host: {error}") from error

    def _served_keys(self, ssh: list[str]) -> list[PublicKey]:
        """Let ssh write down the key that the host presents, in a file of its own."""
        with tempfile.TemporaryDirectory(prefix="known-host-") as directory:
            path = os.path.join(directory, "known_hosts")
            # Options of the connection stand before these; ssh takes the first value it meets, so ours go in front.
            options = [
                "-o",
                f"UserKnownHostsFile={path}",
                "-o",
                "StrictHostKeyChecking=accept-new",
                "-o",
                "HashKnownHosts=no",
            ]
            self._run([ssh[0], *options, *ssh[1:], *PROBE_OPTIONS, self._host(), "true"])
            keys = find_keys(read_text(path) or "")
        if not keys:
            raise AnsibleActionFail(f"{self._host()} showed no host key; try: {' '.join(ssh)} {self._host()}")
        return keys

    def _pin(self, destination: Destination, keys: list[PublicKey], contact: Contact) -> dict[str, Any]:
        path = os.path.expanduser(destination.known_hosts_file)
        result = {
            "contact": contact.value,
            "fingerprints": [key.fingerprint for key in keys],
            "known_hosts_file": path,
        }
        try:
            # Also in check mode: nothing of the node could be looked at without knowing its key.
            return {**result, "changed": pin_in_file(path, HostKeys((destination.name,), tuple(keys)))}
        except NotAFile as error:
            # Somebody wanted it so; ssh itself refuses the login unless its checks are turned off as well.
            return {**result, "changed": False, "warnings": [str(error)]}
