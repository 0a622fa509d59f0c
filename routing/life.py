"""The life of one ticket in memory: a decision opens it, events happen to it, time fires what falls due.

The same words as in earnest: react rules see the ticket as it was before an event, built-in changes come after them,
quiet rules count once the whole change is done, and what rules change sets off no rule that waits for an event.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar

import msgspec

from routing import joining
from routing.actions import Action
from routing.conversation import LINE_BY_LINE
from routing.decision import Decision
from routing.facts import CHANGEABLE, AgentLoad, Facts
from routing.react import Reaction
from routing.rulebook import Rulebook
from routing.simulated import instant_from
from routing.ticking import Changed, Happening, Ticking

__all__ = ["CHANGED", "Event", "Happening", "Life"]

_BY_ITSELF: dict[str, dict[str, Any]] = {"reopened": {"status": "open"}, "unassigned": {"agent": None}}
CHANGED = "changed"  # by a person who does nothing else
_ONLY_CHANGES = (CHANGED, "status_changed", "reopened", "assigned", "unassigned", "team_changed")


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something from outside. kind: see routing.facts.EVENTS, or CHANGED. message: what the customer wrote or said with it.

    changes: what a person changes with it, in this order: field of the ticket -> its value ("status", "agent", "tags",
    "field.order", …; a promise as an action writes it). rating: 1 to 5. by: an agent. has_reference: the customer's
    message names the ticket.
    """

    at: datetime
    kind: str
    message: Facts | None = None
    changes: dict[str, Any] = {}
    rating: int | None = None
    by: str | None = None
    has_reference: bool = True


class Life(Ticking):
    """One ticket to which events happen, in the order of their instants.

    joins: what the customer's last message came to: same, reopened, follow_up, new; None = there was none since.
    """

    joins: str | None = None

    def __init__(self, rulebook: Rulebook, facts: Facts, decision: Decision | None = None) -> None:
        super().__init__(rulebook, facts, decision)
        self._gathered = joining.gathered(rulebook, facts)

    def have_agents(self, agents: dict[str, AgentLoad]) -> None:
        """From now on the agents are as busy, and as away, as this."""
        self.seen = msgspec.structs.replace(self.seen, agents=agents)

    def happen(self, event: Event) -> None:
        """Let time pass up to the event, then let it happen with all that follows from it."""
        self.advance(event.at)
        if self.is_ignored:
            return
        what = dict(event.changes) if event.kind == CHANGED else event.by
        self._record(Action(event.kind, what, ""), "an event")
        happened = self._happens.get(event.kind)
        if happened is not None:
            happened(self, event)
        elif event.kind not in _ONLY_CHANGES:
            self._anything(event)
        self._by_hand({**_BY_ITSELF.get(event.kind, {}), **event.changes})
        self._settle()

    # -- the customer ---------------------------------------------------------------------------------------------

    def _customer_replied(self, event: Event) -> None:
        """Words of the customer. Automatic mail starts, stops and reopens nothing; an old ticket gets a follow-up."""
        self.joins, is_gathered = self._joins(event)
        is_automatic = event.message is not None and bool(event.message.automatic)
        if self.joins != "same":
            self._record(Action("joins", self.joins, ""), f"the ticket is {self.ticket.status}")
            return
        if is_automatic and not is_gathered:
            return
        self._hear(event.message)
        self.ticket.heard_at = self.now
        was_open = self.ticket.is_open
        reaction = self._reaction("customer_replied")
        if is_automatic:
            self._carry_out(reaction)
            return
        self.ticket.customer_wrote(self.now)
        self._carry_out(reaction)
        self._follow_reply(reaction)
        self._hand_on(self._effects.placing.for_absent(self.facts("step")), "whose it was is away")
        self._read_line(event.message)
        if self.ticket.is_open and not was_open:
            self.joins = "reopened"

    def _joins(self, event: Event) -> tuple[str, bool]:
        """What the message comes to, and whether it was gathered by its key."""
        rule = self.rulebook.conversations.of(self.seen.channel)
        if event.has_reference:
            return joining.by_reference(self.ticket, rule, self.now), False
        now = joining.gathered(self.rulebook, event.message) if event.message is not None else None
        if now is not None and event.message is not None:
            return joining.by_key(self.ticket, self._gathered, now, event.message, self.now), True
        return joining.by_medium(self.ticket, rule, self.now), False

    def _follow_reply(self, reaction: Reaction) -> None:
        """What the customer's words do by themselves, after the rules: reopen, and start the clock of the next answer."""
        status = self.ticket.status
        if not reaction.reopen:
            self._record(Action("reopen", False, reaction.reopen_by), "on customer_replied")
        is_refused = not reaction.reopen or reaction.has_status
        if is_refused or status in ("new", "open", "closed"):
            self.ticket.set_status(status, self.now, event="customer_message")
            return
        self._turn("open", event="customer_message", why="the customer has answered")

    def _read_line(self, message: Facts | None) -> None:
        """Where lines are short and the first says little ("hi"), each further one may say where the ticket goes."""
        is_line = message is not None and self.seen.channel in LINE_BY_LINE
        if is_line and self.ticket.is_open and not self.ticket.is_taken:
            again = Action("route", "again", "conversations")
            self._effects.apply([again], self.facts("customer_replied"), why="a further line")

    def _hear(self, message: Facts | None) -> None:
        """From now on these are the customer's last words."""
        self.seen = self._said(message) or self.seen
        if message is not None and message.body:
            self._effects.lines.append(message.body)

    def _said(self, message: Facts | None) -> Facts | None:
        """What was written, with all else that is known."""
        if message is None:
            return None
        seen = self.seen
        return msgspec.structs.replace(
            message,
            at=self.now,
            channel=message.channel or seen.channel,
            language=message.language or seen.language,
            customer=seen.customer,
            desk=seen.desk,
            agents=seen.agents,
        )

    # -- the desk -------------------------------------------------------------------------------------------------

    def _agent_replied(self, event: Event) -> None:
        """A person's public answer. It opens a new ticket unless somebody says another status."""
        reaction = self._reaction("agent_replied", said=self._said(event.message))
        self.ticket.answer(self.now)
        self._carry_out(reaction)
        if event.by is not None and self._effects.placing.is_for_answerer(event.by, self.facts("step")):
            self._by_hand({"agent": event.by})
        is_said = "status" in event.changes or reaction.has_status
        if self.ticket.status == "new" and not is_said:
            self._turn("open", why="it was answered")

    def _delivery_failed(self, event: Event) -> None:
        """The last answer did not arrive: it counts as not given, and what waited for more waits for the desk."""
        reaction = self._reaction("delivery_failed")
        was_answered = bool(self.ticket.answers)
        self.ticket.take_back_answer(self.now)
        self._carry_out(reaction)
        is_refused = not reaction.reopen or reaction.has_status or self.ticket.is_spam
        if was_answered and not is_refused and self.ticket.status != "new":
            self._turn("open", why="an answer did not arrive")

    def _acknowledged(self, event: Event) -> None:
        reaction = self._reaction("acknowledged")
        self.ticket.acknowledge(self.now)
        self._carry_out(reaction)

    def _rated(self, event: Event) -> None:
        reaction = self._reaction("rated", rating=event.rating)
        customer = msgspec.structs.replace(self.seen.customer, last_rating=event.rating)
        self.seen = msgspec.structs.replace(self.seen, customer=customer)
        self._carry_out(reaction)

    def _merged(self, event: Event) -> None:
        """Its conversation goes on in another ticket."""
        reaction = self._reaction("merged")
        self._carry_out(reaction)
        self.ticket.set_status("closed", self.now)

    def _incident(self, event: Event) -> None:
        desk = msgspec.structs.replace(self.seen.desk, incident_open=event.kind == "incident_opened")
        self.seen = msgspec.structs.replace(self.seen, desk=desk)
        self._carry_out(self._reaction(event.kind))

    def _note_added(self, event: Event) -> None:
        self._carry_out(self._reaction("note_added", said=self._said(event.message)))

    def _anything(self, event: Event) -> None:
        """Any other event: what was said with it counts, and rules that wait for it apply."""
        self._hear(event.message)
        self._carry_out(self._reaction(event.kind))

    # -- what a person changes ------------------------------------------------------------------------------------

    def _by_hand(self, changes: Mapping[str, Any]) -> None:
        """A person changes fields: for rules that wait for it, an event for each kind of change."""
        before = {field: getattr(self.ticket, field) for field in CHANGEABLE}
        changed: Changed = {
            field: (before[field], value)
            for field, value in changes.items()
            if field in CHANGEABLE and before[field] != value
        }
        if changes:
            self.ticket.is_taken = True
        status = changed.pop("status", (None, None))[1]
        reactions = [self._reaction(kind, changed=changed) for kind in _kinds_of(changed)]
        for field, value in changes.items():
            if field != "status":
                self._set(field, value)
        if status is not None:
            self._turn(status, why="a person has said so")
        for reaction in reactions:
            self._carry_out(reaction)

    def _set(self, field: str, value: Any) -> None:
        if field == "agent":
            self.ticket.set_agent(value, self.now)
        elif field == "team":
            self.ticket.team, self.ticket.agent = value, None
            self.ticket.level = self.rulebook.teams[value].first_level
            if self.ticket.is_open:
                self._effects.placing.pick(self.facts("step"), "a person has said so")
        elif field == "priority":
            self.ticket.set_priority(value, self.now)
        elif field == "level":
            self.ticket.level = value if isinstance(value, str) else value[0]
        elif field == "promise":
            self.ticket.set_promise(None if value is None else instant_from(value, now=self.now), self.now)
        else:
            self._effects.apply([Action(field, value, "")], self.facts("step"), why="a person has said so")

    _happens: ClassVar[dict[str, Callable[["Life", Event], None]]] = {
        "customer_replied": _customer_replied,
        "agent_replied": _agent_replied,
        "delivery_failed": _delivery_failed,
        "acknowledged": _acknowledged,
        "note_added": _note_added,
        "rated": _rated,
        "merged": _merged,
        "incident_opened": _incident,
        "incident_closed": _incident,
    }


def _kinds_of(changed: Changed) -> Iterator[str]:
    """The events that changes are, apart from the status."""
    if "team" in changed:
        yield "team_changed"
    if "agent" in changed:
        yield "unassigned" if changed["agent"][1] is None else "assigned"
