"""What a page says: short, safe to be read aloud or shown on a locked telephone, and one text of 160 characters."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from channels.twilio import segments
from channels.twilio.phone import page_words
from intake import page_text, tickets
from intake.notice_page import Notice, Page
from intake.notice_text import Line, Told
from intake.store import opening
from tests.domain.world import at
from tests.phone.paged import PAGED, Desk


@pytest.fixture
def desk(tmp_path: Path, clock: Any, new_store: bytes) -> Iterator[Desk]:
    (tmp_path / "intake.db").write_bytes(new_store)
    with closing(opening.open_store("", tmp_path, clock=clock)) as store:
        yield Desk(store, tmp_path, clock)


def page(desk: Desk, *, told: bool = True, **changes: Any) -> Page:
    """The page of a notice about a ticket, as it would be written now."""
    row = desk.ticket(desk.receive(subject="Server room is flooded", body="my password is hunter2"))
    ticket = desk.store.read_now(lambda tx: tickets.load(tx, row["id"]))
    assert ticket is not None
    ticket = msgspec.structs.replace(ticket, **changes)
    due = Line("due {0}", (at("2026-11-10T11:00+00:00"),))
    why = Told(headline=Line("The first answer is due."), urgency=due) if told else None
    notice = Notice(kind="escalated:x", headline="Look.", cause="c", quote="my password is hunter2", told=why)
    return desk.store.read_now(lambda tx: Page.of(tx, desk.context, ticket, notice))


def test_a_call_says_who_what_how_urgent_and_by_when(desk: Desk) -> None:
    """On the clock of the ticket's calendar, without the name of a zone that nobody says aloud."""
    asked = page(desk)
    spelt = ", ".join(asked.ticket.ref)
    assert page_text.sentence(asked, "ewa") == (
        f"Example. Normal ticket of team support. Reference {spelt}. It is due at 11:00."
    )


def test_a_text_says_the_same_with_what_to_answer(desk: Desk) -> None:
    asked = page(desk)
    assert page_text.text(asked, "ewa") == (
        f"{asked.ticket.ref}: Normal ticket of team support, due at 11:00."
        " Reply 1 to take it on, 2 to pass it on."
    )


def test_an_instant_of_another_day_is_told_with_its_day(desk: Desk) -> None:
    asked = page(desk)
    late = Line("late since {0}", (at("2026-11-08T22:15+00:00"),))
    told = Told(headline=Line("Late."), urgency=late)
    asked = msgspec.structs.replace(asked, notice=msgspec.structs.replace(asked.notice, told=told))
    assert "It is late since Sunday 22:15." in page_text.sentence(asked, "ewa")


def test_times_are_on_the_readers_clock(desk: Desk) -> None:
    """ewa works in Warsaw, where it is an hour later."""
    desk.use_rules(PAGED.replace("ewa: {email", "ewa: {hours: office, email"))
    assert "due at 12:00" in page_text.text(page(desk), "ewa")


def test_without_a_due_instant_none_is_said(desk: Desk) -> None:
    asked = page(desk, told=False)
    assert "due" not in page_text.text(asked, "ewa") + page_text.sentence(asked, "ewa")


@pytest.mark.parametrize("says", [page_text.sentence, page_text.text])
def test_neither_what_it_is_about_nor_who_wrote_is_said(desk: Desk, says: Any) -> None:
    """A telephone lies on a table, and a call is heard by others."""
    words = says(page(desk), "ewa")
    assert not [each for each in ("flooded", "hunter2", "jan@", "customer") if each in words]


@pytest.mark.parametrize("says", [page_text.sentence, page_text.text])
def test_the_subject_is_said_where_the_configuration_allows_it(desk: Desk, says: Any) -> None:
    desk.use_oncall(subject=True)
    words = says(page(desk), "ewa")
    assert "Server room is flooded" in words
    assert "hunter2" not in words


HARD: dict[str, dict[str, Any]] = {
    "long subject": {"subject": "x" * 500},
    "emoji": {"subject": "🔥🔥🔥 fire"},
    "other alphabets": {"subject": "Δεν λειτουργεί η σύνδεση", "team": "zespół"},
    "long team": {"team": "a" * 300},
    "extension table": {"subject": "[x] {y} ~ € \\ | ^"},
    "quotes and dashes": {"subject": "“it’s down” — again…"},
    "control characters": {"subject": "a\nb\x00c\x1b[31m\td"},
    "blank": {"subject": "   "},
    "nobody's team": {"team": None},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HARD)
@pytest.mark.parametrize("is_shown", [True, False])
def test_a_text_is_one_segment_whatever_stands_in_it(desk: Desk, name: str, *, is_shown: bool) -> None:
    """And it always says which ticket, and what to answer."""
    desk.use_oncall(subject=is_shown)
    asked = page(desk, **HARD[name])
    words = page_text.text(asked, "ewa")
    counted = segments.figures(words)
    assert (counted.encoding, counted.segments) == ("GSM-7", 1)
    assert counted.units <= page_text.TEXT_MAX
    assert words.startswith(asked.ticket.ref)
    assert words.endswith(page_text.ANSWER)
    assert words.isprintable()


@pytest.mark.parametrize("name", HARD)
def test_a_sentence_is_short_enough_to_be_listened_to(desk: Desk, name: str) -> None:
    """At two and a half words in a second nobody waits longer than half a minute for the keys."""
    desk.use_oncall(subject=True)
    asked = page(desk, **(HARD[name] | {"team": "support"}))
    assert len(page_text.sentence(asked, "ewa")) < 300


def test_a_ref_is_spelt_sign_by_sign() -> None:
    assert page_text.spelt("K7FQ2XA") == "K, 7, F, Q, 2, X, A"


@pytest.mark.parametrize("organization", ["", "Example", "Ä" * 200, "🔥"])
def test_a_test_is_one_segment_and_says_that_it_is_one(organization: str) -> None:
    words = page_text.test_text(organization, "ewa")
    assert segments.figures(words).segments == 1
    assert segments.figures(words).encoding == "GSM-7"
    assert words.startswith("Test")
    assert "1" in words


def test_a_call_speaks_the_first_language_of_its_agents_skills(desk: Desk) -> None:
    desk.use_rules(PAGED.replace("ewa: {email", "ewa: {skills: [billing, pl, en], email"))
    asked = page(desk)
    language = page_text.language_of(desk.context, None, "ewa")
    spelt = ", ".join(asked.ticket.ref)
    assert page_text.sentence(asked, "ewa", language) == (
        f"Example. Zwykłe zgłoszenie, zespół support. Numer {spelt}. Termin: 11:00."
    )


def test_every_language_says_each_priority_due_and_late(desk: Desk) -> None:
    asked = page(desk)
    late = Told(headline=Line("Late."), urgency=Line("late since {0}", (at("2026-11-08T22:15+00:00"),)))
    overdue = msgspec.structs.replace(asked, notice=msgspec.structs.replace(asked.notice, told=late))
    for language in page_words.built_in():
        for priority in ("low", "normal", "high", "urgent"):
            ticket = msgspec.structs.replace(asked.ticket, priority=priority)
            words = page_text.sentence(msgspec.structs.replace(asked, ticket=ticket), "ewa", language)
            assert "11:00" in words
            assert page_words.word(language, priority) in words
            assert not {"{", "}", ".."} & set(words)
        assert "22:15" in page_text.sentence(overdue, "ewa", language)
