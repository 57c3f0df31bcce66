# Copyright (c) 2026, the baremetal.proxmox authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy that can be told to break a connection in the middle of a call.

Run as C(cutting_proxy.py TARGET_HOST TARGET_PORT). It prints its port, then obeys lines of its standard input: C(answer) lets the next
request through and drops its answer, C(request) drops the next request. Each time it closes both sides and says C(cut).
"""

from __future__ import annotations

import contextlib
import socket
import sys
import threading


class CuttingProxy:
    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.armed = ""

    def serve(self) -> None:
        while True:
            client = self._listener.accept()[0]
            server = socket.create_connection(self._target)
            for source, sink, what in ((client, server, "request"), (server, client, "answer")):
                threading.Thread(target=self._forward, args=(source, sink, what), daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket, what: str) -> None:
        try:
            while content := source.recv(65536):
                if self.armed == what:
                    self.armed = ""
                    print("cut", flush=True)
                    break
                sink.sendall(content)
        except OSError:
            pass  # the other direction has closed both
        for side in (source, sink):
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
            side.close()


def main() -> None:
    proxy = CuttingProxy(sys.argv[1], int(sys.argv[2]))
    threading.Thread(target=proxy.serve, daemon=True).start()
    print(proxy.port, flush=True)
    for line in sys.stdin:
        proxy.armed = line.strip()
        print("armed", flush=True)


if __name__ == "__main__":
    main()
