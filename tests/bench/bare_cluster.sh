#!/bin/sh
# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# The measure of the benchmark: a cluster by nothing but the pvecm calls and the waits on state that they cannot do without.
#   bare_cluster.sh CLUSTER "SSH COMMAND" FIRST ADDRESS-OF-FIRST OTHER...
# The nodes' keys know each other already; nothing is checked before, nothing is verified afterwards.
set -eu

cluster=$1 ssh=$2 first=$3 address=$4
shift 4

# Every member that exists sees that many online, has quorum, and can write.
# shellcheck disable=SC2016  # the nodes' shells expand it
await='
count=$1 deadline=$(($(date +%s) + 120))
while [ "$(date +%s)" -lt $deadline ]; do
  if [ "$(grep -c "\"online\": 1" /etc/pve/.members)" -eq "$count" ] && grep -q "\"quorate\": 1" /etc/pve/.members &&
     touch "/etc/pve/bench-$(hostname)" 2>/dev/null && rm "/etc/pve/bench-$(hostname)" && [ -e /etc/pve/local/pve-ssl.pem ]; then
    exit 0
  fi
  sleep 0.1
done
echo "$(hostname) did not become a writable member" >&2
exit 1
'

await_all() {
    count=$#
    waits=
    for member in "$@"; do
        # shellcheck disable=SC2086 # the SSH command is several words
        printf '%s' "$await" | $ssh "root@$member" "sh -s $count" &
        waits="$waits $!"
    done
    for wait in $waits; do wait "$wait"; done
}

$ssh "root@$first" pvecm create "$cluster" </dev/null
await_all "$first"
members=$first
for node in "$@"; do
    $ssh "root@$node" pvecm add "$address" --use_ssh </dev/null
    members="$members $node"
    # shellcheck disable=SC2086 # a list of names
    await_all $members
done
