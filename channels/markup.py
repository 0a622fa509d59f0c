"""Markdown -> HTML that is safe to send, and marks that keep a customer's words apart from ours.

What people write to customers is CommonMark without raw HTML, plus tables and ~~strike~~; a line break stays one, as in
the text form of the same mail. Indented code and underlined headings are off: both are accidents in a mail. Links lead
to http, https and mailto only, an address that stands in our own words is one; a picture is one that the mail carries. Whatever the parser makes of a text, only an
allow-list of elements leaves here.

A text may hold `verbatim` parts: others' words that stay words, whatever Markdown would read in them. They are marked
with two characters that no text may hold (Unicode 17 §23.7, noncharacters), until `plain` or `markdown_of` takes them.
"""

import functools
import html
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from channels import bare_links

OPEN, CLOSE = "\ufdd0", "\ufdd1"
MAX_MARKDOWN_CHARS = 200_000  # a longer text is sent as paragraphs
# So is one with more marks: the parser looks for the other end of each, in its paragraph, and 190,000 brackets took it 13 s.
MAX_MARKS, MAX_MARKS_IN_PARAGRAPH = 20_000, 2_000

_MARKS = re.compile("[\ufdd0\ufdd1]")
_VERBATIM = re.compile("\ufdd0([^\ufdd1]*)\ufdd1?")
_ANYWHERE = re.compile(r"[\\`*_\[\]<>&~|!]")
_LINE_START = re.compile(r"(?m)^([ \t]*)(?:(\d)(\d*)([.)]|\Z)|([#+\-=:.)]))")
_INDENT = re.compile(r"(?m)^[ \t]+")

# A text in which Markdown finds paragraphs and line breaks, and nothing else.
_SPECIAL = re.compile(
    "[\\\\`*_\\[\\]<&~|\t\r\x00\x0b\x0c\x1c-\x1f\x85\xa0\u2028\u2029\ufdd0\ufdd1\ufffd\ud800-\udfff]"
)
_MARK = re.compile(r"[\[\]*_<~`&!]")
_BLOCK_START = re.compile(r"(?m)^ *(?:[#+\-=>:]|\d+[.)])")
_BLANKS = re.compile(r"(?m)^ +|  +")
_SURROGATES = re.compile("[\ud800-\udfff]")
_PARAGRAPHS = re.compile(r"\n(?: *\n)+")

_LINK = re.compile(r"(?i)https?://[^\s]|mailto:[^\s]")
_NAME = re.compile(r"[^:/?#\\]+")
_CONTENT_ID = re.compile(r"cid:[A-Za-z0-9.@_+-]{1,200}")
_ATTRIBUTES = {"a": {"href", "title"}, "img": {"src", "alt", "title"}, "ol": {"start"}}
_TAGS = {
    *("p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "ul", "ol", "li", "pre", "code"),
    *("strong", "em", "s", "a", "img", "table", "thead", "tbody", "tr", "th", "td"),
}


def verbatim(text: str) -> str:
    """Mark somebody else's words."""
    return f"{OPEN}{_MARKS.sub('', text)}{CLOSE}"


def plain(text: str) -> str:
    """Return the text as it is read, without marks."""
    return _MARKS.sub("", text)


def markdown_of(text: str) -> str:
    """Return the Markdown in which verbatim parts are escaped."""
    return plain(_VERBATIM.sub(lambda found: _escaped(found[1]), text)) if OPEN in text else plain(text)


def html_of(markdown: str, *, pictures: Mapping[str, str] | None = None) -> str:
    """Render. pictures: what Markdown calls them -> Content-ID; others are not shown.

    A text longer than MAX_MARKDOWN_CHARS, or with more marks than anybody writes, is rendered as paragraphs.
    """
    text = _SURROGATES.sub("?", markdown.replace("\r\n", "\n").replace("\r", "\n"))
    if is_words(text):
        return _paragraphs(text)
    return _clean(_parser().render(text, {"pictures": pictures or {}}))


def html_of_words(text: str) -> str:
    """Render a text without any formatting: paragraphs, line breaks, and columns made of blanks."""
    plain_text = _SURROGATES.sub("?", plain(text).replace("\r\n", "\n").replace("\r", "\n"))
    return _paragraphs(_BLANKS.sub(lambda found: "\u00a0" * len(found[0]), plain_text))


def tokens(markdown: str) -> list[Any]:
    """Return what the parser makes of a text: markdown-it's tokens, blocks in order, each with what stands in it."""
    text = _SURROGATES.sub("?", markdown.replace("\r\n", "\n").replace("\r", "\n"))
    return list(_parser().parse(text, {"pictures": {}}))


def rendered(tokens: list[Any]) -> str:
    """Return what the renderer makes of tokens: for who lets an allow-list of their own follow."""
    parser = _parser()
    return str(parser.renderer.render(tokens, parser.options, {"pictures": {}}))


def is_plain(text: str) -> bool:
    """Whether Markdown finds nothing in the text but paragraphs and line breaks, and no address to link."""
    return "://" not in text and _SPECIAL.search(text) is None and _BLOCK_START.search(text) is None


def is_words(text: str) -> bool:
    """Whether a text is shown as its words: Markdown finds nothing in it, or would take too long to."""
    return is_plain(text) or len(text) > MAX_MARKDOWN_CHARS or _has_too_many_marks(text)


def _has_too_many_marks(text: str) -> bool:
    if len(text) <= MAX_MARKS_IN_PARAGRAPH:
        return False
    counts = [len(_MARK.findall(each)) for each in _PARAGRAPHS.split(text)]
    return max(counts) > MAX_MARKS_IN_PARAGRAPH or sum(counts) > MAX_MARKS


def _escaped(text: str) -> str:
    # A table's parser counts an escaped bar, too; it does not see one that is written as a reference.
    escaped = _ANYWHERE.sub(lambda found: "&#124;" if found[0] == "|" else f"\\{found[0]}", text.strip("\n"))
    escaped = _LINE_START.sub(_escaped_start, escaped.replace("://", ":\\//"))
    return _INDENT.sub(lambda found: "&#32;" * len(found[0].expandtabs(4)), escaped)


def _escaped_start(found: re.Match[str]) -> str:
    indent, digit, digits, end, sign = found.groups(default="")
    # "12." begins a list, and the full stop may be ours.
    return f"{indent}\\{sign}" if sign else f"{indent}&#{ord(digit)};{digits}{end}"


def _paragraphs(text: str) -> str:
    """Do what the parser does to a plain text, ten times faster; the text of most automatic answers is one."""
    found = _PARAGRAPHS.split(text.strip("\n "))
    escaped = (html.escape(each.strip(" \n"), quote=False) for each in found)
    return "".join(["<p>" + _lines(each) + "</p>\n" for each in escaped if each])


def _lines(paragraph: str) -> str:
    return "<br>\n".join([line.strip(" ") for line in paragraph.split("\n")])


@functools.cache
def _parser() -> Any:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False, "breaks": True, "xhtmlOut": False})
    parser.enable(["table", "strikethrough"])
    parser.disable(["code", "lheading", "html_block", "html_inline"])
    parser.validateLink = _is_link  # type: ignore[method-assign]
    parser.add_render_rule("image", _picture)
    parser.core.ruler.before("text_join", "bare_links", bare_links.link)
    return parser


def _is_link(url: str) -> bool:
    """What may stand in ( ): a link, or the name of a file that comes along."""
    return bool(_LINK.match(url) or _NAME.fullmatch(url))


def _picture(_renderer: Any, tokens: Any, index: int, _options: Any, env: Any) -> str:
    """Show a picture that the mail carries; another one is a link to where it is, and nothing is fetched."""
    token = tokens[index]
    source, text = str(token.attrGet("src") or ""), html.escape(token.content)
    content_id = env["pictures"].get(unquote(source))
    if content_id is not None:
        return f'<img src="cid:{html.escape(content_id)}" alt="{text}">'
    return (
        f'<a href="{html.escape(source)}">{text or html.escape(source)}</a>' if _LINK.match(source) else text
    )


def _clean(rendered: str) -> str:
    return str(_cleaner().clean(rendered))


@functools.cache
def _cleaner() -> Any:
    import nh3

    return nh3.Cleaner(
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_attribute,
        url_schemes={"http", "https", "mailto", "cid"},
        link_rel="noopener noreferrer",
    )


def _attribute(tag: str, name: str, value: str) -> str | None:
    if name == "href":
        return value if _LINK.match(value) else None
    if name == "src":
        return value if tag == "img" and _CONTENT_ID.fullmatch(value) else None
    return value
