"""A ticket that is there already goes on living in memory, from what was kept of it."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from routing import react
from routing.decision import Decision, decide
from routing.facts import Facts
from routing.life import Life
from routing.quiet_rows import QuietRow
from routing.rulebook import Rulebook
from routing.simulated import Moved, Simulated
from routing.targets import Change
from routing.ticking import HORIZON


class Resumed(Life):
    """A life from an instant on. happenings: only what comes after it."""

    def __init__(
        self, rulebook: Rulebook, facts: Facts, ticket: Simulated, *, quiet: Iterable[QuietRow], now: datetime
    ) -> None:
        """Facts: of the customer's last words. quiet: the rows of quiet rules since their last since-events."""
        super().__init__(rulebook, facts, _as_it_went(rulebook, facts))
        for name in ticket.__struct_fields__:
            setattr(self.ticket, name, getattr(ticket, name))
        self.ticket.moves = [_standing(self.ticket, now)]
        self.now = now
        self.happenings.clear()
        self.applied.clear()
        self.opening = 0
        self._ends_at = now + HORIZON
        for row in quiet:
            self._quiet.restore(row)
        for name, (rule, _) in self._daily.items():
            self._daily[name] = rule, react.next_daily(rule, now, rulebook.calendars)


def _standing(ticket: Simulated, now: datetime) -> Moved:
    """The clocks that go on from now, as if they had just begun."""
    change = Change(
        event="created", at=now, before=ticket.status, after=ticket.status, priority=ticket.priority
    )
    going_on = tuple(clock for clock in ticket.clocks if clock.state in ("running", "paused"))
    return Moved(change, (), going_on, ticket.sla, ticket.calendar)


def _as_it_went(rulebook: Rulebook, facts: Facts) -> Decision:
    """A decision that does nothing: whatever the ticket's own did is done."""
    return msgspec.structs.replace(decide(rulebook, facts), actions=())
