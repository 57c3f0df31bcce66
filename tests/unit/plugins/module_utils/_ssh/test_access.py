# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan for root's SSH access, in every state that a join, a stray tool or lost quorum leaves behind."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.baremetal.proxmox.plugins.module_utils._ssh.access import (
    KEYS_PATH,
    SECOND_COPY_PATH,
    AccessState,
    WantedAccess,
    plan_access,
)
from ansible_collections.baremetal.proxmox.plugins.module_utils._ssh.daemon_config import (
    CLUSTER_KEYS,
    DROP_IN_PATH,
    parse_daemon_config,
    render_drop_in,
)

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHBms4ZJP3fK0BQZxxASJS6JP1i71Y573FUAeqNO02MK ada"
STRAY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB1111111111111111111111111111111111111111mK stray"

SSHD = """port 22
permitrootlogin yes
pubkeyauthentication yes
passwordauthentication yes
authorizedkeysfile .ssh/authorized_keys .ssh/authorized_keys2
"""
ALL_LISTS = SSHD.replace("authorized_keys2", f"authorized_keys2 {CLUSTER_KEYS}")

STANDALONE = AccessState(
    mode="standalone",
    ssh_directory_exists=True,
    keys_are_linked=True,
    own_keys=None,
    cluster_keys="\n",
    cluster_writable=True,
    second_copy=None,
    known_hosts=None,
    daemon=parse_daemon_config(SSHD),
    drop_in=None,
)
WANTED = WantedAccess(keys=(KEY,))


def written(plan) -> dict[str, str]:
    return {step.arguments["path"]: step.arguments["text"] for step in plan.steps if step.action == "write"}


def test_a_standalone_node_gets_the_key_in_the_cluster_list_and_outside_of_it():
    plan = plan_access(WANTED, STANDALONE)
    assert written(plan) == {CLUSTER_KEYS: f"\n{KEY}\n", SECOND_COPY_PATH: f"{KEY}\n"}
    assert [step.action for step in plan.steps] == ["write", "write", "configure_daemon"]


def test_the_second_run_has_nothing_to_do():
    settled = replace(
        STANDALONE,
        cluster_keys=f"\n{KEY}\n",
        second_copy=f"{KEY}\n",
        daemon=parse_daemon_config(ALL_LISTS),
        drop_in="x",
    )
    assert not plan_access(WANTED, settled).changed


def test_a_file_in_place_of_the_link_is_carried_over_and_linked_again():
    state = replace(STANDALONE, keys_are_linked=False, own_keys=f"{STRAY}\n")
    plan = plan_access(WANTED, state)
    assert written(plan)[CLUSTER_KEYS] == f"\n{STRAY}\n{KEY}\n"
    links = [step.arguments for step in plan.steps if step.action == "link"]
    assert links == [{"path": KEYS_PATH, "target": CLUSTER_KEYS}]


def test_without_quorum_the_second_copy_is_written_and_the_user_is_told():
    plan = plan_access(WANTED, replace(STANDALONE, mode="cluster", cluster_writable=False))
    assert CLUSTER_KEYS not in written(plan)
    assert SECOND_COPY_PATH in written(plan)
    assert "quorum" in plan.warnings[0]


def test_without_quorum_a_stray_file_is_not_touched():
    state = replace(STANDALONE, cluster_writable=False, keys_are_linked=False, own_keys=f"{STRAY}\n")
    assert not any(step.action == "link" for step in plan_access(WANTED, state).steps)


def test_without_proxmox_the_ordinary_list_is_managed():
    state = replace(STANDALONE, mode="plain", keys_are_linked=False, cluster_keys=None, ssh_directory_exists=False)
    plan = plan_access(replace(WANTED, second_copy=False, configure_daemon=False), state)
    assert [step.action for step in plan.steps] == ["make_directory", "write"]
    assert written(plan) == {KEYS_PATH: f"{KEY}\n"}


def test_a_revoked_key_leaves_both_lists():
    state = replace(STANDALONE, cluster_keys=f"{KEY}\n{STRAY}\n", second_copy=f"{STRAY}\n")
    plan = plan_access(replace(WANTED, revoked=(STRAY,)), state)
    assert all("stray" not in text for text in written(plan).values())


def test_the_diff_shows_what_the_steps_do():
    plan = plan_access(WANTED, STANDALONE)
    assert plan.diff["after"][CLUSTER_KEYS] == written(plan)[CLUSTER_KEYS]
    assert set(plan.diff["before"]) == {CLUSTER_KEYS, SECOND_COPY_PATH, DROP_IN_PATH}


def test_an_incomplete_answer_of_sshd_is_no_default():
    with pytest.raises(ValueError, match="permitrootlogin"):
        parse_daemon_config("port 22\npubkeyauthentication yes\npasswordauthentication no\nauthorizedkeysfile none\n")


def test_other_key_files_of_the_admin_stay():
    config = parse_daemon_config(SSHD.replace(".ssh/authorized_keys2", "/etc/ssh/keys/%u"))
    assert "/etc/ssh/keys/%u" in (render_drop_in(config, permit_root_login=False) or "")


def test_root_login_is_only_opened_when_asked_for():
    closed = parse_daemon_config(SSHD.replace("permitrootlogin yes", "permitrootlogin no"))
    assert "PermitRootLogin" not in (render_drop_in(closed, permit_root_login=False) or "")
    assert "PermitRootLogin prohibit-password" in (render_drop_in(closed, permit_root_login=True) or "")


def test_an_opened_root_login_stays_open_when_the_lists_change():
    config = parse_daemon_config(SSHD)
    opened = "Match User root\n    PermitRootLogin prohibit-password\n"
    assert "PermitRootLogin" in (render_drop_in(config, permit_root_login=True, present=opened) or "")
