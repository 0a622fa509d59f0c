"""Reads what Amazon SES publishes: mail it received, and what became of mail it sent.

Sources: Amazon SES Developer Guide, "Contents of notifications for Amazon SES email receiving" and "Amazon SNS
notification contents for Amazon SES" (docs.aws.amazon.com/ses/latest/dg/receiving-email-notifications-contents.html,
notification-contents.html, checked 2026-11); the events of event publishing have the same shape under `eventType`.
A mail's content is only there when the receipt rule's action is SNS (up to 150 KB a mail), with the encoding Base64 or
UTF-8; Base64 alone keeps every byte.
"""

import base64
import binascii
import re
from typing import Any

import msgspec

from channels.contract import (
    Address,
    Attachment,
    Automatic,
    Bounce,
    BouncedRecipient,
    Feedback,
    Message,
    RawMessage,
    Unavailable,
)
from channels.email.bounces import reasons

FORM = "ses"  # envelope["form"] of a raw message whose body is a notification, not a mail
MAX_RECIPIENTS = 100
MAX_DIAGNOSTIC_CHARS = 500
_RESULTS = {"PASS": "pass", "FAIL": "fail", "GRAY": "none", "PROCESSING_FAILED": "temperror"}
_AUTOMATIC: dict[str, Automatic] = {
    "Bounce": "bounce",
    "DeliveryDelay": "bounce",
    "Complaint": "feedback_report",
    "Delivery": "delivery_receipt",
}
# Actions that mean: this mail is none of ours any more. All others keep a mail somewhere we cannot look.
_ELSEWHERE = frozenset({"Bounce", "Stop", "Lambda", "WorkMail"})
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_MESSAGE_ID = re.compile(r"<?([^<>\s]{1,998})")


class _Verdict(msgspec.Struct, frozen=True):
    status: str = ""


class _Action(msgspec.Struct, frozen=True, rename="camel"):
    type: str = ""
    encoding: str = ""
    bucket_name: str = ""
    object_key: str = ""


class _Receipt(msgspec.Struct, frozen=True, rename="camel"):
    recipients: tuple[str, ...] = ()
    action: _Action = _Action()
    spam_verdict: _Verdict = _Verdict()
    virus_verdict: _Verdict = _Verdict()
    spf_verdict: _Verdict = _Verdict()
    dkim_verdict: _Verdict = _Verdict()
    dmarc_verdict: _Verdict = _Verdict()
    dmarc_policy: str = ""


class _Header(msgspec.Struct, frozen=True):
    name: str
    value: str


class _Mail(msgspec.Struct, frozen=True, rename="camel"):
    """source: the envelope's sender. message_id: of SES, not the mail's own."""

    message_id: str = ""
    source: str = ""
    headers: tuple[_Header, ...] = ()


class _Recipient(msgspec.Struct, frozen=True, rename="camel"):
    email_address: str = ""
    status: str = ""
    action: str = ""
    diagnostic_code: str = ""


class _Failure(msgspec.Struct, frozen=True, rename="camel"):
    """A bounce, a complaint, a delay or a delivery, as far as they say the same things."""

    bounce_type: str = ""
    bounce_sub_type: str = ""
    bounced_recipients: tuple[_Recipient, ...] = ()
    complained_recipients: tuple[_Recipient, ...] = ()
    delayed_recipients: tuple[_Recipient, ...] = ()
    recipients: tuple[str, ...] = ()
    complaint_feedback_type: str | None = None


class Notification(msgspec.Struct, frozen=True, rename="camel"):
    """One notification. content: the mail, as receipt.action.encoding says; None = SES kept it for itself."""

    notification_type: str = ""
    event_type: str = ""
    mail: _Mail = _Mail()
    receipt: _Receipt = _Receipt()
    content: str | None = None
    bounce: _Failure = _Failure()
    complaint: _Failure = _Failure()
    delivery: _Failure = _Failure()
    delivery_delay: _Failure = _Failure()

    @property
    def kind(self) -> str:
        return self.notification_type or self.event_type

    @property
    def is_received(self) -> bool:
        return self.kind == "Received"

    @property
    def is_report(self) -> bool:
        """Whether it says what became of mail that we sent."""
        return self.kind in _AUTOMATIC

    @property
    def is_elsewhere(self) -> bool:
        """Whether SES did with a mail what leaves nothing for us: sent it back, or gave it to another program."""
        return self.content is None and self.receipt.action.type in _ELSEWHERE


_decode = msgspec.json.Decoder(Notification).decode


def read(message: str) -> Notification | None:
    """Read the Message of an SNS notification; None when it is not one of SES."""
    try:
        return _decode(message)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def content_of(notification: Notification) -> bytes:
    """Give the received mail. Raises: Unavailable, with what the admin has to change, when it is not there."""
    action = notification.receipt.action
    if notification.content is None:
        where = f"s3://{action.bucket_name}/{action.object_key}" if action.bucket_name else "SES"
        raise Unavailable(
            f"a mail stays in {where}: SES told of it without its content; give the receipt rule an SNS action"
            " (encoding Base64) for this topic in place of the topic of its other action"
        )
    if action.encoding.upper() == "BASE64":
        try:
            return base64.b64decode(notification.content)
        except (binascii.Error, ValueError):
            pass  # whatever it is, it is kept as it came
    return notification.content.encode("utf-8", "surrogatepass")


def envelope_of(notification: Notification) -> dict[str, Any]:
    """Give what SES knows of a received mail: who sent it to whom, and what its checks said (RFC 8601 words)."""
    receipt = notification.receipt
    verdicts = {"spf": receipt.spf_verdict, "dkim": receipt.dkim_verdict, "dmarc": receipt.dmarc_verdict}
    results = {name: _RESULTS.get(verdict.status) for name, verdict in verdicts.items()}
    scans = {"spam": receipt.spam_verdict.status.lower(), "virus": receipt.virus_verdict.status.lower()}
    return {
        "sender": notification.mail.source.strip("<> "),
        "recipients": list(receipt.recipients[:MAX_RECIPIENTS]),
        "peer": "ses",
        "authentication": {name: result for name, result in results.items() if result},
        "ses": {
            "message_id": notification.mail.message_id,
            **{name: said for name, said in scans.items() if said},
        },
    }


def report_envelope_of(notification: Notification) -> dict[str, Any]:
    """Give the envelope of a report: it comes from nobody and goes where the mail came from, as a bounce by mail does."""
    source = notification.mail.source.strip("<> ")
    return {"sender": "", "recipients": [source] if source else [], "peer": "ses", "form": FORM}


def is_report(raw: RawMessage) -> bool:
    return raw.envelope.get("form") == FORM


def parse(raw: RawMessage) -> Message:
    """Turn a report into the normal form. Never raises."""
    notification = read(raw.body.decode("utf-8", "replace")) or Notification()
    failure = _failure(notification)
    recipients = tuple(
        _bounced(each, failure, is_delay=notification.kind == "DeliveryDelay")
        for each in _recipients(failure)[:MAX_RECIPIENTS]
    )
    kind = _AUTOMATIC.get(notification.kind)
    no_files: tuple[Attachment, ...] = ()
    text = _text(notification, failure)
    return Message(
        kind="email",
        from_=Address("mailer-daemon@amazonses.com", "Amazon SES"),
        to=(Address(notification.mail.source),) if notification.mail.source else (),
        subject=f"Amazon SES: {notification.kind or 'unknown notification'}",
        text=text,
        visible_text=text,
        attachments=no_files,
        automatic=kind or "delivery_receipt",
        bounce=Bounce(recipients, _original_message_id(notification)) if kind == "bounce" else None,
        feedback=_feedback(notification, failure),
        references=tuple(filter(None, [_original_message_id(notification)])),
        problems=() if kind else ("A notification of Amazon SES of an unknown kind",),
    )


def _failure(notification: Notification) -> _Failure:
    by_kind = {
        "Bounce": notification.bounce,
        "Complaint": notification.complaint,
        "Delivery": notification.delivery,
        "DeliveryDelay": notification.delivery_delay,
    }
    return by_kind.get(notification.kind, _Failure())


def _recipients(failure: _Failure) -> tuple[_Recipient, ...]:
    named = failure.bounced_recipients or failure.delayed_recipients or failure.complained_recipients
    return named or tuple(_Recipient(email_address=address) for address in failure.recipients)


def _bounced(recipient: _Recipient, failure: _Failure, *, is_delay: bool) -> BouncedRecipient:
    """SES has stopped trying whenever it tells of a bounce: only a delay is not final, whatever the type says."""
    status = recipient.status if _STATUS.fullmatch(recipient.status) else ""
    if not status and failure.bounce_type == "Permanent":
        status = "5.0.0"
    kind = "/".join(filter(None, (failure.bounce_type, failure.bounce_sub_type)))
    return BouncedRecipient(
        address=recipient.email_address.strip("<> "),
        status=status,
        permanent=not is_delay and recipient.action != "delayed",
        diagnostic=(recipient.diagnostic_code or kind)[:MAX_DIAGNOSTIC_CHARS],
        reason=reasons.reason_of(status, recipient.diagnostic_code) or kind,
    )


def _feedback(notification: Notification, failure: _Failure) -> Feedback | None:
    states = {"Complaint": "complained", "Delivery": "delivered"}
    if notification.kind not in states:
        return None
    is_withdrawn = notification.kind == "Complaint" and failure.complaint_feedback_type == "not-spam"
    named = tuple(each.email_address.strip("<> ") for each in _recipients(failure)[:MAX_RECIPIENTS])
    state = "not_spam" if is_withdrawn else states[notification.kind]
    return Feedback(state, named, _original_message_id(notification))


def _original_message_id(notification: Notification) -> str | None:
    """Message-ID of the mail of ours, where SES was told to include the headers; SES's own id is another."""
    for header in notification.mail.headers:
        if header.name.lower() == "message-id":
            found = _MESSAGE_ID.search(header.value)
            return found[1] if found else None
    return None


def _text(notification: Notification, failure: _Failure) -> str:
    """Say for people what the notification says."""
    named = [
        ": ".join(filter(None, (each.email_address, each.diagnostic_code or each.status)))
        for each in _recipients(failure)[:MAX_RECIPIENTS]
    ]
    kind = "/".join(
        filter(None, (failure.bounce_type, failure.bounce_sub_type, failure.complaint_feedback_type))
    )
    said = [f"{notification.kind} {kind}".strip(), *named]
    return "\n".join(filter(None, said))
