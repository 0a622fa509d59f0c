"""What is remembered of a call between two requests: small, closed, and all that its next step starts from."""

from datetime import datetime
from typing import Literal

import msgspec

from channels.turns import STATE_MAX_BYTES

Phase = Literal[
    "language", "offer", "menu", "consent", "placing", "dialing", "holding", "voicemail", "leaving", "closed"
]
MAX_RUNG = 100  # agents of one call


class Claim(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who has pressed 1. leg: the id of the agent's own call. state: claimed until media is known to flow.

    "over": the agent hung up while the customer is still there.
    """

    agent: str
    leg: str
    at: datetime
    state: Literal["claimed", "connected", "over"] = "claimed"


class State(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A call under way.

    is_guessed: the language is the first one, for want of an answer. n: the number that the next request of the customer's leg carries. was_asked: about the language, in this call. path: ids of the menu above the one being asked.
    answered_at: when the last right answer came, None = there was none. misses: wrong or missing answers since then; speech_misses: words that were not understood.
    may_record: None = not asked. rung: who has rung, ever; ringing: who rings now. rung_since, held_since: since when we
    try, and wait. round: of ringing. looks: for the rules' decision. attempts: at a voicemail. why: of the voicemail.
    """

    call: str
    phase: Phase
    started_at: datetime
    language: str
    n: int = 0
    caller: str | None = None
    own: str = ""
    was_asked: bool = False
    is_guessed: bool = False
    path: tuple[str, ...] = ()
    choice: str | None = None
    open_ref: str | None = None
    answered_at: datetime | None = None
    misses: int = 0
    speech_misses: int = 0
    may_record: bool | None = None
    rung: tuple[str, ...] = ()
    ringing: tuple[str, ...] = ()
    round: int = 0
    rung_since: datetime | None = None
    held_since: datetime | None = None
    looks: int = 0
    claim: Claim | None = None
    attempts: int = 0
    why: str = ""

    @property
    def owner(self) -> str | None:
        """The agent who has the call, connected; None = nobody (yet)."""
        return self.claim.agent if self.claim is not None and self.claim.state == "connected" else None


_decoder = msgspec.msgpack.Decoder(State)
_encode = msgspec.msgpack.Encoder().encode


def load(kept: bytes | None) -> State | None:
    """Give back what was kept; None when there is nothing, or when a newer or older program wrote it in another form."""
    if kept is None:
        return None
    try:
        return _decoder.decode(kept)
    except msgspec.DecodeError:
        return None


def keep(state: State) -> bytes:
    """Write it down. At most STATE_MAX_BYTES: all that grows is bounded where it grows."""
    kept = _encode(state)
    if len(kept) > STATE_MAX_BYTES:
        kept = _encode(msgspec.structs.replace(state, rung=state.rung[-MAX_RUNG // 4 :]))
    return kept
