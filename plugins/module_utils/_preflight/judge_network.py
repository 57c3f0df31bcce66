# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the probes between the nodes say. Pure.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.baremetal.proxmox.plugins.module_utils._preflight.findings import Finding, error, warning

WORST_CLOCK = 30.0
BAD_CLOCK = 1.0
BAD_ROUND_TRIP = 0.005
TCP_PURPOSES = {22: "SSH", 8006: "the API"}


def judge_network(answers: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[Finding]:
    """C(answers): per host, its probes as proxmox_preflight returned them."""
    findings: list[Finding] = []
    offsets: dict[str, dict[str, float]] = {}
    for host, probes in sorted(answers.items()):
        for probe in probes:
            findings += _one_probe(host, probe)
            if probe.get("clock_offset") is not None:
                offsets.setdefault(host, {})[probe["peer"]] = float(probe["clock_offset"])
    return findings + _clocks(offsets)


def _one_probe(host: str, probe: Mapping[str, Any]) -> list[Finding]:
    peer, target = probe["peer"], f"{probe['peer']} ({probe['remote']})"
    if probe["kind"] == "tcp":
        if probe["error"] is None:
            return []
        what = TCP_PURPOSES.get(probe["port"], "")
        text = f"TCP port {probe['port']} of {target}, for {what}, cannot be reached: {probe['error']}."
        return [
            error("tcp", host, text, f"Open the port between the nodes, and check that its service runs on {peer}.")
        ]
    link, port = probe["link"], probe["port"]
    if probe["error"] is not None or probe["answered"] == 0:
        reason = probe["error"] or "no answer to any probe"
        text = f"Link {link}: UDP port {port} to {target} and back does not pass: {reason}."
        return [error("udp", host, text, f"Let UDP {port} pass both ways between the nodes; corosync runs over it.")]
    findings = []
    if probe["answered"] < probe["sent"]:
        lost = probe["sent"] - probe["answered"]
        text = f"Link {link}: {lost} of {probe['sent']} packets to {target} were lost."
        findings.append(
            warning("packet_loss", host, text, "Corosync needs a quiet network; look at cables, duplex, and load.")
        )
    if not probe["full_size_answered"]:
        text = f"Link {link}: packets of the interface's full size ({probe['mtu']} bytes) do not reach {target}, small ones do."
        remedy = "Set the same MTU along the whole way (switch ports, bonds, VLANs, bridges), or a smaller one on both nodes."
        findings.append(error("mtu", host, text, remedy))
    if probe["round_trip"] is not None and probe["round_trip"] > BAD_ROUND_TRIP:
        text = f"Link {link}: the way to {target} and back takes {probe['round_trip'] * 1000:.1f} ms."
        findings.append(warning("latency", host, text, "Corosync wants less than 5 ms; give it a network of its own."))
    return findings


def _clocks(offsets: Mapping[str, Mapping[str, float]]) -> list[Finding]:
    """The host whose clock disagrees with all others is the one that is wrong; of two, either may be."""
    nearest = {host: min((abs(offset), peer) for peer, offset in peers.items()) for host, peers in offsets.items()}
    wrong = {host: found for host, found in nearest.items() if found[0] > BAD_CLOCK}
    if not wrong:
        # No one stands alone (two against two): the widest gap speaks for itself.
        gaps = [((abs(offset), peer), host) for host, peers in offsets.items() for peer, offset in peers.items()]
        widest = max(gaps, default=None)
        wrong = {widest[1]: widest[0]} if widest is not None and widest[0][0] > BAD_CLOCK else {}
    findings, told = [], set()
    for host, (offset, peer) in sorted(wrong.items()):
        if peer in told:
            continue
        told.add(host)
        text = f"The clocks of {host} and {peer} are {offset:.1f} s apart."
        make = error if offset > WORST_CLOCK else warning
        findings.append(make("clock", host, text, "Let both follow a time server: chronyc makestep, chronyc sources."))
    return findings
