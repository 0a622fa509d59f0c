"""Chooses the readable text of a mail and lists what else it carries."""

import re
from hashlib import sha256

import msgspec

from channels.contract import Attachment
from channels.email import borders, charsets, flowed, headers, html_text
from channels.email.structure import Part

MAX_NAME_CHARS = 200
MAX_TEXT_BYTES = 4_000_000  # of all parts; one emoji makes a text of 25 MB one of 100 MB
_STUB_CHARS = 300  # a plain alternative below this may only say "your reader shows no HTML"
_STUB_RATIO = 4
_TEXT_TYPES = frozenset(
    {"text/plain", "text/html", "text/enriched", "text/richtext", "text/markdown", "text/x-markdown"}
)
_SEALED = frozenset({"multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"})
_UNSAFE = re.compile('[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff<>:"|?*]+')
_EXTENSIONS = {
    "message/rfc822": ".eml", "text/calendar": ".ics", "text/plain": ".txt", "text/html": ".html", "image/jpeg": ".jpg",
    "image/png": ".png", "image/gif": ".gif", "application/pdf": ".pdf", "text/csv": ".csv", "text/vcard": ".vcf",
    "message/delivery-status": ".txt", "text/rfc822-headers": ".txt", "application/zip": ".zip",
}  # fmt: skip
_CID = re.compile(r"(?i)cid:([^\"'\s<>)]{1,200})")


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
    cids: set[str] = set()
    problems: list[str] = []
    rich: Part | None = None

    def note(self, problem: str) -> None:
        if problem and problem not in self.problems:
            self.problems.append(problem)


def read(root: Part, *, costly: bool) -> Content:
    """Text and attachments of a mail. Raises: Costly (costly=False) for HTML that is too large for the fast road."""
    reading = _Reading(costly=costly)
    if root.content_type in _SEALED:
        reading.note("The mail is encrypted or sealed as a whole: its text cannot be read")
    _walk(root, reading, is_related=False)
    attachments = tuple(
        _attachment(part, number, is_inline=is_inline or part.content_id in reading.cids)
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


def _walk(part: Part, reading: _Reading, *, is_related: bool) -> None:
    if part.content_type == "multipart/alternative":
        _walk_alternative(part, reading)
    elif part.is_multipart():
        for number, child in enumerate(part.children):
            _walk(child, reading, is_related=part.content_type == "multipart/related" and number > 0)
    elif _is_text(part) and not is_related:
        reading.texts.append(_text(part, reading))
    else:
        reading.files.append((part, is_related or (part.disposition == "inline" and bool(part.content_id))))


def _is_text(part: Part) -> bool:
    """Whether a leaf is to be read, not to be listed. A named text is a file, except where the mail is nothing else."""
    if part.content_type not in _TEXT_TYPES or part.disposition == "attachment":
        return False
    return not part.filename or not part.path


def _walk_alternative(part: Part, reading: _Reading) -> None:
    """The plain branch, unless it is empty or a stub of the rich one; what is no text is listed in either case."""
    begin = len(reading.texts)
    rich: list[Part] = []
    for child in part.children:
        if _is_plain(child):
            _walk(child, reading, is_related=False)
        else:
            rich.append(child)
    plain_chars = sum(map(len, reading.texts[begin:]))
    if plain_chars >= _STUB_CHARS:
        for child in rich:
            _list_files(child, reading)
        reading.rich = reading.rich or _first_html(rich)
        return
    rich_begin = len(reading.texts)
    for child in rich:
        first = len(reading.texts)
        _walk(child, reading, is_related=False)
        if any(reading.texts[first:]):
            del reading.texts[rich_begin:first]  # the last one is the best (RFC 2046 §5.1.4)
    if sum(map(len, reading.texts[rich_begin:])) > plain_chars * _STUB_RATIO:
        del reading.texts[begin:rich_begin]
    else:
        del reading.texts[rich_begin:]
        reading.rich = reading.rich or _first_html(rich)


def _first_html(parts: list[Part]) -> Part | None:
    leaves = (leaf for part in parts for leaf in part.leaves())
    return next((leaf for leaf in leaves if leaf.content_type == "text/html" and _is_text(leaf)), None)


def _is_plain(part: Part) -> bool:
    """Whether a branch has text, all of it plain."""
    types = {leaf.content_type for leaf in part.leaves() if _is_text(leaf)}
    return types == {"text/plain"}


def _list_files(part: Part, reading: _Reading) -> None:
    """Attachments below a part whose text is not wanted."""
    is_related = part.content_type == "multipart/related"
    for leaf in part.leaves():
        if not _is_text(leaf):
            reading.files.append(
                (leaf, is_related or (leaf.disposition == "inline" and bool(leaf.content_id)))
            )
        elif leaf.content_type == "text/html":
            reading.cids.update(
                _CID.findall(leaf.content.decode("latin-1"))[:100] if b"cid:" in leaf.content else ()
            )


def _text(part: Part, reading: _Reading) -> str:
    content = part.content
    if len(content) > reading.room_bytes:
        content = content[: reading.room_bytes]
        reading.note(f"Only the first {MAX_TEXT_BYTES // 1_000_000} MB of text were read")
    reading.room_bytes -= len(content)
    text, problem = charsets.text_from_bytes(content, part.charset)
    reading.note(problem)
    if part.content_type in {"text/html", "text/enriched", "text/richtext"}:
        reading.cids.update(_CID.findall(text)[:100] if "cid:" in text else ())
        marked = html_text.marked_from_html(text, costly=reading.costly)
        return marked if borders.without(marked).strip() else ""
    text = borders.removed(normalised(text))
    return flowed.unflowed(text, drops_space=part.delsp == "yes") if part.format == "flowed" else text


def normalised(text: str) -> str:
    """Line ends as LF, no NUL, no trailing white space at the end of the text."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\x00" in text:
        text = text.replace("\x00", "")
    return text.strip("\n").rstrip()


def _attachment(part: Part, number: int, *, is_inline: bool) -> Attachment:
    return Attachment(
        name=safe_name(part.filename or _subject_name(part), content_type=part.content_type, number=number),
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


def safe_name(name: str, *, content_type: str, number: int = 1) -> str:
    """A file name without path, control, bidirectional and shell characters; a made-up one when nothing is left."""
    name = name.replace("\\", "/").rsplit("/", 1)[-1]
    name = _UNSAFE.sub("_", " ".join(name.split())).strip(". ")
    if len(name) > MAX_NAME_CHARS:
        stem, dot, extension = name.rpartition(".")
        name = f"{stem[: MAX_NAME_CHARS - 20]}.{extension[:16]}" if dot else name[:MAX_NAME_CHARS]
    if name.strip("_. "):
        return name
    return f"attachment-{number}{_EXTENSIONS.get(content_type, '')}"
