"""On-call schedules: who is on call when. A later layer wins where it is active."""

from datetime import date, time
from typing import Any

import msgspec


class Layer(msgspec.Struct, frozen=True):
    """agents take turns, the first one from the first hand-over on or after `start`; before it the layer is not active.

    rotate: "daily" or "weekly"; handover: (weekday with Monday 0, None = every day; local time). days: weekdays on
    which it is active, counted from hand-over to hand-over; None = all.
    """

    agents: tuple[str, ...]
    rotate: str
    start: date
    handover_day: int | None
    handover_at: time
    days: frozenset[int] | None = None


class Schedule(msgspec.Struct, frozen=True):
    """timezone: an IANA name. Hand-overs are wall-clock times there."""

    name: str
    timezone: str
    layers: tuple[Layer, ...]

    @property
    def agents(self) -> tuple[str, ...]:
        """Everybody who is ever on call, each once."""
        return tuple(dict.fromkeys(name for layer in self.layers for name in layer.agents))

    def to_json(self) -> dict[str, Any]:
        return msgspec.to_builtins(self)  # type: ignore[no-any-return]
