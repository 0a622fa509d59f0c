"""What SES tells: mail with what it found out about the sender, mail it kept, and what became of mail of ours."""

import base64
import json
import logging
from datetime import UTC, datetime
from typing import Any

import pytest

from channels import contract
from channels.email import ses, webhook
from tests.rows import every_row
from tests.webhook import amazon_play, posting
from tests.webhook.amazon_play import TOPIC
from tests.webhook.conftest import Start

ODD = b"From: a@b.c\r\nMessage-ID: <odd@b.c>\r\n\r\n\x80\xff\x00 caf\xe9\r\n"


async def taken(start: Start, played: amazon_play.Server, keys: amazon_play.Keys, message: Any) -> Any:
    """The one raw message that a notification became."""
    desk = await start(played=played, topics=(TOPIC,))
    assert await desk.post_sns(keys.notification(message)) == 200
    [raw] = desk.gate.stored
    return raw


@pytest.mark.parametrize("encoding", ["BASE64", "Base64", "base64"])
async def test_base64_keeps_every_byte(
    start: Start, played: amazon_play.Server, keys: amazon_play.Keys, encoding: str
) -> None:
    message = posting.received(base64.b64encode(ODD).decode(), encoding=encoding)
    message["receipt"]["action"]["encoding"] = encoding
    assert (await taken(start, played, keys, message)).body == ODD


@pytest.mark.parametrize("encoding", ["UTF-8", ""])
async def test_utf8_is_taken_as_it_is(
    start: Start, played: amazon_play.Server, keys: amazon_play.Keys, encoding: str
) -> None:
    text = "From: a@b.c\r\nSubject: Zażółć\r\n\r\n日本\r\n"
    raw = await taken(start, played, keys, posting.received(text) | {"x-new-field": [1]})
    assert raw.body == text.encode()


async def test_the_envelope_says_who_to_whom_and_what_the_checks_said(
    start: Start, played: amazon_play.Server, keys: amazon_play.Keys
) -> None:
    message = posting.received(
        posting.MAIL.decode(), dmarcVerdict={"status": "FAIL"}, dkimVerdict={"status": "GRAY"},
        spfVerdict={"status": "PROCESSING_FAILED"}, virusVerdict={"status": "DISABLED"}, recipients=["a@example.com", "b@example.com"],
    )  # fmt: skip
    raw = await taken(start, played, keys, message)
    assert raw.envelope == {
        "sender": "ann@example.net",
        "recipients": ["a@example.com", "b@example.com"],
        "peer": "ses",
        "authentication": {"spf": "temperror", "dkim": "none", "dmarc": "fail"},
        "ses": {"message_id": "ses-1", "spam": "pass", "virus": "disabled"},
    }
    assert raw.lane == "ann@example.net"
    assert webhook.parse(raw, webhook.Options()).visible_text == "Hello"


async def test_an_unknown_verdict_is_no_result(
    start: Start, played: amazon_play.Server, keys: amazon_play.Keys
) -> None:
    message = posting.received("From: a@b.c\r\n\r\nx", dmarcVerdict={"status": "DISABLED"}, spfVerdict={})
    raw = await taken(start, played, keys, message)
    assert raw.envelope["authentication"] == {"dkim": "pass"}


async def test_a_mail_that_sns_delivers_again_is_the_same(
    start: Start, played: amazon_play.Server, keys: amazon_play.Keys
) -> None:
    """SNS repeats a notification, and publishes again what SES repeats, with another id of its own."""
    desk = await start(played=played, topics=(TOPIC,))
    for number in ("1", "1", "2"):
        assert (
            await desk.post_sns(keys.notification(posting.received(ODD.decode("latin-1")), MessageId=number))
            == 200
        )
    assert len(desk.gate.stored) == 1


async def test_a_mail_is_known_by_the_id_of_ses_and_its_content_is_not_all(
    start: Start, played: amazon_play.Server, keys: amazon_play.Keys
) -> None:
    """Without Message-ID and Date the same words twice are two mails, unless SES says that it is one."""
    desk = await start(played=played, topics=(TOPIC,))
    for number, ses_id in enumerate(("a", "b", "a")):
        message = posting.received("From: a@b.c\r\n\r\nplease call")
        message["mail"]["messageId"] = ses_id
        assert await desk.post_sns(keys.notification(message, MessageId=str(number))) == 200
    assert [raw.keys for raw in desk.gate.stored] == [("ses:a",), ("ses:b",)]
    assert await desk.post_sns(keys.notification(posting.received(posting.MAIL.decode()))) == 200
    assert desk.gate.stored[-1].keys[1:] == ("ses:ses-1",)


async def test_a_mail_that_stays_in_s3_is_put_off_and_told_to_the_operator(
    start: Start, played: amazon_play.Server, keys: amazon_play.Keys, caplog: pytest.LogCaptureFixture
) -> None:
    """Not lost in silence: SNS tries again and then keeps it in its dead letters, and the log says what to change."""
    desk = await start(played=played, topics=(TOPIC,))
    action = {"type": "S3", "bucketName": "inbox", "objectKey": "abc"}
    assert await desk.post_sns(keys.notification(posting.received(action=action))) == 503
    assert "a mail stays in s3://inbox/abc" in caplog.text
    assert "give the receipt rule an SNS action" in caplog.text


@pytest.mark.parametrize("action", ["Bounce", "Stop", "Lambda", "WorkMail"])
async def test_a_mail_that_ses_gave_elsewhere_is_noted(
    start: Start,
    played: amazon_play.Server,
    keys: amazon_play.Keys,
    caplog: pytest.LogCaptureFixture,
    action: str,
) -> None:
    desk = await start(played=played, topics=(TOPIC,))
    assert await desk.post_sns(keys.notification(posting.received(action={"type": action}))) == 200
    assert f"ses_notification_left account=support kind={action}" in caplog.text
    assert desk.gate.submitted == 0


@pytest.mark.parametrize("message", ["hello", "[]", '{"content": 5}', '{"receipt": []}'])
async def test_what_a_topic_publishes_that_is_not_of_ses_is_put_off(
    start: Start,
    played: amazon_play.Server,
    keys: amazon_play.Keys,
    caplog: pytest.LogCaptureFixture,
    message: str,
) -> None:
    desk = await start(played=played, topics=(TOPIC,))
    assert await desk.post_sns(keys.notification(message)) == 503
    assert f"{TOPIC} publishes something that SES does not write" in caplog.text


@pytest.mark.parametrize(
    "message",
    [
        {"notificationType": "AmazonSnsSubscriptionSucceeded", "message": "…"},
        {"eventType": "Open", "mail": {}},
        {},
    ],
)
async def test_other_news_of_ses_is_noted(
    start: Start,
    played: amazon_play.Server,
    keys: amazon_play.Keys,
    message: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    desk = await start(played=played, topics=(TOPIC,))
    assert await desk.post_sns(keys.notification(message)) == 200
    assert "ses_notification_left" in caplog.text


def report(kind: str, key: str = "notificationType", **said: Any) -> dict[str, Any]:
    return {
        key: kind,
        "mail": {
            "source": "bounce+abc@example.com", "messageId": "0100-ses", "destination": ["x@example.net"],
            "headers": [{"name": "Subject", "value": "s"}, {"name": "Message-ID", "value": "<ours@example.com>"}],
        },
    } | said  # fmt: skip


BOUNCE = report(
    "Bounce",
    bounce={
        "bounceType": "Permanent", "bounceSubType": "General",
        "bouncedRecipients": [
            {"emailAddress": "x@example.net", "status": "5.1.1", "action": "failed", "diagnosticCode": "smtp; 550 5.1.1 no such user"},
            {"emailAddress": "y@example.net"},
        ],
    },
)  # fmt: skip


async def test_a_bounce_is_kept_as_a_report_that_goes_where_a_bounce_by_mail_would_go(
    start: Start, played: amazon_play.Server, keys: amazon_play.Keys
) -> None:
    raw = await taken(start, played, keys, BOUNCE)
    assert raw.envelope == {
        "sender": "",
        "recipients": ["bounce+abc@example.com"],
        "peer": "ses",
        "form": "ses",
    }
    assert raw.keys == ("sns:22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",)
    message = webhook.parse(raw, webhook.Options())
    assert message.automatic == "bounce"
    assert message.bounce is not None
    assert message.bounce.original_message_id == "ours@example.com"
    assert [(each.address, each.status, each.permanent) for each in message.bounce.recipients] == [
        ("x@example.net", "5.1.1", True),
        ("y@example.net", "5.0.0", True),
    ]
    assert "550 5.1.1 no such user" in message.bounce.recipients[0].diagnostic
    assert "x@example.net: smtp; 550 5.1.1 no such user" in message.text


def parsed(message: dict[str, Any]) -> contract.Message:
    raw = contract.RawMessage(
        kind="email.webhook", account="support", lane="<>", body=json.dumps(message).encode(),
        received_at=datetime(2026, 11, 21, tzinfo=UTC), envelope={"form": ses.FORM},
    )  # fmt: skip
    return webhook.parse_costly(raw, webhook.Options())


def test_a_transient_bounce_is_final_and_a_delay_is_not() -> None:
    """SES tells of a bounce when it has stopped trying, whatever it calls it; of a delay while it tries on."""
    full = {"emailAddress": "x@example.net", "status": "4.2.2"}
    bounce = parsed(report("Bounce", bounce={"bounceType": "Transient", "bouncedRecipients": [full]})).bounce
    delay = parsed(report("DeliveryDelay", "eventType", deliveryDelay={"delayedRecipients": [full]})).bounce
    assert bounce is not None
    assert delay is not None
    assert [bounce.recipients[0].permanent, delay.recipients[0].permanent] == [True, False]
    assert [bounce.recipients[0].status, delay.recipients[0].status] == ["4.2.2", "4.2.2"]


@every_row(
    ("kind", "said", "automatic", "state"),
    [
        ("Complaint", {"complainedRecipients": [{"emailAddress": "x@example.net"}], "complaintFeedbackType": "abuse"}, "feedback_report", "complained"),
        ("Complaint", {"complainedRecipients": [{"emailAddress": "x@example.net"}], "complaintFeedbackType": None}, "feedback_report", "complained"),
        ("Complaint", {"complainedRecipients": [{"emailAddress": "x@example.net"}], "complaintFeedbackType": "not-spam"}, "feedback_report", "not_spam"),
        ("Delivery", {"recipients": ["x@example.net"], "smtpResponse": "250 ok"}, "delivery_receipt", "delivered"),
    ],
)  # fmt: skip
def test_complaints_and_deliveries_say_whose_and_about_which_mail(
    kind: str, said: dict[str, Any], automatic: str, state: str
) -> None:
    message = parsed(report(kind) | {kind.lower(): said})
    assert message.automatic == automatic
    assert message.feedback == contract.Feedback(state, ("x@example.net",), "ours@example.com")


@pytest.mark.parametrize(("content", "body"), [("", b""), ("QQ=", b"QQ="), ("Ąx==", "Ąx==".encode())])
def test_content_that_is_not_what_it_says_is_kept_as_it_came(content: str, body: bytes) -> None:
    notification = ses.read(json.dumps(posting.received(content, encoding="BASE64")))
    assert notification is not None
    assert ses.content_of(notification) == body
