# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the pages of make docs are made: Sphinx's own settings."""

project = "baremetal.proxmox"
project_copyright = "2026, the baremetal.proxmox authors"
title = html_title = html_short_title = project
extensions = ["sphinx_antsibull_ext", "myst_parser"]
source_suffix = {".rst": "restructuredtext", ".md": "markdown"}
html_theme = "sphinx_ansible_theme"
html_show_sphinx = False
html_use_index = False
html_copy_source = False
pygments_style = "ansible"
highlight_language = "YAML+Jinja"
default_role = "any"
nitpicky = True
# What Ansible itself documents: nothing is fetched while the pages are made.
nitpick_ignore_regex = [
    ("std:ref|ansopt|ansplugin|any", r"ansible_collections\.(ansible|community)\..*|.*playbook.*"),
    ("envvar", r"ANSIBLE_.*"),
]
# The guides also point into the checkout, where the pages are not; tests/unit/docs looks whether those files are there.
suppress_warnings = ["myst.xref_missing", "myst.header"]
