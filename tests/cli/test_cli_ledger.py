"""intake journal ledger: what a mailbox holds against what became of it."""

from pathlib import Path

from channels.contract import Excused, Inventory
from intake import settings
from intake.web import health
from intake.wiring import wire
from tests.cli.conftest import Intake


async def _reconciled(folder: Path, *keys: str) -> None:
    wired = wire(settings.load(folder / "config" / "intake.yaml", {}))
    try:
        excused = (Excused("skipped", 40), Excused("unfetchable", 1, "UID 9: NO\x1b[31m", is_alarming=True))
        inventory = Inventory(account="support", place="INBOX", generation="7", keys=keys, excused=excused)
        await wired.journal.reconcile(inventory)
    finally:
        await wired.parser.close()
        await wired.backlog.close()
        wired.store.close()


async def test_the_ledger_is_an_object_for_each_mailbox(intake: Intake, desk: Path) -> None:
    await _reconciled(desk, "imap:lost")
    [row] = intake("journal", "ledger", "--json").objects
    assert (row["account"], row["place"], row["on_server"], row["missing"]) == ("support", "INBOX", 42, 1)
    assert row["excused"][1]["detail"].startswith("UID 9")


async def test_the_ledger_is_readable_and_cannot_move_the_cursor(intake: Intake, desk: Path) -> None:
    await _reconciled(desk)
    said = intake("journal", "ledger").out
    assert "40 skipped" in said
    assert "\x1b[31m" not in said


def test_without_a_mailbox_it_says_so(intake: Intake, desk: Path) -> None:
    done = intake("journal", "ledger")
    assert (done.code, done.out) == (0, "")
    assert "no account counts" in done.err


def test_a_mail_server_that_is_away_is_told_and_leaves_us_ready() -> None:
    part = health.channels_part({"mailbox": True}, troubles=["mailbox: INBOX: no connection"])
    assert (part.is_ok, part.detail) == (True, "mailbox: INBOX: no connection")
