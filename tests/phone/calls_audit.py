"""Holds what a daemon says of its calls against what the played Twilio has seen of them.

Each call ends with one owner, with a message, or because the caller hung up (or was silent where a message could be left);
no phone rings twice for a call nor for two at once; nothing is left ringing, held or unsettled.
"""

import itertools
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import msgspec

from channels.twilio.simulator.provider import Call
from channels.twilio.simulator.webhooks import UNREACHABLE
from tests.phone.calls_world import World

NEVER_S = 1_000_000.0
_SESSIONS = """
    SELECT count(*) FROM sessions LEFT JOIN calls ON 'phone:' || call = name WHERE calls.ended_at IS NULL
"""

Row = Mapping[str, Any] | sqlite3.Row


class Found(msgspec.Struct):
    """What was seen in one round. ended: outcome -> calls. broken: one sentence each."""

    calls: int = 0
    rings: int = 0
    ended: Counter[str] = msgspec.field(default_factory=Counter)
    broken: list[str] = []


class Seen(msgspec.Struct, frozen=True):
    """What the played Twilio saw of one caller's leg. owners: phones that were connected; has_left: hung up by itself. was_cut: nobody answered us."""

    owners: tuple[str, ...]
    has_message: bool
    has_left: bool
    was_silent: bool
    was_cut: bool = False


def person_s(world: World, call: str) -> float:
    """How long it took from the call's beginning until somebody's phone rang for it, seconds."""
    lines, calls = world.studio.lines, world.provider.calls
    began = next(each.at_s for each in lines if each.call == call)
    ringing = (each.at_s for each in lines if each.kind == "rings" and calls[each.call].parent == call)
    return min(ringing, default=NEVER_S) - began


def look(world: World, agents: Mapping[str, str]) -> Found:
    """Look at everything once all is over. agents: phone -> name."""
    found = Found()
    with closing(sqlite3.connect(world.folder / "var" / "intake.db")) as store:
        store.row_factory = sqlite3.Row
        rows = {row["call"]: row for row in store.execute("SELECT * FROM calls")}
        for call in world.provider.calls.values():
            if call.direction != "inbound":
                continue
            found.calls += 1
            row = rows.pop(call.sid, None)
            found.ended[str(row["outcome"] if row else "unknown")] += 1
            found.broken += of_call(row, _seen(world, call), call, agents)
        found.broken += [f"{sid} is a call that nobody made" for sid in rows]
        found.broken += _left_over(store)
    children = [each for each in world.provider.calls.values() if each.direction == "outbound-dial"]
    found.rings = len(children)
    found.broken += rings(children)
    found.broken += [each for each in world.webhooks.errors if not world.kills or not _is_absence(each)]
    return found


def _is_absence(error: str) -> bool:
    """Whether a webhook went wrong because nobody was there, or went away while it was answered."""
    return error.endswith(f"({UNREACHABLE})") or "answered 0" in error


def _seen(world: World, call: Call) -> Seen:
    lines = world.studio.lines
    children = {each.sid: each.to for each in world.provider.calls.values() if each.parent == call.sid}
    own = [each.kind for each in lines if each.call == call.sid]
    return Seen(
        owners=tuple(
            children[each.call] for each in lines if each.kind == "is connected" and each.call in children
        ),
        has_message=any(
            each.call == call.sid and each.source == "RecordVerb"
            for each in world.provider.recordings.values()
        ),
        has_left="hangs up" in own or "is gone" in own,
        was_silent="leaves nothing" in own,
        was_cut="error" in own,
    )


def of_call(row: Row | None, seen: Seen, call: Call, agents: Mapping[str, str]) -> Iterator[str]:
    who = f"the call {call.sid}"
    if row is None:
        yield f"{who} is not known"
        return
    if len(seen.owners) > 1:
        yield f"{who} was connected to {', '.join(seen.owners)}"
    if row["ticket_id"] is None or row["ended_at"] is None:
        yield f"{who} has no ticket, or no end"
    wanted = _wanted(seen)
    if row["outcome"] not in wanted:
        yield f"{who} ended as {row['outcome']}, seen was {seen}"
    if seen.owners and row["agent"] != agents[seen.owners[0]]:
        yield f"{who} is said to be of {row['agent']}, but {agents[seen.owners[0]]} spoke"
    is_honest = seen.has_message or seen.has_left or seen.was_silent or seen.was_cut
    if not seen.owners and not is_honest:
        yield f"{who} came to no honest end: {row['outcome']}"


def _wanted(seen: Seen) -> set[str]:
    if seen.owners:
        return {"answered"}
    if seen.has_message:
        return {"voicemail"}
    if seen.was_cut:
        return {"missed", "hung_up", "failed"}
    return {"missed", "hung_up"} if seen.has_left else {"missed"}


def _left_over(store: sqlite3.Connection) -> Iterator[str]:
    """Find what should be gone or done by now."""
    for what, query in (
        ("holds", "SELECT count(*) FROM holds"),
        # Of a call whose end was never told a session stays for a day; it holds nobody.
        ("sessions of calls under way", _SESSIONS),
        ("unsettled messages", "SELECT count(*) FROM journal WHERE state IN ('pending', 'quarantined')"),
        ("recordings not fetched", "SELECT count(*) FROM fetches WHERE state <> 'done'"),
    ):
        [count] = store.execute(query).fetchone()
        if count:
            yield f"{count} {what} are left"


def rings(children: list[Call]) -> Iterator[str]:
    """Find phones that rang twice for one call, for two calls at once, or for ever."""
    by_phone: dict[str, list[Call]] = {}
    for each in children:
        by_phone.setdefault(each.to, []).append(each)
    twice = Counter((each.parent, each.to) for each in children)
    yield from (f"{to} rang {count} times for {parent}" for (parent, to), count in twice.items() if count > 1)
    yield from (f"{each.to} rings for ever" for each in children if each.ended_at is None)
    for to, calls in by_phone.items():
        calls.sort(key=lambda each: each.created_at)
        for before, after in itertools.pairwise(calls):
            if before.ended_at is not None and after.created_at < before.ended_at:
                yield f"{to} was called by {after.parent} at {after.created_at:%H:%M:%S.%f}, while {before.parent} had it"
