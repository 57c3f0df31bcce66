# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the progress of a run is told in: marks, counts, and what a node waits for. English and French, pure.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from ansible_collections.baremetal.proxmox.plugins.module_utils._progress.story import Mark

MARKS: dict[Mark, dict[str, str]] = {
    Mark.OK: {"en": "ok", "fr": "ok"},
    Mark.CHANGED: {"en": "changed", "fr": "modifié"},
    Mark.SKIPPED: {"en": "skipped", "fr": "omis"},
    Mark.IGNORED: {"en": "ignored", "fr": "ignoré"},
    Mark.FAILED: {"en": "failed", "fr": "échec"},
    Mark.UNREACHABLE: {"en": "unreachable", "fr": "injoignable"},
    Mark.STOPPED: {"en": "stopped: another node failed", "fr": "arrêté: un autre nœud a échoué"},
}

_TEXTS: dict[str, dict[str, str]] = {
    "joins": {"en": "joined", "fr": "joints"},
    "nodes": {"en": "nodes", "fr": "nœuds"},
    "items": {"en": "{count} items done", "fr": "{count} éléments faits"},
    "more_nodes": {"en": "and {count} more nodes", "fr": "et {count} autres nœuds"},
    "many_nodes": {"en": "{count} nodes", "fr": "{count} nœuds"},
    "waits_for": {"en": "waits for {nodes}", "fr": "attend {nodes}"},
    "end": {"en": "HOW IT ENDED", "fr": "BILAN"},
    "nobody": {
        "en": "No host was worked on: no play matched a host of the inventory.",
        "fr": "Aucun hôte traité: aucun hôte de l'inventaire ne correspond.",
    },
    "took": {"en": "Took {time}.", "fr": "Durée: {time}."},
}

# What a node waits for while a module of this collection works; by module, and by its state where that says more.
_WAITING: dict[tuple[str, str], dict[str, str]] = {
    ("proxmox_cluster", "present"): {
        "en": "waits for its quorum and a writable /etc/pve",
        "fr": "attend son quorum et un /etc/pve inscriptible",
    },
    ("proxmox_cluster", "joined"): {
        "en": "joins; waits until both sides see it as a member",
        "fr": "rejoint; attend que les deux côtés le voient membre",
    },
    ("proxmox_cluster", "standalone"): {
        "en": "leaves; waits until it is a standalone node",
        "fr": "quitte; attend d'être un nœud autonome",
    },
    ("proxmox_cluster_info", ""): {"en": "looks at the cluster", "fr": "observe le cluster"},
    ("proxmox_cluster_node", ""): {
        "en": "waits until all forget the node that left",
        "fr": "attend que tous oublient le nœud parti",
    },
    ("proxmox_cluster_lock", "present"): {
        "en": "waits for other controllers to finish",
        "fr": "attend la fin des autres contrôleurs",
    },
    ("proxmox_cluster_lock", "absent"): {
        "en": "lets other controllers in again",
        "fr": "laisse entrer les autres contrôleurs",
    },
    ("proxmox_known_host", ""): {"en": "waits for its SSH host key", "fr": "attend sa clé d'hôte SSH"},
    ("proxmox_ssh_access", ""): {"en": "sets up SSH by key", "fr": "configure SSH par clé"},
    ("proxmox_ssh_mesh", ""): {"en": "logs in to all other nodes", "fr": "se connecte à tous les autres nœuds"},
    ("proxmox_preflight", ""): {
        "en": "is looked at: time, names, network, storage",
        "fr": "est examiné: heure, noms, réseau, stockage",
    },
    ("proxmox_qdevice", ""): {
        "en": "waits for the quorum device's votes",
        "fr": "attend les votes du périphérique de quorum",
    },
    ("proxmox_qm_vm", ""): {"en": "settles its virtual machines", "fr": "règle ses machines virtuelles"},
    ("guest_agent_facts", ""): {"en": "waits for its guests' agents", "fr": "attend les agents de ses invités"},
}


def say(text: str, language: str, **values: object) -> str:
    return _TEXTS[text][language].format(**values)


def describe_activity(action: str, state: object, task_name: str, language: str) -> str:
    """What a node waits for in a task; the task's own name where no better words are known."""
    namespace, _dot, module = action.rpartition(".")
    if namespace != "baremetal.proxmox":
        return task_name
    words = _WAITING.get((module, str(state))) or _WAITING.get((module, ""))
    return words[language] if words else task_name
