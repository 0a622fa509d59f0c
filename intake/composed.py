"""An answer as it would go, before it is sent: what intake.composing finds, and pages, the command line and tests read."""

from typing import Any

import msgspec

from channels.twilio.segments import Forcing


class Smaller(msgspec.Struct, frozen=True):
    """A picture that goes out smaller. size, max_size: bytes, as it is and as it is sent at most."""

    name: str
    size: int
    max_size: int


class Composed(msgspec.Struct, frozen=True, kw_only=True, rename={"from_": "from"}):
    """An answer as it would go. can_send: nothing stands in its way; reason: what does, one sentence.

    text: as the customer would read it; plainer: the same in the cheap alphabet, None = it is cheap, or cannot be.
    encoding and what follows it: of a text by SMS, else None. soft_limit: characters that Twilio advises not to go beyond.
    cost: of all segments, None = no price is known. warning: it would be sent, and there is something to know.
    window_ends_at: RFC 3339, of WhatsApp's 24 hours; templates: that may be sent by WhatsApp at any time.
    smaller: pictures that are too large for the medium and go out smaller.
    """

    ref: str
    medium: str
    to: str
    from_: str
    account: str
    text: str
    can_send: bool
    reason: str | None = None
    warning: str | None = None
    encoding: str | None = None
    characters: int = 0
    segments: int | None = None
    left: int | None = None
    forcing: tuple[Forcing, ...] = ()
    plainer: str | None = None
    soft_limit: int | None = None
    is_long: bool = False
    is_too_long: bool = False
    cost: str | None = None
    window_ends_at: str | None = None
    templates: tuple[dict[str, Any], ...] = ()
    smaller: tuple[Smaller, ...] = ()
