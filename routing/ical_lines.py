"""iCalendar as text (RFC 5545 §3.1) -> its components and their lines, each with the number of the line it begins on.

What calendars export is read, not only what the standard allows: any line end, empty lines, lines that say nothing.
"""

import re
from collections.abc import Iterator

import msgspec

from routing.problems import ConfigError, Problem

MAX_CHARACTERS = 4 << 20
MAX_EVENTS = 5_000

_LINE_END = re.compile(r"\r\n|\n|\r")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_PARAMETER = re.compile(r';([A-Za-z0-9-]+)=("[^"]*"|[^;]*)')
_ESCAPED = re.compile(r"\\([nN,;\\:])")
_TOLD = frozenset((
    "BEGIN", "END", "UID", "SUMMARY", "STATUS", "TRANSP", "DTSTART", "DTEND", "DURATION", "RRULE", "EXRULE", "RDATE",
    "EXDATE", "RECURRENCE-ID", "TZID", "X-LIC-LOCATION", "TZOFFSETTO", "X-MICROSOFT-CDO-ALLDAYEVENT", "X-FUNAMBOL-ALLDAY",
))  # fmt: skip
_DATED = frozenset(("DTSTART", "DTEND", "EXDATE", "RDATE", "RECURRENCE-ID"))
_SHOWN = 40


class Line(msgspec.Struct, frozen=True):
    """One content line. name, keys of parameters: in capitals. number: from 1."""

    name: str
    parameters: dict[str, str]
    value: str
    number: int


class Component(msgspec.Struct, frozen=True):
    """What stands between BEGIN and END, in order. number: of the line with BEGIN."""

    name: str
    number: int
    lines: list[Line]
    parts: list["Component"]

    def all(self, name: str) -> list[Line]:
        return [line for line in self.lines if line.name == name]

    def first(self, name: str) -> Line | None:
        return next((line for line in self.lines if line.name == name), None)

    def text(self, name: str) -> str:
        """The first line's value in capitals; "" = there is none."""
        line = self.first(name)
        return line.value.strip().upper() if line else ""


def broken(file: str, number: int, message: str, hint: str = "") -> ConfigError:
    """The one problem of a file that can't be read."""
    hint = hint or "export the calendar again as an .ics file"
    return ConfigError([Problem(file, number, 1, "error", "bad-calendar", message, hint)])


def components(text: str, *, file: str) -> list[Component]:
    """The calendars of a file. Raises: ConfigError with one problem when it is none, cut off or too big."""
    if len(text) > MAX_CHARACTERS:
        message = f"it has {len(text)} characters; a calendar may have {MAX_CHARACTERS}"
        raise broken(file, 1, message, "export fewer years")
    found: list[Component] = []
    open_: list[Component] = []
    events = 0
    for number, words in _unfolded(text):
        line = _content_line(words, number)
        if not open_ and (line is None or line.name != "BEGIN" or line.value.strip().upper() != "VCALENDAR"):
            raise broken(file, number, f"no iCalendar: BEGIN:VCALENDAR is wanted, got '{_shown(words)}'")
        if line is None:
            continue
        if line.name == "BEGIN":
            made = Component(line.value.strip().upper(), number, [], [])
            (open_[-1].parts if open_ else found).append(made)
            open_.append(made)
            events += made.name == "VEVENT"
        elif line.name == "END":
            _close(open_, line, file)
        else:
            open_[-1].lines.append(line)
        if events > MAX_EVENTS:
            raise broken(file, number, f"it has more than {MAX_EVENTS} events", "export fewer years")
    if open_:
        last = open_[-1]
        raise broken(file, last.number, f"the file ends before END:{last.name} of line {last.number}")
    if not found:
        raise broken(file, 1, "the file is empty")
    return found


def essence(text: str) -> str:
    """The text without what says nothing about when something is closed: who is invited, what it is about, when it was sent.

    Lines are whole and keep their numbers; the first one is kept whatever it is, so that a file that is none is told.
    """
    kept: dict[int, str] = {}
    for number, words in _unfolded(text):
        name = _NAME.match(words)
        if not kept or (name is not None and name.group().upper() in _TOLD):
            kept[number] = words
    return "\n".join(kept.get(number, "") for number in range(1, max(kept, default=0) + 1)) + "\n" * bool(
        kept
    )


def _close(open_: list[Component], line: Line, file: str) -> None:
    closed = open_.pop()
    if line.value.strip().upper() != closed.name:
        message = f"END:{_shown(line.value)} where END:{closed.name} of line {closed.number} is wanted"
        raise broken(file, line.number, message)


def _unfolded(text: str) -> Iterator[tuple[int, str]]:
    """Whole lines with the number of their first one; a line that begins with a space or a tab goes on the one before."""
    number, parts = 0, [""]
    for place, line in enumerate(_LINE_END.split(text.removeprefix("\ufeff").rstrip("\0\x1a\r\n ")), 1):
        if line[:1] in (" ", "\t") and number:
            parts.append(line[1:])
        elif line.strip():
            if number:
                yield number, "".join(parts)
            number, parts = place, [line]
    if number:
        yield number, "".join(parts)


def _content_line(words: str, number: int) -> Line | None:
    """None = it is no content line; of dates, whose values have no colon, the last colon ends an unquoted parameter."""
    name = _NAME.match(words)
    if name is None:
        return None
    dated = name.group().upper() in _DATED
    end = words.rfind(":") if dated else _colon(words)
    if end < name.end():
        return None
    parameters = {
        found[1].upper(): found[2].strip('"') for found in _PARAMETER.finditer(words, name.end(), end)
    }
    return Line(name.group().upper(), parameters, words[end + 1 :], number)


def _colon(words: str) -> int:
    """The place of the first colon that stands in no quotes; -1 = there is none."""
    is_quoted = False
    for place, character in enumerate(words):
        if character == '"':
            is_quoted = not is_quoted
        elif character == ":" and not is_quoted:
            return place
    return -1


def unescaped(value: str) -> str:
    """The text of a value (RFC 5545 §3.3.11) on one line."""
    text = _ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], value)
    return " ".join(text.split())


def _shown(words: str) -> str:
    return words if len(words) <= _SHOWN else words[:_SHOWN] + "…"
