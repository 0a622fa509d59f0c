"""What becomes of a chat whose visitor has left: `leaving:` of a chat account."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """mail_after_minutes: how long an answer waits for a page before it goes out by mail, where an address is known; 0 = never.

    idle_minutes: after our last word, without one of theirs, a chat ends by itself; 0 = never. idle_status: of its ticket
    then, "" = as it is.
    """

    mail_after_minutes: Annotated[float, Meta(ge=0, le=1_440)] = 5
    idle_minutes: Annotated[float, Meta(ge=0, le=10_080)] = 30
    idle_status: Literal["", "pending", "solved"] = ""
