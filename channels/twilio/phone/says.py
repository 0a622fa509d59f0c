"""What is said, in the caller's language: built-in sentences, what the account puts in their place, times in words."""

import functools
import tomllib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_WEEK_DAYS = 7


@functools.cache
def built_in() -> dict[str, dict[str, Any]]:
    """Language -> key -> sentence, or a list of words."""
    return tomllib.loads(Path(__file__).with_name("sentences.toml").read_text(encoding="utf-8"))


def names() -> frozenset[str]:
    """Which sentences there are: what may be overridden."""
    return frozenset(key for key, value in built_in()["en"].items() if isinstance(value, str))


def sentence(overrides: Mapping[str, Mapping[str, str]], language: str, key: str, /, **values: object) -> str:
    """Say it, from the account's sentences or the built-in ones; a name in {} that is not given stays away."""
    own = overrides.get(key, {}).get(language)
    text = own if own is not None else str(_of(language)[key])
    for name, value in values.items():
        text = text.replace("{" + name + "}", str(value))
    return text


def words(language: str, key: str) -> tuple[str, ...]:
    """What a caller may say for it: the words of "person_words", "repeat_words" or "numbers"."""
    return tuple(_of(language)[key])


def _of(language: str) -> dict[str, Any]:
    return built_in().get(language) or built_in()["en"]


def opening(
    overrides: Mapping[str, Mapping[str, str]], language: str, *, now: datetime, opens: datetime, zone: str
) -> str:
    """Say when we open: today, tomorrow, the day within a week, else the date. now, opens: aware."""
    here = _zone(zone)
    local, today = opens.astimezone(here), now.astimezone(here).date()
    days = (local.date() - today).days
    key = {0: "at_today", 1: "at_tomorrow"}.get(days, "at_weekday" if days < _WEEK_DAYS else "at_date")
    known = _of(language)
    when = sentence(
        overrides,
        language,
        key,
        time=_clock(local, hours=known["clock_hours"]),
        day=known["days"][local.weekday()],
        date=local.day,
        month=known["months"][local.month - 1],
    )
    return sentence(overrides, language, "opens", when=when)


def _clock(local: datetime, *, hours: int) -> str:
    minutes = f":{local.minute:02}" if local.minute or hours != 12 else ""
    if hours != 12:
        return f"{local.hour}{minutes}"
    return f"{local.hour % 12 or 12}{minutes} {'AM' if local.hour < 12 else 'PM'}"


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
