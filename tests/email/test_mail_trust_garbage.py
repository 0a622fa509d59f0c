"""Whatever stands in the fields that trust is read from: nothing raises, nothing takes long, nothing is believed."""

import random
import time
from datetime import UTC, datetime

import pytest

from channels.contract import RawMessage
from channels.email import arc, auth_results, checking, dmarc, examine, from_field, message, signatures, spf
from channels.email.resolver import NoAnswer
from channels.email.signed_mail import Mail
from tests.rows import every_row

_PIECES = (
    "mx.example.com", ";", "=", "(", ")", '"', "\\", " ", "\t", "/", ".", ",", "<", ">", "@", ":", "%", "%{", "}", "i=1", "i=2", "b=", "bh=",
    "d=a.example", "s=k", "h=from:to", "a=rsa-sha256", "cv=none", "cv=pass", "c=relaxed/relaxed", "v=1", "v=spf1", "include:", "redirect=",
    "exists:", "a:", "mx", "ptr", "ip4:", "all", "-", "~", "dmarc=pass", "dkim=pass", "arc=pass", "header.from=", "customer.example", "none", "1",
    "\x00", "\u202e", "\u0430", "é", "=?utf-8?q?a?=", "x" * 300, "9" * 30, "v=DMARC1", "p=reject", "psd=y", "AAAA", "t=", "x=", "l=",
)  # fmt: skip


class AnyDns:
    """Answers with pieces, or not at all."""

    def __init__(self, source: random.Random) -> None:
        self.source = source

    def txt(self, name: str) -> tuple[bytes, ...]:
        if self.source.random() < 0.1:
            raise NoAnswer(name)
        return tuple(soup(self.source, 8).encode() for _ in range(self.source.randrange(3)))

    def addresses(self, name: str, *, is_v6: bool) -> tuple[str, ...]:
        return ("2001:db8::1",) if is_v6 else ("192.0.2.1", "192.0.2.7")[: self.source.randrange(3)]

    def mail_servers(self, name: str) -> tuple[str, ...]:
        return tuple(f"m{each}.example" for each in range(self.source.randrange(12)))

    def names_of(self, address: str) -> tuple[str, ...]:
        return ("host.example",)


def soup(source: random.Random, most: int) -> str:
    return source.choice(("", " ", "; ")).join(source.choices(_PIECES, k=source.randrange(most)))


def trusting_mail(source: random.Random) -> bytes:
    """A mail with every field that trust is read from, all of them soup."""
    names = (
        "Authentication-Results",
        "ARC-Seal",
        "ARC-Message-Signature",
        "ARC-Authentication-Results",
        "DKIM-Signature",
        "From",
    )
    fields = [f"{source.choice(names)}: {soup(source, 20)}" for _ in range(source.randrange(1, 12))]
    return "\r\n".join((*fields, "Subject: x", "", soup(source, 30))).encode("utf-8", "replace")


def _look(source: random.Random) -> None:
    text = soup(source, 25)
    auth_results.parse(text)
    arc.tags(text)
    from_field.is_plain(text, "jan@customer.example")
    dns = AnyDns(source)
    spf.check("192.0.2.7", sender=f"jan@{text[:40]}", helo=text, resolver=dns)
    spf.check("192.0.2.7", sender="jan@customer.example", helo="x.example", resolver=dns)
    dmarc.evaluate(
        "a.customer.example",
        spf_domain="b.customer.example",
        dkim_domains=(),
        is_undecided=False,
        resolver=dns,
    )
    body = trusting_mail(source)
    mail = Mail(body)
    assert checking.arc_result(mail, dns) != "pass"
    assert all(
        each.result != "pass" for each in checking.dkim_results(mail, domain="customer.example", resolver=dns)
    )
    raw = RawMessage(
        kind="email.smtp", account="a", lane="", body=body, received_at=datetime.now(UTC), envelope={"peer": "192.0.2.7", "sender": text}
    )  # fmt: skip
    evidence = examine.evidence_of(raw, dns)
    assert all(each.result != "pass" for each in evidence.results if each.method in ("dkim", "arc"))
    message.parse_costly(
        raw, message.Options(trusted_authserv_ids=("mx.example.com",), trusted_forwarders=("a.example",))
    )


def test_soup_is_looked_at_without_a_fault() -> None:
    source = random.Random(11)
    for _ in range(100):
        _look(source)


@pytest.mark.slow
def test_much_soup_is_looked_at_without_a_fault() -> None:
    source = random.Random(12)
    for _ in range(10_000):
        _look(source)


@every_row(
    "piece",
    [
        "(",
        ")",
        '"',
        "\\",
        "<",
        "@",
        "a",
        " ",
        ";",
        "=",
        '"a" ',
        "a@",
        "(a)",
        ".",
        "=?utf-8?q?a?= ",
        "\\(",
        "a=b;",
        "i=1;",
    ],
)
def test_time_grows_with_the_length_only(piece: str) -> None:
    """16 000 characters of anything are looked at in a few milliseconds."""
    text = piece * (16_000 // len(piece))
    took = []
    for look in (
        auth_results.parse,
        arc.tags,
        lambda value: from_field.is_plain(value[:2_000], "a@b.example"),
    ):
        started = time.perf_counter()
        look(text)
        took.append(time.perf_counter() - started)
    started = time.perf_counter()
    field = (b"DKIM-Signature", text.encode())
    signatures.relaxed_field(field)
    signatures.signed_text(Mail(b""), ("dkim-signature",), field, is_relaxed=True)
    took.append(time.perf_counter() - started)
    assert max(took) < 0.1
