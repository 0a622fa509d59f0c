"""What a source has posted, as a message: pure, and readable whatever came. Source of the values: channels.webhook.mapping."""

import hashlib
import json
import math
from datetime import UTC, datetime
from typing import Any

import msgspec

from channels import language, phone_numbers
from channels.contract import Address, Attachment, Identity, Message, RawMessage, Trust
from channels.email import file_names
from channels.form import submission
from channels.webhook import mapping as pointers
from channels.webhook.settings import Options
from channels.webhook.signature import Signature

MEDIUM = "webhook"
MAX_FILES = 20
MAX_SUBJECT_CHARS = 300
MAX_TEXT_CHARS = 100_000
MAX_ID_CHARS = 500
EARLIEST_S, LATEST_S = 0, 32_503_680_000  # the years 1970 to 3000
_MILLISECONDS_FROM = 100_000_000_000  # a number beyond the year 5138 counts them

Reference = dict[str, str]


def document_of(body: bytes) -> Any:
    """Return the JSON of a body; None = it is none that can be read."""
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return _loosely(body)


def _loosely(body: bytes) -> Any:
    """Return the JSON of what real sources write beside the letter of RFC 8259; None = it is none.

    A mark of the byte order before it, UTF-16, half of a character (a text that JavaScript has cut within an emoji), bytes
    that are no UTF-8, NaN and what is too large for a number: what can be read of it is, and the rest stays readable.
    """
    try:
        text = body.decode(json.detect_encoding(body), "replace")
        found = json.loads(text, parse_constant=lambda _: None, parse_float=_number)
        return msgspec.json.decode(json.dumps(found, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def _number(written: str) -> float | str:
    number = float(written)
    return number if math.isfinite(number) else written


def is_wanted(document: Any, options: Options) -> bool:
    """Whether what came is a message, by `only`."""
    return all(
        any(_is_same(pointers.value_at(document, pointer), value) for value in values)
        for pointer, values in options.only.items()
    )


def challenge_of(document: Any, options: Options) -> str:
    """Return what Slack wants to hear before it posts anything (docs.slack.dev, "url_verification", 2026-11); "" = nothing."""
    is_asked = options.scheme == "slack" and pointers.value_at(document, "/type") == "url_verification"
    said = pointers.value_at(document, "/challenge") if is_asked else ""
    return said if isinstance(said, str) and len(said) <= MAX_ID_CHARS else ""


def keys_of(
    account: str, document: Any, options: Options, *, signature: Signature, body: bytes
) -> tuple[str, ...]:
    """Return by what it is known again: the source's id; else its bytes, and the instant that they were signed for.

    A request that is sent a second time by somebody who has seen it has the same of both.
    """
    identifier = pointers.name_at(document, options.mapping.id) or signature.id
    if len(identifier) > MAX_ID_CHARS:  # cut, two of them could be one
        identifier = hashlib.sha256(identifier.encode()).hexdigest()
    if identifier:
        return (f"webhook:{account}:id:{identifier}",)
    return (f"webhook:{account}:{hashlib.sha256(signature.at.encode() + b'.' + body).hexdigest()}",)


def sender_of(document: Any, options: Options) -> Identity | None:
    """Return who wrote; None = nobody that could be answered is named."""
    address = _mailbox(pointers.text_at(document, options.mapping.from_))[0]
    if address is not None:
        return Identity("email", address.lower())
    phone = phone_numbers.e164(pointers.text_at(document, options.mapping.phone))
    return Identity("phone", phone) if phone is not None else None


def files_of(document: Any, options: Options) -> list[Reference]:
    """Return the files that the source keeps: url and name of each."""
    if options.files is None:
        return []
    items = pointers.value_at(document, options.files.at)
    found = []
    for item in items[:MAX_FILES] if isinstance(items, list) else ():
        url = pointers.text_at(item, options.files.url) if isinstance(item, dict) else str(item)
        if url:
            found.append({"url": url, "name": pointers.text_at(item, options.files.name)})
    return found


def message(raw: RawMessage, options: Options) -> Message:
    """Return the normal form. What is no JSON, or says nothing that the mapping knows, is its own text."""
    document, asked, problems = document_of(raw.body), options.mapping, []
    text = pointers.text_at(document, asked.text)[:MAX_TEXT_CHARS]
    if document is None:
        problems.append("it is not JSON")
    elif not text:
        problems.append(f"there is no text at {asked.text}")
    text = text or raw.body[:MAX_TEXT_CHARS].decode("utf-8", "replace")
    sender, named = sender_of(document, options), pointers.text_at(document, asked.from_)
    name = _line(pointers.text_at(document, asked.name) or _mailbox(named)[1], 200)
    if named and _mailbox(named)[0] is None:
        problems.append(f"what stands at {asked.from_} is no address")
    return Message(
        kind=MEDIUM,
        message_id=pointers.name_at(document, asked.id)[:MAX_ID_CHARS] or None,
        from_=Address(sender.value if sender else "", name) if sender or name else None,
        to=tuple(Address(each) for each in options.addresses[:1]),
        subject=_line(pointers.text_at(document, asked.subject), MAX_SUBJECT_CHARS),
        text=_clean(text),
        visible_text=_clean(text),
        language=_language(document, options, text),
        sent_at=_instant(pointers.text_at(document, asked.sent_at)),
        attachments=tuple(_attachments(raw)),
        sender=sender,
        trust=Trust(verified_sender=options.vouches and sender is not None),
        headers={
            each: (_line(value, 2_000),)
            for each, written in asked.headers.items()
            if (value := pointers.text_at(document, written))
        },
        problems=tuple(problems),
    )


def references(raw: RawMessage) -> dict[str, str]:
    """Return part -> URL of the files that the source keeps."""
    named = raw.envelope.get("files")
    files = named if isinstance(named, list) else []
    return {
        f"url:{number}": str(each["url"])
        for number, each in enumerate(files)
        if isinstance(each, dict) and each.get("url")
    }


def _mailbox(written: str) -> tuple[str | None, str]:
    """Return the address of "ann@example.net" or "Ann Ito <ann@example.net>", and the name; None = it is not exactly one."""
    name, bracket, rest = written.strip().partition("<")
    if not bracket or "@" in name or not rest.endswith(">"):
        return submission.mailbox(written), ""
    return submission.mailbox(rest[:-1]), name.strip(' "')


def _attachments(raw: RawMessage) -> list[Attachment]:
    named = raw.envelope.get("files")
    found = []
    for number, part in enumerate(references(raw), 1):
        each = named[int(part.removeprefix("url:"))] if isinstance(named, list) else {}
        name = file_names.safe(str(each.get("name") or ""), content_type="", number=number)
        found.append(Attachment(name, "application/octet-stream", 0, "", inline=False, part=part))
    return found


def _is_same(found: Any, wanted: Any) -> bool:
    """Compare as JSON does: true is not 1."""
    return type(found) is type(wanted) and bool(found == wanted)


def _language(document: Any, options: Options, text: str) -> str | None:
    said = pointers.text_at(document, options.mapping.language).replace("_", "-").partition("-")[0].lower()
    is_named = 2 <= len(said) <= 3 and said.isascii() and said.isalpha()
    return said if is_named else language.detect(text[: language.MAX_CHARS], language.DEFAULT)


def _instant(written: str) -> datetime | None:
    """Read RFC 3339, or seconds or milliseconds since 1970; None = it is neither."""
    try:
        if written.isascii() and written.replace(".", "", 1).isdecimal():
            number = float(written)
            number /= 1_000 if number >= _MILLISECONDS_FROM else 1
            return datetime.fromtimestamp(number, UTC) if EARLIEST_S <= number < LATEST_S else None
        at = datetime.fromisoformat(written)
    except (ValueError, OverflowError, OSError):
        return None
    return at if at.tzinfo is not None else None


def _line(text: str, most: int) -> str:
    return " ".join(_clean(text[: most * 4]).split())[:most]


def _clean(text: str) -> str:
    return submission.clean(text)
