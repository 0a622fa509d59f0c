"""Telephone numbers as they are compared and kept: E.164 (ITU-T E.164, 2010-11), like +48600100200."""

import functools
import re

_E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)
_PUNCTUATION = str.maketrans("", "", " \u00a0-.()/")


def e164(text: str) -> str | None:
    """Return a number that is written with its country code; None when it is something else: a short code, a name."""
    number = text.strip().translate(_PUNCTUATION)
    return number if _E164.fullmatch(number) else None


@functools.lru_cache(maxsize=4_096)
def country(number: str) -> str | None:
    """Return the country of a number in E.164, ISO 3166-1 alpha-2 ("PL"); None = none, or not known.

    Its first call takes some tens of milliseconds: the numbering plans are read then.
    """
    if not _E164.fullmatch(number):
        return None
    import phonenumbers

    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None
    region = phonenumbers.region_code_for_number(parsed)
    return region if region is not None and region.isalpha() else None  # "001" is no country


@functools.lru_cache(maxsize=4_096)
def country_code_length(number: str) -> int:
    """Return how many digits of a number in E.164 are its country code; 0 = it is none, or of no country known."""
    import phonenumbers

    if not _E164.fullmatch(number):
        return 0
    try:
        return len(str(phonenumbers.parse(number).country_code))
    except phonenumbers.NumberParseException:
        return 0


@functools.lru_cache(maxsize=4_096)
def is_dear(number: str) -> bool:
    """Whether what goes to a number costs more than other numbers of its country: premium rate, or shared cost.

    So does what is no whole number: short codes, and names, to which nothing can be sent at all.
    """
    import phonenumbers

    if not _E164.fullmatch(number):
        return True
    try:
        kind = phonenumbers.number_type(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return True
    dear = (phonenumbers.PhoneNumberType.PREMIUM_RATE, phonenumbers.PhoneNumberType.SHARED_COST)
    return kind in dear


@functools.lru_cache(maxsize=4_096)
def may_be_mobile(number: str) -> bool:
    """Whether a number in E.164 may take texts, by its country's plan: in some countries nobody can tell."""
    import phonenumbers

    if not _E164.fullmatch(number):
        return False
    try:
        kind = phonenumbers.number_type(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return False
    types = phonenumbers.PhoneNumberType
    return kind in (types.MOBILE, types.FIXED_LINE_OR_MOBILE, types.VOIP, types.UNKNOWN)
