# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Give a guest the port that its agent needs: the option on the host, and the full stop and start that it takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .diagnosis import Diagnosis, Reason
from .guest_config import GuestConfig

_NO_PORT = (Reason.RESTART_REQUIRED, Reason.DEVICE_MISSING)


@dataclass(frozen=True)
class EnablingPlan:
    option: str | None  # what agent shall be set to; None leaves it
    restart: bool

    @property
    def changed(self) -> bool:
        return self.option is not None or self.restart

    @property
    def words(self) -> Sequence[str]:
        set_option = [f"Set agent to {self.option}."] if self.option is not None else []
        return [*set_option, *(["Stop the virtual machine and start it again."] if self.restart else [])]


def plan_enabling(config: GuestConfig, diagnosis: Diagnosis, *, runs: bool) -> EnablingPlan:
    option = None if config.planned.enabled else _enabled(config.planned.text)
    wants_port = option is not None or diagnosis.reason in _NO_PORT
    return EnablingPlan(option, restart=wants_port and runs)


def _enabled(text: str) -> str:
    """The option's other properties stay."""
    kept = [part for part in text.split(",") if "=" in part and not part.startswith("enabled=")]
    return ",".join(["enabled=1", *kept])
