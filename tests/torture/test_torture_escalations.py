"""Each step is taken once and none is missed, however often the daemon is killed; and the run that says so can fail."""

import pathlib

import pytest

from tests.torture import escalations

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def _run(folder: pathlib.Path, *words: str) -> escalations.Figures:
    options = escalations.parser().parse_args([*words, "--limit-s", "200", "--settle-s", "60"])
    return escalations.run(options, folder)


def test_killed_again_and_again_it_takes_each_of_2000_escalations_once(tmp_path: pathlib.Path) -> None:
    figures = _run(tmp_path, "--escalations", "2000", "--kills", "11", "--pour-s", "20", "--every", "100")
    assert figures.verdict.examples == {}
    assert figures.verdict.fired == figures.verdict.expected >= 2_000
    assert (figures.kills, figures.tracebacks) == (11, 0)
    assert sum(figures.at_failpoints.values()) >= 4


@pytest.mark.parametrize(
    ("mutant", "failpoint", "broken"),
    [
        ("claim-anything", "timers.in_transaction", "twice"),
        ("effects-in-another-transaction", "timers.in_transaction", "missed"),
        ("timers-after-the-ticket", "settle.after_commit", "missed"),
    ],
)
def test_a_daemon_that_is_broken_is_found_out(
    tmp_path: pathlib.Path, mutant: str, failpoint: str, broken: str
) -> None:
    figures = _run(
        tmp_path, "--mutant", mutant, "--failpoints", failpoint, "--seed", "7", "--escalations", "160", "--old", "3",
        "--kills", "1", "--nth", "3", "--pour-s", "1", "--every", "100", "--away-s", "3",
    )  # fmt: skip
    assert any(broken in promise for promise in figures.verdict.counts)
