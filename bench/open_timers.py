"""Stores with as many open timers as one likes: a few tickets made by the daemon's own code, then copied row by row in SQL.

Two kinds of tickets: "plain" ones have one timer, the breach of their resolution; "laddered" ones have the timers of a
ladder with notices. Copies share the customer and have ids, refs and clocks of their own.
"""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec

from intake import instants, refs
from intake.sections import Limits
from intake.store import opening
from intake.store.engine import Store
from tests.domain.world import World

RULES = """
version: 1
calendars:
  office: {timezone: Europe/Warsaw, open: {mon-fri: "09:00-17:00"}}
  always: {timezone: UTC, open: {mon-sun: "00:00-24:00"}}
agents:
  ania: {email: ania@desk.example}
  ewa: {email: ewa@desk.example}
  tomek: {email: tomek@desk.example}
teams:
  support: {levels: {l1: [ania], l2: [ewa], lead: [tomek]}}
sla:
  plain: {calendar: always, resolution: 400h}
  standard:
    calendar: always
    first_response: {urgent: 200h, normal: 300h}
    resolution: {urgent: 500h, normal: 600h}
    pause: [pending, on_hold]
    ladder: nudge
ladders:
  nudge:
    - {at: first_response 50%, notify: assignee}
    - {at: first_response breach, level: [l2, lead], notify: lead}
    - {at: first_response +15m, notify: lead, repeat: {every: 15m, times: 2}}
    - {at: resolution breach, priority: urgent, notify: lead}
route:
  - {id: simple, when: {subject: {words: simple}}, then: {sla: plain}}
default: {team: support, priority: normal, sla: standard, reply: none}
"""
_COPIED = ("tickets", "messages", "participants", "clocks", "timers")
_IDS = {"id", "ticket_id"}
_CHUNK = 20_000
_STRIDE = (
    1 << 34
)  # between the ids of copies: 4 s of real ones; the second kind's lie half way between the first's


def unlimited(world: World) -> World:
    """Let every notice be a mail of its own: the bench measures mails, the product would write a digest."""
    world.context = msgspec.structs.replace(world.context, limits=Limits(notices_per_minute=10**9))
    return world


def opened(folder: Path) -> tuple[Store, World]:
    """Open a folder's store with the bench's rules, as a daemon would."""
    folder.mkdir(parents=True, exist_ok=True)
    store = opening.open_store("", folder)
    return store, unlimited(World(store, folder, instants.now, rules=RULES))


def build(folder: Path, *, plain: int, timers: int, say: Callable[[str], None] = print) -> None:
    """Make a store with so many plain tickets, and as many laddered ones as make so many timers together."""
    store, world = opened(folder)
    with closing(store):
        for subject in ("Something simple", "Something else"):
            world.receive("jan@customer.example", subject=subject)
    with closing(sqlite3.connect(folder / "intake.db", isolation_level=None)) as connection:
        for pragma in ("synchronous = OFF", "journal_mode = MEMORY", "cache_size = -400000"):
            connection.execute(f"PRAGMA {pragma}")
        connection.create_function("ref_of", 1, lambda number: refs.ref_from_number(number + 1_000, b"bench"))
        made = _copy(connection, "plain", plain, say)
        per_ticket = _timers_of(connection, "standard")
        _copy(connection, "standard", max(0, timers - made) // per_ticket, say)
        connection.execute("ANALYZE")
        connection.execute("PRAGMA journal_mode = WAL")


def _timers_of(connection: sqlite3.Connection, sla: str) -> int:
    found = connection.execute(
        "SELECT count(*) FROM timers WHERE ticket_id = (SELECT min(id) FROM tickets WHERE sla = ?)", (sla,)
    ).fetchone()
    return int(found[0])


def _copy(connection: sqlite3.Connection, sla: str, tickets: int, say: Callable[[str], None]) -> int:
    """Copy the one ticket of a policy until there are so many; how many timers they have."""
    (original,) = connection.execute("SELECT min(id) FROM tickets WHERE sla = ?", (sla,)).fetchone()
    names = {table: _columns(connection, table) for table in _COPIED}
    is_plain = sla == "plain"
    given = {"original": original, "shift": 0 if is_plain else _STRIDE // 2, "odd": int(is_plain)}
    for first in range(1, tickets, _CHUNK):
        last = min(first + _CHUNK, tickets) - 1
        connection.execute("BEGIN")
        for table in _COPIED:
            connection.execute(_copying(table, names[table]), given | {"first": first, "last": last})
        connection.execute("COMMIT")
        say(f"  {sla}: {last + 1} of {tickets} tickets")
    return tickets * _timers_of(connection, sla)


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    return [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]


def _copying(table: str, names: list[str]) -> str:
    def expression(name: str) -> str:
        if name in _IDS:
            return f"{name} - number * {_STRIDE} - :shift"
        if (table, name) == ("tickets", "ref"):
            return "ref_of(number * 2 + :odd)"
        if (table, name) == ("messages", "external_id"):
            return f"{name} || '.' || number"
        return name

    own = "id" if table == "tickets" else "ticket_id"
    return (
        "WITH RECURSIVE numbers(number) AS (SELECT :first UNION ALL SELECT number + 1 FROM numbers WHERE number < :last)"
        f" INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(map(expression, names))}"
        f" FROM numbers CROSS JOIN {table} WHERE {own} = :original"
    )


def make_due(folder: Path, *, count: int, first_us: int, within_s: float) -> dict[str, int]:
    """Have so many plain tickets breach their resolution, evenly from an instant on; ref -> due instant, microseconds UTC."""
    with closing(sqlite3.connect(folder / "intake.db", isolation_level=None)) as connection:
        rows = connection.execute(
            "SELECT timers.id, ticket_id, ref FROM timers JOIN tickets ON tickets.id = ticket_id"
            " WHERE sla = 'plain' AND timers.state = 'pending' LIMIT ?",
            (count,),
        ).fetchall()
        first_ms, step_ms = first_us // 1_000, within_s * 1_000 / max(len(rows), 1)
        dues = [int(first_ms + number * step_ms) * 1_000 for number in range(len(rows))]
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            "UPDATE timers SET due_at = ? WHERE id = ?",
            ((due_us, row[0]) for due_us, row in zip(dues, rows, strict=True)),
        )
        connection.executemany(
            "UPDATE clocks SET due_at = ?, clock = json_set(clock, '$.due_at', ?) WHERE ticket_id = ?",
            (
                (due_us, instants.datetime_from_us(due_us).isoformat(), row[1])
                for due_us, row in zip(dues, rows, strict=True)
            ),
        )
        connection.execute("COMMIT")
    return {row[2]: due_us for due_us, row in zip(dues, rows, strict=True)}


def make_steps_due(folder: Path, *, count: int, at_us: int) -> None:
    """Have the first step of so many laddered tickets due, each with one notice."""
    with closing(sqlite3.connect(folder / "intake.db", isolation_level=None)) as connection:
        connection.execute(
            "UPDATE timers SET due_at = ? WHERE id IN (SELECT id FROM timers WHERE step = 'nudge/0' AND state = 'pending'"
            " LIMIT ?)",
            (at_us, count),
        )


def laddered(folder: Path, *, count: int) -> list[str]:
    """Return the refs of so many laddered tickets, whose timers nothing has moved yet."""
    with closing(sqlite3.connect(folder / "intake.db", isolation_level=None)) as connection:
        rows = connection.execute(
            "SELECT ref FROM tickets WHERE sla = 'standard' AND priority = 'normal' ORDER BY id DESC LIMIT ?",
            (count,),
        )
        return [row[0] for row in rows]
