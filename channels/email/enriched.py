"""Plain text out of text/enriched (RFC 1896) and its predecessor text/richtext (RFC 1341 §7.1.3)."""

import re

_PARAMETER = re.compile(r"(?i)<param>[^<]{0,1000}</param>")
_COMMENT = re.compile(r"(?i)<comment>[^<]{0,10000}</comment>")
_LINE_TAG = re.compile(r"(?i)<(?:nl|np|/?paragraph)>")
_TAG = re.compile(r"</?[a-zA-Z0-9-]{1,60}>")
_EXCERPT = re.compile(r"(?i)(</?excerpt>)")
_LINE_BREAKS = re.compile(r"\n+")
_LESS = "\x01"  # stands for << until the tags are gone


def text_from_enriched(text: str, *, is_richtext: bool) -> str:
    """The words of a text. One line break alone is a space, n of them are n-1 (RFC 1896 §2)."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace(_LESS, "")
    if is_richtext:
        text = _COMMENT.sub("", text).replace("\n", " ")
        text = re.sub(r"(?i)<lt>", _LESS, _LINE_TAG.sub("\n", text))
    else:
        text = _PARAMETER.sub("", text.replace("<<", _LESS))
        text = _LINE_BREAKS.sub(lambda found: "\n" * (len(found[0]) - 1) or " ", text)
        text = _quoted(text)
    text = _TAG.sub("", text).replace(_LESS, "<")
    return "\n".join(line.strip() for line in text.split("\n")).strip()


def _quoted(text: str) -> str:
    """Excerpts with "> " before each line."""
    pieces = _EXCERPT.split(text)
    depth = 0
    for number, piece in enumerate(pieces):
        if number % 2:
            depth = max(0, depth + (-1 if piece[1] == "/" else 1))
            pieces[number] = "\n"
        elif depth and piece.strip():
            pieces[number] = "\n".join("> " * min(depth, 20) + line for line in piece.strip().split("\n"))
    return "".join(pieces)
