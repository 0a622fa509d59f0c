"""Markdown -> HTML for a page of ours: what a colleague meant, and where each of their links leads.

    shown("**See** [the bill](https://example.com/7)")
    <p><strong>See</strong> <a href="https://example.com/7" …>the bill</a> (https://example.com/7)</p>

Unlike a mail's (channels.markup) it shows no pictures, which become links to where they are, so that a page asks nobody;
links are of http and https alone, open in a page of their own and give it no hold on ours; headings have no rank, because
the page has its own. Whatever the parser makes of a text, only an allow-list of elements leaves here.
"""

import functools
import re
from collections.abc import Iterator
from typing import Any

from channels import markup

_LINK = re.compile(r"(?i)https?://[^\s]")
_TAGS = {
    *("p", "br", "hr", "blockquote", "ul", "ol", "li", "pre", "code", "strong", "em", "s", "a"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
_HEADING = "heading"


def shown(text: str) -> str:
    """Render a text that somebody of ours wrote. text: Markdown with verbatim parts (channels.markup)."""
    markdown = markup.markdown_of(text)
    if markup.is_words(markdown):
        return markup.html_of_words(markdown)
    tokens = [_block(each) for each in markup.tokens(markdown)]
    return str(_cleaner().clean(markup.rendered(tokens)))


def _block(token: Any) -> Any:
    if token.type == "inline":
        token.children = list(_told(_without_pictures(token.children or [])))
    elif token.type in ("heading_open", "heading_close"):
        token.tag = "p"
        if token.nesting > 0:
            token.attrSet("class", _HEADING)
    return token


def _without_pictures(children: list[Any]) -> Iterator[Any]:
    """Put a link to where it is in each picture's place; within a link its words do."""
    depth = 0
    for child in children:
        depth += child.nesting if child.type in ("link_open", "link_close") else 0
        if child.type != "image":
            yield child
            continue
        source = str(child.attrGet("src") or "")
        if depth:
            yield _text(child, f"{child.content} ({source})" if child.content else source)
            continue
        yield _made(child, "link_open", 1, attrs={"href": source})
        yield _text(child, child.content or source)
        yield _made(child, "link_close", -1)


def _told(children: Iterator[Any]) -> Iterator[Any]:
    """Say behind each link where it leads, unless its words do; what is no link of the web stays words."""
    href, said = "", ""
    for child in children:
        if child.type == "link_open":
            href, said = str(child.attrGet("href") or ""), ""
            if _LINK.match(href):
                yield child
        elif child.type == "link_close":
            if not said:
                yield _text(child, href)
            if _LINK.match(href):
                yield child
            if said and said != href:
                yield _text(child, f" ({href.removeprefix('mailto:')})")
        else:
            said += child.content
            yield child


def _text(at: Any, content: str) -> Any:
    return _made(at, "text", 0, content=content)


def _made(at: Any, kind: str, nesting: int, **fields: Any) -> Any:
    from markdown_it.token import Token

    return Token(kind, "a" if nesting else "", nesting, level=at.level, **fields)  # type: ignore[arg-type]


@functools.cache
def _cleaner() -> Any:
    import nh3

    return nh3.Cleaner(
        tags=_TAGS,
        attributes={"a": {"href"}, "ol": {"start"}, "p": {"class"}},
        attribute_filter=_attribute,
        set_tag_attribute_values={"a": {"target": "_blank"}},
        url_schemes={"http", "https"},
        link_rel="noopener noreferrer nofollow ugc",
    )


def _attribute(tag: str, name: str, value: str) -> str | None:
    if name == "href":
        return value if _LINK.match(value) else None
    if name == "class":
        return value if value == _HEADING else None
    return value
