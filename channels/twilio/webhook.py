"""The one way in for what Twilio posts: body read and bounded, signature checked, and only then is it a request.

    door = webhook.Door(account, options)
    web.post("/message", door.opening(take))         # async def take(verified: webhook.Verified) -> str: TwiML

What is signed is our own public URL, as configured, with the path and query that came (twilio.com/docs/usage/webhooks/
webhooks-security, checked 2026-11); Host, Forwarded and X-Forwarded-… are believed in nothing. A signature that is wrong,
missing, or cannot be checked because no token is configured: 403, and `take` never hears of it. The log says what differs.
"""

import functools
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from channels import contract
from channels.twilio import mismatch, settings, signature

if TYPE_CHECKING:
    from aiohttp import web

    from channels import hooks

EMPTY = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
MAX_SIZE_BYTES = 262_144
MAX_IN_FLIGHT_BYTES = 33_554_432
BODY_TIMEOUT_S = 10.0


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """A request that Twilio has made. received_at: aware UTC.

    path: below /hooks/<account>/, as written ("message", "call/menu"). query, form: the first value of each name; form is
    {} when the body is none. body: as posted.
    """

    account: str
    path: str
    query: dict[str, str]
    form: dict[str, str]
    body: bytes
    received_at: datetime

    def raw(
        self, kind: str, *, lane: str, keys: tuple[str, ...], envelope: dict[str, Any] | None = None
    ) -> contract.RawMessage:
        """Make the raw message of it. envelope: what is to stand there beside "path", and "query" when there is one."""
        told: dict[str, Any] = {"path": self.path}
        if self.query:
            told["query"] = self.query
        return contract.RawMessage(
            kind=kind,
            account=self.account,
            lane=lane,
            keys=keys,
            body=self.body,
            envelope=told | (envelope or {}),
            received_at=self.received_at,
        )


Take = Callable[[Verified], Awaitable[str]]


class Door:
    """The webhooks of one account. clock: Unix seconds."""

    def __init__(
        self,
        account: str,
        options: settings.Options,
        *,
        log: logging.Logger | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._account, self._options, self._clock = account, options, clock
        self._log = log or logging.getLogger("channels.twilio")
        self._bodies: hooks.Bodies | None = None
        self._seeker = mismatch.Seeker(account, options)

    def opening(self, take: Take) -> Callable[["web.Request"], Awaitable["web.Response"]]:
        """Make the handler of a route: what `take` returns is the answer, TwiML."""
        return functools.partial(self._answer, take)

    async def _answer(self, take: Take, request: "web.Request") -> "web.Response":
        """Raises: Refused, and whatever `take` raises."""
        from aiohttp import web

        async with self._opened().read(request) as body:
            twiml = await take(self.verified(request, body))
        return web.Response(text=twiml, content_type="text/xml", charset="utf-8")

    def verified(self, request: "web.Request", body: bytes) -> Verified:
        """Raises: Refused when Twilio did not sign it for this account, or it is no form."""
        path, query = self._path_and_query(request)
        fields = self._fields(request, body)
        url = f"{self._options.public_url}{self._prefix}{path}" + (f"?{query}" if query else "")
        given = request.headers.getall(signature.HEADER, [])
        signed = body if fields is None else fields
        if len(given) != 1 or not signature.is_valid(url, signed, given[0], tokens=self._options.tokens):
            raise self._forged(request, url, body, fields, given)
        form = dict(reversed(fields or []))
        if fields is not None and form.get("AccountSid") != self._options.account_sid:
            # A subaccount signs with a token of its own, and is an account of its own in intake.yaml.
            raise self._refused("a request is of another Twilio account than account_sid says")
        return Verified(
            account=self._account,
            path=path,
            query=dict(reversed(signature.fields_of(query.encode()))) if query else {},
            form=form,
            body=body,
            received_at=datetime.fromtimestamp(self._clock(), UTC),
        )

    @functools.cached_property
    def _prefix(self) -> str:
        from channels import hooks

        return f"{hooks.PREFIX}/{self._account}/"

    def _opened(self) -> "hooks.Bodies":
        if self._bodies is None:
            from channels import hooks

            self._bodies = hooks.Bodies(
                max_size_bytes=MAX_SIZE_BYTES,
                max_in_flight_bytes=MAX_IN_FLIGHT_BYTES,
                timeout_s=BODY_TIMEOUT_S,
            )
        return self._bodies

    def _path_and_query(self, request: "web.Request") -> tuple[str, str]:
        """Give what stands after /hooks/<account>/, as it was sent: what Twilio signed was not decoded either."""
        path, _, query = request.raw_path.partition("?")
        _, found, rest = path.partition(self._prefix)
        if not found:  # somebody encoded a letter of our own name
            raise self._refused("a request's path was written in an unusual way")
        return rest, query

    def _fields(self, request: "web.Request", body: bytes) -> list[tuple[str, str]] | None:
        """Give the fields of a form, None when it is something else."""
        from channels import hooks

        if body and request.content_type != signature.FORM:
            return None
        try:
            return signature.fields_of(body)
        except ValueError:
            raise hooks.Refused(400, "that form has too many fields") from None

    def _forged(
        self,
        request: "web.Request",
        url: str,
        body: bytes,
        fields: list[tuple[str, str]] | None,
        given: list[str],
    ) -> "hooks.Refused":
        seen = mismatch.Seen(
            url=url,
            body=body,
            fields=fields,
            given=tuple(given),
            host=request.headers.get("Host", ""),
            is_shared_key=signature.SETTINGS_HEADER in request.headers,
        )
        return self._refused(self._seeker.reason(seen))

    def _refused(self, reason: str) -> "hooks.Refused":
        from channels import hooks

        return hooks.Refused(403, "that is not signed", reason=reason)


def misdirected(reason: str) -> "hooks.Refused":
    """Return the error for what Twilio did sign, and what another route is for. reason: for the operator's log."""
    from channels import hooks

    return hooks.Refused(400, "that belongs elsewhere", reason=reason)
