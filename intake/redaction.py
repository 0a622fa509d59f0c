"""Secrets never reach a log line or an error: values known to be secret are replaced wherever text leaves the process.

Two nets: values that were registered when the settings were read, and the password inside any URL.
"""

import re
from collections.abc import Iterable

MASK = "***"
MIN_SECRET_LENGTH = 4  # shorter ones would blank ordinary words

# No scheme is longer than 32 characters: a longer run of letters in somebody's text is tried at its end only.
_URL_PASSWORD = re.compile(r"([a-z][a-z0-9+.\-]{0,31}://[^\s/:@]*:)([^\s/@]+)@", re.IGNORECASE)
_known: set[str] = set()
_pattern: re.Pattern[str] | None = None


def register(values: Iterable[str]) -> None:
    """Have these values replaced from now on; those shorter than MIN_SECRET_LENGTH are not."""
    global _pattern  # noqa: PLW0603 - one process, one set of secrets
    _known.update(value for value in values if len(value) >= MIN_SECRET_LENGTH)
    longest_first = sorted(_known, key=len, reverse=True)
    _pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None


def forget_all() -> None:
    """Start with no registered value, as a new process does."""
    global _pattern  # noqa: PLW0603
    _known.clear()
    _pattern = None


def redacted(text: str) -> str:
    """Replace every registered secret and every password in a URL by ***."""
    if _pattern is not None:
        text = _pattern.sub(MASK, text)
    return _URL_PASSWORD.sub(rf"\1{MASK}@", text) if "://" in text else text
