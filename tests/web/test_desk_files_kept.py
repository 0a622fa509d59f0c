"""Files that are attached to an answer are kept with its text: over reloads, taken back with it, and let go with it."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from intake import drafts
from intake.store import schema
from tests.conftest import ManualClock
from tests.web.acting_site import JSON, RULES, page, post, receive, rows, sent
from tests.web.site import Browser, Site, open_site

FORK = "a-fork-of-20-letters"


@pytest.fixture
async def site(tmp_path: Path, clock: ManualClock, new_store: bytes) -> AsyncIterator[Site]:
    async with open_site(tmp_path, clock, rules=RULES, new_store=new_store) as opened:
        for name in ("ania", "ewa"):
            opened.add(name)
        yield opened


async def attach(browser: Browser, ref: str, content: bytes, name: str = "bill.pdf") -> tuple[int, Any]:
    form = aiohttp.FormData()
    form.add_field("files", content, filename=name)
    path = f"/tickets/{ref}/drafts/{FORK}/files"
    status, text, _ = await browser.ask("POST", path, data=form, headers=JSON)
    return status, msgspec.json.decode(text)


async def reply(browser: Browser, ref: str) -> tuple[int, dict[str, Any]]:
    """Send an answer with the file, with what the page has seen."""
    _, shown = await page(browser, f"/tickets/{ref}")
    (seen,) = re.findall(r'name="seen" value="([^"]+)"', shown)
    said: dict[str, Any] = {"text": "Here it is", "fork": FORK, "revision": 1, "seen": seen}
    return await post(browser, f"/tickets/{ref}/reply", **said, kept=["bill.pdf"])


async def test_a_file_is_there_after_a_reload_before_a_word_is_written(site: Site) -> None:
    ania, ref = site.signed_in("ania"), receive(site)["ref"]
    for content in (b"first", b"second"):
        status, told = await attach(ania, ref, content)
    assert (status, [each["name"] for each in told["files"]]) == (200, ["bill.pdf", "bill-2.pdf"])
    assert 'name="kept" value="bill-2.pdf"' in (await page(ania, f"/tickets/{ref}"))[1]


@pytest.mark.slow
async def test_what_keeps_a_file_from_going_along_is_said_before_it_is_sent(
    tmp_path: Path, clock: ManualClock, new_store: bytes
) -> None:
    """A text from a number that sends none: the composer knows the files that are kept with the draft."""
    account = (
        "  texts: {kind: twilio.sms, account_sid: AC00000000000000000000000000000000, auth_token: none, "
        'numbers: ["+48221234567"]}'
    )
    public_url = ', public_url: "https://help.example.com"'
    async with open_site(
        tmp_path, clock, rules=RULES, new_store=new_store, channels=account, http=public_url
    ) as site:
        ania, ref = site.signed_in("ania"), receive(site)["ref"]
        texted = {"medium": "sms", "account": "texts", "author": "+48600100200"}
        site.store.write_now(lambda tx: tx.update(schema.messages, {"direction": "in"}, **texted))
        await attach(ania, ref, b"a bill")
        asked: dict[str, Any] = {"text": "Here it is", "fork": FORK}
        _, told = await post(ania, f"/tickets/{ref}/compose", **asked)
        assert told["composed"]["can_send"]
        _, told = await post(ania, f"/tickets/{ref}/compose", **asked, kept=["bill.pdf"])
        assert not told["composed"]["can_send"]
        assert "numbers of the USA and Canada" in told["composed"]["reason"]


async def test_kept_files_leave_with_the_answer_come_back_with_it_and_go_with_the_draft(
    site: Site, clock: ManualClock
) -> None:
    ania, ref = site.signed_in("ania"), receive(site)["ref"]
    await attach(ania, ref, b"the bill")
    status, told = await reply(ania, ref)
    assert status == 200, told
    (answer,) = [each for each in sent(site) if each.attachments]
    assert [each.name for each in answer.attachments] == ["bill.pdf"]
    _, back = await post(ania, f"/tickets/{ref}/undo", outbox=told["outbox"])
    assert back["draft"]["files"] == [{"name": "bill.pdf", "size": 8}]
    (before,) = rows(site, "blobs", "size_bytes = 8")
    await post(ania, f"/drafts/{FORK}/discard")
    clock.at += timedelta(days=8)
    site.store.write_now(drafts.forget_ended)
    (after,) = rows(site, "blobs", "size_bytes = 8")
    assert (before["refs"], after["refs"]) == (2, 1)


async def test_a_file_that_is_left_out_is_gone(site: Site) -> None:
    ania, ref = site.signed_in("ania"), receive(site)["ref"]
    await attach(ania, ref, b"the bill")
    _, told = await post(ania, f"/drafts/{FORK}/files/remove", name="bill.pdf")
    assert told["files"] == []
    assert rows(site, "blobs", "size_bytes = 8") == []
    status, told = await reply(ania, ref)
    assert (status, "bill.pdf is not here" in told["error"]["text"]) == (422, True)


async def test_nobody_sends_anothers_files(site: Site) -> None:
    ania, ewa, ref = site.signed_in("ania"), site.signed_in("ewa"), receive(site)["ref"]
    await attach(ania, ref, b"the bill")
    status, told = await reply(ewa, ref)
    assert (status, "bill.pdf is not here" in told["error"]["text"]) == (422, True)
