"""GET /rules: the rules in force, how often each matched, when last, and what is wrong with any; to be read, not changed."""

from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web
from sqlalchemy import literal_column, or_, select

from intake import instants, rule_lines
from intake.rule_hits import Hits, Tally
from intake.rule_lines import Line
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement
from intake.web import refusals
from intake.web.access import Action, Subject, Who, may
from intake.web.routes import Route
from routing.rulebook import Rulebook

if TYPE_CHECKING:
    from intake.web.desk.desk import Desk

STAGES = {
    "enrich": "First, for every message",
    "route": "Then, the first that matches decides",
    "default": "When none of them matches",
    "react": "On what happens to tickets",
    "gone": "No longer written",
}
SHOWN = {"all": "All", "never": "Not in 30 days", "problems": "With problems"}

_e = schema.events.c
_RELOADED = Statement(
    select(_e.kind, _e.at, _e.details)
    .where(or_(_e.kind == literal_column("'rules_loaded'"), _e.kind == literal_column("'rules_refused'")))
    .order_by(_e.id.desc())
    .limit(1)
)
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows. refused: of the change that is not in force: since when (microseconds UTC) and why."""

    lines: list[Line]
    loaded_at: str | None
    refused: tuple[int, list[str]] | None


def routes(desk: "Desk") -> list[Route]:
    """The page, and the same as JSON."""
    hits = Hits()

    async def show(request: web.Request, who: Who) -> web.Response:
        return await _show(desk, hits, request, who)

    return [Route("GET", "/rules", Action.see_rules, show)]


async def _show(desk: "Desk", hits: Hits, request: web.Request, who: Who) -> web.Response:
    book, mark = desk.context().rulebook, desk.live.mark()
    tallies = await hits.look(desk.store)
    found = await desk.store.read(lambda tx: _found(tx, book, tallies))
    lines = [_as_seen_by(who, each) for each in found.lines]
    if not refusals.wants_page(request):
        told = {
            "rulebook": book.hash,
            "loaded_at": found.loaded_at,
            "refused": None if found.refused is None else found.refused[1],
            "rules": [each.to_json() for each in lines],
        }
        return web.json_response(told, dumps=lambda value: msgspec.json.encode(value).decode())
    shown = request.query.get("only", "")
    shown = shown if shown in SHOWN else "all"
    return desk.render(
        "rules.html",
        who,
        mark=mark,
        here="/rules",
        book=book,
        found=found,
        stages=[(name, title, _of_stage(lines, name, shown)) for name, title in STAGES.items()],
        shown=shown,
        choices=SHOWN,
        never=sum(each.state != "live" for each in lines),
        elsewhere=_elsewhere(book, lines),
    )


def _found(tx: Tx, book: Rulebook, tallies: dict[str, Tally]) -> Found:
    return Found(
        lines=rule_lines.lines(tx, book, tallies),
        loaded_at=rule_lines.loaded_at(tx, book),
        refused=_refused(tx),
    )


def _refused(tx: Tx) -> tuple[int, list[str]] | None:
    """Return why the rules that were changed last are not in force; None = they are."""
    row = tx.one(_RELOADED)
    if row is None or row[0] != "rules_refused":
        return None
    problems = _decode(row[2]).get("problems") or []
    return row[1], [str(each) for each in problems]


def _as_seen_by(who: Who, line: Line) -> Line:
    """Leave out the last ticket where it is not theirs to see."""
    subject = Subject(team=line.team, agent=line.agent, ref=line.last_ticket or "")
    is_theirs = line.last_ticket is None or may(who, Action.see_ticket, subject)
    return line if is_theirs else msgspec.structs.replace(line, last_ticket=None)


def _of_stage(lines: list[Line], stage: str, shown: str) -> list[Line]:
    return [each for each in lines if each.stage == stage and _is_shown(each, shown)]


def _is_shown(line: Line, shown: str) -> bool:
    if shown == "never":
        return line.state != "live"
    return shown == "all" or bool(line.problems or line.errors)


def _elsewhere(book: Rulebook, lines: list[Line]) -> list[str]:
    """Return the problems of what is no rule: people, calendars, policies."""
    told = {message for each in lines for message in each.problems}
    found = rule_lines.problems(book, instants.us_from_datetime(instants.now()))
    return [f"{each.file}:{each.line}: {each.message}" for each in found if each.message not in told]
