"""A chat in one thread, on a real store: visitors speak, agents answer, time is moved by hand, rows are looked at."""

import asyncio
import logging
import uuid
from pathlib import Path
from typing import Any

import msgspec

from channels.webchat import Options, parsing, tokens
from channels.webchat.door import Visitor
from channels.webchat.limits import Limits
from channels.webchat.proofs import Proofs
from channels.webchat.talk import Talk
from intake import chat_idle, chat_letters, session_lines
from intake import journal as journals
from intake.journal import Journal
from intake.model import Account
from intake.sessions import Sessions
from intake.store.engine import Store
from intake.views import Views
from tests.domain.world import World

SITE = "https://shop.example"
PAGE = f"{SITE}/cart?step=2"
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
conversations:
  chat: {join: open, reopen_within: 1d}
default: {team: support, priority: normal, sla: standard}
"""


class Gate:
    """Of the Gate what a chat's turns need."""

    def __init__(self, sessions: Sessions, journal: Journal) -> None:
        self.turn, self.known = sessions.turn, journal.known


class ChatWorld(World):
    """See the module docstring. options: of the account "shop"."""

    def __init__(self, store: Store, folder: Path, clock: Any, *, rules: str = RULES, **options: Any) -> None:
        super().__init__(store, folder, clock, rules=rules)
        self.folder.mkdir(exist_ok=True)
        self.options = msgspec.convert({"origins": [SITE], "contact": "never", **options}, Options)
        shop = Account(
            "shop",
            "webchat",
            "chat",
            can_deliver=True,
            leaving=self.options.leaving,
            origins=self.options.origins,
            quick_replies=frozenset(self.options.quick_replies),
        )
        self.context = msgspec.structs.replace(self.context, accounts={"support": self.account, "shop": shop})
        kept = Journal(store, self.keys, folder=self.folder, min_free_disk_bytes=0)
        self.sessions = Sessions(
            store,
            self.keys,
            journal=kept,
            views=Views(lambda: self.context),
            folder=self.folder,
            caller=lambda raw: None,
        )
        self.gate = Gate(self.sessions, kept)
        self.talk = Talk(
            "shop",
            self.options,
            gate=self.gate,  # type: ignore[arg-type]
            limiter=Limits(self.options.limits, clock),
            clock=clock,
            proofs=Proofs(self.options.identity, clock=clock, feed=lambda visitor: None),  # type: ignore[arg-type,return-value]
            log=logging.getLogger("tests.chat"),
        )

    def visitor(self, token: str = "A" * 43, *, address: str = "192.0.2.1") -> "Page":
        return Page(self, Visitor(tokens.session_of("shop", token), address, locale="pl", page=PAGE))

    def settle_all(self) -> None:
        """Settle what is in the journal, as the dispatcher would."""
        for row in self.rows("journal", "state = 'pending' ORDER BY id"):
            received = self.store.read_now(lambda tx, row=row: journals.load(tx, row["id"], self.folder))  # type: ignore[misc]
            if received.raw.kind == "webchat":
                self.settle(row["id"], message=parsing.parse(received.raw))  # type: ignore[arg-type]
            else:
                self.settle(row["id"])

    def run_clockworks(self) -> tuple[int, int]:
        """Let chats end and answers be mailed, as the bell does; how many of each."""
        return (
            asyncio.run(chat_idle.run_due(self.store, self.context)),
            asyncio.run(chat_letters.run_due(self.store, self.context)),
        )

    @property
    def only_ticket(self) -> dict[str, Any]:
        (ticket,) = self.rows("tickets")
        return ticket


class Page:
    """A page that chats."""

    def __init__(self, world: ChatWorld, visitor: Visitor) -> None:
        self.world, self.visitor = world, visitor

    @property
    def session(self) -> str:
        return self.visitor.session

    def say(self, what: str, **said: Any) -> dict[str, Any]:
        """Say one object; the answer, once it is settled."""
        answer = self.say_only(what, **said)
        self.world.settle_all()
        return answer

    def say_only(self, what: str, **said: Any) -> dict[str, Any]:
        from channels.webchat import protocol

        whole = {"t": what, "id": said.pop("id", str(uuid.uuid4())), **said}
        heard = protocol.read(msgspec.json.encode(whole))
        (answer,) = asyncio.run(self.world.talk.hear(self.visitor, heard, None))  # type: ignore[arg-type]
        return msgspec.json.decode(answer)  # type: ignore[no-any-return]

    def write(self, text: str = "Where is my order?", **said: Any) -> dict[str, Any]:
        return self.say("line", text=text, **said)

    def lines(self) -> list[tuple[str, str, str]]:
        """Author, text and code of each line, in order."""
        fed = self.world.store.read_now(lambda tx: session_lines.after(tx, self.session, 0))
        return [(each.line.author, each.line.text, each.line.code) for each in fed]

    def got(self, seq: int) -> None:
        """Acknowledge lines, as a page that is there does."""
        from intake import line_marks

        mark = line_marks.Mark().reached(seq, is_read=False)
        moves = self.world.store.read_now(lambda tx: line_marks.look(tx, {self.session: mark}))
        for each in moves:
            asyncio.run(line_marks.write(self.world.store, self.world.context, each))
