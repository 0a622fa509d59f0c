"""Reads what a trusted server found out about the sender (Authentication-Results, RFC 8601). Checks nothing itself.

Anybody can write such a field, so only those of configured servers count, and of them only the topmost: fields are put
on top, a forged one can only stand below the one our own server added.
"""

import re
from collections.abc import Sequence

from channels.contract import Address, Trust
from channels.email.headers import Headers

MAX_FIELDS = 20
_COMMENT = re.compile(r"\([^()]*\)")
_RESULT = re.compile(r"^\s*(spf|dkim|dmarc)\s*(?:/\s*\d+)?\s*=\s*([a-z]+)", re.IGNORECASE)
_PROPERTY = re.compile(r"\b(header\.d|header\.i|header\.from)\s*=\s*\"?([^\s;\"]{1,320})", re.IGNORECASE)


def read(fields: Headers, *, sender: Address | None, authserv_ids: Sequence[str]) -> Trust:
    """SPF, DKIM, DMARC by the topmost field of a configured server; all None when there is none."""
    results = _results(fields, frozenset(name.lower() for name in authserv_ids))
    if results is None:
        return Trust(has_single_sender=sender is not None)
    domain = sender.address.rpartition("@")[2].lower() if sender else ""
    found: dict[str, str] = {}
    has_aligned_dkim = False
    for method, result, properties in results:
        if method not in found or result == "pass":
            found[method] = result
        if method == "dkim" and result == "pass":
            has_aligned_dkim = has_aligned_dkim or _is_aligned(properties, domain)
    vouched_for = properties_of(results, "dmarc").get("header.from", domain).lower()
    passes_dmarc = found.get("dmarc") == "pass" and vouched_for == domain
    return Trust(
        spf=found.get("spf"),
        dkim=found.get("dkim"),
        dmarc=found.get("dmarc"),
        verified_sender=bool(domain)
        and (passes_dmarc or (has_aligned_dkim and found.get("dmarc") != "fail")),
        has_single_sender=sender is not None,
    )


def properties_of(results: list[tuple[str, str, dict[str, str]]], method: str) -> dict[str, str]:
    """The properties of a method's first result."""
    return next((properties for name, _, properties in results if name == method), {})


def _results(fields: Headers, trusted: frozenset[str]) -> list[tuple[str, str, dict[str, str]]] | None:
    """(method, result, properties) of the topmost trusted field; None when there is none."""
    for value in fields.structured("authentication-results")[:MAX_FIELDS] if trusted else ():
        server, *statements = _COMMENT.sub(" ", value).split(";")
        if (server.split() or [""])[0].lower() in trusted:
            return [parsed for parsed in map(_result, statements) if parsed]
    return None


def _result(statement: str) -> tuple[str, str, dict[str, str]] | None:
    found = _RESULT.match(statement)
    if not found:
        return None
    properties = {name.lower(): value for name, value in _PROPERTY.findall(statement)}
    return found[1].lower(), found[2].lower(), properties


def _is_aligned(properties: dict[str, str], domain: str) -> bool:
    """Whether the signer is the sender's domain or a parent of it (relaxed alignment without a suffix list).

    A parent needs two labels: "com" vouches for nobody.
    """
    signer = (
        (properties.get("header.d") or properties.get("header.i", "").rpartition("@")[2]).lower().strip(".")
    )
    return bool(domain) and (signer == domain or ("." in signer and domain.endswith(f".{signer}")))
