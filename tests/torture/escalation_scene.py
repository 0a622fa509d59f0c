"""The desk of the escalation torture: a rulebook whose targets are seconds, a daemon's folder, and tickets of an hour ago.

What fell due before the daemon's first start is made by the daemon's own functions with a clock that is moved by hand:
tickets over a closed night, notices of a shift that has ended, a digest and a clock rule that are due, somebody who has
just gone away. Everything else comes in by SMTP while the daemon is killed.
"""

import dataclasses
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from intake import instants, presence
from intake.store import opening
from tests.domain.world import World
from tests.store.clock import Clock
from tests.torture import daemons

LEAVER = "piotr"
_ZONES = (
    "Europe/Warsaw", "Asia/Dubai", "Asia/Kolkata", "Asia/Tokyo", "Pacific/Auckland", "Pacific/Honolulu",
    "America/Los_Angeles", "America/New_York", "America/Sao_Paulo", "Asia/Bangkok", "Asia/Karachi", "Atlantic/Azores",
)  # fmt: skip
_RULES = """
version: 1
calendars:
  always: {{timezone: UTC, open: {{mon-sun: "00:00-24:00"}}}}
  desk: {{timezone: {zone}, open: {{mon-sun: ["00:00-{closes}", "{opens}-24:00"]}}}}
agents:
  ania: {{email: ania@desk.example}}
  ewa: {{email: ewa@desk.example}}
  piotr: {{email: piotr@desk.example}}
  nina: {{email: nina@desk.example}}
  ola: {{email: ola@desk.example}}
  tomek: {{email: tomek@desk.example}}
  zoe: {{email: zoe@desk.example}}
  nikos: {{email: nikos@desk.example}}
  rui: {{email: rui@desk.example}}
  max: {{email: max@desk.example}}
schedules:
  nights:
    timezone: {zone}
    layers: [{{rotate: daily, from: {since}, handover: "{minute}", agents: [nikos, rui]}}]
teams:
  support: {{levels: {{l1: [ania, ewa, piotr], l2: [nina, ola], oncall: {{schedule: nights}}, lead: [tomek, zoe]}}}}
  narrow: {{levels: {{l1: [max]}}, assign: {{capacity: {{email: 2}}}}}}
sla:
  quick: {{calendar: always, first_response: 4s, resolution: {{urgent: 9s, normal: 30s}}, ladder: climb}}
  paged: {{calendar: always, first_response: 8s, ladder: page}}
  desk: {{calendar: desk, first_response: 5m, ladder: open}}
  wide: {{calendar: always, first_response: 100m, resolution: 3h, ladder: wide}}
ladders:
  wide:
    - {{at: first_response 20%, notify: assignee}}
    - {{at: first_response -30m, tags: [near]}}
    - {{at: first_response breach, notify: lead}}
    - {{at: first_response +5m, notify: lead, repeat: {{every: 10m, times: 3}}}}
    - {{at: resolution 90%, notify: [l2, lead]}}
  climb:
    - {{at: first_response 25%, notify: assignee}}
    - {{at: first_response 50%, notify: [l2, lead], tags: [warned]}}
    - {{at: first_response breach, level: l2, priority: urgent, notify: lead}}
    - {{at: first_response +1s, notify: lead, repeat: {{every: 2s, times: 3}}}}
    - {{at: resolution 80%, notify: lead}}
    - {{at: resolution breach, notify: [l2, lead]}}
  page:
    - {{at: first_response 25%, notify: oncall, ack_within: 3s}}
    - {{at: unacknowledged, notify: l2}}
    - {{at: unacknowledged, notify: lead}}
    - {{at: first_response breach, notify: lead}}
  open:
    - {{at: first_response 50%, notify: assignee}}
    - {{at: first_response -10s, notify: l2}}
    - {{at: first_response breach, notify: lead}}
react:
  - {{id: warned, on: sla_warning, then: {{note: warned}}}}
  - {{id: late, on: sla_breached, then: {{note: late}}}}
  - {{id: silent, on: quiet, for: 5s, since: created, then: {{note: silent}}}}
  - {{id: unheard, on: quiet, for: 7s, since: created, when: {{ticket.priority: urgent}}, then: {{notify: lead}}}}
  - {{id: done, on: quiet, for: 2s, since: assigned, when: {{ticket.team: narrow}}, then: {{status: solved}}}}
  - {{id: morning, on: clock, at: "mon-sun {minute_utc}", in: always, then: {{note: morning}}}}
route:
  - {{id: pages, when: {{subject: {{words: paged}}}}, then: {{sla: paged}}}}
  - {{id: hours, when: {{subject: {{words: desk}}}}, then: {{sla: desk}}}}
  - {{id: far, when: {{subject: {{words: wide}}}}, then: {{sla: wide}}}}
  - {{id: queue, when: {{subject: {{words: narrow}}}}, then: {{team: narrow, sla: none}}}}
default: {{team: support, priority: normal, sla: quick, reply: none}}
"""
_CONFIG = """
name: Torture
folder: "${{INTAKE_DATA}}"
rules: {rules}
replies: {replies}
http: {{listen: "${{INTAKE_HTTP}}"}}
channels:
  support: {{kind: email.smtp, listen: "${{INTAKE_SMTP}}", addresses: [support@example.com]}}
outgoing: {{relay: "smtp://127.0.0.1:{relay}"}}
"""


@dataclasses.dataclass(frozen=True)
class Scene:
    """rules: the text in force. minute: when the shift changes and the clock rule runs; begun_us: when the daemon may start."""

    folder: Path
    rules: str
    config: Path
    minute: datetime
    begun_us: int

    @property
    def data(self) -> Path:
        return self.folder / "data"


def prepare(folder: Path, *, relay_port: int, old: int, away_s: float) -> Scene:
    """Write rules, configuration, and a store with `old` tickets of each kind whose steps are late when the daemon starts.

    away_s: for how long an agent is away who goes now.
    """
    now = datetime.now(UTC)
    minute = now.replace(second=0, microsecond=0)
    text = rules(minute)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rules.yaml").write_text(text)
    config = folder / "intake.yaml"
    replies = daemons.ROOT / "config" / "replies"
    config.write_text(_CONFIG.format(rules=folder / "rules.yaml", replies=replies, relay=relay_port))
    clock = Clock()
    clock.at = minute - timedelta(hours=4)
    data = folder / "data"
    data.mkdir(exist_ok=True)
    with closing(opening.open_store("", data, clock=clock)) as store:
        _fill(World(store, data, clock, rules=text), minute=minute, now=now, old=old, away_s=away_s)
    return Scene(folder, text, config, minute, instants.us_from_datetime(now))


def rules(minute: datetime) -> str:
    """Give the rulebook: the desk was closed from three hours until three minutes before, the shift changes at the minute."""
    zone = _zone_at_noon(minute)
    local = minute.astimezone(ZoneInfo(zone))
    return _RULES.format(
        zone=zone,
        closes=f"{local - timedelta(hours=3):%H:%M}",
        opens=f"{local - timedelta(minutes=3):%H:%M}",
        since=f"{local - timedelta(days=9):%Y-%m-%d}",
        minute=f"{local:%H:%M}",
        minute_utc=f"{minute:%H:%M}",
    )


def _zone_at_noon(at: datetime) -> str:
    """A zone where it is about noon, so that the closed hours lie within one day."""
    return min(_ZONES, key=lambda name: abs(at.astimezone(ZoneInfo(name)).hour - 13))


def _fill(world: World, *, minute: datetime, now: datetime, old: int, away_s: float) -> None:
    clock = world.clock
    for number in range(old):
        # Open for five minutes in all: the rest is used up between two minutes ago and ten seconds ahead.
        rest_s = 180 + (now - minute).total_seconds() + 10 - 130 * number / old
        clock.at = minute - timedelta(hours=3, seconds=300 - rest_s)
        world.receive(f"night{number}@customer.example", subject=f"desk old {number}")
    for number in range(old):
        clock.at = minute - timedelta(seconds=140 - 20 * number / old)
        world.receive(f"page{number}@customer.example", subject=f"paged old {number}")
    clock.at = minute - timedelta(seconds=115)
    _fire(world, "page/0")
    clock.at = max(clock.at, now - timedelta(seconds=62))
    for number in range(old):
        world.receive(f"quick{number}@customer.example", subject=f"quick old {number}")
    world.advance(seconds=4)
    _fire(world, "climb/%")
    clock.at = now
    until_us = instants.us_from_datetime(now + timedelta(seconds=away_s))
    world.store.write_now(
        lambda tx: presence.go(tx, world.context, LEAVER, until_us=until_us, keep=False, by=LEAVER)
    )


def _fire(world: World, steps: str) -> None:
    due = "state = 'pending' AND due_at <= :now AND step LIKE :steps ORDER BY due_at, id"
    for row in world.rows("timers", due, now=world.store.now_us(), steps=steps):
        world.fire(row)
