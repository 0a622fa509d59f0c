"""Recordings are kept for so many days, and then they are nowhere: not here, not in the message, not at the provider."""

from typing import Any

import msgspec

from channels.contract import Fetched, FetchFailed
from intake import fetches, kept_files
from intake.fetching import Fetching
from intake.retention import GOING, GONE, PROBLEM, Retention
from intake.store import schema
from tests.phone.calling import Desk, event, happened

RECORDING = "RE" + "0a" * 16
DAYS = 90


class Shelf:
    """An account whose provider keeps recordings. refuses: how often it does not delete one."""

    def __init__(self, *, refuses: int = 0) -> None:
        self.kept, self.refuses = {RECORDING: b"sound"}, refuses

    async def fetch(self, reference: str) -> Fetched:
        if reference not in self.kept:
            raise FetchFailed("there is no such recording", retryable=False)
        return Fetched(self.kept[reference], "audio/mpeg")

    async def forget(self, reference: str) -> None:
        if self.refuses:
            self.refuses -= 1
            raise FetchFailed("the API is down", retryable=True)
        self.kept.pop(reference, None)


async def left_a_message(desk: Desk, shelf: Shelf) -> dict[str, Any]:
    """A voicemail that has been fetched; its ticket."""
    at = desk.clock()
    desk.tell(event(happened("started", at), happened("menu_done", at, 6, choice="support", open_ref=None)))
    desk.tell(event(happened("voicemail_offered", at, 30, why="unanswered")))
    desk.tell(event(happened("recorded", at, 61, recording=RECORDING, duration_s=25, why="voicemail")))
    desk.tell(event(happened("ended", at, 62, status="completed", duration_s=60, why="voicemail")))
    fetching = Fetching(desk.store, {"phone": shelf}, folder=desk.folder)
    for each in desk.store.read_now(fetches.look)[0]:
        await fetching.fetch(each)
    (ticket,) = desk.rows("tickets")
    return ticket


def look(desk: Desk, shelf: Shelf) -> Any:
    return Retention(desk.store, {"phone": shelf}, days=DAYS).look()


def state(desk: Desk) -> str:
    (row,) = desk.rows("fetches")
    return str(row["state"])


def later(desk: Desk, *, days: float) -> None:
    desk.clock.advance(days * 86_400)


async def test_a_recording_goes_after_its_days_here_and_at_the_provider(desk: Desk) -> None:
    shelf = Shelf()
    ticket = await left_a_message(desk, shelf)
    later(desk, days=DAYS + 0.1)
    await look(desk, shelf)
    assert (state(desk), shelf.kept) == (GONE, {})
    assert [each for each in desk.rows("blobs") if each["body"] == b"sound"] == []
    (file,) = msgspec.json.decode(desk.message(ticket)["attachments"])
    assert (file["problem"], file.get("blob"), file.get("sha256")) == (PROBLEM, None, None)
    assert "recording_forgotten" in [each["kind"] for each in desk.rows("events")]


async def test_a_recording_stays_until_then(desk: Desk) -> None:
    shelf = Shelf()
    await left_a_message(desk, shelf)
    later(desk, days=DAYS - 0.1)
    await look(desk, shelf)
    assert (state(desk), shelf.kept) == ("done", {RECORDING: b"sound"})


async def test_the_ticket_says_why_there_is_no_file(desk: Desk) -> None:
    shelf = Shelf()
    ticket = await left_a_message(desk, shelf)
    later(desk, days=DAYS + 1)
    await look(desk, shelf)
    found = desk.store.read_now(lambda tx: list(kept_files.of_ticket(tx, ticket["id"], desk.folder)))
    assert [(each.content, each.problem) for each in found] == [(None, PROBLEM)]


async def test_a_provider_that_is_down_is_asked_again_at_each_look(desk: Desk) -> None:
    shelf = Shelf(refuses=1)
    await left_a_message(desk, shelf)
    later(desk, days=DAYS + 1)
    await look(desk, shelf)
    assert (state(desk), shelf.kept) == (GOING, {RECORDING: b"sound"})
    await look(desk, shelf)
    assert (state(desk), shelf.kept) == (GONE, {})


async def test_what_is_told_of_the_call_afterwards_does_not_bring_it_back(desk: Desk) -> None:
    shelf = Shelf()
    ticket = await left_a_message(desk, shelf)
    later(desk, days=DAYS + 1)
    await look(desk, shelf)
    desk.tell(event(happened("priced", desk.clock(), price="-0.03 USD")))
    (file,) = msgspec.json.decode(desk.message(ticket)["attachments"])
    assert file["problem"] == PROBLEM
    assert state(desk) == GONE


async def test_other_files_of_customers_stay(desk: Desk) -> None:
    shelf = Shelf()
    await left_a_message(desk, shelf)
    (row,) = desk.rows("fetches")
    await desk.store.write(lambda tx: tx.update(schema.fetches, {"id": row["id"]}, part="media:0"))
    later(desk, days=DAYS * 10)
    await look(desk, shelf)
    assert state(desk) == "done"
