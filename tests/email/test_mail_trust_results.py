"""What a trusted server's Authentication-Results prove, by the grammar of RFC 8601, and what forged ones do not."""

from channels.contract import Address, Trust
from channels.email import auth_results, headers, trust
from channels.email.auth_results import Result
from tests.rows import every_row

SENDER = "jan@customer.example"
ARC = (
    b"ARC-Seal: i=1; a=rsa-sha256; cv=none; d=%s; s=x; b=eA==\r\n"
    b"ARC-Message-Signature: i=1; a=rsa-sha256; d=%s; s=x; h=from:to:subject; bh=eA==; b=eA==\r\n"
    b"ARC-Authentication-Results: i=1; mx.lists.example; %s\r\n"
)


def read(
    *fields: bytes,
    servers: tuple[str, ...] = ("mx.example.com",),
    forwarders: tuple[str, ...] = (),
    sender: str = SENDER,
) -> Trust:
    scanned = headers.scan(
        b"\r\n".join(each.strip() for each in fields) + b"\r\nFrom: " + sender.encode() + b"\r\n\r\ntext"
    )
    return trust.read(scanned, sender=Address(sender), authserv_ids=servers, forwarders=forwarders)


def said(text: bytes) -> bytes:
    return b"Authentication-Results: " + text


@every_row(
    ("text", "results"),
    [
        ("mx.example.com; none", ()),
        ("mx.example.com 1; none", ()),
        ("mx.example.com", ()),
        ("mx.example.com;", ()),
        ('"mx.example.com"; spf=pass', (Result("spf", "pass"),)),
        ("MX.example.com (a (nested \\) one)) ; SPF = PASS (ok; dkim=fail) smtp.MailFrom = jan@x.example",
         (Result("spf", "pass", {"smtp.mailfrom": "jan@x.example"}),)),
        ("mx.example.com; dkim / 1 = pass header . d = x.example", (Result("dkim", "pass", {"header.d": "x.example"}),)),
        ("mx.example.com; dkim/2=pass header.d=x.example; spf=none", (Result("spf", "none"),)),
        ('mx.example.com; spf=pass smtp.mailfrom="a; dmarc=pass header.from=bank.example"@evil.example',
         (Result("spf", "pass", {"smtp.mailfrom": "a; dmarc=pass header.from=bank.example@evil.example"}),)),
        ('mx.example.com; dkim=fail reason="bad; dmarc=pass" header.d=x.example; dmarc=fail',
         (Result("dkim", "fail", {"header.d": "x.example"}), Result("dmarc", "fail"))),
        ("mx.example.com; spf=pass smtp.mailfrom=", (Result("spf", "pass", {"smtp.mailfrom": ""}),)),
        ("mx.example.com; dmarc=pass action=none header.from=x.example;compauth=pass reason=100",
         (Result("dmarc", "pass", {"header.from": "x.example"}), Result("compauth", "pass"))),
        ("mx.example.com; dmarc=pass(p=REJECT) header.from=x.example;", (Result("dmarc", "pass", {"header.from": "x.example"}),)),
    ],
)  # fmt: skip
def test_field_is_read_by_the_grammar(text: str, results: tuple[Result, ...]) -> None:
    found = auth_results.parse(text)
    assert found is not None
    found = auth_results.AuthResults(
        found.server,
        tuple(each for each in found.results if each.method != "compauth" or each.result == "pass"),
    )
    assert (found.server, tuple((each.method, each.result) for each in found.results)) == (
        "mx.example.com", tuple((each.method, each.result) for each in results)
    )  # fmt: skip
    for seen, wanted in zip(found.results, results, strict=True):
        assert wanted.properties.items() <= seen.properties.items()


@every_row(
    "text",
    [
        "", ";", "mx.example.com 2; dmarc=pass", "mx.example.com (open; dmarc=pass", 'mx.example.com; spf=pass x.y="open',
        "mx.example.com; dmarc", "mx.example.com; =pass", "mx.example.com; spf=pass smtp.mailfrom=a b; dmarc=pass",
        "mx.example.com; dmarc=pass header.from=a.example header.from=b.example", "a b c; dmarc=pass", "mx.example.com dmarc=pass",
        "mx.example.com;" + "spf=pass;" * 200, "(" * 5_000,
    ],
)  # fmt: skip
def test_what_follows_no_grammar_says_nothing(text: str) -> None:
    assert auth_results.parse(text) is None


@every_row(
    ("text", "is_proven"),
    [
        (b"mx.example.com; dmarc=pass header.from=customer.example", True),
        (b"mx.example.com;\r\n\tdmarc=pass (p=none)\r\n\theader.from=customer.example", True),
        (b"mx.example.com; dmarc=pass header.from=CUSTOMER.example.", True),
        (b"mx.example.com; dkim=pass header.d=customer.example", True),
        (b"mx.example.com; dkim=fail header.d=x.example; dkim=pass header.i=@customer.example", True),
        (b"mx.example.com; dkim=pass header.d=example", False),
        (b"mx.example.com; dkim=pass header.d=omer.example", False),
        (b"mx.example.com; dkim=pass header.d=evil.example", False),
        (b"mx.example.com; dkim=pass header.d=customer.example; dmarc=fail header.from=customer.example", False),
        (b"mx.example.com; dkim=pass header.d=customer.example; dmarc=temperror", False),
        (b"mx.example.com; dkim=pass header.d=customer.example; dmarc=permerror", False),
        (b"mx.example.com; dmarc=pass header.from=other.example", False),
        (b"mx.example.com; dmarc=fail header.from=customer.example; dmarc=pass header.from=customer.example", False),
        (b"mx.example.com; dmarc=bestguesspass header.from=customer.example", False),
        (b"mx.example.com; dmarc=passed header.from=customer.example", False),
        (b"mx.example.com; dmarc=temperror; spf=pass smtp.mailfrom=customer.example", False),
        (b"mx.example.com; spf=pass smtp.mailfrom=customer.example", False),
        (b"mx.example.com; x=y (dmarc=pass header.from=customer.example)", False),
        (b'mx.example.com; spf=pass smtp.mailfrom="x; dmarc=pass header.from=customer.example"', False),
        (b"mx.example.com.evil.example; dmarc=pass header.from=customer.example", False),
        (b"mx.example.co; dmarc=pass header.from=customer.example", False),
        (b"evil.example; dmarc=pass header.from=customer.example", False),
        (b"mx\xd0\xb5.example.com; dmarc=pass header.from=customer.example", False),
        (b"=?utf-8?q?mx.example.com?=; dmarc=pass header.from=customer.example", False),
        (b"(mx.example.com) evil.example; dmarc=pass header.from=customer.example", False),
    ],
)  # fmt: skip
def test_sender_is_proven_by_what_the_server_says_of_this_domain(text: bytes, *, is_proven: bool) -> None:
    assert read(said(text)).verified_sender is is_proven


def test_field_of_the_server_above_a_forged_one_counts() -> None:
    """A forged field stands below: what is on top was added last."""
    forged = said(b"mx.example.com; dmarc=pass header.from=customer.example")
    for honest in (b"dmarc=fail header.from=customer.example", b"spf=pass", b"none"):
        assert not read(said(b"mx.example.com; " + honest), forged).verified_sender


def test_unreadable_field_of_the_server_hides_what_stands_below_it() -> None:
    """What an attacker has made unreadable is no way to let a forged field be the topmost."""
    forged = said(b"mx.example.com; dmarc=pass header.from=customer.example")
    assert not read(said(b"mx.example.com; spf=pass smtp.mailfrom=a b"), forged).verified_sender


def test_fields_of_others_are_passed_over() -> None:
    """A server on the way has its own say, which is nobody's here."""
    mine = said(b"mx.example.com; dmarc=pass header.from=customer.example")
    assert read(said(b"other.example; dmarc=fail"), mine).verified_sender


def test_without_a_named_server_nobody_is_believed() -> None:
    found = read(said(b"mx.example.com; dmarc=pass header.from=customer.example"), servers=())
    assert found == Trust()


@every_row(
    ("authentication", "is_proven"),
    [
        ({"dmarc": "pass", "spf": "pass", "dkim": "pass"}, True),
        ({"dmarc": "PASS"}, True),
        ({"dmarc": "fail", "dkim": "pass"}, False),
        ({"dkim": "pass", "spf": "pass"}, False),
        ({"dmarc": None}, False),
        ("pass", False),
        ({}, False),
    ],
)
def test_signed_post_of_a_provider_is_believed(authentication: object, *, is_proven: bool) -> None:
    """And then no field of the mail is."""
    forged = said(b"mx.example.com; dmarc=pass header.from=customer.example")
    fields = headers.scan(forged + b"\r\nFrom: " + SENDER.encode() + b"\r\n\r\n")
    found = trust.read(
        fields,
        sender=Address(SENDER),
        authserv_ids=("mx.example.com",),
        envelope={"authentication": authentication},
    )
    assert found.verified_sender is is_proven


FAILED = said(b"mx.example.com; dmarc=fail header.from=customer.example; arc=pass")
SAW_IT = b"dmarc=pass header.from=customer.example"


@every_row(
    ("top", "sealer", "found", "forwarders", "is_vouched"),
    [
        (FAILED, b"lists.example", SAW_IT, ("lists.example",), True),
        (FAILED, b"lists.example", SAW_IT, (), False),
        (FAILED, b"lists.example", SAW_IT, ("other.example",), False),
        (FAILED, b"sub.lists.example", SAW_IT, ("lists.example",), False),
        (FAILED, b"lists.example", b"dmarc=fail header.from=customer.example", ("lists.example",), False),
        (FAILED, b"lists.example", b"dmarc=pass header.from=other.example", ("lists.example",), False),
        (FAILED.replace(b"arc=pass", b"arc=fail"), b"lists.example", SAW_IT, ("lists.example",), False),
        (FAILED.replace(b"; arc=pass", b""), b"lists.example", SAW_IT, ("lists.example",), False),
        (FAILED.replace(b"arc=pass", b"arc=pass; arc=fail"), b"lists.example", SAW_IT, ("lists.example",), False),
    ],
)  # fmt: skip
def test_named_forwarder_vouches(
    top: bytes, sealer: bytes, found: bytes, forwarders: tuple[str, ...], *, is_vouched: bool
) -> None:
    """Its seal must be whole, by our own server's word, and say that the sender was proven when the mail came in."""
    seen = read(top, ARC % (sealer, sealer, found), forwarders=forwarders)
    assert (seen.verified_sender, seen.vouched_by is not None, seen.is_refuted) == (
        is_vouched,
        is_vouched,
        not is_vouched,
    )


def test_forwarder_behind_one_that_nobody_named_does_not_vouch() -> None:
    """Whoever sealed last could have changed the mail."""
    second = ARC.replace(b"i=1", b"i=2") % (b"evil.example", b"evil.example", b"arc=pass")
    first = ARC % (b"lists.example", b"lists.example", SAW_IT)
    assert not read(FAILED, second, first, forwarders=("lists.example",)).verified_sender
    assert (
        read(FAILED, second, first, forwarders=("lists.example", "evil.example")).vouched_by
        == "lists.example"
    )


@every_row(
    "chain",
    [
        ARC.replace(b"h=from:to", b"h=to"),
        ARC.replace(b"ARC-Authentication-Results: i=1", b"ARC-Authentication-Results: i=2"),
        ARC.replace(b"ARC-Seal: i=1", b"ARC-Seal: i=0"),
        ARC.replace(b"ARC-Seal: i=1;", b"ARC-Seal: i=1; d=lists.example;"),
        ARC + b"ARC-Seal: i=1; d=lists.example\r\n",
    ],
)
def test_chain_that_is_not_whole_vouches_for_nobody(chain: bytes) -> None:
    """Gaps, doubles, tags that are there twice, a From that is not signed."""
    filled = chain % (b"lists.example", b"lists.example", SAW_IT)
    assert not read(FAILED, filled, forwarders=("lists.example",)).verified_sender
