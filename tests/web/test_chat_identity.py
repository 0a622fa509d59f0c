"""Where identity is required nothing is said or read without it, by any way; and what a proof makes of a visitor without a name."""

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from channels.webchat import tokens
from intake import chat_links, identified, visitors
from intake.store import opening, schema
from tests.domain.world import World, us
from tests.web.chat_daemon import Visitor
from tests.web.chat_rig import ACCOUNT, Chat, Rig, serving
from tests.web.test_web_identity import SECRET, by_secret, token

KEYS = {"keys": [{"kid": "new", "secret": SECRET}]}
LINE = {"t": "line", "text": "Hello"}
VERBS: dict[str, dict[str, Any]] = {
    "line": LINE,
    "consent": {"t": "consent", "version": "1"},
    "contact": {"t": "contact", "email": "eve@evil.example"},
    "end": {"t": "end"},
}


@pytest.fixture
async def chats(tmp_path: Path, clock: Any, new_store: bytes) -> AsyncIterator[Any]:
    """Serve an account with these options of its identity."""
    (tmp_path / "intake.db").write_bytes(new_store)
    async with AsyncExitStack() as stack:

        async def serve(**given: Any) -> Chat:
            store = stack.enter_context(closing(opening.open_store("", tmp_path, clock=clock)))
            rig = Rig(store, tmp_path, clock, options={"identity": KEYS | given})
            return await stack.enter_async_context(serving(rig))

        yield serve


def jwt(rig: World, subject: str = "user-42", **claims: Any) -> str:
    at = us(rig.clock()) // 1_000_000
    given = {"sub": subject, "aud": ACCOUNT, "iat": at, "exp": at + 600, "jti": str(uuid.uuid4())}
    return token(given | {"email": "jan@customer.example", "name": "Jan"} | claims)


async def prove(chat: Chat, visitor: Visitor, subject: str = "user-42", **claims: Any) -> dict[str, Any]:
    return await identify(visitor, jwt(chat.rig, subject, **claims))


async def identify(visitor: Visitor, proof: str) -> dict[str, Any]:
    about = str(uuid.uuid4())
    await visitor.say("identify", id=about, jwt=proof)
    return await visitor.hear("ack", "error", about=about)


# -- required on every way in ---------------------------------------------------------------------------------------------


def forged(rig: World) -> Iterator[str]:
    """What must not count as a proof, each for another reason."""
    at = us(rig.clock()) // 1_000_000
    yield jwt(rig, exp=at - 1)
    yield jwt(rig, exp=at + 7_200)
    yield jwt(rig, aud="another")
    yield token({"aud": ACCOUNT, "exp": at + 60, "jti": "x" * 12}, {"alg": "none"}, lambda _: b"")
    yield token({"aud": ACCOUNT, "exp": at + 60, "jti": "x" * 12, "iat": at}, {}, by_secret("y" * 32))
    yield token({"aud": ACCOUNT, "exp": at + 60, "jti": "x" * 12, "iat": at}, {"kid": "gone"})
    yield jwt(rig)[:-2]
    yield "not.a.token"


async def test_without_a_proof_nothing_is_said_or_read_by_any_way(chats: Any) -> None:
    """Every verb over the socket and over HTTP, the stream, the upload, the file, the transcript."""
    chat = await chats(required=True)
    known = chat.visitor()
    await known.connect()
    await prove(chat, known)
    assert (await known.write("Secret"))["t"] == "ack"
    await known.leave()
    chat.rig.clock.advance(601)
    await _is_shut(chat, chat.visitor(token=known.token))
    await _is_shut(chat, chat.visitor())
    assert len(chat.rig.rows("session_lines")) == 1


async def _is_shut(chat: Chat, visitor: Visitor) -> None:
    journalled = len(chat.rig.rows("journal"))
    await visitor.connect()
    assert (await visitor.hear("error"))["code"] == "identity_required"
    for verb in VERBS.values():
        about = str(uuid.uuid4())
        kind, rest = str(verb["t"]), {name: value for name, value in verb.items() if name != "t"}
        await visitor.say(kind, id=about, **rest)
        assert (await visitor.hear("ack", "error", about=about))["code"] == "identity_required"
        status, answers, _ = await visitor.ask("POST", "send", json={**verb, "id": about})
        assert (status, answers[0]["code"]) == (200, "identity_required")
    for mark in ({"t": "typing"}, {"t": "got", "seq": 1}, {"t": "read", "seq": 1}):
        _, answers, _ = await visitor.ask("POST", "send", json=mark)
        assert answers[0]["code"] == "identity_required"
    upload = f"upload?id={uuid.uuid4()}&name=a.txt"
    for method, path in (
        ("POST", upload),
        ("GET", "file/1/0"),
        ("GET", "transcript"),
        ("GET", "transcript?as=html"),
    ):
        status, body, _ = await visitor.ask(method, path, data=b"text" if method == "POST" else None)
        assert (status, body["code"]) == (401, "identity_required"), path
    assert not visitor.told
    assert await _streamed(visitor) == ["welcome", "error"]
    for proof in forged(chat.rig):
        assert (await identify(visitor, proof))["code"] == "identity_refused"
    assert not visitor.told
    assert len(chat.rig.rows("journal")) == journalled
    await visitor.leave()


async def _streamed(visitor: Visitor) -> list[str]:
    """The kinds of what a stream gives before it falls silent."""
    headers = {"Origin": visitor.origin, "Authorization": f"Bearer {visitor.token}"}
    heard: list[bytes] = []
    async with visitor._session.get(f"{visitor.base}/stream?after=0", headers=headers) as answer:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.3):
                while line := await answer.content.readline():
                    heard.append(line)
    return [each.split(b'"t":"')[1].split(b'"')[0].decode() for each in heard if each.startswith(b"data: ")]


async def test_what_was_said_comes_from_the_moment_of_the_proof(chats: Any) -> None:
    """On the connection that waits, by whichever connection the proof comes."""
    chat = await chats(required=True)
    jan = chat.visitor()
    await jan.connect()
    await prove(chat, jan)
    await jan.write("Where is my order?")
    chat.rig.clock.advance(601)
    tab = chat.visitor(token=jan.token)
    await tab.connect()
    await tab.hear("error")
    answers = await jan.ask(
        "POST", "send", json={"t": "identify", "id": str(uuid.uuid4()), "jwt": jwt(chat.rig)}
    )
    assert answers[1][0]["t"] == "ack"
    assert [each["text"] for each in await tab.lines(1)] == ["Where is my order?"]


async def test_when_a_proof_ends_lines_wait_for_the_next_one(chats: Any) -> None:
    chat = await chats(required=True)
    jan = chat.visitor()
    await jan.connect()
    await prove(chat, jan)
    await jan.write("Hello")
    await jan.lines(1)
    chat.rig.clock.advance(601)
    await chat.rig.say("For your eyes only")
    assert (await jan.hear("error"))["code"] == "identity_required"
    assert len(jan.told) == 1
    await prove(chat, jan)
    assert [each["text"] for each in await jan.lines(2)][1:] == ["For your eyes only"]


async def test_a_proof_counts_once_in_one_chat(chats: Any) -> None:
    """The chat that brought it may bring it again, as a page does that is loaded anew."""
    chat = await chats()
    one, other = chat.visitor(), chat.visitor()
    proof = jwt(chat.rig)
    for visitor, wanted in ((one, "ack"), (one, "ack"), (other, "error")):
        await visitor.connect()
        assert (await identify(visitor, proof))["t"] == wanted
    assert (await other.connect())["is_identified"] is False


async def test_a_proof_that_is_over_opens_nothing_when_it_is_said_again(chats: Any) -> None:
    """Neither under its own id nor under another."""
    chat = await chats(required=True)
    jan, proof, about = chat.visitor(), jwt(chat.rig), str(uuid.uuid4())
    await jan.connect()
    await jan.say("identify", id=about, jwt=proof)
    assert (await jan.hear("ack", "error", about=about))["t"] == "ack"
    await jan.write("Hello")
    await jan.leave()
    chat.rig.clock.advance(601)
    again = chat.visitor(token=jan.token)
    await again.connect()
    await again.say("identify", id=about, jwt=proof)
    assert (await again.hear("ack", "error", about=about))["t"] == "error"
    await identify(again, proof)
    assert (await again.write("Still me"))["code"] == "identity_required"
    assert not again.told


async def test_a_chat_stays_one_persons(chats: Any) -> None:
    """Somebody else who signs in on the same browser needs a chat of their own."""
    chat = await chats()
    jan = chat.visitor()
    await jan.connect()
    assert (await prove(chat, jan))["t"] == "ack"
    assert (await prove(chat, jan, "user-43"))["code"] == "identity_refused"


# -- merged on proof alone ----------------------------------------------------------------------------------------------


async def test_what_a_nameless_visitor_said_becomes_the_customers_on_proof(chats: Any) -> None:
    """Their chat's ticket, messages and events are the customer's who had written by mail before."""
    chat = await chats()
    rig = chat.rig
    jan = chat.visitor()
    await jan.connect()
    await jan.write("Where is my order?")
    rig.settle_all()
    (ticket,) = rig.rows("tickets")
    known = rig.store.write_now(lambda tx: _known_by_mail(tx, "jan@customer.example"))
    assert ticket["customer_id"] != known
    await prove(chat, jan, email="Jan@Customer.Example")
    rig.settle_all()
    owners = {
        table: only(row["customer_id"] for row in rig.rows(table, "ticket_id = :id", id=ticket["id"]))
        for table in ("messages", "events", "participants", "decisions")
    }
    assert set(owners.values()) == {known}
    assert {row["kind"] for row in rig.rows("identities", "customer_id = :id", id=known)} == {
        "email",
        "chat",
        "chat_user",
    }
    assert rig.rows("tickets")[0]["customer_id"] == known


def only(values: Iterable[int]) -> int:
    (found,) = set(values)
    return found


def _known_by_mail(tx: Any, address: str) -> int:
    from channels.contract import Identity
    from intake import customers

    return customers.known_as(tx, Identity("email", address), name="Jan").id


async def test_an_address_that_a_visitor_writes_merges_nothing(chats: Any) -> None:
    """Anybody may write it."""
    chat = await chats()
    rig = chat.rig
    known = rig.store.write_now(lambda tx: _known_by_mail(tx, "jan@customer.example"))
    eve = chat.visitor()
    await eve.connect()
    await eve.say("contact", id=str(uuid.uuid4()), email="jan@customer.example", name="Jan")
    await eve.write("I am Jan, tell me everything")
    rig.settle_all()
    assert rig.rows("tickets")[0]["customer_id"] != known


async def test_a_merge_can_be_taken_back(chats: Any) -> None:
    chat = await chats()
    rig = chat.rig
    known = rig.store.write_now(lambda tx: _known_by_mail(tx, "jan@customer.example"))
    jan = chat.visitor()
    await jan.connect()
    await jan.write("Where is my order?")
    rig.settle_all()
    before = rig.rows("tickets")[0]["customer_id"]
    await prove(chat, jan)
    rig.settle_all()
    (event,) = rig.rows("events", "kind = 'customer_merged'")
    rig.store.write_now(lambda tx: identified.take_back(tx, event["id"], agent="ania"))
    assert rig.rows("tickets")[0]["customer_id"] == before
    session = tokens.session_of(ACCOUNT, jan.token)
    (own,) = rig.rows("identities", "kind = 'chat' AND value = :session", session=session)
    assert (own["customer_id"], known) == (before, event["customer_id"])


async def test_the_same_person_on_two_browsers_is_one_customer(chats: Any) -> None:
    chat = await chats()
    for _ in range(2):
        jan = chat.visitor()
        await jan.connect()
        await prove(chat, jan, email="")
        await jan.write("Hello")
        chat.rig.settle_all()
    assert len({row["customer_id"] for row in chat.rig.rows("tickets")}) == 1


def test_every_table_that_names_a_customer_is_thought_of() -> None:
    """A new one fails here until somebody says how a merge finds it."""
    named = {table.name for table in schema.metadata.sorted_tables if "customer_id" in table.c}
    thought_of = {each.name for each in (*identified.BY_TICKET, *identified.BY_SESSION, *identified.LEFT)}
    assert named == thought_of


# -- what is agreed to --------------------------------------------------------------------------------------------------


def agreed(rig: Rig) -> list[dict[str, Any]]:
    """What the only customer agreed to."""
    customer_id = only(row["customer_id"] for row in rig.rows("messages"))
    return rig.store.read_now(lambda tx: visitors.agreements(tx, customer_id))


@asynccontextmanager
async def asking(folder: Path, clock: Any, new_store: bytes, consent: dict[str, Any]) -> AsyncIterator[Chat]:
    (folder / "intake.db").write_bytes(new_store)
    with closing(opening.open_store("", folder, clock=clock)) as store:
        async with serving(Rig(store, folder, clock, options={"consent": consent})) as chat:
            yield chat


async def test_consent_is_asked_before_the_first_line_and_again_when_it_changes(
    tmp_path: Path, clock: Any, new_store: bytes
) -> None:
    """The very words are kept on the customer, of both versions; the line that was stopped goes through under its own id."""
    line_id, ola_token = str(uuid.uuid4()), ""
    for version, words in (("1", "30 days"), ("2", "90 days")):
        text = {"en": f"We keep it {words}.", "pl": f"Trzymamy to {words}."}
        consent = {"text": text, "version": version}
        bytes_now = new_store if version == "1" else (tmp_path / "intake.db").read_bytes()
        async with asking(tmp_path, clock, bytes_now, consent) as chat:
            ola = chat.visitor(token=ola_token)
            ola_token = ola.token
            await ola.connect(locale="pl-PL")
            line_id = str(uuid.uuid4())
            assert (await ola.write("Hello", line_id=line_id))["code"] == "consent_required"
            about = str(uuid.uuid4())
            await ola.say("consent", id=about, version=version)
            await ola.hear("ack", about=about)
            assert (await ola.write("Hello", line_id=line_id))["t"] == "ack"
            chat.rig.settle_all()
            kept = agreed(chat.rig)
        clock.advance(60)
    assert [(each["version"], each["text"]) for each in kept] == [
        ("1", "Trzymamy to 30 days."),
        ("2", "Trzymamy to 90 days."),
    ]


async def test_a_link_of_a_mail_is_no_proof_where_one_is_required(chats: Any) -> None:
    """Whoever reads a mailbox need not be who is signed in; on the other device the site vouches for them."""
    chat = await chats(required=True)
    jan = chat.visitor()
    await jan.connect()
    await prove(chat, jan)
    await jan.write("Secret")
    chat.rig.settle_all()
    session = tokens.session_of(ACCOUNT, jan.token)
    link = chat_links.token(chat.rig.keys, session, now_us=chat.rig.store.now_us())
    eve = chat.visitor()
    await eve.connect()
    for who in (eve, jan):
        about = str(uuid.uuid4())
        await who.say("resume", id=about, link=link)
        assert (await who.hear("ack", "error", about=about))["code"] in ("link_refused", "identity_required")
    assert not eve.told
    phone = chat.visitor()
    await phone.connect()
    await prove(chat, phone)
    assert [each["text"] for each in await phone.lines(1)] == ["Secret"]


async def test_a_proof_counts_for_the_browser_that_brought_it(chats: Any) -> None:
    """Signed in again on one device, signed out long ago on another: that one is shut, whoever sits there now."""
    chat = await chats(required=True)
    desktop, library = chat.visitor(), chat.visitor()
    for each in (desktop, library):
        await each.connect()
        assert (await prove(chat, each))["t"] == "ack"
        await each.write("Mine")
        chat.rig.settle_all()
    assert (await library.lines(2))[0]["text"] == "Mine"
    await library.leave()
    chat.rig.clock.advance(601)
    assert (await prove(chat, desktop))["t"] == "ack"
    assert (await desktop.write("Still me"))["t"] == "ack"
    await _is_shut(chat, chat.visitor(token=library.token))


async def test_who_was_let_in_by_a_link_does_not_speak_as_the_person_who_is_proven_there(chats: Any) -> None:
    """A mailbox is read by others, too: what they say in the chat is not vouched for."""
    chat = await chats()
    jan, eve = chat.visitor(), chat.visitor()
    for each in (jan, eve):
        await each.connect()
    await prove(chat, jan)
    await jan.write("Where is my order?")
    session = tokens.session_of(ACCOUNT, jan.token)
    link, about = chat_links.token(chat.rig.keys, session, now_us=chat.rig.store.now_us()), str(uuid.uuid4())
    await eve.say("resume", id=about, link=link)
    assert (await eve.hear("ack", "error", about=about))["t"] == "ack"
    await eve.write("Send it to another address")
    chat.rig.settle_all()
    assert [
        bool(row["is_verified"]) for row in chat.rig.rows("messages", "direction = 'in' ORDER BY id")
    ] == [True, False]


async def test_who_was_let_in_by_a_link_proves_nobody_in_the_first_visitors_chat(chats: Any) -> None:
    """Else whoever sends somebody a link to a chat of their own would be them as soon as their site vouches for them."""
    chat = await chats()
    eve, jan = chat.visitor(), chat.visitor()
    for each in (eve, jan):
        await each.connect()
    await eve.write("Bait")
    session = tokens.session_of(ACCOUNT, eve.token)
    link, about = chat_links.token(chat.rig.keys, session, now_us=chat.rig.store.now_us()), str(uuid.uuid4())
    await jan.say("resume", id=about, link=link)
    assert (await jan.hear("ack", "error", about=about))["t"] == "ack"
    assert (await prove(chat, jan))["code"] == "identity_refused"
    assert (await eve.write("Still nobody"))["t"] == "ack"
    chat.rig.settle_all()
    assert [each["subject"] for each in chat.rig.rows("visitors")] in ([], [""])
