"""Agents and teams as the rulebook names them; presence and load live elsewhere."""

import msgspec

WAYS = ("email", "sms", "call", "push")
"""How a notice reaches an agent. Ways are not media: a customer writes by a medium."""

LIVE = "voice"
"""The medium of which capacity counts calls under way, one at a time: an old open ticket keeps nobody from the phone."""


class Agent(msgspec.Struct, frozen=True):
    """Somebody who answers. hours: a calendar's name, None = always on duty. skills: languages and words of the desk.

    urgent: ways to reach them when it is urgent, in their own order. deputy: who stands in while they are away.
    """

    name: str
    email: str | None = None
    phone: str | None = None
    skills: tuple[str, ...] = ()
    hours: str | None = None
    urgent: tuple[str, ...] = ()
    deputy: str | None = None


class Team(msgspec.Struct, frozen=True):
    """levels: name -> agents, from the front line up; assign: how one of a level is picked.

    on_call: level -> schedule, for levels whose members are whoever is on call; levels then names all of the schedule.
    capacity: medium -> open tickets that one agent may hold, of all teams together; a medium that is not named has no cap.
    The cap of the team that a ticket is of decides whether an agent may get it. Open = new, open, pending and on hold:
    what waits for a customer comes back at any moment, and is its agent's work then.
    returning_s: a new ticket goes to whoever answered its customer within so many seconds, if able; None = to nobody more
    than to others. answering: a ticket that nobody has is whoever's who answers it, if they have room.
    """

    name: str
    levels: dict[str, tuple[str, ...]]
    assign: str = "least_loaded"
    capacity: dict[str, int] = {}
    on_call: dict[str, str] = {}
    returning_s: int | None = None
    answering: bool = False

    def most(self, medium: str | None) -> int | None:
        """How many open tickets of a medium one agent may hold; None = any number."""
        return None if medium == LIVE else self.capacity.get(medium or "")

    @property
    def first_level(self) -> str:
        """Where a new ticket starts."""
        return next(iter(self.levels))


class Skills(msgspec.Struct, frozen=True):
    """What an agent must know to get a ticket. need: words; "language" = the ticket's own.

    relax_s: wall-clock seconds after which anybody of the level may have it, None = never by itself.
    """

    need: tuple[str, ...] = ()
    relax_s: int | None = None
