"""Passwords: kept as argon2id hashes, checked beside the loop and a few at a time, and refused where they are easily guessed.

Parameters: 19 MiB, two passes, one lane (OWASP Password Storage Cheat Sheet, 2026-11); a hash of other parameters is made
anew when its owner signs in. Any character may be used and none has to be, nothing is cut or changed, and no password runs
out (OWASP ASVS 5.0 rows 6.2.1 to 6.2.11, NIST SP 800-63B-4 §3.1.1.2; 2026-11). No list of breached passwords is asked.
"""

import asyncio
import re
from collections.abc import Iterable
from functools import cache

import argon2

MEMORY_KIB = 19_456
PASSES = 2
AT_ONCE = 2  # hashes under way: 19 MiB each, and the machine has other work
LENGTH_MAX = 256  # characters; what is longer is nobody's password
SURPRISING_MIN = 6  # characters that are left when all that is easily guessed is taken away

_hasher = argon2.PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=1)
# What most passwords of the lists that are tried first are made of, and seasons, months, days.
_COMMON = (
    "password passwort passwd pass haslo kodikos contrasena senha motdepasse geheim secret sekret admin "
    "administrator root guest user login welcome willkommen witaj benvenuto bienvenue hello hallo letmein "
    "changeme default test testing support service office company firma internet computer server windows linux "
    "google facebook master dragon monkey tiger lion princess sunshine shadow superman batman pokemon starwars "
    "football futbol soccer baseball basketball hockey liverpool chelsea arsenal barcelona juventus ferrari "
    "mercedes porsche jordan michael michelle jessica ashley daniel thomas andrew robert matthew anthony "
    "charlie jennifer nicole patrick martin george summer winter spring autumn sommer herbst fruehling january "
    "february march april june july august september october november december monday tuesday wednesday "
    "thursday friday saturday sunday iloveyou love liebe amor whatever trustno freedom flower cookie pepper "
    "ginger cheese chocolate banana orange purple yellow black white silver golden diamond money hunter ranger "
    "killer ninja samsung iphone apple"
)
_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "qwertzuiop",
    "azertyuiop",
)
_READ_AS = str.maketrans("013457@$!|", "oleastasil")
_YEAR = re.compile(r"(?:19|20)\d\d")
_REPEATED = re.compile(r"(.)\1{2,}")


def hashed(password: str) -> str:
    """Return the hash of a password; takes about 30 ms."""
    return _hasher.hash(password)


def is_right(kept: str | None, password: str) -> bool:
    """Whether it is the password of a hash. None: it takes as long, and is not."""
    try:
        _hasher.verify(kept or _nobodys(), password[: LENGTH_MAX + 1])
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False
    return kept is not None


def is_outdated(kept: str) -> bool:
    """Whether a hash was made with other parameters than ours now."""
    return _hasher.check_needs_rehash(kept)


class Hasher:
    """Hashes beside the loop, AT_ONCE at a time; whoever comes meanwhile waits."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def hashed(self, password: str) -> str:
        async with self._turns:
            return await asyncio.to_thread(hashed, password)

    async def is_right(self, kept: str | None, password: str) -> bool:
        async with self._turns:
            return await asyncio.to_thread(is_right, kept, password)


def fault(password: str, *, length_min: int, words: Iterable[str] = ()) -> str | None:
    """Return why a new password is not taken; None = it is good. words: names of the person and the house."""
    if len(password) < length_min:
        return f"It is too short: {length_min} characters at least; a few words with spaces are good and easy to keep."
    if len(password) > LENGTH_MAX:
        return f"It is too long: {LENGTH_MAX} characters at most."
    if not password.strip() or any(0xD800 <= ord(each) < 0xE000 for each in password):
        return "It cannot be typed once more: use letters, digits and other characters."
    if surprising(password, words) < SURPRISING_MIN:
        return "It is easily guessed: common words, names, years and rows of keys are what is tried first."
    return None


def surprising(password: str, words: Iterable[str] = ()) -> int:
    """Count the different characters that are left without common words, given names, years, rows of keys and repeats."""
    given = {part for word in words for part in re.split(r"[\W_]+", word.lower()) if len(part) > 2}
    left = _REPEATED.sub(" ", _YEAR.sub(" ", password.lower()))
    words_first = sorted({*_common_words(), *given}, key=len, reverse=True)
    return min(
        _count(_without(spelt, [*words_first, *_runs()])) for spelt in (left, left.translate(_READ_AS))
    )


def _without(text: str, pieces: Iterable[str]) -> str:
    for piece in pieces:
        text = text.replace(piece, " ")
    return text


@cache
def _common_words() -> tuple[str, ...]:
    return tuple(_COMMON.split())


def _count(text: str) -> int:
    return len(set(text) - {" "})


@cache
def _runs() -> tuple[str, ...]:
    """All pieces of rows of keys, both ways, the longest first."""
    rows = [row[::way] for row in _ROWS for way in (1, -1)]
    found = {
        row[at : at + size]
        for row in rows
        for size in range(3, len(row) + 1)
        for at in range(len(row) - size + 1)
    }
    return tuple(sorted(found, key=len, reverse=True))


@cache
def _nobodys() -> str:
    """A hash that is compared where there is none, so that an unknown name takes as long as a known one."""
    return hashed("nobody has this password")
