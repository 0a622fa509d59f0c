"""What a customer said where no channel of ours heard it, as an agent has written it down: a call, a counter, a letter.

It is kept in the journal like anything that comes in, so that it is understood again like anything else: `parse` is what
the account NAME is read with. The medium is the one that the customer can be answered by.
"""

from typing import Any, Literal

import msgspec

from channels import language
from channels.contract import Address, Identity, Message, RawMessage

KIND = "desk"
NAME = "(desk)"  # of the account: no configured one can be called so
Way = Literal["phone", "counter", "letter", "other"]
WAYS: tuple[Way, ...] = ("phone", "counter", "letter", "other")


class Options(msgspec.Struct, frozen=True):
    """There are none."""


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What was written down. address, phone: as identities, "" = not known; at least one is wanted to answer them."""

    way: Way
    by: str
    name: str = ""
    address: str = ""
    phone: str = ""
    subject: str = ""
    text: str = ""

    @property
    def identities(self) -> tuple[Identity, ...]:
        """Who it is, the one that answers go to first."""
        named = (("email", self.address), ("phone", self.phone))
        return tuple(Identity(kind, value) for kind, value in named if value)

    @property
    def medium(self) -> str:
        """How they are answered: by mail, else by phone; else it is the way itself."""
        return "email" if self.address else "voice" if self.phone else self.way


def parse(raw: RawMessage, options: Options, evidence: Any = None) -> Message:
    """Return what was said, as the customer's message."""
    written = msgspec.json.decode(raw.body, type=Written)
    names = written.identities
    return Message(
        kind=written.medium,
        from_=Address(names[0].value if names else "", written.name),
        sender=names[0] if names else None,
        also=names[1:],
        subject=written.subject,
        sent_at=raw.received_at,
        text=written.text,
        visible_text=written.text,
        language=language.detect(written.text[: language.MAX_CHARS], language.DEFAULT),
    )
