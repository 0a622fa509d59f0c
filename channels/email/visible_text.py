"""Separates what the customer wrote now from what was quoted, signed or added by a mail program.

By structure rather than by phrases, so that it works in languages nobody listed: quoted lines with the line above them,
blocks of "Word: value" lines with a date or an address, separator lines, "-- ", and where the mail was HTML the borders that
its program has marked. Words are only asked where the structure is ambiguous. What is in doubt stays visible: an answer cut
off costs more than a quotation shown. A forwarded mail is what the customer writes about, so it stays visible as well.
"""

from collections.abc import Iterable

from channels.email import borders, endings, header_blocks, quote_marks, suspects
from channels.email.borders import Hints
from channels.email.parting import Lines, Split, parted

MAX_EXAMINED_LINES = 10_000  # an answer that begins further down is none
MAX_SEARCHED_LINES = 2_000  # lines of a signature's run

_MIN_WRAPPED_CHARS = 68


def split(text: str, *, is_forward: bool = False) -> Split:
    """What the customer wrote now, and the rest. text: may carry the borders of its HTML (`borders`).

    is_forward: the subject says so; header fields in the text then begin the forwarded mail, not a quotation.
    """
    text, hints = borders.taken_out(text) if borders.has_any(text) else (text, None)
    if not text.strip():
        return Split("", "")
    if hints is None:
        text = quote_marks.with_attributions_apart(text)
    lines = text.split("\n")
    mail = Lines(
        lines=lines,
        keys=[line.strip(suspects.SPACE) for line in lines],
        cut=[False] * len(lines),
        has_bars=">" in text or "|" in text or "｜" in text,
    )
    if not any(mail.keys):
        return Split(text.strip(), "")
    suspected = suspects.of_borders(text, mail.keys[:MAX_EXAMINED_LINES], hints)
    _find_end(mail, suspected, hints, is_forward=is_forward)
    _mark_quotes(mail)
    if hints is not None:
        _mark_hinted(mail, hints)
    quotes = mail.cut.copy()
    _mark_endings(mail)
    if mail.forward is None and True not in mail.cut:
        return Split(text.strip("\n").rstrip(), "")
    for attempt in (mail.cut, quotes):
        mail.cut = attempt
        if mail.has_visible():
            return parted(mail)
    return _nothing_above(mail)


def _nothing_above(mail: Lines) -> Split:
    """A mail that is all quotation: then only marked quotes with something below them may go."""
    mail.cut = [False] * len(mail.lines)
    mail.end = len(mail.lines)
    _mark_quotes(mail)
    if mail.has_visible():
        return parted(mail)
    mail.cut = [False] * len(mail.lines)
    return parted(mail)


def _find_end(mail: Lines, suspected: Iterable[int], hints: Hints | None, *, is_forward: bool) -> None:
    """Set `end`, the line from which on everything is an older mail, and `forward`, where a forwarded one begins."""
    mail.end = len(mail.lines)
    rest = hints.rest if hints else None
    forward = hints.forward if hints else None
    for number in suspected:
        if number == forward or (number == rest and is_forward):
            mail.forward = mail.end = number
            return
        if number == rest:
            mail.end = number
            return
        if _begins_forward(mail, number):
            mail.forward = mail.end = number
            return
        if mail.keys[number] and not quote_marks.is_quoted(mail.keys, number):
            found = _older_begins(mail, number)
            if found is not None:
                start, is_block = found
                mail.end = start
                mail.forward = start if is_forward and is_block else None
                return


def _begins_forward(mail: Lines, number: int) -> bool:
    """A line that announces a forwarded mail, itself the first line of a quotation in Apple's HTML."""
    key = mail.keys[number]
    if not key or not quote_marks.is_forward(key):
        return False
    return key[0] != ">" or not mail.is_below_bar(number)


def _older_begins(mail: Lines, number: int) -> tuple[int, bool] | None:
    """Where the older mail begins that this line announces, and whether by header fields; None when it does not.

    With quoted lines below, what stands below those may be an answer again: then only the introduction is marked.
    """
    keys = mail.keys
    key = keys[number]
    if (key[0] in quote_marks.MARKS or " this line" in key) and _is_marked_border(mail, number):
        if not quote_marks.is_quote_next(keys, number + 1):
            return number, True
        return None
    if quote_marks.may_end_attribution(key) and mail.may_try():
        is_above_quote = quote_marks.is_quote_next(keys, number + 1)
        start = quote_marks.attribution_start(keys, number, is_above_quote=is_above_quote)
        if start is not None and not is_above_quote:
            return quote_marks.introduction_start(keys, start), False
        if start is not None:
            return None
    if ":" not in key and "：" not in key:
        return (number, True) if quote_marks.is_notes_block(keys, number) else None
    if not header_blocks.may_begin(keys, number) or not mail.may_try():
        return None
    below = header_blocks.end_of(keys, number, is_set_apart=number == 0 or not keys[number - 1])
    if below is None:
        return None
    start = quote_marks.introduction_start(keys, number)
    if start == number and header_blocks.is_raw(keys, number):
        return None
    if not quote_marks.is_quote_next(keys, below):
        return start, True
    mail.cut[start:below] = [True] * (below - start)
    return None


def _is_marked_border(mail: Lines, number: int) -> bool:
    return mail.may_try() and (
        quote_marks.is_separator(mail.keys, number) or quote_marks.is_ruled_block(mail.keys, number)
    )


def _mark_quotes(mail: Lines) -> None:
    """Quoted lines, the empty ones between them, and the attribution above each block; everything below `end`."""
    keys, end = mail.keys, mail.end
    number = 0
    for first in suspects.of_quotes(keys[:end]) if mail.has_bars else ():
        if first < number or not _begins_quote(mail, first):
            continue
        number = first
        while number < end and (_is_in_quote(keys, number) or _is_gap(mail, number)):
            number += 1
        if number - first == 1 and keys[first][0] == "|":
            continue
        start = quote_marks.introduction_of_quote(keys, first)
        mail.cut[start:number] = [True] * (number - start)
    if mail.forward is None:
        mail.cut[end:] = [True] * (len(keys) - end)


def _begins_quote(mail: Lines, number: int) -> bool:
    keys = mail.keys
    if quote_marks.is_quoted(keys, number):
        return not keys[number].startswith(">>> ") or mail.has_quote_marks()
    if not quote_marks.has_initials(keys[number]):
        return False
    is_followed = number + 1 < mail.end and quote_marks.has_initials(keys[number + 1])
    return is_followed or quote_marks.introduction_of_quote(keys, number) != number


def _is_in_quote(keys: list[str], number: int) -> bool:
    return bool(keys[number]) and (
        quote_marks.is_quoted(keys, number) or quote_marks.has_initials(keys[number])
    )


def _is_gap(mail: Lines, number: int) -> bool:
    """An empty line, or the rest of a line that was wrapped, inside a quotation."""
    keys = mail.keys
    if number + 1 >= mail.end or not _is_in_quote(keys, number + 1):
        return False
    key = keys[number]
    if not key:
        return True
    is_link = " " not in key.removesuffix(" >") and key[-1] in ")>"
    above = keys[number - 1]
    is_open = len(above) >= _MIN_WRAPPED_CHARS and (above[-1].isalnum() or above[-1] == ",")
    is_rest = is_open and key[0].islower() and len(key.split()) <= 3
    return is_link or is_rest


def _mark_hinted(mail: Lines, hints: Hints) -> None:
    """What the HTML says is a quotation or a signature, as far as it stands above a forwarded mail."""
    stop = len(mail.lines) if mail.forward is None else mail.forward
    for begin, end in hints.quotes:
        mail.cut[begin : min(end, stop)] = [True] * max(0, min(end, stop) - begin)
    if not mail.has_visible():
        return
    before = mail.cut.copy()
    for begin, end in hints.signatures:
        mail.cut[begin : min(end, stop)] = [True] * max(0, min(end, stop) - begin)
    if not mail.has_visible():
        mail.cut = before


def _mark_endings(mail: Lines) -> None:
    """Signatures, footers and disclaimers at the end of each stretch that is not cut."""
    stop = len(mail.lines) if mail.forward is None else mail.forward
    begin = 0
    while begin < stop:
        if mail.cut[begin]:
            begin += 1
            continue
        end = _next_cut(mail, begin, stop)
        _mark_ending(mail, begin, end)
        begin = end


def _next_cut(mail: Lines, begin: int, stop: int) -> int:
    try:
        return mail.cut.index(True, begin, stop)
    except ValueError:
        return stop


def _mark_ending(mail: Lines, begin: int, end: int) -> None:
    keys = mail.keys
    first = begin
    while first < end and not keys[first]:
        first += 1
    floor = max(first, end - MAX_SEARCHED_LINES)
    mark = endings.signature_mark(mail.lines, keys, floor, end)
    start = end if mark is None else mark
    for _ in range(2):
        below = start
        start = endings.footer_start(keys, floor, start)
        start = endings.disclaimer_start(keys, floor, start)
        if start == below:
            break
    name = endings.name_line(keys, floor, start)
    start = start if name is None else name
    mail.cut[start:end] = [True] * (end - start)
