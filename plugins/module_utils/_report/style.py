# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the page looks: by day, by night, on paper, on a telephone. Pure.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

STYLE = """
:root { color-scheme: light dark; --page: #fff; --text: #1b1f24; --soft: #545d68; --line: #c9d1d9; --panel: #f6f8fa;
  --good: #116329; --warn: #7d4e00; --bad: #a40e26; --accent: #0a4f9e; }
@media (prefers-color-scheme: dark) { :root { --page: #0f1419; --text: #e6edf3; --soft: #a8b3bf; --line: #3b444d; --panel: #1a2129;
  --good: #56d364; --warn: #e3b341; --bad: #ff8e88; --accent: #79c0ff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1rem; background: var(--page); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; }
a { color: var(--accent); } a:focus-visible, [tabindex]:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.skip { position: absolute; left: -99rem; } .skip:focus { position: static; }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; margin: 0; padding: 0; }
h1 { font-size: 1.6rem; margin: .5rem 0; } h2 { font-size: 1.25rem; margin: 2rem 0 .5rem; } h3 { font-size: 1.05rem; margin: 1.25rem 0 .25rem; }
.verdict { border-left: .5rem solid; padding: .5rem .75rem; background: var(--panel); font-weight: 600; }
.good { color: var(--good); } .warning { color: var(--warn); } .bad, .error { color: var(--bad); } .soft { color: var(--soft); }
dl.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(11rem, 1fr)); gap: .5rem; margin: .5rem 0; }
dl.facts div { background: var(--panel); padding: .5rem .75rem; border-radius: .4rem; } dt { color: var(--soft); font-size: .85rem; }
  dd { margin: 0; overflow-wrap: anywhere; }
.drawing { overflow-x: auto; } svg { display: block; margin: 0 auto; width: 100%; min-width: 32rem; height: auto; max-height: 28rem; }
  svg text { font: 13px system-ui, sans-serif; text-anchor: middle; fill: var(--text); }
svg text.strong { font-weight: 700; font-size: 15px; } svg rect { fill: var(--panel); stroke: var(--good); stroke-width: 2; }
svg rect.offline { stroke: var(--bad); stroke-dasharray: 6 4; } svg rect.device { stroke: var(--accent); }
  svg rect.label { fill: var(--page); stroke: none; }
svg line { stroke: var(--good); stroke-width: 2.5; } svg line.down { stroke: var(--bad); stroke-dasharray: 6 5; }
  svg line.vote { stroke: var(--accent); stroke-dasharray: 2 4; }
table { border-collapse: collapse; width: 100%; } caption { text-align: left; color: var(--soft); padding: .25rem 0; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
th { font-size: .85rem; color: var(--soft); } tbody th { font-size: 1rem; color: var(--text); }
code { font-family: ui-monospace, monospace; font-size: .9em; }
.findings { list-style: none; padding: 0; } .findings li { border-left: .35rem solid; padding: .25rem .75rem; margin: .5rem 0;
  background: var(--panel); }
.findings p { margin: .15rem 0; color: var(--text); }
footer { margin-top: 2rem; color: var(--soft); font-size: .85rem; }
@media (max-width: 40rem) { table, tbody, tr, th, td { display: block; } thead { position: absolute; left: -99rem; }
  caption { display: block; } tr { border: 1px solid var(--line); border-radius: .4rem; margin: .5rem 0; padding: .25rem; }
  th, td { border: 0; padding: .15rem .5rem; }
  td[data-label]::before { content: attr(data-label) ": "; color: var(--soft); } td.empty { display: none; } }
@media print { :root { --page: #fff; --text: #000; --soft: #333; --line: #999; --panel: #fff; --good: #000; --warn: #000; --bad: #000;
  --accent: #000; }
  body { max-width: none; padding: 0; font-size: 10pt; } nav, .skip { display: none; } tr, li, svg, dl.facts div { break-inside: avoid; }
  h2, h3 { break-after: avoid; } }
"""
