"""From fields that are bent so that two readers see two senders: none of them is a proven sender."""

import itertools
from collections.abc import Iterator
from email import message_from_bytes, policy, utils

import pytest

from channels.contract import Trust
from channels.email import addresses, headers, trust
from tests.rows import every_row

VICTIM, EVIL = "alice@bank.example", "bob@evil.example"
SERVERS = ("mx.example.com",)
# What an honest server writes that has read the sender's own domain, and what one writes that names none.
PROVEN = (b"mx.example.com; dmarc=pass header.from=evil.example", b"mx.example.com; dmarc=pass")
_TEMPLATES = (
    "{v}<{e}>", "{v} <{e}>", '"{v}" <{e}>', '"{v}"<{e}>', "<{v}><{e}>", "<{v}> <{e}>", "{v}, {e}", "{e}, {v}", "{v};{e}",
    "{v} {e}", "{e} {v}", "({v}) {e}", "{e} ({v})", "{v} ({e})", "<{e}> {v}", "<{e}>{v}", "{v}\\<{e}>", "<{v}>, <{e}>",
    "group: {v}; {e}", "group: {v};, {e}", "group: {v}, {e};", "x:{v}<{e}>", ":{v}<{e}>", "{v}:<{e}>", "<@{vd}:{e}>",
    "<@{vd},@x.example:{e}>", "@{vd}:{e}", "<{v}:{e}>", "<{v},{e}>", "<{v} {e}>", "<{v}\\>{e}>", '<"{v}"@{ed}>', '"{v}"@{ed}',
    '"{v}> <{e}"', '"{v}> " <{e}>', '"\\"{v}\\"" <{e}>', "'{v}' <{e}>", "{v}(<{e}>", "{v})<{e}>", "{v}(a)<{e}>", "{v}(<{e}>)",
    "{v} (comment <{e}>) <{e}>", "(<{v}>) <{e}>", "({v}", "({v}<{e}>", "{v}\t<{e}>", "{v}  <{e}>", '"{v}" "{v}" <{e}>', "{v}@{ed}",
    "<{v}@{ed}>", "{v}%{ed}", "<{vl}%{vd}@{ed}>", "<{vd}!{vl}@{ed}>", "{vl}@{vd}.{ed}, {v}", "<{vl}(c)@{vd}(<{e}>)>",
    "{vl}@(x){vd} <{e}>", "{vl} @ {vd} <{e}>", "<{vl}@[{vd}]> <{e}>", "{vl}@[127.0.0.1]", "<{vl}@{vd}", "{v}>", ">{v}<{e}",
    "=?utf-8?q?{vl}=40{vd}?= <{e}>", "=?utf-8?q?{v}?= <{e}>", "<=?utf-8?q?{vl}=40{vd}?=@{ed}>", "=?utf-8?q?{vl}?=@{vd}",
    "=?utf-8?q?{vl}=40{vd}=3E?= <{e}>", "=?utf-8?q?=3C{vl}=40{vd}=3E?= <{e}>", "=?utf-8?b?Y2VvQGNvcnAuZXhhbXBsZQ==?= <{e}>",
    "=?utf-8?q?{vl}=EF=BC=A0{vd}?= <{e}>", "{vl}\uff20{vd} <{e}>", "{vl}\ufe6b{vd} <{e}>", "\u202e{v}\u202c <{e}>",
    "\u200b{v} <{e}>", "{v}\u2028<{e}>", "{v}\u00a0<{e}>", "<{v}\x00@{ed}>", "{v}\x00 <{e}>", "<{vl}\r@{vd}>", "{v}\r <{e}>",
    "<{vl}@{vd}\x0b>", "<{v}.>", "<{v}..>", "<.{v}>", "<{vl}..x@{vd}>", "<{vl}.@{vd}>", "<{vl}@.{vd}>", "<{vl}@-{vd}>",
    "<mailto:{v}>", "mailto:{v} <{e}>", "<{vl}\\@{vd}@{ed}>", "\\{v} <{e}>", '"{vl}"@{vd}', '" {vl}"@{vd}', '"{vl}\\ "@{vd}', "{v} via <{e}>",
    "<{vl}@{vd}> <", "undisclosed: {v};", ": {v}", "<>{v}", "{v}<>", "<{e}>, undisclosed:;", "{v} <{e}> <{v}>", "{v} AT <{e}>",
)  # fmt: skip
_DISGUISES = (
    "alice@b\u0430nk.example", "alice@bank.ex\u0430mple", "alice@b\u03b1nk.example", "alice@\u0440\u0430\u0443.example",
    "alice@xn--bnk-7cd.example", "\u0430lice@bank.example", "alice@ban\u212a.example", "alice@bank\u3002example",
    "alice@bank\uff0eexample", "alice@b\u00adank.example", "alice@bank\u200b.example", "alice@bank\u2024example",
)  # fmt: skip


def bent() -> Iterator[str]:
    """Every template with attacker and victim in both places, in other capitals, and disguised."""
    for template, (one, other) in itertools.product(
        _TEMPLATES, ((VICTIM, EVIL), (EVIL, VICTIM), (VICTIM.upper(), EVIL))
    ):
        (local, _, domain), (_, _, other_domain) = one.partition("@"), other.partition("@")
        yield template.format(v=one, e=other, vl=local, vd=domain, ed=other_domain)
    for address in _DISGUISES:
        yield from (address, f"Alice <{address}>", f"<{address}>")


def read(from_field: str, results: bytes, *more: bytes) -> Trust:
    content = b"Authentication-Results: " + results + b"\r\nFrom: " + from_field.encode() + b"\r\n"
    fields = headers.scan(content + b"".join(more) + b"Subject: x\r\n\r\ntext")
    named = addresses.parse(fields.structured("from"))
    is_single = len(fields.raw("from")) == 1 and len(named) == 1
    return trust.read(fields, sender=named[0] if is_single else None, authserv_ids=SERVERS)


def test_there_are_enough_of_them() -> None:
    assert len(set(bent())) >= 200


@pytest.mark.parametrize("results", PROVEN)
def test_no_bent_sender_is_proven(results: bytes) -> None:
    """Whatever an honest server says about the domain that it has seen."""
    assert [each for each in set(bent()) if read(each, results).verified_sender] == []


@every_row(
    "from_field",
    [
        EVIL, f"Bob <{EVIL}>", f'"Bob, B." <{EVIL}>', f"=?utf-8?q?B=C3=B6b?= <{EVIL}>", f"{EVIL} (Bob)", f"Bob (Support) <{EVIL}>",
        f'"{EVIL}" <{EVIL}>', f"  <{EVIL.replace('evil', 'Evil')}>  ", f"Zażółć <{EVIL}>", f'"B\\"ob" <{EVIL}>', f"O'Bob <{EVIL}>",
    ],
)  # fmt: skip
def test_plain_sender_is_proven(from_field: str) -> None:
    """What people really write stays proven."""
    assert read(from_field, PROVEN[0]).verified_sender


def test_sender_is_proven_only_where_other_readers_agree() -> None:
    """The standard library's readers see no other address in whatever we call proven."""
    for each in set(bent()) | {EVIL, f"Bob <{EVIL}>"}:
        if not read(each, PROVEN[1]).verified_sender:
            continue
        mail = message_from_bytes(b"From: " + each.encode() + b"\r\n\r\n", policy=policy.default)
        seen = {utils.parseaddr(each)[1].lower(), *(one.addr_spec.lower() for one in mail["From"].addresses)}
        assert seen == {EVIL}, each


@every_row(
    "more",
    [
        b"From: alice@bank.example\r\n",
        b"from: alice@bank.example\r\n",
        b"From : alice@bank.example\r\n",
        b"FROM:\r\n",
    ],
)
def test_two_from_fields_prove_nobody(more: bytes) -> None:
    """A second From, however it is spelt."""
    found = read(EVIL, PROVEN[0], more)
    assert (found.verified_sender, found.has_single_sender) == (False, False)


def test_proof_of_another_domain_is_none() -> None:
    """A server that has seen another domain in From has seen another From."""
    assert not read(VICTIM, PROVEN[0]).verified_sender
