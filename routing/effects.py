"""What actions do to the simulated ticket: the same words as in earnest, and nothing leaves the house.

First where the ticket goes (placing.py); then the rest in the order asked for (changing.py).
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from routing import decision, late_replies
from routing.actions import Action
from routing.changing import DOERS, set_field
from routing.facts import Facts
from routing.placing import KINDS, Placing, Record
from routing.rulebook import Rulebook
from routing.simulated import Simulated, instant_from

REPLY_WINDOW_S = 3_600  # an automatic answer goes out at most once in it, unless `once:` says else


class Effects:
    """Carries actions out on one ticket. record: takes what was done, and why; applied: gets ids of rules that matched.

    decided: what the ticket was routed by last. lines: what the customer has said so far. placing: where it goes.
    """

    def __init__(
        self,
        rulebook: Rulebook,
        ticket: Simulated,
        decided: decision.Decision,
        *,
        record: Record,
        applied: list[str],
    ) -> None:
        self.rulebook, self.ticket, self.decided = rulebook, ticket, decided
        self._record, self._applied = record, applied
        self.placing = Placing(rulebook, ticket, record=record)
        self.lines: list[str] = []
        self._replies: list[tuple[datetime, str]] = []
        self._delays: set[str] = set()

    def apply(self, actions: Iterable[Action], facts: Facts, *, why: str) -> None:
        """Do the actions. facts: of the event they follow from."""
        asked = tuple(actions)
        placing = {action.kind: action for action in asked if action.kind in (*KINDS, "route")}
        if "route" in placing:
            self._route_again(placing["route"], facts, why)
        self.placing.place(placing, facts, why)
        for action in asked:
            if action.kind not in placing:
                self._do(action, facts, why)

    def opening(self, actions: Iterable[Action], at: datetime) -> None:
        """Record what a decision does when the ticket is opened."""
        for action in actions:
            if action.kind == "reply":
                self._replies.append((at, str(action.value)))
            if action.kind == "promise" and action.value is not None:
                self.ticket.set_promise(instant_from(action.value, now=at), at)
            if action.kind == "snooze" and action.value is not None:
                self.ticket.snooze(instant_from(action.value, now=at), at)
            self._record(action, "the ticket is opened")

    def said(self, facts: Facts) -> str:
        """All that the customer has said, line by line."""
        return "\n".join(self.lines) if self.lines else facts.body

    def _route_again(self, action: Action, facts: Facts, why: str) -> None:
        """Decide anew on all that was said, while no person has taken the ticket; clocks go on from the first line."""
        if self.ticket.is_taken:
            self._record(Action("route_withheld", "again", action.rule), "a person has taken the ticket")
            return
        fresh = msgspec.structs.replace(
            facts, event="created", ticket=None, changed={}, body=self.said(facts)
        )
        again = decision.decide(self.rulebook, fresh)
        self._record(action, f"{why}: {again.rule}")
        if again.matched == self.decided.matched:
            return  # nothing new was said: the ticket stays with whom it is
        known, self.decided = {*self.decided.matched, "default"}, again
        self._applied.extend(again.matched)
        self.placing.move_as(again, facts.at)
        undone = ("ignore", "reply") if self._replies else ("ignore",)
        for effect in again.actions:
            if effect.kind not in undone and effect.rule not in known:
                self._do(effect, facts, f"routed again: {again.rule}")

    # -- what else it does ----------------------------------------------------------------------------------------

    def _do(self, action: Action, facts: Facts, why: str) -> None:
        if action.kind == "promise" and action.value is not None and not self.ticket.is_open:
            withheld = msgspec.structs.replace(action, kind="promise_withheld")
            self._record(withheld, f"the ticket is {self.ticket.status}")
            return
        doer, was_open = DOERS.get(action.kind), self.ticket.is_open
        again = self.placing.for_reopened(facts) if not was_open else None
        if action.kind.startswith("field."):
            set_field(self.ticket, action)
        elif doer is not None:
            doer(self.ticket, action, facts.at)
        if again is not None and self.ticket.is_open:
            self.placing.hand_on(again, facts.at, "whose it was is away, or holds enough")
        if action.kind == "reply":
            self._reply(action, facts, why)
        elif action.kind in ("tags", "untag"):
            for name in action.value or ():
                self._record(msgspec.structs.replace(action, value=name), why)
        else:
            self._record(action, why)
        if action.kind == "notify" and not self.placing.is_reached(str(action.value), facts):
            self._record(
                msgspec.structs.replace(action, kind="notice_reached_nobody"), "nobody of them is on duty"
            )

    def _reply(self, action: Action, facts: Facts, why: str) -> None:
        template = _template(action.value, facts.channel)
        if template is None:
            return
        written = msgspec.structs.replace(action, value=template)
        against = self._against_a_reply(template, action, facts)
        if against:
            self._record(msgspec.structs.replace(written, kind="reply_withheld"), against)
            return
        self._replies.append((facts.at, template))
        self._delays.update(filter(None, (_delay(written, facts),)))
        self._record(written, why)

    def _against_a_reply(self, template: str, action: Action, facts: Facts) -> str | None:
        if self.ticket.is_spam:
            return "spam is never answered"
        if facts.automatic:
            return f"automatic mail ({facts.automatic}) is never answered"
        delay = _delay(msgspec.structs.replace(action, value=template), facts)
        if delay is not None and late_replies.is_answered(
            delay,
            answered_at=self.ticket.answers[-1] if self.ticket.answers else None,
            wrote_at=self.ticket.words[-1] if self.ticket.words else self.ticket.created_at,
        ):
            return late_replies.ANSWERED
        if delay in self._delays:
            return late_replies.ONCE
        once_s = action.options.get("once_s")
        after = facts.at - timedelta(seconds=once_s or REPLY_WINDOW_S)
        if any(at > after for at, sent in self._replies if once_s is None or sent == template):
            window = f"{once_s} s" if once_s else "hour"
            return f"this ticket had an automatic reply within the {window}"
        return None


def _delay(action: Action, facts: Facts) -> str | None:
    """The delay that a reply tells of; of a rule's, what it waited for at this instant."""
    return late_replies.run_of(action, f"{facts.event}:{facts.at.isoformat()}")


def _template(value: Any, channel: str) -> str | None:
    """The template for a medium; a mapping is medium -> template, "" = every medium."""
    return value.get(channel, value.get("")) if isinstance(value, dict) else value
