"""What a request names beside its ticket has to be theirs as well: other tickets, answers, drafts, rows. Real handlers."""

from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web

from intake import desk, merging, new_tickets
from intake.new_tickets import Placing
from intake.store import schema
from intake.store.engine import Tx
from intake.web.access import Subject
from intake.web.routes import Route
from intake.written_down import Written
from tests.conftest import ManualClock
from tests.web.site import Browser, Site, open_site

PAGE = {"Accept": "text/html"}
JSON = {"Accept": "application/json"}


@pytest.fixture
async def site(tmp_path: Path, clock: ManualClock, new_store: bytes) -> AsyncIterator[Site]:
    async with open_site(tmp_path, clock, new_store=new_store) as opened:
        yield opened


@pytest.fixture
async def ania(site: Site) -> Browser:
    """An agent of support."""
    return site.signed_in("ania")


def ticket(site: Site, team: str, *, secret: str = "It burns") -> str:
    """Make a ticket of a team, which nobody has; its ref."""
    written = new_tickets.checked(
        Written(
            way="phone", by="ania", name="Jan", address=f"jan@{team}.example", subject=secret, text=secret
        )
    )
    blob = new_tickets.prepare(written, folder=site.wired.blob_folder)

    def make(tx: Tx) -> str:
        made = new_tickets.write_down(tx, site.context, written, blob, Placing(to=team), agent="ania")
        tx.update(schema.tickets, {"ref": made.ref}, agent=None)
        return made.ref

    return site.store.write_now(make)


def events_of(site: Site, ref: str) -> list[Any]:
    """The kinds of a ticket's events, in order."""
    sql = "SELECT kind FROM events WHERE ticket_id = (SELECT id FROM tickets WHERE ref = ?) ORDER BY id"
    return list(site.store.read_now(lambda tx: tx._execute(sql, (ref,)).fetchall()))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("act", "form"),
    [
        ("reply", {"text": "Hello", "anyway": "1"}),
        ("note", {"text": "Hello"}),
        ("assign", {"to": "ania"}),
        ("status", {"status": "solved", "nature": "other", "outcome": "solved"}),
        ("priority", {"priority": "low"}),
        ("take", {}),
        ("acknowledge", {}),
        ("spam", {}),
        ("promise", {"when": "tomorrow 9:00"}),
        ("unmerge", {}),
        ("drafts", {"fork": "a" * 20, "kind": "reply", "text": "x", "revision": "0"}),
    ],
)
async def test_a_merged_ref_is_no_way_into_a_ticket_of_others(
    site: Site, ania: Browser, act: str, form: dict[str, str]
) -> None:
    """What is done to it is done to the other ticket, whose team decides."""
    own, theirs = ticket(site, "support"), ticket(site, "billing")
    site.store.write_now(lambda tx: merging.merge(tx, site.context, own, theirs, agent="tomek"))
    before = events_of(site, theirs)
    assert (await ania.ask("POST", f"/tickets/{own}/{act}", data=form, headers=JSON))[0] == 404
    assert events_of(site, theirs) == before


async def test_a_merged_ref_leads_to_the_other_ticket(site: Site) -> None:
    """Also for those who never saw the one that was merged; its page itself they still do not see."""
    ewa, other = site.signed_in("ewa"), ticket(site, "billing")
    merged, own = ticket(site, "support"), ticket(site, "support")
    site.store.write_now(lambda tx: merging.merge(tx, site.context, merged, other, agent="tomek"))
    status, _, headers = await ewa.ask("GET", f"/tickets/{merged}")
    assert (status, headers.get("Location")) == (302, f"/tickets/{other}")
    assert (await ewa.ask("GET", f"/tickets/{own}"))[0] == 404
    assert (await ewa.ask("GET", f"/tickets/{merged}/drafts"))[0] == 404


async def test_nobody_merges_into_a_ticket_that_they_cannot_see(site: Site, ania: Browser) -> None:
    """Nor finds out by trying that it is there."""
    own, theirs = ticket(site, "support"), ticket(site, "billing")
    answers = [
        await ania.ask("POST", f"/tickets/{own}/merge", data={"into": into}, headers=JSON)
        for into in (theirs, "2222222")
    ]
    assert [each[0] for each in answers] == [answers[0][0]] * 2
    assert 400 <= answers[0][0] < 500
    assert answers[0][1].replace(theirs, "") == answers[1][1].replace("2222222", "")
    assert "merged" not in str(events_of(site, own))


async def test_a_suggested_link_is_followed_by_who_may_merge_both(site: Site, ania: Browser) -> None:
    """It may be refused by whose ticket it is suggested for."""
    own, theirs = ticket(site, "support"), ticket(site, "billing")
    sql = "UPDATE tickets SET suggested_link = (SELECT id FROM tickets WHERE ref = ?) WHERE ref = ?"
    site.store.write_now(lambda tx: tx._execute(sql, (theirs, own)) and None)
    accepted = await ania.ask("POST", f"/tickets/{own}/link", data={"accept": "1"}, headers=JSON)
    assert 400 <= accepted[0] < 500
    lead = await site.signed_in("tomek", "lead").ask(
        "POST", f"/tickets/{own}/link", data={"accept": "1"}, headers=JSON
    )
    assert lead[0] == 200


@pytest.mark.parametrize("act", ["undo", "send-now"])
async def test_an_answer_of_a_colleague_is_neither_taken_back_nor_hurried(
    site: Site, ania: Browser, act: str
) -> None:
    """Although its number is right, and the ticket in the path is their own."""
    own, theirs = ticket(site, "support"), ticket(site, "billing")
    outbox = site.store.write_now(
        lambda tx: desk.reply(tx, site.context, theirs, agent="ewa", text="We come.")
    )
    status, _, _ = await ania.ask("POST", f"/tickets/{own}/{act}", data={"outbox": str(outbox)}, headers=JSON)
    assert 400 <= status < 500


async def test_a_file_is_asked_for_by_its_own_ticket_alone(site: Site, ania: Browser) -> None:
    """A message of another ticket under a ref of one's own is not found."""
    own, theirs = ticket(site, "support"), ticket(site, "billing")
    sql = "SELECT id FROM messages WHERE ticket_id = (SELECT id FROM tickets WHERE ref = ?)"
    row = site.store.read_now(lambda tx: tx._execute(sql, (theirs,)).fetchone())
    for path in (f"/tickets/{own}/files/{row[0]}/0", f"/tickets/{theirs}/files/{row[0]}/0"):
        assert (await ania.ask("GET", path))[0] == 404


async def test_pages_show_nothing_of_other_teams_tickets(site: Site, ania: Browser) -> None:
    """The list in every view, the search by word and by ref, what a customer wrote besides, and the stream's pages."""
    secret = "unmistakable herons"
    theirs = ticket(site, "billing", secret=secret)
    own = ticket(site, "support", secret="ordinary ducks")
    paths = [f"/?view={view}" for view in ("all", "mine", "team", "unassigned", "breaching")]
    paths += [
        "/search?q=herons",
        f"/search?q={theirs}",
        "/search?q=jan",
        f"/tickets/{own}",
        "/drafts",
        "/rules",
    ]
    for path in paths:
        for headers in (PAGE, JSON):
            status, text, _ = await ania.ask("GET", path, headers=headers)
            assert status in (200, 303), path
            assert secret not in text, path
            assert f"/tickets/{theirs}" not in text, path
            assert theirs not in text or theirs in path, path  # what was asked for is repeated
    _, text, _ = await site.signed_in("boss", "admin").ask("GET", "/?view=all", headers=PAGE)
    assert secret in text  # it is there for who may see it


async def test_a_draft_is_read_kept_and_thrown_away_by_its_writer_alone(site: Site, ania: Browser) -> None:
    ref, fork = ticket(site, "support"), "f" * 24
    form = {"fork": fork, "kind": "reply", "text": "my own words", "revision": "0"}
    assert (await ania.ask("POST", f"/tickets/{ref}/drafts", data=form, headers=JSON))[0] == 200
    tomek = site.signed_in("tomek", "lead")
    for method, path, data in (
        ("GET", "/drafts", None),
        ("GET", f"/tickets/{ref}/drafts", None),
        ("POST", f"/drafts/{fork}/discard", {}),
        ("POST", f"/drafts/{fork}/restore", {}),
    ):
        _, text, _ = await tomek.ask(method, path, data=data, headers=JSON)
        assert "my own words" not in text, path
    _, text, _ = await ania.ask("GET", f"/tickets/{ref}/drafts", headers=JSON)
    assert "my own words" in text


@pytest.mark.parametrize(
    ("act", "form"),
    [
        ("reply", {"text": "Hello", "seen": "0"}),
        ("note", {"text": "Hello"}),
        ("priority", {"priority": "low"}),
    ],
)
async def test_a_ticket_that_has_just_gone_to_others_is_not_acted_on(
    tmp_path: Path, clock: ManualClock, new_store: bytes, act: str, form: dict[str, str]
) -> None:
    """It was theirs when the request was let in, and is not in the transaction that acts: nothing is done."""

    async def was_theirs(request: web.Request) -> Subject:
        return Subject(team="support")

    def changed(routes: Iterable[Route]) -> list[Route]:
        return [
            msgspec.structs.replace(each, subject=was_theirs) if each.path.endswith(f"/{act}") else each
            for each in routes
        ]

    async with open_site(tmp_path, clock, new_store=new_store, changed=changed) as site:
        ref = ticket(site, "billing")
        before = events_of(site, ref)
        status, text, _ = await site.signed_in("ania").ask(
            "POST", f"/tickets/{ref}/{act}", data=form, headers=JSON
        )
        assert 400 <= status < 500
        assert "has just gone to others" in text
        assert events_of(site, ref) == before
