#!/usr/bin/python

# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: guest_agent_facts
short_description: Read what guests say of themselves, and why silent ones are silent
version_added: 0.1.0
description:
  - Asks the QEMU guest agents of one, several or all virtual machines for addresses, operating system, users, file systems and more.
  - Every silent agent gets a RV(guests[].reason) and a RV(guests[].remedy) that names the command to run. The monitor of the virtual
    machine tells whether anything in the guest has opened the agent's port, so that one that is not installed is named at once.
  - Guests are asked side by side. One that hangs costs no more than the time limits of its own agent.
  - Nothing is changed, neither on the nodes nor in the guests.
author:
  - baremetal.proxmox authors (@baremetal-proxmox)
extends_documentation_fragment:
  - baremetal.proxmox._attributes.info_module
  - baremetal.proxmox._session
options:
  vmid:
    description: The number of the virtual machine to look at.
    type: int
  name:
    description: The name of the virtual machine to look at. It must be the only one of that name.
    type: str
  vmids:
    description: The numbers of the virtual machines to look at.
    type: list
    elements: int
  all:
    description: Look at all virtual machines of the cluster, or of O(node). Templates and containers are left out.
    type: bool
    default: false
  node:
    description: Only look at virtual machines on this node.
    type: str
  gather:
    description: What to ask for. Each part costs one command of the agent.
    type: list
    elements: str
    choices: [network, os, hostname, users, filesystems, timezone, time, vcpus, info, fsfreeze]
    default: [network, os, hostname, info, fsfreeze]
  networks:
    description:
      - Networks or addresses that the primary address must be in, best first. They restrict only their own family.
      - Link-local addresses, and interfaces that are none of the virtual machine's own cards, are only chosen when named here.
    type: list
    elements: str
    default: []
  exclude_interfaces:
    description:
      - Patterns of names of interfaces in the guest whose addresses are never primary.
      - Loopback and those of container engines, for example C(docker*), C(veth*) and C(br-*), never are.
    type: list
    elements: str
    default: []
  require:
    description: What a guest must give. V(ipv4) and V(ipv6) mean a primary address of that family.
    type: str
    choices: [ping, ipv4, ipv6]
    default: ping
  wait:
    description:
      - Wait for what O(require) names.
      - A guest whose agent cannot answer without somebody doing something, for example because it is switched off, ends its waiting early.
    type: bool
    default: false
  timeout:
    description: Seconds to wait for each guest, with O(wait).
    type: int
    default: 60
  delay:
    description: Seconds between two looks, with O(wait).
    type: float
    default: 2
  boot_time:
    description: Seconds after the start during which a silent guest counts as booting.
    type: int
    default: 180
  on_unavailable:
    description: Whether guests that do not give what O(require) names are only reported, or fail the task after all were asked.
    type: str
    choices: [report, fail]
    default: report
  max_parallel:
    description: How many guests to look at at a time.
    type: int
    default: 20
"""

EXAMPLES = r"""
---
- name: Read the agent of one virtual machine
  baremetal.proxmox.guest_agent_facts:
    vmid: 100
  register: result

- name: Wait up to two minutes for its address
  baremetal.proxmox.guest_agent_facts:
    vmid: 100
    require: ipv4
    networks: [192.0.2.0/24]
    wait: true
    timeout: 120
    on_unavailable: fail

- name: Look at all virtual machines of the cluster
  baremetal.proxmox.guest_agent_facts:
    all: true
  register: result

- name: Show those that are silent, and what to do
  ansible.builtin.debug:
    msg: "{{ item.vmid }} {{ item.name }}: {{ item.reason }}; {{ item.remedy }}"
  loop: "{{ result.guests | rejectattr('available') }}"
"""

RETURN = r"""
---
guests:
  description: One entry for each virtual machine, in the order of their numbers.
  returned: success, and when O(on_unavailable=fail) failed the task
  type: list
  elements: dict
  contains:
    vmid:
      description: Its number.
      type: int
      sample: 100
    name:
      description: Its name. Empty if it has none.
      type: str
      sample: web1
    node:
      description: The node that it is on, null if there is no such virtual machine.
      type: str
      sample: pve1
    available:
      description: Whether the agent answers.
      type: bool
      sample: true
    satisfied:
      description: Whether it gives what O(require) names.
      type: bool
      sample: true
    reason:
      description:
        - V(ok), V(agent_disabled), V(restart_required), V(vm_stopped), V(vm_paused), V(device_missing), V(booting), V(not_listening),
          V(hung_or_busy), V(frozen), V(command_disabled), V(permission_denied), V(vm_not_found) or V(node_offline).
        - V(unknown) where Proxmox VE gave an error that has nothing to do with agents.
      type: str
      sample: not_listening
    detail:
      description: What the reason was recognised by.
      type: str
      sample: nothing in the guest has opened the port, 5000 s after the start
    remedy:
      description: What to do, with the commands to type. Empty if all is well.
      type: str
      sample: run 'qm start 100' on pve1
    primary_ipv4:
      description: The IPv4 address to reach it by, null if there is none.
      type: str
      sample: 192.0.2.11
    primary_ipv6:
      description: The IPv6 address to reach it by, null if there is none.
      type: str
      sample: 2001:db8::11
    configured_addresses:
      description: The fixed addresses that cloud-init is told to give the guest, without those of DHCP. Known also of silent guests.
      type: list
      elements: str
      sample: [192.0.2.11]
    macs:
      description: The MAC addresses of net0, net1 and so on.
      type: list
      elements: str
      sample: ["bc:24:11:00:00:01"]
    errors:
      description: The commands that the agent refused or that failed, each with its error.
      type: dict
      sample: {}
    version:
      description: The agent's version.
      returned: with V(info) in O(gather)
      type: str
      sample: 10.0.2
    commands:
      description: The agent's commands in two lists, RV(ignore:enabled) and RV(ignore:disabled).
      returned: with V(info) in O(gather)
      type: dict
    interfaces:
      description: All interfaces in the guest with their RV(ignore:name), RV(ignore:mac) and RV(ignore:addresses).
      returned: with V(network) in O(gather)
      type: list
      elements: dict
    os:
      description: The operating system. RV(ignore:family) is V(linux), V(windows) or V(bsd).
      returned: with V(os) in O(gather)
      type: dict
    hostname:
      description: The host name in the guest.
      returned: with V(hostname) in O(gather)
      type: str
      sample: web1
    users:
      description: Who is logged in.
      returned: with V(users) in O(gather)
      type: list
      elements: dict
    filesystems:
      description: Mounted file systems with sizes in bytes where the guest tells them.
      returned: with V(filesystems) in O(gather)
      type: list
      elements: dict
    timezone:
      description: The offset from UTC in seconds, and the zone's name if the guest tells it.
      returned: with V(timezone) in O(gather)
      type: dict
    time:
      description: The guest's clock.
      returned: with V(time) in O(gather)
      type: dict
    vcpus:
      description: The processors that the guest sees.
      returned: with V(vcpus) in O(gather)
      type: dict
    fsfreeze_status:
      description: V(thawed) or V(frozen).
      returned: with V(fsfreeze) in O(gather)
      type: str
      sample: thawed
ansible_facts:
  description: The same as facts.
  returned: success
  type: dict
  contains:
    guest_agent_facts:
      description: The entries of RV(guests), each under its number as text.
      type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.baremetal.proxmox.plugins.module_utils._agent.addresses import parse_networks
from ansible_collections.baremetal.proxmox.plugins.module_utils._agent.facts_run import find_guests, read_guests
from ansible_collections.baremetal.proxmox.plugins.module_utils._agent.gather import Wish
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.errors import SessionError
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.options import (
    SESSION_CONSTRAINTS,
    open_session,
    session_argument_spec,
)

GATHER = "network os hostname users filesystems timezone time vcpus info fsfreeze".split()


def build_module() -> AnsibleModule:
    options = {
        "vmid": {"type": "int"},
        "name": {"type": "str"},
        "vmids": {"type": "list", "elements": "int"},
        "all": {"type": "bool", "default": False},
        "node": {"type": "str"},
        "gather": {
            "type": "list",
            "elements": "str",
            "choices": GATHER,
            "default": ["network", "os", "hostname", "info", "fsfreeze"],
        },
        "networks": {"type": "list", "elements": "str", "default": []},
        "exclude_interfaces": {"type": "list", "elements": "str", "default": []},
        "require": {"type": "str", "choices": ["ping", "ipv4", "ipv6"], "default": "ping"},
        "wait": {"type": "bool", "default": False},
        "timeout": {"type": "int", "default": 60},
        "delay": {"type": "float", "default": 2},
        "boot_time": {"type": "int", "default": 180},
        "on_unavailable": {"type": "str", "choices": ["report", "fail"], "default": "report"},
        "max_parallel": {"type": "int", "default": 20},
    }
    return AnsibleModule(
        argument_spec={**session_argument_spec(), **options},
        required_if=[*SESSION_CONSTRAINTS["required_if"], ("all", False, ("vmid", "name", "vmids"), True)],
        required_together=SESSION_CONSTRAINTS["required_together"],
        mutually_exclusive=[("vmid", "name", "vmids")],
        supports_check_mode=True,
    )


def main() -> None:
    module = build_module()
    if module.params["all"] and any(module.params[key] is not None for key in ("vmid", "name", "vmids")):
        module.fail_json(msg="all=true and a choice of guests (vmid, name or vmids) exclude each other")
    try:
        networks = parse_networks(module.params["networks"])
    except ValueError as error:
        module.fail_json(msg=f"networks: {error}")
    wanted = ("gather", "require", "wait", "timeout", "delay", "boot_time")
    wish = Wish(
        networks=networks,
        excluded=module.params["exclude_interfaces"],
        **{key: module.params[key] for key in wanted},
    )
    try:
        with open_session(module.params) as session:
            guests = read_guests(session, find_guests(session, module.params), wish, module.params["max_parallel"])
            for warning in session.warnings:
                module.warn(warning)
    except SessionError as error:
        module.fail_json(msg=str(error))
    failed = [guest for guest in guests if not guest["satisfied"]]
    if failed and module.params["on_unavailable"] == "fail":
        words = (
            f"{guest['vmid']} {guest['name']}: {guest['reason']} ({guest['remedy'] or guest['detail']})"
            for guest in failed
        )
        module.fail_json(msg=f"without {module.params['require']}: {'; '.join(words)}", guests=guests)
    module.exit_json(
        changed=False,
        guests=guests,
        ansible_facts={"guest_agent_facts": {str(guest["vmid"]): guest for guest in guests}},
    )


if __name__ == "__main__":
    main()
