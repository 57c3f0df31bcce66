# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report as its readers see it: in a real browser, on a telephone, a desk and paper, by day and by night.

Chromium's own command line is enough: a page beside the report looks at it through a frame and writes down what it sees.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.baremetal.proxmox.plugins.module_utils._report.document import build_document
from ansible_collections.baremetal.proxmox.plugins.module_utils._report.page import render_page
from busy_machine import allow

PROGRAM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="chromium is not installed (make packages, as root)")
TELEPHONE, DESK = 390, 1280
DARK = "--blink-settings=preferredColorScheme=0"

LOOK = """
<!doctype html><title>probe</title><iframe id="frame" src="report.html" style="border:0;height:3000px;width:WIDTHpx"></iframe><pre id="seen"></pre>
<script>
const channels = text => (text.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
addEventListener("load", () => {
  const page = frame.contentDocument, view = frame.contentWindow;
  const behind = node => { for (; node; node = node.parentElement) {
    const c = channels(view.getComputedStyle(node).backgroundColor); if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
  const contrast = node => { const a = light(channels(view.getComputedStyle(node).color)), b = light(behind(node));
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05); };
  const texts = [...page.body.querySelectorAll("*")].filter(n => n.childElementCount == 0 && n.textContent.trim() && !n.closest("svg"));
  const reached = [...page.querySelectorAll("a[href], [tabindex='0']")].map(n => { n.focus();
    return [page.activeElement === n, view.getComputedStyle(n).position, n.textContent.slice(0, 20)]; });
  seen.textContent = JSON.stringify({
    overflow: page.documentElement.scrollWidth - frame.clientWidth,
    contrast: Math.min(...texts.map(contrast)),
    worst: texts.sort((a, b) => contrast(a) - contrast(b))[0].outerHTML,
    reached: reached,
    rows: view.getComputedStyle(page.querySelector("tbody tr")).display,
    labels: view.getComputedStyle(page.querySelector("td[data-label]"), "::before").content,
    outside: [...page.querySelectorAll("main p, main td, main th, main li, main dd")].filter(n => {
      const box = n.getBoundingClientRect();
      return box.width && (box.right > frame.clientWidth + 1 || box.left < -1) && view.getComputedStyle(n).display != "none"; })
      .filter(n => !n.closest("thead")).map(n => n.textContent),
    drawing: page.querySelector("svg").getBoundingClientRect().width,
    text: page.body.innerText,
    title: page.title,
  });
});
</script>
"""


@dataclass
class Browser:
    """Chromium with a profile of its own, in a directory that holds the report."""

    place: Path

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        options = (
            # No sandbox: tests run as root in containers, and the page is ours.
            *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"),
            *("--enable-logging=stderr", "--allow-file-access-from-files", "--virtual-time-budget=5000"),
            f"--user-data-dir={self.place / 'profile'}",
        )
        return subprocess.run(
            [str(PROGRAM), *options, *arguments],
            cwd=self.place,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=allow(60),
            check=True,
        )

    def look(self, width: int, *arguments: str) -> dict[str, Any]:
        (self.place / "probe.html").write_text(LOOK.replace("WIDTH", str(width)), encoding="utf-8")
        ended = self.run("--dump-dom", "--window-size=1400,3200", *arguments, (self.place / "probe.html").as_uri())
        assert "CONSOLE" not in ended.stderr, ended.stderr
        written = re.search(r'<pre id="seen">(.*?)</pre>', ended.stdout, re.DOTALL)
        assert written and written[1], ended.stderr
        seen: dict[str, Any] = json.loads(html.unescape(written[1]))
        return seen


@pytest.fixture
def browser(tmp_path: Path, told: dict[str, Any]) -> Browser:
    browser = Browser(tmp_path)
    page = render_page(build_document(**told), ["Node pve4 went offline."])
    (browser.place / "report.html").write_text(page, encoding="utf-8")
    return browser


@pytest.mark.parametrize("width", [TELEPHONE, DESK])
def test_nothing_is_wider_than_the_screen(browser: Browser, width: int):
    seen = browser.look(width)
    assert seen["overflow"] <= 0
    assert seen["outside"] == []


def test_the_contents_are_there(browser: Browser):
    seen = browser.look(DESK)
    assert seen["title"] == "Report of lab"
    for words in (
        *("✗ Something is wrong · 1 error, 1 warning · 5 guests, 2 with a silent agent", "pve4 is offline."),
        *("Debian GNU/Linux 13 (trixie)", "2001:db8::50", "✗ not_listening", "Node pve4 went offline."),
        "<script>alert('x')</script>\"&",
    ):
        assert words in seen["text"]


def test_a_table_on_a_desk_is_cards_on_a_telephone(browser: Browser):
    desk, telephone = browser.look(DESK), browser.look(TELEPHONE)
    assert (desk["rows"], telephone["rows"]) == ("table-row", "block")
    assert telephone["labels"].startswith('"State') or "attr" in telephone["labels"]
    # The drawing stays as large as can be read, and moves sideways by itself.
    assert telephone["drawing"] >= 500


@pytest.mark.parametrize("scheme", [(), (DARK,)], ids=["day", "night"])
def test_all_text_can_be_read(browser: Browser, scheme: tuple[str, ...]):
    seen = browser.look(DESK, *scheme)
    # What WCAG asks for at level AA.
    assert seen["contrast"] >= 4.5, seen["worst"]


def test_night_is_not_day(browser: Browser):
    for scheme, name in (((), "day"), ((DARK,), "night")):
        browser.run(
            f"--screenshot={name}.png", "--window-size=600,400", *scheme, (browser.place / "report.html").as_uri()
        )
    assert (browser.place / "day.png").read_bytes() != (browser.place / "night.png").read_bytes()


def test_the_keyboard_reaches_everything(browser: Browser):
    reached = browser.look(DESK)["reached"]
    # The way past the contents comes first, and is seen once it has the focus.
    assert reached[0] == [True, "static", "Skip to the contents"]
    assert len(reached) == 7 and all(focused for focused, _position, _text in reached)


def test_it_can_be_printed(browser: Browser):
    browser.run("--print-to-pdf=report.pdf", "--no-pdf-header-footer", (browser.place / "report.html").as_uri())
    printed = (browser.place / "report.pdf").read_bytes()
    assert printed.startswith(b"%PDF") and len(printed) > 10000
