"""Agents who answer notices by mail: what they get, and what they send back."""

from typing import Any

from channels.contract import OutboundMessage
from tests.domain.world import SUPPORT, World

ANIA, EWA, TOMEK = "ania@desk.example", "ewa@desk.example", "tomek@desk.example"
JAN = "jan@customer.example"
PASS = {"Authentication-Results": "mx.example.com; dmarc=pass header.from=desk.example"}


def notice(world: World, to: str = ANIA) -> OutboundMessage:
    """The last notice that an agent got."""
    return world.sent(to)[-1]


def address_of(sent: OutboundMessage) -> str:
    assert sent.reply_to is not None
    return sent.reply_to.address


def quoting(text: str, sent: OutboundMessage) -> str:
    """An answer as mail programs write it: above what it answers."""
    quoted = "\n".join(f"> {line}" for line in sent.text.splitlines())
    return f"{text}\n\nOn Tue, 10 Nov 2026 at 09:00, Example <{SUPPORT}> wrote:\n{quoted}\n"


def answer(
    world: World,
    text: str,
    sent: OutboundMessage | None = None,
    *,
    sender: str = ANIA,
    headers: dict[str, str] | None = None,
    **mail: Any,
) -> dict[str, Any]:
    """Answer a notice by mail; the journal row. sent: None = the agent's last."""
    sent = sent or notice(world, sender)
    given = {"In-Reply-To": f"<{sent.message_id}>"} | (headers or {})
    mail.setdefault("to", [address_of(sent)])
    return world.receive(
        sender, subject=f"Re: {sent.subject}", body=quoting(text, sent), headers=given, **mail
    )


def to_customer(world: World) -> list[str]:
    """What people said to customers, oldest first; each of it is on its way."""
    said = world.rows("messages", "direction = 'out' AND automatic IS NULL ORDER BY id")
    assert {row["id"] for row in said} <= {row["message_id"] for row in world.rows("outbox")}
    return [row["body"] for row in said]


def told(world: World, agent: str = ANIA) -> list[str]:
    """What an agent was told about mails of theirs."""
    rows = world.rows("outbox", "action LIKE 'tell:%' AND recipient = :to ORDER BY id", to=agent)
    return [each.text for each in world.sent(agent) if int(each.id) in {row["id"] for row in rows}]


def notes(world: World, ticket: dict[str, Any]) -> list[str]:
    rows = world.rows("messages", "direction = 'note' AND ticket_id = :id ORDER BY id", id=ticket["id"])
    return [row["body"] for row in rows]


def details(world: World, kind: str) -> list[str]:
    return [row["details"] for row in world.rows("events", "kind = :kind ORDER BY id", kind=kind)]
