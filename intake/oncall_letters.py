"""Mails to agents about their hours on call: what changed, what comes, what a shift leaves behind, a test.

They are about no ticket and ask for no answer. Times are on the clock of whoever reads them: of the calendar of their
hours, else of the schedule.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from channels.contract import Address
from intake import feed_links, handover_texts, instants, outgoing
from intake.handover_texts import Listed, local
from intake.model import Context
from intake.oncall import Change
from intake.outbound import Draft
from intake.store.engine import Tx
from routing.people import Team
from routing.schedule import Schedule

_CHANGED = {
    "oncall_taken": "{by} has taken hours of {name} from you",
    "oncall_swapped": "{by} has swapped hours of {name} with you",
    "oncall_released": "{by} has given hours of {name} back",
}


def changed(
    tx: Tx, context: Context, rota: Schedule, agent: str, pieces: Sequence[Change], *, kind: str, by: str
) -> bool:
    """Tell somebody that hours of theirs changed hands, or that hours are theirs now."""
    zone = zone_of(context, agent, rota)
    headline = _CHANGED[kind].format(by=by, name=rota.name)
    lines = [
        f"  {local(each.start_at, zone)} until {local(each.until_at, zone)}: {_whose(each, kind)}"
        for each in pieces
    ]
    text = [f"{headline}.", "", *lines, *_calendar(tx, context, agent)]
    return _send(tx, context, agent, f"oncall:{tx.new_id()}", kind, headline, text)


def _whose(change: Change, kind: str) -> str:
    if kind == "oncall_released":
        return f"{change.instead_of or 'nobody'} again, not {change.agent}"
    return f"{change.agent} instead of {change.instead_of or 'nobody'}"


def coming(
    tx: Tx,
    context: Context,
    rota: Schedule,
    agent: str,
    *,
    start: datetime,
    end: datetime | None,
    before: str | None,
) -> bool:
    """Tell somebody that their shift begins within the day."""
    zone = zone_of(context, agent, rota)
    until = f" until {local(end, zone)}" if end else ""
    headline = f"You are on call for {rota.name} from {local(start, zone)}"
    text = [
        f"{headline}{until}.",
        "",
        f"{before or 'Nobody'} has it before you. If you cannot: have a colleague take it, or swap.",
        "",
        f"  intake oncall take {rota.name} --as COLLEAGUE --from '{start.astimezone(rota.zone):%Y-%m-%dT%H:%M}'",
        f"  intake oncall swap {rota.name} --as {agent} --with COLLEAGUE",
        *_calendar(tx, context, agent),
    ]
    cause = f"oncall:{rota.name}:{instants.us_from_datetime(start)}:{tx.new_id()}"
    return _send(tx, context, agent, cause, "oncall_coming", headline, text)


def nobody(
    tx: Tx, context: Context, rota: Schedule, *, start: datetime, end: datetime | None, before: str | None
) -> list[str]:
    """Tell who goes, and the leads of the teams, that nobody is on call; who was told."""
    told = []
    for agent in dict.fromkeys((*([before] if before else []), *leads(context, rota))):
        zone = zone_of(context, agent, rota)
        until = f" until {local(end, zone)}" if end else ", and nobody follows"
        headline = f"Nobody is on call for {rota.name} from {local(start, zone)}"
        text = [
            f"{headline}{until}.",
            "",
            "Notices that go to who is on call reach nobody then. Whoever can, takes the hours:",
            "",
            f"  intake oncall take {rota.name} --as NAME --from '{start.astimezone(rota.zone):%Y-%m-%dT%H:%M}'",
        ]
        cause = f"oncall:{rota.name}:{instants.us_from_datetime(start)}:{tx.new_id()}"
        if _send(tx, context, agent, cause, "oncall_nobody", headline, text):
            told.append(agent)
    return told


def handed_over(tx: Tx, context: Context, listed: Listed) -> list[str]:
    """Send the list of a shift to who had it and to who has it now; who was told."""
    cause = f"handover:{listed.schedule.name}:{instants.us_from_datetime(listed.at)}:{tx.new_id()}"
    both = [each for each in (listed.before, listed.after) if each is not None]
    return [agent for agent in both if _send_list(tx, context, agent, cause, listed)]


def _send_list(tx: Tx, context: Context, agent: str, cause: str, listed: Listed) -> bool:
    text = handover_texts.text(listed, zone=zone_of(context, agent, listed.schedule))
    return _send(
        tx, context, agent, cause, "handover_list", handover_texts.subject(listed), text.splitlines()
    )


def test(tx: Tx, context: Context, agent: str, *, by: str | None) -> bool:
    """Send an agent a mail that only shows that mails reach them."""
    asked = f"{by} asked for it" if by else "somebody asked for it at the command line"
    text = [
        "This is a test notice: there is nothing to do.",
        "",
        f"It shows that notices by mail reach you as {agent} ({asked}).",
        *_calendar(tx, context, agent),
    ]
    return _send(tx, context, agent, f"oncall:{tx.new_id()}", "oncall_test", "Test notice", text)


def leads(context: Context, rota: Schedule) -> tuple[str, ...]:
    """Return who answers for a schedule: of each team that uses it the level "lead", else its highest one of people."""
    teams = [team for team in context.rulebook.teams.values() if rota.name in team.on_call.values()]
    return tuple(dict.fromkeys(agent for team in teams for agent in _lead(team)))


def _lead(team: Team) -> Iterable[str]:
    people = [level for level in team.levels if level not in team.on_call]
    level = "lead" if "lead" in people else people[-1] if people else None
    return team.levels[level] if level else ()


def zone_of(context: Context, agent: str, rota: Schedule) -> ZoneInfo:
    """Return the clock that an agent lives by."""
    person = context.rulebook.agents.get(agent)
    hours = context.rulebook.calendars.get(person.hours) if person is not None and person.hours else None
    return hours.zone if hours is not None else rota.zone


def _calendar(tx: Tx, context: Context, agent: str) -> list[str]:
    link = feed_links.url(tx, context, "agent", agent)
    return ["", f"Your shifts as a calendar: {link}"] if link else []


def _send(
    tx: Tx, context: Context, agent: str, cause: str, action: str, subject: str, lines: Sequence[str]
) -> bool:
    """Write a mail; false when the agent has no address, or nothing here sends mail."""
    person = context.rulebook.agents.get(agent)
    if person is None or person.email is None:
        return False
    draft = Draft(
        cause=cause,
        action=f"{action}:{agent}",
        to=Address(person.email, agent),
        subject=subject[:200],
        text="\n".join([*lines, ""]),
        author="system",
        automatic="auto-generated",
        is_public=False,
    )
    return outgoing.send_apart(tx, context, draft) is not None
