"""Small mails for tests, put together from header fields and parts."""

from datetime import UTC, datetime

from channels.contract import Message, RawMessage
from channels.email import message

FROM = b"From: Ada <ada@example.com>\r\n"
TEXT = b"Content-Type: text/plain; charset=utf-8\r\n\r\nWhere is my order?"
REPORT = (
    b'Content-Type: application/pdf; name="report.pdf"\r\nContent-Disposition: attachment; filename="report.pdf"\r\n'
    b"Content-Transfer-Encoding: base64\r\n\r\nJVBERi0xLjQ="
)


def read(content: bytes | str, **envelope: object) -> Message:
    """The normal form, by the fast road."""
    raw = RawMessage(
        kind="email.smtp",
        account="a",
        lane="l",
        body=content.encode() if isinstance(content, str) else content,
        received_at=datetime(2026, 11, 2, tzinfo=UTC),
        envelope=envelope,
    )
    return message.parse(raw, message.Options())


def single(body: bytes, content_type: str = "text/plain", encoding: str = "") -> bytes:
    """A mail of one part."""
    fields = f"Content-Type: {content_type}\r\n" if content_type else ""
    fields += f"Content-Transfer-Encoding: {encoding}\r\n" if encoding else ""
    return FROM + fields.encode() + b"\r\n" + body


def multipart(
    *parts: bytes, declared: str = 'multipart/mixed; boundary="B"', end: bytes = b"--B--\r\n"
) -> bytes:
    """A mail of several parts between delimiters of the boundary B."""
    head = FROM + b"Content-Type: " + declared.encode() + b"\r\n\r\n"
    return head + b"".join(b"--B\r\n" + part + b"\r\n" for part in parts) + end


def names(content: bytes) -> list[str]:
    return [attachment.name for attachment in read(content).attachments]
