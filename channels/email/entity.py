"""Writes the body of a mail: its text, the same as HTML, pictures and files (RFC 2045, 2046, 2231, 2387, 2392).

The order is the one that every reader understands: mixed(alternative(text, related(HTML, pictures)), files). A level
with only one part is left out, so a text without formatting and files is a plain mail.
"""

import binascii
import re
from collections.abc import Iterable, Sequence
from hashlib import sha256
from urllib.parse import quote

import msgspec

from channels import contract, markup

MAX_NAME_CHARS = 150
_MAX_LINE_BYTES = 998  # RFC 5322 §2.1.1
_BODY_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufdd0\ufdd1]")
_LINE_BREAKS = re.compile("\r\n|\r|\u2028|\u2029")
# What could break a line, hide an ending (directional overrides) or leave the folder.
_UNSAFE_NAME = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufdd0\ufdd1\ud800-\udfff/\\\\]+"
)
_CONTENT_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,60}/[a-z0-9][a-z0-9.+-]{0,100}")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_SECTION_CHARS = 60  # of a long parameter (RFC 2231 §3)
_BASE64_BYTES = 57  # a line of 76 characters


class Entity(msgspec.Struct, frozen=True):
    """A part: its header lines, and its body, whose lines end in CRLF."""

    head: tuple[str, ...]
    body: bytes

    @property
    def content(self) -> bytes:
        return "\r\n".join([*self.head, "", ""]).encode("ascii") + self.body


def entity_of(outbound: contract.OutboundMessage) -> Entity:
    """Return the body of a mail, with the header lines that say what it is."""
    text = _text(outbound.text, "plain")
    if outbound.markdown is None and not outbound.attachments:
        return text
    whole, shown = (text, frozenset[str]()) if outbound.markdown is None else _alternative(outbound, text)
    files = [_file(each) for each in outbound.attachments if each.name not in shown]
    return _multipart("mixed", [whole, *files], outbound) if files else whole


def _alternative(outbound: contract.OutboundMessage, text: Entity) -> tuple[Entity, frozenset[str]]:
    """Return text and HTML, and the names of the pictures that the HTML shows."""
    domain = outbound.message_id.rpartition("@")[2]
    pictures = {
        each.name: f"{each.sha256[:24]}.{number}@{domain}"
        for number, each in enumerate(outbound.attachments)
        if each.content_type.startswith("image/")
    }
    if outbound.is_verbatim:
        rendered = markup.html_of_words(outbound.text)
    else:
        rendered = markup.html_of(outbound.markdown or outbound.text, pictures=pictures)
    shown = frozenset(name for name, content_id in pictures.items() if f'"cid:{content_id}"' in rendered)
    page = _text(_page(rendered, outbound.language), "html")
    if shown:
        files = [
            _file(each, content_id=pictures[each.name]) for each in outbound.attachments if each.name in shown
        ]
        page = _multipart("related", [page, *files], outbound, '; type="text/html"')
    return _multipart("alternative", [text, page], outbound), shown


def _page(rendered: str, language: str | None) -> str:
    said = f' lang="{language}"' if language and _LANGUAGE.fullmatch(language) else ""
    # type="cite" is how mail clients tell a quote from an indent, also when they quote this mail.
    body = rendered.replace("<blockquote>", '<blockquote type="cite">')
    return f'<!DOCTYPE html>\n<html{said}><head><meta charset="utf-8"></head><body dir="auto">\n{body}</body></html>\n'


def _text(text: str, subtype: str) -> Entity:
    encoding, body = _encoded(text)
    return Entity(
        (f'Content-Type: text/{subtype}; charset="utf-8"', f"Content-Transfer-Encoding: {encoding}"), body
    )


def _encoded(text: str) -> tuple[str, bytes]:
    """Return transfer encoding and body. 7bit when it fits, else the shorter of quoted-printable and base64."""
    plain = _BODY_CONTROLS.sub("", _LINE_BREAKS.sub("\n", text)).encode("utf-8", "replace")
    if not plain.endswith(b"\n"):
        plain += b"\n"
    if plain.isascii() and max(map(len, plain.split(b"\n"))) <= _MAX_LINE_BYTES:
        return "7bit", plain.replace(b"\n", b"\r\n")
    high = len(plain) - len(plain.decode("utf-8").encode("ascii", "ignore"))
    if high * 3 > len(plain):
        return "base64", _base64(plain.replace(b"\n", b"\r\n"))
    return "quoted-printable", binascii.b2a_qp(plain, istext=True).replace(b"\n", b"\r\n")


def _file(file: contract.OutboundFile, *, content_id: str | None = None) -> Entity:
    name = safe_name(file.name)
    head = [
        f"Content-Type: {_content_type(file.content_type)}{_plain_parameter('name', name)}",
        "Content-Transfer-Encoding: base64",
        f"Content-Disposition: {'attachment' if content_id is None else 'inline'}{_parameter('filename', name)}",
    ]
    if content_id is not None:
        head.append(f"Content-ID: <{content_id}>")
    return Entity(tuple(head), _base64(file.content))


def safe_name(name: str) -> str:
    """Return a file's name without anything that could mislead: no folder, no controls, the ending kept when cut."""
    plain = _UNSAFE_NAME.sub("_", name).strip(" .") or "file"
    if len(plain) <= MAX_NAME_CHARS:
        return plain
    stem, dot, ending = plain.rpartition(".")
    return f"{stem[: MAX_NAME_CHARS - 20]}.{ending[:19]}" if dot and stem else plain[:MAX_NAME_CHARS]


def _content_type(content_type: str) -> str:
    """Return a type that base64 may carry: no multipart, no message (RFC 2046 §5), nothing that is no type."""
    kind = content_type.lower()
    if not _CONTENT_TYPE.fullmatch(kind) or kind.startswith(("multipart/", "message/")):
        return "application/octet-stream"
    return kind


def _plain_parameter(key: str, value: str) -> str:
    """Write a name for readers that do not know RFC 2231: as encoded words, which RFC 2047 forbids and all of them read."""
    if _is_simple(value):
        return f';\r\n {key}="{_quoted(value)}"'
    words, chunk = [], b""
    for character in value:
        encoded = character.encode()
        if len(chunk) + len(encoded) > 45:
            words.append(chunk)
            chunk = b""
        chunk += encoded
    written = (f"=?utf-8?b?{binascii.b2a_base64(word, newline=False).decode()}?=" for word in [*words, chunk])
    return f';\r\n {key}="' + "\r\n ".join(written) + '"'


def _parameter(key: str, value: str) -> str:
    """Write a parameter (RFC 2231): in sections where it is long."""
    if _is_simple(value):
        return f';\r\n {key}="{_quoted(value)}"'
    pieces = [quote(character, safe="!#$&+-.^_`{}~") for character in value]
    sections = list(_joined(pieces, _SECTION_CHARS))
    if len(sections) == 1:
        return f";\r\n {key}*=utf-8''{sections[0]}"
    first, *rest = sections
    lines = [f"{key}*0*=utf-8''{first}", *(f"{key}*{number}*={each}" for number, each in enumerate(rest, 1))]
    return "".join(f";\r\n {line}" for line in lines)


def _joined(pieces: Iterable[str], most: int) -> Iterable[str]:
    line = ""
    for piece in pieces:
        if line and len(line) + len(piece) > most:
            yield line
            line = ""
        line += piece
    yield line


def _is_simple(value: str) -> bool:
    return value.isascii() and "=?" not in value and len(value) <= _SECTION_CHARS


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def _multipart(
    subtype: str, parts: Sequence[Entity], outbound: contract.OutboundMessage, parameters: str = ""
) -> Entity:
    contents = [part.content for part in parts]
    boundary = _boundary(f"{subtype}:{outbound.id}:{outbound.message_id}", contents)
    opening = f"--{boundary}\r\n".encode()
    # The line end before a boundary belongs to it (RFC 2046 §5.1.1): a text keeps its own.
    body = b"".join([opening + each + b"\r\n" for each in contents])
    head = (f'Content-Type: multipart/{subtype}{parameters};\r\n boundary="{boundary}"',)
    return Entity(head, body + f"--{boundary}--\r\n".encode())


def _boundary(seed: str, contents: Sequence[bytes]) -> str:
    """Return a boundary that is in none of the parts; the same for the same mail, so that a retry sends the same bytes."""
    boundary = "=_" + sha256(seed.encode("utf-8", "replace")).hexdigest()[:32]
    return (
        boundary if not any(boundary.encode() in each for each in contents) else _boundary(boundary, contents)
    )


def _base64(content: bytes) -> bytes:
    lines = (
        binascii.b2a_base64(content[at : at + _BASE64_BYTES], newline=False)
        for at in range(0, len(content), _BASE64_BYTES)
    )
    return b"\r\n".join([*lines, b""])
