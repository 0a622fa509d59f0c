"""What has to fire, worked out from the text of the rulebook and the instant a ticket was created: shares no code with the daemon.

It knows just the language that tests.torture.escalation_scene writes. Two things depend on when something really
happened, and are asked of the events: an `unacknowledged` step follows its notice, and a notice that repeats and went
out when the next was due already has the others count from there.
"""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import yaml

_SECONDS = {"s": 1, "m": 60, "h": 3_600}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclasses.dataclass(frozen=True)
class Ticket:
    """created, fired, assigned: microseconds UTC; fired: key of a step -> when it was taken. kind: the first word of its subject.

    is_old: it was there before the daemon's first start.
    """

    id: int
    kind: str
    created: int
    fired: Mapping[str, int] = dataclasses.field(default_factory=dict)
    is_old: bool = False
    assigned: int = 0


@dataclasses.dataclass(frozen=True)
class Wanted:
    """One thing that falls due. due: microseconds UTC. notify: as the step or the rule says; warns: it comes before a breach."""

    kind: str
    policy: str
    step: str
    due: int
    notify: tuple[str, ...] = ()
    warns: bool = False


class Book:
    """The rulebook, as its text says."""

    def __init__(self, text: str) -> None:
        self._text = yaml.load(text, yaml.BaseLoader)
        self._slots: dict[str, list[tuple[datetime, datetime]]] = {}

    @property
    def agents(self) -> dict[str, str]:
        """Name -> address."""
        return {name: said["email"] for name, said in self._text["agents"].items()}

    def crew(self, target: str) -> set[str]:
        """The addresses of a level's agents; of those on call any is right."""
        level = self._text["teams"]["support"]["levels"].get(target)
        if isinstance(level, dict):
            (layer,) = self._text["schedules"][level["schedule"]]["layers"]
            level = layer["agents"]
        return {self.agents[name] for name in level or self.agents}

    def wanted(self, ticket: Ticket) -> Iterator[Wanted]:
        """Give all that falls due for a ticket to which nobody does anything, but for rules that run at a time of day."""
        policy = self._text["sla"].get(ticket.kind)
        if policy is not None:
            yield from self._breaches(ticket, policy)
            yield from self._climbed(ticket, policy)
        yield from self._silent(ticket, policy)

    def runs(self, minute: datetime) -> Iterator[Wanted]:
        """Give what falls due for every ticket at a time of day."""
        for rule in self._text["react"]:
            if rule["on"] == "clock":
                yield Wanted("clock", "clock", rule["id"], _us(minute))

    def _breaches(self, ticket: Ticket, policy: dict[str, Any]) -> Iterator[Wanted]:
        for target in ("first_response", "resolution"):
            if target in policy:
                due = self._at(ticket, policy, target, "breach")
                yield Wanted("breach", ticket.kind, f"breach:{target}", due)

    def _climbed(self, ticket: Ticket, policy: dict[str, Any]) -> Iterator[Wanted]:
        name = policy["ladder"]
        asking: tuple[str, int] | None = None  # the notice that waits to be acknowledged, and for how long
        for index, step in enumerate(self._text["ladders"][name]):
            key, told = f"{name}/{index}", _listed(step.get("notify"))
            if step["at"] == "unacknowledged":
                assert asking is not None
                source, within = asking
                if source in ticket.fired:
                    yield Wanted("ack", ticket.kind, key, ticket.fired[source] + within * 1_000_000, told)
                asking = (key, within)
                continue
            target, word = step["at"].split(" ")
            due = self._at(ticket, policy, target, word)
            warns = word[0] == "-" or (word.endswith("%") and int(word[:-1]) < 100)
            yield Wanted("step", ticket.kind, key, due, told, warns)
            yield from self._repeated(ticket, step, key, due)
            if "ack_within" in step:
                asking = (key, _seconds(step["ack_within"]))

    def _repeated(self, ticket: Ticket, step: dict[str, Any], key: str, first: int) -> Iterator[Wanted]:
        """The notices after the first; each keeps to the grid unless the one before it was later than a whole turn."""
        repeat = step.get("repeat", {"times": 1, "every": "0s"})
        every, due, before = _seconds(repeat["every"]) * 1_000_000, first, key
        for number in range(1, int(repeat["times"])):
            taken = ticket.fired.get(before, due)
            due = (taken if taken >= due + every else due) + every
            before = f"{key}/{number}"
            yield Wanted("step", ticket.kind, before, due, _listed(step["notify"]))

    def _silent(self, ticket: Ticket, policy: dict[str, Any] | None) -> Iterator[Wanted]:
        for rule in self._text["react"]:
            if rule["on"] != "quiet" or not self._holds(rule.get("when", {}), ticket, policy):
                continue
            since = ticket.created if rule["since"] == "created" else ticket.assigned
            due = since + _seconds(rule["for"]) * 1_000_000
            told = _listed(rule["then"].get("notify"))
            yield Wanted("quiet", f"{rule['since']}@{since}", rule["id"], due, told)

    def _holds(self, when: dict[str, str], ticket: Ticket, policy: dict[str, Any] | None) -> bool:
        """Whether a condition comes true: on the team, or on the priority that a ladder sets."""
        steps = self._text["ladders"][policy["ladder"]] if policy is not None else ()
        is_urgent = any(step.get("priority") == "urgent" for step in steps)
        is_narrow = ticket.kind == "narrow"
        return (is_urgent or "ticket.priority" not in when) and (is_narrow or "ticket.team" not in when)

    def _at(self, ticket: Ticket, policy: dict[str, Any], target: str, word: str) -> int:
        """The instant of `80%`, `breach`, `+2s` or `-10s`, in open time."""
        whole = self._length(ticket, policy, target)
        used = whole
        if word.endswith("%"):
            used = whole * int(word[:-1]) // 100
        elif word != "breach":
            used = whole + int(f"{word[0]}{_seconds(word[1:])}") * 1_000_000
        return self._open_for(policy["calendar"], ticket.created, used)

    def _length(self, ticket: Ticket, policy: dict[str, Any], target: str) -> int:
        """Microseconds; by priority it is the urgent one, unless the target was past when the ladder made the ticket urgent."""
        lengths = policy[target]
        if not isinstance(lengths, dict):
            return _seconds(lengths) * 1_000_000
        ladder, name = self._text["ladders"][policy["ladder"]], policy["ladder"]
        mover = next(index for index, step in enumerate(ladder) if step.get("priority") == "urgent")
        kept = _seconds(lengths["normal"]) * 1_000_000
        moved_at = ticket.fired.get(f"{name}/{mover}", ticket.created)
        return kept if moved_at > ticket.created + kept else _seconds(lengths["urgent"]) * 1_000_000

    def _open_for(self, calendar: str, start: int, length: int) -> int:
        """The instant at which so many open microseconds have passed."""
        at, left = _EPOCH + timedelta(microseconds=start), timedelta(microseconds=length)
        for opens, closes in self._slots_of(calendar, at):
            begin = max(opens, at)
            if begin + left <= closes:
                return _us(begin + left)
            left -= max(closes - begin, timedelta())
        raise AssertionError(f"{calendar} does not open for so long")

    def _slots_of(self, name: str, at: datetime) -> list[tuple[datetime, datetime]]:
        """The open hours of the days around an instant."""
        known = self._slots.get(name)
        if known is not None and known[0][0] <= at <= known[-1][1]:
            return known
        said = self._text["calendars"][name]
        zone, (week, hours) = ZoneInfo(said["timezone"]), next(iter(said["open"].items()))
        assert week == "mon-sun"
        day = at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
        found = []
        for number in range(5):
            for slot in _listed(hours):
                begin, end = (_clock(day + timedelta(days=number), each) for each in slot.split("-"))
                found.append((begin.astimezone(UTC), end.astimezone(UTC)))
        self._slots[name] = found
        return found


def _clock(midnight: datetime, word: str) -> datetime:
    hour, minute = map(int, word.split(":"))
    return midnight + timedelta(hours=hour, minutes=minute)


def _seconds(word: str) -> int:
    return sum(int(number) * _SECONDS[unit] for number, unit in re.findall(r"(\d+)([smh])", word))


def _listed(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value or ())


def _us(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)
