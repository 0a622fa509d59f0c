"""A mail that the server does not give out: tried again over time, given up loudly, and in nobody's way."""

import asyncio
from collections.abc import Callable

import pytest

from tests.imap import scripted, watching
from tests.imap.scripted import Folder, Hangup, Server, Session, is_body, serving
from tests.imap.watching import Gate, mail, options

THREE = (mail("a"), mail("b"), mail("c"))


def _poison(answer: Callable[[Session, bytes], bytes], uid: bytes = b"2") -> scripted.Play:
    """Misbehave whenever the mail with this UID is asked for."""

    def play(session: Session, name: str, arguments: bytes) -> bytes | None:
        numbers = arguments.split(b" ")[0]
        if is_body(name, arguments) and int(uid) in session._uids(numbers):
            return answer(session, numbers)
        return None

    return play


def _no(session: Session, numbers: bytes) -> bytes:
    return b"{tag} NO [SERVERBUG] internal error\r\n"


def _hangup(session: Session, numbers: bytes) -> bytes:
    raise Hangup


def _endless(session: Session, numbers: bytes) -> bytes:
    raise Hangup(b"* 2 FETCH (UID 2 BODY[] {5000000000}\r\nx")


def _nil(session: Session, numbers: bytes) -> bytes:
    return b"* 2 FETCH (UID 2 BODY[] NIL)\r\n{tag} OK done\r\n"


def _silent(session: Session, numbers: bytes) -> bytes:
    return b"{tag} OK done\r\n"


@pytest.mark.parametrize("answer", [_no, _hangup, _endless, _nil, _silent], ids=lambda each: each.__name__)
async def test_one_bad_mail_is_tried_five_times_given_up_loudly_and_holds_up_nobody(
    gate: Gate, answer: Callable[[Session, bytes], bytes], caplog: pytest.LogCaptureFixture
) -> None:
    with serving(*THREE, play=_poison(answer)) as server:
        async with watching.watching(gate, options(server.port, afterwards="delete")) as channel:
            await gate.until(lambda: len(gate.stored) == 2 and bool(gate.inventories))
            while not (gate.inventories and gate.excused().get("unfetchable")):
                channel.look()
                await asyncio.sleep(0.01)
            server.folders["INBOX"].deliver(mail("later"))
            await gate.until(lambda: len(gate.stored) == 3)
        assert sorted(gate.subjects()) == ["a", "c", "later"]
        assert server.folders["INBOX"].mails[0].uid == 2
    failure = gate.position().failures[2]
    assert failure.tries == 5
    assert caplog.text.count("mail_given_up") == 1


async def test_a_given_up_mail_is_tried_again_with_each_count_and_taken_when_it_is_well(gate: Gate) -> None:
    is_ill = True

    def play(session: Session, name: str, arguments: bytes) -> bytes | None:
        return _poison(_no)(session, name, arguments) if is_ill else None

    with serving(*THREE, play=play) as server:
        async with watching.watching(gate, options(server.port, reconcile_s=0.001)) as channel:
            while not (gate.inventories and gate.excused().get("unfetchable")):
                channel.look()
                await asyncio.sleep(0.01)
            is_ill = False
            channel.look()
            await gate.until(lambda: len(gate.stored) == 3 and not gate.excused())
    assert gate.position().failures == {}


async def test_a_mail_of_the_last_hour_of_time_is_taken(gate: Gate) -> None:
    """In UTC its date is of the year 10 000, which cannot be written."""
    folder = Folder(mail("a"))
    folder.mails[0].date = '"31-Dec-9999 23:59:59 -1400"'
    with Server(folder) as server:
        async with watching.watching(gate, options(server.port)):
            await gate.until(lambda: gate.subjects() == ["a"])
