"""Actions that say where a ticket goes: team, level, agent, skills. What one rule event says of them is one move."""

from collections.abc import Mapping

from intake import agents, delaying, events, instants, notices, tickets
from intake.model import Context, Ticket
from intake.occasion import Occasion
from intake.store.engine import Tx
from routing.actions import Action
from routing.assignment import Assignment
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
    if relaxed.agent is not None:
        return relaxed
    chosen = agents.choose(tx, context, relaxed, level=relaxed.level)
    _tell_candidates(tx, relaxed, chosen, actor="system")
    if chosen is None or chosen.agent is None:
        return relaxed
    moved = tickets.change(tx, relaxed, actor="system", agent=chosen.agent, level=chosen.level)
    tell(tx, context, relaxed, moved, happened, why="system")
    return moved


def await_relaxing(tx: Tx, ticket: Ticket) -> None:
    """Set the timer after which the ticket's skills are not asked for any more."""
    if ticket.skills is not None and ticket.skills.relax_s is not None:
        at = instants.datetime_from_us(tx.now + ticket.skills.relax_s * 1_000_000)
        delaying.alarm(tx, ticket, delaying.RELAX, at)


def tell(tx: Tx, context: Context, before: Ticket, after: Ticket, happened: Occasion, *, why: str) -> None:
    """Send the built-in notices of an assignment that no person made, and remember whose turn it was."""
    if after.agent is not None:
        agents.note_turn(tx, after.agent)
        if context.notices.assigned:
            _send(tx, context, after, after.agent, "assigned", f"Ticket {after.ref} is yours now.", happened)
    if before.agent is not None and context.notices.taken:
        headline = f"Ticket {after.ref} is not yours any more ({why})."
        _send(tx, context, after, before.agent, "taken", headline, happened)


def _send(
    tx: Tx, context: Context, ticket: Ticket, agent: str, kind: str, headline: str, happened: Occasion
) -> None:
    notice = notices.Notice(kind=kind, headline=headline, cause=happened.cause, quote=happened.text)
    notices.send(tx, context, ticket, agent, notice)


def _learn(tx: Tx, ticket: Ticket, action: Action, actor: str) -> Ticket:
    changed = tickets.change(tx, ticket, actor=actor, skills=skills_from(action.value))
    await_relaxing(tx, changed)
    return changed


def _assigned(tx: Tx, context: Context, ticket: Ticket, asked: Mapping[str, Action], actor: str) -> Ticket:
    level = asked.get("level")
    if "agent" in asked:
        team = context.rulebook.teams.get(ticket.team or "")
        held = (name for name in wanted_levels(asked, ticket.level) or () if team and name in team.levels)
        named = next(held, ticket.level)
        return tickets.change(tx, ticket, actor=actor, level=named, agent=asked["agent"].value)
    is_waiting = "skills" in asked and ticket.agent is None
    if level is None and "team" not in asked and not is_waiting:
        return ticket
    wanted = wanted_levels(asked, ticket.level)
    relaxed = level is not None and bool(level.options.get("relaxed"))
    chosen = agents.choose(tx, context, ticket, level=wanted, relaxed=relaxed)
    _tell_candidates(tx, ticket, chosen, actor=actor)
    if chosen is None:
        return ticket
    if relaxed and ticket.skills is not None:
        ticket = tickets.change(tx, ticket, actor=actor, skills=None)
    if chosen.agent is None and ticket.agent is None:
        events.of_ticket(tx, ticket, "nobody_on_duty", team=ticket.team, level=chosen.level)
    return tickets.change(tx, ticket, actor=actor, level=chosen.level, agent=chosen.agent or ticket.agent)


def _tell_candidates(tx: Tx, ticket: Ticket, chosen: Assignment | None, *, actor: str) -> None:
    """Keep who was looked at, and why each was taken or passed over."""
    if chosen is not None:
        events.of_ticket(
            tx, ticket, "agents_compared", actor=actor, agent=chosen.agent, candidates=chosen.candidates
        )
