"""Actions that say where a ticket goes: team, level, agent, skills. What one rule event says of them is one move."""

from collections.abc import Mapping

import msgspec

from intake import delaying, instants, seating, tickets
from intake.model import Context, Ticket
from intake.occasion import Occasion
from intake.store.engine import Tx
from routing.actions import Action
from routing.assignment import Preferred
from routing.decision import skills_from
from routing.placing import wanted_levels


def place(
    tx: Tx, context: Context, ticket: Ticket, asked: Mapping[str, Action], happened: Occasion
) -> Ticket:
    """Move the ticket as a group of actions of routing.placing.KINDS says, and tell who got it and who lost it.

    With a team or a level somebody there is picked, unless an agent is named. A level where nobody is on duty leaves
    the ticket with its agent; another team does not.
    """
    actor = f"rule:{next(iter(asked.values())).rule}"
    moved = ticket
    if "skills" in asked:
        moved = _learn(tx, moved, asked["skills"], actor)
    team = asked["team"].value if "team" in asked else moved.team
    if team != moved.team:
        first = context.rulebook.teams[team].first_level if team in context.rulebook.teams else None
        moved = tickets.change(tx, moved, actor=actor, team=team, level=first, agent=None)
    moved = _assigned(tx, context, moved, asked, actor)
    if moved.agent != ticket.agent:
        tell(tx, context, ticket, moved, happened, why=actor)
    return moved


def relax(tx: Tx, context: Context, ticket: Ticket, happened: Occasion) -> Ticket:
    """Ask for no skills any more: a ticket that still waits goes to anybody of its level."""
    if ticket.skills is None:
        return ticket
    relaxed = tickets.change(tx, ticket, actor="system", skills=None)
    if relaxed.agent is not None or relaxed.waits_since is None:
        return relaxed
    # Anybody may have it now; who knows what was asked for comes first all the same.
    asking = msgspec.structs.replace(relaxed, skills=ticket.skills)
    moved = seating.pick(tx, context, asking, level=relaxed.level, actor="system", relaxed=True)
    moved = msgspec.structs.replace(moved, skills=None)
    tell(tx, context, relaxed, moved, happened, why="system")
    return moved


def await_relaxing(tx: Tx, ticket: Ticket) -> None:
    """Set the timer after which the ticket's skills are not asked for any more."""
    if ticket.skills is not None and ticket.skills.relax_s is not None:
        at = instants.datetime_from_us(tx.now + ticket.skills.relax_s * 1_000_000)
        delaying.alarm(tx, ticket, delaying.RELAX, at)


def tell(tx: Tx, context: Context, before: Ticket, after: Ticket, happened: Occasion, *, why: str) -> None:
    """Send the built-in notices of an assignment that no person made."""
    seating.tell(tx, context, before, after, cause=happened.cause, text=happened.text, why=why)


def _learn(tx: Tx, ticket: Ticket, action: Action, actor: str) -> Ticket:
    changed = tickets.change(tx, ticket, actor=actor, skills=skills_from(action.value))
    await_relaxing(tx, changed)
    return changed


def _assigned(tx: Tx, context: Context, ticket: Ticket, asked: Mapping[str, Action], actor: str) -> Ticket:
    level = asked.get("level")
    if "agent" in asked:
        return _named(tx, context, ticket, asked, actor)
    is_waiting = "skills" in asked and ticket.agent is None
    if level is None and "team" not in asked and not is_waiting:
        return ticket
    relaxed = level is not None and bool(level.options.get("relaxed"))
    if relaxed and ticket.skills is not None:
        ticket = tickets.change(tx, ticket, actor=actor, skills=None)
    wanted = wanted_levels(asked, ticket.level)
    # A step of a ladder that names a level wants somebody else than who has not reacted, if there is anybody.
    prefer = Preferred(last=ticket.agent) if relaxed else None
    return seating.pick(tx, context, ticket, level=wanted, actor=actor, relaxed=relaxed, prefer=prefer)


def _named(tx: Tx, context: Context, ticket: Ticket, asked: Mapping[str, Action], actor: str) -> Ticket:
    """Give the ticket to the agent whom a rule names, or to nobody; the level is the one that is named beside."""
    team = context.rulebook.teams.get(ticket.team or "")
    held = (name for name in wanted_levels(asked, ticket.level) or () if team and name in team.levels)
    level, agent = next(held, ticket.level), asked["agent"].value
    if agent is not None:
        return seating.pick_named(tx, context, ticket, agent, level=level, actor=actor)
    left = tickets.change(tx, ticket, actor=actor, level=level, agent=None)
    return tickets.stamp(tx, left, waits_since=None) if left.waits_since is not None else left
