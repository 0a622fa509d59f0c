"""Delivering to a relay on a real socket, and into a folder."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from channels import contract, testing
from channels.email import send, settings
from tests.rows import every_row
from tests.smtp.conftest import Start
from tests.smtp.test_smtp_compose import outbound

Scripted = Callable[..., Awaitable[str]]


@pytest.fixture
async def scripted() -> AsyncIterator[Scripted]:
    """A relay that answers commands by prefix as a test says; None hangs up."""
    servers: list[asyncio.Server] = []
    talks: set[asyncio.Task[None]] = set()

    async def begin(answers: dict[bytes, bytes | None], *, heard: list[bytes] | None = None) -> str:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            talks.add(asyncio.current_task())  # type: ignore[arg-type]
            writer.write(b"220 relay\r\n")
            is_body = False
            while line := await reader.readline():
                if heard is not None:
                    heard.append(line)
                if is_body and line != b".\r\n":
                    continue
                verb = b"DOT" if is_body else line.strip()
                is_body = False
                known = next((answers[key] for key in answers if verb.startswith(key)), b"250 ok")
                if known is None:
                    break
                if verb == b"DATA" and known == b"250 ok":
                    known, is_body = b"354 go", True
                writer.write(known + b"\r\n")
            with contextlib.suppress(ConnectionError):
                writer.close()
                await writer.wait_closed()

        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        servers.append(server)
        return f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    yield begin
    for server in servers:
        server.close()
    await asyncio.gather(*talks, return_exceptions=True)


@contextlib.asynccontextmanager
async def sender(**options: Any) -> AsyncIterator[send.Sender]:
    one = send.Sender(send.Options(**({"timeout_s": 5} | options)))
    try:
        yield one
    finally:
        await one.close()


async def failure(way: send.Sender, **fields: Any) -> contract.DeliveryFailed:
    with pytest.raises(contract.DeliveryFailed) as caught:
        await way.deliver(outbound(**fields))
    return caught.value


async def test_a_mail_arrives_as_composed_with_its_envelope(start: Start) -> None:
    receiver = await start(addresses=("@x.com",))
    async with sender(relay=f"smtp://127.0.0.1:{receiver.port}") as way:
        mail = outbound(text=".\n..\n", envelope_sender="bounce+7@example.com")
        assert await way.deliver(mail) == contract.Delivered("1")
    (raw,) = receiver.gate.stored
    assert raw.body == send.compose(mail)
    assert (raw.envelope["sender"], raw.envelope["recipients"]) == ("bounce+7@example.com", ["ann@x.com"])


async def test_one_connection_is_used_again_and_a_closed_one_is_replaced(start: Start) -> None:
    receiver = await start(addresses=("@x.com",))
    async with sender(relay=f"smtp://127.0.0.1:{receiver.port}") as way:
        for number in range(3):
            await way.deliver(outbound(message_id=f"{number}@example.com"))
        shared = receiver.channel._shared
        assert shared is not None
        assert len(shared.connections) == 1
        for connection in tuple(shared.connections):
            connection.finish()
        await way.deliver(outbound(message_id="9@example.com"))
    assert len(receiver.gate.stored) == 4


@pytest.mark.parametrize(
    ("answers", "retryable", "unknown", "reason"),
    [
        ({b"MAIL": b"451 busy"}, True, False, "sender refused: 451 busy"),
        ({b"MAIL": b"550 no"}, False, False, "sender refused: 550 no"),
        ({b"RCPT": b"550 5.1.1 who"}, False, False, "ann@x.com refused: 550 5.1.1 who"),
        ({b"RCPT": b"450 later"}, True, False, "ann@x.com refused: 450 later"),
        ({b"DATA": b"554 no"}, False, False, "message refused: 554 no"),
        ({b"DATA": None}, True, False, "relay"),
        ({b"DOT": b"452 full"}, True, False, "message refused: 452 full"),
        ({b"DOT": b"552 big"}, False, False, "message refused: 552 big"),
        ({b"DOT": None}, True, True, "relay"),
        ({b"EHLO": None}, True, False, "relay"),
    ],
)
async def test_the_relays_answers_decide_what_follows(
    scripted: Scripted, answers: dict[bytes, bytes | None], retryable: bool, unknown: bool, reason: str  # noqa: FBT001
) -> None:  # fmt: skip
    async with sender(relay=await scripted(answers)) as way:
        error = await failure(way)
    assert (error.retryable, error.unknown) == (retryable, unknown)
    assert reason in error.reason


async def test_a_mail_larger_than_the_relay_takes_is_not_begun(scripted: Scripted) -> None:
    """RFC 1870: nothing of it is sent, and the reason names both sizes."""
    heard: list[bytes] = []
    async with sender(relay=await scripted({b"EHLO": b"250-relay\r\n250 SIZE 1000"}, heard=heard)) as way:
        error = await failure(way, text="x\n" * 1_000)
    assert not error.retryable
    assert "the relay takes 1000" in error.reason
    assert not any(line.startswith(b"MAIL") for line in heard)


@pytest.mark.parametrize(
    "fields",
    [
        {"to": (contract.Address("żółw@x.com"),)},
        {"envelope_sender": "żółw@example.com"},
        {"cc": (contract.Address("żółw@x.com"),)},
    ],
)
async def test_addresses_beyond_ascii_need_a_relay_that_takes_them(
    scripted: Scripted, fields: dict[str, Any]
) -> None:
    """RFC 6531: without SMTPUTF8 the reason says so; with it the relay is told at MAIL."""
    async with sender(relay=await scripted({})) as way:
        error = await failure(way, **fields)
    assert "SMTPUTF8" in error.reason
    assert not error.retryable
    heard: list[bytes] = []
    async with sender(relay=await scripted({b"EHLO": b"250-relay\r\n250 SMTPUTF8"}, heard=heard)) as way:
        await way.deliver(outbound(**fields))
    assert next(line for line in heard if line.startswith(b"MAIL")).endswith(b" SMTPUTF8\r\n")


async def test_a_relay_that_is_not_there_or_silent_is_tried_again(scripted: Scripted) -> None:
    async with sender(relay="smtp://127.0.0.1:1") as way:
        assert (await failure(way)).retryable
    async with sender(relay=await scripted({b"DOT": b""}), timeout_s=0.1) as way:
        error = await failure(way)
    assert error.retryable


async def test_recipients_refused_for_good_are_named_and_the_others_served(scripted: Scripted) -> None:
    heard: list[bytes] = []
    url = await scripted({b"RCPT TO:<bob": b"550 gone"}, heard=heard)
    async with sender(relay=url) as way:
        error = await failure(way, to=(contract.Address("ann@x.com"), contract.Address("bob@x.com")))
    assert error.reason == "sent to 1 of 2 recipients; bob@x.com refused: 550 gone"
    assert not error.retryable
    assert b".\r\n" in heard


async def test_while_one_recipient_may_be_taken_later_nobody_gets_it_twice(scripted: Scripted) -> None:
    heard: list[bytes] = []
    url = await scripted({b"RCPT TO:<bob": b"450 later"}, heard=heard)
    async with sender(relay=url) as way:
        error = await failure(way, to=(contract.Address("ann@x.com"), contract.Address("bob@x.com")))
    assert error.retryable
    assert b"DATA\r\n" not in heard


@pytest.mark.parametrize("answer", [b"550 5.1.1 gone", b"450 later"])
async def test_a_refused_copy_keeps_the_mail_from_nobody(scripted: Scripted, answer: bytes) -> None:
    """Whom it is for gets it now, and who does not is named."""
    heard: list[bytes] = []
    url = await scripted({b"RCPT TO:<bob": answer}, heard=heard)
    async with sender(relay=url) as way:
        delivered = await way.deliver(
            outbound(cc=(contract.Address("bob@x.com"), contract.Address("eve@x.com")))
        )
    assert delivered.refused == {"bob@x.com": f"bob@x.com refused: {answer.decode()}"}
    assert b".\r\n" in heard


async def test_what_a_relay_says_of_a_copy_is_one_printable_line(scripted: Scripted) -> None:
    url = await scripted({b"RCPT TO:<bob": b"550-no\x1b[31m\r\n550 " + b"x" * 480})
    async with sender(relay=url) as way:
        [said] = (await way.deliver(outbound(cc=(contract.Address("bob@x.com"),)))).refused.values()
    assert said.isprintable()
    assert len(said) <= 500


async def test_without_whom_it_is_for_a_copy_is_no_delivery(scripted: Scripted) -> None:
    async with sender(relay=await scripted({b"RCPT TO:<ann": b"450 later"})) as way:
        assert (await failure(way, cc=(contract.Address("bob@x.com"),))).retryable


async def test_a_stripped_starttls_is_refused_before_any_password(scripted: Scripted) -> None:
    heard: list[bytes] = []
    url = (await scripted({b"EHLO": b"250-relay\r\n250 AUTH PLAIN LOGIN"}, heard=heard)).replace(
        "smtp:", "smtp+starttls:"
    )
    async with sender(relay=url, username="ann", password="pw") as way:
        error = await failure(way)
    assert error.retryable
    assert not any(line.startswith((b"AUTH", b"MAIL")) for line in heard)


async def test_starttls_is_verified_and_logs_in(start: Start, certificate: Path) -> None:
    receiver = await start(
        addresses=("@x.com",), tls=settings.Tls(certificate=str(certificate)), require_tls=True,
        auth=settings.Auth(users={"ann": "pw"}, required=True),
    )  # fmt: skip
    url = f"smtp+starttls://localhost:{receiver.port}"
    async with sender(relay=url, username="ann", password="pw") as way:
        assert "certificate" in (await failure(way)).reason.lower()
    async with sender(relay=url, username="ann", password="pw", ca_file=str(certificate)) as way:
        await way.deliver(outbound())
    assert (receiver.gate.stored[0].envelope["auth"], receiver.gate.stored[0].envelope["tls"]) == (
        "ann",
        "TLSv1.3",
    )


async def test_xoauth2_sends_the_token_and_no_error_repeats_it(scripted: Scripted) -> None:
    heard: list[bytes] = []
    answers = {b"EHLO": b"250-relay\r\n250 AUTH XOAUTH2", b"AUTH XOAUTH2": b"535 bad token t0k-secret"}
    async with sender(
        relay=await scripted(answers, heard=heard), username="ann", xoauth2_token="t0k-secret"
    ) as way:
        error = await failure(way)
    assert any(line.startswith(b"AUTH XOAUTH2 ") for line in heard)
    assert error.retryable
    assert "t0k-secret" not in error.reason


@every_row("wrong", [
    {"relay": "smtp://mail.example.com", "username": "a", "password": "b"}, {"relay": "http://x"},
    {"relay": "smtp://u:secret@x:25"}, {"password": "b"}, {"max_connections": 0},
])  # fmt: skip
def test_options_that_cannot_work_or_leak_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError) as caught:
        send.Options(**wrong)
    assert "secret" not in str(caught.value)


async def test_a_folder_has_a_mail_once(tmp_path: Path) -> None:
    async with sender(folder=str(tmp_path / "out")) as way:
        first = await way.deliver(outbound())
        assert await way.deliver(outbound()) == first
    (path,) = (tmp_path / "out").iterdir()
    assert path.name == first.provider_id == "20261121T100000.000000Z-7.eml"
    assert path.read_bytes() == send.compose(outbound())


async def test_an_id_cannot_leave_the_folder(tmp_path: Path) -> None:
    async with sender(folder=str(tmp_path / "out")) as way:
        await way.deliver(outbound(id="../../evil"))
    assert [path.parent for path in tmp_path.rglob("*.eml")] == [tmp_path / "out"]  # noqa: ASYNC240


async def test_a_folder_that_cannot_be_written_is_tried_again(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    async with sender(folder=str(tmp_path / "file")) as way:
        assert (await failure(way)).retryable


async def test_no_way_out_is_said(caplog: pytest.LogCaptureFixture) -> None:
    async with sender() as way:
        assert "no way out" in (await failure(way)).reason
        assert [problem.severity for problem in way.check()] == ["error"]


async def test_a_mail_that_cannot_be_written_is_not_tried_again() -> None:
    async with sender(folder="/nowhere") as way:
        assert not (await failure(way, to=(contract.Address("no address"),))).retryable


async def test_no_recipient_is_a_failure(start: Start) -> None:
    receiver = await start(testing.MemoryGate())
    async with sender(relay=f"smtp://127.0.0.1:{receiver.port}") as way:
        assert not (await failure(way, to=())).retryable
