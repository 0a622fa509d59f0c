"""A mail that passes another one on names that one's author, subject and date, in whatever form it came."""

from channels.contract import Address, Forwarded, Message
from channels.email import forwarded
from tests.email.clients import FORWARDS, HEADS, head
from tests.email.mails import read as parsed
from tests.rows import every_row

SUPPORT = Address("support@example.net", "Support")
INNER = (
    "From: Carl Client <carl@example.org>\r\nSubject: Broken lamp\r\nDate: Mon, 2 Nov 2026 10:00:00 +0100\r\n"
    "Message-ID: <inner@example.org>\r\n\r\nThe lamp is broken.\r\n"
)
CARLS = Forwarded(
    from_=Address("carl@example.org", "Carl Client"),
    subject="Broken lamp",
    sent="Mon, 2 Nov 2026 10:00:00 +0100",
)


def plain(text: str, *, subject: str = "Fwd: Re: lamp") -> Message:
    return parsed(
        f"From: Anna <anna@example.com>\r\nSubject: {subject}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}"
    )


def attached(*parts: str, subject: str = "Fwd: Broken lamp") -> Message:
    body = "".join(f"--B\r\n{part}\r\n" for part in parts)
    return parsed(
        f'From: Anna <anna@example.com>\r\nSubject: {subject}\r\nContent-Type: multipart/mixed; boundary="B"\r\n\r\n{body}--B--\r\n'
    )


MAIL = f"Content-Type: message/rfc822\r\n\r\n{INNER}"
TEXT = "Content-Type: text/plain\r\n\r\nPlease help him."


@every_row("language", HEADS)
def test_the_header_fields_of_any_language_name_author_subject_and_date(language: str) -> None:
    for style in ("plain", "bold", "quoted"):
        fields = head(language, style=style)
        found = plain(f"Please help.\n\n---------- Forwarded message ---------\n{fields}\n\nIt is broken.")
        assert found.forwarded == Forwarded(from_=SUPPORT, subject="Re: lamp", sent=HEADS[language][4])
        assert found.visible_text.endswith("It is broken.")


@every_row("language", FORWARDS)
def test_the_line_above_may_be_of_any_language(language: str) -> None:
    for line in FORWARDS[language]:
        found = plain(f"{line}\n\n{head('en')}\n\nIt is broken.")
        assert found.forwarded is not None
        assert found.forwarded.from_ == SUPPORT


@every_row(
    "prefix",
    ["Fwd:", "FW:", "Fw: ", "WG:", "TR :", "RV:", "ENC:", "PD:", "VS:", "İLT:", "Πρθ:", "转发：", "[Fwd: "],
)
def test_header_fields_below_a_forwarders_words_are_a_forwarded_mail_by_the_subject(prefix: str) -> None:
    found = plain(f"Please help.\n\n{head('en')}\n\nIt is broken.", subject=f"{prefix} lamp")
    assert found.forwarded is not None
    assert found.visible_text.endswith("It is broken.")


@every_row("subject", ["Re: lamp", "AW: WG: lamp", "Re: Fwd: lamp", "lamp", "Fwd"])
def test_an_answer_passes_nothing_on(subject: str) -> None:
    found = plain(f"Thank you.\n\n{head('en')}\n\nolder", subject=subject)
    assert found.forwarded is None
    assert found.visible_text == "Thank you."


def test_a_finnish_answer_has_a_prefix_that_forwards_elsewhere() -> None:
    assert plain(f"Kiitos.\n\n{head('fi')}\n\nolder", subject="VS: lamp").visible_text == "Kiitos."
    assert plain(f"Se her.\n\n{head('da')}\n\nolder", subject="VS: lamp").forwarded is not None


def test_an_attribution_above_a_forwarded_mail_names_its_author() -> None:
    found = plain(
        '-------- Пересылаемое сообщение --------\n02.11.2026, 10:00, "Support" <support@example.net>:\n\nСломана.'
    )
    assert found.forwarded is not None
    assert found.forwarded.from_ == SUPPORT


def test_a_mail_attached_to_words_is_passed_on() -> None:
    found = attached(TEXT, MAIL)
    assert found.forwarded == CARLS
    assert found.visible_text == "Please help him."


def test_a_mail_attached_to_nothing_is_the_text() -> None:
    found = attached(MAIL)
    assert found.forwarded == CARLS
    assert found.visible_text == "The lamp is broken."


def test_of_several_attached_mails_none_is_the_one() -> None:
    assert attached(TEXT, MAIL, MAIL).forwarded is None


@every_row("value", ["nobody", "<>", "a@", "@b", ""])
def test_an_author_without_an_address_is_none(value: str) -> None:
    assert forwarded.in_text(f"From: {value}\nDate: 2 Nov 2026 10:00\nSubject: x\n\ny", 0) is None


def test_a_forwarded_mail_without_header_fields_names_nobody() -> None:
    assert plain("---------- Forwarded message ---------\nJust text.").forwarded is None


def test_a_delivery_report_forwards_nothing_and_is_read_whole() -> None:
    text = f"Your message\n\n{head('en')}\n\ndid not reach the following recipient: carl@example.org"
    found = parsed(
        "From: MAILER-DAEMON@example.net\r\nSubject: Undelivered Mail Returned to Sender\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="B"\r\n\r\n'
        f"--B\r\nContent-Type: text/plain\r\n\r\n{text}\r\n--B\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.example.net\r\n\r\nFinal-Recipient: rfc822; carl@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
        f"--B\r\nContent-Type: message/rfc822\r\n\r\n{INNER}\r\n--B--\r\n"
    )
    assert found.automatic == "bounce"
    assert found.forwarded is None
    assert "did not reach" in found.visible_text
