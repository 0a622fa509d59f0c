"""The public contract suite, run on email.imap with a scripted server."""

from datetime import UTC, datetime

from channels import contract, testing
from channels.email import imap, send
from tests.imap import scripted, watching
from tests.imap.watching import Gate, mail, options

_RAW = contract.RawMessage(
    kind="email.imap", account="support", lane="ann@customer.example", body=mail("Help"),
    received_at=datetime(2026, 11, 21, 10, 0, 1, tzinfo=UTC), envelope={"mailbox": "INBOX", "uid": 1},
)  # fmt: skip


class TestParses(testing.ParserContract):
    module = imap  # type: ignore[assignment]
    options = imap.Options(host="mail.example.com", username="ann", password="x")
    valid = ((_RAW, imap.parse(_RAW, options)),)

    def test_the_fixture_says_who_and_what(self) -> None:
        message = imap.parse(_RAW, self.options)
        assert (message.kind, message.subject, message.visible_text) == ("email", "Help", "Hello")


class _Told(Gate):
    """The suite's own gate with the waiting of ours: what it stores, and its fault, are the suite's."""

    def __init__(self, gate: testing.MemoryGate) -> None:
        super().__init__()
        vars(self).update({name: value for name, value in vars(gate).items() if name != "fault"})
        self.fault = gate.fault


class TestTakes(testing.ReceiverContract):
    secrets = ("correct-horse", "battery-staple")

    def body(self) -> bytes:
        return mail("Help")

    def oversize(self) -> bytes:
        return mail("Help", body="x" * 20_000)

    async def send(self, gate: testing.MemoryGate, body: bytes) -> testing.Answer:
        """Deliver into a mailbox; a mail is refused when it is excused loudly, taken when the folder has lost it."""
        told = _Told(gate)
        before, submitted = told.counts, told.submitted
        folder = scripted.Folder()
        folder.uidnext = submitted + 1
        folder.deliver(body)
        relay = send.Options(relay="smtp://127.0.0.1:1", username="ann", password="battery-staple")
        with scripted.Server(folder) as server:
            chosen = options(server.port, afterwards="delete", max_size_bytes=10_000, outgoing=relay)
            async with watching.watching(told, chosen):
                await told.until(
                    lambda: told.counts > before or (told.submitted > submitted and bool(told.fault))
                )
        gate.submitted = told.submitted
        if not folder.mails:
            return "taken"
        excused = told.inventories[-1].excused if told.inventories else ()
        is_excused = any(each.is_alarming for each in excused)
        return "refused" if is_excused else "try again"
