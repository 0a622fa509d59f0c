"""New rules over what was decided: what changes is found, what is unknown is said, and nothing is written."""

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from intake import lists
from intake.backtest import running, stored
from intake.backtest.judging import Judge
from intake.backtest.summary import Summary
from intake.store import opening
from routing import rulebook
from tests.domain.world import RULES, World


def backtest(world: World, rules: str = RULES, *, since: datetime | None = None, jobs: int = 1) -> Summary:
    """The rules over everything in the world's store."""
    book = rulebook.load({"rules.yaml": rules})
    return running.run(
        world.store,
        book,
        place=("", Path(world.folder).parent),
        since_us=0 if since is None else int(since.timestamp() * 1_000_000),
        until=world.clock(),
        jobs=jobs,
    )


def changed(rules: str, new: str, old: str = RULES) -> str:
    assert rules in old
    return old.replace(rules, new)


ASKING = (
    changed(
        "version: 1\n",
        "version: 1\nlists: {blocked: {kept: desk}}\nfields: {order: {type: text, extract: 'order ([A-Z]+)'}, kind: {type: text}}\n",
    )
    .replace(
        "route:\n",
        """route:
  - {id: lists, when: {header.list-id: any}, then: {team: billing}}
  - {id: often, when: {customer.tickets: {within: 7d, at_least: 2}}, then: {team: billing, priority: high}}
  - {id: loaded, when: {customer.open_tickets: {at_least: 1}}, then: {priority: high}}
  - {id: orders, when: {ticket.field.order: any}, then: {field.kind: order, skills: {need: [language], relax: 30m}}}
  - {id: crowded, when: {team.waiting: {at_least: 1}}, then: {tags: [crowded]}}
""",
    )
    .replace(
        "enrich:\n",
        "enrich:\n  - {id: known, when: {sender.address: {in: blocked}}, then: {tags: [blocked], priority: low}}\n",
    )
    + "react:\n  - {id: again, on: customer_replied, then: {route: again}}\n"
)


@pytest.fixture
def asking(tmp_path: Path, clock: Any, new_store: bytes) -> Iterator[World]:
    """A desk whose rules ask for everything that is looked up only on demand."""
    (tmp_path / "intake.db").write_bytes(new_store)
    with closing(opening.open_store("", tmp_path, clock=clock)) as store:
        yield World(store, tmp_path, clock, rules=ASKING)


@pytest.fixture
def busy(world: World) -> World:
    """A desk with tickets of several kinds: answered, late, solved, reopened, spam, an answer of a machine."""
    asked = world.ticket(world.receive(subject="My printer"))
    world.ticket(world.receive("ola@customer.example", subject="A refund, please"))
    world.receive("eve@spam.example", subject="Win at the casino")
    world.receive("bot@customer.example", headers={"Auto-Submitted": "auto-replied"})
    world.receive_unreadable()
    world.advance(minutes=20)
    world.reply(asked)
    for _ in range(10):  # as the bell rings: in one leap, notices that repeat would begin a new grid
        world.advance(minutes=15)
        world.fire_due()
    world.set_status(asked, "solved")
    world.receive(subject="Re: My printer", body="Still burning", headers={"References": "<none@x>"})
    world.advance(minutes=30)
    return world


def test_the_rules_in_force_change_nothing_of_what_they_decided(busy: World) -> None:
    """Not one field of one decision, and every missed target stays as it was."""
    found = backtest(busy)
    assert (found.changed, found.unknown, found.unreadable, found.examples) == (0, 0, 0, [])
    assert found.decisions == found.same == len(busy.rows("decisions")) > 3
    assert found.breaches_before == found.breaches_after


def test_rules_that_ask_for_much_change_nothing_of_what_they_decided(asking: World) -> None:
    """History, headers, lists kept at the desk, fields, skills and a ticket that was routed again."""
    store = asking.store
    store.write_now(lambda tx: lists.add(tx, "blocked", ["eve@spam.example"], actor="agent:ania"))
    asking.receive("eve@spam.example", subject="Hello")
    ticket = asking.ticket(asking.receive(subject="My order ABC"))
    asking.advance(hours=1)
    asking.receive(subject="One more")
    asking.receive("list@customer.example", headers={"List-Id": "<x.example>"})
    asking.receive(
        subject=f"Re: My order ABC [{ticket['ref']}]",
        headers={"In-Reply-To": f"<{_message_id(asking, ticket)}>"},
    )
    asking.receive(subject="The third")
    found = backtest(asking, ASKING)
    rules = {json.loads(row["decision"])["rule"] for row in asking.rows("decisions")}
    assert {"lists", "often", "orders", "default"} <= rules
    assert "routed_again" in asking.events(ticket)
    assert (found.changed, found.unknown, found.unreadable, found.examples) == (0, 0, 0, [])
    assert found.decisions == found.tickets + 1


def _message_id(world: World, ticket: dict[str, Any]) -> str:
    return str(
        world.rows("messages", "ticket_id = :id AND direction = 'in'", id=ticket["id"])[0]["external_id"]
    )


def test_what_a_mail_quoted_is_unknown_because_it_is_not_kept(world: World) -> None:
    """Of a mail without a quotation it is known that it quoted nothing."""
    world.receive(body="No quotation here.")
    world.receive("ola@customer.example", body="Yes.\n\nOn Monday Jan wrote:\n> the old contract\n")
    rules = changed(
        "route:\n", "route:\n  - {id: old, when: {text.quoted.words: contract}, then: {team: billing}}\n"
    )
    found = backtest(world, rules)
    assert (found.same, found.unknown_facts) == (1, {"text.quoted": 1})


def test_the_same_rules_with_a_comment_change_nothing_either(busy: World) -> None:
    """Another rulebook by its hash, the same by what it says: nothing is lived again."""
    found = backtest(busy, RULES + "# a comment\n")
    assert (found.changed, found.lived, found.same) == (0, 0, found.decisions)


def test_a_life_lived_again_under_the_same_rules_misses_what_was_missed(busy: World) -> None:
    """A react rule that never applies makes every ticket be lived again; the targets are missed as they were."""
    rules = RULES + "react: [{id: never, on: rated, when: {rating: {at_most: 1}}, then: {tags: [sad]}}]\n"
    found = backtest(busy, rules)
    assert found.lived > 3
    assert found.breaches_before == found.breaches_after == {"first_response": 3}
    assert found.notices_before == found.notices_after > 0


def test_a_rule_that_sends_tickets_elsewhere_is_named_with_its_tickets(busy: World) -> None:
    """Before, after, how often, an example and the rule that did it."""
    found = backtest(
        busy,
        changed(
            "route:\n", "route:\n  - {id: printers, when: {subject.words: printer}, then: {team: billing}}\n"
        ),
    )
    moves = {(move.field, move.before, move.after): number for move, number in found.sorted_moves()}
    assert moves[("team", "support", "billing")] == found.fields["team"] >= 1
    example = next(each for each in found.examples if any(change.field == "team" for change in each.changes))
    assert {change.rule for change in example.changes if change.field == "team"} == {"printers"}


def test_teams_are_counted_before_and_after(busy: World) -> None:
    """Every ticket is in both columns once."""
    found = backtest(busy, changed("team: billing, tags: [money]", "team: support, tags: [money]"))
    assert found.teams_before["billing"] == 1
    assert "billing" not in found.teams_after
    assert sum(found.teams_before.values()) == sum(found.teams_after.values()) == found.tickets


def test_a_stricter_policy_is_missed_by_tickets_that_kept_the_old_one(busy: World) -> None:
    """The answer came after twenty minutes: ten would have been too few."""
    found = backtest(busy, changed("normal: 2h", "normal: 10m"))
    assert found.breaches_after["first_response"] > found.breaches_before["first_response"]
    assert found.missed_more >= 1


def test_a_softer_policy_spares_the_breaches_that_there_were(busy: World) -> None:
    """Nobody waited ten hours, and who was told of it would not have been."""
    found = backtest(busy, changed("normal: 2h", "normal: 10h"))
    assert "first_response" not in found.breaches_after
    assert found.missed_less == 3
    assert found.notices_after < found.notices_before


def test_a_fact_that_was_not_kept_is_unknown_and_never_guessed(busy: World) -> None:
    """Headers are kept only when a rule asks for them: of the old tickets nobody can tell."""
    rules = changed(
        "route:\n", "route:\n  - {id: lists, when: {header.list-id: any}, then: {team: billing}}\n"
    )
    found = backtest(busy, rules)
    assert found.unknown == found.decisions
    assert found.unknown_facts == {"header.list-id": found.decisions}
    assert found.unknown_rules == {"lists": found.decisions}
    assert found.changed == 0


def test_a_rule_for_later_events_that_asks_for_it_is_left_out_and_named(busy: World) -> None:
    """Tickets are lived without it, and it is said of how many."""
    rules = (
        RULES
        + "react: [{id: bulk, on: customer_replied, when: {header.list-id: any}, then: {tags: [bulk]}}]\n"
    )
    found = backtest(busy, rules)
    assert found.left_out == {"bulk": found.lived}
    assert found.unknown == 0


def test_a_rule_that_is_decided_without_the_unknown_fact_is_known(busy: World) -> None:
    """Its other condition does not hold, whatever stood in the header."""
    rules = changed(
        "route:\n",
        "route:\n  - {id: lists, when: {channel: sms, header.list-id: any}, then: {team: billing}}\n",
    )
    assert (backtest(busy, rules).unknown, backtest(busy, rules).changed) == (0, 0)


def test_an_unknown_rule_behind_the_winner_does_not_matter(busy: World) -> None:
    """The first route rule that matches wins: of those behind it nothing has to be known."""
    rules = changed(
        "default:", "  - {id: lists, when: {header.list-id: any}, then: {team: billing}}\ndefault:"
    )
    found = backtest(busy, rules)
    assert found.unknown == found.decisions - 1


def test_only_decisions_since_an_instant_are_looked_at(busy: World) -> None:
    """What was decided before it is left out."""
    last = max(row["at"] for row in busy.rows("decisions"))
    found = backtest(busy, since=datetime.fromtimestamp(last / 1_000_000).astimezone())
    assert found.decisions == 1


@pytest.mark.slow
def test_several_processes_find_what_one_finds(busy: World) -> None:
    """The same numbers, whoever counted."""
    rules = changed("team: billing, tags: [money]", "team: support, priority: high")
    alone, together = backtest(busy, rules), backtest(busy, rules, jobs=2)
    assert together == alone


def test_nothing_is_written(busy: World) -> None:
    """The store holds after it, row by row, what it held before."""
    tables = ("decisions", "tickets", "events", "outbox", "timers", "clocks", "rulebooks")
    before: Any = {name: busy.rows(name) for name in tables}
    backtest(busy, changed("normal: 2h", "normal: 10m"))
    assert {name: busy.rows(name) for name in tables} == before


def test_small_pieces_add_up_to_the_whole(busy: World) -> None:
    """Every number and every move, whichever way the tickets were cut into spans."""
    book = rulebook.load(
        {"rules.yaml": changed("team: billing, tags: [money]", "team: support, priority: high")}
    )
    judge = Judge(busy.store, book, since_us=0, until=busy.clock())
    added = Summary()
    spans = list(stored.spans(busy.store, since_us=0, size=1))
    for span in spans:
        added.merge(judge.look(span))
    whole = running.run(busy.store, book, place=("", Path()), until=busy.clock(), jobs=1)
    assert len(spans) == whole.tickets
    assert msgspec.to_builtins(added) == msgspec.to_builtins(whole)
