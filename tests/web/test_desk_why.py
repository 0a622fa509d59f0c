"""The page that says why a ticket is where it is: rules, their conditions as they were then, and what came after."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from intake import explaining
from intake.web.desk import why
from intake.web.desk.words import HAPPENED
from routing.facts import EVENTS
from tests.conftest import ManualClock
from tests.web.acting_site import RULES, page, receive
from tests.web.site import Site, open_site

REACTING = f"""{RULES}
react:
  - {{id: thanked, on: customer_replied, when: {{text.words: [thanks]}}, then: {{tags: [thanked]}}}}
  - {{id: written, on: note_added, then: {{tags: [noted]}}}}
"""


@pytest.fixture
async def site(tmp_path: Path, clock: ManualClock, new_store: bytes) -> AsyncIterator[Site]:
    async with open_site(tmp_path, clock, new_store=new_store, rules=REACTING) as opened:
        yield opened


def _said(html: str) -> str:
    """What is read, without marks."""
    return " ".join(re.sub(r"<[^>]+>", " ", html.partition("<main")[2]).split())


@pytest.mark.slow
async def test_why_names_each_rule_with_what_it_wanted_and_what_there_was(site: Site) -> None:
    """With its place, a way to the page of rules, and whether it held in words, not by colour alone."""
    ania, ticket = site.signed_in("ania", "admin"), receive(site, body="<b>My</b> refund, please.")
    status, html = await page(ania, f"/tickets/{ticket['ref']}/why")
    said = _said(html)
    assert (status, '<a href="/rules#rule-money">money</a>' in html) == (200, True)
    assert "Held: text.words wanted invoice, refund was refund" in said
    assert "rules.yaml:" in said
    assert "First answer due" in said
    assert '<tr id="rule-money" ' in (await page(ania, "/rules"))[1]


@pytest.mark.slow
async def test_why_tells_what_rules_did_later_and_which_were_not_asked(site: Site) -> None:
    """The newest first, each condition that failed with what there was."""
    ania = site.signed_in("ania")
    ticket = receive(site, message_id="first@customer.example")
    receive(site, body="Any <i>news</i>?", answers="first@customer.example")
    _, html = await page(ania, f"/tickets/{ticket['ref']}/why")
    said = _said(html)
    assert "The customer wrote" in said
    assert "No rule did anything." in said
    assert "thanked rules.yaml:20 does not match Did not hold: text.words wanted thanks was nothing" in said
    assert "1 rule was not asked" in said
    assert "written rules.yaml:21 waits for note_added, not for customer_replied" in said


@pytest.mark.slow
async def test_why_of_a_long_conversation_is_short(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every rule is tried again for each thing that happened: the page tells the newest, and how many it leaves out."""
    ania = site.signed_in("ania")
    ticket = receive(site, message_id="first@customer.example")
    for _ in range(4):
        receive(site, body="And?", answers="first@customer.example")
    found = site.store.read_now(lambda tx: explaining.of_ticket(tx, ticket["ref"], most=3))
    assert found is not None
    assert (len(found["reactions"]), found["left_out"]) == (3, 1)
    whole = site.store.read_now(lambda tx: explaining.of_ticket(tx, ticket["ref"]))
    assert whole is not None
    assert (found["reactions"], whole["left_out"]) == (whole["reactions"][1:], 0)
    monkeypatch.setattr(why, "MOST", 3)
    _, html = await page(ania, f"/tickets/{ticket['ref']}/why")
    assert f"1 older ones are not shown: intake rules explain {ticket['ref']} tells them all" in _said(html)


def test_everything_that_rules_wait_for_has_a_sentence() -> None:
    assert set(EVENTS) == set(HAPPENED)
