"""Opt-outs as the command line, the desk and the API show them; ids are text, instants RFC 3339."""

from typing import Any

from intake import instants, opt_outs, permission
from intake.opt_outs import OptOut
from intake.store.engine import Tx

_MEDIA = {"phone": ("sms", "voice", "whatsapp"), "whatsapp": ("whatsapp",), "email": ("email",)}


def public(found: OptOut) -> dict[str, Any]:
    """Give a row."""
    return {
        "id": str(found.id),
        "kind": found.kind,
        "address": found.value,
        "state": found.state,
        "media": [found.scope] if found.scope else list(_MEDIA.get(found.kind, ())),
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
        for medium in (each.scope or _MEDIA.get(each.kind, ("",))[0],)
    ]
