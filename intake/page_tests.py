"""Test pages: a call, a text or a mail that only shows that it reaches an agent, and what became of each.

They are about no ticket. A test by phone is a summons of one way, acknowledged like any other: 1 by key, or by text.
"""

from typing import Any

import msgspec
from sqlalchemy import bindparam, select

from channels.contract import Address
from intake import events, instants, outgoing, page_text, paging, reaching, summonses
from intake.model import Context
from intake.notice_page import Notice
from intake.outbound import Draft
from intake.reaching import CALL
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement

ENDS = frozenset(("acknowledged", "passed_on", "failed", "withheld", "dropped"))
_o = schema.outbox.c
_e = schema.events.c
_ROW = Statement(select(_o.state, _o.error).where(_o.id == bindparam("outbox_id")))
_TOLD = Statement(
    select(_e.id, _e.kind, _e.at, _e.details)
    .where(_e.id > bindparam("after"), _e.ticket_id.is_(None))
    .order_by(_e.id)
)
_NEWEST = Statement(select(_e.id).order_by(_e.id.desc()).limit(1))
# What is said of a page call that was heard to its end without a key, and of one that got no further.
_WORDS = {"oncall_test_acknowledged": "acknowledged", "page_unanswered": "no key was pressed"}


class Tried(msgspec.Struct, frozen=True):
    """A test page that was written. summons_id: None = by mail, which nobody answers."""

    agent: str
    way: str
    outbox_id: int
    summons_id: int | None = None


class Seen(msgspec.Struct, frozen=True):
    """How far a test page is. state: of its outbox row, or "acknowledged". why: it failed, "" = it has not."""

    state: str
    why: str = ""

    @property
    def is_over(self) -> bool:
        return self.state in ENDS


class Step(msgspec.Struct, frozen=True):
    """One thing that happened to a test page. event: by which the next look begins; at: microseconds UTC."""

    event: int
    outbox_id: int
    what: str
    at: int


def send(tx: Tx, context: Context, agent: str, way: str) -> Tried | None:
    """Write a test page by phone; None when the rules name no number, or nothing here can carry it."""
    person = context.rulebook.agents[agent]
    number = reaching.leads_to(person, way)
    if number is None or way not in reaching.ways(context):
        return None
    notice = Notice(kind=summonses.TEST, headline="Test", cause=f"oncall:{tx.new_id()}")
    summons = summonses.begin(tx, None, agent, (way,), notice)
    if summons is None:
        return None
    extra = paging.extra_of(context, way, summons)
    said = page_text.test_text(context.organization, agent)
    if way == CALL:
        said = page_text.test_sentence(context.organization, agent, str(extra["language"]))
    draft = Draft(
        cause=notice.cause,
        action=f"oncall_test:{way}:{agent}",
        to=Address(number, agent),
        subject="",
        text=said,
        author="system",
        automatic="auto-generated",
        is_public=False,
        medium=reaching.MEDIA[way],
        account=paging.account_for(context, way),
        extra=extra,
    )
    outbox_id = outgoing.send_apart(tx, context, draft)
    if outbox_id is None:
        return None
    summonses.note_try(tx, summons, place=0, outbox_id=outbox_id)
    return Tried(agent, way, outbox_id, summons.id)


def look(tx: Tx, test: Tried) -> Seen:
    """Return how far a test page is."""
    summons = summonses.load(tx, test.summons_id) if test.summons_id is not None else None
    if summons is not None and summons.state in ("acknowledged", "passed_on"):
        return Seen(summons.state)
    state, error = tx.one(_ROW, outbox_id=test.outbox_id) or ("dropped", None)
    return Seen(state, error or "")


def newest_event(tx: Tx) -> int:
    """Return the id of the last event, 0 = there is none: `steps` look behind it."""
    row = tx.one(_NEWEST)
    return 0 if row is None else int(row[0])


def steps(tx: Tx, *, after: int) -> list[Step]:
    """Return what happened to test pages since an event, in order."""
    found = []
    for event, kind, at_us, details in tx.all(_TOLD, after=after):
        told: dict[str, Any] = msgspec.json.decode(details)
        what = told.get("status") if kind == "page_call" else _WORDS.get(kind)
        if what is not None and str(told.get("outbox", "")).isdecimal():
            found.append(Step(event, int(told["outbox"]), str(what), at_us))
    return found


def note(tx: Tx, agent: str, *, by: str | None, ways: dict[str, bool]) -> None:
    """Keep that somebody asked for a test. ways: way -> whether it is on its way."""
    actor = f"agent:{by}" if by else "system"
    events.record(tx, "oncall_tested", actor=actor, agent=agent, sent=any(ways.values()), ways=ways)


def as_json(test: Tried, seen: Seen, told: list[Step]) -> dict[str, Any]:
    """JSON values of a test by phone: state, and what happened when."""
    mine = [each for each in told if each.outbox_id == test.outbox_id]
    return {
        "state": seen.state,
        "acknowledged": seen.state == "acknowledged",
        "steps": [{"what": each.what, "at": instants.rfc3339_from_us(each.at)} for each in mine],
    }
