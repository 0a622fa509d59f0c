"""An answer from the desk: nothing is answered blindly, nothing is sent twice, and for a moment it can be taken back."""

from typing import Any

import msgspec
import pytest

from intake import desk, drafts, merging, outbox, replying, unseen
from intake.desk import DeskError
from intake.drafts import Text
from intake.replying import Answer, Sent
from intake.solving import Ending
from intake.unseen import Unseen
from tests.domain.world import World

FORK = "fork-of-ania-0001"
FIRST = "<first@customer.example>"


@pytest.fixture
def ticket(world: World) -> dict[str, Any]:
    return world.ticket(world.receive(message_id="first@customer.example"))


def _mark(world: World, ticket: dict[str, Any]) -> str:
    return world.store.read_now(lambda tx: unseen.mark(tx, ticket["id"]))


def _answer(world: World, ticket: dict[str, Any], answer: Answer, *, agent: str = "ania") -> Sent:
    return world.store.write_now(
        lambda tx: replying.reply(tx, world.context, ticket["ref"], answer, agent=agent)
    )


def _take_back(world: World, outbox_id: int, *, agent: str = "ania") -> None:
    world.store.write_now(lambda tx: replying.take_back(tx, world.context, outbox_id, agent=agent))


def _public(world: World, ticket: dict[str, Any]) -> list[str]:
    rows = world.rows("messages", "ticket_id = :id AND automatic IS NULL ORDER BY id", id=ticket["id"])
    return [row["body"].strip() for row in rows]


def test_answer_to_what_was_seen_is_sent(world: World, ticket: dict[str, Any]) -> None:
    """Nothing new has come: it goes."""
    _answer(world, ticket, Answer(text="Try water.", seen=_mark(world, ticket)))
    assert world.sent("jan@customer.example")[-1].text.startswith("Try water.")


def test_answer_is_stopped_by_what_the_customer_has_written_since(
    world: World, ticket: dict[str, Any]
) -> None:
    """The error says what is new, and nothing is sent."""
    seen = _mark(world, ticket)
    world.receive(body="It burns no more.", headers={"In-Reply-To": FIRST})
    with pytest.raises(Unseen) as stopped:
        _answer(world, ticket, Answer(text="Try water.", seen=seen))
    assert [each.text.strip() for each in stopped.value.newer] == ["It burns no more."]
    assert "Try water." not in _public(world, ticket)


def test_answer_is_sent_anyway_with_the_mark_of_the_refusal(world: World, ticket: dict[str, Any]) -> None:
    """Who has been shown what is new may send what they wrote."""
    seen = _mark(world, ticket)
    world.receive(body="And now?", headers={"In-Reply-To": FIRST})
    with pytest.raises(Unseen) as stopped:
        _answer(world, ticket, Answer(text="Try water.", seen=seen))
    _answer(world, ticket, Answer(text="Try water.", seen=stopped.value.mark))
    assert _public(world, ticket)[-1] == "Try water."


def test_answer_is_stopped_by_a_colleagues_answer(world: World, ticket: dict[str, Any]) -> None:
    """Two who answer the same message do not both answer it blindly."""
    seen = _mark(world, ticket)
    _answer(world, ticket, Answer(text="First.", seen=seen), agent="ewa")
    with pytest.raises(Unseen):
        _answer(world, ticket, Answer(text="Second.", seen=seen))
    assert _public(world, ticket)[1:] == ["First."]


def test_answer_is_stopped_by_what_a_merge_brought(world: World, ticket: dict[str, Any]) -> None:
    """What is new here may be older than the last message here."""
    older = world.ticket(world.receive("eva@customer.example", subject="Another"))
    younger = world.ticket(world.receive("ian@customer.example", subject="A third"))
    seen = _mark(world, younger)
    world.store.write_now(
        lambda tx: merging.merge(tx, world.context, older["ref"], younger["ref"], agent="ania")
    )
    with pytest.raises(Unseen):
        _answer(world, younger, Answer(text="Hello", seen=seen))


def test_note_and_receipt_stop_no_answer(world: World, ticket: dict[str, Any]) -> None:
    """Only what the customer or a colleague has said to them counts."""
    seen = _mark(world, ticket)
    world.store.write_now(lambda tx: desk.note(tx, world.context, ticket["ref"], agent="ewa", text="hm"))
    _answer(world, ticket, Answer(text="Try water.", seen=seen))
    assert _public(world, ticket)[-1] == "Try water."


def test_what_is_no_mark_is_refused(world: World, ticket: dict[str, Any]) -> None:
    """An answer without a word of what was seen is told so; it is not taken for an old one."""
    with pytest.raises(DeskError, match="no mark"):
        _answer(world, ticket, Answer(text="Hello", seen="yesterday"))


def test_same_draft_is_sent_once(world: World, ticket: dict[str, Any]) -> None:
    """A second click, or a browser that never heard the answer, sends nothing more."""
    answer = Answer(text="Try water.", seen=_mark(world, ticket), fork=FORK, revision=3)
    first, second = _answer(world, ticket, answer), _answer(world, ticket, answer)
    assert (second.outbox_id, second.is_again) == (first.outbox_id, True)
    assert _public(world, ticket)[1:] == ["Try water."]


def test_held_answer_leaves_when_its_moment_is_over(world: World, ticket: dict[str, Any]) -> None:
    """Nothing else has to happen for it: a restart changes nothing."""
    sent = _answer(world, ticket, Answer(text="Try water.", hold_s=10))
    at_once = {each.id for each in world.store.read_now(outbox.due)}
    world.advance(seconds=10)
    later = {each.id for each in world.store.read_now(outbox.due)}
    assert (sent.outbox_id in at_once, sent.outbox_id in later) == (False, True)


def test_answer_that_is_not_held_leaves_at_once(world: World, ticket: dict[str, Any]) -> None:
    """hold_s 0 is no hold."""
    sent = _answer(world, ticket, Answer(text="Try water."))
    assert sent.held_until is None
    assert sent.outbox_id in {each.id for each in world.store.read_now(outbox.due)}


def test_answer_taken_back_is_never_sent_and_is_a_draft_again(world: World, ticket: dict[str, Any]) -> None:
    """The conversation has no trace of it, and its text is where it was written."""
    sent = _answer(world, ticket, Answer(text="Try water.", hold_s=10, fork=FORK))
    _take_back(world, sent.outbox_id)
    world.advance(seconds=60)
    kept = world.store.read_now(lambda tx: drafts.load(tx, FORK, agent="ania"))
    assert sent.outbox_id not in {each.id for each in world.store.read_now(outbox.due)}
    assert _public(world, ticket) == ["My printer is on fire, please help me."]
    assert kept is not None
    assert (kept.state, kept.body) == ("writing", "Try water.")


def test_ticket_is_as_it_was_when_its_answer_is_taken_back(world: World, ticket: dict[str, Any]) -> None:
    """Status and clocks: nobody has answered."""
    ending = Ending(nature="technical", outcome="solved")
    sent = _answer(world, ticket, Answer(text="Done.", status="solved", ending=ending, hold_s=10))
    assert world.row("tickets", ticket["id"])["status"] == "solved"
    _take_back(world, sent.outbox_id)
    after = world.row("tickets", ticket["id"])
    states = {name: clock["state"] for name, clock in world.clocks(ticket).items()}
    assert (after["status"], after["agent_replied_at"]) == ("new", None)
    assert states == {"first_response": "running", "resolution": "running"}


def test_answer_that_has_left_is_not_taken_back(world: World, ticket: dict[str, Any]) -> None:
    """After its moment it is the customer's."""
    sent = _answer(world, ticket, Answer(text="Try water.", hold_s=10))
    world.advance(seconds=10)
    with pytest.raises(DeskError, match="left already"):
        _take_back(world, sent.outbox_id)


def test_answer_is_taken_back_by_its_author_only(world: World, ticket: dict[str, Any]) -> None:
    """Whoever else has the page open cannot."""
    sent = _answer(world, ticket, Answer(text="Try water.", hold_s=10))
    with pytest.raises(DeskError, match="no answer of yours"):
        _take_back(world, sent.outbox_id, agent="ewa")


def test_draft_taken_back_can_be_sent_again(world: World, ticket: dict[str, Any]) -> None:
    """Taken back is not sent."""
    sent = _answer(world, ticket, Answer(text="Try water.", hold_s=10, fork=FORK, revision=1))
    _take_back(world, sent.outbox_id)
    again = _answer(world, ticket, Answer(text="Try sand.", fork=FORK, revision=2))
    assert not again.is_again
    assert _public(world, ticket)[1:] == ["Try sand."]


def test_held_answer_can_be_sent_at_once(world: World, ticket: dict[str, Any]) -> None:
    """Who is sure does not have to wait."""
    sent = _answer(world, ticket, Answer(text="Try water.", hold_s=10))
    world.store.write_now(lambda tx: replying.send_now(tx, world.context, sent.outbox_id, agent="ania"))
    assert sent.outbox_id in {each.id for each in world.store.read_now(outbox.due)}


def test_outcome_is_kept_with_what_it_was_about(world: World, ticket: dict[str, Any]) -> None:
    """Both are asked when a ticket is solved."""
    ending = Ending(nature="technical", outcome="workaround")
    _answer(world, ticket, Answer(text="Try sand.", status="solved", ending=ending))
    after = world.row("tickets", ticket["id"])
    assert (after["nature"], after["outcome"]) == ("technical", "workaround")


def test_outcome_of_what_goes_on_is_refused(world: World, ticket: dict[str, Any]) -> None:
    """An open ticket has not come out."""
    with pytest.raises(DeskError, match="would be open"):
        _answer(world, ticket, Answer(text="Hi", status="open", ending=Ending(outcome="solved")))


def test_note_of_one_draft_is_kept_once(world: World, ticket: dict[str, Any]) -> None:
    """As an answer is."""
    for _ in range(2):
        world.store.write_now(
            lambda tx: replying.note(tx, world.context, ticket["ref"], "odd", agent="ania", fork=FORK)
        )
    assert _public(world, ticket)[1:] == ["odd"]


def _save(world: World, ref: str | None, body: str, revision: int, **more: Any) -> drafts.Draft:
    text = Text(fork=more.get("fork", FORK), kind="reply", body=body, revision=revision)
    agent = more.get("agent", "ania")
    return world.store.write_now(lambda tx: drafts.save(tx, world.context, ref, text, agent=agent))


def _drafts(world: World, ticket: dict[str, Any], agent: str = "ania") -> list[str]:
    def look(tx: Any) -> list[str]:
        found = desk.find(tx, ticket["ref"], is_locked=False)
        return [each.body for each in drafts.of_ticket(tx, found, agent=agent)]

    return world.store.read_now(look)


def test_save_that_was_overtaken_changes_nothing(world: World, ticket: dict[str, Any]) -> None:
    """Saves may arrive in any order."""
    _save(world, ticket["ref"], "Hello world", 2)
    assert _save(world, ticket["ref"], "Hello", 1).body == "Hello world"


def test_text_of_another_tab_stands_beside(world: World, ticket: dict[str, Any]) -> None:
    """Neither overwrites the other."""
    _save(world, ticket["ref"], "One tab", 1)
    _save(world, ticket["ref"], "Another tab", 1, fork="fork-of-ania-0002")
    assert _drafts(world, ticket) == ["Another tab", "One tab"]


def test_draft_is_nobody_elses(world: World, ticket: dict[str, Any]) -> None:
    """Also under a name that somebody else uses."""
    _save(world, ticket["ref"], "Of ania", 1)
    _save(world, ticket["ref"], "Of ewa", 1, agent="ewa")
    assert (_drafts(world, ticket), _drafts(world, ticket, "ewa")) == (["Of ania"], ["Of ewa"])


def test_late_save_of_what_was_sent_brings_nothing_back(world: World, ticket: dict[str, Any]) -> None:
    """A save that was under way when the answer went."""
    _answer(world, ticket, Answer(text="Try water.", fork=FORK, revision=5))
    assert _save(world, ticket["ref"], "Try water", 9).state == "sent"
    assert _drafts(world, ticket) == []


def _merge(world: World, source: dict[str, Any], into: dict[str, Any]) -> None:
    world.store.write_now(
        lambda tx: merging.merge(tx, world.context, source["ref"], into["ref"], agent="ewa")
    )


def _unmerge(world: World, ticket: dict[str, Any]) -> None:
    world.store.write_now(lambda tx: merging.undo(tx, world.context, ticket["ref"], agent="ewa"))


def test_draft_survives_merges_and_their_undoing(world: World, ticket: dict[str, Any]) -> None:
    """It is found on the ticket that goes on, through two merges, and back on its own."""
    second = world.ticket(world.receive("eva@customer.example", subject="Another"))
    third = world.ticket(world.receive("ian@customer.example", subject="A third"))
    _save(world, ticket["ref"], "Dear Jan", 1)
    for source, into in ((ticket, second), (second, third)):
        _merge(world, source, into)
    assert _drafts(world, third) == ["Dear Jan"]
    for each in (second, ticket):
        _unmerge(world, each)
    assert _drafts(world, ticket) == ["Dear Jan"]


def test_what_was_thrown_away_comes_back_for_a_week(world: World, ticket: dict[str, Any]) -> None:
    """Then it is forgotten."""
    _save(world, ticket["ref"], "Dear Jan", 1)
    world.store.write_now(lambda tx: drafts.discard(tx, FORK, agent="ania"))
    assert _drafts(world, ticket) == []
    assert world.store.write_now(lambda tx: drafts.restore(tx, FORK, agent="ania"))
    assert _drafts(world, ticket) == ["Dear Jan"]
    world.store.write_now(lambda tx: drafts.discard(tx, FORK, agent="ania"))
    world.advance(days=8)
    assert world.store.write_now(drafts.forget_ended) == 1


def test_what_was_emptied_is_forgotten_after_a_week(world: World, ticket: dict[str, Any]) -> None:
    """A row of nothing for each time that somebody began and left it; a text stays, however old it is."""
    _save(world, ticket["ref"], "", 1)
    world.advance(days=8)
    assert world.store.write_now(drafts.forget_ended) == 1
    _save(world, ticket["ref"], "Dear Jan", 1)
    world.advance(days=800)
    assert world.store.write_now(drafts.forget_ended) == 0


def test_draft_is_public_as_json(world: World, ticket: dict[str, Any]) -> None:
    """What pages and --json show can be written."""
    kept = _save(world, ticket["ref"], "Dear Jan", 1)
    assert msgspec.json.decode(msgspec.json.encode(drafts.public(kept)))["text"] == "Dear Jan"
