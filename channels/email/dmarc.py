"""Says whether a proof is one for the domain in From, and whether that domain wants proofs at all (DMARC, RFC 9989).

The organisation that a name belongs to is found by walking up the DNS (§4.10), as RFC 9989 has it since 2026: the list of
public suffixes that RFC 7489 needed grows old in every installation, a walk of at most eight questions does not.
"""

import functools
from collections.abc import Iterator, Sequence

import msgspec

from channels.email import arc, domains
from channels.email.resolver import NoAnswer, Resolver

WALK_MAX = 8  # §4.10
LABELS_KEPT = 7


class Record(msgspec.Struct, frozen=True):
    """A domain's policy record. psd: "y", "n" or "u". is_strict_…: alignment of the very same domain only."""

    domain: str
    psd: str = "u"
    is_strict_spf: bool = False
    is_strict_dkim: bool = False


def evaluate(
    domain: str,
    *,
    spf_domain: str | None,
    dkim_domains: Sequence[str],
    is_undecided: bool,
    resolver: Resolver,
) -> str:
    """Return the result of RFC 9989 §5.4: pass, fail, none (there is no policy), temperror.

    domain: of From. spf_domain: of the return path when SPF passed; dkim_domains: of the signatures that passed.
    is_undecided: a proof could not be looked at, so that nothing may be called failed.
    """
    walk = functools.lru_cache(maxsize=None)(lambda name: tuple(_walk(name, resolver)))
    try:
        record = _policy(domain, walk(domain))
        if record is None:
            return "none"
        proofs = [(each, record.is_strict_dkim) for each in dkim_domains]
        proofs += [(spf_domain, record.is_strict_spf)] if spf_domain else []
        # The very same domain first: that asks nobody.
        if any(each == domain for each, _ in proofs):
            return "pass"
        own = organization(domain, walk(domain))
        # A registry's record without psd=y would make one organisation of everybody below it.
        if "." in own and any(
            not is_strict and _may_share(each, domain) and organization(each, walk(each)) == own
            for each, is_strict in proofs
        ):
            return "pass"
    except NoAnswer:
        return "temperror"
    return "temperror" if is_undecided else "fail"


def organization(domain: str, records: Sequence[Record]) -> str:
    """Return the organizational domain (§4.10.2). records: of the walk from the domain up."""
    for each in records:
        if each.psd == "n":
            return each.domain
        if each.psd == "y" and each.domain != domain:
            labels = domain.split(".")
            return ".".join(labels[-(each.domain.count(".") + 2) :])
    return records[-1].domain if records else domain


def _policy(domain: str, records: Sequence[Record]) -> Record | None:
    """Return the record that applies (§4.10.1): the domain's own, else its organisation's, else the registry's."""
    own = next((each for each in records if each.domain == domain), None)
    if own is not None:
        return own
    above = organization(domain, records)
    named = next((each for each in records if each.domain == above), None)
    return named or next((each for each in records if each.psd == "y"), None)


def _may_share(one: str, other: str) -> bool:
    """Whether two names can be of one organisation at all: spares the DNS a question."""
    return one.rpartition(".")[2] == other.rpartition(".")[2]


def _walk(domain: str, resolver: Resolver) -> Iterator[Record]:
    for name in _names(domain):
        record = _record(name, resolver)
        if record is not None:
            yield record
            if record.psd == "n" or (record.psd == "y" and name != domain):
                return


def _names(domain: str) -> Iterator[str]:
    """Give the domain and those above it; of a name of more than eight labels the middle is left out (§4.10)."""
    labels = domain.split(".")
    yield domain
    rest = labels[1:] if len(labels) <= WALK_MAX else labels[-LABELS_KEPT:]
    for start in range(len(rest)):
        yield ".".join(rest[start:])


def _record(domain: str, resolver: Resolver) -> Record | None:
    """Return a domain's record; None when there is none, several, or one that is no record (§4.7)."""
    found = []
    for each in resolver.txt(f"_dmarc.{domain}"):
        text = each.decode("utf-8", "replace")
        name, _, value = text.partition(";")[0].partition("=")
        if name.strip() == "v" and value.strip() == "DMARC1":
            found.append(arc.tags(text))
    if len(found) != 1 or not found[0]:
        return None
    tags = {name.lower(): value.lower() for name, value in found[0].items()}
    psd = tags.get("psd", "u")
    return Record(
        domains.normalised(domain),
        psd if psd in ("y", "n") else "u",
        is_strict_spf=tags.get("aspf") == "s",
        is_strict_dkim=tags.get("adkim") == "s",
    )
