"""Tells mail that a machine wrote from mail that a person wrote (RFC 3834 §2, RFC 2919, RFC 3464, RFC 5965, RFC 8098).

The order matters: a report says what it is; an auto-reply to a list is an auto-reply; a post to a list was still written
by a person, but nobody may answer it automatically.
"""

import re

import re2

from channels.contract import Address, Automatic
from channels.email import auto_reply, feedback, lists
from channels.email.bounces import recognition, status_report, wording
from channels.email.headers import Headers
from channels.email.structure import Part

_REPORTS: dict[str, Automatic] = {
    "delivery-status": "bounce",
    "global-delivery-status": "bounce",
    "feedback-report": "feedback_report",
    "disposition-notification": "delivery_receipt",
    "global-disposition-notification": "delivery_receipt",
}
_FIELDS = recognition.FIELDS | auto_reply.FIELDS | lists.FIELDS
_SUBJECT = re2.compile(f"{auto_reply.SUBJECT_PATTERN}|{wording.FAILED_PATTERN}")
_DISPOSITION = re.compile(rb"(?im)^disposition:[^;\r\n]*;[ \t]*([a-z]+)")
_REJECTED = re.compile(r"(?i)reject|refus|quota|abgelehnt|rifiutat|odrzuc|отклон")


def kind_of(
    fields: Headers,
    root: Part,
    *,
    envelope_sender: str | None,
    sender: Address | None,
    text: str,
    recipients: tuple[str, ...] = (),
) -> Automatic | None:
    """What machine wrote this; None = a person, as far as anybody can tell.

    envelope_sender: "" is the null return path, None = not known. sender: From. text: the readable text. recipients: of
    the envelope, () = not known.
    """
    report = _report(fields, root, sender=sender, envelope_sender=envelope_sender, text=text)
    if report:
        return report
    if sender and _is_ordinary(fields, envelope_sender=envelope_sender, sender=sender, text=text):
        return "delivery_receipt" if feedback.is_read_notice(fields, text) else None
    return _by_marks(
        fields, root, envelope_sender=envelope_sender, sender=sender, recipients=recipients, text=text
    )


def _is_ordinary(fields: Headers, *, envelope_sender: str | None, sender: Address, text: str) -> bool:
    """Whether nothing is there that any of the questions of `_by_marks` looks at, as in most mail."""
    return not (
        fields.has_any(_FIELDS)
        or recognition.has_null_path(fields, envelope_sender)
        or not recognition.is_ordinary(fields, sender=sender, text=text)
        or auto_reply.names_itself(fields)
        or _SUBJECT.search(fields.text("subject"))
    )


def _by_marks(
    fields: Headers,
    root: Part,
    *,
    envelope_sender: str | None,
    sender: Address | None,
    text: str,
    recipients: tuple[str, ...],
) -> Automatic | None:
    if recognition.is_bounce(fields, root, sender=sender, envelope_sender=envelope_sender, text=text):
        return "bounce"
    if feedback.is_read_notice(fields, text):
        return "delivery_receipt"
    if auto_reply.is_auto_reply(fields, text):
        return "auto_reply"
    if lists.is_list(fields, recipients):
        return "list"
    if recognition.has_null_path(fields, envelope_sender) or auto_reply.is_notification(fields):
        return "auto_reply"
    return None


def _report(
    fields: Headers, root: Part, *, sender: Address | None, envelope_sender: str | None, text: str
) -> Automatic | None:
    """What a report says it is; one of a delivery that succeeded is a receipt, a receipt that rejects is a bounce.

    A person may send one on as a file: then the mail itself is no report, and nothing of it speaks for a machine.
    """
    leaves = list(root.leaves())
    kind = _REPORTS.get(root.report_type) if root.report_type else None
    typed = [_REPORTS[leaf.content_type[8:]] for leaf in leaves if leaf.content_type[8:] in _REPORTS]
    if kind is None and (typed or any(map(status_report.is_status_part, leaves))):
        is_whole = _has_report(root) or root.content_type in status_report.STATUS_TYPES
        if is_whole or recognition.is_machine(fields, sender=sender, envelope_sender=envelope_sender):
            kind = typed[0] if typed else "bounce"
    if kind == "bounce":
        reported = status_report.reported(root)
        return "delivery_receipt" if reported and all(each.is_reached for each in reported) else "bounce"
    if kind == "delivery_receipt" and _is_rejection(fields, leaves, text):
        return "bounce"
    return kind


def _has_report(part: Part) -> bool:
    """Whether a multipart/report stands in the mail itself: lists wrap one to put a footer below it."""
    if part.content_type == "multipart/report":
        return True
    return part.is_multipart() and any(_has_report(child) for child in part.children)


def _is_rejection(fields: Headers, leaves: list[Part], text: str) -> bool:
    """Sieve and Dovecot reject with a disposition "deleted" (RFC 5429 §2.2.1); others with "failed" or "denied".

    Outlook says "deleted", too, of a mail that was deleted unread: that one was delivered.
    """
    for leaf in leaves:
        if not leaf.content_type.endswith("disposition-notification"):
            continue
        found = _DISPOSITION.search(leaf.content[:4_000])
        disposition = found[1].lower() if found else b""
        if disposition in {b"failed", b"denied"}:
            return True
        if disposition == b"deleted":
            said = fields.first("auto-submitted").lower()
            return "rejected" in said or bool(
                _REJECTED.search(text[:1_000]) or wording.FAILED.search(text[:300])
            )
    return False
