"""The desk in a real browser: live without losing one's place, by keys alone, at every width, and readable for everybody."""

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser

from intake.web.desk import when
from tests.web.desk_pages import WIDTHS, Opened, Tab, opened

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

_NOW = """async () => {
  const asset = document.querySelector('script[src$="/desk.js"]').src;
  await (await import(asset.replace("/desk.js", "/regions.js"))).run();
}"""


@pytest.fixture
async def desk(tmp_path: Path, browser: Browser, new_store: bytes) -> AsyncIterator[Opened]:
    async with opened(tmp_path, browser, new_store) as found:
        yield found


async def same(tab: Tab, other: Tab, path: str) -> tuple[list[str], list[str]]:
    """What a tab shows and what a fresh load shows, once they agree or ten seconds are over."""
    for _ in range(40):
        await other.go(path)
        mine, fresh = await tab.shown(), await other.shown()
        if mine == fresh:
            break
        await asyncio.sleep(0.25)
    return mine, fresh


async def test_the_page_equals_a_fresh_load_after_200_random_disconnects(desk: Opened) -> None:
    """Nothing that happened while a line was down is missing, and nothing is shown twice."""
    chance, path = random.Random(7), "/?view=all"
    tab, ticket = await desk.tab(), await desk.tab()
    page = f"/tickets/{desk.shown.main}"
    await tab.go(path)
    await ticket.go(page)
    for number in range(200):
        for each in (tab, ticket):
            await each.page.context.set_offline(chance.random() < 0.6)
        ref = chance.choice(desk.shown.refs)
        if number % 20 == 0:
            await desk.do(
                lambda number=number: desk.shown.mail(f"n{number}@new.example", f"Number {number}", "Hello")
            )
        elif chance.random() < 0.5:
            await desk.do(lambda: desk.shown.do(desk.shown.main, "note", f"Note {chance.random()}"))
        else:
            await desk.do(
                lambda ref=ref: desk.shown.do(ref, "assign", chance.choice(["ania", "ewa", "tomek"]))
            )
    for each in (tab, ticket):
        await each.page.context.set_offline(True)
    await desk.do(lambda: desk.shown.do(desk.shown.main, "note", "The last word, said while nobody listened"))
    for each, where in ((tab, path), (ticket, page)):
        await each.page.context.set_offline(False)
        mine, fresh = await same(each, await desk.tab(), where)
        assert mine == fresh
        assert sum("/live?" in url for url in each.seen.requests) > 30
        assert not each.seen.violations


async def test_focus_stays_where_it_is_through_100_live_updates(desk: Opened) -> None:
    """New tickets, moved tickets and notes take the focus away from nobody, neither in the list nor in a field."""
    tab = await (await desk.tab()).go("/?view=all")
    await tab.press("j", "j", "j")
    await tab.page.evaluate(
        "() => { window.was = document.activeElement; window.left = 0;"
        " was.addEventListener('blur', () => window.left++); }"
    )
    for number in range(50):
        await desk.do(
            lambda number=number: desk.shown.mail(f"f{number}@new.example", f"Number {number}", "Hello")
        )
        await tab.page.evaluate(_NOW)
    assert await tab.page.evaluate("[document.activeElement === window.was, window.left]") == [True, 0]
    assert await tab.page.locator("#newer button").inner_text() == "50 new, 10 gone: show"
    await tab.go(f"/tickets/{desk.shown.main}")
    await tab.press("/")
    await tab.page.keyboard.type("half a wo")
    for number in range(50):
        await desk.do(lambda number=number: desk.shown.do(desk.shown.main, "note", f"Note {number}"))
        await tab.page.evaluate(_NOW)
    assert await tab.page.evaluate("[document.activeElement.id, document.activeElement.value]") == [
        "find",
        "half a wo",
    ]
    assert await tab.page.get_by_text("Note 49").count() == 1
    tab.check()


async def test_what_is_new_waits_while_somebody_points_at_the_list(desk: Opened) -> None:
    """The list keeps its order under the pointer, says how much is new, and shows it when asked."""
    tab = await (await desk.tab()).go("/?view=all")
    first = await tab.page.locator(".row-link").first.inner_text()
    await tab.page.locator(".row").nth(2).hover()
    await desk.do(lambda: desk.shown.mail("late@new.example", "A late one", "Hello"))
    await tab.page.locator("#newer button").wait_for()
    assert await tab.page.locator(".row-link").first.inner_text() == first
    await tab.press(".")
    assert await tab.page.locator(".row-link").first.inner_text() == "A late one"
    await tab.page.mouse.move(2, 2)
    await desk.do(lambda: desk.shown.mail("later@new.example", "A later one", "Hello"))
    await tab.page.wait_for_function(
        "() => document.querySelector('.row-link').textContent === 'A later one'"
    )
    tab.check()


async def test_a_change_elsewhere_is_seen_at_once(desk: Opened) -> None:
    """A customer's text stands in the open conversation without a reload, and the list's order follows."""
    tab = await (await desk.tab()).go(f"/tickets/{desk.shown.main}")
    await desk.do(lambda: desk.shown.say(desk.shown.main, "sms", "Are you coming?"))
    await tab.page.get_by_text("Are you coming?").wait_for()
    tab.check()


async def test_an_idle_tab_asks_for_nothing_beside_its_stream(desk: Opened) -> None:
    """Once it stands, a page is silent: not one request in twelve seconds of its own."""
    tab = await desk.tab()
    await tab.page.clock.install()
    await tab.go("/?view=all")
    await tab.page.wait_for_load_state("networkidle")
    await tab.page.clock.run_for(1_000)
    tab.seen.requests.clear()
    await tab.page.clock.run_for(12_000)
    assert tab.seen.requests == []


async def test_tabs_of_one_browser_share_one_stream(desk: Opened) -> None:
    """Browsers keep few connections to a host: a tab that does not listen itself hears of everything all the same."""
    first = await (await desk.tab()).go("/?view=all")
    second = Tab(await first.page.context.new_page(), first.seen, first.base)
    await second.page.goto(f"{second.base}/tickets/{desk.shown.main}")
    await second.page.wait_for_function(
        "() => document.querySelector('#connection')?.dataset.state === 'live'"
    )
    await desk.do(lambda: desk.shown.say(desk.shown.main, "sms", "First word"))
    await second.page.get_by_text("First word").wait_for()
    assert sum("/live?" in each for each in first.seen.requests) == 1
    await first.page.close()
    await desk.do(lambda: desk.shown.say(desk.shown.main, "sms", "Second word"))
    await second.page.get_by_text("Second word").wait_for()


async def test_a_day_goes_by_keys_alone(desk: Opened) -> None:
    """From the list to a ticket and on to the next, back, to another list, to a search and a command: no mouse event."""
    tab = await (await desk.tab()).go("/?view=all")
    refs = await tab.page.locator(".row-link").evaluate_all("all => all.map(each => each.dataset.ref)")
    await tab.press("j", "j", "k", "j", "Enter")
    await tab.at(f"/tickets/{refs[1]}")
    await tab.press("j")
    await tab.at(f"/tickets/{refs[2]}")
    await tab.press("u")
    await tab.at("/?view=all")
    await tab.page.wait_for_function(
        f"() => document.querySelector('#rows [tabindex=\"0\"]').dataset.ref === '{refs[1]}'"
    )
    await tab.press("g", "t")
    await tab.at("/?view=team")
    await tab.press("Control+k")
    await tab.page.keyboard.type(refs[0].lower())
    await tab.press("Enter")
    await tab.at(f"/tickets/{refs[0]}")
    await tab.press("/")
    await tab.page.keyboard.type("printer j k")
    assert await tab.page.locator("#find").input_value() == "printer j k"
    tab.check()


async def test_the_way_back_leads_to_the_row_that_was_opened(desk: Opened) -> None:
    """By the browser's button and by u: the list stands where it stood, with the ticket in sight."""
    await desk.do(
        lambda: [desk.shown.mail(f"n{each}@x.example", f"Number {each}", "Hello") for each in range(45)]
    )
    tab = await (await desk.tab()).go("/?view=all")
    row = tab.page.locator(".row-link").nth(40)
    ref = await row.get_attribute("data-ref")
    for leave in (tab.page.go_back, lambda: tab.press("u")):
        await tab.page.locator(f'[data-ref="{ref}"]').click()
        await tab.at(f"/tickets/{ref}")
        await leave()
        await tab.at("/?view=all")
        await tab.page.wait_for_function(
            "(ref) => { const box = document.querySelector(`[data-ref='${ref}']`)?.getBoundingClientRect();"
            " return box && box.top > 0 && box.bottom < innerHeight; }",
            arg=ref,
        )
    tab.check()


async def test_a_ticket_is_worked_on_by_keys_alone(desk: Opened) -> None:
    """An answer, a note and a status, without a mouse event: each goes where its key says."""
    tab = await (await desk.tab()).go(f"/tickets/{desk.shown.main}")
    await tab.page.evaluate(
        "() => { window.clicks = 0; addEventListener('pointerdown', () => window.clicks++, true); }"
    )
    await tab.press("r")
    await tab.page.keyboard.type("It is good to hear that it works.")
    await tab.press("Control+Enter")
    await tab.page.locator("#timeline .out").get_by_text("It is good to hear that it works.").wait_for()
    await tab.page.evaluate("() => document.activeElement.blur()")
    await tab.press("n")
    await tab.page.keyboard.type("Asked for the old part back.")
    await tab.press("Tab")
    while await tab.page.evaluate("() => !document.activeElement.matches('[data-send]')"):
        await tab.press("Tab")
    await tab.press("Enter")
    await tab.page.locator("#timeline .note").get_by_text("Asked for the old part back.").wait_for()
    assert await tab.page.locator("#timeline .out").get_by_text("Asked for the old part back.").count() == 0
    assert await tab.page.evaluate("window.clicks") == 0
    tab.check()


async def test_no_two_things_have_the_same_key(desk: Opened) -> None:
    """On each page a key does one thing."""
    for path in ("/?view=all", f"/tickets/{desk.shown.main}", "/search?q=printer", "/rules", "/account"):
        tab = await desk.tab()
        await tab.page.goto(tab.base + path)
        keys = await tab.page.evaluate(
            """async () => {
              const asset = document.querySelector('script[src$="/desk.js"]').src;
              const { commands } = await import(asset.replace("/desk.js", "/keys.js"));
              return commands().filter((each) => each.keys).map((each) => [each.keys, each.name]);
            }"""
        )
        assert len({each for each, _ in keys}) == len(keys), sorted(keys)
        await tab.page.context.close()


async def test_browser_and_daemon_write_lengths_of_time_alike(desk: Opened) -> None:
    """A countdown that ticks over says what a fresh page says."""
    tab = await (await desk.tab()).go("/?view=all")
    seconds = [*range(0, 200, 7), *range(3_500, 3_800, 13), *range(86_000, 90_100, 321), 10**6]
    written = await tab.page.evaluate(
        """async (seconds) => {
          const asset = document.querySelector('script[src$="/desk.js"]').src;
          const { length } = await import(asset.replace("/desk.js", "/clock.js"));
          return seconds.map(length);
        }""",
        seconds,
    )
    assert written == [when.length(each) for each in seconds]


async def test_keys_can_be_changed_and_turned_off(desk: Opened) -> None:
    """WCAG 2.1.4: a key of one character can be given another, and all of them be silenced; Ctrl+K stays. In every browser."""
    tab, other = await (await desk.tab()).go("/?view=all"), await (await desk.tab()).go("/?view=all")
    focused = "document.activeElement.className"
    await tab.press("?")
    change = tab.page.get_by_role("button", name="Change the key of: Next ticket")
    await change.click()
    await tab.press("k")  # is another's
    await tab.page.get_by_text("That key is taken: Previous ticket").wait_for()
    await tab.press("g")  # begins with which others begin
    await tab.page.get_by_text("That key is taken: Tickets").wait_for()
    await tab.press("Enter")
    await tab.page.get_by_text("That key moves about on a page.").wait_for()
    await tab.press("x", "Escape")
    await tab.press("x")
    assert await tab.page.evaluate(focused) == "row-link"
    await other.page.locator("#rows .row-link").first.wait_for()
    await other.page.wait_for_function(
        "() => JSON.parse(localStorage.getItem('desk:choices:ania'))?.changed['list.next'] === 'x'"
    )
    await other.press("x")
    assert await other.page.evaluate(focused) == "row-link"
    await tab.press("?")
    await tab.page.get_by_label("Keys of one character").uncheck()
    await tab.press("Escape", "g", "t")
    assert "view=all" in tab.page.url
    await tab.press("Control+k")
    assert await tab.page.locator("dialog.palette[open]").count() == 1
    await other.page.wait_for_function("() => !document.querySelector('[aria-keyshortcuts=\"/\"]')")
    tab.check()
    other.check()


async def test_keys_are_those_that_stand_there_whatever_alphabet_is_written(desk: Opened) -> None:
    """Greek and Russian keyboards, Caps Lock and AltGr: the same key does the same."""
    tab = await (await desk.tab()).go("/?view=all")
    written = await tab.page.evaluate(
        """async (rows) => {
          const asset = document.querySelector('script[src$="/desk.js"]').src;
          const { written } = await import(asset.replace("/desk.js", "/keys.js"));
          return rows.map(([key, code, held]) => written(new KeyboardEvent("keydown", { key, code, ...held })));
        }""",
        [
            ["ξ", "KeyJ", {}], ["Ξ", "KeyJ", {"shiftKey": True}], ["л", "KeyK", {"ctrlKey": True}], ["х", "BracketLeft", {}],
            ["J", "KeyJ", {}], ["J", "KeyJ", {"shiftKey": True}], ["ł", "KeyL", {"modifierAltGraph": True}],
            ["[", "Digit8", {"modifierAltGraph": True, "ctrlKey": True, "altKey": True}], ["?", "Slash", {"shiftKey": True}],
            ["a", "KeyQ", {}], ["Enter", "Enter", {}], [" ", "Space", {}],
        ],
    )  # fmt: skip
    assert written == ["j", "J", "mod+k", "[", "j", "J", "ł", "[", "?", "a", "Enter", "Space"]


async def test_offline_says_how_old_the_page_is_and_comes_back(desk: Opened) -> None:
    """The chip names the time of the last word; what happened meanwhile is there once the line is."""
    tab = await (await desk.tab()).go(f"/tickets/{desk.shown.main}")
    await tab.page.context.set_offline(True)
    chip = tab.page.locator("#connection[data-state=away]")
    await chip.wait_for()
    assert (await chip.inner_text()).startswith("Reconnecting, as of ")
    await desk.do(lambda: desk.shown.say(desk.shown.main, "sms", "While you were away"))
    await tab.page.context.set_offline(False)
    await tab.page.get_by_text("While you were away").wait_for(timeout=3_000)
    await tab.page.locator("#connection[data-state=live]").wait_for()


@pytest.mark.parametrize("width", WIDTHS)
async def test_every_page_is_readable_for_everybody(desk: Opened, width: str, tmp_path: Path) -> None:
    """axe finds nothing, nothing is wider than the screen, and the policy forbids nothing: in light and dark."""
    main = desk.shown.main
    pages = (
        "/?view=all",
        "/?view=mine&tag=none",
        f"/tickets/{main}",
        f"/tickets/{main}/why",
        "/?view=team&status=any&team=billing",
        "/search",
        "/search?q=tray",
    )
    for scheme in ("light", "dark"):
        tab = await desk.tab(width, color_scheme=scheme)
        for number, path in enumerate(pages):
            await tab.page.goto(tab.base + path)
            await tab.page.screenshot(path=tmp_path / f"{number}-{width}-{scheme}.png")
            assert await tab.faults() == [], path
            assert await tab.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        for keys in ("?", "Control+k"):
            await tab.press(keys)
            assert await tab.page.locator("dialog[open]").count() == 1
            assert await tab.faults() == [], keys
            await tab.press("Escape")
        tab.check()


async def test_two_thousand_messages_are_a_small_page(desk: Opened) -> None:
    """A long conversation opens at its end with few elements, and stays small when its past is fetched."""

    await desk.do(lambda: desk.shown.talk(desk.shown.main, 2_000))
    tab = await (await desk.tab()).go(f"/tickets/{desk.shown.main}")
    assert await tab.page.get_by_text("Word 1999").is_visible()
    for _ in range(6):
        before = (
            await tab.page.locator("#timeline").get_attribute("data-newest"),
            await tab.page.locator("#timeline > li").first.get_attribute("data-key"),
        )
        await tab.page.locator("#earlier a").click()
        await tab.page.wait_for_function(
            "(key) => document.querySelector('#timeline > li').dataset.key !== key", arg=before[1]
        )
    assert await tab.page.evaluate("document.querySelectorAll('*').length") < 3_000
    await tab.page.locator("#later a").click()
    await tab.page.get_by_text("Word 1999").wait_for()
    tab.check()


async def test_without_javascript_the_list_the_ticket_and_its_form_work(desk: Opened) -> None:
    """A browser that runs nothing reads, filters, turns pages, and finds the form to answer with."""
    tab = await desk.tab(java_script_enabled=False)
    await tab.page.goto(f"{tab.base}/?view=all")
    await tab.page.get_by_role("link", name="My printer is on fire").click()
    assert await tab.page.get_by_text("There is smoke coming out of the back").count()
    assert await tab.page.locator("form textarea[name=text]").count() >= 1
