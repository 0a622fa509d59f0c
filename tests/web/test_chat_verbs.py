"""Each verb of the chat, said by everybody: only whose chat it is changes it or hears of it. A verb without its row fails."""

import uuid
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any, get_args

import aiohttp
import msgspec
import pytest

from channels.webchat import protocol, tokens
from intake.store import opening
from tests.web.chat_daemon import SITE, Visitor, new_token
from tests.web.chat_rig import Chat, Rig, serving

# What each verb says when it is about ola's chat as exactly as it can be. ID: of her line; JWT: signed by somebody else.
ID = str(uuid.uuid4())
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJvbGEifQ.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
VERBS: dict[str, dict[str, Any]] = {
    "hello": {"token": "", "after": 0},
    "line": {"id": ID, "text": "I am ola", "files": [ID]},
    "typing": {},
    "got": {"seq": 2},
    "read": {"seq": 2},
    "consent": {"id": ID, "version": "1"},
    "contact": {"id": ID, "email": "eve@evil.example", "name": "Ola"},
    "identify": {"id": ID, "jwt": JWT},
    "end": {"id": ID},
    "resume": {"id": ID, "link": f"{'0' * 64}.tptnwc.a{'a' * 26}"},
    "transcript": {"id": ID},
    "forget": {"id": ID},
    "ping": {},
}
SECRETS = ("where is my order", "it is on its way")


@pytest.fixture
async def chat(tmp_path: Path, clock: Any, new_store: bytes) -> AsyncIterator[Chat]:
    (tmp_path / "intake.db").write_bytes(new_store)
    with closing(opening.open_store("", tmp_path, clock=clock)) as store:
        async with serving(Rig(store, tmp_path, clock)) as chat:
            yield chat


@pytest.fixture
async def ola(chat: Chat) -> Visitor:
    """A visitor with a line of hers and an answer to it, both unread."""
    visitor = chat.visitor()
    await visitor.connect()
    await visitor.write(SECRETS[0], line_id=ID)
    await chat.rig.say(SECRETS[1])
    await visitor.leave()
    return visitor


def rows_of(chat: Chat, visitor: Visitor) -> dict[str, Any]:
    """Everything in the store that is of a visitor's chat."""
    session = tokens.session_of("website", visitor.token)
    return {
        "feed": [each for each in chat.rig.rows("feeds") if each["session"] == session],
        "lines": [each for each in chat.rig.rows("session_lines") if each["session"] == session],
        "state": [each for each in chat.rig.rows("sessions") if session in each.values()],
        "tickets": chat.rig.rows("tickets", "1 = 1 ORDER BY id")[:1],
        "outbox": [(each["id"], each["state"]) for each in chat.rig.rows("outbox")],
        "customers": chat.rig.rows("customers", "1 = 1 ORDER BY id")[:1],
    }


async def all_said(socket: aiohttp.ClientWebSocketResponse) -> tuple[str, int | None]:
    """Say ping, hear everything up to its answer or the end; the text of all of it, and the code of the end."""
    heard = ""
    if not socket.closed:
        await socket.send_str('{"t":"ping"}')
    async for message in socket:
        heard += message.data
        if '"pong"' in message.data:
            return heard, None
    return heard, socket.close_code


def test_every_verb_has_its_row() -> None:
    """Made from the protocol itself."""
    tags = {each.__struct_config__.tag for each in get_args(protocol.Visitor)}
    assert tags == set(VERBS)


@pytest.mark.slow
@pytest.mark.parametrize("verb", sorted(VERBS))
async def test_who_has_not_said_whose_chat_it_is_says_nothing(chat: Chat, ola: Visitor, verb: str) -> None:
    """Neither a stranger nor an agent with a session of the desk: the first word is hello, with a token."""
    before = rows_of(chat, ola)
    for cookies in ({}, {"intake": new_token()}):
        async with (
            aiohttp.ClientSession(cookies=cookies) as session,
            session.ws_connect(f"{chat.base}/socket", origin=SITE) as socket,
        ):
            await socket.send_str(msgspec.json.encode({"t": verb, **VERBS[verb]}).decode())
            heard, code = await all_said(socket)
            assert code in ((4401,) if verb == "hello" else (1008,))
            assert not any(each in heard for each in SECRETS)
    assert rows_of(chat, ola) == before


@pytest.mark.parametrize("verb", sorted(set(VERBS) - {"hello"}))
async def test_another_visitor_changes_nothing_of_a_chat_and_hears_nothing_of_it(
    chat: Chat, ola: Visitor, verb: str
) -> None:
    """With her ids and her numbers, by the socket and by POST."""
    before = rows_of(chat, ola)
    eve = chat.visitor()
    await eve.connect()
    await eve.say(verb, **VERBS[verb])
    assert eve.socket is not None
    heard, _ = await all_said(eve.socket)
    status, body, _ = await eve.ask("POST", "send", json={"t": verb, **VERBS[verb]})
    chat.rig.settle_all()
    assert status in (200, 400, 403, 429), (verb, body)
    assert not any(each in heard + str(body) for each in SECRETS)
    assert rows_of(chat, ola) == before


@pytest.mark.slow
@pytest.mark.parametrize("verb", sorted(set(VERBS) - {"hello"}))
async def test_by_post_a_verb_without_a_good_token_is_not_taken(chat: Chat, ola: Visitor, verb: str) -> None:
    """None, one that is none, and one with a bit flipped, which names an empty chat."""
    before = rows_of(chat, ola)
    body = msgspec.json.encode({"t": verb, **VERBS[verb]})
    for given in ("", "Bearer", f"Bearer {ola.token}x", f"Bearer {ola.token[:-1]}", f"Basic {ola.token}"):
        headers = {"Origin": SITE, "Authorization": given, "Content-Type": "application/json"}
        status, _, _ = await chat.ask("POST", "send", headers=headers, data=body)
        assert status == 401, given
    assert rows_of(chat, ola) == before


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", "http://shop.example"])
async def test_no_verb_is_heard_from_a_page_of_another_site(
    chat: Chat, ola: Visitor, origin: str | None
) -> None:
    """With her own token even: the page of another site has no socket and no answer."""
    before = rows_of(chat, ola)
    headers = {"Authorization": f"Bearer {ola.token}"} | ({} if origin is None else {"Origin": origin})
    for verb, said in VERBS.items():
        status, _, _ = await chat.ask("POST", "send", headers=headers, json={"t": verb, **said})
        assert status == 403, verb
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(
                f"{chat.base}/socket", headers={} if origin is None else {"Origin": origin}
            )
        assert refused.value.status == 403
    assert rows_of(chat, ola) == before


async def test_her_own_token_does_what_the_verbs_say(chat: Chat, ola: Visitor) -> None:
    """The same words change her chat when she says them: what the others were refused is something."""
    before = rows_of(chat, ola)
    await ola.connect()
    for verb in ("got", "read", "end"):
        await ola.say(verb, **({"seq": 2} if verb != "end" else {"id": str(uuid.uuid4())}))
    assert ola.socket is not None
    await all_said(ola.socket)
    await ola.leave()
    after = rows_of(chat, ola)
    assert after["lines"] != before["lines"]
    assert after["outbox"] != before["outbox"] or after["feed"] != before["feed"]
