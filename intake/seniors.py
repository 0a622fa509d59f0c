"""Whether somebody above the front line has a ticket now: what a notice of a delay may say, and only when it is true."""

from intake.model import Context, Ticket


def level(context: Context, ticket: Ticket) -> str:
    """Return the name of the level above the first one whose agent has the ticket; "" = nobody of one has."""
    team = context.rulebook.teams.get(ticket.team or "")
    if team is None or ticket.agent is None or ticket.level in (None, team.first_level):
        return ""
    return str(ticket.level) if ticket.agent in team.levels.get(str(ticket.level), ()) else ""
