"""What the rows of a ticket tell of its life: when steps fired, what a silence led to, what was decided in between."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from intake import explaining
from intake.store import opening, schema
from tests.cli.test_cli_explain import RULES
from tests.domain.world import World


@pytest.fixture
def world(tmp_path: Path, clock: Any, new_store: bytes) -> Iterator[World]:
    (tmp_path / "intake.db").write_bytes(new_store)
    with closing(opening.open_store("", tmp_path, clock=clock)) as store:
        yield World(store, tmp_path, clock, rules=RULES)


def told_of(world: World) -> dict[str, Any]:
    (row,) = world.rows("tickets")
    found = world.store.read_now(lambda tx: explaining.of_ticket(tx, row["ref"]))
    assert found is not None
    return found


def test_steps_and_silences_say_when_they_fired(world: World) -> None:
    """A silence after an hour, a step five minutes late, and the one that follows because nobody acknowledged."""
    world.receive(body="please help")
    for minutes in (60, 65, 30):
        world.advance(minutes=minutes)
        world.fire_due()
    told = told_of(world)
    assert [each["outcome"] for each in told["steps"]] == ["fired", "fired", "waits"]
    assert [each["fired_at"] for each in told["steps"]] == [
        ["2026-11-10T11:05:00Z"],
        ["2026-11-10T11:35:00Z"],
        [],
    ]
    assert [(each["state"], each["fired_at"]) for each in told["silences"]] == [
        ("fired", "2026-11-10T10:00:00Z")
    ]
    [quiet] = [each for each in told["reactions"] if each["on"] == "quiet"]
    assert (quiet["rules"], quiet["at"]) == (["silent"], "2026-11-10T10:00:00Z")


def test_met_target_says_why_its_steps_do_not_fire(world: World) -> None:
    world.receive(body="please help")
    (row,) = world.rows("tickets")
    world.reply(row, agent="una")
    assert "first_response was met" in [each["outcome"] for each in told_of(world)["steps"]]


def test_words_are_those_of_the_day(world: World) -> None:
    """What the customer writes later does not change why a rule did not act on what was written before."""
    world.receive(body="please help", message_id="first@customer.example")
    for body in ("any news", "hello again"):
        world.advance(minutes=1)
        world.receive(headers={"In-Reply-To": "<first@customer.example>"}, body=body)
    said = [
        each["why_not"][0]["conditions"][0]["actual"].splitlines()[-1] for each in told_of(world)["reactions"]
    ]
    assert said == ["any news", "hello again"]


def test_facts_of_a_newer_version_are_not_guessed(world: World) -> None:
    """What cannot be told is said to be unknown; the decision stands as it was kept."""
    world.receive(body="please help")
    (row,) = world.rows("decisions")
    world.store.write_now(lambda tx: tx.update(schema.decisions, {"id": row["id"]}, facts_version=99))
    told = told_of(world)
    assert (told["rule"], told["why_not"], told["unknown"]) == ("help", [], explaining.NEWER)


def test_unknown_ticket_has_nothing_to_tell(world: World) -> None:
    assert world.store.read_now(lambda tx: explaining.of_ticket(tx, "1111111")) is None
