"""Whose word a mail is: every kind of signature, sender and proof, with what becomes of it."""

import itertools
from typing import Any

import msgspec
import pytest

from channels.contract import RawMessage
from channels.email import message as mail_reader
from intake import addresses, agent_proof, credentials, listing, notices, tickets
from intake.commands import ticket_page
from tests.domain.agents import ANIA, EWA, JAN, PASS, address_of, details, notice, to_customer
from tests.domain.world import RULES, SUPPORT, World

STRANGER = "eve@elsewhere.example"
TRUSTS = {
    "verified": "mx.example.com; dmarc=pass header.from={domain}",
    "unverified": None,
    "denied": "mx.example.com; dmarc=fail header.from={domain}",
}
SIGNATURES = ("right", "other agent's", "other ticket's", "moved", "forged", "customer's", "none")
SENDERS = {"agent": ANIA, "other agent": EWA, "stranger": STRANGER, "customer": JAN}


class Desk:
    """Two tickets of ania's, and what she and ewa were told about them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.ticket = world.ticket(world.receive(JAN))
        self.ania = notice(world)
        self.receipt = world.sent(JAN)[-1]
        self.other = world.ticket(world.receive("kim@third.example", subject="Something else"))
        self.anias_other = notice(world)
        self.ewa = self._told_ewa()

    def _told_ewa(self) -> Any:
        def tell(tx: Any) -> None:
            ticket = tickets.locked(tx, self.ticket["id"])
            note = notices.Notice(kind="assigned", headline="Look.", cause="test")
            notices.send(tx, self.world.context, ticket, "ewa", note)

        self.world.store.write_now(tell)
        return notice(self.world, EWA)

    def recipient(self, signature: str) -> str:
        right = address_of(self.ania)
        return {
            "right": right,
            "other agent's": address_of(self.ewa),
            "other ticket's": address_of(self.anias_other),
            "moved": right.replace(self.ticket["ref"].lower(), self.other["ref"].lower()),
            "forged": right[:-20] + "aaaaaaaa" + right[-12:],
            "customer's": address_of(self.receipt),
            "none": SUPPORT,
        }[signature]


def headers(trust: str, sender: str) -> dict[str, str]:
    line = TRUSTS[trust]
    return {"Authentication-Results": line.format(domain=sender.partition("@")[2])} if line else {}


def expected(signature: str, who: str, trust: str) -> tuple[str, bool]:
    """What becomes of the mail, and whether the history says that an agent's word was not proven."""
    is_agent = who in ("agent", "other agent")
    bound_to = {"right": "agent", "other ticket's": "agent", "other agent's": "other agent"}.get(signature)
    looks_like_agents = is_agent or bound_to is not None
    if trust == "denied":
        names_ticket = bound_to is not None or signature == "customer's"
        return ("linked" if names_ticket else "new"), looks_like_agents
    if is_agent and bound_to is not None and (bound_to == who or trust == "verified"):
        return ("answered other" if signature == "other ticket's" else "answered"), False
    if signature == "customer's":
        # An agent who is verified is a customer here; who is not, a stranger: the address is neither's.
        return ("joined" if who == "customer" else "linked"), is_agent and trust == "unverified"
    if bound_to is not None:
        return "linked", True
    return "new", is_agent and trust == "unverified"


ROWS = list(itertools.product(SIGNATURES, SENDERS, TRUSTS))


@pytest.mark.slow
@pytest.mark.parametrize(("signature", "who", "trust"), ROWS)
def test_truth_table(world: World, signature: str, who: str, trust: str) -> None:
    """Only the right agent with a signature, or a verified one who answers something of ours, speaks for the desk."""
    desk = Desk(world)
    before = len(world.rows("tickets"))
    row = world.receive(
        SENDERS[who],
        body="#close\nSay this.",
        to=[desk.recipient(signature)],
        headers=headers(trust, SENDERS[who]),
    )
    became, is_told = expected(signature, who, trust)
    ticket = world.ticket(row)
    links = {ticket["linked_to"], ticket["suggested_link"]} - {None}
    actual = (
        ("answered" if ticket["id"] == desk.ticket["id"] else "answered other")
        if "agent_mail" in world.events(ticket)
        else "joined"
        if len(world.rows("tickets")) == before
        else "linked"
        if links
        else "new"
    )
    assert (actual, "agent_unproven" in world.events(ticket)) == (became, is_told)
    said = to_customer(world)
    assert set(said) <= {"Say this."}
    assert len(said) == (1 if became.startswith("answered") else 0)
    closed = [each for each in world.rows("tickets") if each["status"] == "solved"]
    assert len(closed) == len(said)


def test_table_is_whole() -> None:
    """Seven kinds of signature, four senders, three proofs."""
    assert len(ROWS) == 84


@pytest.mark.parametrize("reference", ["notice", "held", "receipt", "unknown"])
@pytest.mark.parametrize("trust", list(TRUSTS))
def test_message_ids_prove_as_much(world: World, reference: str, trust: str) -> None:
    """A notice's own Message-ID is as good as its address; one of the conversation needs a verified sender."""
    opened = world.ticket(world.receive(JAN, message_id="held@customer.example"))
    identifier = {
        "notice": notice(world).message_id,
        "held": "held@customer.example",
        "receipt": world.sent(JAN)[0].message_id,
        "unknown": "x@y.example",
    }[reference]
    world.receive(ANIA, body="Water.", headers={"In-Reply-To": f"<{identifier}>", **headers(trust, ANIA)})
    is_proven = trust != "denied" and (
        reference == "notice" or (trust == "verified" and reference in ("held", "receipt"))
    )
    assert (to_customer(world) == ["Water."]) is is_proven
    assert ("agent_mail" in world.events(opened)) is is_proven


@pytest.mark.parametrize("kind", ["address", "message-id"])
def test_every_flipped_bit_is_refused(world: World, kind: str) -> None:
    """One bit of the signed part is wrong: it proves nothing. Upper case is the same address, as mail servers have it."""
    world.receive(JAN)
    sent = notice(world)
    text = address_of(sent) if kind == "address" else sent.message_id
    agents = [("ania", ANIA), ("ewa", EWA)]
    refused = 0
    for position, bit in itertools.product(range(text.index("@")), range(8)):
        flipped = text[:position] + chr(ord(text[position]) ^ 1 << bit) + text[position + 1 :]
        if flipped.lower() == text or position < len("support+") * (kind == "address"):
            continue
        reference = (
            addresses.agent_reference_from_recipient(world.account, flipped)
            if kind == "address"
            else addresses.agent_reference_from_message_id(flipped)
        )
        assert reference is None or not any(
            reference.is_bound_to(name, email, world.keys) for name, email in agents
        ), flipped
        refused += 1
    assert refused > 300


def test_signatures_serve_one_purpose(world: World) -> None:
    """A customer's token written like an agent's, and the other way round, is worth nothing, also for the same person."""
    opened = world.ticket(world.receive(ANIA))  # an agent's own matter: customer and agent have one address
    receipt, sent = world.sent(ANIA)[-1], world.sent(ANIA)[0]
    assert {receipt.automatic, sent.automatic} == {"auto-replied", "auto-generated"}
    for each in (receipt, sent):
        local = address_of(each).partition("@")[0]
        token = local[-27:]
        as_agents = f"support+a.{opened['ref'].lower()}.mikz1v0w.{token}@example.com"
        as_customers = f"support+{opened['ref'].lower()}-{token}@example.com"
        reference = addresses.agent_reference_from_recipient(world.account, as_agents)
        assert reference is not None
        assert not reference.is_bound_to("ania", ANIA, world.keys)
        customers = addresses.reference_from_recipient(world.account, as_customers)
        assert customers is not None
        assert customers.is_bound_to(ANIA, world.keys) is (each.automatic == "auto-replied")


def test_agent_is_a_customer_of_a_matter_of_their_own(world: World) -> None:
    """Verified and without a reference: a ticket as of anybody, with nothing strange in its history."""
    ticket = world.ticket(world.receive(ANIA, body="My own printer", headers=PASS))
    assert "agent_unproven" not in world.events(ticket)
    assert ticket["messages"] == 1


def test_agents_answer_in_their_own_matter_is_the_customers(world: World) -> None:
    """The receipt to ania as a customer is answered as a customer, not sent to herself as an answer of the desk."""
    ticket = world.ticket(world.receive(ANIA, body="My own printer", headers=PASS))
    (receipt,) = [each for each in world.sent(ANIA) if each.automatic == "auto-replied"]
    row = world.receive(
        ANIA,
        body="It is worse",
        to=[address_of(receipt)],
        headers={"In-Reply-To": f"<{receipt.message_id}>", **PASS},
    )
    assert row["ticket_id"] == ticket["id"]
    assert world.row("tickets", ticket["id"])["messages"] == 2
    assert "agent_mail" not in world.events(ticket)


def test_unproven_agent_is_never_verified_for_rules(world: World) -> None:
    """The decision's facts say what rules saw."""
    world.use_rules(
        RULES.replace("enrich:\n", "enrich:\n  - {id: v, when: {sender.verified: true}, then: {tags: [v]}}\n")
    )
    ticket = world.ticket(world.receive(ANIA, body="#close\nx"))
    assert ticket["tags"] == "[]"
    assert "agent_unproven" in world.events(ticket)
    assert "sender is not verified" in details(world, "agent_unproven")[0]


def test_two_froms_prove_nothing(world: World) -> None:
    """Which of them wrote is a guess, whatever the signature."""
    world.receive(JAN)
    content = world.mail(ANIA, subject="Re", body="Water.", headers={}, message_id="two@x")
    content = content.replace(b"From: ", f"From: {STRANGER}\r\nFrom: ".encode(), 1)
    world.receive(ANIA, content=content, to=[address_of(notice(world))])
    content = world.mail(f"{ANIA}, {STRANGER}", subject="Re", body="Water.", headers={}, message_id="three@x")
    world.receive(ANIA, content=content, to=[address_of(notice(world))])
    assert not to_customer(world)


def test_unreadable_mail_is_nobodys_word(world: World) -> None:
    """Only the envelope is left of it: nothing that we say about it goes to a customer."""
    world.receive(JAN)
    journal = world.receive_unreadable(sender=ANIA, to=[address_of(notice(world))])
    assert not to_customer(world)
    assert "agent_unproven" in world.events(world.ticket(journal))


def test_mail_that_was_not_understood_is_nobodys_word(world: World) -> None:
    """Whatever a parse that failed has left of it."""
    world.receive(JAN)
    sent = notice(world)
    world.settle(world.journal(ANIA, body="Water.", to=[address_of(sent)]), problem="a bug")
    assert not to_customer(world)
    assert "could not be read" in details(world, "agent_unproven")[0]


def test_history_shows_who_was_not_believed(world: World) -> None:
    """`intake tickets show` names the agent, the address and the reason."""
    ticket = world.ticket(world.receive(ANIA))
    shown = world.store.read_now(lambda tx: listing.ticket(tx, ticket["ref"]))
    assert shown is not None
    page = "\n".join(ticket_page.lines(shown))
    assert "agent_unproven" in page
    assert "its sender is not verified" in page


def test_address_of_two_agents_needs_the_signature(world: World) -> None:
    """A shared mailbox: the signature says who was told, a verified sender does not."""
    world.use_rules(RULES.replace("ewa: {email: ewa@", "ewa: {email: ania@"))
    world.receive(JAN)
    receipt, sent = world.sent(JAN)[0], notice(world)
    world.receive(ANIA, body="Water.", headers={"In-Reply-To": f"<{receipt.message_id}>", **PASS})
    assert not to_customer(world)
    world.receive(ANIA, body="Fire.", to=[address_of(sent)])
    assert to_customer(world) == ["Fire."]


def test_agent_of_yesterday_is_a_stranger(world: World) -> None:
    """Whoever the rules no longer name has no signature that counts."""
    ticket = world.ticket(world.receive(JAN))
    sent = notice(world)
    world.use_rules(
        RULES.replace("  ania: {email: ania@desk.example}\n", "").replace("l1: [ania]", "l1: [ewa]")
    )
    row = world.receive(ANIA, body="Water.", to=[address_of(sent)])
    assert (row["ticket_id"] != ticket["id"], to_customer(world)) == (True, [])


def test_old_notice_proves_nothing_by_itself(world: World) -> None:
    """A mailbox that somebody finds years later is no key; a verified sender still is."""
    world.receive(JAN)
    sent = notice(world)
    world.advance(days=100)
    world.receive(ANIA, body="Water.", to=[address_of(sent)])
    assert not to_customer(world)
    world.receive(ANIA, body="Fire.", to=[address_of(sent)], headers=PASS)
    assert to_customer(world) == ["Fire."]


def test_long_own_address_leaves_the_proof_to_the_message_id(world: World) -> None:
    """64 octets are all that a local part may have: then what the answer names proves it."""
    long = f"{'s' * 30}@example.com"
    account = msgspec.structs.replace(world.account, addresses=(long,))
    world.context = msgspec.structs.replace(world.context, accounts={"support": account})
    world.receive(JAN, to=[long])
    sent = notice(world)
    assert sent.reply_to is None
    world.receive(ANIA, body="Water.", to=[long], headers={"In-Reply-To": f"<{sent.message_id}>"})
    assert to_customer(world) == ["Water."]


@pytest.mark.parametrize("result", ["none", "pass", "fail"])
def test_answer_from_a_private_address_is_a_strangers(world: World, result: str) -> None:
    """It is a ticket of its own, with the one it may belong to; the agent hears of it, unless it is forged as well."""
    headers_ = {"Authentication-Results": f"mx.example.com; dmarc={result} header.from=home.example"}
    ticket = world.ticket(world.receive(JAN))
    private = world.ticket(
        world.receive("ania@home.example", body="Water.", to=[address_of(notice(world))], headers=headers_)
    )
    assert private["suggested_link"] == ticket["id"]
    assert "agent_unproven" in world.events(private)
    assert not to_customer(world)
    assert ("ania@home.example answers the notice" in notice(world).text) is (result != "fail")


def test_ordinary_mail_asks_nothing(world: World) -> None:
    """Whether an agent writes is one look into a table in memory: no claim, and the store is not asked."""
    world.receive(JAN)
    receipt = world.sent(JAN)[0]
    for sender, to in ((JAN, address_of(receipt)), (STRANGER, SUPPORT)):
        content = world.mail(
            sender, subject="s", body="b", headers={"In-Reply-To": f"<{receipt.message_id}>"}
        )
        raw = RawMessage(
            kind="email.smtp", account="support", lane=sender, body=content, received_at=world.clock()
        )
        message = mail_reader.parse(raw, mail_reader.Options())
        assert agent_proof.claim(world.context, world.account, message, (to,)) is None


def test_without_a_delimiter_mail_is_taken_all_the_same(world: World) -> None:
    """No address can carry a signature then: the Message-ID of what is answered does."""
    account = msgspec.structs.replace(world.account, delimiter="")
    world.context = msgspec.structs.replace(world.context, accounts={"support": account})
    world.receive(JAN)
    sent, receipt = notice(world), world.sent(JAN)[0]
    assert (sent.reply_to, address_of(receipt)) == (None, SUPPORT)
    headers_ = {
        "Authentication-Results": "mx.example.com; dmarc=pass header.from=customer.example",
        "Cc": "b@x.example",
    }
    row = world.receive(JAN, body="more", headers={"In-Reply-To": f"<{receipt.message_id}>", **headers_})
    assert world.ticket(row)["messages"] == 2
    world.receive(ANIA, body="Water.", headers={"In-Reply-To": f"<{sent.message_id}>"})
    assert to_customer(world) == ["Water."]


def test_whoever_is_put_out_of_the_desk_says_nothing_by_mail(world: World) -> None:
    """The same mail was an answer before; then it is a stranger's, and its ticket says why."""
    desk = Desk(world)
    right = [desk.recipient("right")]
    world.receive(ANIA, body="Say this.", to=right)

    def put_out(tx: Any) -> None:
        credentials.add(tx, world.context, "ania", "agent", by="system")
        credentials.disable(tx, "ania", by="system")

    world.store.write_now(put_out)
    world.receive(ANIA, body="Say that.", to=right)
    assert to_customer(world) == ["Say this."]
    assert "ania may not sign in any more" in details(world, "agent_unproven")[-1]
