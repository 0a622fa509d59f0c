"""Texts join the conversation they belong to, a number is one customer on every medium, and files arrive on their message."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from channels.contract import Fetched, FetchFailed, Identity
from intake import customers, fetches, fetching, kept_files
from intake.store import blobs, opening, schema
from tests.domain.world import RULES, SUPPORT
from tests.phone.texted_desk import CONVERSATIONS, Desk
from tests.phone.texting import JAN, OWN, SID, form, whatsapp_form

USER = "PL.4566546130240823"
EWA = "+48600100201"
JAN_BY_MAIL = "jan@customer.example"
Make = Callable[..., Desk]


@pytest.fixture
def make(tmp_path: Path, clock: Any, new_store: bytes) -> Iterator[Make]:
    """Make a desk whose rules say this too."""
    (tmp_path / "intake.db").write_bytes(new_store)
    (tmp_path / "blobs").mkdir()
    with ExitStack() as stack:

        def desk(rules: str = "") -> Desk:
            store = stack.enter_context(closing(opening.open_store("", tmp_path, clock=clock)))
            return Desk(store, tmp_path, clock, rules=RULES + CONVERSATIONS + rules)

        yield desk


@pytest.fixture
def desk(make: Make) -> Desk:
    return make()


def solve(desk: Desk, ticket: dict[str, Any]) -> None:
    desk.store.write_now(
        lambda tx: tx.update(schema.tickets, {"id": ticket["id"]}, status="solved", solved_at=tx.now)
    )


# -- which ticket -----------------------------------------------------------------------------------------------


def test_the_second_text_joins_the_open_ticket(desk: Desk) -> None:
    first, second = desk.text("My printer is on fire"), desk.text("It still burns")
    assert first["ticket_id"] == second["ticket_id"]
    assert desk.ticket(first)["subject"] == "My printer is on fire"
    assert "unverified_join" not in desk.events(desk.ticket(first))


def test_another_number_gets_a_ticket_of_its_own(desk: Desk) -> None:
    assert desk.text()["ticket_id"] != desk.text(From=EWA)["ticket_id"]


def test_a_text_within_three_days_reopens_the_ticket(desk: Desk) -> None:
    first = desk.text()
    solve(desk, desk.ticket(first))
    desk.advance(days=2)
    assert desk.text()["ticket_id"] == first["ticket_id"]
    assert desk.ticket(first)["status"] == "open"


def test_a_text_after_three_days_is_a_new_ticket(desk: Desk) -> None:
    first = desk.text()
    solve(desk, desk.ticket(first))
    desk.advance(days=4)
    assert desk.text()["ticket_id"] != first["ticket_id"]


def test_sms_and_whatsapp_are_two_conversations_of_one_customer(desk: Desk) -> None:
    text, chat = desk.text(), desk.chat()
    assert text["ticket_id"] != chat["ticket_id"]
    assert text["customer_id"] == chat["customer_id"]


def test_of_two_open_tickets_the_one_written_in_last_is_joined(desk: Desk) -> None:
    first = desk.text()
    solve(desk, desk.ticket(first))
    desk.advance(days=4)
    second = desk.text()
    desk.store.write_now(
        lambda tx: tx.update(schema.tickets, {"id": first["ticket_id"]}, status="open", solved_at=None)
    )
    assert desk.text()["ticket_id"] == second["ticket_id"]


def test_a_reply_goes_where_the_message_that_it_answers_stands(desk: Desk) -> None:
    """An open ticket that was not written in last, named by the id that Twilio gave our message."""
    first = desk.chat()
    solve(desk, desk.ticket(first))
    desk.advance(days=4)
    second = desk.chat()
    assert second["ticket_id"] != first["ticket_id"]

    def sent(tx: Any) -> None:
        tx.update(schema.tickets, {"id": first["ticket_id"]}, status="open", solved_at=None)
        tx.insert(
            schema.outbox, id=tx.new_id(), cause="test", action="reply", ticket_id=first["ticket_id"],
            medium="whatsapp", account="chats", recipient=JAN, payload="{}", state="sent",
            provider_id="SM" + "e" * 32, created_at=tx.now,
        )  # fmt: skip

    desk.store.write_now(sent)
    answer = desk.chat("Yes, that one", OriginalRepliedMessageSid="SM" + "e" * 32)
    assert answer["ticket_id"] == first["ticket_id"]
    assert "unverified_join" not in desk.events(desk.ticket(first))


def test_the_same_message_sid_is_one_message(desk: Desk) -> None:
    posted = form()
    first, again = desk.take(posted), desk.take(posted)
    assert (again["state"], again["ticket_id"]) == ("duplicate", first["ticket_id"])
    assert desk.ticket(first)["messages"] == 1
    assert len(desk.rows("messages")) == 1


def test_the_number_that_was_written_to_is_the_tickets_own(desk: Desk) -> None:
    """Also one that the account does not name: a messaging service has many."""
    assert desk.ticket(desk.text(To="+48221112233"))["own_address"] == "+48221112233"
    assert desk.ticket(desk.chat(To=f"whatsapp:{OWN}"))["own_address"] == OWN


# -- who --------------------------------------------------------------------------------------------------------


def test_who_hides_their_number_later_is_still_known(desk: Desk) -> None:
    first = desk.chat()
    hidden = desk.chat(From=f"whatsapp:{USER}", WaId="", ExternalUserId=f"whatsapp:{USER}")
    assert hidden["customer_id"] == first["customer_id"]


def test_who_shows_their_number_later_is_still_known(desk: Desk) -> None:
    hidden = desk.chat(From=f"whatsapp:{USER}", WaId="", ExternalUserId=f"whatsapp:{USER}")
    shown, text = desk.chat(), desk.text()
    assert hidden["customer_id"] == shown["customer_id"] == text["customer_id"]


def test_a_number_without_a_user_id_is_nobody_elses(desk: Desk) -> None:
    """Not the reverse: a WhatsApp id says nothing of a number."""
    hidden = desk.chat(From=f"whatsapp:{USER}", WaId="", ExternalUserId=f"whatsapp:{USER}")
    assert desk.text()["customer_id"] != hidden["customer_id"]


def test_two_customers_that_turn_out_to_be_one_stay_apart(desk: Desk) -> None:
    """Merging is a person's decision: the message goes to whom its sender is, and nobody's identity moves."""
    text = desk.text()
    hidden = desk.chat(From=f"whatsapp:{USER}", WaId="", ExternalUserId=f"whatsapp:{USER}")
    shown = desk.chat()
    assert shown["customer_id"] in {text["customer_id"], hidden["customer_id"]}
    owners = {
        (row["kind"], row["value"]): row["customer_id"] for row in desk.rows("identities", "value <> ''")
    }
    assert owners[("phone", JAN)] == text["customer_id"]
    assert owners[("whatsapp", USER)] == hidden["customer_id"]


def test_a_customer_whom_an_agent_knows_by_number_is_the_one_who_texts(desk: Desk) -> None:
    known = desk.store.write_now(
        lambda tx: customers.known_as(tx, Identity("phone", JAN), name="Jan Kowalski")
    )
    assert desk.text()["customer_id"] == known.id


def test_a_text_is_never_verified(desk: Desk) -> None:
    desk.text()
    assert [row["is_verified"] for row in desk.rows("identities", "kind = 'phone'")] == [0]


def test_a_short_code_and_a_name_are_senders_too(desk: Desk) -> None:
    for sender in ("72345", "BANK-INFO"):
        assert desk.text(From=sender)["ticket_id"] == desk.text(From=sender)["ticket_id"]


# -- facts ------------------------------------------------------------------------------------------------------

BY_FACT = """
  - {{id: wanted, when: {{{when}}}, then: {{team: billing}}}}
"""
FACTS = {
    'sender.phone: "+48600100200"': (form(), "billing"),
    "sender.country: PL": (form(), "billing"),
    "sender.country: DE": (form(), "support"),
    'header.NumSegments: "3"': (form(NumSegments="3"), "billing"),
    "channel: sms": (form(), "billing"),
    "account: texts": (form(), "billing"),
    'recipient: "+48221234567"': (form(), "billing"),
    "language: pl": (form("Nie działa mi drukarka, proszę o pomoc"), "billing"),
    "attachment.type: image/jpeg": (
        form("", NumMedia="1", MediaUrl0="https://api.twilio.com/x", MediaContentType0="image/jpeg"),
        "billing",
    ),
}


@pytest.mark.parametrize("when", FACTS)
def test_rules_see_what_a_text_says_of_itself(
    tmp_path: Path, clock: Any, new_store: bytes, when: str
) -> None:
    (tmp_path / "intake.db").write_bytes(new_store)
    (tmp_path / "blobs").mkdir()
    rules = RULES.replace("route:\n", f"route:{BY_FACT.format(when=when)}", 1)
    posted, team = FACTS[when]
    with closing(opening.open_store("", tmp_path, clock=clock)) as store:
        desk = Desk(store, tmp_path, clock, rules=rules + CONVERSATIONS)
        assert desk.ticket(desk.take(posted))["team"] == team


def test_a_rule_for_a_later_event_sees_the_number_of_a_whatsapp_user(make: Make) -> None:
    desk = make(
        "react:\n  - {id: home, on: customer_replied, when: {sender.country: PL, sender.phone: "
        f'"{JAN}"'
        "}, then: {tags: [home]}}\n"
    )
    desk.chat()
    assert "home" in json.loads(desk.ticket(desk.chat("and again"))["tags"])


def test_an_id_is_no_number_to_rules(desk: Desk) -> None:
    chat = desk.chat(From=f"whatsapp:{USER}", WaId="", ExternalUserId=f"whatsapp:{USER}")
    (decision,) = desk.rows("decisions", "ticket_id = :id", id=chat["ticket_id"])
    assert "phone" not in json.loads(decision["facts"])["sender"]


# -- files ------------------------------------------------------------------------------------------------------

MEDIA = f"https://api.twilio.com/2010-04-01/Accounts/{SID}/Messages/MM{'1' * 32}/Media"
PICTURE = b"\xff\xd8\xff\xe0 a picture"


class Source:
    """A provider that has these files. asked: in order."""

    def __init__(self, **files: Fetched | FetchFailed) -> None:
        self.files, self.asked = files, list[str]()

    async def fetch(self, reference: str) -> Fetched:
        self.asked.append(reference)
        given = self.files[reference.rpartition("/")[2]]
        if isinstance(given, FetchFailed):
            raise given
        return given


def picture_text(*names: str) -> dict[str, str]:
    media = {f"MediaUrl{number}": f"{MEDIA}/{name}" for number, name in enumerate(names)}
    media |= {f"MediaContentType{number}": "image/jpeg" for number, _ in enumerate(names)}
    return form("Look", NumMedia=str(len(names)), **media)


def fetcher(desk: Desk, source: Source, told: list[str] | None = None) -> fetching.Fetching:
    def tell(event: str, fields: dict[str, Any]) -> None:
        if told is not None:
            told.append(event)

    return fetching.Fetching(desk.store, {"texts": source}, folder=desk.folder, told=tell, jitter=lambda: 0.0)


async def fetch_due(desk: Desk, work: fetching.Fetching) -> int:
    wanted, _ = await desk.store.read(fetches.look)
    for each in wanted:
        await work.fetch(each)
    return len(wanted)


def files_of(desk: Desk, journal_row: dict[str, Any]) -> list[dict[str, Any]]:
    files: list[dict[str, Any]] = json.loads(desk.row("messages", journal_row["message_id"])["attachments"])
    return files


async def test_a_file_is_named_at_once_and_kept_when_it_is_here(desk: Desk) -> None:
    text = desk.take(picture_text("ME1"))
    (named,) = files_of(desk, text)
    assert (named["name"], named["size"], named["part"]) == ("image-1.jpg", 0, "media:0")
    source = Source(ME1=Fetched(PICTURE, "image/png", "cat.png"))
    assert await fetch_due(desk, fetcher(desk, source)) == 1
    (kept,) = files_of(desk, text)
    assert (kept["name"], kept["content_type"], kept["size"]) == ("cat.png", "image/png", len(PICTURE))
    body = desk.store.read_now(lambda tx: blobs.body_of(tx, int(kept["blob"]), desk.folder))
    assert body == PICTURE
    assert await fetch_due(desk, fetcher(desk, source)) == 0
    assert source.asked == [f"{MEDIA}/ME1"]


async def test_each_file_of_a_text_is_a_row(desk: Desk) -> None:
    text = desk.take(picture_text("ME1", "ME2"))
    source = Source(ME1=Fetched(b"one", "image/jpeg"), ME2=Fetched(b"two!", "image/jpeg"))
    await fetch_due(desk, fetcher(desk, source))
    assert [each["size"] for each in files_of(desk, text)] == [3, 4]


async def test_a_file_that_is_not_there_yet_is_asked_for_again_within_a_minute(desk: Desk) -> None:
    text = desk.take(picture_text("ME1"))
    source, told = Source(ME1=FetchFailed("answered 404", retryable=True)), list[str]()
    work = fetcher(desk, source, told)
    seconds = 0
    while seconds < 60:
        await fetch_due(desk, work)
        seconds += 1
        desk.advance(seconds=1)
    assert len(source.asked) == 5
    source.files["ME1"] = Fetched(PICTURE, "image/jpeg")
    desk.advance(minutes=5)
    await fetch_due(desk, work)
    assert files_of(desk, text)[0]["size"] == len(PICTURE)
    assert told == ["file_delayed"] * 5 + ["file_fetched"]


async def test_a_file_that_can_never_be_had_is_told(desk: Desk) -> None:
    text, told = desk.take(picture_text("ME1")), list[str]()
    work = fetcher(desk, Source(ME1=FetchFailed("the file is text/html", retryable=False)), told)
    await fetch_due(desk, work)
    assert told == ["file_not_fetched"]
    assert "file_not_fetched" in desk.events(desk.ticket(text))
    (row,) = desk.rows("fetches")
    assert (row["state"], row["error"]) == ("failed", "the file is text/html")
    assert await fetch_due(desk, work) == 0


async def test_a_file_is_given_up_after_some_days(desk: Desk) -> None:
    desk.take(picture_text("ME1"))
    source = Source(ME1=FetchFailed("answered 404", retryable=True))
    work = fetcher(desk, source)
    for _ in range(20):
        await fetch_due(desk, work)
        desk.advance(days=2)
    assert len(source.asked) == len(fetches.BACK_OFF_S) + 1
    assert [row["state"] for row in desk.rows("fetches")] == ["failed"]


async def test_what_is_known_of_a_file_survives_a_replay(desk: Desk) -> None:
    text = desk.take(picture_text("ME1"))
    await fetch_due(desk, fetcher(desk, Source(ME1=Fetched(PICTURE, "image/jpeg"))))
    desk.settle_text(text["id"])
    (kept,) = files_of(desk, text)
    assert (kept["size"], bool(kept["blob"])) == (len(PICTURE), True)
    assert len(desk.rows("fetches")) == 1


async def test_two_daemons_that_fetch_the_same_file_keep_it_once(desk: Desk) -> None:
    desk.take(picture_text("ME1"))
    wanted, _ = await desk.store.read(fetches.look)
    source = Source(ME1=Fetched(PICTURE, "image/jpeg"))
    for work in (fetcher(desk, source), fetcher(desk, source)):
        await work.fetch(wanted[0])
    (row,) = desk.rows("blobs", "size_bytes = :size", size=len(PICTURE))
    assert row["refs"] == 1
    assert desk.rows("events", "kind = 'file_fetched'")[1:] == []


async def test_a_text_that_a_rule_ignores_fetches_nothing(make: Make) -> None:
    desk = make()
    desk.take(picture_text("ME1") | {"Body": "casino"})
    assert len(desk.rows("fetches")) == 1
    desk.use_rules(
        RULES.replace("enrich:\n", "enrich:\n  - {id: never, when: {channel: sms}, then: {ignore: true}}\n")
    )
    desk.take(picture_text("ME9"))
    assert [row["reference"] for row in desk.rows("fetches")] == [f"{MEDIA}/ME1"]


async def test_whatsapp_files_are_wanted_by_their_own_account(desk: Desk) -> None:
    media = {"NumMedia": "1", "MediaUrl0": f"{MEDIA}/ME1", "MediaContentType0": "audio/ogg"}
    desk.take(whatsapp_form("", **media), kind="twilio.whatsapp", account="chats")
    assert [(row["account"], row["part"]) for row in desk.rows("fetches")] == [("chats", "media:0")]


# -- files of a ticket ------------------------------------------------------------------------------------------


async def test_an_agent_gets_the_bytes_of_what_was_sent_and_hears_of_what_is_missing(desk: Desk) -> None:
    text = desk.take(picture_text("ME1", "ME2", "ME3"))
    source = Source(
        ME1=Fetched(PICTURE, "image/jpeg"),
        ME2=FetchFailed("the file is text/html, which is not kept", retryable=False),
        ME3=FetchFailed("the file's host answered 404", retryable=True),
    )
    await fetch_due(desk, fetcher(desk, source))
    found = desk.store.read_now(lambda tx: list(kept_files.of_ticket(tx, text["ticket_id"], desk.folder)))
    assert [(each.name, each.content, each.problem) for each in found] == [
        ("image-1.jpg", PICTURE, ""),
        ("image-2.jpg", None, "the file is text/html, which is not kept"),
        ("image-3.jpg", None, "it has not been fetched yet"),
    ]


def test_an_agent_gets_the_bytes_of_what_was_mailed(desk: Desk) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = JAN_BY_MAIL, SUPPORT, "The invoice"
    mail["Message-ID"] = "<1@customer.example>"
    mail.set_content("Here it is.")
    mail.add_attachment(b"%PDF-1.4", maintype="application", subtype="pdf", filename="invoice.pdf")
    row = desk.receive(JAN_BY_MAIL, content=mail.as_bytes())
    (found,) = desk.store.read_now(lambda tx: list(kept_files.of_ticket(tx, row["ticket_id"], desk.folder)))
    assert (found.name, found.content, found.problem) == ("invoice.pdf", b"%PDF-1.4", "")
