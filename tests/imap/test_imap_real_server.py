"""email.imap against a real server: Dovecot, or pymap where Dovecot is not installed."""

import asyncio
import logging

import pytest

from channels.email import imap
from tests.imap import watching
from tests.imap.mail_server import MailServer
from tests.imap.watching import Gate, mail, options

pytestmark = pytest.mark.slow  # a server takes two seconds to start; played ones are in the quick tests


def _flags(server: MailServer, user: str, folder: str = "INBOX") -> list[tuple[bytes, ...]]:
    """The flags of each mail, \\Recent apart."""
    with server.client(user) as client:
        client.select_folder(folder, readonly=True)
        found = client.get_flags(client.search("ALL")).values()
        return [tuple(flag for flag in flags if flag != b"\\Recent") for flags in found]


def _held(server: MailServer, user: str, folder: str = "INBOX") -> int:
    with server.client(user) as client:
        return int(client.folder_status(folder, ["MESSAGES"])[b"MESSAGES"])


async def test_it_takes_what_is_there_in_order(server: MailServer, user: str, gate: Gate) -> None:
    server.deliver(user, *(mail(f"m{number}") for number in range(120)))
    async with watching.watching(gate, options(server.port, user)):
        await gate.until(lambda: len(gate.stored) == 120)
    assert gate.subjects() == [f"m{n}" for n in range(120)]


async def test_new_mail_comes_by_idle(server: MailServer, user: str, gate: Gate) -> None:
    """One may come by a look that was on its way, two only by IDLE: the next look without it is a minute away."""
    subjects = ["news", "more news"]
    async with watching.watching(gate, options(server.port, user)):
        await gate.until(lambda: gate.counts > 0)
        for number, subject in enumerate(subjects, start=1):
            # In a thread of its own: the channel shares the loop, and would not begin to wait before the mail is there.
            await asyncio.to_thread(server.deliver, user, mail(subject))
            await gate.until(lambda: len(gate.stored) == number)  # noqa: B023 - awaited at once
    assert gate.subjects() == subjects


async def test_the_bytes_are_those_of_the_server(server: MailServer, user: str, gate: Gate) -> None:
    body = mail("bytes", body="\r\n.\r\n) OK {5}\r\n* BYE\r\nśćż \x00".replace("\x00", "")) + bytes(
        range(128, 256)
    )
    server.deliver(user, body)
    async with watching.watching(gate, options(server.port, user)):
        await gate.until(lambda: len(gate.stored) == 1)
    assert gate.stored[0].body == body.replace(b"\r\n", server.line_end)


async def test_mail_that_a_person_has_read_is_taken(server: MailServer, user: str, gate: Gate) -> None:
    server.deliver(user, mail("read"), flags=(b"\\Seen",))
    async with watching.watching(gate, options(server.port, user)):
        await gate.until(lambda: gate.subjects() == ["read"])


async def test_keeping_changes_no_flag(server: MailServer, user: str, gate: Gate) -> None:
    server.deliver(user, mail("kept"))
    async with watching.watching(gate, options(server.port, user)):
        await gate.until(lambda: gate.counts > 0)
    assert _flags(server, user) == [()]


@pytest.mark.parametrize("mark", ["\\Seen", "Stored"])
async def test_marking_sets_the_flag(server: MailServer, user: str, gate: Gate, mark: str) -> None:
    server.deliver(user, mail("marked"))
    async with watching.watching(gate, options(server.port, user, afterwards="mark", mark=mark)):
        await gate.until(lambda: gate.counts > 0)
    assert _flags(server, user) == [(mark.encode(),)]


async def test_moving_makes_the_folder(server: MailServer, user: str, gate: Gate) -> None:
    server.deliver(user, mail("one"), mail("two"))
    async with watching.watching(gate, options(server.port, user, afterwards="move", move_to="Done")):
        await gate.until(lambda: gate.counts > 0)
    assert (_held(server, user), _held(server, user, "Done")) == (0, 2)


async def test_deleting_leaves_what_others_marked(server: MailServer, user: str, gate: Gate) -> None:
    """Only our own UIDs are expunged: a mail too big for us, which somebody else has marked, stays."""
    server.deliver(user, mail("theirs", body="x" * 20_000), flags=(b"\\Deleted",))
    server.deliver(user, mail("ours"))
    chosen = options(server.port, user, afterwards="delete", max_size_bytes=10_000)
    async with watching.watching(gate, chosen):
        await gate.until(lambda: gate.counts > 0)
    assert gate.subjects() == ["ours"]
    assert _flags(server, user) == [(b"\\Deleted",)]


async def test_another_setting_does_not_reach_back_to_what_was_kept(
    server: MailServer, user: str, gate: Gate
) -> None:
    server.deliver(user, mail("kept"))
    async with watching.watching(gate, options(server.port, user)):
        await gate.until(lambda: gate.counts > 0)
    server.deliver(user, mail("deleted"))
    async with watching.watching(gate, options(server.port, user, afterwards="delete")):
        await gate.until(lambda: len(gate.stored) == 2 and gate.counts == 2)
    assert _held(server, user) == 1


async def test_while_the_store_is_down_nothing_is_deleted_and_then_all_is_taken(
    server: MailServer, user: str, gate: Gate
) -> None:
    server.deliver(user, *(mail(f"m{number}") for number in range(60)))
    gate.fault = "unavailable"
    async with watching.watching(gate, options(server.port, user, afterwards="delete")):
        await gate.until(lambda: gate.submitted >= 60)
        assert _held(server, user) == 60
        gate.fault = None
        await gate.until(lambda: len(gate.stored) == 60 and gate.counts > 0)
    assert _held(server, user) == 0


async def test_after_days_away_everything_is_caught_up(server: MailServer, user: str, gate: Gate) -> None:
    server.deliver(user, mail("before"))
    async with watching.watching(gate, options(server.port, user)):
        await gate.until(lambda: gate.counts > 0)
    server.deliver(user, *(mail(f"away{number}") for number in range(30)), flags=(b"\\Seen",))
    async with watching.watching(gate, options(server.port, user)):
        await gate.until(lambda: len(gate.stored) == 31)
    assert gate.submitted == 31


async def test_new_means_from_now_on_also_before_the_first_mail(
    server: MailServer, user: str, gate: Gate
) -> None:
    """What came while the daemon was away after its first start is new."""
    server.deliver(user, mail("old"))
    async with watching.watching(gate, options(server.port, user, start="new")):
        await gate.until(lambda: gate.counts > 0)
    server.deliver(user, mail("new"))
    async with watching.watching(gate, options(server.port, user, start="new")):
        await gate.until(lambda: gate.counts == 2 and len(gate.stored) == 1)
    assert gate.subjects() == ["new"]


async def test_a_renumbered_folder_brings_nothing_twice(
    server: MailServer, user: str, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    server.deliver(user, mail("a"), mail("b"), mail("anonymous", identified=False))
    async with watching.watching(gate, options(server.port, user)):
        await gate.until(lambda: gate.counts > 0)
    server.renumber(user)
    server.deliver(user, mail("c"))
    with caplog.at_level(logging.WARNING):
        async with watching.watching(gate, options(server.port, user)):
            await gate.until(lambda: len(gate.stored) == 4 and gate.counts == 2)
    assert sorted(gate.subjects()) == ["a", "anonymous", "b", "c"]
    assert "mailbox_renumbered" in caplog.text
    assert gate.excused() == {"compared": 3}


async def test_two_folders_share_a_cursor(server: MailServer, user: str, gate: Gate) -> None:
    server.deliver(user, mail("in"))
    server.deliver(user, mail("sales"), folder="Sales")
    chosen = options(server.port, user, folders=("INBOX", "Sales"))
    async with watching.watching(gate, chosen):
        await gate.until(lambda: gate.counts >= 2)
    assert (gate.position().uid, gate.position(folder="Sales").uid) == (1, 1)


async def test_a_mail_too_big_stays_and_is_told(
    server: MailServer, user: str, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    server.deliver(user, mail("big", body="x" * 20_000), mail("small"))
    async with watching.watching(
        gate, options(server.port, user, afterwards="delete", max_size_bytes=10_000)
    ):
        await gate.until(lambda: gate.counts > 0)
    assert gate.subjects() == ["small"]
    assert gate.excused() == {"too_big": 1}
    assert gate.inventories[-1].excused[0].is_alarming
    assert _held(server, user) == 1
    assert "mail_given_up" in caplog.text


async def test_the_envelope_names_our_address_and_the_sender(
    server: MailServer, user: str, gate: Gate
) -> None:
    headers = (
        "Return-Path: <Bounce@x.example>",
        "Delivered-To: support+k7m@example.com",
        "Cc: b@other.example",
    )
    server.deliver(user, mail("who", headers=headers))
    async with watching.watching(gate, options(server.port, user)):
        await gate.until(lambda: len(gate.stored) == 1)
    envelope = gate.stored[0].envelope
    assert envelope["recipients"] == ["support@example.com", "support+k7m@example.com"]
    assert (envelope["sender"], gate.stored[0].lane) == ("Bounce@x.example", "bounce@x.example")


async def test_what_is_missing_in_the_journal_is_found_and_fetched(
    server: MailServer, user: str, gate: Gate
) -> None:
    """A cursor that ran ahead of the journal is noticed by the count, and mends itself."""
    server.deliver(user, mail("a"), mail("b"))
    async with watching.watching(gate, options(server.port, user)):
        await gate.until(lambda: gate.counts > 0)
    lost = gate.stored.pop(0)
    for key in lost.keys:
        del gate._keys[key]
    async with watching.watching(gate, options(server.port, user)):
        await gate.until(lambda: len(gate.stored) == 2)
    assert sorted(gate.subjects()) == ["a", "b"]


async def test_a_wrong_password_is_told_with_what_to_do(server: MailServer, user: str) -> None:
    channel = imap.Channel("support", options(server.port, user, password="wrong"))
    [problem] = await channel.probe()
    assert "refused the login" in problem.message
    assert "password" in problem.hint
    assert "wrong" not in problem.message + problem.hint


async def test_a_folder_that_is_not_there_is_told_with_those_that_are(server: MailServer, user: str) -> None:
    channel = imap.Channel("support", options(server.port, user, folders=("Tickets",)))
    [problem] = await channel.probe()
    assert "Tickets" in problem.message
    assert "INBOX" in problem.hint
