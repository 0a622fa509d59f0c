"""What PostgreSQL does for the desk's lists and searches with a hundred thousand tickets: it goes along their indexes."""

import itertools
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import psycopg
import pytest

from intake import desk_counts, desk_list, desk_rows, search_known, search_match, searching
from intake.store import opening
from intake.store.statements import Statement

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.timeout(120)]

TICKETS = 100_000  # every tenth is open
_FILL = f"""
INSERT INTO customers (id, name, created_at) SELECT n, 'c' || n, n FROM generate_series(1, {TICKETS} / 3) n;
INSERT INTO identities (id, kind, value, customer_id, created_at, digits)
  SELECT n, 'email', 'c' || n || '@example.net', n, n, NULL FROM generate_series(1, {TICKETS} / 3) n;
INSERT INTO identities (id, kind, value, customer_id, created_at, digits)
  SELECT 1000000 + n, 'phone', '+48' || n, n, n, reverse('48' || (600000000 + n)) FROM generate_series(1, {TICKETS} / 3) n;
INSERT INTO tickets (id, ref, customer_id, subject, medium, account, rule, status, team, agent, solved_at, next_due_at,
    created_at, updated_at, written_at, messages)
  SELECT n, 'R' || n, n / 3, 's', 'email', 'a', 'default', CASE WHEN n % 10 = 0 THEN 'open' ELSE 'closed' END,
    CASE WHEN n % 17 = 0 THEN NULL ELSE 'team' || n % 20 END, CASE WHEN n % 3 = 0 THEN NULL ELSE 'agent' || n % 100 END,
    CASE WHEN n % 10 = 0 THEN NULL ELSE n END, CASE WHEN n % 10 = 0 THEN n * 1000 END, n, n, n, 1
  FROM generate_series(1, {TICKETS}) n;
INSERT INTO messages (id, ticket_id, customer_id, direction, author, medium, account, body, at)
  SELECT n, n, n / 3, 'in', 'c', 'email', 'a', 'word' || n % 5000, n FROM generate_series(1, {TICKETS}) n;
INSERT INTO search_words (id, words)
  SELECT n, to_tsvector('simple', 'word' || n % 5000 || ' common' || n % 7) FROM generate_series(1, {TICKETS}) n;
ANALYZE;
"""
_WHOLE = re.compile(r"Seq Scan on (tickets|messages|identities|customers|search_words)\b")
_GIVEN: Mapping[str, Any] = {
    "sees_any": 1, "sees_all": 0, "seen_by": "agent7", "seen_teams": '["team3","team4"]', "part": "team3", "most": 51,
    "at": 2**63 - 1, "at_id": 2**63 - 1, "status": None, "channel": None, "priority": None, "of_team": None, "tag": None,
    "is_nobodys": 0, "in_teams": 0, "ids": "[5,6,7]", "since": -1, "id": 5, "ref": "R5", "customer_id": 5, "before": 2**63 - 1,
    "statuses": None, "statuses_asked": "[]", "of_agent": None, "written_after": None, "written_before": None,
}  # fmt: skip


@pytest.fixture(scope="module")
def filled(
    postgres_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute('CREATE DATABASE "desk_plans" TEMPLATE "template_intake"')
    url = postgres_server.replace("/postgres?", "/desk_plans?")
    opening.open_store(url, tmp_path_factory.mktemp("plans")).close()
    with closing(psycopg.connect(url, autocommit=True)) as connection:
        connection.execute(_FILL)
        yield connection


def plan(connection: psycopg.Connection[Any], statement: Statement, given: Mapping[str, Any]) -> str:
    sql, own, _ = statement.compiled("postgresql")
    rows = connection.execute("EXPLAIN " + sql, {**_GIVEN, **own, **given}, prepare=False).fetchall()
    return "\n".join(row[0] for row in rows)


PARTS: tuple[str | None, ...] = (None, "team", "unassigned", "agent")
FLAGS = (False, True)


def test_no_page_of_a_list_reads_all_tickets(filled: psycopg.Connection[Any]) -> None:
    """Every walk of every part goes along an index, and what walks all tickets never sorts them."""
    walks = [desk_list._Walk(*flags) for flags in itertools.product(FLAGS, FLAGS, FLAGS)]
    for by, is_without, walk in itertools.product(PARTS, FLAGS, walks):
        at = 2**63 - 1 if walk.is_descending else -1
        given = {
            "at": at,
            "at_id": at,
            "sees_all": int(by is None),
            "part": "agent7" if by == "agent" else "team3",
        }
        found = plan(filled, desk_list._statement(by, is_without, walk), given)
        assert not _WHOLE.search(found), (by, walk, found)
        assert by is not None or "Sort" not in found, (walk, found)


SEARCHES: Mapping[str, tuple[Statement, Mapping[str, Any]]] = {
    "the tickets of messages": (searching._OF_MESSAGES, {}),
    "newer messages": (searching._NEWER, {}),
    "tickets with messages": (searching._TICKETS_OF, {}),
    "what passes the filters": (search_known._ALLOWED, {}),
    "a ref": (search_known._BY_REF, {}),
    "addresses": (search_known._BY_ADDRESS, {"first": "c5", "end": "c5\U0010ffff", "most": 50}),
    "numbers": (search_known._BY_DIGITS, {"first": "765", "end": "765:", "most": 50}),
    "of a customer": (search_known._OF_CUSTOMER, {}),
    "a rare word": (search_match._HITS["postgresql"], {"match": "'word77'"}),
    "a common word": (search_match._HITS["postgresql"], {"match": "'common3'"}),
    "which have a word": (search_match._HAVING["postgresql"], {"match": "'common3'"}),
    "counts": (desk_counts._OPEN, {"before": 50}),
    "moments of rows": (desk_rows._MOMENTS, {}),
    "last messages of rows": (desk_rows._LAST, {}),
}


@pytest.mark.parametrize("what", SEARCHES)
def test_no_part_of_a_search_reads_a_whole_table(filled: psycopg.Connection[Any], what: str) -> None:
    """Words by GIN, addresses and digits as ranges, all else by its key."""
    statement, given = SEARCHES[what]
    found = plan(filled, statement, given)
    assert not _WHOLE.search(found), found
