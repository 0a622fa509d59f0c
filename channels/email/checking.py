"""Finds out whether a mail's DKIM signatures and its chain of forwarders hold (RFC 6376 §6, RFC 8617 §5.2)."""

import hmac
from collections.abc import Iterator, Sequence

from channels.email import arc, domains, signatures
from channels.email.auth_results import Result
from channels.email.resolver import NoAnswer, Resolver
from channels.email.signatures import Failed
from channels.email.signed_mail import Field, Mail

SIGNATURES_MAX = 5  # RFC 6376 §6.1: a verifier may stop somewhere
CHAIN_MAX = 10  # of forwarders; a real mail has passed two or three

_ARC_KINDS = (b"arc-authentication-results", b"arc-message-signature", b"arc-seal")


def dkim_results(mail: Mail, *, domain: str, resolver: Resolver) -> Iterator[Result]:
    """Check the mail's signatures, those of the domain in From first, five at most."""
    found = [(each, _tags(each)) for each in mail.fields if _name(each) == b"dkim-signature"]
    found.sort(
        key=lambda each: not domains.is_same_or_parent(domains.normalised(each[1].get("d", "")), domain)
    )
    for field, tags in found[:SIGNATURES_MAX]:
        properties = {"header.d": domains.normalised(tags.get("d", "")), "header.s": tags.get("s", "")[:100]}
        yield Result("dkim", _outcome(mail, field, tags, resolver), properties)


def _outcome(mail: Mail, field: Field, tags: dict[str, str], resolver: Resolver) -> str:
    try:
        _check_identity(tags)
        _check_message(mail, field, tags, resolver, identity=tags.get("i", ""))
    except Failed as failed:
        return failed.result
    except NoAnswer:
        return "temperror"
    return "pass"


def _check_identity(tags: dict[str, str]) -> None:
    if tags.get("v") != "1":
        raise Failed("another version", "permerror")
    signer, identity = domains.normalised(tags.get("d", "")), tags.get("i", "")
    if identity and not domains.is_same_or_parent(signer, domains.of_address(identity)):
        raise Failed("i= is not below d=", "permerror")


def _check_message(
    mail: Mail, field: Field, tags: dict[str, str], resolver: Resolver, *, identity: str = ""
) -> None:
    """Check a signature over body and header. Raises: Failed; NoAnswer."""
    signature = signatures.parse(tags)
    signatures.check_times(tags)
    names = tags.get("h", "").split(":")
    if "from" not in [each.lower() for each in names]:
        raise Failed("From is not signed", "permerror")
    header, _, body = tags.get("c", "simple/simple").partition("/")
    if {header, body or "simple"} - {"simple", "relaxed"} or tags.get("q", "dns/txt") != "dns/txt":
        raise Failed("unknown ways", "permerror")
    found = mail.body_hash(is_relaxed=body == "relaxed")
    if tags.get("l", str(found.size)) != str(found.size):
        raise Failed("what stands behind the signed part could be anybody's", "policy")
    if not hmac.compare_digest(found.digest, signatures.decoded(tags.get("bh", ""))):
        raise Failed("the text was changed")
    text = signatures.signed_text(mail, names, field, is_relaxed=header == "relaxed")
    signatures.verify(signature, text, resolver, identity=identity)


def arc_result(mail: Mail, resolver: Resolver) -> str:
    """Check the chain: none, pass, fail or temperror."""
    try:
        sets = _sets(mail)
        if not sets:
            return "none"
        _check_seals(sets)
        _check_newest(mail, sets[-1][1], resolver)
        for number in range(len(sets), 0, -1):
            _check_seal(mail, sets[:number], resolver)
    except Failed:
        return "fail"
    except NoAnswer:
        return "temperror"
    return "pass"


def _check_newest(mail: Mail, signature: Field, resolver: Resolver) -> None:
    """Check the last forwarder's signature of the mail. Raises: Failed; NoAnswer."""
    tags = _tags(signature)
    if "arc-seal" in tags.get("h", "").lower().split(":"):
        raise Failed("a seal is signed")
    _check_message(mail, signature, tags, resolver)


def _sets(mail: Mail) -> list[tuple[Field, Field, Field]]:
    """Return results, signature and seal of each forwarder, the first one first. Raises: Failed."""
    by_kind: list[dict[int, Field]] = []
    for kind in _ARC_KINDS:
        found: dict[int, Field] = {}
        for each in mail.fields:
            if _name(each) != kind:
                continue
            number = arc.instance(kind.decode(), _text(each))
            if number is None or number in found:
                raise Failed("instances are not numbered")
            found[number] = each
        by_kind.append(found)
    count = len(by_kind[0])
    if any(found.keys() != set(range(1, count + 1)) for found in by_kind) or count > CHAIN_MAX:
        raise Failed("the chain has gaps, or is too long")
    return [(by_kind[0][at], by_kind[1][at], by_kind[2][at]) for at in range(1, count + 1)]


def _check_seals(sets: Sequence[tuple[Field, Field, Field]]) -> None:
    for number, (_, _, seal) in enumerate(sets, start=1):
        if _tags(seal).get("cv", "").lower() != ("none" if number == 1 else "pass"):
            raise Failed("a forwarder says that the chain is broken")


def _check_seal(mail: Mail, sets: Sequence[tuple[Field, Field, Field]], resolver: Resolver) -> None:
    """Check a seal over all sets up to its own (RFC 8617 §5.1.1). Raises: Failed; NoAnswer."""
    results, signature, seal = sets[-1]
    tags = _tags(seal)
    if "h" in tags:
        raise Failed("a seal names fields")
    before = [field for each in sets[:-1] for field in each]
    text = signatures.signed_text(mail, (), seal, is_relaxed=True, chosen=[*before, results, signature])
    signatures.verify(signatures.parse(tags), text, resolver)


def _name(field: Field) -> bytes:
    return field[0].strip().lower()


def _text(field: Field) -> str:
    return " ".join(field[1].decode("utf-8", "replace").split())


def _tags(field: Field) -> dict[str, str]:
    return arc.tags(_text(field))
