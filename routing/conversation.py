"""Which ticket a message without a valid reference joins, and how long an answer reopens one."""

import msgspec

from routing.conditions import Condition

EMAIL_REOPEN_WITHIN_S = 14 * 86_400


class MediumRule(msgspec.Struct, frozen=True):
    """join: "open" = the customer's open ticket of the same channel and account, None = always a new one.

    reopen_within_s: wall clock after solved, None = for ever. then: "follow_up" (new and linked) or "new".
    """

    join: str | None = None
    reopen_within_s: int | None = EMAIL_REOPEN_WITHIN_S
    then: str = "follow_up"


class Gathering(msgspec.Struct, frozen=True, eq=False):
    """Messages that hold `when` and give the same key join one ticket within so long of its last message.

    key: text with {fact} places, like "{subject}".
    """

    id: str
    when: Condition
    key: str
    within_s: int
    file: str
    line: int
    column: int = 1


class Conversations(msgspec.Struct, frozen=True):
    """media: medium -> its rule; a medium that is not named has MediumRule()."""

    media: dict[str, MediumRule] = {}
    by: tuple[Gathering, ...] = ()

    def of(self, medium: str) -> MediumRule:
        return self.media.get(medium, MediumRule())
