"""The rows of quiet rules of a ticket in memory: waiting, pending, dead or fired since the last since-event."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Literal

import msgspec

from routing import react
from routing.calendar import Calendar
from routing.rules import React

State = Literal["waiting", "pending", "dead", "fired"]


class QuietRow(msgspec.Struct, frozen=True):
    """One quiet rule since one since-event. due_at: since + its length, set while pending; it may lie in the past."""

    rule: React
    since: datetime
    state: State = "waiting"
    due_at: datetime | None = None


class QuietRows:
    """At most one row for each quiet rule; each fires at most once after each since-event."""

    def __init__(self, rules: Collection[React], calendars: Mapping[str, Calendar]) -> None:
        self._rules = tuple(rule for rule in rules if rule.quiet is not None)
        self._calendars = calendars
        self._rows: dict[str, QuietRow] = {}

    def settle(self, since: Mapping[str, datetime], holding: Collection[React]) -> None:
        """Follow a whole change. since: since-events that were part of it; holding: rules whose condition holds after it."""
        for rule in self._rules:
            if rule.quiet is not None and rule.quiet.since in since:
                self._rows[rule.rule.id] = QuietRow(rule, since[rule.quiet.since])
        for name, row in self._rows.items():
            self._rows[name] = self._followed(row, holds=row.rule in holding)

    def next_due(self) -> QuietRow | None:
        """The pending row that falls due first; ties in file order."""
        pending = [row for row in self._rows.values() if row.state == "pending"]
        order = {rule.rule.id: number for number, rule in enumerate(self._rules)}
        return min(pending, key=lambda row: (row.due_at, order[row.rule.rule.id]), default=None)

    def close(self, row: QuietRow, *, has_fired: bool) -> None:
        """Its moment has come: fired, or dead because the condition holds no more."""
        state: State = "fired" if has_fired else "dead"
        self._rows[row.rule.rule.id] = msgspec.structs.replace(row, state=state)

    def restore(self, row: QuietRow) -> None:
        """Take a row over as it was kept elsewhere."""
        self._rows[row.rule.rule.id] = row

    def rows(self) -> tuple[QuietRow, ...]:
        return tuple(self._rows.values())

    def _followed(self, row: QuietRow, *, holds: bool) -> QuietRow:
        if row.state == "waiting" and holds:
            due_at = react.quiet_due(row.rule, row.since, self._calendars)
            return msgspec.structs.replace(row, state="pending", due_at=due_at)
        if row.state == "pending" and not holds:
            return msgspec.structs.replace(row, state="dead")
        return row
