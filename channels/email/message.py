"""Turns the bytes of a mail into the normal form. The medium's one parser: every kind of email account uses it.

Sources: RFC 5322 (format), RFC 2045–2049 and 2231 (MIME), RFC 3834 (automatic mail), RFC 3464 (bounces), RFC 8601
(Authentication-Results). Nothing is checked over the network and nothing is trusted that the mail says of itself.

Two roads: `parse` is fast (a plain mail 0.13 ms, 400 KB of attachment 0.5 ms, 40 KB of HTML without plain text 0.8 ms) and
raises `Costly` for what would take long; `parse_costly` takes anything (25 MB of bombs in under a second and 200 MB) and is
meant for a worker process with limits on time and memory.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Any

import msgspec

from channels import language
from channels.contract import Address, Automatic, Forwarded, Identity, Message, Problem, RawMessage
from channels.email import (
    addresses,
    automatic,
    body,
    bounces,
    dates,
    feedback,
    forwarded,
    headers,
    message_ids,
    origin,
    parting,
    reading_aid,
    structure,
    trust,
)

MEDIUM = "email"
_FEEDBACK = frozenset({"delivery_receipt", "feedback_report"})
DEFAULT_LANGUAGES = language.DEFAULT


Examine = Callable[[RawMessage], Awaitable[Any]]


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an account's mail is understood.

    languages: ISO 639-1, those the desk answers in; () = Europe's, tr, ru, uk, ar, he, ja, zh, ko.
    trusted_authserv_ids: names of mail servers whose Authentication-Results are believed; () = nobody's.
    trusted_forwarders: domains whose ARC seals are believed; () = nobody's. verify: how mail that comes straight from
    outside is checked by ourselves; None = it is not.
    max_text_chars: a longer text is cut, the raw mail keeps it.
    """

    languages: tuple[str, ...] = ()
    trusted_authserv_ids: tuple[str, ...] = ()
    trusted_forwarders: tuple[str, ...] = ()
    verify: origin.Verify | None = None
    max_text_chars: int = 200_000


def parse(raw: RawMessage, options: Options, evidence: Any = None) -> Message:
    """The normal form, by the fast road. Raises: Costly when only the slow road is left."""
    return _message(raw, options, evidence, costly=False)


def parse_costly(raw: RawMessage, options: Options, evidence: Any = None) -> Message:
    """The normal form of any bytes; takes up to 2 s and 256 MB, so it belongs in a worker process."""
    return _message(raw, options, evidence, costly=True)


async def examine(raw: RawMessage, options: Options) -> Any:
    """Look up who sent a mail that came straight from outside: what `parse` is given as evidence. None = nothing is to do."""
    if options.verify is None or not origin.is_outside(raw.envelope, options.verify):
        return None
    from channels.email import examine  # the DNS and cryptography, only for those who ask for it

    return await examine.evidence(raw, options.verify)


def examiner(options: Options) -> Examine | None:
    """Return what looks up who sent a mail; None = nothing is ever looked up."""
    return None if options.verify is None else partial(examine, options=options)


def problems(options: Options) -> list[Problem]:
    """Return what keeps an account's mail from being understood as its options say."""
    if options.verify is None:
        return []
    from channels.email import examine

    return examine.problems()


def attachment_bytes(body: bytes, part: str) -> bytes:
    """The decoded bytes of an attachment, read out of the raw mail. part: `Attachment.part`.

    Raises: LookupError when the mail has no such part.
    """
    body, _ = headers.mended(body)
    root, _ = structure.read(body, headers.scan(body), costly=True)
    if part == "0":
        return root.content
    node = root
    for number in part.split("."):
        index = int(number) - 1 if number.isdecimal() else -1
        if not 0 <= index < len(node.children):
            raise LookupError(f"the mail has no part {part!r}")
        node = node.children[index]
    return node.content


def _message(raw: RawMessage, options: Options, evidence: Any, *, costly: bool) -> Message:
    whole, mended = headers.mended(raw.body)
    fields = headers.scan(whole)
    root, repaired = structure.read(whole, fields, costly=costly)
    fields.charset = next((leaf.charset for leaf in root.leaves() if leaf.charset), "")
    content = body.read(root, costly=costly)
    problems = [*mended, *fields.problems, *repaired, *content.problems]
    content, passed_on = _passed_on(root, content, costly=costly)
    text = _capped(content.text, options.max_text_chars, problems)
    subject = fields.text("subject")
    from_ = addresses.parse(fields.structured("from"))
    reply_to = addresses.parse(fields.structured("reply-to"))
    sender = _sender(fields, from_, reply_to, raw, problems)
    kind = automatic.kind_of(
        fields,
        root,
        envelope_sender=raw.envelope.get("sender"),
        sender=from_[0] if from_ else None,
        recipients=tuple(map(str, raw.envelope.get("recipients") or ())),
        text=text,
    )
    marked = content.marked if text is content.text else text
    shown, passed_on = _shown(marked, content.rich, passed_on, text=text, subject=subject, kind=kind)
    return Message(
        kind=MEDIUM,
        message_id=message_ids.of_mail(fields),
        in_reply_to=message_ids.referred(fields, "in-reply-to"),
        references=message_ids.referred(fields, "references"),
        from_=from_[0] if from_ else None,
        to=addresses.parse(fields.structured("to")),
        cc=addresses.parse(fields.structured("cc")),
        reply_to=reply_to,
        subject=subject,
        sent_at=_sent_at(fields, problems),
        text=text,
        visible_text=shown.visible,
        quoted_text=shown.quoted,
        language=language.detect(shown.visible[: language.MAX_CHARS], options.languages or DEFAULT_LANGUAGES),
        attachments=content.attachments,
        automatic=kind,
        bounce=bounces.read(root, fields, text=text) if kind == "bounce" else None,
        feedback=feedback.read(root, fields, kind=kind, text=text) if kind in _FEEDBACK else None,
        trust=trust.read(
            fields,
            # What was mended reads differently elsewhere: whoever proved a sender may have seen another.
            sender=from_[0] if _is_single(fields, from_) and not mended else None,
            authserv_ids=options.trusted_authserv_ids,
            forwarders=options.trusted_forwarders,
            envelope=raw.envelope,
            # What was not looked at yet is proven by nothing, least of all by what it brought with it.
            evidence={} if evidence is None and origin.is_outside(raw.envelope, options.verify) else evidence,
        ),
        problems=tuple(problems),
        sender=sender,
        headers=fields.kept(),
        forwarded=passed_on,
    )


def _shown(
    marked: str,
    rich: structure.Part | None,
    passed_on: Forwarded | None,
    *,
    text: str,
    subject: str,
    kind: Automatic | None,
) -> tuple[parting.Split, Forwarded | None]:
    """What was written now, and whose mail it passes on. A report about a mail quotes and forwards nothing: all of it counts."""
    if kind in ("bounce", "delivery_receipt", "feedback_report"):
        return parting.Split(text.strip(), ""), None
    shown = reading_aid.split(marked, rich, is_forward=forwarded.is_announced(subject, text))
    if shown.forward is not None:
        passed_on = forwarded.in_text(shown.visible, shown.forward)
    return shown, passed_on


def _passed_on(
    root: structure.Part, content: body.Content, *, costly: bool
) -> tuple[body.Content, Forwarded | None]:
    """Whose mail is attached whole, and its text where the sender wrote none: no ticket is empty that has a mail in it."""
    part = forwarded.attached(root)
    if part is None:
        return content, None
    if not content.text.strip() and part.children:
        inner = body.read(part.children[0], costly=costly)
        content = msgspec.structs.replace(content, text=inner.text, marked=inner.marked)
    return content, forwarded.from_attached(part)


def _capped(text: str, max_chars: int, problems: list[str]) -> str:
    if len(text) <= max_chars:
        return text
    problems.append(f"The text was cut at {max_chars} characters")
    return text[:max_chars]


def _is_single(fields: headers.Headers, from_: tuple[Address, ...]) -> bool:
    """One From field with one whole address: the only thing an identity may be decided by."""
    return len(fields.raw("from")) == 1 and len(from_) == 1 and addresses.is_plausible(from_[0].address)


def _sender(
    fields: headers.Headers,
    from_: tuple[Address, ...],
    reply_to: tuple[Address, ...],
    raw: RawMessage,
    problems: list[str],
) -> Identity | None:
    """From when it is unambiguous, else Reply-To, else the envelope's sender; None when nobody is named."""
    if _is_single(fields, from_):
        return Identity(MEDIUM, from_[0].address.lower())
    problems.append("From names several addresses" if len(from_) > 1 else "From names no address")
    envelope_sender = addresses.normalised(str(raw.envelope.get("sender") or ""))
    single_reply = [reply_to[0].address] if len(reply_to) == 1 else []
    for address in (*single_reply, envelope_sender):
        if addresses.is_plausible(address):
            return Identity(MEDIUM, address.lower())
    return None


def _sent_at(fields: headers.Headers, problems: list[str]) -> datetime | None:
    """Date, aware; None = not said or unreadable. "-0000" (no zone known) counts as UTC."""
    value = fields.first("date")[:200]
    if not value:
        return None
    sent_at = dates.read(value)
    if sent_at is None:
        problems.append("Date is unreadable")
    return sent_at
