"""Who is writing. Identities are typed and point to a customer; the evidence is kept, so that a merge can be undone."""

from datetime import datetime

import msgspec
from sqlalchemy import bindparam, func, select

from channels.contract import Address, Identity, Message
from intake import instants, search_words
from intake.model import OPEN_STATUSES, Customer
from intake.store import schema
from intake.store.engine import Row, Tx
from intake.store.statements import Statement, values_of

_c = schema.customers.c
_i = schema.identities.c
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode

_COLUMNS = (
    _c.id, _c.name, _c.language, _c.organization, _c.tags, _c.created_at, _c.tier, _c.fields, _c.last_rating,
    _c.opted_out_at,
)  # fmt: skip
_WIDTH = len(_COLUMNS)
HISTORY_MAX = 100
_BY_IDENTITY = Statement(
    select(*_COLUMNS, _i.id, _i.is_verified, _i.undeliverable_since)
    .join(schema.identities, _i.customer_id == _c.id)
    .where(_i.kind == bindparam("kind"), _i.value == bindparam("value"))
)
_BY_ID = Statement(select(*_COLUMNS).where(_c.id == bindparam("id")))
_OPEN_TICKETS = Statement(
    select(func.count())
    .select_from(schema.tickets)
    .where(
        schema.tickets.c.customer_id == bindparam("customer_id"),
        schema.tickets.c.id != bindparam("but"),
        schema.tickets.c.status.in_(values_of("statuses")),
    )
)
_HISTORY = Statement(
    select(schema.tickets.c.created_at)
    .where(schema.tickets.c.customer_id == bindparam("customer_id"), schema.tickets.c.id != bindparam("but"))
    .order_by(schema.tickets.c.id.desc())
    .limit(HISTORY_MAX)
)
_OPEN = _encode(sorted(OPEN_STATUSES)).decode()


def identify(tx: Tx, message: Message) -> Customer:
    """Return the customer that the message's sender is known as, a new one when nobody is.

    Who has several names (a WhatsApp user's id and number) is who the first known one of them says; those that nobody
    has yet become theirs. Holds the lock on all of them. A message without any sender gets a customer of its own.
    """
    sender = message.sender
    if sender is None:
        return _create(tx, message)
    names = tuple(dict.fromkeys((sender, *message.also)))
    for name in sorted(names, key=_locked_as):
        tx.lock("sender", _locked_as(name))
    rows = {name: tx.one(_BY_IDENTITY, kind=name.kind, value=name.value) for name in names}
    known = next((row for row in rows.values() if row is not None), None)
    customer = _create(tx, message) if known is None else _customer(known)
    for name, found in rows.items():
        if found is None:
            _keep_identity(tx, customer.id, name, message)
    row = rows[sender]
    return customer if row is None else _known(tx, customer, row, message)


def _locked_as(identity: Identity) -> str:
    return f"{identity.kind}:{identity.value}"


def _known(tx: Tx, customer: Customer, row: Row, message: Message) -> Customer:
    """Note what a message says of the identity that it came from. row: of that identity."""
    identity_id, is_verified, undeliverable_since = row[_WIDTH:]
    if undeliverable_since is not None:  # who writes from there reads there
        tx.update(schema.identities, {"id": identity_id}, undeliverable_since=None, undeliverable_reason=None)
    if message.trust.verified_sender and not is_verified:
        tx.update(schema.identities, {"id": identity_id}, is_verified=1, evidence=_evidence(message))
    return _renamed(tx, customer, message, was_verified=bool(is_verified))


def _renamed(tx: Tx, customer: Customer, message: Message, *, was_verified: bool) -> Customer:
    """Return the customer with the name that counts from now on.

    Anybody may have written the name beside an address that nobody had proven: the first proof takes it away, and only
    proven mail says another from then on. Otherwise whoever is named in a mail of ours could be given a stranger's words.
    """
    name = message.from_.name if message.from_ is not None else ""
    is_verified = message.trust.verified_sender
    is_first_proof = is_verified and not was_verified
    is_named_first = not customer.name and (is_verified or not was_verified)
    if name == customer.name or not (is_first_proof or is_named_first):
        return customer
    tx.update(schema.customers, {"id": customer.id}, name=name)
    return msgspec.structs.replace(customer, name=name)


def known_as(tx: Tx, identity: Identity, *, name: str, is_locked: bool = False) -> Customer:
    """Return the customer that an identity belongs to which somebody else has named, a new one when it is nobody's.

    Holds the lock on the sender, which the caller may hold already. The identity counts as unproven until its owner writes.
    """
    if not is_locked:
        tx.lock("sender", _locked_as(identity))
    row = tx.one(_BY_IDENTITY, kind=identity.kind, value=identity.value)
    if row is not None:
        return _customer(row)
    message = Message(kind=identity.kind, from_=Address(identity.value, name), sender=identity)
    customer = _create(tx, message)
    _keep_identity(tx, customer.id, identity, message)
    return customer


def is_known_as(tx: Tx, customer_id: int, identity: Identity) -> bool:
    row = tx.one(_BY_IDENTITY, kind=identity.kind, value=identity.value)
    return row is not None and int(row[0]) == customer_id


def load(tx: Tx, customer_id: int) -> Customer:
    row = tx.one(_BY_ID, id=customer_id)
    if row is None:
        raise LookupError(f"there is no customer {customer_id}")
    return _customer(row)


def open_tickets(tx: Tx, customer_id: int, *, but: int = 0) -> int:
    """Count the customer's tickets that are neither solved nor closed. but: id of one that does not count."""
    row = tx.one(_OPEN_TICKETS, customer_id=customer_id, but=but, statuses=_OPEN)
    return int(row[0]) if row else 0


def history(tx: Tx, customer_id: int, *, but: int = 0) -> tuple[datetime, ...]:
    """Return when the customer's tickets were created, aware UTC, newest first, the newest hundred.

    but: id of one that does not count.
    """
    rows = tx.all(_HISTORY, customer_id=customer_id, but=but)
    return tuple(instants.datetime_from_us(row[0]) for row in rows)


def set_field(tx: Tx, customer_id: int, name: str, value: str | None) -> None:
    """Set a fact of the desk's own; None takes it away."""
    tx.lock("customer", customer_id)
    fields = {**load(tx, customer_id).fields, name: value}
    kept = {each: text for each, text in fields.items() if text is not None}
    tx.update(schema.customers, {"id": customer_id}, fields=_encode(kept).decode())


def _create(tx: Tx, message: Message) -> Customer:
    customer_id = tx.new_id()
    name = message.from_.name if message.from_ is not None else ""
    tx.insert(schema.customers, id=customer_id, name=name, language=message.language, created_at=tx.now)
    return Customer(customer_id, name, message.language, None, (), tx.now, is_new=True)


def _keep_identity(tx: Tx, customer_id: int, sender: Identity, message: Message) -> None:
    tx.insert(
        schema.identities,
        id=tx.new_id(),
        kind=sender.kind,
        value=sender.value,
        customer_id=customer_id,
        is_verified=int(message.trust.verified_sender),
        evidence=_evidence(message),
        created_at=tx.now,
        digits=search_words.backwards(sender.value) if sender.kind != "email" else None,
    )


def _evidence(message: Message) -> str:
    trust = {"spf": message.trust.spf, "dkim": message.trust.dkim, "dmarc": message.trust.dmarc}
    said = {name: result for name, result in trust.items() if result is not None}
    return _encode({"by": f"{message.kind} message", **said}).decode()


def _customer(row: Row) -> Customer:
    identifier, name, language, organization, tags, created_at, tier, fields, rating, opted_out = row[:_WIDTH]
    return Customer(
        identifier,
        name,
        language,
        organization,
        tuple(_decode(tags)),
        created_at,
        tier=tier,
        fields=_decode(fields),
        last_rating=rating,
        opted_out_at=opted_out,
    )
