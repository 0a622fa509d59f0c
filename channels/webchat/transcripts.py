"""A chat as a file to keep: plain text, or a page of HTML without anything that runs. Everything in it is escaped."""

from collections.abc import Callable, Container, Mapping, Sequence
from html import escape

import msgspec

from channels.contract import Fed
from channels.webchat import quick_replies

_STYLE = (
    "body{font:16px/1.5 sans-serif;max-inline-size:40em;margin:2em auto;padding:0 1em}p{white-space:pre-wrap}"
)


def made(lines: Sequence[Fed], *, form: str, sets: Container[str] = ()) -> str:
    """Return the file. form: one of FORMS; sets: of quick replies, whose names are no words."""
    return FORMS[form]([_without_set(each, sets) for each in lines])


def _without_set(fed: Fed, sets: Container[str]) -> Fed:
    if fed.line.author == "customer":
        return fed
    line = msgspec.structs.replace(fed.line, text=quick_replies.parted(fed.line.text, sets)[0])
    return msgspec.structs.replace(fed, line=line)


def _text(lines: Sequence[Fed]) -> str:
    return "".join(f"{_when(each)}  {_who(each)}: {_said(each)}\n" for each in lines if _said(each))


def _html(lines: Sequence[Fed]) -> str:
    items = "".join(
        f"<p dir=auto><b>{escape(_who(each))}</b> <time>{_when(each)}</time><br>{escape(_said(each))}</p>\n"
        for each in lines
        if _said(each)
    )
    head = f"<!doctype html><html><head><meta charset=utf-8><title>Chat</title><style>{_STYLE}</style></head>"
    return f"{head}<body>\n{items}</body></html>\n"


def _when(fed: Fed) -> str:
    return f"{fed.at:%Y-%m-%d %H:%M} UTC"


def _who(fed: Fed) -> str:
    return fed.line.name or {"customer": "You", "agent": "Agent"}.get(fed.line.author, "—")


def _said(fed: Fed) -> str:
    """Return the words, with the names of the files."""
    files = [f"[{each.name}, {each.size} bytes]" for each in fed.line.files]
    return "\n".join(filter(None, [fed.line.text, *files]))


FORMS: Mapping[str, Callable[[Sequence[Fed]], str]] = {"txt": _text, "html": _html}
