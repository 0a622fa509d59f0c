"""The alarm for "nothing came in": a channel that broke quietly looks just like a quiet day, so open hours are counted."""

from datetime import datetime
from typing import Protocol

import msgspec

from intake import logs
from intake.metrics import Metrics

HOUR_S = 3_600


class OpenTime(Protocol):
    """What is needed of a calendar of the rulebook (routing.calendar.Calendar)."""

    def open_between(self, start: datetime, end: datetime) -> float:
        """Seconds of open time between two instants."""
        ...


class Silence(msgspec.Struct, frozen=True):
    """How long nothing has come in. open_hours: counted by the calendar; is_alarming: longer than allowed."""

    open_hours: float
    is_alarming: bool


def judge(
    last_received: datetime, *, now: datetime, allowed_open_hours: float, calendar: OpenTime | None
) -> Silence:
    """Count the open hours since the last message. calendar: None = every hour counts.

    A daemon that has never received anything is judged from its first start: pass that as last_received.
    """
    if now <= last_received:
        return Silence(0.0, is_alarming=False)
    open_s = (now - last_received).total_seconds()
    if calendar is not None:
        open_s = calendar.open_between(last_received, now)
    return Silence(open_s / HOUR_S, is_alarming=open_s >= allowed_open_hours * HOUR_S)


class Alarm:
    """Says each silence once, and once that it is over: in the log and as the metric intake_silence_alarm."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self.is_raised = False

    def look(self, silence: Silence, *, last_received: datetime) -> None:
        if silence.is_alarming and not self.is_raised:
            hours = round(silence.open_hours, 1)
            logs.warning("silence_alarm", open_hours=hours, last_received=last_received)
        elif self.is_raised and not silence.is_alarming:
            logs.event("silence_over", last_received=last_received)
        self.is_raised = silence.is_alarming
        self._metrics.silence.set(self.is_raised)
