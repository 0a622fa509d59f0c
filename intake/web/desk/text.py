"""Words on our pages. Others' are always text; colleagues' are what their Markdown means. Links show where they lead."""

import re
from functools import lru_cache

from markupsafe import Markup, escape

from channels import markup_pages, unmarked
from intake import outbound

LONG = 2_400  # characters; longer messages that are not the newest are folded
_LINK = re.compile(r"https?://[^\s<>\"'`\\]+")
_TAIL = ".,;:!?)]}»”’"


def person(name: str | None, address: str | None) -> str:
    """Return what somebody is called. Of who chats there is no address: the name of a session says nothing to anybody."""
    if name or not address:
        return name or "Unknown"
    return "A visitor" if address.startswith("chat:") else address


def linked(text: str) -> Markup:
    """Write text with its http addresses as links; nothing else in it is markup."""
    parts, end = [], 0
    for found in _LINK.finditer(text):
        url = found[0].rstrip(_TAIL)
        parts += [escape(text[end : found.start()]), _anchor(url)]
        end = found.start() + len(url)
    return Markup().join([*parts, escape(text[end:])])


def _anchor(url: str) -> Markup:
    return Markup('<a href="{0}" target="_blank" rel="noopener noreferrer nofollow ugc">{0}</a>').format(url)


@lru_cache(maxsize=1_024)  # a page is made anew at each thing that happens to its ticket
def meant(text: str) -> Markup:
    """Write what a colleague wrote as its Markdown means it."""
    return Markup(markup_pages.shown(text))  # noqa: S704 - of an allow-list


@lru_cache(maxsize=1_024)
def as_read(medium: str, text: str) -> str:
    """Return an answer as its customer reads it, by a medium that shows no Markdown. text: what a colleague wrote."""
    return outbound.words(medium, text)


def beginning_meant(text: str) -> str:
    """Return the first words of what a colleague wrote, without their marks."""
    return beginning(unmarked.words(text))


def beginning(text: str, characters: int = 280) -> str:
    """Return the first words of a long text, on one line."""
    flat = " ".join(text[: 4 * characters].split())
    return flat if len(flat) <= characters else f"{flat[:characters].rsplit(' ', 1)[0]} …"


def plain(value: object, characters: int = 80) -> str:
    """Write a value of a rule's condition as a person says it, and not more of it than fits."""
    said = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return said if len(said) <= characters else f"{said[:characters]}…"


def size(size_bytes: int | None) -> str:
    """Write a file's size: "340 B", "12 KB", "3.4 MB"."""
    if size_bytes is None:
        return ""
    if size_bytes < 1_000:
        return f"{size_bytes} B"
    return f"{size_bytes / 1_000:.0f} KB" if size_bytes < 1_000_000 else f"{size_bytes / 1_000_000:.1f} MB"
