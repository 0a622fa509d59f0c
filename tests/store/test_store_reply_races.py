"""Answers on both engines, while others answer: of those who saw the same, one is sent."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from intake import drafts, replying, unseen
from intake.drafts import Text
from intake.replying import Answer, Sent
from intake.store.engine import Store
from intake.unseen import Unseen
from tests.domain.world import World
from tests.store.racing import WRITERS, at_once

AGENTS = ("ania", "ewa", "tomek")
FORK = "fork-of-ania-0001"


@pytest.fixture
def world(store: Store, tmp_path: Path, clock: Any) -> World:
    return World(store, tmp_path, clock)


@pytest.fixture
def ticket(world: World) -> dict[str, Any]:
    return world.ticket(world.receive(message_id="first@customer.example"))


def _reply(world: World, ticket: dict[str, Any], answer: Answer, agent: str) -> Sent:
    return world.store.write_now(
        lambda tx: replying.reply(tx, world.context, ticket["ref"], answer, agent=agent)
    )


def _answers(world: World, ticket: dict[str, Any]) -> int:
    where = "ticket_id = :id AND direction = 'out' AND automatic IS NULL"
    return len(world.rows("messages", where, id=ticket["id"]))


def test_of_answers_to_the_same_words_one_is_sent(world: World, ticket: dict[str, Any]) -> None:
    """The others hear what it says."""
    seen = world.store.read_now(lambda tx: unseen.mark(tx, ticket["id"]))
    done = at_once(
        partial(_reply, world, ticket, Answer(text=f"Answer {each}", seen=seen), AGENTS[each % 3])
        for each in range(WRITERS)
    )
    assert sum(isinstance(each, Sent) for each in done) == 1
    assert sum(isinstance(each, Unseen) for each in done) == WRITERS - 1
    assert _answers(world, ticket) == 1


def test_one_draft_that_is_sent_at_once_is_sent_once(world: World, ticket: dict[str, Any]) -> None:
    """All who sent it hear of the same answer."""
    seen = world.store.read_now(lambda tx: unseen.mark(tx, ticket["id"]))
    answer = Answer(text="Once", seen=seen, fork=FORK, revision=1)
    done = at_once(partial(_reply, world, ticket, answer, "ania") for _ in range(WRITERS))
    assert len({each.outbox_id for each in done}) == 1
    assert _answers(world, ticket) == 1


def test_answer_that_races_the_customer_has_seen_them_or_is_stopped(
    world: World, ticket: dict[str, Any]
) -> None:
    """Whatever stands before it in the conversation was seen."""
    seen = world.store.read_now(lambda tx: unseen.mark(tx, ticket["id"]))
    more = world.journal(body="And now?", headers={"In-Reply-To": "<first@customer.example>"})
    answer = Answer(text="Water.", seen=seen)
    settled, replied = at_once([partial(world.settle, more), partial(_reply, world, ticket, answer, "ania")])
    assert settled is None
    if isinstance(replied, Sent):
        (event,) = world.rows("events", "kind = 'agent_replied'")
        (came,) = world.rows("events", "kind = 'customer_replied'")
        assert event["id"] < came["id"]
    else:
        assert isinstance(replied, Unseen)


def test_saves_in_any_order_leave_the_last_text(world: World, ticket: dict[str, Any]) -> None:
    """And one row."""

    def save(revision: int) -> drafts.Draft:
        text = Text(fork=FORK, kind="reply", body="x" * revision, revision=revision)
        return world.store.write_now(
            lambda tx: drafts.save(tx, world.context, ticket["ref"], text, agent="ania")
        )

    at_once(partial(save, each) for each in range(1, WRITERS + 1))
    (row,) = world.rows("drafts")
    assert (row["body"], row["revision"]) == ("x" * WRITERS, WRITERS)


def test_answer_is_taken_back_or_sent_and_never_both(world: World, ticket: dict[str, Any]) -> None:
    """Eight clicks on undo: one takes it back."""
    sent = _reply(world, ticket, Answer(text="Water.", hold_s=10), "ania")

    def undo() -> Any:
        return world.store.write_now(
            lambda tx: replying.take_back(tx, world.context, sent.outbox_id, agent="ania")
        )

    done = at_once(undo for _ in range(WRITERS))
    assert sum(not isinstance(each, Exception) for each in done) == 1
    assert _answers(world, ticket) == 0
