"""Reads what a mail server or a reader tells of a mail that did arrive: receipts (RFC 8098, RFC 3464) and complaints (RFC 5965)."""

import re

from channels.contract import Feedback
from channels.email import addresses, auto_reply, headers
from channels.email.bounces import returned, status_report
from channels.email.headers import Headers
from channels.email.structure import Part

MAX_RECIPIENTS = 20
_DISPOSITION = re.compile(r"(?i)^[^;]*;\s*([a-z]+)")
_NO_COMPLAINT = frozenset({"not-spam", "dmarc", "auth-failure"})
_READ_SUBJECT = re.compile(
    r"(?i)^\s*(?:read|gelesen|lu|leído|leido|lida|lido|letto|gelezen|przeczytano|přečteno|prečítané|прочтено|прочитано|läst|læst|lest|luettu|"
    r"okundu|αναγνώστηκε|διαβάστηκε|elolvasva|citit|開封済み|已读|已讀|읽음|נקרא)\s*[:：]"
)
_WAS_READ = re.compile(
    r"(?i)\bwas read\b|\bdisplayed\b|gelesen|\blu le\b|a été lu|leíd|fue le[íi]d|foi lid|stato letto|è stato lett|gelezen|przeczytan|přečten|прочита|прочтен|lästes|läst|læst|"
    r"lest|luettu|okundu|διαβ[αά]στηκε|elolvas|citit|開封|读|讀|읽"
)


def read(root: Part, fields: Headers, *, kind: str, text: str) -> Feedback | None:
    """What became of a mail of ours, for a receipt or a complaint; None when the report does not say it."""
    report = returned.read(root, text)
    original = returned.message_id(root, report, fields)
    if kind == "feedback_report":
        return _complaint(root, report, original)
    for leaf in root.leaves():
        if leaf.content_type.endswith("disposition-notification"):
            return _disposition(leaf, original)
    reached = status_report.reported(root)
    if reached:
        named = tuple(each.address for each in reached if each.address)
        # "relayed" ends at a server that reports no further: it left our hands, nobody has got it yet (RFC 3464 §2.3.3).
        state = "sent" if any(each.action == "relayed" for each in reached) else "delivered"
        return Feedback(state, named[:MAX_RECIPIENTS], original)
    return Feedback("read", (), original) if is_read_notice(fields, text) else None


def is_read_notice(fields: Headers, text: str) -> bool:
    """Whether a mail without a report is Outlook's "Read: …": its subject, its few words, and that it answers a mail."""
    if len(text) > 1_500 or not auto_reply.answers(fields):
        return False
    return bool(_READ_SUBJECT.match(fields.text("subject")) and _WAS_READ.search(text[:600]))


def _disposition(leaf: Part, original: str | None) -> Feedback | None:
    """A disposition notification (RFC 8098 §3.2): "displayed" is read; "deleted" unread says nothing about arrival."""
    block = _merged(leaf)
    found = _DISPOSITION.match(block.first("disposition"))
    state = {
        "displayed": "read",
        "dispatched": "delivered",
        "processed": "delivered",
        "deleted": "delivered",
    }.get(found[1].lower() if found else "")
    if state is None:
        return None
    return Feedback(state, _named(block, "original-recipient", "final-recipient"), original)


def _complaint(root: Part, report: returned.Report, original: str | None) -> Feedback:
    """Who complained (RFC 5965 §3.2), or "not_spam" for one who takes it back.

    Many senders of reports black the address out; then only the returned mail tells.
    """
    block = next(
        (_merged(leaf) for leaf in root.leaves() if leaf.content_type.endswith("feedback-report")), None
    )
    kind = block.first("feedback-type").strip().lower() if block is not None else "abuse"
    named = _named(block, "original-rcpt-to", "removal-recipient") if block is not None else ()
    if not named and report.recipient():
        named = (report.recipient(),)
    return Feedback("not_spam" if kind in _NO_COMPLAINT else "complained", named, original)


def _merged(leaf: Part) -> Headers:
    """Every field of a report, empty lines between them or not."""
    lines = [line for line in leaf.content[:64_000].split(b"\n") if line.strip()]
    return headers.scan(b"\n".join(lines) + b"\n\n")


def _named(block: Headers, *names: str) -> tuple[str, ...]:
    for name in names:
        typed = [status_report.typed_address(value) for value in block.structured(name)]
        found = dict.fromkeys(each for each in typed if each) or {
            each.address: None for each in addresses.parse(block.structured(name)) if "@" in each.address
        }
        if found:
            return tuple(found)[:MAX_RECIPIENTS]
    return ()
