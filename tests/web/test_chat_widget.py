"""The widget in a real browser, on a stranger's page with a strict policy: what a visitor does, and what comes of it."""

import re
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from channels.webchat.protocol import Contact, End, Line, Status
from tests.web import browser as browsers
from tests.web import screens
from tests.web.chat_desk import Desk
from tests.web.chat_pages import EMPTY, Shop, shop
from tests.web.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]
SETTINGS: dict[str, Any] = {
    "name": {"en": "The tea shop"},
    "greeting": {"en": "Hello. How can we help?", "pl": "Dzień dobry. W czym pomóc?"},
    "openings": {"en": ["Where is my order?", "Something is broken"]},
    "limits": {"text": 200, "files": 2, "file_bytes": 1_000, "types": ["text/plain"]},
}
CONSENT = {
    "version": "v1",
    "text": {"en": "We keep what you write for 30 days."},
    "link": "https://shop.example/privacy",
}
AWAY = Status(at="2026-11-22T20:00:00Z", is_open=False, is_live=False, next_open="2026-11-23T08:00:00Z")
browser = browsers.of_module


async def test_nothing_happens_before_somebody_means_to_write(browser: Browser) -> None:
    """A page view costs one request; load, hover, open and typing store nothing; the policy has nothing to object to."""
    async with shop(browser, _desk(), is_bare=True) as its:
        await its.page.mouse.wheel(0, 400)
        assert its.desk.requests == ["GET /chat/widget.js"]
        assert await its.stored() == EMPTY
        async with its.page.expect_response("**/settings.json"):
            await its.button("Chat with us").hover()
        assert await its.stored() == EMPTY
        await its.open()
        await its.text.fill("I am not sure yet")
        await expect(
            its.page.get_by_text("We are here now. We usually answer within 4 minutes")
        ).to_be_visible()
        assert await its.stored() == EMPTY
        assert sum("/socket" in each for each in its.desk.requests) == 0
        _nothing_wrong(its)


async def test_a_conversation(browser: Browser) -> None:
    """A line goes out once, is answered, seen and read; another page load goes on where it was; all under the policy."""
    async with shop(browser, _desk()) as its:
        await its.open()
        await its.button("Where is my order?").click()
        await expect(its.page.locator(".customer .mark")).to_have_text(re.compile("· Sent$"))
        assert its.desk.written == ["Where is my order?"]
        await its.desk.type()
        await expect(its.page.locator(".typing")).to_have_text("Ana is writing")
        await its.desk.say("It left yesterday.", replies=("Thank you", "Not yet"))
        await its.desk.see()
        await expect(its.page.locator(".agent .text")).to_have_text("It left yesterday.")
        await expect(its.page.locator(".customer .mark")).to_have_text(re.compile("· Seen$"))
        await expect(its.page.locator(".typing")).to_be_hidden()
        await its.button("Thank you").click()
        await expect(its.page.locator(".customer")).to_have_count(2)
        await until(lambda: its.desk.chat.got == 3)
        stored = await its.stored()
        assert list(stored["local"]) == ["chat:website"]
        assert (stored["cookies"], stored["databases"]) == (0, 0)
        await its.page.reload()
        await expect(its.page.locator(".line .text")).to_have_text(
            ["Where is my order?", "It left yesterday.", "Thank you"]
        )
        assert its.desk.written == ["Where is my order?", "Thank you"]
        await screens.shoot(its.page, "chat-conversation")
        _nothing_wrong(its)


async def test_a_closed_panel_counts_what_comes(browser: Browser) -> None:
    """Lines that come while the panel is closed are counted in the button's name, told to the page, and read when it opens."""
    async with shop(browser, _desk()) as its:
        await its.page.evaluate(
            "() => { window.heard = []; const chat = document.querySelector('chat-launcher');"
            "for (const name of ['ready', 'open', 'close', 'message', 'unread']) chat.on(name, d => heard.push([name, d])); }"
        )
        await its.open()
        await its.say("Hello")
        await its.page.keyboard.press("Escape")
        await expect(its.button("Chat with us")).to_be_focused()
        await its.desk.say("One")
        await its.desk.say("Two")
        await its.button("Chat, 2 new messages").wait_for()
        await screens.shoot(its.page, "chat-unread")
        await its.page.goto(f"{its.url}/tea")
        await its.button("Chat, 2 new messages").click()
        await expect(its.page.locator(".agent .text")).to_have_text(["One", "Two"])
        await its.button("Close the chat").click()
        await its.button("Chat with us").wait_for()
        _nothing_wrong(its)


async def test_agreement_is_asked_for_at_the_first_send(browser: Browser) -> None:
    """What was typed stays, nothing is stored or sent before the visitor agrees, and a changed text is asked again."""
    desk = _desk(consent=CONSENT)
    async with shop(browser, desk) as its:
        await its.open()
        await its.write("My order is late")
        await its.page.get_by_text("We keep what you write for 30 days.").wait_for()
        await screens.shoot(its.page, "chat-consent")
        assert await its.stored() == EMPTY
        await its.button("Not now").click()
        await expect(its.text).to_have_value("My order is late")
        assert desk.chats == {}
        await its.page.keyboard.press("Enter")
        await its.button("Agree and send").click()
        await until(lambda: desk.written == ["My order is late"])
        assert desk.chat.consent == "v1"
        desk.settings["consent"] = {**CONSENT, "version": "v2"}
        await its.page.reload()
        await its.write("And cold")
        await its.button("Agree and send").click()
        await until(lambda: desk.written == ["My order is late", "And cold"])
        assert desk.chat.consent == "v2"
        _nothing_wrong(its)


async def test_a_text_that_changed_meanwhile_is_the_one_that_is_agreed_to(browser: Browser) -> None:
    """What the page knows may be old, or nothing: when the daemon asks, the text is looked up anew, and the line goes out."""
    desk = _desk()
    async with shop(browser, desk) as its:
        await its.open()
        await expect(its.page.get_by_text("The tea shop")).to_be_visible()
        desk.settings["consent"] = CONSENT
        desk.takes_consent_of = "v1"
        await its.write("My order is late")
        await its.button("Agree and send").click()
        await until(lambda: desk.written == ["My order is late"])
        assert desk.chat.consent == "v1"


async def test_nobody_there_means_an_address_first(browser: Browser) -> None:
    """While nobody is there the page says when, asks where the answer may go, and sends the line with it."""
    desk = _desk()
    desk.status = AWAY
    async with shop(browser, desk) as its:
        await its.open()
        await expect(its.page.locator(".state")).to_contain_text("We are back")
        await its.write("Please write to me")
        await its.page.get_by_text("say where our answer may go").wait_for()
        await its.page.get_by_label("Email").fill("eva@")
        await its.page.keyboard.press("Enter")
        await expect(its.page.get_by_role("alert").filter(has_text="no email address")).to_be_visible()
        await screens.shoot(its.page, "chat-away")
        await its.page.get_by_label("Email").fill("eva@customer.example")
        await its.page.get_by_label("Name, if you like").fill("Eva")
        await its.page.keyboard.press("Enter")
        await until(lambda: desk.written == ["Please write to me"])
        (contact,) = [each for each in desk.chat.turns if isinstance(each, Contact)]
        assert (contact.email, contact.name) == ("eva@customer.example", "Eva")
        _nothing_wrong(its)


async def test_an_address_is_offered_once_and_may_be_declined(browser: Browser) -> None:
    """Who writes while somebody is there is asked afterwards where the answer may go, and not again after a no."""
    async with shop(browser, _desk()) as its:
        await its.open()
        await its.write("Hello")
        await its.button("Not now").click()
        await its.say("Again")
        await expect(its.button("Leave my email")).to_have_count(0)
        await its.page.reload()
        await expect(its.page.locator(".customer")).to_have_count(2)
        await expect(its.button("Leave my email")).to_have_count(0)


async def test_presence_changes_while_the_panel_is_open(browser: Browser) -> None:
    """What the daemon says of who is there is on the screen at once, an incident too."""
    async with shop(browser, _desk()) as its:
        await its.open()
        await its.say("Hello")
        await its.desk.change(Status(at="2026-11-22T12:00:00Z", is_open=True, is_live=False))
        await expect(its.page.locator(".state")).to_have_text(
            "Everybody is busy. Write, and we answer here or by email."
        )
        await its.desk.change(
            Status(
                at="2026-11-22T12:00:00Z",
                is_open=True,
                is_live=True,
                wait_s=(1_000, 7_000),
                incident={"en": "Post is slow."},
            )
        )
        await expect(its.page.locator(".state")).to_have_text(
            "We are here now. We usually answer within 2 hours"
        )
        await expect(its.page.get_by_text("Post is slow.")).to_be_visible()
        await its.desk.change(Status(at="2026-11-22T12:00:00Z", is_open=True, is_live=True))
        await expect(its.page.locator(".greeting")).to_have_text("Hello. How can we help?")


async def test_the_whole_chat_is_kept_ended_and_forgotten(browser: Browser) -> None:
    """The menu saves a copy, mails one, ends the chat, and forgets it; a line after that is another chat."""
    async with shop(browser, _desk()) as its:
        await its.open()
        await its.say("Hello")
        async with its.page.expect_download() as download:
            await _choose(its, "Save as text")
        assert (await download.value).suggested_filename == "chat.txt"
        await _choose(its, "Send it to my email")
        await its.page.get_by_label("Email").fill("eva@customer.example")
        await its.button("Save").click()
        await its.page.get_by_text("The conversation is on its way to your email.").wait_for()
        await _choose(its, "End the chat")
        await until(lambda: any(isinstance(each, End) for each in its.desk.chat.turns))
        await its.desk.say("", author="system", code="ended_customer")
        await expect(its.page.locator(".system .text")).to_have_text(
            "You have ended the chat. Write to go on."
        )
        await _choose(its, "Forget this chat")
        await screens.shoot(its.page, "chat-forget")
        await its.button("Forget it").click()
        await expect(its.page.locator(".line")).to_have_count(0)
        assert (await its.stored())["local"] == {}
        await until(lambda: its.desk.chats == {})
        await its.write("Somebody else")
        await until(lambda: its.desk.written == ["Somebody else"])
        assert its.seen.violations == []


async def test_a_line_that_is_refused_is_given_back(browser: Browser) -> None:
    """A final refusal is said with its reason, and the text can be changed; what is only late is said again, once kept."""
    async with shop(browser, _desk()) as its:
        its.desk.errors = [("unavailable", 1), ("too_long", None)]
        await its.open()
        await its.write("A long story")
        await expect(its.page.locator(".failed .mark")).to_have_text("Not sent: it is too long")
        await screens.shoot(its.page, "chat-refused")
        await its.button("Edit").click()
        await expect(its.text).to_have_value("A long story")
        await its.write("Short")
        await until(lambda: its.desk.written == ["Short"])
        await its.text.fill("x" * 203)
        await expect(its.page.get_by_role("alert").filter(has_text="3 characters too many")).to_be_visible()
        await its.page.keyboard.press("Enter")
        await expect(its.text).to_have_value("x" * 203)


async def test_what_the_page_knows_goes_with_each_line(browser: Browser) -> None:
    """Names and texts are cut to what the daemon takes, so that no line is refused for what a page says."""
    async with shop(browser, _desk()) as its:
        await its.page.evaluate(
            "() => document.querySelector('chat-launcher').setContext({'Plan Name': 'gold', cart: 3, long: 'x'.repeat(999), 'ż': 1})"
        )
        await its.open()
        await its.say("Hello")
        (line,) = [each for each in its.desk.chat.turns if isinstance(each, Line)]
        assert line.context == {"plan-name": "gold", "cart": "3", "long": "x" * 200}


async def test_an_owner_may_hide_it_while_nobody_is_there(browser: Browser) -> None:
    """With away=hide the button is not there while nobody is, and is there when somebody is."""
    desk = _desk()
    desk.status = AWAY
    async with shop(browser, desk, attributes=' away="hide"') as its:
        await expect(its.page.locator(".launch")).to_be_hidden()
        desk.status = Status(at="2026-11-22T12:00:00Z", is_open=True, is_live=False)
        await its.page.reload()
        await its.button("Chat with us").wait_for()


async def test_text_of_others_is_text(browser: Browser) -> None:
    """Whatever an agent, a greeting or a name holds is shown as it is written, and runs nowhere."""
    evil = '<img src=x onerror="window.ran=1"><script>window.ran=1</script>{name}'
    desk = _desk(greeting={"en": evil}, name={"en": evil})
    async with shop(browser, desk) as its:
        await its.open()
        await its.say(evil)
        await desk.say(evil, name=evil, replies=(evil,))
        await expect(its.page.locator(".agent .text")).to_have_text(evil)
        assert await its.page.evaluate("window.ran") is None
        assert its.seen.violations == []


def _desk(**settings: Any) -> Desk:
    desk = Desk()
    desk.settings = {**SETTINGS, **settings}
    return desk


def _nothing_wrong(its: Shop) -> None:
    assert its.seen.violations == []
    assert its.seen.errors == []
    assert its.seen.outside(its.url, its.chat, its.chat.replace("http", "ws", 1)) == []


async def _choose(its: Shop, item: str) -> None:
    await its.button("More").click()
    await its.button(item).click()
