"""By which names the same person is reached on the phone: whoever says STOP by one of them has said it by all.

A number is one person's for texts, calls and WhatsApp alike. A WhatsApp name that tells no number belongs to the numbers
of its customer, and they to it, whichever was learnt first. Another number of the same customer is another name.
"""

from collections.abc import Iterable

import msgspec
from sqlalchemy import bindparam, select

from channels import phone_numbers
from channels.contract import Identity
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement, values_of

PHONE, WHATSAPP = "phone", "whatsapp"
KINDS = frozenset({PHONE, WHATSAPP})

_encode = msgspec.json.Encoder().encode
_one, _other = schema.identities.alias(), schema.identities.alias()
_BESIDE = Statement(
    select(_other.c.kind, _other.c.value)
    .join(_one, _one.c.customer_id == _other.c.customer_id)
    .where(
        (_one.c.kind == PHONE) | (_one.c.kind == WHATSAPP),
        _one.c.value.in_(values_of("values")),
        (_other.c.kind == PHONE) | (_other.c.kind == WHATSAPP),
    )
    .order_by(_other.c.id)
    .limit(bindparam("most"))
)
_NAMES_MAX = 200


def number_of(identity: Identity) -> str | None:
    """Return the number that a name tells, E.164; None = it tells none, or is no name on the phone."""
    if identity.kind not in KINDS:
        return None
    return phone_numbers.e164(identity.value.removeprefix(f"{WHATSAPP}:"))


def twins(identity: Identity) -> tuple[Identity, ...]:
    """Return the names of one number, the one that was asked for first; a name without number has no other."""
    number = number_of(identity)
    if number is None:
        return (identity,)
    return tuple(dict.fromkeys((identity, Identity(PHONE, number), Identity(WHATSAPP, number))))


def of(tx: Tx, identities: Iterable[Identity]) -> tuple[Identity, ...]:
    """Return these names and all others by which the same person is reached on the phone, these first."""
    named = tuple(dict.fromkeys(each for identity in identities for each in twins(identity)))
    on_phone = [each for each in named if each.kind in KINDS]
    if not on_phone:
        return named
    numbers = {number_of(each) for each in on_phone}
    values = _encode(sorted({each.value for each in on_phone})).decode()
    beside = (Identity(*row) for row in tx.all(_BESIDE, values=values, most=_NAMES_MAX))
    same = (each for each in beside if None in numbers or number_of(each) in (None, *numbers))
    return tuple(dict.fromkeys((*named, *(twin for each in same for twin in twins(each)))))
