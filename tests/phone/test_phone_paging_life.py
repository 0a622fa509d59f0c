"""A ladder with `by: urgent`, lived through by the daemon's own functions against a played Twilio, cut off at each step.

Each way once, in order, in time; and nothing is asked of Twilio any more once somebody has acknowledged.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from channels.contract import Delivered, OutboundMessage
from channels.twilio import sms, voice
from channels.twilio.send import Sending
from channels.twilio.simulator.provider import Provider
from intake import failpoints, page_tests
from intake.delivering import Outbox
from intake.store import opening, schema
from intake.store.engine import Tx
from intake.timers import Timers
from tests.domain.oncall_world import Cut
from tests.phone.paged import EWA, OWN_CALLS, OWN_TEXTS, PAGED, TOMEK, Desk

MAIL = "ewa@desk.example"
# minutes after the notice, how, to whom
WHOLE = [(0, "call", EWA), (2, "text", EWA), (4, "mail", MAIL), (10, "text", TOMEK), (12, "call", TOMEK)]
WATCHED = (0, 1, 2, 3, 4, 5, 9, 10, 11, 12, 15)
PLACES = (
    "timers.in_transaction",
    "timers.effects_written",
    "timers.after_commit",
    "outbox.before_deliver",
    "outbox.after_deliver",
    "outbox.after_commit",
)


@pytest.fixture
def provider(clock: Any) -> Provider:
    return Provider(numbers=(OWN_TEXTS, OWN_CALLS), at=clock.at)


@pytest.fixture
def desk(tmp_path: Path, clock: Any, new_store: bytes) -> Iterator[Desk]:
    (tmp_path / "intake.db").write_bytes(new_store)
    with closing(opening.open_store("", tmp_path, clock=clock)) as store:
        yield Desk(store, tmp_path, clock)


class Relay:
    """Takes mail; the same Message-ID again is the same mail."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self.taken = desk, dict[str, tuple[Any, str]]()

    async def deliver(self, outbound: OutboundMessage) -> Delivered:
        self.taken.setdefault(outbound.message_id, (self._desk.clock(), outbound.to[0].address))
        return Delivered("queued")


class Life:
    """A daemon's bell and outbox on a desk. `began`: when the notice was due."""

    def __init__(self, desk: Desk, provider: Provider, api_url: str) -> None:
        self.desk, self.provider = desk, provider
        shared: dict[str, Any] = {
            "account_sid": provider.account,
            "auth_token": provider.token,
            "api_url": api_url,
        }
        shared["public_url"] = "https://help.example.com"
        self.relay = Relay(desk)
        fast = Sending(messages_per_second=1_000)
        self.channels: dict[str, Any] = {
            "support": self.relay,
            "texts": sms.Channel("texts", sms.Options(**shared, numbers=(OWN_TEXTS,), sending=fast)),
            "calls": voice.Channel("calls", voice.Options(**shared, numbers=(OWN_CALLS,))),
        }
        self.cuts = 0
        self.ticket = desk.ticket(desk.receive())
        desk.store.write_now(self._drop_answers)
        self.began = desk.clock() + timedelta(hours=1)
        desk.clock.at = self.began

    def _drop_answers(self, tx: Tx) -> None:
        """What the customer gets is no matter here."""
        tx.update(schema.outbox, {"state": "queued"}, state="dropped")

    async def at(self, minutes: float) -> None:
        """Let the clock stand at so many minutes after the notice, and everything be done that is due then."""
        self.desk.clock.at = self.provider.at = self.began + timedelta(minutes=minutes)
        for _ in range(3):
            await self._once()

    async def _once(self) -> None:
        """One look of a daemon that was just started; it may be cut off."""
        bell = Timers(
            self.desk.store,
            context=lambda: self.desk.context,
            scheduler=AsyncIOScheduler(timezone="UTC"),
        )
        sender = Outbox(self.desk.store, self.channels, jitter=lambda: 0.0, context=lambda: self.desk.context)
        try:
            await bell.fire_due()
            rows, _ = await sender._due()
            for queued in rows:
                await sender._free.acquire()
                await sender._send(queued)
        except Cut:
            self.cuts += 1

    def told(self) -> list[tuple[float, str, str]]:
        """Everything that reached the other sides, in order: minutes after the notice, how, to whom."""
        found = [(each.created_at, "text", each.to) for each in self.provider.sent]
        found += [(each.created_at, "call", each.to) for each in self.provider.called]
        found += [(at, "mail", to) for at, to in self.relay.taken.values()]
        return [((at - self.began).total_seconds() / 60, how, to) for at, how, to in sorted(found)]


@asynccontextmanager
async def living(desk: Desk, provider: Provider, api_url: str) -> AsyncIterator[Life]:
    life = Life(desk, provider, api_url)
    try:
        yield life
    finally:
        for name in ("texts", "calls"):
            await life.channels[name].close()


def cut_off(monkeypatch: pytest.MonkeyPatch, place: str, *, nth: int = 1, is_for_ever: bool = False) -> None:
    """Kill the daemon at the nth time that it comes to a place; is_for_ever: at each."""
    left = nth

    def reach(name: str) -> None:
        nonlocal left
        if name != place:
            return
        left -= 1
        if left == 0 or is_for_ever:
            raise Cut

    monkeypatch.setattr(failpoints, "reach", reach)


async def test_the_whole_ladder_each_way_once_in_order_in_time(
    desk: Desk, provider: Provider, api_url: str
) -> None:
    async with living(desk, provider, api_url) as life:
        for minutes in WATCHED:
            await life.at(minutes)
        assert life.told() == WHOLE


@pytest.mark.parametrize("nth", [1, *(pytest.param(each, marks=pytest.mark.slow) for each in (2, 3))])
@pytest.mark.parametrize("place", PLACES)
async def test_cut_off_at_each_step_it_is_the_same(
    desk: Desk, provider: Provider, api_url: str, monkeypatch: pytest.MonkeyPatch, place: str, nth: int
) -> None:
    """As a kill would: what was not committed is done again, what was is not; nobody is rung or texted twice."""
    async with living(desk, provider, api_url) as life:
        cut_off(monkeypatch, place, nth=nth)
        for minutes in WATCHED:
            await life.at(minutes)
        assert (life.cuts, life.told()) == (1, WHOLE)


@pytest.mark.parametrize("minutes", [0, 1, 2, 4])
async def test_after_an_acknowledgement_twilio_is_asked_for_nothing(
    desk: Desk, provider: Provider, api_url: str, minutes: int
) -> None:
    """Until the ladder asks again because the customer still has no answer."""
    async with living(desk, provider, api_url) as life:
        for each in range(minutes + 1):
            await life.at(each)
        before = len(provider.asked)
        desk.acknowledge(life.ticket, "ania")
        for each in (1, 2, 4, 9):
            await life.at(minutes + each)
        assert len(provider.asked) == before


async def test_what_is_decided_and_not_sent_is_not_sent_after_an_acknowledgement(
    desk: Desk, provider: Provider, api_url: str
) -> None:
    """The call waits in the outbox when somebody acknowledges: 0 requests."""
    async with living(desk, provider, api_url) as life:
        desk.fire_due()
        desk.acknowledge(life.ticket, "ania")
        await life.at(0)
        assert provider.asked == []


async def test_a_call_that_twilio_refuses_is_followed_by_the_text_at_once(
    desk: Desk, provider: Provider, api_url: str
) -> None:
    """21215: not allowed there. Nobody waits for two minutes."""
    async with living(desk, provider, api_url) as life:
        provider.refuse(21215, times=1)
        await life.at(0)
        assert life.told() == [(0, "text", EWA)]


async def test_while_twilio_is_down_the_mail_goes_in_its_time(
    desk: Desk, provider: Provider, api_url: str
) -> None:
    async with living(desk, provider, api_url) as life:
        provider.is_down = True
        for minutes in range(5):
            await life.at(minutes)
        assert life.told() == [(4, "mail", MAIL)]


async def test_calls_name_what_twilio_is_to_ask_and_how_long_to_ring(
    desk: Desk, provider: Provider, api_url: str
) -> None:
    async with living(desk, provider, api_url) as life:
        desk.use_oncall(ring_s=33)
        await life.at(0)
        (asked,) = provider.asked_for("Calls")
        (row,) = desk.rows("outbox", "medium = 'voice'")
        hook = "https://help.example.com/hooks/calls/page"
        assert asked["Url"] == f"{hook}?o={row['id']}&n=0"
        assert asked["StatusCallback"] == f"{hook}/status?o={row['id']}"
        assert (asked["Timeout"], asked["From"], asked["To"]) == ("33", OWN_CALLS, EWA)
        assert row["provider_id"] == provider.called[0].sid


async def test_two_notices_that_were_both_cut_off_are_two_calls(
    desk: Desk, provider: Provider, api_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two tickets for one agent, the daemon killed after both calls were made: each call is one of them."""
    desk.receive("other@customer.example")
    async with living(desk, provider, api_url) as life:
        cut_off(monkeypatch, "outbox.after_deliver", is_for_ever=True)
        for _ in range(2):
            await life.at(0)
        monkeypatch.undo()
        await life.at(1.75)
        calls = [each for each in life.told() if each[1] == "call"]
        assert len(calls) == len(desk.rows("outbox", "medium = 'voice' AND provider_id IS NOT NULL")) == 2


async def test_a_call_that_was_cut_off_and_that_nobody_took_is_followed_by_the_text(
    desk: Desk, provider: Provider, api_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its reports came while nobody knew whose call it was: found again, it is asked what became of it."""
    async with living(desk, provider, api_url) as life:
        cut_off(monkeypatch, "outbox.after_deliver")
        await life.at(0)
        provider.called[0].status = "no-answer"
        await life.at(1.75)
        assert life.told() == [(0, "call", EWA), (1.75, "text", EWA)]


async def test_a_call_that_was_cut_off_and_was_acknowledged_is_not_made_again(
    desk: Desk, provider: Provider, api_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made, and killed before that was noted; ewa picks up and presses 1 while we start again."""
    async with living(desk, provider, api_url) as life:
        cut_off(monkeypatch, "outbox.after_deliver")
        await life.at(0)
        (page,) = desk.rows("outbox", "medium = 'voice'")
        assert (page["state"], page["provider_id"]) == ("queued", None)
        await asyncio.to_thread(desk.press, page, "1")
        for minutes in (1, 1.75, 2, 4, 9):
            await life.at(minutes)
        assert life.told() == [(0, "call", EWA)]
        assert desk.events(life.ticket).count("acknowledged") == 1


DONE: dict[str, Callable[[Desk, dict[str, Any]], object]] = {
    "solved": lambda desk, ticket: desk.set_status(ticket, "solved"),
    "closed": lambda desk, ticket: desk.set_status(ticket, "closed"),
    "answered": lambda desk, ticket: desk.reply(ticket, agent="ania"),
    "passed on": lambda desk, ticket: desk.text(EWA, "2"),
}


@pytest.mark.parametrize("name", DONE)
async def test_no_phone_rings_at_night_for_what_was_done_while_twilio_was_away(
    desk: Desk, provider: Provider, api_url: str, name: str
) -> None:
    """The call waits for its next try when the ticket is done."""
    async with living(desk, provider, api_url) as life:
        provider.is_down = True
        await life.at(0)
        await life.at(1)
        (call,) = desk.rows("outbox", "medium = 'voice'")
        assert call["state"] == "queued"
        provider.is_down = False
        DONE[name](desk, life.ticket)
        for minutes in (2, 30, 240):
            await life.at(minutes)
        assert [each for each in provider.called if each.to == EWA] == []
        assert desk.row("outbox", call["id"])["state"] == "dropped"


async def test_what_still_waits_rings_when_twilio_is_back(
    desk: Desk, provider: Provider, api_url: str
) -> None:
    async with living(desk, provider, api_url) as life:
        provider.is_down = True
        await life.at(0)
        provider.is_down = False
        await life.at(1.75)
        assert life.told() == [(1.75, "call", EWA)]


async def test_a_page_about_a_ticket_that_was_done_before_it_is_sent_all_the_same(
    desk: Desk, provider: Provider, api_url: str
) -> None:
    """The rule that solves it tells the lead so."""
    then = "{status: solved, notify: lead, by: sms}"
    rule = f"react:\n  - {{id: done, on: quiet, for: 30m, since: created, when: {{ticket.status: new}}, then: {then}}}\n"
    desk.use_rules(PAGED.replace("enrich:", f"{rule}enrich:"))
    async with living(desk, provider, api_url) as life:
        await life.at(0)
        assert [each.to for each in provider.sent] == [TOMEK]


async def test_a_test_call_that_could_not_be_made_does_not_ring_at_night(
    desk: Desk, provider: Provider, api_url: str
) -> None:
    async with living(desk, provider, api_url) as life:
        provider.is_down = True
        desk.set_status(life.ticket, "closed")
        test = desk.store.write_now(lambda tx: page_tests.send(tx, desk.context, "ewa", "call"))
        await life.at(0)
        provider.is_down = False
        await life.at(60)
        assert provider.called == []
        assert test is not None
        assert desk.row("outbox", test.outbox_id)["state"] == "dropped"
