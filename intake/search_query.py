"""What somebody types to find a ticket, taken apart: words, a ref, an address, a phone number, and filters.

    printer smoke            messages with both words; the last one may be the beginning of a word
    PRZ-4821/26  prz482126   a number with separators, with or without them
    +48 601 234 567          a phone number, however it is written; its end is enough
    anna@example.com         an address; of "anna@" the beginning
    K7R4M2P                  a ref
    status:open team:billing agent:ewa channel:sms tag:vip before:2026-11-01 after:2026-10-01

What is no filter of ours is text. Nothing that is typed is ever part of the engines' own query language.
"""

import re
from datetime import UTC, datetime

import msgspec

from intake import instants, refs, search_words
from intake.model import OPEN_STATUSES, STATUSES

TYPED_MAX = 300  # characters that are looked at
PIECES_MAX = 10
BEGINNING_MIN = 3  # letters of a word that may go on: of fewer most messages have one

_FILTER = re.compile(r"(status|is|team|agent|channel|tag|before|after):(\S{1,80})", re.IGNORECASE)
_ADDRESS = re.compile(r"[^\s@<>\"]+@[^\s@<>\"]*")
_WHOLE_ADDRESS = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@.]{2,}")  # its end is no beginning of a word
_NOT_DIGITS = re.compile(r"[^0-9]+")


class Word(msgspec.Struct, frozen=True):
    """A word that a message must have. is_beginning: a longer one does as well."""

    text: str
    is_beginning: bool = False


class Piece(msgspec.Struct, frozen=True):
    """What stands between blanks: a message has all words of one of its spellings."""

    spellings: tuple[tuple[Word, ...], ...]


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted. None = it was not asked for. ref, address and digits are all that was typed, filters aside.

    statuses: of which the ticket has one. after, before: microseconds UTC, of the customer's last word.
    """

    text: str
    pieces: tuple[Piece, ...] = ()
    ref: str | None = None
    address: str | None = None
    digits: str | None = None
    statuses: tuple[str, ...] | None = None
    team: str | None = None
    agent: str | None = None
    channel: str | None = None
    tag: str | None = None
    after: int | None = None
    before: int | None = None

    @property
    def whole(self) -> "Query":
        """The same with whole words alone; a phone number and a code may still go on, since few others begin so."""
        return msgspec.structs.replace(self, pieces=tuple(_whole(piece) for piece in self.pieces))

    @property
    def words(self) -> tuple[Word, ...]:
        return tuple(word for piece in self.pieces for spelling in piece.spellings for word in spelling)


def _whole(piece: Piece) -> Piece:
    spellings = (tuple(_kept(word) for word in spelling) for spelling in piece.spellings)
    return Piece(tuple(dict.fromkeys(spellings)))


def _kept(word: Word) -> Word:
    return word if any(each.isdigit() for each in word.text) else Word(word.text)


def read(typed: str) -> Query:
    """Take apart what was typed. A filter with a value that cannot be (`before:soon`) is text."""
    typed = _storable(typed[:TYPED_MAX])
    filters: dict[str, str] = {}

    def take(found: re.Match[str]) -> str:
        name, value = found[1].lower(), found[2]
        if _value(name, value) is None:
            return found.group()
        filters[name] = value
        return " "

    text = " ".join(_FILTER.sub(take, typed).split())
    address = text.lower() if _ADDRESS.fullmatch(text) else None
    digits = search_words.phone_of(search_words.with_ascii_digits(text))
    return Query(
        text=text,
        pieces=_pieces(text),
        ref=refs.normalized(text) if text else None,
        address=address,
        digits=digits,
        statuses=_statuses(filters.get("status") or filters.get("is")),
        team=filters.get("team"),
        agent=filters.get("agent"),
        channel=filters.get("channel"),
        tag=filters.get("tag"),
        after=_instant(filters.get("after", "")),
        before=_instant(filters.get("before", "")),
    )


def _storable(typed: str) -> str:
    """Return it without what no store takes: NUL, and halves of characters, which a command line may hold."""
    return typed.replace("\x00", " ").encode(errors="replace").decode()


def _value(name: str, value: str) -> object:
    if name in ("status", "is"):
        return _statuses(value)
    return _instant(value) if name in ("before", "after") else value


def _statuses(value: str | None) -> tuple[str, ...] | None:
    """Return the statuses that a word stands for: "open" is each of the open ones. None = it is no status."""
    word = (value or "").lower()
    if word == "open":
        return tuple(sorted(OPEN_STATUSES))
    return (word,) if word in STATUSES else None


def _instant(value: str) -> int | None:
    """Return midnight UTC of a day as it is written (2026-11-01); None = it is none."""
    try:
        return instants.us_from_datetime(datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC))
    except ValueError:
        return None


def _pieces(text: str) -> tuple[Piece, ...]:
    """Return the pieces of a text. Its last word may go on; so may a phone number to its front."""
    text = search_words.with_ascii_digits(text)
    numbers = list(search_words.phones(text))
    if numbers and search_words.phone_of(text):
        return (_phone(numbers[0], text),)
    chunks = text.split()[:PIECES_MAX]
    last = len(chunks) - 1
    found = [
        _piece(chunk, is_last=place == last and not _WHOLE_ADDRESS.fullmatch(chunk))
        for place, chunk in enumerate(chunks)
    ]
    return tuple(each for each in found if each.spellings)


def _piece(chunk: str, *, is_last: bool) -> Piece:
    words = search_words.wanted(chunk)
    spellings = []
    if words:
        spellings.append(tuple(_word(word, goes_on=is_last and word is words[-1]) for word in words))
    codes = [*search_words.codes(chunk)] or [word for word in words if any(each.isdigit() for each in word)]
    spellings += [(Word(code, is_beginning=len(code) >= BEGINNING_MIN),) for code in codes[:1]]
    return Piece(tuple(dict.fromkeys(spellings)))


def _word(word: str, *, goes_on: bool) -> Word:
    return Word(word, is_beginning=goes_on and len(word) >= BEGINNING_MIN)


def _phone(digits: str, text: str) -> Piece:
    """Return the spellings of a number: kept with its country where it is typed without, and the other way round."""
    tail = digits[::-1]
    backwards = [(Word(search_words.PHONE + tail, is_beginning=True),)]
    national = range(max(len(tail) - 3, search_words.FEWEST_DIGITS + 1), len(tail))
    backwards += [(Word(search_words.PHONE + tail[:length]),) for length in national]
    written = tuple(Word(word) for word in search_words.wanted(text))
    return Piece((*backwards, written, (Word(_NOT_DIGITS.sub("", text), is_beginning=True),)))
