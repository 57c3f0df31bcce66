# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PVE's named string formats. A validator raises FormatError with PVE's text; others may register their own."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable

CONFIG_ID = r"[A-Za-z][A-Za-z0-9_-]+"
DNS_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
TAG = r"[a-z0-9_][a-z0-9_\-+.]*"
IPV4 = r"(?:(?:25[0-5]|(?:2[0-4]|1[0-9]|[1-9])?[0-9])\.){3}(?:25[0-5]|(?:2[0-4]|1[0-9]|[1-9])?[0-9])"
EMAIL_USER = r"[\w+\-~]+(?:\.[\w+\-~]+)*"
EMAIL = EMAIL_USER + r"@[a-zA-Z0-9\-]+(?:\.[a-zA-Z0-9\-]+)*"


class FormatError(ValueError):
    """A value does not have its format; the text is PVE's, without the newline."""


Validator = Callable[[str], object]
VALIDATORS: dict[str, Validator] = {}


def register_format(name: str, validator: Validator) -> None:
    """Make ``name`` (and ``name-list``, ``name-opt``) usable as a parameter's format."""
    VALIDATORS[name] = validator


def by_pattern(name: str, pattern: str, message: str, flags: int = 0) -> None:
    """Register a format that is one regular expression; "{value}" in the message is the value itself."""
    compiled = re.compile(pattern, flags)

    def validate(value: str) -> str:
        # Perl's $ also matches before a last newline
        if not compiled.fullmatch(value.removesuffix("\n")):
            raise FormatError(message.replace("{value}", value))
        return value

    register_format(name, validate)


def split_list(text: str) -> list[str]:
    """Split a "-list" value as PVE does: at NULs, else at commas, semicolons and white space."""
    if "\0" in text:
        return text.split("\0")
    return re.sub("[,;]", " ", text).split()


def is_ipv6(text: str) -> bool:
    """True for an IPv6 address without a zone."""
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return "%" not in text


def is_ip(text: str) -> bool:
    """True for an address of either family."""
    return re.fullmatch(IPV4, text) is not None or is_ipv6(text)


def check_format(name: str, value: str) -> None:
    """Raise FormatError unless ``value`` has the named format (a plain one, a -list or an -opt)."""
    base, _, kind = name.rpartition("-")
    if kind == "list" and base in VALIDATORS:
        for part in split_list(value):
            VALIDATORS[base](part)
    elif kind == "opt" and base in VALIDATORS:
        if value:
            VALIDATORS[base](value)
    elif name in VALIDATORS:
        VALIDATORS[name](value)
    else:
        raise KeyError(f"undefined format '{name}'")


def check_id(kind: str) -> Validator:
    """Return the validator of an identifier with at least two characters."""

    def validate(value: str) -> str:
        if len(value) < 2:
            raise FormatError(f"{kind} ID '{value}' cannot be shorter than 2 characters")
        if not re.fullmatch(r"[a-zA-Z][a-zA-Z0-9\-_.]*[a-zA-Z0-9]", value):
            raise FormatError(f"{kind} ID '{value}' contains illegal characters")
        return value

    return validate


def check_ip(value: str) -> str:
    if not is_ip(value):
        raise FormatError("value does not look like a valid IP address")
    return value


def check_ipv6(value: str) -> str:
    if not is_ipv6(value):
        raise FormatError("value does not look like a valid IPv6 address")
    return value


def check_address(value: str) -> str:
    if not is_ip(value) and not re.fullmatch(rf"(?:{DNS_LABEL}\.)*{DNS_LABEL}", value):
        raise FormatError(f"value does not look like a valid address: {value}")
    return value


def is_cidr(value: str) -> bool:
    """True for address/prefix with the prefix lengths PVE takes."""
    address, slash, prefix = value.partition("/")
    if not slash or not prefix.isdigit():
        return False
    longest = 128 if is_ipv6(address) else 32 if re.fullmatch(IPV4, address) else 0
    return 7 < int(prefix) <= longest


def check_cidr(value: str) -> str:
    if not is_cidr(value):
        raise FormatError("value does not look like a valid CIDR network")
    return value


def check_ipv4_config(value: str) -> str:
    if value not in ("dhcp", "manual") and not (is_cidr(value) and ":" not in value):
        raise FormatError("value does not look like a valid ipv4 network configuration")
    return value


def check_ipv6_config(value: str) -> str:
    if value not in ("auto", "dhcp", "manual") and not (is_cidr(value) and ":" in value):
        raise FormatError("value does not look like a valid ipv6 network configuration")
    return value


def check_startup_order(value: str) -> str:
    parts = [part for part in value.split(",") if part.strip()]
    if not value or not all(re.fullmatch(r"(?:order=)?\d+|up=\d+|down=\d+", part) for part in parts):
        raise FormatError("unable to parse startup options")
    return value


def check_timezone(value: str) -> str:
    if value != "UTC":
        try:
            with open("/usr/share/zoneinfo/zone.tab", encoding="utf-8") as stream:
                known = {line.split("\t")[2].strip() for line in stream if not line.startswith("#")}
        except FileNotFoundError:
            known = set()
        if value not in known:
            raise FormatError(f"invalid time zone '{value}'")
    return value


NODE_NAME = rf"{DNS_LABEL}"

register_format("string", lambda value: value)
register_format("regex", lambda value: value)
register_format("ip", check_ip)
register_format("ipv6", check_ipv6)
register_format("address", check_address)
register_format("CIDR", check_cidr)
register_format("pve-ipv4-config", check_ipv4_config)
register_format("pve-ipv6-config", check_ipv6_config)
register_format("pve-startup-order", check_startup_order)
register_format("pve-storage-id", check_id("storage"))
register_format("acme-plugin-id", check_id("ACME plugin"))
register_format("timezone", check_timezone)
by_pattern("ipv4", IPV4, "value does not look like a valid IPv4 address")
by_pattern("pve-node", NODE_NAME, "value does not look like a valid node name")
by_pattern("pve-configid", CONFIG_ID, "invalid configuration ID '{value}'")
by_pattern("pve-vmid", r"[1-9][0-9]{2,8}", "value does not look like a valid VM ID")
by_pattern("pve-bridge-id", r"[-_.\w\d]+", "invalid bridge ID '{value}'")
by_pattern("pve-iface", r"[a-z][a-z0-9_]{1,20}([:.]\d+)?", "invalid network interface name '{value}'", re.IGNORECASE)
by_pattern("pve-tag", TAG, "invalid characters in tag", re.IGNORECASE)
by_pattern("dns-name", rf"(?:{DNS_LABEL}\.)*{DNS_LABEL}", "value does not look like a valid DNS name")
by_pattern("urlencoded", r"[-%a-zA-Z0-9_.!~*'()]*", "invalid urlencoded string: {value}")
by_pattern("disk-size", r"\d+(\.\d+)?([KMGT](iB)?)?", "value does not look like a valid disk size: {value}")
by_pattern("email-or-username", f"{EMAIL}|{EMAIL_USER}", "value does not look like a valid email address or user name")
by_pattern("email", EMAIL, "value does not look like a valid email address")
by_pattern("pve-task-status-type", "ok|error|warning|unknown", "invalid status '{value}'", re.IGNORECASE)
by_pattern(
    "mac-addr",
    r"[a-f0-9][02468ace](?::[a-f0-9]{2}){5}",
    "value does not look like a valid unicast MAC address",
    re.IGNORECASE,
)
by_pattern("pve-realm", r"[A-Za-z][A-Za-z0-9.\-_]+", "value does not look like a valid realm")
by_pattern("pve-groupid", r"[A-Za-z0-9.\-_]+", "group name '{value}' contains invalid characters")
by_pattern("pve-roleid", r"[A-Za-z0-9.\-_]+", "role name '{value}' contains invalid characters")
by_pattern(
    "pve-tokenid",
    r"[^\s:/]+@[A-Za-z][A-Za-z0-9.\-_]+![A-Za-z][A-Za-z0-9.\-_]+",
    "value '{value}' does not look like a valid token ID",
)
by_pattern(
    "mac-prefix",
    r"[a-f0-9][02468ace](?::[a-f0-9]{2}){0,2}:?",
    "value is not a valid unicast MAC address prefix",
    re.IGNORECASE,
)
