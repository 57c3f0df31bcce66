# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as one page that needs nothing beside itself: no network, no script. Pure.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.baremetal.proxmox.plugins.module_utils._report.drawing import count_nouns, draw_cluster
from ansible_collections.baremetal.proxmox.plugins.module_utils._report.markup import Content, Markup, element, join
from ansible_collections.baremetal.proxmox.plugins.module_utils._report.style import STYLE

# The browser itself then refuses whatever would come from elsewhere, and every script.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
SECTIONS = (
    ("cluster", "Cluster"),
    ("findings", "Findings"),
    ("changes", "Changes"),
    ("nodes", "Nodes"),
    ("machines", "Machines and containers"),
)
Document = Mapping[str, Any]


def render_page(document: Document, changes: Sequence[str] | None) -> str:
    title = f"Report of {document['cluster'].get('name') or 'standalone nodes'}"
    contents = {
        "cluster": join(_drawing(document), _facts(document)),
        "findings": _findings(document["findings"]),
        "changes": _changes(changes),
        "nodes": _nodes(document["nodes"]),
        "machines": _machines(document),
    }
    head = element(
        "head",
        Markup('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><link rel="icon" href="data:,">'),
        element("title", title),
        element("style", Markup(STYLE)),
    )
    links = [element("li", element("a", words, href=f"#{name}")) for name, words in SECTIONS]
    sections = [
        element("section", element("h2", words, id=name), contents[name], aria_labelledby=name)
        for name, words in SECTIONS
    ]
    body = element(
        "body",
        element("a", "Skip to the contents", href="#main", class_="skip"),
        element(
            "header",
            element("h1", title),
            _verdict(document),
            element("nav", element("ul", *links), aria_label="Contents"),
        ),
        element("main", *sections, id="main"),
        element(
            "footer", f"Made on {document['made']} by baremetal.proxmox. The same as data: report.json, report.prom."
        ),
    )
    return f"<!doctype html>\n{element('html', head, body, lang='en')}\n"


def _verdict(document: Document) -> Markup:
    errors = sum(1 for finding in document["findings"] if finding["severity"] == "error")
    warnings = len(document["findings"]) - errors
    silent = sum(1 for guest in document["guests"] if guest["agent"] and not guest["agent"]["available"])
    healthy = document["healthy"] and not errors
    words = [
        "✓ The cluster is healthy" if healthy else "✗ Something is wrong",
        f"{count_nouns(errors, 'error')}, {count_nouns(warnings, 'warning')}",
        f"{count_nouns(len(document['guests']), 'guest')}, {silent} with a silent agent",
    ]
    return element("p", " · ".join(words), class_=f"verdict {'good' if healthy else 'bad'}")


def _drawing(document: Document) -> Markup:
    """On a narrow screen it is moved sideways by itself, with the keyboard too."""
    label = "Drawing of the cluster"
    return element("div", draw_cluster(document), class_="drawing", role="region", tabindex="0", aria_label=label)


def _facts(document: Document) -> Markup:
    cluster, nodes = document["cluster"], document["nodes"]
    votes = f"{_text(cluster['total_votes'])} of {_text(cluster['expected_votes'])}, {_text(cluster['quorum_votes'])} needed"
    managed = ", ".join(
        f"{name} on {node or 'no node yet'}" for name, node in sorted(document["ha"]["resources"].items())
    )
    facts = [
        ("Quorate", _yes(cluster["quorate"])),
        ("Configuration can be written", _yes(cluster["writable"])),
        ("Votes", votes if cluster.get("name") else "–"),
        ("Nodes online", f"{sum(node['online'] for node in nodes)} of {len(nodes)}"),
        ("Quorum device", cluster["qdevice"] or "none"),
        ("HA master", document["ha"]["master"] or "none"),
        ("Managed by HA", managed or "nothing"),
        ("Version of the configuration", _text(cluster["config_version"])),
    ]
    return element(
        "dl", *(element("div", element("dt", name), element("dd", value)) for name, value in facts), class_="facts"
    )


def _findings(findings: Sequence[Document]) -> Markup:
    if not findings:
        return element("p", "✓ Nothing was found.", class_="good")
    return element("ul", *map(_finding, findings), class_="findings")


def _finding(finding: Document) -> Markup:
    word = "✗ Error" if finding["severity"] == "error" else "! Warning"
    where = f" ({finding['where']})" if finding["where"] else ""
    return element(
        "li",
        element("strong", word),
        " ",
        element("code", finding["code"]),
        f"{where}, from the {finding['source']} check",
        element("p", finding["text"]),
        element("p", "→ ", finding["remedy"]) if finding["remedy"] else None,
        class_="error" if finding["severity"] == "error" else "warning",
    )


def _changes(changes: Sequence[str] | None) -> Markup:
    if changes is None:
        return element("p", "This is the first report here; the next one will tell what has changed.", class_="soft")
    if not changes:
        return element("p", "Nothing has changed since the last report.", class_="soft")
    return element("ul", *(element("li", change) for change in changes))


def _nodes(nodes: Sequence[Document]) -> Markup:
    rows: list[list[Content]] = [
        [
            node["name"],
            _mark("✓ online" if node["online"] else "✗ offline", good=node["online"]),
            _text(node["votes"]),
            ", ".join(node["addresses"]),
            f"{sum(link['connected'] for link in node['links'])} of {len(node['links'])} connected"
            if node["links"]
            else "",
            node["reason"] or node["state"] or "was not asked, or gave no answer",
        ]
        for node in nodes
    ]
    return _table("All nodes", ["Node", "State", "Votes", "Addresses", "Links", "What it says"], rows)


def _machines(document: Document) -> Markup:
    if not document["guests"]:
        return element("p", "There are none.", class_="soft")
    parts = []
    for node in sorted({str(guest["node"] or "no node") for guest in document["guests"]}):
        guests = [guest for guest in document["guests"] if str(guest["node"] or "no node") == node]
        heads = ["Number", "Name", "State", "Addresses", "System", "Agent", "Remedy"]
        parts += [
            element("h3", f"On {node}"),
            _table(f"Guests on {node}", heads, [_machine(guest) for guest in guests]),
        ]
    return join(*parts)


def _machine(guest: Document) -> list[Content]:
    running = guest["status"] == "running"
    kind = "Template" if guest["template"] else "Container" if guest["kind"] == "container" else ""
    state = _mark(guest["status"], good=True) if running else Markup(element("span", guest["status"], class_="soft"))
    more = [word for word in (kind, "HA" if guest["managed"] else "", *guest["tags"]) if word]
    agent = guest["agent"]
    if agent is None:
        told: Content = "has none" if kind else "was not asked"
    elif agent["available"]:
        told = _mark("✓ answers", good=True)
    else:
        told = join(_mark(f"✗ {agent['reason']}", good=False), ": ", agent["detail"] or "")
    return [
        str(guest["vmid"]),
        join(guest["name"] or guest["hostname"] or "–", f" ({', '.join(more)})" if more else ""),
        state,
        ", ".join(guest["addresses"]),
        guest["os"],
        told,
        (agent or {}).get("remedy") or "",
    ]


def _table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[Content]]) -> Markup:
    """The roles say it is a table also where the style makes cards of its rows."""
    head_cells = [element("th", head, scope="col", role="columnheader") for head in heads]
    body = [
        element(
            "tr",
            element("th", row[0], scope="row", role="rowheader"),
            *(
                element("td", cell, role="cell", data_label=head, class_=None if cell else "empty")
                for head, cell in zip(heads[1:], row[1:], strict=True)
            ),
            role="row",
        )
        for row in rows
    ]
    return element(
        "table",
        element("caption", caption),
        element("thead", element("tr", *head_cells, role="row"), role="rowgroup"),
        element("tbody", *body, role="rowgroup"),
        role="table",
    )


def _mark(text: str, good: bool) -> Markup:
    return element("span", text, class_="good" if good else "bad")


def _yes(value: object) -> Markup | str:
    return "unknown" if value is None else _mark("✓ yes", good=True) if value else _mark("✗ no", good=False)


def _text(value: object) -> str:
    return "–" if value is None else str(value)
