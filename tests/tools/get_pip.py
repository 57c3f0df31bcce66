# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let `ansible-test --venv` work where the host it fetches pip's bootstrap script from is out of reach.

ansible-test downloads that script once and keeps it in a cache. `--seed` puts this file into the cache when the host does
not answer. When ansible-test then runs it, it unpacks the pip that comes with Python and installs the wanted version from
the configured package index.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

BOOTSTRAP = "https://ci-files.testing.ansible.com/ansible-test/get-pip-{version}.py"
MARK = b"Let `ansible-test --venv` work where"


def answers(version: str) -> bool:
    """Whether ansible-test could fetch the script itself. A proxy that blocks the host answers with an error."""
    request = urllib.request.Request(BOOTSTRAP.format(version=version), method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=5):
            return True
    except OSError:
        return False


def seed() -> None:
    import ansible_test  # only here: ansible-test runs this file in an environment that has nothing yet

    source = Path(next(iter(ansible_test.__path__)), "_internal", "python_requirements.py").read_text(encoding="utf-8")
    cache = Path("~/.ansible/test/cache").expanduser()
    cache.mkdir(parents=True, exist_ok=True)
    for version in sorted(set(re.findall(r"pip='([0-9.]+)'", source))):
        target = cache / f"get_pip_{version.replace('.', '_')}.py"
        if target.is_file() and MARK not in target.read_bytes():
            continue  # the real one
        if not target.is_file() and answers(version):
            continue
        shutil.copy(__file__, target)


def bootstrap(arguments: list[str]) -> None:
    # In processes of their own: inside this one, ensurepip would point pip away from its configuration.
    subprocess.run([sys.executable, "-m", "ensurepip", "--upgrade"], check=True, stdout=subprocess.DEVNULL)
    wanted = [argument for argument in arguments if argument.startswith("pip==")]
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", *wanted], check=True)


if __name__ == "__main__":
    if "--seed" in sys.argv:
        seed()
    else:
        bootstrap(sys.argv[1:])
