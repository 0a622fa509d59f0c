"""What agents promise their customers. The command line, the desk, the API and agents' mail call these alike."""

from datetime import datetime, tzinfo

import msgspec

from intake import clocks, desk, instants, promised_text, promises, promising, quiet
from intake.desk import DeskError
from intake.model import Context, Ticket
from intake.promising import Warned
from intake.store.engine import Tx
from routing.moment_text import NoMoment, moment_from


class Made(msgspec.Struct, frozen=True):
    """A promise that was just made. at: in the zone that it was read in. not_told: why the customer does not hear of it.

    not_told: "" = they do, None = nobody wanted that.
    """

    ticket: Ticket
    at: datetime
    doubts: tuple[Warned, ...] = ()
    not_told: str | None = None


def moment(tx: Tx, context: Context, ticket: Ticket, text: str, *, agent: str) -> datetime:
    """Read a moment as somebody typed it, in the ticket's zone. Raises: DeskError."""
    zone: tzinfo = promised_text.zone_of(tx, context, ticket, agent=agent)
    try:
        at = moment_from(text, now=instants.datetime_from_us(tx.now), zone=zone)
    except NoMoment as problem:
        raise DeskError(str(problem)) from None
    return at.astimezone(zone)


def _check_open(ticket: Ticket) -> None:
    if not ticket.is_open:
        raise DeskError(f"ticket {ticket.ref} is {ticket.status}: open it before something is promised")


def make(tx: Tx, context: Context, typed_ref: str, when: str, *, agent: str, is_quiet: bool = False) -> Made:
    """Promise the customer a moment and tell them, unless it is a quiet promise. when: as people write it.

    Raises: DeskError.
    """
    desk.check_agent(context, agent)
    ticket = desk.find(tx, typed_ref)
    at = moment(tx, context, ticket, when, agent=agent)
    _check_open(ticket)
    not_told = None if is_quiet else promising.say(tx, context, ticket, at, agent=agent) or ""
    actor, is_told = f"agent:{agent}", not_told == ""
    promised = promising.make(tx, context, ticket, at, actor=actor, is_told=is_told)
    quiet.follow(tx, context, promised)
    return Made(promised, at, promising.doubts(tx, ticket, at), not_told)


def withdraw(tx: Tx, context: Context, typed_ref: str, *, agent: str) -> Ticket:
    """Take back what was promised. Raises: DeskError."""
    ticket = _owing(tx, context, typed_ref, agent)
    return promising.withdraw(tx, ticket, actor=f"agent:{agent}")


def keep(tx: Tx, context: Context, typed_ref: str, *, agent: str) -> Ticket:
    """Say that what was promised was done, by phone perhaps: no answer of ours shows it. Raises: DeskError."""
    ticket = _owing(tx, context, typed_ref, agent)
    clocks.promise_kept(tx, ticket, actor=f"agent:{agent}")
    return ticket


def _owing(tx: Tx, context: Context, typed_ref: str, agent: str) -> Ticket:
    desk.check_agent(context, agent)
    ticket = desk.find(tx, typed_ref)
    if not promises.owed(tx, ticket.id):
        raise DeskError(f"nothing is promised to the customer of ticket {ticket.ref}")
    return ticket


def in_answer(
    tx: Tx, context: Context, typed_ref: str, when: str | None, *, agent: str
) -> tuple[datetime | None, tuple[Warned, ...]]:
    """Read the moment that an answer is to promise, and what speaks against it; None = it promises nothing.

    Raises: DeskError.
    """
    if when is None:
        return None, ()
    desk.check_agent(context, agent)
    ticket = desk.find(tx, typed_ref)
    at = moment(tx, context, ticket, when, agent=agent)
    return at, (*promising.doubts(tx, ticket, at), *_unsaid(tx, context, ticket, at, agent))


def _unsaid(tx: Tx, context: Context, ticket: Ticket, at: datetime, agent: str) -> tuple[Warned, ...]:
    """Return the warning that an answer cannot name the moment; () = it can."""
    if promising.line(tx, context, ticket, at, agent=agent) is not None:
        return ()
    template = promised_text.TEMPLATE
    return (
        Warned(
            "untold", f"the answer does not name the moment: no reply template '{template}' can be filled in"
        ),
    )


class Ordered(msgspec.Struct, frozen=True):
    """What a mail asks for. at: None = no moment; word: "none" or "kept", "" = neither. doubts: sentences for its agent."""

    at: datetime | None = None
    word: str = ""
    text: str = ""
    doubts: tuple[str, ...] = ()

    @property
    def is_ordered(self) -> bool:
        return self.at is not None or bool(self.word)


def ordered(tx: Tx, context: Context, ticket: Ticket, text: str | None, *, agent: str) -> Ordered:
    """Read what an agent's mail promises, before anything is done. Raises: DeskError."""
    if text is None:
        return Ordered()
    if text.casefold() in ENDS:
        _owing(tx, context, ticket.ref, agent)
        return Ordered(word=text.casefold(), text=text)
    at = moment(tx, context, ticket, text, agent=agent)
    doubts = (*promising.doubts(tx, ticket, at), *_unsaid(tx, context, ticket, at, agent))
    return Ordered(at, "", text, tuple(f"{each.sentence[:1].upper()}{each.sentence[1:]}." for each in doubts))


def obey(tx: Tx, context: Context, ref: str, promise: Ordered, *, agent: str, is_quiet: bool) -> Ordered:
    """Do what a mail without an answer asks for; with what its agent should know. Raises: DeskError."""
    if promise.word:
        ENDS[promise.word](tx, context, ref, agent=agent)
        return promise
    made = make(tx, context, ref, promise.text, agent=agent, is_quiet=is_quiet)
    if not made.not_told:
        return promise
    return msgspec.structs.replace(
        promise, doubts=(*promise.doubts, f"The customer is not told: {made.not_told}.")
    )


ENDS = {"none": withdraw, "kept": keep}
