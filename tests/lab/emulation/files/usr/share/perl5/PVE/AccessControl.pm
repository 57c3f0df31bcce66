# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
package PVE::AccessControl;

# Just enough of the real module to mint a root ticket on the node, as administrators and tools do:
#   perl -MPVE::AccessControl -e 'print PVE::AccessControl::assemble_ticket(q(root@pam))'

use strict;
use warnings;

my $mint = '/usr/lib/practice-node/practice_pve/access/mint.py';

sub run_mint {
    my (@arguments) = @_;

    open(my $pipe, '-|', '/usr/bin/python3', '-ISB', $mint, @arguments) or die "practice node: $mint: $!\n";
    local $/;
    my $text = <$pipe>;
    close($pipe) or exit(($? >> 8) || 97);
    $text =~ s{\n\z}{};
    return $text;
}

sub assemble_ticket {
    my ($data, $aad) = @_;
    not_emulated('assemble_ticket with additional data') if defined($aad);
    return run_mint('ticket', $data);
}

sub assemble_csrf_prevention_token {
    my ($username) = @_;
    return run_mint('csrf', $username);
}

sub verify_ticket {
    my ($ticket, $noerr) = @_;
    my $user = run_mint('verify', $ticket);
    return $user if length($user);
    return undef if $noerr;
    die "permission denied - invalid PVE ticket\n";
}

sub not_emulated {
    my ($what) = @_;
    print STDERR "practice node: not emulated: PVE::AccessControl::$what\n";
    exit(97);
}

our $AUTOLOAD;

sub AUTOLOAD {
    my $name = $AUTOLOAD;
    $name =~ s/.*:://;
    return if $name eq 'DESTROY';
    not_emulated($name);
}

1;
