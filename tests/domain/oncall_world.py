"""A world with people on call: nights turn by the week, on Mondays at nine in Warsaw, where it is Tuesday at ten."""

import asyncio
from datetime import datetime
from typing import Any

from channels.contract import OutboundMessage
from intake import handovers, shifts
from intake.shifts import Changed
from tests.domain.world import RULES, World

SCHEDULE = """schedules:
  nights:
    timezone: Europe/Warsaw
    layers:
      - {rotate: weekly, from: 2026-11-02, handover: "mon 09:00", agents: [ania, ewa]}
teams:
  ops: {levels: {oncall: {schedule: nights}, lead: [tomek]}}"""
PAGE = """  page:
    - {at: first_response 50%, notify: oncall, by: urgent, ack_within: 30m}
    - {at: unacknowledged, notify: lead}
"""
ONCALL = (
    RULES.replace("teams:", SCHEDULE, 1)
    .replace("ladders:\n", f"ladders:\n{PAGE}", 1)
    .replace(
        "ladder: nudge}\n",
        "ladder: nudge}\n  paged: {calendar: always, first_response: 2h, promise: true, ladder: page}\n",
        1,
    )
    .replace("default: {team: support", "default: {team: ops, level: oncall", 1)
    .replace("sla: standard, reply: {email: received}", "sla: paged", 1)
)


def local(text: str) -> datetime:
    """An instant as Warsaw's clocks show it in winter."""
    return datetime.fromisoformat(f"{text}+01:00")


def hand_over(world: World) -> int:
    """Let the clockwork do what is due; how many schedules it looked at."""
    return asyncio.run(handovers.run_due(world.store, world.context))


class Cut(BaseException):
    """Where a test ends the work as a kill would: nothing that handles errors sees it."""


def hand_over_or_cut(world: World) -> bool:
    """The same, cut off where a test says so; whether there is something left to do."""
    try:
        return hand_over(world) > 0
    except Cut:
        return True


def take(world: World, agent: str, **more: Any) -> Changed:
    return world.store.write_now(lambda tx: shifts.take(tx, world.context, "nights", agent=agent, **more))


def swap(world: World, agent: str, other: str, **more: Any) -> Changed:
    return world.store.write_now(
        lambda tx: shifts.swap(tx, world.context, "nights", agent=agent, other=other, **more)
    )


def release(world: World, agent: str, **more: Any) -> Changed:
    return world.store.write_now(lambda tx: shifts.release(tx, world.context, "nights", agent=agent, **more))


def letters(world: World, to: str, kind: str) -> list[OutboundMessage]:
    """The mails of a kind about the hours of an agent."""
    rows = world.rows("outbox", "action = :action ORDER BY id", action=f"{kind}:{to}")
    numbers = {row["id"] for row in rows}
    return [each for each in world.sent(f"{to}@desk.example") if int(each.id) in numbers]


def told(world: World, kind: str) -> list[dict[str, Any]]:
    """The details of the events of a kind that are about no ticket."""
    import json

    rows = world.rows("events", "kind = :kind AND ticket_id IS NULL ORDER BY id", kind=kind)
    return [json.loads(row["details"]) for row in rows]
