"""Takes messages of any other source: JSON that it posts and signs, read by a mapping that an admin writes.

    POST /hooks/<account>     application/json, signed as the account's scheme says (channels.webhook.signature)

Guarantee: 200 means committed and fsynced; a fault of ours is 503 with Retry-After, which a source tries again. What comes
twice is one message, by the source's id, else by its bytes and the instant that they were signed for: who has recorded a
request and sends it again gains nothing. What no mapping understands is a ticket all the same, with its JSON as the text.
Limits: size, time and memory are bounded by options. Files that the source names are fetched from the Internet alone
(channels.outside). Nothing is delivered: answers go by mail to the address that the source named.
Level: solid.
"""

import functools
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from channels import contract, outside
from channels.webhook import event, mapping, settings, signature
from channels.webhook.event import MEDIUM

if TYPE_CHECKING:
    from aiohttp import web

    from channels import hooks

__all__ = ["MEDIUM", "Channel", "Options", "kept_elsewhere", "parse"]

Options = settings.Options
FORGED = "not signed as it has to be"


def parse(raw: contract.RawMessage, options: Options, evidence: Any = None) -> contract.Message:
    """The normal form of what a source posted."""
    return event.message(raw, options)


def kept_elsewhere(raw: contract.RawMessage) -> dict[str, str]:
    """The files that the source keeps: part -> URL."""
    return event.references(raw)


class Channel:
    """One source. clock: Unix seconds; guard: options of channels.outside.Outside."""

    def __init__(
        self, account: str, options: Options, *, clock: Callable[[], float] = time.time, **guard: Any
    ) -> None:
        self._account, self._options, self._clock = account, options, clock
        self.entrance = f"/hooks/{account}"
        self._outside = outside.Outside(**guard)

    def routes(self, gate: contract.Gate) -> list["web.RouteDef"]:
        from aiohttp import web

        from channels import hooks

        options = self._options
        bodies = hooks.Bodies(
            max_size_bytes=options.max_size_bytes,
            max_in_flight_bytes=options.max_bytes_in_flight,
            timeout_s=options.body_timeout_s,
        )
        return [web.post("", functools.partial(self._take, gate, bodies))]

    async def fetch(self, reference: str) -> contract.Fetched:
        """Fetch a file that the source named. Raises: FetchFailed."""
        hosts = self._options.files.hosts if self._options.files is not None else ()
        url = self._outside.checked(reference)
        if hosts and url.host not in hosts:
            raise contract.FetchFailed(
                "the file is on a host that the account does not name", retryable=False
            )
        async with self._outside.asked(url) as answer:
            if answer.status != 200:
                is_passing = answer.status in (408, 425, 429) or answer.status >= 500
                raise contract.FetchFailed(f"the file's host answered {answer.status}", retryable=is_passing)
            return contract.Fetched(await answer.content(), _type_of(answer.headers.get("Content-Type", "")))

    async def close(self) -> None:
        await self._outside.close()

    def check(self) -> list[contract.Problem]:
        """Try the mapping on the account's example."""
        found = []
        if not self._options.mapping.id and self._options.scheme != "standard":
            found.append(
                contract.Problem(
                    "what the source sends a second time, after a timeout, becomes a second message",
                    "map its id, for example id: /id",
                    "hint",
                )
            )
        if self._options.example is not None:
            found += self._tried(self._options.example)
        return found

    def _tried(self, example: dict[str, Any]) -> list[contract.Problem]:
        asked = self._options.mapping
        written = {name: getattr(asked, name) for name in asked.__struct_fields__ if name != "headers"}
        empty = [
            name.rstrip("_")
            for name, value in (
                written | {f"header.{each}": text for each, text in asked.headers.items()}
            ).items()
            if value and not (mapping.name_at if name == "id" else mapping.text_at)(example, value)
        ]
        said = [
            contract.Problem(f"the mapping finds no {name} in the example", severity="warning")
            for name in empty
        ]
        named = mapping.text_at(example, asked.from_)
        if named and event.sender_of(example, self._options) is None:
            said.append(
                contract.Problem(f"from: '{named[:100]}' in the example is no address", severity="warning")
            )
        if not event.is_wanted(example, self._options):
            said.append(contract.Problem("only: leaves the example out", severity="warning"))
        return said

    async def _take(
        self, gate: contract.Gate, bodies: "hooks.Bodies", request: "web.Request"
    ) -> "web.Response":
        from aiohttp import web

        signed = self._signed(request)
        async with bodies.read(request) as body:
            if not signature.is_valid(signed, body, secrets=self._options.secrets):
                raise _forged("the signature is wrong: both sides need the same secret and the same bytes")
            document = event.document_of(body)
            challenge = event.challenge_of(document, self._options)
            if challenge:
                return web.Response(text=challenge)
            if document is not None and not event.is_wanted(document, self._options):
                return web.Response(text="noted\n")
            receipt = await gate.submit(self._raw(document, body, signed))
            return web.Response(text=f"stored as {receipt.id}\n")

    def _signed(self, request: "web.Request") -> signature.Signature:
        """Look at what can be judged before the body is read. Raises: Refused."""
        scheme = self._options.scheme
        given = {name: request.headers.getall(name, []) for name in signature.header_names(scheme)}
        if any(len(values) > 1 for values in given.values()):
            raise _forged("a header of the signature is there twice")
        signed = signature.read(scheme, {name: values[0] for name, values in given.items() if values})
        if signed is None:
            raise _forged(f"something was posted without a readable {signature.header_names(scheme)[0]}")
        if not signed.is_timely(self._clock(), tolerance_s=self._options.tolerance_s):
            raise _forged("a signature is too old or from the future: set both clocks, or tolerance_s")
        return signed

    def _raw(self, document: Any, body: bytes, signed: signature.Signature) -> contract.RawMessage:
        sender, files = event.sender_of(document, self._options), event.files_of(document, self._options)
        envelope: dict[str, Any] = {"sender": sender.value} if sender is not None else {}
        return contract.RawMessage(
            kind=MEDIUM,
            account=self._account,
            lane=sender.value if sender is not None else f"webhook:{self._account}",
            keys=event.keys_of(self._account, document, self._options, signature=signed, body=body),
            body=body,
            received_at=datetime.fromtimestamp(self._clock(), UTC),
            envelope=envelope | ({"files": files} if files else {}),
        )


def _type_of(header: str) -> str:
    """Return a type that is one; of what a browser would run nothing but its bytes is told."""
    from channels.twilio import media_names

    found = media_names.content_type_of(header)
    return found if media_names.is_kept(found) else "application/octet-stream"


def _forged(reason: str) -> "hooks.Refused":
    """Make the refusal. reason: for the operator; the other side hears always the same."""
    from channels import hooks

    return hooks.Refused(403, FORGED, reason=reason)
