"""A desk with tickets in it, for tests of what agents write and do."""

import itertools
from email.message import EmailMessage
from typing import Any

import msgspec
from sqlalchemy import text as sql

from channels.contract import OutboundMessage, RawMessage
from channels.email import message as mail_reader
from intake import journal, pipeline
from intake.store import blobs, schema
from intake.store.statements import Statement
from tests.web.site import Browser, Site

RULES = """
version: 1
calendars:
  always: {timezone: UTC, open: {mon-sun: "00:00-24:00"}}
agents:
  ania: {email: ania@desk.example}
  ewa: {email: ewa@desk.example}
  tomek: {email: tomek@desk.example}
  zoe: {email: zoe@desk.example}
teams:
  support: {levels: {l1: [ania, ewa], lead: [tomek]}}
  billing: {levels: {l1: [zoe]}}
sla:
  standard: {calendar: always, first_response: 2h}
route:
  - {id: money, when: {text.words: [invoice, refund]}, then: {team: billing}}
default: {team: support, priority: normal, sla: standard}
"""
JSON = {"Accept": "application/json"}
PAGE = {"Accept": "text/html"}

_numbers = itertools.count(1)


def receive(site: Site, sender: str = "jan@customer.example", **mail: Any) -> dict[str, Any]:
    """Take a mail in and settle it; its ticket. mail: subject, body, answers (a Message-ID)."""
    content = _mail(sender, **mail)
    raw = RawMessage(
        kind="email.smtp",
        account="support",
        lane=sender,
        body=content,
        received_at=site.store.now(),
        envelope={"sender": sender, "recipients": ["support@example.com"]},
    )
    blob = blobs.prepare(content, site.wired.blob_folder)
    number = site.store.write_now(lambda tx: journal.keep(tx, raw, blob, ())).id
    received = site.store.read_now(lambda tx: journal.load(tx, number, site.wired.blob_folder))
    message = mail_reader.parse(received.raw, mail_reader.Options())
    site.store.write_now(lambda tx: pipeline.settle(tx, site.context, received, message))
    (row,) = rows(site, "journal", "id = :id", id=number)
    (ticket,) = rows(site, "tickets", "id = :id", id=row["ticket_id"])
    return ticket


def _mail(
    sender: str,
    *,
    subject: str = "My printer",
    body: str = "My printer is on fire.",
    answers: str = "",
    message_id: str = "",
) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, "support@example.com", subject
    mail["Message-ID"] = f"<{message_id or f'{next(_numbers)}@customer.example'}>"
    if answers:
        mail["In-Reply-To"] = f"<{answers}>"
    mail.set_content(body)
    return mail.as_bytes()


def rows(site: Site, table: str, where: str = "1 = 1", **parameters: Any) -> list[dict[str, Any]]:
    columns = [each.name for each in schema.metadata.tables[table].columns]
    statement = Statement(sql(f"SELECT {', '.join(columns)} FROM {table} WHERE {where}"))
    found = site.store.read_now(lambda tx: tx.all(statement, **parameters))
    return [dict(zip(columns, row, strict=True)) for row in found]


def public(site: Site, ref: str) -> list[str]:
    """What customer and agents have said on a ticket, oldest first."""
    found = rows(
        site,
        "messages",
        "ticket_id = (SELECT id FROM tickets WHERE ref = :ref) AND automatic IS NULL AND direction <> 'note' ORDER BY id",
        ref=ref,
    )
    return [each["body"].strip() for each in found]


def sent(site: Site) -> list[OutboundMessage]:
    """Everything that was decided to be sent to a customer, oldest first."""
    found = rows(site, "outbox", "message_id IS NOT NULL ORDER BY id")
    return [msgspec.json.decode(each["payload"], type=OutboundMessage) for each in found]


async def post(browser: Browser, path: str, **fields: Any) -> tuple[int, dict[str, Any]]:
    """Post as a script of ours does: status, and what was told."""
    status, text, _ = await browser.ask("POST", path, json=fields, headers=JSON)
    return status, msgspec.json.decode(text) if text.startswith("{") else {}


async def page(browser: Browser, path: str) -> tuple[int, str]:
    status, text, _ = await browser.ask("GET", path, headers=PAGE)
    return status, text
