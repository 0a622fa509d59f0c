"""Whole conversations and calls, each a file to be read: played over real HTTP against a real daemon.

Each webhook is signed with the twilio package's own code, each TwiML answer is held against Twilio's grammar, and the REST
API refuses what the real one refuses.
"""

from pathlib import Path

import pytest

from intake import playing, scenarios
from tests.phone.live import NOW, GoLive

HERE = Path(__file__).parent / "scenarios"
FILES = sorted(HERE.glob("*.yaml"))
# One of each kind; the others take their time in the long run.
QUICK = {"text-reply", "text-stop", "whatsapp-reply", "call-menu-billing"}


def _marked(file: Path) -> object:
    return pytest.param(file, id=file.stem, marks=() if file.stem in QUICK else pytest.mark.slow)


@pytest.mark.timeout(120)  # of a busy machine; each takes half a second of work
@pytest.mark.parametrize("file", [_marked(each) for each in FILES])
async def test_it_goes_as_the_scenario_says(go_live: GoLive, file: Path) -> None:
    scenario = scenarios.read(file)
    live = await go_live(scenario.at or NOW, scenario.seed, desk=scenario.desk)
    failures = await playing.Play(scenario, live).run()
    said = "\n".join(f"{each.at_s:7.1f} {each.who}: {each.kind} {each.text}" for each in live.studio.lines)
    assert not failures, "\n".join([*failures, said])


@pytest.mark.slow
async def test_two_who_press_at_the_same_instant_are_one_owner(go_live: GoLive) -> None:
    """Their requests are under way at the same time: who wins is the store's decision, and it is one."""
    text = (HERE / "call-two-press-at-once.yaml").read_text().replace(", owner: ania", "")
    live = await go_live(is_parallel=True)
    play = playing.Play(scenarios.from_text(text, file="call.yaml"), live)
    assert await play.run() == []
    told = [each for each in live.studio.lines if each.kind == "is connected"]
    assert len(told) == 1
