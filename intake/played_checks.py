"""What a scenario expects, held against the store and against what the played provider has seen."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import bindparam, or_, select

from channels.contract import Identity
from channels.twilio.simulator.provider import Text
from channels.twilio.simulator.scenario import (
    Expected,
    ExpectedCall,
    ExpectedText,
    ExpectedTicket,
)
from channels.twilio.simulator.texts import WHATSAPP
from intake import listing, opt_outs
from intake.store import schema
from intake.store.engine import Row, Tx
from intake.store.statements import Statement

if TYPE_CHECKING:
    from intake.playing import Play

_t, _i, _c, _o = schema.tickets.c, schema.identities.c, schema.calls.c, schema.outbox.c
_REFS = Statement(
    select(_t.ref)
    .distinct()
    .add_columns(_t.id)
    .join(schema.identities, _i.customer_id == _t.customer_id)
    .where(or_(_i.kind == "phone", _i.kind == "whatsapp"), _i.value == bindparam("value"))
    .order_by(_t.id.desc())
)
_EVERY = Statement(select(_t.ref).order_by(_t.id))
_CALLS = Statement(
    select(_c.call, _c.outcome, _c.agent, _c.choices, _c.ended_at)
    .where(_c.caller == bindparam("caller"))
    .order_by(_c.id.desc())
)
_OUTBOX = Statement(select(_o.state).where(_o.medium != "email", _o.provider_id == bindparam("provider_id")))


def newest_ref(tx: Tx, number: str) -> str | None:
    """Return the ref of somebody's newest ticket, by phone or WhatsApp; None = they have none."""
    row = tx.one(_REFS, value=number)
    return None if row is None else str(row[0])


def tickets_of(tx: Tx, numbers: Iterable[str]) -> list[dict[str, Any]]:
    """Return the newest ticket of each of them, as listings show it; who has none is left out."""
    refs = dict.fromkeys(ref for each in numbers if (ref := newest_ref(tx, each)) is not None)
    found = (listing.ticket(tx, ref) for ref in refs)
    return [each for each in found if each is not None]


async def failures(play: "Play", expected: Expected) -> list[str]:
    """Say everything that is not as expected."""
    stage = play.stage
    found = await stage.store.read(lambda tx: list(_of_store(tx, play, expected)))
    found += _of_provider(play, expected)
    found += _of_last_call(play, expected)
    if not expected.errors:
        found += stage.studio.webhooks.errors
    stage.studio.webhooks.errors.clear()
    return found


# -- the store --------------------------------------------------------------------------------------------------------


def _of_store(tx: Tx, play: "Play", expected: Expected) -> Iterator[str]:
    for ticket in expected.tickets:
        yield from _of_ticket(tx, ticket, play.number(ticket.of))
    if expected.count is not None:
        refs = [str(row[0]) for row in tx.all(_EVERY)]
        if len(refs) != expected.count:
            yield f"there are {len(refs)} tickets, not {expected.count}"
    for call in expected.calls:
        yield from _of_call(tx, call, play.number(call.of))
    for text in expected.texts:
        yield from _of_text_state(tx, play, text)
    for name in expected.opted_out:
        if not _is_out(tx, play.number(name)):
            yield f"{name} has not opted out"
    for name in expected.not_opted_out:
        if _is_out(tx, play.number(name)):
            yield f"{name} has opted out"


def _is_out(tx: Tx, number: str) -> bool:
    return opt_outs.holding(tx, [Identity("phone", number)], "sms") is not None


def _of_ticket(tx: Tx, expected: ExpectedTicket, number: str) -> Iterator[str]:
    ref = newest_ref(tx, number)
    found = None if ref is None else listing.ticket(tx, ref)
    if found is None:
        yield f"{expected.of} has no ticket"
        return
    who = f"the ticket of {expected.of}"
    names = ("status", "team", "agent", "priority", "subject", "language")
    wanted = {name: getattr(expected, name) for name in names} | {"channel": expected.medium}
    for name, value in wanted.items():
        if value is not None and (found.get(name) or "") != value:
            yield f"{who} has {name} {found.get(name)!r}, not {value!r}"
    if expected.tags is not None and not set(expected.tags) <= set(found["tags"]):
        yield f"{who} has the tags {found['tags']}, not {list(expected.tags)}"
    happened = {str(each["kind"]) for each in found["events"]}
    for each in expected.events:
        if each not in happened:
            yield f"{who} has no event {each}; it has {sorted(happened)}"
    yield from _of_conversation(expected, found["conversation"], who)


def _of_conversation(
    expected: ExpectedTicket, conversation: Sequence[dict[str, Any]], who: str
) -> Iterator[str]:
    incoming = [each for each in conversation if each.get("direction") == "in"]
    if expected.messages is not None and len(incoming) != expected.messages:
        yield f"{who} has {len(incoming)} messages of the customer, not {expected.messages}"
    text = msgspec.json.encode(conversation).decode()
    for each in _listed(expected.says):
        if each not in text:
            yield f"{who} does not say {each!r}"
    files = [file for each in conversation for file in each.get("attachments") or ()]
    if expected.attachments is not None and len(files) != expected.attachments:
        yield f"{who} has {len(files)} files, not {expected.attachments}"


def _of_call(tx: Tx, expected: ExpectedCall, caller: str) -> Iterator[str]:
    row: Row | None = tx.one(_CALLS, caller=caller)
    if row is None:
        yield f"no call of {expected.of} is known"
        return
    _, outcome, agent, choices, _ = row
    chosen = msgspec.json.decode(choices)
    if expected.outcome is not None and outcome != expected.outcome:
        yield f"the call of {expected.of} ended as {outcome}, not {expected.outcome}"
    if expected.owner is not None and (agent or "") != expected.owner:
        yield f"the call of {expected.of} was taken by {agent or 'nobody'}, not {expected.owner or 'nobody'}"
    if expected.choice is not None and expected.choice not in chosen:
        yield f"in the call of {expected.of} {chosen} was chosen, not {expected.choice}"


def _of_text_state(tx: Tx, play: "Play", expected: ExpectedText) -> Iterator[str]:
    if expected.status is None:
        return
    for text in _sent_to(play, expected)[-1:]:
        row = tx.one(_OUTBOX, provider_id=text.sid)
        state = None if row is None else row[0]
        if state != expected.status:
            yield f"the text to {expected.to} is {state}, not {expected.status}"


# -- the provider -----------------------------------------------------------------------------------------------------


def _of_provider(play: "Play", expected: Expected) -> Iterator[str]:
    provider = play.stage.provider
    for text in expected.texts:
        if not _sent_to(play, text):
            said = [each.body for each in provider.sent]
            yield f"nothing like {text.says or text.template or 'a text'!r} was sent to {text.to}; sent: {said}"
    if expected.texts_count is not None and len(provider.sent) != expected.texts_count:
        yield f"{len(provider.sent)} texts were sent, not {expected.texts_count}"
    for resource, count in expected.asked.items():
        asked = len(provider.asked_for(resource))
        if asked != count:
            yield f"{resource} was asked {asked} times, not {count}"
    for name, count in expected.rang.items():
        rang = sum(number == play.number(name) for _, number in play.stage.studio.rang)
        if rang != count:
            yield f"the phone of {name} rang {rang} times, not {count}"


def _sent_to(play: "Play", expected: ExpectedText) -> list[Text]:
    to = play.number(expected.to)
    return [
        each
        for each in play.stage.provider.sent
        if each.to.removeprefix(WHATSAPP) == to
        and expected.says in each.body
        and expected.template in (None, each.content_sid)
    ]


# -- the last call ----------------------------------------------------------------------------------------------------


def _of_last_call(play: "Play", expected: Expected) -> Iterator[str]:
    wants = expected.heard or expected.not_heard or expected.person_within_s or expected.duration_s
    if not wants and not expected.whispered:
        return
    if not play.legs:
        yield "nobody has called"
        return
    leg = play.legs[-1]
    heard = " ".join(leg.persona.heard)
    yield from _in_order(heard, expected.heard, "the caller")
    for each in expected.not_heard:
        if each.lower() in heard.lower():
            yield f"the caller heard {each!r}"
    lines = play.stage.studio.lines
    told = " ".join(each.text for each in lines if each.kind == "hears" and each.call != leg.call.sid)
    yield from _in_order(told, expected.whispered, "the agents")
    yield from _of_times(play, expected)


def _of_times(play: "Play", expected: Expected) -> Iterator[str]:
    leg, lines = play.legs[-1], play.stage.studio.lines
    began = next(each.at_s for each in lines if each.call == leg.call.sid)
    if expected.person_within_s is not None:
        ringing = [each.at_s for each in lines if each.kind == "rings" and each.at_s >= began]
        took = min(ringing, default=1_000_000.0) - began
        if took > expected.person_within_s:
            yield f"it took {took:g} s until somebody's phone rang, not {expected.person_within_s:g}"
    if expected.duration_s is not None and leg.call.duration_s > expected.duration_s:
        yield f"the call took {leg.call.duration_s} s, not {expected.duration_s:g}"


def _in_order(heard: str, wanted: Iterable[str], who: str) -> Iterator[str]:
    at, lower = 0, heard.lower()
    for each in wanted:
        found = lower.find(each.lower(), at)
        if found < 0:
            yield f"{who} did not hear {each!r}; heard: {heard!r}"
        else:
            at = found + len(each)


def _listed(value: str | tuple[str, ...]) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,) if value else ()
    return value
