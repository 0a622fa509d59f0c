"""Whether somebody answers a chat now, and when else: what a page may say without promising anything untrue.

    now     somebody on duty of the team that the rules give the account's chats to is available for them and has room
    soon    they are there, and all of them are busy
    later   nobody is there: when somebody is next, and by when an answer comes, as it has come lately after such hours

The team is the one that the rules would decide for a line without words. Nothing of it is configured. Where too little has
been answered to say how long that takes, what the rules promise is said (first_response of their policy); else nothing.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import select

from channels.contract import Availability
from intake import agents, answer_times, instants, medium_presence
from intake.answer_times import Lately
from intake.model import Context
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement
from routing import decision, duty, staffing
from routing.calendar import ALWAYS_OPEN, Calendar, NeverOpen
from routing.duty import People
from routing.facts import AgentLoad, Facts
from routing.people import Team
from routing.rulebook import Rulebook

MEDIUM = "chat"
FRESH_US = 1_000_000
MEASURED_US = 60_000_000
QUARTER = timedelta(minutes=15)

_s = schema.agent_state.c
_STATES = Statement(select(_s.name, _s.is_away, _s.away_until, _s.media))


class _Seen(msgspec.Struct, frozen=True):
    """What was found for an account. at: microseconds UTC; book: of the rules."""

    at: int
    book: str
    availability: Availability


class _Measured(msgspec.Struct, frozen=True):
    at: int
    book: str
    lately: Lately


class Availabilities:
    """Looks once in a second for each account, and measures once a minute. context: the rules in force."""

    def __init__(self, context: Callable[[], Context]) -> None:
        self._context = context
        self._seen: dict[str, _Seen] = {}
        self._measured: dict[str, _Measured] = {}

    def of_account(self, tx: Tx, account: str, *, medium: str = MEDIUM) -> Availability:
        """Return when somebody who writes to the account now is answered."""
        context = self._context()
        seen, book = self._seen.get(account), context.rulebook.hash
        if seen is None or seen.book != book or not 0 <= tx.now - seen.at < FRESH_US:
            found = self._look(tx, context, account, medium)
            seen = self._seen[account] = _Seen(tx.now, book, found)
        return seen.availability

    def _look(self, tx: Tx, context: Context, account: str, medium: str) -> Availability:
        place = place_of(context.rulebook, account, medium=medium, now_us=tx.now)
        if place is None:
            return Availability()
        crowd = Crowd.of(tx, context, medium=medium)
        calendar = place.calendar
        if calendar.is_always_open:
            calendar = staffing.own_hours(place.team, crowd.now) or calendar
        measured = self._measured.get(account)
        if (
            measured is None
            or measured.book != context.rulebook.hash
            or not 0 <= tx.now - measured.at < MEASURED_US
        ):
            lately = answer_times.lately(tx, calendar, medium=medium, team=place.team.name)
            measured = self._measured[account] = _Measured(tx.now, context.rulebook.hash, lately)
        return judged(place, crowd, calendar, measured.lately)


class Place(msgspec.Struct, frozen=True):
    """Where the rules put a chat. promised_s: open seconds until the first answer that they promise, None = none."""

    team: Team
    calendar: Calendar
    promised_s: float | None


class Crowd(msgspec.Struct, frozen=True):
    """Everybody as they are now. back: who is away -> when they are there again, None = nobody knows."""

    now: People
    back: dict[str, datetime | None]

    @classmethod
    def of(cls, tx: Tx, context: Context, *, medium: str) -> "Crowd":
        people = agents.people(tx, context, loads=agents.loads(tx), medium=medium)
        back: dict[str, datetime | None] = {}
        for name, is_away, until_us, media in tx.all(_STATES):
            said = medium_presence.read(media).get(medium)
            is_off = said is not None and said.presence == "away" and said.holds(tx.now)
            ends = [until_us] if is_away and (until_us is None or until_us > tx.now) else []
            ends += [said.until] if said is not None and is_off else []
            if ends:
                known = [each for each in ends if each is not None]
                last = instants.datetime_from_us(max(known)) if len(known) == len(ends) else None
                back[name] = last
        return cls(people, back)

    def at(self, moment: datetime) -> People:
        """Everybody as they are to be expected then: what is open by then does not count, absences do until they end."""
        loads = {
            name: AgentLoad(away=True) for name, until in self.back.items() if until is None or until > moment
        }
        return msgspec.structs.replace(self.now, loads=loads, at=moment)

    @property
    def ends(self) -> list[datetime]:
        return [each for each in self.back.values() if each is not None]


def place_of(book: Rulebook, account: str, *, medium: str, now_us: int) -> Place | None:
    """Return where a line without words would go; None = the rules have no such team."""
    facts = Facts(at=instants.datetime_from_us(now_us), channel=medium, account=account)
    decided = decision.decide(book, facts)
    team = book.teams.get(decided.team)
    if team is None:
        return None
    policy = book.policies.get(decided.sla or "")
    if policy is None:
        return Place(team, next(iter(book.calendars.values()), ALWAYS_OPEN), None)
    target = policy.targets.get("first_response")
    promised_s = float(target.span(decided.priority).nominal_s) if target is not None else None
    return Place(team, book.calendar_of(policy.name), promised_s)


def judged(place: Place, crowd: Crowd, calendar: Calendar, lately: Lately) -> Availability:
    """Return what may be said. Pure. calendar: whose open time the waits are counted in."""
    now, zone = crowd.now.at, str(calendar.zone)
    opens_at = staffing.next_staffed(place.team, calendar, at=now, people=crowd.at, ends=crowd.ends)
    if opens_at == now:
        is_live = duty.is_open(place.team, crowd.now)
        return Availability(state="now" if is_live else "soon", wait_s=lately.while_open, zone=zone)
    by = _answered_by(calendar, opens_at or now, place.promised_s, lately)
    return Availability(state="later", wait_s=lately.while_open, opens_at=opens_at, answered_by=by, zone=zone)


def _answered_by(
    calendar: Calendar, start: datetime, promised_s: float | None, lately: Lately
) -> datetime | None:
    """Return by when an answer comes, up to the next quarter of an hour; None = nobody can say."""
    usual = lately.while_closed or lately.while_open
    wait_s = float(usual[1]) if usual is not None else promised_s
    if wait_s is None:
        return None
    try:
        at = calendar.add(start, wait_s)
    except NeverOpen:
        return None
    return _rounded_up(at)


def _rounded_up(at: datetime) -> datetime:
    floor = at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)
    return floor if floor == at else floor + QUARTER
