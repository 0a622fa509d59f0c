"""What an answer would be before it is sent: how it goes, what it costs, and what stands in its way.

The desk asks this at each pause of the keyboard, the command line with `intake tickets compose`. Nothing is written.
"""

from collections.abc import Sequence

import msgspec

from channels import markup
from channels.contract import Address, OutboundFile
from channels.twilio import segments, sendable_files, templates
from intake import (
    answer_form,
    answering_by_chat,
    answering_by_phone,
    attaching,
    desk,
    outbound,
    outgoing,
    permission,
    threads,
    undeliverable,
    visitors,
    whatsapp_window,
)
from intake.answering_by_phone import WHATSAPP, CannotAnswer, Way
from intake.composed import Composed, Smaller
from intake.desk import DeskError
from intake.model import Context, Ticket
from intake.outbound import Draft
from intake.saying import CHAT
from intake.store.engine import Tx
from intake.threads import Said

EMPTY = "nothing is written yet"
SILENT_US = 5 * 60_000_000  # after so long a visitor who says nothing may have left


def compose(
    tx: Tx, context: Context, typed_ref: str, *, text: str, files: Sequence[OutboundFile] = ()
) -> Composed:
    """Return what an answer would be. text: Markdown, "" = nothing is written yet. files: not kept. Raises: DeskError."""
    ticket = desk.find(tx, typed_ref, is_locked=False)
    thread = threads.load(tx, ticket.id)
    line = answering_by_chat.answered(thread)
    try:
        if line is not None:
            return _with_files(context, None, _chat(tx, context, ticket, line, text), files)
        by = answering_by_phone.way(tx, context, ticket, thread)
    except CannotAnswer as error:
        return _impossible(ticket, text, str(error))
    if by is None or not by.is_text:
        mail = _mail(tx, context, ticket, by, text, _mailbox(tx, context, ticket, thread))
        return _with_files(context, by, mail, files)
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


def _mailbox(tx: Tx, context: Context, ticket: Ticket, thread: threads.Thread) -> str | None:
    """Return whom an answer by mail goes to; None = nobody takes part by mail."""
    last = thread.last_by_mail
    if last is not None:
        return last.author
    first = answer_form.without_words(tx, context, ticket)
    return None if first is None else first.address


def _mail(
    tx: Tx, context: Context, ticket: Ticket, by: Way | None, text: str, mailbox: str | None
) -> Composed:
    to = by.to.address if by is not None else mailbox
    account = outgoing.carrier(context, ticket)
    if to is None or account is None:
        why = "it has nobody to answer" if to is None else "no channel can answer it"
        return _impossible(ticket, text, why)
    plain, problem = markup.plain(text).strip(), undeliverable.reason_of_address(tx, to)
    return Composed(
        ref=ticket.ref,
        medium=account.medium,
        to=to,
        from_=outbound.own_address(account, ticket),
        account=account.name,
        text=plain,
        characters=len(plain),
        can_send=bool(plain),
        reason=None if plain else EMPTY,
        warning=None if problem is None else f"what was sent to {to} did not arrive ({problem})",
    )


def _chat(tx: Tx, context: Context, ticket: Ticket, line: Said, text: str) -> Composed:
    """Say how an answer goes to who chats: at once, and not to be taken back. Raises: CannotAnswer."""
    account = answering_by_chat.account_of(tx, context, ticket, line)
    plain = outbound.words(CHAT, text).strip()
    draft = _draft(CHAT, account.name, answering_by_chat.recipient(line))
    verdict = permission.ask(tx, context, outgoing.asked(tx, account, ticket, draft))
    reason = verdict.sentence if verdict.is_withheld else None
    return Composed(
        ref=ticket.ref,
        medium=CHAT,
        to=line.author_name or "a visitor",
        from_="",
        account=account.name,
        text=plain,
        characters=len(plain),
        can_send=reason is None and bool(plain),
        reason=reason or (None if plain else EMPTY),
        warning=_left(tx, line),
    )


def _left(tx: Tx, line: Said) -> str | None:
    """Say that an answer may not be read where its reader can have left; None = they were here just now."""
    if tx.now - line.at < SILENT_US:
        return None
    visitor = visitors.load(tx, line.author)
    if visitor is None or not visitor.address:
        return "they have said nothing for a while, and no address of theirs is known: they read it if they come back"
    return f"they have said nothing for a while: what no page of theirs gets is mailed to {visitor.address}"


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
        reason=reason or (None if plain else EMPTY),
        warning=_warning(tx, by, counted),
    )
    return _with_window(tx, ticket, by, composed) if is_whatsapp else _with_segments(by, composed, counted)


def _with_files(
    context: Context, by: Way | None, composed: Composed, files: Sequence[OutboundFile]
) -> Composed:
    """Say what becomes of the files: whether they go along, and which pictures of a text become smaller."""
    if not files or not composed.to:
        return composed
    try:
        attaching.check_size([each.size for each in files], max_bytes=context.limits.max_attachments_bytes)
        if by is not None and by.is_text:
            answering_by_phone.check_files(
                context, by.account, composed.from_, files, has_words=bool(composed.text)
            )
    except (CannotAnswer, attaching.TooMuch) as error:
        reason = composed.reason if composed.reason and composed.text else str(error)
        return msgspec.structs.replace(composed, can_send=False, reason=reason)
    if by is None or not by.is_text:
        return composed
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
    draft = _draft(by.medium, by.account.name, by.to)
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


def _draft(medium: str, account: str, to: Address) -> Draft:
    """Return what permission is asked about."""
    return Draft(
        cause="compose", action="reply", to=to, subject="", text="", author="", medium=medium, account=account
    )


def _warning(tx: Tx, by: Way, counted: segments.Figures) -> str | None:
    problem = undeliverable.reason_of_number(tx, by.medium, by.to.address)
    if problem is not None:
        return f"what was sent to {by.to.address} did not arrive ({problem})"
    if by.medium != WHATSAPP and counted.is_long:
        return f"it has more than {segments.SOFT_CHARACTERS} characters: long texts arrive less surely, send a link"
    return None


__all__ = ["Composed", "DeskError", "compose"]
