"""Holds a store, and what the relay got, against what had to fire: each thing once, nothing missed, everybody told once.

Reads SQLite alone, read-only; the only words it shares with the daemon are those of its tables.
"""

import collections
import dataclasses
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.torture.escalation_oracle import Book, Ticket, Wanted
from tests.torture.escalation_scene import LEAVER
from tests.torture.ledger import open_read_only

_EXAMPLES = 6
_LATE_US = 60_000_000
_SEATS = 2  # of the narrow team
_UNDER_WAY = 64  # mails that the daemon may be sending when it is killed


@dataclasses.dataclass
class Verdict:
    """expected: escalations that had to be. broken: each broken promise with examples; counts: how many of each."""

    expected: int = 0
    fired: int = 0
    mails: int = 0
    digested: int = 0
    counts: dict[str, int] = dataclasses.field(default_factory=dict)
    examples: dict[str, list[str]] = dataclasses.field(default_factory=dict)

    def note(self, promise: str, what: object) -> None:
        self.counts[promise] = self.counts.get(promise, 0) + 1
        if len(self.examples.setdefault(promise, [])) < _EXAMPLES:
            self.examples[promise].append(str(what))


@dataclasses.dataclass(frozen=True)
class Told:
    """What the run knows by itself. subjects: of every ticket there has to be; old: of those before the first start; received: what the relay got, by life."""

    rules: str
    minute: datetime
    subjects: frozenset[str]
    received: Mapping[str, list[int]]
    old: frozenset[str] = frozenset()


class Audit:
    """One look at a store that has come to rest."""

    def __init__(self, store: Path, told: Told) -> None:
        self._told = told
        self._book = Book(told.rules)
        self._connection = open_read_only(store)
        self.verdict = Verdict()

    def judge(self) -> Verdict:
        self._connection.execute("BEGIN")
        self._tickets = self._all_tickets()
        for ticket in self._tickets:
            self._judge_ticket(ticket)
        self._judge_runs()
        self._judge_leftovers()
        self._judge_mails()
        self._judge_digests()
        self._judge_shift()
        self._judge_absence()
        self._judge_loads()
        self._judge_queue()
        self._connection.close()
        return self.verdict

    def _rows(self, sql: str, *values: Any) -> list[Any]:
        return self._connection.execute(sql, values).fetchall()

    def _all_tickets(self) -> list[Ticket]:
        fired: dict[int, dict[str, int]] = collections.defaultdict(dict)
        for ticket, step, at in self._rows(
            "SELECT ticket_id, json_extract(details, '$.step'), at FROM events WHERE kind = 'escalated' ORDER BY id"
        ):
            fired[ticket].setdefault(step, at)
        assigned = dict(
            self._rows("SELECT ticket_id, min(at) FROM events WHERE kind = 'assigned' GROUP BY 1")
        )
        found, seen = [], collections.Counter[str]()
        for number, subject, created in self._rows("SELECT id, subject, created_at FROM tickets ORDER BY id"):
            seen[subject] += 1
            is_old = subject in self._told.old
            told = {"is_old": is_old, "assigned": assigned.get(number, 0)}
            found.append(Ticket(number, subject.split(" ")[0], created, fired[number], **told))
        for subject in self._told.subjects - seen.keys():
            self.verdict.note("ticket missing", subject)
        for subject, count in seen.items():
            if count > 1 or subject not in self._told.subjects:
                self.verdict.note("ticket twice or never sent", subject)
        return found

    # -- what fired ---------------------------------------------------------------------------------------------

    def _judge_ticket(self, ticket: Ticket) -> None:
        wanted = {(each.policy, each.step, each.due): each for each in self._book.wanted(ticket)}
        self.verdict.expected += len(wanted)
        rows = self._rows(
            "SELECT id, kind, policy, step, due_at, fired_at FROM timers"
            " WHERE ticket_id = ? AND state = 'fired' AND kind != 'clock'",
            ticket.id,
        )
        self.verdict.fired += len(rows)
        known = collections.Counter((policy, step) for _, _, policy, step, *_ in rows)
        for number, kind, policy, step, due, at in rows:
            each = wanted.pop((policy, step, due), None)
            if each is None or known[policy, step] > 1:
                self.verdict.note("fired twice, or at another instant", (ticket, kind, step, due))
                continue
            if at < due:
                self.verdict.note("fired early", (ticket.id, step, due, at))
            self._judge_notices(ticket, each, number)
        for each in wanted.values():
            self.verdict.note("missed", (ticket, each.step, each.due))
        self._judge_events(ticket)
        self._judge_notes(ticket)

    def _judge_events(self, ticket: Ticket) -> None:
        """One event for each step and each breach, with the instant that the oracle says, in their order."""
        wanted = list(self._book.wanted(ticket))
        climbed = {each.step: each.due // 1_000_000 for each in wanted if each.kind in ("step", "ack")}
        events = self._rows(
            "SELECT json_extract(details, '$.step'), CAST(strftime('%s', json_extract(details, '$.due_at')) AS INTEGER) FROM events"
            " WHERE ticket_id = ? AND kind = 'escalated' ORDER BY id",
            ticket.id,
        )
        self._compare("event of a step", ticket, climbed, events)
        for step, at, is_late in self._rows(
            "SELECT json_extract(details, '$.step'), at, json_extract(details, '$.is_late') FROM events"
            " WHERE ticket_id = ? AND kind = 'escalated'",
            ticket.id,
        ):
            late_us = at - next((each.due for each in wanted if each.step == step), at)
            if is_late != (late_us > _LATE_US):
                self.verdict.note("said to be late, or not", (ticket.id, step, late_us))
        breached = {each.step: each.due // 1_000_000 for each in wanted if each.kind == "breach"}
        events = self._rows(
            "SELECT 'breach:' || json_extract(details, '$.target'), CAST(strftime('%s', json_extract(details, '$.due_at')) AS INTEGER)"
            " FROM events WHERE ticket_id = ? AND kind = 'sla_breached'",
            ticket.id,
        )
        self._compare("breach", ticket, breached, events)
        order = [climbed[step] for step in ticket.fired if step in climbed]
        if order != sorted(order):
            self.verdict.note("out of order", (ticket, order))

    def _compare(self, what: str, ticket: Ticket, wanted: dict[str, int], events: Iterable[Any]) -> None:
        counted = collections.Counter(step for step, _ in events)
        for step, due in events:
            if wanted.get(step, due) != due:
                self.verdict.note(f"{what} with another instant", (ticket, step, due))
        for step in wanted.keys() | counted.keys():
            if counted[step] != (step in wanted):
                name = "missed" if not counted[step] else "told twice" if step in wanted else "not wanted"
                self.verdict.note(f"{what} {name}", (ticket, step, counted[step]))

    def _judge_notes(self, ticket: Ticket) -> None:
        """What rules did in the transaction of a warning, a breach, a silence: once for each."""
        wanted = list(self._book.wanted(ticket))
        expected = {
            "rule:warned": sum(each.warns for each in wanted),
            "rule:late": sum(each.kind == "breach" for each in wanted),
            "rule:silent": sum(each.step == "silent" for each in wanted),
        }
        counted = dict(
            self._rows(
                "SELECT author, count(*) FROM messages WHERE ticket_id = ? AND direction = 'note' AND author != 'rule:morning'"
                " GROUP BY author",
                ticket.id,
            )
        )
        if collections.Counter(counted) != collections.Counter(expected):
            self.verdict.note("a rule acted twice or not at all", (ticket, counted, expected))

    def _judge_runs(self) -> None:
        """The rule that runs at a time of day: once for each ticket that was there, at most once for one that came since."""
        for run in self._book.runs(self._told.minute):
            rows = self._rows(
                "SELECT ticket_id, due_at, (SELECT count(*) FROM messages WHERE messages.ticket_id = timers.ticket_id"
                " AND author = ?) FROM timers WHERE kind = 'clock' AND step = ?",
                f"rule:{run.step}",
                run.step,
            )
            visited = {row[0] for row in rows}
            for ticket, due, notes in rows:
                if due != run.due or notes != 1:
                    self.verdict.note("a run of a clock rule twice", (ticket, due, notes))
            for ticket in self._tickets:
                if ticket.is_old and ticket.id not in visited:
                    self.verdict.note("a run of a clock rule missed", ticket.id)
            self.verdict.expected += len(visited)
            self.verdict.fired += len(rows)

    def _judge_leftovers(self) -> None:
        for state, kind, step, count in self._rows(
            "SELECT state, kind, step, count(*) FROM timers WHERE state NOT IN ('fired', 'cancelled') GROUP BY 1, 2, 3"
        ):
            self.verdict.note(f"timer {state}", (kind, step, count))
        for kind, count in self._rows(
            "SELECT kind, count(*) FROM events WHERE kind IN ('rule_failed', 'timer_failed', 'timer_skipped', 'not_sent',"
            " 'notice_reached_nobody', 'action_not_done') GROUP BY 1"
        ):
            self.verdict.note(f"event {kind}", count)

    # -- who was told -------------------------------------------------------------------------------------------

    def _judge_notices(self, ticket: Ticket, each: Wanted, timer: int) -> None:
        cause = f"timer:{timer}" if each.kind != "quiet" else f"timer:{timer}:quiet"
        told = [
            row[0]
            for row in self._rows(
                "SELECT recipient FROM outbox WHERE cause = ?1 AND action LIKE 'notify:escalated:%'"
                " UNION ALL SELECT address FROM digest_items WHERE cause = ?1 AND action LIKE 'notify:escalated:%'",
                cause,
            )
        ]
        wanted: set[str] = set()
        one_of = [self._book.crew(name) for name in each.notify if name in ("assignee", "oncall")]
        for name in each.notify:
            wanted |= set() if name in ("assignee", "oncall") else self._book.crew(name)
        one = set(told) - wanted
        is_one = len(one) == len(one_of) and all(one <= crew for crew in one_of)
        if len(told) != len(set(told)) or not wanted <= set(told) or not is_one:
            self.verdict.note("notice twice or missed", (ticket.id, each.step, sorted(told), each.notify))

    def _judge_mails(self) -> None:
        """Every mail reached the relay; twice only over the end of the daemon, when nobody knew whether it had gone out."""
        decided = {}
        for payload, state, error in self._rows("SELECT payload, state, error FROM outbox"):
            decided[json.loads(payload)["message_id"]] = state
            if state != "sent":
                self.verdict.note("mail not sent", (state, error))
        self.verdict.mails = len(decided)
        for name in decided.keys() - self._told.received.keys():
            self.verdict.note("mail never came", name)
        for name, lives in self._told.received.items():
            if name not in decided:
                self.verdict.note("mail never decided", name)
            if len(lives) != len(set(lives)):
                self.verdict.note("mail twice in one life", (name, lives))
        again = collections.Counter(life for lives in self._told.received.values() for life in lives[:-1])
        for life, count in again.items():
            if count > _UNDER_WAY:
                self.verdict.note("more mails again than were under way", (life, count))

    def _judge_digests(self) -> None:
        """What was held stands in exactly one digest that names its ticket, or still waits for its minute."""
        held = "SELECT address, count(*), min(place), max(place) FROM digest_items GROUP BY 1"
        for address, count, first, last in self._rows(held):
            if (first, last) != (1, count):
                self.verdict.note("notices held with gaps", (address, count, first, last))
        for address, place, ref, told, state, text in self._rows(
            "SELECT d.address, d.place, t.ref, count(g.id), g.state, json_extract(o.payload, '$.text') FROM digest_items d"
            " JOIN tickets t ON t.id = d.ticket_id"
            " LEFT JOIN digests g ON g.address = d.address AND d.place > g.told_after AND d.place <= g.told_to"
            " LEFT JOIN outbox o ON o.id = g.id GROUP BY d.id"
        ):
            self.verdict.digested += told
            if told > 1 or (told and state != "sent"):
                self.verdict.note("notice in no digest, or in two", (address, place, told, state))
            elif told and (text is None or (ref not in text and "intake digests show" not in text)):
                self.verdict.note("digest without a ticket", (address, place, ref))
        for address, told, covered in self._rows(
            "SELECT b.address, b.told, coalesce(sum(g.told_to - g.told_after), 0) FROM digest_boxes b"
            " LEFT JOIN digests g ON g.address = b.address GROUP BY 1"
        ):
            if told != covered:
                self.verdict.note("notices told without a digest", (address, told, covered))

    # -- what falls due without a ticket ----------------------------------------------------------------------------

    def _judge_shift(self) -> None:
        (count,) = self._rows("SELECT count(*) FROM events WHERE kind = 'handed_over'")[0]
        lists = [
            row[0] for row in self._rows("SELECT recipient FROM outbox WHERE action LIKE 'handover_list:%'")
        ]
        if count != 1 or sorted(lists) != sorted(self._book.crew("oncall")):
            self.verdict.note("shift not handed over once", (count, lists))
        notices = dict(
            self._rows(
                "SELECT ticket_id, count(*) FROM (SELECT ticket_id, action FROM outbox UNION ALL"
                " SELECT ticket_id, action FROM digest_items) WHERE action LIKE 'notify:escalated:handover:%' GROUP BY 1"
            )
        )
        for ticket in self._tickets:
            if notices.get(ticket.id, 0) != (ticket.kind == "paged" and ticket.is_old):
                self.verdict.note("notice of a shift not handed over once", (ticket, notices.get(ticket.id)))

    def _judge_absence(self) -> None:
        told = collections.Counter(
            row[0] for row in self._rows("SELECT kind FROM events WHERE kind IN ('agent_away', 'agent_back')")
        )
        if told != {"agent_away": 1, "agent_back": 1}:
            self.verdict.note("absence not ended once", dict(told))
        (left,) = self._rows("SELECT count(*) FROM away_moves")[0]
        letters = collections.Counter(
            row[0]
            for row in self._rows(
                "SELECT recipient FROM outbox WHERE cause LIKE 'away:%' AND ticket_id IS NULL"
            )
        )
        (moved,) = self._rows("SELECT count(*) FROM events WHERE kind = 'unassigned'")[0]
        if left or letters[self._book.agents[LEAVER]] != bool(moved) or max(letters.values(), default=0) > 1:
            self.verdict.note("absence not told once", (left, letters))

    def _judge_loads(self) -> None:
        counted = self._rows(
            "SELECT agent, count(*) FROM tickets WHERE agent IS NOT NULL AND status NOT IN ('solved', 'closed') GROUP BY 1"
        )
        kept = self._rows(
            "SELECT name, sum(open_tickets) FROM agent_load GROUP BY 1 HAVING sum(open_tickets) > 0"
        )
        if sorted(counted) != sorted(kept):
            self.verdict.note("load counted wrong", (counted, kept))

    def _judge_queue(self) -> None:
        """A narrow team: each ticket is given out once and solved, and its one agent never holds more than two."""
        narrow = {ticket.id for ticket in self._tickets if ticket.kind == "narrow"}
        held, seats, given = 0, _SEATS, collections.Counter[int]()
        for ticket, kind in self._rows(
            "SELECT ticket_id, kind FROM events WHERE kind = 'assigned' OR (kind = 'status_changed'"
            " AND json_extract(details, '$.to') = 'solved') ORDER BY id"
        ):
            if ticket in narrow:
                given[ticket] += kind == "assigned"
                held += 1 if kind == "assigned" else -1
                if held > seats:
                    self.verdict.note("more tickets than seats", (ticket, held))
        if held or given != dict.fromkeys(narrow, 1):
            self.verdict.note(
                "a ticket that waits not given out once", (held, len(narrow), given.most_common(3))
            )
