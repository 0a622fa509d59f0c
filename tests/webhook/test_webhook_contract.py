"""The public contract suite, run on email.webhook with a real server and client."""

import base64
import json
from datetime import UTC, datetime

from channels import contract, testing
from channels.email import ses, webhook
from tests.webhook import posting

_RAW = contract.RawMessage(
    kind="email.webhook", account="support", lane="ann@example.net", body=posting.MAIL,
    received_at=datetime(2026, 11, 21, 10, 0, 1, tzinfo=UTC), envelope={"recipients": [], "peer": "webhook"},
)  # fmt: skip
_REPORT = contract.RawMessage(
    kind="email.webhook", account="support", lane="<>", received_at=datetime(2026, 11, 21, 10, 0, 1, tzinfo=UTC),
    body=json.dumps({"notificationType": "Bounce", "mail": {"source": "b@example.com"}, "bounce": {
        "bounceType": "Permanent", "bouncedRecipients": [{"emailAddress": "x@example.net", "status": "5.1.1"}]}}).encode(),
    envelope={"sender": "", "recipients": ["b@example.com"], "form": ses.FORM},
)  # fmt: skip


class TestParses(testing.ParserContract):
    module = webhook  # type: ignore[assignment]
    options = webhook.Options()
    valid = (
        (_RAW, webhook.parse(_RAW, options)),
        (_REPORT, webhook.parse(_REPORT, options)),
    )

    def test_the_fixture_says_who_and_what(self) -> None:
        message = webhook.parse(_RAW, self.options)
        assert (message.kind, message.subject, message.visible_text) == ("email", "Help", "Hello")


class TestTakes(testing.ReceiverContract):
    secrets = (posting.SECRET, "the-former-secret")

    def body(self) -> bytes:
        return posting.MAIL

    def oversize(self) -> bytes:
        return posting.MAIL + b"x" * 20_000

    async def send(self, gate: testing.MemoryGate, body: bytes) -> testing.Answer:
        desk = await posting.start(gate, max_size_bytes=10_000, secrets=self.secrets)
        try:
            status, _ = await desk.post_mail(body)
        finally:
            await desk.stop()
        answers: dict[int, testing.Answer] = {2: "taken", 4: "refused", 5: "try again"}
        return answers[status // 100]


def test_base64_is_what_the_notification_says() -> None:
    """The played notification and the reader agree about the one thing that both write."""
    made = posting.received(base64.b64encode(posting.MAIL).decode(), encoding="BASE64")
    read = ses.read(json.dumps(made))
    assert read is not None
    assert ses.content_of(read) == posting.MAIL
