"""Nothing is lost and nothing comes twice, however often the daemon is killed; and the run that says so can fail."""

import pathlib

import pytest

from tests.torture import kills

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420)]


def _run(folder: pathlib.Path, *words: str) -> kills.Figures:
    options = kills.parser().parse_args([*words, "--limit-s", "300", "--settle-s", "60"])
    return kills.run(options, folder)


def test_killed_fifty_times_it_keeps_each_acknowledged_mail_exactly_once(tmp_path: pathlib.Path) -> None:
    figures = _run(tmp_path, "--kills", "51", "--acks", "5000", "--up-s", "0.7")
    assert figures.broken() == {}
    assert figures.kills >= 50
    assert figures.acked() >= 5_000
    assert sum(figures.at_failpoints.values()) >= 10
    assert (figures.tracebacks, figures.silences) == (0, 0)


def test_a_daemon_that_answers_before_the_commit_is_found_out(tmp_path: pathlib.Path) -> None:
    """Eight kills are enough for a mail to be promised and lost."""
    figures = _run(
        tmp_path,
        "--mutant",
        "ack-before-commit",
        "--kills",
        "8",
        "--acks",
        "200",
        "--failpoints",
        "journal.before_commit",
    )
    assert figures.broken().get("lost", 0) > 0


def test_a_daemon_that_does_not_know_a_mail_again_is_found_out(tmp_path: pathlib.Path) -> None:
    """A mail whose 250 was lost with the connection is sent again, and must not become a second message."""
    figures = _run(
        tmp_path,
        "--mutant",
        "keys-not-unique",
        "--kills",
        "8",
        "--acks",
        "200",
        "--failpoints",
        "journal.after_commit",
    )
    assert figures.broken().get("twice", 0) > 0
