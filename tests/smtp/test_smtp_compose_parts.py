"""The body of an outgoing mail, as another reader takes it apart; and no value that begins a header of its own.

INJECTIONS=100000 tries as many values in every header; CI is content with less.
"""

import email
import email.policy
import os
from email.message import EmailMessage, Message
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels import contract
from channels.email import message as mail_reader
from channels.email.compose import compose
from channels.email.entity import safe_name
from tests.rows import every_row
from tests.smtp.test_smtp_compose import outbound, read

INJECTIONS = int(os.environ.get("INJECTIONS", "300"))


def file(
    name: str, content: bytes = b"bytes", content_type: str = "application/pdf"
) -> contract.OutboundFile:
    return contract.OutboundFile(
        name, content_type, len(content), sha256(content).hexdigest(), content=content
    )


def kinds(part: Message) -> Any:
    """The tree of content types."""
    children = part.get_payload() if part.is_multipart() else None
    if not isinstance(children, list):
        return part.get_content_type()
    return part.get_content_subtype(), [kinds(child) for child in children if isinstance(child, Message)]


def part_of(mail: EmailMessage, content_type: str) -> EmailMessage:
    found = next(part for part in mail.walk() if part.get_content_type() == content_type)
    assert isinstance(found, EmailMessage)
    return found


def understood(content: bytes) -> contract.Message:
    """What our own parser makes of it."""
    raw = contract.RawMessage(
        kind="email.smtp",
        account="support",
        lane="x",
        body=content,
        received_at=outbound().created_at,
        envelope={"sender": "a@example.com", "recipients": []},
    )
    return mail_reader.parse(raw, mail_reader.Options())


@every_row(
    ("fields", "tree"),
    [
        ({}, "text/plain"),
        ({"markdown": ""}, ("alternative", ["text/plain", "text/html"])),
        ({"attachments": (file("a.pdf"),)}, ("mixed", ["text/plain", "application/pdf"])),
        (
            {"markdown": "", "attachments": (file("a.pdf"),)},
            ("mixed", [("alternative", ["text/plain", "text/html"]), "application/pdf"]),
        ),
        (
            {"markdown": "![x](b.png)", "attachments": (file("a.pdf"), file("b.png", content_type="image/png"))},
            (
                "mixed",
                [
                    ("alternative", ["text/plain", ("related", ["text/html", "image/png"])]),
                    "application/pdf",
                ],
            ),
        ),
        (
            {"markdown": "no picture", "attachments": (file("b.png", content_type="image/png"),)},
            ("mixed", [("alternative", ["text/plain", "text/html"]), "image/png"]),
        ),
    ],
)  # fmt: skip
def test_parts_stand_in_the_order_that_readers_expect(fields: dict[str, Any], tree: Any) -> None:
    assert kinds(read(compose(outbound(**fields)))) == tree


def test_text_and_html_say_the_same() -> None:
    mail = read(compose(outbound(text="Hello **Ann**,\n\nżółć < 3\n", markdown="", language="pl")))
    assert part_of(mail, "text/plain").get_content().replace("\r", "") == "Hello **Ann**,\n\nżółć < 3\n"
    page = part_of(mail, "text/html").get_content().replace("\r", "")
    assert '<html lang="pl">' in page
    assert "<p>Hello <strong>Ann</strong>,</p>\n<p>żółć &lt; 3</p>" in page


def test_a_picture_is_shown_where_the_text_names_it() -> None:
    mail = read(
        compose(outbound(markdown="![Where](b.png)", attachments=(file("b.png", b"PNG", "image/png"),)))
    )
    picture = part_of(mail, "image/png")
    assert f'src="cid:{picture["content-id"].strip("<>")}"' in part_of(mail, "text/html").get_content()
    assert (picture.get_content_disposition(), picture.get_content()) == ("inline", b"PNG")


_NAMES = [
    "invoice.pdf",
    "zażółć gęślą jaźń.pdf",
    "レポート.pdf",
    'with "quotes" and \\.pdf'.replace("\\", ""),
    "semi;colon='x'%41.pdf",
    "=?utf-8?q?x?=.pdf",
    "ż" * 140 + ".pdf",
    "a" * 140 + ".pdf",
]


@every_row("name", _NAMES)
def test_names_of_files_come_back_as_they_were(name: str) -> None:
    content = compose(outbound(attachments=(file(name, b"\0\xff" * 500),)))
    part = part_of(read(content), "application/pdf")
    assert (part.get_filename(), part.get_content()) == (name, b"\0\xff" * 500)
    assert max(map(len, content.split(b"\r\n"))) <= 998
    (own,) = understood(content).attachments
    assert (own.size, own.sha256) == (1_000, sha256(b"\0\xff" * 500).hexdigest())


def test_readers_without_rfc_2231_find_the_name_too() -> None:
    part = part_of(read(compose(outbound(attachments=(file("żółć.pdf"),)))), "application/pdf")
    assert part.get_param("name") == "żółć.pdf" or "=?utf-8?b?" in str(part["content-type"])


@every_row(
    ("name", "safe"),
    [
        ("../../etc/passwd", "_.._etc_passwd"),
        ("a\r\nBcc: x@y.z.pdf", "a_Bcc: x@y.z.pdf"),
        ("photo\u202egpj.exe", "photo_gpj.exe"),
        ("", "file"),
        ("...", "file"),
        ("x" * 300 + ".pdf", "x" * 130 + ".pdf"),
    ],
)
def test_names_of_files_mislead_nobody(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@every_row("content_type", ["message/rfc822", "multipart/mixed", "text/html\r\nX: y", "", "pdf", "a/b; c=d"])
def test_a_type_that_a_file_cannot_have_is_plain_bytes(content_type: str) -> None:
    mail = read(compose(outbound(attachments=(file("x", content_type=content_type),))))
    assert kinds(mail)[1][1] == "application/octet-stream"


def test_the_same_mail_has_the_same_bytes() -> None:
    """A retry sends what the first try sent."""
    mail = outbound(markdown="", attachments=(file("a.pdf"),))
    assert compose(mail) == compose(mail)


def test_a_boundary_in_the_text_ends_no_part() -> None:
    boundary = read(compose(outbound(markdown=""))).get_boundary()
    text = f"before\n--{boundary}--\nafter"
    said = part_of(read(compose(outbound(text=text, markdown=""))), "text/plain").get_content()
    assert said.replace("\r", "").strip() == text


_NASTY = st.text(
    st.characters() | st.sampled_from('\r\n\0\t\x0b\x0c\x1c\x85\u2028\u2029\ufdd0\ud800:<>()[]",;@=?.\\ '),
    max_size=50,
)
_HEADS = ("from", "to", "cc", "reply-to", "subject", "date", "message-id", "in-reply-to", "references")
_WANTED = {*_HEADS, "auto-submitted", "x-auto-response-suppress", "x-ticket", "mime-version", "content-type"}


@pytest.mark.slow
@settings(max_examples=INJECTIONS, deadline=None)
@given(a=_NASTY, b=_NASTY, c=_NASTY)
def test_no_value_begins_a_header_of_its_own(a: str, b: str, c: str) -> None:
    """Names, addresses, subject, ids, headers, file names and types: a mail has its own header fields, or is refused."""
    fields = {
        "to": (contract.Address("ann@x.com", a),),
        "cc": (contract.Address("bob@x.com", b),),
        "from_": contract.Address("support@example.com", c),
        "reply_to": contract.Address("support+1@example.com", a + b),
        "subject": b + c,
        "in_reply_to": (a, "ok@x"),
        "references": (b, "ok@x", c),
        "headers": {"X-Ticket": c + a},
        "automatic": "auto-replied",
        "text": a + "\n\n" + b,
        "markdown": c + a,
        "attachments": (file(a + ".pdf", content_type=b), file(c, content_type="image/png")),
    }
    content = compose(outbound(**fields))
    head, _, body = content.partition(b"\r\n\r\n")
    names = [
        line.partition(b":")[0].decode().lower() for line in head.split(b"\r\n") if line[:1] not in b" \t"
    ]
    assert sorted(names) == sorted(_WANTED)
    assert not set(head.replace(b"\r\n", b"")) & set(b"\r\n\0\x0b\x0c")
    mail = email.message_from_bytes(content, policy=email.policy.compat32)
    parts = [part for part in mail.walk() if not part.is_multipart()]
    assert [part.get_content_maintype() for part in parts][:2] == ["text", "text"]
    assert len(parts) == 4
    allowed = {"content-type", "content-transfer-encoding", "content-disposition", "content-id"}
    assert all({key.lower() for key in list(part)} <= allowed for part in parts)
    assert body.count(b"\r\n") == body.count(b"\n") == body.count(b"\r")


@pytest.mark.slow
@settings(max_examples=INJECTIONS, deadline=None)
@given(address=_NASTY, name=_NASTY)
def test_an_address_is_written_as_it_is_or_refused(address: str, name: str) -> None:
    try:
        content = compose(outbound(to=(contract.Address(f"{address}@x.com", name),)))
    except ValueError:
        return
    head = content.partition(b"\r\n\r\n")[0].decode("utf-8")
    assert f"{address}@x.com" in head
    assert sum(not line.startswith(" ") for line in head.split("\r\n")) == 8
