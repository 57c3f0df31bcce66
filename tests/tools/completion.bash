# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Completion of make in a checkout of baremetal.proxmox; elsewhere make is completed as before.
#   source <(make -s completion)
_baremetal_proxmox_make() {
    local word=${COMP_WORDS[COMP_CWORD]}
    if ! grep -qs '^namespace: *baremetal$' galaxy.yml; then
        return 1
    fi
    case $word in
        INVENTORY=* | VMS=* | REPORT=*) mapfile -t COMPREPLY < <(compgen -f -- "${word#*=}") ;;
        OUTPUT=*) mapfile -t COMPREPLY < <(compgen -W "text json" -- "${word#*=}") ;;
        *)
            mapfile -t COMPREPLY < <(compgen -W "$(sed -nE 's/^([a-z][a-z0-9-]*):.*##.*/\1/p' Makefile ./*.mk)
                INVENTORY= ARGS= NODE= CONFIRM= OUTPUT= VMS= REPORT=" -- "$word")
            [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace
            ;;
    esac
}
complete -o default -o bashdefault -F _baremetal_proxmox_make make
