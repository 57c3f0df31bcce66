# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection options that all modules share."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.basic import env_fallback

from .opening import open_session

__all__ = ["SESSION_CONSTRAINTS", "open_session", "session_argument_spec"]


def session_argument_spec() -> dict[str, dict[str, Any]]:
    """The options of the doc fragment baremetal.proxmox._session."""

    def option(variable: str, **values: Any) -> dict[str, Any]:
        return {"fallback": (env_fallback, [variable]), **values}

    return {
        "transport": option("PROXMOX_TRANSPORT", type="str", choices=["local", "api"], default="local"),
        "api_host": option("PROXMOX_HOST", type="str"),
        "api_port": option("PROXMOX_PORT", type="int", default=8006),
        "api_user": option("PROXMOX_USER", type="str"),
        "api_password": option("PROXMOX_PASSWORD", type="str", no_log=True),
        "api_token_id": option("PROXMOX_TOKEN_ID", type="str", no_log=False),
        "api_token_secret": option("PROXMOX_TOKEN_SECRET", type="str", no_log=True),
        "validate_certs": option("PROXMOX_VALIDATE_CERTS", type="bool", default=True),
        "api_ca_path": option("PROXMOX_CA_PATH", type="path", aliases=["ca_path"]),
        "api_fingerprint": option("PROXMOX_FINGERPRINT", type="str"),
        "api_timeout": option("PROXMOX_TIMEOUT", type="int", default=60),
    }


# For AnsibleModule(**SESSION_CONSTRAINTS); a module with constraints of its own merges the lists.
SESSION_CONSTRAINTS: dict[str, list[Any]] = {
    "required_if": [("transport", "api", ("api_host",))],
    "required_together": [("api_token_id", "api_token_secret")],
}
