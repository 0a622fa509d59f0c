"""Mail straight from outside, checked over a real DNS: signatures made by another library, and everything forged."""

import asyncio
import base64
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from channels.contract import RawMessage, Trust
from channels.email import checking, message, origin, signatures
from channels.email.resolver import DnsResolver
from channels.email.signed_mail import Mail
from tests.email.name_server import BROKEN, SILENT, NameServer, serving, text

SENDER = "jan@customer.example"
MAIL = (
    b"From: Jan <jan@customer.example>\r\nTo: support@example.com\r\nSubject: My  printer \r\n"
    b"Date: Tue, 10 Nov 2026 09:00:00 +0000\r\nMessage-ID: <1@customer.example>\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n\r\nIt  burns. \t\r\n\r\nHelp!\r\n\r\n\r\n"
)
_RESULTS = b"Authentication-Results: lists.example; dkim=pass header.d=customer.example; dmarc=pass header.from=customer.example\r\n"


def _rsa(bits: int) -> tuple[bytes, str]:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=bits)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private, base64.b64encode(public).decode()


@pytest.fixture(scope="module")
def keys() -> dict[str, tuple[bytes, str]]:
    """Private PEM and public base64 of each signer."""
    return {name: _rsa(1_024) for name in ("customer", "lists", "evil")}


@pytest.fixture(scope="module")
def running() -> Iterator[NameServer]:
    with serving({}) as server:
        yield server


@pytest.fixture
def server(running: NameServer, keys: dict[str, tuple[bytes, str]]) -> NameServer:
    """customer.example signs and has a policy; lists.example forwards; evil.example signs too."""
    running.zone = {
        (f"k._domainkey.{name}.example", "TXT"): [text(f"v=DKIM1; k=rsa; p={public}")]
        for name, (_, public) in keys.items()
    } | {
        ("customer.example", "TXT"): [text("v=spf1 ip4:192.0.2.7 -all")],
        ("evil.example", "TXT"): [text("v=spf1 +all")],
        ("_dmarc.customer.example", "TXT"): [text("v=DMARC1; p=reject")],
    }
    running.asked.clear()
    DnsResolver((running.address,), timeout_s=1)._asking.cache.flush()
    return running


def signed(
    keys: dict[str, tuple[bytes, str]],
    mail: bytes = MAIL,
    *,
    by: str = "customer",
    canonical: str = "relaxed/relaxed",
    **more: Any,
) -> bytes:
    header, _, body = canonical.encode().partition(b"/")
    field: bytes = dkim.sign(
        mail, b"k", f"{by}.example".encode(), keys[by][0], canonicalize=(header, body), include_headers=[b"from", b"to", b"subject"], **more
    )  # fmt: skip
    return field + mail


def _plain(field: bytes) -> bytes:
    """A field as RFC 6376 §3.4.2 writes it, done once more for the tests."""
    name, _, value = field.partition(b":")
    return name.strip().lower() + b":" + b" ".join(value.split()) + b"\r\n"


def _sign(keys: dict[str, tuple[bytes, str]], by: str, covered: bytes) -> bytes:
    private = serialization.load_pem_private_key(keys[by][0], None)
    assert isinstance(private, rsa.RSAPrivateKey)
    return base64.b64encode(private.sign(covered, padding.PKCS1v15(), hashes.SHA256()))


def _named(header: bytes, names: tuple[bytes, ...]) -> bytes:
    fields = {
        line.partition(b":")[0].lower(): line for line in header.split(b"\r\n") if line[:1] not in b" \t"
    }
    return b"".join(_plain(fields[name]) for name in names)


def _body(body: bytes) -> bytes:
    lines = (re.sub(rb"[ \t]+", b" ", line).rstrip() for line in body.split(b"\r\n"))
    return b"\r\n".join(lines).rstrip(b"\r\n") + b"\r\n"


def signed_by_hand(
    keys: dict[str, tuple[bytes, str]],
    tags: bytes,
    *,
    names: tuple[bytes, ...] = (b"from", b"subject"),
    length: int | None = None,
) -> bytes:
    """The mail under a signature that fits, with tags that no signing library would write. length: of what is hashed."""
    header, _, body = MAIL.partition(b"\r\n\r\n")
    hashed = base64.b64encode(sha256(_body(body)[:length]).digest())
    field = b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=customer.example; s=k; h=%s; bh=%s;%s b=" % (
        b":".join(names), hashed, tags,
    )  # fmt: skip
    field += _sign(keys, "customer", _named(header, names) + _plain(field).rstrip(b"\r\n"))
    return field + b"\r\n" + MAIL


def sealed(
    keys: dict[str, tuple[bytes, str]],
    mail: bytes,
    *,
    by: str = "lists",
    results: bytes = _RESULTS,
    state: bytes | None = None,
    names: tuple[bytes, ...] = (b"from", b"to", b"subject"),
) -> bytes:
    """The mail as a forwarder passes it on (RFC 8617 §5.1). state: what it says of the chain before it."""
    number = mail.count(b"ARC-Seal:") + 1
    tags = b" i=%d; a=rsa-sha256; d=%s.example; s=k;" % (number, by.encode())
    found = b"ARC-Authentication-Results: i=%d;%s" % (number, results.partition(b":")[2].strip())
    header, _, body = mail.partition(b"\r\n\r\n")
    hashed = base64.b64encode(sha256(_body(body)).digest())
    signature = (
        b"ARC-Message-Signature:" + tags + b" c=relaxed/relaxed; h=%s; bh=%s; b=" % (b":".join(names), hashed)
    )
    signature += _sign(keys, by, _named(header, names) + _plain(signature).rstrip(b"\r\n"))
    seal = b"ARC-Seal:" + tags + b" cv=%s; b=" % (state or (b"none" if number == 1 else b"pass"))
    before = b"".join(
        _plain(re.search(rb"(?m)^ARC-%s: i=%d;[^\r]*" % (kind, each), header)[0])  # type: ignore[index]
        for each in range(1, number)
        for kind in (b"Authentication-Results", b"Message-Signature", b"Seal")
    )
    seal += _sign(keys, by, before + _plain(found) + _plain(signature) + _plain(seal).rstrip(b"\r\n"))
    return b"\r\n".join((seal, signature, found, mail))


async def trusted(
    server: NameServer,
    mail: bytes,
    *,
    peer: str | None = "198.51.100.9",
    sender: str = "bounce@elsewhere.example",
    **more: Any,
) -> Trust:
    """What is made of a mail that such a client hands in."""
    verify = origin.Verify(nameservers=(server.address,), relays=("10.0.0.0/8",), **more)
    options = message.Options(
        verify=verify, trusted_authserv_ids=("mx.example.com",), trusted_forwarders=("lists.example",)
    )
    envelope: dict[str, Any] = {"sender": sender, "recipients": ["support@example.com"], "helo": "x.example"}
    raw = RawMessage(
        kind="email.smtp", account="support", lane="", body=mail, received_at=datetime.now(UTC),
        envelope=envelope | ({"peer": peer} if peer is not None else {}),
    )  # fmt: skip
    return message.parse(raw, options, await message.examine(raw, options)).trust


@pytest.mark.parametrize(
    "canonical", ["relaxed/relaxed", "simple/simple", "relaxed/simple", "simple/relaxed"]
)
async def test_signature_of_the_senders_domain_proves_the_sender(
    server: NameServer, keys: dict[str, tuple[bytes, str]], canonical: str
) -> None:
    found = await trusted(server, signed(keys, canonical=canonical))
    assert (found.dkim, found.dmarc, found.verified_sender) == ("pass", "pass", True)


async def test_client_that_the_domain_names_proves_the_sender(server: NameServer) -> None:
    found = await trusted(server, MAIL, peer="192.0.2.7", sender="bounces@customer.example")
    assert (found.spf, found.dkim, found.dmarc, found.verified_sender) == ("pass", "none", "pass", True)


async def test_client_of_another_domain_proves_nothing(server: NameServer) -> None:
    """SPF passes for whoever sends; what counts is From."""
    found = await trusted(server, MAIL, sender="bob@evil.example")
    assert (found.spf, found.dmarc, found.verified_sender, found.is_refuted) == ("pass", "fail", False, True)


async def test_signature_of_another_domain_proves_nothing(
    server: NameServer, keys: dict[str, tuple[bytes, str]]
) -> None:
    found = await trusted(server, signed(keys, by="evil"))
    assert (found.dkim, found.dmarc, found.verified_sender) == ("pass", "fail", False)


_CHANGES = (
    (b"Help!", b"Help?"), (b"Subject: My  printer", b"Subject: My oven"), (b"Jan <jan@", b"Eve <eve@"), (b"\r\n\r\nIt", b"\r\n\r\nX It"),
    (b"Help!\r\n", b"Help!\r\nPay here\r\n"), (b"d=customer", b"d=evil"), (b"s=k", b"s=other"), (b"a=rsa-sha256", b"a=rsa-sha1"),
    (b"c=relaxed/relaxed", b"c=simple/simple"), (b"v=1", b"v=2"), (b"h=from", b"h=cc"), (b"q=dns/txt", b"q=http"),
    (b"d=customer.example;", b"d=customer.example; l=5;"), (b"d=customer.example;", b"d=customer.example; d=customer.example;"),
    (b"d=customer.example;", b"d=customer.example; x=1000;"), (b"d=customer.example;", b"d=customer.example; i=@evil.example;"),
)  # fmt: skip


@pytest.mark.parametrize("change", _CHANGES)
async def test_changed_mail_or_signature_proves_nothing(
    server: NameServer, keys: dict[str, tuple[bytes, str]], change: tuple[bytes, bytes]
) -> None:
    whole = signed(keys)
    unfolded = (
        re.sub(rb"\r\n ", b" ", whole.partition(b"\r\nFrom")[0])
        + b"\r\nFrom"
        + whole.partition(b"\r\nFrom")[2]
    )
    before, after = change
    if before not in unfolded:  # where the other library's defaults do not write the tag
        before, after = b"v=1;", after + b" v=1;" if b"=" in after else b"v=1; q=http;"
    found = await trusted(server, unfolded.replace(before, after, 1))
    assert not found.verified_sender


@pytest.mark.parametrize(
    ("tags", "names", "length", "is_proven"),
    [
        (b"", (b"from", b"subject"), None, True),
        (b" x=99999999999;", (b"from", b"subject"), None, True),
        (b" i=news@mail.customer.example;", (b"from", b"subject"), None, True),
        (b" l=20;", (b"from", b"subject"), 20, True),  # all of it
        (b" l=9;", (b"from", b"subject"), 9, False),  # what stands behind it is anybody's
        (b" x=1000;", (b"from", b"subject"), None, False),
        (b" x=soon;", (b"from", b"subject"), None, False),
        (b" t=99999999999;", (b"from", b"subject"), None, False),
        (b" i=@evil.example;", (b"from", b"subject"), None, False),
        (b" q=http;", (b"from", b"subject"), None, False),
        (b"", (b"to", b"subject"), None, False),  # From is not signed
    ],
)
async def test_signature_that_fits_proves_as_far_as_it_says(
    server: NameServer,
    keys: dict[str, tuple[bytes, str]],
    tags: bytes,
    names: tuple[bytes, ...],
    length: int | None,
    *,
    is_proven: bool,
) -> None:
    found = await trusted(server, signed_by_hand(keys, tags, names=names, length=length))
    assert found.verified_sender is is_proven


async def test_folding_and_spaces_do_not_break_a_relaxed_signature(
    server: NameServer, keys: dict[str, tuple[bytes, str]]
) -> None:
    """What servers on the way do to a mail is no forgery."""
    bent = (
        signed(keys)
        .replace(b"Subject: My  printer ", b"SUBJECT:\tMy\r\n printer")
        .replace(b"It  burns. \t", b"It burns.")
    )
    assert (await trusted(server, bent)).verified_sender


async def test_second_from_is_no_senders_proof(
    server: NameServer, keys: dict[str, tuple[bytes, str]]
) -> None:
    """A signature covers the last From; whoever adds one on top shows another."""
    found = await trusted(server, b"From: boss@customer.example\r\n" + signed(keys))
    assert (found.verified_sender, found.has_single_sender) == (False, False)


@pytest.mark.parametrize(
    "record",
    [
        "v=DKIM1; p=", "v=DKIM1; k=ed25519; p={p}", "v=DKIM2; p={p}", "v=DKIM1; h=sha1; p={p}", "v=DKIM1; s=chat; p={p}", "p=!!!",
        "v=DKIM1; p={evil}", "nonsense", "v=DKIM1; p=AAAA",
    ],
)  # fmt: skip
async def test_key_that_is_not_for_it_proves_nothing(
    server: NameServer, keys: dict[str, tuple[bytes, str]], record: str
) -> None:
    filled = record.format(p=keys["customer"][1], evil=keys["evil"][1])
    server.zone["k._domainkey.customer.example", "TXT"] = [text(filled)]
    found = await trusted(server, signed(keys))
    assert (found.dkim != "pass", found.dmarc, found.verified_sender) == (True, "fail", False)


async def test_short_key_proves_nothing(server: NameServer) -> None:
    short = {
        "customer": _rsa(1_024)
    }  # the library that signs refuses less; ours is told that 1 024 is too short
    server.zone["k._domainkey.customer.example", "TXT"] = [text(f"p={short['customer'][1]}")]
    whole = signed(short)
    assert (await trusted(server, whole)).verified_sender
    least, signatures.RSA_BITS_MIN = signatures.RSA_BITS_MIN, 2_048
    try:
        assert not (await trusted(server, whole)).verified_sender
    finally:
        signatures.RSA_BITS_MIN = least


async def test_ed25519_signature_is_checked(server: NameServer, keys: dict[str, tuple[bytes, str]]) -> None:
    """RFC 8463: the short signatures that newer senders add."""
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    server.zone["k._domainkey.customer.example", "TXT"] = [
        text(f"v=DKIM1; k=ed25519; p={base64.b64encode(public).decode()}")
    ]
    mail = Mail(MAIL)
    hashed = base64.b64encode(mail.body_hash(is_relaxed=True).digest)
    value = (
        b" v=1; a=ed25519-sha256; c=relaxed/relaxed; d=customer.example; s=k; h=from:subject; bh=%s; b="
        % hashed
    )
    covered = signatures.signed_text(mail, ("from", "subject"), (b"DKIM-Signature", value), is_relaxed=True)
    made = base64.b64encode(key.sign(sha256(covered).digest()))
    whole = b"DKIM-Signature:" + value + made + b"\r\n" + MAIL
    assert (await trusted(server, whole)).verified_sender
    assert not (await trusted(server, whole.replace(b"Help!", b"Help?"))).verified_sender


@pytest.mark.slow
@pytest.mark.parametrize("name", ["k._domainkey.customer.example", "_dmarc.customer.example"])
@pytest.mark.parametrize("fault", [BROKEN, SILENT])
async def test_dns_that_does_not_answer_proves_and_disproves_nothing(
    server: NameServer, keys: dict[str, tuple[bytes, str]], name: str, fault: str
) -> None:
    server.zone[name, "TXT"] = [fault]
    started = time.monotonic()
    found = await trusted(server, signed(keys), timeout_s=0.3)
    assert time.monotonic() - started < 2
    assert (found.dmarc, found.verified_sender, found.is_refuted) == ("temperror", False, False)


async def test_what_the_mail_says_of_itself_does_not_count(server: NameServer) -> None:
    """Not even under the name of a server that is believed, when nobody of ours has handed the mail in."""
    forged = b"Authentication-Results: mx.example.com; dmarc=pass header.from=customer.example\r\n" + MAIL
    assert not (await trusted(server, forged)).verified_sender


async def test_relay_of_ours_is_believed_and_nobody_is_asked(server: NameServer) -> None:
    said = b"Authentication-Results: mx.example.com; dmarc=pass header.from=customer.example\r\n" + MAIL
    assert (await trusted(server, said, peer="10.1.2.3")).verified_sender
    assert server.asked == []


async def test_mail_that_was_not_looked_at_yet_is_proven_by_nothing(server: NameServer) -> None:
    """Reading a mail without its evidence never falls back to what it brought with it."""
    options = message.Options(verify=origin.Verify(relays=()), trusted_authserv_ids=("mx.example.com",))
    said = b"Authentication-Results: mx.example.com; dmarc=pass header.from=customer.example\r\n" + MAIL
    raw = RawMessage(
        kind="email.smtp", account="support", lane="", body=said, received_at=datetime.now(UTC), envelope={"peer": "192.0.2.1"}
    )  # fmt: skip
    assert not message.parse(raw, options).trust.verified_sender


async def test_mail_of_a_mailbox_is_proven_by_its_signature(
    server: NameServer, keys: dict[str, tuple[bytes, str]]
) -> None:
    """Who fetches mail knows no client; signatures travel with the mail."""
    found = await trusted(server, signed(keys), peer=None)
    assert (found.spf, found.verified_sender) == ("none", True)


async def test_named_forwarder_vouches_for_what_it_changed(
    server: NameServer, keys: dict[str, tuple[bytes, str]]
) -> None:
    """A list adds a footer and so breaks the sender's signature; its seal says that the sender was proven before."""
    changed = signed(keys).replace(b"Help!", b"Help!\r\n-- \r\nthe list")
    assert not (await trusted(server, changed)).verified_sender
    found = await trusted(server, sealed(keys, changed))
    assert (found.arc, found.dmarc, found.verified_sender, found.vouched_by) == (
        "pass",
        "fail",
        True,
        "lists.example",
    )


async def test_another_library_finds_the_chain_whole(
    server: NameServer, keys: dict[str, tuple[bytes, str]]
) -> None:
    """What the tests seal is sealed as others read it."""
    resolver = DnsResolver((server.address,), timeout_s=2)
    state, _, _ = dkim.arc_verify(
        sealed(keys, sealed(keys, MAIL), by="evil"),
        dnsfunc=lambda name, timeout=5: b"".join(resolver.txt(name.decode().rstrip("."))),
    )
    assert state == b"pass"


async def test_chain_of_two_is_checked(server: NameServer, keys: dict[str, tuple[bytes, str]]) -> None:
    """A second seal covers the first; that its sealer is nobody we named ends the trust, not the chain."""
    twice = sealed(
        keys,
        sealed(keys, MAIL),
        by="evil",
        results=_RESULTS.replace(b"lists", b"evil").replace(b"; dkim", b"; arc=pass; dkim"),
    )
    assert checking.arc_result(Mail(twice), DnsResolver((server.address,), timeout_s=2)) == "pass"
    assert not (await trusted(server, twice)).verified_sender


@pytest.mark.parametrize(
    "change",
    [
        (b"Help!", b"Help?"), (b"i=1;lists.example; dkim=pass", b"i=1;lists.example; dkim=fail"),
        (b"cv=none", b"cv=pass"), (b"cv=none", b"cv=fail"), (b"ARC-Seal: i=1", b"ARC-Seal: i=2"), (b"jan@customer.example>", b"ceo@customer.example>"),
    ],
)  # fmt: skip
async def test_broken_chain_vouches_for_nobody(
    server: NameServer, keys: dict[str, tuple[bytes, str]], change: tuple[bytes, bytes]
) -> None:
    whole = sealed(keys, MAIL)
    assert change[0] in whole
    found = await trusted(server, whole.replace(*change, 1))
    assert (found.arc, found.verified_sender) == ("fail", False)


@pytest.mark.parametrize("state", [b"fail", b"pass", b"none;;"])
async def test_forwarder_that_found_the_chain_broken_ends_it(
    server: NameServer, keys: dict[str, tuple[bytes, str]], state: bytes
) -> None:
    """Its seal fits; what it says of those before it is not "none", as the first one has to say."""
    found = await trusted(server, sealed(keys, MAIL, state=state))
    assert (found.arc, found.verified_sender) == ("fail", False)


async def test_seal_of_a_mail_whose_from_is_not_signed_vouches_for_nobody(
    server: NameServer, keys: dict[str, tuple[bytes, str]]
) -> None:
    assert not (await trusted(server, sealed(keys, MAIL, names=(b"to", b"subject")))).verified_sender


@pytest.mark.slow
async def test_hostile_mails_do_not_hold_up_the_loop(
    server: NameServer, keys: dict[str, tuple[bytes, str]]
) -> None:
    """Thousands of signatures, endless lines and blanks: the rest of the daemon goes on meanwhile."""
    field = signed(keys).partition(b"From:")[0]
    hostile = [
        field * 2_000 + MAIL,
        field + MAIL + b" \t" * 1_000_000,
        field + MAIL + b" \r\n" * 200_000 + b"x",
        b"DKIM-Signature: v=1; a=rsa-sha256; d=a.example; s=k; h="
        + b"from:" * 10_000
        + b"; bh=eA==; b=eA==\r\n"
        + MAIL,
        b"ARC-Seal: i=1; cv=none\r\n" * 1_000 + MAIL,
    ]
    worst = 0.0

    async def watch() -> None:
        nonlocal worst
        while True:
            started = time.monotonic()
            await asyncio.sleep(0.005)
            worst = max(worst, time.monotonic() - started)

    watching = asyncio.create_task(watch())
    verify = origin.Verify(nameservers=(server.address,), relays=())
    for mail in hostile:
        raw = RawMessage(
            kind="email.smtp",
            account="a",
            lane="",
            body=mail,
            received_at=datetime.now(UTC),
            envelope={"peer": "192.0.2.7"},
        )
        assert await message.examine(raw, message.Options(verify=verify)) is not None
    watching.cancel()
    assert worst < 0.1
