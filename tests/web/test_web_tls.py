"""The certificate of an address: used, renewed while it serves, and refused in one sentence when it cannot be."""

import asyncio
import os
import ssl
from pathlib import Path

import pytest

from intake.sections import Tls
from intake.web.certificates import LOOK_S, Certificate
from tests.imap import authority


class Ticking:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def put(papers: authority.Papers, name: str, folder: Path) -> Tls:
    """Put a certificate for a name where the settings say."""
    stem = papers._signed(name, by="ca", days=2)
    tls = Tls(certificate=str(folder / "own.pem"), key=str(folder / "own.key"))
    for path, ending in ((tls.certificate, "pem"), (tls.key, "key")):
        Path(path).write_bytes((papers.folder / f"{stem}.{ending}").read_bytes())
    return tls


def spoil(tls: Tls) -> None:
    Path(tls.certificate).write_text("not a certificate")


async def name_shown(papers: authority.Papers, context: ssl.SSLContext, name: str) -> bool:
    """Whether a client that believes the authority takes what we show for this name."""
    server = await asyncio.start_server(lambda reader, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    client = ssl.create_default_context(cafile=papers.ca)
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client, server_hostname=name)
        writer.close()
    except ssl.SSLCertVerificationError:
        return False
    finally:
        server.close()
    return True


@pytest.mark.slow
async def test_a_renewed_certificate_is_shown_without_a_restart(tmp_path: Path) -> None:
    """Not at once, but within a minute; one that cannot be read leaves the one before."""
    papers, clock = authority.make(tmp_path), Ticking()
    tls = put(papers, "one.example.com", tmp_path)
    held = Certificate(tls, clock=clock)
    assert await name_shown(papers, held.context, "one.example.com")
    put(papers, "two.example.com", tmp_path)
    os.utime(tls.certificate, ns=(1, 1))
    assert await name_shown(papers, held.context, "one.example.com")
    clock.at += LOOK_S
    assert await name_shown(papers, held.context, "two.example.com")
    spoil(tls)
    clock.at += LOOK_S
    assert await name_shown(papers, held.context, "two.example.com")


@pytest.mark.parametrize("content", ["not a certificate", None])
def test_a_certificate_that_cannot_be_used_is_refused_in_one_sentence(
    tmp_path: Path, content: str | None
) -> None:
    tls = put(authority.make(tmp_path), "one.example.com", tmp_path)
    if content is None:
        Path(tls.key).unlink()
    else:
        Path(tls.certificate).write_text(content)
    with pytest.raises(OSError, match=r"http\.tls cannot be used") as refused:
        Certificate(tls)
    assert "\n" not in str(refused.value)
