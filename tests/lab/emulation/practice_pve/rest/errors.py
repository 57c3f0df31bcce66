# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways in which a method or command can fail, and what each face makes of them."""

from __future__ import annotations

# Perl's complaint about a message with, for example, the curly quotes of a guest's agent.
_LATIN_1 = 0xFF
_WIDE_CHARACTER = "Wide character in die at /usr/share/perl5/PVE/RESTHandler.pm line 1131."

NOT_EMULATED_EXIT_CODE = 97
NOT_EMULATED_STATUS = 597


class ApiError(Exception):
    """A failure with PVE's own words.

    ``status`` is the HTTP status. PVE's plain ``die`` (status 500 here) prints the bare message on the command line,
    an exception with a code prints "400 message"; ``show_status`` overrides that guess. ``exit_code`` is what the
    command ends with: 255, or the errno that happened to be left over in the real program.
    """

    def __init__(
        self,
        message: str,
        status: int = 500,
        exit_code: int = 255,
        errors: dict[str, str] | None = None,
        show_status: bool | None = None,
    ) -> None:
        super().__init__(message)
        # an empty message prints nothing: only the exit code matters then
        self.message = message if message.endswith("\n") or not message else message + "\n"
        self.status = status
        self.exit_code = exit_code
        self.errors = errors
        self.show_status = status != 500 if show_status is None else show_status
        self.usage: str | None = None

    def __str__(self) -> str:
        return self.message.rstrip("\n")

    def text(self) -> str:
        """Return what the command line shows on stderr."""
        text = f"{self.status} {self.message}" if self.show_status else self.message
        if any(ord(character) > _LATIN_1 for character in text):
            text = f"{_WIDE_CHARACTER}\n{text}"
        for key, message in (self.errors or {}).items():
            text += f"{key}: {message}\n"
        if self.usage:
            text += self.usage if self.usage.endswith("\n") else self.usage + "\n"
        return text


class ParameterErrors(ApiError):
    """400 Parameter verification failed; ``errors`` maps a parameter to its message (a format's ends in a newline)."""

    def __init__(self, errors: dict[str, str], message: str = "Parameter verification failed.\n") -> None:
        super().__init__(message, status=400, errors=errors)


class PermissionDenied(ApiError):
    """403 Permission check failed (/vms/100, VM.Audit)."""

    def __init__(self, what: str = "", message: str = "Permission check failed") -> None:
        super().__init__(f"{message} ({what})\n" if what else f"{message}\n", status=403)


class NotImplementedMethod(ApiError):
    """501: the real API has no such path or method."""

    def __init__(self, method: str, path: str) -> None:
        super().__init__(f"Method '{method} {path}' not implemented", status=501)
        self.message = self.message.rstrip("\n")


class NotEmulated(Exception):
    """The real node would answer, this one does not know how: exit code 97, HTTP status 597."""

    def __str__(self) -> str:
        return f"practice node: not emulated: {super().__str__()}"
