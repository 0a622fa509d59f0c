"""Markdown -> the words alone, for media that show none of it: a text message, and WhatsApp, which has marks of its own.

    unmarked.words("**Please** read [this](https://example.com)")    Please read this (https://example.com)

Lists keep their dashes and numbers, a quotation its marks, a table its bars; a link is its words and its address, once
when both are the same. WhatsApp's marks: *bold*, _italic_, ~struck~ (faq.whatsapp.com, "How to format your messages",
checked 2026-11).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from channels import markup

WHATSAPP = {"strong": "*", "em": "_", "s": "~"}
_LISTS = ("bullet_list_open", "ordered_list_open")


def words(text: str, *, marks: Mapping[str, str] | None = None) -> str:
    """Return what is read. text: Markdown with verbatim parts (channels.markup). marks: of bold and the like, None = none."""
    markdown = markup.markdown_of(text)
    if markup.is_words(markdown):
        return markup.plain(text).strip()
    return _Page(marks or {}).of(markup.tokens(markdown))


class _Page:
    """Lays out the blocks of one text, line by line."""

    def __init__(self, marks: Mapping[str, str]) -> None:
        self._marks = marks
        self._lines: list[str] = []
        self._before: list[str] = []  # what stands before each line: quotations, the indent of a list
        self._numbers: list[int | None] = []  # the next number of each list that is open, None = dashes
        self._bullet = ""
        self._cells: list[str] | None = None

    def of(self, tokens: list[Any]) -> str:
        for token in tokens:
            self._take(token)
        return "\n".join(self._lines).strip("\n")

    def _take(self, token: Any) -> None:
        kind = token.type
        if kind == "inline":
            self._say(self._inline(token.children or []))
        elif kind in ("fence", "code_block"):
            self._say(token.content.rstrip("\n"))
            self._gap()
        elif kind == "hr":
            self._say("---")
            self._gap()
        elif kind in _LISTS:
            self._numbers.append(int(token.attrGet("start") or 1) if kind == _LISTS[1] else None)
        elif kind in ("bullet_list_close", "ordered_list_close"):
            self._numbers.pop()
            if not self._numbers:
                self._gap()
        elif kind == "list_item_open":
            self._open_item()
        elif kind in ("list_item_close", "blockquote_close"):
            self._before.pop()
            self._bullet = ""
        elif kind == "blockquote_open":
            self._before.append("> ")
        elif kind in ("paragraph_close", "heading_close", "table_close"):
            self._close_block(token)
        else:
            self._take_table(kind)

    def _take_table(self, kind: str) -> None:
        if kind == "tr_open":
            self._cells = []
        elif kind == "tr_close":
            cells, self._cells = self._cells or [], None
            self._say(" | ".join(cells))

    def _open_item(self) -> None:
        number = self._numbers[-1]
        self._bullet = "- " if number is None else f"{number}. "
        if number is not None:
            self._numbers[-1] = number + 1
        self._before.append(" " * len(self._bullet))

    def _close_block(self, token: Any) -> None:
        if not token.hidden:  # a tight list has no empty lines
            self._gap()

    def _gap(self) -> None:
        if self._lines and self._lines[-1] != "":
            self._lines.append("")

    def _say(self, text: str) -> None:
        if self._cells is not None:
            self._cells.append(text.replace("\n", " "))
            return
        for line in text.split("\n"):
            before = "".join(self._before)
            if self._bullet:  # the first line of an item
                before = before[: -len(self._bullet)] + self._bullet
                self._bullet = ""
            self._lines.append(f"{before}{line}".rstrip())

    def _inline(self, children: list[Any]) -> str:
        return "".join(self._parts(children))

    def _parts(self, children: list[Any]) -> Iterator[str]:
        opened: list[tuple[str, list[str]]] = []  # links that are open: where they lead, and what they say
        for child in children:
            said = self._part(child)
            if child.type == "link_open":
                opened.append((str(child.attrGet("href") or ""), []))
                continue
            if child.type == "link_close":
                href, parts = opened.pop()
                said = _linked("".join(parts), href)
            if opened:
                opened[-1][1].append(said)
            else:
                yield said

    def _part(self, child: Any) -> str:
        if child.type in ("softbreak", "hardbreak"):
            return "\n"
        if child.type == "image":
            return _linked(str(child.content), str(child.attrGet("src") or ""))
        if child.type.endswith(("_open", "_close")):
            return self._marks.get(child.tag, "")
        return str(child.content)


def _linked(said: str, href: str) -> str:
    """Return a link in words. Its address is not said twice."""
    where = href.removeprefix("mailto:")
    if not said.strip() or said == href:
        return where
    if said == where or href in (f"http://{said}", f"https://{said}"):
        return said
    return f"{said} ({where})"
