"""The public contract suite, run on email.smtp with real sockets."""

from datetime import UTC, datetime

from channels import contract, testing
from channels.email import send, settings, smtp
from tests.smtp import receiving

_RAW = contract.RawMessage(
    kind="email.smtp", account="support", lane="ann@x.com", body=receiving.MAIL,
    received_at=datetime(2026, 11, 21, 10, 0, 1, tzinfo=UTC), envelope={"sender": "ann@x.com", "recipients": []},
)  # fmt: skip


class TestParses(testing.ParserContract):
    module = smtp  # type: ignore[assignment]
    options = smtp.Options()
    valid = ((_RAW, smtp.parse(_RAW, options)),)

    def test_the_fixture_says_who_and_what(self) -> None:
        message = smtp.parse(_RAW, self.options)
        assert (message.kind, message.subject, message.visible_text) == ("email", "Help", "Hello")


class TestTakes(testing.ReceiverContract):
    secrets = ("correct-horse", "battery-staple")

    def body(self) -> bytes:
        return receiving.MAIL

    def oversize(self) -> bytes:
        return receiving.MAIL + b"x" * 20_000 + b"\r\n"

    async def send(self, gate: testing.MemoryGate, body: bytes) -> testing.Answer:
        receiver = await receiving.start_receiver(
            gate, max_size_bytes=10_000,
            auth=settings.Auth(users={"ann": "correct-horse"}, allow_plain_on_loopback=True),
            outgoing=send.Options(relay="smtp://127.0.0.1:1", username="ann", password="battery-staple"),
        )  # fmt: skip
        try:
            client = await receiver.client()
            await client.reply()
            await client.say(b"EHLO me")
            assert (await client.say(b"AUTH LOGIN YW5u")).startswith("334")
            assert (await client.say(b"Y29ycmVjdC1ob3JzZQ==")).startswith("235")
            for command in (b"MAIL FROM:<ann@x.com>", b"RCPT TO:<support@example.com>", b"DATA"):
                await client.say(command)
            reply = await client.send(body)
        finally:
            await receiver.stop()
        answers: dict[str, testing.Answer] = {"2": "taken", "4": "try again", "5": "refused"}
        return answers[reply[0]]
