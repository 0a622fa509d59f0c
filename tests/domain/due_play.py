"""Plays a case of the table of due times in earnest: mail comes in, agents act, timers fire, on a real store."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from intake import acknowledging, assigning, desk, desk_promises, failures, instants
from intake.store import schema
from routing import sla
from routing.case_text import Case, CaseStep
from routing.facts import Facts
from tests.domain.world import World, us
from tests.routing.due_table import Due

JAN = "jan@customer.example"
FIRST = "first@customer.example"
MOST_TIMERS = 200


class Player:
    """One ticket. clocks, timers: what its rows say at this moment."""

    def __init__(self, world: World, case: Case) -> None:
        self.world, self.case = world, case
        self.start = case.situation.facts.at
        world.clock.at = self.start
        facts = case.situation.facts
        self.ticket = world.ticket(world.receive(JAN, subject=facts.subject or "Hello", message_id=FIRST))
        self.answers: list[int] = []

    def take(self, step: CaseStep) -> None:
        """Let time pass up to a step; what falls due exactly then has happened. Then do it."""
        at = self.start + timedelta(seconds=step.offset_s)
        for _ in range(MOST_TIMERS):
            due = self._pending("due_at <= :at ORDER BY due_at, id LIMIT 1", at=us(at))
            if not due:
                break
            self.world.clock.at = max(self.world.clock.at, instants.datetime_from_us(due[0]["due_at"]))
            self.world.fire(due[0])
        else:
            raise AssertionError("timers without end")
        self.world.clock.at = at
        self._do(step)

    def wrong(self, due: Due) -> str | None:
        """What the rows say instead of what was worked out; None = the same."""
        row = self.world.clocks(self.ticket).get(due.target)
        clock = None
        if row is not None:
            clock = msgspec.convert(dict(row), sla.Clock)
        found = sla.instant(clock) if clock is not None else None
        if found != due.due_at:
            return f"{due.target} at {due.at}: {found} instead of {due.due_at}"
        if clock is None or clock.state != "running" or clock.breached_at is not None:
            return None
        waiting = self._pending("kind = 'breach' AND due_at = :due", due=us(due.due_at or due.at))
        keys = [each["step"] for each in waiting]
        return None if any(due.target in key for key in keys) else f"{due.target}: no timer at {due.due_at}"

    def missed(self) -> list[str]:
        """Targets whose breach was told, in order."""
        rows = self.world.rows(
            "events", "ticket_id = :id AND kind = 'sla_breached' ORDER BY id", id=self.ticket["id"]
        )
        return [msgspec.json.decode(row["details"])["target"] for row in rows]

    def _pending(self, where: str, **given: Any) -> list[dict[str, Any]]:
        return self.world.rows(
            "timers", f"state = 'pending' AND ticket_id = :id AND {where}", id=self.ticket["id"], **given
        )

    def _do(self, step: CaseStep) -> None:
        changes = dict(step.changes)
        {
            None: lambda *_: None,
            "agent_replied": self._answer,
            "customer_replied": self._hear,
            "delivery_failed": self._lose,
            "status_changed": self._set_status,
            "note_added": self._note,
            "team_changed": self._assign,
            "assigned": self._assign,
            "acknowledged": self._acknowledge,
        }[step.event](step.message, changes)
        self._change(step.message, changes)

    def _call(self, act: Any, *given: Any, **named: Any) -> Any:
        world = self.world
        return world.store.write_now(lambda tx: act(tx, world.context, self.ticket["ref"], *given, **named))

    def _change(self, message: Facts | None, changes: dict[str, Any]) -> None:
        """What a person changes by hand, and nothing else."""
        if "priority" in changes:
            self._call(desk.set_priority, changes["priority"], agent="ania")
        if "promise" in changes and changes["promise"] is None:
            self._call(desk_promises.withdraw, agent="ania")
        elif "promise" in changes:
            self._call(desk_promises.make, _typed(changes["promise"]), agent="ania")

    def _answer(self, message: Facts | None, changes: dict[str, Any]) -> None:
        promise = changes.pop("promise", None)
        at = None if promise is None else datetime.fromisoformat(promise).astimezone(UTC)
        given = {"agent": "ania", "text": "So it is.", "status": changes.pop("status", None), "promise": at}
        self.answers.append(self._call(desk.reply, **given))

    def _hear(self, message: Facts | None, changes: dict[str, Any]) -> None:
        headers = {"In-Reply-To": f"<{FIRST}>"}
        if message is not None and message.automatic:
            headers["Auto-Submitted"] = "auto-replied"
        body = (
            message.body if message is not None and message.body else "It is worse than before, look at it."
        )
        self.world.receive(JAN, subject="Re: Hello", body=body, headers=headers)

    def _lose(self, message: Facts | None, changes: dict[str, Any]) -> None:
        """The last answer comes back."""
        lost = self.answers.pop()
        world = self.world

        def lose(tx: Any, context: Any, ref: str) -> None:
            tx.update(schema.outbox, {"id": lost}, state="failed", next_at=None)
            failures.follow(tx, context, desk.find(tx, ref), lost)

        world.store.write_now(lambda tx: lose(tx, world.context, self.ticket["ref"]))

    def _set_status(self, message: Facts | None, changes: dict[str, Any]) -> None:
        self.world.set_status(self.ticket, changes["status"])

    def _note(self, message: Facts | None, changes: dict[str, Any]) -> None:
        self._call(desk.note, agent="ania", text=message.body if message is not None else "")

    def _assign(self, message: Facts | None, changes: dict[str, Any]) -> None:
        self._call(assigning.assign, changes.get("team") or changes.get("agent"), agent="ania")

    def _acknowledge(self, message: Facts | None, changes: dict[str, Any]) -> None:
        self._call(acknowledging.acknowledge, acknowledging.Said(agent="ania"))


def _typed(promise: str) -> str:
    """An instant as a person may type it."""
    return f"{datetime.fromisoformat(promise).astimezone(UTC):%Y-%m-%d %H:%M}+00:00"
