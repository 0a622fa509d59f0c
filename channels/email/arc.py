"""Reads the chain of forwarders that a mail brings with it (RFC 8617). Whether the chain is whole is found out elsewhere.

A forwarder seals what it found out about the mail when it came in. What the newest one says counts when we have named it;
what an older one says, when everybody after it is named too: each of them could have changed the mail.
"""

import re
from collections.abc import Iterator, Sequence

import msgspec

from channels.email import auth_results, domains
from channels.email.auth_results import Result
from channels.email.headers import Headers

MAX_SETS = 50  # RFC 8617 §4.2.1

_TAG = re.compile(r"\s*([A-Za-z][A-Za-z0-9_]*)\s*=([^;]*)(?:;|\Z)")
_INSTANCE = re.compile(r"\s*i\s*=\s*(\d{1,2})\s*;")
_SPACE = re.compile(r"\s+")


class ArcSet(msgspec.Struct, frozen=True):
    """One forwarder's three fields. sealer: the d= of its seal. results: what it found, None = unreadable.

    signs_from: its signature covers the From field.
    """

    instance: int
    sealer: str
    results: tuple[Result, ...] | None
    signs_from: bool


def tags(value: str) -> dict[str, str]:
    """Read a tag list (RFC 6376 §3.2), white space taken out of the values; {} when a tag is there twice."""
    found: dict[str, str] = {}
    at, end = 0, len(value.rstrip())
    while at < end:
        match = _TAG.match(value, at)
        if match is None or match[1] in found:
            return {}
        found[match[1]] = _SPACE.sub("", match[2])
        at = match.end()
    return found


def named_sets(fields: Headers, forwarders: Sequence[str]) -> Iterator[ArcSet]:
    """Give the sets of named forwarders, the newest first, up to the first that nobody has named."""
    named = frozenset(filter(None, map(domains.normalised, forwarders)))
    sets = _sets(fields) if named else ()
    for each in sets:
        if each.sealer not in named:
            return
        yield each


def _sets(fields: Headers) -> tuple[ArcSet, ...]:
    """Return all sets, the newest first; () when the chain is not numbered 1 to N with one field of each kind."""
    seals = _numbered(fields, "arc-seal")
    signatures = _numbered(fields, "arc-message-signature")
    results = _numbered(fields, "arc-authentication-results")
    count = len(seals)
    wanted = set(range(1, count + 1))
    if not 0 < count <= MAX_SETS or not seals.keys() == signatures.keys() == results.keys() == wanted:
        return ()
    return tuple(
        ArcSet(
            instance=number,
            sealer=domains.normalised(tags(seals[number]).get("d", "")),
            results=_results(results[number]),
            signs_from="from" in tags(signatures[number]).get("h", "").lower().split(":"),
        )
        for number in range(count, 0, -1)
    )


def _numbered(fields: Headers, name: str) -> dict[int, str]:
    """Return instance -> field; {} when one is there twice or has no number."""
    found: dict[int, str] = {}
    for value in fields.structured(name)[: MAX_SETS + 1]:
        number = instance(name, value)
        if number is None or number in found:
            return {}
        found[number] = value
    return found


def instance(name: str, value: str) -> int | None:
    """Return the i= of a field of the chain; None when it has none."""
    if name == "arc-authentication-results":
        match = _INSTANCE.match(value)
        return int(match[1]) if match else None
    text = tags(value).get("i", "")
    return int(text) if text.isdecimal() and len(text) <= 2 else None


def _results(value: str) -> tuple[Result, ...] | None:
    match = _INSTANCE.match(value)
    parsed = auth_results.parse(value[match.end() :]) if match else None
    return parsed.results if parsed is not None else None
