"""A first mail becomes a ticket: routed, timed, acknowledged, explained."""

import msgspec
import pytest

from intake.sections import Limits
from tests.domain.world import SUPPORT, World


def test_mail_becomes_a_routed_ticket(world: World) -> None:
    """The route rule that matches gives the team, and the default gives what it left open."""
    ticket = world.ticket(world.receive(body="I want a refund."))
    assert (ticket["team"], ticket["rule"], ticket["priority"], ticket["sla"]) == (
        "billing",
        "money",
        "normal",
        "standard",
    )


def test_ticket_goes_to_somebody_on_duty(world: World) -> None:
    """The ticket is assigned inside the team's first level."""
    assert world.ticket(world.receive())["agent"] == "ania"


def test_clocks_start_with_the_ticket(world: World) -> None:
    """Both targets run from the ticket's creation."""
    ticket = world.ticket(world.receive())
    due = {name: clock["due_at"] for name, clock in world.clocks(ticket).items()}
    assert due == {"first_response": "2026-11-10T11:00:00Z", "resolution": "2026-11-10T17:00:00Z"}


def test_every_ladder_step_is_a_timer_row(world: World) -> None:
    """Each step, each repetition and each breach is a row of its own from the start."""
    ticket = world.ticket(world.receive())
    steps = {row["step"] for row in world.rows("timers", "ticket_id = :id", id=ticket["id"])}
    assert steps == {
        "nudge/0", "nudge/1", "nudge/2", "nudge/2/1", "nudge/3", "breach:first_response", "breach:resolution",
    }  # fmt: skip


def test_customer_gets_one_acknowledgement_marked_as_automatic(world: World) -> None:
    """The receipt says what it is and has no return path."""
    world.receive()
    (receipt,) = world.sent("jan@customer.example")
    assert (receipt.automatic, receipt.envelope_sender) == ("auto-replied", "")


def test_acknowledgement_echoes_nothing_of_an_unverified_stranger(world: World) -> None:
    """Neither subject, text nor display name of the mail goes back to an address that is not proven."""
    world.receive(
        '"Buy pills at evil.example" <victim@customer.example>',
        subject="Cheap pills",
        body="visit evil.example",
    )
    (receipt,) = world.sent("victim@customer.example")
    assert "pills" not in f"{receipt.subject} {receipt.text} {receipt.to[0].name}".lower()


def test_decision_is_stored_with_its_facts_and_reasons(world: World) -> None:
    """What the rules saw, and why they decided so, is kept by value with the rulebook's hash."""
    ticket = world.ticket(world.receive(body="refund please"))
    (kept,) = world.rows("decisions", "ticket_id = :id", id=ticket["id"])
    decision, facts = msgspec.json.decode(kept["decision"]), msgspec.json.decode(kept["facts"])
    assert kept["rulebook"] == world.context.rulebook.hash
    assert facts["sender"]["address"] == "jan@customer.example"
    assert [reason["rule"] for reason in decision["reasons"]] == ["money"]


def test_stored_facts_hold_no_text_of_the_customer(world: World) -> None:
    """Text stands with the message, once: erasing it there erases it."""
    world.receive(subject="Zanzibar", body="refund Zanzibar")
    (kept,) = world.rows("decisions")
    assert "Zanzibar" not in kept["facts"]


def test_agent_is_told_of_the_ticket_with_the_customers_words(world: World) -> None:
    """The built-in notice goes to the one who got it and quotes the mail."""
    world.receive(body="My cat is stuck.")
    (notice,) = world.sent("ania@desk.example")
    assert "> My cat is stuck." in notice.text
    assert notice.automatic == "auto-generated"


def test_known_sender_is_the_same_customer(world: World) -> None:
    """A second mail of an address, in other capitals, adds no customer."""
    world.receive("jan@customer.example")
    world.receive("Jan@Customer.example", body="another matter")
    assert len(world.rows("customers")) == 1


def test_a_sender_less_mail_is_still_a_ticket(world: World) -> None:
    """Without From and with a null return path the mail is kept and routed like any other."""
    row = world.receive("", content=b"Subject: hello\r\n\r\nwho am I\r\n", envelope_sender="")
    assert world.ticket(row)["subject"] == "hello"


@pytest.mark.parametrize(
    "headers",
    [{"Auto-Submitted": "auto-replied"}, {"Precedence": "bulk"}, {"List-Id": "<news.example>"}],
)
def test_robots_get_no_answer(world: World, headers: dict[str, str]) -> None:
    """Automatic mail becomes a ticket that says so, and is never answered."""
    world.receive("robot@customer.example", headers=headers)
    assert len(world.rows("tickets")) == 1
    assert world.sent("robot@customer.example") == []


@pytest.mark.parametrize("sender", ["noreply@customer.example", "MAILER-DAEMON@customer.example", SUPPORT])
def test_addresses_that_nobody_reads_get_no_answer(world: World, sender: str) -> None:
    """No-reply addresses, mail systems and ourselves are not answered, whatever their headers say."""
    world.receive(sender)
    assert world.sent(sender.lower()) == []


def test_null_return_path_gets_no_answer(world: World) -> None:
    """Mail that came with an empty envelope sender is not answered (RFC 3834 §2)."""
    world.receive(envelope_sender="")
    assert world.sent("jan@customer.example") == []


def test_one_address_gets_no_more_receipts_than_the_limit(world: World) -> None:
    """The hourly cap of automatic replies per address holds over any number of tickets."""
    for number in range(8):
        world.receive(subject=f"matter {number}", body=f"text {number}")
    assert len(world.sent("jan@customer.example")) == Limits().auto_replies_per_address_hour


def test_cap_is_free_again_after_an_hour(world: World) -> None:
    """The window of the cap ends an hour after its first use."""
    for number in range(6):
        world.receive(subject=f"matter {number}", body=f"text {number}")
    world.advance(hours=1, seconds=1)
    world.receive(subject="later", body="later")
    assert len(world.sent("jan@customer.example")) == Limits().auto_replies_per_address_hour + 1


def test_spam_is_a_closed_ticket_without_clocks_and_answer(world: World) -> None:
    """A rule's `spam` keeps the mail out of everybody's way and loses nothing."""
    ticket = world.ticket(world.receive(subject="casino"))
    assert (ticket["status"], ticket["is_spam"], world.clocks(ticket)) == ("closed", 1, {})
    assert world.sent("jan@customer.example") == []


def test_ignored_mail_is_kept_in_the_journal_with_its_rule(world: World) -> None:
    """A rule's `ignore` makes no ticket; the row says which rule it was."""
    row = world.receive(subject="our newsletter")
    assert (row["state"], row["ticket_id"], row["problem"]) == (
        "ignored",
        None,
        "ignored by rule newsletters",
    )


def test_unreadable_mail_is_a_quarantined_ticket(world: World) -> None:
    """What cannot be parsed is routed by its envelope, and its row asks for a look."""
    row = world.receive_unreadable()
    assert row["state"] == "quarantined"
    assert "unreadable" in world.events(world.ticket(row))


def test_replay_puts_what_is_read_now_onto_the_same_ticket(world: World) -> None:
    """After a repair of the parser, `journal replay` makes the ticket readable and no second one."""
    from intake import journal

    row = world.receive_unreadable(body="readable after all")
    world.store.write_now(lambda tx: journal.replay(tx, row["id"]))
    world.settle(row["id"])
    message = world.row("messages", row["message_id"])
    assert message["body"].strip() == "readable after all"
    assert len(world.rows("tickets")) == 1
