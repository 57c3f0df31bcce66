# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`.members` and `.version`, byte for byte as pmxcfs writes them (which is not quite how a JSON library would)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from practice_pve.pmxcfs.glib_order import hash_of_number, hash_of_text, in_table_order

if TYPE_CHECKING:
    from practice_pve.pmxcfs.status import Status, Values


def members_text(status: Status) -> str:
    cluster = status.cluster
    if cluster is None or not cluster.members:
        return f'{{\n"nodename": "{status.node_name}",\n"version": {status.cluster_version}\n}}\n'
    nodes = []
    for node_id in in_table_order(cluster.members, hash_of_number):
        member = cluster.members[node_id]
        address = status.addresses.get(member.name)
        address_part = f', "ip": "{address}"' if address else ""
        nodes.append(f'  "{member.name}": {{ "id": {node_id}, "online": {int(member.online)}{address_part}}}')
    return (
        f'{{\n"nodename": "{status.node_name}",\n"version": {status.cluster_version},\n'
        f'"cluster": {{ "name": "{cluster.name}", "version": {cluster.config_version}, '
        f'"nodes": {len(cluster.members)}, "quorate": {int(status.quorate)} }},\n'
        '"nodelist": {\n' + ",\n".join(nodes) + "\n  }\n}\n"
    )


def _values_text(node_name: str, values: Values) -> str:
    lines = [f'"{key}": {values[key].version}' for key in in_table_order(values, hash_of_text)]
    return f'"{node_name}": {{\n' + ",\n".join(lines) + "}\n"


def version_text(status: Status) -> str:
    lines = [f'"starttime": {status.start_time}', f'"clinfo": {status.cluster_version}']
    lines.append(f'"vmlist": {status.guests.version}')
    lines += [f'"{path}": {version}' for path, version in status.file_versions.items()]
    stores = [_values_text(status.node_name, status.values)]
    cluster = status.cluster
    for node_id in in_table_order(cluster.members, hash_of_number) if cluster else ():
        member = cluster.members[node_id] if cluster else None
        if member is not None and member.values is not None:
            stores.append(_values_text(member.name, member.values))
    return "{\n" + ",\n".join(lines) + ',\n"kvstore": {\n' + ",\n".join(stores) + "}\n}\n"
