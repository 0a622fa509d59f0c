"""Calls by Twilio's Programmable Voice: menu, ringing of agents, voicemail, over signed webhooks that answer TwiML.

    POST /hooks/<account>/call                    a new call
    POST /hooks/<account>/call/<what>             its next turns; what agents hear; what Twilio tells beside it
    POST /hooks/<account>/page…                   calls that we make (channels.twilio.calling)

Webhooks and TwiML: twilio.com/docs/voice/twiml and /docs/usage/webhooks/voice-webhooks, checked 2026-11. All that a caller
can do is decided by channels.twilio.phone.step, a pure machine; this file is the door before it.

Delivery: each turn is journalled before it is answered; Twilio's retry of a request gets the answer that was given. A
caller never waits for a store that is slow: after `answer_within_s` (250 ms) the answer is a voicemail that needs none, and the reconciler
brings what was not kept. Callbacks that nobody listens to are answered 503 instead. Level: solid. No queue with a place in
line, no conference, no transfer.
"""

import asyncio
import functools
import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from channels import contract
from channels.twilio import calling, media, probe, recordings, recovered, upkeep, webhook
from channels.twilio.api import Api
from channels.twilio.phone import lint, moment, static, step
from channels.twilio.phone import options as settings
from channels.twilio.phone import parse as parsing
from channels.twilio.reconcile_calls import Calls

if TYPE_CHECKING:
    from aiohttp import web

    from channels import hooks

KIND = "twilio.voice"
MEDIUM = "voice"
Options = settings.Options


def parse(raw: contract.RawMessage, options: Options, evidence: Any = None) -> contract.CallEvent:
    """Say what a request tells of a call, a customer's or one that we made."""
    raw = recovered.as_of(raw)
    return calling.parse(raw) if calling.is_ours(raw) else parsing.parse(raw, options, evidence)


class Channel:
    """One account of kind twilio.voice."""

    def __init__(self, account: str, options: Options, *, log: logging.Logger | None = None) -> None:
        self._account, self._options = account, options
        self._log = log or logging.getLogger("channels.twilio")
        self._machine = step.Machine(account, options)
        self._door = webhook.Door(account, options, log=log)
        self._late: set[asyncio.Task[str]] = set()
        self._complaints: hooks.Complaints | None = None
        api = Api(options)
        self._caller = calling.Caller(account, options, kind=KIND, door=self._door, api=api, log=self._log)
        self._api = api
        self.delete = self.forget if options.delete_recordings else None  # None = they stay when we have them
        self._fetcher = media.Fetcher(
            options, total_s=recordings.TOTAL_S, max_size_bytes=recordings.MAX_SIZE_BYTES
        )
        has_transcripts = options.transcription == "twilio"
        source = Calls(account, options, api=api, has_transcripts=has_transcripts)
        self._upkeep = upkeep.Upkeep(account, options, medium="voice", source=source, api=api, log=self._log)

    async def deliver(self, outbound: contract.OutboundMessage) -> contract.Delivered:
        """Make a call. Raises: DeliveryFailed."""
        return await self._caller.deliver(outbound)

    async def sent_before(self, outbound: contract.OutboundMessage) -> tuple[str, ...]:
        """Return the ids of calls that may be this one. Raises: DeliveryFailed."""
        return await self._caller.sent_before(outbound)

    async def fetch(self, reference: str) -> contract.Fetched:
        """Return the sound of a recording. reference: its SID. Raises: FetchFailed."""
        return await self._fetcher.fetch(recordings.url(self._options, reference))

    async def forget(self, reference: str) -> None:
        """Delete a recording at Twilio. Raises: FetchFailed."""
        await recordings.delete(self._api, reference)

    async def became_of(self, provider_id: str) -> contract.DeliveryReport:
        """Return what has become of a call that we made. Raises: DeliveryFailed."""
        return await self._caller.became_of(provider_id)

    def check(self) -> list[contract.Problem]:
        """Say what is wrong with the menu and what stands around it."""
        return [*self._upkeep.check(), *lint.problems(self._options)]

    async def run(self, gate: contract.Gate) -> None:
        """Ask Twilio now and then for calls that no webhook brought."""
        await self._upkeep.run(gate)

    def troubles(self) -> list[str]:
        return self._upkeep.troubles()

    async def probe(self) -> list[contract.Problem]:
        return await self._upkeep.probe()

    async def close(self) -> None:
        await self._upkeep.close()
        await self._fetcher.close()

    def routes(self, gate: contract.Gate) -> Iterable["web.RouteDef"]:
        """Give the webhooks of a call, all of them by POST."""
        from aiohttp import web

        from channels import hooks

        self._complaints = hooks.Complaints(self._log)
        spoken = self._door.opening(functools.partial(self._spoken, gate))
        told = self._door.opening(functools.partial(self._told, gate))
        for path in sorted(step.CUSTOMER_PATHS | step.AGENT_PATHS - {"call/leg"}):
            yield web.post(f"/{path}", spoken)
        for path in sorted(step.CALLBACK_PATHS | {"call/leg"}):
            yield web.post(f"/{path}", told)
        yield probe.route(self._door)
        yield from self._caller.routes(gate)

    async def _told(self, gate: contract.Gate, verified: webhook.Verified) -> str:
        """Keep what Twilio tells. Raises: Unavailable."""
        raw, session = self._raw(verified)
        return await gate.turn(session, raw, self._machine.step)

    async def _spoken(self, gate: contract.Gate, verified: webhook.Verified) -> str:
        """Answer somebody who is on the line: in time, and whatever happens with a voice."""
        raw, session = self._raw(verified)
        turn = asyncio.ensure_future(gate.turn(session, raw, self._machine.step))
        try:
            async with asyncio.timeout(self._options.answer_within_s):
                return await asyncio.shield(turn)
        except TimeoutError:
            self._let_go(turn)
            reason = f"not kept within {self._options.answer_within_s:g} s"
        except asyncio.CancelledError:
            self._let_go(turn)
            raise
        except contract.Unavailable as error:
            reason = error.reason
        except Exception as error:  # noqa: BLE001 - whatever it was, the caller hears a voice
            reason = type(error).__name__
            self._log.error(
                "call_turn_failed account=%s path=%s", self._account, verified.path, exc_info=error
            )
        if self._complaints is not None:
            self._complaints.say("call_answered_statically", self._account, reason)
        return static.answer(self._account, self._options, moment.read(raw))

    def _let_go(self, turn: "asyncio.Task[str]") -> None:
        """Leave a turn alone that nobody waits for any more; what becomes of it is seen."""
        self._late.add(turn)
        turn.add_done_callback(self._ended)

    def _ended(self, turn: "asyncio.Task[str]") -> None:
        self._late.discard(turn)
        if not turn.cancelled() and (error := turn.exception()) is not None:
            self._log.warning("call_turn_lost account=%s reason=%s", self._account, type(error).__name__)

    def _raw(self, verified: webhook.Verified) -> tuple[contract.RawMessage, str]:
        """Give the raw message and the session that it belongs to."""
        raw = verified.raw(KIND, lane="", keys=())
        request = moment.read(raw)
        raw = verified.raw(KIND, lane=f"call:{request.call}", keys=(key(self._options, request),))
        return raw, f"{self._account}:{request.call}"


def key(options: Options, request: moment.Request) -> str:
    """Name a request so that its retry has the same name, and no other request of the call has it.

    The leg that asks, where it asks, the number that was given out; a callback has what it reports instead of a number.
    """
    form = request.form
    names: dict[str, Any] = {
        "call/leg": form.get("CallStatus"),
        "call/status": form.get("CallStatus"),
        "call/recording": f"{form.get('RecordingSid', '')}:{form.get('RecordingStatus', '')}",
        "call/transcription": form.get("TranscriptionSid") or form.get("RecordingSid"),
    }
    name = names.get(request.path, request.n)
    return f"twilio:{options.account_sid}:{request.leg or request.call}:{request.path}:{name}"
