"""Reads non-delivery reports: which addresses failed, for how long, why (RFC 3464), and which mail of ours it was."""

import re
from collections.abc import Iterator

from channels.contract import Bounce, BouncedRecipient
from channels.email import addresses, headers
from channels.email.structure import Part

MAX_RECIPIENTS = 100
MAX_REPORT_BYTES = 256 * 1024
MAX_DIAGNOSTIC_CHARS = 500
_STATUS_TYPES = frozenset({"message/delivery-status", "message/global-delivery-status"})
_STATUS = re.compile(r"\b([245])[.,](\d{1,3})[.,](\d{1,3})\b")
_REPLY_CODE = re.compile(r"(?<![\d.])([45])\d\d(?![\d.])")
_ADDRESS = re.compile(r"[A-Za-z0-9_.!#$%&'*+/=?^`{|}~-]{1,64}@[A-Za-z0-9.-]{1,190}\.[A-Za-z0-9-]{2,24}")
_ALONE = re.compile(
    r"(?m)^[ \t>*-]{0,12}(?:SMTP:|smtp:|rfc822;)?[ \t]{0,4}<?"
    r"([A-Za-z0-9_.!#$%&'*+/=?^`{|}~-]{1,64}@[A-Za-z0-9.-]{1,190}\.[A-Za-z0-9-]{2,24})>?(?=[ \t]*(?:$|[:;,(]|\.{3}|[ \t]-))",
)
_RULER = re.compile(r"(?m)^[ \t]*[-=_]{3,}")
_ORIGINAL_HEADER = re.compile(r"(?im)^[> ]{0,4}(?:received|return-path|message-id|x-[a-z-]{2,40}): ")
_OFFICE = re.compile(r"(?i)(?:postmaster|mailer-daemon|abuse|helpdesk|hostmaster)@")
# That a server has not given up is said in words only; English is what servers speak.
_KEEPS_TRYING = re.compile(
    r"(?i)\bdelayed\b|not yet been|will (?:be )?(?:retr|continue|keep)|will try again|still (?:be )?(?:try|attempt|being)|"
    r"message will be retried|only a warning|just a warning",
)
_BLANK_LINES = re.compile(rb"\r?\n[ \t]*\r?\n")
_MESSAGE_ID = re.compile(r"<([^<>\s]{1,998})>")
_RETURNED_ID = re.compile(rb"(?im)^[> \t]{0,4}message-id:\s{0,10}<([^<>\s]{1,998})>")

# RFC 3463 §3: the detail codes that tell an admin something; else the class of the subject code.
_REASONS = {
    "1.1": "no such mailbox", "1.2": "no such domain", "1.3": "bad address syntax", "1.6": "mailbox moved", "1.10": "domain takes no mail",
    "2.0": "mailbox unavailable", "2.1": "mailbox disabled", "2.2": "mailbox full", "2.3": "message too large", "3.4": "message too large",
    "4.1": "no answer from host", "4.3": "name server failure", "4.4": "unable to route", "4.6": "routing loop", "4.7": "delivery time expired",
    "7.0": "refused by policy", "7.1": "refused by policy", "7.26": "failed authentication",
}  # fmt: skip
_REASON_CLASSES = {"1": "bad address", "2": "mailbox problem", "3": "mail system problem", "4": "network problem", "5": "protocol problem",
                   "6": "content problem", "7": "refused by policy"}  # fmt: skip


def read(root: Part, fields: headers.Headers, *, text: str) -> Bounce:
    """The failed recipients of a report and the Message-ID of what came back. text: the report's readable part."""
    recipients = tuple(_recipients_of_status(root)) or recipients_of_prose(fields, text)
    return Bounce(recipients[:MAX_RECIPIENTS], _original_message_id(root, text))


def _recipients_of_status(root: Part) -> Iterator[BouncedRecipient]:
    """The per-recipient blocks of message/delivery-status; each address once."""
    seen: set[str] = set()
    for part in root.leaves():
        if part.content_type not in _STATUS_TYPES:
            continue
        blocks = _BLANK_LINES.split(part.content[:MAX_REPORT_BYTES].strip(), MAX_RECIPIENTS * 2)
        for block in blocks:
            recipient = _recipient(headers.scan(block + b"\n\n"))
            if recipient and recipient.address not in seen:
                seen.add(recipient.address)
                yield recipient


def _recipient(block: headers.Headers) -> BouncedRecipient | None:
    """One per-recipient block (RFC 3464 §2.3); None for the per-message block and for addresses that were reached."""
    address = _typed_address(block.first("original-recipient")) or _typed_address(
        block.first("final-recipient")
    )
    action = block.first("action").partition(" ")[0].strip(";,").lower()
    if not address or action in {"delivered", "relayed", "expanded"}:
        return None
    diagnostic = block.text("diagnostic-code").partition(";")[2].strip() or block.text("diagnostic-code")
    status = _status(block.first("status")) or _status(diagnostic)
    # "failed" is final even with a 4.x.x status: the server gave up (RFC 3464 §2.3.3).
    is_permanent = action == "failed" or (action != "delayed" and not status.startswith("4"))
    return BouncedRecipient(
        address=address,
        status=status,
        permanent=is_permanent,
        diagnostic=diagnostic[:MAX_DIAGNOSTIC_CHARS],
        reason=reason_of(status),
    )


def _typed_address(value: str) -> str:
    """The address of "rfc822; user@host", with or without its type."""
    _, separator, address = value.rpartition(";")
    found = addresses.parse([address if separator else value])
    return found[0].address if found and "@" in found[0].address else ""


def _status(text: str) -> str:
    """The enhanced status code in a text (RFC 3463); from a reply code of SMTP only its class, as "5.0.0"."""
    found = _STATUS.search(text)
    if found:
        return f"{found[1]}.{int(found[2])}.{int(found[3])}"
    code = _REPLY_CODE.search(text)
    return f"{code[1]}.0.0" if code else ""


def reason_of(status: str) -> str:
    """A few words for an enhanced status code; "" when it says nothing."""
    _, _, detail = status.partition(".")
    return _REASONS.get(detail) or _REASON_CLASSES.get(detail.partition(".")[0], "")


def recipients_of_prose(fields: headers.Headers, text: str) -> tuple[BouncedRecipient, ...]:
    """For reports without a machine-readable part: X-Failed-Recipients, else the addresses the report names.

    An address on a line of its own is what the report is about; one inside a sentence ("please contact …") only counts
    when there is no other.
    """
    report = _before_original(text)
    named = [value for field in fields.structured("x-failed-recipients") for value in _ADDRESS.findall(field)]
    found = named or _ALONE.findall(_before_next_section(report)) or _ADDRESS.findall(report)
    own = {
        address.address.lower()
        for name in ("from", "to")
        for address in addresses.parse(fields.structured(name))
    }
    unique = {_bare(address).lower(): _bare(address) for address in reversed(found[:MAX_RECIPIENTS])}
    return tuple(
        _from_prose(address, report)
        for key, address in reversed(unique.items())
        if named or (key not in own and not _OFFICE.match(key))
    )


def is_report_in_prose(recipients: tuple[BouncedRecipient, ...]) -> bool:
    """Whether the prose reports a failure: some address with an SMTP or enhanced status code beside it."""
    return any(recipient.status for recipient in recipients)


def _bare(address: str) -> str:
    """Without the marks some gateways glue to it."""
    return address.strip("'").removeprefix("SMTP=").removeprefix("smtp=")


def _from_prose(address: str, report: str) -> BouncedRecipient:
    """Prose reports a final failure, unless it says that the server keeps trying: that outweighs a 4xx code."""
    at = report.find(address)
    nearby = report[max(0, at) : at + 600] if at >= 0 else report[:600]
    status = _status(nearby)
    diagnostic = " ".join(nearby.split())[:MAX_DIAGNOSTIC_CHARS]
    return BouncedRecipient(
        address, status, not _KEEPS_TRYING.search(report[:4_000]), diagnostic, reason_of(status)
    )


def _before_original(text: str) -> str:
    """The report without the returned mail: up to the first run of its header fields."""
    found = _ORIGINAL_HEADER.search(text)
    return text[: found.start()] if found else text[:20_000]


def _before_next_section(report: str) -> str:
    """Up to the first ruler below the first address: what follows is a transcript or the returned mail."""
    first = _ALONE.search(report)
    ruler = _RULER.search(report, first.end()) if first else None
    return report[: ruler.start()] if ruler else report


def _original_message_id(root: Part, text: str) -> str | None:
    """Message-ID of the returned mail: from its embedded copy, its header alone, or the text; None = not to be found."""
    for part in root.leaves():
        if part.is_message() or part.content_type in {"text/rfc822-headers", "message/rfc822-headers"}:
            found = _MESSAGE_ID.search(headers.scan(part.content).first("message-id"))
            if found:
                return found[1]
    in_text = _RETURNED_ID.search(text[:100_000].encode("utf-8", "replace"))
    return in_text[1].decode("utf-8", "replace") if in_text else None
