"""STOP, START and HELP: what is written down, what is answered, and what is nobody's ticket."""

from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from channels.contract import Identity
from intake import customers, facts, opt_outs
from intake.desk import DeskError
from intake.replies import Replies
from intake.store import opening, schema
from intake.store.engine import Tx
from tests.conftest import ManualClock
from tests.phone.consent_desk import PHONE, ConsentDesk
from tests.phone.texting import JAN, OWN

EVA = "+48600100999"


@pytest.fixture
def open_desk(open_as: Callable[..., Any]) -> Callable[..., ConsentDesk]:
    return partial(open_as, ConsentDesk)


@pytest.fixture
def desk(open_desk: Callable[..., ConsentDesk]) -> ConsentDesk:
    return open_desk()


def test_stop_makes_no_ticket_and_no_notice(desk: ConsentDesk) -> None:
    """It stays in the journal as automatic, with its customer."""
    row = desk.say("STOP")
    assert (row["state"], row["ticket_id"]) == ("automatic", None)
    assert row["customer_id"] is not None
    assert desk.rows("tickets") == []
    assert desk.sent() == []


def test_stop_is_a_row_of_the_ledger(desk: ConsentDesk) -> None:
    """With the words, the account and the moment."""
    desk.say("Stop.")
    (row,) = desk.rows("opt_outs")
    assert (row["kind"], row["value"], row["state"], row["how"]) == ("phone", JAN, "out", "word")
    assert (row["said"], row["account"], row["scope"]) == ("Stop.", "texts", "")
    assert row["at"] == desk.store.now_us()


def test_the_customer_and_the_fact_follow(desk: ConsentDesk) -> None:
    """opted_out_at is since when; START takes it away."""
    row = desk.say("My printer is on fire")
    desk.say("STOP")
    assert desk.customer(row)["opted_out_at"] == desk.store.now_us()
    assert opted_out(desk, row)
    desk.advance(hours=1)
    desk.say("START")
    assert desk.customer(row)["opted_out_at"] is None
    assert not opted_out(desk, row)


def opted_out(desk: ConsentDesk, row: dict[str, Any]) -> bool:
    def look(tx: Tx) -> bool:
        customer = customers.load(tx, row["customer_id"])
        return facts.of_customer(tx, desk.context, customer).opted_out

    return desk.store.read_now(look)


def test_an_agent_is_told_the_day_and_nothing_is_sent(desk: ConsentDesk) -> None:
    """The answer is refused with a sentence, before it is kept."""
    ticket = desk.ticket(desk.say("My printer is on fire"))
    desk.say("STOP")
    desk.advance(days=3)
    with pytest.raises(DeskError, match=r"opted out 10 Nov 2026 \(STOP\), cannot text"):
        desk.answer(ticket)
    assert desk.texts_to() == []


def test_stop_reaches_calls_and_whatsapp_of_the_same_number(desk: ConsentDesk) -> None:
    """And not another number, of anybody."""
    desk.chat_say("Hello")
    desk.say("STOP")
    assert desk.holding(PHONE, "voice") is not None
    assert desk.holding(Identity("whatsapp", JAN), "whatsapp") is not None
    assert desk.holding(Identity("phone", EVA)) is None


def test_stop_may_mean_texts_alone(open_desk: Callable[..., ConsentDesk]) -> None:
    """stop_means: text."""
    desk = open_desk(stop_means="text")
    desk.say("STOP")
    assert desk.holding(PHONE, "sms") is not None
    assert desk.holding(PHONE, "voice") is None


def test_stop_may_mean_automatic_mail_as_well(open_desk: Callable[..., ConsentDesk]) -> None:
    """stop_means: all; the customer's other names are in the ledger, too."""
    desk = open_desk(stop_means="all")
    row = desk.say("Hello")
    with_mail = "jan@customer.example"
    desk.store.write_now(
        lambda tx: tx.insert(
            schema.identities,
            id=tx.new_id(), kind="email", value=with_mail, customer_id=row["customer_id"], created_at=tx.now,
        )
    )  # fmt: skip
    desk.say("STOP")
    assert desk.holding(Identity("email", with_mail), "email") is not None
    desk.advance(minutes=1)
    desk.say("START")
    assert desk.holding(Identity("email", with_mail), "email") is None


def test_what_twilio_confirms_is_not_confirmed_again(desk: ConsentDesk) -> None:
    """A text after it would be refused: the number is closed."""
    desk.say("STOP")
    desk.say("whatever", OptOutType="STOP", From=EVA)
    assert desk.texts_to() == desk.texts_to(EVA) == []


@pytest.mark.parametrize("word", ["STOP!", "rezygnuję"])
def test_what_twilio_does_not_know_is_confirmed_once(desk: ConsentDesk, word: str) -> None:
    """One text, decided before the ledger says out."""
    desk.say(word)
    assert len(desk.texts_to()) == 1
    desk.advance(minutes=1)
    desk.say(word)
    assert len(desk.texts_to()) == 1
    (row,) = desk.rows("outbox")
    (out, *_) = desk.rows("opt_outs", "1 = 1 ORDER BY id")
    assert (row["action"], row["state"]) == ("confirm:stop", "sent")
    assert row["id"] < out["id"]


def test_a_confirmation_that_is_late_is_none(desk: ConsentDesk) -> None:
    """After five minutes the law knows no confirmation any more: it is withheld like everything."""
    desk.say("STOP!")
    desk.advance(minutes=6)
    assert desk.texts_to() == []
    assert [row["state"] for row in desk.rows("outbox")] == ["withheld"]


def test_stop_on_whatsapp_is_confirmed_by_us(desk: ConsentDesk) -> None:
    """Nobody else does it there."""
    desk.chat_say("STOP")
    assert len(desk.texts_to()) == 1
    assert desk.rows("outbox")[0]["medium"] == "whatsapp"


def test_start_lifts_it_and_nobody_is_told(desk: ConsentDesk) -> None:
    """No ticket; the ledger has both rows."""
    desk.say("STOP")
    desk.advance(minutes=5)
    row = desk.say("START")
    assert (row["state"], row["ticket_id"]) == ("automatic", None)
    assert [each["state"] for each in desk.rows("opt_outs", "1 = 1 ORDER BY id")] == ["out", "in"]
    assert desk.holding() is None


def test_start_of_who_never_stopped_is_a_message(desk: ConsentDesk) -> None:
    """It means something else then."""
    row = desk.say("START")
    assert row["state"] == "ticket"
    assert desk.rows("opt_outs") == []


def test_yes_is_an_answer_as_long_as_nobody_stopped(desk: ConsentDesk) -> None:
    """It joins the ticket that asked."""
    first = desk.say("Shall I send it back?")
    second = desk.say("Yes")
    assert (second["state"], second["ticket_id"]) == ("ticket", first["ticket_id"])


def test_yes_of_who_stopped_lifts_it_and_is_an_answer_to_what_is_open(desk: ConsentDesk) -> None:
    """Twilio lifts its block by it; the ticket must not lose the answer."""
    first = desk.say("Shall I send it back?")
    desk.say("STOP")
    desk.advance(minutes=1)
    second = desk.say("YES")
    assert second["ticket_id"] == first["ticket_id"]
    assert desk.holding() is None


def test_yes_of_who_stopped_is_nothing_more_where_nothing_is_open(desk: ConsentDesk) -> None:
    desk.say("STOP")
    desk.advance(minutes=1)
    row = desk.say("YES")
    assert (row["state"], row["ticket_id"]) == ("automatic", None)
    assert desk.holding() is None


def test_help_is_answered_once_an_hour_and_then_wants_a_person(desk: ConsentDesk) -> None:
    """The second within the hour is a ticket."""
    assert desk.say("HELP")["state"] == "automatic"
    assert len(desk.texts_to()) == 1
    assert "STOP" in desk.far.to()[0]
    assert desk.say("help!")["state"] == "ticket"


def test_help_is_answered_anew_after_an_hour(desk: ConsentDesk) -> None:
    desk.say("HELP")
    desk.advance(hours=1, minutes=1)
    assert desk.say("HELP")["state"] == "automatic"
    assert len(desk.texts_to()) == 2


def test_help_in_a_conversation_is_a_message(desk: ConsentDesk) -> None:
    """Who has an open ticket is talking to somebody."""
    first = desk.say("My printer is on fire")
    second = desk.say("help")
    assert second["ticket_id"] == first["ticket_id"]


def test_help_that_twilio_has_answered_is_not_answered_again(desk: ConsentDesk) -> None:
    row = desk.say("HELP", OptOutType="HELP")
    assert row["state"] == "automatic"
    assert desk.texts_to() == []


def test_words_are_answered_in_the_customers_language(desk: ConsentDesk) -> None:
    """Who wrote Polish before is answered in Polish, with our name."""
    desk.say("Dzień dobry, moja drukarka się pali i nie wiem, co mam z nią zrobić")
    desk.say("rezygnuję")
    (said,) = desk.texts_to()
    assert said.startswith("Example: Nie będziemy")


def test_the_desks_own_words_come_first(desk: ConsentDesk) -> None:
    """A reply template named consent_stop."""

    own = Replies({("consent_stop", "en"): "{{ organization }} says goodbye.\n"})
    desk.context = msgspec.structs.replace(desk.context, replies=own)
    desk.say("STOP!")
    assert desk.texts_to() == ["Example says goodbye."]


def test_nothing_is_confirmed_where_the_desk_wants_that(open_desk: Callable[..., ConsentDesk]) -> None:
    desk = open_desk(confirm=False)
    desk.say("STOP!")
    assert desk.texts_to() == []


def test_settled_again_a_word_changes_nothing(desk: ConsentDesk) -> None:
    """A replay of STOP after START leaves START in force."""
    row = desk.say("STOP")
    desk.advance(minutes=1)
    start = desk.say("START")
    desk.settle_text(row["id"])
    assert desk.holding() is None
    desk.advance(minutes=1)
    desk.say("STOP")
    desk.settle_text(start["id"])
    assert desk.holding() is not None
    assert len(desk.rows("opt_outs")) == 3


def test_the_last_word_holds_whatever_the_clock_says(desk: ConsentDesk) -> None:
    """STOP after START counts, also when the clock was set back in between."""
    desk.say("STOP")
    desk.advance(minutes=5)
    desk.say("START")
    desk.advance(minutes=-3)
    desk.say("STOP")
    assert desk.holding() is not None


def test_the_last_word_holds_whatever_another_daemons_clock_says(
    desk: ConsentDesk, tmp_path: Path, clock: Any
) -> None:
    """STOP is settled by a second daemon whose clock is ten minutes behind the first one's."""
    desk.say("STOP")
    desk.advance(minutes=5)
    desk.say("START")
    late = ManualClock(clock() - timedelta(minutes=10))
    with closing(opening.open_store("", tmp_path, clock=late)) as store:
        ConsentDesk(store, tmp_path, late).say("STOP")
    assert desk.holding() is not None


def test_stop_of_an_agents_number_is_said_loudly(desk: ConsentDesk) -> None:
    """No customer is made of them."""
    ania = desk.context.rulebook.agents["ania"]
    agents = {**desk.context.rulebook.agents, "ania": msgspec.structs.replace(ania, phone=JAN)}
    book = msgspec.structs.replace(desk.context.rulebook, agents=agents)
    desk.context = msgspec.structs.replace(desk.context, rulebook=book)
    row = desk.say("STOP")
    assert row["customer_id"] is None
    assert desk.holding() is not None
    assert ("agent_opted_out", {"agent": "ania", "number": JAN}) in desk.told


def test_mail_that_says_unsubscribe_stops_machines_alone(desk: ConsentDesk) -> None:
    """A proven sender's; people may go on answering."""
    proof = {"Authentication-Results": "mx.example.com; dmarc=pass header.from=customer.example"}
    first = desk.receive("jan@customer.example", headers=proof)
    row = desk.receive("jan@customer.example", body="Unsubscribe", headers=proof)
    assert (row["state"], row["ticket_id"]) == ("automatic", None)
    assert desk.holding(Identity("email", "jan@customer.example"), "email") is not None
    assert desk.reply(desk.ticket(first))


def test_start_by_text_does_not_lift_what_was_said_by_mail(desk: ConsentDesk) -> None:
    """Nor the other way round: each word is about what it was said on."""
    row = desk.say("Hello")
    mail = Identity("email", "jan@customer.example")
    desk.store.write_now(
        lambda tx: tx.insert(
            schema.identities, id=tx.new_id(), kind="email", value=mail.value,
            customer_id=row["customer_id"], created_at=tx.now,
        )
    )  # fmt: skip
    desk.store.write_now(lambda tx: opt_outs.note(tx, mail, "out", how="word", scope="email"))
    desk.say("STOP")
    desk.advance(minutes=1)
    desk.say("START")
    assert desk.holding() is None
    assert desk.holding(mail, "email") is not None
    assert desk.customer(row)["opted_out_at"] is not None


def test_unproven_mail_that_says_unsubscribe_is_a_message(desk: ConsentDesk) -> None:
    """Anybody can write another's name into From."""
    row = desk.receive("jan@customer.example", body="Unsubscribe")
    assert row["state"] == "ticket"
    assert desk.rows("opt_outs", "state = 'out'") == []


def test_own_number_is_the_one_that_was_written_to(desk: ConsentDesk) -> None:
    """The answer leaves from there."""
    desk.say("HELP", To="+48220000001")
    desk.deliver()
    assert desk.far.taken[0].from_.address == "+48220000001" != OWN
