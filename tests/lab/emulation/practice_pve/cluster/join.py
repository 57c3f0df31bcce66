# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`pvecm add` and POST /cluster/config/join: join over the API of a member, with root's password."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from practice_pve import settings
from practice_pve.cluster import ssh_setup
from practice_pve.cluster.addresses import node_address
from practice_pve.cluster.finish_join import finish_join
from practice_pve.cluster.joinable import JOIN_API_VERSION, assert_joinable, assert_we_can_join
from practice_pve.cluster.links import extract_links, format_link
from practice_pve.cluster.peer_client import PeerClient, PeerError
from practice_pve.rest.errors import ApiError


def join_over_api(parameters: Mapping[str, Any], password: str) -> None:
    """All steps of the joining node. The caller holds the lock on the membership of this node."""
    node = settings.nodename()
    local_address = node_address(node)
    links = extract_links(parameters)
    assert_joinable(local_address, links, bool(parameters.get("force")))
    prepare_ssh()
    host = str(parameters["hostname"])
    print(f"Establishing API connection with host '{host}'", flush=True)
    peer = PeerClient(host, parameters.get("fingerprint"))
    peer.login(password)
    print("Login succeeded.", flush=True)
    print("check cluster join API version", flush=True)
    version = _ask_version(peer)
    assert_we_can_join(version)
    request = _addition_request(parameters, version)
    if links:
        request.update({f"link{number}": format_link(link) for number, link in links.items()})
    else:
        request["link0" if version == 0 else "new_node_ip"] = local_address
        announce_fallback(local_address)
    print("Request addition of this node", flush=True)
    answer = _request_addition(peer, node, request)
    for warning in answer.get("warnings") or []:
        print(f"cluster: {warning}", file=sys.stderr, flush=True)
    print("Join request OK, finishing setup locally", flush=True)
    # JSON carries the binary key as characters 0 to 255.
    finish_join(node, answer["corosync_conf"], answer["corosync_authkey"].encode("latin-1"))


def prepare_ssh() -> None:
    """The steps on this node that come before anything is asked of the cluster, and stay when it refuses."""
    ssh_setup.allow_root_login()
    ssh_setup.ensure_root_key()
    ssh_setup.share_authorized_keys()
    ssh_setup.unmerge_shared_known_hosts()


def announce_fallback(address: str) -> None:
    print(
        f"No cluster network links passed explicitly, fallback to local node IP '{address}'",
        flush=True,
    )


def _ask_version(peer: PeerClient) -> int:
    try:
        return int(peer.get("/cluster/config/apiversion") or 0)
    except PeerError:
        return 0


def _addition_request(parameters: Mapping[str, Any], version: int) -> dict[str, Any]:
    request: dict[str, Any] = {}
    if parameters.get("force") is not None:
        request["force"] = int(bool(parameters["force"]))
    if parameters.get("nodeid"):
        request["nodeid"] = parameters["nodeid"]
    if parameters.get("votes") is not None:
        request["votes"] = parameters["votes"]
    if version >= 1:
        request["apiversion"] = JOIN_API_VERSION
    return request


def _request_addition(peer: PeerClient, node: str, request: dict[str, Any]) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = peer.post(f"/cluster/config/nodes/{node}", request)
    except PeerError as error:
        print(f"An error occurred on the cluster node: {error}", file=sys.stderr, flush=True)
        for key, text in sorted((error.errors or {}).items()):
            print(f"{'*' if key.startswith('warning') else '!'} {text}", file=sys.stderr, flush=True)
        raise ApiError("Cluster join aborted!\n") from error
    return answer
