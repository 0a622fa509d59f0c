"""The pages of rules and operations: what is shown to whom, and what can be done there."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from channels.contract import RawMessage
from intake import events, journal, pipeline, tickets
from intake.store import blobs, schema
from routing import rulebook
from tests.web.site import RULES, Site, open_site

PAGE = {"Accept": "text/html"}
MAIL = b"From: Ann <ann@customer.example>\r\nTo: support@example.com\r\nSubject: %s\r\nMessage-ID: <%d@x>\r\n\r\nHello <b>\r\n"


@pytest.fixture
async def site(tmp_path: Path, clock: Any, new_store: bytes) -> AsyncIterator[Site]:
    async with open_site(tmp_path, clock, new_store=new_store) as opened:
        yield opened


def receive(
    site: Site, subject: str = "Hello", *, number: int = 1, is_settled: bool = True
) -> dict[str, Any]:
    """Take a mail in: its journal id, and its ticket's ref."""
    body = MAIL % (subject.encode(), number)
    raw = RawMessage(
        kind="email.smtp",
        account="support",
        lane="ann@customer.example",
        body=body,
        received_at=datetime(2026, 11, 10, 9, tzinfo=UTC),
        envelope={"sender": "ann@customer.example", "recipients": ["support@example.com"]},
    )
    blob = blobs.prepare(body, site.wired.blob_folder)
    row = site.store.write_now(lambda tx: journal.keep(tx, raw, blob, [])).id
    if is_settled:
        from channels.email import message

        received = site.store.read_now(lambda tx: journal.load(tx, row, site.wired.blob_folder))
        understood = message.parse(raw, message.Options())
        site.store.write_now(lambda tx: pipeline.settle(tx, site.context, received, understood))
    found = site.store.read_now(lambda tx: tx.all(_REFS, id=row))
    return {"journal": row, "ref": found[0][0] if found else None}


def _refs() -> Any:
    from sqlalchemy import bindparam, select

    from intake.store.statements import Statement

    return Statement(
        select(schema.tickets.c.ref)
        .join(schema.journal, schema.journal.c.ticket_id == schema.tickets.c.id)
        .where(schema.journal.c.id == bindparam("id"))
    )


_REFS = _refs()


def quarantine(site: Site, row: int) -> None:
    site.store.write_now(
        lambda tx: tx.update(schema.journal, {"id": row}, state="quarantined", problem="a <b>bug</b>")
    )


async def test_the_rules_are_shown_with_their_hits_and_their_words(site: Site) -> None:
    made = receive(site, "An invoice")
    tomek = site.signed_in("tomek", "admin")
    status, html, headers = await tomek.ask("GET", "/rules", headers=PAGE)
    assert status == 200
    assert "script-src 'self'" in headers["Content-Security-Policy"]
    assert "{id: money, when: {text.words: [invoice, refund]}" in html
    assert made["ref"] in html
    _, text, _ = await tomek.ask("GET", "/rules")
    [money] = [each for each in json.loads(text)["rules"] if each["rule"] == "money"]
    assert (money["hits"]["24h"], money["last_ticket"]) == (1, made["ref"])


async def test_a_ticket_of_others_is_not_named_to_who_may_not_see_it(site: Site) -> None:
    made = receive(site, "An invoice")
    status, text, _ = await site.signed_in("ania").ask("GET", "/rules")
    assert status == 200
    assert made["ref"] not in text


async def test_as_many_rules_are_counted_as_are_shown(site: Site) -> None:
    """A rule that another one hides has not matched either."""
    again = "route:\n  - {id: first, when: {text.words: [invoice]}, then: {team: billing}}\n  - {id: hidden, when: {text.words: [invoice]}, then: {team: support}}\n"
    book = rulebook.load({"rules.yaml": RULES.replace("route:\n", again)})
    site.context = msgspec.structs.replace(site.context, rulebook=book)
    ania = site.signed_in("ania")
    _, text, _ = await ania.ask("GET", "/rules")
    states = [each["state"] for each in json.loads(text)["rules"]]
    _, html, _ = await ania.ask("GET", "/rules?only=never", headers=PAGE)
    assert "hidden" in states
    assert f"Not in 30 days ({len(states) - states.count('live')})" in html


async def test_rules_that_were_refused_are_told(site: Site) -> None:
    told: dict[str, Any] = {"problems": ["rules.yaml:3:1: error[bad] <script>"], "in_force": "x"}
    site.store.write_now(lambda tx: events.record(tx, "rules_refused", **told))
    _, html, _ = await site.signed_in("ania").ask("GET", "/rules", headers=PAGE)
    assert "Changed rules are not in force" in html
    assert "error[bad] &lt;script&gt;" in html
    site.store.write_now(lambda tx: events.record(tx, "rules_loaded"))
    _, html, _ = await site.browser(site.session("ania")).ask("GET", "/rules", headers=PAGE)
    assert "Changed rules are not in force" not in html


async def test_operations_are_for_leads_admins_and_auditors(site: Site) -> None:
    for name, role, expected in (
        ("ania", "agent", 403),
        ("tomek", "lead", 200),
        ("root", "admin", 200),
        ("eva", "auditor", 200),
    ):
        status, _, _ = await site.signed_in(name, role).ask("GET", "/operations", headers=PAGE)  # type: ignore[arg-type]
        assert (name, status) == (name, expected)


async def test_what_was_set_aside_is_read_again_by_a_button(site: Site) -> None:
    made = receive(site)
    quarantine(site, made["journal"])
    tomek = site.signed_in("tomek", "lead")
    _, html, _ = await tomek.ask("GET", "/operations", headers=PAGE)
    assert "a &lt;b&gt;bug&lt;/b&gt;" in html
    assert f'action="/operations/replay/{made["journal"]}"' in html
    status, _, headers = await tomek.ask(
        "POST", f"/operations/replay/{made['journal']}", headers=PAGE, data={"csrf": tomek.csrf}
    )
    assert (status, headers["Location"]) == (303, "/operations?done=replayed")
    status, text, _ = await tomek.ask("POST", f"/operations/replay/{made['journal']}")
    assert (status, json.loads(text)) == (409, {"done": False})
    _, text, _ = await tomek.ask("GET", "/operations")
    assert json.loads(text)["quarantine"]["count"] == 0


async def test_a_lead_neither_sees_nor_mends_what_is_of_another_team(site: Site) -> None:
    """It is counted, so that nobody takes an empty list for an empty daemon."""
    made = receive(site, "A refund")
    quarantine(site, made["journal"])
    tomek = site.signed_in("tomek", "lead")
    _, html, _ = await tomek.ask("GET", "/operations", headers=PAGE)
    assert "1 of other teams are not shown" in html
    assert made["ref"] not in html
    assert (await tomek.ask("POST", f"/operations/replay/{made['journal']}"))[0] == 404
    assert (await site.signed_in("root", "admin").ask("POST", f"/operations/replay/{made['journal']}"))[
        0
    ] == 200


async def test_an_auditor_looks_and_touches_nothing(site: Site) -> None:
    made = receive(site)
    quarantine(site, made["journal"])
    eva = site.signed_in("eva", "auditor")
    _, html, _ = await eva.ask("GET", "/operations", headers=PAGE)
    assert "/operations/replay/" not in html
    assert (await eva.ask("POST", f"/operations/replay/{made['journal']}"))[0] == 403


async def test_what_a_channel_says_is_wrong_stands_at_its_account(site: Site) -> None:
    channel = site.wired.channels["support"]
    channel.troubles = lambda: ["INBOX: the server says <no>"]
    _, html, _ = await site.signed_in("root", "admin").ask("GET", "/operations", headers=PAGE)
    assert "INBOX: the server says &lt;no&gt;" in html


@pytest.mark.parametrize("path", ["replay", "retry", "drop"])
async def test_what_is_not_there_is_not_found(site: Site, path: str) -> None:
    root = site.signed_in("root", "admin")
    assert (await root.ask("POST", f"/operations/{path}/123456789"))[0] == 404


async def test_a_dead_letter_is_sent_again_by_its_team(site: Site) -> None:
    receive(site)
    tomek = site.signed_in("tomek", "lead")
    number = site.store.write_now(_dead)
    status, text, _ = await tomek.ask("POST", f"/operations/retry/{number}")
    assert (status, json.loads(text)) == (200, {"done": True})
    status, text, _ = await tomek.ask("POST", f"/operations/drop/{number}")
    assert json.loads(text) == {"done": True}


def _dead(tx: Any, ticket_id: int | None = None) -> int:
    number: int = tx.new_id()
    tx.insert(
        schema.outbox,
        id=number,
        ticket_id=ticket_id,
        cause=f"test {number}",
        action="reply",
        medium="email",
        account="support",
        recipient="<img src=x onerror=alert(1)>",
        payload="{}",
        state="failed",
        error="550",
        attempts=9,
        created_at=tx.now,
    )
    return number


async def test_ten_thousand_that_were_given_up_are_read_in_pages(site: Site) -> None:
    """Each once, the newest first; a lead's own are on the first page, however many of others are newer."""
    own, other = receive(site, "Hello"), receive(site, "A refund", number=2)
    ids = {each["ref"]: _ticket_id(site, each["ref"]) for each in (own, other)}

    def given_up(tx: Any) -> list[int]:
        return [_dead(tx, ids[(own if number < 230 else other)["ref"]]) for number in range(460)]

    made = site.store.write_now(given_up)
    tomek, root = site.signed_in("tomek", "lead"), site.signed_in("root", "admin")
    for browser, expected in ((tomek, made[:230]), (root, made)):
        found, behind = list[int](), ""
        while behind is not None:
            _, text, _ = await browser.ask("GET", f"/operations?dead_letters={behind}")
            page = json.loads(text)["dead_letters"]
            assert page["count"] == 460
            found += [int(each["id"]) for each in page["rows"]]
            behind = page["next"]
        assert found == expected[::-1]
    _, html, _ = await tomek.ask("GET", "/operations", headers=PAGE)
    assert "460 in all; 230 of other teams are not shown." in html
    key = html.split("/operations?dead_letters=")[1].split("#")[0]
    form = {"csrf": tomek.csrf, "dead_letters": key, "queued": "x&done=no"}
    _, _, headers = await tomek.ask("POST", f"/operations/retry/{made[0]}", headers=PAGE, data=form)
    assert headers["Location"] == f"/operations?done=retried&dead_letters={key}"


async def test_what_two_people_press_is_done_once(site: Site) -> None:
    """The second hears that somebody was quicker, and what has gone out meanwhile is not sent again."""
    made = receive(site)
    quarantine(site, made["journal"])
    number = site.store.write_now(_dead)
    leads = site.signed_in("tomek", "lead"), site.signed_in("root", "admin")
    for path in (f"replay/{made['journal']}", f"retry/{number}"):
        told = [(await each.ask("POST", f"/operations/{path}"))[0] for each in leads]
        assert (path, told) == (path, [200, 409])
    site.store.write_now(lambda tx: tx.update(schema.outbox, {"id": number}, state="sent", next_at=None))
    for path in ("retry", "drop"):
        assert (await leads[1].ask("POST", f"/operations/{path}/{number}"))[0] == 409


def _ticket_id(site: Site, ref: str) -> int:
    found = site.store.read_now(lambda tx: tickets.load_by_ref(tx, ref))
    assert found is not None
    return found.id
