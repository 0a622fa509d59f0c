"""What an answer would be before it is sent: how it goes, what it costs, and what stands in its way.

The desk asks this at each pause of the keyboard, the command line with `intake tickets compose`. Nothing is written.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from channels import markup
from channels.contract import OutboundFile
from channels.twilio import segments, sendable_files, templates
from channels.twilio.segments import Forcing
from intake import (
    answering_by_phone,
    desk,
    outbound,
    outgoing,
    permission,
    threads,
    undeliverable,
    whatsapp_window,
)
from intake.answering_by_phone import WHATSAPP, CannotAnswer, Way
from intake.desk import DeskError
from intake.model import Context, Ticket
from intake.outbound import Draft
from intake.store.engine import Tx


class Smaller(msgspec.Struct, frozen=True):
    """A picture that goes out smaller. size, max_size: bytes, as it is and as it is sent at most."""

    name: str
    size: int
    max_size: int


class Composed(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """An answer as it would go. can_send: nothing stands in its way; reason: what does, one sentence.

    text: as the customer would read it; plainer: the same in the cheap alphabet, None = it is cheap, or cannot be.
    encoding and what follows it: of a text by SMS, else None. soft_limit: characters that Twilio advises not to go beyond.
    cost: of all segments, None = no price is known. warning: it would be sent, and there is something to know.
    window_ends_at: RFC 3339, of WhatsApp's 24 hours; templates: that may be sent by WhatsApp at any time.
    smaller: pictures that are too large for the medium and go out smaller.
    """

    ref: str
    medium: str
    to: str
    from_: str
    account: str
    text: str
    can_send: bool
    reason: str | None = None
    warning: str | None = None
    encoding: str | None = None
    characters: int = 0
    segments: int | None = None
    left: int | None = None
    forcing: tuple[Forcing, ...] = ()
    plainer: str | None = None
    soft_limit: int | None = None
    is_long: bool = False
    is_too_long: bool = False
    cost: str | None = None
    window_ends_at: str | None = None
    templates: tuple[dict[str, Any], ...] = ()
    smaller: tuple[Smaller, ...] = ()


def compose(
    tx: Tx, context: Context, typed_ref: str, *, text: str, files: Sequence[OutboundFile] = ()
) -> Composed:
    """Return what an answer would be. text: Markdown, "" = nothing is written yet. files: not kept. Raises: DeskError."""
    ticket = desk.find(tx, typed_ref, is_locked=False)
    thread = threads.load(tx, ticket.id)
    try:
        by = answering_by_phone.way(tx, context, ticket, thread)
    except CannotAnswer as error:
        return _impossible(ticket, text, str(error))
    if by is None or not by.is_text:
        return _mail(context, ticket, by, thread, text)
    return _with_files(context, by, _text(tx, context, ticket, by, text), files)


def _impossible(ticket: Ticket, text: str, reason: str) -> Composed:
    plain = markup.plain(text).strip()
    return Composed(
        ref=ticket.ref,
        medium=ticket.medium,
        to="",
        from_="",
        account="",
        text=plain,
        characters=len(plain),
        can_send=False,
        reason=reason,
    )


def _mail(context: Context, ticket: Ticket, by: Way | None, thread: threads.Thread, text: str) -> Composed:
    last = thread.last_by_mail
    to = by.to.address if by is not None else last.author if last is not None else None
    account = outgoing.carrier(context, ticket)
    if to is None or account is None:
        why = "it has nobody to answer" if to is None else "no channel can answer it"
        return _impossible(ticket, text, why)
    plain = markup.plain(text).strip()
    return Composed(
        ref=ticket.ref,
        medium=account.medium,
        to=to,
        from_=outbound.own_address(account, ticket),
        account=account.name,
        text=plain,
        characters=len(plain),
        can_send=bool(plain),
        reason=None if plain else "nothing is written yet",
    )


def _text(tx: Tx, context: Context, ticket: Ticket, by: Way, text: str) -> Composed:
    plain, own = outbound.words(by.medium, text), outbound.own_address(by.account, ticket)
    counted = segments.figures(plain, own=own)
    is_whatsapp = by.medium == WHATSAPP
    reason = _against(tx, context, ticket, by, counted)
    composed = Composed(
        ref=ticket.ref,
        medium=by.medium,
        to=by.to.address,
        from_=own,
        account=by.account.name,
        text=plain,
        characters=counted.characters,
        is_too_long=counted.is_too_long,
        can_send=reason is None and bool(plain),
        reason=reason or (None if plain else "nothing is written yet"),
        warning=_warning(tx, by, counted),
    )
    return _with_window(tx, ticket, by, composed) if is_whatsapp else _with_segments(by, composed, counted)


def _with_files(context: Context, by: Way, composed: Composed, files: Sequence[OutboundFile]) -> Composed:
    """Say what becomes of the files of a text."""
    if not files:
        return composed
    try:
        answering_by_phone.check_files(
            context, by.account, composed.from_, files, has_words=bool(composed.text)
        )
    except CannotAnswer as error:
        reason = composed.reason if composed.reason and composed.text else str(error)
        return msgspec.structs.replace(composed, can_send=False, reason=reason)
    sized = [(each.content_type, each.size) for each in files]
    targets = sendable_files.targets(by.medium, sized)
    smaller = tuple(
        Smaller(files[place].name, files[place].size, most) for place, most in sorted(targets.items())
    )
    return msgspec.structs.replace(composed, smaller=smaller)


def _with_segments(by: Way, composed: Composed, counted: segments.Figures) -> Composed:
    plainer = segments.plainer(composed.text)
    is_cheaper = segments.figures(plainer, own=composed.from_).segments < counted.segments
    return msgspec.structs.replace(
        composed,
        encoding=counted.encoding,
        segments=counted.segments,
        left=counted.left,
        forcing=counted.forcing,
        plainer=plainer if is_cheaper or (counted.forcing and plainer != composed.text) else None,
        soft_limit=segments.SOFT_CHARACTERS,
        is_long=counted.is_long,
        cost=segments.cost(counted.segments, by.account.price),
    )


def _with_window(tx: Tx, ticket: Ticket, by: Way, composed: Composed) -> Composed:
    until = whatsapp_window.ends_at(tx, ticket, account=by.account.name, address=by.to.address)
    return msgspec.structs.replace(
        composed,
        cost=segments.cost(1, by.account.price),
        window_ends_at=None if until is None else until.isoformat().replace("+00:00", "Z"),
        templates=tuple(
            {"name": each.name, "language": each.language, "text": each.text, "variables": each.variables}
            for each in templates.fitting(by.account.templates, language=ticket.language)
        ),
    )


def _against(tx: Tx, context: Context, ticket: Ticket, by: Way, counted: segments.Figures) -> str | None:
    """Say what stands in the way, the gravest first; None = nothing does."""
    draft = Draft(
        cause="compose",
        action="reply",
        to=by.to,
        subject="",
        text="",
        author="",
        medium=by.medium,
        account=by.account.name,
    )
    units = max(counted.segments, 1) if by.medium != WHATSAPP else 1
    verdict = permission.ask(tx, context, outgoing.asked(tx, by.account, ticket, draft, units=units))
    if verdict.is_withheld:
        return verdict.sentence
    if by.medium == WHATSAPP:
        closed = whatsapp_window.closed(tx, ticket, account=by.account.name, address=by.to.address)
        if closed is not None:
            return closed
    if counted.is_too_long:
        return f"it has {counted.characters} characters, and a text has {segments.MAX_CHARACTERS} at most: send a link"
    return None


def _warning(tx: Tx, by: Way, counted: segments.Figures) -> str | None:
    problem = undeliverable.reason_of_number(tx, by.medium, by.to.address)
    if problem is not None:
        return f"what was sent to {by.to.address} did not arrive ({problem})"
    if by.medium != WHATSAPP and counted.is_long:
        return f"it has more than {segments.SOFT_CHARACTERS} characters: long texts arrive less surely, send a link"
    return None


__all__ = ["Composed", "DeskError", "compose"]
