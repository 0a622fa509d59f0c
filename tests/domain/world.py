"""A whole intake in one thread, on a real store: mail goes in, time is moved by hand, rows are looked at."""

import asyncio
import itertools
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import text as sql

from channels.contract import Message, OutboundMessage, RawMessage
from channels.email import identity
from channels.email import message as mail_reader
from intake import armaments, dailies, desk, instants, journal, parsing, pipeline, rulebooks, timers
from intake.keys import Keys
from intake.model import Account, Context, Ticket
from intake.replies import Replies
from intake.rulebooks import Loaded
from intake.sections import Limits, Notices
from intake.store import blobs
from intake.store.engine import Store, Tx
from intake.store.statements import Statement
from routing import rulebook

SUPPORT = "support@example.com"
RULES = """
version: 1
calendars:
  office: {timezone: Europe/Warsaw, open: {mon-fri: "09:00-17:00"}}
  always: {timezone: UTC, open: {mon-sun: "00:00-24:00"}}
agents:
  ania: {email: ania@desk.example}
  ewa: {email: ewa@desk.example}
  tomek: {email: tomek@desk.example}
teams:
  support: {levels: {l1: [ania], l2: [ewa], lead: [tomek]}}
  billing: {levels: {l1: [ewa], lead: [tomek]}}
sla:
  standard: {calendar: always, first_response: {urgent: 30m, normal: 2h}, resolution: 8h, pause: [pending, on_hold], ladder: nudge}
ladders:
  nudge:
    - {at: first_response 50%, notify: assignee}
    - {at: first_response breach, level: [l2, lead], notify: lead}
    - {at: first_response +15m, notify: lead, repeat: {every: 15m, times: 2}}
    - {at: resolution breach, priority: urgent, notify: lead}
enrich:
  - {id: junk, when: {subject: {words: casino}}, then: {spam: true}}
  - {id: newsletters, when: {subject: {words: newsletter}}, then: {ignore: true}}
route:
  - {id: money, when: {text.words: ["invoice*", refund]}, then: {team: billing, tags: [money]}}
default: {team: support, priority: normal, sla: standard, reply: {email: received}}
"""
REPLIES = {
    (
        "received",
        "en",
    ): "Subject: We have your message [{{ ticket.ref }}]\nHello {{ customer.name }}\n{{ ticket.ref }}\n",
    ("still-there", "en"): "Are you still there?\n",
    ("closing", "en"): "We take it that all is well.\n",
    (
        "promised",
        "en",
    ): "{% if not in_answer %}Hello\n\n{% endif %}You will hear from us by {{ promised }}.\n",
}


class World:
    """See the module docstring. clock: moved by the test."""

    def __init__(
        self, store: Store, folder: Path, clock: Any, *, rules: str = RULES, limits: Limits | None = None
    ) -> None:
        self.store = store
        self.folder = folder / "blobs"
        self.clock = clock
        self.keys = Keys.load_or_create(folder / "keys.json")
        loaded = _loaded(rules)
        store.write_now(lambda tx: rulebooks.keep(tx, loaded))
        self.account = Account(
            "support", "email.smtp", "email", (SUPPORT, "help@example.com"), can_deliver=True
        )
        self.context = Context(
            rulebook=loaded.rulebook,
            armaments=loaded.armaments,
            accounts={"support": self.account},
            keys=self.keys,
            replies=loaded.replies,
            organization="Example",
            limits=limits or Limits(),
            notices=Notices(),
        )
        self._numbers = itertools.count(1)

    def use_rules(self, rules: str) -> None:
        """Put other rules in force, as a reload would."""
        loaded = _loaded(rules)
        self.store.write_now(lambda tx: rulebooks.keep(tx, loaded))
        self.context = msgspec.structs.replace(
            self.context, rulebook=loaded.rulebook, armaments=loaded.armaments, replies=loaded.replies
        )

    # -- mail -------------------------------------------------------------------------------------------------

    def journal(
        self,
        sender: str = "jan@customer.example",
        *,
        subject: str = "My printer",
        body: str = "My printer is on fire, please help me.",
        to: Sequence[str] = (SUPPORT,),
        headers: dict[str, str] | None = None,
        message_id: str | None = None,
        envelope_sender: str | None = None,
        content: bytes | None = None,
    ) -> int:
        """Take a mail in, as a channel would; its journal id."""
        content = (
            content
            if content is not None
            else self.mail(sender, subject=subject, body=body, headers=headers or {}, message_id=message_id)
        )
        key = identity.content_key(content)
        raw = RawMessage(
            kind="email.smtp",
            account="support",
            lane=sender.lower(),
            keys=(key,) if key else (),
            body=content,
            received_at=self.clock(),
            envelope={
                "sender": sender if envelope_sender is None else envelope_sender,
                "recipients": list(to),
            },
        )
        blob = blobs.prepare(content, self.folder)
        hashes = [self.keys.fingerprint(each) for each in raw.keys]
        return self.store.write_now(lambda tx: journal.keep(tx, raw, blob, hashes)).id

    def mail(
        self, sender: str, *, subject: str, body: str, headers: dict[str, str], message_id: str | None = None
    ) -> bytes:
        message_id = f"<{message_id or f'{next(self._numbers)}@customer.example'}>"
        written = {
            "From": sender,
            "To": SUPPORT,
            "Subject": subject,
            "Date": "Tue, 10 Nov 2026 09:00:00 +0000",
        }
        return _mail({**written, "Message-ID": message_id}, headers, body=body)

    def settle(self, journal_id: int, *, message: Message | None = None, problem: str | None = None) -> None:
        """Settle one journal row, as the dispatcher would."""
        received = self.store.read_now(lambda tx: journal.load(tx, journal_id, self.folder))
        options = mail_reader.Options(trusted_authserv_ids=("mx.example.com",))
        understood = message or mail_reader.parse(received.raw, options)
        self.store.write_now(
            lambda tx: pipeline.settle(tx, self.context, received, understood, problem=problem)
        )

    def receive(self, sender: str = "jan@customer.example", **mail: Any) -> dict[str, Any]:
        """Take a mail in and settle it; its journal row."""
        journal_id = self.journal(sender, **mail)
        self.settle(journal_id)
        return self.row("journal", journal_id)

    def receive_unreadable(self, **mail: Any) -> dict[str, Any]:
        journal_id = self.journal(**mail)
        received = self.store.read_now(lambda tx: journal.load(tx, journal_id, self.folder))
        self.settle(journal_id, message=parsing.from_envelope(received.raw, "a bug"), problem="a bug")
        return self.row("journal", journal_id)

    # -- time -------------------------------------------------------------------------------------------------

    def advance(self, **by: float) -> None:
        self.clock.at += timedelta(**by)

    def fire_due(self) -> int:
        """Fire every timer that is due, in order; how many."""
        due = self.rows(
            "timers", "state = 'pending' AND due_at <= :now ORDER BY due_at, id", now=self.store.now_us()
        )
        for row in due:
            self.fire(row)
        return len(due)

    def fire(self, timer: dict[str, Any]) -> timers.Fired | None:
        return self.store.write_now(lambda tx: timers.fire(tx, self.context, timer["id"], timer["ticket_id"]))

    def run_dailies(self) -> int:
        """Make every run of a clock rule that is due; how many."""
        return asyncio.run(dailies.run_due(self.store, self.context))

    def count_statements(self, journal_id: int) -> int:
        """Settle a journal row; how many statements that took."""
        received = self.store.read_now(lambda tx: journal.load(tx, journal_id, self.folder))
        understood = mail_reader.parse(received.raw, mail_reader.Options())
        counted = 0

        def settle(tx: Tx) -> None:
            nonlocal counted
            execute = tx._execute

            def counting(sql: str, parameters: Any) -> Any:
                nonlocal counted
                counted += 1
                return execute(sql, parameters)

            tx._execute = counting
            pipeline.settle(tx, self.context, received, understood)

        self.store.write_now(settle)
        return counted

    # -- looking ----------------------------------------------------------------------------------------------

    def rows(self, table: str, where: str = "1 = 1", **parameters: Any) -> list[dict[str, Any]]:
        columns, statement = _select(table, where)
        found = self.store.read_now(lambda tx: tx.all(statement, **parameters))
        return [dict(zip(columns, row, strict=True)) for row in found]

    def row(self, table: str, identifier: int | None) -> dict[str, Any]:
        (found,) = self.rows(table, "id = :id", id=identifier)
        return found

    def ticket(self, journal_row: dict[str, Any]) -> dict[str, Any]:
        """The ticket that a mail became part of."""
        return self.row("tickets", journal_row["ticket_id"])

    def events(self, ticket: dict[str, Any]) -> list[str]:
        return [row["kind"] for row in self.rows("events", "ticket_id = :id ORDER BY id", id=ticket["id"])]

    def sent(self, to: str | None = None) -> list[OutboundMessage]:
        """Everything that was decided to be sent, oldest first."""
        rows = self.rows("outbox", "state <> 'withheld' ORDER BY id")
        every = [msgspec.json.decode(row["payload"], type=OutboundMessage) for row in rows]
        return [each for each in every if to is None or each.to[0].address == to]

    def clocks(self, ticket: dict[str, Any]) -> dict[str, dict[str, Any]]:
        rows = self.rows("clocks", "ticket_id = :id", id=ticket["id"])
        return {row["target"]: msgspec.json.decode(row["clock"]) | {"state": row["state"]} for row in rows}

    # -- agents -----------------------------------------------------------------------------------------------

    def reply(
        self,
        ticket: dict[str, Any],
        text: str = "Have you tried water?",
        *,
        agent: str = "ania",
        status: str | None = None,
    ) -> int:
        def answer(tx: Tx) -> int:
            return desk.reply(tx, self.context, ticket["ref"], agent=agent, text=text, status=status)

        return self.store.write_now(answer)

    def set_status(self, ticket: dict[str, Any], status: str, *, agent: str = "ania") -> Ticket:
        return self.store.write_now(
            lambda tx: desk.set_status(tx, self.context, ticket["ref"], status, agent=agent)
        )


_PLAIN = re.compile(r"[A-Za-z0-9 @.<>:+,;=/!?_'()-]{1,60}")


def _mail(written: dict[str, str], added: dict[str, str], *, body: str) -> bytes:
    """Write a mail. Where all is plain, EmailMessage says the same, and takes a third of a test's time over it."""
    if not added and _is_plain(written, body):
        head = "".join(f"{name}: {value}\n" for name, value in written.items())
        kind = (
            'Content-Type: text/plain; charset="utf-8"\nContent-Transfer-Encoding: 7bit\nMIME-Version: 1.0\n'
        )
        return f"{head}{kind}\n{body}\n".encode()
    mail = EmailMessage()
    for name, value in [*written.items(), *added.items()]:
        mail[name] = value
    mail.set_content(body)
    return mail.as_bytes()


def _is_plain(written: dict[str, str], body: str) -> bool:
    address = written["From"]
    return (
        _PLAIN.fullmatch(body) is not None
        and all(_PLAIN.fullmatch(each) for each in written.values())
        and "=?" not in written["Subject"]
        and address.replace("@", "", 1).replace(".", "").isalnum()
        and written["Subject"].strip() == written["Subject"]
    )


@cache
def _loaded(rules: str) -> Loaded:
    """What a text says is the same for every world: reading it costs as much as a test."""
    book = rulebook.load({"rules.yaml": rules}, replies=set(REPLIES))
    return Loaded(book, armaments.of_rulebook(book), Replies(REPLIES))


@cache
def _select(table: str, where: str) -> tuple[list[str], Statement]:
    columns = [column.name for column in _tables()[table].columns]
    return columns, Statement(sql(f"SELECT {', '.join(columns)} FROM {table} WHERE {where}"))


def _tables() -> Any:
    from intake.store import schema

    return schema.metadata.tables


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def us(moment: datetime) -> int:
    return instants.us_from_datetime(moment)
