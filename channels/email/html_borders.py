"""Marks in a parsed HTML mail where its program says that the quotation, the signature or a forwarded mail begins.

Seen in the mails of Gmail (gmail_attr, gmail_signature), Thunderbird (moz-cite-prefix, moz-forward-container), Outlook
(divRplyFwdMsg, appendonsend, the ruled block of the desktop's editor), Apple Mail, Yahoo (yahoo_quoted), Proton
(protonmail_quote), Zimbra (zwchr), Zoho (zmail_extra), Roundcube (reply-intro), GMX (name=quote) and NetEase (isReplyContent).
"""

from collections.abc import Callable, Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from channels.email import borders

MAX_MARKED = 40  # of one kind
MAX_SIGNATURE_CHARS = 1_500  # a longer one has something in it that somebody wrote

# A word that must stand in the source -> the elements. Looking for the word is a hundred times cheaper than for the element.
_INTRODUCTIONS = {
    "moz-cite-prefix": ".moz-cite-prefix",
    "OutlookMessageHeader": ".OutlookMessageHeader",
    "reply-intro": "#reply-intro",
    "quote": ".gmail_quote,.protonmail_quote,.tutanota_quote,.yahoo_quoted,div[name=quote],.mail-quote-collapse",
    "zmail_extra": ".zmail_extra",
    "isReplyContent": "#isReplyContent",
    "OLK_SRC_BODY_SECTION": "#OLK_SRC_BODY_SECTION",
}
_RESTS = {
    "RplyFwdMsg": "#divRplyFwdMsg,#x_divRplyFwdMsg",
    "appendonsend": "#appendonsend,#x_appendonsend",
    "reference-message": "#mail-editor-reference-message-container,.ms-outlook-mobile-reference-message",
    "zwchr": "hr#zwchr",
    "__DIVIDER__": 'hr[data-marker="__DIVIDER__"]',
    "stopSpelling": "hr#stopSpelling",
}
_RULED = 'div[style*="border-top:solid"],div[style*="border-top: solid"]'
_FORWARDS = {"moz-forward-container": ".moz-forward-container", "isForwardContent": "#isForwardContent"}
_SIGNATURES = '[class*="ignature"],[id*="ignature"],[data-marker^="__SIG_"]'
# A source without any of these has nothing to be marked.
WORDS = (*_FORWARDS, *_INTRODUCTIONS, *_RESTS, "border-top", "ignature", "__SIG_")


def mark(document: LexborHTMLParser, html: str, *, line: str) -> None:
    """Put `borders` into the document. line: what stands for the border of a block in the walk that follows."""
    find = _finder(document, html)
    for node in find(_FORWARDS):
        _before(node, borders.FORWARD, line)
    for node in find(_INTRODUCTIONS):
        _mark_introduction(node, line)
    for node in find(_RESTS):
        _before(node, borders.REST, line)
    if "border-top" in html:
        for node in document.css(_RULED)[:MAX_MARKED]:
            if _is_ruled_head(node):
                _before(node, borders.REST, line)
    if "ignature" in html or "__SIG_" in html:
        for node in document.css(_SIGNATURES)[:MAX_MARKED]:
            _mark_signature(node, line)


def is_indented(node: LexborNode) -> bool:
    """A <blockquote> that only moves the customer's own text to the right, as Gmail and Apple Mail write it."""
    attributes = node.attributes
    if attributes.get("type") or attributes.get("cite") or attributes.get("class"):
        return False
    style = (attributes.get("style") or "").replace(" ", "").lower()
    return "border:none" in style or "border:0" in style or "border-width:0" in style


def _finder(document: LexborHTMLParser, html: str) -> Callable[[dict[str, str]], Iterator[LexborNode]]:
    def find(wanted: dict[str, str]) -> Iterator[LexborNode]:
        selectors = [selector for word, selector in wanted.items() if word in html]
        found = document.css(",".join(selectors))[:MAX_MARKED] if selectors else []
        for node in {node.mem_id: node for node in found}.values():
            if not _is_in_quote(node):
                yield node

    return find


def _is_in_quote(node: LexborNode) -> bool:
    parent = node.parent
    for _ in range(30):
        if parent is None:
            return False
        if parent.tag == "blockquote":
            return True
        parent = parent.parent
    return False


def _before(node: LexborNode, border: str, line: str) -> None:
    node.insert_before(line + border + line)


def _after(node: LexborNode, border: str, line: str) -> None:
    node.insert_after(line + border + line)


def _mark_introduction(node: LexborNode, line: str) -> None:
    """The whole of it, or what stands above its <blockquote>: between several of those a customer answers."""
    if node.tag == "blockquote":
        return
    quote = node.css_first("blockquote")
    if quote is None:
        if _is_forward_of_gmail(node):
            _before(node, borders.FORWARD, line)
            return
        _before(node, borders.QUOTE, line)
        _after(node, borders.QUOTE_END, line)
        return
    if _is_forward_of_gmail(node):
        _before(node, borders.FORWARD, line)
        return
    _before(node, borders.QUOTE, line)
    _before(quote, borders.QUOTE_END, line)


def _is_forward_of_gmail(node: LexborNode) -> bool:
    """Gmail heads both with gmail_attr; below a reply's stands a <blockquote>, below a forwarded mail's that mail."""
    head = node.css_first(".gmail_attr")
    if head is None:
        return False
    below = head.next
    while below is not None and (
        below.tag == "br" or (below.tag == "-text" and not (below.text() or "").strip())
    ):
        below = below.next
    return below is None or below.tag != "blockquote"


def _is_ruled_head(node: LexborNode) -> bool:
    """A ruled block is Outlook's head of an older mail when it holds several names of fields."""
    text = node.text()[:600]
    return text.count(":") >= 3 and len(node.css("b,strong")) >= 3


def _mark_signature(node: LexborNode, line: str) -> None:
    if len(node.text()) > MAX_SIGNATURE_CHARS or node.tag in {"body", "html"}:
        return
    if node.css_first("blockquote") is not None or _is_in_quote(node):
        return
    _before(node, borders.SIGNATURE, line)
    _after(node, borders.SIGNATURE_END, line)
