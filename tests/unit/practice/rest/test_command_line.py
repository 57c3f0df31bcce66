# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands: argument rules, usage texts and exit codes, as the recorded pvecm and pvesh have them."""

from __future__ import annotations

from typing import Any

import pytest

from practice_pve.rest.call import Call
from practice_pve.rest.command_line import Alias, Command, print_formatted, run_command
from practice_pve.rest.errors import ApiError, NotEmulated, ParameterErrors
from practice_pve.rest.getopt import Option, OptionErrors, parse_options
from practice_pve.rest.options import parse_arguments
from practice_pve.rest.output import STANDARD_OPTIONS
from practice_pve.rest.parameters import EXTRA_ARGS, Array, Boolean, Integer, Object, Parameter, Text, indexed

SEEN: list[dict[str, Any]] = []


def remember(call: Call) -> list[dict[str, int]]:
    SEEN.append(call.params)
    return [{"a": 1}]


def fail(_call: Call) -> None:
    raise ApiError("Node/IP: pve9 is not a known host of the cluster.\n", exit_code=2)


def gap(_call: Call) -> None:
    raise NotEmulated("qm migrate --online")


def crash(_call: Call) -> None:
    raise ZeroDivisionError


API, CLI = "PVE::API2::ClusterConfig", "PVE::CLI::pvecm"
NAME = {"clustername": Text(format="pve-node", max_length=15), "votes": Integer(minimum=1, optional=True)}
COMMANDS: dict[str, Any] = {
    "create": Command(
        function=remember,
        parameters={**NAME, **indexed("link", 0, 7, Text(optional=True))},
        arguments=("clustername",),
        group=API,
    ),
    "delnode": Command(function=fail, parameters={"node": Text()}, arguments=("node",), group=API),
    "status": Command(function=remember, group=CLI),
    "mtunnel": Command(
        function=gap,
        parameters={"extra-args": EXTRA_ARGS, "run": Boolean(optional=True)},
        arguments=("extra-args",),
        group=CLI,
    ),
    "crash": Command(function=crash, group=CLI),
    "list": Command(
        function=remember,
        output=print_formatted,
        formatter=STANDARD_OPTIONS,
        group=CLI,
        returns=Array(items=Object(properties={"a": Integer()})),
    ),
    "qdevice": {
        "setup": Command(
            function=remember,
            parameters={"address": Text(format="ip"), "force": Boolean(optional=True)},
            arguments=("address",),
            group=CLI,
        ),
        "remove": Command(function=remember, group=CLI),
    },
    "st": Alias("status"),
}
CREATE_USAGE = "pvecm create <clustername> [OPTIONS]\n"


@pytest.fixture(autouse=True)
def forget() -> None:
    SEEN.clear()


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    exit_code = run_command("pvecm", COMMANDS, argv)
    printed = capsys.readouterr()
    return exit_code, printed.out, printed.err


def test_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    exit_code, out, err = run(capsys)
    assert (exit_code, out) == (255, "")
    assert err == (
        "ERROR: no command specified\nUSAGE: pvecm <COMMAND> [ARGS] [OPTIONS]\n\n"
        "       pvecm qdevice remove \n       pvecm qdevice setup <address> [OPTIONS]\n\n"
        "       pvecm create <clustername> [OPTIONS]\n       pvecm delnode <node>\n\n"
        "       pvecm crash \n       pvecm list  [FORMAT_OPTIONS]\n       pvecm mtunnel [<extra-args>] [OPTIONS]\n"
        "       pvecm status \n\n"
        "       pvecm help [<extra-args>] [OPTIONS]\n"
    )


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["create"], "400 not enough arguments\n"),
        (["create", "a", "b"], "400 too many arguments\n"),
        (["create", "lab", "--foo", "1"], "Unknown option: foo\n400 unable to parse option\n"),
        (["create", "lab", "--votes"], "Option votes requires an argument\n400 unable to parse option\n"),
        (
            ["create", "lab", "--votes", "0"],
            "400 Parameter verification failed.\nvotes: value must have a minimum value of 1\n",
        ),
        (
            ["create", "--", "-x"],
            "400 Parameter verification failed.\n"
            "clustername: invalid format - value does not look like a valid node name\n\n",
        ),
    ],
)
def test_bad_arguments(capsys: pytest.CaptureFixture[str], argv: list[str], words: str) -> None:
    assert run(capsys, *argv) == (255, "", words + CREATE_USAGE)
    assert SEEN == []


def test_errors_keep_their_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    words = "Node/IP: pve9 is not a known host of the cluster.\n"
    assert run(capsys, "delnode", "pve9") == (2, "", words)


def test_gaps_are_loud(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "mtunnel") == (97, "", "practice node: not emulated: qm migrate --online\n")
    exit_code, _out, err = run(capsys, "crash")
    assert exit_code == 97
    assert "practice node: internal error" in err


@pytest.mark.parametrize("word", ["status", "stat", "st"])
def test_abbreviations_and_aliases(capsys: pytest.CaptureFixture[str], word: str) -> None:
    assert run(capsys, word)[0] == 0
    assert SEEN == [{}]


def test_unknown_and_incomplete(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "nonsense")[2].startswith("ERROR: unknown command 'pvecm nonsense'\n")
    exit_code, _out, err = run(capsys, "qdevice")
    assert exit_code == 255
    assert err == (
        "ERROR: incomplete command 'pvecm qdevice'\nUSAGE: pvecm <COMMAND> [ARGS] [OPTIONS]\n\n"
        "       pvecm qdevice remove \n       pvecm qdevice setup <address> [OPTIONS]\n"
    )


def test_options_in_any_form(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "create", "-vot=2", "lab", "--LINK0", "10.0.0.1")[0] == 0
    assert SEEN == [{"clustername": "lab", "votes": 2, "link0": "10.0.0.1"}]


def test_output_formats(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert run(capsys, "list", "--output-format", "json")[1] == '[{"a":1}]\n'
    assert run(capsys, "list")[1] == "┌───┐\n│ a │\n╞═══╡\n│ 1 │\n└───┘\n"
    assert run(capsys, "list", "--noborder", "--noheader")[1] == "1\n"
    assert run(capsys, "list", "--quiet", "1")[1] == ""


def test_help(capsys: pytest.CaptureFixture[str]) -> None:
    exit_code, out, _err = run(capsys, "help", "qdevice", "setup", "--verbose", "0")
    assert (exit_code, out) == (0, "USAGE: pvecm qdevice setup <address> [OPTIONS]\n\n")
    exit_code, out, _err = run(capsys, "help")
    assert out.startswith("USAGE: pvecm <COMMAND> [ARGS] [OPTIONS]\n\n       pvecm qdevice remove \n")


def test_usage_follows_every_400(capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(_call: Call) -> None:
        raise ParameterErrors({"tokenid": "Token already exists."})

    table = {"add": Command(function=refuse, group=CLI)}
    assert run_command("pveum", table, ["add"]) == 255
    assert capsys.readouterr().err == (
        "400 Parameter verification failed.\ntokenid: Token already exists.\npveum add \n"
    )


def test_password_is_asked_for_and_mapped(capsys: pytest.CaptureFixture[str]) -> None:
    table = {
        "passwd": Command(
            function=remember,
            parameters={"userid": Text(), "password": Text(), "file": Text(optional=True)},
            arguments=("userid",),
            interactive={"password": lambda given: given or "asked"},
            mapping={"file": str.upper},
        )
    }
    assert run_command("pveum", table, ["passwd", "a@pve", "--file", "x"]) == 0
    assert SEEN == [{"userid": "a@pve", "password": "asked", "file": "X"}]
    assert capsys.readouterr().err == ""


def test_ambiguous_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(OptionErrors):
        parse_options({"alpha": Option(), "also": Option()}, ["--al", "1"])
    assert capsys.readouterr().err == "Option al is ambiguous (alpha, also)\n"


def test_extra_arguments_and_lists() -> None:
    parameters: dict[str, Parameter] = {
        "vmid": Integer(),
        "extra-args": EXTRA_ARGS,
        "nodes": Text(format="pve-node-list", optional=True),
        "force": Boolean(optional=True),
    }
    argv = ["100", "--nodes", "a", "--nodes", "b,c", "--force", "--", "ls", "-l"]
    given = parse_arguments(parameters, argv, ("vmid", "extra-args"), {})
    assert given == {"vmid": "100", "nodes": "a,b,c", "force": "1", "extra-args": ["ls", "-l"]}


def test_list_parameter_takes_all_arguments() -> None:
    parameters: dict[str, Parameter] = {"vmid": Text(format="pve-vmid-list")}
    assert parse_arguments(parameters, ["100", "101"], "vmid", {}) == {"vmid": "100,101"}
