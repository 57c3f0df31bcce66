# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page and the drawing, as text."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest

from ansible_collections.baremetal.proxmox.plugins.module_utils._report.document import Document, build_document
from ansible_collections.baremetal.proxmox.plugins.module_utils._report.drawing import (
    describe_drawing,
    draw_cluster,
    pair_links,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._report.markup import element, join
from ansible_collections.baremetal.proxmox.plugins.module_utils._report.page import render_page

SVG = "{http://www.w3.org/2000/svg}"
EMPTY = ("meta", "link")


class Outline(HTMLParser):
    """Checks that elements are closed, and remembers ids, links and tags."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def values(self, name: str) -> list[str]:
        return [value or "" for attribute, value in self.attributes if attribute == name]


def outline(page: str) -> Outline:
    parser = Outline()
    parser.feed(page)
    assert parser.open == []
    return parser


def test_the_page_is_well_formed_and_its_links_lead_somewhere(document: Document):
    parsed = outline(render_page(document, ["Node pve4 went offline."]))
    ids = parsed.values("id")
    assert len(ids) == len(set(ids))
    assert {href.removeprefix("#") for href in parsed.values("href") if href.startswith("#")} <= set(ids)
    assert {word for value in parsed.values("aria-labelledby") for word in value.split()} <= set(ids)
    assert [tag for tag in parsed.tags if re.fullmatch(r"h\d", tag)][:2] == ["h1", "h2"]


def test_it_needs_nothing_from_anywhere(document: Document):
    page = render_page(document, None)
    parsed = outline(page)
    assert "script" not in parsed.tags and "img" not in parsed.tags
    assert [href for href in parsed.values("href") if not href.startswith("#")] == ["data:,"]
    assert parsed.values("src") == [] and "@import" not in page and "url(" not in page


def test_names_from_the_cluster_are_text(document: Document):
    page = render_page(document, ["<b>changed</b>"])
    assert "<script>" not in page and "<b>" not in page
    assert page.count("&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;&quot;&amp;") == 2


def test_elements_escape_what_is_no_element():
    assert element("a", "<", element("b", "&"), href='"x"', class_="c", data_label="d", hidden=True, id=None) == (
        '<a href="&quot;x&quot;" class="c" data-label="d" hidden>&lt;<b>&amp;</b></a>'
    )
    assert join("<", None, 3) == "&lt;3"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (None, "This is the first report here"),
        ([], "Nothing has changed"),
        (["Node pve4 went offline."], "<li>Node pve4"),
    ],
)
def test_what_has_changed(document: Document, changes: list[str] | None, words: str):
    assert words in render_page(document, changes)


def test_a_silent_agent_has_its_reason_and_remedy(document: Document):
    page = render_page(document, None)
    assert "✗ not_listening" in page and "in the guest run &#x27;apt-get install qemu-guest-agent&#x27;" in page
    assert "2 with a silent agent" in page


def test_a_report_that_could_not_read_the_guests_is_not_called_healthy(told: dict[str, Any]):
    told["cluster_report"].update(healthy=True, problems=[])
    assert "✓ The cluster is healthy" in render_page(build_document(**{**told, "preflight": []}), None)
    page = render_page(build_document(**{**told, "preflight": []}, unknown=["The guests could not be asked."]), None)
    assert "✗ Something is wrong" in page


def test_links_are_counted_by_pair_and_down_if_one_side_says_so(document: Document):
    assert pair_links(document["nodes"]) == [("pve1", "pve2", 2, 2), ("pve1", "pve3", 1, 2), ("pve2", "pve3", 2, 2)]


def test_the_drawing_shows_nodes_links_votes_and_the_master(document: Document):
    document["cluster"]["qdevice"] = "192.0.2.9"
    drawing = ElementTree.fromstring(draw_cluster(document))
    texts = [text.text for text in drawing.iter(f"{SVG}text")]
    assert {"pve1", "pve2", "pve3", "pve4", "✗ OFFLINE, 1 vote", "1 of 2 links", "1 guest · HA master"} <= set(texts)
    assert {"Quorum device", "192.0.2.9"} <= set(texts)
    lines = [line.get("class") for line in drawing.iter(f"{SVG}line")]
    assert sorted(lines) == ["down", "up", "up", *["vote"] * 4]
    assert [box.get("class") for box in drawing.iter(f"{SVG}rect")].count("offline") == 1


def test_the_drawing_in_words(document: Document):
    assert describe_drawing(document) == (
        "4 nodes: pve1, pve2, pve3, pve4. Offline: pve4. Links down between pve1 and pve3."
    )


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 8, 9, 32])
def test_no_two_boxes_overlap_and_none_is_outside(document: Document, count: int):
    node = document["nodes"][0]
    document["nodes"] = [{**node, "name": f"node-with-a-long-name-{number}", "links": []} for number in range(count)]
    drawing = ElementTree.fromstring(draw_cluster(document))
    _left, _top, width, height = map(float, drawing.get("viewBox", "").split())
    boxes = [
        tuple(float(box.get(name, "")) for name in ("x", "y", "width", "height")) for box in drawing.iter(f"{SVG}rect")
    ]
    assert len(boxes) == count
    for index, (x, y, w, h) in enumerate(boxes):
        assert x >= 0 and y >= 0 and x + w <= width and y + h <= height
        for other_x, other_y, other_w, other_h in boxes[:index]:
            assert x + w <= other_x or other_x + other_w <= x or y + h <= other_y or other_y + other_h <= y


def test_a_large_cluster_shows_the_links_that_are_down_alone(document: Document):
    names = [f"pve{number}" for number in range(1, 17)]
    document["nodes"] = [
        {
            **document["nodes"][0],
            "name": name,
            "links": [
                {"to": other, "number": 0, "connected": {name, other} != {"pve1", "pve9"}}
                for other in names
                if other != name
            ],
        }
        for name in names
    ]
    drawing = ElementTree.fromstring(draw_cluster(document))
    assert [line.get("class") for line in drawing.iter(f"{SVG}line")] == ["down"]
