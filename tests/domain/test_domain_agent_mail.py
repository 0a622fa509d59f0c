"""What an agent's answer to a notice does, once it is proven."""

from email.message import EmailMessage
from typing import Any

import msgspec
import pytest

from intake import acknowledging, agent_text, answering, assigning, attaching, desk, journal
from intake.store import schema
from tests.domain.agents import (
    ANIA,
    EWA,
    JAN,
    PASS,
    TOMEK,
    address_of,
    answer,
    details,
    notes,
    notice,
    quoting,
    to_customer,
    told,
)
from tests.domain.world import RULES, SUPPORT, World


@pytest.fixture
def ticket(world: World) -> dict[str, Any]:
    """A ticket of ania's, who has just been told."""
    opened = world.ticket(world.receive(JAN))
    world.advance(minutes=1)
    return opened


def now(world: World, ticket: dict[str, Any]) -> dict[str, Any]:
    return world.row("tickets", ticket["id"])


def test_answer_goes_to_the_customer(world: World, ticket: dict[str, Any]) -> None:
    """What ania writes above the notice is what Jan gets, and nothing else."""
    answer(world, "Have you tried water?")
    assert to_customer(world) == ["Have you tried water?"]


def test_answer_is_what_the_command_line_does(world: World, ticket: dict[str, Any]) -> None:
    """Status, clocks and history are as of `intake tickets reply`."""
    answer(world, "Have you tried water?")
    after = now(world, ticket)
    assert (after["status"], after["agent_replied_at"]) == ("open", world.store.now_us())
    assert world.clocks(ticket)["first_response"]["state"] == "met"
    assert {"agent_replied", "agent_mail"} <= set(world.events(ticket))


def test_rules_hear_of_an_answer_by_mail(world: World) -> None:
    """It is an event like an answer at the desk."""
    world.use_rules(RULES + "react:\n  - {id: said, on: agent_replied, then: {tags: [said]}}\n")
    ticket = world.ticket(world.receive(JAN))
    answer(world, "Water.")
    assert now(world, ticket)["tags"] == '["said"]'


def test_answer_carries_no_word_of_the_notice(world: World, ticket: dict[str, Any]) -> None:
    """Not the customer's quote, not the commands, not the agent's reply address."""
    answer(world, "Water.")
    (sent,) = [each.text for each in world.sent(JAN) if each.automatic is None]
    assert sent.startswith("Water.")
    assert "Priority" not in sent
    assert not agent_text.shows_notice(sent)


@pytest.mark.parametrize("way", ["unmarked", "html", "outlook", "bottom"])
def test_notice_stays_inside_whatever_program_quotes_it(
    world: World, ticket: dict[str, Any], way: str
) -> None:
    """The line to write above cuts off what no other rule finds."""
    sent = notice(world)
    body = {
        "unmarked": f"Water.\n\n{sent.text}",
        "html": "Water.\n\n" + sent.text.replace("\n", "\n\n"),
        "outlook": f"Water.\n\n________________________________\nFrom: Example <{SUPPORT}>\nSent: Tuesday\n"
        f"To: ania\nSubject: {sent.subject}\n\n{sent.text}",
        "bottom": "\n".join(f"> {line}" for line in sent.text.splitlines()) + "\n\nWater.\n",
    }[way]
    world.receive(ANIA, body=body, to=[address_of(sent)])
    expected = [] if way == "bottom" else ["Water."]
    assert to_customer(world) == expected
    assert len(told(world)) == (1 if way == "bottom" else 0)


def test_rest_of_a_notice_without_its_line_is_refused(world: World, ticket: dict[str, Any]) -> None:
    """A program took the line away: what only a notice holds is found, and nothing is sent."""
    sent = notice(world)
    world.receive(ANIA, body=f"Water.\nPlease see intake tickets show {ticket['ref']}", to=[address_of(sent)])
    assert not to_customer(world)
    assert "for colleagues only" in told(world)[0]


def test_quotation_alone_is_no_answer(world: World, ticket: dict[str, Any]) -> None:
    """The customer is not sent their own words."""
    world.receive(ANIA, body="> My printer is on fire, please help me.\n", to=[address_of(notice(world))])
    assert not to_customer(world)
    assert "no text" in told(world)[0]


def test_signature_of_the_agent_is_not_sent(world: World, ticket: dict[str, Any]) -> None:
    """What stands below "-- " is no answer."""
    answer(world, "Water.\n\n-- \nAnia, Example Ltd.")
    assert to_customer(world) == ["Water."]


# -- commands --------------------------------------------------------------------------------------------------------


def test_note_stays_inside(world: World, ticket: dict[str, Any]) -> None:
    """The customer gets nothing, colleagues read it, no clock is met."""
    answer(world, "#note\nHe has called twice.")
    assert (to_customer(world), notes(world, ticket)) == ([], ["He has called twice."])
    assert world.clocks(ticket)["first_response"]["state"] == "running"


@pytest.mark.parametrize(
    "first", ["#note", "# note", "#NOTE", "#Note:", "\uff03note", "\u200b#note\u00a0", "\\#note", "**#note**"]
)
def test_command_is_tolerant(world: World, ticket: dict[str, Any], first: str) -> None:
    """Phones, keyboards and mail programs write one command in many ways."""
    answer(world, f"{first}\nHe has called twice.")
    assert (to_customer(world), notes(world, ticket)) == ([], ["He has called twice."])


def test_note_may_begin_on_the_line_of_its_command(world: World, ticket: dict[str, Any]) -> None:
    """`#note he has called` is one line."""
    answer(world, "#note he has called\ntwice")
    assert notes(world, ticket) == ["he has called\ntwice"]


@pytest.mark.parametrize("command", ["#close", "#solve"])
def test_close_solves(world: World, ticket: dict[str, Any], command: str) -> None:
    """With a text the customer is answered and the ticket is solved; their next mail opens it again."""
    answer(world, f"{command}\nThe fire is out.")
    assert (to_customer(world), now(world, ticket)["status"]) == (["The fire is out."], "solved")


def test_close_leaves_what_is_closed_for_good(world: World, ticket: dict[str, Any]) -> None:
    """Solved would be less: the customer's answer opens that again."""
    world.set_status(ticket, "closed")
    answer(world, "#close\nGood bye.")
    assert (to_customer(world), now(world, ticket)["status"]) == (["Good bye."], "closed")


def test_note_may_begin_with_a_tag_of_its_own(world: World, ticket: dict[str, Any]) -> None:
    """Below #note only what is a command is taken for one."""
    answer(world, "#note\n#urgent call him at nine")
    assert notes(world, ticket) == ["#urgent call him at nine"]


def test_command_alone_sends_nothing(world: World, ticket: dict[str, Any]) -> None:
    """#close without a text only solves."""
    answer(world, "#close")
    assert (to_customer(world), now(world, ticket)["status"]) == ([], "solved")


@pytest.mark.parametrize(
    "below", ["Ania", "Best regards,\nAnia", "Mit freundlichen Grüßen\n\nAnia Nowak\nExample Ltd.", "ANIA"]
)
def test_signature_below_a_command_is_no_answer(world: World, ticket: dict[str, Any], below: str) -> None:
    """The customer is not sent a name because an agent's program adds one."""
    row_id = world.journal(
        "Ania Nowak <ania@desk.example>",
        body=quoting(f"#ack\n\n{below}", notice(world)),
        to=[address_of(notice(world))],
    )
    world.settle(row_id)
    assert (to_customer(world), told(world)) == ([], [])
    assert "acknowledged" in world.events(ticket)


def test_assign_to_a_colleague(world: World, ticket: dict[str, Any]) -> None:
    """Ewa has it, and is told."""
    answer(world, "#assign ewa")
    assert now(world, ticket)["agent"] == "ewa"
    assert "ania has given you" in notice(world, EWA).text


@pytest.mark.parametrize(
    ("typed", "agent", "team"),
    [
        ("EWA", "ewa", "support"),
        ("@ewa", "ewa", "support"),
        ("tom", "tomek", "support"),
        (TOMEK, "tomek", "support"),
        ("billing", "ewa", "billing"),
        ("nobody", None, "support"),
        ("me", "ania", "support"),
    ],
)
def test_assign_knows_people_by_what_they_are_called(
    world: World, ticket: dict[str, Any], typed: str, agent: str | None, team: str
) -> None:
    """Any case, the beginning of a name, an address, a team."""
    answer(world, f"#assign {typed}")
    assert (now(world, ticket)["agent"], now(world, ticket)["team"]) == (agent, team)


def test_ack_stops_who_else_would_be_told(world: World, ticket: dict[str, Any]) -> None:
    """As `intake tickets ack`."""
    answer(world, "#ack")
    assert "acknowledged" in world.events(ticket)
    assert not to_customer(world)


def test_take_is_looking_at_it_and_having_it(world: World, ticket: dict[str, Any]) -> None:
    """As `intake tickets take`; which notice was answered is known."""
    answer(world, "#assign ewa")
    answer(world, "#take")
    assert {"acknowledged", "taken_over"} <= set(world.events(ticket))
    assert now(world, ticket)["agent"] == "ania"
    (event,) = world.rows("events", "kind = 'taken_over'")
    assert '"how":"mail"' in event["details"]
    assert '"notice":"' in event["details"]


def test_whoever_acknowledges_second_is_told_who_was_first(world: World, ticket: dict[str, Any]) -> None:
    """One mail, with the hour; the first one hears nothing, and the history has one acknowledgement."""
    said = acknowledging.Said(agent="ewa")
    world.store.write_now(lambda tx: acknowledging.acknowledge(tx, world.context, ticket["ref"], said))
    before = len(world.sent(ANIA))
    answer(world, "#ack")
    (told,) = world.sent(ANIA)[before:]
    assert "Nothing was changed" in told.subject
    assert "was acknowledged before: ewa looks at it since " in told.text
    assert world.events(ticket).count("acknowledged") == 1


def test_link_of_a_notice_never_goes_to_a_customer(world: World, ticket: dict[str, Any]) -> None:
    """Whoever has it speaks as the agent: the mail is refused, and the agent told."""
    answer(world, "See https://help.example.com/n/ack/k7m4q2p.ania.1.tg3d20.aeyk for it.")
    assert not to_customer(world)
    assert "agent_mail_refused" in world.events(ticket)


def test_several_commands_stand_above_the_text(world: World, ticket: dict[str, Any]) -> None:
    """One a line, empty lines between them do no harm."""
    answer(world, "#assign ewa\n\n#priority high\n#status on hold\nWe are waiting for the parts.")
    after = now(world, ticket)
    assert (after["agent"], after["priority"], after["status"]) == ("ewa", "high", "on_hold")
    assert to_customer(world) == ["We are waiting for the parts."]


def test_sign_inside_the_text_is_text(world: World, ticket: dict[str, Any]) -> None:
    """Commands stand first; a number or a word with # further down is the agent's."""
    text = "#42 is your number.\n#note this down"
    answer(world, text)
    assert to_customer(world) == [text]


MISTAKES = [
    ("#clsoe\nDone.", "did you mean 'close'"),
    ("#fix\nDone.", "no command '#fix'"),
    ("#assign\nDone.", "needs a name"),
    ("#assign zoe\nDone.", "no agent or team 'zoe'"),
    ("#status done\nDone.", "no status"),
    ("#priority burning\nDone.", "no priority"),
    ("#ack I am on it", "stands alone"),
    ("#note", "no text"),
    ("#assign ewa\n#asign tomek\nDone.", "did you mean 'assign'"),
    ("", "no text"),
    ("#send", "held"),
]


@pytest.mark.parametrize(("text", "said"), MISTAKES)
def test_mistake_does_nothing_and_is_told_once(
    world: World, ticket: dict[str, Any], text: str, said: str
) -> None:
    """No answer, no change: one mail back, marked as automatic, that says what was wrong and which commands there are."""
    before = now(world, ticket)
    answer(world, text)
    assert (to_customer(world), now(world, ticket), notes(world, ticket)) == ([], before, [])
    (mail,) = told(world)
    assert said in mail
    assert "#assign NAME" in mail
    back = notice(world)
    assert (back.automatic, back.envelope_sender) == ("auto-replied", "")
    assert "agent_mail_refused" in world.events(ticket)


def test_ambiguous_name_is_told(world: World) -> None:
    """Two people begin with "to": neither gets it."""
    world.use_rules(
        RULES.replace("  tomek: {", "  tobias: {email: tobias@desk.example}\n  tomek: {").replace(
            "l2: [ewa]", "l2: [ewa, tobias]"
        )
    )
    ticket = world.ticket(world.receive(JAN))
    answer(world, "#assign to")
    assert now(world, ticket)["agent"] == "ania"
    assert "tobias or tomek" in told(world)[0]


def test_what_was_refused_can_be_answered_again(world: World, ticket: dict[str, Any]) -> None:
    """The mail back has a reply address of its own, and its words never reach the customer."""
    answer(world, "#fix\nDone.")
    world.advance(minutes=1)
    answer(world, "Done.")
    assert to_customer(world) == ["Done."]


def test_mails_back_are_counted(world: World, ticket: dict[str, Any]) -> None:
    """A program that answers each of our mails with rubbish is told so often, and not more."""
    for number in range(25):
        answer(world, f"#fix{number * 'x'}")
        world.advance(seconds=1)
    assert len(told(world)) == 20
    assert world.events(ticket).count("agent_not_told") == 5


# -- what a machine sends --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sender", [ANIA, "robot@desk.example"])
def test_absence_note_is_kept_and_never_sent_on(world: World, ticket: dict[str, Any], sender: str) -> None:
    """It is an event of the ticket: no answer, no clock, no mail back, no ticket of its own."""
    before, mails = now(world, ticket), len(world.sent())
    row = answer(
        world,
        "I am away until Monday.",
        notice(world),
        sender=sender,
        headers={"Auto-Submitted": "auto-replied"},
    )
    assert (row["state"], row["ticket_id"]) == ("automatic", ticket["id"])
    assert (now(world, ticket), len(world.sent())) == (before, mails)
    assert "I am away until Monday." in details(world, "agent_automatic")[0]


def test_absence_note_of_a_verified_agent_without_our_signature(world: World, ticket: dict[str, Any]) -> None:
    """A reference is enough to know where it belongs."""
    receipt = world.sent(JAN)[0]
    row = world.receive(
        ANIA,
        body="I am away.",
        headers={"In-Reply-To": f"<{receipt.message_id}>", "Auto-Submitted": "auto-replied", **PASS},
    )
    assert (row["state"], row["ticket_id"], to_customer(world)) == ("automatic", ticket["id"], [])


# -- once, and once only ---------------------------------------------------------------------------------------------


def test_same_mail_twice_is_one_answer(world: World, ticket: dict[str, Any]) -> None:
    """A mail server that missed our 250 sends it again."""
    sent = notice(world)
    content = world.mail(
        ANIA, subject="Re", body=quoting("Water.", sent), headers={}, message_id="a@desk.example"
    )
    rows = [
        world.receive(ANIA, content=content, to=[to]) for to in (address_of(sent), address_of(sent), SUPPORT)
    ]
    assert [row["state"] for row in rows] == ["ticket", "duplicate", "duplicate"]
    assert to_customer(world) == ["Water."]


@pytest.mark.parametrize("text", ["Water.", "#note\nWater.", "#assign ewa", "#fix\nWater."])
def test_replay_does_nothing_again(world: World, ticket: dict[str, Any], text: str) -> None:
    """`journal replay` reads the mail again: the answer is sent, and what was said stays as it was said."""
    row = answer(world, text)
    said, mails = world.rows("messages"), world.sent()
    assigned = world.events(ticket).count("assigned")
    world.store.write_now(lambda tx: journal.replay(tx, row["id"]))
    world.settle(row["id"])
    assert (world.rows("messages"), world.sent()) == (said, mails)
    assert world.events(ticket).count("assigned") == assigned


def test_journal_names_what_became_of_it(world: World, ticket: dict[str, Any]) -> None:
    """The row of the mail points to the answer, and the answer to the mail."""
    row = answer(world, "Water.")
    message = world.row("messages", row["message_id"])
    assert (row["state"], row["ticket_id"]) == ("ticket", ticket["id"])
    assert (message["direction"], message["author"], message["journal_id"]) == ("out", "ania", row["id"])


def test_replay_is_told_and_nothing_else(world: World, ticket: dict[str, Any]) -> None:
    """What the mail said to do is done once, also where it became no message."""
    row = answer(world, "#priority high")
    world.store.write_now(lambda tx: desk.set_priority(tx, world.context, ticket["ref"], "low", agent="ewa"))
    before = world.events(ticket)
    world.store.write_now(lambda tx: journal.replay(tx, row["id"]))
    world.settle(row["id"])
    assert (world.events(ticket), now(world, ticket)["priority"]) == ([*before, "parsed_again"], "low")
    assert details(world, "parsed_again") == ['{"problem":null}']


def test_what_was_counted_of_agents_is_forgotten_after_its_hour(world: World, ticket: dict[str, Any]) -> None:
    """Else there would be a row for each agent and ticket for ever."""
    answer(world, "Water.")
    answer(world, "#fix\nWater.")
    counted = ("agent_answers", "agent_told")
    assert {row["name"] for row in world.rows("counters")} >= set(counted)
    world.advance(minutes=61)
    world.store.write_now(answering.forget_counted)
    assert not {row["name"] for row in world.rows("counters")} & set(counted)


# -- files -----------------------------------------------------------------------------------------------------------


def with_files(world: World, text: str, *files: tuple[str, bytes, bool]) -> dict[str, Any]:
    """Answer the last notice with files: (name, content, shown inside the text)."""
    sent, mail = notice(world), EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = ANIA, address_of(sent), f"Re: {sent.subject}"
    mail["Message-ID"], mail["Date"] = (
        f"<{len(world.rows('journal'))}@desk>",
        "Tue, 10 Nov 2026 09:00:00 +0000",
    )
    mail.set_content(quoting(text, sent))
    for name, content, inline in files:
        main, sub = ("image", "png") if name.endswith("png") else ("application", "pdf")
        disposition = "inline" if inline else "attachment"
        cid = f"<{name}>" if inline else None
        mail.add_attachment(
            content, maintype=main, subtype=sub, filename=name, disposition=disposition, cid=cid
        )
    return world.receive(ANIA, content=mail.as_bytes(), to=[address_of(sent)])


def sent_files(world: World) -> list[tuple[str, bytes]]:
    """Name and bytes of the files of the last mail to the customer, as the outbox reads them."""
    outbound = world.sent(JAN)[-1]
    whole = world.store.read_now(lambda tx: attaching.with_contents(tx, outbound, world.folder))
    return [(each.name, each.content) for each in whole.attachments]


MANUAL, LOGO, SCREEN = b"%PDF-1.7 manual", b"logo" * 1_000, b"screen" * 10_000


def test_files_go_along(world: World, ticket: dict[str, Any]) -> None:
    """A manual and a picture of a screen do; the logo of a signature does not."""
    with_files(
        world, "See page 3.", ("manual.pdf", MANUAL, False), ("logo.png", LOGO, True), ("s.png", SCREEN, True)
    )
    assert sent_files(world) == [("manual.pdf", MANUAL), ("s.png", SCREEN)]


def test_files_of_a_held_answer_go_along_later(world: World, ticket: dict[str, Any]) -> None:
    """#send sends them with it."""
    world.reply(ticket, "It is being repaired.", agent="ewa")
    world.advance(minutes=1)
    with_files(world, "See page 3.", ("manual.pdf", MANUAL, False))
    assert len(to_customer(world)) == 1
    answer(world, "#send")
    assert (to_customer(world)[-1], sent_files(world)) == ("See page 3.", [("manual.pdf", MANUAL)])


def test_files_of_a_note_stay_inside(world: World, ticket: dict[str, Any]) -> None:
    """They are files of the note."""
    row = with_files(world, "#note\nHis contract.", ("contract.pdf", MANUAL, False))
    assert "contract.pdf" in world.row("messages", row["message_id"])["attachments"]
    assert not to_customer(world)


def test_too_large_files_are_told(world: World, ticket: dict[str, Any]) -> None:
    """Nothing is sent without the file that it speaks of."""
    limits = msgspec.structs.replace(world.context.limits, max_attachments_bytes=10)
    world.context = msgspec.structs.replace(world.context, limits=limits)
    with_files(world, "See page 3.", ("manual.pdf", MANUAL, False))
    assert not to_customer(world)
    assert "max_attachments_bytes" in told(world)[0]


# -- when the ticket has moved on ------------------------------------------------------------------------------------


def test_colleagues_newer_answer_holds_it(world: World, ticket: dict[str, Any]) -> None:
    """What ania could not have seen: hers is kept as a note, and she is told what the customer has been told."""
    world.reply(ticket, "It is being repaired.", agent="ewa")
    world.advance(minutes=1)
    answer(world, "#close\nHave you tried water?")
    assert to_customer(world) == ["It is being repaired."]
    assert (notes(world, ticket), now(world, ticket)["status"]) == (["Have you tried water?"], "open")
    (mail,) = told(world)
    assert "> It is being repaired." in mail
    assert "#send" in mail


def test_held_answer_is_sent_by_a_word(world: World, ticket: dict[str, Any]) -> None:
    """#send alone sends it as it is, once."""
    world.reply(ticket, "It is being repaired.", agent="ewa")
    world.advance(minutes=1)
    answer(world, "Have you tried water?")
    world.advance(minutes=1)
    answer(world, "#send\n#close")
    assert to_customer(world) == ["It is being repaired.", "Have you tried water?"]
    assert now(world, ticket)["status"] == "solved"
    answer(world, "#send")
    assert len(to_customer(world)) == 2
    assert "no answer of yours that was held" in told(world)[-1]


def test_send_forces_at_once(world: World, ticket: dict[str, Any]) -> None:
    """Who knows that somebody has answered says so."""
    world.reply(ticket, "It is being repaired.", agent="ewa")
    world.advance(minutes=1)
    answer(world, "#send\nAnd have you tried water?")
    assert to_customer(world)[-1] == "And have you tried water?"


def test_answer_to_the_mail_that_told_it_is_sent(world: World, ticket: dict[str, Any]) -> None:
    """Whoever answers that mail has seen what the colleague wrote."""
    world.reply(ticket, "It is being repaired.", agent="ewa")
    world.advance(minutes=1)
    answer(world, "Have you tried water?")
    world.advance(minutes=1)
    answer(world, "It will be back on Friday.")
    assert to_customer(world)[-1] == "It will be back on Friday."


def test_own_newer_answer_holds_nothing(world: World, ticket: dict[str, Any]) -> None:
    """Two answers to one notice are two answers."""
    sent = notice(world)
    answer(world, "I am looking.", sent)
    world.advance(minutes=1)
    answer(world, "Have you tried water?", sent)
    assert to_customer(world) == ["I am looking.", "Have you tried water?"]


def test_same_text_again_is_held(world: World, ticket: dict[str, Any]) -> None:
    """A program that answers every notice, and does not say that it is one, says the same each time."""
    answer(world, "I am away until Monday.")
    world.receive(JAN, body="more", headers={"In-Reply-To": f"<{world.sent(JAN)[-1].message_id}>"})
    world.advance(minutes=1)
    answer(world, "I am away until Monday.")
    assert len(to_customer(world)) == 1
    assert "the same text" in told(world)[0]


def test_mail_that_went_to_the_customer_directly_is_held(world: World, ticket: dict[str, Any]) -> None:
    """Jan has it already: he does not get it twice."""
    answer(world, "Water.", headers={"Cc": JAN})
    assert (to_customer(world), notes(world, ticket)) == ([], ["Water."])


def test_answers_are_limited_by_the_hour(world: World, ticket: dict[str, Any]) -> None:
    """A loop with a program that is not known as one ends by itself."""
    for number in range(22):
        answer(world, f"No. {number}")
        world.advance(seconds=1)
    assert (len(to_customer(world)), len(notes(world, ticket))) == (20, 2)


def test_answer_goes_out_when_the_ticket_is_somebody_elses_by_now(
    world: World, ticket: dict[str, Any]
) -> None:
    """It is sent, the ticket stays with who has it, and the agent hears of that."""
    world.store.write_now(lambda tx: assigning.assign(tx, world.context, ticket["ref"], "ewa", agent="tomek"))
    world.advance(minutes=1)
    answer(world, "Water.", world.sent(ANIA)[0])
    assert (to_customer(world), now(world, ticket)["agent"]) == (["Water."], "ewa")
    assert "ewa's by now" in told(world)[0]


def test_answer_to_a_solved_ticket_goes_out_and_leaves_it_solved(
    world: World, ticket: dict[str, Any]
) -> None:
    """The agent is told how to open it."""
    world.set_status(ticket, "solved")
    answer(world, "One more thing.")
    assert (to_customer(world), now(world, ticket)["status"]) == (["One more thing."], "solved")
    assert "#status open" in told(world)[0]


def test_answer_to_a_merged_ticket_goes_to_where_its_messages_are(
    world: World, ticket: dict[str, Any]
) -> None:
    """The other ticket's customer conversation has it."""
    other = world.ticket(world.receive(JAN, subject="The same again"))
    sent = world.sent(ANIA)[0]
    world.store.write_now(
        lambda tx: tx.update(
            schema.tickets,
            {"id": ticket["id"]},
            merged_into=other["id"],
        )
    )
    row = answer(world, "Water.", sent)
    assert (row["ticket_id"], to_customer(world)) == (other["id"], ["Water."])


def test_answer_after_the_customers_next_mail_is_sent_and_marked(
    world: World, ticket: dict[str, Any]
) -> None:
    """It went out before it was read: the history says so, and so does a mail to the agent."""
    first = notice(world)
    world.receive(JAN, body="It is worse", headers={"In-Reply-To": f"<{world.sent(JAN)[0].message_id}>"})
    world.advance(minutes=1)
    answer(world, "Water.", first)
    assert to_customer(world) == ["Water."]
    assert '"unread":true' in details(world, "agent_mail")[0]
    assert "had written again" in told(world)[0]


# -- who gets a reply address ----------------------------------------------------------------------------------------


def test_notice_to_a_bare_address_cannot_be_answered(world: World) -> None:
    """Nobody is behind it whom the rules know: no reply address, no line to write above."""
    world.use_rules(RULES + "react:\n  - {id: t, on: created, then: {notify: boss@else.example}}\n")
    world.receive(JAN)
    (sent,) = world.sent("boss@else.example")
    assert sent.reply_to is None
    assert "Write your answer" not in sent.text


@pytest.mark.parametrize("kind", ["assigned", "customer_replied", "escalated", "taken"])
def test_every_notice_to_an_agent_can_be_answered(world: World, ticket: dict[str, Any], kind: str) -> None:
    """Built-in ones, a ladder's, a rule's."""
    if kind == "customer_replied":
        world.receive(JAN, body="more", headers={"In-Reply-To": f"<{world.sent(JAN)[0].message_id}>"})
    if kind == "escalated":
        world.advance(hours=1)
        world.fire_due()
    if kind == "taken":
        world.store.write_now(
            lambda tx: assigning.assign(tx, world.context, ticket["ref"], "ewa", agent="tomek")
        )
    (*_, row) = world.rows("outbox", "action LIKE :kind ORDER BY id", kind=f"notify:{kind}%")
    (sent,) = [each for each in world.sent() if int(each.id) == row["id"]]
    assert len(address_of(sent).partition("@")[0].encode()) <= 64
    answer(world, "Water.", sent, sender=sent.to[0].address)
    assert to_customer(world) == ["Water."]
