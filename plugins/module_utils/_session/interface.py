# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one interface through which everything else in the collection speaks to Proxmox VE."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from urllib.parse import quote

from .errors import Failed
from .tasks import TaskResult, wait_for_task


@dataclass(frozen=True, order=True)
class Version:
    """What runs on the node that answers; compares with others and with plain tuples by C(key)."""

    major: int
    minor: int
    patch: int
    text: str

    @property
    def key(self) -> tuple[int, int, int]:
        return (self.major, self.minor, self.patch)


def join_path(*parts: object) -> str:
    """Build an API path; every part is quoted, since volume ids contain slashes and colons."""
    return "".join("/" + quote(str(part), safe="") for part in parts)


class Session(ABC):
    """A way to Proxmox VE. May be used by several threads at once. Every method raises the classes of errors.py only.

    Parameters: True and False become 1 and 0, None is left out, a list is sent as repeated values (which suits both the
    C(array) and the C(-list) parameters of the API). Results are the API's C(data): numbers may come as strings.
    """

    node: str | None = None  # the node that this session runs on (transport local), else None
    user: str = ""  # whose tasks ours are: root@pam, or user@realm!token

    def __init__(self) -> None:
        self.warnings: list[str] = []  # what a person should know, for example that pvesh had to take the API's place

    def note(self, warning: str) -> None:
        """Keep a warning, once."""
        if warning not in self.warnings:
            self.warnings.append(warning)

    @abstractmethod
    def call(self, method: str, path: str, params: dict[str, Any]) -> Any:
        """Do one call; method is GET, POST, PUT or DELETE."""

    @abstractmethod
    def close(self) -> None:
        """Close all connections and forget secrets."""

    def server_time(self) -> float:
        """The time by the server's clock, for comparison with the start times of tasks."""
        raise NotImplementedError

    def known_tasks(self) -> frozenset[str]:
        """UPIDs that this session was given as answers."""
        return frozenset()

    def get(self, path: str, /, **params: Any) -> Any:
        return self.call("GET", path, params)

    def create(self, path: str, /, **params: Any) -> Any:
        return self.call("POST", path, params)

    def set(self, path: str, /, **params: Any) -> Any:
        return self.call("PUT", path, params)

    def delete(self, path: str, /, **params: Any) -> Any:
        return self.call("DELETE", path, params)

    def wait(self, upid: str, timeout: float = 600, *, check: bool = True) -> TaskResult:
        """Wait for the end of a task. Raises TaskUnfinished after C(timeout) seconds, and TaskFailed unless C(check=False)."""
        return wait_for_task(self, upid, timeout, check=check)

    def version(self) -> Version:
        """The Proxmox VE version; asked once per session."""
        known: Version | None = getattr(self, "_version", None)
        if known is None:
            answer = self.get("/version")
            known = self._version = parse_version(str(answer.get("version") or answer.get("release") or ""))
        return known

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def parse_version(text: str) -> Version:
    """Read C(9.2.11), C(9.2-1), C(9.2) or C(9.0~11)."""
    numbers = [int(number) for number in re.findall(r"\d+", text)[:3]]
    if not numbers:
        raise Failed(f"no Proxmox VE version in {text!r}")
    numbers += [0] * (3 - len(numbers))
    return Version(numbers[0], numbers[1], numbers[2], text)
