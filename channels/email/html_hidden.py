"""Takes out of a parsed HTML mail what no reader shows: preheaders, and words that only machines should see."""

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

MAX_HIDDEN = 100
MAX_STYLED = 3_000  # elements looked at

# White space of any alphabet, in UTF-8.
_SPACES = rb"(?:[\t-\r\x1c-\x20]|\xc2[\x85\xa0]|\xe1\x9a\x80|\xe2\x80[\x80-\x8a\xa8\xa9\xaf]|\xe2\x81\x9f|\xe3\x80\x80){0,5}"
# What a source has anywhere when something in it may be hidden: one pass instead of a look at each element.
SOURCE = (
    (
        rb"(?i:display_:_none|visibility_:_hidden|mso-hide_:_all|font-size_:_0|max-height_:_0| hidden(?:[>=/]|~))"
    )
    .replace(b"_", _SPACES)
    .replace(b"~", _SPACES.removesuffix(b"{0,5}"))
)
_NOUGHT = r"0(?:px|pt|em|rem|%)?\s*(?:!important\s*)?(?:;|$)"
_HIDES = re.compile(
    rf"(?i)(?:^|[;\s])(?:display\s*:\s*none|visibility\s*:\s*hidden|mso-hide\s*:\s*all|font-size\s*:\s*{_NOUGHT}"
    rf"|max-height\s*:\s*{_NOUGHT})"
)
_MARK = "data-unseen"


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
