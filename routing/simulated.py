"""A ticket in memory: what the rows of a store would say of it, moved by the same clocks and the same words."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from routing import ladder as ladders
from routing import ladder_timers
from routing import sla as clockwork
from routing.calendar import ALWAYS_OPEN, Calendar
from routing.decision import Decision
from routing.facts import TicketFacts
from routing.ladder import Asked, Firing, Ladder, StepTimer
from routing.people import Skills
from routing.rulebook import Rulebook
from routing.sla import Change, Clocks, Policy

_NO_POLICY = Policy("", "", {})


class Moved(msgspec.Struct, frozen=True):
    """An event that clocks saw: those before and after it, and what they count by."""

    change: Change
    before: Clocks
    after: Clocks
    sla: str | None
    calendar: Calendar


class Simulated(msgspec.Struct, kw_only=True):
    """One ticket. sla: a policy's name, None = only a promise can fall due. is_taken: a person has done something with it.

    heard_at: the last message of the customer, automatic ones too. fired: key of a step that has fired -> when.
    asked: notices that somebody should acknowledge. since: since-event -> its last instant; pending_since: those of
    the change under way. answers, words: instants of people's public answers and of the customer's messages, oldest
    first. relax_at: when skills are not asked for any more, None = never by itself. turns: agent -> when it was given
    to them last. waits: for somebody of its team who may have it; prefers: who gets it first then. done_at: when it
    was solved or closed last, whether or not it is open again. moves: what happened to its clocks, in order.
    """

    rulebook: Rulebook
    created_at: datetime
    heard_at: datetime
    status: str
    priority: str
    team: str
    level: str | None = None
    agent: str | None = None
    nature: str | None = None
    language: str | None = None
    tags: tuple[str, ...] = ()
    fields: dict[str, str] = {}
    skills: Skills | None = None
    relax_at: datetime | None = None
    sla: str | None = None
    reopened: int = 0
    promise: datetime | None = None
    snoozed_until: datetime | None = None
    snoozed_at: datetime | None = None
    solved_at: datetime | None = None
    done_at: datetime | None = None
    is_taken: bool = False
    is_spam: bool = False
    clocks: Clocks = ()
    fired: dict[str, Firing] = msgspec.field(default_factory=dict)
    asked: list[Asked] = msgspec.field(default_factory=list)
    since: dict[str, datetime] = msgspec.field(default_factory=dict)
    pending_since: dict[str, datetime] = msgspec.field(default_factory=dict)
    answers: tuple[datetime, ...] = ()
    words: tuple[datetime, ...] = ()
    turns: dict[str, datetime] = msgspec.field(default_factory=dict)
    waits: bool = False
    prefers: str | None = None
    moves: list[Moved] = msgspec.field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return self.status in clockwork.OPEN_STATUSES

    @property
    def policy(self) -> Policy:
        return self.rulebook.policies[self.sla] if self.sla else _NO_POLICY

    @property
    def calendar(self) -> Calendar:
        return self.rulebook.calendar_of(self.sla) if self.sla else ALWAYS_OPEN

    @property
    def ladder(self) -> Ladder | None:
        return self.rulebook.ladder_of(self.sla) if self.sla else None

    def facts(self) -> TicketFacts:
        """The ticket as rules see it."""
        return TicketFacts(
            created_at=self.created_at,
            status=self.status,
            priority=self.priority,
            team=self.team,
            level=self.level,
            agent=self.agent,
            nature=self.nature,
            reopened=self.reopened,
            tags=self.tags,
            fields=dict(self.fields),
            sla=ladders.facts(self.ladder, self.clocks, self.fired),
            promise=self.promise,
        )

    # -- what happens to it ---------------------------------------------------------------------------------------

    def happened(self, event: str, at: datetime) -> None:
        """Note a since-event: quiet rules count from it once its whole change is done."""
        self.since[event] = at
        self.pending_since[event] = at

    def begin(self, at: datetime) -> None:
        """Start the clocks of a ticket that has just been opened."""
        self._move("created", at, before="new")
        self.happened("created", at)
        if self.agent is not None:
            self.happened("assigned", at)

    def set_status(self, status: str, at: datetime, *, event: str = "status") -> None:
        """Change the status with what it brings: clocks, reopenings, the instant it was solved.

        event: as clocks see it, customer_message when the customer's words bring the change about.
        """
        before, self.status = self.status, status
        was_open = before in clockwork.OPEN_STATUSES
        if self.is_open and not was_open:
            self.reopened, self.solved_at = self.reopened + 1, None
        elif was_open and not self.is_open:
            self.solved_at = self.done_at = at
            self.asked.clear()
        self._move(event, at, before=before)
        if status != before:
            self.happened("status_changed", at)

    def set_priority(self, priority: str, at: datetime) -> None:
        self.priority = priority
        self._move("priority", at)

    def set_policy(self, name: str | None, at: datetime) -> None:
        """Change the policy; time used counts, and what only the new one promises counts from the words said."""
        before, self.sla = self.calendar, name
        if name is None:
            self._move("dropped", at)
        else:
            self._move("policy", at, past=self._past(), calendar_before=before)

    def set_agent(self, agent: str | None, at: datetime) -> None:
        before, self.agent = self.agent, agent
        self.waits = False
        if agent is not None and agent != before:
            self.turns[agent] = at
            self.happened("assigned", at)

    def set_skills(self, skills: Skills | None, at: datetime) -> None:
        self.skills = skills
        relax_s = skills.relax_s if skills else None
        self.relax_at = None if relax_s is None else at + timedelta(seconds=relax_s)

    def set_promise(self, promise: datetime | None, at: datetime) -> None:
        if promise is not None and not self.is_open:
            return
        self.promise = promise
        self._move("promised", at, promise=promise)

    def snooze(self, until: datetime | None, at: datetime) -> None:
        """On hold until an instant; None = it is not asleep any more, whatever its status."""
        self.snoozed_until = until
        if until is None:
            self.snoozed_at = None
            return
        if self.status != "on_hold":
            self.set_status("on_hold", at)
        self.snoozed_at = self.since.get("status_changed")

    def answer(self, at: datetime) -> None:
        """A person's public answer."""
        self.answers = (*self.answers, at)
        self.is_taken = True
        self._move("answered", at)
        self.happened("agent_replied", at)

    def take_back_answer(self, at: datetime) -> None:
        """The last answer came back: it counts as not given."""
        if not self.answers:
            return
        *stand, gone = self.answers
        self.answers = tuple(stand)
        self._move("answer_undelivered", at, taken_back=gone, past=self._past())

    def customer_wrote(self, at: datetime) -> None:
        """Words of the customer; what they do to status and clocks comes after the rules."""
        self.words = (*self.words, at)
        self.happened("customer_replied", at)

    def drop(self, at: datetime) -> None:
        """Spam: closed, and nothing falls due any more."""
        self._move("dropped", at)
        self.set_status("closed", at)
        self.is_spam = True

    def acknowledge(self, at: datetime) -> None:
        """Somebody says that they look at it: of every notice that waits for it."""
        self.asked = [
            each if each.acknowledged_at else msgspec.structs.replace(each, acknowledged_at=at)
            for each in self.asked
        ]

    def timers(self) -> tuple[StepTimer, ...]:
        """What falls due and has not fired, earliest first."""
        answered_at = self.answers[-1] if self.answers else None
        found = ladder_timers.steps(
            self.policy,
            self.ladder,
            self.clocks,
            calendar=self.calendar,
            answered_at=answered_at,
            fired=self.fired,
        )
        found += ladder_timers.untold_breaches(self.clocks)
        if self.ladder is not None and self.asked:
            found += ladder_timers.acknowledgement_timers(
                self.ladder, self.asked, calendar=self.calendar, answered_at=answered_at
            )
        waiting = (timer for timer in found if timer.key not in self.fired)
        return tuple(sorted(waiting, key=lambda timer: timer.due_at))

    def breach(self, target: str, at: datetime) -> None:
        self.clocks = tuple(
            clockwork.breach(clock, at=at) if clock.target == target else clock for clock in self.clocks
        )

    def _past(self) -> clockwork.Past:
        answered = self.answers[-1] if self.answers else None
        ended = max((at for at in (answered, self.done_at) if at is not None), default=None)
        waiting = next((at for at in self.words if ended is None or at > ended), None)
        return clockwork.Past(
            created_at=self.created_at,
            answers=self.answers,
            waiting_since=waiting,
            status_since=self.since.get("status_changed"),
        )

    def _move(self, event: Any, at: datetime, *, before: str | None = None, **more: Any) -> None:
        if self.is_spam:
            return
        change = clockwork.Change(
            event=event,
            at=at,
            before=before or self.status,
            after=self.status,
            priority=self.priority,
            **more,
        )
        known = self.clocks
        self.clocks = clockwork.after(self.policy, known, change, calendar=self.calendar)
        self.moves.append(Moved(change, known, self.clocks, self.sla, self.calendar))


def opened(rulebook: Rulebook, decision: Decision, *, at: datetime) -> Simulated:
    """The ticket that a decision opens at an instant, its clocks running."""
    is_spam = any(action.kind == "spam" for action in decision.actions)
    ticket = Simulated(
        rulebook=rulebook,
        created_at=at,
        heard_at=at,
        status="closed" if is_spam else decision.status,
        priority=decision.priority,
        team=decision.team,
        level=decision.level,
        agent=decision.agent,
        nature=decision.nature,
        language=decision.language,
        tags=decision.tags,
        fields=dict(decision.fields),
        sla=None if is_spam else decision.sla,
        is_spam=is_spam,
        words=(at,),
        solved_at=None if decision.status in clockwork.OPEN_STATUSES and not is_spam else at,
        waits=decision.waits_for is not None,
    )
    if decision.agent is not None:
        ticket.turns[decision.agent] = at
    ticket.set_skills(decision.skills, at)
    ticket.begin(at)
    return ticket


def instant_from(value: Mapping[str, Any] | str, *, now: datetime) -> datetime:
    """The instant of a promise or a snooze: written as RFC 3339, or so many seconds from now on the wall clock."""
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    return now + timedelta(seconds=value["seconds"])
