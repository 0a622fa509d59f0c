"""Fields that agents fill in: the desk's own facts of a ticket, or of its customer."""

from collections.abc import Iterable

from intake import customers, events, tickets
from intake.desk import DeskError, find
from intake.model import Context, Ticket
from intake.store.engine import Tx
from routing import fields
from routing.fields import FieldRule
from routing.problems import did_you_mean


def set_field(
    tx: Tx,
    context: Context,
    typed_ref: str,
    name: str,
    text: str | None,
    *,
    agent: str,
    is_customers: bool = False,
) -> Ticket:
    """Write a field; None takes it away. is_customers: of the customer, so that every later ticket has it.

    Raises: DeskError when agent, ticket or field is unknown, or the text is no value of the field's type.
    """
    _check(agent, context.rulebook.agents, f"there is no agent '{agent}' in the rules")
    _check(name, context.rulebook.fields, f"the rules have no field '{name}'")
    value = None if text is None else _value(context.rulebook.fields[name], text)
    if is_customers:
        return _of_customer(tx, typed_ref, name, value, agent)
    ticket = find(tx, typed_ref)
    others = {key: each for key, each in ticket.fields.items() if key != name}
    written = others if value is None else {**others, name: value}
    return tickets.change(tx, ticket, actor=f"agent:{agent}", fields=written)


def _of_customer(tx: Tx, typed_ref: str, name: str, value: str | None, agent: str) -> Ticket:
    # The ticket only names the customer here; its lock would come before the customer's, against the order.
    ticket = find(tx, typed_ref, is_locked=False)
    customers.set_field(tx, ticket.customer_id, name, value)
    events.of_ticket(tx, ticket, "customer_field_changed", actor=f"agent:{agent}", field=name, to=value)
    return ticket


def _value(rule: FieldRule, text: str) -> str:
    """Return the text as it is kept: a choice as declared, anything else as written."""
    written = text.strip()[: fields.MAX_CHARACTERS]
    value = fields.value_of(rule, written)
    if value is None:
        wanted = f"one of {', '.join(rule.choices)}" if rule.type == "choice" else f"a {rule.type}"
        raise DeskError(f"'{text}' is not {wanted}, as field '{rule.name}' wants")
    return str(value) if rule.type == "choice" else written


def _check(word: str, known: Iterable[str], problem: str) -> None:
    if word not in known:
        hint = did_you_mean(word, list(known))
        raise DeskError(f"{problem}: {hint}" if hint else problem)
