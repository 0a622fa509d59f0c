"""Chooses the readable text of a mail and lists what else it carries.

Which part is text and which a file: RFC 8621 §4.1.4, and RFC 2046 §5.1.4 for alternatives.
"""

import re
from collections.abc import Iterator
from hashlib import sha256
from typing import NamedTuple

import msgspec

from channels.contract import Attachment, Costly
from channels.email import borders, calendar, cms, file_names, headers, rtf, texts
from channels.email.parts import SEALED_TYPES, Part

MAX_TEXT_BYTES = 4_000_000  # of all parts; one emoji makes a text of 25 MB one of 100 MB
_STUB_CHARS = 300  # a plain alternative below this may only say "your reader shows no HTML"
_STUB_RATIO = 4
_TEXT_TYPES = (
    frozenset({"text/plain", "text/html", "text/markdown", "text/x-markdown"}) | texts.ENRICHED_TYPES
)
_RTF_TYPES = frozenset({"text/rtf"})
_MAX_FAST_RTF_BYTES = 128 * 1024  # 5 µs for each word of it
_CALENDAR_TYPES = frozenset({"text/calendar", "application/ics"})
# What is read when a mail has no other text.
_REPORT_TYPES = frozenset({"message/delivery-status", "message/partial", "message/feedback-report"})
_LINK = re.compile(r" <https?:[^<>\s]+>")


class Content(msgspec.Struct, frozen=True):
    """text: with LF line ends; attachments in the mail's order.

    marked: the text with the `borders` of its HTML; rich: an HTML part that says the same as a plain text, unread.
    """

    text: str
    attachments: tuple[Attachment, ...]
    problems: tuple[str, ...]
    marked: str = ""
    rich: Part | None = None


class _Reading(msgspec.Struct):
    """One walk through a mail."""

    costly: bool
    room_bytes: int = MAX_TEXT_BYTES
    texts: list[str] = []
    files: list[tuple[Part, bool]] = []
    pages: list[str | bytes] = []  # HTML that may show a file
    problems: list[str] = []
    rich: Part | None = None

    def note(self, problem: str) -> None:
        if problem and problem not in self.problems:
            self.problems.append(problem)


class _Place(NamedTuple):
    """Where a part stands: first of its multipart, beside the root of a multipart/related, one of several alternatives."""

    is_first: bool = True
    is_related: bool = False
    is_alternative: bool = False


def read(root: Part, *, costly: bool) -> Content:
    """Text and attachments of a mail. Raises: Costly (costly=False) for HTML or RTF too large for the fast road."""
    reading = _Reading(costly=costly)
    if root.content_type == "message/partial":
        reading.note("The mail is one piece of a mail that was sent in several")
    if root.content_type == "multipart/encrypted":
        reading.note("The mail is encrypted with PGP: its text cannot be read")
    _walk(root, reading, _Place())
    if not any(reading.texts) and reading.files:
        _read_instead(reading)
    shown = _shown(reading)
    attachments = tuple(
        _attachment(part, number, is_inline=is_inline or part.content_id in shown)
        for number, (part, is_inline) in enumerate(reading.files, 1)
    )
    marked = "\n\n".join(text for text in reading.texts if text)
    return Content(
        text=borders.without(marked),
        attachments=attachments,
        problems=tuple(reading.problems),
        marked=marked,
        rich=reading.rich,
    )


def _walk(part: Part, reading: _Reading, place: _Place) -> None:
    if part.content_type == "multipart/alternative":
        _walk_alternative(part, reading)
    elif part.is_multipart():
        for child, inner in _placed(part, place):
            _walk(child, reading, inner)
    elif _is_text(part, place) and not _is_rich_beside_text(part, reading, place):
        reading.texts.append(_text(part, reading))
        reading.files += [(child, False) for child in part.children]
    elif part.content_type in SEALED_TYPES:
        _walk_sealed(part, reading)
    else:
        _take_file(part, reading, place)


def _placed(part: Part, place: _Place) -> Iterator[tuple[Part, _Place]]:
    """The children of a multipart, each with its place."""
    is_alternative = part.content_type == "multipart/alternative"
    root = _related_root(part) if part.content_type == "multipart/related" else None
    for number, child in enumerate(part.children):
        is_related = place.is_related or (root is not None and child is not root)
        is_first = number == 0 or is_alternative or child is root
        yield child, _Place(is_first, is_related, is_alternative)


def _related_root(part: Part) -> Part | None:
    """The part that the others belong to: the one named by start, else the first that is text (RFC 2387 §3.2)."""
    for child in part.children:
        if part.start and child.content_id == part.start:
            return child
    readable = (child for child in part.children if child.is_multipart() or child.content_type in _TEXT_TYPES)
    return next(readable, part.children[0] if part.children else None)


def _is_text(part: Part, place: _Place) -> bool:
    """Whether a leaf is to be read, not to be listed. A named text is a file, except where a mail's text is expected."""
    if part.disposition == "attachment" or place.is_related:
        return False
    if part.content_type not in _TEXT_TYPES:
        is_other_text = part.content_type.startswith("text/") and part.content_type not in _RTF_TYPES
        return is_other_text and not part.path and not part.filename and not _is_calendar(part)
    return place.is_first or not part.filename


def _is_rich_beside_text(part: Part, reading: _Reading, place: _Place) -> bool:
    """An old rich format that is no alternative is a document beside the text."""
    return part.content_type in texts.ENRICHED_TYPES and not place.is_alternative and any(reading.texts)


def _is_calendar(part: Part) -> bool:
    return part.content_type in _CALENDAR_TYPES


def _take_file(part: Part, reading: _Reading, place: _Place) -> None:
    is_inline = place.is_related or (part.disposition == "inline" and bool(part.content_id))
    reading.files.append((part, is_inline))
    if part.children and not part.is_message():
        reading.files += [(child, False) for child in part.children if child.filename]


def _walk_sealed(part: Part, reading: _Reading) -> None:
    """S/MIME: what is only signed is read; the message itself is kept as a file in either case."""
    if part.children:
        _walk(part.children[0], reading, _Place())
        reading.note("The mail is signed with S/MIME; the signature was not checked")
    elif part.smime_type == "enveloped-data" or cms.is_encrypted(part.content):
        reading.note("The mail is encrypted with S/MIME: its text cannot be read")
    elif part.smime_type not in {"certs-only", "signed-receipt"}:
        reading.note("The mail is sealed with S/MIME: its text cannot be read")
    reading.files.append((part, False))


def _walk_alternative(part: Part, reading: _Reading) -> None:
    """The plain branch, unless it is empty or a stub of the rich one; what is no text is listed in either case."""
    begin = len(reading.texts)
    rich: list[tuple[Part, _Place]] = []
    for child, place in _placed(part, _Place()):
        if _is_plain(child, place):
            _walk(child, reading, place)
        else:
            rich.append((child, place))
    plain_chars = sum(map(len, reading.texts[begin:]))
    if plain_chars >= _STUB_CHARS:
        for child, place in rich:
            _list_files(child, reading, place)
        reading.rich = reading.rich or _first_html(rich)
        return
    rich_begin = len(reading.texts)
    for child, place in rich:
        first = len(reading.texts)
        _walk(child, reading, place)
        if any(reading.texts[first:]):
            del reading.texts[rich_begin:first]  # the last one is the best (RFC 2046 §5.1.4)
    # Links are written out in one of them only.
    if sum(len(_LINK.sub("", text)) for text in reading.texts[rich_begin:]) > plain_chars * _STUB_RATIO:
        del reading.texts[begin:rich_begin]
    else:
        del reading.texts[rich_begin:]
        for child, place in rich:
            _list_unread(child, reading, place)
        reading.rich = reading.rich or _first_html(rich)


def _leaves(part: Part, place: _Place) -> Iterator[tuple[Part, _Place]]:
    if part.is_multipart():
        for child, inner in _placed(part, place):
            yield from _leaves(child, inner)
    else:
        yield part, place


def _first_html(parts: list[tuple[Part, _Place]]) -> Part | None:
    leaves = (found for part, place in parts for found in _leaves(part, place))
    return next(
        (leaf for leaf, place in leaves if leaf.content_type == "text/html" and _is_text(leaf, place)), None
    )


def _is_plain(part: Part, place: _Place) -> bool:
    """Whether a branch has text, all of it plain."""
    types = {leaf.content_type for leaf, inner in _leaves(part, place) if _is_text(leaf, inner)}
    return types == {"text/plain"}


def _list_files(part: Part, reading: _Reading, place: _Place) -> None:
    """Attachments below a part whose text is not wanted."""
    for leaf, inner in _leaves(part, place):
        if not _is_text(leaf, inner):
            _take_file(leaf, reading, inner)
        elif leaf.content_type == "text/html":
            reading.pages.append(leaf.content)
        elif leaf.content_type in texts.ENRICHED_TYPES:
            reading.files.append(
                (leaf, False)
            )  # not what anybody's program shows, and nothing is thrown away


def _list_unread(part: Part, reading: _Reading, place: _Place) -> None:
    """An old rich format that was not chosen: nobody's program shows it, and nothing is thrown away."""
    reading.files += [
        (leaf, False)
        for leaf, inner in _leaves(part, place)
        if leaf.content_type in texts.ENRICHED_TYPES and _is_text(leaf, inner)
    ]


def _text(part: Part, reading: _Reading) -> str:
    content = part.content
    if len(content) > reading.room_bytes:
        content = content[: reading.room_bytes]
        reading.note(f"Only the first {MAX_TEXT_BYTES // 1_000_000} MB of text were read")
    reading.room_bytes -= len(content)
    found = texts.read(part, content, costly=reading.costly)
    if found.html:
        reading.pages.append(found.html)
    for problem in found.problems:
        reading.note(problem)
    return found.text


def _read_instead(reading: _Reading) -> None:
    """The text of a mail that has none of its own: of winmail.dat, an invitation, a report, an unknown kind of text."""
    for part, _ in reading.files:
        if part.children and not part.is_message() and not part.children[0].filename:
            reading.texts.append(_text(part.children[0], reading))
        elif _is_calendar(part):
            reading.texts.append(calendar.text_from_calendar(part.content, part.charset))
        elif part.content_type in _RTF_TYPES:
            if not reading.costly and len(part.content) > _MAX_FAST_RTF_BYTES:
                raise Costly("rich text is large")
            reading.texts.append(borders.removed(texts.normalised(rtf.text_from_rtf(part.content))))
        elif not part.path and part.content_type in _TEXT_TYPES:
            reading.texts.append(_text(part, reading))
        elif part.content_type in _REPORT_TYPES and part.disposition != "attachment":
            reading.texts.append(texts.normalised(part.content[:20_000].decode("utf-8", "replace")))
        if any(reading.texts):
            return


def _shown(reading: _Reading) -> set[str]:
    """Content-IDs that the mail's HTML refers to; not looked for where no file has one."""
    if not any(part.content_id for part, _ in reading.files):
        return set()
    return {each for page in reading.pages for each in texts.cids(page)}


def _attachment(part: Part, number: int, *, is_inline: bool) -> Attachment:
    name = file_names.safe(
        part.filename or _subject_name(part), content_type=part.content_type, number=number
    )
    return Attachment(
        name=name,
        content_type=part.content_type,
        size=len(part.content),
        sha256=sha256(part.content).hexdigest(),
        inline=is_inline,
        part=part.path or "0",
    )


def _subject_name(part: Part) -> str:
    """An embedded mail is called by its subject."""
    if not part.is_message():
        return ""
    subject = headers.scan(part.content).text("subject")[:80].replace("/", "-").replace("\\", "-")
    return f"{subject}.eml" if subject else ""
