"""How sure we are of the sender: what our own server, our own checks or a forwarder whom we trust found out.

Anybody can write an Authentication-Results field (RFC 8601), so only those of configured servers count, and of them only
the topmost: fields are put on top, a forged one can only stand below the one that our own server added. Where the daemon
has looked for itself (`evidence`), or a provider's signed post says it, no field counts at all. Forwarding breaks the
proofs of a mail; what a named forwarder sealed (RFC 8617) stands for them, when the chain is whole.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from channels.contract import Address, Trust
from channels.email import arc, auth_results, domains, from_field
from channels.email.auth_results import Result
from channels.email.headers import Headers

MAX_FIELDS = 20
_UNKNOWN, _GUESSED = Trust(), Trust(has_single_sender=False)
# What RFC 8601 §2.7 knows; anything else was made up by somebody.
_KNOWN = frozenset(
    {"none", "pass", "fail", "softfail", "neutral", "policy", "temperror", "permerror", "bestguesspass"}
)
# Of DMARC, beside which an aligned signature still proves the sender: nobody has said no.
_UNDECIDED = frozenset({None, "none"})


class Evidence(msgspec.Struct, frozen=True):
    """What the daemon found out by itself, as kept with the mail: results of spf, dkim, dmarc and arc."""

    results: tuple[Result, ...] = ()


def read(
    fields: Headers,
    *,
    sender: Address | None,
    authserv_ids: Sequence[str] = (),
    forwarders: Sequence[str] = (),
    envelope: Mapping[str, Any] | None = None,
    evidence: Any = None,
) -> Trust:
    """Return what is known. sender: the one address of From, None = it is ambiguous, and then nothing is proven.

    forwarders: domains whose ARC seals count. envelope: of the raw message. evidence: as JSON value, of `examine`.
    """
    results = _found(fields, authserv_ids, envelope or {}, evidence)
    if results is None:
        return _UNKNOWN if sender is not None else _GUESSED
    domain = _domain_of(fields, sender)
    is_proven = bool(domain) and _proves(results, domain)
    has_chain = _one(results, "arc") == "pass"
    vouched_by = _vouching(fields, forwarders, domain) if domain and has_chain and not is_proven else None
    return Trust(
        spf=_one(results, "spf"),
        dkim="pass" if any(_passes(each, "dkim") for each in results) else _one(results, "dkim"),
        dmarc=_one(results, "dmarc"),
        arc=_one(results, "arc"),
        verified_sender=is_proven or vouched_by is not None,
        vouched_by=vouched_by,
        has_single_sender=sender is not None,
    )


def _domain_of(fields: Headers, sender: Address | None) -> str:
    """Return the domain that may be proven; "" when the field could be read in another way than ours."""
    values = fields.structured("from")
    if sender is None or len(values) != 1 or not from_field.is_plain(values[0], sender.address):
        return ""
    return domains.of_address(sender.address)


def _found(
    fields: Headers, authserv_ids: Sequence[str], envelope: Mapping[str, Any], evidence: Any
) -> tuple[Result, ...] | None:
    """Return the results that count; None when nobody whom we believe has looked."""
    if evidence is not None:
        return _of_evidence(evidence)
    if envelope.get("authentication") is not None:
        return _of_provider(envelope["authentication"])
    return _of_server(fields, frozenset(name.strip().lower() for name in authserv_ids))


def _of_evidence(evidence: Any) -> tuple[Result, ...]:
    try:
        return msgspec.convert(evidence, Evidence).results
    except msgspec.ValidationError:
        return ()


def _of_provider(authentication: Any) -> tuple[Result, ...]:
    """Read what a channel took out of a provider's signed post: {"spf": "pass", …}."""
    if not isinstance(authentication, Mapping):
        return ()
    said = ((method, authentication.get(method)) for method in ("spf", "dkim", "dmarc"))
    return tuple(Result(method, each.lower()) for method, each in said if isinstance(each, str))


def _of_server(fields: Headers, trusted: frozenset[str]) -> tuple[Result, ...] | None:
    """Return what the topmost field of a trusted server says; () when that field is not readable."""
    for value in fields.structured("authentication-results")[:MAX_FIELDS] if trusted else ():
        parsed = auth_results.parse(value)
        if parsed is not None and parsed.server in trusted:
            return parsed.results
        if parsed is None and _is_about(value, trusted):
            return ()
    return None


def _is_about(value: str, trusted: frozenset[str]) -> bool:
    """Whether an unreadable field is one of a trusted server: then those below it are not believed either."""
    start = value[:1_000].lower()
    return any(name in start for name in trusted)


def _one(results: tuple[Result, ...], method: str) -> str | None:
    """Return what a method found, the first that is not a pass where several were given; None = it did not look."""
    found = [each.result for each in results if each.method == method and each.result in _KNOWN]
    return next((each for each in found if each != "pass"), found[0] if found else None)


def _passes(each: Result, method: str) -> bool:
    return each.method == method and each.result == "pass"


def _proves(results: tuple[Result, ...], domain: str) -> bool:
    """Whether DMARC passed for this very domain, or a signature of it or its parent did where DMARC has no say."""
    dmarc = _one(results, "dmarc")
    if dmarc == "pass":
        return all(
            domains.normalised(each.properties.get("header.from", domain).rpartition("@")[2]) == domain
            for each in results
            if each.method == "dmarc"
        )
    if dmarc not in _UNDECIDED or any(
        each.method == "dmarc" and each.result not in _KNOWN for each in results
    ):
        return False
    return any(_is_aligned(each, domain) for each in results if _passes(each, "dkim"))


def _is_aligned(each: Result, domain: str) -> bool:
    """Whether the signer is the sender's domain or a parent of it (relaxed alignment without a suffix list)."""
    properties = each.properties
    signer = properties.get("header.d") or properties.get("header.i", "").rpartition("@")[2]
    return domains.is_same_or_parent(domains.normalised(signer), domain)


def _vouching(fields: Headers, forwarders: Sequence[str], domain: str) -> str | None:
    """Return the named forwarder that saw the sender proven; None = nobody did, or the mail was changed after it."""
    for each in arc.named_sets(fields, forwarders):
        if each.results is None or not each.signs_from:
            return None
        if _proves(each.results, domain):
            return each.sealer
        if _one(each.results, "arc") != "pass":
            return None
    return None
