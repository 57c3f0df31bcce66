# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON without order and without the machine's numbers; layouts of ls, pmxcfs and tables."""

from __future__ import annotations

import json

import pytest

from replay.json_form import canonical_json
from replay.layouts import canonical_layouts
from replay.normal_form import Answer, command_form, request_form, text_form


def same(one: object, other: object) -> bool:
    return canonical_json(one) == canonical_json(other)


def test_lists_of_a_perl_hash_have_no_order() -> None:
    assert same([{"node": "pve1"}, {"node": "pve2"}], [{"node": "pve2"}, {"node": "pve1"}])
    assert not same([{"node": "pve1"}], [{"node": "pve1"}, {"node": "pve1"}])


def test_log_lines_keep_their_order() -> None:
    first, second = {"n": 1, "t": "a"}, {"n": 2, "t": "b"}
    assert not same([first, second], [second, first])


def test_a_machine_number_is_not_compared_but_zero_is() -> None:
    assert same({"mem": 5}, {"mem": 7})
    assert not same({"mem": 5}, {"mem": 0})
    assert same({"cpu": 0}, {"cpu": 0.9})
    assert not same({"mem": 5}, {})
    assert not same({"quorum_votes": "1"}, {"quorum_votes": "2"})


def test_types_are_compared() -> None:
    assert not same({"nodeid": "1"}, {"nodeid": 1})


def test_a_content_list_has_no_order() -> None:
    assert same({"content": "iso,images"}, {"content": "images,iso"})
    assert not same({"content": "iso,images"}, {"content": "images"})


def test_json_within_other_output_is_recognised() -> None:
    assert text_form('pve1\n[{"b":1,"a":2}]\n') == text_form('pve1\n[{"a":2,"b":1}]\n')


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("-rw-r----- 1 root www-data 37 Nov 20 20:09 user.cfg", "-rw-r----- 1 root www-data   37 Dec  1  2027 user.cfg", True),
        ("-rw-r----- 1 root www-data 37 Nov 20 20:09 user.cfg", "-rw-r----- 1 root www-data 42 Nov 20 20:09 user.cfg", False),
        ("-rw-r----- 1 root www-data 37 Nov 20 20:09 user.cfg", "-rw-r--r-- 1 root www-data 37 Nov 20 20:09 user.cfg", False),
        ("-rw-r----- 1 root www-data 37 Nov 20 20:09 user.cfg", "-rw-r----- 1 root root 37 Nov 20 20:09 user.cfg", False),
        ("-rw-r----- 1 root www-data 1704 Nov 20 20:09 pve-www.key", "-rw-r----- 1 root www-data 1708 Nov 20 20:09 pve-www.key", True),
        ("drwxr-xr-x 2 root www-data 0 Jan  1  1970 .", "drwxr-xr-x 2 root www-data 0 Nov 20 20:09 .", False),
        ("drwxr-xr-x 1 root root 4096 Nov 20 19:45 ..", "drwxr-xr-x 3 root root 60 Nov 20 19:45 ..", True),
        ("drwxr-xr-x 2 root www-data 0 Nov 20 20:09 ha", "drwxr-xr-x 3 root www-data 0 Nov 20 20:09 ha", False),
        ("lrwxrwxrwx 1 root root 29 Nov 20 20:09 authorized_keys -> /etc/pve/priv/authorized_keys",
         "-rw------- 1 root root 29 Nov 20 20:09 authorized_keys", False),
        ("total 24", "total 4", True),
    ],
)  # fmt: skip
def test_listings(one: str, other: str, equal: bool) -> None:
    assert (canonical_layouts(one) == canonical_layouts(other)) is equal


def members(version: int, *nodes: str, quorate: int = 1) -> str:
    lines = ",\n".join(f'  "{node}": {{ "id": 1, "online": 1}}' for node in nodes)
    head = f'{{\n"nodename": "pve1",\n"version": {version},\n"cluster": {{ "name": "lab", "version": 3, "nodes": 2, "quorate": {quorate} }},\n'
    return f'{head}"nodelist": {{\n{lines}\n  }}\n}}\n'


def test_members_has_no_order_and_no_counter() -> None:
    assert text_form(members(4, "pve1", "pve2")) == text_form(members(9, "pve2", "pve1"))
    assert text_form(members(4, "pve1", "pve2")) != text_form(members(4, "pve1"))
    assert text_form(members(4, "pve1")) != text_form(members(4, "pve1", quorate=0))


def test_version_compares_the_files_known_not_the_counters() -> None:
    text = '{\n"starttime": 1795205377,\n"clinfo": %d,\n"user.cfg": 3,\n"kvstore": {\n"pve1": {\n"kv/a": 1,\n"kv/b": 0}\n}\n}\n'
    assert text_form(text % 1) == text_form(text % 9)
    assert text_form(text % 1) != text_form(text.replace("user.cfg", "other.cfg") % 1)


def test_tables_compare_cells_not_widths() -> None:
    def table(width: int, value: str) -> str:
        line = "─" * width
        return f"┌{line}┐\n│ {'userid'.ljust(width - 1)}│\n╞{line}╡\n│ {value.ljust(width - 1)}│\n└{line}┘\n"

    assert text_form(table(10, "root@pam")) == text_form(table(20, "root@pam"))
    assert text_form(table(10, "root@pam")) != text_form(table(10, "bob@pve"))


def test_a_hanging_command_matches_a_hanging_command_only() -> None:
    recorded, live = Answer(rc="timeout after 300s"), Answer(rc="timeout after 15s")
    assert command_form(recorded) == command_form(live)
    assert command_form(recorded) != command_form(Answer(rc=0))


def test_requests_compare_reason_headers_and_body() -> None:
    answer = Answer(status_line="HTTP/1.1 200 OK", headers=("A: 1", "B: 2"), body=json.dumps({"data": [1]}))
    assert request_form(answer) == request_form(
        Answer(status_line="HTTP/1.1 200 OK", headers=("B: 2", "A: 1"), body='{"data":[1]}')
    )
    assert request_form(answer) != request_form(
        Answer(status_line="HTTP/1.1 200 Fine", headers=("A: 1", "B: 2"), body='{"data":[1]}')
    )
    assert request_form(answer) != request_form(
        Answer(status_line="HTTP/1.1 200 OK", headers=("A: 1",), body='{"data":[1]}')
    )


def test_artefacts_of_the_recording_lab_are_taken_out() -> None:
    assert text_form("unable to get memory stat\nx\n") == "x\n"
    assert text_form("unable to get memory\nx\n") != "x\n"


def test_how_big_a_container_template_is_belongs_to_the_lab() -> None:
    assert same({"content": "vztmpl", "size": 1067518}, {"content": "vztmpl", "size": 124})
    assert not same({"content": "iso", "size": 1067518}, {"content": "iso", "size": 124})


def test_refused_parameters_have_no_order() -> None:
    head = "400 Parameter verification failed.\n"
    usage = "qm set <vmid> [OPTIONS]\n"
    one = f"{head}cores: too small\nmemory: bad\n\n{usage}"
    assert canonical_layouts(one) == canonical_layouts(f"{head}memory: bad\n\ncores: too small\n{usage}")
    assert canonical_layouts(one) != canonical_layouts(f"{head}memory: bad\n\n{usage}")


def test_a_readable_number_in_a_table_is_the_machines_number() -> None:
    table = "┌┐\n│ node │ mem │ level │\n╞╡\n│ pve1 │ {0} │ {1} │\n└┘"
    assert text_form(table.format("6.53 GiB", "x")) == text_form(table.format("748.40 MiB", "x"))
    assert text_form(table.format("6.53 GiB", "x")) != text_form(table.format("6.53 GiB", "y"))


def test_rows_of_key_and_value_are_compared_by_their_key() -> None:
    assert same([{"key": "digest", "value": "a"}], [{"key": "digest", "value": "b"}])
    assert not same([{"key": "name", "value": "a"}], [{"key": "name", "value": "b"}])


def test_a_tasks_log_tells_its_progress_as_often_as_it_likes() -> None:
    def log(*lines: str) -> list[dict[str, object]]:
        return [{"n": number, "t": line} for number, line in enumerate(lines, start=1)]

    progress = ["transferred 0.0 B of 64.0 MiB (0.00%)", "transferred 64.0 MiB of 64.0 MiB (100.00%)"]
    assert same(log("begin", *progress, "TASK OK"), log("begin", progress[0], "TASK OK"))
    assert same(log("  /dev/mapper/control: open failed: x", "TASK OK"), log("TASK OK"))
    assert not same(log("begin", *progress, "TASK OK"), log("begin", "TASK OK"))
