# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of the gate, as data. To add one, add a row: everything else follows from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum


class Count(Enum):
    """How a part's result becomes figures."""

    CHECK = "one check, judged by its exit status"
    JUNIT = "the cases in a JUnit file that it writes to {results}"
    SANITY = "ansible-test's own JUnit files, one case per sanity test"
    CONFORMANCE = "its last line, conformance: matched/total"


class Need(Enum):
    """What a machine must have for a part to run there."""

    ROOT = "root"


@dataclass(frozen=True)
class Part:
    name: str
    topic: str  # the make target that runs it
    command: str  # for bash; {bin} {python} {copy} {results} {root} {labs} are filled in
    count: Count = Count.CHECK
    environment: str = "newest"
    needs: frozenset[Need] = frozenset()
    # Parts of one lane never run side by side: they share a cache.
    lane: str = ""
    # How many labs it has up at a time where memory allows: {labs} in its command. Such a part mostly waits (for nodes that boot,
    # for a quorum), so it runs beside the parts that the processors are shared among.
    labs: int = 0
    minutes: float = 20
    # Where all that lies which it reads (none: anywhere). Only if nothing there has changed its last green result still holds.
    reads: tuple[str, ...] = field(default=())
    # Paths of the checkout without which there is nothing to run.
    paths: tuple[str, ...] = field(default=())


PYTEST = "{bin}/pytest --junitxml={results} "
SANITY = (
    "{python} tests/tools/copy_tree.py {copy} && {python} tests/tools/get_pip.py --seed && cd {copy} && "
    "ansible-test sanity --venv --python {version} --color no --junit"
)
# Tests on nodes wait far more than they compute, so there are more workers than processors.
NODE_TESTS = "{python} tests/tools/node_tests.py --results {results} --workers {labs} "
# What decides how practice nodes behave, and what plays on them.
NODES = ("tests/lab/", "tests/tools/", "pytest.ini")
COLLECTION = ("plugins/", "roles/", "playbooks/", "meta/", "galaxy.yml", "ansible.cfg", "inventory/", "Makefile")
TYPED_TESTS = "tests/lab/practice_lab tests/lab/emulation/practice_pve tests/conformance tests/tools"
TYPED_PATH = "tests/lab:tests/lab/emulation:tests/conformance:tests/tools:build/link"

# The order is the order of starting: what takes long comes first.
PARTS = (
    Part(
        "practice",
        "practice",
        NODE_TESTS + "tests/practice",
        Count.JUNIT,
        needs=frozenset({Need.ROOT}),
        lane="nodes",
        labs=4,
        minutes=45,
        reads=(*NODES, *COLLECTION, "tests/practice/", "tests/conformance/"),
        paths=("tests/practice",),
    ),
    Part(
        "integration",
        "integration",
        NODE_TESTS + "tests/integration",
        Count.JUNIT,
        needs=frozenset({Need.ROOT}),
        lane="nodes",
        labs=4,
        minutes=45,
        paths=("tests/integration",),
    ),
    Part(
        "conformance",
        "conformance",
        "{python} tests/conformance/run.py --jobs {labs} --lab test$$",
        Count.CONFORMANCE,
        needs=frozenset({Need.ROOT}),
        lane="nodes",
        labs=3,
        minutes=30,
        reads=(*NODES, "tests/conformance/"),
        paths=("tests/conformance/run.py",),
    ),
    Part("sanity-newest", "sanity", SANITY, Count.SANITY, lane="sanity"),
    Part("sanity-oldest", "sanity", SANITY, Count.SANITY, environment="oldest", lane="sanity"),
    Part("unit-newest", "unit", PYTEST + "--numprocesses=2 tests/unit", Count.JUNIT),
    Part("unit-oldest", "unit", PYTEST + "--numprocesses=2 tests/unit", Count.JUNIT, environment="oldest"),
    Part("ansible-lint", "lint", "{bin}/ansible-lint --offline"),
    Part(
        "mypy-plugins",
        "lint",
        "cd build/link && MYPYPATH=. {bin}/mypy --config-file {root}/.mypy.ini --cache-dir {root}/.mypy_cache/plugins"
        " ansible_collections/baremetal/proxmox/plugins",
    ),
    Part(
        "mypy-tests", "lint", f"MYPYPATH={TYPED_PATH} {{bin}}/mypy --cache-dir .mypy_cache/tests $(ls -d {TYPED_TESTS})"
    ),
    Part("ruff-check", "lint", "{bin}/ruff check --output-format=concise ."),
    Part("ruff-format", "lint", "{bin}/ruff format --check --output-format=concise ."),
    Part("yamllint", "lint", "{bin}/yamllint -s ."),
    Part("shellcheck", "lint", "{python} tests/tools/check_shell_files.py"),
    # In a copy: antsibull-docs follows every link of the tree, also those that only mean something in a practice node.
    Part(
        "plugin-docs",
        "docs-lint",
        "{python} tests/tools/copy_tree.py {copy} && cd {copy} && {bin}/antsibull-docs lint-collection-docs --plugin-docs --validate-collection-refs=self --check-extra-docs-refs .",
    ),
    Part("changelog", "docs-lint", "{bin}/antsibull-changelog lint"),
    Part("dist-newest", "dist-check", PYTEST + "tests/dist", Count.JUNIT),
    Part("dist-oldest", "dist-check", PYTEST + "tests/dist", Count.JUNIT, environment="oldest"),
)
