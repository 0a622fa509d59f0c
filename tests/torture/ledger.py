"""The oracle: holds what the client was promised against what the store has.

`python -m tests.torture.ledger STORE LEDGER... --seed N` opens the store read-only, in a process that shares nothing
with the daemon, and exits 1 when a promise is broken. A marker is a word in the body of exactly one mail:

* acknowledged: exactly one incoming message has it, and that message stands in one ticket that exists;
* sent, but never acknowledged: none or one; after it was sent again and acknowledged, one;
* no incoming message without a marker that was sent; no ticket without a message; no two acknowledgements to a ticket.
"""

import argparse
import collections
import dataclasses
import json
import sqlite3
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.torture import mailmix

_EXAMPLES = 10


@dataclasses.dataclass
class Promises:
    """What ledgers say, by marker."""

    sent: set[str] = dataclasses.field(default_factory=set)
    acked: set[str] = dataclasses.field(default_factory=set)
    broken: int = 0  # answers that never came
    refused: int = 0


@dataclasses.dataclass
class Verdict:
    """acked, stored, tickets: how many. The lists hold up to ten examples of each broken promise, `counts` how many."""

    acked: int
    unacked: int
    stored: int
    tickets: int
    counts: dict[str, int]
    examples: dict[str, list[str]]

    @property
    def is_clean(self) -> bool:
        return not any(self.counts.values())


def promises_from(paths: Iterable[Path], *, seed: int) -> Promises:
    """Read ledgers; a torn last line (the client itself was ended) is left out."""
    promises = Promises()
    for path in paths:
        for line in path.read_text().split("\n")[:-1]:
            letter, number, *_ = line.split(" ")
            marker = mailmix.marker(int(number), seed=seed)
            promises.sent.add(marker)
            if letter == "A":
                promises.acked.add(marker)
            promises.broken += letter == "U"
            promises.refused += letter == "R"
    return promises


def open_read_only(store: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(f"file:{store}?mode=ro", uri=True, isolation_level=None, timeout=10)
    connection.execute("PRAGMA query_only = 1")
    return connection


def backlog(connection: sqlite3.Connection) -> tuple[int, int]:
    """Count what is not settled yet and what is not delivered yet."""
    pending = connection.execute("SELECT count(*) FROM journal WHERE state = 'pending'").fetchone()[0]
    queued = connection.execute("SELECT count(*) FROM outbox WHERE state = 'queued'").fetchone()[0]
    return pending, queued


def verdict(connection: sqlite3.Connection, promises: Promises) -> Verdict:
    """Judge one snapshot of a store that has settled."""
    connection.execute("BEGIN")
    places, strangers = _places(connection)
    broken = {
        "lost": [marker for marker in promises.acked if marker not in places],
        "twice": [marker for marker, tickets in places.items() if len(tickets) > 1],
        "never sent": [marker for marker in places if marker not in promises.sent],
        "without marker": strangers,
        **_broken_store(connection),
    }
    answer = Verdict(
        acked=len(promises.acked),
        unacked=len(promises.sent - promises.acked),
        stored=sum(map(len, places.values())),
        tickets=connection.execute("SELECT count(*) FROM tickets").fetchone()[0],
        counts={name: len(markers) for name, markers in broken.items()},
        examples={name: sorted(markers)[:_EXAMPLES] for name, markers in broken.items() if markers},
    )
    connection.execute("COMMIT")
    return answer


def _places(connection: sqlite3.Connection) -> tuple[dict[str, list[int]], list[str]]:
    """Give the tickets that each marker stands in, and the incoming messages that have none."""
    places: dict[str, list[int]] = collections.defaultdict(list)
    strangers: list[str] = []
    rows = connection.execute("SELECT id, ticket_id, body FROM messages WHERE direction = 'in'")
    for message_id, ticket_id, body in rows:
        markers = set(mailmix.MARKER.findall(body))
        for marker in markers:
            places[marker].append(ticket_id)
        if len(markers) != 1:
            strangers.append(f"message {message_id}")
    return places, strangers


_BROKEN = {
    "message without ticket": "SELECT id FROM messages WHERE ticket_id NOT IN (SELECT id FROM tickets)",
    "ticket without message": "SELECT ref FROM tickets WHERE id NOT IN (SELECT ticket_id FROM messages WHERE direction = 'in')",
    "unsettled": "SELECT id FROM journal WHERE state = 'pending'",
    "quarantined": "SELECT id FROM journal WHERE state = 'quarantined'",
    "settled without message": "SELECT id FROM journal WHERE state IN ('ticket', 'automatic') AND message_id IS NULL",
    "message of a journal row twice": "SELECT journal_id FROM messages WHERE direction = 'in' GROUP BY journal_id HAVING count(*) > 1",
    "wrong message count": "SELECT ref FROM tickets WHERE messages != "
    "(SELECT count(*) FROM messages WHERE ticket_id = tickets.id AND direction = 'in')",
    "acknowledged to twice": "SELECT ticket_id FROM outbox WHERE action LIKE 'reply:%' GROUP BY ticket_id HAVING count(*) > 1",
    "raw bytes missing": "SELECT id FROM journal WHERE blob_id NOT IN (SELECT id FROM blobs)",
}


def _broken_store(connection: sqlite3.Connection) -> dict[str, list[str]]:
    found = {name: [str(row[0]) for row in connection.execute(sql)] for name, sql in _BROKEN.items()}
    check = [str(row[0]) for row in connection.execute("PRAGMA quick_check(10)")]
    return {**found, "damaged": [] if check == ["ok"] else check}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.torture.ledger", description=__doc__)
    parser.add_argument("store", type=Path)
    parser.add_argument("ledgers", type=Path, nargs="+")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    promises = promises_from(options.ledgers, seed=options.seed)
    answer = verdict(open_read_only(options.store), promises)
    print(json.dumps({**dataclasses.asdict(answer), "broken": promises.broken, "refused": promises.refused}))
    sys.exit(0 if answer.is_clean else 1)


if __name__ == "__main__":
    main()
