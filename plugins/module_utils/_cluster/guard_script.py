# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shell script that takes a change of corosync.conf back when nobody has seen it working.

This file is private to the collection and may change without notice.

It runs detached beside the change. Whoever makes the change removes C(DIRECTORY) when every member runs it, or puts the file
C(GO_BACK) into it; when that process ends without either, the script goes back by itself.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence

# Not on tmpfs: a node that is switched off in the middle finds it after its boot.
DIRECTORY = "/var/lib/baremetal-proxmox/config-change"
# C(NEW): whatever the change may have written; C(OLD): what is written to go back, one after the other. Both are numbered.
NEW, OLD, GO_BACK = f"{DIRECTORY}/new-", f"{DIRECTORY}/old-", f"{DIRECTORY}/go-back"
# There while the process that makes the change holds PVE's own lock, which would otherwise outlive it by two minutes.
LOCKED = f"{DIRECTORY}/locked"
PVE_LOCK = "/etc/pve/priv/lock/file-corosync_conf"

# corosync takes a file a second after pmxcfs has it; the next one may come when the first is in use.
BETWEEN_SECONDS = 4
MOUNTS = "/proc/mounts"

_FUNCTIONS = f"""set -u
umask 077
say() {{ printf '%s\\n' "$*"; }}
# The start time tells the process from a later one of the same number; the name in parentheses may hold blanks.
holder_lives() {{ [ "$(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20)" = "$2" ]; }}
# Without pmxcfs the directory below it is there, and would take the file for nobody.
mounted() {{ grep -q ' /etc/pve fuse' {MOUNTS}; }}
write_file() {{ mounted && cat "$1" > /etc/pve/corosync.conf.new && mv /etc/pve/corosync.conf.new /etc/pve/corosync.conf; }}
try_to_write() {{
  n=0
  until write_file "$1" 2>/dev/null; do n=$((n + 1)); [ "$n" -lt "$2" ] || return 1; sleep 1; done
}}
go_back() {{
  for old in {OLD}*; do try_to_write "$old" "$1" || return 1; sleep {BETWEEN_SECONDS}; done
}}
is_this_change() {{ for new in {NEW}*; do if cmp -s "$new" /etc/pve/corosync.conf; then return 0; fi; done; return 1; }}
unlock() {{ if [ -e {LOCKED} ]; then rmdir {PVE_LOCK} 2>/dev/null; rm -f {LOCKED}; fi; }}
end() {{ unlock; rm -rf {DIRECTORY}; exit 0; }}
"""

_GO_BACK = """if mounted && [ -s /etc/pve/corosync.conf ] && ! is_this_change; then
  say 'corosync.conf is not the one of this change; nothing to take back'
  end
fi
say 'take the change of corosync.conf back'
if go_back 15; then end; fi
say '/etc/pve cannot be written; put the file on each member'
"""

_PLACE = (
    "cat > /etc/corosync/corosync.conf.new && mv /etc/corosync/corosync.conf.new /etc/corosync/corosync.conf"
    " && systemctl restart corosync"
)

_END = """if go_back 60; then end; fi
say '/etc/pve stays read-only'
exit 1
"""


def guard_script(process: int, process_start: str, logins: Mapping[str, Sequence[str]]) -> str:
    """C(process) makes the change; C(logins) are the ssh commands that reach the other members, by name."""
    wait = (
        f"while [ -e {OLD}1 ] && [ ! -e {GO_BACK} ] && holder_lives {process} {process_start}; do sleep 0.5; done\n"
        f"[ -e {OLD}1 ] || exit 0\n"
        f"last=$(ls {OLD}* | tail -n 1)\n"
    )
    place = f"sh -c {shlex.quote(_PLACE)}"
    everywhere = f"{place} < \"$last\" || say 'it failed here'\n"
    for name, login in sorted(logins.items()):
        everywhere += f'{shlex.join([*login, place])} < "$last" || say {shlex.quote(f"it failed on {name}")}\n'
    return _FUNCTIONS + wait + _GO_BACK + everywhere + _END
