"""The health pages say whether the daemon can do its work, and which part cannot."""

from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from channels.contract import Inventory, RawMessage, Receipt, Turn, Unavailable
from channels.testing import MemoryGate
from intake import heartbeat, silence
from intake.gate import MeasuredGate
from intake.metrics import Metrics
from intake.web import app as pages
from intake.web import health
from intake.web.app import make_app
from intake.web.health import Part, Readiness
from intake.web.routes import mount

NOON = datetime(2026, 11, 10, 12, tzinfo=UTC)


class State:
    def __init__(self) -> None:
        self.metrics = Metrics()
        self.parts: dict[str, Part] = {"store": health.store_part("")}

    async def readiness(self) -> Readiness:
        return Readiness(self.parts)


@pytest.fixture
def state() -> State:
    return State()


@pytest.fixture
async def url(state: State) -> AsyncIterator[str]:
    app = make_app(state)
    mount(app, pages.routes(), None)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}"
    await runner.cleanup()


async def fetched(url: str) -> tuple[int, Any, dict[str, str]]:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        body = await response.json() if response.content_type == "application/json" else await response.text()
        return response.status, body, {str(name): value for name, value in response.headers.items()}


async def test_healthz_says_alive(url: str) -> None:
    status, body, _ = await fetched(f"{url}/healthz")
    assert (status, body) == (200, "alive\n")


async def test_readyz_names_every_part(url: str, state: State) -> None:
    state.parts["journal"] = health.journal_part(pending=3, lag_s=1.25, quarantined=("17",))
    status, body, _ = await fetched(f"{url}/readyz")
    assert status == 200
    assert body["ready"] is True
    assert body["parts"]["store"] == {"ok": True}
    assert body["parts"]["journal"]["figures"] == {"pending": 3, "lag_s": 1.2, "quarantined": ["17"]}
    assert "1 quarantined" in body["parts"]["journal"]["detail"]


@pytest.mark.parametrize(
    "part",
    [
        health.store_part("the disk is full: free some room"),
        health.channels_part({"support": False, "sales": True}),
        health.journal_part(pending=9, lag_s=61),
        health.outbox_part(waiting=1, oldest_s=3601),
    ],
)
async def test_readyz_is_503_when_one_part_fails_and_says_which(url: str, state: State, part: Part) -> None:
    state.parts["broken"] = part
    status, body, _ = await fetched(f"{url}/readyz")
    assert status == 503
    assert body["parts"]["broken"]["ok"] is False
    assert body["parts"]["broken"]["detail"]


async def test_metrics_speak_prometheus(url: str, state: State) -> None:
    state.metrics.received.labels("support").inc()
    status, body, headers = await fetched(f"{url}/metrics")
    assert status == 200
    assert 'intake_messages_received_total{account="support"} 1.0' in body
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4")


class Door(MemoryGate):
    """A gate that says what it is told to say."""

    def __init__(self, *answers: Receipt | Unavailable) -> None:
        super().__init__()
        self.answers = list(answers)

    async def submit(self, raw: RawMessage) -> Receipt:
        answer = self.answers.pop(0)
        if isinstance(answer, Unavailable):
            raise answer
        return answer

    async def cursor(self, name: str) -> bytes | None:
        return name.encode()

    async def known(self, keys: Iterable[str]) -> frozenset[str]:
        return frozenset(keys)

    async def reconcile(self, inventory: Inventory) -> frozenset[str]:
        return frozenset(inventory.keys or ())


async def test_the_gate_counts_what_it_lets_through_and_what_it_puts_off(state: State) -> None:
    raw = RawMessage(kind="x", account="support", lane="a", body=b"x", received_at=NOON)
    door = Door(Receipt(1, 1, False), Receipt(2, 2, True), Unavailable("full"))
    gate = MeasuredGate(door, state.metrics, sessions=door, feeds=door)
    await gate.submit(raw)
    await gate.submit(raw)
    with pytest.raises(Unavailable):
        await gate.submit(raw)
    gate.settled(1)
    gate.settled(99)
    said = state.metrics.exposition().decode()
    for line in (
        'intake_messages_received_total{account="support"} 2.0',
        'intake_messages_duplicate_total{account="support"} 1.0',
        'intake_messages_put_off_total{account="support"} 1.0',
        "intake_ack_seconds_count 2.0",
        "intake_settle_seconds_count 1.0",
    ):
        assert line in said, line
    assert (
        state.metrics.registry.get_sample_value(
            "intake_last_received_timestamp_seconds", {"account": "support"}
        )
        == NOON.timestamp()
    )
    assert await gate.cursor("c") == b"c"
    assert await gate.known(["k"]) == {"k"}


async def test_the_gate_counts_turns_and_those_it_puts_off(state: State) -> None:
    raw = RawMessage(kind="x", account="phone", lane="a", keys=("k",), body=b"x", received_at=NOON)
    door = MemoryGate()
    gate = MeasuredGate(door, state.metrics, sessions=door, feeds=door)
    said = await gate.turn("call", raw, lambda state, raw, view: Turn(state=b"1", reply="hello"))
    door.fault = "unavailable"
    with pytest.raises(Unavailable):
        await gate.turn("call", raw, lambda state, raw, view: Turn(state=b"2", reply="again"))
    figures = state.metrics.exposition().decode()
    assert said == "hello"
    assert 'intake_messages_received_total{account="phone"} 1.0' in figures
    assert 'intake_messages_put_off_total{account="phone"} 1.0' in figures
    assert "intake_turn_seconds_count 1.0" in figures


async def test_pages_do_not_name_the_software_beneath(url: str) -> None:
    _, _, headers = await fetched(f"{url}/healthz")
    assert headers["Server"] == "intake"
    assert headers["X-Content-Type-Options"] == "nosniff"


async def test_a_heartbeat_tells_success_from_failure(url: str) -> None:
    async with aiohttp.ClientSession() as session:
        assert await heartbeat.beat(session, f"{url}/healthz")
        assert not await heartbeat.beat(session, f"{url}/nowhere")
        assert not await heartbeat.beat(session, "http://127.0.0.1:9/")


class OfficeHours:
    """Open for a third of any time."""

    def open_between(self, start: datetime, end: datetime) -> float:
        return (end - start).total_seconds() / 3


@pytest.mark.parametrize(("hours", "is_alarming"), [(5.9, False), (6, True), (7, True)])
def test_silence_is_counted_in_open_hours(hours: float, *, is_alarming: bool) -> None:
    now = NOON + timedelta(hours=hours)
    found = silence.judge(NOON, now=now, allowed_open_hours=2, calendar=OfficeHours())
    assert found.is_alarming is is_alarming
    assert found.open_hours == pytest.approx(hours / 3)


def test_without_a_calendar_every_hour_counts() -> None:
    now = NOON + timedelta(hours=2)
    assert silence.judge(NOON, now=now, allowed_open_hours=2, calendar=None).is_alarming


def test_a_clock_set_back_raises_no_alarm() -> None:
    assert not silence.judge(
        NOON, now=NOON - timedelta(days=9), allowed_open_hours=1, calendar=None
    ).is_alarming


def test_the_alarm_says_each_silence_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="intake")
    alarm = silence.Alarm(Metrics())
    quiet, loud = silence.Silence(9, is_alarming=True), silence.Silence(0, is_alarming=False)
    for each in (loud, quiet, quiet, loud, loud, quiet):
        alarm.look(each, last_received=NOON)
    assert [record.getMessage() for record in caplog.records] == [
        "silence_alarm",
        "silence_over",
        "silence_alarm",
    ]


@pytest.mark.parametrize(
    ("late_s", "up_s", "is_ok", "detail"),
    [
        (59, 3_600, True, ""),
        (3_600, 5, True, "7 timers are due, the first for 3600 s, see: intake timers list --late"),
        (3_600, 61, False, "7 timers are due, the first for 3600 s, see: intake timers list --late"),
    ],
)
def test_timers_late_for_a_minute_of_running_are_the_daemons_fault(
    late_s: float, up_s: float, *, is_ok: bool, detail: str
) -> None:
    part = health.timers_part(due=7, late_s=late_s, up_s=up_s)
    assert (part.is_ok, part.detail) == (is_ok, detail)


def test_timers_that_were_given_up_are_named_and_leave_it_ready() -> None:
    part = health.timers_part(due=0, late_s=0, up_s=100, failed=("12", "13"))
    assert (part.is_ok, part.figures["failed"]) == (True, ["12", "13"])
    assert part.detail == "2 given up, see: intake timers list --failed"
