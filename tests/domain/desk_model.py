"""A desk much simpler than the product, which replays the events of a store and says what is not right."""

from typing import Any

import msgspec

from tests.domain.world import World

OPEN = ("new", "open", "pending", "on_hold")
LAST_RESORT = ("had it before", "named", "stands in")


class Known(msgspec.Struct):
    """A ticket as the events have left it. is_left: with nobody, on purpose. first: who knows this comes first when it is relaxed."""

    medium: str
    team: str
    level: str
    need: set[str]
    agent: str | None = None
    status: str = "new"
    is_left: bool = False
    relaxed_at: int = 0
    first: set[str] = set()

    @property
    def is_open(self) -> bool:
        return self.status in OPEN


class DeskModel:
    """tickets: by id. turns: agent -> number of their last turn."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.tickets: dict[int, Known] = {}
        self.turns: dict[str, int] = {}
        self.away: dict[str, int | None] = {}
        self._seen = 0
        self._number = 0
        self._compared: list[dict[str, Any]] = []

    def check(self) -> None:
        """Replay what has happened since, then look at the whole desk. Raises: AssertionError."""
        for row in self.world.rows("events", "id > :seen ORDER BY id", seen=self._seen):
            self._seen = row["id"]
            self._replay(row, msgspec.json.decode(row["details"]))
        self._check_counts()
        self._check_waiting()

    def note_left(self, ticket: dict[str, Any], *, is_left: bool) -> None:
        self.tickets[ticket["id"]].is_left = is_left

    def note_refused(self, ticket: dict[str, Any], to: str | None, why: str) -> None:
        """A refusal is right only for somebody who is full."""
        known = self.tickets[ticket["id"]]
        most = self._cap(known)
        assert to is not None, why
        assert self._held(to, known.medium) >= most, f"refused with room: {why}"

    # -- replay ---------------------------------------------------------------------------------------------------

    def _replay(self, row: dict[str, Any], details: dict[str, Any]) -> None:
        if row["kind"] == "created":
            self._open(row["ticket_id"])
        elif row["kind"] == "agents_compared":
            self._compared = details["candidates"]
        elif row["kind"] in ("agent_away", "agent_back"):
            self._note_presence(row["kind"], details)
        elif details.get("field") in ("agent", "status", "team", "level", "skills"):
            self._change(row, details)

    def _open(self, ticket_id: int) -> None:
        row = self.world.row("tickets", ticket_id)
        word = row["subject"][2:]
        team = self.world.context.rulebook.teams[row["subject"][:2]]
        need = {word} & {"pl", "de"}
        self.tickets[ticket_id] = Known(row["medium"], team.name, row["level"], need)
        self._compared = [{"reason": "named"}] if word == "named" else []

    def _note_presence(self, kind: str, details: dict[str, Any]) -> None:
        if kind == "agent_back":
            self.away.pop(details["agent"], None)
        else:
            (row,) = self.world.rows("agent_state", "name = :name", name=details["agent"])
            self.away[details["agent"]] = row["away_until"]

    def _change(self, row: dict[str, Any], details: dict[str, Any]) -> None:
        known, field, to = self.tickets[row["ticket_id"]], details["field"], details["to"]
        was_holding = known.agent if known.is_open else None
        if field == "agent" and to is not None and known.is_open:
            self._check_fair(row, known, to)
        if field == "skills":
            known.first, known.need, known.relaxed_at = known.need, set(), row["at"]
        else:
            setattr(known, field, to)
        if field == "agent" and to is not None:
            known.is_left = False
            self._number += 1
            self.turns[to] = self._number
        is_holding = known.agent if known.is_open else None
        if is_holding is not None and is_holding != was_holding:
            held, most = self._held(is_holding, known.medium), self._cap(known)
            assert held <= most, f"{is_holding} was given {held} of {most} {known.medium} tickets ({row})"

    def _check_fair(self, row: dict[str, Any], known: Known, to: str) -> None:
        """Nobody able had less to do, or waited longer; a person's choice is a person's."""
        why = next((each["reason"] for each in self._compared if each.get("taken", True)), "")
        self._compared = []
        if row["actor"].startswith("agent:") and not why:
            return
        if any(word in why for word in LAST_RESORT):
            return
        able = self._able(known, row["at"])
        if known.relaxed_at == row["at"]:
            skills = {name: agent.skills for name, agent in self.world.context.rulebook.agents.items()}
            able = [name for name in able if known.first <= set(skills[name])] or able
        assert to in able, f"{to} was chosen, able are {able} ({row})"
        best = min(able, key=lambda name: self._rank(known, name))
        assert self._rank(known, to) <= self._rank(known, best), f"{best} was next, not {to} ({row})"

    def _rank(self, known: Known, name: str) -> tuple[int, int]:
        by = self.world.context.rulebook.teams[known.team].assign
        held = sum(each.agent == name and each.is_open for each in self.tickets.values())
        return (0 if by == "round_robin" else held), self.turns.get(name, 0)

    # -- looking --------------------------------------------------------------------------------------------------

    def _check_counts(self) -> None:
        kept = {(row["name"], row["medium"]): row["open_tickets"] for row in self.world.rows("agent_load")}
        counted = {pair: self._held(*pair) for pair in kept}
        assert kept == counted, f"{kept} is kept, {counted} is counted"
        for row in self.world.rows("tickets"):
            known = self.tickets[row["id"]]
            assert (row["agent"], row["status"]) == (known.agent, known.status), row

    def _check_waiting(self) -> None:
        """Nobody able is idle while something waits for them; what waits for nobody was left on purpose."""
        rows = self.world.rows("tickets", "agent IS NULL AND status IN ('new', 'open')")
        for row in rows:
            known = self.tickets[row["id"]]
            assert known.is_left == (row["waits_since"] is None), f"left or waiting? {row}"
            if not known.is_left:
                able = self._able(known, self.world.store.now_us())
                assert not able, f"{able} could have {row}"

    def _able(self, known: Known, at_us: int) -> list[str]:
        book = self.world.context.rulebook
        members = book.teams[known.team].levels[known.level]
        able = [name for name in members if self._is_there(name, at_us)]
        able = [name for name in able if known.need <= set(book.agents[name].skills)]
        return [name for name in able if self._held(name, known.medium) < self._cap(known)]

    def _is_there(self, name: str, at_us: int) -> bool:
        if name in self.away and (self.away[name] is None or (self.away[name] or 0) > at_us):
            return False
        hours = self.world.context.rulebook.agents[name].hours
        if hours is None:
            return True
        start, end = (int(each[:2]) for each in _HOURS[hours].split("-"))
        return start <= at_us // 3_600_000_000 % 24 < end

    def _held(self, name: str, medium: str) -> int:
        mine = (each for each in self.tickets.values() if each.agent == name and each.medium == medium)
        return sum(each.is_open for each in mine)

    def _cap(self, known: Known) -> int:
        return self.world.context.rulebook.teams[known.team].capacity[known.medium]


_HOURS = {"early": "06:00-14:00", "late": "12:00-20:00", "day": "08:00-18:00"}
