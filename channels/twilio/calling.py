"""Calls that we make: an agent is told of something (paging), or is put through to a customer (dialing out).

    POST /hooks/<account>/page                 the turns of a page call
    POST /hooks/<account>/page/status          how far it got
    POST /hooks/<account>/out…                 the same of a call from a ticket

Source: twilio.com/docs/voice/api/call-resource (create, list, StatusCallbackEvent; checked 2026-11). Twilio knows no
idempotency key for a call: when the outcome of a request is not known, `sent_before` looks for it among the calls to that
number, and intake calls again only when none of them is it, so that nobody is rung twice for one notice. An account of
Twilio begins one call in a second; what is more waits there, which the call's timeout does not count.
OutboundMessage.extra: `call` ("page" or "out"), `ring_s`.
"""

import asyncio
import functools
import logging
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from channels import contract, phone_numbers
from channels.twilio import earlier, send, settings, webhook
from channels.twilio.api import Api, ApiError
from channels.twilio.phone import dialing, out_turns, page_words, paging

if TYPE_CHECKING:
    from aiohttp import web
    from twilio.rest import Client

RING_S = 25  # carriers' answering machines mostly come after that
LOOKED_AT = 100
ANSWER_WITHIN_S = 5.0  # nobody waits on the line for us but a colleague: Twilio's own limit is 15 s
_STATES: dict[str, contract.DeliveryState] = {
    "initiated": "sent",
    "ringing": "sent",
    "in-progress": "delivered",
    "completed": "delivered",
    "busy": "failed",
    "no-answer": "failed",
    "failed": "failed",
    "canceled": "failed",
}
EVENTS = ["initiated", "ringing", "answered", "completed"]
_STEPS: dict[str, Any] = {"page": paging, "out": dialing}


class Caller:
    """The calls of one account. door: through which Twilio asks what they say."""

    def __init__(
        self,
        account: str,
        options: settings.Options,
        *,
        kind: str,
        door: webhook.Door,
        api: Api | None = None,
        log: logging.Logger | None = None,
    ) -> None:
        self._account, self._options, self._kind, self._door = account, options, kind, door
        self._api = api or Api(options)
        self._log = log or logging.getLogger("channels.twilio")
        self._recordings: set[asyncio.Task[None]] = set()
        self._agents_language = getattr(options, "staff_language", page_words.DEFAULT)
        self._voices = getattr(options, "voices", {})
        sentences = getattr(options, "sentences", {})
        self._steps: dict[str, contract.Step] = {
            "page": functools.partial(paging.step, voices=self._voices),
            "out": functools.partial(dialing.step, voices=self._voices, sentences=sentences),
        }

    # -- out ------------------------------------------------------------------------------------------------------

    async def deliver(self, outbound: contract.OutboundMessage) -> contract.Delivered:
        """Make one call; the provider's id is its CallSid. Raises: DeliveryFailed."""
        parameters = self._parameters(outbound)
        try:
            made = await self._api.call(lambda twilio: twilio.calls.create_async(**parameters))
        except ApiError as error:
            raise send.failure(error) from error
        return contract.Delivered(str(made.sid))

    async def sent_before(self, outbound: contract.OutboundMessage) -> tuple[str, ...]:
        """Return the ids of calls that may be this one, the oldest first. Raises: DeliveryFailed."""
        asked = self._parameters(outbound)
        found = await earlier.look(self._api, "calls", asked, since=outbound.created_at, most=LOOKED_AT)
        return tuple(str(each.sid) for each in found if _is_made_by_us(each))

    async def became_of(self, provider_id: str) -> contract.DeliveryReport:
        """Return what Twilio says now of a call of ours. Raises: DeliveryFailed when it cannot be asked."""
        try:
            found = await self._api.call(lambda twilio: twilio.calls(provider_id).fetch_async())
        except ApiError as error:
            raise send.failure(error) from error
        status = str(found.status)
        state = _STATES.get(status, "queued")
        detail = f"the call ended: {status}" if state == "failed" else ""
        return contract.DeliveryReport(provider_id=provider_id, state=state, detail=detail)

    async def close(self) -> None:
        await self._api.close()

    def _parameters(self, outbound: contract.OutboundMessage) -> dict[str, Any]:
        """Return what Twilio is asked for. Raises: DeliveryFailed when that can be no call."""
        number, what = outbound.to[0].address, str(outbound.extra.get("call", ""))
        if what not in _STEPS:
            raise contract.DeliveryFailed("it is no call: nothing is said in it", retryable=False)
        if phone_numbers.e164(number) != number:
            raise contract.DeliveryFailed(f"'{number}' is not a number that can be called", retryable=False)
        if not self._options.public_url:
            reason = "calls need http.public_url: Twilio asks there what is said in them"
            raise contract.DeliveryFailed(reason, retryable=True)
        hook = f"{self._options.public_url}/hooks/{self._account}"
        return {
            "to": number,
            "from_": outbound.from_.address,
            "url": f"{hook}/{what}?o={outbound.id}&n=0",
            "method": "POST",
            "status_callback": f"{hook}/{what}/status?o={outbound.id}",
            "status_callback_method": "POST",
            "status_callback_event": EVENTS,
            "timeout": int(outbound.extra.get("ring_s", RING_S)),
        }

    # -- in -------------------------------------------------------------------------------------------------------

    def routes(self, gate: contract.Gate) -> Iterable["web.RouteDef"]:
        """Give the webhooks of calls that we make, all of them by POST."""
        from aiohttp import web

        for path in ("page", "out", dialing.CUSTOMER_PATH):
            yield web.post(f"/{path}", self._door.opening(self._spoken(gate, path.partition("/")[0])))
        for path in (paging.STATUS_PATH, dialing.STATUS_PATH, dialing.LEG_PATH, dialing.RECORDING_PATH):
            yield web.post(f"/{path}", self._door.opening(self._told(gate)))

    def _spoken(self, gate: contract.Gate, what: str) -> webhook.Take:
        async def take(verified: webhook.Verified) -> str:
            """Answer whoever is on the line; what cannot be kept now is asked for again by themselves."""
            page = out_turns.page_of(verified.query)
            if page is None:
                raise contract.Rejected("that call is none of ours")
            turns = _Turns(self._steps[what])
            raw = self._raw(verified, out_turns.small(verified.query.get("n")))
            try:
                async with asyncio.timeout(ANSWER_WITHIN_S):
                    reply = await gate.turn(f"{what}:{page}", raw, turns.step)
            except (TimeoutError, contract.Unavailable) as error:
                return self._put_off(what, verified, str(error) or "too slow")
            except Exception as error:  # noqa: BLE001 - whatever it was, the agent hears no error of Twilio
                self._log.exception("call_turn_failed account=%s path=%s", self._account, verified.path)
                return self._put_off(what, verified, type(error).__name__)
            if dialing.may_record(turns.happened):
                self._start_recording(verified.form.get("ParentCallSid", ""), page)
            return reply

        return take

    def _put_off(self, what: str, verified: webhook.Verified, reason: str) -> str:
        """Answer what could not be kept: the same again in a moment; a customer is connected, unrecorded."""
        self._log.warning(
            "call_turn_put_off account=%s path=%s reason=%s", self._account, verified.path, reason
        )
        if verified.path == dialing.CUSTOMER_PATH:
            return webhook.EMPTY
        speaker = out_turns.Speaker.of(self._agents_language, self._voices)
        return out_turns.unavailable(what, verified.query, verified.form, speaker=speaker)

    def _start_recording(self, call: str, page: str) -> None:
        """Begin to record a talk, after a consent that has been kept; what fails is not recorded."""
        hook = f"{self._options.public_url}/hooks/{self._account}/{dialing.RECORDING_PATH}?o={page}"

        async def start(twilio: "Client") -> Any:
            return await twilio.calls(call).recordings.create_async(
                recording_channels="dual",
                recording_status_callback=hook,
                recording_status_callback_event=["completed"],
            )

        async def attempt() -> None:
            try:
                await self._api.call(start)
            except ApiError as error:
                self._log.warning("call_not_recorded account=%s reason=%s", self._account, error)

        task = asyncio.get_running_loop().create_task(attempt())
        self._recordings.add(task)
        task.add_done_callback(self._recordings.discard)

    def _told(self, gate: contract.Gate) -> webhook.Take:
        async def take(verified: webhook.Verified) -> str:
            form = verified.form
            name = form.get("RecordingStatus") or form.get("CallStatus", "")
            await gate.submit(self._raw(verified, f"{form.get('RecordingSid', '')}{name}"))
            return webhook.EMPTY

        return take

    def _raw(self, verified: webhook.Verified, name: object) -> contract.RawMessage:
        """Make the raw message; a request that Twilio makes again has the same key."""
        form = verified.form
        leg = form.get("CallSid", "")[:64]
        call = form.get("ParentCallSid", "")[:64] or leg  # both legs of a call settle in one order
        key = f"twilio:{self._options.account_sid}:{leg}:{verified.path}:{name}"
        return verified.raw(self._kind, lane=f"call:{call}", keys=(key,))


class _Turns:
    """A step that remembers what it has said happened, for whoever acts on what was kept."""

    def __init__(self, step: contract.Step) -> None:
        self._step = step
        self.happened: tuple[contract.Happened, ...] = ()

    def step(self, state: bytes | None, raw: contract.RawMessage, view: contract.View) -> contract.Turn:
        turn = self._step(state, raw, view)
        self.happened = turn.happened
        return turn


def is_ours(raw: contract.RawMessage) -> bool:
    """Whether a raw message is about a call that we made."""
    return str(raw.envelope.get("path", "")).partition("/")[0] in _STEPS


def parse(raw: contract.RawMessage) -> contract.CallEvent:
    """Say what a request about a call of ours tells. Never raises."""
    said: contract.CallEvent = _STEPS[str(raw.envelope["path"]).partition("/")[0]].parse(raw)
    return said


def _is_made_by_us(call: Any) -> bool:
    return str(call.direction or "").startswith("outbound-api")
