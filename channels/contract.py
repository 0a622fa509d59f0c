"""What crosses the border between a channel and intake: frozen values, four errors and one object, the Gate.

A channel is a module named by its kind (`kind: email.smtp` -> `channels.email.smtp`). It has, in this order:

* a docstring: what it speaks (document and section, or vendor page and date), its delivery guarantee, its limits;
* `Options`, a frozen msgspec struct: the channel's own part of intake.yaml;
* `parse(raw, options, evidence=None)`: pure, synchronous, bounded; a Message, or a DeliveryReport, Consent, CallEvent or ChatEvent
  (`Understood`); never raises for bytes it was given, except `Costly`, which says "only the slow road is left": intake then calls the module's `parse_costly` with the same
  arguments in a worker process that has limits on time and memory;
* `Channel(account, options)`: thin I/O with any of `run(gate)`, `routes(gate)`, `deliver(outbound)`, `check()`,
  `sent_before(outbound)` beside `deliver` (the provider ids under which the other side may have it already, looked up
  before it is sent again), `became_of(provider_id)` (a DeliveryReport, fetched), `wait_s(outbound)` (how long it has to wait for its turn, 0 = it may go), and
  `examine(raw)`: async, after the ack, what is to be looked up before `parse`; its JSON value is kept with the raw message
  and is the `evidence` of every parse of it, None = there was nothing to look up. An attribute that is None, when nothing
  ever is, spares every message a detour. Or `fetch(reference)`: async, a file that the other side keeps for us. What files
  a message has there the module's `kept_elsewhere(raw)` says: pure, part of Message.attachments -> reference.

Nothing calls back up: the Gate is all a channel ever sees of intake.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Literal, Protocol

import msgspec

from channels.normal_form import (
    Address,
    Attachment,
    Automatic,
    Bounce,
    BouncedRecipient,
    CallEvent,
    CallFacts,
    ChatEvent,
    Consent,
    Feedback,
    Forwarded,
    Happened,
    Identity,
    Message,
    Trust,
)
from channels.turns import (
    Availability,
    Fed,
    Free,
    Line,
    LineFile,
    Opened,
    Passing,
    Placed,
    Turn,
    View,
)

__all__ = [
    "ADDRESS_PROBLEMS",
    "Address",
    "Attachment",
    "Automatic",
    "Availability",
    "Bounce",
    "BouncedRecipient",
    "CallEvent",
    "CallFacts",
    "ChatEvent",
    "Consent",
    "Costly",
    "Delivered",
    "DeliveryFailed",
    "DeliveryReport",
    "DeliveryState",
    "Excused",
    "Fed",
    "Feed",
    "Feedback",
    "FetchFailed",
    "Fetched",
    "Forwarded",
    "Free",
    "Gate",
    "Happened",
    "Identity",
    "Inventory",
    "Line",
    "LineFile",
    "Message",
    "Opened",
    "OutboundFile",
    "OutboundMessage",
    "Passing",
    "Placed",
    "Problem",
    "RawMessage",
    "Receipt",
    "Refused",
    "Rejected",
    "Step",
    "Trust",
    "Turn",
    "Unavailable",
    "Understood",
    "View",
]

DeliveryState = Literal["queued", "sent", "delivered", "read", "failed"]
# Why nothing reaches an address: nobody has it; it takes no texts; its owner or network blocks us; WhatsApp does not know
# it; its owner has told the other side to stop.
ADDRESS_PROBLEMS = ("number_unknown", "not_textable", "blocked", "not_on_whatsapp", "opted_out")


class Rejected(Exception):
    """The sender must not retry: SMTP 550, HTTP 400 or 403. Only raised before a Receipt exists."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Refused(Exception):
    """Raised by a step: this turn is not taken, nothing of it is kept. answer: what is said to who asked, as Turn.reply."""

    def __init__(self, answer: str) -> None:
        super().__init__("the step refused the turn")
        self.answer = answer


class Unavailable(Exception):
    """The sender should try again: SMTP 451 (452 when `full`), HTTP 503 with Retry-After.

    reason: one sentence for the operator's log; never shown to the sender.
    retry_after_s: seconds.
    full: the store has no room left (a full disk).
    """

    def __init__(self, reason: str, *, retry_after_s: int = 60, full: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after_s = retry_after_s
        self.full = full


class DeliveryFailed(Exception):
    """An outgoing message was not taken. The outbox decides what follows.

    reason: what the other side said, one line. retryable: false only when a retry can never help (SMTP 5xx).
    unknown: the other side may have taken it (the connection broke after the last byte): said to the operator.
    address_problem: why nothing reaches the address (ADDRESS_PROBLEMS), "" = it is not to blame, or nobody says so.
    """

    def __init__(
        self, reason: str, *, retryable: bool, unknown: bool = False, address_problem: str = ""
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retryable = retryable
        self.unknown = unknown
        self.address_problem = address_problem


class FetchFailed(Exception):
    """A file was not given to us. reason: one line, without a link. retryable: false only when a retry can never help."""

    def __init__(self, reason: str, *, retryable: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retryable = retryable


class Costly(Exception):
    """Raised by a parse that would have to leave its fast, bounded road. See the module docstring."""


class RawMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message as it came, before anybody understood it.

    kind: of the channel's code ("email.smtp"); account: its configured name.
    lane: what keeps order (envelope sender, phone number, chat session, call); known before parsing.
    keys: any of them seen before means "the same message"; () = nothing identifies it.
    body: the bytes. envelope: JSON values that the channel's parse needs and the bytes do not say
    (email: "sender", "recipients", "peer", "spam_score", …). received_at: aware UTC.
    cursor: when not None, saved under the account's name in the same transaction as the bytes.
    """

    kind: str
    account: str
    lane: str
    body: bytes
    received_at: datetime
    keys: tuple[str, ...] = ()
    envelope: dict[str, Any] = {}
    cursor: bytes | None = None


class Receipt(msgspec.Struct, frozen=True):
    """Proof that the bytes are on disk. id: of the journal row; sequence: order of commit; duplicate: a key was known."""

    id: int
    sequence: int
    duplicate: bool


class DeliveryReport(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a message we sent. Moves an outbox row forward, never back; makes no ticket by itself.

    state: "queued" = the other side has it. code: its own word for why; detail: the same in ours, and what to do.
    reference: OutboundMessage.reference as it came back, "" = it did not. address_problem: as DeliveryFailed.
    may_be_resent: the same may arrive later.
    """

    provider_id: str
    state: DeliveryState
    code: str = ""
    detail: str = ""
    at: datetime | None = None
    reference: str = ""
    address_problem: str = ""
    may_be_resent: bool = False


Understood = Message | DeliveryReport | Consent | CallEvent | ChatEvent
Step = Callable[[bytes | None, RawMessage, View], Turn]


class OutboundFile(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file that goes out with a message. size: bytes. sha256: hex.

    content: put in by the outbox just before `deliver`; b"" in what is stored, which names its `blob` instead. part: of
    the raw message in the blob ("2.1"), "" = the blob is the file.
    """

    name: str
    content_type: str
    size: int
    sha256: str
    blob: int = 0
    part: str = ""
    content: bytes = b""


class OutboundMessage(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """One message to send, complete: intake has made Message-ID, reply address and return path; channels hold no key.

    id: of the outbox row, the idempotency key where the other side knows such a thing.
    envelope_sender: "" is the null return path (RFC 5321 §4.5.5). message_id, in_reply_to, references: without <>.
    automatic: the value of Auto-Submitted (RFC 3834 §5): "auto-replied", "auto-generated", None = a person wrote it.
    created_at: aware UTC, the Date header. headers: further headers, names and values without line breaks.
    text: what is read without formatting. markdown: what the formatted form is made of where the medium has one
    (channels.markup), "" = the text itself, None = there is none. is_verbatim: the text is words altogether, and its
    formatted form has paragraphs and line breaks only. language: of the text, ISO 639-1.
    reference: to be given along where the other side's reports can bring it back; signed, for intake alone to read.
    """

    id: str
    account: str
    to: tuple[Address, ...]
    from_: Address
    subject: str
    text: str
    message_id: str
    created_at: datetime
    cc: tuple[Address, ...] = ()
    reply_to: Address | None = None
    envelope_sender: str = ""
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    automatic: str | None = None
    headers: dict[str, str] = {}
    markdown: str | None = None
    is_verbatim: bool = False
    language: str | None = None
    attachments: tuple[OutboundFile, ...] = ()
    extra: dict[str, Any] = {}
    reference: str = ""


class Delivered(msgspec.Struct, frozen=True):
    """The other side took it. provider_id: its name for it (email: the queue id it answered), "" when it has none.

    refused: who of those in copy does not get it -> what the other side said.
    """

    provider_id: str
    state: DeliveryState = "sent"
    refused: dict[str, str] = {}


class Fetched(msgspec.Struct, frozen=True):
    """A file that the other side kept for us. name: as it is called there, made safe; "" = it has none."""

    content: bytes
    content_type: str
    name: str = ""


class Problem(msgspec.Struct, frozen=True):
    """Something wrong with how a channel is set up, found by `check()`: what, and what to do."""

    message: str
    hint: str = ""
    severity: Literal["error", "warning", "hint"] = "error"


class Excused(msgspec.Struct, frozen=True, omit_defaults=True):
    """Messages that the other side holds and the journal does not, with the reason.

    reason: "skipped" (there before the first start), "compared" (known by content), "retrying", "unfetchable",
    "too_big", "refused". detail: one line about a single message, "" = the number says it all.
    is_alarming: a person has to look.
    """

    reason: str
    count: int
    detail: str = ""
    is_alarming: bool = False


class Inventory(msgspec.Struct, frozen=True, kw_only=True):
    """What the other side of an account says it holds, to be held against the journal.

    place: where ("INBOX"). generation: of the other side's numbering (UIDVALIDITY), "" = it has none.
    keys: of every message that is there and should be journalled; None = nobody has counted now, `excused` alone is told.
    cursor: when not None, saved in the same transaction. cursor_name: under which name, "" = the account's; several places
    of an account that have cursors of their own name them like "texts/+48221234567".
    """

    account: str
    place: str
    generation: str
    keys: tuple[str, ...] | None
    excused: tuple[Excused, ...] = ()
    cursor: bytes | None = None
    cursor_name: str = ""


class Feed(Protocol):
    """What is addressed to one session, for one who listens. Nothing is looked up before it is asked for the first thing."""

    def __aiter__(self) -> "Feed": ...

    async def __anext__(self) -> Opened | Fed | Passing:
        """Return the next thing: Opened first, then every line behind the number asked for, in order, then live.

        Opened comes again when the session shows another's lines from now on, and then that one's, from the first.
        Raises: Unavailable when the lines cannot be read now.
        """
        ...

    def say(self, passing: Passing) -> None:
        """Tell whoever looks at the session's ticket something that is not kept: the visitor writes."""
        ...

    def pass_on(self, passing: Passing) -> None:
        """Give this listener something that passes, of the channel's own."""
        ...

    async def reached(self, seq: int, *, is_read: bool) -> None:
        """Note that every line up to a number has come to the visitor's page, or was read there; soon, not at once."""
        ...

    async def file(self, seq: int, number: int) -> Fetched | None:
        """Return the n-th file of a line, from 0; None = there is none, or it may not be given out. Raises: Unavailable."""
        ...

    def close(self) -> None:
        """Listen no more; who waits for the next thing is told that there is none (StopAsyncIteration)."""
        ...


class Gate(Protocol):
    """All that a channel may ask of intake."""

    async def submit(self, raw: RawMessage) -> Receipt:
        """Return once the bytes are committed and fsynced; raw.cursor is saved in the same transaction.

        Survives the cancellation of its caller: a client that hangs up does not undo a commit under way.
        Raises: Unavailable when the bytes could not be stored; nothing was kept then, the sender should retry.
        """
        ...

    async def cursor(self, name: str) -> bytes | None:
        """What the last committed raw message of the account left there; None = nothing yet."""
        ...

    async def known(self, keys: Iterable[str]) -> frozenset[str]:
        """Which of at most 1 000 keys the journal holds."""
        ...

    async def reconcile(self, inventory: Inventory) -> frozenset[str]:
        """Keep what the other side holds; return the keys that the journal does not have: each is a gap, and an alarm.

        Raises: Unavailable when it could not be kept.
        """
        ...

    async def turn(self, session: str, raw: RawMessage, step: Step) -> str:
        """Return the reply to one turn of a session, once the turn is committed and fsynced.

        ONE transaction: the state is loaded, `step` decides, raw is journalled, the state saved. Whose View it is says the
        channel's own parse of raw (CallEvent.caller), and then the session's call. raw.keys seen before: nothing happens, and the reply is the one that was given then. `step` is pure, and may be
        run more than once. Raises: Unavailable when nothing was kept, what step raised (Refused).
        """
        ...

    def feed(self, account: str, session: str, *, after: int = 0) -> Feed:
        """Listen to what is addressed to a session: every line with a number > after, in order, then live."""
        ...

    def seal(self, purpose: str, *parts: str) -> str:
        """Return 27 to 29 small letters and digits that only daemons of this house make of these: the same for a while."""
        ...

    async def view(self, account: str, session: str | None = None) -> View:
        """Return the desk as an account's customers see it now; session: as this one does."""
        ...
