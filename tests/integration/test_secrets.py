# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No password, ticket or private key gets out of its place, however much a run says: not into any output, log or process list."""

from __future__ import annotations

import re
import secrets
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from node_looks import wait_until
from playbook_runs import Controller
from practice_lab import Lab
from practice_lab.spec import NodeSpec

NODES = ["pve1", "pve2", "pve3"]
PLACES = "/var/log /var/tmp /tmp /run /root /etc/systemd /var/lib/baremetal-proxmox /var/spool"
# A private key's first line, and what a ticket of Proxmox VE begins with.
TELLTALES = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----|PVE:[a-z]+@pam:[0-9A-F]{8}::")
JOIN_BY_API = """
- name: Join by the API
  hosts: pve3
  gather_facts: false
  tasks:
    - name: Check who is there
      baremetal.proxmox.proxmox_known_host:

    - name: Join
      baremetal.proxmox.proxmox_cluster:
        state: joined
        cluster_name: labcluster
        seeds: ["{{ hostvars.pve1.ansible_host }}"]
        method: api
        seed_password: "{{ hostvars.pve1.ansible_password }}"
        seed_fingerprint: "{{ fingerprint }}"
"""


class Watcher(threading.Thread):
    """Reads the command line and the environment of every process of this machine, those in the nodes too."""

    def __init__(self, words: list[str]) -> None:
        super().__init__(daemon=True)
        self.words = [word.encode() for word in words]
        self.found: set[str] = set()
        self.rounds = 0
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.wait(0.1):
            self.rounds += 1
            for process in Path("/proc").glob("[0-9]*"):
                for name in ("cmdline", "environ"):
                    try:
                        content = (process / name).read_bytes()
                    except OSError:  # it has ended
                        continue
                    if any(word in content for word in self.words):
                        self.found.add(f"{name} of {content[:200]!r}")


@contextmanager
def watching(words: list[str]) -> Iterator[Watcher]:
    watcher = Watcher(words)
    watcher.start()
    try:
        yield watcher
    finally:
        watcher.stopped.set()
        watcher.join()


@pytest.fixture(scope="module")
def passwords() -> dict[str, str]:
    return {node: f"pw-{secrets.token_hex(10)}" for node in NODES}


@pytest.fixture(scope="module")
def lab(make_lab: Callable[[], Lab], passwords: dict[str, str]) -> Lab:
    """Nodes of Proxmox VE 8, so that this life is seen there as well."""
    settings = {"pve_version": "8.4.1"}
    return make_lab().up([NodeSpec(node, password=word, settings=settings) for node, word in passwords.items()])


@pytest.fixture(scope="module")
def controller(lab: Lab, make_controller: Callable[..., Controller]) -> Controller:
    return make_controller(lab)


def files_with(lab: Lab, node: str, words: list[str]) -> list[str]:
    """Names of files, and lines of the journal, that hold one of the words."""
    patterns = "\n".join(words) + "\n"
    found = lab.node(node).run(["sh", "-c", f"exec grep -rlaF -D skip -f - {PLACES} 2>/dev/null"], stdin=patterns)
    command = "cat >/dev/shm/p; journalctl --no-pager -o export | grep -aF -f /dev/shm/p; rm /dev/shm/p"
    journal = lab.node(node).run(["sh", "-c", command], stdin=patterns, timeout=60)
    return found.stdout.split() + journal.stdout.splitlines()


def telltales(lab: Lab, node: str) -> list[str]:
    """Files with a private key or a ticket, other than the node's own SSH keys."""
    command = f"grep -rlaE -D skip -- '{TELLTALES.pattern}' {PLACES} 2>/dev/null"
    found = lab.node(node).run(["sh", "-c", command]).stdout.split()
    journal = lab.node(node).run(
        ["sh", "-c", f"journalctl --no-pager -o cat | grep -aE -- '{TELLTALES.pattern}'"], timeout=60
    )
    return [path for path in found if path != "/root/.ssh/id_rsa"] + journal.stdout.splitlines()


def private_material(lab: Lab) -> list[str]:
    """A line out of the middle of every key that the cluster's life makes or moves."""
    lines = []
    for path in ("/etc/pve/priv/pve-root-ca.key", "/etc/pve/priv/authkey.key", "/root/.ssh/id_rsa"):
        text = lab.node("pve1").run(["cat", path]).stdout.splitlines()
        lines += text[3:4]
    return [line for line in lines if len(line) > 30]


def test_the_search_finds_what_is_planted(lab: Lab, passwords: dict[str, str]) -> None:
    word = f"planted-{secrets.token_hex(8)}"
    lab.node("pve2").run(["sh", "-c", f"echo {word} > /tmp/planted; logger {word}-logged"]).check()
    found = files_with(lab, "pve2", [word])
    lab.node("pve2").run(["rm", "/tmp/planted"]).check()
    assert "/tmp/planted" in found and any(f"{word}-logged" in line for line in found)
    lab.node("pve2").run(["cp", "/root/.ssh/id_rsa", "/run/planted"]).check()
    assert telltales(lab, "pve2") == ["/run/planted"]
    lab.node("pve2").run(["rm", "/run/planted"]).check()
    with watching([word]) as watcher, subprocess.Popen(["sleep", "600"], env={"SECRET": word}) as sleeper:
        try:
            wait_until(lambda: bool(watcher.found))
        finally:
            sleeper.kill()


def test_nothing_gets_out_of_a_run_that_says_all_it_can(
    lab: Lab, controller: Controller, passwords: dict[str, str]
) -> None:
    words = list(passwords.values())
    controller.write_inventory(NODES[:2])
    with watching(words) as watcher:
        created = controller.play("create-proxmox-cluster", "-vvvv", "--diff").check()
        controller.write_inventory(NODES)
        command = ["openssl", "x509", "-in", "/etc/pve/local/pve-ssl.pem", "-noout", "-fingerprint", "-sha256"]
        fingerprint = lab.node("pve1").run(command).check().stdout.strip().partition("=")[2]
        playbook = controller.home / "join.yml"
        playbook.write_text(JOIN_BY_API)
        joined = controller.play(str(playbook), "-vvvv", "--diff", "-e", f"fingerprint={fingerprint}").check()
        again = controller.play("create-proxmox-cluster", "-vvvv", "--diff").check()
        unchanged = controller.play("create-proxmox-cluster").check()
        # Before the cluster is gone: its keys, and the ticket that the join over the API was given.
        keys = private_material(lab)
        destroyed = controller.play(
            "destroy-proxmox-cluster", "-vvvv", "--diff", "-e", "confirm_destroy=destroy"
        ).check()
    assert set(unchanged.changed.values()) == {0} and len(keys) == 3
    assert joined.changed["pve3"] > 0 and watcher.rounds > 20
    assert watcher.found == set()
    for run in (created, joined, again, destroyed):
        assert len(run.output) > 5000
        assert [word for word in words + keys if word in run.output] == []
        assert TELLTALES.search(run.output) is None
    for node in NODES:
        assert telltales(lab, node) == []
        found = [line for line in files_with(lab, node, words + keys) if line != "/root/.ssh/id_rsa"]
        assert found == []
    left = [
        path
        for path in controller.home.rglob("*")
        if path.is_file() and path != controller.inventory and not path.is_symlink() and "collections" not in path.parts
    ]
    assert [path for path in left if any(word.encode() in path.read_bytes() for word in words)] == []
    newer = ["find", "/tmp", "-xdev", "-type", "f", "-newer", str(controller.key), "-size", "-1M"]
    here = subprocess.run(newer, capture_output=True, text=True, check=False).stdout.split()
    kept = [path for path in map(Path, here) if controller.home not in path.parents and path.exists()]
    assert [path for path in kept if any(word.encode() in path.read_bytes() for word in words)] == []
