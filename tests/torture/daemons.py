"""Starts the daemon as its own process group, so that a kill takes all of it, and asks it for nothing but a greeting."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GREETING_S = 30.0


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


class Daemon:
    """One daemon on its own folder and ports; may be started again after each end. log: all it ever said."""

    def __init__(
        self,
        folder: Path,
        *,
        config: Path = ROOT / "config" / "intake.yaml",
        program: Sequence[str] = ("-m", "intake"),
        environment: Mapping[str, str] | None = None,
        prefix: Sequence[str] = (),
    ) -> None:
        self.folder = folder
        self.config = config
        self.smtp_port = free_port()
        self.http_port = free_port()
        self.log = folder / "daemon.log"
        self.started_at = 0.0
        self._program = program
        self._environment = environment or {}
        self._prefix = prefix  # a tracer's command line, say
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def store(self) -> Path:
        return self.data / "intake.db"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self, *, failpoint: str = "", environment: Mapping[str, str] | None = None) -> None:
        """Spawn it and return at once. failpoint: "name:nth", "" = none."""
        self.folder.mkdir(parents=True, exist_ok=True)
        variables = {
            **os.environ,
            "INTAKE_SMTP": f"127.0.0.1:{self.smtp_port}",
            "INTAKE_HTTP": f"127.0.0.1:{self.http_port}",
            "INTAKE_DATA": str(self.data),
            "INTAKE_ADDRESS": "support@example.com",
            **self._environment,
            **(environment or {}),
        }
        if failpoint:
            variables["INTAKE_FAILPOINT"] = failpoint
        with self.log.open("ab") as log:
            self.started_at = time.monotonic()
            self._process = subprocess.Popen(
                [*self._prefix, sys.executable, *self._program, "run", "-c", str(self.config)],
                cwd=ROOT,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def has_ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def wait_until_greeted(self, *, limit_s: float = GREETING_S) -> float | None:
        """Wait for the 220; the seconds since start. None when the daemon ended first. Raises: TimeoutError."""
        while time.monotonic() < self.started_at + limit_s:
            if self._greets():
                return time.monotonic() - self.started_at
            if self.has_ended():
                return None
            time.sleep(0.005)
        raise TimeoutError(f"the daemon did not greet within {limit_s:.0f} s; its words are in {self.log}")

    def _greets(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.smtp_port), 2) as peer:
            peer.settimeout(2)
            return peer.recv(4) == b"220 "
        return False

    def wait_for_end(self, *, limit_s: float) -> bool:
        """Tell whether it ended by itself within limit_s."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            assert self._process is not None
            self._process.wait(limit_s)
        return self.has_ended()

    def kill(self) -> None:
        """SIGKILL for the whole group, and wait until the ports are nobody's."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(30)
        self._process = None

    def stop(self, *, limit_s: float = 30) -> int:
        """SIGTERM, as an operator does; its exit code."""
        assert self._process is not None
        self._process.terminate()
        try:
            return self._process.wait(limit_s)
        finally:
            self.kill()
