# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Elements of HTML and SVG. Whatever is not an element already is text, and is escaped. Pure.

This file is private to the collection and may change without notice.
"""

from __future__ import annotations

import html
from typing import TypeAlias


class Markup(str):
    """Text that is markup already."""


# Quoted: ansible-test's pylint takes it for a calculation.
Content: TypeAlias = "str | int | float | Markup | None"


def element(name: str, *content: Content, **attributes: str | int | float | bool | None) -> Markup:
    """An element. An attribute that is None or False is left out, True has no value; C(class_) is class, C(a_b) is a-b."""
    words = [name]
    for attribute, value in attributes.items():
        if value is None or value is False:
            continue
        written = attribute.rstrip("_").replace("_", "-")
        words.append(written if value is True else f'{written}="{html.escape(str(value))}"')
    return Markup(f"<{' '.join(words)}>{join(*content)}</{name}>")


def join(*content: Content) -> Markup:
    return Markup(
        "".join(item if isinstance(item, Markup) else html.escape(str(item)) for item in content if item is not None)
    )
