# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run says to the person before the screen, in English and French. Pure.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

from collections.abc import Mapping

RULE = "=" * 44
LANGUAGES = ("en", "fr")

# Name of a message: its text per language. Braces are filled in.
TEXTS: dict[str, dict[str, str]] = {
    "phase_1": {
        "en": "PHASE 1: SSH PREPARATION\nSetting up authentication by SSH key",
        "fr": "PHASE 1: PREPARATION SSH\nConfiguration de l'authentification par clé SSH",
    },
    "phase_1_done": {"en": "✓ Phase 1 finished successfully", "fr": "✓ Phase 1 terminée avec succès"},
    "phase_2": {"en": "PHASE 2: PRELIMINARY CHECKS", "fr": "PHASE 2: VERIFICATIONS PREALABLES"},
    "phase_2_done": {
        "en": "✓ Phase 2 finished - all prerequisites are met",
        "fr": "✓ Phase 2 terminée - Tous les prérequis sont OK",
    },
    "phase_3": {
        "en": "PHASE 3: CREATION OF THE CLUSTER\nPrimary node: {node}\nCluster name: {cluster}",
        "fr": "PHASE 3: CREATION DU CLUSTER\nNœud primaire: {node}\nNom du cluster: {cluster}",
    },
    "phase_3_done": {
        "en": "✓ Phase 3 finished - cluster created on {node}",
        "fr": "✓ Phase 3 terminée - Cluster créé sur {node}",
    },
    "phase_3_exists": {
        "en": "PHASE 3: CREATION OF THE CLUSTER\nThe cluster {cluster} exists already; members: {members}\n✓ Phase 3 finished - nothing to create",
        "fr": "PHASE 3: CREATION DU CLUSTER\nLe cluster {cluster} existe déjà; membres: {members}\n✓ Phase 3 terminée - Rien à créer",
    },
    "phase_4": {
        "en": "PHASE 4: JOINING THE CLUSTER\nSecondary node: {node} ({position} of {count})",
        "fr": "PHASE 4: JONCTION AU CLUSTER\nNœud secondaire: {node} ({position} sur {count})",
    },
    "phase_4_done": {
        "en": "✓ Phase 4 finished - {node} has joined the cluster",
        "fr": "✓ Phase 4 terminée - {node} a rejoint le cluster",
    },
    "phase_4_nothing": {
        "en": "PHASE 4: JOINING THE CLUSTER\n✓ Phase 4 finished - all nodes are members already",
        "fr": "PHASE 4: JONCTION AU CLUSTER\n✓ Phase 4 terminée - Tous les nœuds sont déjà membres",
    },
    "phase_5": {"en": "PHASE 5: SSH IN THE CLUSTER", "fr": "PHASE 5: RECONFIGURATION SSH POST-CLUSTER"},
    "phase_5_done": {
        "en": "✓ Phase 5 finished - SSH is set up for the cluster",
        "fr": "✓ Phase 5 terminée - SSH reconfiguré pour le mode cluster",
    },
    "phase_6": {"en": "PHASE 6: FINAL CHECKS", "fr": "PHASE 6: VERIFICATIONS FINALES"},
    "phase_6_done": {
        "en": "✓ PROXMOX VE CLUSTER CREATED SUCCESSFULLY",
        "fr": "✓ CLUSTER PROXMOX VE CREE AVEC SUCCES",
    },
    "planned": {
        "en": "CHECK MODE: this is the whole plan; nothing was changed",
        "fr": "MODE VERIFICATION: ceci est le plan complet; rien n'a été modifié",
    },
    "destroy": {
        "en": "DESTRUCTION OF THE CLUSTER {cluster}\nIts nodes become standalone nodes again: {members}",
        "fr": "DESTRUCTION DU CLUSTER {cluster}\nSes nœuds redeviennent autonomes: {members}",
    },
    "destroy_done": {
        "en": "✓ Cluster destroyed - all nodes are standalone",
        "fr": "✓ Cluster détruit - Tous les nœuds sont autonomes",
    },
}


def choose_language(wanted: str | None, environment: Mapping[str, str]) -> str:
    """The language that was asked for, else the one of the locale; English for every other."""
    if wanted:
        return wanted if wanted in LANGUAGES else "en"
    for variable in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = environment.get(variable, "")
        if value:
            return "fr" if value.lower().startswith("fr") else "en"
    return "en"


def compose(message: str, language: str, values: Mapping[str, object]) -> str:
    """The text of a message. A title gets its banner; closing lines stand alone, the last one of all closes the frame."""
    head, _newline, rest = TEXTS[message][language].format(**values).partition("\n")
    if head.startswith("✓"):
        return f"{head}\n{RULE}" if message in ("phase_6_done", "destroy_done") else head
    banner = f"\n{RULE}\n{head}\n{RULE}"
    return f"{banner}\n{rest}" if rest else banner
