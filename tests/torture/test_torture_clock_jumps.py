"""The wall clock is set, and the machine sleeps: nothing is missed and nothing comes twice. Each way this machine has is tried."""

import pathlib

import pytest

from tests.torture import clock_jumps, wall_clock

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.mark.parametrize("way", wall_clock.ways())
def test_two_hours_forward_and_back_it_takes_each_step_once(tmp_path: pathlib.Path, way: str) -> None:
    """And a suspended machine between them. By libfaketime where it loads, by time-machine everywhere: none is skipped."""
    words = ["--way", way, "--timers", "200", "--jumps", "6", "--limit-s", "200", "--every", "100"]
    figures = clock_jumps.run(clock_jumps.parser().parse_args(words), tmp_path)
    assert figures.verdict.examples == {}
    assert figures.slow == []
    assert figures.verdict.fired == figures.verdict.expected >= 190
    assert (figures.jumps >= 6, figures.stops, figures.tracebacks) == (True, 2, 0)
