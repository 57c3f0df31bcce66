# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AWX does for a job: a directory with everything in it, a project that cannot be written, and ansible-runner."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RUNNER = Path(sys.executable).parent / "ansible-runner"


class Job:
    """C(environment) is what the execution environment sets, C(key) a private key that runner gives to an SSH agent of the job."""

    def __init__(
        self,
        place: Path,
        hosts: Mapping[str, Mapping[str, str]],
        environment: Mapping[str, str],
        key: Path | None = None,
    ) -> None:
        self.place = place
        shutil.copytree(ROOT / "playbooks", place / "project/playbooks")
        self.home = place / "home"
        self.home.mkdir()
        self._write("inventory/hosts.json", {"proxmox_cluster": {"hosts": hosts}})
        self._write("env/envvars", environment)
        # It would only print what is in its artifacts.
        self._write("env/settings", {"suppress_ansible_output": False})
        if key is not None:
            (place / "env/ssh_key").write_text(key.read_text(encoding="utf-8"), encoding="utf-8")
            (place / "env/ssh_key").chmod(0o600)

    def _write(self, path: str, content: object) -> None:
        target = self.place / path
        target.parent.mkdir(exist_ok=True)
        target.write_text(json.dumps(content), encoding="utf-8")

    def command(self, playbook: str, variables: Mapping[str, str]) -> list[str]:
        """Runs a playbook of the project with what a survey and credentials give. Needs root, for the read-only mount."""
        self._write("env/extravars", variables)
        project = self.place / "project"
        runner = f"{RUNNER} run {self.place} -p playbooks/{playbook}.yml --ident {playbook}"
        script = f"mount --bind {project} {project} && mount -o remount,ro,bind {project} && exec {runner}"
        return ["unshare", "--mount", "sh", "-c", script]

    def artifacts(self, playbook: str) -> dict[str, Any]:
        """What set_stats hands on in a workflow."""
        files = (self.place / "artifacts" / playbook / "job_events").glob("*.json")
        events = [json.loads(path.read_text(encoding="utf-8")) for path in files]
        [stats] = [event["event_data"] for event in events if event["event"] == "playbook_on_stats"]
        handed_on: dict[str, Any] = stats.get("artifact_data", {})
        return handed_on

    def remains(self) -> str:
        """All that is kept of the job's runs."""
        files = [path for path in (self.place / "artifacts").rglob("*") if path.is_file()]
        return "".join(path.read_text(encoding="utf-8", errors="replace") for path in files)
