"""By what else a customer can be reached when an answer did not arrive: said to people, done by nobody."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from channels.contract import Identity
from intake import opt_outs, other_ways, tickets
from intake.model import Account
from intake.store import schema
from intake.store.engine import Tx
from tests.phone.texted import JAN, LANDLINE, OWN, Texted

CHAT = f"whatsapp:{JAN}"
MAIL = "jan@customer.example"


@pytest.fixture
def desk(texting: Callable[..., Texted]) -> Texted:
    made = texting()
    phone = Account("phone", "twilio.voice", "voice", (OWN,), can_deliver=True)
    accounts = {**made.context.accounts, "phone": phone}
    made.context = msgspec.structs.replace(made.context, accounts=accounts)
    return made


def knows_mail(desk: Texted, ticket: dict[str, Any], *, is_verified: bool = True) -> None:
    desk.store.write_now(
        lambda tx: tx.insert(
            schema.identities,
            id=tx.new_id(),
            kind="email",
            value=MAIL,
            customer_id=ticket["customer_id"],
            is_verified=int(is_verified),
            created_at=tx.now,
        )
    )


def ways(desk: Texted, ticket: dict[str, Any], *, but: str = "sms") -> list[tuple[str, str]]:
    def look(tx: Tx) -> tuple[other_ways.OtherWay, ...]:
        found = tickets.load(tx, ticket["id"])
        assert found is not None
        return other_ways.of(tx, desk.context.accounts, found, but=but)

    return [(each.medium, each.to) for each in desk.store.read_now(look)]


async def fails(desk: Texted, ticket: dict[str, Any], *, code: int = 30003) -> None:
    """An answer by text goes out and comes back for good."""
    desk.answer(ticket)
    sent = (await desk.deliver_due())[-1]
    desk.report(sent.sid, "undelivered", code=code)


async def test_a_number_that_takes_no_texts_may_be_called_and_a_proven_address_written_to(
    desk: Texted,
) -> None:
    ticket = desk.text()
    knows_mail(desk, ticket)
    assert ways(desk, ticket) == [("email", MAIL), ("voice", JAN)]


async def test_an_address_that_nobody_has_proven_is_none(desk: Texted) -> None:
    ticket = desk.text()
    knows_mail(desk, ticket, is_verified=False)
    assert ways(desk, ticket) == [("voice", JAN)]


@pytest.mark.parametrize(("after_s", "is_open"), [(86_399, True), (86_400, False)])
async def test_whatsapp_is_one_while_its_24_hours_last(desk: Texted, *, after_s: int, is_open: bool) -> None:
    desk.text(sender=CHAT)
    ticket = desk.text()
    desk.advance(seconds=after_s)
    assert (("whatsapp", JAN) in ways(desk, ticket)) == is_open


async def test_a_text_is_one_where_whatsapp_fails_and_not_to_a_landline(desk: Texted) -> None:
    assert ("sms", JAN) in ways(desk, desk.text(sender=CHAT), but="whatsapp")
    assert ways(desk, desk.call(LANDLINE), but="email") == [("voice", LANDLINE)]


async def test_what_they_have_opted_out_of_is_none(desk: Texted) -> None:
    ticket = desk.text()
    knows_mail(desk, ticket)
    desk.store.write_now(
        lambda tx: opt_outs.note(tx, Identity("phone", JAN), "out", how="word", account="texts")
    )
    assert ways(desk, ticket) == [("email", MAIL)]


async def test_a_country_that_may_not_be_called_is_none(desk: Texted) -> None:
    assert ways(desk, desk.text(sender="+33612345678")) == []


async def test_a_failure_for_good_says_it_on_the_ticket_and_in_the_notice_and_does_nothing(
    desk: Texted,
) -> None:
    ticket = desk.text()
    knows_mail(desk, ticket)
    await fails(desk, ticket, code=30006)
    assert "reachable_otherwise" in desk.events(ticket)
    (notice,) = [each for each in desk.sent() if "did not reach" in each.text]
    assert f"They can be reached by mail to {MAIL}, or a call to {JAN}." in notice.text
    assert desk.sent(MAIL) == []
    assert [row["medium"] for row in desk.rows("outbox", "medium = 'voice'")] == []


async def test_it_is_shown_as_long_as_the_failed_answer_is_the_last(desk: Texted) -> None:
    ticket = desk.text()

    def shown() -> list[str]:
        def look(tx: Tx) -> tuple[other_ways.OtherWay, ...]:
            found = tickets.load(tx, ticket["id"])
            assert found is not None
            return other_ways.after_failure(tx, desk.context.accounts, found)

        return [each.medium for each in desk.store.read_now(look)]

    assert shown() == []
    await fails(desk, ticket, code=30006)
    assert shown() == ["voice"]
    desk.text("here I am")  # what comes from the number takes its mark away
    desk.answer(ticket)
    assert shown() == []
