"""email.imap against a server on its worst day: nothing is lost, nothing comes twice, and nothing waits for the one bad mail."""

import threading

import pytest

from channels.email import imap
from tests.imap import scripted, watching
from tests.imap.scripted import Folder, Hangup, Server, Session, is_body, serving
from tests.imap.watching import Gate, mail, options

THREE = (mail("a"), mail("b"), mail("c"))


def once(play: scripted.Play) -> scripted.Play:
    """Misbehave until the first answer that is not None, then never again."""
    is_over = threading.Event()

    def played(session: Session, name: str, arguments: bytes) -> bytes | None:
        if is_over.is_set():
            return None
        try:
            answer = play(session, name, arguments)
        except Hangup:
            is_over.set()
            raise
        if answer is not None:
            is_over.set()
        return answer

    return played


def _bye(session: Session, name: str, arguments: bytes) -> bytes | None:
    if is_body(name, arguments):
        answer = session.fetched(name, *arguments.split(b" ", 1))
        raise Hangup(answer[: len(answer) // 2 - 30] + b"\r\n* BYE going down\r\n")
    return None


def _short_literal(session: Session, name: str, arguments: bytes) -> bytes | None:
    if is_body(name, arguments):
        return b"* 1 FETCH (UID 1 BODY[] {9000}\r\nFrom: cut"
    return None


def _cut(session: Session, name: str, arguments: bytes) -> bytes | None:
    if is_body(name, arguments):
        raise Hangup(b"* 1 FETCH (UID 1 BODY[] {9000}\r\nFrom: cut off")
    return None


def _huge_literal(session: Session, name: str, arguments: bytes) -> bytes | None:
    if is_body(name, arguments):
        return b"* 1 FETCH (UID 1 BODY[] {99999999999}\r\nFrom: "
    return None


def _garbage(session: Session, name: str, arguments: bytes) -> bytes | None:
    return b"!!! \xff\x00\r\n" if is_body(name, arguments) else None


def _wrong_tag(session: Session, name: str, arguments: bytes) -> bytes | None:
    return b"ZZZZ99 OK done\r\n" if is_body(name, arguments) else None


def _bad(session: Session, name: str, arguments: bytes) -> bytes | None:
    return b"{tag} BAD what?\r\n" if name == "UID SEARCH" else None


def _no_search(session: Session, name: str, arguments: bytes) -> bytes | None:
    return b"{tag} NO [UNAVAILABLE] later\r\n" if name == "UID SEARCH" else None


def _bye_at_select(session: Session, name: str, arguments: bytes) -> bytes | None:
    if name in ("SELECT", "EXAMINE"):
        raise Hangup(b"* BYE [UNAVAILABLE] maintenance\r\n")
    return None


def _greeting_bye(session: Session, name: str, arguments: bytes) -> bytes | None:
    if name == "CAPABILITY":
        raise Hangup(b"* BYE too many connections\r\n")
    return None


def _throttled(session: Session, name: str, arguments: bytes) -> bytes | None:
    return b"{tag} NO [LIMIT] too many commands\r\n" if is_body(name, arguments) else None


def _broken_line(session: Session, name: str, arguments: bytes) -> bytes | None:
    if is_body(name, arguments):
        raise Hangup(b"* 1 FETCH (UID 1 BODY[]")
    return None


ONCE = (
    _bye, _short_literal, _cut, _huge_literal, _garbage, _wrong_tag, _bad, _no_search, _bye_at_select,
    _greeting_bye, _throttled, _broken_line,
)  # fmt: skip


@pytest.mark.parametrize("afterwards", ["keep", "delete"])
@pytest.mark.parametrize("play", ONCE, ids=lambda play: play.__name__)
async def test_one_fault_loses_nothing_and_doubles_nothing(
    gate: Gate, play: scripted.Play, afterwards: str
) -> None:
    with serving(*THREE, play=once(play)) as server:
        async with watching.watching(gate, options(server.port, afterwards=afterwards, timeout_s=0.3)):
            await gate.until(lambda: len(gate.stored) == 3 and gate.counts > 0)
        assert sorted(gate.subjects()) == ["a", "b", "c"]
        assert len(server.folders["INBOX"].mails) == (3 if afterwards == "keep" else 0)


async def test_a_mail_expunged_between_search_and_fetch_is_nobodys_fault(gate: Gate) -> None:
    def play(session: Session, name: str, arguments: bytes) -> bytes | None:
        if is_body(name, arguments):
            server.folders["INBOX"].remove([2])
        return None

    with serving(*THREE, play=play) as server:
        async with watching.watching(gate, options(server.port)):
            await gate.until(lambda: gate.counts > 0)
    assert gate.subjects() == ["a", "c"]
    assert gate.excused() == {}


async def test_unasked_answers_are_not_taken_for_mails(gate: Gate) -> None:
    """Flags, expunges and a body without its UID stand between the real answers."""

    def play(session: Session, name: str, arguments: bytes) -> bytes | None:
        if not is_body(name, arguments):
            return None
        honest = session.fetched(name, *arguments.split(b" ", 1))
        noise = (
            b"* 2 FETCH (FLAGS (\\Seen))\r\n* 7 EXPUNGE\r\n* 1 FETCH (BODY[] {4}\r\nevil)\r\n"
            b"* OK still here\r\n* 3 FETCH (UID 99 BODY[] {5}\r\nother)\r\n"
        )
        return noise + honest + b"* 2 FETCH (UID 2 FLAGS (\\Seen))\r\n* 9 EXISTS\r\n{tag} OK done\r\n"

    with serving(*THREE, play=play) as server:
        async with watching.watching(gate, options(server.port)):
            await gate.until(lambda: gate.counts > 0)
    assert [raw.body for raw in gate.stored] == list(THREE)


async def test_an_answer_may_name_its_uid_behind_the_body(gate: Gate) -> None:
    def play(session: Session, name: str, arguments: bytes) -> bytes | None:
        if not is_body(name, arguments):
            return None
        parts = [
            b"* %d FETCH (BODY[] {%d}\r\n%s UID %d)\r\n" % (uid, len(body), body, uid)
            for uid, body in enumerate(THREE, 1)
        ]
        return b"".join(parts) + b"{tag} OK done\r\n"

    with serving(*THREE, play=play) as server:
        async with watching.watching(gate, options(server.port)):
            await gate.until(lambda: gate.counts > 0)
    assert [raw.body for raw in gate.stored] == list(THREE)


async def test_a_body_may_come_quoted(gate: Gate) -> None:
    def play(session: Session, name: str, arguments: bytes) -> bytes | None:
        if is_body(name, arguments):
            return b'* 1 FETCH (UID 1 BODY[] "short \\"body\\" \\\\")\r\n{tag} OK done\r\n'
        return None

    with serving(mail("a"), play=play) as server:
        async with watching.watching(gate, options(server.port)):
            await gate.until(lambda: gate.counts > 0)
    assert gate.stored[0].body == b'short "body" \\'


async def test_without_idle_it_looks_every_so_often(gate: Gate) -> None:
    with serving(capabilities="IMAP4rev1 UIDPLUS") as server:
        async with watching.watching(gate, options(server.port, poll_s=0.02)):
            await gate.until(lambda: gate.counts > 0)
            server.folders["INBOX"].deliver(mail("polled"))
            await gate.until(lambda: gate.subjects() == ["polled"])
        assert "IDLE" not in server.said


async def test_where_idle_is_promised_and_refused_it_looks_every_so_often(gate: Gate) -> None:
    def play(session: Session, name: str, arguments: bytes) -> bytes | None:
        return b"{tag} NO not today\r\n" if name == "IDLE" else None

    with serving(play=play) as server:
        async with watching.watching(gate, options(server.port, poll_s=0.02)):
            await server.until_said("IDLE")
            server.folders["INBOX"].deliver(mail("polled"))
            await gate.until(lambda: gate.subjects() == ["polled"])
        assert (server.said.count("IDLE"), server.connections) == (1, 1)


async def test_a_folder_that_may_only_be_read_is_told_with_what_to_do(gate: Gate) -> None:
    def play(session: Session, name: str, arguments: bytes) -> bytes | None:
        return b"* 0 EXISTS\r\n{tag} OK [READ-ONLY] done\r\n" if name == "SELECT" else None

    with serving(play=play) as server:
        async with watching.watching(gate, options(server.port, afterwards="delete")) as channel:
            await server.until_said("SELECT", times=2)
            [said] = channel.troubles()
    assert "may only be read" in said
    assert "afterwards: keep" in said


async def test_an_idle_that_hangs_silently_is_ended_and_looked_behind(gate: Gate) -> None:
    def play(session: Session, name: str, arguments: bytes) -> bytes | None:
        if name == "IDLE":
            session._seen = 1 << 40  # news are never told
            session.send("+ idling")
            while not (line := session.line()):
                assert line is not None
            return b"{tag} OK done\r\n"
        return None

    with serving(play=play) as server:
        async with watching.watching(gate, options(server.port, idle_s=0.05)):
            await gate.until(lambda: gate.counts > 0)
            server.folders["INBOX"].deliver(mail("silent"))
            await gate.until(lambda: gate.subjects() == ["silent"])


async def test_a_connection_that_dies_in_idle_is_noticed_at_done(gate: Gate) -> None:
    is_dead = threading.Event()

    def play(session: Session, name: str, arguments: bytes) -> bytes | None:
        if name == "IDLE" and not is_dead.is_set():
            is_dead.set()
            session.send("+ idling")
            while session.line() is not None:
                pass  # DONE is never answered
            raise Hangup
        return None

    with serving(play=play) as server:
        async with watching.watching(gate, options(server.port, idle_s=0.05, timeout_s=0.2)):
            await server.until_said("IDLE")
            server.folders["INBOX"].deliver(mail("noticed"))
            await gate.until(lambda: gate.subjects() == ["noticed"])
        assert server.connections == 2


@pytest.mark.parametrize("words", [b"* 1 EXISTS\r\n+ idling\r\n", b"+ idling\r\n* 1 EXISTS\r\n"])
async def test_news_that_come_with_the_answer_to_idle_are_heard(gate: Gate, words: bytes) -> None:
    """Both stand in one packet; nothing more is ever said."""
    has_spoken = threading.Event()

    def play(session: Session, name: str, arguments: bytes) -> bytes | None:
        if name != "IDLE" or has_spoken.is_set():
            return None
        has_spoken.set()
        server.folders["INBOX"].deliver(mail("early"))
        session._seen = server.folders["INBOX"].changes
        session.send(words)
        assert session.line() == b"DONE"
        return b"{tag} OK done\r\n"

    with serving(play=play) as server:
        async with watching.watching(gate, options(server.port)):
            await gate.until(lambda: gate.subjects() == ["early"])


async def test_a_hangup_in_idle_does_not_turn_in_circles(gate: Gate) -> None:
    with serving(play=lambda session, name, arguments: _raise_at_idle(name)) as server:
        async with watching.watching(gate, options(server.port)) as channel:
            await gate.until(lambda: gate.counts > 0)
            await server.until_said("IDLE", times=3)
            assert channel.troubles() or server.connections > 1
        assert server.said.count("IDLE") <= server.connections


def _raise_at_idle(name: str) -> None:
    if name == "IDLE":
        raise Hangup(b"+ idling\r\n")


@pytest.mark.parametrize("uidvalidity", [0, None])
async def test_without_uidvalidity_mails_are_told_apart_by_content(
    gate: Gate, uidvalidity: int | None
) -> None:
    """UIDs of another connection are not believed: the second mail got the first one's."""
    folder = Folder(*THREE, uidvalidity=uidvalidity)
    with Server(folder) as server:
        async with watching.watching(gate, options(server.port)):
            await gate.until(lambda: gate.counts == 1)
        folder.remove([1])
        folder.renumber(uidvalidity)
        folder.deliver(mail("d"))
        async with watching.watching(gate, options(server.port)):
            await gate.until(lambda: len(gate.stored) == 4 and gate.counts == 2)
    assert gate.subjects() == ["a", "b", "c", "d"]
    assert gate.submitted == 4


async def test_a_folder_renumbered_while_we_are_away_is_compared_by_content(gate: Gate) -> None:
    folder = Folder(*THREE)
    with Server(folder) as server:
        async with watching.watching(gate, options(server.port)):
            await gate.until(lambda: gate.counts == 1)
        folder.renumber(8, first_uid=1)
        folder.mails.reverse()
        folder.renumber(8)
        folder.deliver(mail("d"))
        async with watching.watching(gate, options(server.port)):
            await gate.until(lambda: len(gate.stored) == 4 and gate.counts == 2)
    assert gate.subjects() == ["a", "b", "c", "d"]
    assert gate.submitted == 4


async def test_a_folder_renumbered_under_an_open_connection_is_noticed(gate: Gate) -> None:
    folder = Folder(*THREE)
    with Server(folder) as server:
        async with watching.watching(gate, options(server.port)):
            await gate.until(lambda: gate.counts == 1)
            folder.mails.reverse()
            folder.renumber(8, is_noticed=False)
            folder.deliver(mail("d"))
            await gate.until(lambda: len(gate.stored) == 4 and gate.position().uidvalidity == 8)
    assert sorted(gate.subjects()) == ["a", "b", "c", "d"]


async def test_uids_handed_out_again_without_a_new_uidvalidity_are_noticed(gate: Gate) -> None:
    """A server restored from a backup: its UIDNEXT went back, and new mails got the old ones' UIDs."""
    folder = Folder(*THREE)
    with Server(folder) as server:
        async with watching.watching(gate, options(server.port)):
            await gate.until(lambda: gate.counts == 1)
        folder.remove([2, 3])
        folder.uidnext = 2
        folder.deliver(mail("d"))
        folder.mails[-1].date = '"23-Nov-2026 10:00:00 +0000"'
        async with watching.watching(gate, options(server.port)):
            await gate.until(lambda: len(gate.stored) == 4)
    assert gate.subjects()[-1] == "d"


async def test_uids_handed_out_again_up_to_the_old_height_are_found_by_the_count(gate: Gate) -> None:
    """UIDNEXT is where it was; only the dates of the mails tell."""
    folder = Folder(*THREE)
    with Server(folder) as server:
        async with watching.watching(gate, options(server.port)):
            await gate.until(lambda: gate.counts == 1)
        folder.remove([3])
        folder.uidnext = 3
        folder.deliver(mail("d"))
        folder.mails[-1].date = '"23-Nov-2026 10:00:00 +0000"'
        async with watching.watching(gate, options(server.port)):
            await gate.until(lambda: len(gate.stored) == 4)
    assert gate.subjects()[-1] == "d"


async def test_a_mail_that_becomes_visible_late_below_the_others_is_found(gate: Gate) -> None:
    """Two deliveries at the same time: the higher UID can be seen first."""
    folder = Folder(mail("a"))
    with Server(folder) as server:
        async with watching.watching(gate, options(server.port)):
            await gate.until(lambda: gate.counts == 1)
            folder.uidnext = 5
            folder.deliver(mail("fifth"))
            await gate.until(lambda: len(gate.stored) == 2)
            with folder.lock:
                folder.mails.insert(1, scripted.Mail(4, mail("fourth")))
            folder.deliver(mail("sixth"))
            await gate.until(lambda: len(gate.stored) == 4)
    assert sorted(gate.subjects()) == ["a", "fifth", "fourth", "sixth"]


async def test_a_delete_that_is_refused_stops_nothing(gate: Gate, caplog: pytest.LogCaptureFixture) -> None:
    def play(session: Session, name: str, arguments: bytes) -> bytes | None:
        return b"{tag} NO [NOPERM] not yours\r\n" if name == "UID STORE" else None

    with serving(*THREE, play=play) as server:
        async with watching.watching(gate, options(server.port, afterwards="delete")):
            await gate.until(lambda: gate.counts == 1)
            server.folders["INBOX"].deliver(mail("d"))
            await gate.until(lambda: len(gate.stored) == 4)
    assert "mailbox_action_refused" in caplog.text


async def test_what_a_crash_left_undone_is_done_at_the_next_start(gate: Gate) -> None:
    """The bytes were committed, the server was never told."""
    is_dead = True

    def play(session: Session, name: str, arguments: bytes) -> bytes | None:
        if name == "UID STORE" and is_dead:
            raise Hangup
        return None

    with serving(*THREE, play=play) as server:
        async with watching.watching(gate, options(server.port, afterwards="delete")):
            await gate.until(lambda: len(gate.stored) == 3)
            await server.until_said("UID STORE")
        assert len(server.folders["INBOX"].mails) == 3
        is_dead = False
        async with watching.watching(gate, options(server.port, afterwards="delete")):
            await gate.until(lambda: gate.counts > 0)
        assert server.folders["INBOX"].mails == []
    assert gate.submitted == 3


async def test_an_alert_reaches_the_operator(gate: Gate, caplog: pytest.LogCaptureFixture) -> None:
    def play(session: Session, name: str, arguments: bytes) -> bytes | None:
        return b"* OK [ALERT] Mailbox is nearly full\r\n{tag} OK done\r\n" if name == "NOOP" else None

    with serving(play=play) as server:
        async with watching.watching(gate, options(server.port)) as channel:
            await gate.until(lambda: gate.counts > 0)
            channel.look()
            await server.until_said("IDLE", times=2)
    assert "mailbox_alert account=support mailbox=INBOX text=" in caplog.text
    assert "nearly full" in caplog.text


async def test_one_fetch_does_not_ask_for_more_than_memory_allows(gate: Gate) -> None:
    """Sizes are asked first: 20 mails of 1 MB come in several portions."""
    with serving(*(mail(f"m{n}", body="x" * 1_000_000) for n in range(20))) as server:
        async with watching.watching(gate, options(server.port)):
            await gate.until(lambda: len(gate.stored) == 20 and gate.counts > 0)
        asked = [each for each in server.said if each.startswith("UID FETCH") and "BODY" in each]
    assert len(asked) >= 5


async def test_while_the_server_is_down_it_says_so_and_goes_on_when_it_is_back(
    gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    down = [True]
    with serving(mail("a"), play=lambda session, name, arguments: _raise_when(down)) as server:
        async with watching.watching(gate, options(server.port)) as channel:
            await server.until_said("CAPABILITY", times=3)
            assert channel.troubles()
            down.clear()
            await gate.until(lambda: gate.counts > 0)
            assert channel.troubles() == []
    assert caplog.text.count("mailbox_unreachable") >= 2


def _raise_when(down: list[bool]) -> None:
    if down:
        raise Hangup


async def test_the_channel_says_where_it_looks(gate: Gate) -> None:
    with serving() as server:
        async with watching.watching(gate, options(server.port)) as channel:
            assert await channel.listening() == ("127.0.0.1", server.port)
    assert isinstance(channel, imap.Channel)
