"""Clients that hang up, wait, come in crowds or guess; and a daemon that stops."""

import asyncio
import ssl
from base64 import b64encode
from pathlib import Path

import pytest

from channels import testing
from channels.email import admission, settings, smtp
from tests.rows import every_row
from tests.smtp import receiving
from tests.smtp.conftest import Start

MAIL = receiving.MAIL


async def settle(receiver: receiving.Receiver, tasks: int) -> None:
    """Wait until the server has noticed that its clients are gone."""
    shared = receiver.channel._shared
    assert shared is not None
    await receiving.until(lambda: not shared.connections and len(asyncio.all_tasks()) <= tasks)


_POINTS = [
    b"", b"EH", b"EHLO me\r\n", b"EHLO me\r\nMAIL FROM:<a@x.com>\r\n",
    b"EHLO me\r\nMAIL FROM:<a@x.com>\r\nRCPT TO:<support@example.com>\r\n",
    b"EHLO me\r\nMAIL FROM:<a@x.com>\r\nRCPT TO:<support@example.com>\r\nDATA\r\n",
    b"EHLO me\r\nMAIL FROM:<a@x.com>\r\nRCPT TO:<support@example.com>\r\nDATA\r\nSubject: half",
    b"EHLO me\r\nMAIL FROM:<a@x.com>\r\nRCPT TO:<support@example.com>\r\nDATA\r\n" + MAIL,
    b"EHLO me\r\nMAIL FROM:<a@x.com>\r\nRCPT TO:<support@example.com>\r\nDATA\r\n" + MAIL + b".\r",
    b"EHLO me\r\nQUIT\r\n", b"NOOP\r\n" * 200, b"x" * 100_000,
]  # fmt: skip


@pytest.mark.parametrize("sent", _POINTS)
async def test_a_reset_before_the_end_stores_nothing_and_leaks_nothing(start: Start, sent: bytes) -> None:
    receiver = await start()
    tasks = len(asyncio.all_tasks())
    for _ in range(5):
        client = await receiver.client()
        await client.reply()
        client.writer.write(sent)
        await client.writer.drain()
        client.reset()
    await settle(receiver, tasks)
    assert receiver.gate.stored == []
    assert receiver.channel._shared.memory.used_bytes == 0  # type: ignore[union-attr]


@pytest.mark.parametrize("behind", [b"", b"QUIT\r\n", b"NOOP\r\nMAIL FROM:<"])
async def test_a_reset_during_the_commit_does_not_undo_it(start: Start, behind: bytes) -> None:
    receiver = await start()
    tasks = len(asyncio.all_tasks())
    receiver.gate.hold()
    client = await receiver.client()
    await client.begin()
    client.writer.write(MAIL + b".\r\n" + behind)
    await receiver.gate.arrived()
    client.reset()
    await receiving.until(lambda: not receiver.channel._shared.connections)  # type: ignore[union-attr]
    assert receiver.gate.stored == []
    receiver.gate.let_go()
    await settle(receiver, tasks)
    assert [raw.body for raw in receiver.gate.stored] == [MAIL]


async def test_a_retry_after_a_lost_reply_is_a_known_duplicate(start: Start) -> None:
    receiver = await start()
    for _ in range(2):
        client = await receiver.client()
        await client.begin()
        assert await client.send(MAIL) == "250 2.0.0 Ok: stored as 1"
    assert len(receiver.gate.stored) == 1


async def test_an_idle_client_hears_421(start: Start) -> None:
    client = await (await start(command_timeout_s=0.05)).client()
    assert (await client.rest()).endswith(b"421 4.4.2 Timeout, closing the connection\r\n")


async def test_a_body_that_drips_hears_421(start: Start) -> None:
    receiver = await start(data_timeout_s=0.05)
    client = await receiver.client()
    await client.begin()
    client.writer.write(b"Subject: slow")
    assert (await client.rest()).startswith(b"421 4.4.2")
    assert receiver.gate.stored == []


async def test_a_commit_is_not_timed_out_by_the_wait_for_commands(start: Start) -> None:
    receiver = await start(command_timeout_s=0.05)
    receiver.gate.hold()
    client = await receiver.client()
    await client.begin()
    client.writer.write(MAIL + b".\r\n")
    await receiver.gate.arrived()
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    loop.call_later(0.12, over.set)
    await over.wait()
    receiver.gate.let_go()
    assert (await client.reply()).startswith("250")


async def test_a_client_that_reads_no_replies_is_cut_off(start: Start) -> None:
    receiver = await start(command_timeout_s=0.1)
    client = await receiver.client()
    client.writer.transport.pause_reading()  # type: ignore[attr-defined]
    try:
        for _ in range(2_000):
            client.writer.write(b"HELP\r\n" * 5 + b"RSET x\r\n" * 500)
            await asyncio.wait_for(client.writer.drain(), 0.05)
    except (TimeoutError, ConnectionError):
        pass
    await receiving.until(lambda: not receiver.channel._shared.connections)  # type: ignore[union-attr]


@pytest.mark.parametrize("limits", [{"max_connections": 2}, {"max_connections_per_peer": 2}])
async def test_one_connection_too_many_hears_421_and_a_later_one_is_welcome(
    start: Start, limits: dict[str, int]
) -> None:
    receiver = await start(**limits)
    first, second, third = [await receiver.client() for _ in range(3)]
    assert (await first.reply()).startswith("220")
    assert (await second.reply()).startswith("220")
    assert (await third.rest()).startswith(b"421 4.7.0")
    assert (await first.say(b"QUIT")).startswith("221")
    assert await first.rest() == b""
    assert (await (await receiver.client()).reply()).startswith("220")


async def test_stopping_finishes_the_mail_under_way_and_closes_the_rest(start: Start) -> None:
    receiver = await start()
    receiver.gate.hold()
    idle, busy = await receiver.client(), await receiver.client()
    await idle.reply()
    await busy.begin()
    busy.writer.write(MAIL + b".\r\n")
    await receiver.gate.arrived()
    assert receiver.task is not None
    receiver.task.cancel()
    assert (await idle.rest()).startswith(b"421 4.3.2")
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(receiver.host, receiver.port)
    receiver.gate.let_go()
    assert (await busy.rest()).split(b"\r\n")[0] == b"250 2.0.0 Ok: stored as 1"


async def test_stopping_does_not_wait_for_ever(start: Start) -> None:
    receiver = await start(grace_s=0.05)
    receiver.gate.hold()
    client = await receiver.client()
    await client.begin()
    client.writer.write(MAIL + b".\r\n")
    await receiver.gate.arrived()
    assert receiver.task is not None
    receiver.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(receiver.task, 5)


class TestTls:
    @pytest.fixture
    def tls(self, certificate: Path) -> settings.Tls:
        return settings.Tls(certificate=str(certificate))

    async def upgrade(self, client: receiving.Client, certificate: Path) -> None:
        context = ssl.create_default_context(cafile=certificate)
        await client.writer.start_tls(context, server_hostname="localhost")

    async def test_starttls_is_offered_and_recorded(
        self, start: Start, tls: settings.Tls, certificate: Path
    ) -> None:
        receiver = await start(tls=tls)
        client = await receiver.client()
        await client.reply()
        assert "STARTTLS" in await client.say(b"EHLO me")
        assert (await client.say(b"STARTTLS")).startswith("220")
        await self.upgrade(client, certificate)
        assert "STARTTLS" not in await client.say(b"EHLO me")
        assert (await client.say(b"STARTTLS")).startswith("503")
        for command in (b"MAIL FROM:<a@x.com>", b"RCPT TO:<support@example.com>", b"DATA"):
            await client.say(command)
        assert (await client.send(MAIL)).startswith("250")
        assert receiver.gate.stored[0].envelope["tls"] == "TLSv1.3"

    async def test_what_stands_behind_starttls_in_clear_is_dropped(
        self, start: Start, tls: settings.Tls, certificate: Path
    ) -> None:
        """CVE-2024-34083: a man in the middle may not put commands into the session that TLS protects."""
        receiver = await start(tls=tls)
        client = await receiver.client()
        await client.reply()
        await client.say(b"EHLO me")
        assert (await client.say(b"STARTTLS\r\nEHLO evil\r\nMAIL FROM:<evil@x.com>")).startswith("220")
        await self.upgrade(client, certificate)
        assert (await client.say(b"MAIL FROM:<a@x.com>")).startswith("503")
        assert (await client.say(b"NOOP")) == "250 OK"

    async def test_without_tls_nothing_goes_when_it_is_required(
        self, start: Start, tls: settings.Tls
    ) -> None:
        client = await (await start(tls=tls, require_tls=True)).client()
        await client.reply()
        await client.say(b"EHLO me")
        assert (await client.say(b"MAIL FROM:<a@x.com>")).startswith("530")

    async def test_a_failed_handshake_leaks_nothing(self, start: Start, tls: settings.Tls) -> None:
        receiver = await start(tls=tls)
        tasks = len(asyncio.all_tasks())
        client = await receiver.client()
        await client.reply()
        await client.say(b"EHLO me")
        await client.say(b"STARTTLS")
        client.writer.write(b"this is no TLS\r\n" * 10)
        await client.rest()
        await settle(receiver, tasks)

    async def test_passwords_are_not_taken_in_clear(
        self, start: Start, tls: settings.Tls, certificate: Path
    ) -> None:
        receiver = await start(tls=tls, auth=settings.Auth(users={"ann": "pw"}))
        client = await receiver.client()
        await client.reply()
        assert "AUTH" not in await client.say(b"EHLO me")
        token = b64encode(b"\0ann\0pw")
        assert (await client.say(b"AUTH PLAIN " + token)).startswith("538")
        await client.say(b"STARTTLS")
        await self.upgrade(client, certificate)
        assert "AUTH LOGIN PLAIN" in await client.say(b"EHLO me")
        assert (await client.say(b"auth plain " + token)).startswith("235")


class TestAuth:
    @staticmethod
    def options(*, required: bool = False) -> settings.Auth:
        return settings.Auth(users={"ann": "pw"}, required=required, allow_plain_on_loopback=True)

    async def test_auth_is_unknown_when_it_is_not_set_up(self, start: Start) -> None:
        client = await (await start()).client()
        await client.reply()
        assert "AUTH" not in await client.say(b"EHLO me")
        assert (await client.say(b"AUTH PLAIN AAAA")).startswith("502")

    async def test_no_mail_without_login_when_it_is_required(self, start: Start) -> None:
        client = await (await start(auth=self.options(required=True))).client()
        await client.reply()
        await client.say(b"EHLO me")
        assert (await client.say(b"MAIL FROM:<a@x.com>")).startswith("530")
        assert (await client.say(b"AUTH PLAIN " + b64encode(b"\0ann\0pw"))).startswith("235")
        assert (await client.say(b"MAIL FROM:<a@x.com>")).startswith("250")

    async def test_guessing_is_throttled_for_the_peer_over_connections(self, start: Start) -> None:
        receiver = await start(auth=self.options())
        for guess in range(admission.MAX_AUTH_FAILURES):
            client = await receiver.client()
            await client.reply()
            await client.say(b"EHLO me")
            assert (await client.say(b"AUTH PLAIN " + b64encode(b"\0bob\0%d" % guess))).startswith("535")
        client = await receiver.client()
        await client.reply()
        await client.say(b"EHLO me")
        assert (await client.say(b"AUTH PLAIN " + b64encode(b"\0ann\0pw"))).startswith("421")


def test_a_throttle_forgets_after_its_window() -> None:
    now = [0.0]
    throttle = admission.Throttle(lambda: now[0])
    for _ in range(admission.MAX_AUTH_FAILURES):
        throttle.failed("1.2.3.4")
    assert throttle.is_blocked("1.2.3.4")
    assert not throttle.is_blocked("1.2.3.5")
    now[0] = admission.AUTH_WINDOW_S + 1
    assert not throttle.is_blocked("1.2.3.4")


@every_row("wrong", [{"max_recipients": 0}, {"command_timeout_s": 0}, {"require_tls": True}, {"max_bytes_in_flight": 1}])  # fmt: skip
def test_options_that_cannot_work_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        settings.Options(**wrong)  # type: ignore[arg-type]


def test_what_is_missing_in_the_options_is_found_before_mail_is(tmp_path: Path) -> None:
    options = settings.Options(
        tls=settings.Tls(certificate=str(tmp_path / "none.pem")), auth=settings.Auth(users={"ann": "pw"})
    )
    problems = " ".join(problem.message for problem in smtp.Channel("support", options).check())
    assert "no addresses" in problems
    assert "none.pem cannot be used: No such file" in problems
    assert "no way out" in problems
    assert "pw" not in repr(options)


async def test_a_certificate_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    options = settings.Options(listen="127.0.0.1:0", tls=settings.Tls(certificate=str(tmp_path / "none.pem")))
    channel = smtp.Channel("support", options)
    with pytest.raises(OSError, match=r"set tls\.certificate"):
        await channel.run(testing.MemoryGate())
    with pytest.raises(OSError, match="does not listen"):
        await channel.listening()
