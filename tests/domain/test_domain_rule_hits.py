"""How often each rule matched is what a replay of what was decided counts, whatever is read once and remembered."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from intake import rule_hits, rule_lines
from intake.rule_hits import Hits
from intake.rule_lines import Line
from tests.domain.world import RULES, World

REACTING = """
react:
  - {id: thanks, on: customer_replied, when: {body.words: thanks}, then: {status: solved}}
"""


def lines(world: World, hits: Hits | None = None) -> dict[str, Line]:
    tallies = Hits().look_now(world.store) if hits is None else asyncio.run(hits.look(world.store))
    found = world.store.read_now(lambda tx: rule_lines.lines(tx, world.context.rulebook, tallies))
    return {each.rule: each for each in found}


def test_each_rule_is_counted_in_each_window(make: Callable[[str], World]) -> None:
    world = make(REACTING)
    for days in (20, 3, 0):
        world.receive(subject="An invoice", body="Please send the invoice once more.")
        world.receive(subject="A newsletter")
        world.advance(days=days)
    world.receive(subject="Hello")
    found = lines(world)
    assert found["money"].hits == {"24h": 1, "7d": 2, "30d": 3}
    assert found["newsletters"].hits == {"24h": 1, "7d": 2, "30d": 3}
    assert found["default"].hits["24h"] == 1
    assert found["junk"].hits == {"24h": 0, "7d": 0, "30d": 0}
    assert [found[name].state for name in ("money", "junk")] == ["live", "never"]
    assert list(found) == ["junk", "newsletters", "money", "default", "thanks"]


def test_a_reaction_is_a_hit_and_names_its_ticket(make: Callable[[str], World]) -> None:
    world = make(REACTING)
    first = world.receive(body="It burns.", message_id="1@customer.example")
    ticket = world.ticket(first)
    world.receive(body="It is out, thanks.", headers={"In-Reply-To": "<1@customer.example>"})
    found = lines(world)["thanks"]
    assert (found.hits["24h"], found.last_ticket, found.on) == (1, ticket["ref"], ("customer_replied",))
    assert found.last_at is not None


@pytest.mark.slow
def test_what_is_remembered_and_what_is_new_add_up_to_a_replay(world: World) -> None:
    """Looked at again and again, with messages in between and days going by, it is what a fresh count gives."""
    hits = Hits()
    for number in range(12):
        world.receive(subject=f"Invoice {number}", body="The invoice is wrong.")
        world.advance(seconds=50 * (number % 4), days=4 if number % 3 == 0 else 0)
        assert {name: each.hits for name, each in lines(world, hits).items()} == {
            name: each.hits for name, each in lines(world).items()
        }


def test_two_looks_at_once_count_nothing_twice(world: World) -> None:
    world.receive(subject="Invoice", body="The invoice is wrong.")
    world.advance(hours=1)
    hits = Hits()

    async def look_twice() -> None:
        await asyncio.gather(*(hits.look(world.store) for _ in range(3)))

    asyncio.run(look_twice())
    assert lines(world, hits)["money"].hits["24h"] == 1


def test_more_than_one_chunk_is_read(world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(rule_hits, "CHUNK", 2)
    for _ in range(5):
        world.receive(subject="Invoice", body="The invoice is wrong.")
        world.receive(subject="A newsletter")
    found = lines(world)
    assert (found["money"].hits["24h"], found["newsletters"].hits["24h"]) == (5, 5)


def test_a_rule_that_is_no_longer_written_is_shown_last(make: Callable[[str], World]) -> None:
    world = make("")
    world.receive(subject="Invoice", body="The invoice is wrong.")
    world.use_rules(RULES.replace("id: money", "id: bills"))
    *_, last = lines(world).values()
    assert (last.rule, last.stage, last.file, last.hits["24h"]) == ("money", "gone", None, 1)


def test_the_text_of_a_rule_is_its_own_and_its_problems_stand_with_it(make: Callable[[str], World]) -> None:
    world = make("")
    world.use_rules(
        RULES.replace(
            "route:\n",
            "route:\n  - id: twice\n    when: {all: [{channel: sms}, {channel: email}]}\n    # never\n    then: {team: billing}\n",
        )
    )
    found = lines(world)["twice"]
    assert found.text.splitlines() == [
        "  - id: twice",
        "    when: {all: [{channel: sms}, {channel: email}]}",
        "    # never",
        "    then: {team: billing}",
    ]
    assert found.state == "hidden"
    assert len(found.problems) == 1
    assert lines(world)["money"].problems == ()


def test_json_tells_nothing_of_whose_the_last_ticket_is(world: World) -> None:
    world.receive(subject="Invoice", body="The invoice is wrong.")
    told = lines(world)["money"].to_json()
    assert not {"team", "agent", "text"} & told.keys()
    assert msgspec.json.encode(told)
