"""Runs the bench's small servers and its clients as processes of their own."""

import contextlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from tests.torture import daemons


@contextlib.contextmanager
def serving(module: str) -> Iterator[int]:
    """Run `python -m module PORT` and give the port, until the block ends."""
    port = daemons.free_port()
    process = subprocess.Popen([sys.executable, "-m", module, str(port)], cwd=daemons.ROOT)
    try:
        wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def wait_for(port: int) -> None:
    """Return as soon as something listens there. Raises: TimeoutError."""
    for _ in range(400):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.025)
    raise TimeoutError(f"nothing listens on port {port}")


class Client:
    """A load client that has built its mails and waits for `begin`."""

    def __init__(self, port: int, **options: object) -> None:
        words = [
            word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))
        ]
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "tests.torture.client",
                "--port",
                str(port),
                "--steered",
                "--held",
                *words,
            ],
            cwd=daemons.ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()

    def begin(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def end(self, *, limit_s: float = 300) -> dict[str, Any]:
        """Wait for its figures."""
        try:
            output, _ = self._process.communicate(timeout=limit_s)
        finally:
            self._process.kill()
        figures: dict[str, Any] = json.loads(output.splitlines()[-1])
        return figures


def load(port: int, **options: object) -> dict[str, Any]:
    """Run one client to its end."""
    client = Client(port, **options)
    client.begin()
    return client.end()
