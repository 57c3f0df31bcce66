# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/awx_setup.yml run for real, against modules that take the options of awx.awx, check them, and only write down what they got.

awx_options.json holds the options of the real modules (its "source" says of which version), so that no AWX is needed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]
BIN = Path(sys.executable).parent
OPTIONS = json.loads((Path(__file__).parent / "awx_options.json").read_text(encoding="utf-8"))["modules"]
MODULE = """#!/usr/bin/python
import json, os
from ansible.module_utils.basic import AnsibleModule
module = AnsibleModule(argument_spec=json.loads({spec!r}), supports_check_mode=True)
with open(os.environ["RECORD"], "a", encoding="utf-8") as record:
    record.write(json.dumps([{name!r}, module.params]) + chr(10))
module.exit_json(changed=True)
"""
# As AWX documents surveys.
QUESTION = {"variable", "question_name", "question_description", "type", "required", "default", "choices", "min", "max"}
KINDS = {"text", "textarea", "password", "integer", "float", "multiplechoice", "multiselect"}
Record = dict[str, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def run_setup(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., tuple[subprocess.CompletedProcess[str], Record]]:
    place = tmp_path_factory.mktemp("awx")
    modules = place / "ansible_collections/awx/awx/plugins/modules"
    modules.mkdir(parents=True)
    for name, options in OPTIONS.items():
        spec = {
            option: {key: value for key, value in known.items() if key != "suboptions"}
            for option, known in options.items()
        }
        (modules / f"{name}.py").write_text(MODULE.format(spec=json.dumps(spec), name=name), encoding="utf-8")

    def run(*arguments: str) -> tuple[subprocess.CompletedProcess[str], Record]:
        record = place / "record"
        record.write_text("")
        variables = {
            "ANSIBLE_COLLECTIONS_PATH": f"{place}:{ROOT / 'build/link'}",
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "RECORD": str(record),
        }
        command = [BIN / "ansible-playbook", "-i", "localhost,", *arguments, ROOT / "playbooks/awx_setup.yml"]
        ended = subprocess.run(
            command, env={**os.environ, **variables}, cwd=place, capture_output=True, text=True, check=False
        )
        told: Record = {}
        for line in record.read_text().splitlines():
            name, given = json.loads(line)
            told.setdefault(name, []).append({key: value for key, value in given.items() if value is not None})
        return ended, told

    return run


@pytest.fixture(scope="module")
def told(run_setup) -> Record:
    ended, record = run_setup("-e", "awx_repository=https://git.example.com/p.git", "-e", "awx_image=proxmox-ee:1")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return record


def test_everything_is_made(told: Record):
    assert {name: len(made) for name, made in told.items()} == {
        "organization": 1,
        "execution_environment": 1,
        "credential_type": 2,
        "project": 1,
        "inventory": 1,
        "inventory_source": 1,
        "job_template": 7,
        "workflow_job_template": 1,
    }


def test_every_job_template_has_a_playbook(told: Record):
    assert [made["playbook"] for made in told["job_template"] if not (ROOT / made["playbook"]).is_file()] == []
    for made in told["job_template"]:
        assert (made["project"], made["inventory"]) == ("Proxmox VE playbooks", "Proxmox VE nodes")
        assert made["credentials"] == ["Proxmox VE root"]


def test_surveys_are_such(told: Record):
    surveys = [made["survey_spec"] for made in told["job_template"] if made.get("survey_enabled")]
    assert len(surveys) == 2
    for survey in surveys:
        assert set(survey) == {"name", "description", "spec"}
        for question in survey["spec"]:
            assert set(question) <= QUESTION and question["type"] in KINDS
            if question["type"] == "multiplechoice":
                assert question["default"] in question["choices"]


def test_surveys_ask_for_what_the_playbooks_use(told: Record):
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "playbooks").glob("*.yml"))
    sources += (ROOT / "plugins/action/proxmox_say.py").read_text(encoding="utf-8")
    for made in told["job_template"]:
        for question in made.get("survey_spec", {}).get("spec", []):
            assert question["variable"] in sources


def test_injectors_reach_awx_as_templates(told: Record):
    secrets, token = told["credential_type"]
    assert secrets["injectors"]["extra_vars"]["ansible_password"] == "{{ root_password }}"
    assert set(token["injectors"]["env"]) == {
        "PROXMOX_HOST",
        "PROXMOX_USER",
        "PROXMOX_TOKEN_ID",
        "PROXMOX_TOKEN_SECRET",
    }
    options = (ROOT / "plugins/module_utils/_session/options.py").read_text(encoding="utf-8")
    assert all(f'"{variable}"' in options for variable in token["injectors"]["env"])
    for made in told["credential_type"]:
        assert all(
            field["secret"]
            for field in made["inputs"]["fields"]
            if "assword" in field["label"] or "Secret" in field["label"]
        )


def test_the_workflow_runs_templates_that_there_are(told: Record):
    names = {made["name"] for made in told["job_template"]}
    [workflow] = told["workflow_job_template"]
    steps = {step["identifier"] for step in workflow["workflow_nodes"]}
    known = set(OPTIONS["workflow_job_template"]["workflow_nodes"]["suboptions"])
    for step in workflow["workflow_nodes"]:
        assert set(step) <= known
        assert step["unified_job_template"]["name"] in names
        after = [node["identifier"] for nodes in step.get("related", {}).values() for node in nodes]
        assert set(after) <= steps


def test_without_a_repository_it_says_what_is_missing(run_setup):
    ended, record = run_setup("-e", "awx_image=proxmox-ee:1")
    assert ended.returncode != 0
    assert "Where is the repository with the playbooks?" in ended.stdout + ended.stderr
    assert "project" not in record
