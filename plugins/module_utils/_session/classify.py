# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From Proxmox VE's words to an error class: pure functions over one table.

The same text arrives as the reason phrase of an HTTP answer (first line only), as C(message) in its body, on a command's
stderr, or as a task's exit status. HTTP status and exit codes tell little: a missing guest is a 500, exit codes are arbitrary.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from .errors import (
    AnswerLost,
    Busy,
    Conflict,
    Denied,
    Exists,
    Failed,
    Invalid,
    NoQuorum,
    NotAuthenticated,
    NotFound,
    RootOnly,
    SessionError,
    Unreachable,
    Unsupported,
)

# The first row that is found in the text decides. Order: what prevents any work, then who may, then what exists.
_TEXTS: tuple[tuple[type[SessionError], str], ...] = (
    (NoQuorum, r"no quorum|cluster not ready"),
    # pmxcfs refuses root's writes only where it is read-only.
    (NoQuorum, r"'/etc/pve/\S* - (Permission denied|Read-only file system)"),
    (RootOnly, r"user != root@pam|[Oo]nly root(@pam)? (can|may|is allowed)\b|[Rr]oot only"),
    (Conflict, r"checksum mismatch \(|detected modified configuration"),
    (Busy, r"can't (lock|acquire lock|aquire lock)|can't lock file|got lock request timeout"),
    (Busy, r"\bis locked \(|^(VM|CT) is locked|got no worker upid|starting worker failed|got strange worker upid"),
    (Busy, r"unable to fork worker|resource temporarily unavailable|lock timed out|unable to acquire .*lock"),
    (Exists, r"already (exists|defined|used|a pool member)|config file already exists|is already HA managed"),
    (Invalid, r"^invalid bootorder"),
    (NotFound, r"hostname lookup '[^']*' failed|no such cluster node"),
    (
        NotFound,
        r"\bdoes not exist|\bnot HA managed|unable to find configuration file|is not a known host|can't find file",
    ),
    (NotFound, r"\bno such (?!file or directory)|^No such (?!file or directory)"),
    (Denied, r"^(403 )?Permission check failed"),
    (NotAuthenticated, r"^(401 )?(authentication failure|Authentication failed|No ticket|permission denied - invalid)"),
    (NotAuthenticated, r"invalid csrf token|^401 "),
    (Unreachable, r"ipcc_send_rec|Unable to load access control list"),
    (Unreachable, r"proxy handler failed: ssh:|ssh: connect to host|Host key verification failed"),
    (Unsupported, r"^Method '.*' not implemented|^No '\w+' handler defined|^unknown schema type"),
    (Unsupported, r"have been migrated to rules|not emulated"),
    (Invalid, r"^400 |Parameter verification failed|unable to parse (?!.*answer)"),
    (
        Invalid,
        r"missing value for required option|^no options specified|not allowed for linked clones|validation error$",
    ),
)
_TABLE = tuple((kind, re.compile(pattern, re.MULTILINE)) for kind, pattern in _TEXTS)

REMEDIES: Mapping[type[SessionError], str] = {
    NoQuorum: "the cluster has no quorum: bring the missing nodes back, /etc/pve is read-only until then",
    RootOnly: "only root@pam itself may do this, no API token can: use transport local, or log in as root@pam with a password",
    Conflict: "it was changed meanwhile: run again",
    NotAuthenticated: "check the user with its realm (root@pam), the password, or the id and the secret of the API token",
}

_PERMISSION = re.compile(r"Permission check failed \((?P<path>/[^,()]*), (?P<privileges>[A-Za-z.|]+)")
# Statuses that pveproxy makes up for the node it forwards to (AnyEvent): 595 no connection, 596 broken while sending or
# waiting for the answer, 597 and 599 broken later.
NO_CONNECTION = 595
BROKEN = frozenset({502, 504, 596, 597, 598, 599})
# TLS failed, so nothing was sent. Seen for some seconds after a join, until the node knows the other's certificate.
_TLS_REFUSED = re.compile(r"certificate verify failed|SSL routines|tls_process")


def is_certificate_lag(status: int, reason: str) -> bool:
    """True for a forwarded call that failed before anything was sent, and will work in some seconds."""
    return status == 596 and bool(_TLS_REFUSED.search(reason))


def classify(status: int, reason: str, body: str | bytes, *, write: bool = False) -> SessionError:
    """The error that an HTTP answer with a status of 400 or more stands for."""
    message, errors = _read_body(body)
    text = (message or reason).strip()
    if is_certificate_lag(status, reason):
        error: SessionError = Unreachable(
            text, "the other node's certificate is not known here yet; it will be in some seconds"
        )
    elif status == NO_CONNECTION or status == 503:
        error = Unreachable(text, "the node that should answer is down or not reachable from the node asked")
    elif status in BROKEN and "not emulated" not in text:
        # For a reading call nothing is lost: it may be asked again.
        error = AnswerLost(text) if write else Unreachable(text)
    elif errors:
        error = _from_errors(text, errors)
    elif status == 403 and _find(text) not in (RootOnly, NotFound):
        error = _denied(text)
    elif status == 401:
        error = NotAuthenticated(text)
    elif status in (501, 405):
        error = Unsupported(text)
    elif status == 400:
        error = (_find(text) or Invalid)(text)
    elif status == 404:
        error = NotFound(text)
    else:
        error = classify_text(text)
    error.status = status
    error.remedy = error.remedy or REMEDIES.get(type(error), "")
    return error


def classify_text(text: str) -> SessionError:
    """The error that a bare text stands for: a task's exit status."""
    text = text.strip()
    kind = _find(text) or Failed
    error = _denied(text) if kind is Denied else kind(text)
    error.remedy = error.remedy or REMEDIES.get(kind, "")
    return error


def classify_command(stderr: str) -> SessionError:
    """The error that pvesh's (or qm's) stderr stands for.

    Its last lines count: above them stand warnings and progress, below them the usage of the command."""
    lines = [line for line in stderr.strip().splitlines() if not _NOISE.match(line)]
    while lines and not lines[-1].strip():
        lines.pop()
    start = max((number for number, line in enumerate(lines) if line.startswith(_VERIFICATION)), default=None)
    if start is not None:
        errors = _errors_of_command(lines[start + 1 :])
        error = _from_errors("Parameter verification failed.", errors) if errors else Invalid(lines[start])
        error.status = 400
        return error
    unknown = [line.removeprefix("Unknown option: ") for line in lines if line.startswith("Unknown option: ")]
    if unknown:
        text = "property is not defined in schema and the schema does not allow additional properties"
        return Invalid("Parameter verification failed.", errors=dict.fromkeys(unknown, text), status=400)
    # ipcc_send_rec lines come first and explain the last one; everything else is said by the last line.
    return _from_last_words("\n".join(lines) if any("ipcc_send_rec" in line for line in lines) else (lines or [""])[-1])


def _from_last_words(text: str) -> SessionError:
    """A command puts a status other than 500 before the text, and Perl its own place behind it; HTTP does neither."""
    match = _STATUS.fullmatch(_PERL_PLACE.sub("", text))
    if match is None:
        raise AssertionError
    if not match["status"]:
        return classify_text(match["text"])
    return classify(int(match["status"]), match["text"], "")


_STATUS = re.compile(r"(?:(?P<status>4\d\d|501) )?(?P<text>.*)", re.DOTALL)
_PERL_PLACE = re.compile(r" at /usr/share/perl5/\S+ line \d+(, <\S+> \w+ \d+)?\.?$")


_NOISE = re.compile(
    r"BEGIN failed--|Compilation failed in require|\s*(pvesh|qm|pct|pvesm|pveum) \S.*(\[OPTIONS\]|\[FORMAT_OPTIONS\]|<\w+>)"
)
_VERIFICATION = "400 Parameter verification failed."
_KEY = re.compile(r"(?P<key>[A-Za-z][\w-]*): (?P<text>.*)")


def _errors_of_command(lines: list[str]) -> dict[str, str]:
    errors: dict[str, str] = {}
    key = ""
    for line in lines:
        match = _KEY.fullmatch(line)
        if match:
            key = match["key"]
            errors[key] = match["text"]
        elif key and line.strip():  # "memory.current: ..." explains "memory: invalid format - format error"
            errors[key] += f"\n{line}"
    return errors


def _from_errors(text: str, raw: Mapping[str, Any]) -> SessionError:
    errors = {key: str(reason).strip() for key, reason in raw.items()}
    kinds = {_find(reason) for reason in errors.values()}
    # "vmid: VM 100 already exists", "upid: no such task", "storage: No such storage." are no matter of wrong parameters.
    kind = kinds.pop() if len(kinds) == 1 else None
    return (kind if kind in (Exists, NotFound) else Invalid)(text, errors=errors)


def _denied(text: str) -> Denied:
    match = _PERMISSION.search(text)
    if not match:
        return Denied(text)
    privileges = tuple(match["privileges"].split("|"))
    return Denied(text, needs(privileges, match["path"]), privileges=privileges, object_path=match["path"])


def needs(privileges: tuple[str, ...], path: str) -> str:
    """The remedy of a missing privilege."""
    return (
        f"the user needs {' or '.join(privileges)} on {path}: pveum acl modify {path} --users USER (or --tokens TOKEN) --roles ROLE; "
        "a token with privilege separation needs it for itself and for its user"
    )


def _find(text: str) -> type[SessionError] | None:
    return next((kind for kind, pattern in _TABLE if pattern.search(text)), None)


def _read_body(body: str | bytes) -> tuple[str, Mapping[str, Any]]:
    try:
        answer = json.loads(body) if body else {}
    except ValueError:  # plain text: the parser's complaint about a malformed body, a page of a proxy in between
        return "", {}
    if not isinstance(answer, dict):
        return "", {}
    errors = answer.get("errors")
    return str(answer.get("message") or ""), errors if isinstance(errors, dict) else {}
