"""Writes an OutboundMessage as the bytes of a mail: RFC 5322, 2045, 2047, 3834. Pure, and safe for any text.

Every value that comes from outside passes through one of three functions: `_text` (folds line breaks and controls to
a space), `_mailbox` and `_identifier` (refuse them). So no value can begin a header of its own.
"""

import re
from base64 import b64encode
from collections.abc import Iterable
from datetime import UTC
from email.utils import format_datetime

from channels import contract
from channels.email.entity import entity_of

_MAX_VALUE_CHARS = 4_000
_FOLD_CHARS = 76
# 75 characters an encoded word (RFC 2047 §2), of which "=?utf-8?b?" and "?=" are 12: 45 bytes in base64.
_WORD_BYTES = 45
# The root and the last ones are what threads need; a References line of a year of mails does not help anybody.
_MAX_REFERENCES = 20
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufdd0\ufdd1\ud800-\udfff]+")
_ADDRESS = re.compile(
    r'("[^"\\\x00-\x1f\x7f-\x9f\u2028\u2029]*"|[^\s@<>()\[\],:;"\\\x00-\x1f\x7f-\x9f]+)@([^\s@<>(),:;"\\\x00-\x1f\x7f-\x9f]+)'
)
_IDENTIFIER = re.compile(r"[!-;=?-~]{1,900}")  # printable ASCII but < and >
_HEADER_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,70}")
_AUTOMATIC = re.compile(r"auto-[a-z]+")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
# Only compose itself writes these: a second one would be read by some and not by others.
_OWN_HEADERS = frozenset(
    {
        *(
            "from",
            "to",
            "cc",
            "bcc",
            "reply-to",
            "sender",
            "subject",
            "date",
            "message-id",
            "in-reply-to",
            "references",
        ),
        *("auto-submitted", "mime-version", "content-type", "content-transfer-encoding", "return-path"),
    }
)


def compose(outbound: contract.OutboundMessage) -> bytes:
    """Return the mail, its lines ending in CRLF, none longer than 998 bytes.

    Raises: ValueError when an address, an id or a header's name cannot be written without changing what it means.
    """
    head = [*_address_headers(outbound), *_thread_headers(outbound), *_further_headers(outbound)]
    entity = entity_of(outbound)
    return "\r\n".join([*head, "MIME-Version: 1.0", *entity.head, "", ""]).encode() + entity.body


def ascii_address(address: str) -> str:
    """Return the address with its domain in ASCII; only a local part may be left that is not.

    Raises: ValueError when it is no address.
    """
    match = _ADDRESS.fullmatch(address)
    if match is None:
        raise ValueError(f"not an address that mail can be sent to: {_text(address)[:100]!r}")
    if match[2].isascii():
        return address
    try:
        return f"{match[1]}@{match[2].encode('idna').decode('ascii')}"
    except UnicodeError as error:
        raise ValueError(f"not a domain: {_text(match[2])[:100]!r}") from error


def _address_headers(outbound: contract.OutboundMessage) -> list[str]:
    lines = [
        f"From: {_mailbox(outbound.from_)}",
        *_mailboxes("To", outbound.to),
        *_mailboxes("Cc", outbound.cc),
    ]
    if outbound.reply_to is not None:
        lines += _mailboxes("Reply-To", (outbound.reply_to,))
    return lines


def _thread_headers(outbound: contract.OutboundMessage) -> list[str]:
    if not _IDENTIFIER.fullmatch(outbound.message_id):
        raise ValueError("the Message-ID holds characters that no Message-ID may hold")
    date = format_datetime(outbound.created_at.astimezone(UTC))
    lines = [f"Subject: {_unstructured(outbound.subject, len('Subject: '))}", f"Date: {date}"]
    lines += [f"Message-ID: <{outbound.message_id}>"]
    lines += _identifiers("In-Reply-To", outbound.in_reply_to[-1:])
    return lines + _identifiers("References", outbound.references)


def _further_headers(outbound: contract.OutboundMessage) -> list[str]:
    lines = []
    if outbound.automatic is not None:
        if not _AUTOMATIC.fullmatch(outbound.automatic):
            raise ValueError("automatic must be auto-replied or auto-generated")
        lines += [f"Auto-Submitted: {outbound.automatic}", "X-Auto-Response-Suppress: All"]
    for name, value in outbound.headers.items():
        if not _HEADER_NAME.fullmatch(name) or name.lower() in _OWN_HEADERS:
            raise ValueError(f"not a header that may be set: {_text(name)[:80]!r}")
        lines.append(f"{name}: {_unstructured(value, len(name) + 2)}")
    return lines


def _mailboxes(name: str, addresses: Iterable[contract.Address]) -> list[str]:
    written = [_mailbox(address) for address in addresses]
    return [f"{name}: " + ",\r\n ".join(written)] if written else []


def _mailbox(address: contract.Address) -> str:
    spec = ascii_address(address.address)
    name = _text(address.name)
    if not name:
        return spec
    if not name.isascii() or "=?" in name or len(name) > _FOLD_CHARS:
        return f"{_encoded(name)}\r\n <{spec}>"
    if not _ATOMS.fullmatch(name):
        name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{name} <{spec}>"


def _identifiers(name: str, identifiers: tuple[str, ...]) -> list[str]:
    """Write ids one to a line. They come from the customer's mail: one that cannot be written is left out."""
    kept = [f"<{identifier}>" for identifier in identifiers if _IDENTIFIER.fullmatch(identifier)]
    if len(kept) > _MAX_REFERENCES:
        kept = kept[:1] + kept[1 - _MAX_REFERENCES :]
    return [f"{name}: " + "\r\n ".join(kept)] if kept else []


def _text(value: str) -> str:
    """Fold line breaks, controls and lone surrogates to one space each run; cut what no reader would show."""
    return _CONTROLS.sub(" ", value[:_MAX_VALUE_CHARS]).strip()


def _unstructured(value: str, used_chars: int) -> str:
    text = _text(value)
    if not text.isascii() or "=?" in text or max(map(len, text.split(" ")), default=0) > _FOLD_CHARS:
        return _encoded(text)
    return _folded(text, used_chars)


def _folded(text: str, used_chars: int) -> str:
    """Break between words; a run of spaces stays on the line it began on, so unfolding gives the same text."""
    if used_chars + len(text) <= _FOLD_CHARS:
        return text
    lines, line = [], ""
    for word in re.findall(r"(?<! ) *[^ ]+", text):
        if line and used_chars + len(line) + len(word) > _FOLD_CHARS:
            lines.append(line)
            line, used_chars = "", 0
        line += word
    return "\r\n".join([*lines, line])


def _encoded(text: str) -> str:
    """Write encoded words (RFC 2047 §2), cut between characters, one to a line."""
    words, chunk = [], b""
    for character in text:
        encoded = character.encode()
        if len(chunk) + len(encoded) > _WORD_BYTES:
            words.append(chunk)
            chunk = b""
        chunk += encoded
    return "\r\n ".join(f"=?utf-8?b?{b64encode(word).decode()}?=" for word in [*words, chunk])
