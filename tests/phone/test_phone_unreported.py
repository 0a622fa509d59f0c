"""Calls of ours whose callbacks were all lost: asked after, and what is told then does what the callback would have done."""

from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from channels.twilio import voice
from channels.twilio.simulator.provider import Provider
from intake.delivering import Outbox
from intake.store import opening
from intake.unreported import Unreported
from tests.phone.paged import EWA, OWN_CALLS, OWN_TEXTS, Desk


class Played(Desk):
    """A desk whose calls go to the played Twilio, which reports nothing by itself."""

    def connect(self, provider: Provider, api_url: str) -> None:
        self.provider = provider
        options = voice.Options(
            account_sid=provider.account,
            auth_token=provider.token,
            numbers=(OWN_CALLS,),
            public_url="https://help.example.com",
            api_url=api_url,
        )
        self.calls = voice.Channel("calls", options)

    async def paged(self) -> dict[str, Any]:
        """A page that has been asked of Twilio; its outbox row."""
        self.paged_ticket()
        self.provider.at = self.clock()
        outbox = Outbox(self.store, {"calls": self.calls}, jitter=lambda: 0.0, context=lambda: self.context)
        rows, _ = await outbox._due()
        for queued in rows:
            if queued.outbound.account == "calls":
                await outbox._free.acquire()
                await outbox._send(queued)
        return self.try_of("voice", 0)

    async def look(self) -> int:
        unreported = Unreported(self.store, {"calls": self.calls}, context=lambda: self.context)
        return await unreported.look()


@pytest.fixture
def provider(clock: Any) -> Provider:
    return Provider(numbers=(OWN_TEXTS, OWN_CALLS), at=clock.at)


@pytest.fixture
async def desk(
    tmp_path: Path, clock: Any, new_store: bytes, provider: Provider, api_url: str
) -> AsyncIterator[Played]:
    (tmp_path / "intake.db").write_bytes(new_store)
    with closing(opening.open_store("", tmp_path, clock=clock)) as store:
        made = Played(store, tmp_path, clock)
        made.connect(provider, api_url)
        yield made
        await made.calls.close()


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("busy", "failed"),
        ("no-answer", "failed"),
        ("completed", "delivered"),
        ("in-progress", "delivered"),
        ("ringing", "sent"),
    ],
)
async def test_a_page_is_what_twilio_says_of_its_call(desk: Played, status: str, state: str) -> None:
    page = await desk.paged()
    assert page["state"] == "sent"
    desk.provider.calls[page["provider_id"]].status = status
    desk.advance(minutes=5)
    assert await desk.look() == 1
    assert desk.row("outbox", page["id"])["state"] == state


async def test_a_page_that_reached_nobody_is_followed_by_the_next_way(desk: Played) -> None:
    page = await desk.paged()
    desk.provider.calls[page["provider_id"]].status = "busy"
    desk.advance(minutes=5)
    await desk.look()
    assert ("sms", EWA) in [(medium, to) for medium, to, _ in desk.tries()]


async def test_a_call_of_just_now_is_left_to_its_callbacks(desk: Played) -> None:
    page = await desk.paged()
    desk.provider.calls[page["provider_id"]].status = "busy"
    desk.advance(minutes=4, seconds=59)
    assert await desk.look() == 0


async def test_what_is_known_is_not_asked_again(desk: Played) -> None:
    page = await desk.paged()
    desk.provider.calls[page["provider_id"]].status = "completed"
    desk.advance(minutes=5)
    assert [await desk.look(), await desk.look()] == [1, 0]


async def test_a_call_that_twilio_does_not_know_stays_as_it_is(desk: Played) -> None:
    page = await desk.paged()
    del desk.provider.calls[page["provider_id"]]
    desk.advance(minutes=5)
    assert await desk.look() == 0
    assert desk.row("outbox", page["id"])["state"] == "sent"
