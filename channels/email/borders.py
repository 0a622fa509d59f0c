"""The borders that HTML marks between an answer and the rest, carried through the text as lines of one control character.

A mail program knows where the quotation and the signature begin and says so in its HTML; text alone must guess.
"""

import msgspec

QUOTE, QUOTE_END, REST, SIGNATURE, SIGNATURE_END, FORWARD = "\x0e", "\x0f", "\x10", "\x11", "\x12", "\x13"
MARKS = (QUOTE, QUOTE_END, REST, SIGNATURE, SIGNATURE_END, FORWARD)
_ALL = "".join(MARKS)
_NONE = dict.fromkeys(map(ord, MARKS))
_PREFIX = "> \t\xa0"


class Hints(msgspec.Struct):
    """Line numbers of a text whose borders were taken out; spans are half open.

    rest: where an older mail begins that goes to the end; forward: where a forwarded one begins; None = not marked.
    """

    quotes: list[tuple[int, int]] = []
    signatures: list[tuple[int, int]] = []
    rest: int | None = None
    forward: int | None = None


def has_any(text: str) -> bool:
    for mark in MARKS:  # noqa: SIM110 - every text is asked, some often: a generator costs more than the six scans
        if mark in text:
            return True
    return False


def without(text: str) -> str:
    """The text as a person reads it."""
    return taken_out(text)[0] if has_any(text) else text


def removed(text: str) -> str:
    """Foreign text without the characters that mean a border here."""
    return text.translate(_NONE) if has_any(text) else text


def taken_out(text: str) -> tuple[str, Hints]:
    """The text without its borders, and where they were. Borders stand on lines of their own."""
    lines: list[str] = []
    hints = Hints()
    opened: dict[str, int] = {}
    is_below_border = False
    for line in text.split("\n"):
        mark = line.strip(_PREFIX)
        if mark and not mark.strip(_ALL):
            for each in mark:
                _note(each, len(lines), hints, opened)
            is_below_border = True
        elif mark or not is_below_border or not lines or lines[-1]:
            lines.append(removed(line))
            is_below_border = False
    for begun, at in opened.items():
        _close(begun, at, len(lines), hints)
    return "\n".join(lines), hints


def _note(mark: str, at: int, hints: Hints, opened: dict[str, int]) -> None:
    if mark in {QUOTE, SIGNATURE}:
        opened.setdefault(mark, at)
    elif mark == QUOTE_END and QUOTE in opened:
        _close(QUOTE, opened.pop(QUOTE), at, hints)
    elif mark == SIGNATURE_END and SIGNATURE in opened:
        _close(SIGNATURE, opened.pop(SIGNATURE), at, hints)
    elif mark == REST and hints.rest is None:
        hints.rest = at
    elif mark == FORWARD and hints.forward is None:
        hints.forward = at


def _close(begun: str, begin: int, end: int, hints: Hints) -> None:
    (hints.quotes if begun == QUOTE else hints.signatures).append((begin, end))
