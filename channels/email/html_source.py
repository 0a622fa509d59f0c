"""What the source of an HTML mail tells before it is a tree: one search through it costs what one question to the tree does."""

import re
from collections.abc import Iterable

import re2

from channels.email import html_borders, html_hidden

# The most frequent ones are passed over: end tags, rows and cells, which are taken for present, and spans, which nobody asks for.
_TAG = re.compile(rb"<(?!/|t[dr]|sp)([a-zA-Z0-9]+)")
# Others the parser makes of nothing: of a lone </p>, around a cell, and the head. A lone </br> is a hint.
_PRESENT = frozenset({"td", "tr", "p", "head"})
_OPTIONS = re2.Options()
_OPTIONS.encoding = re2.Options.Encoding.LATIN1
_OPTIONS.never_capture = True
_HIDDEN = re2.compile(html_hidden.SOURCE, options=_OPTIONS)
_ANY_HINT = re2.compile(
    b"|".join((rb"(?i:</br)", html_hidden.SOURCE, *map(str.encode, html_borders.WORDS))), options=_OPTIONS
)


class Source:
    """A document before it is parsed.

    encoded: as UTF-8; has_hints: something in it may be hidden, or a program may have marked where the quotation begins.
    """

    def __init__(self, html: str) -> None:
        self.encoded = html.encode("utf-8", "replace")
        self.has_hints = _ANY_HINT.search(self.encoded) is not None
        self._tags = {tag.lower().decode() for tag in set(_TAG.findall(self.encoded))} | _PRESENT
        if self.has_hints:
            self._tags.add("br")
        if "image" in self._tags:
            self._tags.add("img")  # as browsers read it

    def may_hide(self) -> bool:
        """Whether anything in it says of itself that it is hidden."""
        return self.has_hints and _HIDDEN.search(self.encoded) is not None

    def has(self, tag: str) -> bool:
        """Whether there may be an element of that name (lower case)."""
        return tag in self._tags

    def present(self, tags: Iterable[str]) -> list[str]:
        """Those of the names that an element may have."""
        return [tag for tag in tags if tag in self._tags]
