"""After STOP nothing goes out, from any path: the paths are found in the code, and each is walked."""

import ast
import asyncio
import contextlib
import functools
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from channels import dial_outs
from channels.contract import Address, Identity
from intake import (
    calling_out,
    desk_promises,
    new_tickets,
    opt_outs,
    outbox,
    outgoing,
    permission,
    reactions,
    tickets,
)
from intake import desk as desk_actions
from intake.outbound import Draft
from intake.store import schema
from tests.domain.world import RULES
from tests.phone.consent_desk import ConsentDesk, FarEnd
from tests.phone.texted_desk import CONVERSATIONS
from tests.phone.texting import JAN

INTAKE = Path(outgoing.__file__).parent
SENDS = ("send", "send_apart", "send_alone")
# Who decides that something goes out, and to whom. "customer": walked below; "agent": to colleagues alone.
CALLERS = {
    ("answering", "_send", "send"): "customer",
    ("calling_out", "call", "send"): "customer",
    ("consents", "_answer", "send_alone"): "customer",
    ("chat_letters", "_mail", "send"): "customer",  # by mail, the words of an agent, who may go on there
    ("desk", "reply", "send"): "customer",
    ("new_tickets", "_send_first", "send"): "customer",
    ("promising", "say", "send"): "customer",
    ("away_letters", "_mail", "send_apart"): "agent",
    ("digests", "_write", "send_apart"): "agent",
    ("notice_letters", "write", "send"): "agent",
    ("notices", "tell_agent", "send"): "agent",
    ("oncall_letters", "_send", "send_apart"): "agent",
    ("page_tests", "send", "send_apart"): "agent",
    ("paged_texts", "_confirm", "send"): "agent",
    ("paged_texts", "_confirm", "send_apart"): "agent",
    ("paging", "_send", "send"): "agent",
}
ANSWERED = RULES.replace(
    "reply: {email: received}", "reply: {email: received, sms: received, whatsapp: received}"
).replace(
    "    - {at: first_response 50%, notify: assignee}",
    "    - {at: first_response 50%, notify: assignee, reply: {sms: still-there}}",
)
REACT = """
react:
  - {id: thanks, on: agent_replied, then: {reply: {sms: closing}}}
  - {id: silent, on: quiet, for: 3h, since: customer_replied, then: {reply: {sms: still-there}}}
"""


@pytest.fixture
def open_desk(open_as: Callable[..., Any]) -> Callable[..., ConsentDesk]:
    return partial(open_as, ConsentDesk, quiet_hours="")


@pytest.fixture
def desk(open_desk: Callable[..., ConsentDesk]) -> ConsentDesk:
    return open_desk()


@pytest.fixture
def ruled(open_desk: Callable[..., ConsentDesk]) -> ConsentDesk:
    """A desk whose rules answer by text at every occasion."""
    return open_desk(rules=ANSWERED + CONVERSATIONS + REACT)


# -- the paths ----------------------------------------------------------------------------------------------------


@functools.cache
def calls_of_intake() -> tuple[tuple[str, str, ast.Call], ...]:
    """(module, function, call) for each call in those of intake's files that could send; a function in another one
    stands in both.
    """
    sources = [(path.stem, path.read_text(encoding="utf-8")) for path in INTAKE.rglob("*.py")]
    return tuple(
        (module, function.name, node)
        for module, source in sources
        if "outgoing" in source or "deliver" in source
        for function in ast.walk(ast.parse(source))
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Call)
    )


def attribute(node: ast.Call) -> str:
    """The name that is called on something: "send" of outgoing.send(…)."""
    return node.func.attr if isinstance(node.func, ast.Attribute) else ""


def test_every_path_that_sends_is_known_here() -> None:
    """A new caller of outgoing fails this test until somebody has walked its path below, or said that it tells agents."""
    found = {
        (module, function, attribute(node))
        for module, function, node in calls_of_intake()
        if attribute(node) in SENDS and ast.unparse(node.func).startswith("outgoing.")
    }
    assert found == set(CALLERS)


def test_rows_of_the_outbox_are_written_in_one_module() -> None:
    """Whatever else put a row there would pass the gate by."""
    inserts = [
        path.stem
        for path in INTAKE.rglob("*.py")
        if re.search(r"(upsert|insert)\(\s*schema\.outbox\b", path.read_text(encoding="utf-8"))
    ]
    assert inserts == ["outgoing"]


def test_messages_are_handed_over_in_one_place_behind_the_gate() -> None:
    """Nobody else calls a channel's `deliver`."""
    callers = {
        (module, function) for module, function, node in calls_of_intake() if attribute(node) == "deliver"
    }
    assert callers == {("delivering", "_deliver")}


def asked(desk: ConsentDesk) -> dict[str, Any]:
    """A ticket of somebody who has said STOP since."""
    ticket = desk.ticket(desk.say("My printer is on fire"))
    desk.deliver()
    desk.far.taken.clear()
    desk.advance(minutes=1)
    desk.say("STOP")
    return ticket


def by_a_rule_for_a_new_ticket(desk: ConsentDesk, ticket: dict[str, Any]) -> None:
    desk.set_status(ticket, "closed")
    assert desk.say("My printer is still on fire")["ticket_id"] != ticket["id"]


def by_a_rule_for_an_answer(desk: ConsentDesk, ticket: dict[str, Any]) -> None:
    desk.store.write_now(
        lambda tx: desk_actions.note(tx, desk.context, ticket["ref"], agent="ania", text="I call him.")
    )
    loaded = desk.store.read_now(lambda tx: tickets.load(tx, ticket["id"]))
    assert loaded is not None
    desk.advance(hours=1, minutes=5)  # a ticket has one automatic reply an hour
    cause = reactions.Cause(name="desk:ania:1")
    desk.store.write_now(
        lambda tx: reactions.react(tx, desk.context, loaded, "agent_replied", cause=cause, now=loaded)
    )


def by_the_step_of_a_ladder(desk: ConsentDesk, ticket: dict[str, Any]) -> None:
    desk.advance(hours=1, minutes=5)
    assert desk.fire_due()


def by_silence(desk: ConsentDesk, ticket: dict[str, Any]) -> None:
    desk.advance(hours=3, minutes=5)
    assert desk.fire_due()


def by_a_promise(desk: ConsentDesk, ticket: dict[str, Any]) -> None:
    desk.store.write_now(
        lambda tx: desk_promises.make(tx, desk.context, ticket["ref"], "2026-11-12 15:00", agent="ania")
    )


def by_a_word_of_help(desk: ConsentDesk, ticket: dict[str, Any]) -> None:
    desk.say("HELP")


def by_the_desk(desk: ConsentDesk, ticket: dict[str, Any]) -> None:
    with pytest.raises(desk_actions.DeskError, match="opted out"):
        desk.answer(ticket)


def by_writing_first(desk: ConsentDesk, ticket: dict[str, Any]) -> None:
    first, placing = new_tickets.First(to=JAN, text="Is your printer still on fire?"), new_tickets.Placing()
    with contextlib.suppress(desk_actions.DeskError):
        desk.store.write_now(
            lambda tx: new_tickets.write_first(tx, desk.context, first, placing, agent="ania")
        )


def by_whatsapp(desk: ConsentDesk, ticket: dict[str, Any]) -> None:
    desk.send(ticket, medium="whatsapp", automatic=None, cause="agent:ania:1")


def by_a_call(desk: ConsentDesk, ticket: dict[str, Any]) -> None:
    desk.send(ticket, medium="voice", automatic=None, cause="agent:ania:2")
    desk.send(ticket, medium="voice", automatic="auto-generated")


PATHS = [
    by_a_rule_for_a_new_ticket,
    by_a_rule_for_an_answer,
    by_the_step_of_a_ladder,
    by_silence,
    by_a_promise,
    by_a_word_of_help,
    by_the_desk,
    by_writing_first,
    by_whatsapp,
    by_a_call,
]


@pytest.mark.parametrize("walk", PATHS)
def test_after_stop_nothing_reaches_the_number(
    ruled: ConsentDesk, walk: Callable[[ConsentDesk, dict[str, Any]], None]
) -> None:
    """Not one call of a channel, whatever decides that something is to be said."""
    ticket = asked(ruled)
    walk(ruled, ticket)
    assert ruled.texts_to() == []


@pytest.mark.slow
@pytest.mark.parametrize("walk", [each for each in PATHS if each != by_the_desk])
def test_without_stop_each_of_these_paths_sends(
    ruled: ConsentDesk, walk: Callable[[ConsentDesk, dict[str, Any]], None]
) -> None:
    """Or the test above would show nothing."""
    ticket = ruled.ticket(ruled.say("My printer is on fire"))
    if walk is by_a_word_of_help:
        ruled.set_status(ticket, "solved")
    ruled.deliver()
    ruled.far.taken.clear()
    walk(ruled, ticket)
    assert ruled.texts_to() != []


def with_a_phone(desk: ConsentDesk) -> None:
    ania = msgspec.structs.replace(desk.context.rulebook.agents["ania"], phone="+48600100555")
    book = msgspec.structs.replace(
        desk.context.rulebook, agents={**desk.context.rulebook.agents, "ania": ania}
    )
    desk.context = msgspec.structs.replace(desk.context, rulebook=book)


def call_out(desk: ConsentDesk, ticket: dict[str, Any]) -> calling_out.Called:
    return desk.store.write_now(
        lambda tx: calling_out.call(tx, desk.context, ticket["ref"], agent="ania", number=JAN)
    )


def test_nobody_calls_from_the_ticket_of_who_said_stop(desk: ConsentDesk) -> None:
    """Not even the agent's own phone rings for it."""
    with_a_phone(desk)
    ticket = desk.ticket(desk.say("My printer is on fire"))
    desk.say("STOP")
    with pytest.raises(desk_actions.DeskError, match="opted out 10 Nov 2026"):
        call_out(desk, ticket)
    desk.deliver()
    assert desk.far.taken == []


def test_who_says_stop_while_the_agents_phone_rings_is_not_called(desk: ConsentDesk) -> None:
    """It is looked at again when the agent presses 1."""
    with_a_phone(desk)
    ticket = desk.ticket(desk.say("My printer is on fire"))
    called = call_out(desk, ticket)
    session = dial_outs.session(str(called.outbox_id))
    before = desk.store.read_now(lambda tx: calling_out.shown(tx, desk.context, session, busy=frozenset()))
    desk.say("STOP")
    after = desk.store.read_now(lambda tx: calling_out.shown(tx, desk.context, session, busy=frozenset()))
    assert before is not None
    assert after is not None
    assert before.refusal == ""
    assert "cannot call" in after.refusal


def test_without_stop_the_desk_sends(desk: ConsentDesk) -> None:
    ticket = desk.ticket(desk.say("My printer is on fire"))
    desk.answer(ticket)
    assert desk.texts_to() == ["We are on it."]


def test_a_message_that_was_queued_before_stop_does_not_leave(desk: ConsentDesk) -> None:
    """It is withheld, and the answer counts as not given: the agent's ticket says so."""
    ticket = desk.ticket(desk.say("My printer is on fire"))
    outbox_id = desk.answer(ticket)
    desk.say("STOP")
    assert desk.texts_to() == []
    row = desk.row("outbox", outbox_id)
    assert row["state"] == "withheld"
    assert "opted out 10 Nov 2026 (STOP), cannot text" in row["error"]
    assert desk.row("tickets", ticket["id"])["agent_replied_at"] is None
    assert "message_withheld" in desk.events(ticket)


def test_what_waits_for_the_end_of_the_night_is_withheld_at_once(desk: ConsentDesk) -> None:
    """Nobody has to wait for the morning to see it."""
    desk.set(quiet_hours="21:00-08:00")
    ticket = desk.ticket(desk.say("My printer is on fire"))
    desk.advance(hours=14)
    row = desk.send(ticket)
    assert row["state"] == "queued"
    desk.say("STOP")
    assert desk.texts_to() == []
    assert desk.row("outbox", row["id"])["state"] == "withheld"


def test_a_retry_does_not_get_past_it(desk: ConsentDesk) -> None:
    """Neither of a dead letter, nor of what was withheld, as often as somebody tries."""
    ticket = desk.ticket(desk.say("My printer is on fire"))
    outbox_id = desk.answer(ticket)
    desk.store.write_now(
        lambda tx: tx.update(schema.outbox, {"id": outbox_id}, state="failed", next_at=None, error="down")
    )
    desk.say("STOP")
    for _ in range(3):
        assert desk.retry(outbox_id)
        assert desk.texts_to() == []
    assert desk.row("outbox", outbox_id)["state"] == "withheld"


def test_what_was_taken_up_before_stop_is_asked_for_again(desk: ConsentDesk) -> None:
    """The outbox holds the row in memory when STOP is settled: the gate looks at the store."""
    ticket = desk.ticket(desk.say("My printer is on fire"))
    desk.answer(ticket)

    async def late() -> None:
        sender = desk.outbox()
        rows, _ = await sender._due()
        await asyncio.to_thread(desk.say, "STOP")
        for queued in rows:
            await sender._free.acquire()
            await sender._send(queued)

    asyncio.run(late())
    assert desk.far.taken == []


def test_what_was_dropped_after_it_was_taken_up_does_not_leave(desk: ConsentDesk) -> None:
    """The same look at the store."""
    outbox_id = desk.answer(desk.ticket(desk.say("My printer is on fire")))

    async def late() -> None:
        sender = desk.outbox()
        rows, _ = await sender._due()
        await desk.store.write(lambda tx: outbox.drop(tx, outbox_id))
        for queued in rows:
            await sender._free.acquire()
            await sender._send(queued)

    asyncio.run(late())
    assert desk.far.taken == []


def test_start_lets_it_pass_again(desk: ConsentDesk) -> None:
    """What was withheld goes out when somebody sends it."""
    ticket = desk.ticket(desk.say("My printer is on fire"))
    outbox_id = desk.answer(ticket)
    desk.say("STOP")
    desk.deliver()
    desk.advance(minutes=1)
    desk.say("START")
    assert desk.retry(outbox_id)
    assert desk.texts_to() == ["We are on it."]


def test_the_mailbox_of_who_said_stop_by_text_is_open(desk: ConsentDesk) -> None:
    """STOP by text is about the phone."""
    proof = {"Authentication-Results": "mx.example.com; dmarc=pass header.from=customer.example"}
    ticket = desk.ticket(desk.receive("jan@customer.example", headers=proof))
    desk.say("STOP")
    desk.reply(ticket)
    desk.deliver()
    assert "Have you tried water?" in desk.mails.taken[-1].text


def test_an_opt_out_of_mail_stops_machines_and_not_people(desk: ConsentDesk) -> None:
    """The rule's reply is withheld, the agent's goes out."""
    identity = Identity("email", "jan@customer.example")
    desk.store.write_now(lambda tx: opt_outs.note(tx, identity, "out", how="complaint", scope="email"))
    ticket = desk.ticket(desk.receive("jan@customer.example"))
    desk.reply(ticket)
    desk.deliver()
    assert [each.automatic for each in desk.mails.taken if each.to[0].address == identity.value] == [None]


# -- agents -------------------------------------------------------------------------------------------------------


def page(desk: ConsentDesk, medium: str) -> Draft:
    return Draft(
        cause=f"timer:{medium}", action="notify:page", to=Address(JAN, "ania"), subject="", text="Look at it.",
        author="system", automatic="auto-generated", is_public=False, agent="ania", medium=medium,
    )  # fmt: skip


def test_an_agent_who_said_stop_gets_calls_and_no_texts(desk: ConsentDesk) -> None:
    """The text would be refused; the call is their work. Who wrote the notice hears that it reached nobody."""
    ticket = desk.ticket(desk.say("My printer is on fire", From="+48600100777"))
    desk.say("STOP")

    def decide(medium: str) -> int | None:
        def send(tx: Any) -> int | None:
            loaded = tickets.load(tx, ticket["id"])
            assert loaded is not None
            return outgoing.send(tx, desk.context, loaded, page(desk, medium))

        return desk.store.write_now(send)

    assert decide("sms") is None
    assert decide("voice") is not None
    desk.deliver()
    assert [each.account for each in desk.far.taken if each.to[0].address == JAN] == ["calls"]


# -- where machines write ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        ("+380501234567", "country"),
        ("+48700100200", "dear"),
        ("+882161234567890", "country"),
        ("7200", "dear"),
        ("INFO", "dear"),
    ],
)
def test_machines_do_not_write_there(desk: ConsentDesk, number: str, reason: str) -> None:
    """Other countries than our numbers', premium numbers, short codes and names."""
    ticket = desk.ticket(desk.say("Hello", From=number))
    row = desk.send(ticket, to=number, cause="message:1")
    assert row["state"] == "withheld"
    (told,) = [each for each in desk.told if each[0] == "message_withheld"]
    assert told[1]["reason"] == reason
    desk.deliver()
    assert desk.far.taken == []


def test_an_agent_may_answer_a_text_from_anywhere(desk: ConsentDesk) -> None:
    """And not call there."""
    ticket = desk.ticket(desk.say("Hello", From="+380501234567"))
    desk.answer(ticket)
    assert desk.texts_to("+380501234567") == ["We are on it."]
    row = desk.send(ticket, to="+380501234567", medium="voice", automatic=None, cause="agent:ania:1")
    assert row["state"] == "withheld"


def test_an_account_may_name_its_countries(desk: ConsentDesk) -> None:
    """Its own numbers' are not among them then unless it says so."""
    texts = msgspec.structs.replace(desk.context.accounts["texts"], countries=("UA",))
    desk.context = msgspec.structs.replace(desk.context, accounts={**desk.context.accounts, "texts": texts})
    there = desk.ticket(desk.say("Hello", From="+380501234567"))
    here = desk.ticket(desk.say("Hello"))
    assert desk.send(there, to="+380501234567")["state"] == "queued"
    assert desk.send(here)["state"] == "withheld"


def test_machines_do_not_write_to_who_never_wrote(desk: ConsentDesk) -> None:
    """The number stands in somebody else's ticket."""
    ticket = desk.ticket(desk.say("Please text my wife", From="+48600100777"))
    row = desk.send(ticket)
    assert (row["state"], "never wrote" in row["error"]) == ("withheld", True)


def test_strangers_may_be_allowed(desk: ConsentDesk) -> None:
    desk.set(to_strangers=True)
    ticket = desk.ticket(desk.say("Please text my wife", From="+48600100777"))
    assert desk.send(ticket)["state"] == "queued"


def test_a_ticket_that_an_agent_has_opened_is_reason_enough(desk: ConsentDesk) -> None:
    ticket = desk.ticket(desk.say("Hello", From="+48600100777"))
    desk.store.write_now(
        lambda tx: tx.update(
            schema.events, {"ticket_id": ticket["id"], "kind": "created"}, actor="agent:ania"
        )
    )
    assert desk.send(ticket)["state"] == "queued"


def test_the_sentence_is_short_and_has_the_day(desk: ConsentDesk) -> None:
    """What an agent sees."""
    desk.say("STOP")
    found = desk.holding()
    assert found is not None
    assert permission.sentence(found, "sms") == f"{JAN} opted out 10 Nov 2026 (STOP), cannot text"
    assert permission.sentence(found, "voice").endswith("cannot call")


def test_the_gate_answers_in_the_write_that_takes_the_try(desk: ConsentDesk) -> None:
    """The last that is committed before a message leaves: no STOP fits between the answer and the message."""
    desk.answer(desk.ticket(desk.say("My printer is on fire")))
    writes: list[str] = []

    async def deliver(outbound: Any) -> Any:
        writes.append("deliver")
        return await FarEnd.deliver(desk.far, outbound)

    async def sent_before(outbound: Any) -> tuple[str, ...]:
        return ()

    far: Any = desk.far
    far.deliver, far.sent_before = deliver, sent_before
    store: Any = desk.store
    sender, write = desk.outbox(), store.write

    async def watched(fn: Any) -> Any:
        writes.append("write")
        return await write(fn)

    async def send() -> None:
        rows, _ = await sender._due()
        store.write = watched
        for queued in (each for each in rows if each.outbound.account == "texts"):
            await sender._free.acquire()
            await sender._send(queued)

    asyncio.run(send())
    assert writes == ["write", "deliver", "write"]  # the gate with the try, the message, how it ended
