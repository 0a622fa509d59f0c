"""What a reply says about time: in the language of its words, in the calendar's zone, and never what is past."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from intake import clocks, expected, tickets, time_words
from intake.replies import Replies
from tests.domain.world import RULES, World, at
from tests.rows import every_row

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)  # a Sunday
WARSAW = ZoneInfo("Europe/Warsaw")
SAID = {
    "en": ("today, 22 November, 15:30 CET", "tomorrow, 23 November, 08:05 CET", "Friday, 1 January 2027, 10:00 CET"),
    "pl": ("dziś, 22 listopada, 15:30 CET", "jutro, 23 listopada, 08:05 CET", "piątek, 1 stycznia 2027, 10:00 CET"),
    "el": ("σήμερα, 22 Νοεμβρίου, 15:30 CET", "αύριο, 23 Νοεμβρίου, 08:05 CET", "Παρασκευή, 1 Ιανουαρίου 2027, 10:00 CET"),
    "pt": ("hoje, 22 de novembro, 15:30 CET", "amanhã, 23 de novembro, 08:05 CET", "sexta-feira, 1 de janeiro de 2027, 10:00 CET"),
    "es": ("hoy, 22 de noviembre, 15:30 CET", "mañana, 23 de noviembre, 08:05 CET", "viernes, 1 de enero de 2027, 10:00 CET"),
    "de": ("heute, 22. November, 15:30 Uhr CET", "morgen, 23. November, 08:05 Uhr CET", "Freitag, 1. Januar 2027, 10:00 Uhr CET"),
    "fr": ("aujourd’hui, 22 novembre, 15:30 CET", "demain, 23 novembre, 08:05 CET", "vendredi 1er janvier 2027, 10:00 CET"),
    "it": ("oggi, 22 novembre, 15:30 CET", "domani, 23 novembre, 08:05 CET", "venerdì 1º gennaio 2027, 10:00 CET"),
    "nl": ("vandaag, 22 november, 15:30 CET", "morgen, 23 november, 08:05 CET", "vrijdag 1 januari 2027, 10:00 CET"),
    "cs": ("dnes, 22. listopadu, 15:30 CET", "zítra, 23. listopadu, 08:05 CET", "pátek 1. ledna 2027, 10:00 CET"),
    "sv": ("i dag, 22 november, kl. 15:30 CET", "i morgon, 23 november, kl. 08:05 CET", "fredag 1 januari 2027, kl. 10:00 CET"),
    "ru": ("сегодня, 22 ноября, 15:30 CET", "завтра, 23 ноября, 08:05 CET", "пятница, 1 января 2027 г., 10:00 CET"),
    "tr": ("bugün, 22 Kasım, 15:30 CET", "yarın, 23 Kasım, 08:05 CET", "1 Ocak 2027 Cuma, 10:00 CET"),
    "uk": ("сьогодні, 22 листопада, 15:30 CET", "завтра, 23 листопада, 08:05 CET", "п’ятниця, 1 січня 2027 р., 10:00 CET"),
    "ja": ("本日11月22日 15:30 CET", "明日11月23日 08:05 CET", "2027年1月1日(金) 10:00 CET"),
    "nb": ("i dag, 22. november, kl. 15:30 CET", "i morgen, 23. november, kl. 08:05 CET", "fredag 1. januar 2027, kl. 10:00 CET"),
    "pt-BR": ("hoje, 22 de novembro, 15:30 CET", "amanhã, 23 de novembro, 08:05 CET", "sexta-feira, 1 de janeiro de 2027, 10:00 CET"),
    "xx": ("2026-11-22 15:30 CET", "2026-11-23 08:05 CET", "2027-01-01 10:00 CET"),
}  # fmt: skip


def local(text: str, zone: str = "Europe/Warsaw") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


def said_of(
    world: World, mail: dict[str, Any], what: type[expected.Said], language: str | None = None
) -> str:
    """What a template in a language would say now of the ticket of a mail."""
    ticket_id = world.ticket(mail)["id"]
    return world.store.write_now(
        lambda tx: str(what(tx, tickets.locked(tx, ticket_id), world.context, language=language))
    )


@every_row("language", SAID)
def test_an_instant_is_said_as_people_do(language: str) -> None:
    moments = [local("2026-11-22T15:30"), local("2026-11-23T08:05"), local("2027-01-01T10:00")]
    assert tuple(time_words.said(each, language, now=NOW) for each in moments) == SAID[language]


@every_row("language", time_words.LANGUAGES)
def test_every_day_of_a_year_has_its_own_words_in_every_language(language: str) -> None:
    """No weekday or month is missing or stands twice."""
    words = time_words.LANGUAGES[language]
    assert len(set(words.weekdays)) == 7
    assert len(set(words.months)) in (0, 12)
    days = [datetime(2028, month, day, 10, tzinfo=UTC) for month in range(1, 13) for day in range(1, 29)]
    said = {time_words.said(each, language, now=NOW) for each in days}
    assert len(said) == len(days)
    assert not any(mark in text for text in said for mark in "{}_")


@every_row(
    ("moment", "zone"),
    [
        (local("2026-11-22T15:30", "Europe/Warsaw"), "CET"),
        (local("2026-07-22T15:30", "Europe/Warsaw"), "CEST"),
        (local("2026-11-22T15:30", "America/Sao_Paulo"), "UTC-3"),
        (local("2026-11-22T15:30", "Asia/Kathmandu"), "UTC+5:45"),
        (local("2026-11-22T15:30", "Asia/Tehran"), "UTC+3:30"),
        (local("2026-11-22T15:30", "UTC"), "UTC"),
    ],
)
def test_a_zone_is_named_or_told_by_its_distance(moment: datetime, zone: str) -> None:
    assert time_words.zone_of(moment) == zone


def test_today_is_the_day_of_the_calendar() -> None:
    """At 23:30 UTC it is tomorrow in Warsaw already."""
    late = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)
    assert time_words.said(local("2026-11-23T08:00"), "en", now=late).startswith("today, 23 November")


def test_a_minute_is_said_when_it_is_full() -> None:
    """Half a minute before a target is due, what is said is not past yet; at a change of clocks, too."""
    assert "10:31" in time_words.said(local("2026-11-22T10:30:01"), "en", now=NOW)
    assert "10:30" in time_words.said(local("2026-11-22T10:30:00"), "en", now=NOW)
    gap = datetime(2026, 3, 29, 0, 59, 30, tzinfo=UTC).astimezone(WARSAW)
    assert "03:00 CEST" in time_words.said(gap, "en", now=NOW)


def test_an_answer_is_expected_by_the_first_target_that_runs(world: World) -> None:
    mail = world.receive()
    assert said_of(world, mail, expected.Expected) == "today, 10 November, 11:00 UTC"


def test_what_is_past_is_never_expected(world: World) -> None:
    """The first answer is late: nothing honest can be said, until something is promised."""
    mail = world.receive()
    world.advance(hours=2)
    assert said_of(world, mail, expected.Expected) == ""
    ticket_id, promised = world.ticket(mail)["id"], at("2026-11-12T15:00+00:00")
    world.store.write_now(lambda tx: clocks.promise(tx, tickets.locked(tx, ticket_id), promised))
    assert said_of(world, mail, expected.Expected) == "Thursday, 12 November, 15:00 UTC"


def test_a_ticket_without_a_policy_is_read_in_the_hours_of_its_people(world: World) -> None:
    """Nothing counts down, so that only a promise can be expected; its zone is that of the team's hours."""
    rules = RULES.replace("sla: standard, reply", "sla: none, reply")
    world.use_rules(rules.replace("{email: ania@desk.example}", "{email: ania@desk.example, hours: office}"))
    mail = world.receive()
    assert said_of(world, mail, expected.Expected) == ""
    ticket_id, promised = world.ticket(mail)["id"], at("2026-11-12T15:00+00:00")
    world.store.write_now(lambda tx: clocks.promise(tx, tickets.locked(tx, ticket_id), promised))
    assert said_of(world, mail, expected.Expected) == "Thursday, 12 November, 16:00 CET"


def test_the_words_of_a_reply_are_of_one_language(world: World) -> None:
    """A Polish customer gets the English template where there is no other: then its hours are English, too."""
    texts = {("received", "en"): "By {{ expected }}."}
    world.context = msgspec.structs.replace(world.context, replies=Replies(texts))
    world.receive(
        body="Dzień dobry, proszę o pomoc z fakturą, ponieważ nie mogę jej znaleźć. Z góry dziękuję."
    )
    (receipt,) = world.sent("jan@customer.example")
    assert receipt.text == "By today, 10 November, 11:00 UTC."


@pytest.mark.parametrize(
    ("now", "text"),
    [
        ("2026-11-10T09:00+00:00", "open now."),
        ("2026-11-10T17:00+00:00", "open tomorrow, 11 November, 09:00 CET."),
        ("2026-11-13T17:00+00:00", "open Monday, 16 November, 09:00 CET."),
    ],
)
def test_a_template_says_whether_the_desk_is_open_and_when_next(world: World, now: str, text: str) -> None:
    world.use_rules(RULES.replace("standard: {calendar: always", "standard: {calendar: office"))
    told = "open {% if open_now %}now{% else %}{{ next_open }}{% endif %}."
    world.context = msgspec.structs.replace(world.context, replies=Replies({("received", "en"): told}))
    world.clock.at = at(now)
    world.receive()
    (receipt,) = world.sent("jan@customer.example")
    assert receipt.text == text
