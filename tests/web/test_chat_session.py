"""A chat as a machine: what each turn says, keeps and refuses; and how it is read again from the journal."""

import uuid
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from channels import contract, testing, webchat
from channels.contract import Availability, RawMessage, View
from channels.testing import MemoryGate
from channels.webchat import protocol, session, state
from tests.web.chat_daemon import SITE

AT = datetime(2026, 11, 10, 9, 0, tzinfo=UTC)
SESSION = "chat:website:" + "0" * 64
LIVE = View(at=AT, availability=Availability(state="now"))
ID = "0f0e0d0c-0b0a-4900-8807-060504030201"


def options(**changes: Any) -> webchat.Options:
    return msgspec.convert({"origins": [SITE], **changes}, webchat.Options)


def raw(said: protocol.Turned | bytes, **envelope: Any) -> RawMessage:
    body = said if isinstance(said, bytes) else msgspec.json.encode(said)
    return RawMessage(
        kind="webchat", account="website", lane=SESSION, body=body, received_at=AT, envelope=envelope
    )


def turn(
    said: protocol.Turned, *, kept: bytes | None = None, view: View = LIVE, **changes: Any
) -> contract.Turn:
    return session.Machine("website", options(**changes)).step(kept, raw(said), view)


def refusal(said: protocol.Turned, **about: Any) -> str:
    with pytest.raises(contract.Refused) as refused:
        turn(said, **about)
    return protocol.failed(refused.value.answer).code


def line(text: str = "Hello", *files: str) -> protocol.Line:
    return protocol.Line(ID, text, files)


def test_a_line_is_said_to_the_feed_and_acknowledged_with_the_next_number() -> None:
    view = msgspec.structs.replace(LIVE, last_seq=41)
    found = turn(line("  Where is it?\x07 "), view=view)
    assert [(each.author, each.text, each.id) for each in found.lines] == [("customer", "Where is it?", ID)]
    assert protocol.ack(found.reply) == protocol.Ack(ID, 42, "2026-11-10T09:00:00.000Z")


def test_consent_is_asked_before_the_first_line_and_again_when_its_text_changes() -> None:
    asked: dict[str, Any] = {"consent": {"text": {"en": "We keep it."}, "version": "1"}}
    assert refusal(line(), **asked) == "consent_required"
    agreed = turn(protocol.Consent(ID, "1"), **asked)
    assert turn(line(), kept=agreed.state, **asked).lines
    changed: dict[str, Any] = {"consent": {"text": {"en": "We keep it longer."}, "version": "2"}}
    assert refusal(line(), kept=agreed.state, **changed) == "consent_required"
    assert refusal(protocol.Consent(ID, "1"), **changed) == "bad_message"


def test_an_address_is_asked_for_while_nobody_is_there_and_not_otherwise() -> None:
    away = msgspec.structs.replace(LIVE, availability=Availability(state="later"))
    assert refusal(line(), view=away) == "contact_required"
    known = turn(protocol.Contact(ID, "ola@customer.example", "Ola"), view=away)
    assert turn(line(), kept=known.state, view=away).lines[0].name == "Ola"
    assert turn(line(), view=away, contact="never").lines
    assert turn(line()).lines


@pytest.mark.parametrize(
    "email", ["ola", "ola@", "@x.example", "a b@x.example", "ola@x.example\r\nBcc: y", "<o@x.example>"]
)
def test_what_is_no_address_is_none(email: str) -> None:
    assert refusal(protocol.Contact(ID, email)) == "bad_message"


def test_who_is_blocked_says_nothing_more() -> None:
    assert refusal(line(), view=msgspec.structs.replace(LIVE, is_blocked=True)) == "blocked"


def test_a_line_may_have_so_many_files_and_only_those_that_came() -> None:
    names = [str(uuid.uuid4()) for _ in range(6)]
    kept = state.NEW
    for each in names:
        kept = state.with_upload(kept, each, state.Upload("a.png", "image/png", 3, int(AT.timestamp())))
    known = state.written(kept)
    assert refusal(line("Look", *names), kept=known) == "too_many_files"
    assert refusal(line("Look", str(uuid.uuid4())), kept=known) == "unknown_file"
    found = turn(line("", names[0], names[0]), kept=known)
    assert [each.name for each in found.lines[0].files] == ["a.png"]
    assert names[0] not in state.read(found.state).uploads


def test_a_state_that_cannot_be_read_is_a_new_one() -> None:
    for kept in (b"", b"{", b'{"uploads":7}', b"\xff"):
        assert state.read(kept) == state.NEW


def journalled(text: str = "Where is my order, please?", **envelope: Any) -> RawMessage:
    """Return a line as it stands in the journal."""
    found = turn(line(text))
    happened = msgspec.to_builtins(found.happened)
    return raw(line(text), session=SESSION, happened=happened, reply=found.reply, **envelope)


class TestReading(testing.ParserContract):
    module = webchat  # type: ignore[assignment]  # a module that is a package
    options = options()
    valid = (
        (
            journalled(locale="en-GB"),
            contract.Message(
                kind="chat",
                from_=contract.Address(SESSION),
                text="Where is my order, please?",
                visible_text="Where is my order, please?",
                language="en",
                sender=contract.Identity("chat", SESSION),
            ),
        ),
    )


def test_a_line_too_short_to_tell_is_in_the_language_of_its_page() -> None:
    found = webchat.parse(journalled("ok", locale="pl-PL"), options())
    assert isinstance(found, contract.Message)
    assert found.language == "pl"


def test_what_is_no_line_is_no_message() -> None:
    ended = turn(protocol.End(ID))
    found = webchat.parse(
        raw(protocol.End(ID), session=SESSION, happened=msgspec.to_builtins(ended.happened)), options()
    )
    assert isinstance(found, contract.ChatEvent)
    assert [each.what for each in found.happened] == ["ended"]


async def test_the_gate_in_memory_numbers_and_tells_as_intake_does() -> None:
    gate, machine = MemoryGate(), session.Machine("website", options(contact="never"))
    feed = gate.feed("website", SESSION)
    for number in range(2):
        said = raw(protocol.Line(str(uuid.uuid4()), f"Line {number}"))
        await gate.turn(SESSION, said, machine.step)
    heard = [await anext(feed) for _ in range(3)]
    assert [each.seq for each in heard if isinstance(each, contract.Fed)] == [1, 2]


def test_every_object_of_the_protocol_is_named_in_its_text() -> None:
    """The text is the specification: what can be said and is not in it would be known to nobody."""
    tags = [each.__struct_config__.tag for each in (*protocol.Visitor.__args__, *protocol.Daemon.__args__)]
    missing = [each for each in tags if f"    {each} " not in (protocol.__doc__ or "")]
    assert missing == []
