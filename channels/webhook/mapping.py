"""From a source's JSON to a message: values named by JSON Pointer (RFC 6901), alone or inside a text.

    from: /customer/email                       the value there
    subject: "Order {/order/number}: {/title}"  a text with values in it
    language: en                                the text itself

What a source says stays data: a value is never read as a pointer or a text with values in it.
"""

import re
from typing import Any

import msgspec

MAX_VALUE_CHARS = 100_000
MAX_POINTER_CHARS = 500
_PLACE = re.compile(r"\{(/[^{}]{0,500})\}")
_ESCAPE = re.compile(r"~[^01]|~$")
_INDEX = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)
ABSENT: Any = object()


def faults(written: str) -> list[str]:
    """Say what is wrong with a mapping's value, one sentence each."""
    found = [
        f"'{each}' is not a JSON Pointer: ~ is written ~0 there, and / ~1"
        for each in pointers_of(written)
        if _ESCAPE.search(each)
    ]
    left = _PLACE.sub("", written) if not is_pointer(written) else ""
    if "{" in left or "}" in left:
        found.append(
            f"'{written}' has a brace that holds no pointer: values are written like {{/order/number}}"
        )
    return found


def is_pointer(written: str) -> bool:
    return written.startswith("/") and "{" not in written and len(written) <= MAX_POINTER_CHARS


def value_at(document: Any, pointer: str) -> Any:
    """Return the value that a pointer names, ABSENT when there is none; "" is the whole document (RFC 6901 §4)."""
    found = document
    for token in pointer.split("/")[1:]:
        key = token.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict):
            found = found.get(key, ABSENT)
        elif isinstance(found, list) and _INDEX.fullmatch(key) and int(key) < len(found):
            found = found[int(key)]
        else:
            return ABSENT
    return found


def text_at(document: Any, written: str) -> str:
    """Return what a mapping's value makes of a document; "" where nothing is there, of a text with values none of them."""
    if not written:
        return ""
    if is_pointer(written):
        return _text(value_at(document, written))
    places = _PLACE.findall(written)
    if places and not any(_text(value_at(document, each)) for each in places):
        return ""
    return _PLACE.sub(lambda place: _text(value_at(document, place[1])), written)[:MAX_VALUE_CHARS].strip()


def name_at(document: Any, written: str) -> str:
    """Return what a mapping's value tells two messages apart by; "" where one of its values is missing, or is no name."""
    values = [value_at(document, each) for each in pointers_of(written)]
    are_names = all(isinstance(each, str | int | float) and not isinstance(each, bool) for each in values)
    return text_at(document, written) if values and are_names and "" not in values else ""


def pointers_of(written: str) -> list[str]:
    """Return the pointers in a mapping's value; [] = it says the same of every message."""
    return [written] if is_pointer(written) else _PLACE.findall(written)


def _text(value: Any) -> str:
    """Write a value as people read it: a list of words as lines, what has parts as JSON."""
    if value is ABSENT or value is None:
        return ""
    if isinstance(value, str):
        return value[:MAX_VALUE_CHARS]
    if isinstance(value, list) and all(isinstance(each, str | int | float) for each in value):
        return "\n".join(map(_text, value))[:MAX_VALUE_CHARS]
    return msgspec.json.encode(value).decode("utf-8", "replace")[:MAX_VALUE_CHARS]
