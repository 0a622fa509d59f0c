"""What a client sees on the wire, byte by byte."""

import asyncio
import logging
import smtplib
from pathlib import Path

import aiosmtplib
import pytest

from channels import testing
from channels.email import smtp
from tests.smtp import receiving
from tests.smtp.conftest import Start

MAIL = receiving.MAIL


async def test_250_names_the_receipt_and_the_bytes_are_stored_as_they_came(start: Start) -> None:
    receiver = await start()
    client = await receiver.client()
    await client.begin(sender=b"Ann@X.com")
    body = MAIL + b"..dot\r\n\xff\xfe 8-bit\r\n"
    assert await client.send(body) == "250 2.0.0 Ok: stored as 1"
    (raw,) = receiver.gate.stored
    assert raw.body == MAIL + b".dot\r\n\xff\xfe 8-bit\r\n"
    assert (raw.kind, raw.account, raw.lane) == ("email.smtp", "support", "ann@x.com")
    assert raw.envelope == {
        "sender": "Ann@X.com", "recipients": ["support@example.com"], "peer": "127.0.0.1",
        "helo": "me", "tls": None, "auth": None,
    }  # fmt: skip


async def test_smtplib_and_aiosmtplib_are_served(start: Start) -> None:
    receiver = await start()

    def send() -> None:
        with smtplib.SMTP(receiver.host, receiver.port) as client:
            assert client.sendmail("a@x.com", ["support@example.com"], MAIL) == {}

    await asyncio.to_thread(send)
    async with aiosmtplib.SMTP(hostname=receiver.host, port=receiver.port) as client:
        await client.sendmail("a@x.com", ["support@example.com"], MAIL + b"second\r\n")
    assert len(receiver.gate.stored) == 2


async def test_one_transaction_is_one_submission_with_all_its_recipients(start: Start) -> None:
    receiver = await start(addresses=("support@example.com", "@example.org"))
    client = await receiver.client()
    await client.reply()
    await client.say(b"EHLO me")
    await client.say(b"MAIL FROM:<ann@x.com>")
    replies = [
        await client.say(b"RCPT TO:<" + one + b">")
        for one in (b"Support+t0ken@Example.COM", b"nobody@example.com", b"any@example.org", b"any@example.org", b"@a,@b:support@example.com")
    ]  # fmt: skip
    assert [reply[:3] for reply in replies] == ["250", "550", "250", "250", "250"]
    await client.say(b"DATA")
    assert (await client.send(MAIL)).startswith("250")
    assert [raw.envelope["recipients"] for raw in receiver.gate.stored] == [
        ["Support+t0ken@Example.COM", "any@example.org", "support@example.com"]
    ]


@pytest.mark.parametrize("address", [b"supportx@example.com", b"support@example.com.evil.org", b"support", b"+@example.com", b"x@sub.example.com", b"postmaster"])  # fmt: skip
async def test_mail_for_others_is_refused(start: Start, address: bytes) -> None:
    client = await (await start()).client()
    await client.reply()
    await client.say(b"EHLO me")
    await client.say(b"MAIL FROM:<ann@x.com>")
    assert (await client.say(b"RCPT TO:<" + address + b">")).startswith("550 5.1.1")
    assert (await client.say(b"DATA")).startswith("503")


async def test_the_null_sender_is_taken_and_bounces_do_not_share_a_lane(start: Start) -> None:
    receiver = await start()
    for number in (b"1", b"2"):
        client = await receiver.client()
        await client.begin(sender=b"")
        assert (
            await client.send(b"Subject: bounce\r\nMessage-ID: <" + number + b"@mta>\r\n\r\nx\r\n")
        ).startswith("250")
    assert [raw.envelope["sender"] for raw in receiver.gate.stored] == ["", ""]
    assert [raw.lane for raw in receiver.gate.stored] == ["<>1@mta", "<>2@mta"]


async def test_a_line_of_200_kb_is_taken(start: Start) -> None:
    receiver = await start()
    client = await receiver.client()
    await client.begin()
    body = MAIL + b"x" * 200_000 + b"\r\n"
    assert (await client.send(body)).startswith("250")
    assert receiver.gate.stored[0].body == body


@pytest.mark.parametrize(
    ("fault", "reply"), [("unavailable", "451 4.3.0"), ("full", "452 4.3.1"), ("crash", "451 4.3.0"), ("rejected", "550 5.7.1")]
)  # fmt: skip
async def test_faults_of_ours_are_temporary_and_tell_nothing(
    start: Start, caplog: pytest.LogCaptureFixture, fault: testing.Fault, reply: str
) -> None:
    receiver = await start()
    receiver.gate.fault = fault
    client = await receiver.client()
    await client.begin()
    answer = await client.send(MAIL)
    assert answer.startswith(reply)
    assert "broken" not in answer
    assert [record.exc_info is not None for record in caplog.records if "not_taken" in record.message] == (
        [True] if fault == "crash" else []
    )
    receiver.gate.fault = None
    assert (await client.say(b"NOOP")).startswith("250")


async def test_an_exception_in_a_command_is_451_and_the_session_goes_on(
    start: Start, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: object, address: str) -> bool:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("channels.email.recipients.Recipients.takes", broken)
    client = await (await start()).client()
    await client.reply()
    await client.say(b"EHLO me")
    await client.say(b"MAIL FROM:<ann@x.com>")
    reply = await client.say(b"RCPT TO:<support@example.com>")
    assert reply.startswith("451")
    assert "secret" not in reply
    assert (await client.say(b"NOOP")).startswith("250")
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


async def test_pipelined_commands_are_all_answered_in_order(start: Start) -> None:
    receiver = await start(addresses=("@example.com",))
    client = await receiver.client()
    recipients = b"".join(b"RCPT TO:<u%d@example.com>\r\n" % number for number in range(90))
    client.writer.write(b"EHLO me\r\nMAIL FROM:<ann@x.com>\r\n" + recipients + b"RCPT TO:<x@y.z>\r\nDATA\r\n")
    replies = [await client.reply() for _ in range(95)]
    assert [reply[:3] for reply in replies] == ["220", *["250"] * 92, "550", "354"]
    client.writer.write(MAIL + b".\r\nNOOP\r\nQUIT\r\n")
    assert [(await client.reply())[:3] for _ in range(3)] == ["250", "250", "221"]
    assert await client.rest() == b""
    assert len(receiver.gate.stored[0].envelope["recipients"]) == 90


async def test_a_client_that_sends_all_and_closes_its_side_is_answered(start: Start) -> None:
    receiver = await start()
    client = await receiver.client()
    client.writer.write(
        b"EHLO me\r\nMAIL FROM:<a@x.com>\r\nRCPT TO:<support@example.com>\r\nDATA\r\n" + MAIL + b".\r\n"
    )
    client.writer.write_eof()
    assert b"250 2.0.0 Ok: stored as 1" in await client.rest()


async def test_too_many_recipients_are_put_off_one_by_one(start: Start) -> None:
    client = await (await start(addresses=("@example.com",), max_recipients=2)).client()
    await client.reply()
    await client.say(b"EHLO me")
    await client.say(b"MAIL FROM:<ann@x.com>")
    replies = [(await client.say(b"RCPT TO:<u%d@example.com>" % number))[:9] for number in range(3)]
    assert replies == ["250 2.1.5", "250 2.1.5", "452 4.5.3"]


async def test_a_guesser_of_addresses_is_hung_up_on(start: Start) -> None:
    client = await (await start()).client()
    client.writer.write(
        b"EHLO me\r\nMAIL FROM:<a@x.com>\r\n"
        + b"".join(b"RCPT TO:<u%d@example.com>\r\n" % n for n in range(150))
    )
    rest = await client.rest()
    assert rest.count(b"550 5.1.1") == 100
    assert rest.endswith(b"421 4.7.0 Too many unknown recipients\r\n")


async def test_a_size_announced_too_large_is_refused_before_the_data(start: Start) -> None:
    client = await (await start(max_size_bytes=1_000)).client()
    await client.reply()
    assert "SIZE 1000" in await client.say(b"EHLO me")
    assert (await client.say(b"MAIL FROM:<a@x.com> SIZE=1001")).startswith("552")
    assert (await client.say(b"MAIL FROM:<a@x.com> SIZE=1000 BODY=8BITMIME SMTPUTF8 AUTH=<>")).startswith(
        "250"
    )


async def test_data_beyond_the_limit_is_552_and_the_session_is_usable(start: Start) -> None:
    receiver = await start(max_size_bytes=1_000)
    client = await receiver.client()
    await client.begin()
    assert (await client.send(b"x" * 3_000 + b"\r\n")).startswith("552 5.3.4")
    for command in (b"MAIL FROM:<ann@x.com>", b"RCPT TO:<support@example.com>", b"DATA"):
        reply = await client.say(command)
    assert reply.startswith("354")
    assert (await client.send(MAIL)).startswith("250")
    assert [raw.body for raw in receiver.gate.stored] == [MAIL]


async def test_data_without_end_is_cut_off(start: Start) -> None:
    receiver = await start(max_size_bytes=1_000)
    client = await receiver.client()
    await client.begin()
    client.writer.write(b"x" * 1_100_000)
    assert (await client.reply()).startswith("552")
    assert (await client.reply()).startswith("421")
    assert receiver.gate.stored == []


@pytest.mark.parametrize("bare", [b"a\nb", b"a\rb", b"a\0b", b"a\n.\nb", b"a\n.\r\nMAIL FROM:<x@y>\r\n", b"a\r.\rb", b"a\r\n\0.\r\nb"])  # fmt: skip
async def test_bare_line_endings_are_refused_whole(start: Start, bare: bytes) -> None:
    receiver = await start()
    client = await receiver.client()
    await client.begin()
    assert (await client.send(MAIL + bare + b"\r\n")).startswith("550 5.6.11")
    assert (await client.say(b"NOOP")).startswith("250")
    assert receiver.gate.stored == []


async def test_a_command_line_without_end_is_refused_and_forgotten(start: Start) -> None:
    client = await (await start()).client()
    await client.reply()
    await client.say(b"EHLO me")
    client.writer.write(b"x" * 300_000 + b"\r\nNOOP\r\n")
    assert (await client.reply()).startswith("500")
    assert (await client.reply()).startswith("250")


async def test_undecodable_addresses_are_kept_as_json(start: Start) -> None:
    receiver = await start()
    client = await receiver.client()
    await client.begin(sender=b"\xff\xfe@x.com", hello=b"EHLO \xff")
    assert (await client.send(MAIL)).startswith("250")
    assert receiver.gate.stored[0].envelope["sender"] == "??@x.com"


async def test_memory_for_bodies_is_bounded_over_all_connections(start: Start) -> None:
    receiver = await start(max_size_bytes=50_000, max_bytes_in_flight=60_000)
    first, second = await receiver.client(), await receiver.client()
    for client in (first, second):
        await client.begin()
    first.writer.write(MAIL + b"x" * 40_000 + b"\r\n")
    await first.writer.drain()
    await receiving.until(lambda: receiver_bytes(receiver) >= 40_000)
    assert (await second.send(MAIL + b"y" * 40_000 + b"\r\n")).startswith("452 4.3.1")
    assert (await first.send(b"")).startswith("250")
    assert receiver_bytes(receiver) == 0


def receiver_bytes(receiver: receiving.Receiver) -> int:
    shared = receiver.channel._shared
    assert shared is not None
    return shared.memory.used_bytes


async def test_a_port_in_use_is_one_clear_sentence(start: Start) -> None:
    receiver = await start()
    second = smtp.Channel("second", smtp.Options(listen=f"127.0.0.1:{receiver.port}"))
    with pytest.raises(
        OSError, match=rf"channel 'second' cannot listen on 127.0.0.1:{receiver.port}: .*in use"
    ):
        await second.run(testing.MemoryGate())


class TestLmtp:
    async def test_each_recipient_gets_its_reply(self, start: Start, tmp_path: Path) -> None:
        """RFC 2033 §4.2: one reply for each accepted RCPT, none for a refused one."""
        receiver = await start(protocol="lmtp", listen=f"unix:{tmp_path}/lmtp", addresses=("@example.com",))
        client = await receiver.client()
        await client.reply()
        assert (await client.say(b"EHLO me")).startswith("500")
        assert (await client.say(b"LHLO me")).startswith("250")
        await client.say(b"MAIL FROM:<a@x.com>")
        for one in (b"a@example.com", b"b@example.com", b"a@example.com", b"c@elsewhere.org"):
            await client.say(b"RCPT TO:<" + one + b">")
        await client.say(b"DATA")
        client.writer.write(MAIL + b".\r\nQUIT\r\n")
        assert [(await client.reply())[:3] for _ in range(4)] == ["250", "250", "250", "221"]
        assert len(receiver.gate.stored) == 1

    async def test_a_fault_is_told_to_each_recipient(self, start: Start) -> None:
        receiver = await start(protocol="lmtp", addresses=("@example.com",))
        receiver.gate.fault = "unavailable"
        client = await receiver.client()
        await client.reply()
        await client.say(b"LHLO me")
        await client.say(b"MAIL FROM:<a@x.com>")
        for one in (b"a", b"b"):
            await client.say(b"RCPT TO:<" + one + b"@example.com>")
        await client.say(b"DATA")
        client.writer.write(MAIL + b".\r\nNOOP\r\n")
        assert [(await client.reply())[:3] for _ in range(3)] == ["451", "451", "250"]

    async def test_a_socket_somebody_listens_on_is_not_taken_away(self, start: Start, tmp_path: Path) -> None:
        await start(protocol="lmtp", listen=f"unix:{tmp_path}/lmtp")
        second = smtp.Channel("second", smtp.Options(protocol="lmtp", listen=f"unix:{tmp_path}/lmtp"))
        with pytest.raises(OSError, match="in use"):
            await second.run(testing.MemoryGate())
