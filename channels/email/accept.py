"""From a received body to the reply: filter, submit, answer. The one place where errors become SMTP replies.

RFC 3463 (enhanced status codes). A fault of ours is 4xx, always; only the sender's own is 5xx. The work is a task of
its own: a client that hangs up ends its connection, not a commit under way (its retry is then a known duplicate).
"""

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from channels import contract
from channels.email import identity

KIND = "email.smtp"
# The sender waits 10 minutes for the reply to the final dot (RFC 5321 §4.5.3.2.6). Long before, it hears 451;
# the commit goes on, and the sender's retry finds its mail known.
SUBMIT_TIMEOUT_S = 240
TRY_AGAIN = "451 4.3.0 Temporary fault on our side, please try again later"
_FULL = "452 4.3.1 No room at the moment, please try again later"
# Hashing more than this takes milliseconds, which the other connections would wait for.
_LARGE_BYTES = 524_288
_BOUNCE_HEADER_BYTES = 16_384
_MESSAGE_ID = re.compile(rb"^message-id:[ \t]*(?:\r\n[ \t]+)?<?([^>\s]{1,200})", re.IGNORECASE | re.MULTILINE)
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]+")

# What a filter adds to the envelope. Raises Rejected or Unavailable when the mail must not be taken (now).
Scan = Callable[[bytes, dict[str, Any]], Awaitable[dict[str, Any]]]


class Acceptance:
    """Takes the mails of one account."""

    def __init__(self, account: str, gate: contract.Gate, *, scan: Scan | None, log: logging.Logger) -> None:
        self._account = account
        self._gate = gate
        self._scan = scan
        self._log = log
        self._under_way: set[asyncio.Task[str]] = set()

    async def take(self, body: bytes, envelope: dict[str, Any]) -> str:
        """Return the reply to the final dot: 250 only after the gate's receipt."""
        task = asyncio.get_running_loop().create_task(self._reply(body, envelope))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        # wait() leaves the task alone when it is itself cancelled or runs out of time.
        await asyncio.wait({task}, timeout=SUBMIT_TIMEOUT_S)
        return task.result() if task.done() else TRY_AGAIN

    async def finish(self, timeout_s: float) -> None:
        """Wait for the commits under way, at most timeout_s."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=timeout_s)

    async def _reply(self, body: bytes, envelope: dict[str, Any]) -> str:
        try:
            if self._scan is not None:
                envelope |= await self._scan(body, envelope)
            receipt = await self._gate.submit(self._raw(body, envelope, await _content_key(body)))
        except contract.Rejected as error:
            return f"550 5.7.1 {_one_line(error.reason)}"
        except contract.Unavailable as error:
            self._log.warning("mail_put_off account=%s reason=%s", self._account, error.reason)
            return _FULL if error.full else TRY_AGAIN
        except Exception:  # noqa: BLE001 - whatever it was, the sender keeps the mail
            self._log.exception("mail_not_taken account=%s", self._account)
            return TRY_AGAIN
        return f"250 2.0.0 Ok: stored as {receipt.id}"

    def _raw(self, body: bytes, envelope: dict[str, Any], key: str | None) -> contract.RawMessage:
        return contract.RawMessage(
            kind=KIND,
            account=self._account,
            lane=lane(body, envelope),
            keys=() if key is None else (key,),
            body=body,
            received_at=datetime.now(UTC),
            envelope=envelope,
        )


async def _content_key(body: bytes) -> str | None:
    if len(body) <= _LARGE_BYTES:
        return identity.content_key(body)
    return await asyncio.to_thread(identity.content_key, body)


def lane(body: bytes, envelope: dict[str, Any]) -> str:
    """Name what keeps order: the sender. Bounces have none, and must not all wait for each other."""
    sender: str = envelope["sender"]
    if sender:
        return sender.lower()
    match = _MESSAGE_ID.search(body[:_BOUNCE_HEADER_BYTES])
    return f"<>{match[1].decode('ascii', 'replace') if match else envelope['peer']}"


def _one_line(text: str) -> str:
    return _UNPRINTABLE.sub(" ", text)[:400].strip() or "Refused"
