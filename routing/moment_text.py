"""A moment as people write it: `2026-11-26 15:00`, `thursday 15:00`, `tomorrow 9:00`, `15:00`, `in 2h`, `+3d`.

Local times are of the zone given. One that occurs twice is the first; one that does not exist moves to the next instant.
A weekday is the next one with that name, today's while its time is still to come. Nothing is guessed: what may be read in
two ways, and what is past, is refused.
"""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from routing.folding import fold

MOST_DAYS = 2 * 366  # a promise for later than that is a slip of the pen
HINT = "write it like 2026-11-26 15:00, thursday 15:00, tomorrow 9:00, 15:00, in 2h or +3d"

_DAYS = (
    # en, then de, nl, sv, fr, it, es, pt, pl, cs, ru and uk, el, tr; folded when read
    "mon monday mondays mo montag ma maandag man mandag lun lundi lunedi lunes segunda pon poniedzialek pondeli понедельник понеділок δευτερα pazartesi 月曜日 月曜",
    "tue tues tuesday di dienstag dinsdag tis tisdag mardi martedi martes terca wt wtorek utery вторник вівторок τριτη sali 火曜日 火曜",
    "wed weds wednesday mi mittwoch wo woensdag ons onsdag mercredi mercoledi miercoles quarta sr sroda streda среда середа τεταρτη carsamba 水曜日 水曜",
    "thu thur thurs thursday do donnerstag donderdag tors torsdag jeudi giovedi jueves quinta czw czwartek ctvrtek четверг четвер πεμπτη persembe 木曜日 木曜",
    "fri friday fr freitag vr vrijdag fre fredag vendredi venerdi viernes sexta pt piatek patek пятница пʼятниця пятниця παρασκευη cuma 金曜日 金曜",
    "sat saturday sa samstag sonnabend za zaterdag lor lordag samedi sabato sabado sob sobota суббота субота σαββατο cumartesi 土曜日 土曜",
    "sun sunday so sonntag zo zondag son sondag dimanche domenica domingo nd niedz niedziela nedele воскресенье неділя κυριακη pazar 日曜日 日曜",
)
_TODAY = (
    "today heute vandaag idag aujourd'hui oggi hoy hoje dzis dzisiaj dnes сегодня сьогодні σημερα bugun 今日"
)
_TOMORROW = "tomorrow tmrw morgen imorgon demain domani manana amanha jutro zitra завтра αυριο yarin 明日"
_FILLERS = frozenset(
    [
        "at",
        "on",
        "by",
        "um",
        "op",
        "am",
        "a",
        "las",
        "le",
        "o",
        "v",
        "w",
        "в",
        "о",
        "об",
        "kl",
        "den",
        "el",
        "il",
        "los",
        "στις",
        "την",
    ]
)
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_CLOCK = re.compile(r"(\d{1,2})(?:[:.h](\d{2})(?::\d{2})?|h|:?)\s*(am|pm|a\.m\.|p\.m\.)?(?:\s*uhr)?")
_ISO = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T,\s]+(.*))?", re.IGNORECASE)
_DOTTED = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.(?:\s?(\d{4}))?(?:,?\s+(.*))?")
_NAMED = re.compile(r"(\d{1,2})\.?\s+([a-z]{3,9})\.?(?:\s+(\d{4}))?(?:,?\s+(.*))?", re.IGNORECASE)
_OFFSET = re.compile(r"(.*\d)\s*(z|[+-]\d{2}:?\d{2})", re.IGNORECASE)
_LENGTH = re.compile(r"(?:in|within)\s+(.+)|\+\s*(.+)", re.IGNORECASE)
_COUNTED = re.compile(
    r"(\d{1,4})\s*(minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|w)(?![a-z])\s*(?:and\s+|,\s*)?",
    re.IGNORECASE,
)
_ONE = re.compile(r"\b(?:an?|one)\b", re.IGNORECASE)
_NOON = {"noon": time(12), "midday": time(12)}


class NoMoment(ValueError):
    """What was written names no moment to come: one sentence that says why."""


def _words(line: str, value: int) -> dict[str, int]:
    return {fold(word).strip(): value for word in line.split()}


WEEKDAYS: dict[str, int] = {}
for _number, _line in enumerate(_DAYS):
    WEEKDAYS |= _words(_line, _number)
_RELATIVE = _words(_TODAY, 0) | _words(_TOMORROW, 1)


def moment_from(text: str, *, now: datetime, zone: tzinfo) -> datetime:
    """The moment, UTC, after now. Raises: NoMoment."""
    now, written = now.astimezone(UTC), " ".join(text.split()).strip(" .,;!")
    if not written:
        raise NoMoment(f"no moment is named: {HINT}")
    found = _ahead(written, now=now, zone=zone) or _dated(written, now, zone) or _of_week(written, now, zone)
    if found is None:
        raise NoMoment(f"'{written[:60]}' names no moment: {HINT}")
    if found <= now:
        local, here = found.astimezone(zone), now.astimezone(zone)
        raise NoMoment(
            f"{local:%Y-%m-%d %H:%M} is past: it is {here:%Y-%m-%d %H:%M} there now, write the date you mean"
        )
    if found > now + timedelta(days=MOST_DAYS):
        raise NoMoment(
            f"{found.astimezone(zone):%Y-%m-%d} is more than two years ahead: look at the date again"
        )
    return found


def _ahead(written: str, *, now: datetime, zone: tzinfo) -> datetime | None:
    """`in 2h`, `+3d`, `in 2 days and 3 hours`: days keep the time of day."""
    found = _LENGTH.fullmatch(written)
    if found is None:
        return None
    length = _ONE.sub("1", (found[1] or found[2]).strip())
    parts = _COUNTED.findall(length)
    if not parts or _COUNTED.sub("", length).strip():
        return None
    counts: dict[str, int] = {}
    for number, unit in parts:
        counts[unit[0].lower()] = counts.get(unit[0].lower(), 0) + int(number)
    days = counts.get("d", 0) + 7 * counts.get("w", 0)
    local = now.astimezone(zone)
    moved = _instant(local.date() + timedelta(days=days), local.time(), zone) if days else now
    return moved + timedelta(hours=counts.get("h", 0), minutes=counts.get("m", 0))


def _dated(written: str, now: datetime, zone: tzinfo) -> datetime | None:
    """`2026-11-26 15:00`, also with its own offset; `26.11. 15:00`; `26 November 15:00`."""
    found = _ISO.fullmatch(written)
    if found is not None:
        return _on(_day(written, found[1]), found[2], written, zone)
    found = _DOTTED.fullmatch(written)
    number = int(found[2]) if found is not None else 0
    if found is None:
        found = _NAMED.fullmatch(written)
        if found is None or found[2][:3].lower() not in _MONTHS:
            return None
        number = _MONTHS.index(found[2][:3].lower()) + 1
    today = now.astimezone(zone).date()
    year = int(found[3]) if found[3] else today.year
    day = _day(written, f"{year:04}-{number:02}-{int(found[1]):02}")
    if not found[3] and day < today:  # without a year the next one is meant
        day = _day(written, f"{year + 1:04}-{number:02}-{int(found[1]):02}")
    return _on(day, found[4], written, zone)


def _day(written: str, iso: str) -> date:
    try:
        return date.fromisoformat(iso)
    except ValueError:
        raise NoMoment(f"'{written[:60]}' names a day that there is not: {HINT}") from None


def _on(day: date, rest: str | None, written: str, zone: tzinfo) -> datetime:
    """The time of day on a day. Raises: NoMoment when there is none."""
    offset = _OFFSET.fullmatch(rest) if rest else None
    if offset is not None and ":" in offset[1]:
        sign = "+00:00" if offset[2].lower() == "z" else offset[2]
        try:
            return datetime.fromisoformat(f"{day}T{_padded(offset[1])}{sign}").astimezone(UTC)
        except ValueError:
            raise NoMoment(f"'{written[:60]}' names no moment: {HINT}") from None
    at = _time(rest or "")
    if at is None:
        raise NoMoment(f"'{written[:60]}' says no time of day: write it like {day} 15:00")
    return _instant(day, at, zone)


def _padded(clock: str) -> str:
    return clock if len(clock.partition(":")[0]) == 2 else f"0{clock}"


def _of_week(written: str, now: datetime, zone: tzinfo) -> datetime | None:
    """`thursday 15:00`, `tomorrow at 9:00`, `15:00`."""
    word, rest = _first_word(written)
    here = now.astimezone(zone)
    today = here.date()
    weekday, ahead = WEEKDAYS.get(word), _RELATIVE.get(word)
    if weekday is None and ahead is None:
        at = _time(written)
        return None if at is None else _instant(today, at, zone)
    at = _time(rest)
    if at is None:
        raise NoMoment(f"'{written[:60]}' says no time of day: write it like {word} 15:00")
    if weekday is None:
        return _instant(today + timedelta(days=ahead or 0), at, zone)
    return _instant(today + timedelta(days=(weekday - today.weekday()) % 7), at, zone)


def _first_word(written: str) -> tuple[str, str]:
    """The first word that says something, folded, and what follows it."""
    words = written.split(" ")
    while len(words) > 1 and fold(words[0]).strip() in _FILLERS:
        words.pop(0)
    return fold(words[0]).strip(" ,."), " ".join(words[1:])


def _time(text: str) -> time | None:
    """`15:00`, `9:00`, `15.00`, `15h`, `3pm`, `at noon`; None = no time of day, a bare number is none."""
    words = text.lower().replace(",", " ").split()
    while words and fold(words[0]).strip() in _FILLERS:
        words.pop(0)
    rest = " ".join(words)
    if rest in _NOON:
        return _NOON[rest]
    found = _CLOCK.fullmatch(rest)
    if found is None or rest.isdigit():
        return None
    hour, minute, half = int(found[1]), int(found[2] or 0), (found[3] or "")[:1]
    if half and not 1 <= hour <= 12:
        return None
    hour = hour % 12 + 12 * (half == "p") if half else hour
    return time(hour, minute) if hour < 24 and minute < 60 else None


def _instant(day: date, at: time, zone: tzinfo) -> datetime:
    """The first instant with that local time, or the next one after it, UTC."""
    local = datetime.combine(day, at, tzinfo=zone)
    found = local.astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return found
    # A gap: read with the offset before it, the time lies as far behind the jump as it lay in the gap; go back to the jump.
    low = local.replace(fold=1).astimezone(UTC)
    while low.astimezone(zone).replace(tzinfo=None) < local.replace(tzinfo=None):
        low += timedelta(minutes=1)
    return low.replace(second=0, microsecond=0)
