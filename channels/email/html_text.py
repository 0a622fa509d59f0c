"""Turns the HTML of a mail into the text a person would read.

Blocks become lines, links keep their address, quotes get "> ", nothing hidden or scripted is left. The tree is built and
walked in C: marks of our own are put before and after blocks, then the text is taken in one call.
"""

import re
from itertools import islice

from selectolax.lexbor import LexborHTMLParser, LexborNode

from channels.contract import Costly
from channels.email import borders, html_borders, html_hidden
from channels.email.html_source import Source

MAX_FAST_CHARS = 512 * 1024
MAX_CHARS = 2 * 1024 * 1024
# The parser is quadratic in depth: 5 000 open elements cost 24 ms, 20 000 half a second.
MAX_FAST_TAGS = 8_000
MAX_TAGS = 30_000
_MAX_UNCLOSED = 3_000
_MAX_QUOTE_DEPTH = 20

# Control characters stand for structure until the white space is folded (ASCII, so that replacing them is fast). A mail that
# writes them itself spoils its own layout and nothing else.
_LINE, _BREAK, _PARAGRAPH = "\x01", "\x02", "\x03"
_QUOTE, _UNQUOTE, _SPACE_KEPT, _BREAK_KEPT = "\x04", "\x05", "\x06", "\x07"
_ITEM = "\x14"  # behind the sign of a list's item
_MARKS = (_LINE, _BREAK, _QUOTE, _UNQUOTE)
_QUOTE_MARKS = re.compile(f"([{_QUOTE}{_UNQUOTE}])")
# Borders of blocks that touch are one line break; <br> at the end of a block is none of its own; paragraphs swallow both.
_COLLAPSED = ((_LINE + _LINE, _LINE), (_BREAK + _LINE, _BREAK))
_SWALLOWED = _LINE + " "

_INVISIBLE = ["script", "style", "head", "title", "noscript", "template", "svg", "object", "iframe", "select"]
_LINES = (
    "div", "tr", "li", "dt", "dd", "caption", "hr", "center", "article", "section", "header", "footer", "address", "form", "option",
    "summary", "details", "figure", "figcaption", "main", "nav", "aside", "fieldset", "legend", "textarea", "button",
)  # fmt: skip
_PARAGRAPHS = ("p", "h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "dl", "pre")
# What stands beside another of its kind has a space between.
_BESIDE = (("td", "td+td"), ("th", "th+td,th+th"), ("img", "img+img"))
_FOLDED = re.compile(r"[ \t\r\f\u00a0]+")
_EMPTY_LINE = re.compile(f"{_LINE}[ \t\r\n]*\xa0[\xa0 \t\r\n]*{_LINE}")
_MANY_LINES = re.compile(r"\n{3,}")
_TAG = re.compile(r"<[^<>]*>")
_AFTER_ITEM = re.compile(f"{_ITEM}[{_LINE}{_BREAK}{_PARAGRAPH} ]*")
_MAX_ITEMS = 2_000
_MAX_PREFORMATTED = 20_000  # nodes; each <pre> in another is walked again
_MAX_ALTERNATIVES = 20
# Characters that stand for nothing a person reads: they pad preheaders, and allow words to be broken.
_NOTHING = "\u00ad\u034f\u200b\u2060\ufeff"
_PADDING = re.compile("[\u200c\u200d]+(?=[\\s\u00a0\u200c\u200d])")
_SHOWN_LINK = re.compile(r"(?i)https?:|mailto:|tel:")


def text_from_html(html: str, *, costly: bool) -> str:
    """The readable text. Raises: Costly on the fast road (costly=False) when the document is large or deep."""
    return borders.without(marked_from_html(html, costly=costly))


def marked_from_html(html: str, *, costly: bool) -> str:
    """The readable text with the `borders` that its program marked, each on a line of its own.

    Raises: Costly on the fast road (costly=False) when the document is large or deep.
    """
    tags = html.count("<")
    if not costly and (len(html) > MAX_FAST_CHARS or tags > MAX_FAST_TAGS):
        raise Costly("the HTML is large")
    html = borders.removed(html[:MAX_CHARS])
    if tags > MAX_TAGS or (tags > _MAX_UNCLOSED and tags - 2 * html.count("</") > _MAX_UNCLOSED):
        return _stripped(html)
    source = Source(html)
    if source.may_hide():
        document = LexborHTMLParser(source.encoded)
        html_hidden.remove(document)
        if text := _text(document, html, source):
            return text
    return _text(LexborHTMLParser(source.encoded), html, source)


def _text(document: LexborHTMLParser, html: str, source: Source) -> str:
    """The document's text, marked. Only elements whose tag stands in the source are looked for: each search walks the tree."""
    document.strip_tags(source.present(_INVISIBLE))
    body = document.body or document.root
    if body is None:
        return ""
    if source.has_hints:
        html_borders.mark(document, html, line=_LINE)
    if source.has("pre"):
        _keep_preformatted(document)
    if source.has("img"):
        _show_pictured_signs(document)
    _mark_blocks(document, source)
    if source.has("li"):
        _mark_items(document)
    beside = [selector for tag, selector in _BESIDE if source.has(tag)]
    for node in document.css(",".join(beside)) if beside else ():
        node.insert_before(" ")
    if source.has("blockquote"):
        _mark_quotes(document)
    if source.has("a"):
        _write_out_links(document)
    text = str(body.text(separator=""))
    if not text.isascii():
        text = _without_padding(text)
    return _laid_out(text) or _alternatives(document)


def _mark_blocks(document: LexborHTMLParser, source: Source) -> None:
    for node in document.css("br") if source.has("br") else ():
        node.insert_before(_BREAK)
    lines = source.present(_LINES)
    # Below a row stands another or the end of its table, a border in either case. Only quotes show how many there are.
    if not source.has("blockquote") and not source.has("math"):
        lines.remove("tr")
        for node in document.css("tr"):
            node.insert_before(_LINE)
    for tags, mark in ((lines, _LINE), (source.present(_PARAGRAPHS), _PARAGRAPH)):
        for node in document.css(",".join(tags)) if tags else ():
            node.insert_before(mark)
            node.insert_after(mark)


def _without_padding(text: str) -> str:
    for character in _NOTHING:
        if character in text:
            text = text.replace(character, "")
    return _PADDING.sub("", text) if "\u200c" in text or "\u200d" in text else text


def _keep_preformatted(document: LexborHTMLParser) -> None:
    """Line breaks and spaces of <pre> as marks. The nodes are listed first: replacing one under a running walk crashes."""
    room = _MAX_PREFORMATTED
    for node in document.css("pre"):
        children = list(islice(node.traverse(include_text=True), max(room, 0)))
        room -= len(children)
        for child in children:
            text = (child.text_content or "") if child.tag == "-text" else ""
            if "\n" in text or "  " in text:
                child.replace_with(text.replace("\n", _BREAK_KEPT).replace(" ", _SPACE_KEPT))


def _mark_items(document: LexborHTMLParser) -> None:
    """A dash or a number before each item of a list."""
    numbers: dict[int, int] = {}
    for node in document.css("li")[:_MAX_ITEMS]:
        parent = node.parent
        sign = "-"
        if parent is not None and parent.tag == "ol":
            start = parent.attributes.get("start") or "1"
            number = numbers.get(parent.mem_id, int(start) if start.isdecimal() and len(start) < 6 else 1)
            numbers[parent.mem_id] = number + 1
            sign = f"{number}."
        first = node.child
        if first is not None:
            first.insert_before(f"{sign} {_ITEM}")


def _show_pictured_signs(document: LexborHTMLParser) -> None:
    """An emoji that is a picture is part of the sentence; any other picture is a file beside the text."""
    for node in document.css("img[alt]")[:_MAX_ITEMS]:
        alternative = (node.attributes.get("alt") or "").strip()
        if 0 < len(alternative) <= 8 and not alternative.isascii() and not any(map(str.isalnum, alternative)):
            node.insert_before(alternative)


def _alternatives(document: LexborHTMLParser) -> str:
    """What a mail of nothing but pictures says to those who cannot see them."""
    found = (
        (node.attributes.get("alt") or "").strip() for node in document.css("img[alt]")[:_MAX_ALTERNATIVES]
    )
    return "\n".join(" ".join(each.split()) for each in found if each)


def _mark_quotes(document: LexborHTMLParser) -> None:
    for node in document.css("blockquote"):
        if html_borders.is_indented(node):
            node.insert_before(_PARAGRAPH)
            node.insert_after(_PARAGRAPH)
            continue
        node.insert_before(_QUOTE)
        node.insert_after(_UNQUOTE)


def _write_out_links(document: LexborHTMLParser) -> None:
    """Behind a link's text its address, unless the text says it already or there is no text (an image)."""
    for node in document.css("a[href]"):
        address = (node.attributes.get("href") or "").strip()
        if _SHOWN_LINK.match(address):
            shown = node.text().strip()
            bare = address.partition(":")[2].strip("/")
            if shown and bare not in shown and shown not in address:
                _append(node, f" <{address}>")


def _append(node: LexborNode, text: str) -> None:
    node.insert_after(text)


def _laid_out(marked: str) -> str:
    """Text with marks -> lines: white space folded as a browser does, quotes prefixed."""
    if "\xa0" in marked:
        marked = _EMPTY_LINE.sub(_LINE + _BREAK + _LINE, marked)
    text = " ".join(marked.split())
    for mark in _MARKS:
        if mark in text:
            text = text.replace(" " + mark, mark).replace(mark + " ", mark)
    if _PARAGRAPH in text:
        paragraphs = (each.strip(_SWALLOWED) for each in text.split(_PARAGRAPH))
        text = _PARAGRAPH.join(filter(None, paragraphs))
    for pair, mark in _COLLAPSED:
        while pair[0] in text and pair in text:  # for one character the search is ten times as fast
            text = text.replace(pair, mark)
    if _ITEM in text:
        text = _AFTER_ITEM.sub("", text)
    text = text.replace(_LINE, "\n").replace(_BREAK, "\n").replace(_PARAGRAPH, "\n\n")
    if _SPACE_KEPT in text or _BREAK_KEPT in text:
        text = text.replace(_SPACE_KEPT, " ").replace(_BREAK_KEPT, "\n")
    if _QUOTE in text or _UNQUOTE in text:
        text = _quoted(text)
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return text.strip()


def _quoted(text: str) -> str:
    """Every line inside a quote gets one "> " for each level."""
    pieces: list[str] = []
    depth = 0
    for piece in _QUOTE_MARKS.split(text):
        if piece == _QUOTE:
            depth += 1
        elif piece == _UNQUOTE:
            depth = max(0, depth - 1)
        elif depth and piece.strip():
            prefix = "> " * min(depth, _MAX_QUOTE_DEPTH)
            pieces.append("\n" + "\n".join(prefix + line for line in piece.strip().split("\n")) + "\n")
        else:
            pieces.append(piece)
    return "".join(pieces)


def _stripped(html: str) -> str:
    """Text without its tags, for documents that no parser should see: linear."""
    from html import unescape

    text = re.sub(r"(?i)</?(?:p|div|br|tr|li|h[1-6])\b[^<>]*>", "\n", html)
    return _MANY_LINES.sub("\n\n", _FOLDED.sub(" ", unescape(_TAG.sub(" ", text)))).strip()
