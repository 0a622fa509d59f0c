"""What SES reports of our mail moves its delivery as a report by mail does: by the return path or our Message-ID alone."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from channels import contract
from channels.email import ses, webhook
from intake.store import opening
from tests.domain.world import World

TO = "jan@customer.example"


@pytest.fixture
def world(tmp_path: Path, clock: Any, new_store: bytes) -> Iterator[World]:
    (tmp_path / "intake.db").write_bytes(new_store)
    with closing(opening.open_store("", tmp_path, clock=clock)) as store:
        yield World(store, tmp_path, clock)


def answered(world: World) -> contract.OutboundMessage:
    """A customer's mail that an agent has answered; the answer as it went out."""
    world.reply(world.ticket(world.receive(TO)))
    return world.sent(TO)[-1]


def reported(world: World, message: dict[str, Any]) -> dict[str, Any]:
    """Take the notification in as the channel does; its journal row."""
    body = json.dumps(message).encode()
    notification = ses.read(body.decode())
    assert notification is not None
    envelope = ses.report_envelope_of(notification)
    number = world.journal("", content=body, to=envelope["recipients"], envelope_sender="")
    raw = contract.RawMessage(
        kind="email.webhook",
        account="support",
        lane="<>",
        body=body,
        received_at=world.clock(),
        envelope=envelope,
    )
    world.settle(number, message=webhook.parse(raw, webhook.Options()))
    return world.row("journal", number)


def bounce(source: str, *, kind: str = "Permanent", message_id: str = "") -> dict[str, Any]:
    headers = [{"name": "Message-ID", "value": f"<{message_id}>"}] if message_id else []
    failed = {"emailAddress": TO, "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 no such user"}
    return {
        "notificationType": "Bounce",
        "mail": {"source": source, "messageId": "0100", "headers": headers},
        "bounce": {"bounceType": kind, "bouncedRecipients": [failed]},
    }


def test_a_bounce_on_our_return_path_fails_the_answer_and_opens_the_ticket(world: World) -> None:
    answer = answered(world)
    row = reported(world, bounce(answer.envelope_sender))
    assert row["state"] == "automatic"
    assert world.row("outbox", int(answer.id))["state"] == "failed"
    assert "delivery_failed" in world.events(world.row("tickets", row["ticket_id"]))


def test_a_bounce_is_found_by_our_message_id_where_ses_rewrote_the_return_path(world: World) -> None:
    answer = answered(world)
    reported(world, bounce("sender@example.com", message_id=answer.message_id))
    assert world.row("outbox", int(answer.id))["state"] == "failed"


def test_a_bounce_of_somebody_elses_mail_touches_nothing_and_makes_no_ticket(world: World) -> None:
    answer = answered(world)
    before = len(world.rows("tickets"))
    row = reported(
        world, bounce(answer.envelope_sender.replace("@", "x@"), message_id="not-ours@example.com")
    )
    assert (row["state"], len(world.rows("tickets"))) == ("automatic", before)
    assert world.row("outbox", int(answer.id))["state"] != "failed"


def test_a_delivery_moves_the_answer_forward_and_is_no_message(world: World) -> None:
    answer = answered(world)
    before = len(world.rows("messages"))
    mail = {"source": answer.envelope_sender, "messageId": "0100"}
    reported(world, {"notificationType": "Delivery", "mail": mail, "delivery": {"recipients": [TO]}})
    assert world.row("outbox", int(answer.id))["state"] == "delivered"
    assert len(world.rows("messages")) == before
