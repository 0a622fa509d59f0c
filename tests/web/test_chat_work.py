"""While a chat is flooded from many addresses, browsers work before each line; else nobody does."""

import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from channels.webchat import protocol, work
from channels.webchat.work import Required, Work
from intake.keys import Keys
from intake.store import opening
from tests.web.chat_daemon import Visitor
from tests.web.chat_rig import ACCOUNT, UNLIMITED, Chat, Rig, serving
from tests.web.work_done import worked

ABOVE = 5
LINE, OTHER = (str(uuid.uuid4()) for _ in range(2))


@pytest.fixture
def few_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Work that a test can do in no time."""
    monkeypatch.setattr(work, "BITS", 4)


@pytest.fixture
def make(tmp_path: Path, clock: Any, few_bits: None) -> Callable[..., Work]:
    keys = Keys.load_or_create(tmp_path / "keys.json")

    def made(above: int = ABOVE, *, others: Keys = keys) -> Work:
        return Work(above, seal=others.sign, clock=clock)

    return made


def flood(its: Work, count: int, *, address: str = "") -> int:
    """Say lines of as many addresses, or of one; how many would have been taken."""
    taken = 0
    for number in range(count):
        try:
            its.check("s", address or f"192.0.2.{number % 250}", str(number), "")
        except Required:
            continue
        taken += 1
    return taken


def asked(its: Work, session: str = "chat:a:1", about: str = LINE) -> protocol.WorkAsked:
    with pytest.raises(Required) as required:
        its.check(session, "198.51.100.1", about, "")
    return required.value.asked


def done(found: protocol.WorkAsked) -> str:
    return worked({"text": found.work.text, "bits": found.work.bits, "parts": found.work.parts})


def test_up_to_the_threshold_nobody_works_and_above_it_everybody_does(make: Callable[..., Work]) -> None:
    assert flood(make(), 100) == ABOVE


def test_when_the_flood_is_over_nobody_works(make: Callable[..., Work], clock: Any) -> None:
    its = make()
    flood(its, 100)
    clock.advance(61)
    assert flood(its, ABOVE) == ABOVE


def test_a_larger_flood_takes_more_work_up_to_a_bound(make: Callable[..., Work]) -> None:
    """One bit for each doubling, three at most: a browser is never kept for long."""
    its, bits = make(), []
    for _ in range(12):
        flood(its, ABOVE)
        bits.append(its.bits)
    assert bits == [0, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7, 7]


def test_one_address_alone_makes_nobody_work(make: Callable[..., Work]) -> None:
    """Its own limits stop it; a /64 is one address."""
    its = make(work.OF_ONE)
    assert flood(its, 1_000, address="192.0.2.1") == 1_000
    six = make(work.OF_ONE)
    for number in range(1_000):
        six.check("s", f"2001:db8:1:2::{number:x}", str(number), "")


def test_zero_means_never(make: Callable[..., Work]) -> None:
    assert flood(make(0), 5_000) == 5_000


def test_what_was_worked_out_is_good_for_its_line_alone(make: Callable[..., Work]) -> None:
    """Another line, another chat, another house: refused."""
    its = make()
    flood(its, 20)
    found = asked(its)
    text = done(found)
    its.check("chat:a:1", "198.51.100.1", LINE, text)
    assert its.is_done("chat:a:1", LINE, text)
    assert not its.is_done("chat:a:1", OTHER, text)
    assert not its.is_done("chat:a:2", LINE, text)


def test_daemons_of_one_house_take_each_others_and_no_other_does(
    make: Callable[..., Work], tmp_path: Path
) -> None:
    its, elsewhere = make(), make(others=Keys.load_or_create(tmp_path / "other.json"))
    flood(its, 20)
    text = done(asked(its))
    assert make().is_done("chat:a:1", LINE, text)
    assert not elsewhere.is_done("chat:a:1", LINE, text)


def test_what_was_worked_out_ends(make: Callable[..., Work], clock: Any) -> None:
    its = make()
    flood(its, 20)
    text = done(asked(its))
    clock.advance(work.LIVES_S - 1)
    assert its.is_done("chat:a:1", LINE, text)
    clock.advance(1)
    assert not its.is_done("chat:a:1", LINE, text)


def test_no_flipped_bit_and_no_forgery_counts(make: Callable[..., Work]) -> None:
    """Less work, more time, fewer parts, none at all, and every single bit of the signed text."""
    its = make()
    flood(its, 20)
    text = done(asked(its))
    signed, _, numbers = text.partition(":")
    until, bits, seal = signed.split(".")
    forged = [
        f"{int(until) + 60}.{bits}.{seal}:{numbers}",
        f"{until}.1.{seal}:{numbers}",
        f"{until}.0.{seal}:{numbers}",
    ]
    forged += [
        f"{signed}:{numbers.rpartition(',')[0]}",
        signed,
        f"{signed}:",
        "",
        "9" * 300,
        f"{text},1",
        "\0" * 100,
    ]
    forged += [f"{signed}:{','.join(['4294967295'] * work.PARTS)}"]
    raw = signed.encode()
    for place in range(len(raw)):
        for bit in range(8):
            flipped = bytes([*raw[:place], raw[place] ^ 1 << bit, *raw[place + 1 :]]).decode("latin-1")
            forged.append(f"{flipped}:{numbers}")
    assert not any(its.is_done("chat:a:1", LINE, each) for each in forged)


# -- on the wire ------------------------------------------------------------------------------------------------------


@pytest.fixture
async def chat(tmp_path: Path, clock: Any, new_store: bytes, few_bits: None) -> AsyncIterator[Chat]:
    (tmp_path / "intake.db").write_bytes(new_store)
    limits = {"limits": UNLIMITED | {"work_above_lines_per_minute": 3}}
    with closing(opening.open_store("", tmp_path, clock=clock)) as store:
        async with serving(Rig(store, tmp_path, clock, options=limits)) as chat:
            yield chat


async def write(who: Visitor, text: str, **said: Any) -> dict[str, Any]:
    return await who.write(text, line_id=str(uuid.uuid4()), **said)


async def heat(chat: Chat) -> Visitor:
    ola = chat.visitor()
    await ola.connect()
    for number in range(3):
        assert (await write(ola, f"line {number}"))["t"] == "ack"
    return ola


async def test_a_line_waits_for_the_work_and_is_kept_once(chat: Chat) -> None:
    """Without it nothing is kept; with it the line is; said again it is answered as before; for another line it is no good."""
    ola, line_id = await heat(chat), str(uuid.uuid4())
    refused = await ola.write("Hello", line_id=line_id)
    assert (refused["t"], refused["code"], refused["id"]) == ("error", "work_required", line_id)
    assert len(chat.rig.rows("journal")) == 3
    text = worked(refused["work"])
    first = await ola.write("Hello", line_id=line_id, work=text)
    assert first == await ola.write("Hello, replayed", line_id=line_id, work=text)
    assert (await write(ola, "Stolen", work=text))["code"] == "work_required"
    assert [each["text"] for each in chat.rig.rows("session_lines")] == [
        "line 0",
        "line 1",
        "line 2",
        "Hello",
    ]


@pytest.mark.parametrize(
    "said",
    [
        {"t": "contact", "email": "a@b.example", "name": "A"},
        {"t": "end"},
        {"t": "resume", "link": "x"},
        {"t": "transcript"},
        {"t": "forget"},
    ],
)
async def test_everything_that_is_kept_waits_for_it(chat: Chat, said: dict[str, Any]) -> None:
    ola, about = await heat(chat), str(uuid.uuid4())
    what = said.pop("t")
    await ola.say(what, id=about, **said)
    assert (await ola.hear("ack", "error", about=about))["code"] == "work_required"


async def test_a_file_waits_for_it_and_is_not_read_before(chat: Chat) -> None:
    ola, file_id = await heat(chat), str(uuid.uuid4())
    query = {"id": file_id, "name": "a.txt"}
    status, answer, _ = await ola.ask("POST", "upload", params=query, data=BytesIO(b"words"))
    assert (status, answer["code"], len(chat.rig.rows("blobs"))) == (428, "work_required", 3)
    query["work"] = worked(answer["work"])
    status, _, _ = await ola.ask("POST", "upload", params=query, data=BytesIO(b"words"))
    assert status == 200


async def test_without_a_chat_nothing_is_kept_of_asking_to_forget_it(chat: Chat) -> None:
    """So that a flood has no way around the work."""
    await heat(chat)
    before = len(chat.rig.rows("journal"))
    stranger = chat.visitor()
    for path in ("forget", "transcript"):
        assert (await stranger.ask("POST", path))[0] == 202
    assert len(chat.rig.rows("journal")) == before


async def test_marks_and_typing_go_on(chat: Chat) -> None:
    ola = await heat(chat)
    await ola.say("got", seq=3)
    await ola.say("ping")
    assert (await ola.hear("pong", "error"))["t"] == "pong"


def test_the_account_is_in_the_seal(make: Callable[..., Work]) -> None:
    """A session is named with its account: what is worked out for one account is no good at another."""
    from channels.webchat import tokens

    its = make()
    flood(its, 20)
    own, other = (tokens.session_of(each, "A" * 43) for each in (ACCOUNT, "other"))
    text = done(asked(its, own))
    assert (its.is_done(own, LINE, text), its.is_done(other, LINE, text)) == (True, False)
