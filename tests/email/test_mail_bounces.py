import time
from datetime import UTC, datetime

import pytest

from channels.contract import Bounce, RawMessage
from channels.email import message
from tests.email import reports
from tests.email.mails import read as parsed
from tests.email.more_reports import MORE
from tests.email.reports import OURS, REPORTS, RETURNED, A, B
from tests.rows import every_row


def bounce(content: bytes, **envelope: object) -> Bounce:
    found = parsed(content, **envelope)
    assert found.automatic == "bounce"
    assert found.bounce is not None
    return found.bounce


def failed(found: Bounce) -> tuple[set[str], set[str]]:
    """Addresses that failed for good, and those still tried."""
    permanent = {each.address for each in found.recipients if each.permanent}
    return permanent, {each.address for each in found.recipients} - permanent


@every_row(
    ("sender", "subject", "body", "permanent", "temporary"),
    [pytest.param(*report[1:], id=report[0]) for report in REPORTS + MORE],
)
def test_a_report_for_people_tells_who_failed(
    sender: str, subject: str, body: str, permanent: set[str], temporary: set[str]
) -> None:
    assert failed(bounce(reports.mail(sender, subject, body))) == (permanent, temporary)


@every_row(
    "body",
    [report[3] for report in REPORTS if RETURNED in report[3]],
    ids=[report[0] for report in REPORTS if RETURNED in report[3]],
)
def test_a_quoted_mail_tells_which_one_it_was(body: str) -> None:
    found = bounce(reports.mail(reports.DAEMON, "Undelivered", body))
    assert found.original_message_id == "k7m.1.sig@desk.example"


# -- reports for machines ---------------------------------------------------------------------------------------


def dsn(
    *blocks: str,
    kind: str = "message/delivery-status",
    text: str = "See below.",
    outer: str = "",
    returned: str = "",
) -> bytes:
    """A multipart/report. outer: its Content-Type; returned: a further part with its fields."""
    outer = outer or 'multipart/report; report-type=delivery-status; boundary="B"'
    part = f"--B\n{returned}\n" if returned else ""
    content = (
        f"From: {reports.DAEMON}\nTo: {OURS}\nSubject: Undelivered\nContent-Type: {outer}\n\n--B\n\n{text}\n--B\nContent-Type: {kind}\n\n"
        "Reporting-MTA: dns; mx.far.example\n\n" + "\n\n".join(blocks) + f"\n\n{part}--B--\n"
    )
    return content.replace("\n", "\r\n").encode()


FAILED = "Final-Recipient: rfc822; {}\nAction: failed\nStatus: 5.1.1"


@every_row(
    ("block", "address"),
    [
        (f"Final-Recipient: rfc822;{A}\nAction: failed", A),
        (f"FINAL-RECIPIENT: RFC822; <{A}>\nACTION: FAILED", A),
        (f"final-recipient: {A}\naction: failed (bad destination)", A),
        (f"Original-Recipient: rfc822;{A}\nFinal-Recipient: rfc822; x@inner.example\nAction: failed", A),
        (f"Original-Recipient: rfc822;\nFinal-Recipient: rfc822; {A}\nAction: failed", A),
        (
            f"Original-Recipient: rfc822;anna\nFinal-Recipient: LOCAL; anna\nX-Actual-Recipient: rfc822; {A}\nAction: failed",
            A,
        ),
        (f"Final-Recipient: rfc822; Anna <{A}>\nAction: fail", A),
        ("Final-Recipient: rfc822; anna+2Btag+40far.example\nAction: failed", "anna+tag@far.example"),
        ("Final-Recipient: rfc822; anna+tag@far.example\nAction: failed", "anna+tag@far.example"),
        ("Final-Recipient: utf-8; \\x{7EA6}\\x{7FF0}@far.example\nAction: failed", "约翰@far.example"),
        ('Final-Recipient: rfc822; "anna maria"@far.example\nAction: failed', '"anna maria"@far.example'),
        ("Final-Recipient: rfc822; a..b.@far.example\nAction: failed", "a..b.@far.example"),
        ("Final-Recipient: rfc822; anna@[192.0.2.1]\nAction: failed", "anna@[192.0.2.1]"),
    ],
)
def test_the_address_of_a_block_is_read_in_every_form(block: str, address: str) -> None:
    """RFC 3464 §2.3, RFC 3461 §4, RFC 6533 §3."""
    assert failed(bounce(dsn(block))) == ({address}, set())


@every_row(
    ("fields", "expected"),
    [
        ("Action: failed\nStatus: 4.4.7", ({A}, set())),
        ("Action: delayed\nStatus: 4.4.1", (set(), {A})),
        ("Action: delayed\nStatus: 5.0.0", (set(), {A})),
        ("Status: 5.1.1", ({A}, set())),
        ("Status: 4.2.2 (mailbox full)", (set(), {A})),
        ("Diagnostic-Code: smtp; 550 no such user", ({A}, set())),
        ("Diagnostic-Code: smtp; 421 try again later", (set(), {A})),
        ("Remote-MTA: dns; mx.far.example", ({A}, set())),
    ],
)
def test_what_a_block_says_of_its_delivery_decides_how_final_it_is(
    fields: str, expected: tuple[set[str], set[str]]
) -> None:
    assert failed(bounce(dsn(f"Final-Recipient: rfc822; {A}\n{fields}"))) == expected


def test_who_was_reached_is_not_listed_among_who_failed() -> None:
    blocks = [
        f"Final-Recipient: rfc822; {name}@far.example\nAction: {name}"
        for name in ("delivered", "relayed", "expanded", "failed")
    ]
    assert failed(bounce(dsn(*blocks))) == ({"failed@far.example"}, set())


def test_two_recipients_without_an_empty_line_between_them_are_two() -> None:
    assert failed(bounce(dsn(f"{FAILED.format(A)}\n{FAILED.format(B)}"))) == ({A, B}, set())


@every_row(
    "kind",
    [
        "message/global-delivery-status",
        "text/plain",
        "application/octet-stream",
        "message/delivery-status; charset=utf-8",
    ],
)
def test_a_mislabelled_report_is_still_read(kind: str) -> None:
    assert failed(bounce(dsn(FAILED.format(A), kind=kind))) == ({A}, set())


def test_a_report_that_a_gateway_has_wrapped_is_read() -> None:
    inner = dsn(FAILED.format(A)).decode().replace("\r\n", "\n").replace("--B", "--I").replace('"B"', '"I"')
    content = f'From: postmaster@far.example\nTo: {OURS}\nSubject: Delivery Status Notification (Failure)\nContent-Type: multipart/mixed; report-type=delivery-status; boundary="B"\n\n--B\nContent-Type: message/rfc822\n\n{inner}\n--B--\n'
    assert failed(bounce(content.encode())) == ({A}, set())


def test_a_report_with_a_lists_footer_below_it_is_read() -> None:
    inner = dsn(FAILED.format(A)).decode().replace("\r\n", "\n").partition("Content-Type: ")[2]
    content = (
        f"From: postmaster@far.example\nTo: {OURS}\nSubject: x\nList-Id: <talk.example.org>\n"
        f'Content-Type: multipart/mixed; boundary="L"\n\n--L\nContent-Type: {inner}\n--L\n\nfooter\n--L--\n'
    )
    assert failed(bounce(content.encode())) == ({A}, set())


def test_a_status_part_beside_a_text_of_a_postmaster_is_a_report() -> None:
    """Old gateways send multipart/mixed."""
    content = dsn(FAILED.format(A), outer='multipart/mixed; boundary="B"')
    content = content.replace(reports.DAEMON.encode(), b"postmaster@far.example")
    assert failed(bounce(content, sender="postmaster@far.example")) == ({A}, set())


def test_a_block_without_an_address_leaves_the_text_to_tell() -> None:
    text = f"Your message could not be delivered to these recipients:\n\n  {A}\n"
    assert failed(bounce(dsn("Final-Recipient: LOCAL; anna\nAction: failed\nStatus: 5.1.1", text=text))) == (
        {A},
        set(),
    )


@every_row(
    ("returned", "expected"),
    [
        (
            "Content-Type: message/rfc822\n\nMessage-ID: <ours.1@desk.example>\nTo: x@y.example\n\ntext",
            "ours.1@desk.example",
        ),
        (
            "Content-Type: text/rfc822-headers\n\nTo: x@y.example\nMESSAGE-ID:\n <ours.1@desk.example>\n",
            "ours.1@desk.example",
        ),
        (
            "Content-Type: message/global-headers\n\nMessage-ID: <ours.1@desk.example>\nTo: x@y.example\n",
            "ours.1@desk.example",
        ),
        ("Content-Type: text/plain\n\nOriginal-Message-ID: <ours.1@desk.example>\n", "ours.1@desk.example"),
        ("Content-Type: text/plain\n\nnothing\n", None),
    ],
)
def test_the_mail_that_came_back_is_named_by_its_own_header(returned: str, expected: str | None) -> None:
    assert bounce(dsn(FAILED.format(A), returned=returned)).original_message_id == expected


def test_what_the_report_answers_is_the_mail_that_came_back() -> None:
    """Gmail and Exchange bring no header back, but answer the mail."""
    content = reports.mail(
        reports.DAEMON, "Undelivered", f"Not delivered to:\n{A}\n", "In-Reply-To: <ours.1@desk.example>"
    )
    assert bounce(content).original_message_id == "ours.1@desk.example"


# -- why --------------------------------------------------------------------------------------------------------


@every_row(
    ("status", "diagnostic", "reason"),
    [
        ("5.1.1", "", "mailbox_unknown"),
        ("5.1.2", "", "domain_unknown"),
        ("5.2.2", "", "mailbox_full"),
        ("5.3.4", "", "too_large"),
        ("4.4.7", "", "timeout"),
        ("5.4.6", "", "loop"),
        ("5.7.26", "", "authentication"),
        ("5.0.0", "550 User unknown", "mailbox_unknown"),
        ("5.1.1", "550 5.1.1 mailbox is full", "mailbox_full"),
        ("5.0.0", "552 quota exceeded", "mailbox_full"),
        ("5.7.1", "550 5.7.1 message looks like spam", "spam"),
        ("5.7.1", "550 5.7.1 Relaying denied", "relay_denied"),
        ("5.7.1", "554 5.7.1 Service unavailable; client host [192.0.2.7] blocked using an RBL", "blocked"),
        ("5.7.1", "550 5.7.1 SPF check failed", "authentication"),
        ("5.0.0", "554 virus found", "virus"),
        ("4.0.0", "450 greylisted", "rate_limited"),
        ("4.4.1", "connect to mx: Connection timed out", "no_answer"),
        ("5.0.0", "550 Benutzer unbekannt", "mailbox_unknown"),
        ("5.0.0", "550 account disabled", "mailbox_disabled"),
        ("5.0.0", "554 xyzzy", "other"),
    ],
)
def test_the_reason_is_a_stable_word(status: str, diagnostic: str, reason: str) -> None:
    block = (
        f"Final-Recipient: rfc822; {A}\nAction: failed\nStatus: {status}\nDiagnostic-Code: smtp; {diagnostic}"
    )
    (only,) = bounce(dsn(block, text="Sorry.")).recipients
    assert only.reason == reason


def test_a_vague_status_is_made_precise_by_what_the_server_said() -> None:
    block = f"Final-Recipient: rfc822; {A}\nAction: failed\nStatus: 5.0.0\nDiagnostic-Code: smtp; 550-5.7.1 unsolicited"
    assert bounce(dsn(block)).recipients[0].status == "5.7.1"


# -- no bounce --------------------------------------------------------------------------------------------------

QUOTED = f"<{A}>: host mx.far.example said: 550 5.1.1 User unknown"
JAN = "Jan Kowalski <jan@customer.example>"


@every_row(
    ("sender", "subject", "body", "more"),
    [
        (
            JAN,
            "Undelivered Mail Returned to Sender",
            f"Hello,\n\nwhen I write to you I get this:\n\n{QUOTED}\n\nJan",
            (),
        ),
        (
            JAN,
            "Fwd: Undelivered Mail Returned to Sender",
            f"---------- Forwarded message ---------\nFrom: MAILER-DAEMON\n\n{QUOTED}\n",
            (),
        ),
        (JAN, "Re: Undelivered Mail Returned to Sender", f"Please look at this\n> {QUOTED}\n", ()),
        (
            JAN,
            "WG: Unzustellbar: Ihre Nachricht",
            f"Ihre Nachricht konnte nicht zugestellt werden:\n{A}\n",
            (),
        ),
        (JAN, "Delivery problem", f"My messages to {A} are not delivered. Why?", ()),
        (JAN, "Delivery failed", "My parcel could not be delivered. Mail me at jan@customer.example.", ()),
        (JAN, "Parcel not delivered", "Where is it? The courier says: recipient not found.", ()),
        (
            JAN,
            "Mail delivery failed: returning message to sender",
            f"My mail came back, see\n\n{QUOTED}\n",
            ("User-Agent: Mozilla Thunderbird",),
        ),
        (JAN, "Delivery failure", f"I cannot mail {A}:\n\n{A}\n", ("X-Mailer: Microsoft Outlook 16.0",)),
        (JAN, "mailbox full", "Your mailbox is full, I got a 552. Please call me.", ()),
        (
            "Postmaster <postmaster@customer.example>",
            "Our relay",
            "Can you please stop mailing bob@customer.example? He has left.",
            (),
        ),
        (
            "admin@customer.example",
            "Question",
            "Our users do not get your mail since Monday. Can you help?",
            (),
        ),
    ],
)
def test_a_person_who_speaks_of_a_failure_is_a_person(
    sender: str, subject: str, body: str, more: tuple[str, ...]
) -> None:
    found = parsed(reports.mail(sender, subject, body, *more), sender="jan@customer.example")
    assert (found.automatic, found.bounce) == (None, None)
    assert parsed(reports.mail(sender, subject, body, *more)).automatic is None


def test_a_report_sent_on_as_a_file_is_a_persons_mail() -> None:
    content = f'From: {JAN}\nSubject: What is this?\nContent-Type: multipart/mixed; boundary="O"\n\n--O\n\nPlease look.\n--O\nContent-Type: message/rfc822\n\n'
    found = parsed(content.encode() + dsn(FAILED.format(A)) + b"\n--O--\n")
    assert found.automatic is None


def test_a_status_part_sent_on_as_a_file_is_a_persons_mail() -> None:
    content = dsn(FAILED.format(A), outer='multipart/mixed; boundary="B"').replace(
        reports.DAEMON.encode(), JAN.encode()
    )
    assert parsed(content, sender="jan@customer.example").automatic is None


def test_a_report_pasted_as_the_whole_text_is_a_persons_mail() -> None:
    content = f"From: {JAN}\nSubject: What is this?\nX-Mailer: x\n\nReporting-MTA: dns; mx.far.example\n\n{FAILED.format(A)}\n"
    assert parsed(content.encode(), sender="jan@customer.example").automatic is None


# -- hostile reports --------------------------------------------------------------------------------------------


@pytest.mark.slow
@every_row(
    "text",
    [
        "X-a: b\n" * 40_000,
        "-----\n" * 40_000,
        "anna@far.example " * 20_000,
        "anna@far.example\n" * 20_000,
        "Original message\n" * 20_000,
        "message failed " * 20_000,
        "recipient: " * 20_000,
        '"a' * 100_000,
        "<a@" * 60_000,
        "a@" + "a." * 100_000,
        "From: a\n" * 30_000,
        "Final-Recipient: rfc822; anna@far.example\n" * 10_000,
        " " * 200_000,
    ],
    ids=range(13),
)
@every_row("is_report", [False, True])
def test_a_hostile_report_costs_little(text: str, is_report: bool) -> None:  # noqa: FBT001
    """Each search is bounded: a quarter of a megabyte takes some 50 ms, on a machine that does nothing else."""
    content = dsn(text) if is_report else reports.mail(reports.DAEMON, "Undelivered", text)
    raw = RawMessage(
        kind="email.smtp", account="a", lane="l", body=content, received_at=datetime(2026, 11, 2, tzinfo=UTC)
    )
    begin = time.process_time()
    message.parse_costly(raw, message.Options())
    assert time.process_time() - begin < 1.0
