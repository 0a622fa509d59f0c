"""Which ticket a message without a valid reference joins, and how long an answer reopens one."""

from datetime import datetime, timedelta

import msgspec

from routing.conditions import Condition

EMAIL_REOPEN_WITHIN_S = 14 * 86_400
CHAT_REOPEN_WITHIN_S = 12 * 3_600
LINE_BY_LINE = frozenset({"chat", "sms", "whatsapp"})  # media whose messages are lines of one


class MediumRule(msgspec.Struct, frozen=True):
    """join: "open" = the customer's open ticket of the same channel and account, None = always a new one.

    reopen_within_s: wall clock after solved, None = for ever. then: "follow_up" (new and linked) or "new".
    """

    join: str | None = None
    reopen_within_s: int | None = EMAIL_REOPEN_WITHIN_S
    then: str = "follow_up"

    def has_room(self, *, status: str, solved_at: datetime | None, at: datetime) -> bool:
        """Whether an answer belongs into a ticket: not closed, and not solved longer ago than answers are awaited."""
        if status == "closed":
            return False
        if status == "solved" and solved_at is not None and self.reopen_within_s is not None:
            return at - solved_at <= timedelta(seconds=self.reopen_within_s)
        return True


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

    def has_room(self, *, status: str, last_at: datetime, at: datetime, is_automatic: bool) -> bool:
        """Whether a message of the same key joins. last_at: of the ticket's last message.

        Automatic mail reopens nothing: an alert that comes again after the solution is a new ticket.
        """
        if status == "closed" or (is_automatic and status == "solved"):
            return False
        return at - last_at <= timedelta(seconds=self.within_s)


# A chat is one conversation by what it is: else each of its lines would be a ticket where nobody has said anything.
CHAT = MediumRule(join="open", reopen_within_s=CHAT_REOPEN_WITHIN_S)


class Conversations(msgspec.Struct, frozen=True):
    """media: medium -> its rule; a medium that is not named has MediumRule(), chat has CHAT."""

    media: dict[str, MediumRule] = {}
    by: tuple[Gathering, ...] = ()

    def of(self, medium: str) -> MediumRule:
        return self.media.get(medium, CHAT if medium == "chat" else MediumRule())
