# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS connections that know whom they trust: a pinned certificate, a CA file, the system's CAs, or (said so) anybody."""

from __future__ import annotations

import hashlib
import http.client
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from .errors import CertificateRefused, Invalid, Unreachable

CONNECT_TIMEOUT = 10.0


@dataclass(frozen=True)
class Trust:
    """A pinned fingerprint decides alone; without one the certificate is verified, unless told not to."""

    fingerprints: frozenset[str] = frozenset()
    ca_path: str | None = None
    verify: bool = True


def normalise_fingerprint(text: str) -> str:
    """Write a SHA-256 fingerprint as C(AA:BB:...), whatever separators and case it came in."""
    digits = re.sub(r"^(?i:sha-?256)[ :=]*|[\s:]", "", text.strip())
    if not re.fullmatch(r"[0-9A-Fa-f]{64}", digits):
        text = "not a SHA-256 fingerprint: 64 hexadecimal digits, as pvenode cert info shows them"
        raise Invalid("the certificate's fingerprint cannot be read", errors={"api_fingerprint": text})
    return ":".join(re.findall("..", digits.upper()))


def fingerprint_of(certificate: bytes) -> str:
    return normalise_fingerprint(hashlib.sha256(certificate).hexdigest())


def fingerprint_of_file(path: str) -> str | None:
    """The fingerprint of the first certificate in a PEM file; None when there is no such file or no certificate in it."""
    try:
        with open(path, encoding="ascii", errors="replace") as stream:
            text = stream.read()
    except OSError:
        return None
    match = re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n?", text, re.DOTALL)
    return fingerprint_of(ssl.PEM_cert_to_DER_cert(match[0])) if match else None


def connector(
    host: str, port: int, trust: Trust, timeout: float = CONNECT_TIMEOUT
) -> Callable[[], http.client.HTTPConnection]:
    """A function that opens a checked connection; nothing is sent before the certificate has been accepted."""
    context = _context(trust)

    def connect() -> http.client.HTTPConnection:
        connection = http.client.HTTPSConnection(host, port, timeout=timeout, context=context)
        try:
            connection.connect()
        except ssl.SSLCertVerificationError as error:
            raise _untrusted(host, port, timeout, error.verify_message or str(error)) from error
        except OSError as error:
            raise Unreachable(*_explain(host, port, error)) from error
        if trust.fingerprints:
            shown = fingerprint_of(connection.sock.getpeercert(binary_form=True) or b"")
            if shown not in trust.fingerprints:
                connection.close()
                raise CertificateRefused(
                    f"{host}:{port} shows a certificate with the fingerprint {shown}, "
                    f"not the expected {' or '.join(sorted(trust.fingerprints))}",
                    remedy="compare it with pvenode cert info on the node itself; if it was renewed there, give the new fingerprint",
                )
        return connection

    return connect


def plain_connector(host: str, port: int, timeout: float = CONNECT_TIMEOUT) -> Callable[[], http.client.HTTPConnection]:
    """The same without TLS, for a loopback port that only root can listen on."""

    def connect() -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(host, port, timeout=timeout)
        try:
            connection.connect()
        except OSError as error:
            raise Unreachable(*_explain(host, port, error)) from error
        return connection

    return connect


def _context(trust: Trust) -> ssl.SSLContext:
    if trust.fingerprints or not trust.verify:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    try:
        context = ssl.create_default_context(cafile=trust.ca_path)
    except OSError as error:
        raise Invalid("the CA file cannot be read", errors={"api_ca_path": str(error)}) from error
    if trust.ca_path:
        # Proxmox VE's own CA has no key usage extension, which Python 3.13 and later would refuse.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _untrusted(host: str, port: int, timeout: float, reason: str) -> CertificateRefused:
    shown = ""
    connection = http.client.HTTPSConnection(host, port, timeout=timeout, context=_context(Trust(verify=False)))
    try:
        connection.connect()
        shown = fingerprint_of(connection.sock.getpeercert(binary_form=True) or b"")
    except OSError:
        pass  # the fingerprint only helps the reader
    finally:
        connection.close()
    seen = f" (it shows {shown})" if shown else ""
    return CertificateRefused(
        f"the certificate of {host}:{port} is not trusted: {reason}{seen}",
        remedy="compare the fingerprint with pvenode cert info on the node and give it as api_fingerprint, "
        "or give the cluster's own CA (/etc/pve/pve-root-ca.pem of a node) as api_ca_path",
    )


def _explain(host: str, port: int, error: OSError) -> tuple[str, str]:
    reason = "no answer in time" if isinstance(error, TimeoutError) else (error.strerror or str(error))
    remedy = (
        "check the address, that pveproxy runs there (systemctl status pveproxy) and that no firewall is in between"
    )
    return f"cannot connect to {host}:{port}: {reason}", remedy
