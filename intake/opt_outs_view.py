"""Opt-outs as the command line, the desk and the API show them; ids are text, instants RFC 3339."""

from typing import Any

from intake import instants, opt_outs, permission, reached_names
from intake.opt_outs import OptOut
from intake.store.engine import Tx

_OF_NUMBERS = ("sms", "voice", "whatsapp")


def public(found: OptOut) -> dict[str, Any]:
    """Give a row."""
    return {
        "id": str(found.id),
        "kind": found.kind,
        "address": found.value,
        "state": found.state,
        "media": list(_media(found)),
        "how": found.how,
        "said": found.said,
        "account": found.account,
        "at": instants.rfc3339_from_us(found.at),
        "due_at": instants.rfc3339_from_us(found.due_at),
    }


def beside(tx: Tx, customer_id: int) -> list[dict[str, Any]]:
    """Give what keeps a customer from being reached, each with the sentence that an agent sees."""
    return [
        public(each) | {"sentence": permission.sentence(each, medium)}
        for each in opt_outs.of_customer(tx, customer_id)
        for medium in _media(each)[:1]
    ]


def _media(found: OptOut) -> tuple[str, ...]:
    """Return what it covers. A number is one person's by every medium of the phone."""
    if found.scope:
        return (found.scope,)
    return _OF_NUMBERS if reached_names.number_of(found.identity) is not None else (found.kind,)
