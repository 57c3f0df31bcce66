# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in a practice node's root: the packages, and what is done to them once.

The root's cache key is a hash over this file (and the builder's), so a change here means a new root.
"""

from __future__ import annotations

import shutil
from pathlib import Path

SUITE = "trixie"

# What a freshly installed node has and this project or its users touch. Deliberately without the
# comforts that a real node lacks too (sudo, sshpass, nc, jq, git ...).
PACKAGES = """
acl attr bsdextrautils bzip2 ca-certificates chrony corosync corosync-qdevice cron curl dbus dbus-user-session e2fsprogs
ethtool fdisk file fuse3 gzip iproute2 iputils-ping kmod less libfaketime libnss-systemd libpam-systemd
login logrotate logsave lsof nano netbase nfs-common nftables openssh-client openssh-server openssh-sftp-server openssl
passwd perl procps psmisc python3 rsync socat sqlite3 systemd systemd-sysv tcpdump traceroute udev
util-linux uuid-runtime vim-tiny wget xz-utils zstd
""".split()

# Nobody needs them in a practice node and each costs boot time, memory or a background wake-up; rpc_pipefs needs the kernel's NFS.
MASKED_UNITS = """
apt-daily.timer apt-daily-upgrade.timer apt-daily.service apt-daily-upgrade.service console-getty.service
container-getty@.service dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer getty.target
getty@.service getty-static.service ldconfig.service logrotate.timer man-db.timer serial-getty@.service
systemd-firstboot.service systemd-hwdb-update.service systemd-journal-catalog-update.service
systemd-journal-flush.service systemd-logind-varlink.socket systemd-machine-id-commit.service
systemd-network-generator.service systemd-networkd.service systemd-networkd.socket
systemd-networkd-wait-online.service systemd-pcrlock-make-policy.service systemd-pstore.service
systemd-sysusers.service systemd-tpm2-setup.service systemd-tpm2-setup-early.service
systemd-udev-trigger.service systemd-udevd.service systemd-udevd-control.socket systemd-udevd-kernel.socket
systemd-update-done.service systemd-update-utmp.service nftables.service corosync-notifyd.service
nfs-blkmap.service nfs-client.target run-rpc_pipefs.mount
""".split()

DISABLED_UNITS = ["corosync-qdevice.service"]

FILES = {
    # A cluster member only has a corosync.conf after create or join; until then the unit is enabled and skipped.
    "etc/systemd/system/corosync.service.d/condition.conf": "[Unit]\nConditionPathExists=/etc/corosync/corosync.conf\n",
    "etc/systemd/journald.conf.d/practice.conf": "[Journal]\nStorage=volatile\nRuntimeMaxUse=16M\nForwardToSyslog=no\n",
    "etc/systemd/system.conf.d/practice.conf": "[Manager]\nDefaultTimeoutStartSec=90s\n",
    # The clock belongs to the host: chronyd runs as on a real node, and does not touch it (-x).
    "etc/default/chrony": 'DAEMON_OPTS="-F 1 -x"\n',
    "etc/systemd/system/chrony.service.d/practice.conf": "[Unit]\nConditionCapability=\n",
    "etc/locale.conf": "LANG=C.UTF-8\n",
    "etc/apt/sources.list": "# practice node: no package sources\n",
    # No name server: every look-up fails at once instead of after a timeout.
    "etc/resolv.conf": "# practice node: no name server\n",
    "etc/fstab": "# practice node\nproc /proc proc defaults 0 0\n",
}


def install_directory_mode(path: Path, mode: int) -> None:
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(mode)


def customise(root: Path) -> None:
    """Turn a bootstrapped Debian into a practice node's root (nothing in it is particular to one node)."""
    for name, text in FILES.items():
        target = root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        target.write_text(text)
    system = root / "etc/systemd/system"
    for unit in MASKED_UNITS:
        link = system / unit
        link.unlink(missing_ok=True)
        link.symlink_to("/dev/null")
    for unit in DISABLED_UNITS:
        for wants in system.glob(f"*.wants/{unit}"):
            wants.unlink()
    enable(root, "multi-user.target", "corosync.service")
    (root / "etc/corosync/corosync.conf").unlink(missing_ok=True)

    configuration = root / "etc/ssh/sshd_config"
    text = configuration.read_text().replace("#PermitRootLogin prohibit-password", "PermitRootLogin yes")
    if "\nPermitRootLogin yes" not in text:
        text += "PermitRootLogin yes\n"
    configuration.write_text(text)
    for key in (root / "etc/ssh").glob("ssh_host_*"):
        key.unlink()

    (root / "etc/machine-id").write_text("")
    (root / "var/lib/dbus/machine-id").unlink(missing_ok=True)
    (root / "etc/hostname").write_text("localhost\n")
    install_directory_mode(root / "root/.ssh", 0o700)
    install_directory_mode(root / "var/lib/practice-node", 0o755)
    install_directory_mode(root / "usr/lib/practice-node/practice_pve", 0o755)
    for leftover in ("var/cache/apt", "var/lib/apt/lists"):
        shutil.rmtree(root / leftover, ignore_errors=True)
        (root / leftover / "partial").mkdir(parents=True)


def enable(root: Path, target: str, unit: str) -> None:
    wants = root / "etc/systemd/system" / f"{target}.wants" / unit
    wants.parent.mkdir(parents=True, exist_ok=True)
    if not wants.is_symlink():
        wants.symlink_to(f"/usr/lib/systemd/system/{unit}")
