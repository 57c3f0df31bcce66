# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One suite for all ways to Proxmox VE: on the node, over HTTPS with a password, with a token, and by pvesh alone.

The tests stand in an order: the last ones break the cluster.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.baremetal.proxmox.plugins.module_utils._session import errors
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.interface import Session, join_path
from ansible_collections.baremetal.proxmox.plugins.module_utils._session.reconcile import find_lost_task
from playbook_runs import BINARIES, Controller
from practice_lab import Lab
from practice_lab.controller import enter_command
from remote_session import RemoteSession

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "pvelab"
TOOLS = ROOT / "tests" / "tools"
COLLECTIONS = ROOT / "build" / "link"
IN_NODE = "/root/session"
DEFAULTS = {"transport": "api", "api_port": 8006, "api_user": "root@pam", "validate_certs": True, "api_timeout": 30}
TRANSPORTS = ("local", "password", "token", "pvesh")


class World:
    """A cluster of three, and sessions to it."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.open_sessions: list[RemoteSession] = []
        self.fingerprint = ""
        self.root_token = ""

    def sh(self, node: str, *argv: str, stdin: str | None = None) -> str:
        return self.lab.node(node).run(list(argv), stdin, timeout=120).check().stdout

    def install(self, node: str) -> None:
        """Put what Ansible would send with a module into the node."""
        base = self.lab.node(node).root / IN_NODE.lstrip("/")
        package = "ansible_collections/baremetal/proxmox/plugins/module_utils/_session"
        shutil.copytree(COLLECTIONS / package, base / package, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("remote_session.py", "cutting_proxy.py"):
            shutil.copy(TOOLS / name, base / name)

    def local(self, node: str = "pve1", **params: Any) -> RemoteSession:
        command = self.lab.node(node).command(["python3", f"{IN_NODE}/remote_session.py"], {"PYTHONPATH": IN_NODE})
        return self._keep(RemoteSession(command, {"transport": "local", **params}))

    def api(self, host: str = "pve1", **params: Any) -> RemoteSession:
        program = ["env", f"PYTHONPATH={COLLECTIONS}", sys.executable, str(TOOLS / "remote_session.py")]
        options = {**DEFAULTS, "api_host": host, "api_fingerprint": self.fingerprint, **params}
        return self._keep(RemoteSession(enter_command(self.lab, program), options))

    def open(self, transport: str, **params: Any) -> RemoteSession:
        if transport == "local":
            return self.local(**params)
        if transport == "pvesh":
            return self.local(own_port=1, **params)
        credentials = {
            "password": {"api_password": PASSWORD},
            "token": {"api_token_id": "root@pam!lab", "api_token_secret": self.root_token},
        }
        return self.api(**credentials[transport], **params)

    def make_token(self, user: str, name: str, privsep: int) -> str:
        text = self.sh(
            "pve1", "pveum", "user", "token", "add", user, name, "--privsep", str(privsep), "--output-format", "json"
        )
        return str(json.loads(text)["value"])

    def _keep(self, session: RemoteSession) -> RemoteSession:
        self.open_sessions.append(session)
        return session

    def close(self) -> None:
        for session in self.open_sessions:
            session.close()


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.3)


def members(lab: Lab, name: str) -> set[str]:
    seen = json.loads(lab.node(name).run(["cat", "/etc/pve/.members"]).stdout or "{}")
    return {node for node, state in seen.get("nodelist", {}).items() if state["online"]}


def is_ready(lab: Lab, name: str, others: set[str]) -> bool:
    script = f"touch /etc/pve/probe-{name} && rm /etc/pve/probe-{name} && test -s /etc/pve/local/pve-ssl.pem"
    return members(lab, name) == others and lab.node(name).run(["sh", "-c", script]).rc == 0


def make_cluster(lab: Lab, first: str, *others: str) -> None:
    lab.node(first).run(["pvecm", "create", "lab"]).check()
    # Alone, a node shows no list of members.
    wait_until(
        lambda: lab.node(first).run(["sh", "-c", "touch /etc/pve/probe && rm /etc/pve/probe"]).rc == 0, 90, first
    )
    joined = {first}
    for name in others:
        lab.node(name).run(["pvecm", "add", lab.node(first).ip], f"{PASSWORD}\nyes\n", timeout=300).check()
        joined.add(name)
        for member in sorted(joined):
            wait_until(lambda member=member: is_ready(lab, member, joined), 120, f"{member} sees {joined}")


@pytest.fixture(scope="module")
def world(make_lab: Callable[[], Lab]) -> Iterator[World]:
    lab = make_lab()
    lab.up(["pve1", "pve2", "pve3"])
    world = World(lab)
    make_cluster(lab, "pve1", "pve2", "pve3")
    for name in ("pve1", "pve2", "pve3"):
        world.install(name)
        world.sh(name, "systemctl", "reload-or-restart", "pveproxy")
    shown = world.sh(
        "pve1", "openssl", "x509", "-in", "/etc/pve/local/pve-ssl.pem", "-noout", "-fingerprint", "-sha256"
    )
    world.fingerprint = shown.strip().partition("=")[2]
    world.root_token = world.make_token("root@pam", "lab", 0)
    yield world
    world.close()


@pytest.fixture(scope="module", params=TRANSPORTS)
def transport(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def session(world: World, transport: str) -> RemoteSession:
    return world.open(transport)


@pytest.fixture(scope="module")
def number(transport: str) -> int:
    """Every transport makes guests of its own numbers."""
    return 1000 + 100 * TRANSPORTS.index(transport)


class TestOneSuite:
    def test_where_and_who(self, session: RemoteSession, transport: str) -> None:
        assert session.version().key >= (9, 0, 0)
        assert session.node == ("pve1" if transport in ("local", "pvesh") else None)
        assert session.user == ("root@pam!lab" if transport == "token" else "root@pam")

    @pytest.mark.parametrize("node", ["pve1", "pve2"])
    def test_life_of_a_guest(self, session: Session, number: int, node: str) -> None:
        vmid = number + int(node[-1])
        description = "grüße ✓\n-50% a=b&c;d+e 'quoted' \"double\" $HOME"
        base = f"/nodes/{node}/qemu"
        upid = session.create(base, vmid=vmid, name="web", memory=64, onboot=True, description=description, net0=None)
        assert upid.startswith(f"UPID:{node}:") and f":qmcreate:{vmid}:{session.user}:" in upid
        assert session.wait(upid).exitstatus == "OK"
        config = session.get(f"{base}/{vmid}/config")
        assert (config["name"], config["memory"], config["onboot"]) == ("web", "64", 1)
        assert config["description"].rstrip("\n") == description and "net0" not in config
        assert session.set(f"{base}/{vmid}/config", memory=80, description="-x\ny", delete="onboot") is None
        config = session.get(f"{base}/{vmid}/config")
        assert (config["memory"], config.get("onboot")) == ("80", None)
        assert session.wait(session.create(f"{base}/{vmid}/status/start")).ok
        assert session.get(f"{base}/{vmid}/status/current")["status"] == "running"
        with pytest.raises(errors.TaskFailed, match=f"VM {vmid} already running") as caught:
            session.wait(session.create(f"{base}/{vmid}/status/start"))
        assert caught.value.log[-1] == f"TASK ERROR: VM {vmid} already running"
        assert session.wait(session.create(f"{base}/{vmid}/status/stop")).ok
        assert session.wait(session.delete(f"{base}/{vmid}", purge=True)).ok
        with pytest.raises(
            errors.NotFound, match=f"Configuration file 'nodes/{node}/qemu-server/{vmid}.conf' does not exist"
        ):
            session.get(f"{base}/{vmid}/config")

    def test_refusals_are_typed(self, session: Session, number: int) -> None:
        base = "/nodes/pve1/qemu"
        session.wait(session.create(base, vmid=number))
        with pytest.raises(errors.Exists, match=f"VM {number} already exists on node 'pve1'"):
            session.create(base, vmid=number)
        with pytest.raises(errors.Invalid) as caught:
            session.create(base, vmid=number + 9, memory="x", cores=0)
        assert set(caught.value.errors) == {"memory", "cores"}
        assert caught.value.errors["cores"] == "value must have a minimum value of 1"
        with pytest.raises(errors.Invalid) as caught:
            session.create(base, vmid=number + 9, no_such=1)
        assert list(caught.value.errors) == ["no_such"]
        with pytest.raises(errors.Unsupported):
            session.get("/nosuch")
        with pytest.raises(errors.NotFound):
            session.get("/nodes/pve9/status")
        with pytest.raises(errors.Conflict):
            session.set(f"{base}/{number}/config", memory=128, digest="0" * 40)
        with pytest.raises(errors.NotFound):
            session.get("/nodes/pve1/storage/nosuch/status")
        with pytest.raises(errors.NotFound, match="no such task"):
            session.wait("UPID:pve1:00000001:00000001:6B000000:qmstart:1:root@pam:")

    def test_a_locked_guest_is_busy_and_says_with_what(self, session: Session, number: int) -> None:
        session.set(f"/nodes/pve1/qemu/{number}/config", lock="backup") if session.user == "root@pam" else None
        if session.user != "root@pam":
            with pytest.raises(errors.RootOnly):
                session.set(f"/nodes/pve1/qemu/{number}/config", lock="backup")
            return
        with pytest.raises(errors.Busy) as caught:
            session.set(f"/nodes/pve1/qemu/{number}/config", memory=32)
        assert caught.value.lock == "backup"
        session.set(f"/nodes/pve1/qemu/{number}/config", delete="lock", skiplock=True)

    def test_what_only_root_may(self, session: Session, number: int) -> None:
        path = f"/nodes/pve1/qemu/{number}/config"
        if session.user == "root@pam":
            assert session.set(path, args="-snapshot") is None
            assert session.get(path)["args"] == "-snapshot"
        else:
            with pytest.raises(errors.RootOnly, match="only root can set 'args' config"):
                session.set(path, args="-snapshot")

    def test_odd_paths_and_lists(self, session: Session) -> None:
        volumes = session.get("/nodes/pve1/storage/local/content")
        assert isinstance(volumes, list)
        with pytest.raises((errors.NotFound, errors.Failed, errors.Invalid)):
            session.get(join_path("nodes", "pve1", "storage", "local", "content", "local:iso/nosuch.iso"))

    def test_everything_again_is_there(self, session: Session, number: int) -> None:
        guests = [row["vmid"] for row in session.get("/nodes/pve1/qemu")]
        assert number in guests
        assert session.wait(session.delete(f"/nodes/pve1/qemu/{number}")).ok


def test_all_ways_read_the_same(world: World) -> None:
    sessions = {name: world.open(name) for name in TRANSPORTS}
    local = sessions["local"]
    local.wait(
        local.create("/nodes/pve2/qemu", vmid=900, name="same", memory=64, tags="b;a", cipassword="$5$salt$hash")
    )
    paths = [
        "/version",
        "/nodes/pve2/qemu/900/config",
        "/nodes/pve2/qemu/900/pending",
        "/storage/local",
        "/access/domains",
        "/cluster/ha/rules",
    ]
    for path in paths:
        answers = {name: session.get(path) for name, session in sessions.items()}
        assert all(answer == answers["local"] for answer in answers.values()), (path, answers)


class Cutter:
    """The cutting proxy, started where the session is."""

    def __init__(self, world: World, transport: str) -> None:
        node = world.lab.node("pve1")
        if transport == "local":
            command = node.command(["python3", f"{IN_NODE}/cutting_proxy.py", "127.0.0.1", "85"])
        else:
            command = enter_command(world.lab, [sys.executable, str(TOOLS / "cutting_proxy.py"), node.ip, "8006"])
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdin and self.process.stdout
        self.port = int(self.process.stdout.readline())

    def arm(self, what: str) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(f"{what}\n")
        self.process.stdin.flush()
        while self.process.stdout.readline() != "armed\n":
            pass  # it says "cut" of the time before

    def stop(self) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


@pytest.mark.parametrize("way", ["local", "password", "token"])
class TestLostAnswer:
    @pytest.fixture
    def cut(self, world: World, way: str) -> Iterator[tuple[RemoteSession, Cutter]]:
        cutter = Cutter(world, way)
        port = {"own_port": cutter.port} if way == "local" else {"host": "127.0.0.1", "api_port": cutter.port}
        yield world.open(way, **port), cutter
        cutter.stop()

    def test_work_that_was_done_is_found(self, cut: tuple[RemoteSession, Cutter], way: str) -> None:
        session, cutter = cut
        vmid = 800 + TRANSPORTS.index(way)
        before = session.wait(session.create("/nodes/pve1/qemu", vmid=vmid))
        session.wait(session.delete(f"/nodes/pve1/qemu/{vmid}"))
        session.get("/version")
        cutter.arm("answer")
        with pytest.raises(errors.AnswerLost) as caught:
            session.create("/nodes/pve1/qemu", vmid=vmid, name="once")
        upid = find_lost_task(session, caught.value, ["qmcreate"], vmid)
        assert upid and upid != before.upid
        assert session.wait(upid).ok
        assert session.get(f"/nodes/pve1/qemu/{vmid}/config")["name"] == "once"
        rows = session.get("/nodes/pve1/tasks", source="all", vmid=vmid, typefilter="qmcreate")
        assert len(rows) == 2, rows
        session.wait(session.delete(f"/nodes/pve1/qemu/{vmid}"))

    def test_work_that_never_arrived_is_not_found(self, cut: tuple[RemoteSession, Cutter], way: str) -> None:
        session, cutter = cut
        session.get("/version")
        cutter.arm("request")
        with pytest.raises(errors.AnswerLost) as caught:
            session.create("/nodes/pve1/qemu", vmid=870 + TRANSPORTS.index(way))
        assert find_lost_task(session, caught.value, ["qmcreate"], 870 + TRANSPORTS.index(way), patience=1.0) is None

    def test_a_read_does_not_notice(self, cut: tuple[RemoteSession, Cutter]) -> None:
        session, cutter = cut
        session.get("/version")
        for what in ("answer", "request"):
            cutter.arm(what)
            assert session.get("/version")["release"]


class TestTrust:
    def test_a_wrong_password_takes_three_seconds_and_one_attempt(self, world: World) -> None:
        session = world.api(api_password="wrong")
        started = time.monotonic()
        with pytest.raises(errors.NotAuthenticated, match="authentication failure") as caught:
            session.get("/version")
        assert 2.9 < time.monotonic() - started < 5.5
        assert "realm" in str(caught.value) and "wrong" not in repr(caught.value)

    def test_an_unknown_token(self, world: World) -> None:
        with pytest.raises(errors.NotAuthenticated):
            world.api(api_token_id="nope", api_token_secret="0000").get("/version")

    def test_another_fingerprint_is_refused_before_anything_is_sent(self, world: World) -> None:
        other = ":".join(["AB"] * 32)
        with pytest.raises(errors.CertificateRefused, match=other) as caught:
            world.api(api_fingerprint=other, api_password=PASSWORD).get("/version")
        assert world.fingerprint in str(caught.value)

    def test_an_unknown_authority_is_refused(self, world: World) -> None:
        with pytest.raises(errors.CertificateRefused, match="not trusted") as caught:
            world.api(api_fingerprint=None, api_password=PASSWORD).get("/version")
        assert world.fingerprint in str(caught.value) and "api_fingerprint" in caught.value.remedy

    def test_the_cluster_s_authority_is_enough_for_every_node(self, world: World, tmp_path: Path) -> None:
        authority = tmp_path / "ca.pem"
        authority.write_text(world.sh("pve1", "cat", "/etc/pve/pve-root-ca.pem"), encoding="ascii")
        trust = {"api_fingerprint": None, "api_ca_path": str(authority), "api_password": PASSWORD}
        for host in ("pve1", "pve2", world.lab.node("pve3").ip):
            assert world.api(host, **trust).get("/version")["release"]

    def test_a_name_that_the_certificate_does_not_have_is_refused(self, world: World, tmp_path: Path) -> None:
        authority = tmp_path / "ca.pem"
        authority.write_text(world.sh("pve1", "cat", "/etc/pve/pve-root-ca.pem"), encoding="ascii")
        cutter = Cutter(world, "password")
        trust = {"api_fingerprint": None, "api_ca_path": str(authority), "api_password": PASSWORD}
        try:  # 127.0.0.1 is in every node's certificate, 127.0.0.2 in none
            with pytest.raises(errors.Unreachable):
                world.api("127.0.0.2", api_port=cutter.port, **trust).get("/version")
        finally:
            cutter.stop()

    def test_anybody_only_when_told(self, world: World) -> None:
        session = world.api(api_fingerprint=None, validate_certs=False, api_password=PASSWORD)
        assert session.get("/version")["release"]

    def test_privileges_are_named(self, world: World) -> None:
        world.sh("pve1", "pveum", "user", "add", "bob@pve")
        world.sh("pve1", "pveum", "acl", "modify", "/vms", "--users", "bob@pve", "--roles", "PVEVMUser")
        whole, apart = world.make_token("bob@pve", "whole", 0), world.make_token("bob@pve", "apart", 1)
        as_bob = world.api(api_token_id="bob@pve!whole", api_token_secret=whole, api_user=None)
        assert as_bob.user == "bob@pve!whole"
        assert as_bob.get("/nodes/pve2/qemu/900/config")["name"] == "same"
        with pytest.raises(errors.Denied, match=r"Datastore\.Allocate on /storage/local") as caught:
            as_bob.get("/storage/local")
        assert caught.value.privileges[-1].startswith("Datastore.") and caught.value.object_path == "/storage/local"
        with pytest.raises(errors.Denied) as caught:
            as_bob.create("/nodes/pve1/qemu", vmid=777)
        assert caught.value.privileges == ("VM.Allocate",) and "/vms/777" in caught.value.object_path
        with pytest.raises(errors.RootOnly):
            as_bob.create("/cluster/config", clustername="x")
        privsep = world.api(api_token_id="apart", api_user="bob@pve", api_token_secret=apart)
        with pytest.raises(errors.Denied) as caught:
            privsep.get("/nodes/pve2/qemu/900/config")
        assert caught.value.privileges == ("VM.Audit",) and caught.value.object_path == "/vms/900"
        assert "privilege separation" in caught.value.remedy

    def test_nobody_there(self, world: World) -> None:
        started = time.monotonic()
        with pytest.raises(errors.Unreachable, match=r"cannot connect to 10\.99\.0\.250:8006"):
            world.api("10.99.0.250", api_password=PASSWORD).get("/version")
        assert time.monotonic() - started < 12


@pytest.fixture(scope="module")
def outside(world: World, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, Any]]:
    world.sh("pve1", "pveum", "user", "add", "eve@pve")
    secret = world.make_token("eve@pve", "maker", 1)
    for who in (("--users", "eve@pve"), ("--tokens", "eve@pve!maker")):
        world.sh("pve1", "pveum", "acl", "modify", "/vms", "--roles", "PVEVMAdmin", *who)
    controller = Controller(world.lab, tmp_path_factory.mktemp("outside") / "home", passwords=False)
    access = {
        "PROXMOX_TRANSPORT": "api",
        "PROXMOX_HOST": world.lab.node("pve1").ip,
        "PROXMOX_USER": "eve@pve",
        "PROXMOX_TOKEN_ID": "maker",
        "PROXMOX_TOKEN_SECRET": secret,
        "PROXMOX_FINGERPRINT": world.fingerprint,
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
    }

    def run(change: dict[str, str] | None = None, **arguments: Any) -> dict[str, Any]:
        command = [str(BINARIES / "ansible"), "localhost", "-m", "baremetal.proxmox.proxmox_qm_vm"]
        command += ["-e", f"ansible_python_interpreter={sys.executable}", "-a", json.dumps(arguments)]
        done = controller.run(command, {**access, **(change or {})})
        assert secret not in done.output
        answer = done.stdout.partition("localhost | ")[2].partition(" => ")[2]
        result = json.JSONDecoder().raw_decode(answer)[0]
        return {"failed": done.rc != 0, **result}

    return run


class TestModuleFromOutside:
    """A module as somebody runs it who has no login on the nodes: everything by the environment, with a token of few rights."""

    def test_a_token_with_the_rights_makes_a_machine(self, outside: Callable[..., dict[str, Any]]) -> None:
        wanted = {"name": "outside", "vmid": 950, "node": "pve2", "memory": 64, "state": "present"}
        made = outside(**wanted)
        assert not made["failed"] and made["changed"], made
        again = outside(**wanted)
        assert not again["failed"] and not again["changed"], again

    def test_what_it_lacks_is_named_with_its_path(self, outside: Callable[..., dict[str, Any]]) -> None:
        refused = outside(name="outside", vmid=950, net={"net0": {"model": "virtio", "bridge": "vmbr0"}})
        assert refused["failed"] and "SDN.Use" in refused["msg"], refused
        assert "/sdn/zones/localnetwork" in refused["msg"], refused

    def test_what_only_root_may_is_said_before_anything_is_sent(
        self, world: World, outside: Callable[..., dict[str, Any]]
    ) -> None:
        before = world.sh("pve1", "pvesh", "get", "/cluster/tasks", "--output-format", "json")
        refused = outside(name="never", vmid=951, node="pve1", args="-snapshot")
        assert refused["failed"] and "args" in refused["msg"] and "root@pam" in refused["msg"], refused
        assert world.sh("pve1", "pvesh", "get", "/cluster/tasks", "--output-format", "json") == before

    def test_another_certificate_or_secret_is_refused(
        self, world: World, outside: Callable[..., dict[str, Any]]
    ) -> None:
        refused = outside({"PROXMOX_FINGERPRINT": ":".join(["AB"] * 32)}, name="outside")
        assert refused["failed"] and world.fingerprint in refused["msg"], refused
        refused = outside({"PROXMOX_TOKEN_SECRET": "00000000-0000-0000-0000-000000000000"}, name="outside")
        assert refused["failed"] and "token" in f"{refused['msg']} {refused.get('remedy')}", refused

    def test_the_cluster_s_authority_by_the_environment(
        self, world: World, outside: Callable[..., dict[str, Any]], tmp_path: Path
    ) -> None:
        authority = tmp_path / "ca.pem"
        authority.write_text(world.sh("pve1", "cat", "/etc/pve/pve-root-ca.pem"), encoding="ascii")
        trust = {"PROXMOX_FINGERPRINT": "", "PROXMOX_CA_PATH": str(authority)}
        seen = outside(trust, name="outside", vmid=950, memory=64)
        assert not seen["failed"] and not seen["changed"], seen


class TestSecrets:
    def test_the_ticket_is_in_memory_only(self, world: World) -> None:
        session = world.local()
        session.create("/nodes/pve1/qemu", vmid=880)
        assert session.evaluate("len(session._headers['Cookie'])") > 100
        pid = session.process_id
        seen = world.sh(
            "pve1",
            "sh",
            "-c",
            f"cat /proc/{pid}/cmdline /proc/{pid}/environ; cat /proc/[0-9]*/cmdline 2>/dev/null; true",
        )
        assert "PVE:root" not in seen and "PVE%3Aroot" not in seen
        files = world.sh(
            "pve1",
            "sh",
            "-c",
            "grep -rlE 'PVE(:|%3A)root(@|%40)pam' /tmp /root /var/log /run --exclude-dir=session 2>/dev/null; true",
        )
        assert files == ""

    def test_a_secret_does_not_go_into_a_command_line(self, world: World) -> None:
        with pytest.raises(errors.Unreachable, match="cipassword is never put into a command line"):
            world.open("pvesh").set("/nodes/pve1/qemu/880/config", cipassword="x")


class TestSpeed:
    def test_nothing_but_the_standard_library_is_imported(self, world: World) -> None:
        session = world.local()
        session.get("/version")
        assert not session.evaluate("[name for name in ('requests', 'proxmoxer', 'urllib3') if name in sys.modules]")

    def test_a_call_on_a_kept_connection_takes_milliseconds(self, world: World) -> None:
        for name in ("local", "password"):
            session = world.open(name)
            alone = session.measure("/version", 200) / 200
            eight = session.measure("/version", 400, 8) / 400
            print(f"\n{name}: {alone * 1000:.2f} ms a call, {eight * 1000:.2f} ms with 8 threads")
            assert alone < 0.02


class TestDaemonsDown:
    @pytest.fixture(autouse=True)
    def mend(self, world: World) -> Iterator[None]:
        yield
        for unit in ("pve-cluster", "pvedaemon", "pveproxy"):
            world.sh("pve1", "systemctl", "reset-failed", unit)
            world.sh("pve1", "systemctl", "start", unit)

    def test_without_pveproxy_this_node_answers_and_others_are_asked_by_pvesh(self, world: World) -> None:
        session = world.local()
        world.sh("pve1", "systemctl", "stop", "pveproxy")
        assert session.get("/version")["release"]
        assert session.fetch_warnings() == []
        assert session.get("/nodes/pve2/qemu/900/config")["name"] == "same"
        assert "pvesh is used instead" in session.fetch_warnings()[0]
        assert session.wait(session.create("/nodes/pve2/qemu/900/status/start")).ok
        assert session.wait(session.create("/nodes/pve2/qemu/900/status/stop")).ok
        with pytest.raises(errors.Unreachable):
            world.api(api_password=PASSWORD).get("/version")

    def test_without_pvedaemon_too(self, world: World) -> None:
        session = world.local()
        assert session.get("/version")["release"]
        world.sh("pve1", "systemctl", "stop", "pvedaemon")
        assert session.wait(session.create("/nodes/pve1/qemu", vmid=881, memory=64)).ok
        assert session.get("/nodes/pve1/qemu/881/config")["memory"] == "64"
        world.sh("pve1", "systemctl", "start", "pvedaemon")
        assert session.wait(session.delete("/nodes/pve1/qemu/881")).ok
        assert len(session.fetch_warnings()) == 1

    def test_api_with_pvedaemon_stopped_did_nothing(self, world: World) -> None:
        world.sh("pve1", "systemctl", "stop", "pvedaemon")
        with pytest.raises(errors.Unreachable) as caught:
            world.api(api_password=PASSWORD).create("/nodes/pve1/qemu", vmid=882)
        assert caught.value.status in (None, 595)

    def test_a_restart_in_the_middle_is_not_noticed(self, world: World) -> None:
        session = world.local()
        for _ in range(3):
            assert session.get("/version")["release"]
            world.sh("pve1", "systemctl", "restart", "pvedaemon")
        assert session.get("/version")["release"]

    def test_without_pmxcfs_nothing_works_and_it_is_said(self, world: World) -> None:
        world.sh("pve1", "systemctl", "stop", "pvedaemon", "pveproxy", "pve-cluster")
        with pytest.raises(errors.Unreachable) as caught:
            world.local().get("/nodes/pve1/qemu/880/config")
        assert "Connection refused" in str(caught.value)


class TestBrokenCluster:
    def test_a_dead_node_is_unreachable_and_the_others_are_not(self, world: World) -> None:
        sessions = [world.open(name) for name in ("local", "password", "pvesh")]
        world.lab.node("pve3").kill()
        for session in sessions:
            with pytest.raises(errors.Unreachable):
                session.get("/nodes/pve3/qemu")
            assert session.get("/nodes/pve2/qemu/900/config")["name"] == "same"

    @pytest.mark.parametrize("way", TRANSPORTS)
    def test_without_quorum_reads_work_and_writes_say_so(self, world: World, way: str) -> None:
        running = [name for name in ("pve2", "pve3") if world.lab.node(name).leader() is not None]
        for name in running:
            world.lab.node(name).kill()
        if running:
            # root may write by the modes, so only a write tells
            wait_until(lambda: world.lab.node("pve1").run(["touch", "/etc/pve/probe"]).rc != 0, 90, "no quorum")
        session = world.open(way)
        assert session.get("/nodes/pve1/qemu/880/config")["vmgenid"]
        with pytest.raises(errors.NoQuorum) as caught:
            session.create("/nodes/pve1/qemu", vmid=883)
        assert "quorum" in caught.value.remedy
        with pytest.raises(errors.NoQuorum):
            session.set("/nodes/pve1/qemu/880/config", memory=128)
        with pytest.raises((errors.TaskFailed, errors.NoQuorum)) as failed:
            session.wait(session.delete("/nodes/pve1/qemu/880"))
        cause = failed.value.cause if isinstance(failed.value, errors.TaskFailed) else failed.value
        assert isinstance(cause, errors.NoQuorum)
