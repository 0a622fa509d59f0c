"""Answers to who texts or calls: where they go, what stands in their way, and what a rule says by itself."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from aiohttp import test_utils, web

from channels.contract import Identity, OutboundFile
from channels.twilio import sendable_files
from channels.twilio.simulator.provider import Provider
from intake import answering, attaching, occasion, opt_outs, tickets, undeliverable
from intake import desk as desk_
from intake.desk import DeskError
from intake.store import blobs, schema
from intake.store.engine import Tx
from intake.web import files
from intake.web.files import Files
from intake.web.routes import mount
from routing.actions import Action
from tests.domain.world import RULES
from tests.phone.texted import EVA, JAN, LANDLINE, OTHER, OWN, PUBLIC, REPLYING, Texted

JOINING = "conversations: {sms: {join: open}, whatsapp: {join: open}}"
Make = Callable[..., Texted]


@pytest.fixture
def make(texting: Make, provider: Provider) -> Make:
    provider.numbers[OTHER] = provider.numbers[OWN]
    return texting


@pytest.fixture
def desk(make: Make) -> Texted:
    return make()


async def test_a_text_is_answered_by_a_text_from_the_number_that_was_written_to(desk: Texted) -> None:
    ticket = desk.text(to=OTHER)
    desk.answer(ticket)
    (sent,) = await desk.deliver_due()
    assert (sent.from_, sent.to, sent.body) == (OTHER, JAN, "Have you tried water?")
    assert sent.status_callback.startswith("https://help.example.com/hooks/texts/status?o=")


async def test_markdown_is_sent_as_plain_text_without_signature_and_quote(desk: Texted) -> None:
    desk.context = msgspec.structs.replace(
        desk.context,
        answers=msgspec.structs.replace(desk.context.answers, signature="Example Ltd", quote=True),
    )
    desk.answer(desk.text(), "**Please** read [this](https://example.com/help).\n\n- one\n- two\n")
    (sent,) = await desk.deliver_due()
    assert "**" not in sent.body
    assert "https://example.com/help" in sent.body
    assert "Example Ltd" not in sent.body
    assert "wrote" not in sent.body


async def test_an_answer_stands_in_the_conversation_and_meets_the_clock(desk: Texted) -> None:
    ticket = desk.text()
    desk.answer(ticket)
    (said,) = desk.rows("messages", "direction = 'out' AND ticket_id = :id", id=ticket["id"])
    assert (said["medium"], said["account"], said["body"]) == ("sms", "texts", "Have you tried water?")
    assert desk.clocks(ticket)["first_response"]["state"] == "met"


async def test_each_customer_is_answered_at_their_own_number(desk: Texted) -> None:
    first, second = desk.text(), desk.text(sender=EVA)
    desk.answer(second, "to Eva")
    desk.answer(first, "to Jan")
    assert {each.to: each.body for each in await desk.deliver_due()} == {EVA: "to Eva", JAN: "to Jan"}


@pytest.mark.parametrize("prefix", ["", "whatsapp:"])
async def test_who_goes_on_at_another_number_of_ours_is_answered_from_there(make: Make, prefix: str) -> None:
    """Both numbers lead to one conversation; the customer's phone shows each number's answers apart."""
    desk = make(rules=f"{RULES}\n{JOINING}")
    desk.provider.senders |= {OTHER}
    first = desk.text(sender=prefix + JAN)
    second = desk.text("And it smells", sender=prefix + JAN, to=OTHER)
    assert first["id"] == second["id"]
    desk.answer(second)
    (sent,) = await desk.deliver_due()
    assert (sent.from_, sent.final) == (prefix + OTHER, "delivered")


async def test_a_mail_is_still_answered_by_mail(desk: Texted) -> None:
    ticket = desk.ticket(desk.receive())
    row = desk.answer(ticket)
    assert (row["medium"], row["recipient"]) == ("email", "jan@customer.example")


async def test_a_short_code_or_a_name_cannot_be_answered(desk: Texted) -> None:
    for sender in ("72345", "SHOP"):
        ticket = desk.text(sender=sender)
        with pytest.raises(DeskError, match="short code or a name"):
            desk.answer(ticket)


async def test_too_long_an_answer_is_refused_before_it_is_kept(desk: Texted) -> None:
    ticket = desk.text()
    with pytest.raises(DeskError, match=r"1601 characters.*send a link"):
        desk.answer(ticket, "a" * 1_601)
    assert desk.rows("messages", "direction = 'out'") == []


def send_files(desk: Texted, ticket: dict[str, Any], *contents: bytes, kind: str = "image/png") -> int:
    """Answer with files; the outbox id."""
    prepared = [
        attaching.Prepared(f"a.{kind.partition('/')[2]}", kind, blobs.prepare(content, desk.folder))
        for content in contents
    ]

    def reply(tx: Tx) -> int:
        kept = attaching.keep(tx, prepared)
        return desk_.reply(tx, desk.context, ticket["ref"], agent="ania", text="see this", files=kept)

    return desk.store.write_now(reply)


@pytest.mark.parametrize(
    ("sender", "contents", "words"),
    [
        (JAN, (b"1",), "USA and Canada"),
        (f"whatsapp:{JAN}", (b"1", b"2"), "whatsapp carries 1 file in a message, not 2"),
    ],
)
async def test_files_that_cannot_go_along_are_refused_in_one_sentence(
    desk: Texted, sender: str, contents: tuple[bytes, ...], words: str
) -> None:
    desk.context = msgspec.structs.replace(desk.context, public_url=PUBLIC)
    with pytest.raises(DeskError, match=words):
        send_files(desk, desk.text(sender=sender), *contents)


async def test_a_document_of_more_than_16_mb_does_not_go_by_whatsapp(desk: Texted) -> None:
    desk.context = msgspec.structs.replace(desk.context, public_url=PUBLIC)
    with pytest.raises(DeskError, match="16 MB"):
        send_files(desk, desk.text(sender=f"whatsapp:{JAN}"), b"1" * 16_000_001, kind="application/pdf")


async def test_without_a_public_url_no_file_goes_along(desk: Texted) -> None:
    with pytest.raises(DeskError, match="public_url"):
        send_files(desk, desk.text(sender=f"whatsapp:{JAN}"), b"1")


async def test_a_file_goes_along_as_a_signed_link_that_twilio_can_fetch(desk: Texted) -> None:
    """Its bytes and type are there, until the link ends; any other link of the kind leads nowhere."""
    desk.context = msgspec.structs.replace(desk.context, public_url=PUBLIC)
    send_files(desk, desk.text(sender=f"whatsapp:{JAN}"), b"\x89PNG")
    (sent,) = await desk.deliver_due()
    (url,) = sent.media_urls
    assert sent.body == "see this"
    app = web.Application()
    mount(app, Files(desk.store, lambda: desk.context, folder=desk.folder).routes(), None)
    async with test_utils.TestClient(test_utils.TestServer(app)) as client:
        path = url.removeprefix(PUBLIC)
        answer = await client.get(path)
        assert (answer.status, await answer.read(), answer.content_type) == (200, b"\x89PNG", "image/png")
        assert answer.headers["Content-Disposition"] == 'attachment; filename="a.png"'
        number = path.replace(".0.", ".1.", 1)
        for wrong in (f"{path[:-1]}{'a' if path[-1] != 'a' else 'b'}", number, "/files/x", "/files/1.0.zz.a"):
            assert (await client.get(wrong)).status == 404
        desk.advance(days=5)
        assert (await client.get(path)).status == 404


WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def test_a_file_is_given_as_what_it_is_and_what_a_browser_would_run_as_bytes() -> None:
    """The provider refuses a document that has no type of its own; a type with parameters was a fault of ours."""
    bytes_ = "application/octet-stream"
    given = {
        "application/pdf": "application/pdf", WORD: WORD, "text/csv; charset=utf-8": "text/csv", "IMAGE/PNG": "image/png",
        **dict.fromkeys(("text/html", "image/svg+xml", "application/javascript", "application/xhtml+xml"), bytes_),
        **dict.fromkeys(("image/", "", "image/png\r\nX-A: b", "image/png x", "text/xml", "text/plain"), bytes_),
    }  # fmt: skip
    assert {each: files._type_of(OutboundFile("x", each, 1, "00")) for each in given} == given


def test_a_file_is_called_as_the_provider_wants_it() -> None:
    named = {
        "invoice.pdf": "invoice.pdf", "Rechnung März 2026 (Kopie).pdf": "Rechnung-Marz-20.pdf", "請求書.pdf": "file.pdf",
        'a"b\r\n.png': "a-b.png", ".htaccess": "htaccess", "": "file", "x" * 99: "x" * 20, "a.tar.gz": "a.tar.gz",
        "a." + "b" * 90: "a.bbbbbbbb",
    }  # fmt: skip
    assert {each: sendable_files.name_of(each) for each in named} == named


def test_which_files_go_along_by_which_medium() -> None:
    """What the provider would refuse, or send without the words, is refused in one sentence before it is kept."""
    small, large = 1_000, 5_000_001
    said = {
        ("whatsapp", "application/pdf", large, True): None,
        ("whatsapp", WORD, small, True): None,
        ("whatsapp", "image/jpeg", small, True): None,
        ("whatsapp", "image/jpeg", large, True): "pictures of 5 MB",
        ("whatsapp", "image/gif", small, True): "no words beside a file of the type image/gif",
        ("whatsapp", "image/gif", small, False): None,
        ("whatsapp", "application/zip", small, True): "no files of the type application/zip",
        ("whatsapp", "text/plain", small, True): "no files of the type text/plain",
        ("sms", "image/gif", small, True): None,
        ("sms", WORD, small, True): "sms carries no files of the type",
        ("sms", "video/mp4", large, True): "carries 5 MB",
    }
    for (medium, content_type, size, has_words), words in said.items():
        why = sendable_files.against(medium, [(content_type, size)], has_words=has_words)
        assert (why is None) == (words is None), (medium, content_type, why)
        assert (words or "") in (why or ""), (medium, content_type)


async def test_who_said_stop_cannot_be_answered_and_the_agent_reads_since_when(desk: Texted) -> None:
    ticket = desk.text()
    desk.store.write_now(lambda tx: opt_outs.note(tx, Identity("phone", JAN), "out", how="word", said="STOP"))
    with pytest.raises(DeskError, match="opted out 10 Nov 2026"):
        desk.answer(ticket)
    await desk.deliver_due()
    assert desk.provider.asked == []
    assert desk.row("tickets", ticket["id"])["agent_replied_at"] is None


async def test_stop_that_comes_while_an_answer_waits_keeps_it_back(desk: Texted) -> None:
    row = desk.answer(desk.text())
    desk.store.write_now(lambda tx: opt_outs.note(tx, Identity("phone", JAN), "out", how="word", said="STOP"))
    await desk.deliver_due()
    assert desk.provider.asked == []
    assert desk.again(row)["state"] == "withheld"


# -- calls ----------------------------------------------------------------------------------------------------------------


async def test_a_call_from_a_mobile_is_answered_by_a_text_from_the_number_that_was_called(
    desk: Texted,
) -> None:
    ticket = desk.call(to=OTHER)
    desk.answer(ticket, "We tried to reach you.")
    (sent,) = await desk.deliver_due()
    assert (sent.from_, sent.to, sent.body) == (OTHER, JAN, "We tried to reach you.")


async def test_a_call_from_a_landline_is_answered_by_mail_when_an_address_is_proven(desk: Texted) -> None:
    ticket = desk.call(LANDLINE)
    with pytest.raises(DeskError, match="takes no texts"):
        desk.answer(ticket)
    desk.store.write_now(
        lambda tx: tx.insert(
            schema.identities,
            id=tx.new_id(),
            kind="email",
            value="jan@customer.example",
            customer_id=ticket["customer_id"],
            is_verified=1,
            created_at=tx.now,
        )
    )
    row = desk.answer(ticket)
    assert (row["medium"], row["account"], row["recipient"]) == ("email", "support", "jan@customer.example")


async def test_a_number_that_refused_texts_is_answered_otherwise(desk: Texted) -> None:
    ticket = desk.call()
    desk.store.write_now(lambda tx: undeliverable.mark_number(tx, "sms", JAN, "not_textable"))
    with pytest.raises(DeskError, match="takes no texts"):
        desk.answer(ticket)


async def test_a_hidden_caller_cannot_be_answered_in_writing(desk: Texted) -> None:
    ticket = desk.call(None)
    with pytest.raises(DeskError, match="hides their number"):
        desk.answer(ticket)
    composed = desk.compose(ticket, "Hello")
    assert (composed.can_send, composed.medium) == (False, "voice")
    assert "hides their number" in (composed.reason or "")


async def test_without_an_account_for_texts_a_call_is_not_answered_by_one(desk: Texted) -> None:
    accounts = {name: each for name, each in desk.context.accounts.items() if each.medium != "sms"}
    desk.context = msgspec.structs.replace(desk.context, accounts=accounts)
    with pytest.raises(DeskError, match="no account for texts"):
        desk.answer(desk.call())


# -- rules ----------------------------------------------------------------------------------------------------------------


async def test_a_rule_answers_a_text_with_its_template(make: Make) -> None:
    desk = make(rules=REPLYING)
    ticket = desk.text()
    (sent,) = await desk.deliver_due()
    assert (sent.from_, sent.to) == (OWN, JAN)
    assert ticket["ref"] in sent.body
    assert "Subject:" not in sent.body


async def test_a_rule_says_it_medium_by_medium(make: Make) -> None:
    desk = make(rules=REPLYING.replace("reply: received", "reply: {sms: closing}"))
    desk.text()
    desk.text(sender=f"whatsapp:{EVA}")
    assert [each.body for each in await desk.deliver_due()] == ["We take it that all is well."]


async def test_a_rule_never_answers_a_short_code_or_a_name(make: Make) -> None:
    desk = make(rules=REPLYING)
    for sender in ("72345", "SHOP"):
        ticket = desk.text(sender=sender)
        assert "reply_withheld" in desk.events(ticket)
    assert await desk.deliver_due() == []


async def test_a_rule_answers_a_number_once_an_hour_for_a_ticket(make: Make) -> None:
    desk = make(rules=REPLYING)
    for _ in range(5):
        desk.text("hello?")
    assert len(await desk.deliver_due()) == 1


async def test_a_rule_does_not_text_where_texts_do_not_arrive(make: Make) -> None:
    desk = make(rules=REPLYING)
    ticket = desk.text()
    desk.advance(hours=2)
    desk.store.write_now(lambda tx: undeliverable.mark_number(tx, "sms", JAN, "not_textable"))

    def remind(tx: Tx) -> None:
        loaded = tickets.locked(tx, ticket["id"])
        happened = occasion.of_ticket(tx, loaded, cause="timer:1")
        answering.reply(tx, desk.context, loaded, Action("reply", "still-there", "later"), happened)

    desk.store.write_now(remind)
    assert [each["action"] for each in desk.rows("outbox", "medium = 'sms'")] == ["reply:received"]
    assert "reply_withheld" in desk.events(ticket)


async def test_our_own_number_is_never_answered(make: Make) -> None:
    desk = make(rules=REPLYING)
    desk.text(sender=OTHER)
    assert await desk.deliver_due() == []


# -- what an answer would be ----------------------------------------------------------------------------------------------


async def test_the_composer_counts_and_names_what_makes_it_dear(desk: Texted) -> None:
    composed = desk.compose(desk.text(), "It’s " + "a" * 80)
    assert (composed.medium, composed.to, composed.from_) == ("sms", JAN, OWN)
    assert (composed.encoding, composed.segments, composed.cost) == ("UCS-2", 2, "0.08 EUR")
    assert [(each.at, each.instead) for each in composed.forcing] == [(2, "'")]
    assert composed.plainer == "It's " + "a" * 80
    assert composed.can_send


async def test_the_composer_says_when_a_text_is_long_and_when_it_is_too_long(desk: Texted) -> None:
    ticket = desk.text()
    assert desk.compose(ticket, "a" * 320).warning is None
    long = desk.compose(ticket, "a" * 321)
    assert (long.is_long, long.can_send) == (True, True)
    assert "320" in (long.warning or "")
    too_long = desk.compose(ticket, "a" * 1_601)
    assert (too_long.is_too_long, too_long.can_send) == (True, False)


async def test_the_composer_says_that_they_opted_out(desk: Texted) -> None:
    ticket = desk.text()
    desk.store.write_now(lambda tx: opt_outs.note(tx, Identity("phone", JAN), "out", how="word", said="STOP"))
    composed = desk.compose(ticket, "Hello")
    assert not composed.can_send
    assert "opted out 10 Nov 2026" in (composed.reason or "")


async def test_the_composer_warns_of_a_number_that_nothing_reaches(desk: Texted) -> None:
    ticket = desk.text()
    desk.store.write_now(lambda tx: undeliverable.mark_number(tx, "sms", JAN, "blocked"))
    assert "blocked" in (desk.compose(ticket, "Hello").warning or "")


async def test_nothing_is_written_by_composing(desk: Texted) -> None:
    ticket = desk.text()
    before = [len(desk.rows(table)) for table in ("events", "outbox", "messages", "counters")]
    desk.compose(ticket, "Hello")
    assert [len(desk.rows(table)) for table in ("events", "outbox", "messages", "counters")] == before


async def test_the_composer_knows_a_mail(desk: Texted) -> None:
    composed = desk.compose(desk.ticket(desk.receive()), "Hello")
    assert (composed.medium, composed.to, composed.segments) == ("email", "jan@customer.example", None)
    assert composed.can_send
