"""A daemon that was down, and is killed while it catches up, has every text, call and voicemail once."""

import signal
import urllib.request
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from tests.daemon.conftest import LIMIT_S, Running, Start, start
from tests.phone.outage import OWN, Desk
from tests.phone.served import Served

__all__ = ["start"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

KILLED_AT = (
    "journal.before_commit:1",
    "journal.after_commit:30",
    "settle.in_transaction:20",
    "journal.after_commit:90",
)


@pytest.fixture
def served() -> Iterator[Served]:
    with Served() as served:
        yield served


def accounts(served: Served, *, token: str) -> str:
    shared = (
        f'account_sid: {served.provider.account}, auth_token: {token}, api_url: "{served.url}", '
        f'public_url: "https://help.example.com", numbers: ["{OWN}"]'
    )
    return f"channels:\n  texts: {{kind: twilio.sms, {shared}}}\n  phone: {{kind: twilio.voice, {shared}}}\n"


def begun(start: Start, served: Served, *, token: str | None = None, **variables: str) -> Running:
    written = accounts(served, token=token or served.provider.token)
    return start(lambda text: text.replace("channels:\n", written), **variables)


def caught_up(running: Running) -> dict[str, dict[str, Any]]:
    """Wait until both accounts have caught up; the ledger's lines."""
    waiting = {"texts", "phone"}
    while waiting:
        waiting.discard(running.heard("twilio_caught_up")["account"])
    return {row["account"]: row for row in running.objects("journal", "ledger")}


def test_an_outage_with_kills_while_it_is_made_up_for(start: Start, served: Served) -> None:
    provider = served.provider
    first = begun(start, served).greeted()
    assert {first.heard("twilio_first_look")["account"] for _ in range(2)} == {"texts", "phone"}
    assert first.end() == 0
    provider.advance(60)
    desk = Desk(provider, served.url)
    desk.half_an_hour(300)
    provider.advance(900)
    for place in KILLED_AT:
        assert begun(start, served, INTAKE_FAILPOINT=place).process.wait(LIMIT_S) == -signal.SIGKILL
    provider.receive("+48600100299", OWN, "is there anybody?")
    desk.called()
    provider.advance(900)
    last = begun(start, served).greeted()
    counted = caught_up(last)
    texts = [each for each in provider.texts.values() if each.direction == "inbound"]
    assert counted["texts"]["on_server"] == counted["texts"]["accounted"] == len(texts)
    there = len(provider.calls) + len(provider.recordings)
    assert counted["phone"]["on_server"] == counted["phone"]["accounted"] == there
    rows = last.objects("journal", "list")
    outcomes = Counter(row["outcome"] for row in last.objects("calls", "list"))
    assert outcomes == {
        "voicemail": len(provider.recordings),
        "missed": len(provider.calls) - len(provider.recordings),
    }
    assert last.end() == 0
    states = Counter(row["state"] for row in rows)
    assert states["duplicate"] == 0
    assert len(rows) == len(desk.expected())
    assert len({row["key"] for row in rows}) == len(rows)


def test_a_wrong_token_is_what_readyz_names(start: Start, served: Served) -> None:
    running = begun(start, served, token="not-the-token").greeted()
    running.heard("twilio_not_compared")
    running.heard("twilio_not_compared")
    status, said = running.get("/readyz")
    told = str(said)
    assert status == 200
    assert "texts: Twilio refuses the login: account_sid and auth_token do not belong together" in told
    assert "not-the-token" not in told + "".join(running.said)
    with urllib.request.urlopen(f"{running.http}/metrics", timeout=LIMIT_S) as answer:
        assert 'intake_channel_troubles{account="texts"} 1.0' in answer.read().decode()
