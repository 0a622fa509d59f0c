"""One mail on stdin, from a mail server: journalled before anything else, with the envelope that the mail server names.

The envelope is in options, else in the environment: SENDER, RECIPIENT and ORIGINAL_RECIPIENT of Postfix (local(8),
"EXTERNAL COMMAND DELIVERY", 3.7, checked 2026-11), SENDER and RECIPIENT, or LOCAL_PART and DOMAIN, of Exim ("The pipe
transport", environment variables), SENDER and RECIPIENT of qmail and Courier; else the sender is in the "From " line
which local delivery puts on top. An empty sender, <> and MAILER-DAEMON are the null return path of a bounce.
"""

import argparse
import asyncio
import contextlib
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, BinaryIO

from channels.contract import RawMessage
from channels.email import accept, files, identity
from intake import pipe, terminal
from intake.commands import messages, settling
from intake.wiring import Wired

SETTLE_S = 10.0  # a mail server's patience ends with the mail sent back (Postfix: command_time_limit)
CHUNK_BYTES = 1024 * 1024
MAX_ADDRESS_CHARS = 1_000
_POSTMARK = re.compile(rb">?From (\S{1,1000})[^\r\n]*\r?\n")
_ADDRESS = re.compile(r"[^\s\x00-\x1f\x7f<>]+@[^\s\x00-\x1f\x7f<>@]+")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--sender", metavar="ADDRESS", help='with "-": the envelope\'s sender; <> for a bounce'
    )
    parser.add_argument(
        "--recipient",
        metavar="ADDRESS",
        action="append",
        default=[],
        help='with "-": the envelope\'s recipient; may be given several times',
    )


def take(
    wired: Wired,
    source: messages.Source,
    arguments: argparse.Namespace,
    environ: Mapping[str, str],
    *,
    limit_bytes: int,
) -> dict[str, int] | None:
    """Take the mail on stdin; how many ended in which state, None when the mail is at fault."""
    content = read(sys.stdin.buffer, limit_bytes=limit_bytes)
    body, postmark = without_postmark(content or b"")
    if content is None or not body.strip():
        terminal.complain(
            "there is no mail on stdin"
            if content is not None
            else f"the mail is larger than {limit_bytes} bytes"
        )
        return None
    envelope = envelope_of(arguments, environ, postmark)
    raw = _raw(body, envelope, source)
    return asyncio.run(_take(wired, raw))


def read(stream: BinaryIO, *, limit_bytes: int) -> bytes | None:
    """Read to the end; None when it is more than the limit (the rest is read all the same: its writer waits for it)."""
    chunks: list[bytes] = []
    size = 0
    while chunk := stream.read(CHUNK_BYTES):
        size += len(chunk)
        if size <= limit_bytes:
            chunks.append(chunk)
    return b"".join(chunks) if size <= limit_bytes else None


def without_postmark(content: bytes) -> tuple[bytes, str | None]:
    """Take away the line "From sender date" of mailboxes; who it names, None when it is not there."""
    found = _POSTMARK.match(content)
    if found is None:
        return content, None
    return content[found.end() :], found[1].decode("utf-8", "replace")


def envelope_of(
    arguments: argparse.Namespace, environ: Mapping[str, str], postmark: str | None
) -> dict[str, Any]:
    """Give what is known of the envelope; no "sender" when nobody says, no "recipients" then either."""
    envelope: dict[str, Any] = {"peer": "pipe"}
    named = next(
        (each for each in (arguments.sender, environ.get("SENDER"), postmark) if each is not None), None
    )
    sender = None if named is None else _sender(named)
    if sender is not None:
        envelope["sender"] = sender
    local_part, domain = environ.get("LOCAL_PART", ""), environ.get("DOMAIN", "")
    told = [environ.get("ORIGINAL_RECIPIENT", ""), environ.get("RECIPIENT", "") or f"{local_part}@{domain}"]
    recipients = [each for each in map(_address, arguments.recipient or told) if each]
    if recipients:
        envelope["recipients"] = list(dict.fromkeys(recipients))
    return envelope


def _sender(text: str) -> str | None:
    """Give the address, "" for the null return path; None when it is neither."""
    bare = text.strip().strip("<>")
    if not bare or bare.upper() == "MAILER-DAEMON":
        return ""
    return _address(bare) or None


def _address(text: str) -> str:
    bare = text.strip().strip("<>")
    return bare if len(bare) <= MAX_ADDRESS_CHARS and _ADDRESS.fullmatch(bare) else ""


def _raw(body: bytes, envelope: dict[str, Any], source: messages.Source) -> RawMessage:
    now = datetime.now(UTC)
    if "sender" not in envelope:
        made = files.raw_from(body, kind=source.kind, account=source.account, received_at=now)
        return RawMessage(
            kind=made.kind, account=made.account, lane=made.lane, keys=made.keys, body=body,
            received_at=now, envelope=envelope,
        )  # fmt: skip
    return RawMessage(
        kind=source.kind,
        account=source.account,
        lane=accept.lane(body, envelope),
        keys=(identity.content_key(body) or f"file:{sha256(body).hexdigest()}",),
        body=body,
        received_at=now,
        envelope=envelope,
    )


async def _take(wired: Wired, raw: RawMessage) -> dict[str, int]:
    """Journal, then wait a little for the settlement: what is on disk is taken, whatever becomes of it here."""
    receipt = await wired.journal.submit(raw)
    pipe.stored()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(SETTLE_S):
            return dict(await settling.settle_all(wired, [receipt.id]))
    return {"pending": 1}
