# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pvesh: the API on the command line. Other nodes are reached over SSH, as the real one does."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from practice_pve import settings
from practice_pve.rest import worker_costs
from practice_pve.rest.call import Call, lookup, make_call
from practice_pve.rest.command_line import Command, run_command
from practice_pve.rest.errors import ApiError, NotEmulated, NotImplementedMethod
from practice_pve.rest.methods import Method, find_method
from practice_pve.rest.output import STANDARD_OPTIONS, print_result
from practice_pve.rest.parameters import Array, Boolean, Object, Parameter, Text
from practice_pve.rest.routing import resolve_node
from practice_pve.rest.usage import usage_full, usage_line

from .pvesh_paths import capabilities, children
from .pvesh_remote import run_on_node

HTTP_METHODS = {"create": "POST", "set": "PUT", "get": "GET", "delete": "DELETE"}
GROUP = "PVE::CLI::pvesh"
API_PATH = Text(description="API path.")
NO_PROXY = Boolean(optional=True, description="Disable automatic proxying.")
# what the real program says: it cannot extend a schema that has no properties
NO_PROPERTIES = (
    "unknown schema type (not an object?)\n"
    "Compilation failed in require at /usr/bin/pvesh line 6.\n"
    "BEGIN failed--compilation aborted at /usr/bin/pvesh line 6.\n"
)


class Shell:
    """One run of pvesh."""

    def __init__(self) -> None:
        self.no_proxy = False
        self.no_output = False

    def parameters_for(self, method: Method | None, path_params: dict[str, str]) -> dict[str, Parameter]:
        """Return what can be given: the method's parameters without those of the path, and pvesh's own."""
        own = {name: value for name, value in (method.parameters if method else {}).items() if name not in path_params}
        return {**STANDARD_OPTIONS, **own, "api_path": API_PATH, "noproxy": NO_PROXY}

    def commands(self, argv: Sequence[str]) -> dict[str, Command]:
        """Return the command table; the options are those of the path in ``argv``."""
        method: Method | None = None
        path_params: dict[str, str] = {}
        if len(argv) > 1 and argv[0] in HTTP_METHODS:
            method, path_params = lookup(HTTP_METHODS[argv[0]], argv[1])
            if not method.has_properties:
                raise ApiError(NO_PROPERTIES)
        parameters = self.parameters_for(method, path_params)
        table = {
            name: Command(function=self.caller(name), parameters=parameters, arguments=("api_path",), group=GROUP)
            for name in HTTP_METHODS
        }
        table["ls"] = Command(function=self.list_children, parameters=parameters, arguments=("api_path",), group=GROUP)
        table["usage"] = Command(
            function=show_usage,
            group=GROUP,
            arguments=("api_path",),
            parameters={
                "api_path": API_PATH,
                "verbose": Boolean(optional=True, description="Verbose output format."),
                "returns": Boolean(optional=True, description="Including schema for returned data."),
                "command": Text(optional=True, enum=tuple(HTTP_METHODS), description="API command."),
            },
        )
        return table

    def caller(self, command: str) -> Callable[[Call], None]:
        """Return the function of "get", "set", "create" or "delete"."""

        def call_method(call: Call) -> None:
            params, options = self.split_options(call)
            path = params.pop("api_path")
            result, method = self.call(command, path, params)
            if not self.no_output and not options.get("quiet"):
                print_result(result, method.returns, options)

        return call_method

    def split_options(self, call: Call) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the method's parameters (as they were typed) and the output options."""
        params = dict(call.params)
        self.no_proxy = params.pop("noproxy", False) or self.no_proxy
        options = {name: params.pop(name) for name in STANDARD_OPTIONS if name in params}
        return params, options

    def call(self, command: str, path: str, params: dict[str, Any]) -> tuple[Any, Method]:
        """Run a method here or on the node it belongs to."""
        try:
            method, path_params = lookup(HTTP_METHODS.get(command, "GET"), path)
        except NotImplementedMethod:
            raise ApiError(f"no '{command}' handler for '{path}'\n") from None
        complete = {**params, **path_params}
        node, address = resolve_node(method, path, complete)
        if node is not None:
            if self.no_proxy:
                raise ApiError("proxy loop detected - aborting\n")
            return run_on_node(node, address, command, path, params), method
        if complete.get("node") == "localhost":
            complete["node"] = settings.nodename()
        return method.function(make_call(method, path, complete)), method

    def list_children(self, call: Call) -> None:
        """Print the children of a path and what can be done with them."""
        params, options = self.split_options(call)
        path = params.pop("api_path")
        found = find_method("GET", path)
        if found is None:
            lookup_or_missing(path)
        result, method = self.call("ls", path, params)
        if not method.child_link:
            raise ApiError(f"resource '{path}' does not define child links\n")
        rows = result if self.is_listing(result) else [
            {"name": name, "capabilities": capabilities(f"{path}/{name}")} for name in children(method, result)
        ]  # fmt: skip
        print_result(
            rows,
            Array(items=Object()),
            {"sort_key": "name", "noborder": True, "noheader": True, **options},
            ["capabilities", "name"],
        )

    @staticmethod
    def is_listing(result: Any) -> bool:
        """True when another node has made the listing already."""
        return isinstance(result, list) and bool(result) and isinstance(result[0], dict) and "capabilities" in result[0]


def lookup_or_missing(path: str) -> None:
    """Raise for a path that cannot be listed."""
    try:
        lookup("GET", path)
    except NotImplementedMethod:
        raise ApiError(f"no such resource '{path}'\n") from None


def show_usage(call: Call) -> None:
    """Print how a path is called."""
    path, wanted = call.params["api_path"], call.params.get("command")
    shown = False
    for command in ("get", "set", "create", "delete"):
        if wanted and command != wanted:
            continue
        found = find_method(HTTP_METHODS[command], path)
        if found is None:
            continue
        method, path_params = found
        shown = True
        if call.params.get("verbose"):
            prefix = f"pvesh {command} {path}"
            sys.stdout.write(usage_full(prefix, method.parameters, (), path_params, None, method.description))
        else:
            sys.stdout.write("USAGE: " + usage_line(f"pvesh {command} {path}", method.parameters, (), path_params))
        if call.params.get("returns"):
            raise NotEmulated("pvesh usage --returns")
    if not shown:
        for command in (wanted,) if wanted else ("get", "set", "create", "delete"):
            try:
                lookup(HTTP_METHODS[command], path)
            except NotImplementedMethod:
                continue
        raise ApiError(f"no '{wanted}' handler for '{path}'\n" if wanted else f"no such resource '{path}'\n")


def main(argv: Sequence[str]) -> int:
    """Entry point."""
    words = list(argv)
    shell = Shell()
    while words and words[0] in ("--noproxy", "--nooutput"):
        shell.no_proxy |= words[0] == "--noproxy"
        shell.no_output |= words[0] == "--nooutput"
        words.pop(0)
    try:
        table = shell.commands(words)
    except NotImplementedMethod:
        sys.stderr.write(f"No '{words[0]}' handler defined for '{words[1]}'\n")
        worker_costs.pay_call_cost("pvesh")
        return 1
    except (ApiError, NotEmulated) as error:
        failure = error
        table = {words[0]: Command(function=lambda _call: raise_again(failure), arguments=("api_path",), parameters={
            "api_path": API_PATH
        })}  # fmt: skip
        words = words[:2]
    return run_command("pvesh", table, words)


def raise_again(error: Exception) -> None:
    """Let run_command turn the error into its text and exit code."""
    raise error
