"""What did not arrive: an answer that came back was not given, and rules may wait for it; a lost notice is loud."""

import msgspec
from sqlalchemy import bindparam, select

from channels.contract import DeliveryFailed, Identity
from intake import (
    clocks,
    digests,
    events,
    instants,
    notices,
    opt_outs,
    other_ways,
    outbound,
    paging,
    promises,
    quiet,
    reactions,
    seating,
    tickets,
    undeliverable,
    words,
)
from intake.model import Context, Ticket
from intake.notices import Notice
from intake.reactions import Cause
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement

_CAUSE = "undelivered:"

_m = schema.messages.c
_o = schema.outbox.c
_LOST = Statement(
    select(_o.message_id, _o.cause, _o.action, _o.recipient, _m.at, _m.author, _m.automatic, _o.medium)
    .outerjoin(schema.messages, _m.id == _o.message_id)
    .where(_o.id == bindparam("outbox_id"))
)
_SENT_TO = Statement(select(_o.medium, _o.account, _o.recipient).where(_o.id == bindparam("outbox_id")))
# Notices of one cause: actions from "notify:<kind>:" on.
_OTHERS = Statement(
    select(_o.id)
    .where(
        _o.cause == bindparam("cause"),
        _o.action > bindparam("first"),
        _o.action < bindparam("last"),
        outbound.STANDS,
    )
    .limit(1)
)
_UNREACHED = Statement(
    schema.timers.update()
    .where(
        schema.timers.c.id == bindparam("timer_id"),
        schema.timers.c.is_reached == 1,
        schema.timers.c.acknowledged_at.is_(None),
    )
    .values(is_reached=0)
)


class Failure(msgspec.Struct, frozen=True):
    """Why a mail did not arrive. reason: a stable word; status: RFC 3463, "" = unknown; detail: what the server said."""

    reason: str
    status: str = ""
    detail: str = ""

    @property
    def sentence(self) -> str:
        code = f" ({self.status})" if self.status else ""
        return f"{self.reason}{code}: {self.detail}"[:500] if self.detail else f"{self.reason}{code}"


class _Lost(msgspec.Struct, frozen=True):
    """An outbox row that failed, with its message. message_id: None = no message of the conversation."""

    message_id: int | None
    cause: str
    action: str
    recipient: str
    at: int | None
    author: str | None
    automatic: str | None
    medium: str

    @property
    def is_notice(self) -> bool:
        """Whether it was for an agent; an automatic answer that a limit kept is no message either."""
        return self.message_id is None and not self.action.startswith("withheld:")

    @property
    def is_promise(self) -> bool:
        """Whether it told the customer what was promised."""
        return self.message_id is not None and self.action == promises.ACTION

    @property
    def is_answer(self) -> bool:
        """Whether a person said something to the customer."""
        return (
            self.message_id is not None
            and self.automatic is None
            and not (self.author or "").startswith("rule:")
        )


def follow(
    tx: Tx, context: Context, ticket: Ticket, outbox_id: int, failure: Failure | None = None
) -> Ticket:
    """Take back what a delivery that failed for good had done, and let the rules react. The row says failed already."""
    row = tx.one(_LOST, outbox_id=outbox_id)
    if row is None:
        return ticket
    lost = _Lost(*row)
    if lost.action.startswith("call_out:"):
        why = failure.sentence if failure is not None else ""
        events.of_ticket(tx, ticket, "call_out_failed", outbox=str(outbox_id), reason=why)
        return ticket
    if lost.is_notice:
        _lose_notice(tx, context, ticket, lost, failure, outbox_id=outbox_id)
        return ticket
    after = _take_back(tx, ticket, lost) if lost.is_answer else ticket
    cause = Cause(name=f"{_CAUSE}{outbox_id}")
    is_open_anyway = False
    # What a rule said because something came back sets off no rule when it comes back as well: that would go round.
    if not lost.cause.startswith(_CAUSE):
        reacted = reactions.react(tx, context, ticket, "delivery_failed", cause=cause, now=after)
        after, is_open_anyway = reacted.ticket, reacted.has_status or not reacted.reopens
    if lost.is_answer and not is_open_anyway:
        after = _reopen(tx, context, after, lost, cause)
    if lost.is_answer or lost.is_promise:
        _tell_assignee(tx, context, after, lost, failure, cause)
    if lost.is_promise:
        promises.note_untold(tx, after)
    quiet.follow(tx, context, after)
    return after


def blame(tx: Tx, outbox_id: int, failure: DeliveryFailed) -> None:
    """Mark the address of a row that was refused, where the refusal says that the address is why.

    The ledger is locked by sender: this comes before the ticket is.
    """
    row = tx.one(_SENT_TO, outbox_id=outbox_id)
    if row is None:
        return
    medium, account, recipient = row
    if medium == undeliverable.EMAIL:
        undeliverable.mark_refused(tx, recipient, failure.reason)
    elif failure.address_problem:
        blame_number(tx, medium, account, recipient, failure.address_problem)


def blame_number(tx: Tx, medium: str, account: str, recipient: str, problem: str) -> None:
    """Mark a number that a medium does not reach, or note in the ledger that its owner has told the provider to stop."""
    if problem == "opted_out":
        _opt_out(tx, medium, account, recipient)
    else:
        undeliverable.mark_number(tx, medium, recipient, problem)


def _opt_out(tx: Tx, medium: str, account: str, recipient: str) -> None:
    """Note that the provider refuses what goes there, unless the ledger says so already."""
    identity = Identity(undeliverable.identity_kind(medium), recipient)
    if opt_outs.holding(tx, (identity,), medium) is None:
        opt_outs.note(tx, identity, "out", how="provider", account=account)


def take_back(tx: Tx, ticket: Ticket, outbox_id: int) -> Ticket:
    """Count an answer that will never be sent as not given: clocks only, because an operator has decided it."""
    row = tx.one(_LOST, outbox_id=outbox_id)
    lost = _Lost(*row) if row is not None else None
    return _take_back(tx, ticket, lost) if lost is not None and lost.is_answer else ticket


def give_again(tx: Tx, ticket: Ticket, outbox_id: int) -> Ticket:
    """Count an answer that is sent after all as given now; it stands in the conversation where it went out."""
    row = tx.one(_LOST, outbox_id=outbox_id)
    lost = _Lost(*row) if row is not None else None
    if lost is None or not lost.is_answer:
        return ticket
    tx.update(schema.messages, {"id": lost.message_id}, at=tx.now)
    answered = tickets.stamp(tx, ticket, agent_replied_at=tx.now)
    clocks.answered(tx, answered)
    return answered


def _take_back(tx: Tx, ticket: Ticket, lost: _Lost) -> Ticket:
    """An undelivered answer counts as not given: clocks go on, and the last word is the one before."""
    answers = words.past(tx, ticket).answers
    answered_at = instants.us_from_datetime(answers[-1]) if answers else None
    after = tickets.stamp(tx, ticket, agent_replied_at=answered_at)
    if lost.at is not None:
        clocks.answer_undelivered(tx, after, lost.at)
    return after


def _reopen(tx: Tx, context: Context, ticket: Ticket, lost: _Lost, cause: Cause) -> Ticket:
    """Open a ticket that waited or was done, unless a later answer stands or it is nobody's concern any more."""
    is_settled = ticket.status in ("new", "open") or ticket.is_spam or ticket.merged_into is not None
    has_later_answer = ticket.agent_replied_at is not None and ticket.agent_replied_at > (lost.at or 0)
    if is_settled or has_later_answer:
        return ticket
    reopened = seating.set_status(tx, context, ticket, "open", actor="system", cause=cause.name)
    clocks.follow(tx, ticket, reopened)
    return reactions.changed_by_hand(tx, context, ticket, reopened, cause=cause)


def _tell_assignee(
    tx: Tx, context: Context, ticket: Ticket, lost: _Lost, failure: Failure | None, cause: Cause
) -> None:
    """Tell whose ticket it is; where it is nobody's, who wrote the answer."""
    otherwise = _offered(tx, context, ticket, lost)
    target = "assignee" if ticket.agent is not None else lost.author
    if not context.notices.delivery_failed or target is None:
        return
    why = f": {failure.sentence}" if failure is not None else ""
    headline = (
        f"An answer on {ticket.ref} did not reach {lost.recipient}{why}. It counts as not given.{otherwise}"
    )
    if lost.is_promise:
        target = lost.author or target
        headline = f"{lost.recipient} does not know what is promised on {ticket.ref}{why}. The promise stands.{otherwise}"
    notice = Notice(kind="delivery_failed", headline=headline, cause=cause.name)
    notices.send(tx, context, ticket, target, notice)


def _offered(tx: Tx, context: Context, ticket: Ticket, lost: _Lost) -> str:
    """Write on the ticket how else the customer can be reached now, and say it; "" = by nothing else."""
    ways = other_ways.of(tx, context.accounts, ticket, but=lost.medium)
    if not ways:
        return ""
    events.of_ticket(tx, ticket, "reachable_otherwise", ways=[each.public for each in ways])
    return f" {other_ways.sentence(ways)}"


def _lose_notice(
    tx: Tx, context: Context, ticket: Ticket, lost: _Lost, failure: Failure | None, *, outbox_id: int
) -> None:
    """Tell loudly that an agent was not reached; when nobody of its cause was, the step after it is due at once.

    An agent who has another way is told by that, at once.
    """
    kind = lost.action.split(":")[1] if lost.action.startswith("notify:") else lost.action.partition(":")[0]
    why = failure.sentence if failure is not None else ""
    told = {"target": lost.recipient, "notice": kind, "reason": why}
    events.of_ticket(tx, ticket, "notice_failed", **told)
    tx.signal("told", [("notice_failed", {"ticket": ticket.ref, **told})])
    if paging.failed(tx, context, ticket, outbox_id) or digests.holds(tx, lost.cause):
        return
    first = f"notify:{kind}:"
    if tx.one(_OTHERS, cause=lost.cause, first=first, last=f"{first[:-1]};") is not None:
        return
    events.of_ticket(tx, ticket, "notice_reached_nobody", target=lost.recipient, notice=kind, agents=[])
    timer_id = lost.cause.removeprefix("timer:")
    if timer_id != lost.cause and timer_id.isdecimal() and tx.run(_UNREACHED, timer_id=int(timer_id)):
        clocks.look_again(tx, ticket)
