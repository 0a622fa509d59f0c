"""What a channel makes of a message: its normal form, the same for every medium, and the values it is made of.

The way to it is channels.contract, which names all of this.
"""

from datetime import datetime
from typing import Any, Literal

import msgspec

# What asks for no answer. A reaction is a person's, a sign under a message that was sent to them.
Automatic = Literal["auto_reply", "bounce", "feedback_report", "list", "delivery_receipt", "reaction"]


class Address(msgspec.Struct, frozen=True):
    """A mailbox. address: as written, the domain in lower case; name: decoded, "" when there is none."""

    address: str
    name: str = ""


class Identity(msgspec.Struct, frozen=True):
    """Who wrote, typed: no medium may assume a phone number or an address.

    kind: "email", "phone", "whatsapp", "chat", …; value: normalised so that equal people compare equal.
    """

    kind: str
    value: str


class Attachment(msgspec.Struct, frozen=True):
    """A file of a message, described; its bytes are read out of the raw message when asked for.

    name: decoded and made safe (no path, no control characters), "" never. size: bytes, decoded.
    part: where it stands in the raw message ("2.1": second part's first child).
    """

    name: str
    content_type: str
    size: int
    sha256: str
    inline: bool
    part: str = ""


class BouncedRecipient(msgspec.Struct, frozen=True):
    """One address of a delivery report, as written. status: RFC 3463 ("5.1.1"), "" when the report names none.

    permanent: the server has given up. reason: a stable word, "mailbox_unknown"; see docs/mail.md.
    """

    address: str
    status: str
    permanent: bool
    diagnostic: str
    reason: str


class Bounce(msgspec.Struct, frozen=True):
    """What a non-delivery report says (RFC 3464). original_message_id: of the mail that came back, without <>."""

    recipients: tuple[BouncedRecipient, ...]
    original_message_id: str | None = None


class Feedback(msgspec.Struct, frozen=True):
    """What a receipt or a complaint says about a mail of ours that arrived.

    state: "sent", "delivered", "read"; "complained" = somebody called it spam, "not_spam" = took that back.
    recipients: whose mailbox it is about, () = not said. original_message_id: of the mail, without <>.
    """

    state: str
    recipients: tuple[str, ...] = ()
    original_message_id: str | None = None


class Trust(msgspec.Struct, frozen=True):
    """How sure we are of the sender. spf, dkim, dmarc: RFC 8601 results ("pass", "fail", "none", …), None = not looked at.

    verified_sender: the address in From is proven (DMARC pass, or an aligned DKIM pass of a trusted server).
    arc: of the chain of forwarders (RFC 8617 §5.2). vouched_by: the named forwarder on whose word verified_sender
    stands although the mail's own proofs broke on the way, None = nobody's.
    has_single_sender: False = From does not name exactly one address, and who wrote is a guess.
    """

    spf: str | None = None
    dkim: str | None = None
    dmarc: str | None = None
    verified_sender: bool = False
    arc: str | None = None
    vouched_by: str | None = None
    has_single_sender: bool = True

    @property
    def is_refuted(self) -> bool:
        """The domain in From says that it did not send this, and no forwarder whom we trust says that it did."""
        return self.dmarc == "fail" and not self.verified_sender


class Forwarded(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    """The mail that a message passes on. Its author asks; nothing of it is proven, the forwarder may have typed it.

    sent: as written there, in any language; subject, sent: "" when it names none.
    """

    from_: Address
    subject: str = ""
    sent: str = ""


class Message(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """The normal form of one incoming message, the same for every medium.

    kind: the medium ("email"). message_id, in_reply_to, references: without <>, order kept.
    text: the whole readable text; visible_text: what the customer wrote now; quoted_text: what was cut.
    language: ISO 639-1, None = too short to tell. sent_at: aware, as the sender claims; None = not said or unreadable.
    headers: lower-case name -> decoded values in order, bounded; what the fact header.NAME looks at.
    problems: what was repaired or is odd, one sentence each; "unreadable: …" when only the envelope was left.
    forwarded: whose mail this passes on; None = it is the sender's own. The text of both is in visible_text.
    also: further names of the same sender, as sure as the first (a WhatsApp user's number). call: None = it is no call's.
    """

    kind: str
    message_id: str | None = None
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    from_: Address | None = None
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    subject: str = ""
    sent_at: datetime | None = None
    text: str = ""
    visible_text: str = ""
    quoted_text: str = ""
    language: str | None = None
    attachments: tuple[Attachment, ...] = ()
    automatic: Automatic | None = None
    bounce: Bounce | None = None
    feedback: Feedback | None = None
    trust: Trust = Trust()
    problems: tuple[str, ...] = ()
    sender: Identity | None = None
    headers: dict[str, tuple[str, ...]] = {}
    forwarded: Forwarded | None = None
    also: tuple[Identity, ...] = ()
    call: "CallFacts | None" = None


class CallFacts(msgspec.Struct, frozen=True):
    """What rules may ask of a call. choice: the menu's id that was chosen last; outcome: see docs/phone.md; None = not yet."""

    choice: str | None = None
    outcome: str | None = None


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """A word by which somebody says whether we may write to them; nobody's message, it makes no ticket.

    kind: the medium. own: our number that it was said to. said: as written. provider_id: of the message.
    also: further names of the sender. is_answered: the provider has confirmed it (Twilio's OptOutType), we say nothing more.
    """

    kind: str
    word: Literal["stop", "start", "help"]
    sender: Identity
    own: str
    said: str
    provider_id: str
    language: str | None = None
    is_answered: bool = False
    also: tuple[Identity, ...] = ()


class Happened(msgspec.Struct, frozen=True):
    """One thing that happened in a call or a chat. what: a stable word of its docs page; at: aware UTC; details: JSON values."""

    what: str
    at: datetime
    details: dict[str, Any] = {}


class CallEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What one request of a provider tells of a call, in the order in which it happened.

    call: the provider's id of the customer's leg. direction: "in", "out". caller: the customer, None = they hide it.
    own: our number.
    """

    kind: str
    call: str
    direction: Literal["in", "out"]
    caller: Identity | None
    own: str
    happened: tuple[Happened, ...]
    language: str | None = None


class ChatEvent(msgspec.Struct, frozen=True, kw_only=True):
    """What one turn of a chat tells beside words: a consent, an address, a file that came, the end. No message.

    session: its name; customer: who it is known as.
    """

    kind: str
    session: str
    customer: Identity
    happened: tuple[Happened, ...]
