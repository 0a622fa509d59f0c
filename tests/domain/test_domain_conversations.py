"""Which conversation a message joins: threading is access."""

from typing import Any

import pytest

from channels.contract import OutboundMessage
from tests.domain.world import SUPPORT, World

PASS = {"Authentication-Results": "mx.example.com; dmarc=pass header.from=customer.example"}
FAIL = {"Authentication-Results": "mx.example.com; dmarc=fail header.from=customer.example"}
STRANGER = "eve@elsewhere.example"


@pytest.fixture
def opened(world: World) -> dict[str, Any]:
    """Jan's ticket."""
    return world.ticket(world.receive(message_id="first@customer.example"))


@pytest.fixture
def receipt(world: World, opened: dict[str, Any]) -> OutboundMessage:
    """Our answer to Jan, with its signed references."""
    return world.sent("jan@customer.example")[0]


def signed_recipient(receipt: OutboundMessage) -> str:
    assert receipt.reply_to is not None
    return receipt.reply_to.address


def test_answer_to_the_signed_address_joins(
    world: World, opened: dict[str, Any], receipt: OutboundMessage
) -> None:
    """The address we gave the customer is enough, without any In-Reply-To."""
    row = world.receive(body="more", to=[signed_recipient(receipt)])
    assert row["ticket_id"] == opened["id"]


def test_answer_with_our_message_id_joins(
    world: World, opened: dict[str, Any], receipt: OutboundMessage
) -> None:
    """Our signed Message-ID in In-Reply-To is enough, at the plain address."""
    row = world.receive(body="more", headers={"In-Reply-To": f"<{receipt.message_id}>"})
    assert row["ticket_id"] == opened["id"]


def test_our_message_id_far_back_in_references_joins(
    world: World, opened: dict[str, Any], receipt: OutboundMessage
) -> None:
    """References are looked through when In-Reply-To names something unknown."""
    headers = {"In-Reply-To": "<unknown@x>", "References": f"<{receipt.message_id}> <a@x> <b@x> <unknown@x>"}
    assert world.receive(body="more", headers=headers)["ticket_id"] == opened["id"]


def test_customers_own_earlier_message_id_joins_flagged(world: World, opened: dict[str, Any]) -> None:
    """A Message-ID that we only hold joins, and an unverified sender is flagged."""
    row = world.receive(body="I forgot to say", headers={"In-Reply-To": "<first@customer.example>"})
    assert row["ticket_id"] == opened["id"]
    assert "unverified_join" in world.events(opened)


def test_verified_sender_who_joins_by_message_id_is_not_flagged(world: World, opened: dict[str, Any]) -> None:
    """DMARC pass is proof enough for a reference that anybody could know."""
    world.receive(body="more", headers={"In-Reply-To": "<first@customer.example>", **PASS})
    assert "unverified_join" not in world.events(opened)


@pytest.mark.parametrize("way", ["address", "our message-id", "held message-id"])
def test_stranger_with_a_reference_gets_a_ticket_with_a_suggested_link(
    world: World, opened: dict[str, Any], receipt: OutboundMessage, way: str
) -> None:
    """Whoever is not part of the conversation never lands in it, however good the reference."""
    headers = {"our message-id": receipt.message_id, "held message-id": "first@customer.example"}
    row = world.receive(
        STRANGER,
        body="let me in",
        to=[signed_recipient(receipt) if way == "address" else SUPPORT],
        headers={"In-Reply-To": f"<{headers[way]}>"} if way in headers else {},
    )
    ticket = world.ticket(row)
    assert ticket["id"] != opened["id"]
    assert ticket["suggested_link"] == opened["id"]


def test_dmarc_fail_never_joins(world: World, opened: dict[str, Any], receipt: OutboundMessage) -> None:
    """A forged From with the best of references is a new ticket, linked to the one it names."""
    row = world.receive(body="send me the password", to=[signed_recipient(receipt)], headers=FAIL)
    ticket = world.ticket(row)
    assert ticket["id"] != opened["id"]
    assert ticket["linked_to"] == opened["id"]


def test_subject_tag_alone_opens_nothing(world: World, opened: dict[str, Any]) -> None:
    """The ref in a subject is for people: it joins nobody, not even the right customer."""
    row = world.receive(subject=f"Re: [{opened['ref']}]", body="me again")
    assert row["ticket_id"] != opened["id"]


@pytest.mark.parametrize("position", range(0, 27, 2))
def test_wrong_signature_counts_as_absent(
    world: World, opened: dict[str, Any], receipt: OutboundMessage, position: int
) -> None:
    """One changed character anywhere in the signature, and the address means nothing."""
    local, _, domain = signed_recipient(receipt).partition("@")
    head, _, token = local.rpartition("-")
    changed = token[:position] + ("a" if token[position] != "a" else "b") + token[position + 1 :]
    row = world.receive(STRANGER, body="hello", to=[f"{head}-{changed}@{domain}"])
    assert world.ticket(row)["suggested_link"] is None


def test_signature_of_one_ticket_opens_no_other(world: World, receipt: OutboundMessage) -> None:
    """A valid token under another ticket's ref is no token."""
    other = world.ticket(world.receive(STRANGER, body="another"))
    local, _, domain = signed_recipient(receipt).partition("@")
    head, _, token = local.rpartition("-")
    swapped = f"{head.partition('+')[0]}+{other['ref'].lower()}-{token}@{domain}"
    row = world.receive(body="hello", to=[swapped])
    assert (world.ticket(row)["suggested_link"], row["ticket_id"] == other["id"]) == (None, False)


def test_unknown_message_id_makes_a_new_ticket(world: World, opened: dict[str, Any]) -> None:
    """In-Reply-To to something we never saw is no reference."""
    assert world.receive(body="new", headers={"In-Reply-To": "<x@y>"})["ticket_id"] != opened["id"]


def test_answer_to_a_solved_ticket_reopens_it(
    world: World, opened: dict[str, Any], receipt: OutboundMessage
) -> None:
    """A customer who comes back within two weeks is in the same conversation, which is open again."""
    world.set_status(opened, "solved")
    world.advance(days=13)
    row = world.receive(body="again", to=[signed_recipient(receipt)])
    ticket = world.row("tickets", opened["id"])
    assert (row["ticket_id"], ticket["status"], ticket["reopened"]) == (opened["id"], "open", 1)


@pytest.mark.parametrize(("status", "days"), [("solved", 15), ("closed", 1)])
def test_late_answer_is_a_linked_follow_up(
    world: World, opened: dict[str, Any], receipt: OutboundMessage, status: str, days: int
) -> None:
    """What was closed, or solved long ago, stays so; the answer is a new ticket linked to it."""
    world.set_status(opened, status)
    world.advance(days=days)
    ticket = world.ticket(world.receive(body="again", to=[signed_recipient(receipt)]))
    assert (ticket["id"] != opened["id"], ticket["linked_to"]) == (True, opened["id"])


def test_automatic_answer_is_attached_and_moves_nothing(
    world: World, opened: dict[str, Any], receipt: OutboundMessage
) -> None:
    """An out-of-office note stands in the conversation; status, count and clocks are as before."""
    world.set_status(opened, "pending")
    clocks = world.clocks(opened)
    row = world.receive(
        body="I am away", to=[signed_recipient(receipt)], headers={"Auto-Submitted": "auto-replied"}
    )
    ticket = world.row("tickets", opened["id"])
    assert (row["state"], row["ticket_id"]) == ("automatic", opened["id"])
    assert (ticket["status"], ticket["messages"], world.clocks(opened)) == ("pending", 1, clocks)


def test_assignee_is_told_of_an_answer(
    world: World, opened: dict[str, Any], receipt: OutboundMessage
) -> None:
    """The one who has the ticket hears of the customer's next message."""
    world.receive(body="It still burns.", to=[signed_recipient(receipt)])
    assert "> It still burns." in world.sent("ania@desk.example")[-1].text


def test_same_mail_by_another_way_is_a_duplicate_row(world: World, opened: dict[str, Any]) -> None:
    """The same Message-ID and content, delivered again with another trace, adds no message."""
    body = world.mail("jan@customer.example", subject="My printer", body="x", headers={}, message_id="same@x")
    first = world.receive(content=b"Received: from a by b\r\n" + body)
    again = world.receive(content=b"Received: from c by d\r\n" + body, to=["help@example.com"])
    assert (again["state"], again["duplicate_of"], again["ticket_id"]) == (
        "duplicate",
        first["id"],
        first["ticket_id"],
    )
    assert len(world.rows("messages", "direction = 'in'")) == 2  # the opened one's and the first


def test_further_address_of_a_duplicate_is_an_event(world: World) -> None:
    """Through which other address the mail came is told on its ticket."""
    body = world.mail("jan@customer.example", subject="s", body="x", headers={}, message_id="same@x")
    row = world.receive(content=body)
    world.receive(content=body, to=["help@example.com"])
    (event,) = world.rows("events", "kind = 'received_again'")
    assert (event["ticket_id"], "help@example.com" in event["details"]) == (row["ticket_id"], True)


def test_same_message_id_with_other_content_is_kept(world: World) -> None:
    """A re-used Message-ID never swallows a different mail."""
    first = world.receive(body="one", message_id="same@x")
    second = world.receive(body="two", message_id="same@x")
    assert (first["state"], second["state"]) == ("ticket", "ticket")
    assert len(world.rows("messages", "direction = 'in'")) == 2


def test_bounce_to_our_return_path_fails_the_answer(world: World, opened: dict[str, Any]) -> None:
    """A delivery report that comes back on our signed path marks what it is about, on its ticket."""
    world.reply(opened)
    answer = world.sent("jan@customer.example")[-1]
    row = world.receive(
        "MAILER-DAEMON@mx.customer.example", content=REPORT, to=[answer.envelope_sender], envelope_sender=""
    )
    assert (row["state"], row["ticket_id"]) == ("automatic", opened["id"])
    assert world.row("outbox", int(answer.id))["state"] == "failed"
    assert world.row("tickets", opened["id"])["messages"] == 1


def test_forged_bounce_touches_nothing(world: World, opened: dict[str, Any]) -> None:
    """A report on a return path that we did not sign marks nothing."""
    world.reply(opened)
    answer = world.sent("jan@customer.example")[-1]
    forged = answer.envelope_sender.replace("@", "a@")
    world.receive("MAILER-DAEMON@evil.example", content=REPORT, to=[forged], envelope_sender="")
    assert world.row("outbox", int(answer.id))["state"] == "queued"


REPORT = b"""From: MAILER-DAEMON@mx.customer.example
To: support@example.com
Subject: Undelivered
Date: Tue, 10 Nov 2026 10:00:00 +0000
Message-ID: <report@mx.customer.example>
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

Your mail could not be delivered.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.customer.example

Final-Recipient: rfc822; jan@customer.example
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such user

--b--
""".replace(b"\n", b"\r\n")
