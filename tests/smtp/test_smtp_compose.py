"""Outgoing mails: what another reader makes of the bytes we write."""

import email
import email.policy
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels import contract
from channels.email.compose import compose
from tests.rows import every_row

_OWN = {
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
}


def outbound(**fields: Any) -> contract.OutboundMessage:
    plain: dict[str, Any] = {
        "id": "7", "account": "support", "to": (contract.Address("ann@x.com", "Ann"),),
        "from_": contract.Address("support@example.com", "Support"), "subject": "Re: Help", "text": "Hello\n",
        "message_id": "7@example.com", "created_at": datetime(2026, 11, 21, 10, 0, tzinfo=UTC),
    }  # fmt: skip
    return contract.OutboundMessage(**(plain | fields))


def read(content: bytes) -> EmailMessage:
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def test_a_plain_mail_is_plain() -> None:
    assert compose(outbound()) == (
        b"From: Support <support@example.com>\r\nTo: Ann <ann@x.com>\r\nSubject: Re: Help\r\n"
        b"Date: Sat, 21 Nov 2026 10:00:00 +0000\r\nMessage-ID: <7@example.com>\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: text/plain; charset="utf-8"\r\nContent-Transfer-Encoding: 7bit\r\n\r\nHello\r\n'
    )


def test_an_automatic_mail_says_so() -> None:
    message = read(compose(outbound(automatic="auto-replied")))
    assert (message["auto-submitted"], message["x-auto-response-suppress"]) == ("auto-replied", "All")


def test_threads_are_kept_and_bounded() -> None:
    references = tuple(f"{number}@x" for number in range(100))
    message = read(compose(outbound(in_reply_to=("99@x",), references=references)))
    assert message["in-reply-to"] == "<99@x>"
    assert message["references"].split() == ["<0@x>", *(f"<{number}@x>" for number in range(81, 100))]


def test_ids_of_others_that_cannot_be_written_are_left_out() -> None:
    message = read(compose(outbound(references=("a@x\r\nBcc: evil@x.com", "good@x", "<b@x>", ""))))
    assert message["references"] == "<good@x>"


@every_row("text", ["Zażółć gęślą jaźń " * 9, "Καλημέρα κόσμε " * 30, "plain " * 40, "a" * 2_000, "=?utf-8?q?x?=", "x  y " * 30, "😀" * 100])  # fmt: skip
def test_subject_and_name_come_back_as_they_were(text: str) -> None:
    content = compose(outbound(subject=text, to=(contract.Address("ann@x.com", text),)))
    message = read(content)
    assert message["subject"] == text.strip()
    assert str(message["to"].addresses[0].addr_spec) == "ann@x.com"
    # policy.default puts spaces between the encoded words of a phrase, which RFC 2047 §6.2 forbids.
    raw_name = str(email.message_from_bytes(content)["to"]).partition("<ann@")[0].strip().strip('"')
    assert str(make_header(decode_header(raw_name))).strip() == text.strip()
    assert max(map(len, content.split(b"\r\n"))) <= 998


@every_row("text", ["Grüße\n.\n..\nFrom me\n", "Καλημέρα\n" * 50, "x" * 5_000, "tail  \n\n\n", "", "a\rb\r\nc\u2028d", "😀 " * 500])  # fmt: skip
def test_the_text_comes_back_as_it_was(text: str) -> None:
    content = compose(outbound(text=text))
    wanted = "\n".join(text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").split("\n"))
    assert read(content).get_content().replace("\r\n", "\n").rstrip("\n") == wanted.rstrip("\n")
    assert content.isascii()
    assert max(map(len, content.split(b"\r\n"))) <= 998
    assert content.count(b"\r\n") == content.count(b"\n") == content.count(b"\r")


_NASTY = st.text(st.characters() | st.sampled_from('\r\n\0\x0b\x0c\x85\u2028\u2029:<>",;@=? '), max_size=60)


@settings(max_examples=400, deadline=None)
@given(subject=_NASTY, name=_NASTY, value=_NASTY, text=_NASTY)
def test_no_value_begins_a_header_of_its_own(subject: str, name: str, value: str, text: str) -> None:
    content = compose(
        outbound(
            subject=subject, to=(contract.Address("ann@x.com", name),), headers={"X-Ticket": value}, text=text
        )
    )
    head = content.partition(b"\r\n\r\n")[0]
    names = [line.partition(b":")[0].decode().lower() for line in head.split(b"\r\n") if line[:1] != b" "]
    assert sorted(names) == sorted({*_OWN, "x-ticket"})
    assert not any(
        control in head.replace(b"\r\n", b"") for control in (b"\r", b"\n", b"\0", b"\x0b", b"\x0c")
    )


@every_row("address", ["a@x.com\r\nBcc: b@y.z", "a@x.com>", "a b@x.com", "a@x.com,b@y.z", "", "a", "a@", "@x.com", "a@x\u2028.com", "a\0@x.com", "a@b@c.com"])  # fmt: skip
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="not an address"):
        compose(outbound(to=(contract.Address(address),)))


@every_row("name", ["Bcc", "from", "X Y", "X:Y", "X\r\nY", "", "Content-Type"])
def test_a_header_that_is_ours_or_none_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="not a header"):
        compose(outbound(headers={name: "x"}))


def test_a_domain_beyond_ascii_is_written_in_ascii() -> None:
    assert (
        read(compose(outbound(to=(contract.Address("ann@bücher.example"),))))["to"]
        == "ann@xn--bcher-kva.example"
    )


def test_line_breaks_of_every_kind_become_spaces() -> None:
    subject = "a\r\nBcc: b@y.z\x0bc\x0cd\u2028e\u2029f\x85g\0h\ti"
    assert read(compose(outbound(subject=subject)))["subject"] == "a Bcc: b@y.z c d e f g h i"


def test_a_lone_surrogate_harms_nothing() -> None:
    message = read(compose(outbound(subject="a\ud800b", text="c\udfffd")))
    assert (message["subject"], message.get_content().strip()) == ("a b", "c?d")
