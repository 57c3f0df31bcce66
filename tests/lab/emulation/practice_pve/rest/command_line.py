# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command-line face: a table of commands becomes pvecm, qm ... with PVE's argument rules, texts and exit codes.

COMMANDS = {
    "create": Command("POST", "/cluster/config", arguments=("clustername",)),
    "status": Command(function=show_status, group="PVE::CLI::pvecm"),
    "qdevice": {"setup": Command(...), "remove": Command(...)},
    "agent": Alias("guest cmd"),
}
def main(argv): return run_command("pvecm", COMMANDS, argv)
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from practice_pve.rest import worker_costs

from .call import Call, lookup, make_call
from .errors import NOT_EMULATED_EXIT_CODE, ApiError, NotEmulated
from .methods import Method
from .options import parse_arguments
from .output import STANDARD_OPTIONS, print_result
from .parameters import EXTRA_ARGS, Boolean, Parameter
from .upid import is_error, parse_upid, read_status
from .usage import usage_full, usage_line

# what every real command does first (asking pmxcfs for versions and users); set by the programs' start-up
prepare_environment: Callable[[], object] | None = None

# prints a result; may return the command's exit code
Output = Callable[[Any, Method, dict[str, Any]], int | None]


def print_formatted(result: Any, method: Method, options: dict[str, Any]) -> None:
    """Output function: what the method returned, in the format the caller asked for."""
    print_result(result, method.returns, options)


def exit_with_task(upid: Any, _method: Method, _options: dict[str, Any]) -> int:
    """Output function of the few commands that do end with the task's status."""
    return 255 if is_error(read_status(parse_upid(str(upid)))) else 0


@dataclass(frozen=True)
class Command:
    """One (sub)command: an API method, or a function of its own with ``parameters``.

    ``arguments``: names of the positional parameters in order ("extra-args" last takes the rest); a plain string names
    one list parameter that takes all arguments. ``fixed``: values the caller cannot give, a callable is asked when
    the command runs. ``output``: prints the result, nothing is printed without. ``formatter``: further options that
    go to ``output`` only (STANDARD_OPTIONS for --output-format and its companions). ``group``: commands of another
    group are set apart by a blank line in the usage; it is the name of the Perl class in the real program.
    ``interactive``: parameters that are asked for when missing (passwords). ``mapping``: functions that turn what was
    typed into the parameter's value (a file's name into its content).
    """

    http_method: str = "GET"
    path: str = ""
    arguments: Sequence[str] | str = ()
    fixed: Mapping[str, Any] = field(default_factory=dict)
    output: Output | None = None
    formatter: Mapping[str, Parameter] = field(default_factory=dict)
    function: Callable[[Call], Any] | None = None
    parameters: Mapping[str, Parameter] | None = None
    group: str = ""
    interactive: Mapping[str, Callable[[str | None], str]] = field(default_factory=dict)
    mapping: Mapping[str, Callable[[str], Any]] = field(default_factory=dict)
    description: str = ""
    returns: Parameter | None = None

    def method(self) -> Method:
        """Return the API method behind the command, or one made of the function."""
        if self.function is not None:
            return Method(
                self.http_method, self.path, self.function, self.parameters or {}, returns=self.returns,
                description=self.description,
            )  # fmt: skip
        return table_method(self.http_method, self.path)

    def fixed_values(self) -> dict[str, Any]:
        """Return the preset parameters."""
        return {name: value() if callable(value) else value for name, value in self.fixed.items()}

    def own_parameters(self, method: Method) -> dict[str, Parameter]:
        """Return what can be given on the command line."""
        return {**method.parameters, **self.formatter}

    def usage(self, prefix: str) -> str:
        """Return the one-line usage."""
        method = self.method()
        return usage_line(prefix, method.parameters, self.arguments, self.fixed, self.formatter, self.interactive)

    def usage_full(self, prefix: str) -> str:
        """Return the usage with descriptions."""
        method = self.method()
        return usage_full(prefix, method.parameters, self.arguments, self.fixed, self.formatter, method.description)


@dataclass(frozen=True)
class Alias:
    """Another name for a command ("agent" -> "guest cmd"); not listed in the usage."""

    target: str


CommandTable = Mapping[str, "Command | Alias | CommandTable"]


def table_method(http_method: str, path: str) -> Method:
    """Return the method registered under exactly this path pattern."""
    from .methods import METHODS, load_branches

    load_branches(path.rstrip("/"))
    if (http_method, path) not in METHODS:
        lookup(http_method, path)
        raise NotEmulated(f"{http_method} {path}")
    return METHODS[http_method, path]


class UsageError(Exception):
    """The command word is missing, incomplete or unknown: usage on stderr, exit 255."""

    def __init__(self, reason: str, words: list[str] | None = None) -> None:
        super().__init__(reason)
        self.words = words


def run_command(name: str, table: CommandTable | Command, argv: Sequence[str]) -> int:
    """Run one command line and return the exit code. ``argv`` is without the program's name."""
    complete = table if isinstance(table, Command) else {**table, "help": help_command(name, table)}
    try:
        exit_code = dispatch(name, complete, list(argv))
    except UsageError as error:
        sys.stdout.flush()
        sys.stderr.write(short_usage(name, complete, str(error), error.words))
        exit_code = 255
    except ApiError as error:
        sys.stdout.flush()
        sys.stderr.write(error.text())
        exit_code = error.exit_code
    except NotEmulated as error:
        sys.stdout.flush()
        sys.stderr.write(f"{error}\n")
        exit_code = NOT_EMULATED_EXIT_CODE
    except Exception:  # noqa: BLE001 - a gap of the emulation must never look like Proxmox's answer
        sys.stdout.flush()
        sys.stderr.write("practice node: internal error\n" + traceback.format_exc())
        exit_code = NOT_EMULATED_EXIT_CODE
    sys.stdout.flush()
    worker_costs.pay_call_cost(name)
    return exit_code


def dispatch(name: str, table: CommandTable | Command, words: list[str]) -> int:
    """Find the command, parse its arguments, run it, print its result."""
    if isinstance(table, Command):
        return execute(name, table, words)
    if not words:
        raise UsageError("no command specified")
    command, rest, full_name = resolve(name, table, words)
    if isinstance(command, Mapping):
        raise UsageError(f"incomplete command '{full_name}'", words)
    if command is None:
        raise UsageError(f"unknown command '{full_name}'")
    return execute(full_name, command, rest)


def resolve(name: str, table: CommandTable, words: list[str]) -> tuple[Command | CommandTable | None, list[str], str]:
    """Follow the words through the table; unique beginnings of command names are enough."""
    current: Any = table
    full_name = name
    for index, word in enumerate(words):
        entry_name = expand_word(current, word) or word
        entry = current.get(entry_name)
        full_name += f" {entry_name}"
        if isinstance(entry, Alias):
            return resolve(name, table, words[:index] + entry.target.split(" ") + words[index + 1 :])
        if entry is None:
            return None, [], full_name
        if isinstance(entry, Command):
            return entry, words[index + 1 :], full_name
        current = entry
    return current, [], full_name


def expand_word(table: CommandTable, word: str) -> str | None:
    """Return the command that ``word`` is or uniquely begins."""
    if word in table:
        return word
    hits = [name for name, entry in table.items() if name.startswith(word) and not isinstance(entry, Alias)]
    return hits[0] if len(hits) == 1 else None


def execute(full_name: str, command: Command, words: list[str]) -> int:
    """Run one command with its arguments."""
    if prepare_environment is not None:
        prepare_environment()
    method = command.method()
    fixed = command.fixed_values()
    try:
        given = parse_arguments(command.own_parameters(method), words, command.arguments, fixed, command.interactive)
        for key, read in command.mapping.items():
            if key in given:
                given[key] = read(given[key])
        options = {key: given.pop(key) for key in command.formatter if key in given}
        path = method.path
        for key in method.path_parameters:
            path = path.replace("{" + key + "}", str(given.get(key, "")))
        call = make_call(method, path, given)
        result = method.function(call)
    except ApiError as error:
        # PVE appends the usage to every 400, also to those that the method itself raised
        if error.status == 400 and error.show_status:
            error.usage = command.usage(full_name)
        raise
    if command.output is not None:
        return command.output(result, method, format_options(options)) or 0
    return 0


def format_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the formatter's options with booleans as such."""
    converted = dict(given)
    for name, value in given.items():
        if value in ("0", "1") and name != "output-format":
            converted[name] = value == "1"
    return converted


def short_usage(
    name: str, table: CommandTable | Command, reason: str | None = None, words: list[str] | None = None
) -> str:
    """Return the usage of the whole program (or of the part that ``words`` name): subcommands first, then by group."""
    text = f"ERROR: {reason}\n" if reason else ""
    text += f"USAGE: {name} <COMMAND> [ARGS] [OPTIONS]\n\n"
    if isinstance(table, Command):
        return text + table.usage(name)
    if words:
        part, _rest, full_name = resolve(name, table, words)
        if isinstance(part, Mapping):
            return text + list_commands(full_name, part, "")
    return text + list_commands(name, table, "\n")


def list_commands(prefix: str, table: CommandTable, separator: str) -> str:
    """Return one usage line per command."""

    def order(entry_name: str) -> tuple[bool, str, str]:
        entry = table[entry_name]
        return (isinstance(entry, Command), entry.group if isinstance(entry, Command) else "", entry_name)

    text, previous_group = "", None
    for entry_name in sorted(table, key=order):
        entry = table[entry_name]
        if isinstance(entry, Command):
            if previous_group is not None and entry.group != previous_group:
                text += separator
            text += " " * 7 + entry.usage(f"{prefix} {entry_name}")
            previous_group = entry.group
        elif not isinstance(entry, Alias):
            nested = list_commands(f"{prefix} {entry_name}", entry, "")
            text += nested + separator
    return text


def help_command(name: str, table: CommandTable) -> Command:
    """Return the "help" command that every program has."""

    def show_help(call: Call) -> None:
        words = list(call.params.get("extra-args", []))
        complete = {**table, "help": help_command(name, table)}
        if not words:
            sys.stdout.write(short_usage(name, complete))
            return
        command, _rest, full_name = resolve(name, complete, words)
        if command is None:
            raise UsageError(f"unknown command '{words[0]}'")
        if isinstance(command, Mapping):
            sys.stdout.write("USAGE: " + list_commands(full_name, command, "").lstrip() + "\n")
        elif call.params.get("verbose", True):
            sys.stdout.write(command.usage_full(full_name) + "\n")
        else:
            sys.stdout.write(f"USAGE: {command.usage(full_name)}\n")

    return Command(
        function=show_help,
        arguments=("extra-args",),
        group="PVE::CLIHandler",
        description="Get help about specified command.",
        parameters={
            "extra-args": EXTRA_ARGS,
            "verbose": Boolean(optional=True, description="Verbose output format."),
        },
    )


__all__ = ["STANDARD_OPTIONS", "Alias", "Command", "exit_with_task", "print_formatted", "run_command"]
