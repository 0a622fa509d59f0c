"""Asks a spam filter before mail is taken. What it says is a fact for the rules; only `reject_above` refuses.

rspamd: POST /checkv2 (rspamd.com/doc/architecture/protocol.html). spamd: SPAMC 1.5, SYMBOLS (spamd/PROTOCOL of
SpamAssassin 4). milter: see milter.py. No answer in time: the mail is taken without a score, or put off, as set.
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from channels import contract, scanner_wire
from channels.email import accept, milter, settings
from channels.scanner_wire import NoAnswer

_SPAMD_SCORE = re.compile(rb"^Spam: *(True|False|Yes|No) *; *(-?[\d.]+) */", re.IGNORECASE | re.MULTILINE)

# Facts about a body, for its envelope.
Ask = Callable[[settings.Filter, bytes, dict[str, Any]], Awaitable[dict[str, Any]]]


def scan_of(filter_: settings.Filter, *, log: logging.Logger) -> accept.Scan:
    """Return the function that Acceptance calls with each body."""
    ask = _ASKERS[filter_.kind]

    async def scan(body: bytes, envelope: dict[str, Any]) -> dict[str, Any]:
        try:
            facts = await asyncio.wait_for(ask(filter_, body, envelope), filter_.timeout_s)
        except (
            OSError,
            EOFError,
            asyncio.LimitOverrunError,
            NoAnswer,
            milter.ProtocolError,
            ValueError,
        ) as error:
            if filter_.on_failure == "tempfail":
                raise contract.Unavailable(
                    f"{filter_.kind} at {filter_.address} gave no answer: {error!r}"
                ) from error
            log.warning("filter_failed kind=%s address=%s error=%r", filter_.kind, filter_.address, error)
            return {}
        _refuse(filter_, facts)
        return facts

    return scan


def _refuse(filter_: settings.Filter, facts: dict[str, Any]) -> None:
    score = facts.get("spam_score")
    if score is not None and filter_.reject_above is not None and score > filter_.reject_above:
        raise contract.Rejected("Message refused as spam")


async def _rspamd(filter_: settings.Filter, body: bytes, envelope: dict[str, Any]) -> dict[str, Any]:
    head = [
        "POST /checkv2 HTTP/1.0",
        f"Content-Length: {len(body)}",
        f"From: {_printable(envelope['sender'])}",
    ]
    head += [f"Rcpt: {_printable(address)}" for address in envelope["recipients"]]
    head += [f"IP: {envelope['peer']}"] if envelope["peer"] else []
    head += [f"Helo: {_printable(envelope['helo'])}"]
    answer = await scanner_wire.exchange(filter_.address, "\r\n".join(head).encode() + b"\r\n\r\n" + body)
    status, _, content = answer.partition(b"\r\n\r\n")
    if b" 200 " not in status[:20]:
        raise NoAnswer(status[:60])
    verdict = msgspec.json.decode(content)
    return {"spam_score": float(verdict["score"]), "spam_action": str(verdict.get("action", ""))}


async def _spamd(filter_: settings.Filter, body: bytes, envelope: dict[str, Any]) -> dict[str, Any]:
    head = f"SYMBOLS SPAMC/1.5\r\nContent-length: {len(body)}\r\n\r\n".encode()
    answer = await scanner_wire.exchange(filter_.address, head + body)
    match = _SPAMD_SCORE.search(answer)
    if match is None or b" 0 EX_OK" not in answer[:40]:
        raise NoAnswer(answer[:60])
    return {"spam_score": float(match[2])}


async def _milter(filter_: settings.Filter, body: bytes, envelope: dict[str, Any]) -> dict[str, Any]:
    reader, writer = await scanner_wire.connect(filter_.address)
    try:
        return await milter.ask(reader, writer, body, envelope)
    finally:
        # close() would wait for a filter that does not read what it is sent.
        writer.transport.abort()


def _printable(text: str) -> str:
    return "".join(c for c in text if c.isprintable())


_ASKERS: dict[str, Ask] = {"rspamd": _rspamd, "spamd": _spamd, "milter": _milter}
