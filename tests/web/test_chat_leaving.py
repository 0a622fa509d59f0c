"""Visitors who have left: their answer comes by mail, they go on there or here, and a chat that nobody goes on with ends."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from channels import markup
from channels.contract import Identity, OutboundMessage
from intake import chat_links, tickets
from intake.store import opening
from tests.web.chat_world import RULES, SITE, ChatWorld, Page

JAN = "jan@customer.example"


@pytest.fixture
def make(tmp_path: Path, clock: Any, new_store: bytes) -> Iterator[Callable[..., ChatWorld]]:
    """Make a chat's world with these options."""
    (tmp_path / "intake.db").write_bytes(new_store)
    with ExitStack() as stack:

        def world(**options: Any) -> ChatWorld:
            store = stack.enter_context(closing(opening.open_store("", tmp_path, clock=clock)))
            return ChatWorld(store, tmp_path, clock, **options)

        yield world


@pytest.fixture
def world(make: Callable[..., ChatWorld]) -> ChatWorld:
    return make()


@pytest.fixture
def page(world: ChatWorld) -> Page:
    """A visitor who has said where their answer may go, asked something, and gone."""
    page = world.visitor()
    page.say("contact", email=JAN, name="Jan")
    page.write()
    return page


@pytest.mark.parametrize("said", ["", "conversations: {chat: {reopen_within: 1d}}"])
def test_the_lines_of_a_chat_are_one_ticket_where_the_rules_say_no_more(
    make: Callable[..., ChatWorld], said: str
) -> None:
    """The rules that everybody begins with say nothing of chats: each line was a ticket of its own."""
    rules = re.sub(r"conversations:\n.*\n", f"{said}\n", RULES)
    world = make(rules=rules)
    page = world.visitor()
    for text in ("Hello", "Where is my order?", "Anybody?"):
        page.write(text)
    answer(world)
    page.write("Thanks")
    assert len(world.rows("tickets")) == 1


def mails(world: ChatWorld) -> list[OutboundMessage]:
    return [each for each in world.sent(JAN) if each.account == "support"]


def answer(world: ChatWorld, text: str = "It is on its way.") -> None:
    world.reply(world.only_ticket, text)


def test_an_answer_that_no_page_has_got_goes_out_by_mail(world: ChatWorld, page: Page) -> None:
    """After five minutes, once, with both lines, on the ticket's own reply address."""
    answer(world)
    world.advance(minutes=4)
    answer(world, "It comes *tomorrow*.")
    assert world.run_clockworks() == (0, 0)
    world.advance(minutes=1)
    assert world.run_clockworks() == (0, 1)
    (mail,) = mails(world)
    assert mail.text.startswith("It is on its way.\n\nIt comes tomorrow.")  # as it stood in the chat
    assert world.only_ticket["ref"] in mail.subject
    assert mail.reply_to is not None
    assert mail.reply_to.address.startswith("support+")
    world.advance(hours=1)
    world.run_clockworks()
    assert len(mails(world)) == 1


def test_what_came_to_a_page_is_not_mailed(world: ChatWorld, page: Page) -> None:
    answer(world)
    page.got(2)
    world.advance(minutes=6)
    assert world.run_clockworks() == (0, 0)
    answer(world, "And one more thing.")
    world.advance(minutes=6)
    assert world.run_clockworks() == (0, 1)
    assert [each.text.partition("\n")[0] for each in mails(world)] == ["And one more thing."]


def test_a_mail_names_no_buttons(make: Callable[..., ChatWorld]) -> None:
    """What is offered in the chat by the name of its set is no word of the answer; other brackets are."""
    world = make(quick_replies={"confirm": [{"en": "Yes"}]})
    page = world.visitor()
    page.say("contact", email=JAN, name="Jan")
    page.write()
    answer(world, "Did that help?\n[[confirm]]")
    answer(world, "See [[home]]")
    world.advance(minutes=6)
    world.run_clockworks()
    reply_by_mail(world, "It did not")
    answer(world, "Does this?\n\n[[confirm]]")
    first, second = mails(world)
    assert first.text.partition("\n\n--")[0] == "Did that help?\n\nSee [[home]]"
    assert second.text.partition("\n")[0] == "Does this?"
    assert "[[" not in second.text


def test_a_letter_says_the_words_that_stood_in_the_chat(world: ChatWorld, page: Page) -> None:
    """They are no Markdown again; an address in them is a link."""
    answer(world, "2 \\* 3 \\* 4 of **these**: https://a.example/x_y")
    world.advance(minutes=6)
    world.run_clockworks()
    (mail,) = mails(world)
    assert mail.text.startswith("2 * 3 * 4 of these: https://a.example/x_y")
    html = markup.html_of(mail.markdown or "")
    assert "2 * 3 * 4 of these: <a href=" in html


def test_a_second_letter_says_only_what_is_new(world: ChatWorld, page: Page) -> None:
    """To somebody whose page never came back."""
    for text in ("The first", "The second"):
        answer(world, text)
        world.advance(minutes=6)
        assert world.run_clockworks() == (0, 1)
    assert [each.text.partition("\n\n--")[0] for each in mails(world)] == ["The first", "The second"]


def test_the_conversation_has_each_answer_once(world: ChatWorld, page: Page) -> None:
    """The mail says it again, by another way; it is no second message."""
    answer(world)
    world.advance(minutes=6)
    world.run_clockworks()
    assert len(world.rows("messages", "direction = 'out'")) == 1


def test_an_address_that_is_given_later_still_gets_the_answer(world: ChatWorld) -> None:
    page = world.visitor()
    page.write()
    answer(world)
    world.advance(minutes=6)
    assert world.run_clockworks() == (0, 0)
    page.say("contact", email=JAN, name="Jan")
    world.advance(minutes=5)
    assert world.run_clockworks() == (0, 1)


def reply_by_mail(world: ChatWorld, text: str, *, sender: str = JAN) -> dict[str, Any]:
    to = mails(world)[-1].reply_to
    assert to is not None
    return world.receive(sender, subject="Re: chat", body=text, to=(to.address,))


def test_a_reply_by_mail_joins_the_ticket_and_shows_in_the_chat(world: ChatWorld, page: Page) -> None:
    """And so does what is answered to it, by mail again; then a line in the chat is answered in the chat."""
    answer(world)
    world.advance(minutes=6)
    world.run_clockworks()
    row = reply_by_mail(world, "Thank you, and the second parcel?")
    assert row["ticket_id"] == world.only_ticket["id"]
    answer(world, "The second comes on Monday.")
    assert [each.text.partition("\n")[0] for each in mails(world)][1:] == ["The second comes on Monday."]
    page.write("Great")
    answer(world, "You are welcome.")
    assert page.lines() == [
        ("customer", "Where is my order?", ""),
        ("agent", "It is on its way.", ""),
        ("customer", "Thank you, and the second parcel?", "mail"),
        ("agent", "The second comes on Monday.", "mail"),
        ("customer", "Great", ""),
        ("agent", "You are welcome.", ""),
    ]
    assert len(mails(world)) == 2


def test_whoever_else_takes_part_by_mail_does_not_speak_in_the_chat(world: ChatWorld, page: Page) -> None:
    answer(world)
    world.advance(minutes=6)
    world.run_clockworks()
    before = page.lines()
    reply_by_mail(world, "I am somebody else", sender="eve@elsewhere.example")
    assert page.lines() == before


def test_the_mail_has_nothing_of_what_the_visitor_wrote(world: ChatWorld) -> None:
    """Anybody may write any address: we carry nobody's words there but our own."""
    page = world.visitor()
    page.say("contact", email=JAN, name="Cheap watches")
    page.write("Buy cheap watches at evil.example")
    answer(world)
    world.advance(minutes=6)
    world.run_clockworks()
    (mail,) = mails(world)
    said = f"{mail.text}{mail.markdown}{mail.subject}{mail.to}"
    assert ("evil.example" in said, "watches" in said) == (False, False)


def test_an_address_that_nobody_vouches_for_gets_five_mails_an_hour(world: ChatWorld) -> None:
    for number in range(8):
        page = world.visitor(chr(ord("B") + number) * 42 + "A", address=f"192.0.2.{number}")
        page.say("contact", email=JAN, name="Jan")
        page.write()
    for ticket in world.rows("tickets"):
        world.reply(ticket, "Yes?")
    world.advance(minutes=6)
    world.run_clockworks()
    assert len(mails(world)) == 5
    assert len(world.rows("events", "kind = 'chat_not_mailed'")) == 3


def test_a_participant_by_mail_joins_the_ticket_and_stays_out_of_the_chat(
    world: ChatWorld, page: Page
) -> None:
    answer(world)
    world.advance(minutes=6)
    world.run_clockworks()
    ref = world.only_ticket["ref"]
    ticket = world.store.read_now(lambda tx: tickets.load_by_ref(tx, ref))
    assert ticket is not None
    eve = Identity("email", "eve@elsewhere.example")
    world.store.write_now(lambda tx: tickets.add_participant(tx, ticket, eve))
    before = page.lines()
    row = reply_by_mail(world, "I take part, by mail", sender=eve.value)
    assert (row["ticket_id"], page.lines()) == (ticket.id, before)


# -- the link back ----------------------------------------------------------------------------------------------------


def token_of(world: ChatWorld) -> str:
    return mails(world)[-1].text.rpartition("#chat=")[2].strip()


def test_the_mail_has_a_link_back_to_the_page(world: ChatWorld, page: Page) -> None:
    """Without what the page's address had behind it, and good for this chat alone, for a month."""
    answer(world)
    world.advance(minutes=6)
    world.run_clockworks()
    assert f"{SITE}/cart#chat=" in mails(world)[0].text
    now_us = world.store.now_us()
    assert chat_links.session_of(world.keys, "shop", token_of(world), now_us=now_us) == page.session
    assert chat_links.session_of(world.keys, "other", token_of(world), now_us=now_us) is None
    later_us = now_us + (chat_links.LIVES_S + 1) * 1_000_000
    assert chat_links.session_of(world.keys, "shop", token_of(world), now_us=later_us) is None


def test_no_flipped_bit_and_no_forged_link_opens_a_chat(world: ChatWorld, page: Page) -> None:
    answer(world)
    world.advance(minutes=6)
    world.run_clockworks()
    token, now_us = token_of(world).encode(), world.store.now_us()
    flipped = [
        bytes([*token[:place], token[place] ^ 1 << bit, *token[place + 1 :]]).decode("latin-1")
        for place in range(len(token))
        for bit in range(8)
    ]
    digest, until, mac = token.decode().split(".")
    forged = [f"{number:064x}.{until}.{mac}" for number in range(5_000)]
    forged += [f"{digest}.{number:x}.{mac}" for number in range(5_000)]
    opened = [chat_links.session_of(world.keys, "shop", each, now_us=now_us) for each in (*flipped, *forged)]
    assert {*opened} == {None}


@pytest.mark.parametrize(
    "page",
    [
        "https://evil.example/",
        "https://shop.example@evil.example/",
        "https://user:pw@shop.example/",
        "http://shop.example/",
        "javascript:alert(1)//shop.example",
        "https://shop.example.evil.example/",
        "https://shop.example:8443/",
        "https://shop.example/a b",
        "https://[::1/",
        "",
        "/cart",
        "https://shop.example/" + "a" * 2_000,
    ],
)
def test_a_page_of_another_site_gets_no_link(page: str) -> None:
    assert not chat_links.is_ours(page, [SITE])


# -- idle ------------------------------------------------------------------------------------------------------------------


def test_an_idle_chat_ends_politely_and_once(world: ChatWorld) -> None:
    """Thirty minutes after our last word; a further line opens it again on the same ticket."""
    page = world.visitor()
    page.write()
    answer(world)
    page.got(2)
    world.advance(minutes=29)
    assert world.run_clockworks() == (0, 0)
    world.advance(minutes=1)
    assert world.run_clockworks() == (1, 0)
    assert page.lines()[-1] == ("system", "", "ended_idle")
    assert "chat_left" in world.events(world.only_ticket)
    world.advance(hours=3)
    assert world.run_clockworks() == (0, 0)
    page.write("I am back")
    assert world.only_ticket["status"] == "open"


def test_a_chat_that_we_have_answered_by_mail_ends_as_well(world: ChatWorld, page: Page) -> None:
    """The last word is ours, and it takes room of its agent; who answers it by mail once more goes on as before."""
    answer(world)
    world.advance(minutes=6)
    world.run_clockworks()
    reply_by_mail(world, "Thank you, and the second parcel?")
    world.advance(minutes=60)
    assert world.run_clockworks() == (0, 0)
    answer(world, "The second comes on Monday.")
    world.advance(minutes=30)
    assert world.run_clockworks() == (1, 0)
    assert page.lines()[-1] == ("system", "", "ended_idle")


def test_who_waits_for_us_is_never_sent_away(world: ChatWorld) -> None:
    page = world.visitor()
    page.write()
    answer(world)
    page.write("And when?")
    world.advance(days=2)
    assert world.run_clockworks() == (0, 0)


def test_a_line_that_has_just_come_keeps_a_chat_from_ending(world: ChatWorld) -> None:
    """Taken, and not settled yet."""
    page = world.visitor()
    page.write()
    answer(world)
    world.advance(minutes=30)
    page.say_only("line", text="And when?")
    assert world.run_clockworks() == (0, 0)
    assert page.lines()[-1] == ("customer", "And when?", "")


def test_who_has_ended_it_themselves_is_not_told_that_it_is_idle(world: ChatWorld) -> None:
    page = world.visitor()
    page.write()
    answer(world)
    page.say("end")
    world.advance(hours=1)
    assert world.run_clockworks() == (0, 0)
    assert page.lines()[-1] == ("system", "", "ended_customer")


def test_an_idle_chats_ticket_may_be_solved_by_it(make: Callable[..., ChatWorld]) -> None:
    world = make(leaving={"idle_minutes": 10, "idle_status": "solved"})
    page = world.visitor()
    page.write()
    answer(world)
    world.advance(minutes=10)
    world.run_clockworks()
    assert world.only_ticket["status"] == "solved"


def test_both_can_be_switched_off(make: Callable[..., ChatWorld]) -> None:
    world = make(leaving={"idle_minutes": 0, "mail_after_minutes": 0})
    page = world.visitor()
    page.say("contact", email=JAN, name="Jan")
    page.write()
    answer(world)
    world.advance(days=3)
    assert world.run_clockworks() == (0, 0)


# -- a link where there is a chat already ---------------------------------------------------------------------------------


def opened(world: ChatWorld, page: Page, mailed: Page) -> dict[str, Any]:
    link = chat_links.token(world.keys, mailed.session, now_us=world.store.now_us())
    return page.say("resume", link=link)


def test_a_chat_that_has_lines_never_becomes_another(world: ChatWorld) -> None:
    """It is told so, keeps its lines, and none of either is seen by the other."""
    mailed, own = world.visitor(), world.visitor("B" * 42 + "A")
    mailed.write("Theirs")
    own.write("Mine")
    assert opened(world, own, mailed)["code"] == "link_elsewhere"
    own.write("Mine too")
    assert [text for _, text, _ in own.lines()] == ["Mine", "Mine too"]
    assert [text for _, text, _ in mailed.lines()] == ["Theirs"]


def test_the_chat_that_a_link_opens_may_be_the_one_that_is_here(world: ChatWorld) -> None:
    """By its own token, and by one that a link has let in before: but that one goes no further by another link."""
    first, third, guest = world.visitor(), world.visitor("C" * 42 + "A"), world.visitor("B" * 42 + "A")
    first.write("First")
    third.write("Third")
    assert opened(world, first, first)["t"] == "ack"
    assert [opened(world, guest, first)["t"] for _ in range(2)] == ["ack", "ack"]
    assert opened(world, guest, third)["code"] == "link_elsewhere"
    guest.write("As the first")
    assert [text for _, text, _ in first.lines()] == ["First", "As the first"]
    assert [text for _, text, _ in third.lines()] == ["Third"]
