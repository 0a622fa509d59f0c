"""Files of visitors: limits said before, progress, and what becomes of one that cannot go now, or not at all."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from channels.webchat.protocol import Failed
from channels.webchat.work import Work
from intake.keys import Keys
from tests.web import browser as browsers
from tests.web import screens
from tests.web.chat_desk import Desk
from tests.web.chat_pages import EMPTY, Shop, shop
from tests.web.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]
SETTINGS: dict[str, Any] = {
    "contact": "never",
    "limits": {"text": 200, "files": 2, "file_bytes": 1_000, "types": ["text/plain"]},
}
CONSENT = {"version": "v1", "text": {"en": "We keep what you write for 30 days."}}
BILL: Any = {"name": "bill.txt", "mimeType": "text/plain", "buffer": b"x" * 600}
browser = browsers.of_module


async def test_files(browser: Browser) -> None:
    """Files come by button, paste and drop, within limits that are said before; what came is saved, never opened."""
    async with shop(browser, _desk()) as its:
        await its.open()
        picker = its.page.locator("input[type=file]")
        await picker.set_input_files({"name": "big.txt", "mimeType": "text/plain", "buffer": b"x" * 1_001})
        await expect(
            its.page.get_by_role("alert").filter(has_text="big.txt is larger than 1 kB.")
        ).to_be_visible()
        await its.page.evaluate(_PASTE, "textarea")
        await its.page.evaluate(_DROP, ".panel")
        await expect(its.page.locator(".chip")).to_have_count(2)
        await picker.set_input_files({"name": "third.txt", "mimeType": "text/plain", "buffer": b"x"})
        await expect(
            its.page.get_by_role("alert").filter(has_text="A message can have 2 files.")
        ).to_be_visible()
        await screens.shoot(its.page, "chat-files")
        assert await its.stored() == EMPTY
        await its.button("Remove dropped.txt").click()
        await its.write("See the file")
        await until(lambda: its.desk.written == ["See the file"])
        assert [each.name for each in its.desk.chat.lines[0].files] == ["pasted.txt"]
        async with its.page.expect_download() as download:
            await its.button("Save pasted.txt, 6 byte").or_(its.page.locator("button.file")).first.click()
        assert (await download.value).suggested_filename == "pasted.txt"
        its.desk.upload_status = 415
        await picker.set_input_files({"name": "page.txt", "mimeType": "text/plain", "buffer": b"<html>"})
        await expect(
            its.page.get_by_role("alert").filter(has_text="page.txt: files of this kind")
        ).to_be_visible()
        assert its.seen.violations == []


async def test_a_file_under_way_shows_how_far_and_can_be_stopped(browser: Browser) -> None:
    """What is stopped is not sent with the line, and the line does not wait for it any longer."""
    limits = {"text": 200, "files": 2, "file_bytes": 9_000_000, "types": []}
    async with shop(browser, _desk(limits=limits)) as its:
        await its.open()
        await its.say("Hello")
        its.desk.takes_uploads.clear()
        await its.page.locator("input[type=file]").set_input_files(
            {"name": "film.txt", "mimeType": "text/plain", "buffer": b"x" * 4_000_000}
        )
        await expect(its.page.locator(".chip")).to_contain_text("film.txt")
        await its.text.fill("See the film")
        await its.page.keyboard.press("Enter")
        await expect(its.button("Send")).to_be_disabled()
        async with its.page.expect_event("requestfailed", lambda request: "/upload?" in request.url):
            await its.button("Remove film.txt").click()
        await until(lambda: its.desk.written == ["Hello", "See the film"])
        assert its.desk.chat.lines[-1].files == ()


@pytest.mark.parametrize(
    ("failures", "said"),
    [
        ([(413, None)], "bill.txt is larger than 0.5 kB."),
        ([(415, None)], "bill.txt: files of this kind"),
        ([(502, None)], "bill.txt could not be sent."),
        ([(200, None)], "bill.txt could not be sent."),
        ([(401, Failed(code="bad_token", text="no"))], "bill.txt could not be sent."),
        ([(429, Failed(code="rate_limited", text="no", retry_after_s=3_600))], "bill.txt could not be sent."),
    ],
)
async def test_a_file_that_cannot_go_is_said_to_be_so(
    browser: Browser, failures: list[tuple[int, Failed | None]], said: str
) -> None:
    """Whoever refuses it, the daemon or something before it: the visitor hears, takes it away, and the text still goes."""
    async with shop(browser, _desk()) as its:
        await its.open()
        await its.say("Hello")
        its.desk.settings["limits"] = {**SETTINGS["limits"], "file_bytes": 500}
        its.desk.upload_failures = list(failures)
        await its.page.locator("input[type=file]").set_input_files(BILL)
        await expect(its.page.get_by_role("alert").filter(has_text=said)).to_be_visible()
        await its.write("See the bill")
        await expect(its.text).to_have_value("See the bill")
        await its.button("Remove bill.txt").click()
        await its.say("See the bill")
        assert its.desk.written == ["Hello", "See the bill"]
        assert its.desk.uploads == {}


@pytest.mark.parametrize("code", ["rate_limited", "unavailable"])
async def test_a_file_waits_as_long_as_it_is_told(browser: Browser, code: str) -> None:
    """429 and 503 with a time: the file, and the line that has it, go out after that, whatever else comes meanwhile."""
    async with shop(browser, _desk(), is_gone_to=False) as its:
        await its.page.clock.install()
        await its.page.goto(its.url)
        await its.open()
        await its.say("Hello")
        its.desk.upload_failures = [
            (429 if code == "rate_limited" else 503, Failed(code=code, text="no", retry_after_s=30))
        ]
        await its.page.locator("input[type=file]").set_input_files(BILL)
        await its.write("See the bill")
        await until(lambda: its.desk.upload_failures == [])
        await its.desk.say("Are you there?")
        await expect(its.page.locator(".agent")).to_have_count(1)
        await its.page.clock.run_for(20_000)
        assert _asked(its) == 1
        await its.page.clock.run_for(11_000)
        await until(lambda: its.desk.written == ["Hello", "See the bill"])
        assert _asked(its) == 2
        assert [each.name for each in its.desk.chat.lines[-1].files] == ["bill.txt"]


async def test_a_file_goes_on_when_what_it_waits_for_is_given(browser: Browser) -> None:
    """409, agree first: asked once; a no leaves everything as it was, a yes sends the file, then the line."""
    desk = _desk()
    async with shop(browser, desk) as its:
        await its.open()
        await its.say("Hello")
        desk.settings["consent"] = CONSENT
        desk.upload_failures = [(409, Failed(code="consent_required", text="agree first"))]
        desk.takes_uploads.clear()
        await its.page.locator("input[type=file]").set_input_files(BILL)
        await its.write("See the bill")
        await expect(its.button("Send")).to_be_disabled()
        desk.takes_uploads.set()
        await its.button("Not now").click()
        await expect(its.button("Send")).to_be_enabled()
        await expect(its.text).to_have_value("See the bill")
        await expect(its.page.locator(".chip")).to_have_count(1)
        await its.page.keyboard.press("Enter")
        await its.button("Agree and send").click()
        await until(lambda: desk.written == ["Hello", "See the bill"])
        assert desk.chat.consent == "v1"
        assert [each.name for each in desk.chat.lines[-1].files] == ["bill.txt"]
        assert _asked(its) == 2


async def test_a_file_of_somebody_who_must_sign_in_waits_for_that(browser: Browser) -> None:
    """401, who is it: the page is asked for a proof once, and the file goes out with it."""
    async with shop(browser, _desk()) as its:
        await its.page.evaluate(
            "() => { window.wanted = 0; document.querySelector('chat-launcher').on('identify', () => wanted++); }"
        )
        await its.open()
        await its.say("Hello")
        its.desk.upload_failures = [(401, Failed(code="identity_required", text="who is it"))]
        await its.page.locator("input[type=file]").set_input_files(BILL)
        await its.page.get_by_text("Sign in on this page first.").wait_for()
        await its.desk.say("Are you there?")
        await expect(its.page.locator(".agent")).to_have_count(1)
        assert await its.page.evaluate("wanted") == 1
        await its.page.evaluate("document.querySelector('chat-launcher').identify('a.b.c')")
        await its.say("See the bill")
        assert [each.name for each in its.desk.chat.lines[-1].files] == ["bill.txt"]
        assert _asked(its) == 2


async def test_a_file_is_worked_for_while_there_is_a_flood(browser: Browser, tmp_path: Path) -> None:
    """428: the browser works it out, and the file goes out with that."""
    keys = Keys.load_or_create(tmp_path / "keys.json")
    async with shop(browser, _desk()) as its:
        await its.open()
        await its.say("Hello")
        its.desk.work = Work(1, seal=keys.sign, clock=lambda: datetime.now(UTC))
        for number in range(2):
            its.desk.work._note(f"192.0.2.{number}")
        await its.page.locator("input[type=file]").set_input_files(BILL)
        await until(lambda: [name for name, _ in its.desk.uploads.values()] == ["bill.txt"])
        assert _asked(its) == 2


async def test_what_is_written_while_a_file_goes_stays(browser: Browser) -> None:
    """Who writes on while a line waits for its file finds that afterwards, without what went out; another language too."""
    async with shop(browser, _desk()) as its:
        await its.open()
        await its.say("Hello")
        its.desk.takes_uploads.clear()
        await its.page.locator("input[type=file]").set_input_files(BILL)
        await its.write("See the bill")
        await its.text.press_sequentially(". And another thing")
        await its.page.evaluate("document.querySelector('chat-launcher').setLocale('pl')")
        text = its.page.get_by_role("textbox", name="Twoja wiadomość")
        await expect(text).to_have_value("See the bill. And another thing")
        await expect(its.page.locator(".chip")).to_have_count(1)
        its.desk.takes_uploads.set()
        await until(lambda: its.desk.written == ["Hello", "See the bill"])
        await expect(text).to_have_value(". And another thing")
        assert [each.name for each in its.desk.chat.lines[-1].files] == ["bill.txt"]


def _asked(its: Shop) -> int:
    return its.desk.requests.count("POST /chat/website/upload")


def _desk(**settings: Any) -> Desk:
    desk = Desk()
    desk.settings = {**SETTINGS, **settings}
    return desk


_FILE = (
    "const brought = new DataTransfer(); brought.items.add(new File(['pasted'], NAME, {type: 'text/plain'}));"
)
_FIND = "const at = document.querySelector('chat-launcher').shadowRoot.querySelector(where);"
_PASTE = f"where => {{ {_FILE.replace('NAME', repr('pasted.txt'))} {_FIND} at.dispatchEvent(new ClipboardEvent('paste', {{clipboardData: brought, bubbles: true}})); }}"
_DROP = f"where => {{ {_FILE.replace('NAME', repr('dropped.txt'))} {_FIND} at.dispatchEvent(new DragEvent('drop', {{dataTransfer: brought, bubbles: true}})); }}"
