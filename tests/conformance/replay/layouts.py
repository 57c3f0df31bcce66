# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Layouts that text rules cannot reach: `ls -l`, pmxcfs's own files, tables with borders, storage.cfg."""

from __future__ import annotations

import json
import re

from replay.json_form import canonical_json

LISTED = re.compile(
    r"^(?P<mode>[bcdlps-][rwxsStT-]{9})[.+]? +(?P<links>\d+) +(?P<owner>\S+) +(?P<group>\S+) +(?P<size>\d+) "
    r"+(?P<date>[A-Z][a-z]{2} +\d+ +(?:\d\d:\d\d|\d{4})) (?P<name>.*)$"
)
TOTAL = re.compile(r"^total \d+$")
# Sizes that follow from keys, counters, the cluster's log or the number of members, not from what was done.
VARIABLE_SIZE = re.compile(
    r"(^|/)(\.clusterlog|\.members|\.rrd|\.version|\.vmlist|lrm_status|known_hosts|ssh_known_hosts|authorized_keys|id_rsa(\.pub)?"
    r"|authkey\.(pub|key)|pve-[\w-]+\.(pem|key|srl)|config-\d+\.sql\.gz|tfa\.cfg)( -> .*)?$"
)
READABLE_NUMBER = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?: [KMGT]?i?B|%)|(?:\d+[dhms] ?)+")
VERSION_FILE = re.compile(r"(?s)\{\n\"starttime\": .*?\n\}")
NODE_LIST = re.compile(r"(?s)(\"nodelist\": \{\n)(.*?)(\n  \})")
CONTENT_LINE = re.compile(r"(?m)^(\tcontent )(\S+)$")
STORAGE_TABLE = re.compile(r"(?m)^(\S+ +\S+ +(?:active|inactive|disabled)) +[\d.%NA/ ]+$")
REFUSED_PARAMETERS = re.compile(r"(?m)(?<=^400 Parameter verification failed\.\n)(?:(?:[\w.-]+: .*)?\n)+")
STORAGE_HEADER = re.compile(r"(?m)^Name +Type +Status .*$")


def canonical_layouts(text: str) -> str:
    """The text with every known layout in its comparable form."""
    text = VERSION_FILE.sub(_hide_counters, text)
    text = NODE_LIST.sub(_sort_members, text)
    text = REFUSED_PARAMETERS.sub(_sort_refusals, text)
    text = CONTENT_LINE.sub(lambda match: match[1] + ",".join(sorted(match[2].split(","))), text)
    if STORAGE_HEADER.search(text):
        text = STORAGE_TABLE.sub(lambda match: " ".join(match[1].split()) + " <sizes>", text)
    text = "\n".join(_canonical_line(line) for line in text.split("\n"))
    return _read_tables(text)


def _canonical_line(line: str) -> str:
    match = LISTED.match(line)
    if match is None:
        # How many blocks a directory takes is the affair of the file system below the node.
        return "total <blocks>" if TOTAL.match(line) else line
    size = match["size"]
    foreign_directory = match["mode"][0] == "d" and size != "0"
    # Directories outside /etc/pve: size and link count are those of the host's overlay file system.
    links = "<links>" if foreign_directory else match["links"]
    if foreign_directory or (match["mode"][0] != "l" and VARIABLE_SIZE.search(match["name"])):
        size = "<size>"
    date = "1970" if re.fullmatch(r"Jan +1 +1970", match["date"]) else "<date>"
    return " ".join((match["mode"], links, match["owner"], match["group"], size, date, match["name"]))


def _hide_counters(match: re.Match[str]) -> str:
    """.version: which files and which status keys are known is compared, the counters and the order are not."""
    text = re.sub(r": \d+(?=[,}\n])", ": <n>", match[0])
    return re.sub(
        r"(?s)(?<=: \{\n)([^{}]*)(?=\})",
        lambda keys: ",\n".join(sorted(key.strip() for key in keys[1].split(",\n"))),
        text,
    )


def _sort_members(match: re.Match[str]) -> str:
    """The order of .members' nodes is that of a hash table."""
    lines = sorted(line.rstrip(",") for line in match[2].split("\n"))
    return match[1] + ",\n".join(lines) + match[3]


def _sort_refusals(match: re.Match[str]) -> str:
    """Refused parameters come in the order of a hash; some of their texts end with an empty line."""
    return "".join(sorted(line for line in match[0].splitlines(keepends=True) if line.strip()))


def _read_tables(text: str) -> str:
    """A bordered table as one JSON object a row, sorted: widths and order follow from volatile values."""
    lines, result, index = text.split("\n"), [], 0
    while index < len(lines):
        if not lines[index].startswith("┌"):
            result.append(lines[index])
            index += 1
            continue
        end = next((number for number in range(index, len(lines)) if lines[number].startswith("└")), len(lines) - 1)
        result.extend(_table_rows(lines[index : end + 1]))
        index = end + 1
    return "\n".join(result)


def _table_rows(lines: list[str]) -> list[str]:
    rows = [[_plain_cell(cell) for cell in line.strip("│").split("│")] for line in lines if line.startswith("│")]
    if not rows:
        return ["<table>"]
    head, body = rows[0], rows[1:]
    if head == ["key", "value"]:
        return ["<table key value>", json.dumps(canonical_json(dict(_pairs(body))), sort_keys=True, ensure_ascii=False)]
    objects = sorted(
        json.dumps(canonical_json(dict(zip(head, row, strict=False))), sort_keys=True, ensure_ascii=False)
        for row in body
    )
    return ["<table " + " ".join(head) + ">", *objects]


def _plain_cell(cell: str) -> str:
    """A size, a share or a time as a person reads them is the number that the machine's rules know."""
    text = cell.strip()
    match = READABLE_NUMBER.fullmatch(text)
    return (match["number"] or "1") if match else text


def _pairs(rows: list[list[str]]) -> list[tuple[str, str]]:
    return [(row[0], row[1] if len(row) > 1 else "") for row in rows]
