# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Workers: a method's long part in its own process with a task log (fork_worker).

In a daemon the caller gets the UPID at once and the worker goes on alone. On the command line the worker's output
also goes to the caller's stdout, and the worker is killed when that stdout goes away.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

from .call import Call
from .cluster_state import log_message
from .errors import NOT_EMULATED_EXIT_CODE, ApiError, NotEmulated
from .task_list import active_workers, broadcast
from .upid import Upid, is_error, process_start, read_status
from .worker_costs import count_seconds, worker_cost

WWW_DATA = 33
Worker = Callable[[str], Any]
warnings = 0


class Interrupted(Exception):
    """The worker got a termination signal."""


def warn(message: str) -> None:
    """Print a warning inside a worker; the task then ends with "WARNINGS: n"."""
    global warnings
    warnings += 1
    print(f"WARN: {message}", file=sys.stderr)


def run_worker(
    call: Call, worker_type: str, worker_id: str | int | None, function: Worker, *, background: bool = False
) -> str:
    """Run ``function(upid)`` as a task and return the UPID.

    The command line waits for it (``background=True``: not) and ignores how it ended, as PVE does.
    """
    synchronous = call.environment == "cli" and not background
    start = int(time.time())
    ready_read, ready_write = os.pipe()
    output_read, output_write = os.pipe() if synchronous else (-1, -1)
    control_read, control_write = os.pipe() if synchronous else (-1, -1)
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    own_pid = pid or os.getpid()
    upid = Upid(
        call.node, own_pid, process_start(own_pid) or 0, start, worker_type,
        "" if worker_id is None else str(worker_id), call.user or "root@pam",
    )  # fmt: skip
    if pid == 0:
        os.close(ready_write)
        if synchronous:
            os.close(output_read)
            os.close(control_read)
        run_child(upid, function, ready_read, output_write, control_write)
    os.close(ready_read)
    log = open_log(upid)
    if synchronous:
        os.close(output_write)
        os.close(control_write)
    log_message(f"starting task {upid}", "info", upid.user)
    broadcast(active_workers(upid, surely_running=True))
    os.write(ready_write, b"OK")
    os.close(ready_write)
    if not synchronous:
        os.close(log)
        return str(upid)
    begun = time.monotonic()
    exit_code = tee(upid, output_read, control_read, log)
    count_seconds(time.monotonic() - begun)
    os.close(log)
    log_end(upid)
    if exit_code == NOT_EMULATED_EXIT_CODE:
        raise NotEmulated(read_status(upid).removeprefix("practice node: not emulated: "))
    return str(upid)


def log_end(upid: Upid) -> None:
    """Write the end of a task to the cluster log."""
    status = read_status(upid)
    log_message(f"end task {upid} {status}", "err" if is_error(status) else "info", upid.user)
    broadcast(active_workers())


def open_log(upid: Upid) -> int:
    """Create the task's log, readable by pveproxy."""
    upid.log_file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(upid.log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
    if os.geteuid() == 0:
        os.fchown(descriptor, WWW_DATA, -1)
    return descriptor


def run_child(upid: Upid, function: Worker, ready: int, output: int, control: int) -> NoReturn:
    """The worker's process: wait for the parent, run the function, write the last word."""
    synchronous = output >= 0
    group_before = None
    if synchronous and sys.stdin is not None and os.isatty(0):
        # keep the terminal for programs that ask for something
        group_before = os.getpgrp()
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        os.setpgid(0, 0)
        os.tcsetpgrp(0, os.getpid())
    else:
        os.setsid()
    if not synchronous:
        null = os.open(os.devnull, os.O_RDONLY)
        os.dup2(null, 0)
        output = open_log(upid)
        control = os.dup(output)
        close_inherited(keep={0, 1, 2, ready, output, control})
    os.dup2(output, 1)
    os.dup2(output, 2)
    sys.stdout = open(1, "w", encoding="utf-8", errors="surrogateescape", buffering=1, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="surrogateescape", buffering=1, closefd=False)  # noqa: SIM115
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        signal.signal(number, interrupt)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if os.read(ready, 2) != b"OK":
        os._exit(255)
    with worker_cost(upid.type, synchronous):
        message, exit_code = run_function(upid, function)
    sys.stdout.flush()
    sys.stderr.flush()
    os.write(control, message.encode("utf-8", "surrogateescape"))
    if group_before is not None:
        os.tcsetpgrp(0, group_before)
    if not synchronous:
        log_end_of_child(upid)
    os._exit(exit_code)


def log_end_of_child(upid: Upid) -> None:
    """A daemon's worker outlives the process that started it, so it reports its own end."""
    status = read_status(upid)
    log_message(f"end task {upid} {status}", "err" if is_error(status) else "info", upid.user)


def close_inherited(keep: set[int]) -> None:
    """Close sockets of the daemon that the worker must not hold open."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in keep:
            try:
                os.close(int(name))
            except OSError:
                continue  # the directory's own descriptor


def interrupt(_number: int, _frame: Any) -> NoReturn:
    """Turn a signal into the error that ends the task."""
    raise Interrupted


def run_function(upid: Upid, function: Worker) -> tuple[str, int]:
    """Run the worker's function; return the task's last line and the exit code."""
    try:
        function(str(upid))
    except ApiError as error:
        return f"TASK ERROR: {one_line(error.text())}\n", 255
    except NotEmulated as error:
        return f"TASK ERROR: {error}\n", NOT_EMULATED_EXIT_CODE
    except Interrupted:
        return "TASK ERROR: received interrupt\n", 255
    except Exception as error:  # noqa: BLE001 - a gap of the emulation must never look like Proxmox's answer
        traceback.print_exc()
        return (
            f"TASK ERROR: practice node: not emulated: internal error: {one_line(str(error))}\n",
            NOT_EMULATED_EXIT_CODE,
        )
    return (f"TASK WARNINGS: {warnings}\n" if warnings else "TASK OK\n"), 0


def one_line(text: str) -> str:
    """Join lines as PVE does for the task's last line."""
    return text.removesuffix("\n").replace("\n", " ")


def tee(upid: Upid, output: int, control: int, log: int) -> int:
    """Copy the worker's output to stdout and the log until it ends; return its exit code."""
    count = 0

    def pass_on(_number: int, _frame: Any) -> None:
        nonlocal count
        os.killpg(upid.pid, signal.SIGTERM if count < 3 else signal.SIGKILL)
        count += 1

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)}
    try:
        copy_output(upid, output, log)
        finish_log(os.read(control, 4096).decode("utf-8", "replace"), log)
    except BrokenPipeError:
        # the caller is gone (a dropped SSH connection): PVE kills the worker in the middle of its work
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for the rest of this process
        os.write(log, b"TASK ERROR: broken pipe \n")
    finally:
        os.close(output)
        os.close(control)
        kill_group(upid)
        for number, handler in before.items():
            signal.signal(number, handler)
    _pid, status = os.waitpid(upid.pid, 0)
    return os.waitstatus_to_exitcode(status)


def copy_output(upid: Upid, output: int, log: int) -> None:
    """Copy until the worker closes its output, or has ended while a daemon that it started keeps it open."""
    while True:
        readable, _, _ = select.select([output], [], [], 1)
        if readable:
            data = os.read(output, 4096)
            if not data:
                return
            sys.stdout.flush()
            os.write(1, data)
            os.write(log, data)
        elif not upid.running:
            return


def finish_log(message: str, log: int) -> None:
    """Write the last line; an error is repeated on stderr."""
    last = message.removesuffix("\n")
    if last == "TASK OK":
        os.write(log, b"TASK OK\n")
        return
    if last.startswith("TASK ERROR: "):
        sys.stderr.write(last.removeprefix("TASK ERROR: ") + "\n")
    elif last.startswith("TASK WARNINGS: "):
        sys.stderr.write(f"Task finished with {last.removeprefix('TASK WARNINGS: ')} warning(s)!\n")
    else:
        text = f"got unexpected control message: {message} "
        sys.stderr.write(text + "\n")
        os.write(log, f"TASK ERROR: {text}\n".encode())
        return
    os.write(log, f"\n{last}\n".encode())


def kill_group(upid: Upid) -> None:
    """End everything the worker left behind."""
    try:
        os.killpg(upid.pid, signal.SIGTERM)
        for _ in range(50):
            if not upid.running:
                return
            time.sleep(0.1)
        os.killpg(upid.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
