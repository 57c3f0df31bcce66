# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong between a module and Proxmox VE, one class per thing that a caller would do differently."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(eq=False)
class SessionError(Exception):
    """Proxmox VE's own words, where they came up, and what to do about them."""

    message: str
    remedy: str = ""
    method: str = ""
    path: str = ""
    status: int | None = None  # HTTP status; None where no HTTP answer is behind it (a command, a broken connection)
    errors: Mapping[str, str] = field(default_factory=dict)  # refused parameters and why, from a 400

    def __str__(self) -> str:
        where = f"{self.method} {self.path}: " if self.path else ""
        details = "".join(f"; {key}: {text}" for key, text in self.errors.items())
        remedy = f" ({self.remedy})" if self.remedy else ""
        return f"{where}{self.message}{details}{remedy}"


class NotFound(SessionError):
    """The object does not exist (Proxmox VE says so with HTTP 500, 400 or 404)."""


class Exists(SessionError):
    """An object of that id is there already."""


class Invalid(SessionError):
    """Parameters were refused: C(errors) has each key with its reason, where Proxmox VE gave them."""


class Conflict(SessionError):
    """Somebody changed the object since it was read (the digest does not match): read again, plan again."""


class Busy(SessionError):
    """A lock is held or no worker could be started. Nothing was done; the same call may succeed later."""

    @property
    def lock(self) -> str | None:
        """What holds a guest's own lock (backup, migrate, clone ...): such a lock may last for hours."""
        start = self.message.find("locked (")
        return None if start < 0 else self.message[start + 8 :].partition(")")[0]


@dataclass(eq=False)
class Denied(SessionError):
    """The user lacks a privilege (HTTP 403)."""

    privileges: tuple[str, ...] = ()
    object_path: str = ""  # where the privilege is needed: /vms/100, /storage/local ...


class RootOnly(Denied):
    """Only root@pam itself may do this; no token can, not even one of root@pam without privilege separation."""


class NotAuthenticated(SessionError):
    """Wrong password, unknown or expired token, stale ticket (HTTP 401)."""


class NoQuorum(SessionError):
    """The cluster has no quorum, so nothing in /etc/pve can be written."""


class Unreachable(SessionError):
    """No connection, so nothing was done: refused, no route, time-out, certificate not accepted."""


class CertificateRefused(Unreachable):
    """The server's certificate is not trusted or not the pinned one."""


@dataclass(eq=False)
class AnswerLost(SessionError):
    """The connection broke after a write had been sent: it may have been done or not. Look at the state before repeating it."""

    sent_at: float = 0.0  # seconds since the epoch by the server's clock, as far as known


class Unsupported(SessionError):
    """This release of Proxmox VE or this transport has no such call (HTTP 501)."""


class Failed(SessionError):
    """Proxmox VE refused or failed for a reason that no other class describes."""


@dataclass(eq=False)
class TaskFailed(SessionError):
    """A task ended badly. C(cause) is its last error as one of these classes, for example L(Busy)."""

    upid: str = ""
    exitstatus: str = ""
    log: tuple[str, ...] = ()
    cause: SessionError | None = None


@dataclass(eq=False)
class TaskUnfinished(SessionError):
    """A task still runs when the time given is over; it goes on."""

    upid: str = ""
    log: tuple[str, ...] = ()
