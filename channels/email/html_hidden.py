"""Takes out of a parsed HTML mail what no reader shows: preheaders, and words that only machines should see."""

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

MAX_HIDDEN = 100
MAX_STYLED = 3_000  # elements looked at

# A word to look for first, and what makes of it that something may be hidden; for sources in lower case.
_MAY_HIDE = (
    ("display", re.compile(r"display\s{0,5}:\s{0,5}none")),
    ("visibility", re.compile(r"visibility\s{0,5}:\s{0,5}hidden")),
    ("mso-hide", re.compile(r"mso-hide\s{0,5}:\s{0,5}all")),
    ("font-size", re.compile(r"font-size\s{0,5}:\s{0,5}0")),
    ("max-height", re.compile(r"max-height\s{0,5}:\s{0,5}0")),
    (" hidden", re.compile(r" hidden[\s>=/]")),
)
_WORDS = [form for word, _ in _MAY_HIDE for form in (word, word.upper())]
_NOUGHT = r"0(?:px|pt|em|rem|%)?\s*(?:!important)?\s*(?:;|$)"
_HIDES = re.compile(
    rf"(?i)(?:^|[;\s])(?:display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|font-size\s*:\s*{_NOUGHT}"
    rf"|max-height\s*:\s*{_NOUGHT})"
)
_MARK = "data-unseen"


def has_any(html: str) -> bool:
    """Whether the source says anywhere that something is hidden: one pass instead of a look at each element."""
    if not any(word in html for word in _WORDS):
        return False
    source = html.lower()
    return any(word in source and pattern.search(source) for word, pattern in _MAY_HIDE)


def remove(document: LexborHTMLParser) -> None:
    """Remove the hidden elements. They are marked first and removed one by one: one may lie in the other."""
    for node in document.css("[style],[hidden]")[:MAX_STYLED]:
        if _is_hidden(node):
            node.attrs[_MARK] = "1"
    for _ in range(MAX_HIDDEN):
        hidden = document.css_first(f"[{_MARK}]")
        if hidden is None:
            return
        hidden.decompose()


def _is_hidden(node: LexborNode) -> bool:
    if node.tag in {"body", "html"}:
        return False
    attributes = node.attributes
    return "hidden" in attributes or _HIDES.search((attributes.get("style") or "")[:2_000]) is not None
