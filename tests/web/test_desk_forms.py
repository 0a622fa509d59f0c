"""What the desk's forms ask, keep and refuse, with and without scripts."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from intake import unseen
from tests.conftest import ManualClock
from tests.web.acting_site import JSON, PAGE, RULES, page, post, public, receive
from tests.web.site import Site, open_site


@pytest.fixture
async def site(tmp_path: Path, clock: ManualClock, new_store: bytes) -> AsyncIterator[Site]:
    async with open_site(tmp_path, clock, new_store=new_store, rules=RULES) as opened:
        (tmp_path / "canned").mkdir()
        yield opened


@pytest.mark.slow
async def test_solving_asks_how_it_came_out_of_browsers_without_scripts_too(site: Site) -> None:
    """Nothing is sent or changed before it is said; a ticket that has said it once is asked no more."""
    ania, ticket = site.signed_in("ania"), receive(site)
    path = f"/tickets/{ticket['ref']}"
    said: dict[str, Any] = {
        "text": "Done.",
        "seen": site.store.read_now(lambda tx: unseen.mark(tx, ticket["id"])),
        "status": "solved",
    }
    status, html, _ = await ania.ask("POST", f"{path}/reply", data=said, headers=PAGE)
    assert (status, '<select name="outcome" required>' in html, ">Done.</textarea>" in html) == (
        422,
        True,
        True,
    )
    assert public(site, ticket["ref"]) == ["My printer is on fire."]
    _, html, _ = await ania.ask("POST", f"{path}/reply", data=said | {"kept": "bill.pdf"}, headers=PAGE)
    assert (
        '<input type="hidden" name="kept" value="bill.pdf">' in html
    )  # what is attached goes along next time
    _, html, _ = await ania.ask("POST", f"{path}/status", data={"status": "closed"}, headers=PAGE)
    assert f'href="{path}">' in html.partition("Say how it came out")[2]
    assert (await post(ania, f"{path}/status", status="solved", outcome="solved"))[0] == 200
    assert (await post(ania, f"{path}/status", status="closed"))[0] == 200


@pytest.mark.slow
async def test_canned_reply_of_another_team_is_given_to_nobody_else(site: Site, tmp_path: Path) -> None:
    """Neither in the list nor by its name."""
    (tmp_path / "canned" / "secret.en.md").write_text("Title: Secret\nTeam: billing\n\nOur price is 7.\n")
    ania, ticket = site.signed_in("ania"), receive(site)
    status, text, _ = await ania.ask("GET", f"/tickets/{ticket['ref']}/canned/secret", headers=JSON)
    assert (status, "price" in text, "no canned reply" in text) == (422, False, True)


@pytest.mark.slow
async def test_a_letter_keeps_its_pages_and_is_one_ticket_however_often_it_is_sent(site: Site) -> None:
    """Files of what somebody gave us stand with their words; the form has a name for its text without scripts too."""
    ania = site.signed_in("ania")
    _, html = await page(ania, "/new")
    (fork,) = re.findall(r'name="fork" value="(page-[0-9a-f]+)"', html)
    refs = set()
    for _ in range(2):
        data = aiohttp.FormData({"way": "letter", "name": "Jan", "text": "They wrote.", "fork": fork})
        data.add_field("files", b"%PDF-1.7 page", filename="letter.pdf", content_type="application/pdf")
        status, _, headers = await ania.ask("POST", "/new", data=data, headers=PAGE)
        assert status == 303
        refs.add(headers["Location"].rpartition("/")[2])
    (ref,) = refs
    _, html = await page(ania, f"/tickets/{ref}")
    (link,) = re.findall(rf'href="(/tickets/{ref}/files/\d+/0)"', html)
    status, text, _ = await ania.ask("GET", link)
    assert (status, text) == (200, "%PDF-1.7 page")
