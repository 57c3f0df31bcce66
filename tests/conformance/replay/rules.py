# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Placeholders for values that differ on every node and at every moment: the rules and their numbering.

A rule replaces a value, never a line. Within one recording the same value gets the same number on its side of the
comparison, so "the certificate that was refused is the one that was offered" is still compared.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Numbering:
    """First appearance decides the number; one object per side and recording."""

    seen: dict[tuple[str, str], int] = field(default_factory=dict)

    def placeholder(self, kind: str, value: str) -> str:
        count = sum(1 for known, _value in self.seen if known == kind)
        number = self.seen.setdefault((kind, value), count + 1)
        return f"<{kind}:{number}>"


@dataclass(frozen=True)
class TextRule:
    """`kind` is numbered by `value` (a group of the pattern); a rule without numbers has a fixed replacement."""

    name: str
    reason: str
    pattern: re.Pattern[str]
    replace: Callable[[re.Match[str], Numbering], str]

    def apply(self, text: str, numbering: Numbering) -> str:
        return self.pattern.sub(lambda match: self.replace(match, numbering), text)


def _fixed(name: str, reason: str, pattern: str, replacement: str, flags: int = 0) -> TextRule:
    compiled = re.compile(pattern, flags)
    return TextRule(name, reason, compiled, lambda match, _numbering: match.expand(replacement))


def _numbered(name: str, reason: str, pattern: str, kind: str, flags: int = 0) -> TextRule:
    """The group `value` is replaced by a numbered placeholder, what stands around it stays."""

    def replace(match: re.Match[str], numbering: Numbering) -> str:
        start, end = match.start("value") - match.start(), match.end("value") - match.start()
        whole = match.group(0)
        return whole[:start] + numbering.placeholder(kind, match["value"]) + whole[end:]

    return TextRule(name, reason, re.compile(pattern, flags), replace)


def _fingerprint(match: re.Match[str], numbering: Numbering) -> str:
    value = match.group(0)
    # AA:AA:...:AA is written by hand, a wrong one on purpose: it must stay what it is.
    return value if len(set(value.split(":"))) == 1 else numbering.placeholder("fingerprint", value)


MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
WEEKDAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"

TEXT_RULES: tuple[TextRule, ...] = (
    _numbered(
        "pem",
        "keys and certificates are made on the spot; their kind is compared",
        r"(?s)-----BEGIN (?P<kind>[A-Z ]+)-----(?P<value>.+?)-----END (?P=kind)-----",
        "pem",
    ),
    TextRule(
        "fingerprint",
        "certificates are made on the spot",
        re.compile(r"\b(?:[0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2}\b"),
        _fingerprint,
    ),
    _numbered(
        "upid",
        "process, start time: the node, the type, the object and the user of a task are compared",
        r"UPID:[^:\s]+:(?P<value>[0-9A-F]{8}:[0-9A-F]{8,9}:[0-9A-F]{8}):",
        "process",
    ),
    _numbered("ticket", "signed and dated", r"PVE:[^:\s\"]+:(?P<value>[0-9A-F]{8}::[A-Za-z0-9+/]+={0,2})", "ticket"),
    _numbered(
        "csrf-token", "signed and dated", r"CSRFPreventionToken\":\"(?P<value>[0-9A-F]{8}:[A-Za-z0-9+/=]+)", "token"
    ),
    _numbered(
        "ssh-key",
        "made on the spot; its type and comment are compared",
        r"ssh-(?:rsa|ed25519) (?P<value>[A-Za-z0-9+/=]{8,})",
        "key",
    ),
    _numbered("uuid", "random", r"\b(?P<value>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\b", "uuid"),
    _numbered(
        "mac",
        "random behind the cluster's prefix",
        r"(?<![:0-9A-F])(?:[0-9A-F]{2}:){3}(?P<value>[0-9A-F]{2}:[0-9A-F]{2}:[0-9A-F]{2})(?![:0-9A-F])",
        "mac",
    ),
    _numbered(
        "mac-of-cloud-init",
        "the same address in small letters",
        r"(?<=mac_address: ')(?:[0-9a-f]{2}:){3}(?P<value>[0-9a-f]{2}:[0-9a-f]{2}:[0-9a-f]{2})(?=')",
        "mac",
    ),
    _numbered(
        "mac-in-guest",
        "the same address as the agent tells it",
        r"(?<=\"hardware-address\": \")bc:24:11:(?P<value>[0-9a-f]{2}:[0-9a-f]{2}:[0-9a-f]{2})(?=\")",
        "mac",
    ),
    _fixed("link-local", "made from the same address", r"(?<=fe80::be24:11ff:fe)[0-9a-f]{2}:[0-9a-f]{1,4}", "<mac>"),
    _fixed("nanoseconds", "a guest's clock", r"\b1[789]\d{17}\b", "<nanoseconds>"),
    _fixed(
        "instance-id", "a hash over what is compared, and over addresses", r"(instance-id: )[0-9a-f]{40}", r"\1<hash>"
    ),
    _fixed("password-hash", "salted", r"\$5\$[A-Za-z0-9./]+", "$5$<salt>"),
    _fixed("state-file", "the day of a suspension", r"(-state-suspend-)\d{4}-\d\d-\d\d", r"\1<day>"),
    _fixed(
        "backup-file", "the moment of a backup", r"(vzdump-\w+-\d+-)\d{4}(?:_\d\d){2}-\d\d(?:_\d\d){2}", r"\1<moment>"
    ),
    _fixed("tar-totals", "what the template of the lab holds", r"(Total bytes read: ).*", r"\1<bytes>"),
    _fixed(
        "node-line",
        "the machine below: load, memory, time since the boot",
        r"(?m)^(\S+ online) +[\d.]+% +\d+ [\d.]+ \wiB [\d.]+ \wiB (\S+) (?:\d+[dhms] ?)+$",
        r"\1 <n>% <n> <n> <n> \2 <uptime>",
    ),
    _numbered(
        "ha-uid", "random name of one order to a local resource manager", r"\"(?P<value>[A-Za-z0-9+/]{22})\"", "order"
    ),
    _fixed("http-date", "the clock", WEEKDAY + r", \d\d " + MONTH + r" \d{4} \d\d:\d\d:\d\d GMT", "<date>"),
    _fixed("asctime", "the clock", WEEKDAY + r" " + MONTH + r" [ \d]\d \d\d:\d\d:\d\d \d{4}", "<date>"),
    _fixed("iso-date", "the clock", r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?Z?", "<date>"),
    _fixed("syslog-date", "the clock", r"(?m)^" + MONTH + r" [ \d]\d \d\d:\d\d:\d\d ", "<date> "),
    _fixed(
        "task-index-date", "start and end of a task in /var/log/pve/tasks/index", r"(?<=: )[0-9A-F]{8}(?= )", "<epoch>"
    ),
    _fixed("epoch", "the clock", r"\b1[789]\d{8}\b", "<epoch>"),
    _fixed(
        "ring-id",
        "a counter; the lowest member's id before the dot is compared",
        r"(Ring ID: +\w+)\.[0-9a-f]+",
        r"\1.<ring>",
    ),
    _fixed("membership", "corosync's counter of memberships", r"(membership \(\w+)\.[0-9a-f]+\)", r"\1.<ring>)"),
    _fixed("token-loss", "how long a token was missing", r"(Token has not been received in )\d+( ms)", r"\1<n>\2"),
    _fixed(
        "process-id",
        "the number of a process",
        r"(?<=corosync\[)\d+(?=\]:)|(?<=pmxcfs\[)\d+(?=\]:)|(?<=\.tmp\.)\d+|(?<=pvecertreq-)\d+|(?<=\(PID )\d+(?=\))",
        "<pid>",
    ),
    _fixed(
        "process-list",
        "process number and processor time of ps",
        r"(?m)^ *\d+ (\?|pts/\d+) +(\w)[\w<+]* +\d+:\d\d ",
        r"<pid> \1 \2 ",
    ),
    _fixed(
        "interpreter",
        "what language a command is written in; which command with which arguments is compared",
        r"/usr/bin/(?:perl|python3)(?= /usr/s?bin/)",
        "<interpreter>",
    ),
    _fixed(
        "guest-process",
        "last column of qm list: 0 means not running",
        r"(?m)^( +\d+ .* (?:running|stopped) .*? )[1-9]\d* *$",
        r"\1<pid>",
    ),
    _fixed("time-report", "how long the shell's time measured", r"(real|user|sys)(\s+)\d+m[\d.]+s", r"\1\2<seconds>"),
    _fixed("dd-report", "how fast a copy was", r"\d+\+\d+ records (in|out)", r"<n> records \1"),
    _fixed("dd-speed", "how fast a copy was", r"copied, [\d.]+ s, [\d.]+ .B/s", "copied, <seconds>"),
    _fixed("duration", "how long a migration took", r"\(duration \d\d:\d\d:\d\d\)", "(duration <seconds>)"),
    _fixed(
        "progress",
        "how often a copy reports its progress",
        r"(?m)(?:^(?:.*: )?transferred [\d.]+ \w+ of [\d.]+ \w+ \([\d.]+%\).*\n)+",
        "<progress>\n",
    ),
    _fixed(
        "temporary-name", "random", r"(?<=\.lqrs\.)\w{6}|(?<=\.ansible_tmp)\w{8}|(?<=/tmp)\w{8}(?=['\"])", "<random>"
    ),
    _fixed("content-length", "follows from the body, which is compared", r"(Content-Length: )\d+", r"\1<length>"),
    _fixed(
        "repository-id",
        "the recording lab's own build id of pve-manager",
        r"\"repoid\": ?\"[0-9a-z]{8,16}\"",
        '"repoid":"<build>"',
    ),
    _fixed(
        "members-version",
        "a counter; 0 (no cluster) stays 0",
        r"(\"nodename\": \"[^\"]+\",\n\"version\": )[1-9]\d*",
        r"\1<n>",
    ),
    _fixed("vmlist-version", "a counter", r"(?m)(^\{\n\"version\": )\d+", r"\1<n>"),
    _fixed("operation-age", "seconds between two steps of a probe", r"mtime_age=\d{1,3}\b", "mtime_age=<recent>"),
    _fixed(
        "operation-age-far",
        "distance of the clock to a date set by utime; its sign is compared",
        r"mtime_age=(-?)\d{4,}\b",
        r"mtime_age=\1<far>",
    ),
    _fixed("operation-speed", "how fast a probe was", r"(100 creates) [\d.]+s, (100 unlinks) [\d.]+s", r"\1, \2"),
    _fixed("free-blocks", "what /etc/pve holds at the moment", r"(f_bfree|f_bavail|f_ffree|f_favail)=\d+", r"\1=<n>"),
)


def apply_text_rules(text: str, numbering: Numbering) -> str:
    """The text with every volatile value replaced."""
    for rule in TEXT_RULES:
        text = rule.apply(text, numbering)
    return text
