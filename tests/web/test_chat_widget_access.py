"""The widget for people who use no mouse, hear the page, read it large, or hold it in one hand."""

from typing import Any

import pytest
from playwright.async_api import Browser, expect

from channels.webchat.protocol import Status
from tests.web import browser as browsers
from tests.web import screens
from tests.web.chat_desk import Desk
from tests.web.chat_pages import SENT, Shop, shop

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]
AWAY = Status(at="2026-11-22T20:00:00Z", is_open=False, is_live=False)
CONSENT = {"version": "v1", "text": {"en": "We keep what you write for 30 days."}, "link": ""}
SETTINGS: dict[str, Any] = {
    "name": {"en": "The tea shop"},
    "greeting": {"en": "Hello. How can we help?"},
    "openings": {
        "en": ["Where is my order?", "Something is broken", "I would like to change what I have ordered"]
    },
    "limits": {"text": 200, "files": 2, "file_bytes": 1_000, "types": ["text/plain"]},
    "consent": CONSENT,
}
WIDTHS = [(360, 640), (768, 1024), (1280, 800)]
# What a keyboard has in focus: within the chat, or the page's own.
_FOCUS = """() => {
  const own = document.activeElement;
  const at = own?.shadowRoot?.activeElement ?? own;
  return at?.getAttribute("aria-label") || at?.textContent?.trim() || at?.tagName || "";
}"""
browser = browsers.of_module


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), WIDTHS)
async def test_axe_finds_nothing_in_any_state(browser: Browser, width: int, height: int, scheme: Any) -> None:
    """Closed, empty, asking to agree, in conversation, offline, with its menu, refused, forgetting and away: 0 violations."""
    desk = _desk()
    async with shop(browser, desk, width=width, height=height, color_scheme=scheme) as its:
        name = f"{width}-{scheme}"
        await _check(its, f"{name}-1-closed")
        await its.open()
        await its.button("Where is my order?").wait_for()
        await _check(its, f"{name}-2-empty")
        await its.write(
            "Where is my order?\nIt was two kettles and a very long sentence about how they were packed."
        )
        await its.button("Agree and send").wait_for()
        await _check(its, f"{name}-3-consent")
        await its.button("Agree and send").click()
        await expect(its.page.locator(".customer .mark")).to_have_text(SENT)
        await desk.say(
            "It left yesterday with https://parcels.example/very-long-address-without-any-place-to-break-it-in-two"
        )
        await desk.say("It will be with you tomorrow.", replies=("Thank you", "Not yet"))
        await desk.type()
        await its.page.locator(".typing").wait_for()
        await _check(its, f"{name}-4-conversation")
        await its.button("Leave my email").click()
        await its.page.get_by_label("Email").fill("nobody")
        await its.page.keyboard.press("Enter")
        await _check(its, f"{name}-5-contact")
        await its.button("Not now").click()
        await its.button("More").click()
        await _check(its, f"{name}-6-menu")
        await its.button("Forget this chat").click()
        await _check(its, f"{name}-7-forget")
        await its.button("Keep it").click()
        desk.errors = [("blocked", None)]
        await its.write("Another line")
        await its.page.locator(".failed").wait_for()
        await _check(its, f"{name}-8-refused")
        await its.context.set_offline(offline=True)
        await its.page.get_by_text("No connection.").wait_for()
        await _check(its, f"{name}-9-offline")
        assert its.seen.violations == []


@pytest.mark.parametrize(("width", "height"), WIDTHS)
async def test_axe_finds_nothing_while_we_are_away(browser: Browser, width: int, height: int) -> None:
    """The form for an address stands wholly within the panel, with its buttons."""
    desk = _desk(consent=None)
    desk.status = AWAY
    async with shop(browser, desk, width=width, height=height) as its:
        await its.open()
        await its.write("Hello")
        await its.button("Save").scroll_into_view_if_needed()
        await expect(its.button("Save")).to_be_in_viewport(ratio=1)
        await _check(its, f"{width}-light-10-away")


async def test_the_whole_task_by_keyboard(browser: Browser) -> None:
    """Find, open, agree, write, attach, read, press a reply, save a copy and close: without a mouse, and never caught."""
    desk = _desk()
    async with shop(browser, desk) as its:
        keys = its.page.keyboard
        await _tab_to(its, "Chat with us")
        await keys.press("Enter")
        await expect(its.text).to_be_focused()
        await keys.type("Where is my order?")
        await keys.press("Shift+Enter")
        await keys.type("Two kettles")
        await keys.press("Enter")
        await _tab_to(its, "Agree and send")
        await keys.press("Enter")
        await expect(its.page.locator(".customer .text")).to_have_text(
            "Where is my order?\nTwo kettles", use_inner_text=True
        )
        await expect(its.text).to_be_focused()
        await its.button("Leave my email").wait_for()  # the last thing that the line brings
        async with its.page.expect_file_chooser() as chosen:
            await keys.press("Shift+Tab")
            assert await its.page.evaluate(_FOCUS) == "Add a file"
            await keys.press("Enter")
        await (await chosen.value).set_files({"name": "bill.txt", "mimeType": "text/plain", "buffer": b"12"})
        await expect(its.text).to_be_focused()
        await keys.press("Enter")
        await expect(its.page.locator(".customer .file")).to_have_count(1)
        await desk.say("Is it this one?", replies=("Yes", "No"))
        await expect(its.page.get_by_role("log")).to_contain_text("Ana: Is it this one?")
        await _tab_to(its, "Yes", back=True)
        await keys.press("Space")
        await expect(its.page.locator(".customer .text").last).to_have_text("Yes")
        await expect(its.text).to_be_focused()
        await _tab_to(its, "More", back=True)
        await keys.press("Enter")
        await _tab_to(its, "Save as text")
        async with its.page.expect_download():
            await keys.press("Enter")
        assert await its.page.evaluate(_FOCUS) == "More"
        await keys.press("Enter")
        await keys.press("Escape")
        await expect(its.page.locator(".menu")).to_be_hidden()
        await keys.press("Escape")
        await expect(its.button("Chat with us")).to_be_focused()
        await expect(its.page.get_by_role("dialog")).to_be_hidden()
        assert its.seen.violations == []


async def test_focus_goes_through_the_panel_and_out(browser: Browser) -> None:
    """The panel is no trap: Tab from its last button leaves it, back into the page."""
    async with shop(browser, _desk()) as its:
        await its.open()
        order = []
        for _ in range(14):
            await its.page.keyboard.press("Tab")
            order.append(await its.page.evaluate(_FOCUS))
        assert "Terms" in order


async def test_what_one_writes_oneself_is_not_read_out(browser: Browser) -> None:
    """The log for screen readers says what others write, once; typing at most every ten seconds."""
    async with shop(browser, _desk(consent=None)) as its:
        await its.open()
        await its.say("Hello")
        await its.desk.type()
        await its.desk.say("Good evening")
        await expect(its.page.locator(".agent")).to_have_count(1)
        await its.desk.type()
        await its.page.locator(".typing").wait_for()
        log = its.page.get_by_role("log")
        assert await log.locator("p").all_text_contents() == ["Ana is writing", "Ana: Good evening"]
        assert await log.get_attribute("aria-live") == "polite"


async def test_every_target_is_large_enough(browser: Browser) -> None:
    """Whatever can be pressed is 44 px high and wide."""
    async with shop(browser, _desk(consent=None), width=360, height=640) as its:
        await its.open()
        await its.say("Hello")
        await its.desk.say("Yes?", replies=("A", "B"))
        await its.page.locator("input[type=file]").set_input_files(
            {"name": "a.txt", "mimeType": "text/plain", "buffer": b"1"}
        )
        await its.button("More").click()
        sizes = await its.page.evaluate(
            "() => [...document.querySelector('chat-launcher').shadowRoot.querySelectorAll('button, input, textarea')]"
            ".filter(each => each.checkVisibility()).map(each => [each.textContent || each.ariaLabel,"
            " Math.min(each.getBoundingClientRect().width, each.getBoundingClientRect().height)])"
        )
        assert [each for each in sizes if each[1] < 43.9] == []


async def test_the_launcher_never_covers_what_has_the_focus(browser: Browser) -> None:
    """Tab through a page with a footer that sticks: nothing in focus is under the button, which comes back afterwards."""
    async with shop(browser, _desk(), width=360, height=400) as its:
        covered = """() => { const own = document.activeElement, root = document.querySelector('chat-launcher').shadowRoot;
          const button = root.querySelector('.launch'), at = own.getBoundingClientRect(), it = button.getBoundingClientRect();
          const meet = at.left < it.right && it.left < at.right && at.top < it.bottom && it.top < at.bottom;
          return meet && own.localName !== 'chat-launcher' && getComputedStyle(button).opacity !== '0'; }"""
        await its.page.evaluate(
            "() => { const a = document.querySelector('footer a'); a.style.display = 'block'; a.style.padding = '1rem'; }"
        )
        await its.page.locator("footer a").focus()
        await expect(its.page.locator(".launch")).to_have_class("launch aside")
        await its.page.wait_for_function("() => !(" + covered + ")()")
        await its.page.locator("#buy").focus()
        await expect(its.page.locator(".launch")).to_have_class("launch")
        await its.button("Chat with us").focus()
        await expect(its.page.locator(".launch")).to_have_css("opacity", "1")


async def test_the_last_line_stays_in_view_whatever_is_asked_below(browser: Browser) -> None:
    """An offer and quick replies take their room from the lines: whoever reads at the end stays there, and what comes is read."""
    async with shop(browser, _desk(consent=None), width=360, height=640) as its:
        await its.open()
        await its.say("Hello")
        for number in range(8):
            await its.desk.say(f"answer {number}\nin two lines")
        await its.desk.say(
            "Did it come?", replies=("Yes, it did", "No", "I do not know yet, it may be with a neighbour")
        )
        await its.button("Leave my email").wait_for()
        await expect(its.page.locator(".agent .mark").last).to_be_in_viewport(ratio=1)
        await its.desk.type()
        await expect(its.page.locator(".typing")).to_be_in_viewport(ratio=1)
        await its.desk.say("One more")
        await expect(its.page.locator(".agent .text").last).to_be_in_viewport(ratio=1)
        await expect(its.button("New messages")).to_be_hidden()
        await screens.shoot(its.page, "chat-360-at-the-end")


async def test_a_word_that_is_being_composed_is_not_sent(browser: Browser) -> None:
    """The Enter that ends a word of an input method, as Chromium and as Safari tell of it, sends nothing."""
    async with shop(browser, _desk(consent=None)) as its:
        await its.open()
        await its.text.fill("にほん")
        for about in ({"isComposing": True}, {"keyCode": 229}):
            await its.text.dispatch_event("keydown", {"key": "Enter", "bubbles": True, **about})
        await expect(its.text).to_have_value("にほん")
        await its.page.keyboard.press("Enter")
        await _until_written(its, ["にほん"])


async def test_escape_uncovers_what_the_panel_stands_on(browser: Browser) -> None:
    """Where the panel covers what the page has in focus, Escape closes it without moving the focus."""
    async with shop(browser, _desk(), width=360, height=640) as its:
        await its.open()
        await its.page.locator("#buy").focus()
        await its.page.keyboard.press("Escape")
        await expect(its.page.get_by_role("dialog")).to_be_hidden()
        await expect(its.page.locator("#buy")).to_be_focused()


async def test_a_telephones_keyboard_leaves_the_text_in_view(browser: Browser) -> None:
    """With what a keyboard leaves of the screen, the text, its button and the way out are visible."""
    async with shop(
        browser, _desk(consent=None), width=360, height=640, is_mobile=True, has_touch=True
    ) as its:
        await its.open()
        await its.say("Hello")
        for height in (340, 300):
            await its.page.set_viewport_size({"width": 360, "height": height})
            await expect(its.text).to_be_in_viewport(ratio=1)
            await expect(its.button("Send")).to_be_in_viewport(ratio=1)
            await expect(its.button("Close")).to_be_in_viewport(ratio=1)
        await screens.shoot(its.page, "chat-keyboard")


@pytest.mark.parametrize(("width", "size"), [(320, "100%"), (360, "200%"), (1280, "200%")])
async def test_narrow_screens_and_large_text(browser: Browser, width: int, size: str) -> None:
    """At 320 px, and with text of 200 %, everything can be reached, and nothing scrolls sideways."""
    async with shop(browser, _desk(consent=None), width=width, height=640) as its:
        await its.page.evaluate(
            "size => { document.querySelector('chat-launcher').region.style.fontSize = size; }", size
        )
        await its.button("Chat with us").click()
        await its.say("Hello")
        await its.desk.say("Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenverleihung")
        await its.page.locator(".agent").wait_for()
        await screens.shoot(its.page, f"chat-{width}-text-{size.strip('%')}")
        wide = await its.page.evaluate(
            "() => { const panel = document.querySelector('chat-launcher').shadowRoot.querySelector('.panel');"
            "return [...panel.querySelectorAll('*')].filter(each => each.checkVisibility() && !each.closest('.hidden')"
            " && each.getBoundingClientRect().right > innerWidth + 1).map(each => each.className || each.localName); }"
        )
        assert wide == []
        for name in ("Close", "Send"):
            await its.button(name).scroll_into_view_if_needed()
            await expect(its.button(name)).to_be_in_viewport(ratio=1)


async def test_a_page_from_right_to_left_is_a_mirror(browser: Browser) -> None:
    """Each part stands where it would be in a mirror, and each line is read in its own direction."""
    places: list[list[float]] = []
    for direction in ("ltr", "rtl"):
        async with shop(browser, _desk(consent=None), direction=direction) as its:
            await its.open()
            await its.say("Where?")
            await its.desk.say("هنا", name="آنا")
            await its.page.locator(".agent").wait_for()
            await screens.shoot(its.page, f"chat-{direction}")
            places.append(await its.page.evaluate(_PLACES, direction))
    assert len(places[0]) > 8
    assert places[0] == pytest.approx(places[1], abs=2)


# How far each part stands from where reading begins.
_PLACES = """direction => { const root = document.querySelector('chat-launcher').shadowRoot;
  const wide = document.documentElement.clientWidth;
  const parts = ['.launch', '.panel', '.title', '.head .bare:last-child', '.customer .text', '.agent .text', '.agent .who',
    'textarea', '.write .bare', '.write .main'];
  return parts.map(each => { const at = root.querySelector(each).getBoundingClientRect();
    return direction === 'ltr' ? at.left : wide - at.right; }); }"""


async def _check(its: Shop, name: str) -> None:
    await screens.shoot(its.page, f"chat-{name}")
    assert await screens.violations(its.page) == [], name


async def _until_written(its: Shop, texts: list[str]) -> None:
    await expect(its.page.locator(".customer .mark").last).to_have_text(SENT)
    assert its.desk.written == texts


async def _tab_to(its: Shop, name: str, *, back: bool = False, most: int = 30) -> None:
    for _ in range(most):
        await its.page.keyboard.press("Shift+Tab" if back else "Tab")
        if await its.page.evaluate(_FOCUS) == name:
            return
    raise AssertionError(f"the keyboard does not come to: {name}")


def _desk(**settings: Any) -> Desk:
    desk = Desk()
    desk.settings = {**SETTINGS, **settings}
    return desk
