"""By which names STOP reaches its sender."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from channels.contract import Identity
from intake import consent_decisions, opt_outs, opt_outs_view
from intake.desk import DeskError
from intake.store.engine import Tx
from tests.phone.consent_desk import ConsentDesk
from tests.phone.texting import JAN

USER = "PL.4566546130240823"


@pytest.fixture
def desk(open_as: Callable[..., Any]) -> ConsentDesk:
    opened: ConsentDesk = partial(open_as, ConsentDesk, quiet_hours="")()
    return opened


def test_stop_as_the_first_word_on_whatsapp_keeps_texts_and_calls_away(desk: ConsentDesk) -> None:
    """The number is the same, though nobody has ever joined the two."""
    ticket = desk.ticket(desk.say("My printer is on fire"))
    desk.chat_say("STOP")
    for medium in ("sms", "voice", "whatsapp"):
        assert (
            desk.send(ticket, medium=medium, automatic=None, cause=f"agent:ania:{medium}")["state"]
            == "withheld"
        )
    assert [each.account for each in desk.deliver()] == ["chats"]  # the confirmation


def test_stop_by_text_keeps_whatsapp_from_the_same_persons_name(desk: ConsentDesk) -> None:
    """Also from a name that was learnt after it."""
    desk.say("STOP")
    ticket = desk.ticket(desk.chat_say("My printer is on fire"))
    assert desk.send(ticket, to=USER, medium="whatsapp")["state"] == "withheld"


def test_stop_by_a_name_keeps_texts_from_the_number_that_is_learnt_later(desk: ConsentDesk) -> None:
    """While somebody hides their number, nobody knows whose it is."""
    desk.chat_say("STOP", sender=JAN, From=f"whatsapp:{USER}", WaId="", ExternalUserId=f"whatsapp:{USER}")
    ticket = desk.ticket(desk.chat_say("It is me again"))
    assert desk.send(ticket, medium="sms")["state"] == "withheld"
    assert desk.send(ticket, medium="whatsapp")["state"] == "withheld"


def test_another_number_of_the_customer_has_said_nothing(desk: ConsentDesk) -> None:
    other = "+48601100204"
    ticket = desk.ticket(desk.say("My printer is on fire", other))
    desk.say("STOP")
    assert desk.send(ticket, to=other)["state"] == "queued"


def opt_in(desk: ConsentDesk, typed: str) -> int:
    return len(
        desk.store.write_now(lambda tx: consent_decisions.opt_in(tx, desk.context, typed, agent="ania"))
    )


def test_an_agent_opens_a_number_by_all_of_its_names(desk: ConsentDesk) -> None:
    """Whichever of them said STOP: after it they may be written to, and the customers say so."""
    desk.say("My printer is on fire")
    desk.chat_say("STOP")
    assert {row["kind"] for row in desk.rows("opt_outs")} == {"phone", "whatsapp"}
    assert opt_in(desk, "whatsapp:+48 600 100 200") == 2
    assert desk.holding() is None
    assert [row["opted_out_at"] for row in desk.rows("customers")] == [None, None]
    with pytest.raises(DeskError, match="has not opted out"):
        opt_in(desk, JAN)


def test_an_agents_word_about_a_number_on_whatsapp_is_about_the_number(desk: ConsentDesk) -> None:
    row = desk.store.write_now(
        lambda tx: consent_decisions.opt_out(tx, desk.context, f"whatsapp:{JAN}", agent="ania")
    )
    assert (row.kind, row.value) == ("phone", JAN)
    assert opt_outs_view.public(row)["media"] == ["sms", "voice", "whatsapp"]


def test_a_thousand_suggestions_do_not_push_a_stop_out_of_sight(desk: ConsentDesk) -> None:
    """Where STOP means one medium alone suggestions go on."""
    identity = Identity("phone", JAN)

    def note(tx: Tx) -> None:
        opt_outs.write(tx, identity, "out", how="word", scope="sms")
        for _ in range(opt_outs.ROWS_MAX + 1):
            opt_outs.write(tx, identity, "suggested", how="words")

    desk.store.write_now(note)
    assert desk.holding() is not None
