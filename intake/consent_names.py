"""Whom a word of consent is about: by which names STOP keeps its sender from being reached, and what START lifts."""

from collections.abc import Iterable

from channels.contract import Identity
from intake import opt_outs, reached_names
from intake.model import Context
from intake.opt_outs import EMAIL, OptOut
from intake.store.engine import Tx

WORD = "word"


def locked(tx: Tx, context: Context, sender: Identity, *also: Identity) -> tuple[Identity, ...]:
    """Lock every name that a word of somebody is about, in order; return them, the one that said it first.

    also: their further names, as the provider tells them.
    """
    covered = _covered(tx, context, (sender, *also))
    for identity in sorted(covered, key=opt_outs.locked_as):
        tx.lock("sender", opt_outs.locked_as(identity))
    return covered


def owners(tx: Tx, identities: Iterable[Identity]) -> list[int]:
    """Return whose these names are, in the order in which customers are locked."""
    found = {opt_outs.customer_of(tx, each) for each in identities}
    return sorted((each for each in found if each is not None), key=str)


def lock_owners(tx: Tx, identities: Iterable[Identity]) -> None:
    for customer_id in owners(tx, identities):
        tx.lock("customer", customer_id)


def _covered(tx: Tx, context: Context, senders: tuple[Identity, ...]) -> tuple[Identity, ...]:
    """Return by which names STOP keeps its sender from being reached, the one that said it first.

    The same number on every phone medium; a name that tells no number, or a number beside such a name, where it is the
    same customer's. Another number of theirs has said nothing.
    """
    means = context.consent.stop_means
    if means == "text":
        return senders
    # The ledger finds one number by all of its names; a row is for who is known by one.
    reached = reached_names.of(tx, senders)
    names = [each for each in reached if each in senders or opt_outs.customer_of(tx, each) is not None]
    known = owners(tx, names) if means == "all" else ()
    mails = [each for owner in known for each in opt_outs.names_of(tx, owner, (EMAIL,))]
    return tuple(dict.fromkeys((*names, *mails)))


def liftable(tx: Tx, sender: Identity) -> list[OptOut]:
    """Return what START lifts: what holds for the number of its sender, and what a word has brought to their other names."""
    names = reached_names.of(tx, (sender,))
    own = reached_names.twins(sender)
    found = [each for each in opt_outs.standing(tx, names) if each.identity in own or each.how == WORD]
    customer_id = opt_outs.customer_of(tx, sender)
    theirs = opt_outs.of_customer(tx, customer_id) if customer_id is not None and found else ()
    # With a scope they said so by mail.
    return found + [each for each in theirs if each.kind == EMAIL and each.how == WORD and not each.scope]


def agent_of(context: Context, sender: Identity) -> str | None:
    """Return whose number a word came from, if it is an agent's."""
    people = context.rulebook.agents.items()
    return next((name for name, each in people if each.phone and each.phone == sender.value), None)
