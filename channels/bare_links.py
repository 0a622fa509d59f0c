"""Makes links of addresses that stand in a text as they are: https://example.com/page, in our own words only.

A rule of markdown-it's core, before escaped characters are joined to the text around them: an address in somebody else's
words is escaped (channels.markup), so it is in pieces here and stays text.
"""

import re
from collections.abc import Iterator
from typing import Any

_ADDRESS = re.compile(r"(?<![A-Za-z0-9])https?://[^\s<>\"\u00a0\u2028\u2029]{2,2000}")
_TRAILING = ".,;:!?'*_…"


def link(state: Any) -> None:
    """Turn addresses in the text tokens of a document into links."""
    for token in state.tokens:
        if token.type == "inline" and "://" in token.content:
            token.children = list(_linked(state, token.children or []))


def _linked(state: Any, children: list[Any]) -> Iterator[Any]:
    depth = 0
    for child in children:
        depth += child.nesting if child.type in ("link_open", "link_close") else 0
        if child.type != "text" or depth > 0:
            yield child
        else:
            yield from _pieces(state, child)


def _pieces(state: Any, text: Any) -> Iterator[Any]:
    from markdown_it.token import Token

    def made(kind: str, nesting: int, **fields: Any) -> Any:
        return Token(kind, "a" if nesting else "", nesting, level=text.level, **fields)  # type: ignore[arg-type]

    at = 0
    for found in _ADDRESS.finditer(text.content):
        address = _without_end(found[0])
        yield made("text", 0, content=text.content[at : found.start()])
        yield made("link_open", 1, attrs={"href": state.md.normalizeLink(address)})
        yield made("text", 0, content=address)
        yield made("link_close", -1)
        at = found.start() + len(address)
    yield made("text", 0, content=text.content[at:])


def _without_end(address: str) -> str:
    """Leave out what belongs to the sentence: a full stop, a bracket that was opened before the address."""
    while address:
        last = address[-1]
        is_stray = last in ")]}" and address.count(last) > address.count("([{"[")]}".index(last)])
        if last not in _TRAILING and not is_stray:
            return address
        address = address[:-1]
    return address
