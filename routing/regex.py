r"""RE2 patterns of an admin, in linear time for any text, with `\b \w \d` meaning Unicode.

RE2's own `\b` knows ASCII only, and it has no look-around to say it otherwise. So a pattern with `\b` looks at a text
in which each word boundary is marked with one private character: `\b` becomes the mark, and every other piece of the
pattern may step over one. Patterns are matched ignoring case unless they start with `(?-i)`, on composed text (NFC).
"""

import itertools
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec
import re2

from routing import folding

MARK = "\ue000"  # a private character; one in a text is taken for a space
MAX_PATTERN_CHARACTERS = 1_000
MAX_WRITTEN_OUT = 1_000
_MAX_MEMORY_BYTES = 8 << 20

_WORD = r"\p{L}\p{M}\p{N}_"
_UNICODE = {"d": r"\p{Nd}", "D": r"\P{Nd}", "w": f"[{_WORD}]", "W": f"[^{_WORD}]"}
_UNICODE_IN_CLASS = {"d": r"\p{Nd}", "D": r"\P{Nd}", "w": _WORD}
_ANYTHING = (r"[\s\S]", r"[\S\s]", r"[\d\D]", r"[\D\d]", r"[\w\W]", r"[\W\w]")
_BOUNDARY = re.compile(r"\b")
_PIECE = re.compile(
    r"\\[pP]\{[^}]*\}|\\[pP].|\\x\{[0-9A-Fa-f]*\}|\\x[0-9A-Fa-f]{2}|\\0[0-7]*|\\Q(?s:.)*?(?:\\E|\Z)|\\(?s:.)"  # escapes
    r"|\[\^?\]?(?:\[:\^?\w+:\]|\\(?s:.)|[^\]\\])*\]"  # a class
    r"|\(\?[^:)=!<]*[:)]|\(\?P?<\w+>|\("  # groups
    r"|\{\d+(?:,\d*)?\}\??|[*+?]\??|(?s:.)"
)
_QUANTIFIER_TIMES = re.compile(r"\{(\d+)(?:,(\d*))?\}")
_QUANTIFIER = re.compile(r"(?:\{\d+(?:,\d*)?\}|[*+?])\??\Z")


class BadPattern(ValueError):
    """The pattern was refused. offset: characters from its start."""

    def __init__(self, message: str, *, offset: int = 0) -> None:
        super().__init__(message)
        self.offset = offset


class Pattern(msgspec.Struct, frozen=True, eq=False):
    """A compiled pattern. marked: it looks at the text with marked boundaries. literals: folded pieces that must occur."""

    text: str
    marked: bool
    compiled: Any
    literals: tuple[str, ...]

    def found(self, subject: bytes) -> bool:
        """Whether it occurs in a subject made by `subject()`."""
        return self.compiled.search(subject) is not None

    def first(self, subject: bytes) -> str | None:
        """The first piece of the subject that it takes; None = it does not occur."""
        match = self.compiled.search(subject)
        return None if match is None else _text(match.group(0))

    def captured(self, subject: bytes, *, limit: int) -> Iterator[str]:
        """The first group of its first finds, at most so many; the whole find when the pattern has no group."""
        group = min(self.compiled.groups, 1)
        for match in itertools.islice(self.compiled.finditer(subject), limit):
            if match.group(group):
                yield _text(match.group(group))


def _text(found: bytes) -> str:
    return found.decode("utf-8", "replace").replace(MARK, "")


def subject(text: str, *, marked: bool) -> bytes:
    """A text as patterns look at it."""
    composed = unicodedata.normalize("NFC", text).replace(MARK, " ")
    if marked:
        composed = _BOUNDARY.sub(MARK, composed)
    return composed.encode("utf-8", "replace")


@lru_cache(maxsize=4_096)
def compile_pattern(text: str) -> Pattern:
    """Raises: BadPattern, with what is wrong in an admin's words."""
    if not text or len(text) > MAX_PATTERN_CHARACTERS:
        raise BadPattern(f"a pattern has 1 to {MAX_PATTERN_CHARACTERS} characters, this one {len(text)}")
    composed = unicodedata.normalize("NFC", text)
    pieces = [(piece.group(), piece.start()) for piece in _PIECE.finditer(composed)]
    _refuse_unsupported(pieces, composed)
    _refuse_bloated(pieces)
    marked = any(piece == r"\b" for piece, _ in pieces)
    translated = "".join(_translate(piece, offset, marked=marked) for piece, offset in pieces)
    prefix = "" if translated.startswith("(?-i)") else "(?i)"
    return Pattern(text, marked, _compile(prefix + translated), _literals(pieces))


def _compile(translated: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MAX_MEMORY_BYTES
    try:
        return re2.compile(translated, options)
    except re2.error as error:
        said = error.args[0]
        text = said.decode() if isinstance(said, bytes) else str(said)
        raise BadPattern(text.replace("(?i)", "").replace(MARK, "")) from None


def _refuse_unsupported(pieces: list[tuple[str, int]], text: str) -> None:
    for piece, offset in pieces:
        if piece == "(" and re.match(r"\(\?(=|!|<=|<!)", text[offset:]):
            raise BadPattern("look-around is not supported: it is not linear in time", offset=offset)
        if re.fullmatch(r"\\[1-9]", piece):
            raise BadPattern("back-references are not supported: they are not linear in time", offset=offset)
        if piece in (r"\B", r"\C"):
            raise BadPattern(f"{piece} is not supported", offset=offset)


def _refuse_bloated(pieces: list[tuple[str, int]]) -> None:
    """Counted repeats are written out by RE2; what stands for too many characters is linear, but slow at each of them.

    Measured with 3 600 of them on 64 000 letters: 1.9 s.
    """
    counts, last = [0], 0  # of each open group; of the last piece, which a quantifier repeats
    for piece, offset in pieces:
        times = _QUANTIFIER_TIMES.match(piece)
        if times:
            more = last * (max(int(times[1]), int(times[2] or 0)) - 1)
            last += more
            counts[-1] += more
        elif piece == ")" and len(counts) > 1:
            last = counts.pop()
            counts[-1] += last
        elif piece.startswith("(") and not piece.endswith(")"):
            counts.append(0)
        elif not _QUANTIFIER.match(piece):
            last = len(piece) if piece.startswith(r"\Q") else 1
            counts[-1] += last
        if counts[-1] > MAX_WRITTEN_OUT:
            message = f"with its repeats written out this is longer than {MAX_WRITTEN_OUT} characters"
            raise BadPattern(message, offset=offset)


def _translate(piece: str, offset: int, *, marked: bool) -> str:
    if piece == r"\b":
        return MARK
    if piece in ("^", r"\A", "|", ")") or piece.startswith("(") or _QUANTIFIER.match(piece):
        return piece
    if piece in ("$", r"\z"):
        return f"{MARK}?{piece}" if marked else piece
    if marked and piece.startswith(r"\Q"):
        return "".join(_step_over(re2.escape(letter)) for letter in piece[2:].removesuffix(r"\E"))
    if piece.startswith("["):
        piece = _class(piece, offset, marked=marked)
    elif piece.startswith("\\") and piece[1:] in _UNICODE:
        piece = _UNICODE[piece[1:]]
    return _step_over(piece) if marked else piece


def _class(piece: str, offset: int, *, marked: bool) -> str:
    if piece in _ANYTHING:
        return f"[^{MARK}]" if marked else piece

    def replaced(match: re.Match[str]) -> str:
        letter = match.group(1)
        if letter == "W" or (marked and letter in "DSP" and not piece.startswith("[^")):
            raise BadPattern(f"\\{letter} inside […] is not supported here", offset=offset)
        return _UNICODE_IN_CLASS.get(letter, match.group())

    return re.sub(r"\\(?s:(.))", replaced, piece)


def _step_over(piece: str) -> str:
    """A piece that takes one character, with a boundary's mark before it allowed and the mark itself never taken."""
    if piece == ".":
        piece = f"[^{MARK}\\n]"
    elif piece.startswith("[^"):
        piece = f"{piece[:-1]}{MARK}]"
    elif piece == r"\S" or piece.startswith(r"\P"):
        piece = f"[^{piece[0]}{piece[1].lower()}{piece[2:]}{MARK}]"
    return f"(?:{MARK}?{piece})"


def _literals(pieces: list[tuple[str, int]]) -> tuple[str, ...]:
    """Folded runs of letters and digits that every match holds; () when the pattern has branches at its top.

    Only runs outside groups count; the last letter before a quantifier does not.
    """
    runs, run, depth = [], "", 0
    for index, (piece, _) in enumerate(pieces):
        if piece == "|" and depth == 0:
            return ()
        depth += piece.startswith("(") and not piece.endswith(")")
        depth -= piece == ")"
        follower = pieces[index + 1][0] if index + 1 < len(pieces) else ""
        plain = depth == 0 and len(piece) == 1 and piece.isalnum() and not _QUANTIFIER.match(follower)
        if plain:
            run += piece
        else:
            runs.append(run)
            run = ""
    folded = (folding.fold(each).strip() for each in [*runs, run] if each)
    return tuple(each for each in folded if len(each) >= 2)
