"""Each rule as the page of rules and `intake rules hits` show it: its words, its hits, its last match, what is wrong with it."""

from collections.abc import Iterator
from datetime import UTC
from typing import Any

import msgspec
from sqlalchemy import bindparam, select

from intake import instants
from intake.rule_hits import WINDOWS_S, Tally
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement, values_of
from routing import lint
from routing.problems import Problem
from routing.rulebook import Rulebook
from routing.rules import Rule

_HIDDEN = frozenset({"hidden-rule", "never-matches"})

_t, _r = schema.tickets.c, schema.rulebooks.c
_TICKETS = Statement(
    select(_t.id, _t.ref, _t.team, _t.agent).where(_t.id.in_(values_of("ids", schema.tickets.c.id.type)))
)
_LOADED = Statement(select(_r.loaded_at).where(_r.hash == bindparam("hash")))

Known = dict[int, tuple[str, str | None, str | None]]
"""Ticket -> its ref, team and agent."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One rule as the page and the command show it. stage: enrich, route, default, react; "gone" = no longer written.

    line: in its file. on: the events that a react rule waits for. hits: window -> number. last_ticket: a ref. state: "live",
    "never" (not in 30 days), "hidden" (another rule stands before it, or it cannot match).
    """

    rule: str
    stage: str
    file: str | None
    line: int | None
    on: tuple[str, ...]
    hits: dict[str, int]
    last_at: str | None
    last_ticket: str | None
    errors: int
    last_error: str | None
    state: str
    problems: tuple[str, ...]
    text: str = ""
    team: str | None = None
    agent: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return what is told of it: whose its last ticket is stays here."""
        told: dict[str, Any] = msgspec.to_builtins(self)
        return {name: value for name, value in told.items() if name not in ("team", "agent", "text")}


def lines(tx: Tx, book: Rulebook, tallies: dict[str, Tally]) -> list[Line]:
    """Return every rule in the order in which they are asked, then those that are no longer written."""
    known = _tickets(tx, tallies)
    told = problems(book, tx.now)
    texts = {
        name: text.splitlines() for name, text in book.files.items()
    }  # once: a page of 500 rules asks for each
    found = [
        _line(stage, rule, on, tallies.get(rule.id, Tally()), told, known, tx.now, texts.get(rule.file, []))
        for stage, rule, on in _rules(book)
    ]
    written = {each.rule for each in found}
    gone = [(name, tally) for name, tally in sorted(tallies.items()) if name not in written and tally.hits]
    return found + [_gone(name, tally, known, tx.now) for name, tally in gone]


def loaded_at(tx: Tx, book: Rulebook) -> str | None:
    """Return since when the rules are known as they are, RFC 3339."""
    row = tx.one(_LOADED, hash=book.hash)
    return None if row is None else instants.rfc3339_from_us(row[0])


def _rules(book: Rulebook) -> Iterator[tuple[str, Rule, tuple[str, ...]]]:
    yield from (("enrich", each, ()) for each in book.enrich)
    yield from (("route", each, ()) for each in book.route)
    yield "default", book.default, ()
    yield from (("react", each.rule, tuple(sorted(each.on))) for each in book.react)


def _tickets(tx: Tx, tallies: dict[str, Tally]) -> Known:
    ids = [each.last.ticket_id for each in tallies.values() if each.last is not None and each.last.ticket_id]
    rows = tx.all(_TICKETS, ids=msgspec.json.encode(ids).decode())
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


def _line(
    stage: str,
    rule: Rule,
    on: tuple[str, ...],
    tally: Tally,
    told: list[Problem],
    known: Known,
    now_us: int,
    written: list[str],
) -> Line:
    end = _end_of(written, rule)
    own = [each for each in told if each.file == rule.file and rule.line <= each.line < end]
    counted = _counted(tally, known, now_us)
    is_hidden = any(each.code in _HIDDEN for each in own)
    return Line(
        rule=rule.id,
        stage=stage,
        file=rule.file,
        line=rule.line,
        on=on,
        state="hidden" if is_hidden else "live" if tally.hits else "never",
        problems=tuple(each.message for each in own),
        text="\n".join(written[rule.line - 1 : end - 1]).rstrip(),
        **counted,
    )


def _gone(name: str, tally: Tally, known: Known, now_us: int) -> Line:
    counted = _counted(tally, known, now_us)
    return Line(rule=name, stage="gone", file=None, line=None, on=(), state="live", problems=(), **counted)


def _counted(tally: Tally, known: Known, now_us: int) -> dict[str, Any]:
    last, error = tally.last, tally.last_error
    ref, team, agent = known.get(last.ticket_id or 0, (None, None, None)) if last else (None, None, None)
    return {
        "hits": {name: tally.since(now_us - span_s * 1_000_000) for name, span_s in WINDOWS_S.items()},
        "last_at": None if last is None else instants.rfc3339_from_us(last.at),
        "last_ticket": ref,
        "errors": len(tally.errors),
        "last_error": None if error is None else error.error,
        "team": team,
        "agent": agent,
    }


def _end_of(written: list[str], rule: Rule) -> int:
    """Return the line behind a rule's text: where something stands that is indented as it is, or less."""
    if not 0 < rule.line <= len(written):
        return rule.line + 1
    depth = _depth(written[rule.line - 1])
    for number in range(rule.line, len(written)):
        line = written[number]
        if line.strip() and not line.lstrip().startswith("#") and _depth(line) <= depth:
            return number + 1
    return len(written) + 1


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def problems(book: Rulebook, now_us: int) -> list[Problem]:
    at = instants.datetime_from_us(now_us).astimezone(UTC)
    return [*book.warnings, *lint.dated(book, at)]
