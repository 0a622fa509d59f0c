"""RRULE as text (RFC 5545 §3.3.10) -> a rule on dates, or the reason why it can't be followed."""

import re
from collections.abc import Callable
from typing import Any

import msgspec

from routing.recurrence import Frequency, Rule

_FREQUENCIES: dict[str, Frequency] = {
    "YEARLY": "yearly",
    "MONTHLY": "monthly",
    "WEEKLY": "weekly",
    "DAILY": "daily",
}
_FINER = frozenset(("HOURLY", "MINUTELY", "SECONDLY"))
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_WEEKDAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)\Z")
_TIMES = {"BYHOUR": 0, "BYMINUTE": 1, "BYSECOND": 2}
_NUMBERS = {
    "BYMONTH": ("months", 1, 12),
    "BYWEEKNO": ("weeks", -53, 53),
    "BYYEARDAY": ("year_days", -366, 366),
    "BYMONTHDAY": ("month_days", -31, 31),
    "BYSETPOS": ("positions", -366, 366),
}
INTERVAL_MAX = 10_000
COUNT_MAX = 100_000


class Written(msgspec.Struct, frozen=True):
    """rule: without its end; None = it can't be followed, unfollowed says why.

    until, count: its end as written, "" and 0 = none. times: hours, minutes and seconds that it names, None = none.
    """

    rule: Rule | None
    unfollowed: str = ""
    until: str = ""
    count: int = 0
    times: tuple[tuple[int, ...] | None, ...] = (None, None, None)


def parsed(value: str) -> Written:
    """Raises: ValueError with what is wrong with it."""
    parts = _parts(value)
    frequency = parts.pop("FREQ", "")
    if frequency in _FINER:
        return Written(None, f"it recurs {frequency.lower()}")
    if frequency not in _FREQUENCIES:
        raise ValueError(f"RRULE has no frequency that is known: FREQ={frequency[:20]}")
    until, count = parts.pop("UNTIL", ""), _number(parts.pop("COUNT", "0"), "COUNT", 0, COUNT_MAX)
    times: list[tuple[int, ...] | None] = [None, None, None]
    for name, place in _TIMES.items():
        if name in parts:
            times[place] = _numbers(parts.pop(name), name, 0, 60)
    found: dict[str, Any] = {}
    for name, text in parts.items():
        if name.startswith("X-"):
            continue
        if name not in _READERS:
            return Written(None, f"RRULE has {name[:20]}, which is not followed")
        found.update(_READERS[name](text))
    return Written(Rule(_FREQUENCIES[frequency], **found), "", until, count, tuple(times))


def _parts(value: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in value.strip().strip(";").upper().split(";"):
        name, equals, text = part.partition("=")
        if not equals or not text:
            raise ValueError(f"RRULE has '{part[:40]}', which is no NAME=VALUE")
        found[name.strip()] = text.strip()
    return found


def _number(text: str, name: str, low: int, high: int) -> int:
    if not re.fullmatch(r"[+-]?\d{1,6}", text) or not low <= int(text) <= high:
        raise ValueError(f"RRULE has {name}={text[:20]}")
    return int(text)


def _numbers(text: str, name: str, low: int, high: int) -> tuple[int, ...]:
    found = tuple(_number(each, name, low, high) for each in text.split(","))
    if low < 0 and 0 in found:
        raise ValueError(f"RRULE has {name}=0")
    return found


def _numbers_reader(name: str) -> Callable[[str], dict[str, Any]]:
    key, low, high = _NUMBERS[name]
    return lambda text: {key: _numbers(text, name, low, high)}


def _read_weekdays(text: str) -> dict[str, Any]:
    found = []
    for each in text.split(","):
        match = _WEEKDAY.match(each.strip())
        if match is None or abs(int(match[1] or 0)) > 53:
            raise ValueError(f"RRULE has BYDAY={each[:20]}")
        found.append((int(match[1] or 0), _WEEKDAYS.index(match[2])))
    return {"weekdays": tuple(found)}


def _read_week_start(text: str) -> dict[str, Any]:
    if text not in _WEEKDAYS:
        raise ValueError(f"RRULE has WKST={text[:20]}")
    return {"week_start": _WEEKDAYS.index(text)}


_READERS: dict[str, Callable[[str], dict[str, Any]]] = {
    "INTERVAL": lambda text: {"interval": _number(text, "INTERVAL", 1, INTERVAL_MAX)},
    "BYDAY": _read_weekdays,
    "WKST": _read_week_start,
    **{name: _numbers_reader(name) for name in _NUMBERS},
}
