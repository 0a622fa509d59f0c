"""POST /tickets/{ref}/…: what is done with a ticket. Each is a function that the command line calls as well."""

from collections.abc import Callable
from typing import Any

from aiohttp import web

from intake import (
    acknowledging,
    assigning,
    calling_out,
    desk_promises,
    desk_ticket,
    linking,
    merging,
    refs,
    solving,
    tickets,
    unwanted,
)
from intake import desk as agents_desk
from intake.acknowledging import Outcome, Said
from intake.desk import DeskError
from intake.model import Context, Ticket
from intake.solving import Ending
from intake.store.engine import Tx
from intake.web.access import Action, Who, may
from intake.web.desk import forms, subjects
from intake.web.desk.desk import Desk
from intake.web.desk.forms import Sent
from intake.web.routes import Route

Told = dict[str, Any]
Doing = Callable[[Tx, Context, str, Sent, Who], Told]

NOBODY = "-"  # in the list of people a ticket can be given to


def routes(desk: Desk) -> list[Route]:
    """List the routes, one for each thing that can be done."""
    found = subjects.of_ticket(desk)
    return [
        Route("POST", f"/tickets/{{ref}}/{name}", action, _answering(desk, action, doing), found)
        for name, (action, doing) in DOINGS.items()
    ]


def _answering(desk: Desk, action: Action, doing: Doing) -> Any:
    async def answer(request: web.Request, who: Who) -> web.Response:
        sent, ref = await forms.read(request), refs.normalized(request.match_info["ref"]) or ""
        context = desk.context()

        def act(tx: Tx) -> Told:
            subjects.check(tx, ref, who, action)
            return doing(tx, context, ref, sent, who)

        try:
            told = await desk.store.write(act)
        except DeskError as error:
            if forms.wants_page(request):
                return desk.refusal(who, forms.REFUSED, forms.sentence(error), ref=ref)
            return forms.refused(request, error)
        return forms.done(request, told, to=str(told.get("to") or f"/tickets/{told['ref']}"))

    return answer


def assign(tx: Tx, context: Context, ref: str, sent: Sent, who: Who) -> Told:
    """Give it to somebody, a team, or nobody."""
    to = sent.word("to")
    if to is None:
        raise DeskError("say who gets it: an agent, a team, or nobody")
    target = None if to == NOBODY else to
    return _of(assigning.assign(tx, context, ref, target, agent=who.name))


def status(tx: Tx, context: Context, ref: str, sent: Sent, who: Who) -> Told:
    """Change the status; of what is solved, how it came out."""
    ending = Ending(nature=sent.word("nature"), outcome=sent.word("outcome"))
    wanted = sent.word("status") or ""
    solving.ask(tx, ref, ending, status=wanted)
    return _of(solving.set_status(tx, context, ref, wanted, ending, agent=who.name))


def priority(tx: Tx, context: Context, ref: str, sent: Sent, who: Who) -> Told:
    return _of(agents_desk.set_priority(tx, context, ref, sent.word("priority") or "", agent=who.name))


def nature(tx: Tx, context: Context, ref: str, sent: Sent, who: Who) -> Told:
    return _of(solving.set_nature(tx, context, ref, sent.word("nature") or "", agent=who.name))


def promise(tx: Tx, context: Context, ref: str, sent: Sent, who: Who) -> Told:
    """Promise a moment, take that back, or say that it was kept."""
    when = (sent.word("when") or "").casefold()
    if when == "none":
        return _of(desk_promises.withdraw(tx, context, ref, agent=who.name))
    if when == "kept":
        return _of(desk_promises.keep(tx, context, ref, agent=who.name))
    made = desk_promises.make(tx, context, ref, when, agent=who.name, is_quiet=sent.is_set("quiet"))
    doubts = [each.sentence for each in made.doubts]
    return _of(made.ticket) | {"not_told": made.not_told, "warnings": doubts}


def merge(tx: Tx, context: Context, ref: str, sent: Sent, who: Who) -> Told:
    """Put everything said here into another ticket; both have to be theirs to merge."""
    into = sent.word("into") or ""
    _check_other(tx, into, who)
    after = merging.merge(tx, context, ref, into, agent=who.name)
    return {"ref": after.ref, "to": f"/tickets/{after.ref}", "merged": ref}


def unmerge(tx: Tx, context: Context, ref: str, sent: Sent, who: Who) -> Told:
    """Take a merge back. merged: the ref of the one that was merged, "" = this one."""
    merged = refs.normalized(sent.word("merged") or ref) or ref
    if merged != ref:
        _check_other(tx, merged, who)
    after = merging.undo(tx, context, merged, agent=who.name)
    return {"ref": after.ref, "to": f"/tickets/{after.ref}"}


def link(tx: Tx, context: Context, ref: str, sent: Sent, who: Who) -> Told:
    """Decide on the link that was suggested; to follow it both tickets have to be theirs to merge."""
    if sent.is_set("accept"):
        _check_other(tx, linking.suggested(tx, ref).ref, who)
    act = linking.accept if sent.is_set("accept") else linking.refuse
    return _of(act(tx, context, ref, agent=who.name))


def spam(tx: Tx, context: Context, ref: str, sent: Sent, who: Who) -> Told:
    """Close it as spam, its sender blocked or not; or take that back."""
    if sent.is_set("undo"):
        return _of(unwanted.unmark_spam(tx, context, ref, agent=who.name))
    is_blocked = sent.is_set("block")
    return _of(unwanted.mark_spam(tx, context, ref, agent=who.name, is_blocked=is_blocked))


def block(tx: Tx, context: Context, ref: str, sent: Sent, who: Who) -> Told:
    """Block who wrote here, or hear from them again; nobody else can be named from here."""
    known = unwanted.senders(tx, context, ref)
    wanted = [each for each in sent.every("sender") if each in known] or list(known)
    act = unwanted.unblock if sent.is_set("undo") else unwanted.block
    return {"ref": ref, "senders": act(tx, context, wanted, agent=who.name)}


def acknowledge(tx: Tx, context: Context, ref: str, sent: Sent, who: Who) -> Told:
    return _looked(acknowledging.acknowledge(tx, context, ref, Said(agent=who.name)), tx, who)


def take(tx: Tx, context: Context, ref: str, sent: Sent, who: Who) -> Told:
    return _looked(acknowledging.take(tx, context, ref, Said(agent=who.name)), tx, who)


def call(tx: Tx, context: Context, ref: str, sent: Sent, who: Who) -> Told:
    """Have their phone rung, and then the customer's."""
    called = calling_out.call(tx, context, ref, agent=who.name, number=sent.word("number"))
    return {"ref": called.ref, "said": f"{called.phone} rings: press 1 there, and {called.number} is called."}


def _looked(outcome: Outcome, tx: Tx, who: Who) -> Told:
    from intake import instants

    said = acknowledging.sentence(outcome, who.name, now=instants.datetime_from_us(tx.now))
    return {"ref": outcome.ticket.ref, "said": f"{outcome.ticket.ref} {said}."}


def _check_other(tx: Tx, typed_ref: str, who: Who) -> None:
    """See that they may merge the other ticket as well. What is not theirs to see is said not to be there."""
    ref = refs.normalized(typed_ref)
    ticket = tickets.load_by_ref(tx, ref) if ref is not None else None
    subject = desk_ticket.subject_of(tx, ref) if ref is not None and ticket is not None else None
    if subject is None:
        raise DeskError(f"there is no ticket {typed_ref.upper() or '(none was named)'}")
    if may(who, Action.merge, subject) or may(who, Action.merge_across):
        return
    raise DeskError(f"there is no ticket {ref}")


def _of(ticket: Ticket) -> Told:
    return {"ref": ticket.ref, "status": ticket.status, "agent": ticket.agent, "team": ticket.team}


DOINGS: dict[str, tuple[Action, Doing]] = {
    "assign": (Action.assign, assign),
    "status": (Action.change, status),
    "priority": (Action.change, priority),
    "nature": (Action.change, nature),
    "promise": (Action.promise, promise),
    "merge": (Action.merge, merge),
    "unmerge": (Action.merge, unmerge),
    "link": (Action.merge, link),
    "spam": (Action.spam, spam),
    "block": (Action.block, block),
    "acknowledge": (Action.acknowledge, acknowledge),
    "take": (Action.acknowledge, take),
    "call": (Action.call, call),
}
