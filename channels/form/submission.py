"""What somebody has sent with a form: kept as it came, below one line that says how it is written; and its normal form.

The raw message is a MIME entity: the line Content-Type, an empty one, the body as the browser sent it. So its files are
read out of it as those of a mail are, by the number of their field.
"""

import hashlib
import re
from typing import Any

import msgspec

from channels import language, phone_numbers
from channels.contract import Address, Attachment, Identity, Message, RawMessage
from channels.email import file_names
from channels.form import multipart, words
from channels.form.multipart import Part
from channels.form.settings import Field, Options

MEDIUM = "form"
MAX_ADDRESS_CHARS = 254  # RFC 5321 §4.5.3.1.3
MAX_NAME_CHARS = 200
MAX_SUBJECT_CHARS = 300
TRAP = "website"  # no person sees it

_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]")
_BREAKS = re.compile(r"\r\n?")
_MAILBOX = re.compile(
    r"[^\s@<>,;:\"()\\\[\]]{1,64}@([^\s@<>,;:\"()\\\[\].]{1,63}\.)+[^\s@<>,;:\"()\\\[\].]{2,63}"
)
_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,60}/[a-z0-9][a-z0-9.+-]{0,90}")
# What calls itself a mail of several parts would be read as one; a browser says so of saved pages (.mht).
_NESTED = re.compile(rb"(?im)^(content-type:[ \t]*)multipart/[^\r\n]*")


class Submission(msgspec.Struct, frozen=True):
    """What a form was filled in with. fields: name -> what was written, the first where there are several."""

    fields: dict[str, str]
    files: tuple[Part, ...] = ()

    def text(self, name: str) -> str:
        return self.fields.get(name, "")


def kept(content_type: str, body: bytes) -> bytes:
    """Return a raw message of what was posted."""
    boundary = multipart.boundary_of(content_type)
    if boundary is None:
        return b"Content-Type: " + multipart.FORM.encode() + b"\r\n\r\n" + body
    written = b'Content-Type: multipart/form-data; boundary="' + boundary.replace(b'"', b"") + b'"\r\n\r\n'
    return written + _without_nested(boundary, body)


def read(raw: bytes) -> Submission:
    """Read a raw message, whatever it is."""
    head, _, body = raw.partition(b"\r\n\r\n")
    content_type = head.decode("utf-8", "replace").partition(":")[2].strip()
    parts = multipart.parts_of(content_type, body)
    fields: dict[str, str] = {}
    for part in parts:
        if part.file_name is None:
            fields.setdefault(part.name, clean(part.content.decode("utf-8", "replace")))
    return Submission(fields, tuple(part for part in parts if part.is_file))


def content_key(submission: Submission) -> str:
    """Return what tells two messages apart: all that was written and chosen, and by which page."""
    digest = hashlib.sha256()
    for name, text in sorted(submission.fields.items()):
        digest.update(f"{len(name)}:{name}{len(text)}:{text}".encode("utf-8", "replace"))
    for part in submission.files:
        digest.update(hashlib.sha256(part.content).digest())
    return digest.hexdigest()


def mailbox(written: str) -> str | None:
    """Return an address with its domain in lower case; None = it is none."""
    plain = written.strip()
    if len(plain) > MAX_ADDRESS_CHARS or not _MAILBOX.fullmatch(plain):
        return None
    local, _, domain = plain.rpartition("@")
    return f"{local}@{domain.lower()}"


def message(raw: RawMessage, options: Options) -> Message:
    """Return the normal form. Who wrote is what they say of themselves: nothing of it is proven."""
    sent = read(raw.body)
    address, phone = mailbox(sent.text("email")), phone_numbers.e164(sent.text("phone"))
    name = _line(sent.text("name"), MAX_NAME_CHARS)
    spoken = str(raw.envelope.get("language") or "") or None
    written = sent.text("message")[: options.max_message_chars]
    text = "\n\n".join(filter(None, [written, _answers(sent, options, spoken or words.ENGLISH)]))
    return Message(
        kind=MEDIUM,
        from_=Address(address or phone or "", name) if address or phone or name else None,
        to=tuple(Address(each) for each in options.addresses[:1]),
        subject=_line(sent.text("subject"), MAX_SUBJECT_CHARS),
        text=text,
        visible_text=text,
        language=language.detect(written, language.DEFAULT) or spoken,
        attachments=tuple(attachment(part, number) for number, part in enumerate(sent.files, 1)),
        sender=_sender(address, phone),
        headers=_headers(sent, options, raw.envelope),
    )


def attachment(part: Part, number: int) -> Attachment:
    """Describe a file. number: of the form's files, from 1."""
    declared = part.content_type if _TYPE.fullmatch(part.content_type) else "application/octet-stream"
    content_type = "application/octet-stream" if declared.startswith("multipart/") else declared
    return Attachment(
        name=file_names.safe(part.file_name or "", content_type=content_type, number=number),
        content_type=content_type,
        size=len(part.content),
        sha256=hashlib.sha256(part.content).hexdigest(),
        inline=False,
        part=str(part.number),
    )


def _without_nested(boundary: bytes, body: bytes) -> bytes:
    """Have files that call themselves multipart be bytes; the heads of parts alone are looked at."""
    between = b"\r\n--" + boundary + b"\r\n"
    pieces = (b"\r\n" + body).split(between)
    for place, piece in enumerate(pieces[1:], 1):
        head, blank, content = piece.partition(b"\r\n\r\n")
        if blank and len(head) <= multipart.MAX_HEAD_BYTES:
            pieces[place] = _NESTED.sub(rb"\1application/octet-stream", head) + blank + content
    return between.join(pieces)[2:]


def _sender(address: str | None, phone: str | None) -> Identity | None:
    if address is not None:
        return Identity("email", address.lower())
    return Identity("phone", phone) if phone is not None else None


def _answers(sent: Submission, options: Options, spoken: str) -> str:
    """Return what stands below the message: the phone number beside an address, and the desk's own fields."""
    said = words.of(spoken, options.words)
    lines = []
    if sent.text("phone") and sent.text("email"):
        lines.append(f"{said['phone']}: {_line(sent.text('phone'), 40)}")
    for name, field in options.fields.items():
        answer = _answer(field, sent.text(name), spoken)
        if answer:
            lines.append(f"{words.in_language(field.label, spoken)}: {answer}")
    return "\n".join(lines)


def _answer(field: Field, written: str, spoken: str) -> str:
    if field.kind == "choice":
        return words.in_language(field.choices.get(written, ""), spoken)
    if field.kind == "tick":
        return "✓" if written else ""
    return written[: field.max_chars] if field.kind == "text" else _line(written, field.max_chars)


def _headers(sent: Submission, options: Options, envelope: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return what rules may ask for as header.NAME: the desk's own fields, the page, the agreement."""
    found = {name: _line(sent.text(name), field.max_chars) for name, field in options.fields.items()}
    found |= {"phone": _line(sent.text("phone"), 40), "page": str(envelope.get("page") or "")}
    if options.consent is not None and sent.text("consent"):
        found["consent"] = _line(sent.text("consent"), 60)
    return {name: (value,) for name, value in found.items() if value}


def _line(text: str, most: int) -> str:
    return " ".join(text[: most * 4].split())[:most]


def clean(text: str) -> str:
    return _CONTROLS.sub("", _BREAKS.sub("\n", text)).strip("\n")
