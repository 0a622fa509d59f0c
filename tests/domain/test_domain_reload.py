"""Changed rules come into force whole, or not at all, and no message notices."""

import asyncio
import os
import threading
import time
import weakref
from datetime import date
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from intake import armaments, rule_files, rulebooks
from intake.rulebooks import Reloader
from routing.problems import ConfigError
from tests.domain.world import RULES, World
from tests.rows import every_row

TEMPLATE = "Hello\n"
RED_TEST = """
tests:
  - {name: no, message: {channel: email, from: a@b.example, body: hello}, expect: {team: billing}}
"""


class Desk:
    """A folder with rules and a reloader over it; told: every event, in order."""

    def __init__(self, world: World, folder: Path) -> None:
        self.rules = folder / "rules.yaml"
        self.replies = folder / "replies"
        self.replies.mkdir()
        (self.replies / "received.en.md").write_text(TEMPLATE)
        self.write(RULES)
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.world = world
        self.reloader = Reloader(
            world.store,
            world.context,
            rules_path=self.rules,
            replies_path=self.replies,
            told=lambda event, fields: self.told.append((event, fields)),
        )

    def write(self, text: str) -> None:
        """As an editor does that writes beside and renames."""
        beside = self.rules.with_suffix(".new")
        beside.write_text(text)
        beside.replace(self.rules)

    @property
    def teams(self) -> set[str]:
        return set(self.reloader.context().rulebook.teams)


@pytest.fixture
def desk(world: World, tmp_path: Path) -> Desk:
    folder = tmp_path / "config"
    folder.mkdir()
    return Desk(world, folder)


async def test_changed_rules_come_into_force_and_are_kept(desk: Desk) -> None:
    """A good change is the next message's rulebook, and stands in the store for explaining later."""
    desk.write(RULES.replace("billing:", "money-desk:").replace("team: billing", "team: money-desk"))
    assert await desk.reloader.reload()
    assert desk.teams == {"support", "money-desk"}
    hashes = {row["hash"] for row in desk.world.rows("rulebooks")}
    assert desk.reloader.context().rulebook.hash in hashes


@pytest.mark.parametrize(
    "text",
    [RULES + "\nrout: []\n", RULES + RED_TEST, RULES.replace("[ania]", "[nobody]"), "", "version: [", "\x00"],
)
async def test_red_anywhere_leaves_the_old_rules(desk: Desk, text: str) -> None:
    """A wrong key, a failing test, an unknown name, half a file: the old rulebook stays, loudly."""
    before = desk.reloader.context()
    desk.write(text)
    assert not await desk.reloader.reload()
    assert desk.reloader.context() is before
    assert [event for event, _ in desk.told] == ["rules_refused"]
    (row,) = desk.world.rows("events", "kind = 'rules_refused'")
    assert before.rulebook.hash[:12] in row["details"]
    assert before.rulebook.hash[:12] in (desk.reloader.problem or "")


async def test_good_rules_take_the_banner_down(desk: Desk) -> None:
    """What is mended is no longer told."""
    desk.write("no: rules\n")
    await desk.reloader.reload()
    desk.write(RULES)
    assert await desk.reloader.reload()
    assert desk.reloader.problem is None


async def test_broken_template_is_refused(desk: Desk) -> None:
    """Reply templates are part of what is swapped, and checked with it."""
    (desk.replies / "received.pl.md").write_text("{{ oops")
    assert not await desk.reloader.reload()


async def test_file_of_a_list_is_read_and_watched(desk: Desk) -> None:
    """A list beside the rules comes with them; the rules change when it does."""
    vips = desk.rules.with_name("vip.csv")
    vips.write_text("acme.example\n")
    desk.write(RULES + "lists: {vip: {file: vip.csv}}\n")
    assert await desk.reloader.reload()
    assert desk.reloader.context().rulebook.lists["vip"] == ("acme.example",)
    seen = desk.reloader._look()
    vips.write_text("acme.example\nother.example\n")
    assert desk.reloader._look() != seen


ICS = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART:{day}\r\nSUMMARY:Zamkni\u0119te\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
WITH_ICS = RULES.replace(
    'open: {mon-fri: "09:00-17:00"}', 'open: {mon-fri: "09:00-17:00"}, holidays: {file: own.ics}'
)


async def test_calendar_file_is_read_and_watched(desk: Desk) -> None:
    """An iCalendar file beside the rules comes with them, in any charset; the rules change when it does."""
    company = desk.rules.with_name("own.ics")
    company.write_text(ICS.format(day="20261224"), encoding="utf-16")
    desk.write(WITH_ICS)
    assert await desk.reloader.reload()
    office = desk.reloader.context().rulebook.calendars["office"]
    assert office.holiday(date(2026, 12, 24)) == "Zamkni\u0119te"
    seen = desk.reloader._look()
    company.write_text(ICS.format(day="20261231"))
    assert desk.reloader._look() != seen
    company.write_text("<html>")
    assert not await desk.reloader.reload()
    assert "own.ics:1:1: error[bad-calendar]" in (desk.reloader.problem or "")


async def test_missing_calendar_file_is_a_warning(desk: Desk) -> None:
    """A calendar whose file is not there goes on without it, and with it as soon as it comes."""
    desk.write(WITH_ICS)
    assert await desk.reloader.reload()
    book = desk.reloader.context().rulebook
    assert ([each.code for each in book.warnings], list(book.calendars)) == (
        ["missing-calendar"],
        ["office", "always"],
    )
    seen = desk.reloader._look()
    desk.rules.with_name("own.ics").write_text(ICS.format(day="20261224"))
    assert desk.reloader._look() != seen


async def test_ticket_keeps_the_calendar_file_that_it_was_armed_with(desk: Desk) -> None:
    """Its armament carries what the file said; the file may change or go."""
    desk.rules.with_name("own.ics").write_text(ICS.format(day="20261224"))
    desk.write(WITH_ICS.replace("calendar: always", "calendar: office"))
    assert await desk.reloader.reload()
    armed = desk.reloader.context().armaments["standard"]
    desk.rules.with_name("own.ics").unlink()
    assert await desk.reloader.reload()
    assert desk.reloader.context().armaments["standard"].hash != armed.hash
    armaments._known.clear()
    kept = desk.world.store.read_now(lambda tx: armaments.load(tx, armed.hash))
    assert kept.calendar.holiday(date(2026, 12, 24)) == "Zamkni\u0119te"


@every_row("charset", ["utf-8", "utf-8-sig", "utf-16", "cp1250", "iso8859-2"])
def test_calendar_file_is_read_in_any_charset(charset: str) -> None:
    """Whatever it was exported in."""
    text = "BEGIN:VCALENDAR\r\nSUMMARY:Wigilia Bo\u017cego Narodzenia, zamkni\u0119te z powodu \u015bwi\u0105t\r\n"
    read = rule_files.calendar_text((text * 3).encode(charset))
    assert read == (text * 3).replace("\r\n", "\n")


def test_fold_in_another_charset_splits_no_letter() -> None:
    """What is no UTF-8 is left as it is: there such a byte begins a letter."""
    text = "BEGIN:VCALENDAR\r\nSUMMARY:\u672c\u65e5\u306f\u4f11\u696d\r\n \u3044\u305f\u3057\u307e\u3059\u3002\u660e\u65e5\u306f\u55b6\u696d\r\n"
    read = rule_files.calendar_text((text * 3).encode("shift_jis"))
    assert read.split() == (text * 3).replace("\r\n ", "").split()


def test_letter_that_a_fold_splits_is_whole() -> None:
    """Lines are folded by bytes, some programs do it within a letter; line numbers stay."""
    raw = b"SUMMARY:Za" + "\u017c".encode()[:1] + b"\r\n " + "\u017c".encode()[1:] + b"\xc3\xb3\r\nEND:X\r\n"
    assert rule_files.calendar_text(raw) == "SUMMARY:Za\u017c\u00f3\n\nEND:X\n"


async def test_of_a_calendar_file_only_what_closes_is_kept(desk: Desk) -> None:
    """Guests and what it is about stay in the file; exported again with a new stamp it is the same."""
    private = "ATTENDEE;CN=Jan Kowalski:mailto:jan@example.com\r\nDESCRIPTION:A secret\r\n  of ours\r\nDTSTAMP:{stamp}\r\n"
    company, hashes = desk.rules.with_name("own.ics"), set()
    desk.write(WITH_ICS)
    for stamp in ("20260101T000000Z", "20260202T000000Z"):
        text = ICS.format(day="20261224").replace("SUMMARY", private.format(stamp=stamp) + "SUMMARY")
        company.write_text(text)
        assert await desk.reloader.reload()
        book = desk.reloader.context().rulebook
        hashes.add(book.hash)
        assert not any(word in book.text for word in ("Kowalski", "secret", "of ours", stamp))
        assert book.calendars["office"].holiday(date(2026, 12, 24)) == "Zamkni\u0119te"
    assert len(hashes) == 1


def test_calendar_file_is_bounded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is too big is refused before it is read."""
    monkeypatch.setattr(rule_files, "CALENDAR_MAX_BYTES", 10)
    desk.rules.with_name("own.ics").write_text(ICS)
    desk.write(WITH_ICS)
    with pytest.raises(ConfigError, match="a calendar may have 10"):
        rule_files.read(desk.rules, desk.replies)


async def test_missing_list_is_a_warning_and_empty(desk: Desk) -> None:
    """A list whose file is not there keeps no rule from working."""
    desk.write(RULES + "lists: {vip: {file: vip.csv}}\n")
    assert await desk.reloader.reload()
    book = desk.reloader.context().rulebook
    assert (book.lists["vip"], [each.code for each in book.warnings]) == ((), ["missing-list"])


@every_row(
    ("text", "is_csv", "values"),
    [
        ("a\n\n# no\n b # why\na\n", False, ("a", "b")),
        ("a,b\r\nc,d\r\n", False, ("a,b", "c,d")),
        ('a,b;c\r\n# no\r\n"c;d",e\r\n,f\r\n', True, ("a", "c;d")),
        ("a;b,c\nd;e\n", True, ("a", "d")),
        ("a\tb\n", True, ("a",)),
        ("a\nb\n", True, ("a", "b")),
        ("", True, ()),
    ],
)
def test_values_of_a_list_file(text: str, *, is_csv: bool, values: tuple[str, ...]) -> None:
    """One value a line, or a CSV's first column; comments and repetitions are none."""
    assert rule_files.list_values(text, is_csv=is_csv) == values


def test_list_file_may_begin_with_a_bom(desk: Desk) -> None:
    """What spreadsheets write in front of the first value is not part of it."""
    desk.write(RULES + "lists: {vip: {file: vip.csv}}\n")
    desk.rules.with_name("vip.csv").write_bytes(b"\xef\xbb\xbfacme.example\r\n")
    assert rule_files.read(desk.rules, desk.replies).lists == {"vip": ("acme.example",)}


def test_list_that_is_too_big_is_refused(desk: Desk) -> None:
    """More than 16 MB is no list that a rule looks things up in."""
    desk.write(RULES + "lists: {vip: {file: vip.csv}}\n")
    with desk.rules.with_name("vip.csv").open("wb") as file:
        file.truncate(rule_files.LIST_MAX_BYTES + 1)
    with pytest.raises(ConfigError, match="too-big"):
        rule_files.read(desk.rules, desk.replies)


def test_file_that_changes_while_it_is_read_is_read_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is loaded is what stood there at the end, not the half that was there at the beginning."""
    texts, halves = rule_files.texts, iter([RULES[:200], RULES + "# half\n", RULES])

    def meanwhile(path: Path) -> dict[str, str]:
        found = texts(path)
        for text in halves:
            desk.write(text)
            break
        return found

    monkeypatch.setattr(rule_files, "texts", meanwhile)
    monkeypatch.setattr(rule_files, "PAUSE_S", 0.0)
    assert rule_files.read(desk.rules, desk.replies).files == {"rules.yaml": RULES}


async def test_watch_reloads_when_a_file_has_changed_and_rests(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has to send a signal; a file with the same size and time, renamed into place, is seen too."""
    monkeypatch.setattr(rulebooks, "LOOK_S", 0.01)
    monkeypatch.setattr(rulebooks, "REST_S", 0.01)
    status = desk.rules.stat()
    desk.write(RULES.replace("support", "zupport"))
    os.utime(desk.rules, ns=(status.st_atime_ns, status.st_mtime_ns))
    watching = asyncio.create_task(desk.reloader.watch())
    async with asyncio.timeout(10):
        while "zupport" not in desk.teams:
            await asyncio.sleep(0.01)
    watching.cancel()


@pytest.mark.slow
async def test_big_rulebook_is_judged_aside_and_swapped(desk: Desk) -> None:
    """From a size on a process of its own finds what is wrong; what is right comes into force the same way."""
    many = "".join(
        f'  - {{id: r{each}, when: {{subject: {{words: "word{each}"}}}}, then: {{team: billing}}}}\n'
        for each in range(900)
    )
    big = RULES.replace("route:\n", "route:\n" + many)
    assert len(big) > rulebooks.ASIDE_FROM_CHARACTERS
    desk.write(big + RED_TEST)
    assert not await desk.reloader.reload()
    desk.write(big)
    assert await desk.reloader.reload()
    assert len(desk.reloader.context().rulebook.rules) > 900


@pytest.mark.slow
async def test_big_rulebook_that_was_replaced_is_freed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand reloads need no more memory than one, although the collector does not look at rulebooks."""
    monkeypatch.setattr(rulebooks, "ASIDE_FROM_CHARACTERS", 1)
    seen = []
    for team in ("one", "two", "three"):
        desk.write(RULES.replace("support", team))
        assert await desk.reloader.reload()
        seen.append(weakref.ref(desk.reloader.context().rulebook.index))
    assert [each() is None for each in seen] == [True, True, False]


@pytest.mark.slow
def test_thousand_swaps_under_load_lose_nothing_and_mix_nothing(world: World) -> None:
    """Every message is decided by one rulebook or the other, never by half of each, and becomes a ticket."""
    contexts = [_disagreeing(world, name) for name in ("support", "billing")]
    reloader = Reloader(
        world.store, world.context, rules_path=world.folder / "none.yaml", replies_path=world.folder
    )
    reloader.swap(contexts[0])
    ids = [world.journal(f"c{each}@customer.example", body=str(each)) for each in range(120)]
    is_settled = threading.Event()

    def settle() -> None:
        for journal_id in ids:
            world.context = reloader.context()
            world.settle(journal_id)
        is_settled.set()

    worker = threading.Thread(target=settle)
    worker.start()
    for swapped, loaded in enumerate(cycle(contexts[::-1]), start=1):
        reloader.swap(loaded)
        time.sleep(0)
        if swapped >= 1_000 and is_settled.is_set():
            break
    worker.join()
    tickets = world.rows("tickets")
    assert len(tickets) == len(ids)
    assert {(row["team"], row["tags"]) for row in tickets} == {
        ("support", '["of-support"]'),
        ("billing", '["of-billing"]'),
    }


def _disagreeing(world: World, team: str) -> rulebooks.Loaded:
    """Rules whose team and tag, written in different stages, belong together."""
    tagging = f"enrich:\n  - {{id: tag, when: {{channel: email}}, then: {{tags: [of-{team}]}}}}\n"
    text = RULES.replace("enrich:\n", tagging).replace("default: {team: support", f"default: {{team: {team}")
    loaded = rulebooks.compiled(
        rule_files.Sources({"rules.yaml": text}, replies={("received", "en"): TEMPLATE})
    )
    world.store.write_now(lambda tx: rulebooks.keep(tx, loaded))
    return loaded
