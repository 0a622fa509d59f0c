"""How fast a mail becomes its normal form, beside the standard library's two policies and a bare Rust parser.

Everybody reads the same mails in turn in one run and has to give subject, sender, text, and each attachment's name,
bytes and SHA-256. The whole normal form is more: HTML as text, visible text, language, kind of automatic mail, trust.
"""

import email
import email.policy
import random
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.message import Message
from hashlib import sha256
from pathlib import Path
from typing import Any

import fast_mail_parser

from bench.results import Results
from channels import contract
from channels.email import addresses, body, headers, message, structure
from tests.torture.mailmix import MIXES, Pool

PART = "understanding"
MAILS = 400
_OPTIONS = message.Options()
_AT = datetime(2026, 11, 21, tzinfo=UTC)
Reader = Callable[[bytes], Any]


def run(results: Results, folder: Path, *, is_quick: bool) -> None:
    results.begin(PART, is_quick=is_quick)
    rows = []
    for mix in ("mix", "plain"):
        mails = _mails(mix, 100 if is_quick else MAILS)
        figures = _compared(mails, rounds=3 if is_quick else 9)
        ours = figures["intaked"]
        size_kb = statistics.mean(map(len, mails)) / 1024
        rows += [
            [mix, f"{size_kb:.1f}", name, f"{figure:.0f}", f"{figure / ours:.1f}"]
            for name, figure in figures.items()
        ]
        if mix == "mix":
            for name, what in (
                ("intaked, subject, sender, text and files alone", "The mix read, what policy.default gives"),
                ("intaked", "The same with visible text, language, trust and kind"),
            ):
                ratio = figures["policy.default"] / figures[name]
                results.line(PART, f"{what}: times as fast", ratio, target=10, unit="×")
    head = ["mails", "KB on average", "reader", "µs a mail", "of ours"]
    results.table(PART, "A mail to its normal form", head, rows)


def ours(raw: bytes) -> contract.Message:
    received = contract.RawMessage(kind="email.smtp", account="bench", lane="", body=raw, received_at=_AT)
    try:
        return message.parse(received, _OPTIONS)
    except contract.Costly:
        return message.parse_costly(received, _OPTIONS)


def ours_alike(raw: bytes) -> tuple[str, tuple[contract.Address, ...], str, tuple[contract.Attachment, ...]]:
    """What the others give, by our way: no visible text, language, trust or kind of automatic mail."""
    whole, _ = headers.mended(raw)
    fields = headers.scan(whole)
    try:
        root, _ = structure.read(whole, fields, costly=False)
        content = body.read(root, costly=False)
    except contract.Costly:
        root, _ = structure.read(whole, fields, costly=True)
        content = body.read(root, costly=True)
    return (
        fields.text("subject"),
        addresses.parse(fields.structured("from")),
        content.text,
        content.attachments,
    )


def by_default_policy(raw: bytes) -> tuple[str, str, str, list[Any]]:
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    body = mail.get_body(("plain", "html"))
    text = str(body.get_content()) if body is not None else ""
    files = [(each.get_filename(), _content(each.get_content())) for each in mail.iter_attachments()]
    return str(mail["subject"]), str(mail["from"]), text, [_described(*file) for file in files]


def by_compat32(raw: bytes) -> tuple[str, str, str, list[Any]]:
    mail = email.message_from_bytes(raw)
    leaves = [part for part in mail.walk() if not part.is_multipart()]
    named = [part for part in leaves if part.get_filename()]
    texts = [_text(part) for part in leaves if not part.get_filename()]
    files = [_described(part.get_filename(), _payload(part)) for part in named]
    return str(mail["subject"]), str(mail["from"]), texts[0] if texts else "", files


def by_rust_alone(raw: bytes) -> tuple[str, str, str, list[Any]]:
    mail = fast_mail_parser.parse_email(raw)
    files = [_described(each.filename, bytes(each.content)) for each in mail.attachments]
    text = next(iter([*mail.text_plain, *mail.text_html]), "")
    return mail.subject, str(mail.headers.get("From")), text, files


READERS: dict[str, Reader] = {
    "intaked": ours,
    "intaked, subject, sender, text and files alone": ours_alike,
    "policy.default": by_default_policy,
    "compat32": by_compat32,
    "fast-mail-parser alone": by_rust_alone,
}


def _mails(mix: str, number: int) -> list[bytes]:
    pool = Pool(MIXES[mix], seed=20261122, recipient="support@example.com")
    chance = random.Random(20261122)
    return [pool.mail(chance.randrange(100_000)).content.replace(b"\r\n..", b"\r\n.") for _ in range(number)]


def _compared(mails: list[bytes], *, rounds: int) -> dict[str, float]:
    """Microseconds a mail of each reader: the median of rounds in which everybody reads all mails in turn."""
    taken: dict[str, list[float]] = {name: [] for name in READERS}
    for _ in range(rounds):
        for name, read in READERS.items():
            begun = time.perf_counter()
            for raw in mails:
                read(raw)
            taken[name].append((time.perf_counter() - begun) / len(mails) * 1e6)
    return {name: statistics.median(figures) for name, figures in taken.items()}


def _described(name: str | None, content: bytes) -> tuple[str, int, str]:
    return name or "", len(content), sha256(content).hexdigest()


def _content(content: Any) -> bytes:
    return content.encode() if isinstance(content, str) else bytes(content)


def _payload(part: Message) -> bytes:
    return bytes(part.get_payload(decode=True) or b"")


def _text(part: Message) -> str:
    return _payload(part).decode(part.get_content_charset() or "utf-8", "replace")
