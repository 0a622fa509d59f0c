"""Whole conversations and calls, each a file to be read: played over real HTTP against a real daemon.

Each webhook is signed with the twilio package's own code, each TwiML answer is held against Twilio's grammar, and the REST
API refuses what the real one refuses.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from pathlib import Path

import pytest

from channels.twilio.simulator.scenario import DeskIs
from intake import playing, scenarios
from tests.phone.live import Live

HERE = Path(__file__).parent / "scenarios"
FILES = sorted(HERE.glob("*.yaml"))
QUICK = {  # one of each kind; the others take their time in the long run
    "text-reply", "text-picture", "text-stop", "whatsapp-reply",
    "call-menu-billing", "call-closed", "call-nobody", "call-two-press-at-once",
}  # fmt: skip
NOW = "2026-11-10T10:00:00+01:00"  # a Tuesday, in office hours

Start = Callable[..., Awaitable[Live]]


@pytest.fixture
async def start(tmp_path: Path, new_store: bytes) -> AsyncIterator[Start]:
    """Start a desk with phones."""
    running: list[Live] = []

    async def begin(
        at: str = NOW,
        seed: int = 1,
        folder: str = "desk",
        desk: DeskIs = DeskIs(),  # noqa: B008 - a frozen value
    ) -> Live:
        live = Live(tmp_path / folder, at=datetime.fromisoformat(at), seed=seed)
        running.append(live)
        await live.start(store=new_store, desk=desk)
        return live

    yield begin
    for live in running:
        await live.stop()


def _marked(file: Path) -> object:
    return pytest.param(file, id=file.stem, marks=() if file.stem in QUICK else pytest.mark.slow)


@pytest.mark.timeout(120)  # of a busy machine; each takes half a second of work
@pytest.mark.parametrize("file", [_marked(each) for each in FILES])
async def test_it_goes_as_the_scenario_says(start: Start, file: Path) -> None:
    scenario = scenarios.read(file)
    live = await start(scenario.at or NOW, scenario.seed, desk=scenario.desk)
    failures = await playing.Play(scenario, live).run()
    said = "\n".join(f"{each.at_s:7.1f} {each.who}: {each.kind} {each.text}" for each in live.studio.lines)
    assert not failures, "\n".join([*failures, said])
