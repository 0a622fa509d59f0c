"""Separates what the customer wrote now from what was quoted, signed or added by a mail program.

By structure rather than by phrases, so that it works in languages nobody listed: quoted lines with the line above them,
blocks of "Word: value" lines with a date or an address, separator lines, "-- ". Words are only asked where the structure is
ambiguous. What is in doubt stays visible: an answer cut off costs more than a quotation shown.
"""

import re

import msgspec

from channels.email import quote_marks

MAX_SIGNATURE_LINES = 20
MAX_DISCLAIMER_PARAGRAPHS = 4
MAX_EXAMINED_LINES = 10_000  # an answer that begins further down is none

# Asked of the text with a line break before it: a pattern that begins with a literal is three times as fast.
_ANY_QUOTED = re.compile(r"\n\s{0,3}[>|｜]")
_ANY_SIGNATURE = re.compile(r"\n(?:--|—|–)\s*(?:\n|\Z)")
_LINK_REST = re.compile(r"https?://|[)>]$")
_QUOTED = re.compile(r"^\s{0,3}[>|｜](?!.*<\s*$)")


class Split(msgspec.Struct, frozen=True):
    """visible: never empty when there is any text; quoted: what was cut, in order, one empty line between pieces."""

    visible: str
    quoted: str


def split(text: str) -> Split:
    """What the customer wrote now, and the rest."""
    if not text.strip():
        return Split("", "")
    lines = quote_marks.with_attributions_apart(text).split("\n")
    end = _first_cut(lines)
    cut = [False] * end + [True] * (len(lines) - end)
    if _ANY_QUOTED.search("\n" + text):
        _mark_quotes(lines, cut, end)
    if _ANY_SIGNATURE.search("\n" + text):
        _mark_signature(lines, cut)
    _mark_disclaimer(lines, cut)
    _mark_footer(lines, cut)
    if not any(cut):
        return Split(text.strip("\n").rstrip(), "")
    visible = _joined(lines, cut, wanted=False)
    if visible:
        return Split(visible, _joined(lines, cut, wanted=True))
    return _nothing_above(text, lines)


def _nothing_above(text: str, lines: list[str]) -> Split:
    """A pure forward, or a mail that is all quotation: then only marked quotes below an answer may go."""
    cut = [False] * len(lines)
    _mark_quotes(lines, cut, len(lines))
    visible = _joined(lines, cut, wanted=False)
    if visible:
        return Split(visible, _joined(lines, cut, wanted=True))
    return Split(text.strip(), "")


def _joined(lines: list[str], cut: list[bool], *, wanted: bool) -> str:
    """The lines whose mark is `wanted`, runs of empty lines shrunk where something was taken out between them."""
    kept: list[str] = []
    has_gap = False
    for line, is_cut in zip(lines, cut, strict=True):
        if is_cut is not wanted:
            has_gap = True
            continue
        if has_gap and kept and kept[-1].strip() and line.strip():
            kept.append("")
        if not (has_gap and not line.strip() and kept and not kept[-1].strip()):
            kept.append(line)
        has_gap = has_gap and not line.strip()
    return "\n".join(kept).strip("\n").rstrip().lstrip("\n")


def _first_cut(lines: list[str]) -> int:
    """The first line from which on everything is an older mail; the number of lines when there is none."""
    for number, line in enumerate(lines[:MAX_EXAMINED_LINES]):
        stripped = line.strip()
        if not stripped:
            continue
        if stripped[0] in quote_marks.FORWARD_INITIALS and quote_marks.is_forward(stripped):
            return len(lines)  # forwarded for a reason: it is what the mail is about
        if stripped[0] in "-_=*" and quote_marks.is_separator(lines, number):
            return number
        if stripped[-1] in ":：" and (start := quote_marks.attribution_start(lines, number)) is not None:
            # With quoted lines below, what stands below those may be an answer again.
            if not _is_quote_next(lines, number + 1):
                return start
        elif (
            ":" in stripped[:40]
            and quote_marks.may_begin_block(lines, number)
            and quote_marks.is_header_block(lines, number)
        ):
            return quote_marks.introduction_start(lines, number)
    return len(lines)


def _is_quote_next(lines: list[str], number: int) -> bool:
    """Whether the next line that is not empty is a quoted one."""
    for line in lines[number : number + 4]:
        if line.strip():
            return bool(_QUOTED.match(line))
    return False


def _mark_quotes(lines: list[str], cut: list[bool], end: int) -> None:
    """Quoted lines, the empty ones between them, and the attribution above each block."""
    number = 0
    while number < end:
        if not _QUOTED.match(lines[number]):
            number += 1
            continue
        start = number
        while number < end and (_QUOTED.match(lines[number]) or _is_gap(lines, number, end)):
            number += 1
        if number - start == 1 and not _is_lone_quote(lines, start):
            continue
        start = quote_marks.introduction_of_quote(lines, start)
        for marked in range(start, number):
            cut[marked] = True


def _is_gap(lines: list[str], number: int, end: int) -> bool:
    """An empty line, or the rest of a wrapped link, inside a quotation."""
    if number + 1 >= end or not _QUOTED.match(lines[number + 1]):
        return False
    line = lines[number].strip()
    return not line or (" " not in line.removesuffix(" >") and bool(_LINK_REST.search(line)))


def _is_lone_quote(lines: list[str], number: int) -> bool:
    """A single line with > is a quotation; one that begins with | may be a table or a signature."""
    return lines[number].lstrip()[:1] == ">"


def _mark_signature(lines: list[str], cut: list[bool]) -> None:
    """Everything below "-- " (RFC 3676 §4.3), when it is as short as signatures are."""
    for number, line in enumerate(lines):
        if cut[number] or line.rstrip() not in {"--", "—", "–"}:
            continue
        rest = [below for below in range(number, len(lines)) if not cut[below]]
        if len(rest) <= MAX_SIGNATURE_LINES:
            for marked in rest:
                cut[marked] = True
        return


def _mark_footer(lines: list[str], cut: list[bool]) -> None:
    """The line a mail program adds below: "Sent from my iPhone" in any language."""
    for number in range(len(lines) - 1, 0, -1):
        if cut[number] or not lines[number].strip():
            continue
        if not quote_marks.is_footer(lines[number], above=lines[number - 1]):
            return
        cut[number] = True


def _mark_disclaimer(lines: list[str], cut: list[bool]) -> None:
    """The last paragraphs when they are legal boilerplate; the first paragraph never is."""
    end = len(lines)
    for _ in range(MAX_DISCLAIMER_PARAGRAPHS):
        while end and (cut[end - 1] or not lines[end - 1].strip()):
            end -= 1
        begin = end
        while begin and lines[begin - 1].strip() and not cut[begin - 1]:
            begin -= 1
        if begin == 0 or not quote_marks.is_disclaimer(" ".join(lines[begin:end])):
            return
        cut[begin:end] = [True] * (end - begin)
        end = begin
