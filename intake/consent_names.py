"""Whom a word of consent is about: by which names STOP keeps its sender from being reached, and what START lifts."""

from channels import phone_numbers
from channels.contract import Identity
from intake import opt_outs
from intake.model import Context
from intake.opt_outs import EMAIL, WHATSAPP, OptOut
from intake.store.engine import Tx

PHONE, WORD = "phone", "word"


def locked(tx: Tx, context: Context, sender: Identity) -> tuple[Identity, ...]:
    """Lock every name that a word of somebody is about, in order; return them, the one that said it first."""
    covered = _covered(tx, context, sender, opt_outs.customer_of(tx, sender))
    for identity in sorted(covered, key=opt_outs.locked_as):
        tx.lock("sender", opt_outs.locked_as(identity))
    return covered


def _covered(tx: Tx, context: Context, sender: Identity, customer_id: int | None) -> tuple[Identity, ...]:
    """Return by which names STOP keeps its sender from being reached, the one that said it first.

    The same number on every phone medium; a name that tells no number, or a number beside such a name, where it is the
    same customer's. Another number of theirs has said nothing.
    """
    means = context.consent.stop_means
    if customer_id is None or means == "text":
        return (sender,)
    number = phone_numbers.e164(sender.value)
    names = opt_outs.names_of(tx, customer_id, (PHONE, WHATSAPP))
    same = [each for each in names if number is None or phone_numbers.e164(each.value) in (None, number)]
    mails = opt_outs.names_of(tx, customer_id, (EMAIL,)) if means == "all" else []
    return tuple(dict.fromkeys((sender, *same, *mails)))


def liftable(tx: Tx, sender: Identity) -> list[OptOut]:
    """Return what START lifts: what holds for its sender, and what a word of the same customer has brought to others."""
    found = opt_outs.standing(tx, sender)
    customer_id = opt_outs.customer_of(tx, sender)
    number = phone_numbers.e164(sender.value)
    for each in opt_outs.of_customer(tx, customer_id) if customer_id is not None and found else ():
        if each.kind == EMAIL and each.scope:  # they said so by mail
            continue
        is_same = each.kind == EMAIL or number is None or phone_numbers.e164(each.value) in (None, number)
        if each.how == WORD and is_same and each.identity != sender:
            found.append(each)
    return found


def agent_of(context: Context, sender: Identity) -> str | None:
    """Return whose number a word came from, if it is an agent's."""
    people = context.rulebook.agents.items()
    return next((name for name, each in people if each.phone and each.phone == sender.value), None)
