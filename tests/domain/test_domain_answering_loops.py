"""Machines set on each other fall silent: two of our daemons, our own mail sent back, ninety kinds of auto-replies."""

import email
import email.policy
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import msgspec
import pytest

from channels.contract import OutboundMessage
from channels.email.compose import compose
from intake import loops
from intake.store import opening
from tests.domain.world import SUPPORT, World
from tests.email.auto_replies import SHAPES

OTHER = "help@other.example"


@pytest.fixture
def two(tmp_path: Path, clock: Any, new_store: bytes) -> Iterator[tuple[World, World]]:
    """Two intakes with their own stores, keys and addresses: support@example.com and help@other.example."""
    with ExitStack() as stack:
        worlds = []
        for name in ("one", "other"):
            folder = tmp_path / name
            folder.mkdir()
            (folder / "intake.db").write_bytes(new_store)
            store = stack.enter_context(closing(opening.open_store("", folder, clock=clock)))
            worlds.append(World(store, folder, clock))
        one, other = worlds
        account = msgspec.structs.replace(other.account, addresses=(OTHER,))
        other.context = msgspec.structs.replace(other.context, accounts={"support": account})
        yield one, other


def public(world: World) -> list[OutboundMessage]:
    return [each for each in world.sent() if not each.to[0].address.endswith("@desk.example")]


def stripped(content: bytes, *, names: str) -> bytes:
    """The mail without the header fields whose names fit."""
    mail = email.message_from_bytes(content, policy=email.policy.SMTP)
    for name in list(mail):
        if re.fullmatch(names, name.lower()):
            del mail[name]
    return mail.as_bytes()


def talk(one: World, other: World, *, strip: str = "", returns: str | None = None, most: int = 60) -> int:
    """Carry mail between the two until nobody says anything more; how many mails went. strip: see `stripped`.

    returns: the return path that a relay in between writes, None = what is asked for.
    """
    taken = {id(one): 0, id(other): 0}
    count = 0
    while count < most:
        news = [(here, there, mail) for here, there in ((one, other), (other, one)) for mail in public(here)[taken[id(here)] :]]  # fmt: skip
        if not news:
            return count
        for here, there, mail in news:
            taken[id(here)] += 1
            count += 1
            content = compose(mail)
            there.receive(
                mail.from_.address,
                content=stripped(content, names=strip) if strip else content,
                to=[mail.to[0].address],
                envelope_sender=mail.envelope_sender if returns is None else returns,
            )
    return count


def begin(one: World) -> None:
    """The other daemon's address seems to have written to us: its agent has, or somebody forged it."""
    one.receive(OTHER, subject="Order 7", body="Where is our order number seven?")


def test_two_of_us_fall_silent_after_one_mail_each(two: tuple[World, World]) -> None:
    """Marked mail is not answered."""
    begin(two[0])
    assert talk(*two) <= 2


MARKS = r"auto-submitted|x-auto-response-suppress|precedence|x-intaked-mark"
THREADS = r"in-reply-to|references|reply-to"


def test_our_own_mark_alone_is_enough(two: tuple[World, World]) -> None:
    """A relay that strips what RFC 3834 has us write, and the thread, and the null return path, leaves X-Intaked-Mark."""
    begin(two[0])
    strip = f"auto-submitted|x-auto-response-suppress|message-id|{THREADS}"
    assert talk(*two, strip=strip, returns="somebody@relay.example") == 1


def test_a_null_return_path_alone_is_enough(two: tuple[World, World]) -> None:
    begin(two[0])
    assert talk(*two, strip=f"{MARKS}|message-id|{THREADS}", returns="") == 1


def test_without_marks_the_thread_ends_it(two: tuple[World, World]) -> None:
    """Whoever strips every mark still says what a mail answers: it joins, and what joins is not acknowledged."""
    begin(two[0])
    assert talk(*two, strip=MARKS, returns="somebody@relay.example") <= 2


def test_without_marks_and_threads_limits_end_it(two: tuple[World, World]) -> None:
    """Nothing is left but an address that writes the same again; no hour brings it back to life."""
    begin(two[0])
    relay = {"strip": f"{MARKS}|{THREADS}|message-id", "returns": "somebody@relay.example"}
    assert talk(*two, **relay) <= 4  # type: ignore[arg-type]
    two[0].advance(hours=2)
    assert talk(*two, **relay) <= 4  # type: ignore[arg-type]


def test_agents_answers_to_each_other_go_through(two: tuple[World, World]) -> None:
    """Two desks may talk: what a person writes is neither stopped nor taken for an echo."""
    one, other = two
    begin(one)
    one.reply(one.rows("tickets")[0], "Tomorrow.")
    talk(one, other)
    assert any("Tomorrow." in row["body"] for row in other.rows("messages", "direction = 'in'"))


# -- our own mail, sent back ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "strip", ["", r"message-id|references|in-reply-to|reply-to", r"auto-submitted|x-auto.*"]
)
def test_our_mail_that_somebody_forwards_back_makes_no_ticket(world: World, strip: str) -> None:
    """It is noted on its ticket and kept in the journal; nothing goes out for it."""
    ticket = world.ticket(world.receive())
    world.reply(ticket)
    before = len(world.sent())
    for mail in world.sent():
        content = compose(mail)
        row = world.receive(mail.from_.address, content=stripped(content, names=strip) if strip else content)
        assert (row["state"], row["ticket_id"]) == ("ignored", None)
    assert len(world.rows("tickets")) == 1
    assert len(world.sent()) == before
    assert world.events(ticket).count("own_mail_came_back") == before


def test_a_made_up_message_id_in_our_name_is_no_echo(world: World) -> None:
    """The whole id must be one that we gave: its signature cannot be guessed."""
    world.receive()
    (receipt,) = world.sent("jan@customer.example")
    forged = receipt.message_id.replace(receipt.message_id.split("@")[0][-1] + "@", "x@")
    assert world.receive(SUPPORT, message_id=forged, body="hello")["state"] != "ignored"


def test_an_answer_that_quotes_our_mail_is_no_echo(world: World) -> None:
    """Even with our mark among its own fields: From is the customer's."""
    ticket = world.ticket(world.receive())
    (receipt,) = world.sent("jan@customer.example")
    row = world.receive(
        headers={loops.MARK: receipt.headers[loops.MARK], "In-Reply-To": f"<{receipt.message_id}>"}
    )
    assert (row["state"], row["ticket_id"]) == ("ticket", ticket["id"])


@pytest.mark.parametrize("change", [lambda mark: mark[:-1], lambda mark: "p" + mark[1:], lambda mark: "", lambda mark: "a.1." + mark.rpartition(".")[2]])  # fmt: skip
def test_a_mark_that_we_did_not_write_is_no_echo(world: World, change: Any) -> None:
    """Mail in our name is a message like any other, as long as it is not ours."""
    world.receive()
    (receipt,) = world.sent("jan@customer.example")
    forged = change(receipt.headers[loops.MARK])
    assert world.receive(SUPPORT, headers={loops.MARK: forged}, body="hello")["state"] != "ignored"


# -- mailboxes that answer ------------------------------------------------------------------------------------------


def shape(fields: str, subject: str, text: str, *, to: OutboundMessage, marked: bool) -> bytes:
    """An auto-reply to a receipt of ours. marked: with its header fields, else with nothing but its words."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = to.to[0].address, SUPPORT, subject
    content = mail.as_bytes().rstrip(b"\n") + b"\n"
    head = fields.replace("ours.1@desk.example", to.message_id) if marked else ""
    return content + (f"{head}\n" if head else "").encode() + b"\n" + text.encode() + b"\n"


def answered(world: World, number: int, fields: str, subject: str, text: str, *, marked: bool) -> int:
    """Let a person write whose mailbox answers whatever comes; how many mails of ours it got in the end."""
    address = f"anna{number}@far{number}.example"
    world.receive(address, body=f"Where is my order {number}?")
    seen = 0
    for _ in range(4):
        receipts = world.sent(address)
        for receipt in receipts[seen:]:
            content = shape(fields, subject, text, to=receipt, marked=marked)
            world.receive(content=content, envelope_sender=address)
        seen = len(receipts)
    return seen


def talkative(world: World, shapes: Sequence[tuple[str, str, str, str]], *, marked: bool) -> list[str]:
    """The names of the shapes that got more mails than they may."""
    most = 1 if marked else 2
    counts = {each[0]: answered(world, n, *each[1:], marked=marked) for n, each in enumerate(shapes)}
    return [f"{name}: {count}" for name, count in counts.items() if not 1 <= count <= most]


@pytest.mark.parametrize("marked", [True, False])
def test_mailboxes_that_answer_everything_are_answered_at_most_twice(world: World, *, marked: bool) -> None:
    """Whether they say that they are machines (one mail of ours) or not (two): then silence."""
    assert talkative(world, SHAPES[::8], marked=marked) == []


@pytest.mark.slow
@pytest.mark.parametrize("marked", [True, False])
def test_every_kind_of_auto_reply_is_answered_at_most_twice(world: World, *, marked: bool) -> None:
    assert talkative(world, SHAPES, marked=marked) == []
