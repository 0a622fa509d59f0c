"""What agents write and do at the desk, by HTTP: with and without scripts, and who may."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from intake import unseen, web_sessions
from intake.model import Account
from intake.store import schema
from intake.store.engine import Tx
from tests.conftest import ManualClock
from tests.web.acting_site import JSON, PAGE, RULES, page, post, public, receive, rows, sent
from tests.web.site import Browser, Site, open_site

FORK = "fork-of-ania-0001"


@pytest.fixture
async def site(tmp_path: Path, clock: ManualClock, new_store: bytes) -> AsyncIterator[Site]:
    async with open_site(tmp_path, clock, new_store=new_store, rules=RULES) as opened:
        (tmp_path / "canned").mkdir()
        (tmp_path / "canned" / "hello.en.md").write_text(
            "Title: Hello\n\nDear {{ customer.organization }}, this is {{ ticket.ref }}.\n"
        )
        yield opened


def _mark(site: Site, ticket: dict[str, Any]) -> str:
    return site.store.read_now(lambda tx: unseen.mark(tx, ticket["id"]))


def _row(site: Site, ticket: dict[str, Any]) -> dict[str, Any]:
    (found,) = rows(site, "tickets", "id = :id", id=ticket["id"])
    return found


async def test_page_of_a_ticket_can_be_answered_without_scripts(site: Site) -> None:
    """Its form says everything that the answer needs, and leads back to the ticket."""
    ania, ticket = site.signed_in("ania"), receive(site)
    status, html = await page(ania, f"/tickets/{ticket['ref']}")
    assert status == 200
    form = html[html.index('id="reply-form"') :]
    fields = dict(
        re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form.partition("</form>")[0])
    )
    data = aiohttp.FormData({**fields, "text": "Try water.\r\nTwice."}, default_to_multipart=True)
    data.add_field("files", b"how to", filename="manual.txt", content_type="text/plain")
    status, _, headers = await ania.ask("POST", f"/tickets/{ticket['ref']}/reply", data=data, headers=PAGE)
    assert (status, headers["Location"]) == (303, f"/tickets/{ticket['ref']}#composer")
    (message,) = sent(site)
    assert message.text.startswith("Try water.\nTwice.")
    assert [each.name for each in message.attachments] == ["manual.txt"]


async def test_answer_without_the_last_word_is_409_with_the_news(site: Site) -> None:
    """The text is nowhere sent; with the new mark it is."""
    ania, ewa, ticket = site.signed_in("ania"), site.signed_in("ewa"), receive(site)
    seen, path = _mark(site, ticket), f"/tickets/{ticket['ref']}/reply"
    assert (await post(ewa, path, text="From Ewa.", seen=seen))[0] == 200
    status, told = await post(ania, path, text="From Ania.", seen=seen)
    assert (status, [each["text"] for each in told["newer"]]) == (409, ["From Ewa."])
    assert "From Ania." not in public(site, ticket["ref"])
    assert (await post(ania, path, text="From Ania.", seen=told["mark"]))[0] == 200


async def test_browser_without_scripts_gets_its_text_back_with_the_news(site: Site) -> None:
    """On a page from which it can be sent anyway."""
    ania, ewa, ticket = site.signed_in("ania"), site.signed_in("ewa"), receive(site)
    seen, path = _mark(site, ticket), f"/tickets/{ticket['ref']}/reply"
    await post(ewa, path, text="From <b>Ewa</b>.", seen=seen)
    status, html, _ = await ania.ask("POST", path, data={"text": "My text", "seen": seen}, headers=PAGE)
    assert status == 409
    assert "From &lt;b&gt;Ewa&lt;/b&gt;." in html
    assert ">My text</textarea>" in html
    assert _mark(site, ticket) in html


async def test_answer_without_a_mark_is_not_taken(site: Site) -> None:
    """Who does not say what they have seen has seen nothing."""
    ania, ticket = site.signed_in("ania"), receive(site)
    status, told = await post(ania, f"/tickets/{ticket['ref']}/reply", text="Blind")
    assert (status, "no mark" in told["error"]["text"]) == (422, True)


async def test_answer_is_taken_back_and_its_text_returned(site: Site) -> None:
    """Within the moment that answers.undo_s gives."""
    ania, ticket = site.signed_in("ania"), receive(site)
    path = f"/tickets/{ticket['ref']}"
    _, given = await post(
        ania, f"{path}/reply", text="Try water.", seen=_mark(site, ticket), fork=FORK, revision=4
    )
    status, told = await post(ania, f"{path}/undo", outbox=given["outbox"])
    assert (status, told["draft"]["text"], told["draft"]["fork"]) == (200, "Try water.", FORK)
    assert public(site, ticket["ref"]) == ["My printer is on fire."]


async def test_colleague_cannot_take_it_back(site: Site) -> None:
    """Whoever sees the ticket does not own the answer."""
    ania, ewa, ticket = site.signed_in("ania"), site.signed_in("ewa"), receive(site)
    path = f"/tickets/{ticket['ref']}"
    _, given = await post(ania, f"{path}/reply", text="Try water.", seen=_mark(site, ticket))
    assert (await post(ewa, f"{path}/undo", outbox=given["outbox"]))[0] == 422
    assert (await post(ewa, f"{path}/send-now", outbox=given["outbox"]))[0] == 422


async def test_gap_of_a_canned_reply_is_not_sent(site: Site) -> None:
    """The reply is filled in as far as the ticket says; the gap is named, and stops the answer."""
    ania, ticket = site.signed_in("ania"), receive(site)
    _, text, _ = await ania.ask("GET", f"/tickets/{ticket['ref']}/canned/hello", headers=JSON)
    assert ticket["ref"] in text
    assert '"gaps":["customer.organization"]' in text
    status, told = await post(
        ania,
        f"/tickets/{ticket['ref']}/reply",
        text="Dear [[customer.organization]],",
        seen=_mark(site, ticket),
    )
    assert (status, "customer.organization" in told["error"]["text"]) == (422, True)


async def test_solving_keeps_what_it_was_about_and_how_it_came_out(site: Site) -> None:
    """Both go with the answer, or with the status alone."""
    ania, ticket = site.signed_in("ania"), receive(site)
    said = {"status": "solved", "nature": "technical", "outcome": "partly"}
    await post(ania, f"/tickets/{ticket['ref']}/reply", text="Done.", seen=_mark(site, ticket), **said)
    after = _row(site, ticket)
    assert (after["status"], after["nature"], after["outcome"]) == ("solved", "technical", "partly")
    assert (await post(ania, f"/tickets/{ticket['ref']}/status", status="open"))[1]["status"] == "open"


@pytest.mark.parametrize(
    ("act", "fields", "column", "value"),
    [
        ("assign", {"to": "ewa"}, "agent", "ewa"),
        ("assign", {"to": "-"}, "agent", None),
        ("assign", {"to": "billing"}, "team", "billing"),
        ("priority", {"priority": "urgent"}, "priority", "urgent"),
        ("nature", {"nature": "complaint"}, "nature", "complaint"),
        ("spam", {}, "is_spam", 1),
        ("take", {}, "agent", "ania"),
        ("acknowledge", {}, "status", "new"),
    ],
)
async def test_acts_do_what_they_say(
    site: Site, act: str, fields: dict[str, Any], column: str, value: Any
) -> None:
    """By the functions of the command line, in the name of who is signed in."""
    ania, ticket = site.signed_in("ania"), receive(site)
    status, told = await post(ania, f"/tickets/{ticket['ref']}/{act}", **fields)
    assert (status, told["ref"], _row(site, ticket)[column]) == (200, ticket["ref"], value)


async def test_promise_is_made_kept_and_taken_back(site: Site) -> None:
    """As the command line words it."""
    ania, ticket = site.signed_in("ania"), receive(site)
    path = f"/tickets/{ticket['ref']}/promise"
    assert (await post(ania, path, when="in 2h", quiet=True))[0] == 200
    assert _row(site, ticket)["promised_at"] is not None
    assert (await post(ania, path, when="kept"))[0] == 200
    assert (await post(ania, path, when="some day"))[0] == 422


async def test_merge_needs_both_tickets(site: Site) -> None:
    """What is not theirs to see is said not to be there; a lead merges across teams."""
    ania, tomek = site.signed_in("ania"), site.signed_in("tomek", "lead")
    own, other = receive(site), receive(site, "eva@customer.example", body="My invoice is wrong.")
    status, told = await post(ania, f"/tickets/{own['ref']}/merge", into=other["ref"])
    assert (status, told["error"]["text"]) == (422, f"There is no ticket {other['ref']}.")
    assert (await post(tomek, f"/tickets/{own['ref']}/merge", into=other["ref"]))[0] == 200


async def test_merge_is_taken_back(site: Site) -> None:
    """From either ticket's page."""
    ania = site.signed_in("ania")
    own, other = receive(site), receive(site, "eva@customer.example")
    for _ in range(2):
        status, told = await post(ania, f"/tickets/{own['ref']}/merge", into=other["ref"])
        assert (status, told["to"]) == (200, f"/tickets/{other['ref']}")
        assert (await post(ania, f"/tickets/{other['ref']}/unmerge", merged=own["ref"]))[0] == 200
    assert public(site, own["ref"]) == ["My printer is on fire."]


async def test_block_names_only_who_wrote_here(site: Site) -> None:
    """A page cannot block somebody else."""
    ania, ticket = site.signed_in("ania"), receive(site)
    _, told = await post(ania, f"/tickets/{ticket['ref']}/block", sender=["other@customer.example"])
    assert told["senders"] == ["jan@customer.example"]


@pytest.mark.parametrize("act", ["reply", "note", "assign", "status", "merge", "spam", "drafts", "compose"])
async def test_ticket_of_another_team_is_not_there(site: Site, act: str) -> None:
    """Nothing can be done with what is not theirs to see; an auditor sees, and changes nothing."""
    zoe, eve, ticket = site.signed_in("zoe"), site.signed_in("eve", "auditor"), receive(site)
    assert (await post(zoe, f"/tickets/{ticket['ref']}/{act}", text="Hi"))[0] == 404
    assert (await post(eve, f"/tickets/{ticket['ref']}/{act}", text="Hi"))[0] == 403


async def test_draft_is_saved_shown_and_its_writers_alone(site: Site) -> None:
    """Also when the ticket has become somebody else's."""
    ania, ewa, ticket = site.signed_in("ania"), site.signed_in("ewa"), receive(site)
    path = f"/tickets/{ticket['ref']}"
    said = {"fork": FORK, "kind": "reply", "text": "Dear Jan", "revision": 1}
    assert (await post(ania, f"{path}/drafts", **said))[1]["state"] == "writing"
    _, text, _ = await ewa.ask("GET", f"{path}/drafts", headers=JSON)
    assert "Dear Jan" not in text
    await post(ewa, f"{path}/assign", to="billing")
    assert (await post(ania, f"{path}/drafts", **said))[0] == 404
    status, told = await post(ania, f"/drafts/{FORK}", **said | {"text": "Dear Jan, dear all", "revision": 2})
    assert (status, told["revision"]) == (200, 2)
    assert "Dear Jan, dear all" in (await page(ania, "/drafts"))[1]


async def test_draft_is_thrown_away_and_brought_back(site: Site) -> None:
    """From the page of all drafts, without scripts."""
    ania, ticket = site.signed_in("ania"), receive(site)
    said = {"fork": FORK, "kind": "note", "text": "Odd one", "revision": 1}
    await post(ania, f"/tickets/{ticket['ref']}/drafts", **said)
    for act in ("discard", "restore"):
        status, _, headers = await ania.ask("POST", f"/drafts/{FORK}/{act}", data={}, headers=PAGE)
        assert (status, headers["Location"]) == (303, "/drafts")
    assert "Odd one" in (await page(ania, f"/tickets/{ticket['ref']}"))[1]


async def test_draft_whose_ticket_cannot_be_seen_is_kept_without_it(site: Site) -> None:
    """The text is its writer's; of the ticket nothing is told."""
    ania = site.signed_in("ania")
    assert (await post(ania, f"/drafts/{FORK}", kind="reply", text="Hi", revision=1))[0] == 200
    (row,) = rows(site, "drafts")
    assert (row["agent"], row["body"], row["ticket_id"]) == ("ania", "Hi", None)


async def test_files_of_what_was_said_are_not_dropped_unseen(site: Site) -> None:
    """A file that the draft does not have any more is told of, and no ticket is made without it."""
    ania = site.signed_in("ania")
    given = {"way": "phone", "phone": "+48600100200", "text": "They called.", "kept": ["bill.pdf"]}
    status, told = await post(ania, "/new", **given)
    assert (status, "bill.pdf is not here any more" in told["error"]["text"]) == (422, True)


async def test_who_else_is_there_is_told(site: Site) -> None:
    """While they look, and no longer."""
    ania, ewa, ticket = site.signed_in("ania"), site.signed_in("ewa"), receive(site)
    path = f"/tickets/{ticket['ref']}/here"
    await post(ewa, path, doing="replying")
    _, told = await post(ania, path, doing="looking")
    assert told["here"] == [{"agent": "ewa", "doing": "replying"}]
    await post(ewa, path, doing="gone")
    assert (await post(ania, path, doing="looking"))[1]["here"] == []


async def test_new_ticket_is_made_once(site: Site) -> None:
    """A click too many leads to the same ticket."""
    ania = site.signed_in("ania")
    said = {"way": "counter", "email": "eva@customer.example", "text": "She wants an offer", "fork": FORK}
    first, second = [await post(ania, "/new", **said) for _ in range(2)]
    assert first[1]["ref"] == second[1]["ref"]
    assert len(rows(site, "tickets")) == 1


async def test_new_ticket_says_what_is_wrong_and_keeps_what_was_filled_in(site: Site) -> None:
    """Without scripts, too."""
    ania = site.signed_in("ania")
    data = {"way": "phone", "email": "eva", "text": "She wants <an offer>"}
    status, html, _ = await ania.ask("POST", "/new", data=data, headers=PAGE)
    assert status == 422
    assert "is not an address" in html
    assert "She wants &lt;an offer&gt;</textarea>" in html


async def test_new_ticket_for_a_customer_has_their_address(site: Site) -> None:
    """Of a ticket that is theirs to see."""
    ania, zoe, ticket = site.signed_in("ania"), site.signed_in("zoe"), receive(site)
    assert 'value="jan@customer.example"' in (await page(ania, f"/new?for={ticket['ref']}"))[1]
    assert "jan@customer.example" not in (await page(zoe, f"/new?for={ticket['ref']}"))[1]


async def test_first_word_is_sent(site: Site) -> None:
    """To who is named, from a ticket of the writer's."""
    ania = site.signed_in("ania")
    status, told = await post(
        ania, "/new", way="write", email="eva@customer.example", text="Your order is late."
    )
    assert (status, sent(site)[0].to[0].address) == (200, "eva@customer.example")
    assert rows(site, "tickets", "ref = :ref", ref=told["ref"])[0]["agent"] == "ania"


async def test_note_is_for_colleagues(site: Site) -> None:
    """Nothing of it is sent, and the page shows it as a note."""
    ania, ticket = site.signed_in("ania"), receive(site)
    before = len(rows(site, "outbox", "message_id IS NOT NULL"))
    assert (await post(ania, f"/tickets/{ticket['ref']}/note", text="He shouts."))[0] == 200
    assert len(rows(site, "outbox", "message_id IS NOT NULL")) == before
    assert "He shouts." in (await page(ania, f"/tickets/{ticket['ref']}"))[1]


async def test_what_cannot_be_read_is_refused(site: Site) -> None:
    """Not as JSON, not as a form of the wrong shape."""
    ania, ticket = site.signed_in("ania"), receive(site)
    path = f"/tickets/{ticket['ref']}/note"
    headers = JSON | {"Content-Type": "application/json"}
    for body in (b"{", b"[]", b'{"text": {"a": 1}}', b"\xff"):
        assert (await ania.ask("POST", path, data=body, headers=headers))[0] == 400


async def test_call_that_rings_is_on_the_screen(site: Site) -> None:
    """With its ticket, for whom it rings, while it rings; who has no phone is told so."""
    ania, ewa, ticket = site.signed_in("ania"), site.signed_in("ewa"), receive(site)
    agents = dict(site.context.rulebook.agents)
    agents["ania"] = msgspec.structs.replace(agents["ania"], phone="+48600100200")
    book = msgspec.structs.replace(site.context.rulebook, agents=agents)
    accounts = {**site.context.accounts, "line": Account("line", "twilio.voice", "voice")}
    site.context = msgspec.structs.replace(site.context, rulebook=book, accounts=accounts)
    _ring(site, ticket, "ania")
    told = [
        msgspec.json.decode((await each.ask("GET", "/calls/mine", headers=JSON))[1]) for each in (ania, ewa)
    ]
    assert (told[0]["call"]["ref"], told[0]["call"]["caller"]) == (ticket["ref"], "+48600999888")
    assert told[1] == {"has_phone": False, "call": None}


def _ring(site: Site, ticket: dict[str, Any], agent: str) -> None:
    now = site.store.now_us()
    until = now + 30_000_000

    def write(tx: Tx) -> None:
        tx.insert(schema.holds, agent=agent, session="call:1", since_at=now, until_at=until)
        tx.insert(
            schema.calls,
            id=1,
            account="line",
            call="CA1",
            session="call:1",
            direction="in",
            caller="+48600999888",
            ticket_id=ticket["id"],
            started_at=now,
        )

    site.store.write_now(write)


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        ("/presence", {"medium": "email", "presence": "busy", "until": "in 2h"}, 200),
        ("/presence", {"medium": "email", "presence": "asleep"}, 422),
        ("/presence", {"medium": "pigeon", "presence": "busy"}, 422),
        ("/presence/away", {"until": "some day"}, 422),
        ("/presence/away", {"until": "in 2h", "keep": True}, 200),
        ("/presence/back", {}, 200),
    ],
)
async def test_presence_is_ones_own(site: Site, path: str, fields: dict[str, Any], status: int) -> None:
    """Said medium by medium, or altogether; an auditor has none."""
    ania, eve = site.signed_in("ania"), site.signed_in("eve", "auditor")
    assert (await post(ania, path, **fields))[0] == status
    assert (await post(eve, path, **fields))[0] == 403


async def test_presence_is_what_was_said(site: Site) -> None:
    """The page shows it, and until when."""
    ania = site.signed_in("ania")
    _, told = await post(ania, "/presence", medium="email", presence="busy", until="in 2h")
    assert told["media"] == [{"medium": "email", "presence": "busy", "until": "2026-11-10T11:00:00Z"}]
    _, told = await post(ania, "/presence/away", keep=True)
    assert (told["is_away"], "I am back" in (await page(ania, "/presence"))[1]) == (True, True)


async def test_page_says_whether_this_browser_is_told(site: Site) -> None:
    """Not to another agent who signs in in it, and not to its own after another sign-in, until they ask again."""
    ania, ewa = site.signed_in("ania"), site.signed_in("ewa")
    given = {"endpoint": "https://push.example/1", "keys": {"p256dh": "BA" + "A" * 85, "auth": "A" * 22}}

    async def is_told(browser: Browser) -> bool:
        _, text, _ = await browser.ask("POST", "/push/state", json=given, headers=JSON)
        told: bool = msgspec.json.decode(text)["told"]
        return told

    await ania.ask("POST", "/push/subscribe", json=given, headers=JSON)
    assert [await is_told(each) for each in (ania, ewa)] == [True, False]
    site.store.write_now(lambda tx: web_sessions.end_all(tx, "ania", by="system"))
    ania = site.browser(site.session("ania"))
    assert not await is_told(ania)
    await ania.ask("POST", "/push/subscribe", json=given, headers=JSON)
    assert await is_told(ania)


async def test_browser_asks_to_be_told_and_no_more(site: Site) -> None:
    """In the sign-in that it was asked in; the worker is everybody's."""
    ania = site.signed_in("ania")
    given = {"endpoint": "https://push.example/1", "keys": {"p256dh": "BA" + "A" * 85, "auth": "A" * 22}}
    headers = JSON | {"Content-Type": "application/json"}
    assert (await ania.ask("POST", "/push/subscribe", json=given, headers=headers))[0] == 200
    (row,) = rows(site, "push_browsers")
    assert (row["agent"], row["session"] != "") == ("ania", True)
    assert (await ania.ask("POST", "/push/unsubscribe", json=given, headers=headers))[0] == 200
    assert rows(site, "push_browsers") == []
    status, worker, headers = await site.browser().ask("GET", "/worker.js")
    assert (status, headers["Content-Type"], "push" in worker) == (
        200,
        "text/javascript; charset=utf-8",
        True,
    )
