"""A ticket's future when nobody does anything: each thing that happens with its instant, in order."""

from datetime import datetime

from routing import simulated
from routing.decision import Decision
from routing.facts import Facts
from routing.life import Happening, Life
from routing.rulebook import Rulebook
from routing.sla import Clock

__all__ = ["Happening", "armed", "future"]


def future(rulebook: Rulebook, decision: Decision, facts: Facts, *, until: datetime) -> tuple[Happening, ...]:
    """Everything that falls due up to an instant, included; what the decision itself does is not among it."""
    life = Life(rulebook, facts, decision)
    life.advance(until)
    return tuple(life.happenings[life.opening :])


def armed(rulebook: Rulebook, decision: Decision, *, at: datetime) -> tuple[Clock, ...]:
    """The clocks that a ticket with this decision starts with."""
    return simulated.opened(rulebook, decision, at=at).clocks
