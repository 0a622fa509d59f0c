"""How a ticket came out: what it was about and how it ended, asked when somebody solves it."""

import msgspec

from intake import desk, quiet, tickets
from intake.desk import DeskError
from intake.model import OPEN_STATUSES, OUTCOMES, STATUSES, Context, Ticket
from intake.store.engine import Tx
from routing.facts import NATURES


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of a ticket when it is solved. None = nothing is said, what stood there stays."""

    nature: str | None = None
    outcome: str | None = None


def check(ending: Ending, *, status: str | None) -> None:
    """Raises: DeskError for words that are none, and for an outcome of what goes on."""
    if ending.nature is not None and ending.nature not in NATURES:
        listed = ", ".join(NATURES)
        raise DeskError(
            f"'{ending.nature}' is not a nature{desk.meant(ending.nature, list(NATURES))}: {listed}"
        )
    if ending.outcome is None:
        return
    if ending.outcome not in OUTCOMES:
        listed = ", ".join(OUTCOMES)
        hint = desk.meant(ending.outcome, list(OUTCOMES))
        raise DeskError(f"'{ending.outcome}' is not an outcome{hint}: {listed}")
    if status is not None and status in OPEN_STATUSES:
        raise DeskError(f"an outcome is of a ticket that is solved, and this one would be {status}")


def ask(tx: Tx, typed_ref: str, ending: Ending, *, status: str | None) -> None:
    """Have it said how a ticket came out that is solved or closed at the desk. Raises: DeskError where it never was."""
    if status is None or status in OPEN_STATUSES or status not in STATUSES or ending.outcome is not None:
        return
    if desk.find(tx, typed_ref, is_locked=False).outcome is None:
        raise DeskError("say how it came out: it is asked once, when a ticket is solved")


def note(tx: Tx, ticket: Ticket, ending: Ending, *, agent: str) -> Ticket:
    """Write down what is said of the ticket's end. It is locked."""
    said = {name: value for name, value in msgspec.structs.asdict(ending).items() if value is not None}
    return tickets.change(tx, ticket, actor=f"agent:{agent}", **said)


def set_status(
    tx: Tx, context: Context, typed_ref: str, status: str, ending: Ending, *, agent: str
) -> Ticket:
    """Change the status, and say how the ticket came out. Raises: DeskError."""
    check(ending, status=status)
    desk.check_agent(context, agent)
    # First what it was: the rules that wait for its end see it.
    note(tx, desk.find(tx, typed_ref), ending, agent=agent)
    return desk.set_status(tx, context, typed_ref, status, agent=agent)


def set_nature(tx: Tx, context: Context, typed_ref: str, nature: str, *, agent: str) -> Ticket:
    """Say what a ticket is about. Raises: DeskError."""
    ending = Ending(nature=nature)
    check(ending, status=None)
    desk.check_agent(context, agent)
    after = note(tx, desk.find(tx, typed_ref), ending, agent=agent)
    quiet.follow(tx, context, after)
    return after
