"""Asks the HTML of a mail where its plain text does not show what the customer wrote: both say the same, one with borders.

Costs as much as reading the HTML, so only mails pay whose HTML has a border that the plain text is missing.
"""

import re2

from channels.contract import Costly
from channels.email import charsets, html_text, visible_text
from channels.email.parting import Split
from channels.email.structure import Part

MAX_HTML_BYTES = 256 * 1024
MAX_WORDS = 20_000
_QUOTE_SIGNS = (
    b"<blockquote", b"_quote", b"RplyFwdMsg", b"appendonsend", b"border-top:solid", b"cite-prefix", b"reference-message", b"zwchr",
)  # fmt: skip
_ANY_SIGN = re2.compile(
    b"ignature|" + b"|".join(map(re2.escape, _QUOTE_SIGNS))
)  # one pass over the HTML instead of nine
_EDGES = "*_<>[]()|-–—>:\u200b\ufeff"


def split(marked: str, rich: Part | None, *, is_forward: bool = False) -> Split:
    """What the customer wrote now.

    marked: the text, with its `borders` if it was HTML; rich: the HTML that says the same as a plain text, None = there
    is none; is_forward: the subject announces a forwarded mail.
    """
    shown = visible_text.split(marked, is_forward=is_forward)
    if rich is None or shown.forward is not None or not _may_tell_more(rich, shown):
        return shown
    told = _told(rich, is_forward=is_forward)
    return _narrowed(shown, told.visible) if told is not None and told.forward is None else shown


def _may_tell_more(rich: Part, shown: Split) -> bool:
    """Whether the HTML marks a signature or a quotation of which the plain text shows no sign."""
    html = rich.content
    if len(html) > MAX_HTML_BYTES or _ANY_SIGN.search(html) is None:
        return False
    has_sign = (
        "\n-- \n" in shown.quoted or shown.quoted.startswith(("-- \n", "--\n")) or "\n--\n" in shown.quoted
    )
    if b"ignature" in html and not has_sign:
        return True
    return not shown.quoted and any(sign in html for sign in _QUOTE_SIGNS)


def _told(rich: Part, *, is_forward: bool) -> Split | None:
    text, _ = charsets.text_from_bytes(rich.content, rich.charset)
    try:
        return visible_text.split(html_text.marked_from_html(text, costly=False), is_forward=is_forward)
    except Costly:
        return None


def _narrowed(shown: Split, wanted: str) -> Split:
    """The visible text cut where `wanted` ends, when it begins with the same words and a line ends there; else as it was."""
    words = _words(wanted)
    if not words or len(words) > MAX_WORDS:
        return shown
    left = len(words)
    lines = shown.visible.split("\n")
    for number, line in enumerate(lines):
        found = _words(line)
        at = len(words) - left
        if found != words[at : at + len(found)]:
            return shown
        left -= len(found)
        if left == 0:
            visible = "\n".join(lines[: number + 1]).rstrip()
            rest = "\n".join(lines[number + 1 :]).strip("\n").rstrip()
            if not rest.strip():
                return shown
            return Split(visible, f"{rest}\n\n{shown.quoted}" if shown.quoted else rest)
    return shown


def _words(text: str) -> list[str]:
    """Words as both texts have them: without marks of emphasis, quotation and links."""
    found = (word.strip(_EDGES) for word in text.split())
    return [word for word in found if word and "://" not in word]
