"""A ticket that an agent opens for a customer: what somebody said on the phone, at the counter, by letter; or a first word.

    write_down      what the customer said (intake.written_down) is kept in the journal and goes through the rules, in one
                    transaction, like any message of theirs
    write_first     we write to the customer: the ticket is the writer's, and waits for the answer

Whoever is named by an address or a number that we know is the customer that we know.
"""

from pathlib import Path

import msgspec

from channels import phone_numbers
from channels.contract import Address, Identity, OutboundFile, RawMessage
from channels.email.addresses import is_plausible, normalised
from intake import (
    addresses,
    answer_form,
    assigning,
    conversations,
    customers,
    desk,
    events,
    instants,
    journal,
    loops,
    newcomers,
    outgoing,
    quiet,
    seating,
    solving,
    tickets,
    written_down,
)
from intake.answering_by_phone import SMS
from intake.desk import DeskError
from intake.model import Account, Arrival, Context, Received, Ticket
from intake.outbound import MAIL, Draft
from intake.solving import Ending
from intake.store import blobs, schema
from intake.store.blobs import PreparedBlob
from intake.store.engine import Tx
from intake.written_down import WAYS, Written
from routing.targets import PRIORITIES

SUBJECT_MAX_CHARACTERS = 300
TEXT_MAX_CHARACTERS = 200_000


class Placing(msgspec.Struct, frozen=True, kw_only=True):
    """Where a new ticket goes; None = as the rules have it."""

    to: str | None = None
    priority: str | None = None
    nature: str | None = None


class First(msgspec.Struct, frozen=True, kw_only=True):
    """What we write first. to: an address, or a number with its country's code; by: email, sms."""

    to: str
    text: str
    subject: str = ""
    name: str = ""
    files: tuple[OutboundFile, ...] = ()


def checked(written: Written) -> Written:
    """Return what was written down, addresses as we keep them. Raises: DeskError."""
    if written.way not in WAYS:
        raise DeskError(
            f"'{written.way}' is not a way{desk.meant(written.way, list(WAYS))}: {', '.join(WAYS)}"
        )
    if not written.text.strip():
        raise DeskError("nothing is written down: what did they say?")
    if len(written.text) > TEXT_MAX_CHARACTERS:
        raise DeskError(f"a text has {TEXT_MAX_CHARACTERS:,} characters at most")
    return msgspec.structs.replace(
        written,
        address=_address(written.address) if written.address.strip() else "",
        phone=_number(written.phone) if written.phone.strip() else "",
        name=" ".join(written.name.split())[:200],
        subject=_subject(written.subject, written.text),
    )


def prepare(written: Written, *, folder: Path) -> PreparedBlob:
    """Return what the journal keeps of it. folder: of the blobs."""
    return blobs.prepare(msgspec.json.encode(written), folder)


def write_down(
    tx: Tx,
    context: Context,
    written: Written,
    blob: PreparedBlob,
    placing: Placing,
    *,
    agent: str,
    files: tuple[OutboundFile, ...] = (),
) -> Ticket:
    """Make a ticket of what a customer said. written: checked; blob: of it; files: a letter's pages. Raises: DeskError."""
    desk.check_agent(context, agent)
    account = _account(context, written)
    raw = RawMessage(
        kind=written_down.KIND,
        account=written_down.NAME,
        lane=f"!{agent}",  # sorts before every sender, whose lock comes after it
        body=msgspec.json.encode(written),
        received_at=instants.datetime_from_us(tx.now),
        envelope={"by": agent, "way": written.way},
    )
    receipt = journal.keep(tx, raw, blob, ())
    message = written_down.parse(raw, written_down.Options())
    arrival = Arrival(
        received=Received(id=receipt.id, raw=raw),
        message=message,
        account=account,
        customer=customers.identify(tx, message),
        recipients=(),
    )
    newcomers.open_ticket(tx, context, arrival, conversations.NEW)
    made = journal.outcome(tx, receipt.id)
    if made.ticket_id is None:
        raise DeskError("the rules ignore what this says: no ticket was made")
    ticket = tickets.locked(tx, made.ticket_id)
    if files:
        named = msgspec.json.encode([outgoing.described(each) for each in files]).decode()
        tx.update(schema.messages, {"journal_id": receipt.id, "ticket_id": ticket.id}, attachments=named)
    events.of_ticket(tx, ticket, "written_down", actor=f"agent:{agent}", way=written.way)
    return _placed(tx, context, ticket, placing, agent=agent)


def write_first(tx: Tx, context: Context, first: First, placing: Placing, *, agent: str) -> Ticket:
    """Write to somebody, and make the ticket that their answer belongs to. Raises: DeskError."""
    desk.check_agent(context, agent)
    if not first.text.strip():
        raise DeskError("the message is empty: nothing was sent")
    is_mail = "@" in first.to
    to = _address(first.to) if is_mail else _number(first.to)
    account = outgoing.first_of(context, MAIL if is_mail else SMS)
    if account is None:
        raise DeskError(f"no account of this configuration can send by {MAIL if is_mail else SMS}")
    if loops.is_ours(context.accounts.values(), to):
        raise DeskError(f"{to} is an address of ours")
    identity = Identity("email" if is_mail else "phone", to)
    customer = customers.known_as(tx, identity, name=" ".join(first.name.split())[:200])
    ticket = Ticket(
        id=tx.new_id(),
        ref=tickets.new_ref(tx, context.keys),
        customer_id=customer.id,
        subject=_subject(first.subject, first.text),
        status="pending",
        priority="normal",
        team=_team_of(context, agent),
        level=None,
        agent=None,
        language=customer.language,
        tags=(),
        medium=account.medium,
        account=account.name,
        own_address=addresses.own_address(account, ()),
        sla=None,
        armament=None,
        reopened=0,
        is_spam=False,
        created_at=tx.now,
        solved_at=None,
        taken_at=tx.now,
    )
    tickets.insert(tx, ticket, rule="desk", links=(None, None))
    tx.update(schema.tickets, {"id": ticket.id}, messages=0)  # the customer has written none
    tickets.add_participant(tx, ticket, identity)
    events.of_ticket(tx, ticket, "created", actor=f"agent:{agent}", rule="desk", matched=[])
    _send_first(tx, context, ticket, account, first, to=Address(to, first.name), agent=agent)
    given = seating.give(tx, context, ticket, agent, actor=f"agent:{agent}") or ticket
    return _placed(tx, context, given, placing, agent=agent)


def _send_first(
    tx: Tx, context: Context, ticket: Ticket, account: Account, first: First, *, to: Address, agent: str
) -> None:
    draft = Draft(
        cause=f"agent:{agent}:{tx.new_id()}",
        action="reply",
        to=to,
        subject=f"{ticket.subject} [{ticket.ref}]",
        text=first.text.rstrip(),
        below=answer_form.below(context, ticket, None, agent=agent) if account.medium == MAIL else "",
        from_name=answer_form.from_name(context, agent),
        author=agent,
        medium=account.medium,
        account=account.name,
        attachments=first.files,
    )
    refusal = outgoing.refusal(tx, context, ticket, draft)
    if refusal is not None:
        raise DeskError(refusal)
    outbox_id = outgoing.send(tx, context, ticket, draft)
    events.of_ticket(tx, ticket, "agent_replied", actor=f"agent:{agent}", outbox=str(outbox_id))
    tickets.stamp(tx, ticket, agent_replied_at=tx.now)


def _placed(tx: Tx, context: Context, ticket: Ticket, placing: Placing, *, agent: str) -> Ticket:
    """Put the ticket where the agent wants it, beyond what the rules said."""
    solving.check(Ending(nature=placing.nature), status=None)
    after = solving.note(tx, ticket, Ending(nature=placing.nature), agent=agent)
    if placing.priority is not None and placing.priority not in PRIORITIES:
        raise DeskError(f"'{placing.priority}' is not a priority: {', '.join(PRIORITIES)}")
    if placing.priority is not None and placing.priority != after.priority:
        after = desk.set_priority(tx, context, after.ref, placing.priority, agent=agent)
    if placing.to is not None and placing.to not in (after.team, after.agent):
        after = assigning.assign(tx, context, after.ref, placing.to, agent=agent)
    quiet.follow(tx, context, after)
    return after


def _account(context: Context, written: Written) -> Account:
    """Return the account that answers leave by; where nobody can be answered, one that stands for none."""
    wanted = MAIL if written.address else SMS if written.phone else ""
    found = outgoing.first_of(context, wanted) if wanted else None
    return found or Account(written_down.NAME, written_down.KIND, written.medium)


def _team_of(context: Context, agent: str) -> str | None:
    """Return the first team of the rules that somebody is in."""
    for team in context.rulebook.teams.values():
        if any(agent in names for names in team.levels.values()):
            return team.name
    return None


def _address(text: str) -> str:
    found = normalised(text.strip()).lower()
    if not is_plausible(found):
        raise DeskError(f"'{text.strip()[:100]}' is not an address: it is written like jan@example.com")
    return found


def _number(text: str) -> str:
    found = phone_numbers.e164(text)
    if found is None:
        raise DeskError(
            f"'{text.strip()[:40]}' is not a number with its country's code: it is written like +48 600 100 200"
        )
    return found


def _subject(given: str, text: str) -> str:
    """Return the subject in one line; without one the first line of the text."""
    line = " ".join(given.split()) or next((each.strip() for each in text.splitlines() if each.strip()), "")
    return line[:SUBJECT_MAX_CHARACTERS]
