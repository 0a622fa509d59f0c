"""What texts and calls may cost: how many go to one number, to numbers that begin alike, and to everybody in a day.

Each is one conditional statement on a counter (intake.counters), so that a crowd cannot slip through. A message is
counted when it is about to go out, and again when somebody sends it once more. People may go on until twice as many as
machines: whoever makes a machine talk until its budget is used up does not silence the desk.

What is used up raises the alarm in the same transaction as the first message that it holds back: an event, a figure, a
warning in the log; once an hour for each budget.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import bindparam, select

from channels import phone_numbers
from intake import counters, events
from intake.settings import Phone
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement

DAY_US = 24 * counters.HOUR_US
NUMBER, PREFIX, DAY = "phone_number", "phone_prefix", "phone_day"
NAMES = (NUMBER, PREFIX, DAY)
ALARM = "phone_budget_alarm"
PEOPLE_FACTOR = 2

_c = schema.counters.c
_USED = Statement(
    select(_c.used).where(
        _c.name == bindparam("name"),
        _c.key == bindparam("key"),
        _c.window_start >= bindparam("oldest"),
        _c.window_start <= bindparam("now"),
    )
)


class Budget(msgspec.Struct, frozen=True):
    """One limit. name, key: of its counter; most: how many; whom: in words."""

    name: str
    key: str
    most: int
    whom: str

    @property
    def sentence(self) -> str:
        return f"{self.most} messages and calls went to {self.whom} within a day, and more are not paid for"


def take(tx: Tx, limits: Phone, number: str, *, is_persons: bool) -> Budget | None:
    """Count one message or call; the budget that it would break, and then none of the wider ones has counted it."""
    for budget in _budgets(limits, number, is_persons=is_persons):
        if not counters.take(tx, budget.name, budget.key, limit=budget.most, window_us=DAY_US):
            alarm(tx, budget, number)
            return budget
    return None


def used_up(tx: Tx, limits: Phone, number: str, *, is_persons: bool) -> Budget | None:
    """Return the budget that one more message would break, without counting it; None = there is room."""
    for budget in _budgets(limits, number, is_persons=is_persons):
        row = tx.one(_USED, name=budget.name, key=budget.key, oldest=tx.now - DAY_US, now=tx.now)
        if (row[0] if row is not None else 0) >= budget.most:
            return budget
    return None


def alarm(tx: Tx, budget: Budget, number: str) -> None:
    """Say loudly that a budget is used up, unless that was said within the hour."""
    if not counters.take(tx, ALARM, f"{budget.name}:{budget.key}", limit=1):
        return
    told: dict[str, Any] = {"budget": budget.name, "key": budget.key, "most": budget.most, "number": number}
    events.record(tx, "phone_budget_used_up", **told)
    tx.signal("told", [("phone_budget_used_up", told)])


def prefix_of(number: str, digits: int) -> str:
    """Return the country code and so many digits of a number in E.164; of one that is none, its beginning."""
    return number[: 1 + phone_numbers.country_code_length(number) + digits]


def forget(tx: Tx) -> int:
    """Remove some counters that count nothing any more; how many. They name numbers."""
    return sum(counters.forget(tx, name, window_us=DAY_US) for name in NAMES) + counters.forget(tx, ALARM)


def _budgets(limits: Phone, number: str, *, is_persons: bool) -> Iterator[Budget]:
    """Give the budgets, the narrowest first."""
    factor = PEOPLE_FACTOR if is_persons else 1
    prefix = prefix_of(number, limits.prefix_digits)
    yield Budget(NUMBER, number, limits.budget_per_number * factor, number)
    yield Budget(PREFIX, prefix, limits.budget_per_prefix * factor, f"numbers that begin with {prefix}")
    yield Budget(DAY, "", limits.budget_per_day * factor, "customers")
