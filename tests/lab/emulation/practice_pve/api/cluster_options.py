# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""datacenter.cfg: the options of the whole cluster."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from practice_pve.access.user_config import encode
from practice_pve.rest.formats import FormatError
from practice_pve.rest.parameters import Boolean, Enum, Integer, Number, Parameter, PropertyString, Text
from practice_pve.rest.verification import parse_property_string, perl_text, print_property_string

LIMIT = Number(minimum=0, optional=True, format_description="LIMIT")
CONNECTION = {
    "type": Text(enum=("secure", "insecure"), default_key=True),
    "network": Text(format="CIDR", optional=True, format_description="CIDR"),
}
OPTIONS: dict[str, Parameter] = {
    "bwlimit": PropertyString(
        dict.fromkeys(("clone", "default", "migration", "move", "restore"), LIMIT), optional=True
    ),
    "console": Enum("applet", "vv", "html5", "xtermjs", optional=True),
    "consent-text": Text(max_length=65536, optional=True),
    "description": Text(max_length=65536, optional=True),
    "email_from": Text(format="email-opt", optional=True),
    "fencing": Enum("watchdog", "hardware", "both", optional=True),
    "ha": PropertyString(
        {"shutdown_policy": Text(enum=("freeze", "failover", "conditional", "migrate"))}, optional=True
    ),
    "http_proxy": Text(pattern="http://.*", optional=True),
    "keyboard": Enum(
        "de", "de-ch", "da", "en-gb", "en-us", "es", "fi", "fr", "fr-be", "fr-ca", "fr-ch", "hu", "is", "it", "ja",
        "lt", "mk", "nl", "no", "pl", "pt", "pt-br", "sv", "sl", "tr", optional=True,
    ),
    "language": Enum(
        "ar", "ca", "da", "de", "en", "es", "eu", "fa", "fr", "hr", "he", "it", "ja", "ka", "kr", "nb", "nl", "nn",
        "pl", "pt_BR", "ru", "sl", "sv", "tr", "ukr", "zh_CN", "zh_TW", optional=True,
    ),
    "mac_prefix": Text(format="mac-prefix", optional=True),
    "max_workers": Integer(minimum=1, optional=True),
    "migration": PropertyString(CONNECTION, optional=True),
    "migration_unsecure": Boolean(optional=True),
    "next-id": PropertyString({"lower": Integer(optional=True), "upper": Integer(optional=True)}, optional=True),
    "replication": PropertyString(CONNECTION, optional=True),
    "crs": PropertyString(
        {
            "ha": Text(enum=("basic", "static", "dynamic"), optional=True),
            "ha-rebalance-on-start": Boolean(optional=True),
            "ha-auto-rebalance": Boolean(optional=True),
        },
        optional=True,
    ),
    "registered-tags": Text(
        pattern=r"(?:[a-zA-Z0-9_][a-zA-Z0-9_\-+.]*;)*[a-zA-Z0-9_][a-zA-Z0-9_\-+.]*", optional=True
    ),
}  # fmt: skip
# these come back as objects, not as the text that stands in the file
PARSED = ("crs", "migration", "replication", "next-id", "ha")
DEFAULT_MAC_PREFIX = "BC:24:11"


def parse_options(text: str) -> dict[str, Any]:
    """Return the options; the description is what stands in comment lines."""
    options: dict[str, Any] = {"description": ""}
    for line in text.splitlines():
        if line.startswith("#"):
            options["description"] += unquote(line[1:]) + "\n"
            continue
        name, colon, value = line.partition(":")
        if colon and name.strip() in OPTIONS:
            options[name.strip()] = parse_value(name.strip(), value.strip())
    options.setdefault("mac_prefix", DEFAULT_MAC_PREFIX)
    return options


def parse_value(name: str, value: str) -> Any:
    """Return one option's value."""
    properties = OPTIONS[name].format
    if name in PARSED and properties is not None and not isinstance(properties, str):
        try:
            return parse_property_string(properties, value)
        except FormatError:
            return value
    return value


def render_options(options: dict[str, Any]) -> str:
    """Return the file's text: comment lines, then the options, sorted."""
    text = "".join(f"#{encode(line)}\n" for line in str(options.get("description", "")).splitlines())
    for name in sorted(options):
        value = options[name]
        if name in ("description", "allowed-tags") or (name == "mac_prefix" and value == DEFAULT_MAC_PREFIX):
            continue
        properties = OPTIONS[name].format
        if isinstance(value, dict) and properties is not None and not isinstance(properties, str):
            value = print_property_string(properties, value)
        text += f"{name}: {perl_text(value)}\n"
    return text
