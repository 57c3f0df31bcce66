# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API over HTTP on a practice node: who may ask, what errors look like, tasks, certificates, kept connections."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from busy_machine import allow
from practice_lab import Lab

MINT = "use PVE::AccessControl; print PVE::AccessControl::{name}(q(root@pam))"
PASSWORD = "pvelab"
# runs inside the node: one request per line of stdin, one answer per line of stdout, all on one connection
CLIENT = """
import http.client, json, ssl, sys, time
port = int(sys.argv[1])
context = ssl._create_unverified_context()
connection = http.client.HTTPConnection("127.0.0.1", 85) if port == 85 else None
connection = connection or http.client.HTTPSConnection("127.0.0.1", port, context=context)
for line in sys.stdin:
    method, path, body, headers = json.loads(line)
    started = time.monotonic()
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    seconds = time.monotonic() - started
    print(json.dumps([answer.status, answer.reason, answer.getheaders(), text, seconds]), flush=True)
"""


class Answer:
    """One answer."""

    def __init__(self, line: str) -> None:
        self.status, self.reason, self.headers, self.text, self.seconds = json.loads(line)

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    def header(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]


class Client:
    """Speaks to a node's API from inside the node."""

    def __init__(self, lab: Lab, name: str = "pve1") -> None:
        self.node = lab.node(name)
        perl = ["perl", "-e"]
        self.ticket = self.node.run([*perl, MINT.format(name="assemble_ticket")]).check().stdout
        self.csrf = self.node.run([*perl, MINT.format(name="assemble_csrf_prevention_token")]).check().stdout

    def all(self, requests: list[list[Any]], port: int = 8006) -> list[Answer]:
        lines = "".join(json.dumps(request) + "\n" for request in requests)
        done = self.node.run(["python3", "-c", CLIENT, str(port)], stdin=lines, timeout=120).check()
        return [Answer(line) for line in done.stdout.splitlines()]

    def own(self, method: str, path: str, port: int = 8006, **params: Any) -> Answer:
        headers = {"Cookie": f"PVEAuthCookie={quote(self.ticket, safe='')}", "CSRFPreventionToken": self.csrf}
        return self.all([self.request(method, path, headers, params)], port)[0]

    @staticmethod
    def request(method: str, path: str, headers: dict[str, str], params: dict[str, Any]) -> list[Any]:
        body = urlencode(params) if params else None
        kind = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        return [method, f"/api2/json{path}", body, {**headers, **kind}]

    def anonymous(self, method: str, path: str, headers: dict[str, str] | None = None, **params: Any) -> Answer:
        return self.all([self.request(method, path, headers or {}, params)])[0]


@pytest.fixture(scope="module")
def lab(make_lab: Callable[[], Lab]) -> Lab:
    lab = make_lab()
    lab.up(["pve1"])
    deadline = time.monotonic() + 60
    while lab.node("pve1").run(["systemctl", "is-active", "pveproxy"]).rc:
        assert time.monotonic() < deadline, "pveproxy does not start"
        time.sleep(0.3)
    return lab


@pytest.fixture(scope="module")
def client(lab: Lab) -> Client:
    return Client(lab)


def test_login_with_the_root_password(client: Client) -> None:
    answer = client.anonymous("POST", "/access/ticket", username="root@pam", password=PASSWORD)
    assert answer.status == 200
    data = answer.json["data"]
    assert data["ticket"].startswith("PVE:root@pam:")
    headers = {"Cookie": f"PVEAuthCookie={quote(data['ticket'], safe='')}"}
    assert client.anonymous("GET", "/version", headers).json["data"]["version"] == "9.2.11"


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "No ticket"),
        ({"Cookie": "PVEAuthCookie=PVE:root@pam:deadbeef::"}, "Authentication failed!"),
        ({"Authorization": "PVEAPIToken=foo"}, "Authentication failed!"),
        ({"Authorization": "PVEAPIToken=root@pam!nope=0000"}, "Authentication failed!"),
    ],
)
def test_401_takes_three_seconds_and_says_nothing(client: Client, headers: dict[str, str], reason: str) -> None:
    answer = client.anonymous("GET", "/version", headers)
    assert (answer.status, answer.reason, answer.text) == (401, reason, "")
    assert 2.9 < answer.seconds < 3 + allow(3)
    assert answer.header("Connection") == ["close"]


def test_wrong_password_takes_three_seconds(client: Client) -> None:
    answer = client.anonymous("POST", "/access/ticket", username="root@pam", password="x")
    assert (answer.status, answer.reason) == (401, "authentication failure")
    assert answer.json == {"data": None, "message": "authentication failure\n"}
    assert answer.seconds > 2.9


def test_writes_need_the_csrf_token_on_8006_only(client: Client) -> None:
    cookie = {"Cookie": f"PVEAuthCookie={quote(client.ticket, safe='')}"}
    request = Client.request("POST", "/cluster/config", cookie, {"clustername": "bad_name"})
    assert client.all([request])[0].reason == "Permission denied - invalid csrf token"
    assert client.all([request], port=85)[0].status == 400


@pytest.mark.parametrize(
    ("method", "path", "status", "reason"),
    [
        ("GET", "/nosuch", 501, "Method 'GET /nosuch' not implemented"),
        ("DELETE", "/version", 501, "Method 'DELETE /version' not implemented"),
        ("GET", "/version?foo=1", 400, "Parameter verification failed."),
        ("GET", "/cluster/metrics/server", 597, "practice node: not emulated: GET /cluster/metrics/server"),
        (
            "GET",
            "/nodes/pve9/status",
            500,
            "hostname lookup 'pve9' failed - failed to get address info for: pve9: Temporary failure in name resolution",
        ),
    ],
)
def test_errors_stand_in_the_status_line(client: Client, method: str, path: str, status: int, reason: str) -> None:
    answer = client.own(method, path)
    assert (answer.status, answer.reason) == (status, reason)
    assert answer.json["message"].splitlines()[0] == reason


def test_parameter_errors_are_named(client: Client) -> None:
    answer = client.own("POST", "/cluster/config", clustername="bad_name")
    assert answer.json["errors"] == {
        "clustername": "invalid format - value does not look like a valid node name\n",
    }


def test_bad_json_gets_perls_words(client: Client) -> None:
    headers = {"Cookie": f"PVEAuthCookie={quote(client.ticket, safe='')}", "CSRFPreventionToken": client.csrf}
    headers["Content-Type"] = "application/json"
    answer = client.all([["POST", "/api2/json/cluster/config", "{bad", headers]])[0]
    words = (
        '\'"\' expected, at character offset 1 (before "bad") at /usr/share/perl5/PVE/APIServer/AnyEvent.pm line 934.'
    )
    assert (answer.status, answer.reason, answer.text) == (500, words, words + "\n")


def test_one_connection_serves_many_requests(client: Client) -> None:
    headers = {"Cookie": f"PVEAuthCookie={quote(client.ticket, safe='')}"}
    answers = client.all([Client.request("GET", "/version", headers, {})] * 20)
    assert [answer.status for answer in answers] == [200] * 20
    assert answers[0].header("Connection") == ["Keep-Alive"]


def test_protected_methods_come_from_pvedaemon(client: Client, lab: Lab) -> None:
    assert client.own("GET", "/cluster/status").header("Connection") == ["close", "Keep-Alive"]
    lab.node("pve1").run(["systemctl", "stop", "pvedaemon"]).check()
    try:
        answer = client.own("GET", "/cluster/status")
        assert (answer.status, answer.reason, answer.text) == (595, "Connection refused", "")
        assert client.own("GET", "/version").status == 200
    finally:
        lab.node("pve1").run(["systemctl", "start", "pvedaemon"]).check()


def test_task_runs_on_after_the_answer(client: Client) -> None:
    upid = client.own("POST", "/nodes/pve1/services/cron/restart").json["data"]
    path = f"/nodes/pve1/tasks/{quote(upid, safe='')}"
    deadline = time.monotonic() + 20
    while (status := client.own("GET", f"{path}/status").json["data"])["status"] == "running":
        assert time.monotonic() < deadline
    assert status["exitstatus"] == "OK"
    log = client.own("GET", f"{path}/log?start=1&limit=1").json
    assert (log["data"], log["total"]) == ([{"n": 2, "t": "TASK OK"}], 2)
    missing = client.own("GET", "/nodes/pve1/tasks/UPID:pve1:00000001:00000001:6B000000:x:1:root@pam:/status")
    assert missing.json["errors"] == {"upid": "no such task"}


def test_api_token_is_not_root(client: Client, lab: Lab) -> None:
    made = lab.node("pve1").run(
        ["pveum", "user", "token", "add", "root@pam", "test", "--privsep", "0", "--output-format", "json"]
    )
    token = json.loads(made.check().stdout)
    header = {"Authorization": f"PVEAPIToken={token['full-tokenid']}={token['value']}"}
    assert client.anonymous("GET", "/nodes", header).status == 200
    answer = client.anonymous("POST", "/cluster/config", header, clustername="x")
    assert (answer.status, answer.reason) == (403, "Permission check failed (user != root@pam)")


def shown_fingerprint(lab: Lab) -> str:
    script = (
        "openssl s_client -connect 127.0.0.1:8006 </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256"
    )
    return lab.node("pve1").run(["sh", "-c", script]).check().stdout.strip().split("=")[1]


def test_new_certificate_is_served_after_a_reload_only(client: Client, lab: Lab) -> None:
    node, before = lab.node("pve1"), shown_fingerprint(lab)
    node.run(["pvecm", "updatecerts", "--force"]).check()
    on_disk = client.own("GET", "/nodes/pve1/certificates/info").json["data"][1]["fingerprint"]
    assert on_disk != before
    assert shown_fingerprint(lab) == before
    node.run(["systemctl", "reload", "pveproxy"]).check()
    deadline = time.monotonic() + 10
    while shown_fingerprint(lab) != on_disk:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_plain_http_is_sent_to_https(lab: Lab) -> None:
    script = "curl -s -o /dev/null -w '%{http_code} %{redirect_url}' http://127.0.0.1:8006/api2/json/version"
    assert lab.node("pve1").run(["sh", "-c", script]).check().stdout == "301 https://127.0.0.1:8006/api2/json/version"


def test_daemons_stay_small(lab: Lab) -> None:
    listing = lab.node("pve1").run(["ps", "-eo", "rss=,args="]).check().stdout.splitlines()
    sizes = {line.split()[-2]: int(line.split()[0]) for line in listing if line.endswith(" start")}
    for name in ("pvedaemon", "pveproxy", "pvestatd"):
        assert sizes[f"/usr/bin/{name}"] < 40_000, sizes
