from datetime import UTC, datetime

import pytest

from channels.contract import Feedback, Message, RawMessage, Trust
from channels.email import message
from tests.email.auto_replies import ANSWERS, SHAPES
from tests.rows import every_row

OPTIONS = message.Options(trusted_authserv_ids=("mx.example.net",))


def parsed(content: str, **envelope: object) -> Message:
    raw = RawMessage(
        kind="email.smtp",
        account="a",
        lane="l",
        body=content.replace("\n", "\r\n").encode(),
        received_at=datetime(2026, 11, 2, tzinfo=UTC),
        envelope=envelope,
    )
    return message.parse(raw, OPTIONS)


@every_row(
    ("field", "kind"),
    [
        ("Auto-Submitted: auto-replied", "auto_reply"),
        ("Auto-Submitted: auto-generated (rejected)", "auto_reply"),
        ("Auto-Submitted: no", None),
        ("X-Autoreply: yes", "auto_reply"),
        ("X-Autorespond: vacation", "auto_reply"),
        ("X-Auto-Response-Suppress: All", "auto_reply"),
        ("X-Auto-Response-Suppress: DR, NDR, RN, NRN, OOF, AutoReply", "auto_reply"),
        ("X-Auto-Response-Suppress: DR", None),
        ("Precedence: auto_reply", "auto_reply"),
        ("Precedence: bulk\nIn-Reply-To: <a@b.example>", "auto_reply"),
        ("Precedence: bulk", "list"),
        ("Precedence: list", "list"),
        ("Precedence: first-class", None),
        ("List-Id: <talk.example.org>", "list"),
        ("List-Unsubscribe: <mailto:x@example.org>", "list"),
        ("List-Id: <talk.example.org>\nAuto-Submitted: auto-replied", "auto_reply"),
        ("Return-Path: <>", "auto_reply"),
        ("X-Mailer: Thunderbird", None),
    ],
)
def test_header_fields_tell_a_machine_from_a_person(field: str, kind: str | None) -> None:
    assert (
        parsed(f"From: a@example.com\n{field}\nSubject: x\n\nI am away.\n", sender="a@example.com").automatic
        == kind
    )


def test_a_null_return_path_is_a_machine() -> None:
    assert (
        parsed("From: a@example.com\n\nI am away until Monday, ask b@example.com.\n", sender="").automatic
        == "auto_reply"
    )


def test_a_subject_alone_makes_nobody_a_machine() -> None:
    assert parsed("From: a@example.com\nSubject: Automatic reply: undelivered\n\nhi\n").automatic is None


REPORT = """\
From: Mail Delivery System <MAILER-DAEMON@mx.example.com>
Content-Type: multipart/report; report-type={kind}; boundary="B"
Subject: Undelivered

--B

See below.
--B
Content-Type: message/{kind}

Reporting-MTA: dns; mx.example.com
Arrival-Date: Mon, 2 Nov 2026 11:00:00 +0100

{blocks}
--B
Content-Type: message/rfc822

Message-ID: <ours.1@example.net>
Subject: Your lamp

text
--B--
"""
FAILED = """\
Original-Recipient: rfc822;Anna@example.com
Final-Recipient: rfc822; anna@internal.example.com
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 <anna@example.com>:
 no such user
"""
DELAYED = "Final-Recipient: rfc822; bob@example.com\nAction: delayed\nStatus: 4.4.1\n"
DELIVERED = "Final-Recipient: rfc822; eve@example.com\nAction: delivered\nStatus: 2.0.0\n"


def test_a_delivery_report_names_who_failed_and_why() -> None:
    found = parsed(
        REPORT.format(kind="delivery-status", blocks=f"{FAILED}\n{DELAYED}\n{DELIVERED}"), sender=""
    )
    assert found.automatic == "bounce"
    assert found.bounce is not None
    first, second = found.bounce.recipients
    assert (first.address, first.status, first.permanent) == ("Anna@example.com", "5.1.1", True)
    assert first.diagnostic == "550 5.1.1 <anna@example.com>: no such user"
    assert first.reason == "mailbox_unknown"
    assert (second.address, second.permanent) == ("bob@example.com", False)
    assert found.bounce.original_message_id == "ours.1@example.net"


def test_a_report_of_success_is_a_receipt() -> None:
    found = parsed(REPORT.format(kind="delivery-status", blocks=DELIVERED), sender="")
    assert (found.automatic, found.bounce) == ("delivery_receipt", None)


def test_a_final_failure_is_permanent_whatever_its_code() -> None:
    """RFC 3464 §2.3.3: "failed" is final even where the last answer was a 4.x.x."""
    blocks = "Final-Recipient: rfc822; bob@example.com\nAction: failed\nStatus: 4.4.7\n"
    found = parsed(REPORT.format(kind="delivery-status", blocks=blocks), sender="")
    assert found.bounce is not None
    assert found.bounce.recipients[0].permanent


@pytest.mark.parametrize(
    ("kind", "automatic"),
    [("feedback-report", "feedback_report"), ("disposition-notification", "delivery_receipt")],
)
def test_other_reports_are_told_apart(kind: str, automatic: str) -> None:
    assert parsed(REPORT.format(kind=kind, blocks="Feedback-Type: abuse\n")).automatic == automatic


PROSE = """\
From: MAILER-DAEMON@mx.example.com
To: support@example.net
Subject: failure notice

Hi. I was not able to deliver your message to these addresses. For help, write to help@mx.example.com.

<anna@example.com>:
550 5.1.1 no such user

--- Below this line is a copy of the message.

Return-Path: <support@example.net>
Message-ID: <ours.2@example.net>
To: other@example.com
"""


def test_a_report_in_prose_names_the_addresses_on_lines_of_their_own() -> None:
    found = parsed(PROSE)
    assert found.automatic == "bounce"
    assert found.bounce is not None
    assert [(one.address, one.status, one.permanent) for one in found.bounce.recipients] == [
        ("anna@example.com", "5.1.1", True)
    ]
    assert found.bounce.original_message_id == "ours.2@example.net"


def test_a_field_may_name_the_failed_addresses() -> None:
    """Exim writes X-Failed-Recipients, whoever the report seems to be from."""
    found = parsed(
        "From: robot@example.com\nX-Failed-Recipients: anna@example.com\n\nIt did not work.\n"
    ).bounce
    assert found is not None
    assert [one.address for one in found.recipients] == ["anna@example.com"]


def test_a_warning_in_prose_is_not_permanent() -> None:
    found = parsed(PROSE.replace("no such user", "not yet been delivered, will keep trying"))
    assert found.bounce is not None
    assert not found.bounce.recipients[0].permanent


def test_a_postmaster_who_writes_himself_is_a_person() -> None:
    found = parsed(
        "From: postmaster@example.com\n\nCan you please help us with our relay?\n",
        sender="postmaster@example.com",
    )
    assert found.automatic is None


# -- shapes of auto-replies, and persons who look like one -------------------------------------------------------


@every_row(("fields", "subject", "text"), [pytest.param(*each[1:], id=each[0]) for each in SHAPES])
def test_an_answer_of_a_mailbox_is_an_auto_reply(fields: str, subject: str, text: str) -> None:
    assert (
        parsed(f"From: anna@far.example\n{fields}\nSubject: {subject}\n\n{text}\n").automatic == "auto_reply"
    )


@every_row(
    ("fields", "subject", "text"),
    [
        (ANSWERS, "Re: Automatic reply: Your lamp", "Thank you, I will write again on Monday."),
        (ANSWERS, "AW: Abwesenheitsnotiz: Ihre Lampe", "Danke!"),
        ("X-Mailer: x", "Out of office", "How do I switch this on in your product?"),
        ("X-Mailer: x", "Automatic reply does not work", "It says nothing when I am out of the office."),
        (
            "X-Mailer: x",
            "I am on vacation",
            "I am out of office next week, please send the lamp to my neighbour.",
        ),
        (ANSWERS, "Re: Your lamp", "I am out of office until Monday; please deliver then."),
        ("Precedence: normal", "Your lamp", "It is broken."),
        ("Precedence: first-class", "Your lamp", "It is broken."),
        ("Precedence: special-delivery", "Your lamp", "It is broken."),
        ("Auto-Submitted: no", "Your lamp", "It is broken."),
        ("X-Auto-Response-Suppress: DR, RN", "Your lamp", "It is broken."),
        (f"List-Unsubscribe: <https://crm.example/u>\n{ANSWERS}", "Re: Your lamp", "It is broken."),
        (f"Feedback-ID: 1:2:crm\n{ANSWERS}", "Re: Your lamp", "It is broken."),
        (
            "Disposition-Notification-To: jan@far.example",
            "Your lamp",
            "Please confirm that you have read this.",
        ),
        ("X-MS-Exchange-Generated-Message-Source: Antispam", "Your lamp", "It is broken."),
        (ANSWERS, "Read: the manual", "I did, and it is still broken."),
        ("X-Loop: jan@far.example", "Your lamp", "It is broken."),
    ],
)
def test_a_person_who_looks_like_a_machine_is_a_person(fields: str, subject: str, text: str) -> None:
    assert (
        parsed(
            f"From: jan@far.example\n{fields}\nSubject: {subject}\n\n{text}\n", sender="jan@far.example"
        ).automatic
        is None
    )


@every_row(
    "text",
    [
        "Thank you for your message. This mailbox is not in use any more. Please use bob@far.example instead.",
        "Your message was received. I left the company, my account is disabled. My successor is bob@far.example",
        "Ihre Nachricht wird nicht zugestellt, ich bin nicht mehr hier. Vertretung: bob@far.example",
        "I am away. Your mail is not delivered to anybody else:\n\nbob@far.example\n",
    ],
)
def test_an_absence_note_that_names_somebody_else_is_no_bounce(text: str) -> None:
    """It has the null path, as RFC 3834 wants it, and speaks of mailboxes that are no more."""
    found = parsed(
        f"From: Anna <anna@far.example>\nAuto-Submitted: auto-replied\nSubject: Re: Your lamp\n\n{text}\n",
        sender="",
    )
    assert (found.automatic, found.bounce) == ("auto_reply", None)


# -- lists ------------------------------------------------------------------------------------------------------

GROUP = "List-Id: <support.example.net>\nList-Post: <mailto:support@example.net>\nPrecedence: list\nX-Google-Group-Id: 1"


@every_row(
    ("fields", "recipients", "kind"),
    [
        (GROUP, ["intake@example.net"], None),
        (GROUP, ["intake@other.example"], "list"),
        (GROUP, [], "list"),
        (f"{GROUP}\nDelivered-To: intake@example.net", [], None),
        (f"{GROUP}\nFeedback-ID: news", ["intake@example.net"], "list"),
        (f"{GROUP}\nAuto-Submitted: auto-replied", ["intake@example.net"], "auto_reply"),
        ("List-Id: <news.example.net>\nPrecedence: bulk", ["intake@example.net"], "list"),
        ("List-Id: <talk.lists.example.org>", ["intake@example.net"], "list"),
    ],
)
def test_what_comes_through_a_list_of_our_own_is_a_persons_mail(
    fields: str, recipients: list[str], kind: str | None
) -> None:
    """support@ may be a group that sends its mail on to us."""
    found = parsed(
        f"From: jan@far.example\n{fields}\nSubject: Lamp\n\nIt is broken.\n", recipients=recipients
    )
    assert found.automatic == kind


# -- receipts and complaints ------------------------------------------------------------------------------------


def receipt(disposition: str, *, text: str = "See below.", fields: str = "") -> Message:
    blocks = f"Original-Message-ID: <ours.1@example.net>\nDisposition: manual-action/MDN-sent-manually; {disposition}\n"
    content = REPORT.format(kind="disposition-notification", blocks=blocks).replace(
        "Reporting-MTA: dns; mx.example.com", "Final-Recipient: rfc822; anna@example.com"
    )
    content = content.replace("MAILER-DAEMON@mx.example.com", "anna@example.com").replace(
        "Subject: Undelivered", f"Subject: Read: Your lamp{fields}"
    )
    return parsed(content.replace("See below.", text))


@every_row(
    ("disposition", "state"),
    [
        ("displayed", "read"),
        ("DISPLAYED/error", "read"),
        ("dispatched", "delivered"),
        ("processed", "delivered"),
        ("deleted", "delivered"),
    ],
)
def test_a_read_receipt_says_how_far_the_mail_got(disposition: str, state: str) -> None:
    found = receipt(disposition)
    assert (found.automatic, found.feedback) == (
        "delivery_receipt",
        Feedback(state, ("anna@example.com",), "ours.1@example.net"),
    )


@every_row(
    ("disposition", "text", "fields"),
    [
        ("deleted", "Your message was automatically rejected: Quota exceeded", ""),
        ("deleted", "See below.", "\nAuto-Submitted: auto-replied (rejected)"),
        ("failed", "See below.", ""),
        ("denied", "See below.", ""),
    ],
)
def test_a_receipt_that_rejects_is_a_bounce(disposition: str, text: str, fields: str) -> None:
    """RFC 5429 §2.2.1: Sieve's reject; the report names the address that refused."""
    found = receipt(disposition, text=text, fields=fields)
    assert found.automatic == "bounce"
    assert found.bounce is not None
    assert [each.address for each in found.bounce.recipients] == ["anna@example.com"]


@every_row(
    ("subject", "text"),
    [
        ("Read: Your lamp", "Your message\n\n  To: anna@far.example\n\nwas read on Monday."),
        ("Gelesen: Ihre Lampe", "Ihre Nachricht wurde am Montag gelesen."),
        ("Lu : Votre lampe", "Votre message a été lu le lundi."),
        ("Leído: Su lámpara", "Su mensaje fue leído el lunes."),
        ("Przeczytano: Lampa", "Twoja wiadomość została przeczytana w poniedziałek."),
        ("Прочитано: Лампа", "Ваше сообщение было прочитано в понедельник."),
    ],
)
def test_outlooks_read_notice_without_a_report_is_a_receipt(subject: str, text: str) -> None:
    found = parsed(f"From: anna@far.example\n{ANSWERS}\nSubject: {subject}\n\n{text}\n")
    assert (found.automatic, found.feedback) == (
        "delivery_receipt",
        Feedback("read", (), "ours.1@desk.example"),
    )


@pytest.mark.parametrize(
    ("action", "state"), [("delivered", "delivered"), ("relayed", "sent"), ("expanded", "delivered")]
)
def test_a_report_of_success_says_whether_somebody_has_the_mail(action: str, state: str) -> None:
    found = parsed(
        REPORT.format(kind="delivery-status", blocks=DELIVERED.replace("delivered", action)), sender=""
    )
    assert found.feedback == Feedback(state, ("eve@example.com",), "ours.1@example.net")


@every_row(
    ("blocks", "feedback"),
    [
        (
            "Feedback-Type: abuse\nOriginal-Rcpt-To: <anna@far.example>\n",
            Feedback("complained", ("anna@far.example",), "ours.1@example.net"),
        ),
        (
            "Feedback-Type: fraud\nOriginal-Rcpt-To: rfc822; anna@far.example\n",
            Feedback("complained", ("anna@far.example",), "ours.1@example.net"),
        ),
        ("Feedback-Type: not-spam\n", Feedback("not_spam", (), "ours.1@example.net")),
        ("Feedback-Type: abuse\n", Feedback("complained", (), "ours.1@example.net")),
    ],
)
def test_a_complaint_says_who_and_about_what(blocks: str, feedback: Feedback) -> None:
    """RFC 5965 §3."""
    assert parsed(REPORT.format(kind="feedback-report", blocks=blocks)).feedback == feedback


RESULTS = "mx.example.net; spf=pass smtp.mailfrom=example.com; dkim={dkim} header.d={domain}; dmarc={dmarc} header.from=example.com"


def trust(*fields: str, sender: str = "anna@example.com") -> Trust:
    lines = "".join(f"Authentication-Results: {field}\n" for field in fields)
    return parsed(f"{lines}From: {sender}\n\nhello\n").trust


def test_a_dmarc_pass_of_our_server_verifies_the_sender() -> None:
    assert trust(RESULTS.format(dkim="pass", domain="example.com", dmarc="pass")) == Trust(
        "pass", "pass", "pass", True
    )


@every_row(
    ("field", "is_verified"),
    [
        (RESULTS.format(dkim="pass", domain="example.com", dmarc="none"), True),
        (RESULTS.format(dkim="pass", domain="evil.example", dmarc="none"), False),
        (RESULTS.format(dkim="pass", domain="com", dmarc="none"), False),
        (RESULTS.format(dkim="pass", domain="example.com", dmarc="fail"), False),
        (RESULTS.format(dkim="fail", domain="example.com", dmarc="fail"), False),
        ("mx.example.net; dmarc=pass header.from=other.example", False),
        ("mx.example.net 1; dmarc=pass (p=none) header.from=example.com", True),
        ("mx.example.net; none", False),
    ],
)
def test_only_what_is_aligned_with_from_verifies_it(field: str, is_verified: bool) -> None:  # noqa: FBT001
    assert trust(field).verified_sender is is_verified


def test_results_of_a_server_nobody_named_say_nothing() -> None:
    assert trust("mx.evil.example; dmarc=pass header.from=example.com") == Trust()


def test_a_forged_field_below_ours_says_nothing() -> None:
    ours = RESULTS.format(dkim="fail", domain="example.com", dmarc="fail")
    forged = RESULTS.format(dkim="pass", domain="example.com", dmarc="pass")
    assert trust(ours, forged).dmarc == "fail"


def test_a_comment_cannot_smuggle_a_result_in() -> None:
    assert trust("mx.example.net; dmarc=fail (; dmarc=pass) header.from=example.com").dmarc == "fail"


def test_nobody_is_verified_by_an_ambiguous_from() -> None:
    field = RESULTS.format(dkim="pass", domain="example.com", dmarc="pass")
    assert not trust(field, sender="a@example.com, b@evil.example").verified_sender
