# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cluster as a drawing: nodes, the links between them, votes, the quorum device, HA. Pure.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from ansible_collections.baremetal.proxmox.plugins.module_utils._report.markup import Markup, element, join

WIDTH, BOX_WIDTH, BOX_HEIGHT, GAP = 720, 150, 76, 16
# More nodes than this do not fit on a circle: they stand in rows then, and only links that are down are drawn.
ON_CIRCLE = 8
Point = tuple[float, float]


def draw_cluster(document: Mapping[str, Any]) -> Markup:
    nodes = document["nodes"]
    places = _places([node["name"] for node in nodes])
    bottom = max((y for _x, y in places.values()), default=0) + BOX_HEIGHT / 2 + GAP
    guests = {node["name"]: sum(1 for guest in document["guests"] if guest["node"] == node["name"]) for node in nodes}
    lines = _links(nodes, places, only_broken=len(nodes) > ON_CIRCLE)
    device = document["cluster"].get("qdevice")
    if device and len(nodes) <= ON_CIRCLE:
        middle = (WIDTH / 2, sum(y for _x, y in places.values()) / len(places))
        lines = join(lines, *(_line(places[node["name"]], middle, "vote") for node in nodes if node["member"]))
        boxes = [_box(middle, "device", [("Quorum device", "strong"), (str(device), "")])]
    else:
        boxes = []
    master = document["ha"].get("master")
    for node in nodes:
        texts = [
            (node["name"], "strong"),
            (_standing(node), ""),
            (f"{count_nouns(guests[node['name']], 'guest')}{' · HA master' if node['name'] == master else ''}", ""),
        ]
        boxes.append(_box(places[node["name"]], "online" if node["online"] else "offline", texts))
    return element(
        "svg",
        element(
            "title",
            f"The nodes of {document['cluster'].get('name') or 'no cluster'} and the links between them",
            id="drawing-title",
        ),
        element("desc", describe_drawing(document), id="drawing-text"),
        lines,
        *boxes,
        viewBox=f"0 0 {WIDTH} {bottom:.0f}",
        role="img",
        aria_labelledby="drawing-title drawing-text",
        xmlns="http://www.w3.org/2000/svg",
    )


def describe_drawing(document: Mapping[str, Any]) -> str:
    """The drawing in words, for those who do not see it."""
    nodes = document["nodes"]
    offline = [node["name"] for node in nodes if not node["online"]]
    broken = [f"{one} and {other}" for one, other, up, total in pair_links(nodes) if up < total]
    words = [f"{count_nouns(len(nodes), 'node')}: {', '.join(node['name'] for node in nodes)}."]
    words.append(f"Offline: {', '.join(offline)}." if offline else "All are online.")
    words.append(f"Links down between {'; '.join(broken)}." if broken else "No link is down.")
    return " ".join(words)


def pair_links(nodes: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, int, int]]:
    """Each pair of members: how many of its links are up, of how many. A link is up if no side says otherwise."""
    told: dict[tuple[str, str, int], bool] = {}
    for node in nodes:
        for link in node["links"]:
            one, other = sorted((node["name"], link["to"]))
            key = (one, other, int(link["number"]))
            told[key] = told.get(key, True) and link["connected"]
    pairs = []
    for one, other in combinations(sorted(node["name"] for node in nodes if node["member"]), 2):
        links = [up for (first, second, _number), up in told.items() if (first, second) == (one, other)]
        if links:
            pairs.append((one, other, sum(links), len(links)))
    return pairs


def _places(names: Sequence[str]) -> dict[str, Point]:
    """The middle of each node's box."""
    count = len(names)
    top = BOX_HEIGHT / 2 + GAP
    if count > ON_CIRCLE:
        columns = WIDTH // (BOX_WIDTH + GAP)
        step = WIDTH / columns
        return {
            name: (step * (index % columns + 0.5), top + (BOX_HEIGHT + GAP) * (index // columns))
            for index, name in enumerate(names)
        }
    if count < 2:
        return dict.fromkeys(names, (WIDTH / 2, top))
    radius_x, radius_y = WIDTH / 2 - BOX_WIDTH / 2 - GAP, 130 if count < 5 else 180
    # Two stand side by side, more begin at the top.
    first = math.pi if count == 2 else -math.pi / 2
    angles = [first + 2 * math.pi * index / count for index in range(count)]
    highest = min(math.sin(angle) for angle in angles)
    return {
        name: (WIDTH / 2 + radius_x * math.cos(angle), top + radius_y * (math.sin(angle) - highest))
        for name, angle in zip(names, angles, strict=True)
    }


def _links(nodes: Sequence[Mapping[str, Any]], places: Mapping[str, Point], only_broken: bool) -> Markup:
    drawn = []
    for one, other, up, total in pair_links(nodes):
        if up == total and only_broken:
            continue
        drawn.append(_line(places[one], places[other], "up" if up == total else "down"))
        if up < total or total > 1:
            x, y = ((a + b) / 2 for a, b in zip(places[one], places[other], strict=True))
            text = f"{up} of {total} links"
            drawn.append(
                element("rect", x=f"{x - 48:.0f}", y=f"{y - 10:.0f}", width=96, height=20, rx=4, class_="label")
            )
            drawn.append(element("text", text, x=f"{x:.0f}", y=f"{y + 4:.0f}", class_="label"))
    return join(*drawn)


def _line(start: Point, end: Point, kind: str) -> Markup:
    (x1, y1), (x2, y2) = start, end
    return element("line", x1=f"{x1:.0f}", y1=f"{y1:.0f}", x2=f"{x2:.0f}", y2=f"{y2:.0f}", class_=kind)


def _box(middle: Point, kind: str, texts: Sequence[tuple[str, str]]) -> Markup:
    x, y = middle
    top = y - BOX_HEIGHT / 2
    rows = [
        element("text", _short(text), x=f"{x:.0f}", y=f"{top + 24 + 20 * index:.0f}", class_=kind_of_text or None)
        for index, (text, kind_of_text) in enumerate(texts)
    ]
    frame = element(
        "rect", x=f"{x - BOX_WIDTH / 2:.0f}", y=f"{top:.0f}", width=BOX_WIDTH, height=BOX_HEIGHT, rx=8, class_=kind
    )
    return join(frame, *rows)


def _standing(node: Mapping[str, Any]) -> str:
    online = "✓ online" if node["online"] else "✗ OFFLINE"
    if not node["member"]:
        return "no member"
    return online if node["votes"] is None else f"{online}, {count_nouns(node['votes'], 'vote')}"


def count_nouns(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _short(text: str) -> str:
    return text if len(text) <= 20 else text[:19] + "…"
