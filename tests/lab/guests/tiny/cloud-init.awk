# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Commands that give the cards the addresses of PVE's network-config (version 1). Cards are called ethN here as there.
function value(text) { gsub(/'/, "", text); return text }
function bits(mask,    parts, count, i, octet) {
    split(mask, parts, "."); count = 0
    for (i = 1; i <= 4; i++) for (octet = parts[i]; octet > 0; octet = (octet * 2) % 256) count++
    return count
}
$1 == "name:" { card = $2; print "ip link set " card " up" }
$1 == "-" && $2 == "type:" { kind = $3 }
$1 == "-" && $2 == "type:" && $3 == "dhcp4" { print "udhcpc -b -q -i " card " -s /lib/udhcpc >/dev/null 2>&1" }
$1 == "address:" && kind == "static" { address = value($2) }
$1 == "address:" && kind == "static6" { print "ip -6 addr add " value($2) " dev " card }
$1 == "netmask:" { print "ip addr add " address "/" bits(value($2)) " brd + dev " card }
$1 == "gateway:" { print "ip route add default via " value($2) " dev " card }
