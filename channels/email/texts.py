"""Reads one part of text: its charset, its markup, its line breaks."""

import re

import msgspec

from channels.email import borders, charsets, enriched, flowed, html_text
from channels.email.parts import Part

ENRICHED_TYPES = frozenset({"text/enriched", "text/richtext"})
_CID = re.compile(r"(?i)cid:([^\"'\s<>)]{1,200})")
_MAX_CIDS = 100
# Bytes that a text without control characters is made of; what is left over is looked at more closely.
_CONTROL = bytes([*range(9), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F])
_ORDINARY = bytes(set(range(256)) - set(_CONTROL))
_HTML_BEGIN = re.compile(
    r"\s{0,200}(?:<!--.{0,500}?-->\s{0,200})?<(?:!doctype\s{1,9}html|html\b)", re.IGNORECASE | re.DOTALL
)
_META_CHARSET = re.compile(rb"(?i)<meta[^>]{0,200}charset\s{0,9}=\s{0,9}[\"']?([a-z0-9_.:-]{2,40})")
_META_WITHIN_BYTES = 2_048
_EMPTY_LINES = re.compile(r"\A(?:[ \t]*\n)+")
_PGP_MESSAGE = "-----BEGIN PGP MESSAGE-----"


class Text(msgspec.Struct):
    """text: with the `borders` of its HTML; html: the source that it was read from; problems: sentences."""

    text: str
    html: str = ""
    problems: list[str] = []


def read(part: Part, content: bytes, *, costly: bool) -> Text:
    """The text of a part. content: its bytes, perhaps cut. Raises: Costly (costly=False) for large HTML."""
    label = part.charset
    if part.content_type == "text/html" and not label and not content.isascii():
        label = _declared_in_html(content)
    text, problem = charsets.text_from_bytes(content, label)
    found = Text("", problems=[problem] if problem else [])
    if part.content_type == "text/html" or (part.content_type == "text/plain" and _is_html(text)):
        found.html = text
        marked = html_text.marked_from_html(text, costly=costly)
        found.text = marked if borders.without(marked).strip() else ""
    elif part.content_type in ENRICHED_TYPES:
        found.text = borders.removed(
            normalised(enriched.text_from_enriched(text, is_richtext=part.content_type != "text/enriched"))
        )
    else:
        if content.translate(None, _ORDINARY):
            text = text.encode("utf-8", "replace").translate(None, _CONTROL).decode("utf-8")
        text = normalised(text)
        found.text = (
            flowed.unflowed(text, drops_space=part.delsp == "yes") if part.format == "flowed" else text
        )
        if _PGP_MESSAGE in text:
            found.problems.append("The text holds a message encrypted with PGP")
    return found


def cids(html: str | bytes) -> list[str]:
    """The Content-IDs that HTML refers to."""
    text = html if isinstance(html, str) else html.decode("latin-1") if b"cid:" in html else ""
    return _CID.findall(text)[:_MAX_CIDS] if "cid:" in text or "CID:" in text else []


def normalised(text: str) -> str:
    """Line ends as LF, no empty lines around the text, no white space at its end."""
    if "\r" in text:
        text = text.replace("\r\n", "\n")
        text = text.replace("\r", "\n") if "\r" in text else text
    text = text.strip("\n").rstrip()
    return _EMPTY_LINES.sub("", text) if text[:1] in " \t" else text


def _is_html(text: str) -> bool:
    """Whether a text labelled plain is a whole HTML document: some forms and monitors send that."""
    return "<" in text[:300] and _HTML_BEGIN.match(text) is not None


def _declared_in_html(content: bytes) -> str:
    found = _META_CHARSET.search(content[:_META_WITHIN_BYTES])
    return found[1].decode("ascii") if found else ""
