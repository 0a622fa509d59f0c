"""A call that nobody took: rules hear of it, and one text goes to who may be texted; the answer to it joins the ticket."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from channels.contract import Address, Identity, Message, RawMessage
from intake import journal, missed_calls, opt_outs, pipeline
from intake.model import Account
from intake.sections import Calls
from intake.store import blobs, opening
from tests.domain.world import REPLIES
from tests.phone.calling import JAN, OWN, RULES, Desk, event, happened

Make = Callable[[str], Desk]
LANDLINE = "+48221112233"
REPLIED = RULES + "react:\n  - {id: back, on: call_missed, then: {reply: missed}}\n"


@pytest.fixture(autouse=True)
def template(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(REPLIES, ("missed", "en"), "Subject: x\nYou called us. What is it about?\n")


@pytest.fixture
def make(tmp_path: Path, clock: Any, new_store: bytes) -> Iterator[Make]:
    (tmp_path / "intake.db").write_bytes(new_store)
    with ExitStack() as stack:

        def desk(rules: str) -> Desk:
            store = stack.enter_context(closing(opening.open_store("", tmp_path, clock=clock)))
            made = Desk(store, tmp_path, clock, rules=rules)
            texts = Account("texts", "twilio.sms", "sms", (OWN,), can_deliver=True)
            accounts = {**made.context.accounts, "texts": texts}
            made.context = msgspec.structs.replace(made.context, accounts=accounts)
            return made

        yield desk


@pytest.fixture
def desk(make: Make) -> Desk:
    return make(REPLIED)


def missed(
    desk: Desk, call: str = "CA1", *, caller: str | None = JAN, why: str = "hung_up_waiting"
) -> dict[str, Any]:
    """A call that nobody took; its row."""
    at = desk.clock()
    done = (
        () if why == "hung_up_in_menu" else (happened("menu_done", at, 6, choice="support", open_ref=None),)
    )
    desk.tell(event(happened("started", at), *done, call=call, caller=caller))
    ended = happened("ended", at, 30, status="completed", duration_s=30, why=why)
    desk.tell(event(ended, call=call, caller=caller))
    desk.clock.advance(seconds=missed_calls.RECORDING_COMES_WITHIN_US // 1_000_000)
    desk.fire_due()
    return desk.call(call)


def texts(desk: Desk) -> list[tuple[str, str]]:
    return [(each.to[0].address, each.text.strip()) for each in desk.sent() if each.account == "texts"]


def text_in(desk: Desk, words: str, *, sender: str = JAN, account: str = "texts") -> dict[str, Any]:
    """A text of a customer, settled; its ticket."""
    raw = RawMessage(
        kind="twilio.sms",
        account=account,
        lane=f"phone:{sender}",
        body=words.encode(),
        received_at=desk.clock(),
        keys=(f"text-{words}",),
    )
    message = Message(
        kind="sms", from_=Address(sender), sender=Identity("phone", sender), text=words, visible_text=words
    )
    journal_id = desk.store.write_now(
        lambda tx: journal.keep(tx, raw, blobs.prepare(raw.body, desk.folder), ())
    ).id
    received = desk.store.read_now(lambda tx: journal.load(tx, journal_id, desk.folder))
    desk.store.write_now(lambda tx: pipeline.settle(tx, desk.context, received, message))
    return desk.ticket(desk.row("journal", journal_id))


def withheld(desk: Desk) -> list[str]:
    rows = desk.rows("events", "kind = 'reply_withheld' ORDER BY id")
    return [msgspec.json.decode(row["details"])["reason"] for row in rows]


@pytest.mark.parametrize("why", ["hung_up_waiting", "no_message", "closed", "hung_up_in_menu"])
def test_a_missed_call_is_answered_by_one_text_from_the_number_that_was_called(desk: Desk, why: str) -> None:
    call = missed(desk, why=why)
    assert texts(desk) == [(JAN, "You called us. What is it about?")]
    assert desk.sent()[-1].from_.address == OWN
    assert call["ticket_id"] == desk.rows("outbox", "account = 'texts'")[0]["ticket_id"]


def test_a_call_that_was_taken_or_left_a_message_was_not_missed(desk: Desk) -> None:
    at = desk.clock()
    done = happened("menu_done", at, 6, choice="support", open_ref=None)
    desk.tell(event(happened("started", at), done, happened("connected", at, 9, agent="ania")))
    desk.tell(event(happened("ended", at, 90, status="completed", why="answered")))
    desk.clock.advance(hours=1)
    desk.tell(event(done, call="CA2"))
    desk.tell(event(happened("recorded", at, 80, recording="RE1", duration_s=9, why="voicemail"), call="CA2"))
    desk.tell(event(happened("ended", at, 90, status="completed", why="voicemail"), call="CA2"))
    assert texts(desk) == []


def ended_without(desk: Desk, why: str = "no_message", *, ago_s: int = 0, call: str = "CA1") -> None:
    """The end of a call in which a message was asked for is told; whether there is one nobody has said yet."""
    at = desk.clock() - timedelta(seconds=ago_s)
    offered = happened("voicemail_offered", at, 20, why="unanswered")
    done = happened("menu_done", at, 6, choice="support", open_ref=None)
    desk.tell(event(happened("started", at), done, offered, call=call))
    desk.tell(event(happened("ended", at, 30, status="completed", why=why), call=call))


def test_whoever_hangs_up_in_the_message_has_left_it_although_the_end_is_told_first(desk: Desk) -> None:
    """Twilio tells the end of the call at once, and the recording when it has it."""
    ended_without(desk)
    desk.clock.advance(seconds=8)
    recorded = happened("recorded", desk.clock(), recording="RE1", duration_s=9, why="voicemail")
    desk.tell(event(recorded))
    desk.clock.advance(minutes=1)
    desk.fire_due()
    assert (texts(desk), desk.call()["outcome"]) == ([], "voicemail")


def test_a_message_that_was_asked_for_and_not_left_is_a_missed_call_within_half_a_minute(desk: Desk) -> None:
    ended_without(desk)
    assert texts(desk) == []
    desk.clock.advance(seconds=25)
    desk.fire_due()
    desk.fire_due()
    assert len(texts(desk)) == 1


def test_a_call_that_is_heard_of_hours_later_is_answered_by_no_text(desk: Desk) -> None:
    """After an outage the reconciler brings it: the rules see it, and the ticket says why nothing went out."""
    ended_without(desk, ago_s=2 * 3_600)
    desk.clock.advance(seconds=30)
    desk.fire_due()
    assert texts(desk) == []
    assert withheld(desk) == ["the call was told of 2 h late"]


def test_who_has_spoken_with_us_since_is_told_nothing_of_the_call_before(desk: Desk) -> None:
    ended_without(desk)
    at = desk.clock()
    done = happened("menu_done", at, 12, choice="support", open_ref=None)
    connected = happened("connected", at, 18, agent="ania")
    desk.tell(event(happened("started", at, 10), done, connected, call="CA2"))
    desk.clock.advance(seconds=25)
    desk.fire_due()
    assert texts(desk) == []
    assert withheld(desk) == ["somebody has spoken with them since"]


def test_once_in_twelve_hours_whatever_the_ticket(desk: Desk) -> None:
    for number in range(6):
        missed(desk, f"CA{number}")
        desk.clock.advance(hours=3)
    assert len(desk.rows("tickets")) == 6
    assert len(texts(desk)) == 2


def test_how_often_is_a_setting(desk: Desk) -> None:
    desk.context = msgspec.structs.replace(desk.context, calls=Calls(text_back_hours=2))
    for number in range(5):
        missed(desk, f"CA{number}")
        desk.clock.advance(hours=3)
    assert len(texts(desk)) == 5


@pytest.mark.parametrize("caller", [LANDLINE, None])
def test_who_takes_no_texts_or_hides_their_number_gets_none(desk: Desk, caller: str | None) -> None:
    missed(desk, caller=caller)
    assert texts(desk) == []
    assert withheld(desk) == ["there is no address to answer to"]


def test_who_said_stop_gets_none(desk: Desk) -> None:
    desk.known()
    desk.store.write_now(lambda tx: opt_outs.note(tx, Identity("phone", JAN), "out", how="word"))
    missed(desk)
    assert texts(desk) == []


def test_without_an_account_for_texts_nothing_goes_out(desk: Desk) -> None:
    accounts = {name: each for name, each in desk.context.accounts.items() if name != "texts"}
    desk.context = msgspec.structs.replace(desk.context, accounts=accounts)
    missed(desk)
    assert desk.rows("outbox", "recipient = :to", to=JAN) == []


def test_a_rule_may_ask_how_the_call_came_out(make: Make) -> None:
    rule = (
        "react:\n  - {id: list, on: call_missed, when: {call.outcome: hung_up}, then: {tags: [call-back]}}\n"
    )
    desk = make(RULES + rule)
    hung_up = missed(desk, why="hung_up_in_menu")
    desk.clock.advance(hours=1)
    waited = missed(desk, "CA2")
    tags = [desk.row("tickets", each["ticket_id"])["tags"] for each in (hung_up, waited)]
    assert tags == ['["call-back"]', "[]"]


def test_the_answer_to_our_text_joins_the_ticket_of_the_call(desk: Desk) -> None:
    call = missed(desk)
    desk.clock.advance(minutes=3)
    assert text_in(desk, "my invoice")["id"] == call["ticket_id"]
    assert text_in(desk, "it is wrong")["id"] == call["ticket_id"]


def test_what_the_text_says_it_is_about_routes_the_ticket_while_nobody_has_taken_it(desk: Desk) -> None:
    call = missed(desk)
    assert desk.row("tickets", call["ticket_id"])["team"] == "support"
    assert text_in(desk, "about a refund")["team"] == "billing"


def test_a_text_of_somebody_whom_we_did_not_text_is_a_ticket_of_its_own(desk: Desk) -> None:
    call = missed(desk)
    assert text_in(desk, "hello", sender="+48600999888")["id"] != call["ticket_id"]


def test_a_text_after_the_ticket_was_closed_is_a_ticket_of_its_own(desk: Desk) -> None:
    call = missed(desk)
    desk.set_status(desk.row("tickets", call["ticket_id"]), "closed")
    assert text_in(desk, "hello again")["id"] != call["ticket_id"]


def test_a_text_that_answers_one_of_ours_about_no_call_goes_where_texts_go(desk: Desk) -> None:
    other = desk.ticket_of_caller(medium="sms", account="texts")
    _we_texted(desk, other)
    assert text_in(desk, "about that")["id"] != other["id"]


def test_with_a_newer_text_of_ours_elsewhere_that_is_what_is_answered(make: Make) -> None:
    desk = make(REPLIED + "conversations: {sms: {join: open, reopen_within: 3d}}\n")
    missed(desk)
    desk.clock.advance(minutes=30)
    other = desk.ticket_of_caller(medium="sms", account="texts")
    desk.clock.advance(minutes=1)
    _we_texted(desk, other)
    assert text_in(desk, "about that")["id"] == other["id"]


def _we_texted(desk: Desk, ticket: dict[str, Any]) -> None:
    from intake.store import schema

    desk.store.write_now(
        lambda tx: tx.insert(
            schema.messages,
            id=tx.new_id(),
            ticket_id=ticket["id"],
            customer_id=ticket["customer_id"],
            direction="out",
            author="ania",
            medium="sms",
            account="texts",
            at=tx.now,
        )
    )
