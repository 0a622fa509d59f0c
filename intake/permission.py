"""May this be sent to this address, by this medium, now? The one gate of everything that goes out.

It is asked when a message is decided (intake.outgoing.send), so that who decides hears of it, and once more right before
it leaves (intake.admitting), whatever has happened in between: STOP, a budget used up, an operator who sends it again.

1. Who has said STOP gets nothing, from nobody, by any medium that it covers (intake.opt_outs). Mail alone is different:
   an opt-out of mail stops machines, and people may go on. A notice to an agent is no message to a customer; but a number
   that has said STOP gets no texts, whoever has it: the provider would refuse them. It still rings.
2. Machines write to no number that never wrote, to no premium or short number, and to no country that its account does
   not name. An agent may have opened the ticket for it, and may answer a text from anywhere; calls keep to the
   countries, whoever makes them.
3. What is no answer waits for the end of the quiet hours (intake.quiet_hours), and so does a machine's answer that could
   not leave for an hour.
4. There is a budget for each number, each prefix and each day (intake.budgets). It is taken right before a message leaves.
"""

from datetime import datetime
from typing import Literal

import msgspec
from sqlalchemy import bindparam, select

from channels import phone_numbers
from channels.contract import Identity
from intake import budgets, events, instants, opt_outs, quiet_hours, reached_names
from intake.budgets import Budget
from intake.model import Account, Context
from intake.opt_outs import EMAIL, PHONE_MEDIA, VOICE, WHATSAPP, OptOut
from intake.quiet_hours import Quiet
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement

Reason = Literal["opted_out", "country", "dear", "stranger", "budget", "quiet", ""]
# What follows upon something that the customer did just now, or that an agent promises now; anything else comes unasked.
ANSWERS = ("message:", "journal:", "call:", "consent:", "promise:")
ANSWERS_WITHIN_US = (
    3_600_000_000  # a machine's "we have it" after three hours without a provider wakes people up
)
CONFIRMED_WITHIN_US = 300_000_000  # 47 CFR 64.1200(a)(12): one confirmation, within five minutes of the word
CONFIRMATION = "confirm:stop"
PREFIX = "whatsapp:"
CHAT = "chat"

_CANNOT = {"sms": "cannot text", WHATSAPP: "cannot write on WhatsApp", VOICE: "cannot call"}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_m, _e, _c, _i = schema.messages.c, schema.events.c, schema.calls.c, schema.identities.c
_WROTE = Statement(
    select(_m.id)
    .where(
        _m.ticket_id == bindparam("ticket_id"), _m.direction == "in", _m.author == bindparam("value")
    )
    .limit(1)
)  # fmt: skip
_OPENED_BY = Statement(
    select(_e.actor)
    .where(_e.ticket_id == bindparam("ticket_id"), _e.kind == "created")
    .order_by(_e.id)
    .limit(1)
)
_CALLED = Statement(
    select(_c.id)
    .where(
        _c.ticket_id == bindparam("ticket_id"), _c.direction == "in", _c.caller == bindparam("value")
    )
    .limit(1)
)  # fmt: skip
_EVIDENCE = Statement(select(_i.evidence).where(_i.kind == bindparam("kind"), _i.value == bindparam("value")))
_by = msgspec.json.Decoder(dict[str, object]).decode


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be sent. account: None = not configured any more. is_public: to a customer; else to an agent.

    is_automatic: a machine wrote it. cause, action: of the outbox row. created_at: when it was decided, microseconds UTC.
    units: segments that it is paid as (intake.budgets).
    """

    medium: str
    account: Account | None
    recipient: str
    is_public: bool
    is_automatic: bool
    cause: str
    action: str
    created_at: int
    ticket_id: int | None = None
    units: int = 1

    @property
    def is_answer(self) -> bool:
        """Whether it follows upon what the customer did just now, or a person has decided to send it now."""
        return not self.is_automatic or self.cause.startswith(ANSWERS)

    @property
    def number(self) -> str | None:
        """The number it goes to, E.164; None = the medium reaches this recipient without one."""
        return phone_numbers.e164(self.recipient.removeprefix(PREFIX))

    @property
    def identities(self) -> tuple[Identity, ...]:
        """By what the ledger may know the recipient."""
        plain = self.recipient.removeprefix(PREFIX)
        if self.medium == EMAIL:
            return (Identity(EMAIL, self.recipient.lower()),)
        kind = WHATSAPP if self.medium == WHATSAPP else reached_names.PHONE
        return reached_names.twins(Identity(kind, self.number or plain))


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The answer. reason: a stable word, "" = it may be sent. sentence: the same for people, "" = it may be sent now.

    at: when it may be sent, microseconds UTC, None = never as things stand, or now when reason is "". broken: the budget
    that is used up.
    """

    reason: Reason = ""
    sentence: str = ""
    at: int | None = None
    broken: Budget | None = None

    @property
    def is_allowed(self) -> bool:
        return self.reason == ""

    @property
    def is_withheld(self) -> bool:
        """Whether it is kept and not sent; a wait is none."""
        return self.reason not in ("", "quiet")


ALLOWED = Verdict()


def ask(
    tx: Tx, context: Context | None, asked: Asked, *, budget: Literal["look", "take", "taken"] = "look"
) -> Verdict:
    """Answer, for this instant. context: None = by the ledger alone. Nothing is written but what the budgets count.

    budget: look whether there is room, take it because the message is about to leave, or it was taken at an earlier try.
    """
    if not is_bound(asked):
        return ALLOWED
    found = opt_out(tx, asked)
    if found is not None:
        return Verdict(reason="opted_out", sentence=sentence(found, asked.medium))
    if asked.medium not in PHONE_MEDIA or not asked.is_public or context is None:
        return ALLOWED
    refused = _destination(tx, context, asked)
    if refused is not None:
        return refused
    waits = _quiet(tx, context, asked)
    if waits is not None:
        return waits
    return ALLOWED if budget == "taken" else _budget(tx, context, asked, counts=budget == "take")


def is_bound(asked: Asked) -> bool:
    """Whether the ledger has a say: mail of people to customers, and mail to agents, goes on; chats have no name in it."""
    if asked.medium == CHAT:
        return False
    return asked.medium != EMAIL or (asked.is_public and asked.is_automatic)


def tell(tx: Tx, verdict: Verdict, *, ticket_id: int | None, customer_id: int | None, outbox_id: int) -> None:
    """Write down why a message does not go out now, and count it; a budget that is used up raises its alarm."""
    if verdict.is_allowed:
        return
    if verdict.broken is not None:
        budgets.alarm(tx, verdict.broken)
    kind = "message_withheld" if verdict.is_withheld else "message_waits"
    events.record(
        tx,
        kind,
        ticket_id=ticket_id,
        customer_id=customer_id,
        outbox=str(outbox_id),
        reason=verdict.reason,
        sentence=verdict.sentence,
        until=None if verdict.at is None else instants.rfc3339_from_us(verdict.at),
    )
    tx.signal("told", [(kind, {"outbox": outbox_id, "reason": verdict.reason})])


def opt_out(tx: Tx, asked: Asked) -> OptOut | None:
    """Return the opt-out that keeps this from its recipient; None = there is none, or this confirms it."""
    if asked.medium == VOICE and not asked.is_public:
        return None
    found = opt_outs.holding(tx, asked.identities, asked.medium)
    is_confirmation = asked.action == CONFIRMATION and asked.cause.startswith("consent:")
    if found is not None and is_confirmation and tx.now - found.at <= CONFIRMED_WITHIN_US:
        return None
    return found


def sentence(found: OptOut, medium: str) -> str:
    """Say to an agent that nothing can be sent: "+48600100200 opted out 3 Nov 2026 (STOP), cannot text"."""
    at = instants.datetime_from_us(found.at)
    said = f" ({found.said.strip()[:40]})" if found.how == "word" and found.said.strip() else ""
    day = f"{at.day} {_MONTHS[at.month - 1]} {at.year}"
    return f"{found.value} opted out {day}{said}, {_CANNOT.get(medium, 'gets no automatic mail')}"


def _destination(tx: Tx, context: Context, asked: Asked) -> Verdict | None:
    """Say why it may not go there, whoever waits for it."""
    if asked.medium == WHATSAPP:
        refused = None
    elif asked.is_automatic and phone_numbers.is_dear(asked.number or ""):
        words = "is a premium or short number: no machine writes or calls there"
        refused = Verdict(reason="dear", sentence=f"{asked.recipient} {words}")
    elif asked.is_automatic or asked.medium == VOICE:
        refused = _country(asked)
    else:
        refused = None
    return refused or _stranger(tx, context, asked)


def _country(asked: Asked) -> Verdict | None:
    allowed = countries(asked.account) if asked.account is not None else frozenset()
    country = phone_numbers.country(asked.number or "")
    if country in allowed:
        return None
    name = asked.account.name if asked.account is not None else ""
    where = f"in {country}" if country is not None else "in no country that we know"
    hint = f": see countries of the account '{name}'" if name else ""
    return Verdict(reason="country", sentence=f"{asked.recipient} is {where}, which is not allowed{hint}")


def countries(account: Account) -> frozenset[str]:
    """Return where an account may text and call to: what it names, else where our own numbers are."""
    if account.countries:
        return frozenset(account.countries)
    own = (phone_numbers.country(each) for each in account.addresses)
    return frozenset(each for each in own if each is not None)


def _stranger(tx: Tx, context: Context, asked: Asked) -> Verdict | None:
    """Keep machines from writing to who never wrote to us."""
    if not asked.is_automatic or context.phone.to_strangers or asked.cause.startswith("consent:"):
        return None
    if asked.ticket_id is not None and _is_known(tx, asked, asked.ticket_id):
        return None
    words = "never wrote or called: no machine writes there"
    return Verdict(reason="stranger", sentence=f"{asked.recipient} {words}")


def _is_known(tx: Tx, asked: Asked, ticket_id: int) -> bool:
    """Whether the recipient has written or called, or an agent has opened the ticket for them."""
    for identity in asked.identities:
        if tx.one(_WROTE, ticket_id=ticket_id, value=identity.value) is not None:
            return True
        row = tx.one(_EVIDENCE, kind=identity.kind, value=identity.value)
        if row is not None and _by(row[0]).get("by") in {f"{medium} message" for medium in PHONE_MEDIA}:
            return True
    if asked.number and tx.one(_CALLED, ticket_id=ticket_id, value=asked.number) is not None:
        return True
    opened = tx.one(_OPENED_BY, ticket_id=ticket_id)
    return opened is not None and str(opened[0]).startswith("agent:")


def _quiet(tx: Tx, context: Context, asked: Asked) -> Verdict | None:
    """Say until when it waits; None = it need not."""
    quiet = Quiet.of(context.phone.quiet_hours)
    is_late = asked.is_automatic and tx.now - asked.created_at > ANSWERS_WITHIN_US
    if quiet is None or (asked.is_answer and not is_late):
        return None
    now = instants.datetime_from_us(tx.now)
    until: datetime = quiet_hours.ends_after(quiet, now, asked.number or "")
    if until <= now:
        return None
    sentence = f"it is night where {asked.recipient} is: it waits for the end of the quiet hours"
    return Verdict(reason="quiet", sentence=sentence, at=instants.us_from_datetime(until))


def _budget(tx: Tx, context: Context, asked: Asked, *, counts: bool) -> Verdict:
    """Look whether there is room, or take it."""
    number, is_persons = asked.number or asked.recipient, not asked.is_automatic
    look = budgets.take if counts else budgets.used_up
    broken = look(tx, context.phone, number, is_persons=is_persons, units=asked.units)
    if broken is None:
        return ALLOWED
    return Verdict(reason="budget", sentence=broken.sentence, broken=broken)
