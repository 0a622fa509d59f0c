"""How notices speak of time: instants in the zone of whoever reads them, and why a step of a ladder was taken.

A `Line` keeps its instants apart from its words, because several people read the same notice, each at their own hour.
"""

from datetime import datetime, tzinfo

import msgspec

from routing.ladder import Step

TARGETS = {
    "first_response": "first answer",
    "next_response": "next answer",
    "resolution": "solution",
    "update": "update for the customer",
    "promise": "promise to the customer",
}
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


class Line(msgspec.Struct, frozen=True):
    """A sentence. text: with {0}, {1}, … where the instants stand, when there are any. at: aware instants."""

    text: str
    at: tuple[datetime, ...] = ()

    def written(self, *, now: datetime, zone: tzinfo | None) -> str:
        """Write it for somebody. zone: None = the machine's."""
        if not self.at:  # others' words may hold braces
            return self.text
        return self.text.format(*(clock_time(each, now=now, zone=zone) for each in self.at))


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What a notice says of why it comes. urgency: for its subject, None = nothing. wish: what is asked of the reader."""

    headline: Line
    urgency: Line | None = None
    wish: Line | None = None


class Follows(msgspec.Struct, frozen=True, kw_only=True):
    """The notice that an `unacknowledged` step follows. acknowledged_by, passed_on_by: an agent, None = nobody has."""

    sent_at: datetime
    is_reached: bool
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    passed_on_by: str | None = None


def clock_time(at: datetime, *, now: datetime, zone: tzinfo | None) -> str:
    """Write an instant as a person of a zone says it today: "10:42 CET", "Tue 24 November, 10:42 CET"."""
    local, today = at.astimezone(zone), now.astimezone(zone)
    name = local.tzname() or ""
    hour = f"{local:%H:%M} {name}" if name.isalpha() else f"{local:%H:%M} (UTC{local:%z})"
    if local.date() == today.date():
        return hour
    year = "" if local.year == today.year else f" {local.year}"
    return f"{local:%a} {local.day} {local:%B}{year}, {hour}"


def length(seconds: float) -> str:
    """Write a length of time to a person: "12 minutes", "3 hours", "2 days"; less than a minute is "a minute"."""
    for unit, word in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute")):
        count = round(seconds / unit)
        if count > 1 or (count == 1 and (unit == _MINUTE or seconds >= unit)):
            return f"{count} {word}s" if count > 1 else f"an {word}" if unit == _HOUR else f"a {word}"
    return "a minute"


def of_step(
    step: Step, target: str, *, ref: str, due_at: datetime | None, now: datetime, number: int = 0
) -> Told:
    """Why a step of a target was taken. due_at: the target's, None = it is not known. number: of the notice, from 0."""
    name = TARGETS.get(target, target)
    if due_at is None:
        return Told(headline=Line(f"The {name} of ticket {ref} wants a look."))
    is_late = now >= due_at
    text = "is late: it was due at {0}." if is_late else "is due at {0}."
    nth = f" This is notice {number + 1} of {step.times}." if step.times > 1 else ""
    return Told(
        headline=Line(f"The {name} of ticket {ref} {text}{nth}", (due_at,)),
        urgency=Line("late since {0}" if is_late else "due {0}", (due_at,)),
    )


def of_follower(follows: Follows, *, ref: str) -> Line:
    """Why a step that follows a notice was taken."""
    if follows.acknowledged_at is not None:
        who = follows.acknowledged_by or "Somebody"
        text = f"{who} looks at ticket {ref} since {{0}}, but the customer has no answer yet."
        return Line(text, (follows.acknowledged_at,))
    if follows.passed_on_by is not None:
        text = f"{follows.passed_on_by} has passed on the notice of {{0}} about ticket {ref}."
        return Line(text, (follows.sent_at,))
    if not follows.is_reached:
        return Line(f"The notice of {{0}} about ticket {ref} reached nobody on duty.", (follows.sent_at,))
    return Line(f"Nobody has answered the notice of {{0}} about ticket {ref}.", (follows.sent_at,))
