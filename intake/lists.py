"""Lists kept at the desk ("block this sender"): values are rows, and a change counts for the next message.

Lists that are written in the rules or beside them are not kept here.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import bindparam, delete, select

from intake import events, instants
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement, upsert, values_of
from routing import folding
from routing.fact_table import field_named
from routing.facts import Facts
from routing.problems import did_you_mean
from routing.rulebook import Rulebook
from routing.view import View

VALUE_MAX_CHARACTERS = 500

_l = schema.list_values.c
_encode = msgspec.json.Encoder().encode

_VALUES = Statement(
    select(_l.value, _l.added_by, _l.added_at).where(_l.list == bindparam("list")).order_by(_l.value)
)
_HELD = Statement(select(_l.value).where(_l.list == bindparam("list"), _l.value.in_(values_of("values"))))
_ADD = Statement(
    upsert(schema.list_values)
    .values({name: bindparam(name) for name in ("list", "value", "added_by", "added_at")})
    .on_conflict_do_nothing(index_elements=[_l.list, _l.value])
)
_REMOVE = Statement(
    delete(schema.list_values).where(_l.list == bindparam("list"), _l.value == bindparam("value"))
)


class ListProblem(Exception):
    """What was asked of a list cannot be done: one sentence."""


def check_kept(rulebook: Rulebook, name: str) -> None:
    """Raises: ListProblem when the rules know no such list, or do not keep it at the desk."""
    if name in rulebook.kept:
        return
    if name in rulebook.lists:
        raise ListProblem(f"list '{name}' stands in the rules or in a file beside them: change it there")
    hint = did_you_mean(name, [*rulebook.kept, *rulebook.lists])
    raise ListProblem(f"the rules have no list '{name}'{f': {hint}' if hint else ''}")


def values(tx: Tx, name: str) -> list[dict[str, Any]]:
    """Return the values of a list, in alphabetical order: value, added_by, added_at (RFC 3339)."""
    return [
        {"value": value, "added_by": added_by, "added_at": instants.rfc3339_from_us(added_at)}
        for value, added_by, added_at in tx.all(_VALUES, list=name)
    ]


def add(tx: Tx, name: str, given: Iterable[str], *, actor: str) -> tuple[str, ...]:
    """Put values into a list; those that were not in it. actor: as of events. Raises: ListProblem."""
    added = tuple(
        value
        for value in _folded(given)
        if tx.run(_ADD, list=name, value=value, added_by=actor, added_at=tx.now)
    )
    if added:
        events.record(tx, "list_added", actor=actor, list=name, values=added)
    return added


def remove(tx: Tx, name: str, given: Iterable[str], *, actor: str) -> tuple[str, ...]:
    """Take values out of a list; those that were in it. Raises: ListProblem."""
    gone = tuple(value for value in _folded(given) if tx.run(_REMOVE, list=name, value=value))
    if gone:
        events.record(tx, "list_removed", actor=actor, list=name, values=gone)
    return gone


def held(tx: Tx, rulebook: Rulebook, facts: Facts) -> dict[str, tuple[str, ...]]:
    """Return list kept at the desk -> those values of the message that are in it: one look for each list in use."""
    if not rulebook.kept:
        return {}
    view = View.of(rulebook, facts)
    asked: dict[str, set[str]] = {}
    for fact, name in rulebook.kept_uses():
        asked.setdefault(name, set()).update(_said(fact, view))
    found = {name: _held(tx, name, said) for name, said in asked.items() if said}
    return {name: kept for name, kept in sorted(found.items()) if kept}


def holds(tx: Tx, name: str, given: Iterable[str]) -> bool:
    """Whether a list kept at the desk has any of these values, or what a domain among them is a subdomain of."""
    said = {folding.fold_value(value) for value in given}
    return bool(said) and bool(_held(tx, name, said))


def _said(fact: str, view: View) -> Iterable[str]:
    field = field_named(fact)
    return () if field is None else (folding.fold_value(str(value)) for value in view.raw(fact, field))


def _held(tx: Tx, name: str, said: set[str]) -> tuple[str, ...]:
    patterns = {value: (value, *_parents(value)) for value in said}
    asked = sorted({pattern for each in patterns.values() for pattern in each})
    rows = tx.all(_HELD, list=name, values=_encode(asked).decode())
    hits = {row[0] for row in rows}
    return tuple(sorted(value for value, each in patterns.items() if not hits.isdisjoint(each)))


def _parents(value: str) -> tuple[str, ...]:
    """Return what a domain is a subdomain of, as lists say it: "*.acme.com" for mail.acme.com."""
    if "@" in value or " " in value:
        return ()
    labels = value.split(".")
    return tuple(f"*.{'.'.join(labels[place:])}" for place in range(1, len(labels) - 1))


def _folded(given: Iterable[str]) -> tuple[str, ...]:
    """Return the values as conditions compare them, each once."""
    folded = tuple(dict.fromkeys(folding.fold_value(value) for value in given))
    for value in folded:
        if not value or len(value) > VALUE_MAX_CHARACTERS or "\0" in value:
            raise ListProblem(
                f"a value of a list has 1 to {VALUE_MAX_CHARACTERS} characters: '{value[:40]}' is none"
            )
    return folded
