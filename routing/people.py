"""Agents and teams as the rulebook names them; presence and load live elsewhere."""

import msgspec


class Agent(msgspec.Struct, frozen=True):
    """Somebody who answers. hours: a calendar's name, None = always on duty. skills: languages and words of the desk."""

    name: str
    email: str | None = None
    phone: str | None = None
    skills: tuple[str, ...] = ()
    hours: str | None = None


class Team(msgspec.Struct, frozen=True):
    """levels: name -> agents, from the front line up; assign: how one of a level is picked."""

    name: str
    levels: dict[str, tuple[str, ...]]
    assign: str = "least_loaded"

    @property
    def first_level(self) -> str:
        """Where a new ticket starts."""
        return next(iter(self.levels))
