"""Killed at each step and numbered anew, a mailbox is taken in exactly once; and the run that says so can fail."""

from pathlib import Path

import pytest

from tests.imap import torture

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420)]


def _run(folder: Path, *words: str) -> torture.Figures:
    return torture.run(torture.parser().parse_args([*words, "--limit-s", "400", "--every", "100"]), folder)


def test_killed_at_each_step_it_takes_each_of_500_mails_once_through_five_renumberings(
    tmp_path: Path,
) -> None:
    figures = _run(tmp_path, "--mails", "500", "--changes", "5", "--kills", "24")
    assert figures.is_clean(), figures
    assert (figures.mails, figures.changes, figures.row["missing"]) == (500, 5, 0)
    assert sum(figures.reached.values()) >= 5


def test_killed_between_storing_and_deleting_it_loses_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    steps = "UID STORE,UID EXPUNGE,body,journal.before_commit,journal.after_commit"
    figures = _run(
        tmp_path,
        "--mails",
        "150",
        "--changes",
        "2",
        "--kills",
        "10",
        "--afterwards",
        "delete",
        "--steps",
        steps,
    )
    assert figures.is_clean(), figures
    assert figures.left_on_server == 0


@pytest.mark.parametrize(
    ("mutant", "steps", "afterwards"),
    [
        ("cursor-before-journal", "body", "keep"),
        ("act-before-commit", "journal.before_commit", "delete"),
        ("uidvalidity-ignored", "body", "keep"),
    ],
)
def test_a_broken_mailbox_is_found_out(tmp_path: Path, mutant: str, steps: str, afterwards: str) -> None:
    figures = _run(
        tmp_path, "--mutant", mutant, "--steps", steps, "--afterwards", afterwards, "--seed", "3", "--calm", "0",
        "--mails", "60", "--changes", "3", "--kills", "4", "--settle-s", "8",
    )  # fmt: skip
    assert not figures.is_clean()
    assert figures.broken.get("lost", 0) + figures.gaps > 0
