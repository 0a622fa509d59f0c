"""What an answer by text would be, and templates of WhatsApp, from the command line."""

import urllib.parse
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from channels import loading
from channels.contract import RawMessage
from intake import journal, listing, pipeline, settings, wiring
from intake.store import blobs, schema

ACCOUNTS = """
  texts:
    kind: twilio.sms
    account_sid: AC00000000000000000000000000000000
    auth_token: simulated
    numbers: ["+48221234567"]
    sending: {price: "0.04 EUR"}
  chats:
    kind: twilio.whatsapp
    account_sid: AC00000000000000000000000000000000
    auth_token: simulated
    numbers: ["+48221234567"]
    templates:
      - {name: still_there, language: en, sid: HX11111111111111111111111111111111, text: "Hello {{1}}", variables: [their name]}
"""


@pytest.fixture
def refs(intake: Any, desk: Path) -> dict[str, str]:
    """Tickets of a text and of a WhatsApp message, by account."""
    config = desk / "config" / "intake.yaml"
    config.write_text(config.read_text().replace("\nchannels:\n", f"\nchannels:{ACCOUNTS}", 1))
    wired = wiring.wire(settings.load(config, {}))
    try:
        return {account: _texted(wired, account) for account in ("texts", "chats")}
    finally:
        wired.store.close()


def _texted(wired: Any, account: str) -> str:
    prefix = "whatsapp:" if account == "chats" else ""
    form = {
        "MessageSid": f"SM{account}",
        "AccountSid": "AC" + "0" * 32,
        "From": f"{prefix}+48600100200",
        "To": f"{prefix}+48221234567",
        "Body": "My printer is on fire",
    }
    raw = RawMessage(
        kind=wired.settings.channels[account].kind,
        account=account,
        lane=account,
        body=urllib.parse.urlencode(form).encode(),
        received_at=datetime.now(UTC),
        envelope={"path": "message"},
    )
    wired.blob_folder.mkdir(exist_ok=True)
    blob = blobs.prepare(raw.body, wired.blob_folder)

    kept = wired.store.write_now(lambda tx: journal.keep(tx, raw, blob, []))
    received = wired.store.read_now(lambda tx: journal.load(tx, kept.id, wired.blob_folder))
    channel = wired.settings.channels[account]
    understood = loading.module_for(channel.kind).parse(received.raw, channel.options)
    wired.store.write_now(lambda tx: pipeline.settle(tx, wired.context, received, understood))
    rows = list(listing.tickets(wired.store, listing.Filters()))
    return str(next(each["ref"] for each in rows if each["account"] == account))


def test_a_composed_text_is_counted_and_its_price_named(intake: Any, refs: dict[str, str]) -> None:
    [composed] = intake("tickets", "compose", refs["texts"], "--json", stdin="We’re on it".encode()).objects
    assert (composed["encoding"], composed["segments"], composed["cost"]) == ("UCS-2", 1, "0.04 EUR")
    assert composed["from"] == "+48221234567"
    assert composed["forcing"][0]["instead"] == "'"
    page = intake("tickets", "compose", refs["texts"], stdin="We’re on it".encode())
    assert "character 3 '’' (right single quotation mark) makes it UCS-2: ''' would do" in page.out
    assert page.out.endswith("it can be sent\n")


def test_a_file_that_cannot_go_along_is_told_before(intake: Any, desk: Path, refs: dict[str, str]) -> None:
    (desk / "cat.jpg").write_bytes(b"1")
    page = intake("tickets", "compose", refs["chats"], "--attach", "cat.jpg", stdin=b"Look")
    assert "it cannot be sent: files are fetched from http.public_url, which is not set" in page.out
    assert intake("tickets", "compose", refs["chats"], "--attach", "no.jpg", stdin=b"Look").code == 2


def test_too_much_for_one_answer_is_told_before_by_mail_as_well(intake: Any, desk: Path) -> None:
    (desk / "one.eml").write_bytes(
        b"From: Ann <ann@example.net>\r\nTo: support@example.com\r\n\r\nHelp me.\r\n"
    )
    assert intake("ingest", "one.eml", "--kind", "email").code == 0
    [ticket] = intake("tickets", "list", "--json").objects
    with (desk / "film.mp4").open("wb") as film:
        film.truncate(19 * 1024 * 1024)
    page = intake("tickets", "compose", ticket["ref"], "--attach", "film.mp4", stdin=b"Look")
    assert "it cannot be sent: the files have 19,922,944 bytes; an answer may carry 18,874,368" in page.out
    assert intake("tickets", "compose", ticket["ref"], "--attach", "one.eml", stdin=b"Look").out.endswith(
        "it can be sent\n"
    )


def test_composing_for_nobody_is_wrong_input(intake: Any, refs: dict[str, str]) -> None:
    assert intake("tickets", "compose", "K7M4Q2P", stdin=b"x").code == 2


def test_a_template_is_sent_by_name_with_its_values(intake: Any, refs: dict[str, str]) -> None:
    agent = _agent()
    done = intake(
        "tickets", "reply", refs["chats"], "--as", agent, "--template", "still_there", "--value", "Ms Ito"
    )
    assert done.code == 0, done.err
    [row] = [each for each in intake("outbox", "list", "--json").objects if each["channel"] == "whatsapp"]
    assert (row["to"], row["state"]) == ("+48600100200", "queued")
    [shown] = intake("tickets", "show", refs["chats"], "--json").objects
    [said] = [each for each in shown["conversation"] if each["direction"] == "out"]
    assert (said["text"], said["delivery"]["state"]) == ("Hello Ms Ito", "queued")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--template", "nothing"], 'still_there (en): "Hello {{1}}"'),
        (["--template", "still_there"], "wants 1 values, not 0: their name"),
        (["--value", "x"], "name one with --template"),
        (["--template", "still_there", "--promise", "in 2h"], "has its own words"),
    ],
)
def test_wrong_templates_are_one_sentence(
    intake: Any, refs: dict[str, str], more: list[str], words: str
) -> None:
    done = intake("tickets", "reply", refs["chats"], "--as", _agent(), *more, stdin=b"x")
    assert (done.code, words in done.err) == (2, True)


def _agent() -> str:
    from routing import rulebook

    return next(iter(rulebook.load({"rules.yaml": Path("config/rules.yaml").read_text()}).agents))


def test_a_ticket_whose_last_answer_failed_says_how_else_its_customer_is_reached(
    intake: Any, desk: Path, refs: dict[str, str]
) -> None:
    """WhatsApp's 24 hours are open for this number; of an answer that is on its way nothing is said."""
    assert intake("tickets", "reply", refs["texts"], "--as", _agent(), stdin=b"Try water").code == 0
    [shown] = intake("tickets", "show", refs["texts"], "--json").objects
    assert shown["other_ways"] == []
    wired = wiring.wire(settings.load(desk / "config" / "intake.yaml", {}))
    try:
        wired.store.write_now(lambda tx: tx.update(schema.outbox, {"medium": "sms"}, state="failed"))
    finally:
        wired.store.close()
    [shown] = intake("tickets", "show", refs["texts"], "--json").objects
    [way] = shown["other_ways"]
    assert (way["medium"], way["to"], way["account"]) == ("whatsapp", "+48600100200", "chats")
    assert way["until"].endswith("Z")
    assert "reach by  whatsapp +48600100200 (chats) until" in intake("tickets", "show", refs["texts"]).out
