# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys and certificates of the cluster and its nodes, made by `openssl` with PVE's own arguments."""

from __future__ import annotations

import hashlib
import os
import re
import ssl
import subprocess
import time
import uuid

from practice_pve.cluster import locations
from practice_pve.cluster.key_pool import take_key
from practice_pve.cluster.local_files import read_text, write_file
from practice_pve.cluster.programs import run_silent
from practice_pve.rest.errors import ApiError

DAY = 24 * 60 * 60


def read_fingerprint(path: str) -> str:
    """SHA-256 fingerprint of a certificate as the browser shows it: AA:BB:..."""
    if not os.path.exists(path):
        raise ApiError(f"'{path}' does not exist!\n")
    try:
        return fingerprint_of(ssl.PEM_cert_to_DER_cert(first_certificate(read_text(path))))
    except ValueError as error:
        raise ApiError(f"unable to read certificate from '{path}'\n") from error


def first_certificate(text: str) -> str:
    match = re.search(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", text, re.DOTALL)
    if not match:
        raise ValueError("no certificate")
    return match.group(0)


def fingerprint_of(der: bytes) -> str:
    return ":".join(f"{byte:02X}" for byte in hashlib.sha256(der).digest())


def node_fingerprint(node: str) -> str:
    """The certificate on disk; pveproxy may still serve an older one."""
    directory = locations.node_directory(node)
    custom = f"{directory}/pveproxy-ssl.pem"
    return read_fingerprint(custom if os.path.isfile(custom) else f"{directory}/pve-ssl.pem")


def make_key(path: str, bits: int) -> None:
    """`openssl genrsa`, or a key made in advance where the node has a pool (time only, not a different result)."""
    prepared = take_key(bits)
    if prepared is None:
        run_silent(["openssl", "genrsa", "-out", path, str(bits)])
        return
    # openssl writes into the file itself; a temporary name would show in /etc/pve.
    try:
        with open(path, "w", encoding="ascii") as stream:
            stream.write(prepared)
    except OSError as error:
        raise ApiError(f"command 'openssl genrsa -out {path} {bits}' failed: exit code 1\n") from error


def make_ticket_keys() -> None:
    make_key(locations.TICKET_PRIVATE_KEY, 2048)
    run_silent(["openssl", "rsa", "-in", locations.TICKET_PRIVATE_KEY, "-pubout", "-out", locations.TICKET_PUBLIC_KEY])


def ensure_csrf_key() -> None:
    _ensure_key(locations.CSRF_KEY, 2048, "unable to generate pve www key")


def ensure_node_key(node: str) -> None:
    _ensure_key(
        f"{locations.node_directory(node)}/pve-ssl.key", 2048, f"unable to generate pve ssl key for node '{node}'"
    )


def _ensure_key(path: str, bits: int, complaint: str) -> None:
    if os.path.isfile(path):
        return
    try:
        make_key(path, bits)
    except ApiError as error:
        raise ApiError(f"{complaint}:\n{error.message}") from error


def ensure_authority() -> bool:
    """Make the cluster's CA unless it is there; True when it is new, so that node certificates must follow."""
    if os.path.isfile(locations.CA_KEY) and os.path.isfile(locations.CA_CERTIFICATE):
        return False
    _ensure_key(locations.CA_KEY, 4096, "unable to generate pve ca key")
    subject = f"/CN=Proxmox Virtual Environment/OU={uuid.uuid4()}/O=PVE Cluster Manager CA/"
    request = [
        *("openssl", "req", "-batch", "-days", "3650", "-new", "-x509", "-nodes"),
        *("-addext", "keyUsage=critical,keyCertSign,cRLSign", "-key", locations.CA_KEY),
        *("-out", locations.CA_CERTIFICATE, "-subj", subject),
    ]
    try:
        _run_as_of_yesterday(request, 3650)
    except ApiError as error:
        raise ApiError(f"generating pve root certificate failed:\n{error.message}") from error
    return True


def _run_as_of_yesterday(argv: list[str], days: int) -> None:
    """PVE wraps openssl in `faketime yesterday` against clocks that go behind; openssl can set the dates itself."""
    start = time.time() - DAY
    dates = [time.strftime("%Y%m%d%H%M%SZ", time.gmtime(moment)) for moment in (start, start + days * DAY)]
    position = argv.index("-days")
    dated = [*argv[:position], *argv[position + 2 :], "-not_before", dates[0], "-not_after", dates[1]]
    run_silent(dated, shown=["faketime", "yesterday", *argv])


def search_domain() -> str | None:
    """The last search or domain line of /etc/resolv.conf."""
    try:
        text = read_text("/etc/resolv.conf")
    except ApiError:
        return None
    found = re.findall(r"^(?:search|domain)\s+(\S+)", text, re.MULTILINE)
    return found[-1] if found else None


def alternative_names(node: str, address: str, domain: str | None) -> str:
    names = f"IP:127.0.0.1,IP:::1,DNS:localhost,IP:{address},DNS:{node}"
    return f"{names},DNS:{node}.{domain}" if domain else names


def certificate_days(authority_expires: float, now: float) -> int:
    """Two years, but two days less than the authority has left; refuses in its last two weeks."""
    days = int((authority_expires - now) / DAY)
    if days < 14:
        raise ApiError("CA expires in less than 2 weeks, unable to generate certificate.\n")
    return min(days - 2, 2 * 365)


def make_node_certificate(node: str, address: str, force: bool) -> None:
    certificate = f"{locations.node_directory(node)}/pve-ssl.pem"
    if not force and os.path.isfile(certificate):
        return
    domain = search_domain()
    request = f"/run/pve-cluster/pvecertreq-{os.getpid()}.tmp"
    _unlink(request)
    full_name = f"{node}.{domain}" if domain else node
    try:
        run_silent(
            [
                *("openssl", "req", "-batch", "-new", "-key", f"{locations.node_directory(node)}/pve-ssl.key"),
                *("-out", request, "-subj", f"/OU=PVE Cluster Node/O=Proxmox Virtual Environment/CN={full_name}"),
                *("-addext", "basicConstraints=CA:FALSE", "-addext", "extendedKeyUsage=serverAuth"),
                *("-addext", f"subjectAltName={alternative_names(node, address, domain)}"),
            ]
        )
    except ApiError as error:
        _unlink(request)
        raise ApiError(f"unable to generate pve certificate request:\n{error.message}") from error
    if not os.path.isfile(locations.CA_SERIAL):
        write_file(locations.CA_SERIAL, "0000000000000000")
    days = certificate_days(_expiry(locations.CA_CERTIFICATE), time.time())
    sign = [
        *("openssl", "x509", "-req", "-in", request, "-days", str(days), "-out", certificate),
        *("-CAkey", locations.CA_KEY, "-CA", locations.CA_CERTIFICATE, "-CAserial", locations.CA_SERIAL),
        *("-copy_extensions", "copyall"),
    ]
    try:
        _run_as_of_yesterday(sign, days)
    except ApiError as error:
        raise ApiError(f"unable to generate pve ssl certificate:\n{error.message}") from error
    finally:
        _unlink(request)


def _expiry(certificate: str) -> float:
    if not os.path.exists(certificate):
        raise ApiError(f"'{certificate}' does not exist!\n")
    shown = subprocess.run(
        ["openssl", "x509", "-in", certificate, "-noout", "-enddate"], stdout=subprocess.PIPE, text=True, check=False
    )
    if shown.returncode:
        raise ApiError(f"unable to read certificate from '{certificate}'\n")
    return ssl.cert_time_to_seconds(shown.stdout.strip().removeprefix("notAfter="))


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
