"""A running channel on a free port; a certificate."""

import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from channels import testing
from tests.smtp import receiving

Start = Callable[..., Awaitable[receiving.Receiver]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    running: list[receiving.Receiver] = []

    async def begin(gate: testing.MemoryGate | None = None, **options: Any) -> receiving.Receiver:
        receiver = await receiving.start_receiver(gate or testing.MemoryGate(), **options)
        running.append(receiver)
        return receiver

    yield begin
    for receiver in running:
        receiver.gate.let_go()
        await receiver.stop()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for localhost and 127.0.0.1, key and chain in one PEM file."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    both = folder / "both.pem"
    both.write_bytes((folder / "cert.pem").read_bytes() + (folder / "key.pem").read_bytes())
    return both
