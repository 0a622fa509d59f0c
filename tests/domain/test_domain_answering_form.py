"""What an agent's answer has beside its text: a name, copies, a signature, the quote, files."""

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from channels import markup
from channels.contract import Delivered, Identity, OutboundFile, OutboundMessage
from channels.email.compose import compose
from intake import answer_form, attaching, desk, outbox, threads, tickets
from intake.delivering import Outbox
from intake.sections import Answers
from intake.store import blobs
from tests.domain.world import World


class Far:
    """The far end: takes everything."""

    def __init__(self) -> None:
        self.taken: list[OutboundMessage] = []

    async def deliver(self, outbound: OutboundMessage) -> Delivered:
        self.taken.append(outbound)
        return Delivered("1")


@pytest.fixture
def ticket(world: World) -> dict[str, Any]:
    return world.ticket(world.receive(body="My <b>printer</b>\n\n[burns](http://x.example)"))


def answers(world: World, **settings: Any) -> None:
    world.context = msgspec.structs.replace(world.context, answers=Answers(**settings))


def answer(world: World, ticket: dict[str, Any], text: str = "Try **water**.") -> OutboundMessage:
    world.reply(ticket, text)
    return world.sent("jan@customer.example")[-1]


def test_the_customers_words_stand_below_and_stay_words(world: World, ticket: dict[str, Any]) -> None:
    """Quoted line by line, with who wrote them and when; the conversation keeps only the answer."""
    sent = answer(world, ticket)
    assert sent.text == (
        "Try **water**.\n\nOn 2026-11-10, jan@customer.example wrote:\n"
        "> My <b>printer</b>\n>\n> [burns](http://x.example)\n"
    )
    page = markup.html_of(sent.markdown or sent.text)
    assert "<strong>water</strong>" in page
    assert "<blockquote>\n<p>My &lt;b&gt;printer&lt;/b&gt;</p>\n<p>[burns](http://x.example)</p>" in page
    (kept,) = world.rows("messages", "author = 'ania'")
    assert kept["body"] == "Try **water**."


def test_the_quote_can_be_left_out(world: World, ticket: dict[str, Any]) -> None:
    answers(world, quote=False)
    assert answer(world, ticket).text == "Try **water**."


def test_a_long_message_is_quoted_up_to_a_point(world: World) -> None:
    ticket = world.ticket(world.receive(body="word " * 10_000))
    text = answer(world, ticket).text
    assert len(text) < answer_form.QUOTE_MAX_CHARACTERS + 200
    assert text.rstrip().endswith("> […]")


@pytest.mark.parametrize("language", sorted(answer_form._WROTE))
def test_a_quote_is_introduced_in_the_tickets_language(
    world: World, ticket: dict[str, Any], language: str
) -> None:
    world.store.write_now(
        lambda tx: tickets.stamp(tx, tickets.locked(tx, ticket["id"]), agent_replied_at=None)
    )
    before = world.store.read_now(lambda tx: tickets.load(tx, ticket["id"]))
    assert before is not None
    said = msgspec.structs.replace(
        world.store.read_now(lambda tx: threads.load(tx, ticket["id"])).messages[-1], author_name="Jan"
    )
    below = answer_form.below(
        world.context, msgspec.structs.replace(before, language=language), said, agent="ania"
    )
    first = markup.plain(below).strip().splitlines()[0]
    assert "Jan" in first
    assert "2026-11-10" in first


def test_the_teams_signature_stands_between(world: World, ticket: dict[str, Any]) -> None:
    answers(world, signature="Example", signatures={"support": "Your **support** team"})
    sent = answer(world, ticket)
    assert sent.text.startswith("Try **water**.\n\n-- \nYour **support** team\n\n\nOn 2026")
    answers(world, signatures={"support": "The team", "ania": "Ania"})
    assert "\n-- \nAnia\n" in answer(world, ticket).text


def test_the_agent_is_named_where_the_desk_wants_it(world: World, ticket: dict[str, Any]) -> None:
    answers(world, names={"ania": "Ania K."})
    assert answer(world, ticket).from_.name == "Ania K. (Example)"
    world.reply(ticket, "x", agent="ewa")
    assert world.sent("jan@customer.example")[-1].from_.name == "Example"


def test_others_who_take_part_get_a_copy(world: World, ticket: dict[str, Any]) -> None:
    """Not we ourselves, no robot, and nobody twice."""

    def add(tx: Any) -> None:
        here = tickets.locked(tx, ticket["id"])
        for value in (
            "boss@customer.example",
            "help@example.com",
            "noreply@customer.example",
            "jan@customer.example",
        ):
            tickets.add_participant(tx, here, Identity("email", value))
        tickets.add_participant(tx, here, Identity("phone", "+48600000001"))

    world.store.write_now(add)
    assert [each.address for each in answer(world, ticket).cc] == ["boss@customer.example"]


def test_who_got_a_copy_can_answer_into_the_ticket(world: World, ticket: dict[str, Any]) -> None:
    """By the same signed reply address, because they take part."""
    world.store.write_now(
        lambda tx: tickets.add_participant(
            tx, tickets.locked(tx, ticket["id"]), Identity("email", "boss@customer.example")
        )
    )
    sent = answer(world, ticket)
    assert sent.reply_to is not None
    row = world.receive("boss@customer.example", to=[sent.reply_to.address], body="I agree.")
    assert row["ticket_id"] == ticket["id"]


def test_a_notice_is_words_altogether(world: World) -> None:
    """What it quotes is shown as it is: no link, no element; its columns stay columns."""
    world.receive(
        subject="[x](http://evil.example) <img src=x>", body="**bold** <script> http://evil.example"
    )
    (notice,) = world.sent("ania@desk.example")
    page = compose(notice).decode().partition("<body")[2]
    assert not set(re.findall(r"<(\w+)", page)) - {"p", "br"}
    assert "**bold** &lt;script&gt;" in page
    assert "Priority=C2=A0=C2=A0" in page


# -- files ----------------------------------------------------------------------------------------------------------


def reply_with(world: World, ticket: dict[str, Any], files: tuple[attaching.Prepared, ...]) -> int:
    def reply(tx: Any) -> int:
        kept = attaching.keep(tx, files)
        return desk.reply(tx, world.context, ticket["ref"], agent="ania", text="See **it**.", files=kept)

    return world.store.write_now(reply)


async def deliver(world: World, outbox_id: int) -> OutboundMessage:
    far = Far()
    sender = Outbox(world.store, {"support": far}, folder=world.folder)
    (queued,) = [each for each in await world.store.read(outbox.due) if each.id == outbox_id]
    await sender._free.acquire()
    await sender._send(queued)
    return far.taken[0]


async def test_files_go_out_with_the_answer(world: World, ticket: dict[str, Any], tmp_path: Path) -> None:
    """Small and large ones; what is queued holds their names only, and each try reads them again."""
    (tmp_path / "a.txt").write_bytes(b"small")
    (tmp_path / "b.png").write_bytes(b"P" * 1_500_000)
    files = attaching.read([tmp_path / "a.txt", tmp_path / "b.png"], folder=world.folder, max_bytes=2_000_000)
    outbox_id = reply_with(world, ticket, files)
    assert len(world.row("outbox", outbox_id)["payload"]) < 5_000
    sent = await deliver(world, outbox_id)
    assert [(each.name, each.content_type, each.content) for each in sent.attachments] == [
        ("a.txt", "text/plain", b"small"),
        ("b.png", "image/png", b"P" * 1_500_000),
    ]
    assert b'filename="b.png"' in compose(sent)


async def test_a_part_of_a_mail_goes_out_as_a_file(world: World, ticket: dict[str, Any]) -> None:
    """What an agent's mail brought along is read out of that mail."""
    raw = (
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nhi\r\n--x\r\nContent-Type: text/csv; name=a.csv\r\n"
        b"Content-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\nMTsy\r\n--x--\r\n"
    )
    blob = blobs.prepare(raw, world.folder)

    def reply(tx: Any) -> int:
        file = OutboundFile("a.csv", "text/csv", 3, "", blob=blobs.keep(tx, blob), part="2")
        return desk.reply(tx, world.context, ticket["ref"], agent="ania", text="x", files=(file,))

    sent = await deliver(world, world.store.write_now(reply))
    assert sent.attachments[0].content == b"1;2"


async def test_a_file_that_is_gone_delays_the_answer_and_says_so(
    world: World, ticket: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "b.bin").write_bytes(b"P" * 1_500_000)
    files = attaching.read([tmp_path / "b.bin"], folder=world.folder, max_bytes=2_000_000)
    outbox_id = reply_with(world, ticket, files)
    blobs.path_of(world.folder, files[0].blob.hash).unlink()
    with pytest.raises(IndexError):
        await deliver(world, outbox_id)
    row = world.row("outbox", outbox_id)
    assert (row["state"], row["attempts"]) == ("queued", 1)
    assert "cannot be read" in row["error"]


def test_the_conversation_names_the_files_of_an_answer(
    world: World, ticket: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "a.txt").write_bytes(b"small")
    reply_with(world, ticket, attaching.read([tmp_path / "a.txt"], folder=world.folder, max_bytes=10))
    (kept,) = world.rows("messages", "author = 'ania'")
    (file,) = msgspec.json.decode(kept["attachments"])
    assert (file["name"], file["size"], file["content_type"]) == ("a.txt", 5, "text/plain")


def test_too_much_is_refused_before_anything_is_kept(world: World, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"12345")
    with pytest.raises(attaching.TooMuch, match="5 bytes; an answer may carry 4"):
        attaching.read([tmp_path / "a.txt"], folder=world.folder, max_bytes=4)


def test_files_of_one_name_are_told_apart() -> None:
    assert attaching.unique_names(["a.pdf", "a.pdf", "b", "b", "../a.pdf"]) == [
        "a.pdf",
        "a-2.pdf",
        "b",
        "b-2",
        "_a.pdf",
    ]
