"""Brings texts into every field that somebody outside can fill, by every channel's own raw messages, until they stand in tickets."""

import base64
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from itertools import count
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from channels import form, webhook
from channels.contract import CallEvent, Happened, Identity, RawMessage
from channels.email import message as mail
from channels.form import submission
from channels.twilio import sms, whatsapp
from channels.webchat import parsing
from intake import desk, events, journal, pipeline, tickets
from intake.model import Account
from intake.store import blobs, schema
from intake.store.engine import Tx
from tests.domain.world import World
from tests.phone import texting
from tests.web.forms import BOUNDARY

RULES = """
version: 1
calendars:
  always: {timezone: UTC, open: {mon-sun: "00:00-24:00"}}
agents:
  ania: {email: ania@desk.example}
teams:
  support: {levels: {l1: [ania]}}
sla:
  standard: {calendar: always, first_response: 2h}
conversations: {sms: {join: open}, whatsapp: {join: open}, form: {join: open}, webhook: {join: open}, chat: {join: open}}
default: {team: support, priority: normal, sla: standard}
"""
OWN = "+48221234567"
FORM = {"fields": {"order": {"label": "Order", "max_chars": 20_000}}, "ask": {"phone": "optional"}}
SOURCE = {
    "secrets": ["x" * 16],
    "mapping": {
        "text": "/text",
        "from": "/from",
        "name": "/name",
        "subject": "/subject",
        "headers": {"order": "/order"},
    },
    "files": {"at": "/files", "name": "/name"},
}
ACCOUNTS = {
    "support": Account("support", "email.smtp", "email", ("support@example.com",), can_deliver=True),
    "texts": Account("texts", "twilio.sms", "sms", (OWN,), can_deliver=True),
    "whatsapp": Account("whatsapp", "twilio.whatsapp", "whatsapp", (OWN,), can_deliver=True),
    "phone": Account("phone", "twilio.voice", "voice", (OWN,)),
    "contact": Account("contact", "form", "form"),
    "shop": Account("shop", "webhook", "webhook"),
    "website": Account("website", "webchat", "chat", can_deliver=True),
}
TEXTS_A_PAGE, MESSAGES_A_PAGE = 100, 50
Read = Callable[[RawMessage], Any]


class Batch(msgspec.Struct, frozen=True):
    """One ticket with the texts that were written into it. shown: those that its page has to show."""

    ref: str
    texts: list[str]
    shown: list[str]


class Feed:
    """Feeds one desk. Each batch is somebody new."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.context = msgspec.structs.replace(world.context, accounts=ACCOUNTS)
        self._senders, self._numbers = count(1), count(1)

    def batches(self, kind: str, texts: Sequence[str]) -> Iterator[Batch]:
        """Bring texts in by a channel, so many a ticket."""
        fields = len(_FIELDS[kind])
        size = fields * min(TEXTS_A_PAGE // fields, MESSAGES_A_PAGE)
        for start in range(0, len(texts), size):
            batch = list(texts[start : start + size])
            sender, shown = next(self._senders), list[str]()
            for first in range(0, len(batch), fields):
                given = dict(zip(_FIELDS[kind], batch[first : first + fields], strict=False))
                row = getattr(self, f"_{kind}")(sender, given)
                named = [name for name in _SHOWN[kind] if name in given and (name != "subject" or first == 0)]
                shown += [_file_name(given[name]) if name == "file" else given[name] for name in named]
            yield Batch(self._ref(row), batch, shown)

    def by_agents(self, ref: str, texts: Sequence[str]) -> None:
        """Have agents say texts on a ticket: notes, answers, tags; and what providers and rules say of it."""
        context = self.world.context

        def act(tx: Tx) -> None:
            ticket = desk.find(tx, ref)
            for number, text in enumerate(texts):
                if number % 4 == 0:
                    desk.note(tx, context, ref, agent="ania", text=text)
                elif number % 4 == 1:
                    desk.reply(tx, context, ref, agent="ania", text=text)
                elif number % 4 == 2:
                    changed = (*desk.find(tx, ref).tags, text)
                    tickets.change(tx, desk.find(tx, ref), actor=f"rule:{text}", tags=changed)
                else:
                    events.of_ticket(tx, ticket, "delivery_failed", actor=f"rule:{text}", reason=text)

        self.world.store.write_now(act)

    def operations(self, texts: Sequence[str]) -> None:
        """Have messages set aside and given up, for reasons like these."""

        def act(tx: Tx) -> None:
            for number, text in enumerate(texts):
                values = {
                    "cause": f"x{number}",
                    "action": text,
                    "medium": text,
                    "account": text,
                    "payload": "{}",
                }
                tx.insert(
                    schema.outbox, id=tx.new_id(), recipient=text, state=("failed", "queued")[number % 2], error=text,
                    attempts=number, created_at=tx.now, next_at=None if number % 2 == 0 else tx.now + 10**15, **values,
                )  # fmt: skip
            events.record(tx, "rules_refused", problems=list(texts), in_force="x")

        self.world.store.write_now(act)
        for text in texts[:30]:
            row = self._taken(
                RawMessage(kind=text, account=text, lane=text, body=b"x", received_at=self.world.clock())
            )
            self.world.store.write_now(
                lambda tx, row=row, text=text: tx.update(
                    schema.journal, {"id": row}, state="quarantined", problem=text
                )  # type: ignore[misc]
            )

    # -- channels ---------------------------------------------------------------------------------------------

    def _email(self, sender: int, given: dict[str, str]) -> int:
        number = next(self._numbers)
        address = f"x{sender}@customer.example"
        before = f"In-Reply-To: <{sender}.{number - 1}@x>\r\n" if given else ""
        boundary = f"b{number}"
        name, subject = _word(given.get("name", "")), _word(given.get("subject", ""))
        head = (
            f"From: {name} <{address}>\r\nTo: {_word(given.get('to', ''))} <support@example.com>\r\nSubject: {subject}\r\n"
            f"Cc: {_word(given.get('cc', ''))} <c{sender}@else.example>\r\nX-Mailer: {_word(given.get('header', ''))}\r\n"
            f"Message-ID: <{sender}.{number}@x>\r\n{before}Date: Tue, 10 Nov 2026 09:00:00 +0000\r\nMIME-Version: 1.0\r\n"
            f"Content-Type: multipart/mixed; boundary={boundary}\r\n\r\n"
        )
        text = given.get("text", "")
        parts = [
            f"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{_base64(text)}",
            f"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{_base64(given.get('html', ''))}",
            f"Content-Type: {_token(given.get('type', ''))}\r\nContent-Disposition: attachment; filename*=utf-8''{quote(given.get('file', ''), safe='')}\r\n\r\nx",
        ]
        body = head + "".join(f"--{boundary}\r\n{part}\r\n" for part in parts) + f"--{boundary}--\r\n"
        raw = RawMessage(
            kind="email.smtp", account="support", lane=address, body=body.encode("utf-8", "replace"), received_at=self.world.clock(),
            envelope={"sender": address, "recipients": ["support@example.com"]},
        )  # fmt: skip
        return self._settled(raw, lambda each: mail.parse_costly(each, mail.Options()))

    def _sms(self, sender: int, given: dict[str, str]) -> int:
        return self._text(
            "twilio.sms", "texts", sender, texting.form(given.get("text", "x"), From=_number(sender)), sms
        )

    def _whatsapp(self, sender: int, given: dict[str, str]) -> int:
        posted = texting.whatsapp_form(
            given.get("text", "x"), From=f"whatsapp:{_number(sender)}", WaId=_number(sender)[1:], ExternalUserId="",
            ProfileName=given.get("name", ""), Latitude="54.5", Longitude="18.5", Label=given.get("place", ""), Address=given.get("address", ""),
            NumMedia="1", MediaUrl0="https://api.twilio.com/x", MediaContentType0=given.get("type", ""),
        )  # fmt: skip
        return self._text("twilio.whatsapp", "whatsapp", sender, posted, whatsapp)

    def _text(self, kind: str, account: str, sender: int, posted: dict[str, str], module: Any) -> int:
        raw = texting.raw(posted, kind=kind, account=account, at=self.world.clock())
        options = msgspec.convert(
            {"account_sid": texting.SID, "auth_token": texting.TOKEN, "numbers": [OWN]}, module.Options
        )
        return self._settled(raw, lambda each: module.parse(each, options))

    def _form(self, sender: int, given: dict[str, str]) -> int:
        fields = {"email": f"f{sender}@customer.example", "message": "x", "phone": "+48221234567"}
        fields |= {name: given[name] for name in ("name", "subject", "message", "order") if name in given}
        parts = [
            f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}' for name, value in fields.items()
        ]
        named = given.get("file", "x").replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
        parts.append(
            f'Content-Disposition: form-data; name="files"; filename="{named}"\r\nContent-Type: {_token(given.get("type", ""))}\r\n\r\nx'
        )
        body = "".join(f"--{BOUNDARY}\r\n{part}\r\n" for part in parts) + f"--{BOUNDARY}--\r\n"
        raw = RawMessage(
            kind="form", account="contact", lane=fields["email"], received_at=self.world.clock(),
            body=submission.kept(f"multipart/form-data; boundary={BOUNDARY}", body.encode("utf-8", "replace")),
        )  # fmt: skip
        return self._settled(raw, lambda each: form.parse(each, msgspec.convert(FORM, form.Options)))

    def _webhook(self, sender: int, given: dict[str, str]) -> int:
        address = f"w{sender}@customer.example"
        event = {
            "from": address,
            "text": "x",
            "files": [{"url": "https://files.example/x", "name": given.get("file", "")}],
        }
        files = [{"url": "https://files.example/x", "name": given.get("file", "")}]
        raw = RawMessage(
            kind="webhook", account="shop", lane=address, body=msgspec.json.encode(event | given), received_at=self.world.clock(),
            envelope={"files": files},
        )  # fmt: skip
        return self._settled(raw, lambda each: webhook.parse(each, msgspec.convert(SOURCE, webhook.Options)))

    def _voice(self, sender: int, given: dict[str, str]) -> int:
        at, name = self.world.clock(), f"RE{sender:08x}"
        call = CallEvent(
            kind="voice", call=f"CA{sender}-{next(self._numbers)}", direction="in", caller=Identity("phone", _number(sender)), own=OWN,
            happened=(
                Happened("began", at, {"language": "en"}),
                Happened("chose", at, {"id": given.get("choice", "")}),
                Happened("recorded", at, {"recording": name, "why": "voicemail", "duration_s": 5}),
                Happened("transcribed", at, {"recording": name, "text": given.get("text", "x")}),
                Happened("ended", at + timedelta(seconds=9), {"status": "completed", "why": "voicemail"}),
            ),
        )  # fmt: skip
        raw = RawMessage(kind="twilio.voice", account="phone", lane=call.call, body=b"x", received_at=at)
        return self._settled(raw, lambda each: call)

    def _chat(self, sender: int, given: dict[str, str]) -> int:
        """A line as the chat's step has it journalled."""
        at, session = self.world.clock(), f"chat:website:x{sender}"
        file = {
            "reference": f"u{next(self._numbers)}",
            "name": given.get("file", "x"),
            "content_type": "image/png",
            "size": 1,
        }
        details = {"text": given.get("text", "x"), "name": given.get("name", ""), "files": [file]}
        happened = [{"what": parsing.LINE, "at": at.isoformat(), "details": details}]
        raw = RawMessage(
            kind="webchat", account="website", lane=session, body=b"{}", received_at=at,
            envelope={"session": session, "happened": happened, "page": given.get("page", "")},
        )  # fmt: skip
        return self._settled(raw, parsing.parse)

    def _settled(self, raw: RawMessage, read: Read) -> int:
        row = self._taken(raw)
        received = self.world.store.read_now(lambda tx: journal.load(tx, row, self.world.folder))
        understood = read(raw)
        self.world.store.write_now(lambda tx: pipeline.settle(tx, self.world.context, received, understood))
        return row

    def _taken(self, raw: RawMessage) -> int:
        blob = blobs.prepare(raw.body, self.world.folder)
        return self.world.store.write_now(lambda tx: journal.keep(tx, raw, blob, [])).id

    def _ref(self, row: int) -> str:
        found = self.world.row("journal", row)
        ticket_id = found["ticket_id"] or self.world.rows("tickets", "1 = 1 ORDER BY id DESC")[0]["id"]
        return str(self.world.row("tickets", ticket_id)["ref"])


# What of each channel somebody outside can fill in.
_FIELDS = {
    "email": ("name", "subject", "text", "html", "file", "type", "to", "cc", "header"),
    "sms": ("text",),
    "whatsapp": ("text", "name", "place", "address", "type"),
    "form": ("name", "subject", "message", "order", "file", "type"),
    "webhook": ("name", "subject", "text", "order", "file"),
    "voice": ("text", "choice"),
    "chat": ("text", "name", "file", "page"),
}
# Of these the page of a ticket shows the words as they were written: no header, content type or place of a page, of subjects the first.
_SHOWN = {
    "email": ("name", "subject", "text", "file"),
    "sms": ("text",),
    "whatsapp": ("text", "name", "place", "address"),
    "form": ("name", "subject", "message", "order", "file"),
    "webhook": ("name", "subject", "text", "file"),
    "voice": ("text",),
    "chat": ("text", "name", "file"),
}
KINDS = tuple(_FIELDS)


def _file_name(text: str) -> str:
    """What of a name is no folder; a form writes its quotes so (HTML Standard §4.10.21.8)."""
    return re.split(r"[/\\]", text)[-1].replace("%22", '"')


def _number(sender: int) -> str:
    return f"+48600{sender:06d}"


def _base64(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "surrogatepass")).decode()


def _word(text: str) -> str:
    """An encoded word (RFC 2047), of any length: what is longer than a line is read as well."""
    return f"=?utf-8?b?{_base64(text)}?=" if text else ""


def _token(text: str) -> str:
    """A content type that says as much of a text as a header can."""
    return text.replace("\r", " ").replace("\n", " ") or "application/octet-stream"


def query(text: str) -> str:
    return urlencode({"q": text[:500]})
