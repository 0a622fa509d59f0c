"""Calls from a ticket: the agent's phone first, then the customer's; on the ticket as a call, and a talk is an answer."""

import asyncio
import urllib.parse
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from channels import dial_outs, testing
from channels.contract import Identity, RawMessage, Turn, View
from channels.dial_outs import DialOut
from channels.twilio import voice
from channels.twilio.phone import dialing
from channels.twilio.simulator import grammar
from channels.twilio.simulator.provider import Provider
from intake import budgets, call_recording, calling_out, customers, holds, journal, opt_outs, pipeline
from intake.calling_out import Called
from intake.desk import DeskError
from intake.store import blobs, opening, schema
from intake.store.engine import Tx
from tests.phone import texting
from tests.phone.paged import ANIA, OWN_CALLS, PAGED, Desk, said
from tests.phone.talking import SID
from tests.rows import every_row

JAN = "+48600100200"
AT = datetime(2026, 11, 10, 9, tzinfo=UTC)
PARENT, CHILD = "CA" + "1" * 32, "CA" + "2" * 32
OUT = DialOut(page="7", said="Example. Ticket K, 7.", agent="ania", number=JAN, own=OWN_CALLS)


@pytest.fixture
def desk(tmp_path: Path, clock: Any, new_store: bytes) -> Iterator[Desk]:
    (tmp_path / "intake.db").write_bytes(new_store)
    with closing(opening.open_store("", tmp_path, clock=clock)) as store:
        yield Desk(store, tmp_path, clock)


# -- the machine ------------------------------------------------------------------------------------------------------


def request(path: str = "out", *, number: int = 0, page: object = "7", **fields: str) -> RawMessage:
    form = {"CallSid": PARENT, "From": OWN_CALLS, "To": ANIA, **fields}
    return RawMessage(
        kind="twilio.voice",
        account="calls",
        lane=f"call:{PARENT}",
        body=urllib.parse.urlencode(form).encode(),
        received_at=AT,
        envelope={"path": path, "query": {"o": str(page), "n": str(number), "a": "ania"}},
    )


def turn(state: bytes | None, raw: RawMessage, out: DialOut | None = OUT) -> Turn:
    decided = dialing.step(state, raw, View(at=AT, out=out))
    grammar.read(decided.reply.encode())
    return decided


def whats(decided: Turn) -> list[str]:
    return [each.what for each in decided.happened]


def test_the_agent_hears_which_ticket_and_is_asked_for_1() -> None:
    decided = turn(None, request())
    assert said(decided.reply) == "Example. Ticket K, 7. Press 1 to call the customer."


def test_1_calls_the_customer_with_our_number_and_rings_until_they_answer() -> None:
    decided = turn(turn(None, request()).state, request(number=1, Digits="1"))
    assert whats(decided) == [dial_outs.DIALLED]
    (dial,) = [each for each in grammar.read(decided.reply.encode()).walk() if each.name == "Dial"]
    assert (dial.get("callerId"), dial.get("answerOnBridge")) == (OWN_CALLS, "true")
    assert f">{JAN}</Number>" in decided.reply


def test_nothing_is_recorded_unless_the_configuration_says_so() -> None:
    decided = turn(turn(None, request()).state, request(number=1, Digits="1"))
    assert "record" not in decided.reply
    assert "url=" not in decided.reply.replace("statusCallback", "")


@pytest.mark.parametrize("record", ["ask", "notice"])
def test_where_talks_are_recorded_the_customer_hears_it_first(record: Any) -> None:
    """And <Dial> itself records nothing: that begins when the consent is kept."""
    out = DialOut(page="7", said="x", agent="ania", number=JAN, own=OWN_CALLS, record=record)
    decided = turn(turn(None, request(), out).state, request(number=1, Digits="1"), out)
    assert 'url="out/customer?o=7&amp;n=0"' in decided.reply
    assert "record=" not in decided.reply


CONSENTS: dict[str, tuple[str, str | None, list[bool]]] = {
    "off": ("off", None, []),
    "a notice is enough": ("notice", None, [True]),
    "asked, not answered yet": ("ask", None, []),
    "asked, agreed": ("ask", "1", [True]),
    "asked, another key": ("ask", "2", [False]),
    "asked, silence": ("ask", "", [False]),
}


@every_row("name", CONSENTS)
def test_the_table_of_consents(name: str) -> None:
    record, digits, given = CONSENTS[name]
    out = DialOut(page="7", said="x", agent="ania", number=JAN, own=OWN_CALLS, record=record)  # type: ignore[arg-type]
    fields: dict[str, Any] = {} if digits is None else {"Digits": digits}
    decided = turn(b"{}", request("out/customer", **fields), out)
    assert [each.details["given"] for each in decided.happened] == given
    assert dialing.may_record(decided.happened) is (given == [True])


@pytest.mark.parametrize("keys", [("", "", ""), ("2", "3", "#"), ("*", "", "9", "0")])
def test_who_does_not_press_1_calls_nobody(keys: tuple[str, ...]) -> None:
    decided = turn(None, request())
    for number, key in enumerate(keys):
        decided = turn(decided.state, request(number=number + 1, Digits=key))
    assert (said(decided.reply), whats(decided)) == ("Nobody was called. Goodbye.", [dial_outs.DECLINED])


def test_who_has_said_stop_meanwhile_is_not_called() -> None:
    refused = DialOut(
        page="7", said="x", agent="ania", number=JAN, own=OWN_CALLS, refusal="They opted out 10 Nov 2026."
    )
    decided = turn(turn(None, request()).state, request(number=1, Digits="1"), refused)
    assert "<Dial" not in decided.reply
    assert said(decided.reply) == "This number may not be called now. The ticket says why. Goodbye."


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("busy", "The line was busy. Goodbye."),
        ("no-answer", "Nobody answered. Goodbye."),
        ("completed", "The call is over. Goodbye."),
    ],
)
def test_after_the_call_the_agent_hears_how_it_came_out(status: str, words: str) -> None:
    dialled = turn(turn(None, request()).state, request(number=1, Digits="1"))
    decided = turn(dialled.state, request(number=2, DialCallStatus=status))
    assert (said(decided.reply), decided.state) == (words, None)


def test_a_call_of_which_nothing_is_known_says_goodbye() -> None:
    assert "<Hangup" in turn(None, request(), None).reply


@every_row(
    "damage", [{"query": None}, {"query": {"o": "x"}}, {"happened": 5}, {"path": None}, {"happened": [1]}]
)
def test_damage_raises_nothing(damage: dict[str, Any]) -> None:
    for path in ("out", "out/leg", "out/status", "out/recording", "out/customer"):
        raw = request(path)
        raw.envelope.update(damage)
        dialing.parse(raw)


# -- the ticket -------------------------------------------------------------------------------------------------------


@pytest.fixture
def ticket(desk: Desk) -> dict[str, Any]:
    """A mail's ticket whose customer is known by a number as well."""
    ticket = desk.ticket(desk.receive())

    def know(tx: Tx) -> None:
        customer = customers.known_as(tx, Identity("phone", JAN), name="Jan")
        tx.update(schema.identities, {"customer_id": customer.id}, customer_id=ticket["customer_id"])

    desk.store.write_now(know)
    return ticket


def call(desk: Desk, ticket: dict[str, Any], agent: str = "ania", **more: Any) -> Called:
    return desk.store.write_now(
        lambda tx: calling_out.call(tx, desk.context, ticket["ref"], agent=agent, **more)
    )


@pytest.mark.parametrize(
    ("number", "expected"), [(JAN, "ask"), ("+4915112345678", "notice"), ("+33612345678", "off")]
)
def test_a_call_from_a_ticket_is_recorded_as_the_country_that_is_called_has_it(
    desk: Desk, ticket: dict[str, Any], number: str, expected: str
) -> None:
    calls = msgspec.structs.replace(desk.context.calls, record_out={"PL": "ask", "DE": "notice"})
    accounts = {
        name: msgspec.structs.replace(each, countries=("PL", "DE", "FR"))
        for name, each in desk.context.accounts.items()
    }
    desk.context = msgspec.structs.replace(desk.context, calls=calls, accounts=accounts)
    asked = call(desk, ticket, number=number)
    assert desk.outbound(desk.row("outbox", asked.outbox_id)).extra["record"] == expected


def refused(desk: Desk, ticket: dict[str, Any], **more: Any) -> str:
    with pytest.raises(DeskError) as caught:
        call(desk, ticket, **more)
    return str(caught.value)


def settle(desk: Desk, raw: RawMessage) -> None:
    blob = blobs.prepare(raw.body, desk.folder)
    kept = desk.store.write_now(
        lambda tx: journal.keep(tx, raw, blob, [desk.keys.fingerprint(str(raw.envelope) + str(raw.body))])
    )
    settle_row(desk, kept.id)


def settle_row(desk: Desk, journal_id: int) -> None:
    received = desk.store.read_now(lambda tx: journal.load(tx, journal_id, desk.folder))
    event = dialing.parse(received.raw)
    desk.store.write_now(lambda tx: pipeline.settle(tx, desk.context, received, event))


def keyed(raw: RawMessage, key: str) -> RawMessage:
    return msgspec.structs.replace(raw, keys=(key,))


def press(desk: Desk, page: object, *keys: str) -> str:
    """The agent picks up and presses keys; the last TwiML. What they tell is settled."""
    session = dial_outs.session(str(page))
    reply = ""
    for number, key in enumerate((None, *keys)):
        fields: dict[str, Any] = {} if key is None else {"Digits": key}
        raw = keyed(request(number=number, page=page, **fields), f"k{number}")
        reply = asyncio.run(desk.sessions.turn(session, raw, dialing.step))
        for row in desk.rows("journal", "state = 'pending' AND account = 'calls'"):
            settle_row(desk, row["id"])
    return reply


def leg(desk: Desk, page: object, status: str, **fields: str) -> None:
    """Twilio tells of the customer's leg."""
    told: dict[str, Any] = {"CallSid": CHILD, "ParentCallSid": PARENT, "To": JAN, "CallStatus": status}
    settle(desk, request("out/leg", page=page, **(told | fields)))


def test_a_call_to_a_customer_is_counted_by_the_budgets(desk: Desk, ticket: dict[str, Any]) -> None:
    """When they are called, not when the agent's phone rings; what is used up then refuses the next one."""
    phone = msgspec.structs.replace(desk.context.phone, budget_per_number=1)
    desk.context = msgspec.structs.replace(desk.context, phone=phone)

    def used() -> list[int]:
        return [row["used"] for row in desk.rows("counters", "name LIKE 'phone_%' ORDER BY name")]

    called = call(desk, ticket)
    assert used() == []
    press(desk, called.outbox_id, "1")
    assert used() == [1, 1, 1]
    desk.store.write_now(lambda tx: budgets.count(tx, phone, JAN))
    assert "not paid for" in refused(desk, ticket, agent="ewa")


def test_the_agents_phone_is_rung_first(desk: Desk, ticket: dict[str, Any]) -> None:
    called = call(desk, ticket)
    row = desk.row("outbox", called.outbox_id)
    assert (row["medium"], row["recipient"], called.number, called.own) == ("voice", ANIA, JAN, OWN_CALLS)
    assert desk.outbound(row).text == f"Example. Ticket {', '.join(ticket['ref'])}."
    assert "call_asked" in desk.events(ticket)
    assert desk.rows("calls") == []


def test_a_talk_is_a_call_on_the_ticket_and_an_answer(desk: Desk, ticket: dict[str, Any]) -> None:
    """Direction out, who spoke, how long; first_response is met when they speak."""
    page = call(desk, ticket).outbox_id
    assert "<Dial" in press(desk, page, "1")
    assert desk.row("tickets", ticket["id"])["agent_replied_at"] is None
    desk.advance(seconds=10)
    leg(desk, page, "in-progress")
    assert desk.clocks(ticket)["first_response"]["state"] == "met"
    desk.advance(seconds=90)
    leg(desk, page, "completed", CallDuration="90")
    (row,) = desk.rows("calls")
    assert (row["direction"], row["caller"], row["ticket_id"]) == ("out", JAN, ticket["id"])
    assert (row["agent"], row["outcome"], row["call"]) == ("ania", "answered", PARENT)
    (message,) = desk.rows("messages", "medium = 'voice'")
    assert (message["direction"], message["author"]) == ("out", "ania")
    assert f"Call to {JAN}" in message["body"]
    assert {"call_started", "call_connected", "call_ended", "agent_replied"} <= set(desk.events(ticket))


@pytest.mark.parametrize(
    ("status", "outcome"), [("busy", "missed"), ("no-answer", "missed"), ("failed", "failed")]
)
def test_a_call_that_nobody_takes_is_told_and_is_no_answer(
    desk: Desk, ticket: dict[str, Any], status: str, outcome: str
) -> None:
    page = call(desk, ticket).outbox_id
    press(desk, page, "1")
    leg(desk, page, status)
    (row,) = desk.rows("calls")
    assert (row["outcome"], row["answered_at"]) == (outcome, None)
    assert desk.clocks(ticket)["first_response"]["state"] == "running"
    assert desk.row("tickets", ticket["id"])["agent_replied_at"] is None


def test_a_call_that_nobody_took_does_not_stand_for_an_answer_that_came_back(
    desk: Desk, ticket: dict[str, Any]
) -> None:
    """The mail after it was undeliverable: the customer has no answer, for the call's message is none."""
    page = call(desk, ticket).outbox_id
    press(desk, page, "1")
    leg(desk, page, "busy")
    desk.advance(minutes=1)
    mail = desk.row("outbox", desk.reply(ticket))
    desk.fail(mail)
    assert desk.row("tickets", ticket["id"])["agent_replied_at"] is None
    assert desk.clocks(ticket)["first_response"]["state"] == "running"


@pytest.mark.parametrize("status", ["busy", "no-answer", "failed"])
def test_an_agent_who_does_not_pick_up_is_told_on_the_ticket(
    desk: Desk, ticket: dict[str, Any], status: str
) -> None:
    page = call(desk, ticket).outbox_id
    desk.send_all()
    settle(desk, request("out/status", page=page, CallStatus=status))
    assert desk.row("outbox", page)["state"] == "failed"
    assert desk.details("call_out_failed")[0]["reason"].startswith("the agent's phone")
    assert desk.rows("calls") == []
    assert "notice_reached_nobody" not in desk.events(ticket)


def test_what_is_told_twice_is_one_call(desk: Desk, ticket: dict[str, Any]) -> None:
    page = call(desk, ticket).outbox_id
    press(desk, page, "1")
    (row,) = desk.rows("journal", "account = 'calls' ORDER BY id DESC LIMIT 1")
    for _ in range(2):
        settle_row(desk, row["id"])
    assert (len(desk.rows("calls")), len(desk.rows("messages", "medium = 'voice'"))) == (1, 1)


def held(desk: Desk) -> list[str]:
    """Whose phone no other call may ring now."""
    return sorted(desk.store.read_now(lambda tx: holds.of_others(tx, "phone:CA1")))


def test_a_second_call_is_refused_until_the_first_is_over(desk: Desk, ticket: dict[str, Any]) -> None:
    page = call(desk, ticket).outbox_id
    assert refused(desk, ticket) == f"ania is being called about {ticket['ref']} already"
    desk.send_all()
    assert refused(desk, ticket).startswith("ania is in a call, or their phone rings")
    settle(desk, request("out/status", page=page, CallStatus="no-answer"))
    call(desk, ticket)


def test_from_the_first_ring_to_the_end_of_the_talk_no_other_call_rings_for_the_agent(
    desk: Desk, ticket: dict[str, Any]
) -> None:
    page = call(desk, ticket).outbox_id
    assert held(desk) == ["ania"]
    press(desk, page, "1")
    leg(desk, page, "in-progress")
    desk.advance(minutes=90)
    assert held(desk) == ["ania"]
    leg(desk, page, "completed", CallDuration="5400")
    assert held(desk) == []


def test_a_number_that_could_not_be_dialled_at_all_ends_the_call(desk: Desk, ticket: dict[str, Any]) -> None:
    """No leg of the customer's ever was, so only the agent's knows."""
    page = call(desk, ticket).outbox_id
    press(desk, page, "1")
    after = request(number=2, page=page, DialCallStatus="failed")
    asyncio.run(desk.sessions.turn(dial_outs.session(str(page)), keyed(after, "k2"), dialing.step))
    for row in desk.rows("journal", "state = 'pending' AND account = 'calls'"):
        settle_row(desk, row["id"])
    (row,) = desk.rows("calls")
    assert (row["outcome"], row["ended_at"] is not None, held(desk)) == ("failed", True, [])


def test_the_end_of_the_agents_leg_ends_a_call_whose_other_callbacks_were_lost(
    desk: Desk, ticket: dict[str, Any]
) -> None:
    """A report of the customer's leg that comes later still says how it ended."""
    page = call(desk, ticket).outbox_id
    press(desk, page, "1")
    settle(desk, request("out/status", page=page, CallStatus="completed"))
    (row,) = desk.rows("calls")
    assert (row["outcome"], row["ended_at"] is not None, held(desk)) == ("missed", True, [])
    leg(desk, page, "failed")
    assert desk.rows("calls")[0]["outcome"] == "failed"


async def test_who_is_held_by_another_call_may_press_1_all_the_same(
    desk: Desk, ticket: dict[str, Any]
) -> None:
    """Their phone was picked up for this call: the other one has lost them, and nothing breaks."""
    page = call(desk, ticket).outbox_id
    desk.advance(minutes=10)
    desk.store.write_now(lambda tx: holds.claim(tx, "phone:CA1", ("ania",), hold_s=60))
    session = dial_outs.session(str(page))
    assert "<Gather" in await desk.sessions.turn(session, keyed(request(page=page), "k0"), dialing.step)


def test_who_opted_out_is_not_called_and_the_date_is_told(desk: Desk, ticket: dict[str, Any]) -> None:
    desk.store.write_now(lambda tx: opt_outs.note(tx, Identity("phone", JAN), "out", how="word", said="STOP"))
    assert refused(desk, ticket) == f"{ticket['ref']}: {JAN} opted out 10 Nov 2026 (STOP), cannot call"
    assert desk.rows("outbox", "medium = 'voice'") == []


def test_a_stop_between_the_two_rings_keeps_the_customers_phone_silent(
    desk: Desk, ticket: dict[str, Any]
) -> None:
    page = call(desk, ticket).outbox_id
    desk.store.write_now(lambda tx: opt_outs.note(tx, Identity("phone", JAN), "out", how="word", said="STOP"))
    assert "<Dial" not in press(desk, page, "1")
    assert desk.rows("calls") == []
    assert "opted out 10 Nov 2026" in desk.details("call_out_failed")[0]["reason"]


def test_what_cannot_be_called_is_said_in_one_sentence(desk: Desk, ticket: dict[str, Any]) -> None:
    assert refused(desk, ticket, number="12") == "'12' is not a number like +48600100200"
    assert refused(desk, ticket, agent="anja").startswith("there is no agent 'anja'")
    stranger = desk.ticket(desk.receive("other@customer.example"))
    assert "no number of" in refused(desk, stranger)
    desk.use_rules(PAGED.replace(f', phone: "{ANIA}"', ""))
    assert refused(desk, ticket).startswith("the rules name no phone number of ania")
    desk.use_accounts(desk.account)
    desk.use_rules(PAGED)
    assert refused(desk, ticket).startswith("no account of this configuration can call")


def test_another_number_may_be_named(desk: Desk, ticket: dict[str, Any]) -> None:
    assert call(desk, ticket, number="+48 600 100 201").number == "+48600100201"


def test_a_call_that_the_reconciler_brings_of_the_agents_leg_is_no_call_of_theirs(
    desk: Desk, ticket: dict[str, Any]
) -> None:
    row = desk.row("outbox", call(desk, ticket).outbox_id)
    desk.send_all()
    desk.reconciled(row, "completed")
    assert desk.rows("calls") == []
    assert len(desk.rows("tickets")) == 1


def test_a_talk_under_way_is_found_and_its_pause_is_on_the_ticket(desk: Desk, ticket: dict[str, Any]) -> None:
    page = call(desk, ticket).outbox_id
    press(desk, page, "1")
    leg(desk, page, "in-progress")
    talk = desk.store.read_now(lambda tx: call_recording.find(tx, PARENT))
    assert talk is not None
    desk.store.write_now(lambda tx: call_recording.note(tx, talk, "pause"))
    assert "recording_pause" in desk.events(ticket)
    leg(desk, page, "completed", CallDuration="20")
    assert desk.store.read_now(lambda tx: call_recording.find(tx, PARENT)) is None


# -- recording by REST, after a consent -------------------------------------------------------------------------------


class Gate(testing.MemoryGate):
    def __init__(self, record: Any) -> None:
        super().__init__()
        out = DialOut(page="7", said="x", agent="ania", number=JAN, own=OWN_CALLS, record=record)
        self.shown = View(at=AT, out=out)


@pytest.fixture
async def served(api_url: str, provider: Provider, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    served = await texting.serve(
        Gate(request.param),
        kind=voice,
        account_sid=SID,
        public_url="https://desk.example.com",
        api_url=api_url,
    )
    yield served
    await served.stop()


async def customer(served: texting.Served, **form: str) -> None:
    hook = "https://desk.example.com/hooks/texts/"
    path = "out/customer?o=7&n=0"
    fields = {"AccountSid": SID, "CallSid": CHILD, "ParentCallSid": PARENT, "From": OWN_CALLS, "To": JAN}
    status, _ = await served.post(fields | form, path=path, signed=hook + path)
    assert status == 200
    await asyncio.gather(*served.channel._caller._recordings)  # type: ignore[attr-defined]


@pytest.mark.parametrize("served", ["ask", "notice"], indirect=True)
async def test_a_recording_is_asked_for_when_the_consent_is_kept(
    served: texting.Served, provider: Provider
) -> None:
    await customer(served, Digits="1")
    assert [each["what"] for each in served.gate.stored[-1].envelope["happened"]] == ["consent"]
    assert [each.path.rpartition("/Calls/")[2] for each in provider.asked] == [f"{PARENT}/Recordings.json"]


@pytest.mark.parametrize("served", ["ask"], indirect=True)
@pytest.mark.parametrize("digits", ["2", ""])
async def test_without_a_consent_nothing_is_asked_for(
    served: texting.Served, provider: Provider, digits: str
) -> None:
    await customer(served, Digits=digits)
    assert provider.asked == []


@pytest.mark.parametrize("served", ["notice"], indirect=True)
async def test_a_consent_that_could_not_be_kept_records_nothing_and_connects_all_the_same(
    served: texting.Served, provider: Provider
) -> None:
    served.gate.fault = "unavailable"
    await customer(served)
    assert provider.asked == []
