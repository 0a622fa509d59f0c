"""Whether a talk may be recorded: off, after a key, or after a sentence, by the country of the other side's number.

What is right where is the law of both sides' countries, and the admin's to say: nothing is recorded unless it is written
down. A number that is hidden, or of no country, gets `default`; so does every country that is not named.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Literal

from channels import phone_numbers

Mode = Literal["off", "ask", "notice"]
Modes = Mode | dict[str, Mode]
DEFAULT = "default"
_COUNTRY = re.compile(r"[A-Z]{2}")
_STRICTNESS: tuple[Mode, ...] = ("notice", "ask", "off")


def mode(modes: Mode | Mapping[str, Mode], number: str | None) -> Mode:
    """Return what holds for a number in E.164. number: None = it is hidden. Without a default the rest is off."""
    if isinstance(modes, str):
        return modes
    country = phone_numbers.country(number) if number else None
    return modes.get(country or DEFAULT, modes.get(DEFAULT, "off"))


def used(modes: Mode | Mapping[str, Mode]) -> frozenset[Mode]:
    """Return what may hold for anybody."""
    return frozenset((modes,)) if isinstance(modes, str) else frozenset((*modes.values(), mode(modes, None)))


def faults(modes: Mode | Mapping[str, Mode]) -> Iterator[str]:
    """Say what can never be meant, one sentence each."""
    for country in () if isinstance(modes, str) else modes:
        if country != DEFAULT and not is_country(country):
            yield f"'{country}' is no country: write PL, or {DEFAULT} for all others"


def doubts(modes: Mode | Mapping[str, Mode]) -> Iterator[str]:
    """Say what is allowed and seldom meant: who hides their number is recorded more easily than a country that is named."""
    if isinstance(modes, str):
        return
    others = mode(modes, None)
    stricter = sorted(each for each in modes if _STRICTNESS.index(modes[each]) > _STRICTNESS.index(others))
    if stricter:
        yield (
            f"{DEFAULT} is '{others}', and callers from {', '.join(stricter)} who hide their number get that: "
            "make it the strictest"
        )


def is_country(name: str) -> bool:
    """Whether numbers of such a country are known (ISO 3166-1 alpha-2)."""
    import phonenumbers

    return bool(_COUNTRY.fullmatch(name)) and name in phonenumbers.SUPPORTED_REGIONS
