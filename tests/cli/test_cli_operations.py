"""intake rules hits and intake operations: how rules and the daemon fare, without a browser."""

from pathlib import Path
from typing import Any

from tests.cli.conftest import Intake

MAIL = b"From: Ann <ann@example.net>\r\nTo: support@example.com\r\nSubject: Hello\r\nMessage-ID: <1@example.net>\r\n\r\nMy printer burns.\r\n"


def test_hits_are_an_object_for_each_rule(intake: Intake, desk: Path) -> None:
    (desk / "mail.eml").write_bytes(MAIL)
    assert intake("ingest", "mail.eml").code == 0
    rows = {row["rule"]: row for row in intake("rules", "hits", "--json").objects}
    hit = [row for row in rows.values() if row["hits"]["24h"]]
    assert hit
    for row in hit:
        assert (row["hits"]["24h"], row["hits"]["30d"], row["state"]) == (1, 1, "live")
        assert row["last_ticket"]
        assert row["last_at"].endswith("Z")
    assert set(rows["default"]) == {
        "rule", "stage", "file", "line", "on", "hits", "last_at", "last_ticket", "errors", "last_error", "state", "problems",
    }  # fmt: skip


def test_only_what_never_matched_can_be_asked_for(intake: Intake, desk: Path) -> None:
    every = intake("rules", "hits", "--json").objects
    never = intake("rules", "hits", "--never", "--json").objects
    assert len(never) == len(every) > 1
    said = intake("rules", "hits").out
    assert "not in 30 days" in said


def test_operations_is_one_object(intake: Intake, desk: Path) -> None:
    (desk / "mail.eml").write_bytes(MAIL)
    intake("ingest", "mail.eml")
    [found] = intake("operations", "--json").objects
    accounts: dict[str, Any] = {each["account"]: each for each in found["channels"]}
    assert any(each["last_received_at"] for each in accounts.values())
    assert set(found) == {"at", "channels", "ledger", "quarantine", "dead_letters", "queued", "timers"}
    assert found["quarantine"] == {"count": 0, "rows": [], "next": None}


def test_for_people_it_is_a_table_and_what_mends_what_is_stuck(intake: Intake, desk: Path) -> None:
    from sqlalchemy import text

    from intake.store import opening
    from intake.store.statements import Statement

    (desk / "mail.eml").write_bytes(MAIL)
    intake("ingest", "mail.eml")
    store = opening.open_store("", desk / "var")
    broken = Statement(text("UPDATE journal SET state = 'quarantined', problem = 'a bug\x1b[31m'"))
    store.write_now(lambda tx: tx.run(broken))
    store.close()
    said = intake("operations").out
    assert "1 messages are set aside: intake journal replay --quarantined" in said
    assert "\x1b" not in said
