# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs for the Python of a node: complete, free of Ansible, and with the answer of the function itself."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys

import pytest

from ansible_collections.baremetal.proxmox.plugins.module_utils._cluster.errors import Locked
from ansible_collections.baremetal.proxmox.plugins.module_utils._node.answer import answer
from ansible_collections.baremetal.proxmox.plugins.module_utils._preflight.run import interface_sizes
from ansible_collections.baremetal.proxmox.plugins.plugin_utils.node_program import PACKAGE, make_program, sources_of

ACTIONS = ("proxmox_cluster", "proxmox_cluster_info", "proxmox_cluster_lock", "proxmox_preflight", "proxmox_ssh_access")
ADDRESSES = json.dumps([{"mtu": 1500, "addr_info": [{"local": "192.0.2.1"}, {"label": "without an address"}]}])


def run_alone(program: str) -> str:
    """By a Python that sees nothing of this checkout."""
    done = subprocess.run(
        [sys.executable, "-I", "-"], input=program, capture_output=True, text=True, cwd="/", check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def action_class(name: str) -> type:
    return importlib.import_module(f"ansible_collections.baremetal.proxmox.plugins.action.{name}").ActionModule


def test_the_answer_is_that_of_the_function():
    program = make_program(interface_sizes.__module__, interface_sizes.__name__, [ADDRESSES])
    assert json.loads(run_alone(program)) == interface_sizes(ADDRESSES) == {"192.0.2.1": 1500}


def test_a_source_can_be_read_again_on_the_node():
    """The collector of a node's state is sent on from there to another member."""
    program = make_program("inspect", "getsource", [], [f"{PACKAGE}._node.collect"])
    program = program.replace(
        "json.dump(getattr(importlib.import_module(module), name)(*ARGUMENTS), sys.stdout)",
        f"import inspect; print(inspect.getsource(importlib.import_module('{PACKAGE}._node.collect')))",
    )
    assert "def collect()" in run_alone(program)


@pytest.mark.parametrize("name", ACTIONS)
def test_nothing_of_ansible_is_needed_on_the_node(name):
    work = action_class(name).work
    sources = sources_of([answer.__module__, work.__module__])
    assert work.__module__ in sources
    foreign = [
        f"{module}: {line}"
        for module, text in sources.items()
        for line in re.findall(r"^\s*(?:from|import) ansible\..*", text, re.MULTILINE)
    ]
    assert not foreign
    imports = "; ".join(f"importlib.import_module({module!r})" for module in sorted(sources))
    program = make_program("json", "dumps", [1], sorted(sources))
    assert run_alone(f"{program}\n{imports}").endswith('"1"')


def test_relative_imports_and_imported_modules_are_followed():
    sources = sources_of([f"{PACKAGE}._storage.connect"])
    assert f"{PACKAGE}._ssh.mesh" in sources
    assert f"{PACKAGE}._node.collect" in sources_of([f"{PACKAGE}._node.places"])


def test_a_refusal_becomes_a_failure_with_its_remedy():
    def refuse(_params, _check_mode):
        raise Locked("Somebody works here.", "Wait.", {"held_by": "ann"})

    told = answer(refuse, {}, False)
    assert told == {
        "failed": True,
        "msg": "Somebody works here. Remedy: Wait.",
        "remedy": "Wait.",
        "error": "Locked",
        "held_by": "ann",
    }
