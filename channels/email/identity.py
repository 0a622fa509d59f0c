"""Tells whether two mails are the same mail, cheaply: it runs on the event loop before every 250.

The same mail may come by two roads (two MX, an address and its alias): trace headers differ, the rest does not. A
Message-ID alone is chosen by the sender, so it never stands alone: the content is part of the key.
"""

import re
from hashlib import sha256

MAX_HEADER_BYTES = 256 * 1024
MAX_MESSAGE_ID_CHARS = 998  # RFC 5322 §2.1.1: a line; a longer one is cut, the hash still tells them apart

_BLANK = b"\r\n \t"
_TAIL_BYTES = 1_024
_HEADER_END = re.compile(rb"\r?\n\r?\n")
_IDENTIFYING = re.compile(
    rb"^(from|date|subject|message-id)[ \t]*:([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)",
    re.IGNORECASE | re.MULTILINE,
)


def content_key(body: bytes) -> str | None:
    """The key of a mail: Message-ID and SHA-256 of From, Date, Subject and the body.

    Line endings and trailing blank lines do not count, trace headers neither. None = neither Message-ID nor Date: two
    such mails with the same text are two messages.
    """
    end = _HEADER_END.search(body, 0, MAX_HEADER_BYTES)
    header_end, content_start = (end.start(), end.end()) if end else (MAX_HEADER_BYTES, MAX_HEADER_BYTES)
    fields = _fields(body[:header_end])
    message_id = fields.get(b"message-id", b"")
    if not message_id and not fields.get(b"date"):
        return None
    digest = sha256()
    for name in (b"from", b"date", b"subject"):
        digest.update(name + b":" + fields.get(name, b"") + b"\n")
    digest.update(_canonical(body, content_start, has_crlf=end is not None and b"\r" in end[0]))
    return f"mail:{message_id.decode('latin-1')}:{digest.hexdigest()}"


def _fields(header: bytes) -> dict[bytes, bytes]:
    """First value of each identifying field, white space folded to single spaces; Message-ID without <>."""
    fields: dict[bytes, bytes] = {}
    for found in _IDENTIFYING.finditer(header):
        name = found[1].lower()
        if name not in fields:
            fields[name] = b" ".join(found[2].split())
    if b"message-id" in fields:
        fields[b"message-id"] = fields[b"message-id"].strip(b"<> ")[:MAX_MESSAGE_ID_CHARS]
    return fields


def _canonical(body: bytes, start: int, *, has_crlf: bool) -> memoryview | bytes:
    """The content with CRLF line ends and without trailing blank lines.

    A mail whose header ends its lines with CRLF is taken to do so throughout, as SMTP and IMAP demand: looking at every
    line of an attachment would cost more than the hash.
    """
    if not has_crlf:
        content = body[start:].translate(None, b"\r").replace(b"\n", b"\r\n")
        return content.rstrip(_BLANK)
    tail = body[max(start, len(body) - _TAIL_BYTES) :].rstrip(_BLANK)
    if not tail:
        return body[start:].rstrip(_BLANK)
    return memoryview(body)[start : max(start, len(body) - _TAIL_BYTES) + len(tail)]
