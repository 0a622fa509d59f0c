"""References that we did not sign: none of them means anything."""

import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from channels.contract import Identity, Message, OutboundMessage, RawMessage
from intake import answered, customers
from intake.model import Arrival, Received
from intake.store.engine import Tx
from tests.domain.world import SUPPORT, World

JAN = "jan@customer.example"
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
RAW = RawMessage(
    kind="email.smtp", account="support", lane="", body=b"", received_at=datetime(2026, 1, 1, tzinfo=UTC)
)


@pytest.fixture
def opened(world: World) -> dict[str, Any]:
    return world.ticket(world.receive(JAN, message_id="first@customer.example"))


@pytest.fixture
def answer(world: World, opened: dict[str, Any]) -> OutboundMessage:
    """A person's answer to Jan: reply address, Message-ID and return path are signed."""
    world.reply(opened)
    return world.sent(JAN)[-1]


def accepted(world: World, recipients: Iterable[str] = (), identifiers: Iterable[str] = ()) -> list[str]:
    """Those of the references that lead Jan to a ticket."""
    claims: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = [(each, (each,), ()) for each in recipients]
    claims += [(each, (SUPPORT,), (each,)) for each in identifiers]

    row = world.rows("customers")[0]

    def look(tx: Tx) -> list[str]:
        customer = customers.load(tx, row["id"])
        found = []
        for name, to, in_reply_to in claims:
            message = Message(kind="email", sender=Identity("email", JAN), in_reply_to=in_reply_to)
            arrival = Arrival(
                received=Received(id=0, raw=RAW),
                message=message,
                account=world.account,
                customer=customer,
                recipients=to,
            )
            if answered.find(tx, world.context, arrival) is not None:
                found.append(name)
        return found

    return world.store.read_now(look)


def address_of(answer: OutboundMessage) -> str:
    assert answer.reply_to is not None
    return answer.reply_to.address


def flips(text: str) -> Iterator[str]:
    """The text with each of its bits turned over; what differs in case only is the same reference."""
    for place, bit in ((place, bit) for place in range(len(text)) for bit in range(8)):
        changed = chr(ord(text[place]) ^ (1 << bit))
        if changed.lower() != text[place].lower():
            yield text[:place] + changed + text[place + 1 :]


def forged(seed: int, ref: str, token: str) -> Iterator[tuple[str, str]]:
    """Refs, and signatures of the right shape and of wrong ones, of keys that exist and keys that do not."""
    source = random.Random(seed)
    while True:
        letters = "".join(source.choices(_LETTERS, k=source.choice((25, 26, 26, 26, 27))))
        key_id = source.choice((token[:-26], "k1", "k2", "", "zz"))
        yield source.choice((ref, ref, "k7m4q2p", ref[::-1])), key_id + letters


def test_the_true_ones_are_accepted(world: World, answer: OutboundMessage) -> None:
    """Else the tests below would show nothing."""
    assert accepted(world, [address_of(answer)], [answer.message_id]) == [
        address_of(answer),
        answer.message_id,
    ]


def test_no_flipped_bit_of_the_address_is_accepted(world: World, answer: OutboundMessage) -> None:
    """Every bit of ref and signature counts."""
    local, _, domain = address_of(answer).partition("@")
    mailbox, _, detail = local.partition("+")
    assert accepted(world, [f"{mailbox}+{each}@{domain}" for each in flips(detail)]) == []


def test_no_flipped_bit_of_the_message_id_is_accepted(world: World, answer: OutboundMessage) -> None:
    """Every bit of ref, number and signature counts; an id that differs from what we sent is not held either."""
    local, _, domain = answer.message_id.partition("@")
    assert accepted(world, identifiers=[f"{each}@{domain}" for each in flips(local)]) == []


@pytest.mark.slow
def test_no_forged_reference_is_accepted(
    world: World, opened: dict[str, Any], answer: OutboundMessage
) -> None:
    """Ten thousand guesses, half as addresses, half as Message-IDs."""
    ref, token = opened["ref"].lower(), address_of(answer).partition("-")[2].partition("@")[0]
    number = answer.message_id.split(".")[1]
    made = forged(7, ref, token)
    recipients = [f"support+{a}-{b}@example.com" for (a, b), _ in zip(made, range(5_000), strict=False)]
    ids = [f"{a}.{number}.{b}@example.com" for (a, b), _ in zip(made, range(5_000), strict=False)]
    assert accepted(world, recipients, ids) == []


def test_signatures_for_another_purpose_are_not_accepted(
    world: World, opened: dict[str, Any], answer: OutboundMessage
) -> None:
    """What is signed for a return path, a Message-ID or an address is good for nothing else."""
    ref = opened["ref"].lower()
    reply = address_of(answer).partition("-")[2].partition("@")[0]
    sent = answer.message_id.partition("@")[0].rpartition(".")[2]
    bounce = answer.envelope_sender.partition("@")[0].rpartition(".")[2]
    number = answer.message_id.split(".")[1]
    recipients = [f"support+{ref}-{each}@example.com" for each in (sent, bounce)]
    ids = [f"{ref}.{number}.{each}@example.com" for each in (reply, bounce)]
    assert accepted(world, recipients, ids) == []


def test_what_is_no_signature_of_ours_is_not_accepted(world: World, opened: dict[str, Any]) -> None:
    """Numbers, refs and the forms that other systems have used are no references."""
    ref, number = opened["ref"].lower(), str(opened["id"])
    details = (
        ref,
        number,
        f"{ref}-",
        f"{ref}-{number}",
        f"reply-{number}",
        f"conversation-{ref}",
        f"{ref}+{ref}",
    )
    ids = (
        f"{ref}@example.com", f"{number}@example.com", f"notify-{number}-1@example.com", f"{ref}.1@example.com",
        f"reply-{number}-1-1@example.com", f"ticket/{ref}@example.com", "@example.com", "", "." * 40 + "@example.com",
    )  # fmt: skip
    assert accepted(world, [f"support+{each}@example.com" for each in details], ids) == []


def test_copied_message_id_does_not_cut_the_customer_off(
    world: World, opened: dict[str, Any], answer: OutboundMessage
) -> None:
    """Somebody who sends mail under a Message-ID of ours, or of the customer, changes nothing for the customer."""
    for identifier in (answer.message_id, "first@customer.example"):
        for number in range(answered.HOLDERS_MAX + 1):
            world.receive("eve@elsewhere.example", body=f"{identifier} {number}", message_id=identifier)
        row = world.receive(JAN, body=f"more {identifier}", headers={"In-Reply-To": f"<{identifier}>"})
        assert row["ticket_id"] == opened["id"]


def test_signature_of_one_who_takes_no_part_suggests_only(
    world: World, opened: dict[str, Any], answer: OutboundMessage
) -> None:
    """Jan's reply address in Eve's hands is a suggestion to the agent, and no more."""
    row = world.receive("eve@elsewhere.example", body="let me in", to=[address_of(answer)])
    assert (world.ticket(row)["suggested_link"], row["ticket_id"] != opened["id"]) == (opened["id"], True)


def test_unreadable_mail_joins_nothing(world: World, opened: dict[str, Any], answer: OutboundMessage) -> None:
    """Its From was not read, and an envelope sender is anybody's: an agent decides."""
    row = world.receive_unreadable(sender=JAN, to=[address_of(answer)])
    assert world.ticket(row)["suggested_link"] == opened["id"]
