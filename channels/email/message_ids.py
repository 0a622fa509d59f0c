"""Reads Message-ID, In-Reply-To and References (RFC 5322 §3.6.4), also where folds or missing brackets broke them."""

import re

from channels.email import headers

MAX_REFERENCES = 100
MAX_CHARS = 998

_IN_BRACKETS = re.compile(r"<\s{0,20}([^<>]{1,998})>")


def of_mail(fields: headers.Headers) -> str | None:
    """Message-ID without <>; also one that forgot them. None when there is none."""
    value = fields.first("message-id")[: headers.MAX_TEXT_CHARS]
    found = _IN_BRACKETS.search(value)
    written = _joined(found[1]) if found else headers.clean(value).strip("<>[]\"' ").replace(" ", "")
    return written or None


def referred(fields: headers.Headers, name: str) -> tuple[str, ...]:
    """Those of In-Reply-To or References in order, each once: the first ten and the last ninety."""
    found: list[str] = []
    for value in fields.structured(name):
        found += [_joined(written) for written in _IN_BRACKETS.findall(value)] or _bare(value)
    unique = list(dict.fromkeys(filter(None, found)))
    if len(unique) > MAX_REFERENCES:
        unique = unique[:10] + unique[10 - MAX_REFERENCES :]
    return tuple(unique)


def _bare(value: str) -> list[str]:
    """Words with an @, where nobody wrote brackets."""
    words = (word.strip("<>,;\"'()") for word in value.split())
    return [word for word in words if "@" in word and len(word) <= MAX_CHARS]


def _joined(written: str) -> str:
    """Without the white space that a fold put inside."""
    return "".join(written.split())
